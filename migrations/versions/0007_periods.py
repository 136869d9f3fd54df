"""Accounting periods of parties.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "period_states",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=11), nullable=False),
        sa.Column("before_number", sa.BigInteger(), nullable=True),
        sa.Column("before_revision", sa.BigInteger(), nullable=False),
        sa.Column("before_state", sa.String(length=11), nullable=False),
        sa.Column("four_eyes", sa.SmallInteger(), nullable=False),
        sa.Column("report", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "before_state || ' ' || state IN ('open provisional', 'provisional submitted',"
            " 'submitted approved', 'submitted provisional', 'approved provisional',"
            " 'approved closed', 'closed provisional')",
            name=op.f("ck_period_states_steps"),
        ),
        sa.CheckConstraint(
            "CASE WHEN number = 0 THEN before_number IS NULL AND before_state = 'open'"
            " AND before_revision = 0 ELSE before_number = number - 1 END",
            name=op.f("ck_period_states_first"),
        ),
        sa.CheckConstraint(
            "revision = before_revision + CASE WHEN before_state = 'closed' THEN 1 ELSE 0 END",
            name=op.f("ck_period_states_revision"),
        ),
        sa.CheckConstraint("end_s > start_s", name=op.f("ck_period_states_span")),
        sa.ForeignKeyConstraint(
            ["log_id", "party", "period", "before_number", "before_revision", "before_state"],
            [
                "period_states.log_id",
                "period_states.party",
                "period_states.period",
                "period_states.number",
                "period_states.revision",
                "period_states.state",
            ],
            name="fk_period_states_before",
        ),
        sa.PrimaryKeyConstraint(
            "log_id", "party", "period", "number", name=op.f("pk_period_states")
        ),
        sa.UniqueConstraint(
            "log_id",
            "party",
            "period",
            "number",
            "revision",
            "state",
            name="uq_period_states_step",
        ),
    )
    op.create_index(
        "ix_period_states_state", "period_states", ["log_id", "state", "party"], unique=False
    )
    rules.keep_rows(("period_states",))


def downgrade() -> None:
    op.drop_index("ix_period_states_state", table_name="period_states")
    op.drop_table("period_states")
