"""Finding the factor of an item, place and year among the sets in force. Pure, but for `at`.

1. A set that `sets` names first wins. Without `sets`, all sets of the operator count as one, and
   what two of them say is refused, by their names.
2. A factor of a wider region serves a place in it, unless narrower ones exist for the item (of any
   year): then one of those is meant.
3. The year is the factor's, or the factor has none. Nothing slides to another year or region, but
   by a substitution that was stated, and that each figure made with it repeats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from ledger.accounting.factors import regions, store, units
from ledger.accounting.factors.model import Factor, FactorSeries
from ledger.accounting.factors.series import FoundSeries, cut, shifted
from ledger.accounting.factors.used import Found, Published, Substitution
from ledger.errors import InvalidInput
from ledger.log.store import LogFacts
from ledger.units import Period

Stated = Sequence[Substitution | Mapping[str, Any]]
Kind = TypeVar("Kind", Factor, FactorSeries)
_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for. `standard`, `gas`: None where any will do. `at_s`: when it has to be in
    force, for factors with dates; None is the end of the year."""

    item: str
    region: str
    year: int
    standard: str | None = None
    gas: str | None = None
    at_s: int | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.item, self.region, self.year)

    @property
    def said(self) -> str:
        place = f"region {self.region} ({regions.name(self.region)})" if self.region else "anywhere"
        more = "".join(f", {one}" for one in (self.standard, self.gas) if one)
        return f"{self.item}, {place}, year {self.year}{more}"

    def fits(self, one: Factor | FactorSeries) -> bool:
        return self.standard in (None, one.standard) and self.gas in (None, one.gas)

    def in_force(self, factor: Factor) -> bool:
        if factor.from_s is None and factor.to_s is None:
            return True
        if self.at_s is not None:
            return factor.in_force(self.at_s)
        return self.year > 0 and factor.in_force(
            int(datetime(self.year, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorLibrary:
    """The sets that factors are looked for in. `ordered`: the first that has one wins."""

    sets: tuple[Published, ...]
    ordered: bool = False
    _factors: Mapping[str, list[tuple[Published, Factor]]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        by_item: dict[str, list[tuple[Published, Factor]]] = {}
        for by in self.sets:
            for factor in by.content.factors:
                by_item.setdefault(factor.item, []).append((by, factor))
        object.__setattr__(self, "_factors", by_item)

    @classmethod
    def at(
        cls, conn: Connection, log: LogFacts, as_of: int, *, sets: Sequence[str] = ()
    ) -> FactorLibrary:
        """The sets in force below a log size: those named, in that order, whoever put them; else
        all that the operator put. Raises InvalidInput for a name that none has."""
        return cls(sets=store.in_force(conn, log, as_of, sets), ordered=bool(sets))

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.sets]

    def find(
        self,
        item: str,
        *,
        region: str,
        year: int,
        unit: str | None = None,
        standard: str | None = None,
        gas: str | None = None,
        at_s: int | None = None,
        substitutions: Stated = (),
    ) -> Found:
        """The one factor of an item for a place and a year; in `unit`, where one is given.

        Raises InvalidInput, naming what was wanted, what there is, and how to state a substitution;
        or what is ambiguous; or the unit that does not convert.
        """
        asked = Asked(item=item, region=region, year=year, standard=standard, gas=gas, at_s=at_s)
        found = self._find(asked, unit, substitutions)
        if len(found) > 1:
            gases = ", ".join(one.gas for one in found)
            raise InvalidInput(f"{found[0].factor.said}: it has factors of {gases}; name the gas")
        return found[0]

    def find_gases(
        self,
        item: str,
        *,
        region: str,
        year: int,
        unit: str | None = None,
        standard: str | None = None,
        at_s: int | None = None,
        substitutions: Stated = (),
    ) -> list[Found]:
        """The factors of an item, one for each gas that it emits, by gas. Raises as `find`."""
        asked = Asked(item=item, region=region, year=year, standard=standard, at_s=at_s)
        return self._find(asked, unit, substitutions)

    def _find(self, asked: Asked, unit: str | None, substitutions: Stated) -> list[Found]:
        stated = _stated_for(asked, substitutions)
        used, rows = None, self._rows(asked)
        if not rows and stated is not None:
            used, rows = stated, self._rows(_instead(asked, stated))
        if not rows:
            raise InvalidInput(self._missing(asked, stated))
        return [
            Found(
                factor=factor,
                by=by,
                wanted=asked.key,
                substitution=used,
                value=factor.exact * (units.ratio(factor.unit, unit) if unit else 1),
                unit=unit or factor.unit,
            )
            for by, factor in sorted(rows, key=lambda row: row[1].gas)
        ]

    def series(
        self,
        item: str,
        region: str,
        period: Period,
        *,
        year: int = 0,
        standard: str | None = None,
        gas: str | None = None,
        substitutions: Stated = (),
    ) -> FoundSeries:
        """The factors of each interval of a period, which lies on the intervals' bounds.

        `year`: that of the period, in park time, which a substitution may move; 0 is that of the
        period's middle. Raises InvalidInput as `find`, and for the first time without a value.
        """
        middle = datetime.fromtimestamp((period.start_s + period.end_s) // 2, UTC)
        asked = Asked(
            item=item, region=region, year=year or middle.year, standard=standard, gas=gas
        )
        stated = _stated_for(asked, substitutions)
        rows, used = self._pieces(asked, period), None
        if not rows and stated is not None:
            moved = shifted(period, asked.year, stated.use_year)
            rows, used = self._pieces(_instead(asked, stated), moved), stated
        if not rows:
            raise InvalidInput(self._no_series(asked, stated))
        by, first = rows[0]
        spent = period if used is None else shifted(period, asked.year, used.use_year)
        interval_s, decimals, value = cut([one for _, one in rows], spent)
        return FoundSeries(
            series=first,
            by=by,
            period=period,
            year=asked.year if used is None else used.use_year,
            substitution=used,
            interval_s=interval_s,
            decimals=decimals,
            value=value,
        )

    # Inside

    def _by_rank(
        self, rows: Sequence[tuple[Published, Kind]]
    ) -> list[list[tuple[Published, Kind]]]:
        """Rows of the sets that are asked one after the other."""
        if not self.ordered:
            return [list(rows)]
        return [[row for row in rows if row[0] is by] for by in self.sets]

    def _rows(self, asked: Asked) -> list[tuple[Published, Factor]]:
        """What the first set says that says anything. Raises InvalidInput where two say it."""
        rows = [row for row in self._factors.get(asked.item, ()) if asked.fits(row[1])]
        for of_rank in self._by_rank(rows):
            near = _narrowest(of_rank, asked.region)
            for year in dict.fromkeys((asked.year, 0)):
                found = [row for row in near if row[1].year == year and asked.in_force(row[1])]
                if found:
                    _require_one(asked, found)
                    return found
        return []

    def _pieces(self, asked: Asked, period: Period) -> list[tuple[Published, FactorSeries]]:
        """Series that overlap the period, by start."""
        rows = [
            (by, one)
            for by in self.sets
            for one in by.content.series
            if one.item == asked.item and asked.fits(one)
        ]
        for of_rank in self._by_rank(rows):
            found = [
                row
                for row in _narrowest(of_rank, asked.region)
                if row[1].start_s < period.end_s and period.start_s < row[1].end_s
            ]
            if found:
                _require_one(asked, found)
                if len({one.gas for _, one in found}) > 1:
                    raise InvalidInput(f"{asked.said}: series of several gases; name the gas")
                return sorted(found, key=lambda row: row[1].start_s)
        return []

    def _missing(self, asked: Asked, stated: Substitution | None) -> str:
        rows = [one for _, one in self._factors.get(asked.item, ())]
        if not rows:
            return f"no factor of {asked.said}: {self._other_items(asked.item)}"
        around = regions.chain(asked.region)
        near = [one for one in rows if one.region in around] or rows
        there = dict.fromkeys(
            f"{one.region or 'anywhere'} {one.year or 'undated'}"
            + (f" ({one.standard})" if asked.standard is not None else "")
            for one in sorted(
                near, key=lambda one: (_place(around, one.region), -one.year, one.standard)
            )
        )
        said = f"no factor of {asked.said}; there is: {_shown(list(there))}"
        if stated is not None:
            return (
                f"{said}; nor is there one of region {stated.use_region!r}, year"
                f" {stated.use_year}, which the stated substitution names"
            )
        return f"{said}. {_how_to_state(asked, near)}"

    def _other_items(self, item: str) -> str:
        if not self.sets:
            return "no set of factors is in force; publish one: greenledger factor shipped"
        items = sorted(self._factors)
        alike = [one for one in items if one.split("-")[0] == item.split("-")[0]] or items
        names = ", ".join(self.names)
        return f"no set in force ({names}) has that item; there is: {_shown(alike)}"

    def _no_series(self, asked: Asked, stated: Substitution | None) -> str:
        there = [
            one.said for by in self.sets for one in by.content.series if one.item == asked.item
        ]
        more = "" if stated is None else ", nor for what the stated substitution names"
        return (
            f"no series of {asked.said}{more}; there is: {_shown(there) if there else 'none'}."
            " To import one: greenledger factor series"
        )


def _stated_for(asked: Asked, substitutions: Stated) -> Substitution | None:
    """The one for the place, else for what contains it."""
    stated = [
        one if isinstance(one, Substitution) else Substitution.from_json(one)
        for one in substitutions
    ]
    for region in regions.chain(asked.region):
        for one in stated:
            if (one.item, one.region, one.year) == (asked.item, region, asked.year):
                return one
    return None


def _instead(asked: Asked, stated: Substitution) -> Asked:
    return replace(asked, region=stated.use_region, year=stated.use_year)


def _narrowest(rows: Sequence[tuple[Published, Kind]], region: str) -> list[tuple[Published, Kind]]:
    for place in regions.chain(region):
        found = [row for row in rows if row[1].region == place]
        if found:
            return found
    return []


def _require_one(asked: Asked, found: Sequence[tuple[Published, Factor | FactorSeries]]) -> None:
    """Raises InvalidInput where two sets, or two standards, say it."""
    names = list(dict.fromkeys(by.name for by, _ in found))
    if len(names) > 1:
        raise InvalidInput(
            f"{asked.said}: the sets {' and '.join(names)} both say it; name in 'sets' which are"
            " asked, the first one first"
        )
    standards = sorted({one.standard for _, one in found})
    if len(standards) > 1:
        said = ", ".join(repr(one) for one in standards)
        raise InvalidInput(f"{asked.said}: it differs by standard; name one of {said}")


def _place(around: Sequence[str], region: str) -> int:
    return around.index(region) if region in around else len(around)


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_MAX
    return ", ".join(names[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _how_to_state(asked: Asked, near: Sequence[Factor]) -> str:
    """A substitution to copy: of the narrowest region, the nearest year."""
    around = regions.chain(asked.region)
    best = min(
        near, key=lambda one: (_place(around, one.region), abs(one.year - asked.year), one.year)
    )
    example = Substitution(
        item=asked.item,
        region=asked.region,
        year=asked.year,
        use_region=best.region,
        use_year=best.year,
        reason="…",
    )
    return (
        "To use another one, state a substitution with its reason:"
        f" {json.dumps(example.to_json(), ensure_ascii=False)}"
    )
