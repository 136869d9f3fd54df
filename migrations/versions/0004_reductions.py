"""Reductions: records, their verifications and reversals.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("reductions", "reversals", "verifications")
TRIGGERS = (
    """
CREATE TRIGGER reductions_apart BEFORE INSERT ON reductions
WHEN EXISTS (
    SELECT 1 FROM reductions AS r LEFT JOIN verifications AS v
    ON v.log_id = r.log_id AND v.record = r.record
    WHERE r.log_id = NEW.log_id
    AND (r.plant = NEW.plant OR (r.scheme = NEW.scheme AND r.project = NEW.project))
    AND r.start_s < NEW.end_s AND NEW.start_s < r.end_s
    AND (v.verdict IS NULL OR v.verdict <> 'rejected'))
BEGIN SELECT RAISE(ABORT, 'periods of a project or plant overlap: nothing is reduced twice'); END
""",
    """
CREATE TRIGGER verifications_in_chain BEFORE INSERT ON verifications
WHEN NOT EXISTS (
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
    OR NEW.debit_g <> MIN(NEW.debit_g + NEW.buffer_g + NEW.avoided_g + NEW.removal_g, (
        SELECT COALESCE(SUM(x.debit_g), 0) FROM reversals AS x
        WHERE x.log_id = NEW.log_id AND x.scheme = NEW.scheme AND x.project = NEW.project)
        - (SELECT COALESCE(SUM(v.debit_g), 0) FROM verifications AS v
        WHERE v.log_id = NEW.log_id AND v.scheme = NEW.scheme AND v.project = NEW.project)))
BEGIN SELECT RAISE(ABORT, 'a verification credits what was recorded, old reversals first'); END
""",
    """
CREATE TRIGGER reversals_from_buffer BEFORE INSERT ON reversals
WHEN NEW.buffer_g <> MIN(NEW.g, (
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
    WHERE x.log_id = NEW.log_id AND x.scheme = NEW.scheme AND x.project = NEW.project)
BEGIN SELECT RAISE(ABORT, 'a reversal takes the buffer first, and no more than is stored'); END
""",
    """
CREATE TRIGGER unit_batches_of_records BEFORE INSERT ON unit_batches
WHEN NEW.record IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM verifications AS v JOIN reductions AS r
    ON r.log_id = v.log_id AND r.record = v.record
    WHERE v.log_id = NEW.log_id AND v.record = NEW.record AND v.credited = 1
    AND r.scheme = NEW.scheme AND r.project = NEW.project
    AND r.start_s = NEW.start_s AND r.end_s = NEW.end_s
    AND NEW.first_unit = 0 AND NEW.end_unit = v.avoided_units + v.removal_units)
BEGIN SELECT RAISE(ABORT, 'units are issued for a confirmed, credited record, as verified'); END
""",
    """
CREATE TRIGGER holdings_of_records BEFORE INSERT ON holdings
WHEN EXISTS (
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
        WHEN 'removal' THEN v.removal_units ELSE 0 END)
BEGIN SELECT RAISE(ABORT, 'a record makes so many units of a class as was verified'); END
""",
)


def upgrade() -> None:
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
            "treatment IN ('credited', 'at-source')", name=op.f("ck_reductions_treatment")
        ),
        sa.CheckConstraint(
            "biogenic_ppm BETWEEN 0 AND 1000000", name=op.f("ck_reductions_biogenic")
        ),
        sa.CheckConstraint(
            "captured_g - used_g - transported_g BETWEEN -tolerance_g AND tolerance_g",
            name=op.f("ck_reductions_transport"),
        ),
        sa.CheckConstraint(
            "captured_g BETWEEN 0 AND 1000000000000000 AND used_g BETWEEN 0"
            " AND 1000000000000000 AND transported_g BETWEEN 0 AND 1000000000000000"
            " AND transport_leakage_g BETWEEN 0 AND 1000000000000000 AND recycled_g"
            " BETWEEN 0 AND 1000000000000000 AND injected_g BETWEEN 0"
            " AND 1000000000000000 AND produced_g BETWEEN 0 AND 1000000000000000"
            " AND surface_leakage_g BETWEEN 0 AND 1000000000000000"
            " AND equipment_leakage_g BETWEEN 0 AND 1000000000000000"
            " AND energy_emissions_g BETWEEN 0 AND 1000000000000000"
            " AND transport_emissions_g BETWEEN 0 AND 1000000000000000"
            " AND injection_emissions_g BETWEEN 0 AND 1000000000000000",
            name=op.f("ck_reductions_masses"),
        ),
        sa.CheckConstraint(
            "emissions_g = energy_emissions_g + transport_emissions_g + injection_emissions_g",
            name=op.f("ck_reductions_emissions"),
        ),
        sa.CheckConstraint("end_s > start_s", name=op.f("ck_reductions_span")),
        sa.CheckConstraint(
            "net_g = CASE WHEN stored_g > emissions_g THEN stored_g - emissions_g ELSE 0 END",
            name=op.f("ck_reductions_net"),
        ),
        sa.CheckConstraint("recycled_g <= produced_g", name=op.f("ck_reductions_recycling")),
        sa.CheckConstraint(
            "stored_g >= 0 AND stored_g = injected_g - produced_g - surface_leakage_g"
            " - equipment_leakage_g",
            name=op.f("ck_reductions_stored"),
        ),
        sa.CheckConstraint(
            "tolerance_g >= 0 AND tolerance_g <= captured_g / 20",
            name=op.f("ck_reductions_tolerance"),
        ),
        sa.CheckConstraint(
            "transported_g + recycled_g - transport_leakage_g - injected_g"
            " BETWEEN -tolerance_g AND tolerance_g",
            name=op.f("ck_reductions_injection"),
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
            "verdict IN ('confirmed', 'rejected')", name=op.f("ck_verifications_verdict")
        ),
        sa.CheckConstraint(
            "avoided_carried_g + avoided_g = avoided_units * 1000000 + avoided_left_g"
            " AND avoided_left_g < 1000000",
            name=op.f("ck_verifications_avoided"),
        ),
        sa.CheckConstraint(
            "credited = 1 OR debit_g + buffer_g + avoided_carried_g + avoided_g"
            " + removal_carried_g + removal_g = 0",
            name=op.f("ck_verifications_credited"),
        ),
        sa.CheckConstraint(
            "debit_g >= 0 AND buffer_g >= 0 AND avoided_carried_g >= 0"
            " AND avoided_g >= 0 AND avoided_units >= 0 AND avoided_left_g >= 0"
            " AND removal_carried_g >= 0 AND removal_g >= 0 AND removal_units >= 0"
            " AND removal_left_g >= 0",
            name=op.f("ck_verifications_not_negative"),
        ),
        sa.CheckConstraint(
            "removal_carried_g + removal_g = removal_units * 1000000 + removal_left_g"
            " AND removal_left_g < 1000000",
            name=op.f("ck_verifications_removal"),
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

    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.execute("DROP TRIGGER holdings_of_records")
    op.execute("DROP TRIGGER unit_batches_of_records")
    op.drop_table("verifications")
    op.drop_table("reversals")
    op.drop_table("reductions")
