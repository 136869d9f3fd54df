"""The spine: log, parties, metering, matching.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules
from migrations.rules import Rule

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "batches",
    "bodies",
    "checkpoint_notes",
    "checkpoint_roots",
    "contracts",
    "endorsements",
    "entries",
    "key_ends",
    "keys",
    "logs",
    "meter_logs",
    "parties",
    "point_names",
    "points",
    "runs",
    "tiles",
    "blocks",
)
TRIGGERS = (
    Rule(
        name="blocks_no_overlap",
        table="blocks",
        forbids="""NEW.correction = 0 AND NEW.start_s < (
    SELECT b.end_s FROM blocks AS b WHERE b.log_id = NEW.log_id AND b.point = NEW.point
    AND b.correction = 0 AND b.start_s < NEW.end_s ORDER BY b.start_s DESC LIMIT 1)""",
        says="blocks overlap: a point and interval has one value",
    ),
)


def upgrade() -> None:
    rules.prepare()
    rules.create_growing_table(
        "batches",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("correction", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_batches_count")),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_batches")),
        sa.UniqueConstraint(
            "log_id",
            "author",
            "source",
            "sequence",
            name=op.f("uq_batches_log_id_author_source_sequence"),
        ),
    )
    rules.create_growing_table(
        "bodies",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "hash", name=op.f("pk_bodies")),
    )
    op.create_table(
        "checkpoint_notes",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "size", name=op.f("pk_checkpoint_notes")),
    )
    op.create_table(
        "checkpoint_roots",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("range", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "size", name=op.f("pk_checkpoint_roots")),
    )
    op.create_table(
        "contracts",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contract", sa.LargeBinary(length=16), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_contracts")),
        sa.UniqueConstraint(
            "log_id", "contract", "replaces", name=op.f("uq_contracts_log_id_contract_replaces")
        ),
    )
    op.create_table(
        "endorsements",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=170), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.Column("endorser", sa.String(length=40), nullable=False),
        sa.Column("claim", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_endorsements")),
    )
    rules.create_growing_table(
        "entries",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_entries")),
        sa.UniqueConstraint("log_id", "author", "id", name=op.f("uq_entries_log_id_author_id")),
        sa.UniqueConstraint("log_id", "leaf_hash", name=op.f("uq_entries_log_id_leaf_hash")),
    )
    op.create_table(
        "key_ends",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=170), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "name", "key_id", name=op.f("pk_key_ends")),
    )
    op.create_table(
        "keys",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=170), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("custody", sa.String(length=8), nullable=False),
        sa.Column("device", sa.String(length=8), nullable=False),
        sa.CheckConstraint("custody IN ('owner', 'operator')", name=op.f("ck_keys_custody")),
        sa.CheckConstraint("device IN ('none', 'meter', 'gateway')", name=op.f("ck_keys_device")),
        sa.PrimaryKeyConstraint("log_id", "name", "key_id", name=op.f("pk_keys")),
        sa.UniqueConstraint("log_id", "public_key", name=op.f("uq_keys_log_id_public_key")),
    )
    op.create_index(op.f("ix_keys_log_id_party"), "keys", ["log_id", "party"], unique=False)
    op.create_table(
        "log_heads",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("tick_s", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("size >= 0", name=op.f("ck_log_heads_size")),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_log_heads")),
    )
    op.create_table(
        "logs",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=6), nullable=False),
        sa.Column("operator", sa.String(length=40), nullable=False),
        sa.Column("log_vkey", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_logs")),
        sa.UniqueConstraint("origin", name=op.f("uq_logs_origin")),
    )
    op.create_table(
        "meter_logs",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("log_id", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_meter_logs")),
    )
    op.create_table(
        "parties",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.String(length=200), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_parties")),
        sa.UniqueConstraint(
            "log_id", "party", "replaces", name=op.f("uq_parties_log_id_party_replaces")
        ),
    )
    op.create_table(
        "point_names",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "name", name=op.f("pk_point_names")),
    )
    op.create_table(
        "points",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=False),
        sa.Column("master", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_points")),
        sa.UniqueConstraint(
            "log_id", "point", "replaces", name=op.f("uq_points_log_id_point_replaces")
        ),
    )
    op.create_table(
        "runs",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("policy", sa.String(length=40), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_runs")),
    )
    rules.create_growing_table(
        "tiles",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "level", "number", name=op.f("pk_tiles")),
    )
    rules.create_growing_table(
        "blocks",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_offset", sa.BigInteger(), nullable=False),
        sa.Column("point", sa.LargeBinary(length=16), nullable=False),
        sa.Column("start_s", sa.BigInteger(), nullable=False),
        sa.Column("end_s", sa.BigInteger(), nullable=False),
        sa.Column("length_s", sa.BigInteger(), nullable=False),
        sa.Column("correction", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log_id", "entry_index"],
            ["batches.log_id", "batches.entry_index"],
            name=op.f("fk_blocks_log_id_entry_index"),
        ),
        sa.CheckConstraint("end_s > start_s", name=op.f("ck_blocks_span")),
        sa.PrimaryKeyConstraint("log_id", "entry_index", "number", name=op.f("pk_blocks")),
    )
    op.create_index(
        "ix_blocks_point_span",
        "blocks",
        ["log_id", "point", "correction", "start_s", "end_s"],
        unique=False,
    )
    rules.keep_rows(APPEND_ONLY)
    rules.make(TRIGGERS)


def downgrade() -> None:
    rules.drop(TRIGGERS)
    op.drop_index("ix_blocks_point_span", table_name="blocks")
    op.drop_table("blocks")
    op.drop_table("tiles")
    op.drop_table("runs")
    op.drop_table("points")
    op.drop_table("point_names")
    op.drop_table("parties")
    op.drop_table("meter_logs")
    op.drop_table("logs")
    op.drop_table("log_heads")
    op.drop_index(op.f("ix_keys_log_id_party"), table_name="keys")
    op.drop_table("keys")
    op.drop_table("key_ends")
    op.drop_table("entries")
    op.drop_table("endorsements")
    op.drop_table("contracts")
    op.drop_table("checkpoint_roots")
    op.drop_table("checkpoint_notes")
    op.drop_table("bodies")
    op.drop_table("batches")
    rules.forget()
