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
from greenledger_verify.note import ED25519, VerifierKey
from greenledger_verify.rules import apply
from greenledger_verify.state import State

_BATCHES: Final = ("readings", "readings.correction")
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

    `size`: entries that keep the rules; `at`: their bytes in a mirror.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.size = 0
        self.at = 0
        self.violation: Violation | None = None
        # Each (author, source): the tick before its last batch.
        self.last_batch_s: dict[tuple[str, str], int] = {}
        self._state: State | None = None

    @property
    def tick_s(self) -> int:
        """The last tick; 0 before the first entry."""
        return self._state.tick_s if self._state else 0

    @property
    def log_keys(self) -> list[VerifierKey]:
        """Ed25519 keys in force, of which one at least signs each checkpoint."""
        present = self._state.log_keys.present() if self._state else []
        return [key for key in present if key.kind == ED25519]

    @property
    def ended(self) -> set[str]:
        """Keys of the log that sign no more, by vkey."""
        keys = self._state.log_keys.keys if self._state else []
        return {one.key.vkey for one in keys if one.ended is not None}

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
            state = self._state or State(origin=self.origin, complete=True)
            chains_before = _chain(state, entry)
            apply(state, entry, self.size)
        except VerificationError as error:
            kind: Literal["rule", "gap"] = "rule"
            if entry and chains_before and _is_gap(entry, *chains_before):
                kind = "gap"
            self.violation = Violation(index=self.size, kind=kind, reason=str(error))
            return
        self._state = state
        if entry.type in _BATCHES:
            self.last_batch_s[entry.author, entry.text("source")] = state.tick_s
        self.size += 1
        self.at += 2 + len(raw)


def _chain(state: State, entry: Entry) -> tuple[int, str] | None:
    """The sequence and leaf hash that the entry must follow, where it is a batch."""
    if entry.type not in _BATCHES:
        return None
    sequence, previous = state.chains.get((entry.author, entry.text("source")), (-1, b""))
    return sequence, previous.hex()


def _is_gap(entry: Entry, sequence: int, previous: str) -> bool:
    return entry.integer("sequence") != sequence + 1 or entry.text("previous") != previous
