"""Steps of accounting periods, good and bad."""

from __future__ import annotations

from ledger.db import reading
from ledger.log.bodies import reference
from ledger.lots.model import span_of
from ledger.periods.report import report_on
from tests.differential.world import PARTIES, Act, World, sealed

NAMES = ("2026-02", "2026-01", "2025", "2026-03")
AFTER = {
    "open": "provisional",
    "provisional": "submitted",
    "submitted": "approved",
    "approved": "closed",
    "closed": "closed",
}


def step_period(world: World) -> Act:
    party = world.chance.choice(["mill", "mill", "mill", "farm", "ghost"])
    name = world.chance.choice([*[NAMES[0]] * 4, *NAMES])
    state, revision = world.periods.get((party, name), ("open", 0))
    after = AFTER[state]
    if state == "submitted" and world.chance.random() < 0.3:
        after = "provisional"
    if world.slips(0.15):
        after = world.chance.choice(["provisional", "submitted", "approved", "closed"])
    back = after == "provisional" and state in ("submitted", "approved")
    reason = "not yet" if back != world.slips(0.1) else ""
    if world.slips(0.1):
        revision = world.chance.choice([0, 1, 2])
    house = world.house
    with reading(house.engine) as conn:
        span = span_of(name, house.log.zone_s)
        report = report_on(conn, house.log, party, span).to_json()
    as_of = 0 if world.slips(0.05) else world.size
    body = sealed(world, {"as_of": as_of, **report}, "period")
    author = world.author(world.chance.choice([party, party, party, "operator"]))
    said = world.said(
        "period.state",
        author,
        party=party,
        period=name,
        revision=revision,
        state=after,
        reason=reason,
        body=reference(body, "hash"),
    )
    return Act(said=said, keys=(world.key(author),), bodies={"body": body.data})


def restate_period(world: World) -> Act:
    closed = [key for key, (state, _) in world.periods.items() if state == "closed"]
    party, name = (
        world.chance.choice(closed)
        if closed and not world.slips(0.1)
        else (world.chance.choice(PARTIES), NAMES[0])
    )
    _, revision = world.periods.get((party, name), ("open", 0))
    said = world.said(
        "period.restate",
        world.author(party),
        party=party,
        period=name,
        revision=revision + (0 if world.slips(0.1) else 1),
        reason="late data",
    )
    return Act(said=said, keys=(world.key(said["author"]),))
