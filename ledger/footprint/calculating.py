"""A product's footprint for one declared unit, from its bill and the supplies that are its. Pure.

1. A line's quantity for one declared unit is what the bill says for it; or what a period used,
   times the product's share of the process, divided by the declared units made.
2. Own electricity is counted in whole Wh of the period. Of it, supplies are what the footprint
   takes of claims, in the order of evidence: internal, dedicated line, contractual instrument; the
   rest is residual. Each has its life-cycle factor, none is 0.
3. Stages are sums of lines, the total is the sum of stages; a study that says something else is
   refused by name. Offsets are no term at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ledger.accounting import facts, titles
from ledger.accounting.factors.units import convert
from ledger.accounting.regime import RESIDUAL
from ledger.errors import Refused
from ledger.footprint import members as m
from ledger.footprint.asked import Part
from ledger.footprint.bill import Activity, Quality
from ledger.footprint.lines import MG_PER_KG, Book, Line, line_of
from ledger.footprint.product import Product, Stated

INTERNAL: Final = "internal"
DEDICATED: Final = "dedicated-line"
CONTRACT: Final = "contractual-instrument"
# In the order in which a supply counts (ISO 14067, 6.4.9.4; unverified against GB/T 24067).
LEVELS: Final[Mapping[str, str]] = {
    facts.SELF: INTERNAL,
    facts.STORAGE: INTERNAL,
    facts.DIRECT: DEDICATED,
    facts.TRADED: CONTRACT,
    facts.TIMESTAMPED: CONTRACT,
    facts.UNBUNDLED: CONTRACT,
    RESIDUAL: RESIDUAL,
}
RANKS: Final = {name: rank for rank, name in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """All lines of one declared unit. `declared_units`: made in the period. `electricity_wh`: what
    the product used of it; `parts` of that are of claims. `stages_mg`: CO2e, in order."""

    product: Product
    period: str
    declared_units: Fraction
    lines: tuple[Line, ...]
    parts: tuple[Part, ...]
    electricity_wh: int
    stages_mg: Mapping[str, int]

    @property
    def total_mg(self) -> int:
        """CO2e, uptake counted."""
        return sum(self.stages_mg.values())

    @property
    def residual_wh(self) -> int:
        return self.electricity_wh - sum(one.wh for one in self.parts)

    def category_mg(self, *categories: str) -> int:
        return sum(one.co2e_mg for one in self.lines if one.category in categories)

    @property
    def uptake_mg(self) -> int:
        """0 or below."""
        return self.category_mg(m.UPTAKE)

    @property
    def gross_mg(self) -> int:
        """Σ of what all lines weigh, whatever their sign: what shares are shares of."""
        return sum(abs(one.co2e_mg) for one in self.lines)

    @property
    def primary_mg(self) -> Fraction:
        return sum((abs(one.co2e_mg) * one.primary for one in self.lines), Fraction(0))

    def rating(self, name: str) -> Fraction:
        """The mean rating of the lines, weighed by what they emit; plain where nothing does."""
        ratings = [(abs(one.co2e_mg), getattr(one.quality, name)) for one in self.lines]
        if not self.gross_mg:
            ratings = [(1, rating) for _, rating in ratings]
        whole = sum(weight for weight, _ in ratings)
        return Fraction(sum(weight * rating for weight, rating in ratings), whole or 1)


def calculate(product: Product, period: str, book: Book, parts: Sequence[Part] = ()) -> Footprint:
    """Raises InvalidInput or Refused, naming what is missing."""
    made = product.declared_units(period)
    own = _own_electricity(product, period, made)
    lines: list[Line] = []
    for one in product.activities:
        if one.is_of(period) and not one.is_own_electricity:
            with _named(product, one):
                share, quantity = _quantity(product, one, period, made)
                lines.append(line_of(book, one, quantity, share))
    if not own and not lines:
        raise Refused(f"product {product.label}: its bill has no activity in {period}")
    electricity_wh = sum(wh for _, wh in own)
    lines += _electricity(product, book, own, parts, made)
    stages = {
        stage: sum(one.co2e_mg for one in lines if one.stage == stage) for stage in product.stages
    }
    found = Footprint(
        product=product,
        period=period,
        declared_units=made,
        lines=tuple(lines),
        parts=tuple(parts),
        electricity_wh=electricity_wh,
        stages_mg=stages,
    )
    _require_sums(found)
    return found


def own_electricity_wh(product: Product, period: str) -> int:
    """What claims may supply: whole Wh that the product used of its producer's electricity."""
    made = product.declared_units(period)
    return sum(wh for _, wh in _own_electricity(product, period, made))


def _own_electricity(product: Product, period: str, made: Fraction) -> list[tuple[Activity, int]]:
    found = []
    for one in product.activities:
        if one.is_of(period) and one.is_own_electricity:
            with _named(product, one):
                _, quantity = _quantity(product, one, period, made)
                found.append((one, round(convert(quantity * made, one.unit, "Wh"))))
    return found


def _named(product: Product, one: Activity) -> AbstractContextManager[None]:
    return m.at(f"product {product.label}, activity {one.id}")


def _quantity(
    product: Product, one: Activity, period: str, made: Fraction
) -> tuple[Fraction, Fraction]:
    """(the product's share, what one declared unit takes)."""
    quantity = Fraction(one.quantity)
    if not one.per:
        return Fraction(1), quantity
    share = Fraction(1)
    if one.group:
        allocation = product.allocation_of(one.group, period)
        share = allocation.shares()[allocation.own]
    return share, quantity * share / made


def _electricity(
    product: Product,
    book: Book,
    own: Sequence[tuple[Activity, int]],
    parts: Sequence[Part],
    made: Fraction,
) -> list[Line]:
    """A line for each supply, in the order of evidence, and one for the residual."""
    used_wh, taken_wh = sum(wh for _, wh in own), sum(one.wh for one in parts)
    if taken_wh > used_wh:
        raise Refused(
            f"product {product.label}: {taken_wh} Wh are taken of claims, but it used {used_wh} Wh"
            " of electricity: a supply beyond that is nobody's"
        )
    pieces = [
        (one.supply_class, one.technology, one.claim, one.wh)
        for one in sorted(parts, key=lambda one: (RANKS[one.supply_class], one))
    ]
    if used_wh > taken_wh:
        pieces.append((RESIDUAL, "", "", used_wh - taken_wh))
    if not pieces:
        return []
    activities = [one for one, _ in own]
    kind = m.PRIMARY if all(one.kind == m.PRIMARY for one in activities) else m.SECONDARY
    quality = _worst(one.quality for one in activities)
    return [_supplied(book, *piece, made=made, kind=kind, quality=quality) for piece in pieces]


def _worst(found: Iterable[Quality]) -> Quality:
    every = list(found)
    return Quality(
        technology=max(one.technology for one in every),
        place=max(one.place for one in every),
        time=max(one.time for one in every),
    )


def _supplied(
    book: Book,
    supply_class: str,
    technology: str,
    claim: str,
    wh: int,
    *,
    made: Fraction,
    kind: str,
    quality: Quality,
) -> Line:
    found = book.electricity(supply_class, technology)
    each = wh / made
    gases, co2e, used, covers = book.masses([found], each, "Wh", 1)
    name = "-".join(part for part in (m.ELECTRICITY, supply_class, technology, claim[:8]) if part)
    return Line(
        id=name,
        title=titles.of_class(supply_class, technology),
        stage=m.PRODUCTION,
        category=m.FOSSIL,
        quantity=each / 1000,
        unit="kWh",
        gases_mg=gases,
        gases_co2e_mg=co2e,
        coverage=tuple(sorted(covers)),
        kind=kind,
        primary=Fraction(kind == m.PRIMARY),
        quality=quality,
        factors=tuple(used),
        wh=wh,
        part={
            "level": LEVELS[supply_class],
            "supply_class": supply_class,
            "technology": technology,
            "claim": claim,
        },
    )


def _require_sums(found: Footprint) -> None:
    """Stages sum to the total of all lines; what a study states is what comes out."""
    lines_mg = sum(one.co2e_mg for one in found.lines)
    if found.total_mg != lines_mg:
        raise Refused(
            f"product {found.product.label}: its stages sum to {found.total_mg} mg, its activities"
            f" to {lines_mg} mg: a line is of no stage of {found.product.boundary}"
        )
    stated = found.product.stated.get(found.period)
    if stated is not None:
        _require_stated(found, stated)


def _require_stated(found: Footprint, stated: Stated) -> None:
    """Raises Refused where a stated figure is not the computed one, to its own last digit."""
    pairs = [("total", stated.total_kg, found.total_mg)]
    pairs += [
        (f"stage {stage}", kg, found.stages_mg.get(stage, 0)) for stage, kg in stated.stages.items()
    ]
    for what, kg, mg in pairs:
        places = len(kg.partition(".")[2])
        exact = Fraction(mg, MG_PER_KG)
        if round(exact * 10**places) != Fraction(kg) * 10**places:
            raise Refused(
                f"product {found.product.label}, {found.period}: the stated {what} is {kg} kg, its"
                f" activities give {kg_of(mg)} kg CO2e for a declared unit"
            )


def kg_of(mg: int) -> str:
    """Milligrams as kilograms, exactly: `12.3456`."""
    whole, rest = divmod(abs(mg), MG_PER_KG)
    text = f"{whole}.{rest:06}".rstrip("0").rstrip(".")
    return f"{'-' * (mg < 0)}{text}"
