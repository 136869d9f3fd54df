"""What is interrupted: appends over the edge of a tile, a batch of readings, checkpoints.

Time, keys and all that is random are given, so that an undisturbed run makes the same bytes each
time. What the process is told is passed on at once, over a socket: it is what must not be lost.
"""

from __future__ import annotations

import base64
import json
import random
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.house import House
from ledger.log.service import Receipt, Submission
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from tests.ledgers import (
    add_many,
    begin,
    operator_key,
    party_statement,
    series,
    signed,
)

# The appends grow it by 2, 2, 4 and 2 entries: the third fills a tile of 256.
TEMPLATE_SIZE = 248


def draw_from(seed: str) -> None:
    """All randomness of the ledger (module secrets) follows from `seed` from here on."""
    secrets.token_bytes = random.Random(seed).randbytes  # type: ignore[assignment]


def build(folder: Path) -> None:
    """The ledger that every scenario begins with."""
    house = begin(folder)
    house.desk.register_party("mill", "Mill", ["enterprise"])
    house.desk.create_key("mill")
    register_point(house.desk, Point(name="saw", kind="consumption", owner="mill"))
    add_many(house, TEMPLATE_SIZE - 8)
    house.checkpoint()
    house.engine.dispose()


class Teller:
    """What the process says before it is lost, one line for each."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def say(self, what: str, **members: Any) -> None:
        self._line.sendall(json.dumps({"what": what, **members}).encode() + b"\n")

    def asks(self, data: bytes) -> None:
        self.say("asks", data=base64.b64encode(data).decode())

    def stored(self, receipts: list[Receipt]) -> None:
        for one in receipts:
            self.say("stored", index=one.index, leaf=one.entry.leaf_hash.hex())

    def handed_out(self, note: bytes) -> None:
        self.say("handed out", note=note.decode())


def _append(house: House, tell: Teller, *parties: str) -> None:
    key = operator_key(house)
    data = [signed(party_statement(party, id=secrets.token_hex(16)), key) for party in parties]
    for one in data:
        tell.asks(one)
    tell.stored(house.desk.writer.append_all([Submission(data=one) for one in data]))


def _read(house: House, tell: Teller) -> None:
    taken = take_in(house.desk, [series("saw", [7, 8, 9])], Origin(source="saw", author="mill"))
    tell.stored(list(taken.receipts))


def _checkpoint(house: House, tell: Teller) -> None:
    tell.handed_out(house.checkpoint())


Step = Callable[[House, Teller], None]
STEPS: tuple[Step, ...] = (
    lambda house, tell: _append(house, tell, "alpha"),
    _checkpoint,
    _read,
    lambda house, tell: _append(house, tell, "beta", "gamma", "delta"),
    _checkpoint,
    lambda house, tell: _append(house, tell, "omega"),
    _checkpoint,
)


def run(house: House, tell: Teller, steps: Sequence[Step] = STEPS) -> None:
    """Each step once. One that fails is told, and the next one is tried by the same process."""
    draw_from("before")
    for number, step in enumerate(steps):
        try:
            step(house, tell)
        except (LedgerError, OSError) as error:
            tell.say("failed", step=number, error=f"{type(error).__name__}: {error}")
    house.engine.dispose()
    tell.say("done")
