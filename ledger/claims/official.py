"""Whether a claim is final: what it rests on is officially cancelled or moved (invariant 22).

Until then it stands as "pending official cancellation". A lot of supply rests on the certificate of
its energy; so while that has not come, or is not retired for this claim, the claim is pending too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ledger.claims import store
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS
from ledger.metering import store as metering
from ledger.registry import store as units
from ledger.registry import used
from ledger.statements.service import is_confirmed

FINAL: Final = "final"
PENDING: Final = "pending official cancellation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """What official statements say of a claim's certificates and credits.

    `units`, `confirmed`: of its retirements. `lots_pending`: lots of supply whose certificate has
    not come, or is no confirmed part of this claim. `as_of`: date of the latest statement that
    confirms some of it, or `""`. `reasons`: why it is pending, for people.
    """

    units: int
    confirmed: int
    lots_pending: int
    as_of: str
    reasons: tuple[str, ...]

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


def official(conn: Connection, log: LogFacts, row: store.ClaimRow) -> Official:
    """How a claim stands officially, by all statements so far."""
    log_id = log.log_id
    total = confirmed = 0
    as_of, sure = "", set()
    reasons: list[str] = []
    for retirement in row.manifest.retirements:
        found = used.find_retirement(conn, log_id, retirement)
        said = is_confirmed(
            conn,
            log_id,
            found.scheme,
            [(one.batch.code, one.units) for one in found.gone],
            parties={found.author, found.use.beneficiary},
        )
        total, confirmed = total + said.units, confirmed + said.confirmed
        as_of = max(as_of, said.as_of)
        if said.final:
            sure |= {one.batch for one in found.gone}
        else:
            waiting = said.units - said.confirmed
            reasons.append(
                f"retirement {retirement.hex()}: {waiting} of {said.units} units of {found.scheme}"
                " are confirmed by no official statement"
            )
    supply = _supply(conn, log_id, row)
    behind = units.batches_of_lots(conn, log_id, supply)
    waiting_lots = [lot for lot in supply if not sure & set(behind.get(lot, ()))]
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
        as_of=as_of,
        reasons=tuple(reasons),
    )


def _supply(conn: Connection, log_id: int, row: store.ClaimRow) -> Sequence[bytes]:
    """The claim's lots of supply with any energy in it."""
    known = lots.lots_by_id(conn, log_id, store.lots_of_claim(conn, log_id, row.claim))
    points = metering.current_points(conn, log_id, only={one.point for one in known.values()})
    claimed = store.claimed_wh(conn, log_id, row.claim)
    return [
        lot
        for lot, one in sorted(known.items())
        if points[one.point].master.kind in SUPPLY_KINDS and claimed[lot]
    ]
