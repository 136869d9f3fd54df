"""Each entry of a log judged by the verifier's public rules, from the genesis on.

The books are kept in memory and built anew at each start: what a mirror holds is judged again,
signatures included, so nothing has to be believed of a file that says it was judged before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from greenledger_verify.entry import Entry, parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.note import ED25519, VerifierKey, parse_vkey
from greenledger_verify.rules import apply
from greenledger_verify.state import State

_BATCHES: Final = ("readings", "readings.correction")
_KEY_BEGINS: Final = "log-key.register"
_KEY_ENDS: Final = "log-key.end"
_LOOK_AT_CLOCK: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """The first entry that breaks a rule. `kind`: `gap` where a batch is not the next one of its
    source, else `rule`."""

    index: int
    kind: Literal["rule", "gap"]
    reason: str

    def __str__(self) -> str:
        return f"entry {self.index}: {self.reason}"


class Auditor:
    """Judges entries in order; nothing is judged after the first violation.

    `size`: entries that keep the rules; `at`: their bytes in a mirror. `log_keys`: keys in force
    that sign checkpoints, by vkey; `ended`: those that do not any more.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.size = 0
        self.at = 0
        self.violation: Violation | None = None
        self.log_keys: dict[str, VerifierKey] = {}
        self.ended: set[str] = set()
        # Each (author, source): the tick before its last batch.
        self.last_batch_s: dict[tuple[str, str], int] = {}
        self._state: State | None = None

    @property
    def tick_s(self) -> int:
        """The last tick; 0 before the first entry."""
        return self._state.tick_s if self._state else 0

    def take(self, entries: Iterable[bytes], time_left: Callable[[], bool] = lambda: True) -> bool:
        """Judge entries that follow those before. False where time ran out; `at` says where."""
        for raw in entries:
            if self.violation:
                return True
            if self.size % _LOOK_AT_CLOCK == 0 and not time_left():
                return False
            self._judge(raw)
        return True

    def _judge(self, raw: bytes) -> None:
        chains_before = None
        entry: Entry | None = None
        try:
            entry = parse_entry(raw)
            state = self._state or _begin(self.origin, entry)
            chains_before = _chain(state, entry)
            apply(state, entry, self.size)
        except VerificationError as error:
            kind: Literal["rule", "gap"] = "rule"
            if entry and chains_before and _is_gap(entry, *chains_before):
                kind = "gap"
            self.violation = Violation(index=self.size, kind=kind, reason=str(error))
            return
        self._state = state
        self._note(state, entry)
        self.size += 1
        self.at += 2 + len(raw)

    def _note(self, state: State, entry: Entry) -> None:
        if entry.type in _BATCHES:
            self.last_batch_s[entry.author, entry.text("source")] = state.tick_s
        elif entry.type in ("log.genesis", _KEY_BEGINS):
            key = parse_vkey(entry.text("log_vkey"))
            # A second key of another kind signs beside the Ed25519 key, never in its place.
            if key.kind == ED25519:
                self.log_keys[key.vkey] = key
        elif entry.type == _KEY_ENDS:
            self.log_keys.pop(entry.text("log_vkey"), None)
            self.ended.add(entry.text("log_vkey"))


def _begin(origin: str, genesis: Entry) -> State:
    """The genesis names the log's first key. That a trusted key belongs to the log is shown at its
    end: it must be one in force there (see `Auditor.log_keys`)."""
    if genesis.type != "log.genesis":
        raise VerificationError("a log begins with log.genesis, not with {type}", type=genesis.type)
    return State(origin=origin, complete=True)


def _chain(state: State, entry: Entry) -> tuple[int, str] | None:
    """The sequence and leaf hash that the entry must follow, where it is a batch."""
    if entry.type not in _BATCHES:
        return None
    sequence, previous = state.chains.get((entry.author, entry.text("source")), (-1, b""))
    return sequence, previous.hex()


def _is_gap(entry: Entry, sequence: int, previous: str) -> bool:
    return entry.integer("sequence") != sequence + 1 or entry.text("previous") != previous
