"""Certificates and credits: the registry, reductions, statements.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules
from migrations.rules import Rule

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "claim_retirements",
    "disclosures",
    "energy_bars",
    "gone_units",
    "holding_ends",
    "holdings",
    "projects",
    "reductions",
    "retirements",
    "reversals",
    "schemes",
    "settlements",
    "statement_rows",
    "statements",
    "unit_batch_lots",
    "unit_batches",
    "verifications",
)
TRIGGERS = (
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
        name="settlements_within",
        table="settlements",
        forbids="""NEW.units * NEW.unit_size > NEW.settled_wh + COALESCE((
    SELECT SUM(s.settled_wh - s.units * s.unit_size) FROM settlements AS s
    WHERE s.log_id = NEW.log_id AND s.contract = NEW.contract AND s.buyer = NEW.buyer), 0)""",
        says="a green trade moves no more certificates than were settled",
    ),
    Rule(
        name="statements_once",
        table="statements",
        forbids="""NEW.reading = (
    SELECT s.reading FROM statements AS s WHERE s.log_id = NEW.log_id
    AND s.file_hash = NEW.file_hash ORDER BY s.entry_index DESC LIMIT 1)""",
        says="a statement is imported once",
    ),
    Rule(
        name="unit_batches_apart",
        table="unit_batches",
        forbids="""EXISTS (
    SELECT 1 FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code AND b.first_unit < NEW.end_unit AND NEW.first_unit < b.end_unit)""",
        says="no number of a code is in two batches",
    ),
    Rule(
        name="unit_batches_in_order",
        table="unit_batches",
        forbids="""NEW.revision <> (
    SELECT COUNT(*) FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code)""",
        says="a code is imported revision after revision",
    ),
    Rule(
        name="unit_batches_carry",
        table="unit_batches",
        forbids="""NEW.metered = 1 AND NEW.carried_wh <> COALESCE((
    SELECT b.left_wh FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.project = NEW.project AND b.class = NEW.class AND b.metered = 1
    ORDER BY b.entry_index DESC, b.number DESC LIMIT 1), 0)""",
        says="a batch carries on what its project and class left over",
    ),
    Rule(
        name="claim_retirements_once",
        table="claim_retirements",
        forbids="""EXISTS (
    SELECT 1 FROM claim_retirements AS c LEFT JOIN claim_ends AS e
    ON e.log_id = c.log_id AND e.claim = c.claim AND e.kind = 'replaced'
    WHERE c.log_id = NEW.log_id AND c.retirement = NEW.retirement AND c.claim <> NEW.claim
    AND e.claim IS NULL)""",
        says="a retirement is in one claim",
    ),
    Rule(
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
    ),
    Rule(
        name="gone_units_apart",
        table="gone_units",
        forbids="""EXISTS (
    SELECT 1 FROM gone_units AS g WHERE g.log_id = NEW.log_id AND g.scheme = NEW.scheme
    AND g.code = NEW.code AND g.first_unit < NEW.end_unit AND NEW.first_unit < g.end_unit)""",
        says="a unit is used once",
    ),
    Rule(
        name="gone_units_free",
        table="gone_units",
        forbids="""EXISTS (
    SELECT 1 FROM holdings AS h LEFT JOIN holding_ends AS e
    ON e.log_id = h.log_id AND e.holding = h.holding
    WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
    AND h.first_unit < NEW.end_unit AND NEW.first_unit < h.end_unit AND e.holding IS NULL)""",
        says="a unit that somebody holds is not gone",
    ),
    Rule(
        name="gone_units_ended",
        table="gone_units",
        forbids="""NOT EXISTS (
    SELECT 1 FROM holdings AS h JOIN holding_ends AS e
    ON e.log_id = h.log_id AND e.holding = h.holding
    WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
    AND h.first_unit < NEW.end_unit AND NEW.first_unit < h.end_unit
    AND e.entry_index = NEW.entry_index AND e.act = NEW.act)""",
        says="units that are gone were of a holding that ended by the same act",
    ),
    Rule(
        name="holdings_inside",
        table="holdings",
        forbids="""NOT EXISTS (
    SELECT 1 FROM unit_batches AS b WHERE b.log_id = NEW.log_id AND b.scheme = NEW.scheme
    AND b.code = NEW.code AND b.revision = NEW.revision
    AND b.first_unit <= NEW.first_unit AND NEW.end_unit <= b.end_unit)""",
        says="a holding is of units of its batch",
    ),
    Rule(
        name="holdings_apart",
        table="holdings",
        forbids="""EXISTS (
    SELECT 1 FROM holdings AS h LEFT JOIN holding_ends AS e
    ON e.log_id = h.log_id AND e.holding = h.holding
    WHERE h.log_id = NEW.log_id AND h.scheme = NEW.scheme AND h.code = NEW.code
    AND h.first_unit < NEW.end_unit AND NEW.first_unit < h.end_unit AND e.holding IS NULL)""",
        says="a unit has one owner",
    ),
    Rule(
        name="holdings_gone",
        table="holdings",
        forbids="""EXISTS (
    SELECT 1 FROM gone_units AS g WHERE g.log_id = NEW.log_id AND g.scheme = NEW.scheme
    AND g.code = NEW.code AND g.first_unit < NEW.end_unit AND NEW.first_unit < g.end_unit)""",
        says="a unit that is gone does not come back",
    ),
    Rule(
        name="statement_rows_no_overlap",
        table="statement_rows",
        forbids="""NEW.code <> '' AND NEW.first_unit < (
    SELECT r.end_unit FROM statement_rows AS r WHERE r.log_id = NEW.log_id AND r.code = NEW.code
    AND r.entry_index = NEW.entry_index AND r.first_unit < NEW.end_unit
    ORDER BY r.first_unit DESC LIMIT 1)""",
        says="units overlap: a statement has each unit of a code once",
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
        name="holding_ends_allowed",
        table="holding_ends",
        forbids="""NOT EXISTS (
    SELECT 1 FROM holdings AS h WHERE h.log_id = NEW.log_id AND h.holding = NEW.holding
    AND ((NEW.act = 'cancel' AND h.state IN ('active', 'frozen', 'locked', 'reserved'))
    OR (NEW.act = 'expire' AND h.state IN ('active', 'frozen', 'locked', 'reserved'))
    OR (NEW.act = 'export' AND h.state IN ('active', 'reserved'))
    OR (NEW.act = 'freeze' AND h.state IN ('active', 'locked', 'reserved'))
    OR (NEW.act = 'lock' AND h.state IN ('active', 'reserved'))
    OR (NEW.act = 'merge' AND h.state IN ('active'))
    OR (NEW.act = 'release' AND h.state IN ('frozen', 'locked', 'reserved'))
    OR (NEW.act = 'reserve' AND h.state IN ('active'))
    OR (NEW.act = 'retire' AND h.state IN ('active', 'locked', 'reserved'))
    OR (NEW.act = 'settle' AND h.state IN ('active', 'locked', 'reserved'))
    OR (NEW.act = 'split' AND h.state IN ('active', 'frozen', 'locked', 'reserved'))
    OR (NEW.act = 'transfer' AND h.state IN ('active', 'reserved'))
    OR (NEW.act = 'withdraw' AND h.state IN ('active', 'frozen', 'locked', 'reserved'))))""",
        says="a holding in this state does not end so",
    ),
    Rule(
        name="holding_ends_in_time",
        table="holding_ends",
        forbids="""NEW.act IN ('export', 'retire', 'settle', 'transfer') AND EXISTS (
    SELECT 1 FROM holdings AS h JOIN unit_batches AS b
    ON b.log_id = h.log_id AND b.scheme = h.scheme
    AND b.code = h.code AND b.revision = h.revision
    WHERE h.log_id = NEW.log_id AND h.holding = NEW.holding AND b.expires_s <= NEW.tick_s)""",
        says="these units are valid no more",
    ),
    Rule(
        name="holding_ends_expired",
        table="holding_ends",
        forbids="""NEW.act = 'expire' AND NOT EXISTS (
    SELECT 1 FROM holdings AS h JOIN unit_batches AS b
    ON b.log_id = h.log_id AND b.scheme = h.scheme
    AND b.code = h.code AND b.revision = h.revision
    WHERE h.log_id = NEW.log_id AND h.holding = NEW.holding AND b.expires_s <= NEW.tick_s)""",
        says="these units are still valid",
    ),
    Rule(
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
    ),
    Rule(
        name="claim_lots_barred",
        table="claim_lots",
        forbids="""EXISTS (
    SELECT 1 FROM lots AS l JOIN energy_bars AS b ON b.log_id = l.log_id AND b.point = l.point
    AND b.month_start_s = l.month_start_s
    WHERE l.log_id = NEW.log_id AND l.lot = NEW.lot AND b.entry_index < (
        SELECT c.entry_index FROM claims AS c
        WHERE c.log_id = NEW.log_id AND c.claim = NEW.claim))""",
        says="its energy went into a reduction",
    ),
)


def upgrade() -> None:
    op.create_table(
        "energy_bars",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.Column("month_start_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "point", "month_start_s", name=op.f("pk_energy_bars")),
    )
    op.create_table(
        "projects",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.Column("master", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_projects")),
        sa.UniqueConstraint(
            "log_id",
            "scheme",
            "project",
            "replaces",
            name=op.f("uq_projects_log_id_scheme_project_replaces"),
        ),
    )
    op.create_table(
        "reductions",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("plant", sa.String(length=64), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("treatment", sa.String(length=10), nullable=False),
        sa.Column("tolerance_g", sa.BigInteger(), nullable=False),
        sa.Column("biogenic_ppm", sa.BigInteger(), nullable=False),
        sa.Column("captured_g", sa.BigInteger(), nullable=False),
        sa.Column("used_g", sa.BigInteger(), nullable=False),
        sa.Column("transported_g", sa.BigInteger(), nullable=False),
        sa.Column("transport_leakage_g", sa.BigInteger(), nullable=False),
        sa.Column("recycled_g", sa.BigInteger(), nullable=False),
        sa.Column("injected_g", sa.BigInteger(), nullable=False),
        sa.Column("produced_g", sa.BigInteger(), nullable=False),
        sa.Column("surface_leakage_g", sa.BigInteger(), nullable=False),
        sa.Column("equipment_leakage_g", sa.BigInteger(), nullable=False),
        sa.Column("energy_emissions_g", sa.BigInteger(), nullable=False),
        sa.Column("transport_emissions_g", sa.BigInteger(), nullable=False),
        sa.Column("injection_emissions_g", sa.BigInteger(), nullable=False),
        sa.Column("stored_g", sa.BigInteger(), nullable=False),
        sa.Column("emissions_g", sa.BigInteger(), nullable=False),
        sa.Column("net_g", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "biogenic_ppm BETWEEN 0 AND 1000000", name=op.f("ck_reductions_biogenic")
        ),
        sa.CheckConstraint(
            ("emissions_g = energy_emissions_g + transport_emissions_g + injection_emissions_g"),
            name=op.f("ck_reductions_emissions"),
        ),
        sa.CheckConstraint(
            (
                "transported_g + recycled_g - transport_leakage_g - injected_g BETWEEN"
                " -tolerance_g AND tolerance_g"
            ),
            name=op.f("ck_reductions_injection"),
        ),
        sa.CheckConstraint(
            (
                "captured_g BETWEEN 0 AND 1000000000000000 AND used_g BETWEEN 0 AND"
                " 1000000000000000 AND transported_g BETWEEN 0 AND 1000000000000000 AND"
                " transport_leakage_g BETWEEN 0 AND 1000000000000000 AND recycled_g"
                " BETWEEN 0 AND 1000000000000000 AND injected_g BETWEEN 0 AND"
                " 1000000000000000 AND produced_g BETWEEN 0 AND 1000000000000000 AND"
                " surface_leakage_g BETWEEN 0 AND 1000000000000000 AND"
                " equipment_leakage_g BETWEEN 0 AND 1000000000000000 AND"
                " energy_emissions_g BETWEEN 0 AND 1000000000000000 AND"
                " transport_emissions_g BETWEEN 0 AND 1000000000000000 AND"
                " injection_emissions_g BETWEEN 0 AND 1000000000000000"
            ),
            name=op.f("ck_reductions_masses"),
        ),
        sa.CheckConstraint(
            ("net_g = CASE WHEN stored_g > emissions_g THEN stored_g - emissions_g ELSE 0 END"),
            name=op.f("ck_reductions_net"),
        ),
        sa.CheckConstraint("recycled_g <= produced_g", name=op.f("ck_reductions_recycling")),
        sa.CheckConstraint("end_s > start_s", name=op.f("ck_reductions_span")),
        sa.CheckConstraint(
            (
                "stored_g >= 0 AND stored_g = injected_g - produced_g -"
                " surface_leakage_g - equipment_leakage_g"
            ),
            name=op.f("ck_reductions_stored"),
        ),
        sa.CheckConstraint(
            "tolerance_g >= 0 AND tolerance_g <= captured_g / 20",
            name=op.f("ck_reductions_tolerance"),
        ),
        sa.CheckConstraint(
            ("captured_g - used_g - transported_g BETWEEN -tolerance_g AND tolerance_g"),
            name=op.f("ck_reductions_transport"),
        ),
        sa.CheckConstraint(
            "treatment IN ('credited', 'at-source')", name=op.f("ck_reductions_treatment")
        ),
        sa.PrimaryKeyConstraint("log_id", "record", name=op.f("pk_reductions")),
    )
    op.create_index(
        "ix_reductions_plant", "reductions", ["log_id", "plant", "start_s"], unique=False
    )
    op.create_index(
        "ix_reductions_project",
        "reductions",
        ["log_id", "scheme", "project", "start_s"],
        unique=False,
    )
    op.create_table(
        "retirements",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("retirement", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("beneficiary", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("obligation", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint("start_s < end_s", name=op.f("ck_retirements_period")),
        sa.CheckConstraint("units > 0", name=op.f("ck_retirements_units")),
        sa.PrimaryKeyConstraint("log_id", "retirement", name=op.f("pk_retirements")),
        sa.UniqueConstraint(
            "log_id", "entry_index", name=op.f("uq_retirements_log_id_entry_index")
        ),
    )
    op.create_index(
        "ix_retirements_beneficiary",
        "retirements",
        ["log_id", "beneficiary", "scheme"],
        unique=False,
    )
    op.create_table(
        "reversals",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("g", sa.BigInteger(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("debit_g", sa.BigInteger(), nullable=False),
        sa.Column("buffer_g", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "debit_g >= 0 AND buffer_g >= 0", name=op.f("ck_reversals_not_negative")
        ),
        sa.CheckConstraint("g > 0 AND g = buffer_g + debit_g", name=op.f("ck_reversals_parts")),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_reversals")),
    )
    op.create_index(
        "ix_reversals_project", "reversals", ["log_id", "scheme", "project"], unique=False
    )
    op.create_table(
        "schemes",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_schemes")),
        sa.UniqueConstraint(
            "log_id", "scheme", "replaces", name=op.f("uq_schemes_log_id_scheme_replaces")
        ),
    )
    op.create_table(
        "settlements",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("contract", sa.LargeBinary(length=16), nullable=False),
        sa.Column("month_start_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("buyer", sa.String(length=40), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("contract_wh", sa.BigInteger(), nullable=False),
        sa.Column("generation_wh", sa.BigInteger(), nullable=False),
        sa.Column("consumption_wh", sa.BigInteger(), nullable=False),
        sa.Column("settled_wh", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("unit_size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            (
                "settled_wh >= 0 AND settled_wh <= contract_wh AND settled_wh <="
                " generation_wh AND settled_wh <= consumption_wh"
            ),
            name=op.f("ck_settlements_least"),
        ),
        sa.CheckConstraint("units > 0", name=op.f("ck_settlements_units")),
        sa.PrimaryKeyConstraint(
            "log_id", "contract", "month_start_s", "buyer", name=op.f("pk_settlements")
        ),
    )
    op.create_table(
        "statements",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=11), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reading", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "kind IN ('gec', 'green-trade', 'credits')", name=op.f("ck_statements_kind")
        ),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_statements")),
    )
    op.create_index("ix_statements_file", "statements", ["log_id", "file_hash"], unique=False)
    rules.create_growing_table(
        "unit_batches",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("first_unit", sa.BigInteger(), nullable=False),
        sa.Column("end_unit", sa.BigInteger(), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=True),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("record", sa.LargeBinary(length=16), nullable=True),
        sa.Column("class", sa.String(length=40), nullable=False),
        sa.Column("unit_size", sa.BigInteger(), nullable=False),
        sa.Column("metered", sa.SmallInteger(), nullable=False),
        sa.Column("eligible_wh", sa.BigInteger(), nullable=False),
        sa.Column("carried_wh", sa.BigInteger(), nullable=False),
        sa.Column("left_wh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            (
                "metered = 0 OR carried_wh + eligible_wh = (end_unit - first_unit) *"
                " unit_size + left_wh"
            ),
            name=op.f("ck_unit_batches_carry"),
        ),
        sa.CheckConstraint(
            "0 <= left_wh AND left_wh < unit_size", name=op.f("ck_unit_batches_left")
        ),
        sa.CheckConstraint("metered IN (0, 1)", name=op.f("ck_unit_batches_metered")),
        sa.CheckConstraint("start_s < end_s", name=op.f("ck_unit_batches_period")),
        sa.CheckConstraint(
            "0 <= first_unit AND first_unit < end_unit", name=op.f("ck_unit_batches_units")
        ),
        sa.CheckConstraint(
            "metered = 1 OR (eligible_wh = 0 AND carried_wh = 0 AND left_wh = 0)",
            name=op.f("ck_unit_batches_unmetered"),
        ),
        sa.PrimaryKeyConstraint(
            "log_id", "scheme", "code", "revision", name=op.f("pk_unit_batches")
        ),
        sa.UniqueConstraint("log_id", "record", name=op.f("uq_unit_batches_log_id_record")),
    )
    op.create_index(
        "ix_unit_batches_entry", "unit_batches", ["log_id", "entry_index"], unique=False
    )
    op.create_index(
        "ix_unit_batches_project",
        "unit_batches",
        ["log_id", "scheme", "project", "entry_index"],
        unique=False,
    )
    op.create_table(
        "claim_retirements",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("claim", sa.LargeBinary(length=16), nullable=False),
        sa.Column("retirement", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("wh >= 0", name=op.f("ck_claim_retirements_wh")),
        sa.ForeignKeyConstraint(
            ["log_id", "claim"],
            ["claims.log_id", "claims.claim"],
            name=op.f("fk_claim_retirements_log_id_claim"),
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "retirement"],
            ["retirements.log_id", "retirements.retirement"],
            name=op.f("fk_claim_retirements_log_id_retirement"),
        ),
        sa.PrimaryKeyConstraint("log_id", "claim", "retirement", name=op.f("pk_claim_retirements")),
    )
    op.create_index(
        "ix_claim_retirements_retirement",
        "claim_retirements",
        ["log_id", "retirement"],
        unique=False,
    )
    op.create_table(
        "disclosures",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("retirement", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "retirement"],
            ["retirements.log_id", "retirements.retirement"],
            name=op.f("fk_disclosures_log_id_retirement"),
        ),
        sa.PrimaryKeyConstraint("log_id", "retirement", name=op.f("pk_disclosures")),
    )
    rules.create_growing_table(
        "gone_units",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("first_unit", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_unit", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("class", sa.String(length=40), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.CheckConstraint(
            "act IN ('cancel', 'expire', 'export', 'retire', 'withdraw')",
            name=op.f("ck_gone_units_act"),
        ),
        sa.CheckConstraint(
            "0 <= first_unit AND first_unit < end_unit", name=op.f("ck_gone_units_units")
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "scheme", "code", "revision"],
            [
                "unit_batches.log_id",
                "unit_batches.scheme",
                "unit_batches.code",
                "unit_batches.revision",
            ],
            name=op.f("fk_gone_units_log_id_scheme_code_revision"),
        ),
        sa.PrimaryKeyConstraint(
            "log_id", "scheme", "code", "first_unit", name=op.f("pk_gone_units")
        ),
    )
    op.create_index("ix_gone_units_entry", "gone_units", ["log_id", "entry_index"], unique=False)
    rules.create_growing_table(
        "holdings",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holding", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("class", sa.String(length=40), nullable=False),
        sa.Column("first_unit", sa.BigInteger(), nullable=False),
        sa.Column("end_unit", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("moves", sa.BigInteger(), nullable=False),
        sa.Column("moves_max", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("0 <= moves AND moves <= moves_max", name=op.f("ck_holdings_moves")),
        sa.CheckConstraint(
            "state IN ('active', 'frozen', 'locked', 'reserved')", name=op.f("ck_holdings_state")
        ),
        sa.CheckConstraint(
            "0 <= first_unit AND first_unit < end_unit", name=op.f("ck_holdings_units")
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "scheme", "code", "revision"],
            [
                "unit_batches.log_id",
                "unit_batches.scheme",
                "unit_batches.code",
                "unit_batches.revision",
            ],
            name=op.f("fk_holdings_log_id_scheme_code_revision"),
        ),
        sa.PrimaryKeyConstraint("log_id", "holding", name=op.f("pk_holdings")),
    )
    op.create_index(
        "ix_holdings_code", "holdings", ["log_id", "scheme", "code", "first_unit"], unique=False
    )
    op.create_index("ix_holdings_entry", "holdings", ["log_id", "entry_index"], unique=False)
    op.create_index("ix_holdings_owner", "holdings", ["log_id", "owner", "scheme"], unique=False)
    rules.create_growing_table(
        "statement_rows",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("class", sa.String(length=40), nullable=False),
        sa.Column("first_unit", sa.BigInteger(), nullable=False),
        sa.Column("end_unit", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=11), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("wh", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint("code <> '' OR first_unit = 0", name=op.f("ck_statement_rows_counted")),
        sa.CheckConstraint(
            ("status IN ('issued', 'held', 'transferred', 'cancelled', 'frozen', 'expired')"),
            name=op.f("ck_statement_rows_status"),
        ),
        sa.CheckConstraint(
            (
                "first_unit >= 0 AND (first_unit < end_unit OR (code = '' AND"
                " first_unit = end_unit AND wh > 0))"
            ),
            name=op.f("ck_statement_rows_units"),
        ),
        sa.CheckConstraint("wh >= 0", name=op.f("ck_statement_rows_wh")),
        sa.ForeignKeyConstraint(
            ["log_id", "entry_index"],
            ["statements.log_id", "statements.entry_index"],
            name=op.f("fk_statement_rows_log_id_entry_index"),
        ),
        sa.PrimaryKeyConstraint("log_id", "entry_index", "number", name=op.f("pk_statement_rows")),
    )
    op.create_index(
        "ix_statement_rows_code",
        "statement_rows",
        ["log_id", "code", "entry_index", "first_unit"],
        unique=False,
    )
    op.create_table(
        "verifications",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("project", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("finding", sa.String(length=500), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("credited", sa.SmallInteger(), nullable=False),
        sa.Column("debit_g", sa.BigInteger(), nullable=False),
        sa.Column("buffer_g", sa.BigInteger(), nullable=False),
        sa.Column("avoided_carried_g", sa.BigInteger(), nullable=False),
        sa.Column("avoided_g", sa.BigInteger(), nullable=False),
        sa.Column("avoided_units", sa.BigInteger(), nullable=False),
        sa.Column("avoided_left_g", sa.BigInteger(), nullable=False),
        sa.Column("removal_carried_g", sa.BigInteger(), nullable=False),
        sa.Column("removal_g", sa.BigInteger(), nullable=False),
        sa.Column("removal_units", sa.BigInteger(), nullable=False),
        sa.Column("removal_left_g", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            (
                "avoided_carried_g + avoided_g = avoided_units * 1000000 +"
                " avoided_left_g AND avoided_left_g < 1000000"
            ),
            name=op.f("ck_verifications_avoided"),
        ),
        sa.CheckConstraint(
            (
                "credited = 1 OR debit_g + buffer_g + avoided_carried_g + avoided_g +"
                " removal_carried_g + removal_g = 0"
            ),
            name=op.f("ck_verifications_credited"),
        ),
        sa.CheckConstraint(
            (
                "debit_g >= 0 AND buffer_g >= 0 AND avoided_carried_g >= 0 AND"
                " avoided_g >= 0 AND avoided_units >= 0 AND avoided_left_g >= 0 AND"
                " removal_carried_g >= 0 AND removal_g >= 0 AND removal_units >= 0 AND"
                " removal_left_g >= 0"
            ),
            name=op.f("ck_verifications_not_negative"),
        ),
        sa.CheckConstraint(
            (
                "removal_carried_g + removal_g = removal_units * 1000000 +"
                " removal_left_g AND removal_left_g < 1000000"
            ),
            name=op.f("ck_verifications_removal"),
        ),
        sa.CheckConstraint(
            "verdict IN ('confirmed', 'rejected')", name=op.f("ck_verifications_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "record"],
            ["reductions.log_id", "reductions.record"],
            name=op.f("fk_verifications_log_id_record"),
        ),
        sa.PrimaryKeyConstraint("log_id", "record", name=op.f("pk_verifications")),
    )
    op.create_index(
        "ix_verifications_project",
        "verifications",
        ["log_id", "scheme", "project", "entry_index"],
        unique=False,
    )
    rules.create_growing_table(
        "holding_ends",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holding", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.Column("tick_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "holding"],
            ["holdings.log_id", "holdings.holding"],
            name=op.f("fk_holding_ends_log_id_holding"),
        ),
        sa.PrimaryKeyConstraint("log_id", "holding", name=op.f("pk_holding_ends")),
    )
    op.create_index(
        "ix_holding_ends_entry", "holding_ends", ["log_id", "entry_index"], unique=False
    )
    rules.create_growing_table(
        "unit_batch_lots",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("scheme", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "lot"],
            ["lots.log_id", "lots.lot"],
            name=op.f("fk_unit_batch_lots_log_id_lot"),
        ),
        sa.ForeignKeyConstraint(
            ["log_id", "scheme", "code", "revision"],
            [
                "unit_batches.log_id",
                "unit_batches.scheme",
                "unit_batches.code",
                "unit_batches.revision",
            ],
            name=op.f("fk_unit_batch_lots_log_id_scheme_code_revision"),
        ),
        sa.PrimaryKeyConstraint("log_id", "lot", "scheme", name=op.f("pk_unit_batch_lots")),
    )
    op.create_index(
        "ix_unit_batch_lots_batch",
        "unit_batch_lots",
        ["log_id", "scheme", "code", "revision"],
        unique=False,
    )
    rules.keep_rows(APPEND_ONLY)
    rules.make(TRIGGERS)


def downgrade() -> None:
    rules.drop(TRIGGERS)
    op.drop_table("unit_batch_lots")
    op.drop_table("holding_ends")
    op.drop_table("verifications")
    op.drop_table("statement_rows")
    op.drop_table("holdings")
    op.drop_table("gone_units")
    op.drop_table("disclosures")
    op.drop_table("claim_retirements")
    op.drop_table("unit_batches")
    op.drop_table("statements")
    op.drop_table("settlements")
    op.drop_table("schemes")
    op.drop_table("reversals")
    op.drop_table("retirements")
    op.drop_table("reductions")
    op.drop_table("projects")
    op.drop_table("energy_bars")
