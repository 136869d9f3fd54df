"""What PACT demands of a footprint in words, which its schema does not check. Pure.

Our own documents hold all of it. Of others' documents it is a remark: they are taken as they are,
since a schema that lets something through is what partners test against.
Source: WBCSD PACT technical specification 3.0.3, descriptions of the members and "Validity period".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

from ledger.footprint.pact.fields import DIGITS_MAX, MASSLESS, amount, instant
from ledger.footprint.pact.model import CarbonFootprint, ProductFootprint

VALID_YEARS: Final = 3
# Sums of a few numbers of DIGITS_MAX digits before and behind the point are exact.
_PRECISION: Final = 2 * DIGITS_MAX + 10
# pcfExcludingBiogenicUptake has these in it.
_PARTS: Final = (
    "fossil_ghg_emissions",
    "land_use_change_ghg_emissions",
    "land_management_biogenic_co2_emissions",
    "land_management_biogenic_co2_removals",
    "technological_co2_removals",
    "ccs_technological_co2_capture",
    "biogenic_non_co2_emissions",
)
_CAPTURED: Final = (
    "ccs_technological_co2_capture",
    "technological_co2_removals",
    "technological_co2_capture_origin",
)


def years_after(moment: datetime, years: int) -> datetime:
    """The same day of another year; 1 March where that year has no 29 February."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)


def validity(footprint: ProductFootprint) -> tuple[datetime, datetime]:
    """From when until when it holds: as it says, else three years from the reference period on."""
    reference_end = instant(footprint.pcf.reference_period_end)
    start, end = footprint.validity_period_start, footprint.validity_period_end
    return (
        instant(start) if start else reference_end,
        instant(end) if end else years_after(reference_end, VALID_YEARS),
    )


def remarks(footprint: ProductFootprint) -> list[str]:
    """What does not hold, each with the place that it is about."""
    return [*_of_life(footprint), *_of_places(footprint), *_of_sums(footprint.pcf)]


def _of_life(footprint: ProductFootprint) -> Iterator[str]:
    begin, end = (
        instant(footprint.pcf.reference_period_start),
        instant(footprint.pcf.reference_period_end),
    )
    if not begin < end:
        yield "$.pcf.referencePeriodEnd: is not after referencePeriodStart"
    valid_from, valid_until = validity(footprint)
    if valid_from < end:
        yield "$.validityPeriodStart: is before the end of the reference period"
    if not valid_from < valid_until:
        yield "$.validityPeriodEnd: is not after the start"
    if valid_until > years_after(end, VALID_YEARS):
        yield "$.validityPeriodEnd: is more than 3 years after the end of the reference period"
    before = [one.lower() for one in footprint.preceding_pf_ids or []]
    if footprint.id.lower() in before:
        yield "$.precedingPfIds: names this footprint itself"
    if footprint.extensions == []:
        yield "$.extensions: is empty; where there are none it is left out"


def _of_places(footprint: ProductFootprint) -> Iterator[str]:
    pcf = footprint.pcf
    mass, unit = amount(pcf.product_mass_per_declared_unit), pcf.declared_unit_of_measurement
    if unit in MASSLESS and mass != 0:
        yield f"$.pcf.productMassPerDeclaredUnit: is not 0, though the unit is {unit}"
    if unit not in MASSLESS and mass <= 0:
        yield f"$.pcf.productMassPerDeclaredUnit: is not above 0, though the unit is {unit}"
    if unit == "kilogram" and mass > 0 and mass != amount(pcf.declared_unit_amount):
        yield "$.pcf.productMassPerDeclaredUnit: is not declaredUnitAmount, though both are kg"
    if pcf.packaging_emissions_included is False and pcf.packaging_ghg_emissions is not None:
        yield "$.pcf.packagingGhgEmissions: stands where packaging is not included"
    if pcf.ccs_technological_co2_capture_included is False:
        for name in _CAPTURED:
            if getattr(pcf, name) is not None:
                yield f"$.pcf.{_alias(name)}: stands where no capture is included"
    for number, rule in enumerate(pcf.product_or_sector_specific_rules or []):
        if (rule.operator == "Other") != (rule.other_operator_name is not None):
            yield (
                f"$.pcf.productOrSectorSpecificRules[{number}].otherOperatorName: stands exactly"
                " where the operator is Other"
            )
    yield from _of_percent(pcf)


def _of_percent(pcf: CarbonFootprint) -> Iterator[str]:
    for name in ("exempted_emissions_percent", "primary_data_share"):
        text = getattr(pcf, name)
        if text is not None and not 0 <= amount(text) <= 100:
            yield f"$.pcf.{_alias(name)}: is no percentage of 0 to 100"
    for name in ("technological_dqr", "geographical_dqr", "temporal_dqr"):
        text = getattr(pcf.dqi, name) if pcf.dqi else None
        if text is not None and not 1 <= amount(text) <= 5:
            yield f"$.pcf.dqi.{name.partition('_')[0]}DQR: is not of 1 to 5"


def _of_sums(pcf: CarbonFootprint) -> Iterator[str]:
    """Biogenic CO2 that is not of land management has no part of its own: the whole may be more."""
    with localcontext(prec=_PRECISION):
        excluding = amount(pcf.pcf_excluding_biogenic_uptake)
        parts = sum((_stated(pcf, name) for name in _PARTS), Decimal(0))
        if parts > excluding:
            yield f"$.pcf.pcfExcludingBiogenicUptake: is {excluding}, less than its parts, {parts}"
        including = amount(pcf.pcf_including_biogenic_uptake)
        both = excluding + _stated(pcf, "biogenic_co2_uptake")
        if both != including:
            yield (
                f"$.pcf.pcfIncludingBiogenicUptake: is {including}, excluding and uptake add up to"
                f" {both}"
            )


def _stated(pcf: CarbonFootprint, name: str) -> Decimal:
    text = getattr(pcf, name)
    return Decimal(0) if text is None else amount(text)


def _alias(name: str) -> str:
    return str(CarbonFootprint.model_fields[name].alias)
