"""The keys that sign a log's checkpoints, and which of them to believe (formats.md §4.1).

The genesis names the first one. ``log-key.register`` brings another, signed by the oldest Ed25519
key in force, so that who trusts that one trusts the new one too; ``log-key.end`` ends one. A
checkpoint of size n is signed by the keys in force after entry n - 1.

The key that a person brings may be any of these, but one that the log does not know, or one that
had ended, vouches for nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from greenledger_verify.entry import Entry, parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.note import ED25519, VerifierKey, parse_vkey, verify_signature

REGISTER: Final = "log-key.register"
END: Final = "log-key.end"
LOG_KEY_TYPES: Final = (REGISTER, END)
# Bytes without which no entry is of these types: their name, or an escape of JSON that hides it.
_SIGNS: Final = (b'"log-key.', b"\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key of the log, the entry that brought it, the key of the log that signed that entry (None:
    it is the genesis), and the entry that ended it, if one did.
    """

    key: VerifierKey
    index: int
    by: VerifierKey | None
    ended: int | None = None

    def in_force_at(self, size: int) -> bool:
        """Whether it signs checkpoints of that size."""
        return self.index < size and (self.ended is None or self.ended >= size)


@dataclass(slots=True, kw_only=True)
class LogKeys:
    """All keys of a log so far, in the order of their registration."""

    keys: list[LogKey] = field(default_factory=list)

    def present(self) -> list[VerifierKey]:
        """Those in force now."""
        return [one.key for one in self.keys if one.ended is None]

    def oldest(self, but: VerifierKey | None = None) -> VerifierKey | None:
        """The oldest Ed25519 key in force now, other than ``but``."""
        return next((key for key in self.present() if key.kind == ED25519 and key != but), None)

    def find(self, vkey: str) -> LogKey | None:
        return next((one for one in self.keys if one.key.vkey == vkey), None)

    def begin(self, key: VerifierKey) -> None:
        self.keys = [LogKey(key=key, index=0, by=None)]

    def take(self, entry: Entry, index: int) -> None:
        """The effect of an entry on the log's keys, which must have been judged."""
        key = parse_vkey(entry.text("log_vkey"))
        if entry.type == REGISTER:
            self.keys.append(LogKey(key=key, index=index, by=self.oldest()))
        else:
            self.keys = [replace(one, ended=index) if one.key == key else one for one in self.keys]

    def reached(self, brought: Iterable[VerifierKey]) -> list[LogKey]:
        """Keys of the log, ended ones too, that are among those brought along, or that one of
        these, or in turn one that it brought, has signed into the log.
        """
        roots = {key.vkey for key in brought}
        for one in self.keys:
            if one.by is not None and one.by.vkey in roots:
                roots.add(one.key.vkey)
        return [one for one in self.keys if one.key.vkey in roots]


def may_tell(raw: bytes) -> bool:
    """Whether these bytes, of an entry or of many, can hold an entry on the log's keys."""
    return any(sign in raw for sign in _SIGNS)


def read_log_keys(entries: Iterable[tuple[int, bytes]]) -> LogKeys:
    """What some entries, by index, say of the log's keys; nothing where the genesis is not there.

    An entry counts if the key of the log that has to sign it has. What is not well-formed counts
    for nothing here: it is refused where the rules are applied.
    """
    found = LogKeys()
    for index, raw in sorted(entries):
        if index and not may_tell(raw):
            continue
        try:
            entry = parse_entry(raw)
            if index == 0 and entry.type == "log.genesis":
                found.begin(parse_vkey(entry.text("log_vkey")))
            elif found.keys and entry.type in LOG_KEY_TYPES:
                _require_endorsed(found, entry)
                found.take(entry, index)
        except VerificationError:
            continue
    return found


def endorser(keys: LogKeys, entry: Entry) -> VerifierKey:
    """The key of the log that has to sign an entry on its keys."""
    but = parse_vkey(entry.text("log_vkey")) if entry.type == END else None
    oldest = keys.oldest(but)
    if oldest is None:
        raise VerificationError("it ends the last Ed25519 key of the log")
    return oldest


def _require_endorsed(keys: LogKeys, entry: Entry) -> None:
    key = endorser(keys, entry)
    for line in entry.note.signatures:
        if (line.name, line.key_id) == (key.name, key.key_id):
            verify_signature(key, line.signature, entry.note.text)
            return
    raise VerificationError("the key of the log {vkey} has not signed it", vkey=key.vkey)
