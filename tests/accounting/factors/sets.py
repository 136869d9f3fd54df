"""Sets and libraries for tests, without a log."""

from __future__ import annotations

from typing import Any

from ledger.accounting.factors import files
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import FactorSet
from ledger.accounting.factors.used import Published

HEAD: dict[str, Any] = {
    "title": {"zh": "自有因子", "en": "Own factors"},
    "source": "Measured",
    "status": "unverified",
    "series": [],
}


def factor(value: Any = "0.5", /, **changes: Any) -> dict[str, Any]:
    """A factor as JSON: electricity of China in 2022, in kg/kWh."""
    return {
        "item": "electricity-average",
        "region": "CN",
        "year": 2022,
        "unit": "kg/kWh",
        "gas": "CO2",
        "covers": ["CO2"],
        "value": value,
        "standard": "",
        "source": "Measured",
        "status": "unverified",
        "from": "",
        "to": "",
        "parts": {},
        **changes,
    }


def set_json(*factors: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**HEAD, "factors": list(factors), **changes}


def own(*factors: dict[str, Any]) -> FactorSet:
    """A set of them, put in order."""
    members = ("item", "region", "year", "standard", "gas", "from")
    ordered = sorted(factors, key=lambda one: [one[name] for name in members])
    return FactorSet.from_json(set_json(*ordered))


def published(name: str, content: FactorSet, entry: int = 7, version: int = 1) -> Published:
    return Published(
        name=name,
        author="operator",
        entry=entry,
        hash=f"{entry:064x}",
        version=version,
        content=content,
    )


def shipped_library() -> FactorLibrary:
    """All sets that come with the program, as one."""
    names = files.shipped_sets()
    return FactorLibrary(
        sets=tuple(published(name, files.shipped(name), n) for n, name in enumerate(names))
    )
