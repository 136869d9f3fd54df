"""Records of parties, and reports that the log recomputes.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES: Final = ("records", "reports")


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("register", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("act", sa.String(length=3), nullable=False),
        sa.Column("body", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("before_number", sa.BigInteger(), nullable=True),
        sa.Column("before_act", sa.String(length=3), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN number = 0 THEN before_number IS NULL AND before_act = ''"
            " AND replaces = '' ELSE before_number = number - 1 END",
            name=op.f("ck_records_first"),
        ),
        sa.CheckConstraint(
            "act = 'put' OR (act = 'end' AND before_act = 'put')", name=op.f("ck_records_act")
        ),
        sa.CheckConstraint("(act = 'put') = (body IS NOT NULL)", name=op.f("ck_records_body")),
        sa.CheckConstraint("(act = 'put') = (reason = '')", name=op.f("ck_records_reason")),
        sa.ForeignKeyConstraint(
            ["log_id", "register", "name", "before_number", "author", "before_act", "replaces"],
            [
                "records.log_id",
                "records.register",
                "records.name",
                "records.number",
                "records.author",
                "records.act",
                "records.id",
            ],
            name="fk_records_before",
        ),
        sa.PrimaryKeyConstraint("log_id", "register", "name", "number", name=op.f("pk_records")),
        sa.UniqueConstraint(
            *("log_id", "register", "name", "number", "author", "act", "id"),
            name="uq_records_version",
        ),
    )
    op.create_table(
        "reports",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("report", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(length=32), nullable=False),
        sa.Column("before_number", sa.BigInteger(), nullable=True),
        sa.Column("before_as_of", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN number = 0 THEN before_number IS NULL AND before_as_of = 0"
            " AND replaces = '' ELSE before_number = number - 1 END",
            name=op.f("ck_reports_first"),
        ),
        sa.CheckConstraint(
            "0 < as_of AND as_of <= entry_index AND before_as_of <= as_of",
            name=op.f("ck_reports_as_of"),
        ),
        sa.CheckConstraint(
            "kind IN ('inventory', 'balance', 'scorecard', 'footprint', 'disclosure')",
            name=op.f("ck_reports_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "report", "before_number", "author", "kind", "before_as_of", "replaces"],
            [
                "reports.log_id",
                "reports.report",
                "reports.number",
                "reports.author",
                "reports.kind",
                "reports.as_of",
                "reports.id",
            ],
            name="fk_reports_before",
        ),
        sa.PrimaryKeyConstraint("log_id", "report", "number", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            *("log_id", "report", "number", "author", "kind", "as_of", "id"),
            name="uq_reports_version",
        ),
    )
    op.create_index("ix_reports_author", "reports", ["log_id", "author", "kind"], unique=False)
    rules.keep_rows(_TABLES)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
