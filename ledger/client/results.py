"""What the API answers, as values: frozen, typed, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ledger.log.checkpoint import Checkpoint
from ledger.metering.points import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeyInfo:
    """A key of the log, the entry that brought it, and the one that ended it, or -1."""

    vkey: str
    entry: int
    ended_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInfo:
    """What a log says of itself. `checkpoint_size`: of the latest signed checkpoint."""

    origin: str
    name: str
    zone: str
    operator: str
    log_vkey: str
    log_keys: tuple[LogKeyInfo, ...]
    size: int
    checkpoint_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where an entry stands. `leaf`: its leaf hash in hex. `repeated`: it had been there before."""

    index: int
    leaf: str
    repeated: bool
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a request wrote; `facts`: figures of the act that its entries do not show."""

    receipts: tuple[Receipt, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHead:
    """The last batch of an author's source: its sequence number and leaf hash in hex."""

    sequence: int
    leaf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """An RFC 9162 consistency proof up to the latest checkpoint; hashes in hex."""

    size1: int
    size2: int
    root1: str
    root2: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """An entry whose inclusion was verified, and the checkpoint that it stands under."""

    index: int
    checkpoint: Checkpoint
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyKey:
    """A key of a party, as the log has it."""

    vkey: str
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PointInfo:
    """A point in force. `point`: its id in hex."""

    point: str
    master: Point

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> PointInfo:
        """Raises InvalidInput or KeyError for what is no point; other members are left out."""
        wanted = {each.name for each in fields(Point)}
        master = Point.from_json({name: item[name] for name in wanted})
        return cls(point=str(item["point"]), master=master)

    def to_json(self) -> dict[str, Any]:
        return {"point": self.point, **self.master.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    """A job of the service. `state`: waiting, running, done, failed or cancelled. `done` of `total`
    steps, 0 while that is not known; `result` is there once it is done."""

    id: str
    kind: str
    party: str
    state: str
    done: int
    total: int
    text: str
    error: str
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A server-sent event."""

    name: str
    data: str
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """RFC 9457 problem details; what else a problem has is in `members`."""

    status: int
    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.detail or self.title or f"status {self.status}"
