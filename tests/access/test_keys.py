"""API keys: at most what their account has now, within their scopes, until they end."""

from __future__ import annotations

import pytest

from ledger.access import service
from ledger.access.roles import Role
from ledger.db import reading, writing
from ledger.errors import InvalidInput, LedgerError, NotFound, NotSignedIn, Refused
from tests.access.door import OPERATOR, Door


@pytest.fixture
def lin(door: Door) -> str:
    return door.account("lin", ("mill", Role.PREPARER), ("mill", Role.ADMIN))


@pytest.mark.both_databases
def test_a_key_at_work(door: Door, lin: str) -> None:
    token, key = door.key(lin, "mill", Role.PREPARER, scopes=["readings_*", "points_list"])
    assert token.startswith("glk_")
    who = door.caller(token)
    assert (who.account, who.name, who.via, who.key) == (lin, "lin", "key", key)
    assert who.roles == {"mill": {Role.PREPARER}}
    assert who.may_for("readings_submit", "mill")
    assert who.may_for("points_list", "mill")
    assert not who.may_for("readings_submit", "farm")
    assert not who.may("claim_make")
    with reading(door.engine) as conn:
        (listed,) = service.list_api_keys(conn, frozenset({"mill"}))
        assert service.list_api_keys(conn, frozenset({"farm"})) == []
        assert service.list_api_keys(conn, account="0" * 32) == []
    assert listed.key == key
    assert listed.roles == {Role.PREPARER}
    assert token not in repr(listed)


@pytest.mark.parametrize(
    ("party", "role"),
    [
        ("mill", Role.APPROVER),
        ("mill", Role.AUDITOR),
        ("farm", Role.VIEWER),
        ("farm", Role.GATEWAY),
        (OPERATOR, Role.PREPARER),
    ],
)
def test_no_role_beyond_those_of_the_account(party: str, role: Role, door: Door, lin: str) -> None:
    with pytest.raises(Refused, match=f"the account is no {role} of '{party}'"):
        door.key(lin, party, role)


@pytest.mark.parametrize("role", [Role.PREPARER, Role.ADMIN, Role.VIEWER, Role.GATEWAY])
def test_roles_that_are_covered(role: Role, door: Door, lin: str) -> None:
    token, _ = door.key(lin, "mill", role)
    assert door.caller(token).roles == {"mill": {role}}


def test_an_administrator_alone_makes_no_gateway(door: Door) -> None:
    """Readings are a preparer's: a key does nothing that its account may not."""
    wu = door.account("wu", ("mill", Role.ADMIN))
    with pytest.raises(Refused, match="no gateway"):
        door.key(wu, "mill", Role.GATEWAY)


def test_a_park_manager_makes_keys_for_any_party(door: Door) -> None:
    wu = door.account("wu", (OPERATOR, Role.PREPARER))
    token, _ = door.key(wu, "mill", Role.GATEWAY)
    who = door.caller(token)
    assert who.may_for("readings_submit", "mill")
    assert not who.may_for("readings_submit", "farm"), "a key is for one organisation"


@pytest.mark.both_databases
def test_a_key_loses_what_its_account_loses(door: Door, lin: str) -> None:
    token, _ = door.key(lin, "mill", Role.PREPARER, Role.ADMIN, Role.GATEWAY)
    door.revoke(lin, "mill", Role.PREPARER)
    assert door.caller(token).roles == {"mill": {Role.ADMIN}}
    door.revoke(lin, "mill", Role.ADMIN)
    assert door.caller(token).roles == {}
    assert not door.caller(token).may("readings_submit")
    door.grant(lin, "mill", Role.PREPARER)
    assert door.caller(token).roles == {"mill": {Role.PREPARER, Role.GATEWAY}}
    door.disable(lin)
    with pytest.raises(NotSignedIn, match="opens nothing"):
        door.caller(token)


def test_a_key_expires(door: Door, lin: str) -> None:
    token, _ = door.key(lin, "mill", Role.VIEWER, days=1)
    door.now_s += 86_399
    assert door.lets_in(token)
    door.now_s += 1
    with pytest.raises(NotSignedIn, match="has expired"):
        door.caller(token)


@pytest.mark.both_databases
def test_a_key_is_revoked_for_good(door: Door, lin: str) -> None:
    token, key = door.key(lin, "mill", Role.VIEWER)
    other, _ = door.key(lin, "mill", Role.VIEWER)
    door.end_key(key)
    door.end_key(key)
    with pytest.raises(NotSignedIn, match="opens nothing"):
        door.caller(token)
    assert door.lets_in(other)
    with pytest.raises(NotFound, match="no API key"):
        door.end_key("0" * 32)
    with reading(door.engine) as conn:
        made = [one.kind for one in service.list_events(conn, None)]
    assert made.count("api-key.revoke") == 1


@pytest.mark.parametrize("days", [0, -1, 401, 10**9])
def test_the_life_of_a_key_is_bounded(days: int, door: Door, lin: str) -> None:
    with pytest.raises(InvalidInput, match="within 400 days"):
        door.key(lin, "mill", Role.VIEWER, days=days)


@pytest.mark.parametrize("scopes", [[], ["no_such"], ["readings_submit", "zzz*"], ["a,b"], [""]])
def test_scopes_name_operations(scopes: list[str], door: Door, lin: str) -> None:
    with pytest.raises(InvalidInput, match="scope"):
        door.key(lin, "mill", Role.VIEWER, scopes=scopes)


def test_keys_of_nobody(door: Door, lin: str) -> None:
    with pytest.raises(InvalidInput, match="at least one role"):
        door.key(lin, "mill")
    with pytest.raises(NotFound, match="no enabled account"):
        door.key("0" * 32, "mill", Role.VIEWER)
    door.disable(lin)
    with pytest.raises(NotFound, match="no enabled account"):
        door.key(lin, "mill", Role.VIEWER)


@pytest.mark.parametrize("label", ["x" * 101, "two\nlines", "nul\x00", "\ud800"])
def test_unfit_labels(label: str, door: Door, lin: str) -> None:
    with pytest.raises(LedgerError, match="label"), writing(door.engine) as conn:
        service.create_api_key(
            conn,
            door.now_s,
            service.MACHINE,
            account=lin,
            party="mill",
            roles=[Role.VIEWER],
            operator=OPERATOR,
            expires_at_s=door.now_s + 1,
            label=label,
        )


def test_a_use_is_noted(door: Door, lin: str) -> None:
    token, _ = door.key(lin, "mill", Role.VIEWER)
    assert service.needs_touch(door.caller(token), door.now_s)
    with writing(door.engine) as conn:
        service.touch(conn, token, door.now_s)
    assert not service.needs_touch(door.caller(token), door.now_s + 59)
    assert service.needs_touch(door.caller(token), door.now_s + 60)
