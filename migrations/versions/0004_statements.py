"""Official statements.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("statement_rows", "statements")
TRIGGERS = (
    """
CREATE TRIGGER statements_once BEFORE INSERT ON statements
WHEN NEW.reading = (
    SELECT s.reading FROM statements AS s WHERE s.log_id = NEW.log_id
    AND s.file_hash = NEW.file_hash ORDER BY s.entry_index DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'a statement is imported once'); END
""",
    """
CREATE TRIGGER statement_rows_no_overlap BEFORE INSERT ON statement_rows
WHEN NEW.code <> '' AND NEW.first_unit < (
    SELECT r.end_unit FROM statement_rows AS r WHERE r.log_id = NEW.log_id AND r.code = NEW.code
    AND r.entry_index = NEW.entry_index AND r.first_unit < NEW.end_unit
    ORDER BY r.first_unit DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'units overlap: a statement has each unit of a code once'); END
""",
)


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=11), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reading", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "kind IN ('gec', 'green-trade', 'credits')", name=op.f("ck_statements_kind")
        ),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_statements")),
    )
    op.create_index("ix_statements_file", "statements", ["log_id", "file_hash"], unique=False)
    op.create_table(
        "statement_rows",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("class", sa.String(length=40), nullable=False),
        sa.Column("first_unit", sa.BigInteger(), nullable=False),
        sa.Column("end_unit", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=11), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "status IN ('issued', 'held', 'transferred', 'cancelled', 'frozen', 'expired')",
            name=op.f("ck_statement_rows_status"),
        ),
        sa.CheckConstraint("wh >= 0", name=op.f("ck_statement_rows_wh")),
        sa.CheckConstraint(
            "first_unit >= 0 AND (first_unit < end_unit"
            " OR (code = '' AND first_unit = end_unit AND wh > 0))",
            name=op.f("ck_statement_rows_units"),
        ),
        sa.CheckConstraint("code <> '' OR first_unit = 0", name=op.f("ck_statement_rows_counted")),
        sa.ForeignKeyConstraint(
            ["log_id", "entry_index"],
            ["statements.log_id", "statements.entry_index"],
            name=op.f("fk_statement_rows_log_id_entry_index"),
        ),
        sa.PrimaryKeyConstraint("log_id", "entry_index", "number", name=op.f("pk_statement_rows")),
    )
    op.create_index(
        "ix_statement_rows_code",
        "statement_rows",
        ["log_id", "code", "entry_index", "first_unit"],
        unique=False,
    )

    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.drop_table("statement_rows")
    op.drop_table("statements")
