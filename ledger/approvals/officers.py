"""Naming and ending officers, and switching four eyes on: what a party's own key signs.

Who an officer is stands in a table of the service; the log has a random id.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.approvals import store
from ledger.approvals.store import Known
from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log.notes import SigningKey, VerifyKey
from ledger.log.service import Receipt
from ledger.parties import officer_store, officers
from ledger.parties.desk import Desk, Draft
from ledger.parties.officer_store import Approval, Officer, officer_key_name

OFFICER_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """An officer just registered."""

    officer: bytes
    key: VerifyKey
    receipt: Receipt


def fresh_officer() -> bytes:
    return secrets.token_bytes(OFFICER_BYTES)


def add(
    desk: Desk,
    party: str,
    known: Known,
    *,
    officer: bytes | None = None,
    own: SigningKey | None = None,
    key: SigningKey | None = None,
) -> Added:
    """Register an officer of `party`; `known` is kept by the service alone.

    The server makes and holds the officer's key, unless it is `own`, named for the id `officer`,
    which proves possession only. `key` signs where the party holds its own.
    """
    officer = officer or fresh_officer()
    name = officer_key_name(desk.log.origin, party, officer)
    signing = own or desk.keystore.create(name)
    draft = Draft(
        type=officers.REGISTER,
        author=party,
        members={
            "officer": officer.hex(),
            "vkey": signing.verify_key.vkey,
            "custody": "operator" if own is None else "owner",
        },
    )
    log_id = desk.log.log_id
    also = desk.also(lambda conn, _receipts: store.save_person(conn, log_id, officer, known))
    receipt = also.writer.append(desk.sign(draft, key=key, also=[signing]))
    return Added(officer=officer, key=signing.verify_key, receipt=receipt)


def end(desk: Desk, officer: bytes, reason: str, *, key: SigningKey | None = None) -> Receipt:
    """From the next entry on the officer signs nothing."""
    with reading(desk.engine) as conn:
        found = find(conn, desk, officer)
    members = {"officer": officer.hex(), "reason": reason}
    draft = Draft(type=officers.END, author=found.party, members=members)
    return desk.writer.append(desk.sign(draft, key=key))


def set_rule(
    desk: Desk, party: str, rule: str, reason: str, *, key: SigningKey | None = None
) -> Receipt:
    """`four-eyes` or `none`; to end four eyes needs two (see `service.carry_out`)."""
    members = {"rule": rule, "reason": reason}
    draft = Draft(type=officers.APPROVAL, author=party, members=members)
    return desk.writer.append(desk.sign(draft, key=key))


def find(conn: Connection, desk: Desk, officer: bytes) -> Officer:
    """Raises NotFound."""
    found = officer_store.find_officers(conn, desk.log.log_id, desk.log.origin, officer=officer)
    if not found:
        raise NotFound(f"there is no officer {officer.hex()}; see: greenledger officer list")
    return found[0]


def require_in_force(conn: Connection, desk: Desk, officer: bytes, party: str) -> Officer:
    """An officer who may act for `party` now. Raises NotFound or Refused."""
    found = find(conn, desk, officer)
    if found.party != party:
        raise Refused(f"officer {officer.hex()} is one of {found.party!r}, not of {party!r}")
    if not found.in_force:
        raise Refused(
            f"officer {officer.hex()} ended with entry {found.ended_index} ({found.end_reason})"
        )
    return found


def approval_of(conn: Connection, desk: Desk, party: str) -> Approval:
    return officer_store.approval_of(conn, desk.log.log_id, party)
