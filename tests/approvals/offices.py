"""Parties with officers, whose keys tests hold, and an act that can't be undone to try them on.

The act is the simplest one: to end four eyes.
"""

from __future__ import annotations

import hashlib
from typing import Any

from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.rules import apply
from greenledger_verify.state import State
from ledger.approvals import officers
from ledger.approvals.store import Known, Person
from ledger.house import House
from ledger.log.notes import SigningKey
from tests.ledgers import ORIGIN, held_key, introduce, rows, statement

MILL, SHOP = held_key("mill"), held_key("shop")
ANN, BOB, CLEO = (Person(officer=bytes([n]) * 16, account=f"account-{n}") for n in (1, 2, 3))
SHOP_ANN, SHOP_BOB = (Person(officer=bytes([n]) * 16) for n in (11, 12))


def officer_key(party: str, person: Person) -> SigningKey:
    seed = hashlib.sha256(b"officer" + person.officer).digest()
    return SigningKey.from_seed(f"{ORIGIN}/{party}.{person.officer.hex()}", seed)


def add_officer(house: House, party: str, person: Person, key: SigningKey) -> None:
    own = officer_key(party, person)
    known = Known(account=person.account, label="Somebody")
    officers.add(house.desk, party, known, officer=person.officer, own=own, key=key)


def found_office(house: House) -> None:
    for party, key, people in (
        ("mill", MILL, (ANN, BOB, CLEO)),
        ("shop", SHOP, (SHOP_ANN, SHOP_BOB)),
    ):
        house.desk.register_party(party, party, ["enterprise"])
        introduce(house, party, key)
        for person in people:
            add_officer(house, party, person, key)
    officers.set_rule(house.desk, "mill", "four-eyes", "two people", key=MILL)


def ending(author: str = "mill") -> dict[str, Any]:
    return statement("party.approval", author, rule="none", reason="because")


def verdict(house: House, entry: bytes) -> str:
    """Why the verifier refuses `entry` where it follows what the log holds; `""`: it does not."""
    state = State(origin=ORIGIN, complete=True)
    found = rows(house, "SELECT data FROM entries ORDER BY entry_index")
    for index, (data,) in enumerate(found):
        apply(state, parse_entry(bytes(data)), index)
    try:
        apply(state, parse_entry(entry), len(found))
    except VerificationError as error:
        return str(error)
    return ""
