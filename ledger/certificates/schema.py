"""Table of settled green trades."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from ledger.db import Trigger, append_only, metadata

# Certificates are whole: what a month leaves below one, a later month of the contract may use.
WITHIN_TRIGGER: Final = Trigger(
    name="settlements_within",
    table="settlements",
    forbids="""NEW.units * NEW.unit_size > NEW.settled_wh + COALESCE((
    SELECT SUM(s.settled_wh - s.units * s.unit_size) FROM settlements AS s
    WHERE s.log_id = NEW.log_id AND s.contract = NEW.contract AND s.buyer = NEW.buyer), 0)""",
    says="a green trade moves no more certificates than were settled",
)

settlements: Final = append_only(
    Table(
        "settlements",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("contract", LargeBinary(16), primary_key=True),
        Column("month_start_s", BigInteger, primary_key=True, autoincrement=False),
        Column("buyer", String(40), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("contract_wh", BigInteger, nullable=False),
        Column("generation_wh", BigInteger, nullable=False),
        Column("consumption_wh", BigInteger, nullable=False),
        Column("settled_wh", BigInteger, nullable=False),
        Column("units", BigInteger, CheckConstraint("units > 0", name="units"), nullable=False),
        Column("unit_size", BigInteger, nullable=False),
        CheckConstraint(
            "settled_wh >= 0 AND settled_wh <= contract_wh AND settled_wh <= generation_wh"
            " AND settled_wh <= consumption_wh",
            name="least",
        ),
        info={"triggers": [WITHIN_TRIGGER]},
    )
)
