"""The simulation: who lives in the park, and what is done to it, all of it drawn from a seed."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import socket
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.metering.service import points_by_name
from ledger.registry import service as registry
from ledger.registry.scheme import shipped
from tests import units
from tests.crash.driver import Mode, Points
from tests.divided import EDGE_S, agree, consumer, owners, source, take
from tests.ledgers import NOW_S, QUARTER_S, Clock, begin, open_house
from tests.simulation.auditor import UNITS, Auditor, require

SOURCES: Final = {"roof": "farm", "tower": "wind"}
CONSUMERS: Final = {"saw": "mill", "oven": "shop"}
POINTS: Final = {**SOURCES, **CONSUMERS}
# A run says what it tried.
Tally = Counter[str]
Act = Callable[[House], object]


def build(folder: Path) -> None:
    """The park that every run begins with: parties, points, contracts, 200 certificates."""
    draw("park")
    house = begin(folder)
    owners(house)
    for name, owner in SOURCES.items():
        source(house, name, owner=owner)
    for name, owner in CONSUMERS.items():
        consumer(house, name, owner=owner)
    agree(house, "direct", dict.fromkeys(CONSUMERS, 0))
    agree(house, "traded", {"saw": 0}, kind="green-trade", seller="wind", sources=["tower"])
    registry.register_scheme(house.desk, shipped("gec"))
    units.issue(house, "S", UNITS.start, UNITS.stop, owner="farm")
    for name in POINTS:
        take(house, name, [1000, 900, 800, 700], start=-4)
    house.checkpoint()
    house.engine.dispose()


def draw(seed: str) -> random.Random:
    """All randomness of the ledger follows from `seed` from here on; and that of who asks."""
    secrets.token_bytes = random.Random(f"{seed} secrets").randbytes  # type: ignore[assignment]
    return random.Random(seed)


@dataclass
class Park:
    """One ledger in the hands of the simulation."""

    folder: Path
    seed: int
    chance: random.Random = field(init=False)
    clock: Clock = field(default_factory=Clock)
    tally: Tally = field(default_factory=Tally)
    read_up_to: dict[str, int] = field(default_factory=lambda: dict.fromkeys(POINTS, 0))
    number: int = 0

    def __post_init__(self) -> None:
        self.chance = draw(f"{self.seed}")
        self.house = self.opened()
        with reading(self.house.engine) as conn:
            names = {one.point: name for name, one in points_by_name(conn, 1).items()}
        self.auditor = Auditor(names)
        self.auditor.owner = dict.fromkeys(UNITS, "farm")
        for point in POINTS:
            for at, wh in enumerate((1000, 900, 800, 700), -4):
                self.auditor.read(point, EDGE_S + at * QUARTER_S, wh)
        self.auditor.look(self.house)

    def opened(self) -> House:
        return open_house(self.folder, self.clock)

    def close(self) -> None:
        self.house.engine.dispose()
        shutil.rmtree(self.folder, ignore_errors=True)

    def reopen(self) -> None:
        self.house.engine.dispose()
        self.house = self.opened()

    @property
    def quarter(self) -> int:
        """The last whole quarter-hour by the log's time, which no clock sets back."""
        tick = max([NOW_S, self.clock.now_s])
        return (tick - EDGE_S) // QUARTER_S

    # Steps

    def step(self, name: str, do: Callable[[Park], object]) -> None:
        """One step, and the auditor after it. What it raises names the step."""
        self.number += 1
        self.chance = draw(f"{self.seed} {self.number}")
        try:
            do(self)
            self.auditor.look(self.house)
        except (AssertionError, LedgerError, OSError) as error:
            raise AssertionError(
                f"seed {self.seed}, step {self.number} ({name}): {error}"
            ) from error
        self.tally["steps"] += 1

    def refused(self, act: Act, *why: str) -> None:
        """The ledger refuses, says why, and has changed nothing."""
        self.auditor.look(self.house)
        before = len(self.auditor.leaves)
        try:
            act(self.house)
        except LedgerError as error:
            said = str(error)
        else:
            raise AssertionError(f"it was not refused, for {' or '.join(why)}")
        require(any(word in said for word in why), f"refused, but not for {why}: {said}")
        self.auditor.look(self.house)
        require(len(self.auditor.leaves) == before, "what was refused has left entries")
        self.tally["refusals"] += 1

    def allowed(self, act: Act, *or_why: str) -> bool:
        """It is done; or refused, and then for one of these reasons."""
        try:
            act(self.house)
        except LedgerError as error:
            require(any(word in str(error) for word in or_why), f"{type(error).__name__}: {error}")
            self.tally["refusals"] += 1
            return False
        return True

    # Crashes

    def crash(self, act: Act, kind: str) -> bool:
        """The act in a process that dies, or whose driver fails, at some point of it; then the
        ledger is opened again. Was it done? `kind`: the entry that it appends."""
        mode: Mode = self.chance.choice(["kill", "kill", "error"])
        at = self.chance.randrange(1, 40)
        self.house.engine.dispose()
        notes = self._lost(act, Points(at=at, mode=mode))
        self.tally["crashes"] += 1
        self.house = self.opened()
        new = self.auditor.look_at_log(self.house)
        for note in notes:
            self.auditor.hand_out(note)
        require(new.count(kind) <= 1, f"it was done {new.count(kind)} times")
        self.auditor.log_again(self.house)
        return kind in new

    def _lost(self, act: Act, points: Points) -> list[bytes]:
        """Runs the act in a process of its own; returns checkpoints that it handed out."""
        mine, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            mine.close()
            self._be_lost(act, points, theirs)
        theirs.close()
        with mine, mine.makefile() as lines:
            found = [json.loads(line) for line in lines]
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        require(ended in (0, -9), f"the process ended with {ended}: {found}")
        return [one["note"].encode() for one in found]

    def _be_lost(self, act: Act, points: Points, line: socket.socket) -> None:
        """Never returns."""
        try:
            draw(f"{self.seed} {self.number} lost")
            house = self.opened()
            points.install()
            try:
                done: Any = act(house)
            except (LedgerError, OSError):
                done = None
            if isinstance(done, bytes):
                line.sendall(json.dumps({"note": done.decode()}).encode() + b"\n")
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
