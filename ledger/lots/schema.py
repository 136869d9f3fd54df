"""Tables of divisions, lots, what became of them, and of intervals that a correction cut short."""

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
    UniqueConstraint,
)

from ledger.db import Trigger, append_only, metadata
from ledger.log.succession import not_before

# A point's month is divided anew only after it was divided before.
REVISIONS_TRIGGER: Final = Trigger(
    name="origins_in_order",
    table="origins",
    forbids="""NEW.revision <> (
    SELECT COUNT(*) FROM origins AS o WHERE o.log_id = NEW.log_id AND o.point = NEW.point
    AND o.month_start_s = NEW.month_start_s)""",
    says="an origin is divided once, revision after revision",
)

origins: Final = append_only(
    Table(
        "origins",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("point", LargeBinary(16), primary_key=True),
        Column("month_start_s", BigInteger, primary_key=True, autoincrement=False),
        Column("revision", BigInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("run_index", BigInteger, nullable=False),
        Column("remainder", LargeBinary(16), nullable=True),
        Column("outer_root", LargeBinary(32), nullable=False),
        # What one run allocates of a month becomes lots once.
        UniqueConstraint("log_id", "run_index", "point", "month_start_s"),
        Index("ix_origins_entry", "log_id", "entry_index"),
        info={"triggers": [REVISIONS_TRIGGER, not_before("origins", "month_start_s")]},
    )
)
lots: Final = append_only(
    Table(
        "lots",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("lot", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("point", LargeBinary(16), nullable=False),
        Column("month_start_s", BigInteger, nullable=False),
        Column("revision", BigInteger, nullable=False),
        Column("supply_class", SmallInteger, nullable=False),
        Column("holder", LargeBinary(16), nullable=False),
        Column("wh", BigInteger, CheckConstraint("wh > 0", name="wh"), nullable=False),
        ForeignKeyConstraint(
            ["log_id", "point", "month_start_s", "revision"],
            ["origins.log_id", "origins.point", "origins.month_start_s", "origins.revision"],
        ),
        Index("ix_lots_holder", "log_id", "holder", "month_start_s"),
        Index("ix_lots_point", "log_id", "point", "month_start_s"),
    )
)
# The rule of rules: a lot is spent once.
spends: Final = append_only(
    Table(
        "lot_spends",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("lot", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        ForeignKeyConstraint(["log_id", "lot"], ["lots.log_id", "lots.lot"]),
    )
)
wraps: Final = append_only(
    Table(
        "lot_wraps",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("lot", LargeBinary(16), primary_key=True),
        Column("form", String(20), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        ForeignKeyConstraint(["log_id", "lot"], ["lots.log_id", "lots.lot"]),
    )
)
# Divided quarter-hours that were corrected downward since. `used_wh`: by claims in force.
shorts: Final = Table(
    "shorts",
    metadata,
    Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("point", LargeBinary(16), primary_key=True),
    Column("start_s", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_index", BigInteger, nullable=False),
    Column("metered_wh", BigInteger, nullable=False),
    Column("used_wh", BigInteger, nullable=False),
    Column("short_wh", BigInteger, CheckConstraint("short_wh >= 0", name="short"), nullable=False),
    CheckConstraint("used_wh <= metered_wh + short_wh", name="used"),
)
