"""Tables of jobs: none is a projection of the log."""

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
    Text,
    UniqueConstraint,
)

from ledger.db import metadata, of_service

# `key` is NULL where none was given, so that such jobs don't exclude each other. `secret` is what
# the ids and nonces of a job's entries are drawn from, so that whoever does it makes the same.
jobs: Final = of_service(
    Table(
        "jobs",
        metadata,
        Column("id", String(32), primary_key=True),
        Column("kind", String(20), nullable=False),
        Column("party", String(40), nullable=False),
        Column("account", String(64), nullable=False),
        Column("key", String(128), nullable=True),
        Column("params", Text, nullable=False),
        Column("secret", LargeBinary(32), nullable=False),
        Column("state", String(10), nullable=False),
        Column("done", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=False),
        Column("text", String(200), nullable=False),
        Column("created_at_s", BigInteger, nullable=False),
        Column("started_at_s", BigInteger, nullable=False),
        Column("ended_at_s", BigInteger, nullable=False),
        Column("attempts", BigInteger, nullable=False),
        Column("result", Text, nullable=True),
        Column("error", Text, nullable=False),
        Column("cancel_asked", SmallInteger, nullable=False),
        Column("worker", String(32), nullable=False),
        Column("lease_until_s", BigInteger, nullable=False),
        CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"
        ),
        CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="result"),
        CheckConstraint("(state = 'failed') = (error <> '')", name="error"),
        CheckConstraint("(state = 'running') = (worker <> '')", name="worker"),
        CheckConstraint("(state IN ('waiting', 'running')) = (ended_at_s = 0)", name="ended"),
        UniqueConstraint("account", "key"),
        Index("ix_jobs_state", "state", "lease_until_s"),
        Index("ix_jobs_party", "party", "created_at_s", "id"),
    )
)
# What came with a job, or came of it, in parts of 1 MiB.
files: Final = of_service(
    Table(
        "job_files",
        metadata,
        Column("job", String(32), primary_key=True),
        Column("name", String(200), primary_key=True),
        Column("part", BigInteger, primary_key=True, autoincrement=False),
        Column("data", LargeBinary, nullable=False),
        ForeignKeyConstraint(["job"], ["jobs.id"]),
    )
)
# Pieces of a job that several workers do: `input` is what to do, `output` what came of it. `worker`
# is who has begun it, "" nobody; that is no lease: whoever waits for the last ones does them again.
shards: Final = of_service(
    Table(
        "job_shards",
        metadata,
        Column("job", String(32), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("input", LargeBinary, nullable=False),
        Column("output", LargeBinary, nullable=True),
        Column("worker", String(32), nullable=False),
        ForeignKeyConstraint(["job"], ["jobs.id"]),
    )
)
