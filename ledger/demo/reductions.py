"""The demo's credits: a quarter of carbon capture, recorded, verified by another party, issued and
retired here; and CCERs of a mangrove project, imported and retired on a line of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger import db
from ledger.credits.service import (
    Monitored,
    RecordReport,
    issue_record,
    record_reduction,
    verify_reduction,
)
from ledger.credits.store import ProjectKey
from ledger.demo import plan
from ledger.demo.attempts import Refusal, refusal
from ledger.demo.capture import QUARTER
from ledger.demo.certificates import CCER, COLD_CHAIN, INTERNAL
from ledger.demo.park import PERIOD
from ledger.log.notes import SigningKey
from ledger.metering.service import find_point
from ledger.parties.desk import Desk
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.service import NewBatch, Share

CAPTURE: Final = ProjectKey(scheme=INTERNAL, project="works-capture")
MANGROVE_CODE: Final = "DEMO-MANGROVE-2025."
MANGROVE_UNITS: Final = 400
BOUGHT_UNITS: Final = 150
RETIRED_UNITS: Final = 120
_AVOIDED: Final = "avoided"
_REMOVAL: Final = "removal"
_RETIRED: Final = {_AVOIDED: 500, _REMOVAL: 100}
# Stated, since no scale shows it: all in kg.
_STATED_KG: Final[Mapping[str, int]] = {
    "used": 0,
    "transport-leakage": 1_250,
    "recycled": 0,
    "produced": 0,
    "surface-leakage": 300,
    "equipment-leakage": 640,
    "energy-emissions": 338_400,
    "transport-emissions": 21_750,
    "injection-emissions": 12_400,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reductions:
    """The capture plant's record; what the ledger said when its owner verified it."""

    record: RecordReport
    self_verified: Refusal


def monitored(**changes: int) -> Monitored:
    """The quarter's mass balance; `changes`: other masses, in g."""
    stated = {role: 1_000 * mass_kg for role, mass_kg in _STATED_KG.items()}
    return Monitored(
        key=CAPTURE,
        period=QUARTER,
        points={role: [point] for point, role in plan.SCALES.items() if role not in changes},
        mass_g=stated | changes,
        tolerance_g=10_000_000,
        # A part of the works' fuel is wood: that CO2 was taken from the air.
        biogenic_ppm=180_000,
    )


def bring_in(desk: Desk, keys: Mapping[str, SigningKey]) -> Reductions:
    """All before anybody claims: what is retired for a claim stands in it."""
    key = keys.get(plan.ENTERPRISE)
    with db.reading(desk.engine) as conn:
        points = [find_point(conn, desk.log.log_id, name).point for name in plan.SCALES]
    master = Project(
        name="Capture at the works (demo)",
        owner=plan.ENTERPRISE,
        plant="works-capture",
        technology="ccus",
        points=tuple(sorted(points)),
    )
    registry.register_project(desk, INTERNAL, CAPTURE.project, master)
    record = record_reduction(desk, monitored(), author=plan.ENTERPRISE, key=key)
    own = refusal(
        "verifier",
        lambda: verify_reduction(desk, record.record, plan.ENTERPRISE, "All well", key=key),
    )
    verify_reduction(
        desk, record.record, plan.VERIFIER, "Scales and balance checked on site (synthetic demo)"
    )
    issue_record(desk, record.record)
    for class_, count in _RETIRED.items():
        use = Use(beneficiary=plan.ENTERPRISE, purpose="voluntary", period=PERIOD)
        selection = Selection(scheme=INTERNAL, count=count, class_=class_)
        acting.retire(desk, plan.ENTERPRISE, selection, use, key=key)
    _bring_in_ccer(desk)
    return Reductions(record=record, self_verified=own)


def _bring_in_ccer(desk: Desk) -> None:
    """Imported as the registry issued them; a part is sold, and retired by its buyer."""
    master = Project(
        name="Mangroves of Nansha (demo)",
        owner=plan.MANGROVE,
        plant="mangroves",
        technology="mangrove",
        crediting=PERIOD,
    )
    registry.register_project(desk, CCER, "mangroves", master)
    units = SerialRange(first=0, end=MANGROVE_UNITS)
    batch = NewBatch(
        code=MANGROVE_CODE,
        units=units,
        period=PERIOD,
        shares=(Share(class_="other", owner=plan.MANGROVE, units=units),),
        project="mangroves",
    )
    registry.issue(desk, CCER, [batch], note="synthetic demo")
    bought = Selection(scheme=CCER, count=BOUGHT_UNITS)
    acting.transfer(desk, plan.MANGROVE, COLD_CHAIN, bought, note="synthetic demo")
    use = Use(beneficiary=COLD_CHAIN, purpose="neutrality", period=PERIOD)
    acting.retire(desk, COLD_CHAIN, Selection(scheme=CCER, count=RETIRED_UNITS), use)
