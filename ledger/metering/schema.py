"""Tables of points, batches and packed blocks. Rows never change, but by what the log erases."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.db import Erasable, Trigger, append_only, append_only_but, emptied, metadata
from ledger.log.erasing import IS_ERASED
from ledger.log.succession import not_before

# Plain blocks alone hold the rule, as a correction only replaces what one of them has. They are
# apart, so that the last one to begin before the new one ends is the only one it can overlap.
NO_OVERLAP_TRIGGER: Final = Trigger(
    name="blocks_no_overlap",
    table="blocks",
    forbids="""NEW.correction = 0 AND NEW.start_s < (
    SELECT b.end_s FROM blocks AS b WHERE b.log_id = NEW.log_id AND b.point = NEW.point
    AND b.correction = 0 AND b.start_s < NEW.end_s ORDER BY b.start_s DESC LIMIT 1)""",
    says="blocks overlap: a point and interval has one value",
)


def erasable(columns: tuple[str, ...], table: Table) -> Table:
    """Rows never change, but that the log's erasures empty these columns."""
    allowed = f"{emptied(table, *columns)} AND {IS_ERASED}"
    return append_only_but(Erasable(verb="UPDATE", allowed=allowed, columns=columns), table)


points: Final = append_only(
    Table(
        "points",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("point", LargeBinary(16), nullable=False),
        Column("id", String(32), nullable=False),
        Column("replaces", String(32), nullable=False),
        Column("master", Text, nullable=False),
        UniqueConstraint("log_id", "point", "replaces"),
    )
)
# A name and a meter number belong to one point and one log for good.
point_names: Final = append_only(
    Table(
        "point_names",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("name", String(64), primary_key=True),
        Column("point", LargeBinary(16), nullable=False),
    )
)
meter_logs: Final = append_only(
    Table(
        "meter_logs",
        metadata,
        Column("number", String(64), primary_key=True),
        Column("log_id", SmallInteger, nullable=False),
    )
)
batches: Final = erasable(
    ("secret",),
    Table(
        "batches",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("author", String(40), nullable=False),
        Column("source", String(64), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("leaf_hash", LargeBinary(32), nullable=False),
        Column("id", String(32), nullable=False),
        Column("correction", SmallInteger, nullable=False),
        Column("count", BigInteger, CheckConstraint("count > 0", name="count"), nullable=False),
        Column("secret", LargeBinary(32), nullable=False),
        Column("key_id", LargeBinary(4), nullable=False),
        UniqueConstraint("log_id", "author", "source", "sequence"),
    ),
)
blocks: Final = erasable(
    ("value", "quality"),
    Table(
        "blocks",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("leaf_offset", BigInteger, nullable=False),
        Column("point", LargeBinary(16), nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column(
            "end_s", BigInteger, CheckConstraint("end_s > start_s", name="span"), nullable=False
        ),
        Column("length_s", BigInteger, nullable=False),
        Column("correction", SmallInteger, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("quality", LargeBinary, nullable=False),
        ForeignKeyConstraint(
            ["log_id", "entry_index"], ["batches.log_id", "batches.entry_index"], use_alter=False
        ),
        Index("ix_blocks_point_span", "log_id", "point", "correction", "start_s", "end_s"),
        # Invariant 19 of the database: a point and interval has one value unless it is corrected.
        info={"triggers": [NO_OVERLAP_TRIGGER, not_before("blocks", "start_s")]},
    ),
)
