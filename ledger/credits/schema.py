"""Tables of reductions, their verifications and reversals.

The balance, the split and the chain of a project are kept by the database too: constraints where
one row shows it, triggers where others have to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
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
)

from ledger.credits.ccus import AVOIDED, MASS_G_MAX, REMOVAL, Flows
from ledger.db import Trigger, append_only, metadata
from ledger.log.succession import not_before

# Nothing is reduced twice: not in a project, nor at a plant that is in several schemes. A record
# that was rejected holds no time.
PERIODS_TRIGGER: Final = Trigger(
    name="reductions_apart",
    table="reductions",
    forbids="""EXISTS (
    SELECT 1 FROM reductions AS r LEFT JOIN verifications AS v
    ON v.log_id = r.log_id AND v.record = r.record
    WHERE r.log_id = NEW.log_id
    AND (r.plant = NEW.plant OR (r.scheme = NEW.scheme AND r.project = NEW.project))
    AND r.start_s < NEW.end_s AND NEW.start_s < r.end_s
    AND (v.verdict IS NULL OR v.verdict <> 'rejected'))""",
    says="periods of a project or plant overlap: nothing is reduced twice",
)
# What is credited is what was recorded: old reversals first, then on from what was left.
CHAIN_TRIGGER: Final = Trigger(
    name="verifications_in_chain",
    table="verifications",
    forbids="""NOT EXISTS (
    SELECT 1 FROM reductions AS r
    WHERE r.log_id = NEW.log_id AND r.record = NEW.record
    AND r.scheme = NEW.scheme AND r.project = NEW.project
    AND NEW.credited = CASE WHEN r.treatment = 'credited' AND NEW.verdict = 'confirmed'
        THEN 1 ELSE 0 END
    AND (NEW.credited = 0
        OR NEW.debit_g + NEW.buffer_g + NEW.avoided_g + NEW.removal_g = r.net_g))
OR NEW.credited = 1 AND (
    NEW.avoided_carried_g <> COALESCE((
        SELECT v.avoided_left_g FROM verifications AS v
        WHERE v.log_id = NEW.log_id AND v.scheme = NEW.scheme AND v.project = NEW.project
        AND v.credited = 1 ORDER BY v.entry_index DESC LIMIT 1), 0)
    OR NEW.removal_carried_g <> COALESCE((
        SELECT v.removal_left_g FROM verifications AS v
        WHERE v.log_id = NEW.log_id AND v.scheme = NEW.scheme AND v.project = NEW.project
        AND v.credited = 1 ORDER BY v.entry_index DESC LIMIT 1), 0)
    OR NEW.debit_g <> LEAST(NEW.debit_g + NEW.buffer_g + NEW.avoided_g + NEW.removal_g, (
        SELECT COALESCE(SUM(x.debit_g), 0) FROM reversals AS x
        WHERE x.log_id = NEW.log_id AND x.scheme = NEW.scheme AND x.project = NEW.project)
        - (SELECT COALESCE(SUM(v.debit_g), 0) FROM verifications AS v
        WHERE v.log_id = NEW.log_id AND v.scheme = NEW.scheme AND v.project = NEW.project)))""",
    says="a verification credits what was recorded, old reversals first",
)
# The buffer gives what it has first, and no more escapes than is stored.
BUFFER_TRIGGER: Final = Trigger(
    name="reversals_from_buffer",
    table="reversals",
    forbids="""NEW.buffer_g <> LEAST(NEW.g, (
    SELECT COALESCE(SUM(v.buffer_g), 0) FROM verifications AS v
    WHERE v.log_id = NEW.log_id AND v.scheme = NEW.scheme AND v.project = NEW.project)
    - (SELECT COALESCE(SUM(x.buffer_g), 0) FROM reversals AS x
    WHERE x.log_id = NEW.log_id AND x.scheme = NEW.scheme AND x.project = NEW.project))
OR NEW.g > (
    SELECT COALESCE(SUM(r.stored_g), 0) FROM reductions AS r JOIN verifications AS v
    ON v.log_id = r.log_id AND v.record = r.record
    WHERE r.log_id = NEW.log_id AND r.scheme = NEW.scheme AND r.project = NEW.project
    AND v.verdict = 'confirmed')
    - (SELECT COALESCE(SUM(x.g), 0) FROM reversals AS x
    WHERE x.log_id = NEW.log_id AND x.scheme = NEW.scheme AND x.project = NEW.project)""",
    says="a reversal takes the buffer first, and no more than is stored",
)
# What was rejected, or is subtracted at its source, is never issued. These two stand on tables of
# the registry, which knows of no record.
ISSUE_TRIGGER: Final = Trigger(
    name="unit_batches_of_records",
    table="unit_batches",
    forbids="""NEW.record IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM verifications AS v JOIN reductions AS r
    ON r.log_id = v.log_id AND r.record = v.record
    WHERE v.log_id = NEW.log_id AND v.record = NEW.record AND v.credited = 1
    AND r.scheme = NEW.scheme AND r.project = NEW.project
    AND r.start_s = NEW.start_s AND r.end_s = NEW.end_s
    AND NEW.first_unit = 0 AND NEW.end_unit = v.avoided_units + v.removal_units)""",
    says="units are issued for a confirmed, credited record, as verified",
)
CLASSES_TRIGGER: Final = Trigger(
    name="holdings_of_records",
    table="holdings",
    forbids="""EXISTS (
    SELECT 1 FROM unit_batches AS b JOIN verifications AS v
    ON v.log_id = b.log_id AND v.record = b.record
    WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme AND b.code = NEW.code
    AND b.revision = NEW.revision AND b.entry_index = NEW.entry_index
    AND (
        SELECT COALESCE(SUM(h.end_unit - h.first_unit), 0) FROM holdings AS h
        WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
        AND h.revision = NEW.revision AND h.class = NEW.class
        AND h.entry_index = NEW.entry_index) + NEW.end_unit - NEW.first_unit
    > CASE NEW.class WHEN 'avoided' THEN v.avoided_units
        WHEN 'removal' THEN v.removal_units ELSE 0 END)""",
    says="a record makes so many units of a class as was verified",
)


_FLOWS: Final = tuple(field.name for field in fields(Flows))
_MASSES: Final = ("debit_g", "buffer_g")
_PARTS: Final = tuple(
    f"{class_}_{name}"
    for class_ in (AVOIDED, REMOVAL)
    for name in ("carried_g", "g", "units", "left_g")
)


def _integers(names: Iterable[str]) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _not_negative(names: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(" AND ".join(f"{name} >= 0" for name in names), name="not_negative")


def _part(class_: str) -> CheckConstraint:
    return CheckConstraint(
        f"{class_}_carried_g + {class_}_g = {class_}_units * 1000000 + {class_}_left_g"
        f" AND {class_}_left_g < 1000000",
        name=class_,
    )


reductions: Final = append_only(
    Table(
        "reductions",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("record", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("author", String(40), nullable=False),
        Column("scheme", String(40), nullable=False),
        Column("project", String(64), nullable=False),
        Column("plant", String(64), nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("end_s", BigInteger, nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("treatment", String(10), nullable=False),
        Column("tolerance_g", BigInteger, nullable=False),
        Column("biogenic_ppm", BigInteger, nullable=False),
        *_integers((*_FLOWS, "stored_g", "emissions_g", "net_g")),
        # {role: [points]}, as JSON.
        Column("points", Text, nullable=False),
        CheckConstraint(
            " AND ".join(f"{name} BETWEEN 0 AND {MASS_G_MAX}" for name in _FLOWS), name="masses"
        ),
        CheckConstraint("end_s > start_s", name="span"),
        CheckConstraint("treatment IN ('credited', 'at-source')", name="treatment"),
        CheckConstraint("biogenic_ppm BETWEEN 0 AND 1000000", name="biogenic"),
        CheckConstraint("tolerance_g >= 0 AND tolerance_g <= captured_g / 20", name="tolerance"),
        CheckConstraint(
            "captured_g - used_g - transported_g BETWEEN -tolerance_g AND tolerance_g",
            name="transport",
        ),
        CheckConstraint(
            "transported_g + recycled_g - transport_leakage_g - injected_g"
            " BETWEEN -tolerance_g AND tolerance_g",
            name="injection",
        ),
        CheckConstraint("recycled_g <= produced_g", name="recycling"),
        CheckConstraint(
            "stored_g >= 0"
            " AND stored_g = injected_g - produced_g - surface_leakage_g - equipment_leakage_g",
            name="stored",
        ),
        CheckConstraint(
            "emissions_g = energy_emissions_g + transport_emissions_g + injection_emissions_g",
            name="emissions",
        ),
        CheckConstraint(
            "net_g = CASE WHEN stored_g > emissions_g THEN stored_g - emissions_g ELSE 0 END",
            name="net",
        ),
        Index("ix_reductions_project", "log_id", "scheme", "project", "start_s"),
        Index("ix_reductions_plant", "log_id", "plant", "start_s"),
        info={"triggers": [PERIODS_TRIGGER, not_before("reductions", "start_s")]},
    )
)
verifications: Final = append_only(
    Table(
        "verifications",
        metadata,
        # A record is verified once.
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("record", LargeBinary(16), primary_key=True),
        Column("entry_index", BigInteger, nullable=False),
        Column("author", String(40), nullable=False),
        Column("scheme", String(40), nullable=False),
        Column("project", String(64), nullable=False),
        Column("verdict", String(10), nullable=False),
        Column("finding", String(500), nullable=False),
        Column("document", String(64), nullable=False),
        Column("credited", SmallInteger, nullable=False),
        *_integers((*_MASSES, *_PARTS)),
        _not_negative((*_MASSES, *_PARTS)),
        CheckConstraint("verdict IN ('confirmed', 'rejected')", name="verdict"),
        CheckConstraint(
            "credited = 1 OR debit_g + buffer_g + avoided_carried_g + avoided_g"
            " + removal_carried_g + removal_g = 0",
            name="credited",
        ),
        _part("avoided"),
        _part("removal"),
        ForeignKeyConstraint(["log_id", "record"], ["reductions.log_id", "reductions.record"]),
        Index("ix_verifications_project", "log_id", "scheme", "project", "entry_index"),
        info={"triggers": [CHAIN_TRIGGER, ISSUE_TRIGGER, CLASSES_TRIGGER]},
    )
)
reversals: Final = append_only(
    Table(
        "reversals",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("scheme", String(40), nullable=False),
        Column("project", String(64), nullable=False),
        Column("g", BigInteger, nullable=False),
        Column("at_s", BigInteger, nullable=False),
        Column("reason", String(500), nullable=False),
        *_integers(_MASSES),
        _not_negative(_MASSES),
        CheckConstraint("g > 0 AND g = buffer_g + debit_g", name="parts"),
        Index("ix_reversals_project", "log_id", "scheme", "project"),
        info={"triggers": [BUFFER_TRIGGER]},
    )
)
