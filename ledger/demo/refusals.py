"""What the demo tries and the ledger refuses: each double use that somebody might think of.

Nothing of it changes anything; the words are those of the log's own rules, not of a form before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger import db
from ledger.certificates.settlement import Settlement, settle
from ledger.credits.service import record_reduction
from ledger.demo import plan
from ledger.demo.attempts import Refusal, refusal
from ledger.demo.certificates import (
    CCER,
    CLOUD_ONE,
    COLD_CHAIN,
    GEC,
    GREEN_TRADE,
    INTERNAL,
    LISTED,
    ORDINARY,
    OUTSIDE,
    SELF_USE,
    UNIT_WH,
    code_of,
    months,
)
from ledger.demo.clock import ENDS_S, StoryClock
from ledger.demo.park import PERIOD
from ledger.demo.reductions import monitored
from ledger.log.notes import SigningKey
from ledger.lots.model import Month
from ledger.parties.desk import Desk
from ledger.registry import acting, catalogue, exclusive, lifecycle
from ledger.registry import service as registry
from ledger.registry.choosing import Chosen, Selection
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.service import NewBatch, Share

_DECEMBER: Final = "2025-12"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """`frozen`: units that froze when a CCER project of the same plant was registered; `expired`:
    those that ended since their validity was over."""

    refusals: list[Refusal]
    frozen: int
    expired: int


def _use(beneficiary: str, purpose: str = "green-power") -> Use:
    return Use(beneficiary=beneficiary, purpose=purpose, period=PERIOD)


def before_claims(desk: Desk, keys: Mapping[str, SigningKey]) -> list[Refusal]:
    """What nobody may do with certificates and credits that are there."""
    july = code_of("sea-wind", "2025-07")
    ground = code_of("ground-pv", "2025-07")
    listed = code_of(OUTSIDE, "2025-07")
    return [
        refusal("again", lambda: _import_again(desk, listed)),
        refusal(
            "green-trade",
            lambda: acting.transfer(
                desk,
                CLOUD_ONE,
                COLD_CHAIN,
                Selection(scheme=GEC, serials=[july], count=1, class_=GREEN_TRADE),
            ),
        ),
        refusal("settled", lambda: _settle_again(desk)),
        refusal(
            "self-use",
            lambda: acting.transfer(
                desk,
                COLD_CHAIN,
                CLOUD_ONE,
                Selection(scheme=GEC, serials=[ground], count=1, class_=SELF_USE),
            ),
        ),
        refusal("others", lambda: _retire_anothers(desk)),
        refusal("barred", lambda: registry.register_project(desk, CCER, "roof", _roof())),
        refusal(
            "balance",
            lambda: record_reduction(
                desk,
                monitored(injected=2_700_000_000),
                author=plan.ENTERPRISE,
                key=keys[plan.ENTERPRISE],
            ),
        ),
        refusal(
            "compliance",
            lambda: acting.retire(
                desk,
                plan.ENTERPRISE,
                Selection(scheme=INTERNAL, count=1),
                Use(
                    beneficiary=plan.ENTERPRISE,
                    purpose="ets-compliance",
                    period=PERIOD,
                    obligation=10_000,
                ),
                key=keys[plan.ENTERPRISE],
            ),
        ),
    ]


def _roof() -> Project:
    return Project(name="Roof", owner=plan.ENTERPRISE, plant="roof-pv", technology="pv")


def _month(text: str) -> Month:
    (found,) = [month for month in months() if str(month) == text]
    return found


def _import_again(desk: Desk, code: str) -> None:
    units = SerialRange(first=0, end=10)
    batch = NewBatch(
        code=code,
        units=units,
        period=_month("2025-07").period,
        shares=(Share(class_=ORDINARY, owner=plan.NORTH_WIND, units=units),),
        project=OUTSIDE,
    )
    registry.issue(desk, GEC, [batch])


def _settle_again(desk: Desk) -> None:
    found = Settlement(
        contract="sea-wind-trade",
        month=_month("2025-07"),
        buyer=CLOUD_ONE,
        contract_wh=UNIT_WH,
        generation_wh=UNIT_WH,
        consumption_wh=UNIT_WH,
    )
    settle(desk, found)


def _retire_anothers(desk: Desk) -> None:
    """Signed by one party, of the units of another: a form would not offer that."""
    mine = Selection(scheme=GEC, serials=[code_of(OUTSIDE, "2025-07")], count=1)
    chosen = acting.chosen_of(desk, CLOUD_ONE, mine, lifecycle.RETIRE)
    desk.append(acting.retire_draft(desk, COLD_CHAIN, chosen, _use(COLD_CHAIN)))


def keep_one(desk: Desk) -> Chosen:
    """A certificate that its owner is about to use, as it stands before."""
    mine = Selection(scheme=GEC, serials=[code_of(OUTSIDE, "2025-01")], count=1)
    return acting.chosen_of(desk, CLOUD_ONE, mine, lifecycle.RETIRE)


def after_claims(desk: Desk, used: Chosen, clock: StoryClock) -> Tried:
    """Certificates that were used, those of a plant that turns to CCER, and those too old."""
    found = [
        refusal(
            "twice",
            lambda: desk.append(acting.retire_draft(desk, CLOUD_ONE, used, _use(CLOUD_ONE))),
        )
    ]
    frozen = _register_ccer(desk)
    found.append(refusal("ccer", lambda: _issue_ccer(desk)))
    clock.now_s = ENDS_S
    old = code_of(OUTSIDE, "2024-02")
    found.append(
        refusal(
            "expired",
            lambda: acting.transfer(
                desk, plan.NORTH_WIND, COLD_CHAIN, Selection(scheme=GEC, serials=[old])
            ),
        )
    )
    acting.expire_due(desk)
    return Tried(refusals=found, frozen=frozen, expired=LISTED["2024-02"])


def _register_ccer(desk: Desk) -> int:
    """Offshore wind may choose CCER: then what was not traded of that time freezes, and is
    cancelled before reductions are issued (124号)."""
    master = Project(
        name="Sea Wind, CCER (demo)",
        owner="sea-wind",
        plant="sea-wind",
        technology="offshore-wind",
        crediting=_month(_DECEMBER).period,
    )
    with db.reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, CCER).rules
        rows = exclusive.to_freeze(conn, desk.log.log_id, rules, master)
    registry.register_project(desk, CCER, "sea-wind", master)
    serials = sorted(f"{row.batch.short}:{row.units}" for row in rows)
    acting.finish(
        desk,
        lifecycle.CANCEL,
        "",
        Selection(scheme=GEC, serials=serials),
        "reductions of the same energy are to be registered (124号)",
    )
    return sum(len(row.units) for row in rows)


def _issue_ccer(desk: Desk) -> None:
    units = SerialRange(first=0, end=1_000)
    batch = NewBatch(
        code="DEMO-SEA-WIND-CCER.",
        units=units,
        period=_month(_DECEMBER).period,
        shares=(Share(class_="energy", owner="sea-wind", units=units),),
        project="sea-wind",
    )
    registry.issue(desk, CCER, [batch])
