"""Who may register, rotate, revoke and endorse; what a party's key can do, and what it can't."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.log.service import Submission
from ledger.parties.store import all_parties
from tests.ledgers import (
    FARM,
    FARM_NEXT,
    GRID,
    MALLORY,
    METER,
    introduce,
    key_members,
    keys_of,
    no_progress,
    operator_key,
    party_statement,
    rows,
    signed,
    statement,
    submit,
)


@pytest.fixture
def park(begun: House) -> House:
    """farm and mallory hold their keys themselves, grid is a verifier."""
    begun.desk.register_party("farm", "Farm", ["generator"])
    begun.desk.register_party("mallory", "Mallory", ["enterprise"])
    begun.desk.register_party("grid", "Grid", ["verifier"])
    for party, key in (("farm", FARM), ("mallory", MALLORY), ("grid", GRID)):
        introduce(begun, party, key)
    return begun


def refused(house: House, content: dict[str, Any], *keys: SigningKey, why: str) -> None:
    """Refused for the reason given, and nothing was stored."""
    before = rows(house, "SELECT count(*), max(entry_index) FROM entries")
    with pytest.raises((Refused, InvalidInput), match=why):
        submit(house, content, *keys)
    assert rows(house, "SELECT count(*), max(entry_index) FROM entries") == before


def register_key(author: str, party: str, key: SigningKey, **changes: str) -> dict[str, Any]:
    return statement("key.register", author, **key_members(party, key, **changes))


# Organisations


def test_registration_and_its_successor(begun: House) -> None:
    first = begun.desk.register_party("farm", "Farm", ["generator", "enterprise", "generator"])
    assert first.entry.statement["roles"] == ["enterprise", "generator"]
    assert first.entry.statement["replaces"] == ""
    second = begun.desk.register_party("farm", "Farm 2", ["generator"])
    assert second.entry.statement["replaces"] == first.entry.id
    with reading(begun.engine) as conn:
        known = {party.party: party for party in all_parties(conn, 1)}
    assert (known["farm"].name, known["farm"].roles) == (
        "Farm 2",
        frozenset({"generator"}),
    )
    assert known["operator"].roles == {"park-operator"}


def test_compare_and_set(begun: House) -> None:
    key = operator_key(begun)
    first = submit(begun, party_statement("farm"), key).entry
    refused(begun, party_statement("farm"), key, why="replaces is ''")
    refused(begun, party_statement("mill", replaces="0" * 32), key, why="in force is ''")
    second = submit(begun, party_statement("farm", replaces=first.id), key).entry
    refused(begun, party_statement("farm", replaces=first.id), key, why=f"'{second.id}'")


def test_only_the_operator_registers(park: House) -> None:
    content = {**party_statement("ring"), "author": "mallory"}
    refused(park, content, MALLORY, why="party.register is the operator's")
    refused(park, party_statement("ring"), MALLORY, why="no registered key of the author")


def test_the_operators_role_is_the_operators(begun: House) -> None:
    key = operator_key(begun)
    content = party_statement("farm", roles=["park-operator"])
    refused(begun, content, key, why="park-operator belongs to 'operator' alone")
    ((genesis,),) = rows(begun, "SELECT id FROM parties")
    content = party_statement("operator", roles=["enterprise"], replaces=genesis)
    refused(begun, content, key, why="park-operator belongs to 'operator' alone")


# Keys


def test_proof_of_possession(begun: House) -> None:
    """A key that did not sign its own registration is nobody's."""
    begun.desk.register_party("farm", "Farm", ["generator"])
    key, content = operator_key(begun), register_key("operator", "farm", FARM)
    refused(begun, content, key, why="takes exactly")
    refused(begun, content, key, MALLORY, why="takes exactly")
    refused(begun, content, FARM, key, why="no registered key of the author")
    refused(begun, content, FARM, FARM, why="no registered key of the author")
    text, other = signed(content, key, FARM), signed({**content, "device": "meter"}, key, FARM)
    proof = other.splitlines(keepends=True)[-1]
    mixed = b"".join(text.splitlines(keepends=True)[:-1]) + proof
    with pytest.raises(InvalidInput, match=f"signature of {FARM.name}.*does not verify"):
        begun.desk.writer.append(Submission(data=mixed))
    assert keys_of(begun, "farm") == []


def test_a_key_is_registered_once_and_for_one_party(park: House) -> None:
    key = operator_key(park)
    refused(park, register_key("operator", "farm", FARM), key, FARM, why="is registered already")
    theirs = SigningKey(name=MALLORY.name, private_key=FARM.private_key)
    content = register_key("operator", "mallory", theirs)
    refused(park, content, key, theirs, why="UNIQUE|refused")


def test_a_key_is_named_after_its_party(park: House) -> None:
    content = register_key("operator", "farm", MALLORY)
    refused(park, content, operator_key(park), MALLORY, why="it should be '.*/farm'")


def test_a_key_needs_its_party(begun: House) -> None:
    content = register_key("operator", "farm", FARM)
    refused(begun, content, operator_key(begun), FARM, why="'farm' is not registered")


def test_nobody_registers_a_key_for_another(park: House) -> None:
    content = register_key("mallory", "farm", METER)
    refused(park, content, MALLORY, METER, why="registered by itself or the operator")


@pytest.mark.parametrize(
    ("member", "value"), [("custody", "nobody"), ("device", "phone"), ("replaces", "0")]
)
def test_words_of_a_key(park: House, member: str, value: str) -> None:
    content = register_key("operator", "farm", METER, **{member: value})
    refused(park, content, operator_key(park), METER, why=f"member '{member}'")


def test_custody_and_device_are_kept(park: House) -> None:
    introduce(park, "farm", METER, device="meter")
    park.desk.create_key("farm", device="gateway")
    found = [(key.custody, key.device) for key in keys_of(park, "farm")]
    assert found == [("owner", "none"), ("owner", "meter"), ("operator", "gateway")]


def test_the_server_signs_only_for_those_whose_keys_it_holds(park: House) -> None:
    with pytest.raises(NotFound, match="the server holds no key of 'farm'"):
        park.desk.rotate_key("farm")
    park.desk.register_party("mill", "Mill", ["enterprise"])
    with pytest.raises(Refused, match="'mill' has no key in force"):
        park.desk.rotate_key("mill")


# Rotation and revocation


def test_rotation_leaves_no_gap(park: House) -> None:
    """The next entry is signed by the new key; the old one signs nothing from there on."""
    replaces = FARM.verify_key.key_id.hex()
    content = register_key("farm", "farm", FARM_NEXT, replaces=replaces)
    rotation = submit(park, content, FARM, FARM_NEXT)
    old, new = keys_of(park, "farm")
    assert (old.ended_index, old.end_reason) == (rotation.index, "replaced")
    assert (new.entry_index, new.ended_index) == (rotation.index, None)
    refused(park, register_key("farm", "farm", METER), FARM, METER, why="ended with entry")
    submit(park, register_key("farm", "farm", METER), FARM_NEXT, METER)


def test_a_new_key_signs_nothing_before_its_registration(park: House) -> None:
    refused(park, register_key("farm", "farm", METER), FARM_NEXT, METER, why="no registered key")


def test_rotation_is_signed_by_the_key_that_goes(park: House) -> None:
    submit(park, register_key("farm", "farm", METER), FARM, METER)
    gone = FARM.verify_key.key_id.hex()
    content = register_key("farm", "farm", FARM_NEXT, replaces=gone)
    refused(park, content, METER, FARM_NEXT, why="signed by the key that it replaces")
    unknown = register_key("farm", "farm", FARM_NEXT, replaces="00000000")
    refused(park, unknown, FARM, FARM_NEXT, why="00000000")


def test_an_ended_key_is_not_replaced_again(park: House) -> None:
    replaces = FARM.verify_key.key_id.hex()
    submit(park, register_key("farm", "farm", FARM_NEXT, replaces=replaces), FARM, FARM_NEXT)
    content = register_key("operator", "farm", METER, replaces=replaces)
    refused(park, content, operator_key(park), METER, why=f"key {replaces} .* ended")


def test_an_ended_key_does_not_come_back(park: House) -> None:
    park.desk.revoke_key(keys_of(park, "farm")[0], "lost")
    refused(
        park, register_key("operator", "farm", FARM), operator_key(park), FARM, why="registered"
    )


def test_revocation_by_the_operator_and_by_oneself(park: House) -> None:
    (key,) = keys_of(park, "farm")
    receipt = park.desk.revoke_key(key, "lost")
    assert keys_of(park, "farm")[0].ended_index == receipt.index
    members: dict[str, Any] = {"party": "farm", "vkey": FARM.verify_key.vkey, "reason": "again"}
    refused(
        park, statement("key.revoke", "operator", **members), operator_key(park), why="ended with"
    )
    mine: dict[str, Any] = {
        "party": "mallory",
        "vkey": MALLORY.verify_key.vkey,
        "reason": "I lost it",
    }
    submit(park, statement("key.revoke", "mallory", **mine), MALLORY)
    fresh = SigningKey.from_seed(MALLORY.name, b"\x09" * 32)
    refused(park, register_key("mallory", "mallory", fresh), MALLORY, fresh, why="ended with")


def test_nobody_revokes_the_key_of_another(park: House) -> None:
    members: dict[str, Any] = {"party": "farm", "vkey": FARM.verify_key.vkey, "reason": "spite"}
    content = statement("key.revoke", "mallory", **members)
    refused(park, content, MALLORY, why="revoked by itself or the operator")


def test_the_operator_keeps_a_key_that_signs_ticks(begun: House) -> None:
    (only,) = keys_of(begun, "operator")
    with pytest.raises(Refused, match="nobody could sign ticks"):
        begun.desk.revoke_key(only, "tidy")
    begun.desk.rotate_key("operator")
    (old, new) = keys_of(begun, "operator")
    assert (old.end_reason, new.ended_index) == ("replaced", None)
    begun.desk.register_party("farm", "Farm", ["generator"])
    ((tick,),) = rows(begun, "SELECT data FROM entries WHERE type = 'tick' ORDER BY 1 DESC LIMIT 1")
    assert tick
    begun.checkpoint()
    begun.audit(no_progress)


def test_a_key_that_the_server_does_not_hold_signs_no_ticks(begun: House) -> None:
    """So it is no reason to let the last one go that the server holds: nobody could append."""
    own = SigningKey.from_seed(f"{begun.log.origin}/operator", b"\x05" * 32)
    introduce(begun, "operator", own)
    (held, _) = keys_of(begun, "operator")
    with pytest.raises(Refused, match="nobody could sign ticks"):
        begun.desk.revoke_key(held, "tidy")
    members = key_members("operator", SigningKey.from_seed(own.name, b"\x06" * 32))
    content = statement(
        "key.register", "operator", **{**members, "replaces": held.key.key_id.hex()}
    )
    key = operator_key(begun)
    refused(begun, content, key, SigningKey.from_seed(own.name, b"\x06" * 32), why="sign ticks")
    begun.desk.register_party("farm", "Farm", ["generator"])


# Endorsements


def endorsement(author: str, **changes: str) -> dict[str, Any]:
    members: dict[str, Any] = {
        "party": "farm",
        "vkey": FARM.verify_key.vkey,
        "claim": "Seen on site",
    }
    return statement("key.endorse", author, **(members | changes))


def test_endorsement_by_those_who_may(park: House) -> None:
    submit(park, endorsement("grid"), GRID)
    submit(park, endorsement("operator"), operator_key(park))
    assert rows(park, "SELECT endorser FROM endorsements ORDER BY entry_index") == [
        ("grid",),
        ("operator",),
    ]
    refused(park, endorsement("mallory"), MALLORY, why="none of the roles")
    refused(park, endorsement("farm"), FARM, why="none of the roles")


def test_an_endorser_that_lost_its_role(park: House) -> None:
    park.desk.register_party("grid", "Grid", ["enterprise"])
    refused(park, endorsement("grid"), GRID, why="none of the roles")


def test_endorsing_what_is_not_there(park: House) -> None:
    unknown = endorsement("grid", vkey=FARM_NEXT.verify_key.vkey)
    refused(park, unknown, GRID, why="no registered key")
    refused(park, endorsement("grid", party="mallory"), GRID, why="it should be")
    refused(park, endorsement("grid", claim=""), GRID, why="1–500 characters")
    park.desk.revoke_key(keys_of(park, "farm")[0], "lost")
    refused(park, endorsement("grid"), GRID, why="ended with")


# What a thief of a party's key can't do


def test_a_stolen_key_is_worth_its_party_alone(park: House) -> None:
    """mallory's key, as each other author, on each type that has no body."""
    contents = [
        party_statement("ring"),
        register_key("operator", "mallory", METER),
        endorsement("grid"),
        statement("key.revoke", "farm", party="farm", vkey=FARM.verify_key.vkey, reason="spite"),
        register_key("farm", "farm", FARM_NEXT),
        statement("tick", "operator"),
    ]
    before = rows(park, "SELECT count(*) FROM entries")
    for content in contents:
        for keys in ((MALLORY,), (MALLORY, FARM_NEXT), (MALLORY, METER)):
            with pytest.raises(LedgerError):
                submit(park, content, *keys)
    renamed = SigningKey(name=FARM.name, private_key=MALLORY.private_key)
    for content in contents:
        with pytest.raises(LedgerError):
            submit(park, content, renamed)
    assert rows(park, "SELECT count(*) FROM entries") == before


def test_all_of_it_stands_in_an_audit(park: House) -> None:
    submit(park, endorsement("grid"), GRID)
    replaces = FARM.verify_key.key_id.hex()
    submit(park, register_key("farm", "farm", FARM_NEXT, replaces=replaces), FARM, FARM_NEXT)
    park.desk.revoke_key(keys_of(park, "mallory")[0], "caught")
    park.checkpoint()
    park.audit(no_progress)
