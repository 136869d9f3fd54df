"""Lots and claims.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules
from migrations.rules import Rule

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "claim_ends",
    "claim_flags",
    "claim_lots",
    "claims",
    "lot_spends",
    "lot_wraps",
    "lots",
    "origins",
)
TRIGGERS = (
    Rule(
        name="origins_in_order",
        table="origins",
        forbids="""NEW.revision <> (
    SELECT COUNT(*) FROM origins AS o WHERE o.log_id = NEW.log_id AND o.point = NEW.point
    AND o.month_start_s = NEW.month_start_s)""",
        says="an origin is divided once, revision after revision",
    ),
    Rule(
        name="claim_lots_within",
        table="claim_lots",
        forbids="""NEW.wh > (
    SELECT l.wh FROM lots AS l WHERE l.log_id = NEW.log_id AND l.lot = NEW.lot)""",
        says="a claim claims no more of a lot than there is",
    ),
    Rule(
        name="claim_lots_once",
        table="claim_lots",
        forbids="""EXISTS (
    SELECT 1 FROM claim_lots AS c LEFT JOIN claim_ends AS e
    ON e.log_id = c.log_id AND e.claim = c.claim AND e.kind = 'replaced'
    WHERE c.log_id = NEW.log_id AND c.lot = NEW.lot AND c.claim <> NEW.claim
    AND e.claim IS NULL)""",
        says="a lot is used by one claim",
    ),
)


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("replaces", sa.LargeBinary(length=16), nullable=True),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "replaces"],
            ["claims.log_id", "claims.claim"],
            name=op.f("fk_claims_log_id_replaces"),
        ),
        sa.CheckConstraint("wh >= 0", name=op.f("ck_claims_wh")),
        sa.PrimaryKeyConstraint("log_id", "claim", name=op.f("pk_claims")),
        sa.UniqueConstraint("log_id", "replaces", name=op.f("uq_claims_log_id_replaces")),
    )
    op.create_index("ix_claims_entry", "claims", ["log_id", "entry_index"], unique=False)
    rules.create_growing_table(
        "origins",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.Column("month_start_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("run_index", sa.BigInteger(), nullable=False),
        sa.Column("remainder", sa.LargeBinary(length=16), nullable=True),
        sa.Column("outer_root", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint(
            "log_id", "point", "month_start_s", "revision", name=op.f("pk_origins")
        ),
        sa.UniqueConstraint(
            "log_id",
            "run_index",
            "point",
            "month_start_s",
            name=op.f("uq_origins_log_id_run_index_point_month_start_s"),
        ),
    )
    op.create_index("ix_origins_entry", "origins", ["log_id", "entry_index"], unique=False)
    op.create_table(
        "shorts",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.Column("start_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("metered_wh", sa.BigInteger(), nullable=False),
        sa.Column("used_wh", sa.BigInteger(), nullable=False),
        sa.Column("short_wh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used_wh <= metered_wh + short_wh", name=op.f("ck_shorts_used")),
        sa.CheckConstraint("short_wh >= 0", name=op.f("ck_shorts_short")),
        sa.PrimaryKeyConstraint("log_id", "point", "start_s", name=op.f("pk_shorts")),
    )
    op.create_table(
        "claim_ends",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "claim"],
            ["claims.log_id", "claims.claim"],
            name=op.f("fk_claim_ends_log_id_claim"),
        ),
        sa.CheckConstraint("kind IN ('replaced', 'withdrawn')", name=op.f("ck_claim_ends_kind")),
        sa.PrimaryKeyConstraint("log_id", "claim", name=op.f("pk_claim_ends")),
    )
    op.create_table(
        "claim_flags",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=5), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "claim"],
            ["claims.log_id", "claims.claim"],
            name=op.f("fk_claim_flags_log_id_claim"),
        ),
        sa.CheckConstraint("state IN ('short', 'cured')", name=op.f("ck_claim_flags_state")),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_claim_flags")),
    )
    op.create_index("ix_claim_flags_claim", "claim_flags", ["log_id", "claim"], unique=False)
    rules.create_growing_table(
        "lots",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.Column("month_start_s", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("supply_class", sa.SmallInteger(), nullable=False),
        sa.Column("holder", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "point", "month_start_s", "revision"],
            ["origins.log_id", "origins.point", "origins.month_start_s", "origins.revision"],
            name=op.f("fk_lots_log_id_point_month_start_s_revision"),
        ),
        sa.CheckConstraint("wh > 0", name=op.f("ck_lots_wh")),
        sa.PrimaryKeyConstraint("log_id", "lot", name=op.f("pk_lots")),
    )
    op.create_index("ix_lots_holder", "lots", ["log_id", "holder", "month_start_s"], unique=False)
    op.create_index("ix_lots_point", "lots", ["log_id", "point", "month_start_s"], unique=False)
    rules.create_growing_table(
        "lot_spends",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "lot"], ["lots.log_id", "lots.lot"], name=op.f("fk_lot_spends_log_id_lot")
        ),
        sa.PrimaryKeyConstraint("log_id", "lot", name=op.f("pk_lot_spends")),
    )
    rules.create_growing_table(
        "lot_wraps",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "lot"], ["lots.log_id", "lots.lot"], name=op.f("fk_lot_wraps_log_id_lot")
        ),
        sa.PrimaryKeyConstraint("log_id", "lot", "form", name=op.f("pk_lot_wraps")),
    )
    rules.create_growing_table(
        "claim_lots",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("lot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "claim"],
            ["claims.log_id", "claims.claim"],
            name=op.f("fk_claim_lots_log_id_claim"),
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "lot"],
            ["lot_spends.log_id", "lot_spends.lot"],
            name=op.f("fk_claim_lots_log_id_lot"),
        ),
        sa.CheckConstraint("wh >= 0", name=op.f("ck_claim_lots_wh")),
        sa.PrimaryKeyConstraint("log_id", "claim", "lot", name=op.f("pk_claim_lots")),
    )
    op.create_index("ix_claim_lots_lot", "claim_lots", ["log_id", "lot"], unique=False)
    rules.keep_rows(APPEND_ONLY)
    rules.make(TRIGGERS)


def downgrade() -> None:
    rules.drop(TRIGGERS)
    op.drop_table("claim_lots")
    op.drop_table("lot_wraps")
    op.drop_table("lot_spends")
    op.drop_table("lots")
    op.drop_table("claim_flags")
    op.drop_table("claim_ends")
    op.drop_table("shorts")
    op.drop_table("origins")
    op.drop_table("claims")
