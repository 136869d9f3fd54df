"""A park of one roof and one saw: January 2026, every quarter-hour like the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.accounting import regime_reading
from ledger.accounting.factors import service as factors
from ledger.claims import service as claims
from ledger.house import House
from ledger.lots.model import Month
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Meter, Point
from ledger.metering.service import Origin, register_point, take_in
from ledger.records import service as records
from ledger.scorecard import service
from tests.ledgers import begin, series

GUIDELINE = "zero-carbon-park-guideline"
NDRC = "ndrc-910"
MONTH = Month(year=2026, month=1, zone_offset_s=8 * 3600)
# 31 days of 96 quarter-hours.
QUARTERS = 2_976
DOCUMENT = "d" * 32


def meter(number: str) -> tuple[Meter, ...]:
    return (Meter(number=number, from_="2025-01-01T00:00:00Z"),)


def park(folder: Path, *, roof_wh: int, saw_wh: int = 10_000, region: str = "320500") -> House:
    """`roof_wh`, `saw_wh`: of each quarter-hour. Matched by direct supply, and claimed."""
    house = begin(folder)
    desk = house.desk
    for party, role in (("farm", "generator"), ("mill", "enterprise"), ("bureau", "verifier")):
        desk.register_party(party, party, [role])
        desk.create_key(party)
    roof = Point(
        name="roof",
        kind="generation",
        owner="farm",
        technology="pv",
        region=region,
        meters=meter("R-1"),
    )
    saw = Point(
        name="saw",
        kind="consumption",
        owner="mill",
        region="320500",
        park_system="production",
        meters=meter("S-1"),
    )
    for one in (roof, saw):
        register_point(desk, one)
    for name, wh in (("roof", roof_wh), ("saw", saw_wh)):
        read = series(name, [wh] * QUARTERS, start_s=MONTH.start_s)
        take_in(desk, [read], Origin(source=name, author="operator"))
    agreement = Agreement(
        name="wire",
        kind="direct-supply",
        seller="farm",
        sources=["roof"],
        consumers={"saw": 0},
        period=MONTH.period,
    )
    register_contract(desk, agreement)
    run_matching(desk, MONTH.period)
    claims.make(desk, ["saw"], MONTH.period)
    return house


def rules(house: House) -> None:
    """Regimes, factors and standards, as they come with the program."""
    factors.ensure(house.desk)
    for name in ("guideline-renewable", NDRC):
        content = dict(regime_reading.shipped(name).content)
        records.put(house.desk, "regime", name, content, author="operator")
    for name in (GUIDELINE, NDRC):
        service.ensure(house.desk, name)


def document(house: House, clause: str, *, author: str = "mill", **changes: Any) -> int:
    """Evidence of 2026-01-01 about a clause of the guideline; returns its entry."""
    content = {
        "organisation": author,
        "title": "Energy plan",
        "kind": "plan",
        "issuer": "Mill",
        "file": {
            "name": "plan.pdf",
            "sha256": "ab" * 32,
            "size": 1_234,
            "media": "application/pdf",
        },
        "issued": "2026-01-01T00:00:00Z",
        "valid_from": "",
        "valid_until": "",
        "about": [{"standard": GUIDELINE, "clause": clause}],
        "statement": "in force",
        "figure": {},
        "note": "",
        **changes,
    }
    name = content.pop("record", DOCUMENT)
    return records.put(house.desk, "document", name, content, author=author).index
