"""The second factor: when it is asked for, each code once, and what helps when it is lost."""

from __future__ import annotations

import base64
import contextlib
import threading

import pytest

from ledger.access import delays, service, totp
from ledger.access.service import MACHINE, Actor
from ledger.db import reading, writing
from ledger.errors import NotSignedIn, Refused, Throttled, Unavailable
from tests.access.door import GOOD, HERE, SEAL_KEY, Door, code_at


@pytest.fixture
def lin(door: Door) -> str:
    return door.account("lin")


def later(door: Door, steps: int = 1) -> None:
    door.now_s += 30 * steps


def test_codes_are_those_of_rfc_6238() -> None:
    """Appendix B, the last six of its eight digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    found = [code_at(secret, now_s) for now_s in (59, 1111111109, 1234567890, 20000000000)]
    assert found == ["287082", "081804", "005924", "353130"]


def test_a_code_is_asked_for_from_the_first_code_on(door: Door, lin: str) -> None:
    secret = door.enrol(lin)
    assert door.login("lin"), "an enrolment that nobody confirmed locks nobody out"
    with pytest.raises(Refused, match="not the one"):
        door.confirm(lin, "000000" if code_at(secret, door.now_s) != "000000" else "111111")
    assert len(door.confirm(lin, code_at(secret, door.now_s))) == 10
    later(door)
    for code in ("", "12345", "1234567", "abcdef", "１２３４５６", "123456\n"):
        with pytest.raises(NotSignedIn, match=r"^name, password or code is wrong$"):
            door.login("lin", code=code)
        door.now_s += 300
    assert door.login("lin", code=code_at(secret, door.now_s))
    later(door)
    spaced = code_at(secret, door.now_s)
    assert door.login("lin", code=f"{spaced[:3]} {spaced[3:]}")


def test_the_uri_is_for_an_authenticator(door: Door, lin: str) -> None:
    with writing(door.engine) as conn:
        secret, uri = service.enrol_totp(conn, SEAL_KEY, door.now_s, MACHINE, lin, "a park")
    assert uri == f"otpauth://totp/a%20park:lin?secret={secret}&issuer=a%20park"
    assert len(base64.b32decode(secret)) == 20


@pytest.mark.both_databases
def test_a_code_lets_in_once(door: Door, lin: str) -> None:
    secret, _ = door.second_factor(lin)
    with pytest.raises(NotSignedIn):
        door.login("lin", code=code_at(secret, door.now_s))
    later(door)
    code = code_at(secret, door.now_s)
    assert door.login("lin", code=code)
    with pytest.raises(NotSignedIn):
        door.login("lin", code=code)
    later(door)
    with pytest.raises(NotSignedIn):
        door.login("lin", code=code)


def test_a_code_before_one_that_was_used_is_used_up(door: Door, lin: str) -> None:
    secret, _ = door.second_factor(lin)
    later(door, 5)
    earlier = code_at(secret, door.now_s - 30)
    assert door.login("lin", code=code_at(secret, door.now_s))
    with pytest.raises(NotSignedIn):
        door.login("lin", code=earlier)


@pytest.mark.parametrize(
    ("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_may_differ_by_half_a_minute(steps: int, right: bool, door: Door, lin: str) -> None:
    secret, _ = door.second_factor(lin)
    later(door, 9)
    code = code_at(secret, door.now_s + 30 * steps)
    if right:
        assert door.login("lin", code=code)
    else:
        with pytest.raises(NotSignedIn):
            door.login("lin", code=code)


def test_a_right_code_does_not_help_a_wrong_password(door: Door, lin: str) -> None:
    """And is not used up by it."""
    secret, _ = door.second_factor(lin)
    later(door)
    code = code_at(secret, door.now_s)
    with pytest.raises(NotSignedIn):
        door.login("lin", "a wrong password", code)
    assert door.login("lin", GOOD, code)


def test_guessed_codes_are_delayed_like_passwords(door: Door, lin: str) -> None:
    secret, _ = door.second_factor(lin)
    later(door, 9)
    for _ in range(delays.FREE_BY_NAME):
        with pytest.raises(NotSignedIn):
            door.login("lin", code="000000")
    with pytest.raises(Throttled):
        door.login("lin", code=code_at(secret, door.now_s))


@pytest.mark.both_databases
def test_one_code_at_two_doors_lets_in_once(door: Door, lin: str) -> None:
    secret, _ = door.second_factor(lin)
    for _ in range(4):
        later(door)
        code, together, let_in = code_at(secret, door.now_s), threading.Barrier(2), list[str]()

        def enter(code: str, together: threading.Barrier, let_in: list[str]) -> None:
            together.wait()
            with contextlib.suppress(NotSignedIn):
                let_in.append(door.login("lin", code=code))

        threads = [threading.Thread(target=enter, args=(code, together, let_in)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(let_in) == 1


@pytest.mark.both_databases
def test_recovery_codes_let_in_once_each(door: Door, lin: str) -> None:
    _, codes = door.second_factor(lin)
    assert len(set(codes)) == len(codes) == 10
    door.account("wu")
    _, others = door.second_factor(door.account("zhang"))
    assert door.login("lin", code=codes[3])
    with pytest.raises(NotSignedIn):
        door.login("lin", code=codes[3])
    with pytest.raises(NotSignedIn):
        door.login("lin", code=others[3])
    with pytest.raises(NotSignedIn):
        door.login("zhang", code=codes[4])
    shown = "-".join(codes[4][at : at + 5] for at in range(0, 20, 5)).upper()
    assert door.login("lin", code=shown)


def test_removing_it_takes_a_code(door: Door, lin: str) -> None:
    secret, codes = door.second_factor(lin)
    later(door)

    def remove(code: str) -> None:
        service.remove_totp(
            door.engine, SEAL_KEY, door.now_s, Actor(account=lin, address=HERE), lin, code
        )

    with pytest.raises(Refused, match="it stays"):
        remove("000000")
    with pytest.raises(Refused, match="set up already"):
        door.enrol(lin)
    remove(code_at(secret, door.now_s))
    assert door.login("lin")
    with pytest.raises(Refused, match="it stays"):
        remove(codes[0])
    for _ in range(delays.FREE_BY_NAME - 1):
        with pytest.raises(Refused):
            remove("000000")
    with pytest.raises(Throttled):
        remove("000000")
    again, _ = door.second_factor(lin)
    assert again != secret


def test_resetting_it_ends_sessions(door: Door, lin: str) -> None:
    secret, codes = door.second_factor(lin)
    later(door)
    token = door.login("lin", code=code_at(secret, door.now_s))
    with writing(door.engine) as conn:
        service.reset_totp(conn, door.now_s, MACHINE, lin)
    assert not door.lets_in(token)
    assert door.login("lin")
    with reading(door.engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM recovery_codes").scalar_one() == 0
    assert codes


@pytest.mark.both_databases
def test_a_secret_opens_with_its_key_and_in_its_row_alone(door: Door, lin: str) -> None:
    secret, _ = door.second_factor(lin)
    other, _ = door.second_factor(door.account("wu"))
    later(door)
    with (
        writing(door.engine) as conn,
        pytest.raises(Unavailable, match=f"second factor of account {lin} does not open"),
    ):
        totp.use_code(conn, b"x" * 32, door.now_s, MACHINE, lin, code_at(secret, door.now_s))
    with writing(door.engine) as conn:
        conn.exec_driver_sql(
            "UPDATE totps SET sealed = (SELECT t.sealed FROM totps AS t WHERE t.account <> "
            f"'{lin}') WHERE account = '{lin}'"
        )
    with pytest.raises(Unavailable, match="does not open"):
        door.login("lin", code=code_at(other, door.now_s))
