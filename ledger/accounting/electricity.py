"""Electricity under a regime: each class of supply as the regime says, then what is left. Pure.

- What covers consumption counts by its class and technology; what nothing covers is the residual.
- Where a regime counts by the hour, or only what was matched in its quarter-hour, a supply that is
  known by the month or the period alone is not matched: it is residual, and the line says so.
- What was burnt on site to make electricity counts as fuel, so that electricity of own fuel is 0
  here; without any fuel on record that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from ledger.accounting import facts as f
from ledger.accounting import titles
from ledger.accounting.factors.series import FoundSeries
from ledger.accounting.factors.used import Found
from ledger.accounting.facts import Electricity, Facts, Int64, Supply
from ledger.accounting.finding import Finder, electricity_mass_g
from ledger.accounting.lines import Line, Title, records_of
from ledger.accounting.regime import (
    HOUR,
    INTERVAL,
    OWN,
    RESIDUAL,
    TECHNOLOGY,
    ZERO,
    ElectricityRule,
    Regime,
)
from ledger.errors import InvalidInput, Refused

LOSSES: Final = "electricity/losses"
CATEGORY: Final = "electricity"
_OWN_FUEL: Final[Title] = {
    "zh": "自有燃料发电，排放计入燃料",
    "en": "made of own fuel, which counts as fuel",
}
_NOT_IN_THE_HOUR: Final = (
    "其中 {wh} Wh（{names}）只按月或按期已知，逐时口径下未匹配",
    "of it {wh} Wh ({names}) are known by the month or period only: not matched in the hour",
)
_AS_CONSUMED: Final[Title] = {
    "zh": "按用电曲线分摊到各时段",
    "en": "spread over the hours as consumption is",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Supply of one class and technology. `quarter_wh` None: not by the hour."""

    supply_class: str
    technology: str
    counterparty: str
    supplies: tuple[Supply, ...]

    @property
    def wh(self) -> int:
        return sum(one.wh for one in self.supplies)

    @property
    def pending_wh(self) -> int:
        return sum(one.wh for one in self.supplies if not one.final)

    @property
    def records(self) -> tuple[str, ...]:
        return records_of(name for one in self.supplies for name in (one.record, one.retirement))

    def quarter_wh(self) -> Int64 | None:
        curves = [one.quarter_wh for one in self.supplies if one.quarter_wh is not None]
        return np.sum(curves, axis=0, dtype=np.int64) if curves else None


def is_matched(rule: ElectricityRule, supply: Supply) -> bool:
    """Whether a supply counts as its class: by the hour only what has a time does."""
    by_hour = rule.matched == INTERVAL or rule.resolution == HOUR
    return supply.quarter_wh is not None or not by_hour


def parts_of(supplies: Iterable[Supply]) -> list[Part]:
    """By class in the order in which they cover, then by technology and who delivered it."""
    groups: dict[tuple[int, str, str], list[Supply]] = {}
    for one in supplies:
        order = f.SUPPLY_CLASSES.index(one.supply_class), one.technology, one.counterparty
        groups.setdefault(order, []).append(one)
    return [
        Part(
            supply_class=f.SUPPLY_CLASSES[place],
            technology=technology,
            counterparty=counterparty,
            supplies=tuple(found),
        )
        for (place, technology, counterparty), found in sorted(groups.items())
        if any(one.wh for one in found)
    ]


def lines_of(finder: Finder, facts: Facts) -> list[Line]:
    """Raises InvalidInput or Refused, by name: an unknown factor or technology, no fuel."""
    electricity, rule = facts.electricity, finder.regime.electricity
    for one in electricity.supplies:
        finder.regime.require_known(one.technology, f"supply {one.record or one.supply_class}")
    if rule is None:
        return []
    counted = [one for one in electricity.supplies if is_matched(rule, one)]
    left = [one for one in electricity.supplies if not is_matched(rule, one)]
    lines = [_supply_line(finder, facts, part) for part in parts_of(counted)]
    lines.append(_residual_line(finder, electricity, rule, counted, left))
    lines += loss_lines(finder, electricity.losses, electricity.quarter_wh)
    lines += [_export_line(finder, rule, one) for one in electricity.exports if one.wh]
    return [one for one in lines if one.quantity]


def _supply_line(finder: Finder, facts: Facts, part: Part) -> Line:
    name, notes = factor_of(finder.regime, part.supply_class, part.technology)
    if notes and not any(one.category in (f.FUEL, f.CONVERSION) for one in facts.activities):
        raise Refused(
            f"{facts.subject}: {part.wh} Wh of self-use are of {part.technology}, but no fuel is on"
            " record that they were made of: record it as an activity of category fuel"
        )
    return counted_line(
        finder,
        name,
        part.wh,
        part.quarter_wh(),
        id_="/".join(
            name
            for name in (CATEGORY, part.supply_class, part.technology, part.counterparty)
            if name
        ),
        title=titles.of_class(part.supply_class, part.technology),
        pending_wh=part.pending_wh,
        records=part.records,
        notes=notes,
        counterparty=part.counterparty,
    )


def _residual_line(
    finder: Finder,
    electricity: Electricity,
    rule: ElectricityRule,
    counted: Sequence[Supply],
    left: Sequence[Supply],
) -> Line:
    covered = [one.quarter_wh for one in counted if one.quarter_wh is not None]
    curve = electricity.quarter_wh - np.sum(
        [np.zeros_like(electricity.quarter_wh), *covered], axis=0, dtype=np.int64
    )
    wh = electricity.consumption_wh - sum(one.wh for one in counted)
    notes: tuple[Title, ...] = ()
    if any(one.wh for one in left):
        left_wh = sum(one.wh for one in left)
        classes = [titles.CLASSES[part.supply_class] for part in parts_of(left)]
        zh, en = (
            text.format(wh=left_wh, names=", ".join(dict.fromkeys(one[of] for one in classes)))
            for text, of in zip(_NOT_IN_THE_HOUR, ("zh", "en"), strict=True)
        )
        notes = ({"zh": zh, "en": en},)
    how = rule.classes[RESIDUAL]
    return counted_line(
        finder,
        "" if how == ZERO else how,
        wh,
        curve,
        id_=f"{CATEGORY}/{RESIDUAL}",
        title=titles.CLASSES[RESIDUAL],
        records=records_of(one.record for one in left),
        notes=notes,
    )


def _export_line(finder: Finder, rule: ElectricityRule, export: f.Export) -> Line:
    """Of unknown technology nobody can say that it was fossil: it earns no credit."""
    if export.technology:
        finder.regime.require_known(export.technology, f"export {export.record}")
    green = not export.technology or (
        rule.export_zero_set and export.technology in finder.regime.sets[rule.export_zero_set]
    )
    return counted_line(
        finder,
        "" if green else rule.export_factor,
        -export.wh,
        None if export.quarter_wh is None else -export.quarter_wh,
        id_=f"{CATEGORY}/export/{export.technology or 'unknown'}/{export.record}",
        title=titles.of_class("export", export.technology),
        records=records_of([export.record]),
        counterparty=export.counterparty,
    )


def factor_of(regime: Regime, supply_class: str, technology: str) -> tuple[str, tuple[Title, ...]]:
    """The regime's factor for a class and technology, "" for zero; a note where fuel counts.

    Raises InvalidInput where the regime has none for the technology.
    """
    rule = regime.electricity
    assert rule is not None
    how = rule.classes[supply_class]
    if how not in (ZERO, TECHNOLOGY, OWN):
        return how, ()
    if how == ZERO:
        return "", ()
    if technology in rule.technologies:
        return rule.technologies[technology], ()
    if rule.zero_set and technology in regime.sets[rule.zero_set]:
        return "", ()
    if how == OWN and technology in regime.sets["fossil"]:
        return "", (_OWN_FUEL,)
    if rule.other:
        return rule.other, ()
    known = ", ".join(sorted(rule.technologies)) or "none"
    raise InvalidInput(
        f"regime {regime.name} has no factor for {supply_class} supply of technology"
        f" {technology!r}; it has some of {known}: register a regime that has it"
    )


def counted_line(
    finder: Finder,
    name: str,
    wh: int,
    quarter_wh: Int64 | None,
    *,
    id_: str,
    title: Title,
    pending_wh: int = 0,
    records: tuple[str, ...] = (),
    notes: tuple[Title, ...] = (),
    counterparty: str = "",
) -> Line:
    """Energy by one of the regime's factors, or by zero (name "")."""
    rule = finder.regime.electricity
    assert rule is not None
    members = {
        "id": id_,
        "category": CATEGORY,
        "title": title,
        "quantity": Fraction(wh),
        "unit": "Wh",
        "scope": rule.scope,
        "pending_wh": pending_wh,
        "records": records,
        "counterparty": counterparty,
    }
    if not name or not wh:
        return finder.line({}, {}, notes=notes, **members)
    found = finder.electricity(rule.factors[name])
    _require_counted(finder, found, id_)
    exact = {found.gas: electricity_mass_g(found, wh, quarter_wh)}
    return finder.line(exact, {found.gas: found.covers}, factor=found.use(), notes=notes, **members)


def _require_counted(finder: Finder, found: Found | FoundSeries, where: str) -> None:
    """Raises InvalidInput for a factor of a gas, or a mixture, that the regime does not count."""
    if not finder.counts(found.gas, found.covers, where):
        raise InvalidInput(
            f"{where}: regime {finder.regime.name} counts {', '.join(finder.regime.gases)}, and its"
            f" factor of electricity is of {found.gas}: publish a factor of a gas that it counts"
        )


def loss_lines(finder: Finder, losses: Iterable[f.Losses], like_wh: Int64) -> list[Line]:
    """Of lines and transformers, each under its meter. `like_wh`: int64[T], what they go with."""
    return [
        spread_line(
            finder,
            one.loss_wh,
            like_wh,
            id_=f"{LOSSES}/{one.point}",
            title=titles.CLASSES["losses"],
            records=records_of([one.point]),
        )
        for one in losses
    ]


def spread_line(
    finder: Finder, wh: int, like_wh: Int64, *, id_: str, title: Title, records: tuple[str, ...]
) -> Line:
    """Energy without a time of its own (losses), by the residual's factor: never green."""
    rule = finder.regime.electricity
    assert rule is not None
    name = rule.classes[RESIDUAL]
    if name == ZERO or rule.resolution != HOUR or not wh:
        return counted_line(
            finder, "" if name == ZERO else name, wh, None, id_=id_, title=title, records=records
        )
    found = finder.electricity(rule.factors[name])
    assert isinstance(found, FoundSeries)
    _require_counted(finder, found, id_)
    shape = like_wh if like_wh.any() else np.ones_like(like_wh)
    exact = {found.gas: found.mass_g(shape) * wh / int(shape.sum())}
    return finder.line(
        exact,
        {found.gas: found.covers},
        id=id_,
        category=CATEGORY,
        title=title,
        quantity=Fraction(wh),
        unit="Wh",
        scope=rule.scope,
        factor=found.use(),
        records=records,
        notes=(_AS_CONSUMED,),
    )
