"""Whole histories: what the Writer appends, the verifier passes; what it refuses, the verifier
refuses too when it is forced into the log, wherever the public can see why.
"""

from __future__ import annotations

import copy
import json
import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.rules import apply
from greenledger_verify.state import State
from greenledger_verify.trust import trust_of
from ledger.errors import LedgerError
from ledger.house import ENTRY_TYPES
from ledger.log.notes import SigningKey
from ledger.registry import lifecycle
from tests.differential.acts import ACTS, PARK_ACTS, REGISTRY_ACTS
from tests.differential.acts_officers import found_officers, with_officers
from tests.differential.acts_units import found_registry
from tests.differential.founding import found_park
from tests.differential.world import KEYS, Act, World, remember, text_of
from tests.ledgers import (
    ORIGIN,
    Clock,
    copy_ledger,
    introduce,
    no_progress,
    open_house,
    operator_key,
    rows,
    signed,
    statement,
)
from tests.reports.counting import computing

# Rules that need bodies (docs/formats.md §4.6), as the ledger says them; ticks need the server.
NEEDS_BODIES: Final = re.compile(
    r"^(point|contract|meter|parent|readings of|the name|the correction|unit|kind|owner|sources"
    r"|block|blocks|interval_s|the run's|consumption of|limit|period|a point|measure|seller)\b"
    r"|is written by the log itself|point [0-9a-f]{32}|is its owner|belongs to"
    r"|party 'ghost' is not registered|origin [^ ]+: (the run allotted nothing|its lots do not)"
    r"|^spends are exactly|^lot ([0-9a-f]{32}: |[0-9a-f]{32} (is held by|has energy outside))"
    r"|^lot [0-9]{1,3}[: ]|^body: |^member '(document|residual_wh)'|^the claim's|^class [0-9]"
    r"|^consumer is|^a reason stands|^as_of is 0|the period (does not stand|can't be closed)"
    r"|: period [0-9-]+ of '[a-z]+' is closed|^the points consumed|^[0-9]+ claims are short"
    r"|is to be flagged|^the body keeps|^entry [0-9]+ (has other|came from)|^the readings of"
    r"|^the batch of entry [0-9]+ can't"
    r"|^there are no reports of kind|^the log computes another|^changes are|^result.inputs"
)
# The same of units: what leaves say, and rules of schemes, projects, reductions and statements.
NEEDS_UNIT_BODIES: Final = re.compile(
    r"^(units|projects?|certificates|credits of|reductions of|lots of|settled are|file|row|month"
    r"|what is gone|leaf of|scheme [a-z-]+( is of kind| has no class|:)|class [a-z-]+ is not) "
    r"|^batch [^ ]+(,| is of| holds| has no lots| is frozen| is valid| begins| expires| [(]"
    r"|: (?!the next))"
    r"|^record [0-9a-f]{32} (of project|is|was issued|makes)|^lot [0-9a-f]{32}(,| is of| stands)"
    r"|^(an (act|owner leaf|obligation)|a (statement|record of|retirement is|settlement)) "
    r"|^the (act|lots|holdings|reversal|statement|verification|manifest|energy|obligation) "
    r"|^[0-9]+ (g are|units|certificates are|untraded certificates)"
    r"|^[0-9-]+ of this contract was settled|^(generation|consumption)_wh is"
    r"|^holding [0-9a-f]{32} is [a-z]+: it is used whole|ends holdings of one owner"
    r"|^retirement [0-9a-f]{32}(: | is (for|{))|the retirement says|units are gone exactly"
    r"|gives (units|nothing) to|changes a state|^'[a-z]+' (recorded it|retires for|owns no)"
    r"|^from [^ ]+ to [^ ]+ lots|^purpose '"
    # Of a leaf: no act leaves a member of a statement out.
    r"|^member '[a-z_]+' is missing"
)
STEPS: Final = 22
OPEN, PARK, REGISTRY = "open", "park", "registry"
SCENES: Final = {OPEN: ACTS, PARK: PARK_ACTS, REGISTRY: REGISTRY_ACTS}


def kinds_of(said: Mapping[str, Any]) -> set[str]:
    """The type; of moves which act too, of claims whether they have retirements."""
    found = {str(said["type"])}
    if said["type"] == "unit.move":
        found.add(f"unit.move {said['act']}")
    if said.get("retires"):
        found.add("claim.make with retires")
    return found


def by_officers(said: Mapping[str, Any], keys: Sequence[SigningKey]) -> set[str]:
    """The type, where two officers signed with the author."""
    return {f"{said['type']} by officers"} if len(keys) == 3 else set()


class History:
    """A ledger and the verifier's state of its log, side by side."""

    def __init__(self, folder: Path, seed: int, scene: str) -> None:
        self.clock = Clock()
        self.house = computing(open_house(folder, self.clock))
        self.world = World(
            house=self.house, clock=self.clock, chance=random.Random(seed), calm=scene != OPEN
        )
        self.state = State(origin=ORIGIN, complete=True)
        self.seen = 0
        self.refused: list[str] = []
        self.makes: defaultdict[Callable[[World], Act], set[str]] = defaultdict(set)
        self.catch_up()
        for party, roles in (("farm", "generator"), ("mill", "enterprise"), ("grid", "verifier")):
            receipt = self.house.desk.register_party(party, party, [roles])
            self.world.ids["party", party] = receipt.entry.id
            introduce(self.house, party, KEYS[party][0])
            self.world.keys[party] = [KEYS[party][0]]
        self.world.ids["party", "operator"] = self.genesis_id
        self.acts = SCENES[scene]
        for act in found_park(self.world) if scene != OPEN else ():
            remember(self.world, act, self.house.desk.writer.append(act.submission))
        if scene == REGISTRY:
            found_registry(self.world)
        for act in found_officers(self.world) if scene != OPEN else ():
            remember(self.world, act, self.house.desk.writer.append(act.submission))
        self.catch_up()

    @property
    def genesis_id(self) -> str:
        ((data,),) = rows(self.house, "SELECT data FROM entries WHERE entry_index = 0")
        found: dict[str, Any] = json.loads(bytes(data).partition(b"\n")[0])
        return str(found["id"])

    def catch_up(self) -> None:
        """The verifier takes in what was appended since."""
        new = rows(
            self.house,
            "SELECT data FROM entries WHERE entry_index >= ? ORDER BY entry_index",
            self.seen,
        )
        for (data,) in new:
            apply(self.state, parse_entry(bytes(data)), self.seen)
            self.seen += 1
        self.world.size = self.seen

    def step(self, wanted: Collection[Callable[[World], Act]] = ()) -> None:
        """One act; every other time one of those that are wanted, if the scene has any."""
        chance = self.world.chance
        self.clock.now_s += chance.choice([0, 0, 1, 600, 86_400, -3600])
        acts = [act for act in self.acts if act in wanted]
        tries = chance.choice(acts if acts and chance.random() < 0.5 else self.acts)
        act = with_officers(self.world, tries(self.world))
        self.makes[tries].add(str(act.said["type"]))
        try:
            receipt = self.house.desk.writer.append(act.submission)
        except LedgerError as error:
            self.refused += kinds_of(act.said)
            self.force(act, str(error))
            return
        if not receipt.repeated:
            remember(self.world, act, receipt)
        self.catch_up()

    def force(self, act: Act, why: str) -> None:
        """A log that holds what was refused, under a tick of the time it was refused at."""
        state = copy.deepcopy(self.state)
        at_s = max(self.clock.now_s, state.tick_s)
        tick = signed(statement("tick", "operator", at_s), operator_key(self.house))
        apply(state, parse_entry(tick), self.seen)
        try:
            apply(state, parse_entry(act.submission.data), self.seen + 1)
        except VerificationError:
            return
        needs_bodies = NEEDS_BODIES.search(why) or NEEDS_UNIT_BODIES.search(why)
        hidden = needs_bodies and ": replaces is" not in why
        assert hidden, f"the verifier takes {text_of(act)}, refused for: {why}"

    def close(self, folder: Path) -> None:
        for key in self.world.log_keys:
            if not self.house.desk.keystore.holds(key.verify_key):
                self.house.desk.keystore.put(key)
        self.house.checkpoint()
        self.house.export_tiles(folder / "tiles", no_progress)
        trust = trust_of([self.house.log.log_key.vkey])
        log = verify_log(folder / "tiles", trust, Report())
        assert log.state is not None
        assert log.state.counts == self.state.counts
        assert self.house.audit(no_progress).entries == self.seen
        self.house.engine.dispose()


@pytest.mark.long
@settings(max_examples=12)
@given(seed=st.integers(0, 2**64), scene=st.sampled_from(sorted(SCENES)))
def test_histories(begun_template: Path, seed: int, scene: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        history = History(copy_ledger(begun_template, Path(name) / "data"), seed, scene)
        for _ in range(STEPS):
            history.step()
        history.close(Path(name))


@pytest.mark.long
def test_the_acts_reach_both_sides(begun_template: Path, tmp_path: Path) -> None:
    """Else the test above would say little: most kinds of entry are accepted, and refused.

    What was not seen yet is tried more often.
    """
    every = {*ENTRY_TYPES.by_name, "claim.make with retires"} - {"log.genesis", "log.succeed"}
    pairs = {"unit.move by officers", "party.approval by officers", "claim.make by officers"}
    acts = {f"unit.move {act}" for act in lifecycle.MOVES}
    taken: set[str] = {"tick"}
    tried: set[str] = set()
    makes: defaultdict[Callable[[World], Act], set[str]] = defaultdict(set)
    for seed in range(80):
        folder = copy_ledger(begun_template, tmp_path / str(seed))
        history = History(folder, seed, (REGISTRY, PARK, REGISTRY, OPEN)[seed % 4])
        history.makes = makes
        for _ in range(40):
            missing = {
                name.partition(" ")[0]
                for name in (every - taken) | (every - tried) | (pairs - taken)
            }
            if "period.restate" in missing:
                missing.add("period.state")  # of which it takes four
            history.step({act for act, made in makes.items() if made & missing})
            for _, said, keys in history.world.accepted[-1:]:
                taken.update(kinds_of(said) | by_officers(said, keys))
            tried.update(history.refused)
        history.house.engine.dispose()
        if seed >= 5 and every <= taken & tried and acts <= taken | tried and pairs <= taken:
            break
    assert pairs <= taken
    assert every <= taken
    assert every <= tried
    assert acts <= taken | tried
