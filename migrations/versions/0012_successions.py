"""Logs that follow another one, and what they keep out.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TIMES: Final = {
    "blocks": "start_s",
    "origins": "month_start_s",
    "unit_batches": "start_s",
    "retirements": "start_s",
    "reductions": "start_s",
}
_RULES: Final = [
    rules.Rule(
        name=f"{table}_not_before",
        table=table,
        forbids=f"""EXISTS (
    SELECT 1 FROM successions AS s WHERE s.log_id = NEW.log_id AND NEW.{column} < s.since_s)""",  # noqa: S608  (names of this migration)
        says="a log that follows another one takes nothing of times before its accounts begin",
    )
    for table, column in _TIMES.items()
]


def upgrade() -> None:
    op.create_table(
        "successions",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=128), nullable=False),
        sa.Column("log_vkey", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("entry_index = 1", name=op.f("ck_successions_second")),
        sa.CheckConstraint("size > 0", name=op.f("ck_successions_size")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_successions")),
    )
    rules.keep_rows(("successions",))
    rules.make(_RULES)


def downgrade() -> None:
    rules.drop(_RULES)
    op.drop_table("successions")
