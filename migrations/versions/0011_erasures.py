"""Erased batches: which they are, which entries hold a stored body, and what may then be emptied.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations import rules
from migrations.rules import Rule

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ERASED = (
    "EXISTS (SELECT 1 FROM erasures AS x WHERE x.log_id = OLD.log_id"
    " AND x.entry_index = OLD.entry_index)"
)
ALL_ERASED = """EXISTS (SELECT 1 FROM body_uses AS u WHERE u.log_id = OLD.log_id
    AND u.hash = OLD.hash) AND NOT EXISTS (SELECT 1 FROM body_uses AS u
    WHERE u.log_id = OLD.log_id AND u.hash = OLD.hash AND NOT EXISTS (SELECT 1 FROM erasures AS x
    WHERE x.log_id = u.log_id AND x.entry_index = u.entry_index))"""
BUT_ERASED = (
    rules.But(table="bodies", verb="DELETE", allowed=ALL_ERASED),
    rules.But(
        table="batches",
        verb="UPDATE",
        allowed=(
            "NEW.log_id = OLD.log_id AND NEW.entry_index = OLD.entry_index"
            " AND NEW.author = OLD.author AND NEW.source = OLD.source"
            " AND NEW.sequence = OLD.sequence AND NEW.leaf_hash = OLD.leaf_hash"
            " AND NEW.id = OLD.id AND NEW.correction = OLD.correction AND NEW.count = OLD.count"
            f" AND NEW.key_id = OLD.key_id AND length(NEW.secret) = 0 AND {ERASED}"
        ),
    ),
    rules.But(
        table="blocks",
        verb="UPDATE",
        allowed=(
            "NEW.log_id = OLD.log_id AND NEW.entry_index = OLD.entry_index"
            " AND NEW.number = OLD.number AND NEW.leaf_offset = OLD.leaf_offset"
            " AND NEW.point = OLD.point AND NEW.start_s = OLD.start_s AND NEW.end_s = OLD.end_s"
            " AND NEW.length_s = OLD.length_s AND NEW.correction = OLD.correction"
            f" AND length(NEW.value) = 0 AND length(NEW.quality) = 0 AND {ERASED}"
        ),
    ),
)
TRIGGERS = (
    Rule(
        name="erasures_said",
        table="erasures",
        forbids="""NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.log_id = NEW.log_id
    AND e.entry_index = NEW.erased_by AND e.type = 'readings.erase')""",
        says="an erasure is an entry of the log",
    ),
)
# Bodies with these media name a file that came with them.
NAMING_FILES = (
    "application/vnd.greenledger.manifest+json",
    "application/vnd.greenledger.statement+json",
)
READINGS = "application/vnd.greenledger.readings"
SALT_BYTES = 32
ROWS_AT_ONCE = 1000


def upgrade() -> None:
    rules.create_growing_table(
        "body_uses",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "entry_index", "hash", name=op.f("pk_body_uses")),
    )
    op.create_index("ix_body_uses_hash", "body_uses", ["log_id", "hash"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("log_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("erased_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("erased_by > entry_index", name=op.f("ck_erasures_later")),
        sa.ForeignKeyConstraint(
            ["log_id", "entry_index"],
            ["entries.log_id", "entries.entry_index"],
            name=op.f("fk_erasures_log_id_entry_index"),
        ),
        sa.PrimaryKeyConstraint("log_id", "entry_index", name=op.f("pk_erasures")),
    )
    _note_uses()
    rules.keep_rows(("body_uses", "erasures"))
    rules.make(TRIGGERS)
    rules.keep_rows_but(BUT_ERASED)


def _note_uses() -> None:
    """Who holds what of the bodies that are there."""
    conn = op.get_bind()
    found = []
    for row in conn.execute(sa.text("SELECT log_id, entry_index, data FROM entries")).all():
        statement = json.loads(bytes(row.data).partition(b"\n")[0])
        found += [
            {"log": row.log_id, "index": row.entry_index, "hash": bytes.fromhex(key)}
            for key in sorted(set(_keys(conn, row.log_id, statement)))
        ]
    insert = sa.text(
        "INSERT INTO body_uses (log_id, entry_index, hash) VALUES (:log, :index, :hash)"
    )
    for begin in range(0, len(found), ROWS_AT_ONCE):
        conn.execute(insert, found[begin : begin + ROWS_AT_ONCE])


def _keys(conn: sa.Connection, log_id: int, statement: dict[str, Any]) -> Iterator[str]:
    for reference in statement.values():
        if not isinstance(reference, dict) or reference["media"] == READINGS:
            continue
        key = reference.get("hash") or reference["root"]
        yield key
        if reference["media"] in NAMING_FILES:
            query = sa.text("SELECT data FROM bodies WHERE log_id = :log AND hash = :hash")
            where = {"log": log_id, "hash": bytes.fromhex(key)}
            data = conn.execute(query, where).scalar_one_or_none()
            file = json.loads(bytes(data)[SALT_BYTES:]).get("file") if data else None
            if file:
                yield file["hash"]


def downgrade() -> None:
    rules.keep_rows_again(BUT_ERASED)
    rules.drop(TRIGGERS)
    op.drop_table("erasures")
    op.drop_index("ix_body_uses_hash", table_name="body_uses")
    op.drop_table("body_uses")
