"""Factors, hourly series of factors, and sets of them, as data (docs/factors.md). Pure.

A factor is exact: a decimal in text, never a float. What is wrong in a set is refused with the
place, the member and what would be right.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ledger.accounting.factors.members import CO2E, FACTOR, SERIES, SET, TITLE, UNSTATED
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.units import format_instant, parse_instant

REGISTER: Final = "factors"
Int64 = NDArray[np.int64]
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One coefficient. `year` 0: of no year. `covers`: the gases that `value` is the mass of, or of
    whose effect where `gas` is CO2e. `from_s`, `to_s`: half-open, None where it has no bound.
    `parts`: what it was made of; with `ncv`, `carbon` and `oxidation` the three give the value."""

    item: str
    region: str
    year: int
    unit: str
    gas: str
    covers: tuple[str, ...]
    value: str
    standard: str
    source: str
    status: str
    from_s: int | None = None
    to_s: int | None = None
    parts: Mapping[str, str]

    @property
    def exact(self) -> Fraction:
        return Fraction(self.value)

    @property
    def key(self) -> tuple[str, str, int, str, str]:
        """What one set says once at any time."""
        return (self.item, self.region, self.year, self.standard, self.gas)

    @property
    def order(self) -> tuple[str, str, int, str, str, int]:
        return (*self.key, self.from_s or 0)

    @property
    def said(self) -> str:
        """For messages and tables: `electricity-average, CN, 2023`."""
        parts = (self.item, self.region or "anywhere", str(self.year or "undated"), self.standard)
        return ", ".join(part for part in parts if part)

    def in_force(self, at_s: int) -> bool:
        return (self.from_s is None or self.from_s <= at_s) and (
            self.to_s is None or at_s < self.to_s
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "region": self.region,
            "year": self.year,
            "unit": self.unit,
            "gas": self.gas,
            "covers": list(self.covers),
            "value": self.value,
            "standard": self.standard,
            "source": self.source,
            "status": self.status,
            "from": "" if self.from_s is None else format_instant(self.from_s),
            "to": "" if self.to_s is None else format_instant(self.to_s),
            "parts": dict(self.parts),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Factor:
        """Raises InvalidInput."""
        e.check_members(value, FACTOR)
        found = cls(
            item=value["item"],
            region=value["region"],
            year=value["year"],
            unit=value["unit"],
            gas=value["gas"],
            covers=tuple(value["covers"]),
            value=value["value"],
            standard=value["standard"],
            source=value["source"],
            status=value["status"],
            from_s=parse_instant(value["from"]) if value["from"] else None,
            to_s=parse_instant(value["to"]) if value["to"] else None,
            parts=value["parts"],
        )
        _check_gases(found.gas, found.covers)
        if found.from_s is not None and found.to_s is not None and found.to_s <= found.from_s:
            raise InvalidInput("it ends before it begins: 'to' is not after 'from'")
        _check_parts(found)
        return found


def _check_gases(gas: str, covers: Sequence[str]) -> None:
    """Raises InvalidInput unless a factor covers what its gas says."""
    wanted = [] if gas == "" else [gas]
    if gas == CO2E:
        if not covers or CO2E in covers:
            raise InvalidInput(
                f"gas is CO2e: covers names the gases behind it, or {UNSTATED!r} where the source"
                " does not say"
            )
    elif list(covers) != wanted:
        raise InvalidInput(f"gas is {gas!r}: covers is {wanted}, not {list(covers)}")


def _check_parts(factor: Factor) -> None:
    """A fuel's factor is NCV × carbon content × oxidation × 44/12, to its own last digit."""
    if not {"ncv", "carbon", "oxidation"} <= set(factor.parts):
        return
    ncv, carbon, oxidation = (Fraction(factor.parts[n]) for n in ("ncv", "carbon", "oxidation"))
    product = ncv * carbon * oxidation * Fraction(44, 12)
    last_digit = Fraction(1, 10 ** len(factor.value.partition(".")[2]))
    if abs(product - factor.exact) * 2 > last_digit:
        raise InvalidInput(
            f"value is {factor.value}, but its parts give {float(product):.6g} (ncv × carbon ×"
            " oxidation × 44/12)"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactorSeries:
    """A factor that changes every hour, half-hour or quarter-hour, without gaps.

    `value`: int64[n], in 10^-`decimals` of `unit`, for the intervals from `start_s` on.
    """

    item: str
    region: str
    unit: str
    gas: str
    covers: tuple[str, ...]
    start_s: int
    interval_s: int
    decimals: int
    value: Int64
    standard: str
    source: str
    status: str

    @property
    def end_s(self) -> int:
        return self.start_s + self.interval_s * len(self.value)

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.item, self.region, self.standard, self.gas)

    @property
    def kind(self) -> tuple[int, str, tuple[str, ...]]:
        """What series that go on in each other share."""
        return (self.interval_s, self.unit, self.covers)

    @property
    def said(self) -> str:
        return (
            f"{self.item}, {self.region or 'anywhere'}, {format_instant(self.start_s)} to"
            f" {format_instant(self.end_s)}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "region": self.region,
            "unit": self.unit,
            "gas": self.gas,
            "covers": list(self.covers),
            "start": format_instant(self.start_s),
            "interval_s": self.interval_s,
            "decimals": self.decimals,
            "values": self.value.tolist(),
            "standard": self.standard,
            "source": self.source,
            "status": self.status,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FactorSeries:
        """Raises InvalidInput."""
        e.check_members(value, SERIES)
        start_s = parse_instant(value["start"])
        if start_s % value["interval_s"]:
            raise InvalidInput(f"start {value['start']} is on no bound of its intervals")
        _check_gases(value["gas"], value["covers"])
        return cls(
            item=value["item"],
            region=value["region"],
            unit=value["unit"],
            gas=value["gas"],
            covers=tuple(value["covers"]),
            start_s=start_s,
            interval_s=value["interval_s"],
            decimals=value["decimals"],
            value=_integers(value["values"]),
            standard=value["standard"],
            source=value["source"],
            status=value["status"],
        )


def _integers(values: Sequence[Any]) -> Int64:
    if set(map(type, values)) != {int}:
        raise InvalidInput("values are integers, all of them")
    if min(values) < 0 or max(values) > e.INTEGER_MAX:
        raise InvalidInput("a value is negative, or beyond 2^53-1")
    found = np.array(values, dtype=np.int64)
    found.flags.writeable = False
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSet:
    """Factors that are published together, in order, none of them twice."""

    title: Mapping[str, str]
    source: str
    status: str
    factors: tuple[Factor, ...]
    series: tuple[FactorSeries, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "title": dict(self.title),
            "source": self.source,
            "status": self.status,
            "factors": [one.to_json() for one in self.factors],
            "series": [one.to_json() for one in self.series],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FactorSet:
        """Raises InvalidInput with the place of what is wrong."""
        e.check_members(value, SET)
        at("title", lambda: e.check_members(value["title"], TITLE))
        found = cls(
            title=value["title"],
            source=value["source"],
            status=value["status"],
            factors=tuple(
                at(f"factors[{place}]", functools.partial(_object_of, Factor.from_json, one))
                for place, one in enumerate(value["factors"])
            ),
            series=tuple(
                at(f"series[{place}]", functools.partial(_object_of, FactorSeries.from_json, one))
                for place, one in enumerate(value["series"])
            ),
        )
        if not found.factors and not found.series:
            raise InvalidInput("a set holds a factor or a series at least")
        found._check_order()
        return found

    def _check_order(self) -> None:
        for before, after in itertools.pairwise(self.factors):
            if before.order > after.order:
                raise InvalidInput(
                    f"factors stand in order of item, region, year, standard, gas: {after.said}"
                    f" stands after {before.said}"
                )
            if before.key == after.key and (
                before.to_s is None or after.from_s is None or after.from_s < before.to_s
            ):
                raise InvalidInput(
                    f"{after.said}{f', {after.gas}' * bool(after.gas)} stands twice for the same"
                    " time; a set says each factor once"
                )
        places = [(one.key, one.start_s) for one in self.series]
        if places != sorted(places):
            raise InvalidInput("series stand in order of item, region, standard, gas, start")
        for one, other in itertools.pairwise(self.series):
            if one.key == other.key and other.start_s < one.end_s:
                raise InvalidInput(f"series overlap: {one.said} and {other.said}")


def _object_of(read: Callable[[Mapping[str, Any]], Part], value: Any) -> Part:
    if not isinstance(value, dict):
        raise InvalidInput("it is not an object")
    return read(value)


def at(place: str, act: Callable[[], Part]) -> Part:
    """What `act` raises as InvalidInput names the place."""
    try:
        return act()
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error
