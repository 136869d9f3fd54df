"""What a room says about its entry types, and what it is handed when one is placed in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from ledger.errors import Erased, InvalidInput
from ledger.log.bodies import Blob, Body, BodyKind
from ledger.log.entry import COMMON, Entry, Member, check_members
from ledger.log.erasing import Kept
from ledger.log.notes import VerifyKey
from ledger.log.store import LogFacts

Bodies = Mapping[str, Body]  # by member name
# By leaf hash: entries that are appended in the same request, before this one.
Beside = Mapping[bytes, tuple["Entry", Bodies]]

FUTURE_S_MAX: Final = 300


def blob(bodies: Bodies, member: str) -> Blob:
    """The salted body of a member."""
    found = bodies[member]
    assert isinstance(found, Blob)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx:
    """The place of one entry: inside the writer's transaction, at `index`, under the last tick.

    `checked`: what `EntryType.check` found before the lock was taken, of a log that was shorter.
    `attested`: in a replay, the entries so far that can't be recomputed any more; else None.
    """

    conn: Connection
    log: LogFacts
    index: int
    tick_s: int
    checked: object = None
    attested: set[int] | None = None

    def attest(self, error: Erased) -> None:
        """Readings are gone that something of this entry is to be compared with. In a replay it
        stands on its word, if they were there when it was made; else this raises the error."""
        if self.attested is None or error.by is not None:
            raise error
        self.attested.add(self.index)


def _none(_bodies: Bodies) -> Sequence[str]:
    return ()


def _never(_entry: Entry) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryType:
    """One row of the table in docs/formats.md §4.

    `members`: beside the common ones. `bodies`: the members that are references, and their kinds.
    `signers(tx, entry)`: the keys that must have signed, in order; raises Refused when the author
    may not. `accept(tx, entry, bodies)`: the rules against the present state, then the projection.
    `attachments(bodies)`: hashes of further salted blobs that the bodies, not the statement, name.
    `check(tx, entry, bodies, beside)`: the part of `accept` that is much work, done before anybody
    has to wait; what it returns is `tx.checked` of `accept`, which says whether it still holds.
    `irreversible(entry)`: whether an entry of it can't be undone, so that its author may want two
    people for it.
    `keeps(bodies)`: of an entry that erases others: what is kept of their bodies, by leaf hash.
    """

    name: str
    members: Mapping[str, Member]
    signers: Callable[[Tx, Entry], Sequence[VerifyKey]]
    accept: Callable[[Tx, Entry, Bodies], None]
    bodies: Mapping[str, BodyKind] = field(default_factory=dict)
    attachments: Callable[[Bodies], Sequence[str]] = _none
    check: Callable[[Tx, Entry, Bodies, Beside], object] | None = None
    irreversible: Callable[[Entry], bool] = _never
    keeps: Callable[[Bodies], Mapping[bytes, Kept]] | None = None

    def followed_by(self, more: Callable[[Tx, Entry, Bodies], None]) -> EntryType:
        """The type as a room above sees it: what `accept` stored has further effects there."""

        def accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
            self.accept(tx, entry, bodies)
            more(tx, entry, bodies)

        return replace(self, accept=accept)

    def preceded_by(self, check: Callable[[Tx, Entry, Bodies], None]) -> EntryType:
        """The type as a room above sees it: what has to hold there before `accept` stores it."""

        def accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
            check(tx, entry, bodies)
            self.accept(tx, entry, bodies)

        return replace(self, accept=accept)

    def check_statement(self, entry: Entry) -> None:
        check_members(entry.statement, {**COMMON, **self.members})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTypes:
    """All types that a log accepts."""

    by_name: Mapping[str, EntryType]

    @property
    def erasing(self) -> frozenset[str]:
        """Names of those that erase bodies of entries before."""
        return frozenset(name for name, one in self.by_name.items() if one.keeps is not None)

    @classmethod
    def of(cls, types: Sequence[EntryType]) -> EntryTypes:
        return cls(by_name={type_.name: type_ for type_ in types})

    def of_entry(self, entry: Entry) -> EntryType:
        found = self.by_name.get(entry.type)
        if found is None:
            known = ", ".join(sorted(self.by_name))
            raise InvalidInput(f"unknown entry type {entry.type!r}; known are {known}")
        return found
