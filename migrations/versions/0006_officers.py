"""Officers, rules of approval, and drafts that wait for the second officer.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = ("approval_rules", "officer_ends", "officers")


def upgrade() -> None:
    op.create_table(
        "officers",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("custody", sa.String(length=8), nullable=False),
        sa.CheckConstraint("custody IN ('owner', 'operator')", name=op.f("ck_officers_custody")),
        sa.PrimaryKeyConstraint("log_id", "officer", name=op.f("pk_officers")),
        sa.UniqueConstraint("log_id", "public_key", name=op.f("uq_officers_log_id_public_key")),
    )
    op.create_index(op.f("ix_officers_log_id_party"), "officers", ["log_id", "party"], unique=False)
    op.create_table(
        "officer_ends",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "officer", name=op.f("pk_officer_ends")),
    )
    op.create_table(
        "approval_rules",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=9), nullable=False),
        sa.CheckConstraint(
            "rule = CASE WHEN number % 2 = 0 THEN 'four-eyes' ELSE 'none' END",
            name=op.f("ck_approval_rules_turns"),
        ),
        sa.PrimaryKeyConstraint("log_id", "party", "number", name=op.f("pk_approval_rules")),
    )
    op.create_table(
        "drafts",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("draft", sa.LargeBinary(length=16), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("submissions", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("preparer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("preparer_account", sa.String(length=64), nullable=False),
        sa.Column("prepared_at_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.Column("decider", sa.LargeBinary(length=16), nullable=True),
        sa.Column("decider_account", sa.String(length=64), nullable=False),
        sa.Column("decided_at_s", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('prepared', 'approved', 'rejected', 'stale', 'expired')",
            name=op.f("ck_drafts_state"),
        ),
        sa.CheckConstraint(
            "(state = 'prepared') = (decided_at_s IS NULL)", name=op.f("ck_drafts_decided")
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR (entry_index IS NOT NULL AND decider IS NOT NULL"
            " AND decider <> preparer AND (preparer_account = ''"
            " OR decider_account <> preparer_account))",
            name=op.f("ck_drafts_four_eyes"),
        ),
        sa.PrimaryKeyConstraint("log_id", "draft", name=op.f("pk_drafts")),
    )
    op.create_index(
        op.f("ix_drafts_log_id_party_state"), "drafts", ["log_id", "party", "state"], unique=False
    )
    op.create_table(
        "officer_people",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("officer", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "officer", name=op.f("pk_officer_people")),
    )
    op.create_index(
        op.f("ix_officer_people_log_id_account"),
        "officer_people",
        ["log_id", "account"],
        unique=False,
    )
    rules.keep_rows(APPEND_ONLY)


def downgrade() -> None:
    op.drop_index(op.f("ix_officer_people_log_id_account"), table_name="officer_people")
    op.drop_table("officer_people")
    op.drop_index(op.f("ix_drafts_log_id_party_state"), table_name="drafts")
    op.drop_table("drafts")
    op.drop_table("approval_rules")
    op.drop_table("officer_ends")
    op.drop_index(op.f("ix_officers_log_id_party"), table_name="officers")
    op.drop_table("officers")
