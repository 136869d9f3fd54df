"""A small park: a roof gives a mill 1,000 Wh of each of its 2,500 Wh, on one day of February 2026.

The mill has published its inventory of February under the MEE's reporting rules, and registered a
document.

    claimed     96 × 1,000 Wh                                =    96,000 Wh, direct, counts 0
    consumed    28 days × 96 × 2,500 Wh, 27 of them estimated = 6,720,000 Wh
    the rest    6,624 kWh × 0.5703 kg/kWh                    = 3,777.6672 kg = 3.778 t CO2
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

import ledger.accounting
from ledger.accounting.factors.files import shipped
from ledger.claims import service as claims
from ledger.db import reading
from ledger.disclosure import packing
from ledger.disclosure.choosing import choose
from ledger.disclosure.fonts import find_fonts
from ledger.errors import Unavailable
from ledger.house import COMPUTES, House
from ledger.log.store import load_head
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from ledger.records import service as records
from ledger.reports import service as reports
from ledger.units import Period
from tests.ledgers import DAY_S, series

TOTAL_G: Final = 3_777_667
DOCUMENT: Final = "ab" * 16
INVOICE: Final = b"%PDF an invoice"
REGIME: Final = "mee-ets-reporting"
SUBSTITUTION: Final = {
    "item": "electricity-ets-reporting",
    "region": "CN",
    "year": 2026,
    "use_region": "CN",
    "use_year": 2025,
    "reason": "尚无 2026 年数值 none of 2026 is out yet",
}
DAY: Final = Period(start_s=DAY_S, end_s=DAY_S + 86_400)


def build(house: House) -> str:
    """Returns the id of the published inventory."""
    desk = house.desk
    desk.register_party("farm", "阳光 Sunny Farm", ["generator"])
    desk.register_party("mill", "恩赐制造 Mill", ["enterprise"])
    for party in ("farm", "mill"):
        desk.create_key(party)
    for point in (
        Point(name="roof", kind="generation", owner="farm", region="320500", technology="pv"),
        Point(name="saw", kind="consumption", owner="mill", region="320500"),
    ):
        register_point(desk, point, author=point.owner)
    for name, wh, author in (("roof", 1_000, "farm"), ("saw", 2_500, "mill")):
        take_in(desk, [series(name, 96 * [wh])], Origin(source=name, author=author))
    agreement = Agreement(
        name="roof-to-saw",
        kind="direct-supply",
        seller="farm",
        sources=["roof"],
        consumers={"saw": 0},
        period=DAY,
    )
    register_contract(desk, agreement)
    run_matching(desk, DAY)
    claims.make(desk, ["saw"], DAY)
    operator = house.log.operator
    records.put(
        desk, "factors", "cn-electricity", shipped("cn-electricity").to_json(), author=operator
    )
    records.put(desk, "regime", REGIME, _regime(), author=operator)
    records.put(desk, "document", DOCUMENT, _document(), author="mill")
    about = {
        "subject": "mill",
        "period": "2026-02",
        "regimes": [REGIME],
        "substitutions": [SUBSTITUTION],
    }
    made = reports.publish(desk, COMPUTES, "inventory", about, author="mill")
    house.checkpoint()
    return str(made.entry.statement["report"])


def _regime() -> dict[str, Any]:
    folder = Path(ledger.accounting.__file__).parent / "regimes"
    return tomllib.loads((folder / f"{REGIME}.toml").read_text())


def _document() -> dict[str, Any]:
    return {
        "organisation": "mill",
        "title": "电费单 Invoice",
        "kind": "invoice",
        "issuer": "",
        "file": {
            "name": "Invoice.PDF",
            "sha256": hashlib.sha256(INVOICE).hexdigest(),
            "size": len(INVOICE),
            "media": "application/pdf",
        },
        "issued": "",
        "valid_until": "",
        "note": "",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A pack on disk, and what was said of it."""

    path: Path
    packed: packing.Packed


# Subset in a tenth of the time that the better looking one takes.
_QUICK: Final = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


def font() -> Path | None:
    """Skips where there is none."""
    named = _QUICK if _QUICK.is_file() else None
    try:
        find_fonts(named)
    except Unavailable as error:
        pytest.skip(str(error))
    return named


def pack(
    house: House, path: Path, *, publish: bool = True, report: str = "", **wanted: Any
) -> Made:
    with reading(house.engine) as conn:
        size = wanted.get("as_of") or load_head(conn, house.log.log_id).size
        asked = choose(conn, house.log, "mill", "2026", size)
    with path.open("wb") as file:
        packed = packing.pack(
            house.desk,
            COMPUTES,
            packing.Wanted(asked=asked, font=font(), **wanted),
            file,
            checkpoint=house.checkpoint,
            vkey=house.verification_key.vkey,
            publishing=packing.Publishing(report=report) if publish else None,
        )
    return Made(path=path, packed=packed)
