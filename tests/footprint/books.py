"""Products and factors for tests of footprints, as a person would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.accounting import regime_reading
from ledger.accounting.factors import files
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import FactorSet
from ledger.accounting.factors.used import Published, read_substitutions
from ledger.footprint.lines import Book
from ledger.footprint.product import Product, completed

GTIN = "urn:gtin:06901234567892"
# Factors of a foundry, so that every number of a golden test can be done by hand.
OWN_FACTORS: Mapping[str, Any] = {
    "title": {"zh": "测试", "en": "Test"},
    "source": "tests",
    "status": "unverified",
    "series": [],
    "factors": [
        {
            "item": item,
            "region": "CN",
            "year": 2026,
            "unit": unit,
            "gas": gas,
            "covers": covers,
            "value": value,
            "standard": "",
            "source": "tests",
            "status": "unverified",
            "from": "",
            "to": "",
            "parts": {},
        }
        for item, unit, gas, covers, value in sorted(
            [
                ("pig-iron", "kg/kg", "CO2e", ["CH4", "CO2", "N2O"], "2.1"),
                ("burner", "kg/GJ", "CO2", ["CO2"], "56.1"),
                ("burner", "kg/GJ", "CH4", ["CH4"], "0.001"),
                ("truck", "kg/(t km)", "CO2", ["CO2"], "0.1"),
                ("nothing", "kg/kWh", "CO2e", ["unstated"], "0"),
            ],
            key=lambda row: (row[0], row[2]),
        )
    ],
}
# No factor of electricity of 2026 is published: what stands in for it is stated.
SUBSTITUTIONS = [
    {
        "item": item,
        "region": "CN",
        "year": 2026,
        "use_region": "CN",
        "use_year": year,
        "reason": "the latest published",
    }
    for item, year in (
        ("electricity-life-cycle", 2024),
        ("electricity-life-cycle-pv", 2023),
        ("electricity-life-cycle-wind", 2023),
    )
]


def published(name: str, entry: int, content: FactorSet) -> Published:
    return Published(
        name=name, author="operator", entry=entry, hash="00" * 32, version=1, content=content
    )


def library() -> FactorLibrary:
    shipped = ("cn-electricity-life-cycle", "gwp")
    sets = [published(name, place, files.shipped(name)) for place, name in enumerate(shipped)]
    own = published("own", len(sets), FactorSet.from_json(dict(OWN_FACTORS)))
    return FactorLibrary(sets=(*sets, own))


def book(**changes: Any) -> Book:
    members: dict[str, Any] = {
        "library": library(),
        "regime": regime_reading.shipped("product-footprint"),
        "region": "CN",
        "year": 2026,
        "substitutions": read_substitutions(SUBSTITUTIONS),
    }
    return Book(**{**members, **changes})


def activity(id_: str, quantity: str, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "title": {"zh": id_, "en": id_},
        "stage": "production",
        "quantity": quantity,
        "unit": unit,
        **more,
    }


def written(**changes: Any) -> dict[str, Any]:
    """A cast part of 12 kg: 4,000 of them a month in a foundry that also makes slag."""
    content: dict[str, Any] = {
        "name": {"zh": "铸件", "en": "Casting"},
        "ids": [GTIN],
        "unit": "piece",
        "mass_kg": "12",
        "boundary": "cradle-to-gate",
        "cut_off": {"rule": "inputs below 1 % of mass", "share_ppm": 8_000},
        "production": [{"period": "2026-02", "quantity": "4000"}],
        "allocation": [
            {
                "group": "furnace",
                "method": "mass",
                "own": "casting",
                "reason": "no sub-process can be told apart",
                "outputs": [
                    {"id": "casting", "quantity": "4000", "value": "12"},
                    {"id": "slag", "quantity": "16000", "value": "1"},
                ],
            }
        ],
        "activities": [
            activity("iron", "12.5", "kg", stage="raw-material", item="pig-iron"),
            activity("gas", "240", "GJ", per="2026-02", group="furnace", item="burner"),
            activity(
                "power",
                "8000",
                "kWh",
                per="2026-02",
                item="electricity",
                kind="primary",
                quality={"technology": 1, "place": 1, "time": 2},
            ),
        ],
    }
    return completed({**content, **changes})


def product(**changes: Any) -> Product:
    return Product.from_json(written(**changes))
