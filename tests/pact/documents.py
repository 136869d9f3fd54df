"""Product footprints of PACT version 3 as partners send them: sound ones, and ones that are not."""

from __future__ import annotations

import copy
from typing import Any

Document = dict[str, Any]
GONE = object()

# A kilogram of steel sheet, of 2025: 1.9 kg of fossil origin and nothing else.
SHEET: Document = {
    "id": "5b1f0c3e-8f62-4d0a-9a70-0d7c1c1a5e01",
    "specVersion": "3.0.0",
    "created": "2026-02-01T08:00:00Z",
    "status": "Active",
    "companyName": "Example Steel",
    "companyIds": ["urn:pact:company:customcode:supplier-id:steel"],
    "productDescription": "cold-rolled sheet, coil",
    "productIds": ["urn:pact:steel.example:supplier-id:sheet-1"],
    "productNameCompany": "Sheet 1",
    "pcf": {
        "declaredUnitOfMeasurement": "kilogram",
        "declaredUnitAmount": "1",
        "productMassPerDeclaredUnit": "1",
        "referencePeriodStart": "2025-01-01T00:00:00Z",
        "referencePeriodEnd": "2026-01-01T00:00:00Z",
        "geographyCountry": "CN",
        "pcfExcludingBiogenicUptake": "1.9",
        "pcfIncludingBiogenicUptake": "1.9",
        "fossilGhgEmissions": "1.9",
        "fossilCarbonContent": "0",
        "ipccCharacterizationFactors": ["AR6"],
        "crossSectoralStandards": ["ISO14067", "PACT-3.0"],
        "exemptedEmissionsPercent": "0",
    },
}

# The same of a wooden panel, with every member that there is; what comes in and what goes out.
PANEL: Document = {
    **copy.deepcopy(SHEET),
    "id": "0e0b8a52-5a3c-4c8e-8f4b-9b1e6a7d2c33",
    "precedingPfIds": ["9f1c2b7a-33f0-4f5e-8c1d-6a5b4c3d2e1f"],
    "status": "Deprecated",
    "validityPeriodStart": "2026-01-01T00:00:00+00:00",
    "validityPeriodEnd": "2027-01-01T00:00:00.5Z",
    "productClassifications": ["urn:pact:productclassification:un-cpc:3142"],
    "comment": "glue by a secondary factor",
    "pcf": {
        "declaredUnitOfMeasurement": "square meter",
        "declaredUnitAmount": "2.5",
        "productMassPerDeclaredUnit": "20.0",
        "referencePeriodStart": "2025-01-01T00:00:00Z",
        "referencePeriodEnd": "2026-01-01T00:00:00Z",
        "geographyCountrySubdivision": "CN-GD",
        "boundaryProcessesDescription": "cradle to gate",
        # 3.5 + 0.25 + 0.1 − 0.05 − 0.2 − 0.3 + 0.7 = 4.0; with the uptake −14.0
        "pcfExcludingBiogenicUptake": "4.0",
        "pcfIncludingBiogenicUptake": "-14.0",
        "fossilCarbonContent": "0.125",
        "biogenicCarbonContent": "4.9",
        "recycledCarbonContent": "0",
        "fossilGhgEmissions": "3.5",
        "landUseChangeGhgEmissions": "0.25",
        "landCarbonLeakage": "0",
        "landManagementFossilGhgEmissions": "0.01",
        "landManagementBiogenicCO2Emissions": "0.1",
        "landManagementBiogenicCO2Removals": "-0.05",
        "biogenicCO2Uptake": "-18.0",
        "biogenicNonCO2Emissions": "0.7",
        "landAreaOccupation": "3",
        "aircraftGhgEmissions": "0",
        "packagingEmissionsIncluded": True,
        "packagingGhgEmissions": "0.02",
        "packagingBiogenicCarbonContent": "0",
        "outboundLogisticsGhgEmissions": "0.3",
        "ccsTechnologicalCO2CaptureIncluded": True,
        "ccsTechnologicalCO2Capture": "-0.3",
        "technologicalCO2CaptureOrigin": "a boiler's flue gas, into a saline aquifer",
        "technologicalCO2Removals": "-0.2",
        "ccuCarbonContent": "0",
        "ccuCalculationApproach": "Credit",
        "ccuCreditCertification": "https://registry.example/credits/7",
        "ipccCharacterizationFactors": ["AR5", "AR6"],
        "crossSectoralStandards": ["GB/T 24067-2024"],
        "productOrSectorSpecificRules": [
            {"operator": "Other", "ruleNames": ["panels 2"], "otherOperatorName": "the guild"}
        ],
        "exemptedEmissionsPercent": "1.5",
        "exemptedEmissionsDescription": "office paper",
        "allocationRulesDescription": "by mass",
        "secondaryEmissionFactorSources": [{"name": "a database", "version": "3.11"}],
        "primaryDataShare": "62.5",
        "dqi": {"technologicalDQR": "2", "geographicalDQR": "1.0", "temporalDQR": "3.5"},
        "verification": {
            "coverage": "product level",
            "providerName": "a verifier",
            "completedAt": "2026-01-20T00:00:00Z",
            "standardName": "ISO 14064-3",
            "comments": "",
        },
    },
    "extensions": [
        {
            "specVersion": "2.0.0",
            "dataSchema": "https://steel.example/schema.json",
            "documentation": "https://steel.example/schema",
            "data": {"layers": [1, 2.5, {"glue": None}], "name": "胶合板"},
        }
    ],
    "ofALaterRevision": {"kept": True},
}


def changed(document: Document, path: str, value: Any) -> Document:
    """A copy with another value at `pcf.dqi.temporalDQR`; GONE takes the member away."""
    found = copy.deepcopy(document)
    *way, last = path.split(".")
    at: Any = found
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at[name]
    if value is GONE:
        del at[last]
    else:
        at[last] = value
    return found


# (where, what stands there instead, the place that an error names)
BROKEN: list[tuple[str, Any, str]] = [
    *[(name, GONE, f"$.{name}") for name in SHEET if name != "precedingPfIds"],
    *[(f"pcf.{name}", GONE, f"$.pcf.{name}") for name in SHEET["pcf"] if name[0] != "g"],
    ("id", "not-a-uuid", "$.id"),
    ("id", 5, "$.id"),
    ("id", None, "$.id"),
    ("specVersion", "3.0", "$.specVersion"),
    ("specVersion", "v3.0.0", "$.specVersion"),
    ("precedingPfIds", [], "$.precedingPfIds"),
    ("precedingPfIds", ["x"], "$.precedingPfIds[0]"),
    ("precedingPfIds", [SHEET["id"], SHEET["id"]], "$.precedingPfIds"),
    ("created", "2026-02-01", "$.created"),
    ("created", "2026-02-30T00:00:00Z", "$.created"),
    ("created", "2026-02-01T00:00:00", "$.created"),
    ("created", 1_769_932_800, "$.created"),
    ("status", "active", "$.status"),
    ("status", "Draft", "$.status"),
    ("validityPeriodStart", "soon", "$.validityPeriodStart"),
    ("validityPeriodEnd", "", "$.validityPeriodEnd"),
    ("companyName", "", "$.companyName"),
    ("companyIds", [], "$.companyIds"),
    ("companyIds", ["steel"], "$.companyIds[0]"),
    ("companyIds", "urn:company:steel", "$.companyIds"),
    ("companyIds", ["urn:a:b", "urn:a:b"], "$.companyIds"),
    ("productDescription", 7, "$.productDescription"),
    ("productIds", [], "$.productIds"),
    ("productIds", ["gtin:4712345060507"], "$.productIds[0]"),
    ("productClassifications", [], "$.productClassifications"),
    ("productClassifications", ["3142"], "$.productClassifications[0]"),
    ("productNameCompany", "", "$.productNameCompany"),
    ("comment", 1, "$.comment"),
    ("pcf", [], "$.pcf"),
    ("extensions", {}, "$.extensions"),
    ("extensions", [{"specVersion": "2.0.0", "data": {}}], "$.extensions[0].dataSchema"),
    (
        "extensions",
        [{"specVersion": "2.0.0", "dataSchema": "no uri", "data": {}}],
        "$.extensions[0].dataSchema",
    ),
    (
        "extensions",
        [{"specVersion": "2.0.0", "dataSchema": "https://a.example/s", "data": []}],
        "$.extensions[0].data",
    ),
    ("pcf.declaredUnitOfMeasurement", "kg", "$.pcf.declaredUnitOfMeasurement"),
    ("pcf.declaredUnitAmount", "0", "$.pcf.declaredUnitAmount"),
    ("pcf.declaredUnitAmount", "-1", "$.pcf.declaredUnitAmount"),
    ("pcf.declaredUnitAmount", 1, "$.pcf.declaredUnitAmount"),
    ("pcf.productMassPerDeclaredUnit", 1.0, "$.pcf.productMassPerDeclaredUnit"),
    ("pcf.productMassPerDeclaredUnit", "1,0", "$.pcf.productMassPerDeclaredUnit"),
    ("pcf.productMassPerDeclaredUnit", "1e3", "$.pcf.productMassPerDeclaredUnit"),
    ("pcf.productMassPerDeclaredUnit", ".5", "$.pcf.productMassPerDeclaredUnit"),
    ("pcf.productMassPerDeclaredUnit", "NaN", "$.pcf.productMassPerDeclaredUnit"),
    ("pcf.referencePeriodStart", "2025", "$.pcf.referencePeriodStart"),
    ("pcf.referencePeriodEnd", "2025-13-01T00:00:00Z", "$.pcf.referencePeriodEnd"),
    ("pcf.geographyCountry", "CHN", "$.pcf.geographyCountry"),
    ("pcf.geographyCountry", "cn", "$.pcf.geographyCountry"),
    ("pcf.geographyCountrySubdivision", "CN-GD", "$.pcf"),
    ("pcf.geographyRegionOrSubregion", "Asia", "$.pcf"),
    ("pcf.geographyRegionOrSubregion", "East Asia", "$.pcf.geographyRegionOrSubregion"),
    ("pcf.pcfExcludingBiogenicUptake", 1.9, "$.pcf.pcfExcludingBiogenicUptake"),
    ("pcf.pcfIncludingBiogenicUptake", "one", "$.pcf.pcfIncludingBiogenicUptake"),
    ("pcf.fossilGhgEmissions", "-1.9", "$.pcf.fossilGhgEmissions"),
    ("pcf.fossilCarbonContent", "-0.1", "$.pcf.fossilCarbonContent"),
    ("pcf.biogenicCarbonContent", "-0.1", "$.pcf.biogenicCarbonContent"),
    ("pcf.packagingEmissionsIncluded", "true", "$.pcf.packagingEmissionsIncluded"),
    ("pcf.ccuCalculationApproach", "Cutoff", "$.pcf.ccuCalculationApproach"),
    ("pcf.ccuCreditCertification", "a paper", "$.pcf.ccuCreditCertification"),
    ("pcf.ipccCharacterizationFactors", [], "$.pcf.ipccCharacterizationFactors"),
    ("pcf.ipccCharacterizationFactors", ["AR"], "$.pcf.ipccCharacterizationFactors[0]"),
    ("pcf.ipccCharacterizationFactors", ["AR6", "AR6"], "$.pcf.ipccCharacterizationFactors"),
    ("pcf.crossSectoralStandards", [], "$.pcf.crossSectoralStandards"),
    ("pcf.crossSectoralStandards", "ISO14067", "$.pcf.crossSectoralStandards"),
    ("pcf.productOrSectorSpecificRules", [], "$.pcf.productOrSectorSpecificRules"),
    (
        "pcf.productOrSectorSpecificRules",
        [{"operator": "us", "ruleNames": ["a"]}],
        "$.pcf.productOrSectorSpecificRules[0].operator",
    ),
    (
        "pcf.productOrSectorSpecificRules",
        [{"operator": "PEF", "ruleNames": []}],
        "$.pcf.productOrSectorSpecificRules[0].ruleNames",
    ),
    ("pcf.exemptedEmissionsPercent", 0, "$.pcf.exemptedEmissionsPercent"),
    ("pcf.secondaryEmissionFactorSources", [], "$.pcf.secondaryEmissionFactorSources"),
    (
        "pcf.secondaryEmissionFactorSources",
        [{"name": "a database", "version": ""}],
        "$.pcf.secondaryEmissionFactorSources[0].version",
    ),
    ("pcf.primaryDataShare", 62.5, "$.pcf.primaryDataShare"),
    ("pcf.dqi", {"technologicalDQR": "1"}, "$.pcf.dqi.geographicalDQR"),
    ("pcf.verification", {"coverage": "PCF system"}, "$.pcf.verification.coverage"),
    ("pcf.verification", {"completedAt": "May"}, "$.pcf.verification.completedAt"),
]

# What the published schema lets through since its patterns have gaps, and its words forbid.
STRICTER: list[tuple[str, Any, str]] = [
    ("pcf.declaredUnitAmount", "1 piece", "$.pcf.declaredUnitAmount"),
    ("pcf.biogenicCO2Uptake", "10", "$.pcf.biogenicCO2Uptake"),
    ("companyIds", ["urn:"], "$.companyIds[0]"),
    ("pcf.productMassPerDeclaredUnit", "1" * 61, "$.pcf.productMassPerDeclaredUnit"),
]
