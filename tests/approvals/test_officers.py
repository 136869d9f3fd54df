"""Who may be an officer, and which two sign: ledger and verifier say the same of each entry."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import InvalidInput, Refused
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.log.service import Submission
from tests.approvals.offices import (
    ANN,
    BOB,
    CLEO,
    MILL,
    SHOP,
    SHOP_ANN,
    SHOP_BOB,
    ending,
    officer_key,
    verdict,
)
from tests.ledgers import (
    ORIGIN,
    in_memory,
    introduce,
    keys_of,
    no_progress,
    operator_key,
    raw,
    rows,
    signed,
    statement,
    submit,
)
from tests.raw import REFUSED

A, B, C = (officer_key("mill", one) for one in (ANN, BOB, CLEO))
NEW = SigningKey.from_seed(f"{ORIGIN}/mill.{'09' * 16}", b"9" * 32)


def registering(author: str, key: SigningKey, **changes: Any) -> dict[str, Any]:
    members = {
        "officer": key.name[-32:],
        "vkey": key.verify_key.vkey,
        "custody": "owner",
    }
    return statement("officer.register", author, **(members | changes))


def taken(house: House, content: dict[str, Any], *keys: SigningKey) -> None:
    assert verdict(house, signed(content, *keys)) == ""
    submit(house, content, *keys)


def refused(house: House, why: str, content: dict[str, Any], *keys: SigningKey) -> None:
    """By the ledger for this reason, and nothing is stored; by the verifier too."""
    data, before = signed(content, *keys), rows(house, "SELECT count(*) FROM entries")
    with pytest.raises((Refused, InvalidInput), match=why):
        house.desk.writer.append(Submission(data=data))
    assert verdict(house, data)
    assert rows(house, "SELECT count(*) FROM entries") == before


def test_two_officers_sign_what_cant_be_undone(office: House) -> None:
    taken(office, ending(), MILL, A, B)
    # By its own key alone again, as everybody without four eyes.
    again = statement("party.approval", "mill", rule="four-eyes", reason="two people")
    taken(office, again, MILL)
    taken(office, ending(), MILL, C, A)
    assert office.audit(no_progress).entries == rows(office, "SELECT count(*) FROM entries")[0][0]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ((MILL,), "acts with four eyes since entry"),
        ((MILL, A), "signed by 1"),
        ((MILL, A, B, C), "signed by 3"),
        ((MILL, A, A), "does not approve it"),
        ((A, B, MILL), "no registered key of the author"),
        ((MILL, MILL, A), "no officer of 'mill'"),
        ((MILL, A, MILL), "no officer of 'mill'"),
        ((MILL, A, officer_key("shop", SHOP_ANN)), "no officer of 'mill'"),
        ((MILL, A, officer_key("mill", SHOP_ANN)), "is not that of officer"),
        ((MILL, A, NEW), "is not registered"),
        ((SHOP, A, B), "no registered key of the author"),
    ],
)
def test_nobody_else_will_do(office: House, keys: tuple[SigningKey, ...], why: str) -> None:
    # An officer of the shop, under a name of the mill, is another id's key.
    refused(office, why, ending(), *keys)


def test_a_good_name_over_a_bad_signature(office: House) -> None:
    data = signed(ending(), MILL, A, B)
    other = signed(ending(), MILL, A, B)
    mixed = data.rpartition("\n—".encode())[0] + b"\n" + other.splitlines(keepends=True)[-1]
    with pytest.raises(InvalidInput, match="does not verify"):
        office.desk.writer.append(Submission(data=mixed))
    assert verdict(office, mixed)


def test_an_ended_officer_signs_nothing(office: House) -> None:
    gone = ANN.officer.hex()
    taken(office, statement("officer.end", "mill", officer=gone, reason="left"), MILL)
    refused(office, "ended with entry", ending(), MILL, A, B)
    refused(office, "ended with entry", ending(), MILL, B, A)
    again = statement("officer.end", "mill", officer=gone, reason="left")
    refused(office, "ended with entry", again, MILL)
    # Down to one, by the operator: nothing that can't be undone, until a new one is there.
    last = statement("officer.end", "operator", officer=BOB.officer.hex(), reason="stolen")
    taken(office, last, operator_key(office))
    refused(office, "signed by 1", ending(), MILL, C)
    taken(office, registering("mill", NEW), MILL, NEW)
    taken(office, ending(), MILL, C, NEW)


def test_without_four_eyes_nobody_signs_along(office: House) -> None:
    a, b = officer_key("shop", SHOP_ANN), officer_key("shop", SHOP_BOB)
    on = statement("party.approval", "shop", rule="four-eyes", reason="two")
    refused(office, "it takes exactly", on, SHOP, a, b)
    refused(office, "is none already", ending("shop"), SHOP)
    # What can be undone takes no officers, not even under four eyes.
    more = registering("mill", NEW)
    refused(office, "it takes exactly", more, MILL, NEW, A, B)


def test_four_eyes_need_two_officers(office: House) -> None:
    office.desk.register_party("kiosk", "Kiosk", ["enterprise"])
    office.desk.create_key("kiosk")
    key = in_memory(office.desk.keystore.get(keys_of(office, "kiosk")[0].key))
    on = statement("party.approval", "kiosk", rule="four-eyes", reason="two")
    refused(office, "has 0 officers in force", on, key)
    one = SigningKey.from_seed(f"{ORIGIN}/kiosk.{'0d' * 16}", b"a" * 32)
    taken(office, registering("kiosk", one), key, one)
    refused(office, "has 1 officers in force", on, key)
    two = SigningKey.from_seed(f"{ORIGIN}/kiosk.{'0e' * 16}", b"b" * 32)
    taken(office, registering("kiosk", two), key, two)
    taken(office, on, key)
    refused(office, "four-eyes already", on | {"id": "ab" * 16}, key)


def test_an_officer_has_an_id_and_a_key_of_its_own(office: House) -> None:
    refused(office, "registered already", registering("mill", A), MILL, A)
    same_key = SigningKey(name=NEW.name, private_key=B.private_key)
    refused(office, "officer's already", registering("mill", same_key), MILL, same_key)
    partys = SigningKey(name=NEW.name, private_key=SHOP.private_key)
    refused(office, "registered already, as one of", registering("mill", partys), MILL, partys)
    other = SigningKey.from_seed(f"{ORIGIN}/mill.{'09' * 15}08", b"9" * 32)
    named = registering("mill", NEW, vkey=other.verify_key.vkey)
    refused(office, "it should be", named, MILL, other)
    refused(office, "takes exactly", registering("mill", NEW), MILL)
    refused(office, "takes exactly", registering("mill", NEW), MILL, A)
    refused(office, "no registered key of the author", registering("mill", NEW), SHOP, NEW)
    taken(office, registering("mill", NEW), MILL, NEW)


def test_no_party_signs_with_an_officers_key(office: House) -> None:
    stolen = SigningKey(name=f"{ORIGIN}/shop", private_key=A.private_key)
    with pytest.raises(Refused, match="that of an officer"):
        introduce(office, "shop", stolen)


def test_officers_are_ended_by_their_own(office: House) -> None:
    ending_ann = statement("officer.end", "shop", officer=ANN.officer.hex(), reason="rival")
    refused(office, "is ended by it or the operator", ending_ann, SHOP)
    nobody = statement("officer.end", "mill", officer="ee" * 16, reason="who?")
    refused(office, "is not registered", nobody, MILL)


@pytest.mark.both_databases
def test_the_database_keeps_it_too(office: House) -> None:
    """Behind the back of the ledger: rules in turn, ids and keys once, nothing changed."""
    connection = raw(office)
    ann = connection.row("officers")
    rule = connection.row("approval_rules")
    end = {"log_id": 1, "officer": ann["officer"], "entry_index": 9, "reason": "x"}
    connection.insert("officer_ends", end)
    for table, row, why in (
        ("approval_rules", rule | {"number": 1}, "turns"),
        ("approval_rules", rule, "(?i)unique"),
        ("officer_ends", end, "(?i)unique"),
        ("officers", ann | {"officer": b"x" * 16}, "(?i)unique"),
        ("officers", ann | {"public_key": b"x" * 32}, "(?i)unique"),
        (
            "officers",
            ann | {"officer": b"x" * 16, "public_key": b"x" * 32, "custody": "me"},
            "cust",
        ),
    ):
        with pytest.raises(REFUSED, match=why):
            connection.insert(table, row)
    for sql in ("UPDATE officers SET party = 'shop'", "DELETE FROM approval_rules"):
        with pytest.raises(REFUSED, match="append-only"):
            connection.execute(sql)
    connection.close()
