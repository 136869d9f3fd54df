"""Signing in: one answer for every wrong word, growing delays, sessions that end."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from ledger.access import delays, service, sessions
from ledger.access.roles import Role
from ledger.access.service import Actor, Passwords
from ledger.db import reading, writing
from ledger.errors import InvalidInput, LedgerError, NotSignedIn, Throttled
from tests.access.door import GOOD, HERE, Door
from tests.ledgers import NOW_S

HOUR_S = 3600


@pytest.fixture
def lin(door: Door) -> str:
    return door.account("lin", ("mill", Role.VIEWER), ("farm", Role.PREPARER))


def fail(door: Door, name: str, times: int = 1, address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises(NotSignedIn):
            door.login(name, "a wrong password", address=address)


@pytest.mark.both_databases
def test_a_session(door: Door, lin: str) -> None:
    token = door.login("lin")
    assert token.startswith("gls_")
    assert len(token) == 47
    who = door.caller(token)
    assert (who.account, who.name, who.via, who.key) == (lin, "lin", "session", "")
    assert who.roles == {"mill": {Role.VIEWER}, "farm": {Role.PREPARER}}
    assert who.may_for("claim_make", "farm")
    assert not who.may_for("claim_make", "mill")
    assert door.login("lin") != token


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("lin", "correct horse batterz"),
        ("lin", ""),
        ("lin", GOOD + " "),
        ("lin", GOOD + "\x00"),
        ("lin", "x" * 5000),
        ("wu", GOOD),
        ("nobody", GOOD),
        ("LIN", GOOD),
        ("lin\x00", GOOD),
        ("", ""),
        ("l\ud800n", "\udfff" * 12),
        ("keyed", ""),
    ],
)
def test_wrong_words_get_one_answer(name: str, password: str, door: Door, lin: str) -> None:
    """wu is disabled, keyed has no password."""
    door.disable(door.account("wu"))
    door.account("keyed", password="")
    with pytest.raises(NotSignedIn) as said:
        door.login(name, password)
    assert str(said.value) == "name, password or code is wrong"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(door: Door) -> None:
    """Argon2 with some work, so that its time stands out of all else."""
    slow = replace(door, passwords=Passwords(PasswordHasher(3, 16_384, 1)))
    slow.account("lin")
    slow.disable(slow.account("wu"))

    def seconds(name: str) -> float:
        found = []
        for _ in range(3):
            began = time.thread_time()
            fail(slow, name, address="")
            found.append(time.thread_time() - began)
        return min(found)

    known, unknown, disabled = seconds("lin"), seconds("nobody"), seconds("wu")
    assert known / 2 < unknown < known * 2
    assert known / 2 < disabled < known * 2


@pytest.mark.both_databases
def test_delays_grow_with_failures(door: Door, lin: str) -> None:
    """None before the fifth failure, then 2, 4, 8 … s; the right password has to wait too."""
    waits = []
    fail(door, "lin", 4)
    for _ in range(11):
        fail(door, "lin")
        with pytest.raises(Throttled, match="too many failures") as said:
            door.login("lin")
        waits.append(said.value.retry_after_s)
        door.now_s += said.value.retry_after_s - 1
        with pytest.raises(Throttled, match="try again in 1 s"):
            door.login("lin")
        door.now_s += 1
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert door.login("lin")
    fail(door, "lin", 4)
    assert door.login("lin")


def test_what_is_tried_during_a_delay_is_not_looked_at(door: Door, lin: str) -> None:
    fail(door, "lin", 5)
    for _ in range(20):
        with pytest.raises(Throttled, match="try again in 2 s"):
            door.login("lin")
    door.now_s += 2
    assert door.login("lin")


def test_unknown_names_are_delayed_too(door: Door) -> None:
    """Else the delay would say who has an account."""
    fail(door, "nobody", 5)
    with pytest.raises(Throttled):
        door.login("nobody")
    fail(door, "somebody")


def test_failures_are_forgotten_after_a_day(door: Door, lin: str) -> None:
    fail(door, "lin", 6 - 1)
    door.now_s += 86_400
    fail(door, "lin", 4)
    assert door.login("lin")


def test_an_address_is_delayed_whatever_names_it_tries(door: Door, lin: str) -> None:
    for number in range(delays.FREE_BY_ADDRESS):
        fail(door, f"name-{number}")
    with pytest.raises(Throttled):
        door.login("lin")
    assert door.login("lin", address="192.0.2.8")


def test_an_account_of_one_s_own_washes_no_address_clean(door: Door, lin: str) -> None:
    for number in range(delays.FREE_BY_ADDRESS - 1):
        fail(door, f"name-{number}")
        if number % 10 == 0:
            assert door.login("lin")
    fail(door, "one-more")
    with pytest.raises(Throttled):
        door.login("lin")


def test_guesses_from_many_addresses_are_delayed(door: Door, lin: str) -> None:
    """One account, a network of a thousand machines: some twenty guesses in an hour."""
    looked_at = 0
    for second in range(HOUR_S):
        door.now_s = NOW_S + second
        try:
            door.login("lin", "a wrong password", address=f"198.51.{second // 250}.{second % 250}")
        except NotSignedIn:
            looked_at += 1
        except Throttled:
            pass
    assert looked_at < 20


def test_nobody_can_be_kept_out_by_others_failing(door: Door, lin: str) -> None:
    """From an address of one's own one signs in at any time; from elsewhere one waits a quarter of
    an hour, if nobody takes that turn too."""
    assert door.login("lin", address="192.0.2.9")
    fail(door, "lin", delays.FREE_BY_NAME - 1, address="203.0.113.5")
    for _ in range(40):
        door.now_s += delays.DELAY_S_MAX + 1
        fail(door, "lin", address="203.0.113.5")
        with pytest.raises(Throttled) as said:
            door.login("lin", address="203.0.113.6")
        assert said.value.retry_after_s <= delays.DELAY_S_MAX
        assert door.login("lin", address="192.0.2.9")
    # There too guesses are counted, by themselves.
    fail(door, "lin", delays.FREE_BY_NAME, address="192.0.2.9")
    with pytest.raises(Throttled):
        door.login("lin", address="192.0.2.9")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("", "unknown", False),
    ],
)
def test_an_ipv6_network_is_one_address(one: str, other: str, same: bool) -> None:
    assert (delays.of_address(one) == delays.of_address(other)) is same


@pytest.mark.both_databases
def test_two_processes_count_together(door: Door, lin: str) -> None:
    """Each with its own hasher and connections, over one database."""
    other = Door(door.engine)
    fail(door, "lin", 3)
    fail(other, "lin", 2)
    for one in (door, other):
        with pytest.raises(Throttled):
            one.login("lin")


@pytest.mark.both_databases
def test_many_guesses_at_once_are_no_more_than_in_a_row(door: Door, lin: str) -> None:
    """An attempt counts before its password is looked at."""
    looked_at, lock = [], threading.Lock()

    class Watched(Passwords):
        def verify(self, stored: str, password: str) -> bool:
            with lock:
                looked_at.append(password)
            time.sleep(0.05)
            return False

    door = replace(door, passwords=Watched())

    def guess() -> None:
        with pytest.raises(LedgerError):
            door.login("lin", "a guess of many")

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) == delays.FREE_BY_NAME


def test_a_session_ends_after_a_time_without_requests(door: Door, lin: str) -> None:
    token = door.login("lin")
    door.now_s += sessions.IDLE_S - 1
    assert door.lets_in(token)
    door.now_s += 1
    assert not door.lets_in(token)


def touch(door: Door, token: str) -> None:
    with writing(door.engine) as conn:
        service.touch(conn, token, door.now_s)


def test_a_session_in_use_lasts_a_day_s_work(door: Door, lin: str) -> None:
    token, began_s = door.login("lin"), door.now_s
    while door.lets_in(token) and door.now_s < began_s + 24 * HOUR_S:
        touch(door, token)
        door.now_s += 1200
    assert door.now_s - began_s == 12 * HOUR_S


def test_a_session_is_noted_as_used_once_in_a_minute(door: Door, lin: str) -> None:
    token, noted = door.login("lin"), []
    for _ in range(20):
        door.now_s += 20
        if service.needs_touch(door.caller(token), door.now_s):
            noted.append(door.now_s - NOW_S)
            touch(door, token)
    assert noted == [60, 120, 180, 240, 300, 360]


def test_touching_does_not_bring_back(door: Door, lin: str) -> None:
    token = door.login("lin")
    door.now_s += sessions.ABSOLUTE_S
    touch(door, token)
    assert not door.lets_in(token)


def test_logout(door: Door, lin: str) -> None:
    one, other = door.login("lin"), door.login("lin")
    with writing(door.engine) as conn:
        service.logout(conn, door.now_s, HERE, one)
        service.logout(conn, door.now_s, HERE, one)
        service.logout(conn, door.now_s, HERE, "gls_nothing")
    assert (door.lets_in(one), door.lets_in(other)) == (False, True)


def test_a_disabled_account_is_out_at_once(door: Door, lin: str) -> None:
    token = door.login("lin")
    door.disable(lin)
    assert not door.lets_in(token)
    door.enable(lin)
    assert not door.lets_in(token), "its sessions have ended for good"
    assert door.login("lin")


def test_a_role_that_is_taken_is_gone_at_the_next_request(door: Door, lin: str) -> None:
    token = door.login("lin")
    door.revoke(lin, "farm", Role.PREPARER)
    assert door.caller(token).roles == {"mill": {Role.VIEWER}}
    door.grant(lin, "mill", Role.APPROVER)
    assert door.caller(token).roles == {"mill": {Role.VIEWER, Role.APPROVER}}


@pytest.mark.parametrize(
    "token",
    [
        "",
        "gls_",
        "gls_" + "A" * 43,
        "glk_" + "A" * 43,
        "glx_" + "A" * 43,
        "\ud800",
        "gls_" + "é" * 43,
    ],
)
def test_tokens_that_are_none(token: str, door: Door, lin: str) -> None:
    door.login("lin")
    with pytest.raises(NotSignedIn) as said:
        door.caller(token)
    assert not token or token not in str(said.value)


def test_every_changed_letter_is_another_token(door: Door, lin: str) -> None:
    token = door.login("lin")
    for place in range(len(token)):
        other = "B" if token[place] != "B" else "C"
        assert not door.lets_in(token[:place] + other + token[place + 1 :])
    assert not door.lets_in(token + "A")
    assert not door.lets_in(token[:-1])
    assert door.lets_in(token)


@pytest.mark.both_databases
def test_changing_one_s_password(door: Door, lin: str) -> None:
    token, actor = door.login("lin"), Actor(account=lin, address=HERE)

    def change(old: str, new: str) -> None:
        service.change_password(door.engine, door.passwords, door.now_s, actor, old, new)

    with pytest.raises(InvalidInput, match="12 to 256"):
        change(GOOD, "short")
    with pytest.raises(NotSignedIn, match="old password"):
        change("a wrong password", "another good password")
    assert door.lets_in(token)
    change(GOOD, "another good password")
    assert not door.lets_in(token)
    assert door.login("lin", "another good password")
    for _ in range(delays.FREE_BY_NAME):
        with pytest.raises(NotSignedIn):
            change("a wrong password", "yet another password")
    with pytest.raises(Throttled):
        change("another good password", "yet another password")


def test_old_hashes_are_made_anew_at_login(door: Door, lin: str) -> None:
    def stored() -> str:
        with reading(door.engine) as conn:
            return str(conn.exec_driver_sql("SELECT password FROM accounts").scalar_one())

    before = stored()
    stronger = replace(door, passwords=Passwords(PasswordHasher(2, 16, 1)))
    assert stronger.login("lin")
    after = stored()
    assert ("t=1" in before, "t=2" in after) == (True, True)
    assert stronger.login("lin")
    assert stored() == after
    fail(door, "lin")
    assert stored() == after


def test_standard_passwords_take_the_profile_of_rfc_9106() -> None:
    assert Passwords().hash(GOOD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.both_databases
def test_sweeping_takes_what_has_ended_and_no_more(door: Door, lin: str) -> None:
    old = door.login("lin")
    fail(door, "nobody")
    door.now_s += sessions.IDLE_S
    young = door.login("lin")
    with writing(door.engine) as conn:
        service.sweep(conn, door.now_s)
        left = conn.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one()
        counted = conn.exec_driver_sql("SELECT count(*) FROM login_delays").scalar_one()
    assert (left, counted) == (1, 2)
    assert (door.lets_in(old), door.lets_in(young)) == (False, True)
    door.now_s = NOW_S + 2 * 86_400
    with writing(door.engine) as conn:
        service.sweep(conn, door.now_s)
        assert conn.exec_driver_sql("SELECT count(*) FROM login_delays").scalar_one() == 0
