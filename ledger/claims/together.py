"""What several claims cover of the same consumption: never more than there is (invariant 5).

Lots cover a quarter-hour of a point once, by their making. Certificates cover a span of all points
of their claim, so claims that share a point are looked at together: in no span that certificates
are used in do they, and the lots of all these claims, cover more than was consumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from ledger.claims import store
from ledger.claims.manifest import Certificates, Manifest
from ledger.errors import Refused
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import months_in
from ledger.lots.packed import Int64
from ledger.matching.evaluate import consumption
from ledger.matching.missing import Filled
from ledger.metering import store as metering
from ledger.units import QUARTER_HOUR_S, Period, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Claims in force with certificates that share points, directly or through others. `points`: of
    all of them."""

    points: frozenset[bytes]
    claims: tuple[store.ClaimRow, ...]

    @property
    def certificates(self) -> list[Certificates]:
        return [one for row in self.claims for one in row.manifest.certificates if one.wh]


def sharing(conn: Connection, log_id: int, points: Iterable[bytes], but: bytes = b"") -> Sharing:
    """The claims in force with certificates, but for one that is replaced, that share a point with
    some points."""
    found = frozenset(points)
    rows = [row for row in store.claims_with_certificates(conn, log_id) if row.claim != but]
    mine: list[store.ClaimRow] = []
    while True:
        near = [row for row in rows if row not in mine and found & set(row.manifest.points)]
        if not near:
            return Sharing(points=found, claims=tuple(mine))
        mine += near
        found = found.union(*(row.manifest.points for row in near))


def consumed(found: Iterable[Filled], period: Period) -> tuple[Int64, int]:
    """(int64[n] by quarter-hour, what of it is estimated): what some points used in a period."""
    wh, estimated_wh = np.zeros(period.length_s // QUARTER_HOUR_S, dtype=np.int64), 0
    for one in found:
        wh += one.demand.wh
        if one.demand.estimated_wh is not None:
            wh += one.demand.estimated_wh
            estimated_wh += int(one.demand.estimated_wh.sum())
    return wh, estimated_wh


def covered_wh(
    conn: Connection, log: LogFacts, points: Iterable[bytes], period: Period, but: bytes = b""
) -> Int64:
    """int64[n] by quarter-hour: what lots of claims in force, but for one, cover of some points."""
    zone_s = log.zone_s
    found = np.zeros(period.length_s // QUARTER_HOUR_S, dtype=np.int64)
    for month in months_in(period, zone_s):
        for point in points:
            for claim, wh in store.used_by_claim(conn, log.log_id, point, month).items():
                if claim != but:
                    _add(found, period, wh, month.period)
    return found


def left(
    conn: Connection,
    log: LogFacts,
    points: frozenset[bytes],
    period: Period,
    wh: Int64,
    but: bytes = b"",
) -> tuple[Left, list[Certificates]]:
    """What other claims leave of `wh`, int64[n], which the lots of a claim leave of what its points
    consume; and the certificates of claims that share points."""
    others = sharing(conn, log.log_id, points, but).certificates
    return Left(period=period, wh=wh - covered_wh(conn, log, points, period, but)), others


def oversettled_wh(conn: Connection, log: LogFacts, row: store.ClaimRow, as_of: int) -> int:
    """By how much a claim's lots and certificates cover more than its points consumed, after a
    correction of what they consumed; 0 where they don't, or nobody can say it any more because
    readings are erased. The remedy is a replacement."""
    if not row.manifest.certificate_wh:
        return 0
    period, points = row.manifest.period, frozenset(row.manifest.points)
    if any(metering.has_erased(conn, log.log_id, point, period) for point in points):
        return 0
    filled = consumption(conn, log, period, as_of, points).values()
    consumed_wh = int(consumed(filled, period)[0].sum())
    return max(0, row.wh + row.manifest.certificate_wh - consumed_wh)


def require(
    conn: Connection,
    log: LogFacts,
    manifest: Manifest,
    cover_wh: Int64,
    *,
    as_of: int,
    replaced: bytes,
) -> None:
    """A new claim and those that share its points cover no more than was consumed.

    `cover_wh`: int64[n], of the claim's own lots, on its grid. Raises Refused.
    """
    found = sharing(conn, log.log_id, manifest.points, replaced)
    certificates, hull = _near(
        [*found.certificates, *(one for one in manifest.certificates if one.wh)], manifest.period
    )
    if not certificates:
        return
    filled = consumption(conn, log, hull, as_of, found.points).values()
    consumed_wh, _ = consumed(filled, hull)
    lots_wh = covered_wh(conn, log, found.points, hull, replaced)
    _add(lots_wh, hull, cover_wh, manifest.period)
    left = Left(period=hull, wh=consumed_wh - lots_wh)
    for span in spans_of(certificates):
        inside = sum(one.wh for one in certificates if span.contains(one.period))
        if inside > left.within(span):
            raise Refused(
                f"from {format_instant(span.start_s)} to {format_instant(span.end_s)} lots leave"
                f" {left.within(span)} Wh of what the points of this claim, and of"
                f" {len(found.claims)} that share them, consumed: certificates can't cover"
                f" {inside} Wh"
            )


def _near(known: Sequence[Certificates], period: Period) -> tuple[list[Certificates], Period]:
    """Those whose uses overlap a period, directly or through others; and all their time."""
    while True:
        mine = [one for one in known if one.period.overlaps(period)]
        hull = Period(
            start_s=min([period.start_s, *(one.period.start_s for one in mine)]),
            end_s=max([period.end_s, *(one.period.end_s for one in mine)]),
        )
        if hull == period:
            return mine, hull
        period = hull


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Left:
    """What lots leave of some consumption: `wh`, int64[n], by quarter-hour of a period."""

    period: Period
    wh: Int64

    def within(self, span: Period) -> int:
        """Wh of a part of the period, 0 at least."""
        first = max(0, span.start_s - self.period.start_s) // QUARTER_HOUR_S
        end = max(0, span.end_s - self.period.start_s) // QUARTER_HOUR_S
        return max(0, int(self.wh[first:end].sum()))


def spans_of(certificates: Sequence[Certificates]) -> list[Period]:
    """From the beginning of any use to the end of any: where all of these hold what is used inside
    of them, each use finds its own quarter-hours."""
    starts = sorted({one.period.start_s for one in certificates})
    ends = sorted({one.period.end_s for one in certificates})
    return [
        Period(start_s=start_s, end_s=end_s)
        for start_s in starts
        for end_s in ends
        if start_s < end_s
    ]


def _add(to: Int64, hull: Period, wh: Int64, period: Period) -> None:
    """Add what lies in another period, as far as they overlap."""
    offset = lots.position(period.start_s, hull.start_s)
    begin, end = max(offset, 0), min(offset + len(wh), len(to))
    if begin < end:
        to[begin:end] += wh[begin - offset : end - offset]
