"""Receipts of anchors (cosignatures, time-stamps), and how each anchor stands.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APPEND_ONLY = ("anchors", "anchor_receipts")
RULES = (
    rules.Rule(
        name="anchor_receipts_in_order",
        table="anchor_receipts",
        forbids=(
            "NEW.seq <> (SELECT COALESCE(MAX(seq) + 1, 0) FROM anchor_receipts"
            " WHERE log_id = NEW.log_id)"
        ),
        says="receipts of anchors are numbered without a gap",
    ),
    rules.Rule(
        name="anchor_receipts_signed",
        table="anchor_receipts",
        forbids=(
            "NOT EXISTS (SELECT 1 FROM checkpoint_notes"
            " WHERE log_id = NEW.log_id AND size = NEW.size)"
        ),
        says="receipts of anchors are for signed checkpoints",
    ),
)


def upgrade() -> None:
    op.create_table(
        "anchors",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("anchor", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('witness', 'authority')", name=op.f("ck_anchors_kind")),
        sa.PrimaryKeyConstraint("log_id", "anchor", name=op.f("pk_anchors")),
    )
    op.create_table(
        "anchor_receipts",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("anchor", sa.SmallInteger(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "anchor"],
            ["anchors.log_id", "anchors.anchor"],
            name=op.f("fk_anchor_receipts_log_id_anchor"),
        ),
        sa.PrimaryKeyConstraint("log_id", "seq", name=op.f("pk_anchor_receipts")),
    )
    op.create_index(
        op.f("ix_anchor_receipts_log_id_size"), "anchor_receipts", ["log_id", "size"], unique=False
    )
    op.create_table(
        "anchor_states",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=220), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("last_success_s", sa.BigInteger(), nullable=False),
        sa.Column("last_failure_s", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("next_try_s", sa.BigInteger(), nullable=False),
        sa.Column("alarm", sa.String(length=8), nullable=False),
        sa.Column("alarm_size", sa.BigInteger(), nullable=False),
        sa.Column("alarm_root", sa.String(length=64), nullable=False),
        sa.CheckConstraint("kind IN ('witness', 'authority')", name=op.f("ck_anchor_states_kind")),
        sa.CheckConstraint(
            "alarm IN ('', 'ahead', 'conflict')", name=op.f("ck_anchor_states_alarm")
        ),
        sa.PrimaryKeyConstraint("log_id", "kind", "name", name=op.f("pk_anchor_states")),
    )
    rules.keep_rows(APPEND_ONLY)
    rules.make(RULES)


def downgrade() -> None:
    op.drop_table("anchor_states")
    rules.drop(RULES)
    op.drop_table("anchor_receipts")
    op.drop_table("anchors")
