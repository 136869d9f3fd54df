"""How each anchor stands. What anchors have said is append-only, and in `ledger.log.cosigned`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, SmallInteger, String, Table, Text

from ledger.db import metadata, of_service

# `received`: receipts stored of it, so that one that is taken away at the end is missed.
# `alarm`: what a witness has seen that the database does not hold; see `alarm.py`.
states: Final = of_service(
    Table(
        "anchor_states",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("kind", String(9), primary_key=True),
        Column("name", String(220), primary_key=True),
        Column("received", BigInteger, nullable=False),
        Column("last_success_s", BigInteger, nullable=False),
        Column("last_failure_s", BigInteger, nullable=False),
        Column("last_error", Text, nullable=False),
        Column("failures", BigInteger, nullable=False),
        Column("next_try_s", BigInteger, nullable=False),
        Column("alarm", String(8), nullable=False),
        Column("alarm_size", BigInteger, nullable=False),
        Column("alarm_root", String(64), nullable=False),
        CheckConstraint("kind IN ('witness', 'authority')", name="kind"),
        CheckConstraint("alarm IN ('', 'ahead', 'conflict')", name="alarm"),
    )
)
