"""Appending: prepare outside the lock, place inside one transaction, many requests in one group.

Order: parse, open bodies and verify signatures (no lock) → take the writer's transaction → write a
tick → for each submission, under a savepoint of its own: recheck who may sign, apply the type's
rules and projections → extend tiles and head → commit. An acknowledged entry is on disk.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from ledger.db import as_ledger_error, reading, writing
from ledger.errors import InvalidInput, LedgerError, Refused, Unavailable
from ledger.log import store, tiles
from ledger.log.bodies import Blob, Body, Gone, check_reference
from ledger.log.entry import Entry, parse_entry, write_statement
from ledger.log.erasing import Kept, save_uses
from ledger.log.notes import Signer, VerifyKey, parse_vkey, sign_note
from ledger.log.types import FUTURE_S_MAX, Beside, Bodies, EntryType, EntryTypes, Tx
from ledger.units import format_instant

TICK = "tick"
GENESIS = "log.genesis"
_TIMES = frozenset({TICK, GENESIS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """An entry as it came, and the bodies that it commits to, by member name.

    `kept`: in a replay, what there is instead of bodies that a later entry erases.
    """

    data: bytes
    bodies: Mapping[str, Body | bytes] = field(default_factory=dict)
    attachments: Sequence[bytes] = ()
    kept: Kept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where an entry stands. `repeated`: the same bytes had been appended before."""

    index: int
    entry: Entry
    repeated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A submission whose form, bodies and signatures have been checked. `names`: the keys of its
    attachments, those that are gone too."""

    entry: Entry
    type: EntryType
    bodies: Bodies
    attachments: Mapping[str, bytes]
    names: Collection[str] = ()
    checked: object = None

    @property
    def stored(self) -> list[Body]:
        """The bodies whose bytes are kept as they are, or were."""
        kinds = self.type.bodies
        return [body for member, body in self.bodies.items() if kinds[member].keeps_bytes]


def prepare(
    tx: Tx,
    types: EntryTypes,
    submission: Submission,
    entry: Entry,
    beside: Beside = MappingProxyType({}),
) -> Prepared:
    """Everything that needs no lock. Raises InvalidInput or Refused; changes nothing."""
    type_ = types.of_entry(entry)
    type_.check_statement(entry)
    if entry.statement["log"] != tx.log.origin:
        raise InvalidInput(f"entry is for log {entry.statement['log']!r}, not {tx.log.origin!r}")
    # Before the bodies: to open them is much more work, and nobody unknown may ask for it.
    verify_signatures(entry, type_.signers(tx, entry))
    bodies = _open_bodies(type_, entry, submission.bodies, tx.log.origin)
    attachments = {Blob.open(data, "").key: data for data in submission.attachments}
    if submission.kept is None:
        names = set(type_.attachments(bodies))
    else:
        assert tx.attested is not None, "only a replay goes on without bodies"
        names = set(submission.kept.names)
    if set(attachments) != names and submission.kept is None:
        raise InvalidInput(
            f"{type_.name} names the attachments {sorted(names)}, it came with"
            f" {sorted(attachments)}"
        )
    checked = type_.check(tx, entry, bodies, beside) if type_.check is not None else None
    return Prepared(
        entry=entry,
        type=type_,
        bodies=bodies,
        attachments=attachments,
        names=names,
        checked=checked,
    )


def _open_bodies(
    type_: EntryType, entry: Entry, given: Mapping[str, Body | bytes], origin: str
) -> Bodies:
    if set(given) != set(type_.bodies):
        raise InvalidInput(
            f"{type_.name} comes with the bodies of {sorted(type_.bodies) or 'no member'},"
            f" not of {sorted(given) or 'none'}"
        )
    opened: dict[str, Body] = {}
    for member, kind in type_.bodies.items():
        found = given[member]
        body = kind.open(found, entry, origin) if isinstance(found, bytes) else found
        check_reference(member, entry.statement[member], kind, body)
        opened[member] = body
    return opened


def verify_signatures(entry: Entry, keys: Sequence[VerifyKey]) -> None:
    """Exactly the required signatures, in order. Raises InvalidInput."""
    check_signers(entry, keys)
    for key, signature in zip(keys, entry.signatures, strict=True):
        if not key.verify(entry.text, signature.blob):
            raise InvalidInput(f"the signature of {key.name} ({key.key_id.hex()}) does not verify")


def check_signers(entry: Entry, keys: Sequence[VerifyKey]) -> None:
    wanted = [(key.name, key.key_id) for key in keys]
    signed = [(signature.name, signature.key_id) for signature in entry.signatures]
    if signed != wanted:
        raise InvalidInput(
            f"{entry.type} is signed by {_names(signed)}; it takes exactly {_names(wanted)}"
        )


def _names(keys: Sequence[tuple[str, bytes]]) -> str:
    return ", ".join(f"{name} ({key_id.hex()})" for name, key_id in keys)


def place(tx: Tx, prepared: Prepared) -> None:
    """Recheck the rules against the locked state, store entry and bodies, project."""
    entry = prepared.entry
    if entry.at_s > tx.tick_s + FUTURE_S_MAX:
        raise Refused(
            f"entry is dated {entry.statement['at']}, more than {FUTURE_S_MAX} s after the log's"
            f" time {format_instant(tx.tick_s)}"
        )
    check_signers(entry, prepared.type.signers(tx, entry))
    store.save_entry(tx.conn, tx.log.log_id, tx.index, entry)
    stored = prepared.stored
    there = ((body.key, body.data) for body in stored if not isinstance(body, Gone))
    store.save_bodies(tx.conn, tx.log.log_id, there)
    store.save_bodies(tx.conn, tx.log.log_id, prepared.attachments.items())
    keys = [*(body.key for body in stored), *prepared.names]
    save_uses(tx.conn, tx.log.log_id, tx.index, keys)
    prepared.type.accept(replace(tx, checked=prepared.checked), entry, prepared.bodies)


def find_repeat(conn: Connection, log: store.LogFacts, entry: Entry) -> Receipt | None:
    """The receipt of the same bytes appended before; Refused where only the id is the same."""
    index = store.index_of_id(conn, log.log_id, entry.author, entry.id)
    if index is None:
        return None
    if store.entry_data(conn, log.log_id, index) != entry.data:
        raise Refused(
            f"{entry.author} has used id {entry.id} for entry {index}; take a fresh random id"
        )
    return Receipt(index=index, entry=entry, repeated=True)


class Placement:
    """Places entries one after the other, inside the writer's transaction; `finish` moves the head.

    Appending, the genesis, restore and audit all come through here. `attested`: where a replay
    notes which entries stand on their word, because what they were computed from was erased.
    """

    def __init__(
        self,
        conn: Connection,
        log_id: int,
        types: EntryTypes,
        attested: set[int] | None = None,
    ) -> None:
        self.conn = conn
        self.types = types
        self.leaves: list[bytes] = []
        self._attested = attested
        self._log_id = log_id
        self._head = store.lock_head(conn, log_id)
        self._tick_s = self._head.tick_s
        self._log = store.load_log(conn, log_id) if self._head.size else None

    @property
    def size(self) -> int:
        return self._head.size + len(self.leaves)

    @property
    def tick_s(self) -> int:
        return self._tick_s

    @property
    def log(self) -> store.LogFacts:
        assert self._log is not None
        return self._log

    def place(self, submission: Submission) -> Entry:
        """Check and place the next entry. Raises what an append would, naming the rule."""
        entry = parse_entry(submission.data)
        if (self.size == 0) != (entry.type == GENESIS):
            raise InvalidInput(f"entry {self.size} is {entry.type}; {GENESIS} is entry 0 only")
        if self._log is None:
            self._log = _announced(entry, self._log_id)
        tx = self._tx(entry)
        self.place_prepared(prepare(tx, self.types, submission, entry))
        return entry

    def place_prepared(self, prepared: Prepared) -> None:
        entry = prepared.entry
        tx = self._tx(entry)
        if entry.type in _TIMES and entry.at_s < self._tick_s:
            raise Refused(
                f"{entry.type} of {entry.statement['at']} lies before the log's time"
                f" {format_instant(self._tick_s)}"
            )
        place(tx, prepared)
        self._tick_s = tx.tick_s
        self.leaves.append(entry.leaf_hash)

    def _tx(self, entry: Entry) -> Tx:
        tick_s = entry.at_s if entry.type in _TIMES else self._tick_s
        return Tx(
            conn=self.conn,
            log=self.log,
            index=self.size,
            tick_s=tick_s,
            attested=self._attested,
        )

    def finish(self) -> None:
        """Extend tiles and head by what was placed."""
        edge, full = tiles.extend(self._head.edge, self.leaves)
        self._head = store.Head(edge=edge, tick_s=self._tick_s)
        store.save_head(self.conn, self._log_id, self._head, full)
        self.leaves = []


def _announced(genesis: Entry, log_id: int) -> store.LogFacts:
    """What a genesis says of the log that it begins; its own signatures are checked against it."""
    statement = genesis.statement
    return store.LogFacts(
        log_id=log_id,
        origin=statement["log"],
        name=str(statement.get("name")),
        zone=str(statement.get("zone")),
        operator=genesis.author,
        log_key=parse_vkey(str(statement.get("log_vkey"))),
    )


@dataclass(slots=True)
class _Waiting:
    """One caller's submissions in the queue: placed all together or not at all.

    What had been appended before is there by its receipt.
    """

    prepared: Sequence[Prepared | Receipt]
    also: Also | None = None
    done: bool = False
    receipts: list[Receipt] = field(default_factory=list)
    error: BaseException | None = None


# What is to be stored with receipts, in the transaction that stores the entries.
Also = Callable[[Connection, Sequence[Receipt]], None]


class Appender(Protocol):
    """Takes signed submissions: places them all, or none and raises what is wrong.

    `also` runs in the same transaction, after the last of them; what it raises refuses them.
    """

    def append(self, submission: Submission) -> Receipt: ...

    def append_all(
        self, submissions: Sequence[Submission], *, also: Also | None = None
    ) -> list[Receipt]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendingAlso:
    """A writer that stores something of the service's own with the entries: both or neither.

    What a crash could tear apart (an answer to a repeated request, a job's result) goes this way.
    """

    writer: Appender
    also: Also

    def append(self, submission: Submission) -> Receipt:
        return self.append_all([submission])[0]

    def append_all(
        self, submissions: Sequence[Submission], *, also: Also | None = None
    ) -> list[Receipt]:
        def both(conn: Connection, receipts: Sequence[Receipt]) -> None:
            if also is not None:
                also(conn, receipts)
            self.also(conn, receipts)

        return self.writer.append_all(submissions, also=both)


class Writer:
    """The one writer of a log in this process; other processes queue at the database.

    Callers on many threads are grouped: whoever finds the lock free commits for all who wait.
    """

    def __init__(
        self,
        engine: Engine,
        types: EntryTypes,
        log_id: int,
        *,
        tick_key: Callable[[Connection], Signer],
        clock_s: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._types = types
        self._log_id = log_id
        self._tick_key = tick_key
        self._clock_s = clock_s
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._commit_lock = threading.Lock()

    def append(self, submission: Submission) -> Receipt:
        """Append one entry. Raises InvalidInput or Refused, and then nothing has changed."""
        return self.append_all([submission])[0]

    def append_all(
        self, submissions: Sequence[Submission], *, also: Also | None = None
    ) -> list[Receipt]:
        """Append all, or none when one is refused; later ones must not need earlier ones.

        `also` runs in the same transaction, after the last of them; what it raises refuses them.
        Where all that is appended were repeats, nothing is written, by `also` neither.
        """
        with reading(self._engine) as conn:
            head = store.load_head(conn, self._log_id)
            log = store.load_log(conn, self._log_id)
            tx = Tx(conn=conn, log=log, index=head.size, tick_s=head.tick_s)
            waiting = _Waiting(self._prepare_all(tx, submissions), also)
        with self._queue_lock:
            self._queue.append(waiting)
        with self._commit_lock:
            if not waiting.done:
                with self._queue_lock:
                    group, self._queue = self._queue, []
                self._commit(group)
        if waiting.error is not None:
            raise waiting.error
        if not waiting.done:
            # Who had taken the queue was stopped before it could say so to all.
            raise Unavailable("the append was interrupted before anything was stored; try again")
        return waiting.receipts

    def _prepare_all(self, tx: Tx, submissions: Sequence[Submission]) -> list[Prepared | Receipt]:
        found: list[Prepared | Receipt] = []
        beside: dict[bytes, tuple[Entry, Bodies]] = {}
        for submission in submissions:
            one = self._prepare(tx, submission, beside)
            if isinstance(one, Prepared):
                beside[one.entry.leaf_hash] = one.entry, one.bodies
            found.append(one)
        return found

    def _prepare(self, tx: Tx, submission: Submission, beside: Beside) -> Prepared | Receipt:
        entry = parse_entry(submission.data)
        # First, because the keys of an entry that was lost on the way back may have ended by it.
        repeat = find_repeat(tx.conn, tx.log, entry)
        if repeat is not None:
            return repeat
        prepared = prepare(tx, self._types, submission, entry, beside)
        if entry.type in _TIMES:
            raise Refused(f"{entry.type} is written by the log itself")
        return prepared

    def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            with writing(self._engine) as conn:
                placement = Placement(conn, self._log_id, self._types)
                _Group(placement).write(self._tick(placement), group)
        except _NothingToWrite:
            pass
        except BaseException as error:
            # Nobody may take a rolled-back group for stored, not even when the process is stopped.
            for waiting in group:
                waiting.error = waiting.error or error
                waiting.receipts = []
            raise
        finally:
            for waiting in group:
                waiting.done = True

    def _tick(self, placement: Placement) -> Prepared:
        at_s = max(self._clock_s(), placement.tick_s)
        statement = {
            "type": TICK,
            "id": secrets.token_hex(16),
            "log": placement.log.origin,
            "author": placement.log.operator,
            "at": format_instant(at_s),
        }
        # Signed just here, in this transaction: no signature is to be verified.
        entry = parse_entry(sign_note(write_statement(statement), self._tick_key(placement.conn)))
        return Prepared(entry=entry, type=self._types.of_entry(entry), bodies={}, attachments={})


class _NothingToWrite(Exception):
    """Every request of the group was refused or repeated: roll the lone tick back."""


def _as_refusal(error: LedgerError | IntegrityError) -> LedgerError:
    if isinstance(error, LedgerError):
        return error
    return as_ledger_error(error)


class _Group:
    """One transaction: a tick, then what was asked for, then head and tiles."""

    def __init__(self, placement: Placement) -> None:
        self.placement = placement

    def write(self, tick: Prepared, group: Sequence[_Waiting]) -> None:
        placement = self.placement
        placement.place_prepared(tick)
        for waiting in group:
            begin = len(placement.leaves)
            try:
                with placement.conn.begin_nested():
                    waiting.receipts = [self._place_once(one) for one in waiting.prepared]
                    if waiting.also is not None:
                        waiting.also(placement.conn, waiting.receipts)
            except (LedgerError, IntegrityError) as error:
                waiting.error = _as_refusal(error)
                waiting.receipts = []
                del placement.leaves[begin:]
        if len(placement.leaves) == 1:
            raise _NothingToWrite
        placement.finish()

    def _place_once(self, prepared: Prepared | Receipt) -> Receipt:
        if isinstance(prepared, Receipt):
            return prepared
        repeat = find_repeat(self.placement.conn, self.placement.log, prepared.entry)
        if repeat is not None:
            return repeat
        index = self.placement.size
        self.placement.place_prepared(prepared)
        return Receipt(index=index, entry=prepared.entry)


def bootstrap(engine: Engine, types: EntryTypes, log_id: int, *first: bytes) -> None:
    """Write the genesis of a new log, and what stands in one group with it. Raises Refused where
    the log has begun."""
    with writing(engine) as conn:
        if store.lock_head(conn, log_id).size:
            raise Refused("the log has begun already")
        placement = Placement(conn, log_id, types)
        for data in first:
            placement.place(Submission(data=data))
        placement.finish()
