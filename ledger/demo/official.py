"""A made-up account statement, compared with what the ledger holds: it knows one batch that the
ledger does not, and has not cancelled certificates that were used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from ledger import db
from ledger.demo import clock, plan
from ledger.demo.certificates import (
    CLOUD_ONE,
    COLD_CHAIN,
    GEC,
    OUTSIDE,
    code_of,
    profile_text,
    statement_profile,
    write_csv,
)
from ledger.parties.desk import Desk
from ledger.statements.compare import HERE, OwnRange
from ledger.statements.own import own_ranges
from ledger.statements.service import Reconciliation, import_statement, reconcile

ACCOUNTS: Final = "files/official/gec-accounts-2026-02.csv"
_PROFILE: Final = "official-gec-accounts.toml"
# In the statement, not here: the conflict is of the last batch that was used.
UNKNOWN: Final = "DEMO-elsewhere-2025-11."
UNKNOWN_UNITS: Final = 25
_HELD: Final = "持有"
_CANCELLED: Final = "已核销"
_NAMES: Final = {one.party: one.name for one in plan.MEMBERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The statement against the ledger, when it came, and again after it was imported twice."""

    first: Reconciliation
    repeated: bool


def compare_accounts(desk: Desk, folder: Path, label: str) -> Compared:
    path = folder / ACCOUNTS
    with db.reading(desk.engine) as conn:
        mine = own_ranges(conn, desk.log, GEC)
    rows = [
        _row(one, _CANCELLED if one.state not in HERE and not _is_late(one) else _HELD)
        for one in mine
        if one.owner in (CLOUD_ONE, COLD_CHAIN)
    ]
    rows.append(_line(UNKNOWN, 0, UNKNOWN_UNITS, _HELD, CLOUD_ONE))
    write_csv(path, label, "起始编号,截止编号,数量(个),状态,账户名称", rows)
    index, _ = _import(desk, path)
    _, repeated = _import(desk, path)
    with db.reading(desk.engine) as conn:
        found = reconcile(conn, desk.log, index)
    return Compared(first=found, repeated=repeated)


def _import(desk: Desk, path: Path) -> tuple[int, bool]:
    found = import_statement(
        desk,
        path,
        statement_profile(_PROFILE),
        profile_text=profile_text(_PROFILE),
        as_of=date.fromisoformat(clock.ENDS),
    )
    return found.statement.entry_index, found.repeated


def _is_late(one: OwnRange) -> bool:
    """Of these the registry has not heard that they were used."""
    return (one.owner, one.code, one.first) == (CLOUD_ONE, code_of(OUTSIDE, "2025-09"), 0)


def _row(one: OwnRange, status: str) -> str:
    return _line(one.code, one.first, one.end, status, one.owner)


def _line(code: str, first: int, end: int, status: str, party: str) -> str:
    """Serial numbers of one length, both included, as registries write them."""
    return f"{code}{first:06},{code}{end - 1:06},{end - first},{status},{_NAMES[party]}"


def findings(found: Reconciliation, kind: str) -> Sequence[str]:
    """Units of findings of a kind, as serials."""
    return [f"{one.code}:{one.first}-{one.end}" for one in found.findings if one.kind == kind]
