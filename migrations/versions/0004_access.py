"""Accounts, roles, sessions and keys.

Nothing of the live code is used here: what this migration makes must not change when that does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations import rules

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = ("access_events",)


def upgrade() -> None:
    op.create_table(
        "access_events",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=32), nullable=False),
        sa.Column("actor_key", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_access_events")),
    )
    op.create_index(op.f("ix_access_events_account"), "access_events", ["account"], unique=False)
    op.create_index(op.f("ix_access_events_party"), "access_events", ["party"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=False),
        sa.Column("created_at_s", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at_s", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_table(
        "login_delays",
        sa.Column("what", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at_s", sa.BigInteger(), nullable=False),
        sa.Column("free_at_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_login_delays_failures")),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_login_delays")),
    )
    op.create_table(
        "oidc_logins",
        sa.Column("state", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_oidc_logins")),
    )
    op.create_table(
        "api_keys",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("roles", sa.String(length=60), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at_s", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_s", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("expires_at_s > created_at_s", name=op.f("ck_api_keys_span")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name=op.f("fk_api_keys_account")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_index(op.f("ix_api_keys_account"), "api_keys", ["account"], unique=False)
    op.create_index(op.f("ix_api_keys_party"), "api_keys", ["party"], unique=False)
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("linked_at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name=op.f("fk_identities_account")
        ),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_account"), "identities", ["account"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("granted_at_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "role IN ('admin', 'approver', 'auditor', 'preparer', 'viewer')",
            name=op.f("ck_memberships_role"),
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name=op.f("fk_memberships_account")
        ),
        sa.PrimaryKeyConstraint("account", "party", "role", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_party"), "memberships", ["party"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name=op.f("fk_recovery_codes_account")
        ),
        sa.PrimaryKeyConstraint("account", "hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("created_at_s", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("expires_at_s > created_at_s", name=op.f("ck_sessions_span")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.account"], name=op.f("fk_sessions_account")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"], unique=False)
    op.create_table(
        "totps",
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed", sa.SmallInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("confirmed IN (0, 1)", name=op.f("ck_totps_confirmed")),
        sa.ForeignKeyConstraint(["account"], ["accounts.account"], name=op.f("fk_totps_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_totps")),
    )
    rules.keep_rows(APPEND_ONLY)


def downgrade() -> None:
    op.drop_table("totps")
    op.drop_index(op.f("ix_sessions_account"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("recovery_codes")
    op.drop_index(op.f("ix_memberships_party"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(op.f("ix_identities_account"), table_name="identities")
    op.drop_table("identities")
    op.drop_index(op.f("ix_api_keys_party"), table_name="api_keys")
    op.drop_index(op.f("ix_api_keys_account"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("oidc_logins")
    op.drop_table("login_delays")
    op.drop_table("accounts")
    op.drop_index(op.f("ix_access_events_party"), table_name="access_events")
    op.drop_index(op.f("ix_access_events_account"), table_name="access_events")
    op.drop_table("access_events")
