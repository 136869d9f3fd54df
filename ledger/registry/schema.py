"""Tables of schemes, projects, batches, holdings, and what became of them.

Each rule of single use stands here once more: units of a code are in one batch, in one live holding
or gone once; a holding ends once, and only as the table of moves allows.
"""

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
from ledger.log.succession import not_before
from ledger.registry.lifecycle import FINAL, MOVES, STATES, TIMED


def _listed(values: object) -> str:
    assert isinstance(values, frozenset | tuple)
    return ", ".join(f"'{one}'" for one in sorted(values))


BATCH_OVERLAP_TRIGGER: Final = Trigger(
    name="unit_batches_apart",
    table="unit_batches",
    forbids="""EXISTS (
    SELECT 1 FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code AND b.first_unit < NEW.end_unit AND NEW.first_unit < b.end_unit)""",
    says="no number of a code is in two batches",
)
BATCH_ORDER_TRIGGER: Final = Trigger(
    name="unit_batches_in_order",
    table="unit_batches",
    forbids="""NEW.revision <> (
    SELECT COUNT(*) FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code)""",
    says="a code is imported revision after revision",
)
HOLDING_INSIDE_TRIGGER: Final = Trigger(
    name="holdings_inside",
    table="holdings",
    forbids="""NOT EXISTS (
    SELECT 1 FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code AND b.revision = NEW.revision
    AND b.first_unit <= NEW.first_unit AND NEW.end_unit <= b.end_unit)""",
    says="a holding is of units of its batch",
)
HOLDING_APART_TRIGGER: Final = Trigger(
    name="holdings_apart",
    table="holdings",
    forbids="""EXISTS (
    SELECT 1 FROM holdings AS h LEFT JOIN holding_ends AS e
    ON e.log_id = h.log_id AND e.holding = h.holding
    WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
    AND h.first_unit < NEW.end_unit AND NEW.first_unit < h.end_unit AND e.holding IS NULL)""",
    says="a unit has one owner",
)
HOLDING_GONE_TRIGGER: Final = Trigger(
    name="holdings_gone",
    table="holdings",
    forbids="""EXISTS (
    SELECT 1 FROM gone_units AS g WHERE g.log_id = NEW.log_id AND g.scheme = NEW.scheme
    AND g.code = NEW.code AND g.first_unit < NEW.end_unit AND NEW.first_unit < g.end_unit)""",
    says="a unit that is gone does not come back",
)
GONE_APART_TRIGGER: Final = Trigger(
    name="gone_units_apart",
    table="gone_units",
    forbids="""EXISTS (
    SELECT 1 FROM gone_units AS g WHERE g.log_id = NEW.log_id AND g.scheme = NEW.scheme
    AND g.code = NEW.code AND g.first_unit < NEW.end_unit AND NEW.first_unit < g.end_unit)""",
    says="a unit is used once",
)
GONE_LIVE_TRIGGER: Final = Trigger(
    name="gone_units_free",
    table="gone_units",
    forbids="""EXISTS (
    SELECT 1 FROM holdings AS h LEFT JOIN holding_ends AS e
    ON e.log_id = h.log_id AND e.holding = h.holding
    WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
    AND h.first_unit < NEW.end_unit AND NEW.first_unit < h.end_unit AND e.holding IS NULL)""",
    says="a unit that somebody holds is not gone",
)
GONE_ENDED_TRIGGER: Final = Trigger(
    name="gone_units_ended",
    table="gone_units",
    forbids="""NOT EXISTS (
    SELECT 1 FROM holdings AS h JOIN holding_ends AS e
    ON e.log_id = h.log_id AND e.holding = h.holding
    WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
    AND h.first_unit < NEW.end_unit AND NEW.first_unit < h.end_unit
    AND e.entry_index = NEW.entry_index AND e.act = NEW.act)""",
    says="units that are gone were of a holding that ended by the same act",
)
# The table of moves, once more.
_ALLOWED: Final = "\n    OR ".join(
    f"(NEW.act = '{act}' AND h.state IN ({_listed(move.ends)}))"
    for act, move in sorted(MOVES.items())
)
MOVES_TRIGGER: Final = Trigger(
    name="holding_ends_allowed",
    table="holding_ends",
    forbids=f"""NOT EXISTS (
    SELECT 1 FROM holdings AS h WHERE h.log_id = NEW.log_id AND h.holding = NEW.holding
    AND ({_ALLOWED}))""",  # noqa: S608  (names of our own)
    says="a holding in this state does not end so",
)
_OVER: Final = """
    SELECT 1 FROM holdings AS h JOIN unit_batches AS b
    ON b.log_id = h.log_id AND b.scheme = h.scheme
    AND b.code = h.code AND b.revision = h.revision
    WHERE h.log_id = NEW.log_id AND h.holding = NEW.holding AND b.expires_s <= NEW.tick_s"""
EXPIRED_TRIGGER: Final = Trigger(
    name="holding_ends_in_time",
    table="holding_ends",
    forbids=f"NEW.act IN ({_listed(TIMED)}) AND EXISTS ({_OVER})",
    says="these units are valid no more",
)
EARLY_TRIGGER: Final = Trigger(
    name="holding_ends_expired",
    table="holding_ends",
    forbids=f"NEW.act = 'expire' AND NOT EXISTS ({_OVER})",
    says="these units are still valid",
)
# What its project's batches before left over, a metered batch carries on.
CARRY_TRIGGER: Final = Trigger(
    name="unit_batches_carry",
    table="unit_batches",
    forbids="""NEW.metered = 1 AND NEW.carried_wh <> COALESCE((
    SELECT b.left_wh FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.project = NEW.project AND b.class = NEW.class AND b.metered = 1
    ORDER BY b.entry_index DESC, b.number DESC LIMIT 1), 0)""",
    says="a batch carries on what its project and class left over",
)

# A kWh has one certificate; a reduction may come after it was cancelled.
LOT_ONCE_TRIGGER: Final = Trigger(
    name="unit_batch_lots_once",
    table="unit_batch_lots",
    forbids="""EXISTS (
    SELECT 1 FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code AND b.revision = NEW.revision AND b.metered = 1)
AND EXISTS (
    SELECT 1 FROM unit_batch_lots AS l JOIN unit_batches AS b
    ON b.log_id = l.log_id AND b.scheme = l.scheme
    AND b.code = l.code AND b.revision = l.revision
    WHERE l.log_id = NEW.log_id AND l.lot = NEW.lot AND b.metered = 1)""",
    says="a lot stands behind certificates once",
)

schemes: Final = append_only(
    Table(
        "schemes",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("scheme", String(40), nullable=False),
        Column("id", String(32), nullable=False),
        Column("replaces", String(32), nullable=False),
        Column("rules", Text, nullable=False),
        UniqueConstraint("log_id", "scheme", "replaces"),
    )
)
projects: Final = append_only(
    Table(
        "projects",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("scheme", String(40), nullable=False),
        Column("project", String(64), nullable=False),
        Column("id", String(32), nullable=False),
        Column("replaces", String(32), nullable=False),
        Column("master", Text, nullable=False),
        UniqueConstraint("log_id", "scheme", "project", "replaces"),
    )
)
batches: Final = append_only(
    Table(
        "unit_batches",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("scheme", String(40), primary_key=True),
        Column("code", String(64), primary_key=True),
        Column("revision", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("first_unit", BigInteger, nullable=False),
        Column("end_unit", BigInteger, nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("end_s", BigInteger, nullable=False),
        Column("expires_s", BigInteger, nullable=True),
        Column("project", String(64), nullable=False),
        Column("record", LargeBinary(16), nullable=True),
        # Of a batch that is metered here; else "".
        Column("class", String(40), nullable=False),
        Column("unit_size", BigInteger, nullable=False),
        # 1 where lots of meters here stand behind it.
        Column("metered", SmallInteger, nullable=False),
        Column("eligible_wh", BigInteger, nullable=False),
        Column("carried_wh", BigInteger, nullable=False),
        Column("left_wh", BigInteger, nullable=False),
        CheckConstraint("0 <= first_unit AND first_unit < end_unit", name="units"),
        CheckConstraint("start_s < end_s", name="period"),
        CheckConstraint("metered IN (0, 1)", name="metered"),
        # What was issued and what is left are what was eligible and what was left before.
        CheckConstraint(
            "metered = 0 OR carried_wh + eligible_wh = (end_unit - first_unit) * unit_size"
            " + left_wh",
            name="carry",
        ),
        CheckConstraint("0 <= left_wh AND left_wh < unit_size", name="left"),
        CheckConstraint(
            "metered = 1 OR (eligible_wh = 0 AND carried_wh = 0 AND left_wh = 0)", name="unmetered"
        ),
        UniqueConstraint("log_id", "record"),
        Index("ix_unit_batches_project", "log_id", "scheme", "project", "entry_index"),
        Index("ix_unit_batches_entry", "log_id", "entry_index"),
        info={
            "triggers": [
                BATCH_OVERLAP_TRIGGER,
                BATCH_ORDER_TRIGGER,
                CARRY_TRIGGER,
                not_before("unit_batches", "start_s"),
            ]
        },
    )
)
# Which lots stand behind which batch: each behind one of a scheme, one with certificates.
batch_lots: Final = append_only(
    Table(
        "unit_batch_lots",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("lot", LargeBinary(16), primary_key=True),
        Column("scheme", String(40), primary_key=True),
        Column("code", String(64), nullable=False),
        Column("revision", BigInteger, nullable=False),
        ForeignKeyConstraint(["log_id", "lot"], ["lots.log_id", "lots.lot"]),
        ForeignKeyConstraint(
            ["log_id", "scheme", "code", "revision"],
            [
                "unit_batches.log_id",
                "unit_batches.scheme",
                "unit_batches.code",
                "unit_batches.revision",
            ],
        ),
        Index("ix_unit_batch_lots_batch", "log_id", "scheme", "code", "revision"),
        info={"triggers": [LOT_ONCE_TRIGGER]},
    )
)
holdings: Final = append_only(
    Table(
        "holdings",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("holding", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("scheme", String(40), nullable=False),
        Column("code", String(64), nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("class", String(40), nullable=False),
        Column("first_unit", BigInteger, nullable=False),
        Column("end_unit", BigInteger, nullable=False),
        Column("owner", String(40), nullable=False),
        Column(
            "state",
            String(8),
            CheckConstraint(f"state IN ({_listed(STATES)})", name="state"),
            nullable=False,
        ),
        Column("moves", BigInteger, nullable=False),
        Column("moves_max", BigInteger, nullable=False),
        CheckConstraint("0 <= first_unit AND first_unit < end_unit", name="units"),
        CheckConstraint("0 <= moves AND moves <= moves_max", name="moves"),
        ForeignKeyConstraint(
            ["log_id", "scheme", "code", "revision"],
            [
                "unit_batches.log_id",
                "unit_batches.scheme",
                "unit_batches.code",
                "unit_batches.revision",
            ],
        ),
        Index("ix_holdings_code", "log_id", "scheme", "code", "first_unit"),
        Index("ix_holdings_owner", "log_id", "owner", "scheme"),
        Index("ix_holdings_entry", "log_id", "entry_index"),
        info={"triggers": [HOLDING_INSIDE_TRIGGER, HOLDING_APART_TRIGGER, HOLDING_GONE_TRIGGER]},
    )
)
# The rule of rules: a holding ends once.
holding_ends: Final = append_only(
    Table(
        "holding_ends",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("holding", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("act", String(8), nullable=False),
        Column("tick_s", BigInteger, nullable=False),
        ForeignKeyConstraint(["log_id", "holding"], ["holdings.log_id", "holdings.holding"]),
        Index("ix_holding_ends_entry", "log_id", "entry_index"),
        info={"triggers": [MOVES_TRIGGER, EXPIRED_TRIGGER, EARLY_TRIGGER]},
    )
)
gone_units: Final = append_only(
    Table(
        "gone_units",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("scheme", String(40), primary_key=True),
        Column("code", String(64), primary_key=True),
        Column("first_unit", BigInteger, primary_key=True, autoincrement=False),
        Column("end_unit", BigInteger, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("class", String(40), nullable=False),
        Column("entry_index", BigInteger, nullable=False),
        Column(
            "act",
            String(8),
            CheckConstraint(f"act IN ({_listed(FINAL)})", name="act"),
            nullable=False,
        ),
        CheckConstraint("0 <= first_unit AND first_unit < end_unit", name="units"),
        ForeignKeyConstraint(
            ["log_id", "scheme", "code", "revision"],
            [
                "unit_batches.log_id",
                "unit_batches.scheme",
                "unit_batches.code",
                "unit_batches.revision",
            ],
        ),
        Index("ix_gone_units_entry", "log_id", "entry_index"),
        info={"triggers": [GONE_APART_TRIGGER, GONE_LIVE_TRIGGER, GONE_ENDED_TRIGGER]},
    )
)
# One beneficiary, one purpose.
retirements: Final = append_only(
    Table(
        "retirements",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("retirement", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("author", String(40), nullable=False),
        Column("scheme", String(40), nullable=False),
        Column("beneficiary", String(40), nullable=False),
        Column("purpose", String(40), nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("end_s", BigInteger, nullable=False),
        Column("units", BigInteger, CheckConstraint("units > 0", name="units"), nullable=False),
        Column("obligation", BigInteger, nullable=False),
        Column("note", String(500), nullable=False),
        CheckConstraint("start_s < end_s", name="period"),
        UniqueConstraint("log_id", "entry_index"),
        Index("ix_retirements_beneficiary", "log_id", "beneficiary", "scheme"),
        info={"triggers": [not_before("retirements", "start_s")]},
    )
)
disclosures: Final = append_only(
    Table(
        "disclosures",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("retirement", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["log_id", "retirement"], ["retirements.log_id", "retirements.retirement"]
        ),
    )
)
# Months of metered points whose energy went into reductions: it is green power no more.
energy_bars: Final = append_only(
    Table(
        "energy_bars",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("point", LargeBinary(16), primary_key=True),
        Column("month_start_s", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("scheme", String(40), nullable=False),
    )
)
