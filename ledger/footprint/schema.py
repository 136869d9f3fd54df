"""The table of what footprints take of claims: Wh by class and technology, of each version."""

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
)

from ledger.db import Trigger, append_only, metadata

# What footprints in force take of the energy of NEW's claim, by any claim of its chain. A version
# that was replaced lets go of what it took; one of another report never does.
WITHIN_TRIGGER: Final = Trigger(
    name="footprint_uses_within",
    table="footprint_uses",
    forbids="""NEW.wh + COALESCE((
    SELECT SUM(u.wh) FROM footprint_uses AS u
    WHERE u.log_id = NEW.log_id AND u.chain = NEW.chain
    AND u.supply_class = NEW.supply_class AND u.technology = NEW.technology
    AND NOT EXISTS (
        SELECT 1 FROM reports AS r WHERE r.log_id = u.log_id AND r.report = u.report
        AND r.number > u.number)), 0) > NEW.held_wh""",
    says="footprints take no more of a claim than it holds of a class and technology",
)
# Whatever is said of classes and technologies: half of a claim's lots is supply, half is cover.
CLAIM_TRIGGER: Final = Trigger(
    name="footprint_uses_claim",
    table="footprint_uses",
    forbids="""2 * (NEW.wh + COALESCE((
    SELECT SUM(u.wh) FROM footprint_uses AS u
    WHERE u.log_id = NEW.log_id AND u.chain = NEW.chain
    AND NOT EXISTS (
        SELECT 1 FROM reports AS r WHERE r.log_id = u.log_id AND r.report = u.report
        AND r.number > u.number)), 0)) > COALESCE((
    SELECT SUM(l.wh) FROM claim_lots AS l
    WHERE l.log_id = NEW.log_id AND l.claim = NEW.claim), 0) + 2 * COALESCE((
    SELECT SUM(c.wh) FROM claim_retirements AS c
    WHERE c.log_id = NEW.log_id AND c.claim = NEW.claim), 0)""",
    says="footprints take no more of a claim than it claims",
)
IN_FORCE_TRIGGER: Final = Trigger(
    name="footprint_uses_in_force",
    table="footprint_uses",
    forbids="""EXISTS (
    SELECT 1 FROM claim_ends AS e WHERE e.log_id = NEW.log_id AND e.claim = NEW.claim)""",
    says="a footprint rests on claims in force",
)

footprint_uses: Final = append_only(
    Table(
        "footprint_uses",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("report", LargeBinary(16), primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("claim", LargeBinary(16), primary_key=True),
        Column("supply_class", String(11), primary_key=True),
        Column("technology", String(200), primary_key=True),
        Column("chain", LargeBinary(16), nullable=False),
        Column("wh", BigInteger, CheckConstraint("wh > 0", name="wh"), nullable=False),
        Column("held_wh", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["log_id", "report", "number"], ["reports.log_id", "reports.report", "reports.number"]
        ),
        ForeignKeyConstraint(["log_id", "claim"], ["claims.log_id", "claims.claim"]),
        ForeignKeyConstraint(
            ["log_id", "chain"],
            ["claims.log_id", "claims.claim"],
            name="fk_footprint_uses_chain",
        ),
        Index("ix_footprint_uses_chain", "log_id", "chain"),
        info={"triggers": [WITHIN_TRIGGER, CLAIM_TRIGGER, IN_FORCE_TRIGGER]},
    )
)
