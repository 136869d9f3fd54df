"""Figures of the demo: an enterprise under each regime, the park, a product, and a pack.

Factors and regimes are those that come with the program. None of 2025 is announced for the grid, so
the reports state which stand in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger import db
from ledger.accounting import regimes
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.used import read_substitutions
from ledger.disclosure import packing
from ledger.disclosure.choosing import choose
from ledger.errors import Unavailable
from ledger.files import new_private
from ledger.footprint import service as footprints
from ledger.footprint.product import completed
from ledger.house import COMPUTES, House
from ledger.log.store import load_head
from ledger.reports import service as reports
from ledger.reports import store
from ledger.scorecard import service as scorecards

ENTERPRISE: Final = "cloud-one"
YEAR: Final = "2025"
PARK: Final = ("ndrc-910", "guideline-renewable")
STANDARD: Final = "zero-carbon-park-guideline"
PACK: Final = "cloud-one-2025.zip"
# By which one enterprise is shown; what they need of factors was published of these years.
EMISSIONS: Final = (
    "ndrc-910",
    "mee-ets-reporting",
    "national-ets-compliance",
    "guangdong-ets",
    "ghg-location",
    "ghg-market",
)
_REASON: Final = "none later is published"
_SUBSTITUTIONS: Final = [
    {
        "item": item,
        "region": region,
        "year": int(YEAR),
        "use_region": region,
        "use_year": year,
        "reason": _REASON,
    }
    for item, region, year in (
        ("electricity-average", "44", 2023),
        ("electricity-market-excluded", "CN", 2023),
    )
]
_LIFE_CYCLE: Final = [
    {
        "item": item,
        "region": "CN",
        "year": int(YEAR),
        "use_region": "CN",
        "use_year": year,
        "reason": _REASON,
    }
    for item, year in (
        ("electricity-life-cycle", 2024),
        ("electricity-life-cycle-pv", 2023),
        ("electricity-life-cycle-wind", 2023),
    )
]
# A made-up service: what a year of the data centre gives, by the hour of a rack.
PRODUCT: Final[Mapping[str, Any]] = {
    "name": {"zh": "机柜小时", "en": "Rack hour"},
    "description": "SYNTHETIC",
    "ids": ["urn:pact:product:customcode:vendor-assigned:demo-rack-hour"],
    "unit": "hour",
    "boundary": "cradle-to-gate",
}
RACK_HOURS: Final = 8_760_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was computed, as the reports say it. `report`: id of the inventory.
    `pack`: its path below the demo's folder, or empty."""

    report: str
    inventory: Mapping[str, Any]
    balance: Mapping[str, Any]
    scorecard: Mapping[str, Any]
    footprint: Mapping[str, Any]
    pack: str


def bring_in(house: House, folder: Path, claim: bytes) -> Figures:
    """`claim`: of the enterprise's year."""
    factors.ensure(house.desk)
    regimes.ensure(house.desk)
    asked = {
        "subject": ENTERPRISE,
        "period": YEAR,
        "regimes": list(EMISSIONS),
        "substitutions": _SUBSTITUTIONS,
    }
    receipt = reports.publish(house.desk, COMPUTES, "inventory", asked, author=ENTERPRISE)
    with db.reading(house.engine) as conn:
        series = receipt.entry.statement["report"]
        published = store.find_report(conn, house.log.log_id, series)
        inventory = store.load(conn, house.log, published)["result"]
        asked = {"period": YEAR, "regimes": list(PARK)}
        balance = reports.draft(conn, house.log, COMPUTES, "balance", asked)["result"]
        asked = {"standard": STANDARD, "period": YEAR}
        scorecard = scorecards.look(conn, house.log, asked)["result"]
    footprint = _footprint(house, claim, _used_wh(inventory))
    return Figures(
        report=series,
        inventory=inventory,
        balance=balance,
        scorecard=scorecard,
        footprint=footprint,
        pack=_pack(house, folder / PACK),
    )


def summarise_figures(figures: Figures) -> dict[str, Any]:
    """Of the summary: masses in g, shares in ppm, as the reports have them."""
    (total,) = [one for one in figures.scorecard["summary"] if one["id"] == "all"]
    footprint = figures.footprint
    return {
        "enterprise": ENTERPRISE,
        "report": figures.report,
        "regimes": [
            {
                "regime": one["id"],
                "title": one["title"],
                "mass_g": one["total"]["mass_g"],
                "unit": one["total"]["unit"],
                "coverage": one["total"]["label"],
                "status": one["status"],
            }
            for one in figures.inventory["regimes"]
        ],
        "park": {
            "intensity": _indicator(figures.balance, "ndrc-910", "intensity"),
            "share": _indicator(figures.balance, "guideline-renewable", "share"),
        },
        "scorecard": total,
        "product": {
            "name": footprint["product"]["name"],
            "unit": footprint["product"]["unit"],
            "kg_co2e": footprint["totals"]["including_uptake_kg"],
            "claimed_wh": sum(held["wh"] for one in footprint["claims"] for held in one["held"]),
        },
        "pack": figures.pack,
    }


def _indicator(result: Mapping[str, Any], regime: str, name: str) -> dict[str, Any]:
    (figure,) = [one for one in result["regimes"] if one["id"] == regime]
    (found,) = [one for one in figure["indicators"] if one["id"] == name]
    return {"regime": regime, "ppm": found["ppm"], "tests": found.get("tests", [])}


def _used_wh(inventory: Mapping[str, Any]) -> int:
    """All electricity of an enterprise that neither sells nor stores any."""
    lines = inventory["regimes"][0]["lines"]
    return sum(int(one["quantity"]) for one in lines if one["unit"] == "Wh")


def _footprint(house: House, claim: bytes, used_wh: int) -> Mapping[str, Any]:
    power = {
        "id": "power",
        "title": {"zh": "电力", "en": "Electricity"},
        "stage": "production",
        "quantity": str(used_wh),
        "unit": "Wh",
        "per": YEAR,
        "item": "electricity",
        "kind": "primary",
    }
    content = completed(
        {
            **PRODUCT,
            "production": [{"period": YEAR, "quantity": str(RACK_HOURS)}],
            "activities": [power],
        }
    )
    name, _ = footprints.register(house.desk, content, author=ENTERPRISE)
    terms = footprints.Terms(
        period=YEAR,
        wishes=(footprints.Wish(claim=claim.hex()),),
        substitutions=read_substitutions(_LIFE_CYCLE),
    )
    with db.reading(house.engine) as conn:
        made = list(footprints.draft(conn, house.log, [name], terms))
    ((done,),) = footprints.publish(house.desk, made)
    result: Mapping[str, Any] = done.content["result"]
    return result


def _pack(house: House, path: Path) -> str:
    """Its name; empty where no font is installed that its PDF could be written with."""
    with db.reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        asked = choose(conn, house.log, ENTERPRISE, YEAR, size)
    wanted = packing.Wanted(asked=asked, level="total", font=house.settings.pdf_font)
    try:
        with new_private(path) as file:
            packing.pack(
                house.desk,
                COMPUTES,
                wanted,
                file,
                checkpoint=house.checkpoint,
                vkey=house.verification_key.vkey,
                publishing=packing.Publishing(),
            )
    except Unavailable:
        return ""
    return path.name
