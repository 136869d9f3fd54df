"""The product footprint of PACT version 3, as strict models: what one may send and take. Pure.

Source: WBCSD PACT technical specification 3.0.3, data model. Members that later revisions add are
kept as they came. What the specification demands in words alone: `ledger.footprint.pact.rules`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from ledger.footprint.pact.fields import (
    Country,
    DeclaredUnit,
    Instant,
    NonEmpty,
    NotNegative,
    NotPositive,
    Number,
    Positive,
    Region,
    Report,
    SpecVersion,
    Subdivision,
    Unique,
    Uri,
    Urn,
    Uuid,
)

VERSION: Final = "3.0.0"
ACTIVE: Final = "Active"
DEPRECATED: Final = "Deprecated"


def _named(field: str) -> str:
    """`biogenic_co2_uptake` → `biogenicCO2Uptake`."""
    return to_camel(field).replace("Co2", "CO2").replace("Dqr", "DQR")


class Part(BaseModel):
    """One object of a document. Nothing is converted, nothing that came is lost."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, alias_generator=_named)


class Rule(Part):
    """Rules for a product or sector, by who publishes them."""

    operator: Literal["PEF", "EPD International", "Other"]
    rule_names: Annotated[list[NonEmpty], Field(min_length=1), Unique]
    other_operator_name: NonEmpty | None = None


class FactorSource(Part):
    """A database that secondary factors are of."""

    name: NonEmpty
    version: NonEmpty


class DataQuality(Part):
    """Ratings from 1 to 5, weighted over all inputs (PACT Methodology 4.2.3)."""

    technological_dqr: Number
    geographical_dqr: Number
    temporal_dqr: Number


class Verification(Part):
    """That somebody else has checked the footprint."""

    coverage: Literal["PCF calculation model", "PCF program", "product level"] | None = None
    provider_name: str | None = None
    completed_at: Instant | None = None
    standard_name: str | None = None
    comments: str | None = None


class Extension(Part):
    """Members of another data model, beside ours."""

    spec_version: str
    data_schema: Uri
    documentation: Uri | None = None
    data: dict[str, Any]


class CarbonFootprint(Part):
    """The figures: kgCO2e, kgC or kg for each declared unit, which is an amount of a measure."""

    declared_unit_of_measurement: DeclaredUnit
    declared_unit_amount: Positive
    product_mass_per_declared_unit: Number
    reference_period_start: Instant
    reference_period_end: Instant
    # At most one of three; none is the whole world.
    geography_region_or_subregion: Region | None = None
    geography_country: Country | None = None
    geography_country_subdivision: Subdivision | None = None
    boundary_processes_description: str | None = None

    pcf_excluding_biogenic_uptake: Number
    pcf_including_biogenic_uptake: Number
    fossil_carbon_content: NotNegative
    biogenic_carbon_content: NotNegative | None = None
    recycled_carbon_content: NotNegative | None = None
    fossil_ghg_emissions: NotNegative
    land_use_change_ghg_emissions: NotNegative | None = None
    land_carbon_leakage: NotNegative | None = None
    land_management_fossil_ghg_emissions: NotNegative | None = None
    land_management_biogenic_co2_emissions: NotNegative | None = None
    land_management_biogenic_co2_removals: NotPositive | None = None
    biogenic_co2_uptake: NotPositive | None = None
    biogenic_non_co2_emissions: NotNegative | None = None
    land_area_occupation: NotNegative | None = None
    aircraft_ghg_emissions: NotNegative | None = None
    packaging_emissions_included: bool | None = None
    packaging_ghg_emissions: NotNegative | None = None
    packaging_biogenic_carbon_content: NotNegative | None = None
    outbound_logistics_ghg_emissions: NotNegative | None = None
    ccs_technological_co2_capture_included: bool | None = None
    ccs_technological_co2_capture: NotPositive | None = None
    technological_co2_capture_origin: str | None = None
    technological_co2_removals: NotPositive | None = None
    ccu_carbon_content: NotNegative | None = None
    ccu_calculation_approach: Literal["Cut-off", "Credit"] | None = None
    ccu_credit_certification: Uri | None = None

    ipcc_characterization_factors: Annotated[list[Report], Field(min_length=1), Unique]
    # Any text: later revisions name more.
    cross_sectoral_standards: Annotated[list[str], Field(min_length=1), Unique]
    product_or_sector_specific_rules: Annotated[list[Rule], Field(min_length=1), Unique] | None = (
        None
    )
    exempted_emissions_percent: Number
    exempted_emissions_description: str | None = None
    allocation_rules_description: str | None = None
    secondary_emission_factor_sources: Annotated[list[FactorSource], Field(min_length=1)] | None = (
        None
    )
    primary_data_share: Number | None = None
    dqi: DataQuality | None = None
    verification: Verification | None = None

    @model_validator(mode="after")
    def _one_place(self) -> CarbonFootprint:
        named = [self.geography_region_or_subregion, self.geography_country]
        if sum(one is not None for one in [*named, self.geography_country_subdivision]) > 1:
            raise ValueError(
                "names more than one of geographyRegionOrSubregion, geographyCountry and"
                " geographyCountrySubdivision",
            )
        return self


class ProductFootprint(Part):
    """A product's footprint with whose it is, of what, and until when it holds."""

    id: Uuid
    spec_version: SpecVersion
    preceding_pf_ids: Annotated[list[Uuid], Field(min_length=1), Unique] | None = None
    created: Instant
    status: Literal["Active", "Deprecated"]
    validity_period_start: Instant | None = None
    validity_period_end: Instant | None = None
    company_name: NonEmpty
    company_ids: Annotated[list[Urn], Field(min_length=1), Unique]
    product_description: str
    product_ids: Annotated[list[Urn], Field(min_length=1), Unique]
    product_classifications: Annotated[list[Urn], Field(min_length=1), Unique] | None = None
    product_name_company: NonEmpty
    comment: str | None = None
    pcf: CarbonFootprint
    extensions: list[Extension] | None = None

    def to_json(self) -> dict[str, Any]:
        """As it came: what was not there is not there now."""
        return self.model_dump(by_alias=True, exclude_unset=True)
