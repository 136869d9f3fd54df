"""Cutting a period out of series of factors, and multiplying it with energy. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np

from ledger.accounting.factors import units
from ledger.accounting.factors.model import FactorSeries, Int64
from ledger.accounting.factors.used import Published, Substitution, substituted
from ledger.errors import InvalidInput
from ledger.units import QUARTER_HOUR_S, Period, format_instant

# A sum of products stays below this, or is computed in Python's integers.
_INT64_SAFE = 2**62


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundSeries:
    """A factor for each interval of a period: `value`, int64[n], in 10^-`decimals` of `unit`."""

    series: FactorSeries
    by: Published
    period: Period
    year: int
    substitution: Substitution | None
    interval_s: int
    decimals: int
    value: Int64

    @property
    def unit(self) -> str:
        return self.series.unit

    @property
    def gas(self) -> str:
        return self.series.gas

    @property
    def covers(self) -> tuple[str, ...]:
        return self.series.covers

    @property
    def by_quarter_hour(self) -> Int64:
        """int64[quarter-hours of the period]: what holds for an hour holds for its quarters."""
        return np.repeat(self.value, self.interval_s // QUARTER_HOUR_S)

    def mass_g(self, quarter_wh: Int64) -> Fraction:
        """Σ energy × factor over the quarter-hours of the period, in g, exactly.

        `quarter_wh`: int64[quarter-hours of the period], Wh. Raises InvalidInput for another
        length, or a factor that is no mass per energy.
        """
        count = self.period.length_s // QUARTER_HOUR_S
        if len(quarter_wh) != count:
            raise InvalidInput(
                f"{self.series.said}: the period has {count} quarter-hours, not {len(quarter_wh)}"
            )
        scale: int = 10**self.decimals
        total = _dot(quarter_wh, self.by_quarter_hour)
        return total * units.ratio(self.unit, "g/Wh") / scale

    def use(self) -> dict[str, Any]:
        """As `Found.use`; `value` is empty, and the interval and the time stand beside it."""
        return {
            **self.by.use(),
            "item": self.series.item,
            "region": self.series.region,
            "year": self.year,
            "gas": self.gas,
            "covers": list(self.covers),
            "value": "",
            "unit": self.unit,
            "standard": self.series.standard,
            "source": self.series.source,
            "status": self.series.status,
            "substituted": substituted(self.substitution),
            "interval_s": self.interval_s,
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
        }


def _dot(first: Int64, second: Int64) -> int:
    """Σ first·second, exactly."""
    if not len(first):
        return 0
    most = int(np.abs(first).max()) * int(second.max()) * len(first)
    if most < _INT64_SAFE:
        return int(np.dot(first, second))
    return sum(map(int.__mul__, first.tolist(), second.tolist()))


def shifted(period: Period, year: int, to_year: int) -> Period:
    """A period of one year, moved to the same place of another."""
    by_s = _new_year_s(to_year) - _new_year_s(year)
    return Period(start_s=period.start_s + by_s, end_s=period.end_s + by_s)


def _new_year_s(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def cut(pieces: Sequence[FactorSeries], period: Period) -> tuple[int, int, Int64]:
    """The interval, the decimals and the values of a period, from series that follow each other.

    Raises InvalidInput that says which time is missing.
    """
    first = pieces[0]
    for one in pieces:
        if one.kind != first.kind:
            raise InvalidInput(
                f"{one.said} has another interval, unit or coverage than {first.said}"
            )
    decimals = max(one.decimals for one in pieces)
    length_s = first.interval_s
    if period.start_s % length_s or period.end_s % length_s:
        raise InvalidInput(
            f"{first.said}: {format_instant(period.start_s)} to {format_instant(period.end_s)} is"
            f" on no bounds of its intervals of {length_s} s"
        )
    found = []
    reached_s = period.start_s
    for one in sorted(pieces, key=lambda each: each.start_s):
        if one.end_s <= reached_s:
            continue
        if one.start_s > reached_s:
            break
        until_s = min(one.end_s, period.end_s)
        of_one = one.value[
            (reached_s - one.start_s) // length_s : (until_s - one.start_s) // length_s
        ]
        found.append(of_one * 10 ** (decimals - one.decimals))
        reached_s = until_s
    if reached_s < period.end_s:
        there = "; ".join(one.said for one in pieces)
        raise InvalidInput(
            f"no value of {first.item} from {format_instant(reached_s)} on, of"
            f" {format_instant(period.start_s)} to {format_instant(period.end_s)}; there is:"
            f" {there}"
        )
    return length_s, decimals, np.concatenate(found)
