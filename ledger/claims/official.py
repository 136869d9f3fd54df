"""Whether a claim is final: what it rests on is officially cancelled or moved (invariant 22).

Until then it stands as "pending official cancellation". A lot of supply rests on the certificate of
its energy; so while that has not come, or is not retired for this claim, the claim is pending too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ledger.claims import store
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS
from ledger.metering import store as metering
from ledger.registry import catalogue, used
from ledger.registry import store as units
from ledger.registry.leaves import BatchId
from ledger.statements.service import is_confirmed

FINAL: Final = "final"
PENDING: Final = "pending official cancellation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """What official statements say of a claim's certificates and credits.

    `units`, `confirmed`: of its retirements. `lots_pending`: lots of supply whose certificate has
    not come, or is no confirmed part of this claim. `as_of`: date of the latest statement that
    confirms some of it, or `""`. `reasons`: why it is pending, for people. `entries`: of the
    statements that confirm some of it.
    """

    units: int
    confirmed: int
    lots_pending: int
    as_of: str
    reasons: tuple[str, ...]
    entries: frozenset[int]

    @property
    def status(self) -> str:
        return PENDING if self.reasons else FINAL

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "as_of": self.as_of,
            "units": self.units,
            "confirmed_units": self.confirmed,
            "lots_pending": self.lots_pending,
            "reasons": list(self.reasons),
        }


def official(
    conn: Connection, log: LogFacts, row: store.ClaimRow, as_of: int | None = None
) -> Official:
    """How a claim stands officially, by all statements below a log size (so far, by default)."""
    log_id = log.log_id
    total = confirmed = 0
    dated = ""
    # Wh of confirmed units, by batch.
    sure: dict[BatchId, int] = {}
    schemes = catalogue.current_schemes(conn, log_id, as_of)
    reasons: list[str] = []
    entries: set[int] = set()
    for retirement in row.manifest.retirements:
        found = used.find_retirement(conn, log_id, retirement)
        said = is_confirmed(
            conn,
            log_id,
            found.scheme,
            [(one.batch.code, one.units) for one in found.gone],
            parties={found.author, found.use.beneficiary},
            custodian=log.operator,
            as_of=as_of,
        )
        total, confirmed = total + said.units, confirmed + said.confirmed
        dated = max(dated, said.as_of)
        entries |= said.entries
        if said.final:
            size = schemes[found.scheme].rules.unit_size
            for one in found.gone:
                sure[one.batch] = sure.get(one.batch, 0) + len(one.units) * size
        else:
            waiting = said.units - said.confirmed
            reasons.append(
                f"retirement {retirement.hex()}: {waiting} of {said.units} units of {found.scheme}"
                " are confirmed by no official statement"
            )
    supply = _supply(conn, log_id, row, as_of)
    behind = units.batches_of_lots(conn, log_id, supply, as_of)
    covered = _covered(conn, log_id, supply, behind, sure)
    waiting_lots = [lot for lot in supply if not covered & set(behind.get(lot, ()))]
    if waiting_lots:
        without = sum(lot not in behind for lot in waiting_lots)
        reasons.append(
            f"{len(waiting_lots)} of {len(supply)} lots of supply wait for their certificate:"
            f" {without} have none yet, those of {len(waiting_lots) - without} are no confirmed"
            " part of this claim"
        )
    return Official(
        units=total,
        confirmed=confirmed,
        lots_pending=len(waiting_lots),
        as_of=dated,
        reasons=tuple(reasons),
        entries=frozenset(entries),
    )


def _covered(
    conn: Connection,
    log_id: int,
    supply: Mapping[bytes, int],
    behind: Mapping[bytes, Sequence[BatchId]],
    sure: Mapping[BatchId, int],
) -> set[BatchId]:
    """Batches whose confirmed units are worth the claim's lots behind them, but for less than one
    unit: certificates are whole."""
    claimed: dict[BatchId, int] = {}
    for lot, batches in behind.items():
        for batch in batches:
            claimed[batch] = claimed.get(batch, 0) + supply[lot]
    sizes = units.batches_by_id(conn, log_id, claimed)
    return {
        batch
        for batch, wh in claimed.items()
        if sure.get(batch, 0) + sizes[batch].unit_size > wh and batch in sure
    }


def _supply(
    conn: Connection, log_id: int, row: store.ClaimRow, as_of: int | None
) -> dict[bytes, int]:
    """{lot of supply of the claim: Wh of it that are claimed}, those above 0."""
    known = lots.lots_by_id(conn, log_id, store.lots_of_claim(conn, log_id, row.claim))
    points = metering.current_points(
        conn, log_id, as_of, only={one.point for one in known.values()}
    )
    claimed = store.claimed_wh(conn, log_id, row.claim)
    return {
        lot: claimed[lot]
        for lot, one in sorted(known.items())
        if points[one.point].master.kind in SUPPLY_KINDS and claimed[lot]
    }
