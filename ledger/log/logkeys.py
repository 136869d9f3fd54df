"""The keys that sign a log's checkpoints: which are in force at which size.

The genesis names the first one; entries `log-key.register` and `log-key.end` bring and end others
(docs/formats.md §4.1). A checkpoint of size n is signed by those in force after entry n - 1: the
Ed25519 keys in the order of their registration, then the ML-DSA-44 key, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
)

from ledger.db import append_only, metadata
from ledger.db.triggers import Trigger
from ledger.errors import Corrupt, InvalidInput
from ledger.log.checkpoint import Checkpoint, parse_checkpoint
from ledger.log.entry import Entry, parse_entry
from ledger.log.mldsa import ML_DSA_44, TIME_BYTES
from ledger.log.notes import ED25519, VerifyKey, parse_note, parse_vkey
from ledger.log.store import LogFacts

REGISTER: Final = "log-key.register"
END: Final = "log-key.end"
KINDS: Final = (ED25519, ML_DSA_44)
# Each signs every checkpoint: two for a rotation, some more for one that goes wrong.
IN_FORCE_MAX: Final = 4

# Beyond every entry: the keys in force now.
_ANY_SIZE: Final = 2**63 - 1

_IN_FORCE: Final = """SELECT COUNT(*) FROM log_keys AS k WHERE k.log_id = NEW.log_id
    AND k.kind = {kind} AND NOT EXISTS (SELECT 1 FROM log_key_ends AS e
    WHERE e.log_id = k.log_id AND e.key_id = k.key_id)"""
log_keys: Final = append_only(
    Table(
        "log_keys",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("key_id", LargeBinary(4), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column(
            "kind", SmallInteger, CheckConstraint("kind IN (1, 6)", name="kind"), nullable=False
        ),
        Column("public_key", LargeBinary, nullable=False),
        UniqueConstraint("log_id", "entry_index"),
        UniqueConstraint("log_id", "public_key"),
        info={
            "triggers": (
                Trigger(
                    name="log_keys_few",
                    table="log_keys",
                    forbids=f"""(NEW.kind = 1 AND ({_IN_FORCE.format(kind=1)}) >= {IN_FORCE_MAX})
    OR (NEW.kind = 6 AND ({_IN_FORCE.format(kind=6)}) >= 1)""",
                    says="a log has few keys in force, and one of ML-DSA-44",
                ),
            )
        },
    )
)
log_key_ends: Final = append_only(
    Table(
        "log_key_ends",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("key_id", LargeBinary(4), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("reason", String(500), nullable=False),
        info={
            "triggers": (
                Trigger(
                    name="log_key_ends_not_the_last",
                    table="log_key_ends",
                    forbids=f"""NOT EXISTS (SELECT 1 FROM log_keys AS k
    WHERE k.log_id = NEW.log_id AND k.key_id = NEW.key_id)
    OR ({_IN_FORCE.format(kind=1)} AND k.key_id <> NEW.key_id) < 1""",  # noqa: S608  (names of our own)
                    says="a key of the log ends while another Ed25519 key is in force",
                ),
            )
        },
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key of the log: the entry that brought it, and the one that ended it, if one did."""

    key: VerifyKey
    entry_index: int
    ended_index: int | None = None
    end_reason: str = ""

    def in_force_at(self, size: int) -> bool:
        """Whether it signs checkpoints of that size."""
        return self.entry_index < size and (self.ended_index is None or self.ended_index >= size)


def signing(keys: Sequence[LogKey], size: int) -> list[VerifyKey]:
    """The keys that sign a checkpoint of `size`, in the order of their signatures."""
    found = [one for one in keys if one.in_force_at(size)]
    ordered = sorted(found, key=lambda one: (one.key.kind, one.entry_index))
    return [one.key for one in ordered]


def oldest(keys: Sequence[LogKey], size: int, but: VerifyKey | None = None) -> VerifyKey | None:
    """The oldest Ed25519 key in force at `size` other than `but`; None where there is none."""
    return next(
        (key for key in signing(keys, size) if key.kind == ED25519 and key != but),
        None,
    )


def load(conn: Connection, log: LogFacts) -> list[LogKey]:
    """All keys of the log, ended ones too, in the order of their registration."""
    query = (
        select(log_keys, log_key_ends.c.entry_index.label("ended_index"), log_key_ends.c.reason)
        .select_from(
            log_keys.outerjoin(
                log_key_ends,
                (log_key_ends.c.log_id == log_keys.c.log_id)
                & (log_key_ends.c.key_id == log_keys.c.key_id),
            )
        )
        .where(log_keys.c.log_id == log.log_id)
        .order_by(log_keys.c.entry_index)
    )
    return [
        LogKey(
            key=VerifyKey(name=log.origin, public_key=bytes(row.public_key), kind=row.kind),
            entry_index=row.entry_index,
            ended_index=row.ended_index,
            end_reason=row.reason or "",
        )
        for row in conn.execute(query)
    ]


def signing_at(conn: Connection, log: LogFacts, size: int) -> list[VerifyKey]:
    """The keys that sign a checkpoint of `size`, in the order of their signatures."""
    return signing(load(conn, log), size)


def verification_key(conn: Connection, log: LogFacts) -> VerifyKey:
    """The oldest Ed25519 key in force: one of those that verifiers are given."""
    found = oldest(load(conn, log), _ANY_SIZE)
    if found is None:
        raise Corrupt("table log_keys: no Ed25519 key is in force")
    return found


def entries_below(conn: Connection, log: LogFacts, size: int) -> list[int]:
    """The entries below `size` that say which keys the log has: what a checkpoint rests on."""
    keys = load(conn, log)
    found = {one.entry_index for one in keys} | {
        one.ended_index for one in keys if one.ended_index is not None
    }
    return sorted(index for index in found if index < size)


def holds_public_key(conn: Connection, log_id: int, public_key: bytes) -> bool:
    found = conn.execute(
        select(log_keys.c.key_id).where(
            log_keys.c.log_id == log_id, log_keys.c.public_key == public_key
        )
    )
    return found.first() is not None


def save(conn: Connection, log_id: int, key: VerifyKey, entry_index: int) -> None:
    conn.execute(
        insert(log_keys).values(
            log_id=log_id,
            key_id=key.key_id,
            entry_index=entry_index,
            kind=key.kind,
            public_key=key.public_key,
        )
    )


def end(conn: Connection, log_id: int, key: VerifyKey, entry_index: int, reason: str) -> None:
    conn.execute(
        insert(log_key_ends).values(
            log_id=log_id, key_id=key.key_id, entry_index=entry_index, reason=reason
        )
    )


def parse(vkey: str) -> VerifyKey:
    """A log's key of either kind. Raises InvalidInput."""
    return parse_vkey(vkey, KINDS)


def open_own(data: bytes, log: LogFacts, keys: Sequence[LogKey]) -> Checkpoint:
    """A checkpoint note that the log itself signed, by exactly the keys in force at its size.

    Raises InvalidInput, which names the key that is missing or one too many.
    """
    checkpoint, wanted = _parse(data, log, keys)
    note = parse_note(data)
    signed = [(one.name, one.key_id) for one in note.signatures]
    if signed != [(key.name, key.key_id) for key in wanted]:
        raise InvalidInput(
            f"checkpoint of size {checkpoint.size}: it is signed by {_ids(signed)}; the log's keys"
            f" in force there are {_ids([(key.name, key.key_id) for key in wanted])}"
        )
    for key, signature in zip(wanted, note.signatures, strict=True):
        by_log = key.kind == ED25519 or not any(signature.blob[:TIME_BYTES])
        if not by_log or not key.verify(note.text, signature.blob):
            raise InvalidInput(
                f"checkpoint of size {checkpoint.size}: the signature of {key.name}"
                f" ({key.key_id.hex()}) does not verify"
            )
    return checkpoint


def without_cosignatures(data: bytes, origin: str) -> bytes:
    """The note as the log itself signed it: what others have added is left out.

    Raises InvalidInput.
    """
    text = parse_note(data).text
    lines = data[len(text) + 1 :].splitlines(keepends=True)
    return text + b"\n" + b"".join(one for one in lines if one.split(b" ")[1] == origin.encode())


def _parse(
    data: bytes, log: LogFacts, keys: Sequence[LogKey]
) -> tuple[Checkpoint, Sequence[VerifyKey]]:
    try:
        checkpoint = parse_checkpoint(parse_note(data).text)
    except InvalidInput as error:
        raise InvalidInput(f"checkpoint: {error}") from error
    if checkpoint.origin != log.origin:
        raise InvalidInput(f"checkpoint: it is of log {checkpoint.origin!r}, not of {log.origin!r}")
    return checkpoint, signing(keys, checkpoint.size)


def _ids(keys: Sequence[tuple[str, bytes]]) -> str:
    return ", ".join(f"{name} ({key_id.hex()})" for name, key_id in keys) or "nobody"


def follow(entries: Iterable[tuple[int, bytes]], pinned: VerifyKey) -> list[LogKey]:
    """Keys of the log to which `pinned` leads, by the genesis and the log-key entries of a log that
    somebody else keeps: itself, where it is one of them, and those that it, or one that it brought,
    has signed into the log. Ended ones too. Raises InvalidInput for an entry that is none.
    """
    known: list[LogKey] = []
    trusted: set[VerifyKey] = {pinned}
    for index, data in sorted(entries):
        entry = parse_entry(data)
        if index == 0:
            known.append(LogKey(key=parse(entry.statement["log_vkey"]), entry_index=0))
            continue
        key = parse(str(entry.statement.get("log_vkey")))
        ends = entry.type == END
        signer = oldest(known, index, key if ends else None)
        if signer is None or not _has_signed(signer, entry):
            raise InvalidInput(f"entry {index} is not signed by the key of the log that it takes")
        if ends:
            known = [replace(one, ended_index=index) if one.key == key else one for one in known]
        else:
            known.append(LogKey(key=key, entry_index=index))
            trusted |= {key} if signer in trusted else set()
    return [one for one in known if one.key in trusted]


def _has_signed(key: VerifyKey, entry: Entry) -> bool:
    return any(
        (one.name, one.key_id) == (key.name, key.key_id) and key.verify(entry.text, one.blob)
        for one in entry.signatures
    )
