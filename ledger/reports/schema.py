"""The table of reports: one row for each version, which follows the one before."""

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
    UniqueConstraint,
)

from ledger.db import append_only, metadata

FIRST_CHECK: Final = (
    "CASE WHEN number = 0 THEN before_number IS NULL AND before_as_of = 0 AND replaces = ''"
    " ELSE before_number = number - 1 END"
)

reports: Final = append_only(
    Table(
        "reports",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("report", LargeBinary(16), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("id", String(32), nullable=False),
        Column("author", String(40), nullable=False),
        Column("kind", String(10), nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("body", LargeBinary(32), nullable=False),
        Column("before_number", BigInteger),
        Column("before_as_of", BigInteger, nullable=False),
        Column("replaces", String(32), nullable=False),
        UniqueConstraint(
            *("log_id", "report", "number", "author", "kind", "as_of", "id"),
            name="uq_reports_version",
        ),
        # A report stays its author's, and of its kind; a later version knows no less.
        ForeignKeyConstraint(
            ["log_id", "report", "before_number", "author", "kind", "before_as_of", "replaces"],
            [
                f"reports.{column}"
                for column in ("log_id", "report", "number", "author", "kind", "as_of", "id")
            ],
            name="fk_reports_before",
        ),
        CheckConstraint(FIRST_CHECK, name="first"),
        CheckConstraint(
            "0 < as_of AND as_of <= entry_index AND before_as_of <= as_of", name="as_of"
        ),
        CheckConstraint(
            "kind IN ('inventory', 'balance', 'scorecard', 'footprint', 'disclosure')", name="kind"
        ),
        Index("ix_reports_author", "log_id", "author", "kind"),
    )
)
