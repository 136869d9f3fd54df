"""Messages → the outbox: judged, stored, counted; what can't be taken goes to a file.

A group of messages is one transaction. Only after it may they be acknowledged.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.errors import InvalidInput, LedgerError
from ledger.gateway import collector
from ledger.gateway.collector import Limits, Points, Reading, Shown, UnknownPoint
from ledger.gateway.messages import Interval, Item, Register, Rejected, read_message
from ledger.gateway.outbox import Outbox
from ledger.log.entry import SOURCE
from ledger.units import format_instant

PAYLOAD_KEPT_BYTES: Final = 65_536
_FILE_BYTES_MAX: Final = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A message of the broker."""

    topic: str
    payload: bytes


class DeadLetters:
    """A file of messages that were not taken, one JSON line each; the one before is kept too."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dead-letter.jsonl"

    def add(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """On disk when this returns. Only the gateway's user may read it: it holds payloads."""
        if not lines:
            return
        if self.path.exists() and self.path.stat().st_size > _FILE_BYTES_MAX:
            self.path.replace(self.path.with_suffix(".jsonl.1"))
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def source_of(topic: str, pattern: str) -> str:
    """The level of the topic that the pattern's `+` stands for. Raises InvalidInput."""
    levels, wanted = topic.split("/"), pattern.split("/")
    source = levels[wanted.index("+")] if len(levels) == len(wanted) else ""
    if not SOURCE.check(source):
        raise InvalidInput(f"the topic's source is not {SOURCE.expected}")
    return source


@dataclass(slots=True, kw_only=True)
class Intake:
    """`refresh`: the points as the server has them now, or None where it is not to be asked."""

    outbox: Outbox
    topic: str
    points: Points
    limits: Limits
    clock_s: Callable[[], int]
    refresh: Callable[[], Points | None]
    dead: DeadLetters = field(init=False)

    def __post_init__(self) -> None:
        self.dead = DeadLetters(self.outbox.folder)

    def take(self, messages: Sequence[Arrived]) -> Counter[str]:
        """Store what is good in one transaction, and say what became of it.

        Counts: messages, taken, repeats, conflicts, rejected, unknown.
        """
        now_s = self.clock_s()
        read = [read_message(one.payload) for one in messages]
        self._learn(read)
        counted: Counter[str] = Counter(messages=len(messages))
        dead = []
        with self.outbox.change():
            for one, items in zip(messages, read, strict=True):
                rejected = self._take_items(one.topic, items, now_s, counted)
                if rejected:
                    dead.append(_dead_letter(one, rejected, now_s))
            self.dead.add(dead)
            self.outbox.count(counted)
        return counted

    def _learn(self, read: Sequence[Sequence[Item]]) -> None:
        """Ask for the points where a message names one that is not known."""
        for items in read:
            for item in items:
                try:
                    if isinstance(item, Interval) or (isinstance(item, Register) and item.point):
                        self.points.named(item.point)
                    elif isinstance(item, Register):
                        self.points.of_meter(item.meter, item.at_s)
                except UnknownPoint:
                    self.points = self.refresh() or self.points
                    return

    def _take_items(
        self, topic: str, items: Sequence[Item], now_s: int, counted: Counter[str]
    ) -> list[Rejected]:
        rejected: list[Rejected] = []
        for place, item in enumerate(items):
            try:
                source = source_of(topic, self.topic)
                if isinstance(item, Rejected):
                    counted["rejected"] += 1
                    rejected.append(item)
                elif isinstance(item, Interval):
                    found = collector.reading_of(item, self.points, now_s, self.limits)
                    self._keep(found, source, now_s, counted)
                else:
                    self._keep_shown(
                        collector.shown_of(item, self.points, now_s, self.limits),
                        source,
                        now_s,
                        counted,
                    )
            except LedgerError as error:
                kind = "rejected"
                if isinstance(error, UnknownPoint | _Conflict):
                    kind = "unknown" if isinstance(error, UnknownPoint) else "conflicts"
                counted[kind] += 1
                rejected.append(Rejected(place=place, reason=str(error)))
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                # A bug of ours: one item must not keep the broker sending its message for ever.
                counted["rejected"] += 1
                reason = f"an error of the gateway: {type(error).__name__}"
                rejected.append(Rejected(place=place, reason=reason))
        return rejected

    def _keep(self, found: Reading, source: str, now_s: int, counted: Counter[str]) -> None:
        held = self.outbox.held(found.point, found.start_s)
        verdict = collector.judge(held, found)
        if verdict == "conflict":
            raise _Conflict(
                f"another value is held for {format_instant(found.start_s)}; the first one counts"
            )
        if verdict == "repeat":
            counted["repeats"] += 1
            return
        self.outbox.keep(found, source, collector.due_s(found.end_s, now_s, self.limits))
        counted["taken"] += 1

    def _keep_shown(self, found: Shown, source: str, now_s: int, counted: Counter[str]) -> None:
        """Keep a register, and take the intervals that it makes with its neighbours."""
        held = self.outbox.shown(found.point, found.at_s)
        if held is not None:
            if (held.number, held.unit) != (found.number, found.unit):
                raise _Conflict(
                    f"another register is held for {format_instant(found.at_s)}; the first counts"
                )
            counted["repeats"] += 1
            return
        self.outbox.keep_shown(found)
        counted["registers"] += 1
        step_s = self.points.by_id[found.point].master.interval_s
        before = self.outbox.shown(found.point, found.at_s - step_s)
        after = self.outbox.shown(found.point, found.at_s + step_s)
        reasons = []
        for first, second in ((before, found), (found, after)):
            if first is not None and second is not None:
                try:
                    made = collector.difference(first, second, self.points, now_s, self.limits)
                    self._keep(made, source, now_s, counted)
                except LedgerError as error:
                    reasons.append(str(error))
        if reasons:
            raise InvalidInput("; ".join(reasons))


class _Conflict(InvalidInput):
    """Another value than the one that is held."""


def _dead_letter(one: Arrived, rejected: Sequence[Rejected], now_s: int) -> dict[str, Any]:
    kept = one.payload[:PAYLOAD_KEPT_BYTES]
    return {
        "at": format_instant(now_s),
        "topic": one.topic[:256],
        "rejected": [{"place": each.place, "reason": each.reason} for each in rejected],
        "size": len(one.payload),
        "sha256": hashlib.sha256(one.payload).hexdigest(),
        "payload": base64.b64encode(kept).decode(),
    }
