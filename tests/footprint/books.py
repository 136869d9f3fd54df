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
from ledger.footprint.product import Product
from tests.footprint.contents import SUBSTITUTIONS, written

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


def product(**changes: Any) -> Product:
    return Product.from_json(written(**changes))
