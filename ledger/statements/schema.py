"""Tables of statements and their rows. Rows never change."""

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
)

from ledger.db import Trigger, append_only, metadata

# A file may be read anew, by a better profile; the same reading again would say nothing.
ONCE_TRIGGER: Final = Trigger(
    name="statements_once",
    table="statements",
    forbids="""NEW.reading = (
    SELECT s.reading FROM statements AS s WHERE s.log_id = NEW.log_id
    AND s.file_hash = NEW.file_hash ORDER BY s.entry_index DESC LIMIT 1)""",
    says="a statement is imported once",
)
# The last range to begin before the new one ends is the only one that it can overlap.
NO_OVERLAP_TRIGGER: Final = Trigger(
    name="statement_rows_no_overlap",
    table="statement_rows",
    forbids="""NEW.code <> '' AND NEW.first_unit < (
    SELECT r.end_unit FROM statement_rows AS r WHERE r.log_id = NEW.log_id AND r.code = NEW.code
    AND r.entry_index = NEW.entry_index AND r.first_unit < NEW.end_unit
    ORDER BY r.first_unit DESC LIMIT 1)""",
    says="units overlap: a statement has each unit of a code once",
)

# `as_of`: date 2026-03-31. `file_hash`: SHA-256 of the file as it was received. `reading`: of what
# was read from it.
statements: Final = append_only(
    Table(
        "statements",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column(
            "kind",
            String(11),
            CheckConstraint("kind IN ('gec', 'green-trade', 'credits')", name="kind"),
            nullable=False,
        ),
        Column("scheme", String(40), nullable=False),
        Column("issuer", String(200), nullable=False),
        Column("as_of", String(10), nullable=False),
        Column("file_name", String(200), nullable=False),
        Column("file_hash", LargeBinary(32), nullable=False),
        Column("reading", LargeBinary(32), nullable=False),
        Index("ix_statements_file", "log_id", "file_hash"),
        info={"triggers": [ONCE_TRIGGER]},
    )
)
# Units `first_unit` … `end_unit` − 1 of a code; without a code so many units, or `wh` alone.
rows: Final = append_only(
    Table(
        "statement_rows",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("line", BigInteger, nullable=False),
        Column("code", String(64), nullable=False),
        Column("month", String(7), nullable=False),
        Column("project", String(64), nullable=False),
        Column("class", String(40), nullable=False),
        Column("first_unit", BigInteger, nullable=False),
        Column("end_unit", BigInteger, nullable=False),
        Column(
            "status",
            String(11),
            CheckConstraint(
                "status IN ('issued', 'held', 'transferred', 'cancelled', 'frozen', 'expired')",
                name="status",
            ),
            nullable=False,
        ),
        Column("party", String(40), nullable=False),
        Column("wh", BigInteger, CheckConstraint("wh >= 0", name="wh"), nullable=False),
        Column("note", String(500), nullable=False),
        CheckConstraint(
            "first_unit >= 0 AND (first_unit < end_unit"
            " OR (code = '' AND first_unit = end_unit AND wh > 0))",
            name="units",
        ),
        CheckConstraint("code <> '' OR first_unit = 0", name="counted"),
        ForeignKeyConstraint(
            ["log_id", "entry_index"], ["statements.log_id", "statements.entry_index"]
        ),
        Index("ix_statement_rows_code", "log_id", "code", "entry_index", "first_unit"),
        info={"triggers": [NO_OVERLAP_TRIGGER]},
    )
)
