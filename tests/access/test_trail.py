"""What was done stands in a trail that nobody changes; no secret stands anywhere."""

from __future__ import annotations

import pytest

from ledger.access import service
from ledger.access.roles import Role
from ledger.access.service import Actor
from ledger.db import reading, writing
from ledger.errors import NotSignedIn, Refused
from ledger.house import House
from tests.access.door import GOOD, HERE, OPERATOR, SEAL_KEY, Door, code_at
from tests.ledgers import dump, no_progress, rows


def kinds(door: Door, parties: frozenset[str] | None = None) -> list[str]:
    with reading(door.engine) as conn:
        return [one.kind for one in service.list_events(conn, parties)][::-1]


@pytest.mark.both_databases
def test_the_trail(door: Door) -> None:
    lin = door.account("lin", (OPERATOR, Role.ADMIN), ("mill", Role.VIEWER))
    door.grant(lin, "mill", Role.VIEWER)
    with pytest.raises(NotSignedIn):
        door.login("lin", "a wrong password")
    token = door.login("lin")
    _, codes = door.second_factor(lin)
    door.login("lin", code=codes[0])
    _, key = door.key(lin, "mill", Role.VIEWER, actor=Actor(account=lin, address=HERE))
    door.end_key(key)
    door.revoke(lin, "mill", Role.VIEWER)
    with writing(door.engine) as conn:
        service.logout(conn, door.now_s, HERE, token)
    assert kinds(door) == [
        "account.create",
        "membership.grant",
        "membership.grant",
        "login.fail",
        "login",
        "totp.enrol",
        "totp.confirm",
        "totp.recovery",
        "login",
        "api-key.create",
        "api-key.revoke",
        "membership.revoke",
        "logout",
    ]
    with reading(door.engine) as conn:
        found = service.list_events(conn, None)[::-1]
    failed, made = found[3], found[9]
    assert (failed.account, failed.actor) == (lin, Actor(address=HERE))
    assert (made.actor.account, made.actor.address, made.key) == (lin, HERE, key)
    assert (made.party, made.role, made.at_s) == ("mill", "viewer", door.now_s)


def test_a_party_sees_its_own_and_its_members(door: Door) -> None:
    door.account("lin", ("mill", Role.VIEWER))
    door.account("wu", ("farm", Role.VIEWER))
    door.login("lin")
    assert kinds(door, frozenset({"mill"})) == ["account.create", "membership.grant", "login"]
    assert kinds(door, frozenset({"farm"})) == ["account.create", "membership.grant"]
    assert kinds(door, frozenset()) == []


@pytest.mark.both_databases
def test_pages(door: Door) -> None:
    for number in range(5):
        door.account(f"lin-{number}", password="")
    with reading(door.engine) as conn:
        whole = service.list_events(conn, None)
        first = service.list_events(conn, None, limit=2)
        second = service.list_events(conn, None, before=first[-1].number, limit=2)
    assert [*first, *second] == list(whole[:4])
    assert [one.number for one in whole] == sorted((one.number for one in whole), reverse=True)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "statement", ["UPDATE access_events SET kind = 'x'", "DELETE FROM access_events"]
)
def test_rows_never_change(statement: str, door: Door) -> None:
    door.account("lin")
    with pytest.raises(Refused, match="append-only"), writing(door.engine) as conn:
        conn.exec_driver_sql(statement)
    assert kinds(door) == ["account.create"]


@pytest.mark.both_databases
def test_no_secret_is_stored_in_clear(door: Door, begun: House) -> None:
    """In no row, and in no file of the data directory: SQLite's log, or what stands beside it."""
    lin = door.account("lin", ("mill", Role.PREPARER))
    typed = "my password in the wrong box"
    with pytest.raises(NotSignedIn):
        door.login(typed, "a wrong password")
    with pytest.raises(NotSignedIn):
        door.login("lin", "a wrong password")
    secret, codes = door.second_factor(lin)
    door.now_s += 30
    session = door.login("lin", code=code_at(secret, door.now_s))
    key, _ = door.key(lin, "mill", Role.PREPARER)
    other = door.enrol(door.account("wu"))
    words = [GOOD, typed, "a wrong password", secret, other, *codes]
    words += [token for whole in (session, key) for token in (whole, whole[4:])]
    files = [path for path in begun.settings.dir.rglob("*") if path.is_file()]
    stored = b"".join(path.read_bytes() for path in files)
    for row in (row for table in dump(begun.settings.dir).values() for row in table):
        stored += b"".join(value for value in row if isinstance(value, bytes))
        stored += "".join(value for value in row if isinstance(value, str)).encode()
    assert b"$argon2id$" in stored
    assert lin.encode() in stored
    for word in words:
        assert word.encode() not in stored, word
    assert SEAL_KEY not in stored


def test_the_audit_leaves_accounts_alone(door: Door, begun: House) -> None:
    """They are no projection of the log, which names no person."""
    door.account("lin.wu@park.example", (OPERATOR, Role.ADMIN))
    door.login("lin.wu@park.example")
    begun.desk.register_party("mill", "Mill", ["enterprise"])
    begun.checkpoint()
    assert begun.audit(no_progress).entries == 3
    assert kinds(door) == ["account.create", "membership.grant", "login"]
    assert not any(b"lin.wu" in data for (data,) in rows(begun, "SELECT data FROM entries"))
