"""What lots offer to a claim: supply and cover in equal parts, less what corrections took away."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from sqlalchemy import Connection

from ledger.claims import shortfall, store
from ledger.errors import Refused
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, month_of
from ledger.lots.packed import Int64
from ledger.metering import store as metering
from ledger.units import QUARTER_HOUR_S, Period

_UNLIMITED_WH: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """A lot as a claim uses it: `wh`, int64[n] on the claim's grid."""

    lot: lots.LotRow
    supply: bool
    wh: Int64


class Offers:
    """Of the lots of a claim of some period, which may replace another one."""

    def __init__(
        self,
        conn: Connection,
        log: LogFacts,
        period: Period,
        replaced: store.ClaimRow | None = None,
    ) -> None:
        self._conn = conn
        self._log = log
        self._period = period
        self._count = period.length_s // QUARTER_HOUR_S
        self._zone_s = log.zone_s
        self._divisions = lots.Divisions(conn, log)
        self._masters = {
            point: found.master
            for point, found in metering.current_points(conn, log.log_id).items()
        }
        self._replaced = replaced
        self._left_wh: dict[bytes, Int64] = {}

    def unspent(self, points: Collection[bytes]) -> list[lots.LotRow]:
        """The lots that points hold in the months of the period."""
        whole = Period(
            start_s=month_of(self._period.start_s, self._zone_s).start_s, end_s=self._period.end_s
        )
        return [
            row
            for point in points
            for row in lots.unspent_held(self._conn, self._log.log_id, point, whole)
        ]

    def balanced(self, rows: Sequence[lots.LotRow]) -> list[Offer]:
        """Supply and cover, equal by holder, class and quarter-hour, as far as there is both."""
        groups: dict[tuple[bytes, int], list[Offer]] = {}
        for row in sorted(rows, key=self._rank):
            groups.setdefault((row.holder, row.supply_class), []).append(self._offer(row))
        return [one for group in groups.values() for one in self._balance(group)]

    def _rank(self, row: lots.LotRow) -> tuple[object, ...]:
        """Who comes first where a correction left less: by names, since ids are random."""
        holder, point = self._masters[row.holder].name, self._masters[row.point].name
        return row.supply_class, holder, row.month_start_s, point, row.revision, row.lot

    def _offer(self, row: lots.LotRow) -> Offer:
        return Offer(
            lot=row,
            supply=self._masters[row.point].kind in SUPPLY_KINDS,
            wh=self._cut(row, self._divisions.lot_wh(row)),
        )

    def _cut(self, row: lots.LotRow, wh: Int64) -> Int64:
        """From the grid of a month to the claim's."""
        found = np.zeros(self._count, dtype=np.int64)
        offset = lots.position(row.month_start_s, self._period.start_s)
        begin, end = max(offset, 0), min(offset + len(wh), self._count)
        if begin < end:
            found[begin:end] = wh[begin - offset : end - offset]
        if int(found.sum()) != int(wh.sum()):
            raise Refused(
                f"a lot of {month_of(row.month_start_s, self._zone_s)} has energy outside of the"
                " claim's period: lots are claimed whole, so claim the whole month, or as much of"
                " it as was matched"
            )
        return found

    def _balance(self, group: Sequence[Offer]) -> list[Offer]:
        """The same, cut to what both sides have, which is then taken from what is left."""
        sides = [
            self._limited([one for one in group if one.supply is side]) for side in (True, False)
        ]
        nothing = np.zeros(self._count, dtype=np.int64)
        both_wh = np.minimum(*(sum((one.wh for one in side), nothing) for side in sides))
        found = [one for side in sides for one in _up_to(side, both_wh)]
        for one in found:
            self._left(one.lot.point)[:] -= one.wh
        return found

    def _limited(self, side: Sequence[Offer]) -> list[Offer]:
        """No more than what is left of their points, lot after lot."""
        left_wh = {one.lot.point: self._left(one.lot.point).copy() for one in side}
        found = []
        for one in side:
            wh = np.minimum(one.wh, left_wh[one.lot.point])
            left_wh[one.lot.point] -= wh
            found.append(replace(one, wh=wh))
        return found

    def _left(self, point: bytes) -> Int64:
        """int64[n]: what the claim may still use of a point; limited where a correction was."""
        if point not in self._left_wh:
            left_wh = np.full(self._count, _UNLIMITED_WH, dtype=np.int64)
            mine_wh = self._replaced_wh(point)
            for row in shortfall.rows_of(self._conn, self._log.log_id, point):
                at = lots.position(row.start_s, self._period.start_s)
                if 0 <= at < self._count:
                    left_wh[at] = max(0, row.metered_wh - row.used_wh + int(mine_wh[at]))
            self._left_wh[point] = left_wh
        return self._left_wh[point]

    def _replaced_wh(self, point: bytes) -> Int64:
        """int64[n]: what the claim that is replaced, of the same period, used of a point."""
        found = np.zeros(self._count, dtype=np.int64)
        if self._replaced is not None:
            _, claimed = store.load_claimed(self._conn, self._log.log_id, self._replaced.root)
            known = lots.lots_by_id(self._conn, self._log.log_id, claimed)
            for lot, one in claimed.items():
                if known[lot].point == point:
                    found[one.first : one.first + len(one.wh)] += one.wh
        return found


def _up_to(side: Sequence[Offer], limit_wh: Int64) -> list[Offer]:
    left_wh = limit_wh.copy()
    found = []
    for one in side:
        wh = np.minimum(one.wh, left_wh)
        left_wh -= wh
        found.append(replace(one, wh=wh))
    return found
