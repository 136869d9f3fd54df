"""What product footprints take of claims, never more than these hold.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_RULES: Final = [
    rules.Rule(
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
    ),
    rules.Rule(
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
    ),
    rules.Rule(
        name="footprint_uses_in_force",
        table="footprint_uses",
        forbids="""EXISTS (
    SELECT 1 FROM claim_ends AS e WHERE e.log_id = NEW.log_id AND e.claim = NEW.claim)""",
        says="a footprint rests on claims in force",
    ),
]


def upgrade() -> None:
    op.create_table(
        "footprint_uses",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("report", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("supply_class", sa.String(length=11), nullable=False),
        sa.Column("technology", sa.String(length=200), nullable=False),
        sa.Column("chain", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.Column("held_wh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("wh > 0", name=op.f("ck_footprint_uses_wh")),
        sa.ForeignKeyConstraint(
            ["log_id", "report", "number"],
            ["reports.log_id", "reports.report", "reports.number"],
            name=op.f("fk_footprint_uses_log_id_report_number"),
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "claim"],
            ["claims.log_id", "claims.claim"],
            name=op.f("fk_footprint_uses_log_id_claim"),
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "chain"],
            ["claims.log_id", "claims.claim"],
            name="fk_footprint_uses_chain",
        ),
        sa.PrimaryKeyConstraint(
            *("log_id", "report", "number", "claim", "supply_class", "technology"),
            name=op.f("pk_footprint_uses"),
        ),
    )
    op.create_index("ix_footprint_uses_chain", "footprint_uses", ["log_id", "chain"])
    rules.keep_rows(("footprint_uses",))
    rules.make(_RULES)


def downgrade() -> None:
    rules.drop(_RULES)
    op.drop_table("footprint_uses")
