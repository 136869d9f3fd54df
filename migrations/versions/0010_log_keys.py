"""Keys of the log: a log may have more than one, and they may end.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import base64

import sqlalchemy as sa
from alembic import op

from migrations import rules
from migrations.rules import Rule

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPEND_ONLY = ("log_key_ends", "log_keys")
_IN_FORCE = """SELECT COUNT(*) FROM log_keys AS k WHERE k.log_id = NEW.log_id
    AND k.kind = {kind} AND NOT EXISTS (SELECT 1 FROM log_key_ends AS e
    WHERE e.log_id = k.log_id AND e.key_id = k.key_id)"""
RULES = (
    Rule(
        name="log_keys_few",
        table="log_keys",
        forbids=f"""(NEW.kind = 1 AND ({_IN_FORCE.format(kind=1)}) >= 4)
    OR (NEW.kind = 6 AND ({_IN_FORCE.format(kind=6)}) >= 1)""",
        says="a log has few keys in force, and one of ML-DSA-44",
    ),
    Rule(
        name="log_key_ends_not_the_last",
        table="log_key_ends",
        forbids=f"""NOT EXISTS (SELECT 1 FROM log_keys AS k
    WHERE k.log_id = NEW.log_id AND k.key_id = NEW.key_id)
    OR ({_IN_FORCE.format(kind=1)} AND k.key_id <> NEW.key_id) < 1""",  # noqa: S608  (names of our own)
        says="a key of the log ends while another Ed25519 key is in force",
    ),
)


def upgrade() -> None:
    op.create_table(
        "log_keys",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN (1, 6)", name=op.f("ck_log_keys_kind")),
        sa.PrimaryKeyConstraint("log_id", "key_id", name=op.f("pk_log_keys")),
        sa.UniqueConstraint("log_id", "entry_index", name=op.f("uq_log_keys_log_id_entry_index")),
        sa.UniqueConstraint("log_id", "public_key", name=op.f("uq_log_keys_log_id_public_key")),
    )
    op.create_table(
        "log_key_ends",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=4), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "key_id", name=op.f("pk_log_key_ends")),
    )
    _take_over()
    rules.make(RULES)
    rules.keep_rows(APPEND_ONLY)


def _take_over() -> None:
    """The key that the genesis of each log names."""
    logs = sa.table("logs", sa.column("log_id"), sa.column("log_vkey"))
    columns = ("log_id", "key_id", "entry_index", "kind", "public_key")
    log_keys = sa.table("log_keys", *(sa.column(name) for name in columns))
    bind = op.get_bind()
    for row in bind.execute(sa.select(logs.c.log_id, logs.c.log_vkey)).all():
        _, key_id, blob = row.log_vkey.split("+", 2)
        key = base64.b64decode(blob)
        bind.execute(
            sa.insert(log_keys).values(
                log_id=row.log_id,
                key_id=bytes.fromhex(key_id),
                entry_index=0,
                kind=key[0],
                public_key=key[1:],
            )
        )


def downgrade() -> None:
    rules.drop(RULES)
    op.drop_table("log_key_ends")
    op.drop_table("log_keys")
