"""Products for tests, as a person would write them."""

from __future__ import annotations

from typing import Any

from ledger.footprint.product import completed

GTIN = "urn:gtin:06901234567892"
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


def a_product() -> dict[str, Any]:
    """A product of which there is nothing to know but that it uses electricity."""
    power = activity("power", "100", "Wh", per="2026-02", item="electricity")
    return written(
        name={"zh": "secret-product", "en": "secret-product"},
        activities=[power],
        allocation=[],
        production=[{"period": "2026-02", "quantity": "10"}],
    )
