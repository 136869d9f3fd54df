"""The table of periods: one row for each step, each of which follows the one before."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from ledger.db import append_only, metadata

STEPS_CHECK: Final = (
    "before_state || ' ' || state IN ('open provisional', 'provisional submitted',"
    " 'submitted approved', 'submitted provisional', 'approved provisional', 'approved closed',"
    " 'closed provisional')"
)
# The first step follows none; each other one the step whose number is one less.
FIRST_CHECK: Final = (
    "CASE WHEN number = 0 THEN before_number IS NULL AND before_state = 'open'"
    " AND before_revision = 0 ELSE before_number = number - 1 END"
)
REVISION_CHECK: Final = (
    "revision = before_revision + CASE WHEN before_state = 'closed' THEN 1 ELSE 0 END"
)

period_states: Final = append_only(
    Table(
        "period_states",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("party", String(40), primary_key=True),
        Column("period", String(7), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("end_s", BigInteger, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("state", String(11), nullable=False),
        Column("before_number", BigInteger),
        Column("before_revision", BigInteger, nullable=False),
        Column("before_state", String(11), nullable=False),
        Column("four_eyes", SmallInteger, nullable=False),
        Column("report", String(64), nullable=False),
        Column("reason", String(500), nullable=False),
        UniqueConstraint(
            "log_id", "party", "period", "number", "revision", "state", name="uq_period_states_step"
        ),
        ForeignKeyConstraint(
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
        CheckConstraint(STEPS_CHECK, name="steps"),
        CheckConstraint(FIRST_CHECK, name="first"),
        CheckConstraint(REVISION_CHECK, name="revision"),
        CheckConstraint("end_s > start_s", name="span"),
        Index("ix_period_states_state", "log_id", "state", "party"),
    )
)
