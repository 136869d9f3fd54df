"""A park whose consumers hold certificates: energy in MWh, so that whole certificates matter.

Quarter-hours as in `tests.divided`: FEB are the last four of February, MARCH the first four of
March. The roof gives the saw 1 MWh in each of February's, 0.2 MWh in each of March's:

             FEB: −4 … −1    MARCH: 0 … 3
    roof     1.0             0.2
    saw      2.5             1.2     lots leave 1.5 and 1.0 of each, 6 and 4 MWh of all
    oven     0.5             0.5     (the shop's; no contract)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ledger.claims import service
from ledger.claims.manifest import Certificates, Manifest
from ledger.claims.service import ClaimReport
from ledger.house import House
from ledger.matching.service import run_matching
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from ledger.units import Period, parse_instant
from tests.divided import agree, built, consumer, owners, point_id, source, span, take

MWH: Final = 1_000_000
FEB, MARCH, BOTH = span(-4, 0), span(0, 4), span(-4, 4)
# Months of park time, by what an import says.
MONTHS: Final = {
    "2024-12": ("2024-11-30T16:00:00Z", "2024-12-31T16:00:00Z"),
    "2025-12": ("2025-11-30T16:00:00Z", "2025-12-31T16:00:00Z"),
    "2026-01": ("2025-12-31T16:00:00Z", "2026-01-31T16:00:00Z"),
    "2026-02": ("2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z"),
}


def month(name: str) -> Period:
    start, end = MONTHS[name]
    return Period(start_s=parse_instant(start), end_s=parse_instant(end))


def mwh(*values: float) -> list[int]:
    return [round(value * MWH) for value in values]


def build(house: House) -> None:
    owners(house)
    source(house, "roof")
    consumer(house, "saw")
    consumer(house, "oven", owner="shop")
    take(house, "roof", mwh(*4 * [1.0], *4 * [0.2]), start=-4)
    take(house, "saw", mwh(*4 * [2.5], *4 * [1.2]), start=-4)
    take(house, "oven", mwh(*8 * [0.5]), start=-4)
    agree(house, "all", {"saw": 0})
    run_matching(house.desk, BOTH)
    for scheme in ("gec", "ccer"):
        registry.register_scheme(house.desk, shipped(scheme))
    roof = Project(
        name="Roof",
        owner="farm",
        plant="roof",
        technology="pv",
        points=(point_id(house, "roof"),),
    )
    registry.register_project(house.desk, "gec", "ROOF", roof)
    imported(house, "O", 40)
    imported(house, "G", 20, class_="green-trade")
    imported(house, "C", 50, scheme="ccer", class_="other")


def certified(begun: Path, folder: Path) -> Path:
    return built(begun, folder, build)


def imported(
    house: House,
    code: str,
    units: int,
    *,
    owner: str = "mill",
    class_: str = "ordinary",
    scheme: str = "gec",
    of: str = "2026-02",
    **more: Any,
) -> None:
    """Units of a plant elsewhere, under a code of their own."""
    whole = SerialRange(first=0, end=units)
    batch = NewBatch(
        code=code,
        units=whole,
        period=month(of),
        shares=(Share(class_=class_, owner=owner, units=whole),),
        **more,
    )
    registry.issue(house.desk, scheme, [batch])


def retired(
    house: House,
    units: int,
    period: Period = FEB,
    *,
    code: str = "O",
    owner: str = "mill",
    beneficiary: str = "",
    scheme: str = "gec",
    purpose: str = "green-power",
) -> bytes:
    """So many units of a code, for its owner where nobody else is named."""
    use = Use(beneficiary=beneficiary or owner, purpose=purpose, period=period)
    selection = Selection(scheme=scheme, serials=[code], count=units)
    return acting.retire(house.desk, owner, selection, use)[0]


def neutral(house: House, tonnes: int, period: Period = FEB, **more: Any) -> bytes:
    """So many credits retired."""
    return retired(house, tonnes, period, code="C", scheme="ccer", purpose="neutrality", **more)


def claim(
    house: House, *retirements: bytes, period: Period = FEB, points: Sequence[str] = ("saw",)
) -> ClaimReport:
    return service.make(house.desk, points, period, retirements=retirements)


def wh_of(manifest: Manifest) -> dict[bytes, int]:
    """{retirement: Wh that it settles}."""
    return {one.retirement: one.wh for one in manifest.certificates}


def settled(manifest: Manifest) -> tuple[int, int, int]:
    """(Wh of lots, Wh of certificates, Wh that nothing covers)."""
    return manifest.claimed_wh, manifest.certificate_wh, manifest.residual_wh


def entry_of(one: Certificates, **changes: Any) -> dict[str, Any]:
    """What a manifest says of certificates, with changes."""
    return one.to_json() | changes
