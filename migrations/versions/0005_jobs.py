"""Jobs: what is to be done, how far it is, and what came of it.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("created_at_s", sa.BigInteger(), nullable=False),
        sa.Column("started_at_s", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("cancel_asked", sa.SmallInteger(), nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.Column("lease_until_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_jobs_state"),
        ),
        sa.CheckConstraint("(state = 'done') = (result IS NOT NULL)", name=op.f("ck_jobs_result")),
        sa.CheckConstraint("(state = 'failed') = (error <> '')", name=op.f("ck_jobs_error")),
        sa.CheckConstraint("(state = 'running') = (worker <> '')", name=op.f("ck_jobs_worker")),
        sa.CheckConstraint(
            "(state IN ('waiting', 'running')) = (ended_at_s = 0)", name=op.f("ck_jobs_ended")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_jobs_account_key")),
    )
    op.create_index("ix_jobs_party", "jobs", ["party", "created_at_s", "id"])
    op.create_index("ix_jobs_state", "jobs", ["state", "lease_until_s"])
    op.create_table(
        "job_files",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_job_files_job")),
        sa.PrimaryKeyConstraint("job", "name", "part", name=op.f("pk_job_files")),
    )
    op.create_table(
        "job_shards",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=False),
        sa.Column("output", sa.LargeBinary(), nullable=True),
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_job_shards_job")),
        sa.PrimaryKeyConstraint("job", "number", name=op.f("pk_job_shards")),
    )


def downgrade() -> None:
    op.drop_table("job_shards")
    op.drop_table("job_files")
    op.drop_table("jobs")
