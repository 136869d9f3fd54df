"""The worked example's flows, in tonnes for people and in grams for the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from ledger.credits.ccus import Flows

TONNES: Final[dict[str, str]] = {
    "captured": "5000",
    "used": "200",
    "transported": "4790",
    "transport-leakage": "40",
    "recycled": "300",
    "injected": "5030",
    "produced": "320",
    "surface-leakage": "0.5",
    "equipment-leakage": "9.5",
    "energy-emissions": "410",
    "transport-emissions": "55.25",
    "injection-emissions": "34.75",
}


def grams(tonnes: str) -> int:
    mass_g = Decimal(tonnes) * 1_000_000
    assert mass_g == int(mass_g)
    return int(mass_g)


def masses(**tonnes: str) -> dict[str, int]:
    """{role: g} of the example, with changes: `surface_leakage="3"`."""
    changed = {role.replace("_", "-"): value for role, value in tonnes.items()}
    assert set(changed) <= set(TONNES)
    return {role: grams(value) for role, value in (TONNES | changed).items()}


def flows(**tonnes: str) -> Flows:
    return Flows.of_roles(masses(**tonnes))
