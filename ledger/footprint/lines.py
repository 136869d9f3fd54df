"""Lines of a footprint: the mass of each activity for one declared unit, in milligrams. Pure.

Each mass is computed exactly and rounded once, half to even; CO2e is rounded from the exact mass,
too. A milligram and not a gram, since a declared unit may be a screw. What is added up is added up
from lines, so that stages sum to the total, always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.members import CO2E, UNSTATED
from ledger.accounting.factors.units import convert
from ledger.accounting.factors.used import Found, Substitution
from ledger.accounting.lines import decimal
from ledger.accounting.regime import OWN, RESIDUAL, TECHNOLOGY, ZERO, FactorRule, Regime
from ledger.errors import InvalidInput, Refused
from ledger.footprint import members as m
from ledger.footprint.bill import Activity, Quality, Supplier

MG: Final = "mg"
MG_PER_KG: Final = 1_000_000
CO2: Final = "CO2"
CHINA: Final = "CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One mass. `quantity` in `unit`, for one declared unit. `gases_mg`, `co2e_mg`: below 0 of an
    uptake. `share`: what the product has of a shared process, 1 where nothing is shared.
    `primary`: the part of the mass that primary data stands behind."""

    id: str
    title: Mapping[str, str]
    stage: str
    category: str
    quantity: Fraction
    unit: str
    gases_mg: Mapping[str, int]
    gases_co2e_mg: Mapping[str, int]
    coverage: tuple[str, ...]
    kind: str
    primary: Fraction
    quality: Quality
    factors: tuple[Mapping[str, Any], ...] = ()
    supplier: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    share: Fraction = Fraction(1)
    wh: int = 0
    part: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def co2e_mg(self) -> int:
        return sum(self.gases_co2e_mg.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": dict(self.title),
            "stage": self.stage,
            "category": self.category,
            "quantity": decimal(self.quantity),
            "unit": self.unit,
            "gases_mg": dict(sorted(self.gases_mg.items())),
            "co2e_mg": self.co2e_mg,
            "coverage": list(self.coverage),
            "kind": self.kind,
            "primary_ppm": round(self.primary * m.PPM),
            "quality": {
                "technology": self.quality.technology,
                "place": self.quality.place,
                "time": self.quality.time,
            },
            "factors": [dict(one) for one in self.factors],
            "supplier": dict(self.supplier),
            "group": self.group,
            "share": {"above": str(self.share.numerator), "below": str(self.share.denominator)},
            "wh": self.wh,
            "supply": dict(self.part),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The factors of one product, year and regime."""

    library: FactorLibrary
    regime: Regime
    region: str
    year: int
    substitutions: tuple[Substitution, ...] = ()

    def find(self, item: str, region: str) -> list[Found]:
        """One factor for each gas. Raises InvalidInput as the library does."""
        return self.library.find_gases(
            item,
            region=region or self.region,
            year=self.year,
            substitutions=self.substitutions,
        )

    def potential(self, gas: str) -> tuple[Fraction, tuple[Mapping[str, Any], ...]]:
        """kg CO2e a kg of a gas, and the factor that says so. CO2 is 1, CO2e is CO2e already."""
        if gas in (CO2, CO2E):
            return Fraction(1), ()
        if gas.partition("-")[0] not in self.regime.gases:
            raise InvalidInput(
                f"gas {gas} is none that regime {self.regime.name} counts:"
                f" {', '.join(self.regime.gases)}"
            )
        found = self.library.find(
            f"gwp-{gas.lower()}",
            region=self.region,
            year=self.year,
            standard=self.regime.gwp,
            unit="kg/kg",
        )
        return found.value, (found.use(),)

    def electricity(self, supply_class: str, technology: str) -> Found:
        """The life-cycle factor of a supply; never 0. Raises Refused or InvalidInput."""
        rule = self._rule(supply_class, technology)
        region = CHINA if rule.level == "national" else self.region
        found = self.library.find(
            rule.item,
            region=region,
            year=rule.year or self.year,
            standard=rule.standard or None,
            substitutions=self.substitutions,
        )
        if not found.value:
            raise Refused(
                f"{found.factor.said} is 0: in a product footprint no electricity is, since plants"
                " and grids are part of the life cycle"
            )
        return found

    def _rule(self, supply_class: str, technology: str) -> FactorRule:
        rules = self.regime.electricity
        if rules is None:
            raise Refused(f"regime {self.regime.name} has no term of electricity; a footprint has")
        name = rules.classes[supply_class]
        if name == ZERO:
            raise Refused(
                f"regime {self.regime.name} counts {supply_class} electricity as 0; in a product"
                " footprint none is"
            )
        if name in (TECHNOLOGY, OWN):
            name = rules.technologies.get(technology) or rules.other
        if not name:
            known = ", ".join(sorted(rules.technologies))
            raise InvalidInput(
                f"regime {self.regime.name} has no life-cycle factor of {supply_class} electricity"
                f" of technology {technology!r}; it has: {known}"
            )
        return rules.factors[name]

    # Masses

    def masses(
        self, founds: list[Found], quantity: Fraction, unit: str, sign: int
    ) -> tuple[dict[str, int], dict[str, int], list[Mapping[str, Any]], set[str]]:
        """(mg by gas, mg CO2e by gas, factors used, gases covered)."""
        gases: dict[str, int] = {}
        co2e: dict[str, int] = {}
        used: list[Mapping[str, Any]] = []
        covers: set[str] = set()
        for found in founds:
            if not found.gas:
                raise InvalidInput(f"{found.factor.said} is no factor of an emission")
            exact = sign * found.times(quantity, unit, MG)
            potential, more = self.potential(found.gas)
            gases[found.gas] = round(exact)
            co2e[found.gas] = round(exact * potential)
            used += [found.use(), *more]
            covers |= set(found.covers)
        return gases, co2e, used, covers


def line_of(book: Book, one: Activity, quantity: Fraction, share: Fraction) -> Line:
    """The line of an activity of which a declared unit takes `quantity`, in its unit."""
    sign = -1 if one.category == m.UPTAKE else 1
    primary = Fraction(one.kind == m.PRIMARY)
    supplier: dict[str, Any] = {}
    used: list[Mapping[str, Any]]
    if one.supplier is not None:
        mg, supplier = _of_supplier(one.supplier, quantity, one.unit)
        gases = co2e = {CO2E: round(sign * mg)}
        used, covers = [], {UNSTATED}
        if one.supplier.primary_share:
            primary = Fraction(one.supplier.primary_share) / 100
    elif one.gas:
        exact = sign * convert(quantity, one.unit, MG)
        potential, more = book.potential(one.gas)
        gases, co2e = {one.gas: round(exact)}, {one.gas: round(exact * potential)}
        used, covers = list(more), {UNSTATED if one.gas == CO2E else one.gas}
    else:
        founds = book.find(one.item, one.region)
        gases, co2e, used, covers = book.masses(founds, quantity, one.unit, sign)
    return Line(
        id=one.id,
        title=one.title,
        stage=one.stage,
        category=one.category,
        quantity=quantity,
        unit=one.unit,
        gases_mg=gases,
        gases_co2e_mg=co2e,
        coverage=tuple(sorted(covers)),
        kind=one.kind,
        primary=primary,
        quality=one.quality,
        factors=tuple(used),
        supplier=supplier,
        group=one.group,
        share=share,
        note=one.note,
    )


def _of_supplier(
    supplier: Supplier, quantity: Fraction, unit: str
) -> tuple[Fraction, dict[str, Any]]:
    """mg of CO2e of a quantity, and what it rests on. Raises InvalidInput for another unit."""
    declared = m.DECLARED_UNITS[supplier.declared_unit]
    units = convert(quantity, unit, declared) / Fraction(supplier.declared_amount)
    said = {
        "document": supplier.document,
        "sha256": supplier.sha256,
        "pcf": supplier.pcf,
        "declared_unit": supplier.declared_unit,
        "declared_amount": supplier.declared_amount,
        "primary_share": supplier.primary_share,
    }
    return units * Fraction(supplier.pcf) * MG_PER_KG, said


__all__ = ["MG_PER_KG", "RESIDUAL", "Book", "Line", "line_of"]
