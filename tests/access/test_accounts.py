"""Accounts and their roles: who is there, what is refused, and that somebody stays in charge."""

from __future__ import annotations

import threading

import pytest

from ledger.access import service
from ledger.access.roles import Role
from ledger.access.service import MACHINE
from ledger.db import reading, writing
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from tests.access.door import GOOD, OPERATOR, Door

LAST = "last account that administers operator"


@pytest.mark.parametrize(
    "name", ["", "-lin", "Lin", "lin wu", "lin\n", "林", "a" * 65, "lin\x00", ".x", "li\ud800n"]
)
def test_unfit_names(name: str, door: Door) -> None:
    with pytest.raises(InvalidInput, match="account name"):
        door.account(name)


@pytest.mark.parametrize("name", ["l", "lin.wu@park.example", "7", "a" * 64, "erp+mill_1-x"])
def test_fit_names(name: str, door: Door) -> None:
    made = door.account(name)
    with reading(door.engine) as conn:
        found = service.account_named(conn, name)
        assert found == service.account_of(conn, made)
    assert (found.name, found.has_password, found.has_totp) == (name, True, False)


def test_a_name_is_taken_once(door: Door) -> None:
    first = door.account("lin")
    with pytest.raises(Refused, match="named 'lin' already"):
        door.account("lin")
    with reading(door.engine) as conn:
        assert [one.account for one in service.list_accounts(conn)] == [first]


def test_ids_are_random(door: Door) -> None:
    made = [door.account(f"lin-{number}", password="") for number in range(5)]
    assert len(set(made)) == 5
    assert all(len(one) == 32 and "lin" not in one for one in made)


@pytest.mark.parametrize(
    ("password", "length"), [("short", 5), ("elevenchars", 11), ("x" * 257, 257), ("ﬃ" * 3, 9)]
)
def test_unfit_passwords(password: str, length: int, door: Door) -> None:
    with pytest.raises(InvalidInput, match=f"12 to 256 characters, this one has {length}") as said:
        door.account("lin", password=password)
    assert password not in str(said.value)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "password", ["twelve chars", "x" * 256, "密码密码密码密码密码密码", "a\ud800" * 6]
)
def test_any_text_of_some_length_is_a_password(password: str, door: Door) -> None:
    door.account("lin", password=password)
    assert door.lets_in(door.login("lin", password))


def test_a_password_in_two_forms_of_unicode_is_one(door: Door) -> None:
    door.account("lin", password="Åse og Bjørn 1")
    assert door.login("lin", "A\u030ase og Bjørn 1")


@pytest.mark.both_databases
def test_members_of_a_party_are_seen_with_their_roles_there(door: Door) -> None:
    door.account("lin", ("mill", Role.VIEWER), ("farm", Role.ADMIN))
    door.account("wu", ("farm", Role.PREPARER))
    door.account("zhang")
    with reading(door.engine) as conn:
        of_mill = service.list_accounts(conn, frozenset({"mill"}))
        of_both = service.list_accounts(conn, frozenset({"farm", "mill"}))
        assert service.list_accounts(conn, frozenset()) == []
        assert [one.name for one in service.list_accounts(conn)] == ["lin", "wu", "zhang"]
    assert [one.name for one in of_mill] == ["lin"]
    assert of_mill[0].roles == {"mill": {Role.VIEWER}}
    assert [(one.name, len(one.roles)) for one in of_both] == [("lin", 2), ("wu", 1)]


def test_roles_that_no_member_has(door: Door) -> None:
    lin = door.account("lin")
    with pytest.raises(InvalidInput, match="gateway is for API keys only"):
        door.grant(lin, "mill", Role.GATEWAY)
    with pytest.raises(InvalidInput, match="auditor is a member of the operator's organisation"):
        door.grant(lin, "mill", Role.AUDITOR)
    door.grant(lin, OPERATOR, Role.AUDITOR)
    with pytest.raises(NotFound, match="no account"):
        door.grant("0" * 32, "mill", Role.VIEWER)
    with pytest.raises(NotFound, match="no viewer of 'mill'"):
        door.revoke(lin, "mill", Role.VIEWER)


@pytest.mark.both_databases
def test_the_database_knows_the_roles_too(door: Door) -> None:
    lin = door.account("lin")
    with pytest.raises(Refused, match="the database refused it"), writing(door.engine) as conn:
        conn.exec_driver_sql(
            "INSERT INTO memberships (account, party, role, granted_at_s)"
            f" VALUES ('{lin}', 'mill', 'gateway', 0)"
        )


@pytest.mark.both_databases
def test_the_last_administrator_stays(door: Door) -> None:
    lin = door.account("lin", (OPERATOR, Role.ADMIN), (OPERATOR, Role.VIEWER))
    door.account("wu", ("mill", Role.ADMIN))
    with pytest.raises(Refused, match=LAST):
        door.revoke(lin, OPERATOR, Role.ADMIN)
    with pytest.raises(Refused, match=LAST):
        door.disable(lin)
    door.revoke(lin, OPERATOR, Role.VIEWER)
    zhang = door.account("zhang", (OPERATOR, Role.ADMIN))
    door.disable(lin)
    with pytest.raises(Refused, match=LAST):
        door.disable(zhang)
    door.enable(lin)
    door.revoke(zhang, OPERATOR, Role.ADMIN)
    with pytest.raises(Refused, match=LAST):
        door.revoke(lin, OPERATOR, Role.ADMIN)


@pytest.mark.both_databases
def test_two_administrators_do_not_remove_each_other(door: Door) -> None:
    """At the same time, each on a connection of its own."""
    both = [door.account(name, (OPERATOR, Role.ADMIN), password="") for name in ("lin", "wu")]
    together, removed, said = threading.Barrier(2), list[str](), list[str]()

    def remove(account: str) -> None:
        together.wait()
        try:
            door.disable(account)
            removed.append(account)
        except LedgerError as error:
            said.append(str(error))

    for _ in range(5):
        threads = [threading.Thread(target=remove, args=(account,)) for account in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(removed) == 1
        assert LAST in said.pop()
        door.enable(removed.pop())


@pytest.mark.both_databases
def test_identities(door: Door) -> None:
    lin, wu = door.account("lin"), door.account("wu", password="")
    with writing(door.engine) as conn:
        service.link_identity(conn, door.now_s, MACHINE, lin, "https://id.example", "lin-7")
        service.link_identity(conn, door.now_s, MACHINE, lin, "https://id.example", "lin-7")
        with pytest.raises(Refused, match="linked to another account"):
            service.link_identity(conn, door.now_s, MACHINE, wu, "https://id.example", "lin-7")
        for issuer, subject in (("", "x"), ("https://id.example", ""), ("é", "x"), ("x", "a\x00")):
            with pytest.raises(InvalidInput, match="printable ASCII"):
                service.link_identity(conn, door.now_s, MACHINE, wu, issuer, subject)
        with pytest.raises(NotFound, match="not linked"):
            service.unlink_identity(conn, door.now_s, MACHINE, wu, "https://id.example", "lin-7")
        found = service.account_of(conn, lin)
    assert list(found.identities) == [("https://id.example", "lin-7")]


def test_a_new_password_ends_sessions(door: Door) -> None:
    lin = door.account("lin")
    door.account("wu")
    mine, other = door.login("lin"), door.login("wu")
    hashed = door.passwords.hash("another good password")
    with writing(door.engine) as conn:
        service.set_password(conn, door.now_s, MACHINE, lin, hashed)
    assert (door.lets_in(mine), door.lets_in(other)) == (False, True)
    with pytest.raises(Refused, match="wrong"):
        door.login("lin", GOOD)
    assert door.login("lin", "another good password")
