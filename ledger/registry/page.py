"""A retirement that its owner shows to everybody, as a page needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection

from ledger.errors import Refused
from ledger.log import logkeys
from ledger.log.placed import placed, prove
from ledger.log.store import LogFacts
from ledger.parties.store import current_party
from ledger.registry import catalogue
from ledger.registry.moving import disclosure
from ledger.registry.used import RetirementRow

FORMAT: Final = "greenledger-retirement/v1"


def page(conn: Connection, log: LogFacts, row: RetirementRow) -> dict[str, Any]:
    """Who used how many units for what, and the proofs that the log says so.

    Nothing of it is private: all is in the entry that shows it, in registrations of parties, or in
    a scheme's rules. Proofs are `""` until a checkpoint covers their entries. Raises Refused where
    the owner shows nothing.
    """
    if row.disclosed_index is None:
        raise Refused(
            f"retirement {row.retirement.hex()} is private: its owner {row.author!r} can show it"
        )
    rules = catalogue.find_scheme(conn, log.log_id, row.scheme, as_of=row.entry_index).rules
    party = current_party(conn, log.log_id, row.use.beneficiary)
    proofs = prove(conn, log, [row.entry_index, row.disclosed_index])
    return {
        "format": FORMAT,
        "log": log.origin,
        "vkey": logkeys.verification_key(conn, log).vkey,
        **disclosure(row),
        "beneficiary_name": party.name if party else "",
        "scheme_name": rules.name,
        "scheme_source": rules.source,
        "scheme_status": rules.status,
        "amount": rules.amount(row.units),
        "retired": placed(conn, log.log_id, row.entry_index).to_json(proofs),
        "shown": placed(conn, log.log_id, row.disclosed_index).to_json(proofs),
    }


def pages(conn: Connection, log: LogFacts, rows: Sequence[RetirementRow]) -> list[dict[str, Any]]:
    """Of those of some retirements that are shown."""
    return [page(conn, log, row) for row in rows if row.disclosed_index is not None]
