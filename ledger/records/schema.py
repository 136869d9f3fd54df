"""The table of records: a row for each version, and for each end, which follows the one before."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from ledger.db import append_only, metadata

# The first row follows none and is a put; each other one follows the row whose number is one less.
FIRST_CHECK: Final = (
    "CASE WHEN number = 0 THEN before_number IS NULL AND before_act = '' AND replaces = ''"
    " ELSE before_number = number - 1 END"
)
# What is in force is replaced or ended; what is ended is put again.
ACT_CHECK: Final = "act = 'put' OR (act = 'end' AND before_act = 'put')"

records: Final = append_only(
    Table(
        "records",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("register", String(8), primary_key=True),
        Column("name", String(64), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("id", String(32), nullable=False),
        Column("author", String(40), nullable=False),
        Column("act", String(3), nullable=False),
        Column("body", LargeBinary(32)),
        Column("reason", String(500), nullable=False),
        Column("before_number", BigInteger),
        Column("before_act", String(3), nullable=False),
        Column("replaces", String(32), nullable=False),
        UniqueConstraint(
            *("log_id", "register", "name", "number", "author", "act", "id"),
            name="uq_records_version",
        ),
        # A name is its first author's: who follows has the same author.
        ForeignKeyConstraint(
            ["log_id", "register", "name", "before_number", "author", "before_act", "replaces"],
            [
                f"records.{column}"
                for column in ("log_id", "register", "name", "number", "author", "act", "id")
            ],
            name="fk_records_before",
        ),
        CheckConstraint(FIRST_CHECK, name="first"),
        CheckConstraint(ACT_CHECK, name="act"),
        CheckConstraint("(act = 'put') = (body IS NOT NULL)", name="body"),
        CheckConstraint("(act = 'put') = (reason = '')", name="reason"),
    )
)
