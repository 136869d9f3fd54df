"""Tables of claims: lots, retirements, how they ended, and the flags that they were given."""

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

from ledger.db import Trigger, append_only, metadata

# A claim claims no more of a lot than there is.
WITHIN_TRIGGER: Final = Trigger(
    name="claim_lots_within",
    table="claim_lots",
    forbids="""NEW.wh > (
    SELECT l.wh FROM lots AS l WHERE l.log_id = NEW.log_id AND l.lot = NEW.lot)""",
    says="a claim claims no more of a lot than there is",
)
# Only a claim that was replaced lets go of a lot; one that was withdrawn keeps it for good.
ONCE_TRIGGER: Final = Trigger(
    name="claim_lots_once",
    table="claim_lots",
    forbids="""EXISTS (
    SELECT 1 FROM claim_lots AS c LEFT JOIN claim_ends AS e
    ON e.log_id = c.log_id AND e.claim = c.claim AND e.kind = 'replaced'
    WHERE c.log_id = NEW.log_id AND c.lot = NEW.lot AND c.claim <> NEW.claim
    AND e.claim IS NULL)""",
    says="a lot is used by one claim",
)

# Energy that went into reductions is green power no more.
BARRED_TRIGGER: Final = Trigger(
    name="claim_lots_barred",
    table="claim_lots",
    forbids="""EXISTS (
    SELECT 1 FROM lots AS l JOIN energy_bars AS b ON b.log_id = l.log_id AND b.point = l.point
    AND b.month_start_s = l.month_start_s
    WHERE l.log_id = NEW.log_id AND l.lot = NEW.lot AND b.entry_index < (
        SELECT c.entry_index FROM claims AS c
        WHERE c.log_id = NEW.log_id AND c.claim = NEW.claim))""",
    says="its energy went into a reduction",
)
# As with lots: only a claim that was replaced lets go of a retirement.
RETIRED_ONCE_TRIGGER: Final = Trigger(
    name="claim_retirements_once",
    table="claim_retirements",
    forbids="""EXISTS (
    SELECT 1 FROM claim_retirements AS c LEFT JOIN claim_ends AS e
    ON e.log_id = c.log_id AND e.claim = c.claim AND e.kind = 'replaced'
    WHERE c.log_id = NEW.log_id AND c.retirement = NEW.retirement AND c.claim <> NEW.claim
    AND e.claim IS NULL)""",
    says="a retirement is in one claim",
)
# For the consumer who claims, and within what its units are worth.
RETIRED_FOR_TRIGGER: Final = Trigger(
    name="claim_retirements_for",
    table="claim_retirements",
    forbids="""NOT EXISTS (
    SELECT 1 FROM retirements AS r JOIN claims AS c ON c.log_id = r.log_id
    WHERE r.log_id = NEW.log_id AND r.retirement = NEW.retirement AND c.claim = NEW.claim
    AND r.beneficiary = c.author AND c.start_s <= r.start_s AND r.end_s <= c.end_s
    AND NEW.wh <= r.units * (
        SELECT MAX(b.unit_size) FROM gone_units AS g JOIN unit_batches AS b ON b.log_id = g.log_id
        AND b.scheme = g.scheme AND b.code = g.code AND b.revision = g.revision
        WHERE g.log_id = r.log_id AND g.entry_index = r.entry_index))""",
    says="a retirement is for the claimant, in its time, worth its units",
)

claims: Final = append_only(
    Table(
        "claims",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("claim", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("author", String(40), nullable=False),
        Column("replaces", LargeBinary(16), nullable=True),
        Column("start_s", BigInteger, nullable=False),
        Column("end_s", BigInteger, nullable=False),
        Column("wh", BigInteger, CheckConstraint("wh >= 0", name="wh"), nullable=False),
        Column("root", String(64), nullable=False),
        Column("manifest", Text, nullable=False),
        UniqueConstraint("log_id", "replaces"),
        ForeignKeyConstraint(["log_id", "replaces"], ["claims.log_id", "claims.claim"]),
        Index("ix_claims_entry", "log_id", "entry_index"),
    )
)
claim_ends: Final = append_only(
    Table(
        "claim_ends",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("claim", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column(
            "kind",
            String(10),
            CheckConstraint("kind IN ('replaced', 'withdrawn')", name="kind"),
            nullable=False,
        ),
        Column("reason", String(500), nullable=False),
        ForeignKeyConstraint(["log_id", "claim"], ["claims.log_id", "claims.claim"]),
    )
)
claim_lots: Final = append_only(
    Table(
        "claim_lots",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("claim", LargeBinary(16), primary_key=True),
        Column("lot", LargeBinary(16), primary_key=True),
        Column("wh", BigInteger, CheckConstraint("wh >= 0", name="wh"), nullable=False),
        ForeignKeyConstraint(["log_id", "claim"], ["claims.log_id", "claims.claim"]),
        ForeignKeyConstraint(["log_id", "lot"], ["lot_spends.log_id", "lot_spends.lot"]),
        Index("ix_claim_lots_lot", "log_id", "lot"),
        info={"triggers": [WITHIN_TRIGGER, ONCE_TRIGGER, BARRED_TRIGGER]},
    )
)
claim_retirements: Final = append_only(
    Table(
        "claim_retirements",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("claim", LargeBinary(16), primary_key=True),
        Column("retirement", LargeBinary(16), primary_key=True),
        Column("wh", BigInteger, CheckConstraint("wh >= 0", name="wh"), nullable=False),
        ForeignKeyConstraint(["log_id", "claim"], ["claims.log_id", "claims.claim"]),
        ForeignKeyConstraint(
            ["log_id", "retirement"], ["retirements.log_id", "retirements.retirement"]
        ),
        Index("ix_claim_retirements_retirement", "log_id", "retirement"),
        info={"triggers": [RETIRED_ONCE_TRIGGER, RETIRED_FOR_TRIGGER]},
    )
)
claim_flags: Final = append_only(
    Table(
        "claim_flags",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("claim", LargeBinary(16), nullable=False),
        Column(
            "state",
            String(5),
            CheckConstraint("state IN ('short', 'cured')", name="state"),
            nullable=False,
        ),
        ForeignKeyConstraint(["log_id", "claim"], ["claims.log_id", "claims.claim"]),
        Index("ix_claim_flags_claim", "log_id", "claim"),
    )
)
