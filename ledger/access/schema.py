"""Tables of accounts, roles, sessions and keys, and the trail of what was done with them.

They are the service's own: no entry names a person, so the log can't rebuild them. Secrets that are
only compared are stored as hashes, those that are read again (TOTP) encrypted.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from ledger.access.roles import MEMBER_ROLES
from ledger.db import append_only, metadata, of_service

ACCOUNT: Final = 32
NAME: Final = 64
HASH: Final = 32
_MEMBER_ROLES: Final = ", ".join(f"'{role}'" for role in sorted(MEMBER_ROLES))

accounts: Final = of_service(
    Table(
        "accounts",
        metadata,
        Column("account", String(ACCOUNT), primary_key=True),
        Column("name", String(NAME), nullable=False, unique=True),
        # An Argon2id string; empty where nobody signs in with a password.
        Column("password", String(200), nullable=False),
        Column("created_at_s", BigInteger, nullable=False),
        Column("disabled_at_s", BigInteger, nullable=True),
    )
)
memberships: Final = of_service(
    Table(
        "memberships",
        metadata,
        Column("account", String(ACCOUNT), ForeignKey("accounts.account"), primary_key=True),
        Column("party", String(40), primary_key=True),
        Column(
            "role",
            String(8),
            CheckConstraint(f"role IN ({_MEMBER_ROLES})", name="role"),
            primary_key=True,
        ),
        Column("granted_at_s", BigInteger, nullable=False),
        Index(None, "party"),
    )
)
totps: Final = of_service(
    Table(
        "totps",
        metadata,
        Column("account", String(ACCOUNT), ForeignKey("accounts.account"), primary_key=True),
        Column("sealed", LargeBinary, nullable=False),
        Column(
            "confirmed",
            SmallInteger,
            CheckConstraint("confirmed IN (0, 1)", name="confirmed"),
            nullable=False,
        ),
        # The step of the last code that let somebody in: codes of it and before are used up.
        Column("last_step", BigInteger, nullable=False),
    )
)
recovery_codes: Final = of_service(
    Table(
        "recovery_codes",
        metadata,
        Column("account", String(ACCOUNT), ForeignKey("accounts.account"), primary_key=True),
        Column("hash", LargeBinary(HASH), primary_key=True),
    )
)
identities: Final = of_service(
    Table(
        "identities",
        metadata,
        Column("issuer", String(200), primary_key=True),
        Column("subject", String(255), primary_key=True),
        Column("account", String(ACCOUNT), ForeignKey("accounts.account"), nullable=False),
        Column("linked_at_s", BigInteger, nullable=False),
        Index(None, "account"),
    )
)
sessions: Final = of_service(
    Table(
        "sessions",
        metadata,
        Column("hash", LargeBinary(HASH), primary_key=True),
        Column("account", String(ACCOUNT), ForeignKey("accounts.account"), nullable=False),
        Column("created_at_s", BigInteger, nullable=False),
        Column("seen_at_s", BigInteger, nullable=False),
        Column("expires_at_s", BigInteger, nullable=False),
        CheckConstraint("expires_at_s > created_at_s", name="span"),
        Index(None, "account"),
    )
)
api_keys: Final = of_service(
    Table(
        "api_keys",
        metadata,
        Column("key", String(32), primary_key=True),
        Column("hash", LargeBinary(HASH), nullable=False, unique=True),
        Column("account", String(ACCOUNT), ForeignKey("accounts.account"), nullable=False),
        Column("party", String(40), nullable=False),
        Column("label", String(100), nullable=False),
        Column("roles", String(60), nullable=False),
        Column("scopes", Text, nullable=False),
        Column("created_at_s", BigInteger, nullable=False),
        Column("seen_at_s", BigInteger, nullable=False),
        Column("expires_at_s", BigInteger, nullable=False),
        Column("revoked_at_s", BigInteger, nullable=True),
        CheckConstraint("expires_at_s > created_at_s", name="span"),
        Index(None, "account"),
        Index(None, "party"),
    )
)
# By the hash of what was typed or of the address: whoever mistypes may type a password.
login_delays: Final = of_service(
    Table(
        "login_delays",
        metadata,
        Column("what", LargeBinary(HASH), primary_key=True),
        Column("failures", BigInteger, nullable=False),
        Column("failed_at_s", BigInteger, nullable=False),
        Column("free_at_s", BigInteger, nullable=False),
        CheckConstraint("failures >= 0", name="failures"),
    )
)
# Logins under way at an OpenID provider, by the hash of their state: each is finished once.
oidc_logins: Final = of_service(
    Table(
        "oidc_logins",
        metadata,
        Column("state", LargeBinary(HASH), primary_key=True),
        # Nonce and PKCE verifier.
        Column("sealed", LargeBinary, nullable=False),
        Column("expires_at_s", BigInteger, nullable=False),
    )
)
events: Final = append_only(
    of_service(
        Table(
            "access_events",
            metadata,
            # SQLite counts rows up in a column of this type alone.
            Column(
                "number",
                BigInteger().with_variant(Integer, "sqlite"),
                # Who may insert may count then, in PostgreSQL: a sequence asks for a right more.
                Identity(),
                primary_key=True,
                autoincrement=True,
            ),
            Column("at_s", BigInteger, nullable=False),
            Column("kind", String(40), nullable=False),
            # Who did it; empty for who works on the machine itself, or is not known.
            Column("actor", String(ACCOUNT), nullable=False),
            Column("actor_key", String(32), nullable=False),
            Column("address", String(64), nullable=False),
            # Whom and what it is about.
            Column("account", String(ACCOUNT), nullable=False),
            Column("party", String(40), nullable=False),
            Column("role", String(60), nullable=False),
            Column("key", String(32), nullable=False),
            Index(None, "party"),
            Index(None, "account"),
        )
    )
)
