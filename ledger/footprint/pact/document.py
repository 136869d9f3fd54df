"""A published footprint report as a PACT document. Pure.

What the report has no figure for is left out, never written as 0, but for what PACT demands. All
figures are for one declared unit. Source: WBCSD PACT technical specification 3.0.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.footprint.pact.evidence import Evidence, extension
from ledger.footprint.pact.model import VERSION, ProductFootprint
from ledger.footprint.pact.reading import parse
from ledger.footprint.pact.rules import remarks

_PACT_STANDARD: Final = "PACT-3.0"
_STANDARDS: Final = {
    "ISO 14067": "ISO14067",
    "ISO 14083": "ISO14083",
    "ISO 14040": "ISO14040-44",
    "ISO 14044": "ISO14040-44",
    "PAS 2050": "PAS2050",
}
_MG_PER_KG: Final = 1_000_000
# Gases that biogenicNonCO2Emissions has not.
_CO2: Final = ("CO2", "CO2e")
_BIOGENIC: Final = "biogenic"
_PPM_PER_PERCENT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a report stands, and what follows from that. `preceding`: ids of documents that it
    replaces; `created`: when, by its author's word; `base_url`: where this service is reached."""

    id: str
    preceding: tuple[str, ...]
    created: str
    status: str
    evidence: Evidence
    base_url: str


def product_of(content: Mapping[str, Any]) -> str:
    """The name of the record of the product that a report is of."""
    return str(content["about"]["product"])


def document_of(content: Mapping[str, Any], place: Place) -> ProductFootprint:
    """`content`: of a report of kind `footprint`. The document holds PACT's rules in words, too:
    raises InvalidInput where the product's record lacks what they demand."""
    result = content["result"]
    product, organisation = result["product"], result["organisation"]
    value: dict[str, Any] = {
        "id": place.id,
        "specVersion": VERSION,
        "created": place.created,
        "status": place.status,
        "companyName": organisation["name"] or organisation["party"],
        "companyIds": [company_id(place.evidence.origin, organisation["party"])],
        "productDescription": product["description"],
        "productIds": product["ids"],
        "productNameCompany": product["name"]["en"],
        "comment": _comment(result),
        "pcf": _figures(content),
        "extensions": [extension(place.evidence, place.base_url)],
    }
    if place.preceding:
        value["precedingPfIds"] = list(place.preceding)
    if product["classifications"]:
        value["productClassifications"] = product["classifications"]
    found = parse(ProductFootprint, value)
    wrong = remarks(found)
    if wrong:
        raise InvalidInput("; ".join(wrong))
    return found


def company_id(origin: str, party: str) -> str:
    """A URN that is the organisation's alone, as PACT proposes for codes that a supplier gives."""
    return f"urn:pact:company:customcode:supplier-id:{origin}:{party}"


def _figures(content: Mapping[str, Any]) -> dict[str, Any]:
    result = content["result"]
    product, totals, period = result["product"], result["totals"], result["period"]
    found: dict[str, Any] = {
        "declaredUnitOfMeasurement": product["unit"],
        "declaredUnitAmount": product["amount"],
        "productMassPerDeclaredUnit": _mass(product),
        "referencePeriodStart": period["from"],
        "referencePeriodEnd": period["to"],
        **_geography(product["geography"]),
        "boundaryProcessesDescription": _boundary(result),
        "pcfExcludingBiogenicUptake": totals["excluding_uptake_kg"],
        "pcfIncludingBiogenicUptake": totals["including_uptake_kg"],
        "fossilCarbonContent": product["fossil_carbon_kg"],
        "biogenicCarbonContent": product["biogenic_carbon_kg"],
        "fossilGhgEmissions": totals["fossil_kg"],
        "landUseChangeGhgEmissions": totals["land_use_change_kg"],
        "biogenicCO2Uptake": totals["uptake_kg"],
        "biogenicNonCO2Emissions": _kg(_biogenic_other_mg(result)),
        "ipccCharacterizationFactors": [result["regime"]["gwp"]],
        "crossSectoralStandards": _standards(product["standards"]),
        "exemptedEmissionsPercent": percent(product["cut_off"]["share_ppm"]),
        "exemptedEmissionsDescription": product["cut_off"]["rule"],
        "primaryDataShare": percent(result["primary_ppm"]),
        "dqi": {
            "technologicalDQR": result["data_quality"]["technology"],
            "geographicalDQR": result["data_quality"]["place"],
            "temporalDQR": result["data_quality"]["time"],
        },
    }
    if totals["aircraft_mg"]:
        found["aircraftGhgEmissions"] = totals["aircraft_kg"]
    if product["rules"]:
        found["productOrSectorSpecificRules"] = [_rule(one) for one in product["rules"]]
    if result["allocation"]:
        found["allocationRulesDescription"] = "; ".join(
            f"{one['id']}: by {one['method']}, {one['reason']}" for one in result["allocation"]
        )
    sources = _sources(result)
    if sources:
        found["secondaryEmissionFactorSources"] = sources
    return found


def _mass(product: Mapping[str, Any]) -> str:
    """Of a product by the kilogram there is nothing to state."""
    return str(product["amount"] if product["unit"] == "kilogram" else product["mass_kg"])


def _standards(names: Sequence[str]) -> list[str]:
    """In PACT's writing where it has one."""
    known = [
        next((said for begin, said in _STANDARDS.items() if name.startswith(begin)), name)
        for name in names
    ]
    return list(dict.fromkeys([*known, _PACT_STANDARD]))


def _geography(place: str) -> dict[str, str]:
    """`""` is the world, which PACT says by silence."""
    if not place:
        return {}
    return {"geographyCountrySubdivision" if "-" in place else "geographyCountry": place}


def _boundary(result: Mapping[str, Any]) -> str:
    stages = ", ".join(one["id"] for one in result["stages"])
    return f"{result['product']['boundary']}: {stages}"


def _rule(one: Mapping[str, Any]) -> dict[str, Any]:
    found = {"operator": one["operator"], "ruleNames": one["names"]}
    return {**found, "otherOperatorName": one["other_operator"]} if one["other_operator"] else found


def _biogenic_other_mg(result: Mapping[str, Any]) -> int:
    """What biogenic lines emit beside CO2, as CO2e. Biogenic CO2 has no member of its own: it is in
    the total alone, and so is what is known as CO2e only."""
    return sum(
        one["co2e_mg"] - sum(one["gases_mg"].get(gas, 0) for gas in _CO2)
        for one in result["lines"]
        if one["category"] == _BIOGENIC
    )


def _sources(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """Sets of factors that lines rest on; their version is the entry that put them."""
    used = {(use["set"], f"entry {use['entry']}") for use in _uses(result)}
    return [{"name": name, "version": version} for name, version in sorted(used)]


def _uses(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [use for line in result["lines"] for use in line["factors"]]


def _comment(result: Mapping[str, Any]) -> str:
    """What nobody may read over: the regime, factors that nobody has announced officially or that
    stand in for others, and limits."""
    regime, product = result["regime"], result["product"]
    said = [f"Regime {regime['regime']}, {regime['status']}"]
    doubtful = {_named(use) + ", " + use["status"] for use in _uses(result) if _is_doubtful(use)}
    said += [f"Factor {one}" for one in sorted(doubtful)]
    replaced = {_replaced(use) for use in _uses(result) if use["substituted"]}
    said += [f"Substituted: {one}" for one in sorted(replaced)]
    said += [product[name].strip() for name in ("uncertainty", "limitations")]
    return " ".join(f"{one.rstrip('.')}." for one in said if one)


def _is_doubtful(use: Mapping[str, Any]) -> bool:
    return bool(use["status"] != "official")


def _named(use: Mapping[str, Any]) -> str:
    return " ".join(str(use[name]) for name in ("item", "region", "year") if use[name])


def _replaced(use: Mapping[str, Any]) -> str:
    wanted, reason = use["substituted"]["wanted"], use["substituted"]["reason"]
    return f"{_named(use)} for {_named(wanted)}: {reason}"


def percent(ppm: int) -> str:
    """Millionths as a percentage, exactly: `12.3456`."""
    return _decimal(ppm, _PPM_PER_PERCENT, 4)


def _kg(mg: int) -> str:
    return _decimal(mg, _MG_PER_KG, 6)


def _decimal(value: int, size: int, places: int) -> str:
    whole, rest = divmod(abs(value), size)
    text = f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text
