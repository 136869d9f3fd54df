"""The exchange of product footprints: partners, their tokens, events in and out.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('created', 'fulfilled', 'rejected', 'published')"


def upgrade() -> None:
    op.create_table(
        "pact_clients",
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("products", sa.Text(), nullable=False),
        sa.Column("created_at_s", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=True),
        sa.Column("endpoint", sa.String(length=500), nullable=False),
        sa.Column("auth", sa.String(length=500), nullable=False),
        sa.Column("out_id", sa.String(length=200), nullable=False),
        sa.Column("out_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(endpoint = '') = (out_id = '')", name=op.f("ck_pact_clients_endpoint")
        ),
        sa.PrimaryKeyConstraint("client", name=op.f("pk_pact_clients")),
    )
    op.create_index(op.f("ix_pact_clients_party"), "pact_clients", ["party"], unique=False)
    op.create_table(
        "pact_inbox",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("event", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("answered_at_s", sa.BigInteger(), nullable=True),
        sa.Column("base_url", sa.String(length=500), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_pact_inbox_kind")),
        sa.ForeignKeyConstraint(
            ["client"], ["pact_clients.client"], name=op.f("fk_pact_inbox_client")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pact_inbox")),
        sa.UniqueConstraint(
            "client", "source", "event", name=op.f("uq_pact_inbox_client_source_event")
        ),
    )
    op.create_index("ix_pact_inbox_open", "pact_inbox", ["kind", "answered_at_s"], unique=False)
    op.create_table(
        "pact_outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_s", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at_s", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_s", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_pact_outbox_kind")),
        sa.CheckConstraint(
            "(next_at_s IS NULL) = (ended_at_s IS NOT NULL)", name=op.f("ck_pact_outbox_ended")
        ),
        sa.ForeignKeyConstraint(
            ["client"], ["pact_clients.client"], name=op.f("fk_pact_outbox_client")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pact_outbox")),
    )
    op.create_index(op.f("ix_pact_outbox_next_at_s"), "pact_outbox", ["next_at_s"], unique=False)
    op.create_index(op.f("ix_pact_outbox_client"), "pact_outbox", ["client"], unique=False)
    op.create_table(
        "pact_tokens",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client", sa.String(length=32), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"], ["pact_clients.client"], name=op.f("fk_pact_tokens_client")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_pact_tokens")),
    )
    op.create_index(
        op.f("ix_pact_tokens_expires_at_s"), "pact_tokens", ["expires_at_s"], unique=False
    )


def downgrade() -> None:
    for name in ("pact_tokens", "pact_outbox", "pact_inbox", "pact_clients"):
        op.drop_table(name)
