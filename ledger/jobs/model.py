"""A job: who asked for what, how far it is, and what came of it. Pure.

Its state only goes forward: waiting → running → done, failed or cancelled. A job that nobody has
begun may be cancelled at once. One whose worker was lost stays running, and another takes it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ledger.errors import InvalidInput, LedgerError, Refused

State = Literal["waiting", "running", "done", "failed", "cancelled"]
WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
STATES: Final[tuple[State, ...]] = (WAITING, RUNNING, DONE, FAILED, CANCELLED)
_NEXT: Final[Mapping[str, frozenset[str]]] = {
    WAITING: frozenset({RUNNING, CANCELLED}),
    RUNNING: frozenset({DONE, FAILED, CANCELLED}),
    DONE: frozenset(),
    FAILED: frozenset(),
    CANCELLED: frozenset(),
}
ENDED: Final = frozenset(state for state, after in _NEXT.items() if not after)
# Of the park itself, not of one of its parties.
PARK: Final = ""
KEY_MAX: Final = 128
Result = Mapping[str, Any]


class Cancelled(LedgerError):
    """Whoever asked for the job has asked to stop it; nothing of it was stored."""


class Lost(LedgerError):
    """The job is no longer this worker's: its lease ran out, and another has taken it over."""


class Stopped(LedgerError):
    """The worker is told to stop: it lets go of the job, and the next one begins it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`party`: whose job it is (`PARK`: the park's). `account`: who asked. `done` of `total` steps
    (0: not known), `text` says which. Times are 0 where they are not yet. `error` says why it
    failed. `files`: names of what came with it, or came of it."""

    id: str
    kind: str
    party: str
    account: str
    state: State
    created_at_s: int
    params: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    done: int = 0
    total: int = 0
    text: str = ""
    started_at_s: int = 0
    ended_at_s: int = 0
    attempts: int = 0
    result: Result | None = None
    error: str = ""
    cancel_asked: bool = False

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def to_json(self) -> dict[str, Any]:
        """As everybody who may see the job sees it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "party": self.party,
            "state": self.state,
            "params": dict(self.params),
            "progress": {"done": self.done, "total": self.total, "text": self.text},
            "created_at_s": self.created_at_s,
            "started_at_s": self.started_at_s,
            "ended_at_s": self.ended_at_s,
            "attempts": self.attempts,
            "result": None if self.result is None else dict(self.result),
            "error": self.error,
            "cancel_asked": self.cancel_asked,
        }


def check_step(before: State, after: State) -> None:
    """Raises Refused unless a job in state `before` may get into state `after`."""
    if after not in _NEXT[before]:
        allowed = ", ".join(sorted(_NEXT[before])) or "no other: it has ended"
        raise Refused(f"a job that is {before} can't become {after}; it can become {allowed}")


def check_key(key: str) -> None:
    """Raises InvalidInput unless `key` can stand for a request."""
    if len(key) > KEY_MAX or not key.isprintable():
        raise InvalidInput(f"a key has at most {KEY_MAX} printable characters")


def same_request(job: Job, kind: str, params: Mapping[str, Any]) -> None:
    """Raises Refused where a key stands for another request."""
    if (job.kind, dict(job.params)) != (kind, dict(params)):
        raise Refused(f"key {job.key!r} stands for another request, job {job.id}; take a fresh key")
