"""The factors of a regime for a subject: items, regions and years as the regime says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.factors import regions, units
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.members import CO2E, UNSTATED
from ledger.accounting.factors.series import FoundSeries
from ledger.accounting.factors.used import Found, Substitution, read_substitutions
from ledger.accounting.facts import Facts, Int64
from ledger.accounting.lines import CO2, Exact, Line, rounded
from ledger.accounting.regime import HOUR, FactorRule, Regime
from ledger.errors import InvalidInput
from ledger.units import Period, format_instant

GRAM: Final = "g"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a figure is asked with. `substitutions`: stated, as factors.used has them.
    `direct_region`: GB/T 2260 prefix in which a plant is direct, "" anywhere. `standards`: {item:
    standard}, where factors differ by it."""

    substitutions: tuple[Substitution, ...] = ()
    direct_region: str = ""
    standards: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        substitutions: Sequence[Any] = (),
        direct_region: str = "",
        standards: Mapping[str, str] | None = None,
    ) -> Options:
        """Raises InvalidInput."""
        return cls(
            substitutions=read_substitutions(substitutions),
            direct_region=direct_region,
            standards=standards or {},
        )


def year_of(period: Period, zone_s: int) -> int:
    """The calendar year of park time that a period lies in. Raises InvalidInput for several."""
    first, last = (
        datetime.fromtimestamp(at_s + zone_s, UTC).year
        for at_s in (period.start_s, period.end_s - 1)
    )
    if first != last:
        raise InvalidInput(
            f"{format_instant(period.start_s)} – {format_instant(period.end_s)} lies in the years"
            f" {first} and {last}: factors are of one year; account for each"
        )
    return first


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """A library, asked for one subject and period under one regime."""

    library: FactorLibrary
    regime: Regime
    options: Options
    region: str
    year: int
    period: Period

    @classmethod
    def of(cls, library: FactorLibrary, regime: Regime, options: Options, facts: Facts) -> Finder:
        return cls(
            library=library,
            regime=regime,
            options=options,
            region=facts.electricity.region,
            year=year_of(facts.period, facts.zone_s),
            period=facts.period,
        )

    @property
    def place(self) -> str:
        return self.region or regions.CHINA

    def standard(self, item: str, regimes_own: str = "") -> str | None:
        return self.options.standards.get(item) or regimes_own or None

    def find(self, item: str, standard: str = "") -> list[Found]:
        """One factor for each gas. Raises InvalidInput as the library does."""
        return self.library.find_gases(
            item,
            region=self.place,
            year=self.year,
            standard=self.standard(item, standard),
            substitutions=self.options.substitutions,
        )

    def electricity(self, rule: FactorRule) -> Found | FoundSeries:
        place = self._place_of(rule)
        standard = self.standard(rule.item, rule.standard)
        electricity = self.regime.electricity
        assert electricity is not None
        if electricity.resolution == HOUR:
            return self.library.series(
                rule.item,
                place,
                self.period,
                year=rule.year or self.year,
                standard=standard,
                substitutions=self.options.substitutions,
            )
        return self.library.find(
            rule.item,
            region=place,
            year=rule.year or self.year,
            standard=standard,
            substitutions=self.options.substitutions,
        )

    def _place_of(self, rule: FactorRule) -> str:
        if rule.level == regions.NATIONAL or not rule.level:
            return regions.CHINA if rule.level else self.place
        return regions.at_level(self.region, rule.level)

    def gwp(self, gas: str) -> Found:
        """kg CO2e a kg of a gas, of the regime's assessment."""
        item = f"gwp-{gas.lower()}"
        return self.library.find(
            item, region=self.place, year=self.year, standard=self.regime.gwp, unit="kg/kg"
        )

    def potential(self, gas: str) -> tuple[Fraction, tuple[Mapping[str, Any], ...]]:
        """CO2 is 1, and CO2e is CO2e already."""
        if gas in (CO2, CO2E):
            return Fraction(1), ()
        found = self.gwp(gas)
        return found.value, (found.use(),)

    def counts(self, gas: str, covers: Sequence[str], where: str) -> bool:
        """Whether the regime counts what a factor gives. Raises InvalidInput for a CO2e that covers
        more gases than it counts: nobody can take them apart."""
        if gas != CO2E:
            return family(gas) in self.regime.gases
        beyond = [one for one in covers if family(one) not in self.regime.gases]
        if beyond and not (self.regime.gwp and beyond == [UNSTATED]):
            raise InvalidInput(
                f"{where}: regime {self.regime.name} counts {', '.join(self.regime.gases)}; the"
                f" factor is CO2e of {', '.join(covers)}: an unlabelled mixture; give one per gas"
            )
        return True

    def line(self, exact: Exact, covers: Mapping[str, Sequence[str]], **members: Any) -> Line:
        """A line of masses in g: rounded once, CO2e from the exact mass. `covers`: {gas: gases}."""
        co2e_g: int | None = None
        gwp: list[Mapping[str, Any]] = []
        if self.regime.gwp:
            whole = Fraction(0)
            for gas, mass_g in exact.items():
                potential, used = self.potential(gas)
                whole += mass_g * potential
                gwp += used
            co2e_g = round(whole)
        coverage = tuple(sorted({one for gas in exact for one in covers.get(gas, (gas,))}))
        return Line(
            gases_g=rounded(exact), co2e_g=co2e_g, gwp=tuple(gwp), coverage=coverage, **members
        )


def family(gas: str) -> str:
    """HFC-134a is of the family HFC."""
    return gas.partition("-")[0]


def electricity_mass_g(found: Found | FoundSeries, wh: int, quarter_wh: Int64 | None) -> Fraction:
    """Energy times its factor, in g, exactly. A series needs the quarter-hours."""
    if isinstance(found, FoundSeries):
        if quarter_wh is None:
            raise InvalidInput(
                f"{wh} Wh have no quarter-hours, and {found.series.said} is a factor by the hour"
            )
        return found.mass_g(quarter_wh)
    return found.times(wh, "Wh", GRAM)


def full_oxidation(found: Found) -> Fraction | None:
    """The factor at an oxidation of 100 %, in the factor's own unit; None where it has no parts."""
    if not {"ncv", "carbon"} <= set(found.parts):
        return None
    tonnes = Fraction(found.parts["ncv"]) * Fraction(found.parts["carbon"]) * Fraction(44, 12)
    return tonnes * units.ratio("t", found.unit.partition("/")[0])
