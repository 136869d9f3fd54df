"""Tables of drafts, and of who an officer is: the service's own, no projection of the log."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from ledger.db import metadata, of_service

drafts: Final = of_service(
    Table(
        "drafts",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("draft", LargeBinary(16), primary_key=True),
        Column("party", String(40), nullable=False),
        Column("kind", String(40), nullable=False),
        Column("summary", Text, nullable=False),
        Column("submissions", LargeBinary, nullable=False),
        Column("state", String(8), nullable=False),
        Column("preparer", LargeBinary(16), nullable=False),
        Column("preparer_account", String(64), nullable=False),
        Column("prepared_at_s", BigInteger, nullable=False),
        Column("expires_at_s", BigInteger, nullable=False),
        Column("decider", LargeBinary(16)),
        Column("decider_account", String(64), nullable=False),
        Column("decided_at_s", BigInteger),
        Column("reason", String(1000), nullable=False),
        Column("entry_index", BigInteger),
        CheckConstraint(
            "state IN ('prepared', 'approved', 'rejected', 'stale', 'expired')", name="state"
        ),
        CheckConstraint("(state = 'prepared') = (decided_at_s IS NULL)", name="decided"),
        CheckConstraint(
            "state <> 'approved' OR (entry_index IS NOT NULL AND decider IS NOT NULL"
            " AND decider <> preparer AND (preparer_account = ''"
            " OR decider_account <> preparer_account))",
            name="four_eyes",
        ),
        Index(None, "log_id", "party", "state"),
    )
)
# Which person an officer of the log is: nothing of it is in the log.
officer_people: Final = of_service(
    Table(
        "officer_people",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("officer", LargeBinary(16), primary_key=True),
        Column("account", String(64), nullable=False),
        Column("label", String(100), nullable=False),
        Index(None, "log_id", "account"),
    )
)
