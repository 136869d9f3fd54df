"""What others vouched for: cosignatures and time-stamps of checkpoints, as they are stored and
handed out.

The log's own note never changes; cosignatures come later, and stand apart. A *cosigned note* is the
note with the newest line of each witness behind the log's own (C2SP tlog-cosignature). How they are
got and judged is the room `anchors`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    select,
)

from ledger.db import Trigger, append_only, metadata
from ledger.errors import Corrupt, InvalidInput
from ledger.log import notes

WITNESS: Final = "witness"
AUTHORITY: Final = "authority"

ORDER_TRIGGER: Final = Trigger(
    name="anchor_receipts_in_order",
    table="anchor_receipts",
    forbids=(
        "NEW.seq <> (SELECT COALESCE(MAX(seq) + 1, 0) FROM anchor_receipts"
        " WHERE log_id = NEW.log_id)"
    ),
    says="receipts of anchors are numbered without a gap",
)
SIGNED_TRIGGER: Final = Trigger(
    name="anchor_receipts_signed",
    table="anchor_receipts",
    forbids=(
        "NOT EXISTS (SELECT 1 FROM checkpoint_notes WHERE log_id = NEW.log_id AND size = NEW.size)"
    ),
    says="receipts of anchors are for signed checkpoints",
)

# Keys that something was accepted under: a witness's vkey, or an authority's roots as PEM text.
anchors: Final = append_only(
    Table(
        "anchors",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("anchor", SmallInteger, primary_key=True, autoincrement=False),
        Column("kind", String(9), nullable=False),
        Column("name", String(200), nullable=False),
        Column("key", Text, nullable=False),
        CheckConstraint("kind IN ('witness', 'authority')", name="kind"),
    )
)
# `data`: of a witness its signature line, of an authority the TimeStampResp (DER). `digest`: over
# the row, its anchor and the digest before, so that nothing in the middle changes or goes unseen.
receipts: Final = append_only(
    Table(
        "anchor_receipts",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("size", BigInteger, nullable=False),
        Column("anchor", SmallInteger, nullable=False),
        Column("at_s", BigInteger, nullable=False),
        Column("data", LargeBinary, nullable=False),
        Column("digest", LargeBinary(32), nullable=False),
        ForeignKeyConstraint(["log_id", "anchor"], ["anchors.log_id", "anchors.anchor"]),
        Index(None, "log_id", "size"),
        info={"triggers": [ORDER_TRIGGER, SIGNED_TRIGGER]},
    )
)


def cosignature_lines(conn: Connection, log_id: int, size: int) -> list[bytes]:
    """The newest line of each witness key for the checkpoint of a size, by name, then key id."""
    rows = conn.execute(
        select(receipts.c.data)
        .join_from(receipts, anchors)
        .where(receipts.c.log_id == log_id, receipts.c.size == size, anchors.c.kind == WITNESS)
        .order_by(receipts.c.seq)
    )
    newest: dict[tuple[str, bytes], bytes] = {}
    for (line,) in rows:
        try:
            signature = notes.parse_signature_line(bytes(line))
        except InvalidInput as error:
            raise Corrupt(f"table anchor_receipts, size {size}: {error}") from error
        newest[signature.name, signature.key_id] = bytes(line)
    return [newest[key] for key in sorted(newest)]


def cosigned(conn: Connection, log_id: int, size: int, note: bytes) -> bytes:
    """The log's own note of a size, with the lines of its witnesses behind."""
    return note + b"".join(cosignature_lines(conn, log_id, size))
