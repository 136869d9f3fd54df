"""Values of the matching room: integer Wh on a grid of equal intervals, nothing else.

Everything here is immutable: arrays in a result are read-only. `Int64` arrays are one-dimensional,
one element per interval of the grid, unless a docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.units import HOUR_S, QUARTER_HOUR_S, Period, format_instant

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

PPM: Final = 1_000_000
# Every sum of Wh that the engine forms stays below this, so that int64 never overflows.
ENERGY_WH_MAX: Final = 2**62

# How energy is split where contracts compete (docs/formats.md §7, §7.1).
PRO_RATA: Final = "pro-rata/1"
MAXIMAL: Final = "maximal/1"
POLICIES: Final = (PRO_RATA, MAXIMAL)


class SupplyClass(IntEnum):
    """Where a consumed kWh came from; the order is the waterfall (seed 7.1.2-7.1.4).

    Time-stamped certificates have their place, but no contract of this class is matched yet. What
    no class covers is the residual.
    """

    SELF_USE = 1
    DIRECT_SUPPLY = 2
    STORAGE = 3
    GREEN_TRADE = 4
    CERTIFICATE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A consumer of a contract. `share_ppm` 0: by demand; else its part of each source."""

    point: str
    share_ppm: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Who may be supplied by what, and when (docs/formats.md §4.4).

    An interval takes part if it lies wholly inside the half-open `period`. `limit_wh` (0: none)
    is the most that the contract delivers in its period, earliest intervals first. `region` is an
    administrative code prefix (GB/T 2260), or empty; it binds direct supply only.
    """

    contract: str
    supply_class: SupplyClass
    sources: tuple[str, ...]
    consumers: tuple[Share, ...]
    period: Period
    region: str = ""
    limit_wh: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Equal intervals of a run, aligned in park time.

    `length_s` is 900, 1800 or 3600 (metering standards' intervals); `zone_offset_s` is what park
    time is ahead of UTC. Raises InvalidInput if the grid is empty or not aligned.
    """

    start_s: int
    length_s: int
    count: int
    zone_offset_s: int

    def __post_init__(self) -> None:
        if self.length_s not in (QUARTER_HOUR_S, 2 * QUARTER_HOUR_S, HOUR_S):
            raise InvalidInput(f"grid interval of {self.length_s} s: use 900, 1800 or 3600 s")
        if self.count < 1:
            raise InvalidInput(f"grid of {self.count} intervals: at least one is needed")
        if (self.start_s + self.zone_offset_s) % self.length_s:
            raise InvalidInput(
                f"grid start {format_instant(self.start_s)} is not a whole interval of"
                f" {self.length_s} s in park time (UTC{self.zone_offset_s:+d} s)"
            )

    @property
    def end_s(self) -> int:
        return self.start_s + self.count * self.length_s

    @property
    def period(self) -> Period:
        return Period(start_s=self.start_s, end_s=self.end_s)

    def starts_s(self) -> Int64:
        """int64[count], Unix seconds: the start of each interval."""
        return self.start_s + self.length_s * np.arange(self.count, dtype=np.int64)

    def rows(self, period: Period) -> slice:
        """The intervals that lie wholly inside `period`; may be empty."""
        first = -((self.start_s - period.start_s) // self.length_s)
        last = (period.end_s - self.start_s) // self.length_s
        first = min(max(first, 0), self.count)
        return slice(first, min(max(last, first), self.count))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Demand:
    """Consumption of one point.

    `wh`: int64[T], measured; 0 where missing. `estimated_wh`: int64[T], 0 where measured; None if
    nothing was estimated. Estimated energy stays in the denominator and is never matched
    (invariant 20). `charging`: the point charges a storage, which is no final consumption: what it
    gets is in no total (invariant 13), and comes back as supply of class STORAGE.
    """

    point: str
    wh: Int64
    estimated_wh: Int64 | None = None
    charging: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lane:
    """What one source delivered to one consumer under one contract. `wh`: int64[T]."""

    contract: str
    source: str
    consumer: str
    supply_class: SupplyClass
    wh: Int64


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Wh of a whole run. Consumption includes what was estimated, and so does the residual."""

    generation_wh: int
    consumption_wh: int
    estimated_wh: int
    matched_wh: int
    surplus_wh: int
    residual_wh: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """A matching run, interval by interval.

    `lanes`: one for each contract that has an interval on the grid, and each of its sources and
    consumers (some may be all zero), ordered by (class, contract, source, consumer).
    `surplus_wh`: {source: int64[T]}, generation that no lane took. `residual_wh`:
    {consumer: int64[T]}, final consumption that no lane covered, estimated energy included.
    `delivered_wh`: {contract: Wh on this grid}. `estimated_wh`: Wh that was estimated.
    `uncharged_wh`: {charge point: int64[T]}, charging that no lane covered. `stored_wh`:
    {discharge point: int64[T]}, green discharge that no lane took.

    In each interval generation is Σ lanes + surplus, consumption Σ lanes + residual, charging
    Σ lanes + uncharged, and green discharge Σ lanes + stored; lanes of these points.
    """

    lanes: tuple[Lane, ...]
    surplus_wh: Mapping[str, Int64]
    residual_wh: Mapping[str, Int64]
    delivered_wh: Mapping[str, int]
    estimated_wh: int
    uncharged_wh: Mapping[str, Int64]
    stored_wh: Mapping[str, Int64]

    def matched_wh(self) -> dict[str, int]:
        """{contract: Wh delivered to final consumers}."""
        matched_wh = dict(self.delivered_wh)
        for lane in self.lanes:
            if lane.consumer in self.uncharged_wh:
                matched_wh[lane.contract] -= int(lane.wh.sum())
        return matched_wh

    def totals(self) -> Totals:
        matched_wh = sum(self.matched_wh().values())
        surplus_wh = sum(int(wh.sum()) for wh in self.surplus_wh.values())
        residual_wh = sum(int(wh.sum()) for wh in self.residual_wh.values())
        generated_wh = sum(self.delivered_wh.values()) + surplus_wh
        for lane in self.lanes:
            if lane.source in self.stored_wh:
                generated_wh -= int(lane.wh.sum())
        return Totals(
            generation_wh=generated_wh,
            consumption_wh=matched_wh + residual_wh,
            estimated_wh=self.estimated_wh,
            matched_wh=matched_wh,
            surplus_wh=surplus_wh,
            residual_wh=residual_wh,
        )
