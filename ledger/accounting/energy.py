"""Energy in coal equivalent (tce), by equivalent (等价值) or calorific (当量值) value. Pure.

Comprehensive consumption: what came in less what went out, so that nothing counts twice: fuel that
electricity was made of counts as fuel, and what members gave each other not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from ledger.accounting import activities, titles
from ledger.accounting import facts as f
from ledger.accounting.factors.used import Found
from ledger.accounting.facts import Facts
from ledger.accounting.finding import Finder
from ledger.accounting.lines import Title, decimal

EQUIVALENT: Final = "equivalent"
CALORIFIC: Final = "calorific"
METHODS: Final = (EQUIVALENT, CALORIFIC)
GCE_PER_TCE: Final = 1_000_000
_TITLES: Final[Mapping[str, Title]] = {
    EQUIVALENT: {"zh": "电力按等价值", "en": "electricity by equivalent value"},
    CALORIFIC: {"zh": "电力按当量值", "en": "electricity by calorific value"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyLine:
    """A quantity of energy in g of coal equivalent, rounded once."""

    id: str
    title: Title
    quantity: Fraction
    unit: str
    gce: int
    factor: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": dict(self.title),
            "quantity": decimal(self.quantity),
            "unit": self.unit,
            "gce": self.gce,
            "factor": dict(self.factor),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """Comprehensive energy consumption by one method."""

    method: str
    lines: tuple[EnergyLine, ...]

    @property
    def gce(self) -> int:
        return sum(one.gce for one in self.lines)

    @property
    def tce(self) -> Fraction:
        return Fraction(self.gce, GCE_PER_TCE)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.method,
            "title": dict(_TITLES[self.method]),
            "gce": self.gce,
            "lines": [one.to_json() for one in self.lines],
        }


def energy(finder: Finder, found: Sequence[Facts], method: str) -> Energy:
    """Of an organisation, or of all members and the park's own. Raises as the library."""
    electricity = finder.find(f"tce-electricity-{method}")[0]
    burning = {one.subject for one in found if _burns(one)}
    lines = [
        line
        for one in found
        for line in (*_electricity(finder, one, electricity, burning), *_fuels(finder, one))
    ]
    return Energy(method=method, lines=tuple(lines))


def _burns(one: Facts) -> bool:
    return any(each.category in (f.FUEL, f.CONVERSION) for each in one.activities)


def _electricity(
    finder: Finder, one: Facts, found: Found, burning: Collection[str]
) -> Iterator[EnergyLine]:
    """`burning`: subjects whose fuel is on record; what they made of it counts there."""
    burnt_wh = sum(
        each.wh
        for each in one.electricity.supplies
        if each.technology in finder.regime.sets["fossil"]
        and (one.subject if each.supply_class == f.SELF else each.counterparty) in burning
    )
    used_wh = one.electricity.consumption_wh - burnt_wh
    if used_wh:
        yield _line(f"{one.subject}/electricity", titles.CATEGORIES["electricity"], found, used_wh)
    sold_wh = sum(
        each.wh
        for each in one.electricity.exports
        if each.technology in finder.regime.sets["fossil"]
        and not each.counterparty
        and one.subject in burning
    )
    if sold_wh:
        yield _line(f"{one.subject}/export", titles.CLASSES["export"], found, -sold_wh)
    if one.park is not None:
        for loss in one.park.losses:
            if loss.loss_wh:
                yield _line(
                    f"{one.subject}/losses/{loss.point}",
                    titles.CLASSES["losses"],
                    found,
                    loss.loss_wh,
                )


def _fuels(finder: Finder, one: Facts) -> Iterator[EnergyLine]:
    for each in activities.counted(one):
        if each.category not in (f.FUEL, f.CONVERSION, f.HEAT) or each.counterparty:
            continue
        found = finder.find(f"tce-{each.item}")[0]
        sign = -1 if each.direction == f.OUT else 1
        yield EnergyLine(
            id=f"{one.subject}/{each.category}/{each.record}",
            title=titles.of_item(each.category, each.item, each.direction),
            quantity=sign * each.quantity,
            unit=each.unit,
            gce=sign * round(found.times(each.quantity, each.unit, "gce")),
            factor=found.use(),
        )


def _line(id_: str, title: Title, found: Found, wh: int) -> EnergyLine:
    return EnergyLine(
        id=id_,
        title=title,
        quantity=Fraction(wh),
        unit="Wh",
        gce=round(found.times(wh, "Wh", "gce")),
        factor=found.use(),
    )
