"""Tables of the exchange: partners, their tokens, events that came and events that go.

They are the service's own, as accounts are: what is exchanged follows from the log, to whom does
not. Secrets that are only compared are stored as hashes, those that we show to others encrypted.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.db import metadata, of_service

ID: Final = 32
HASH: Final = 32
EVENT: Final = 200
URL: Final = 500
KINDS: Final = ("created", "fulfilled", "rejected", "published")
_KINDS: Final = ", ".join(f"'{kind}'" for kind in KINDS)


def _kind() -> Column[str]:
    named = CheckConstraint(f"kind IN ({_KINDS})", name="kind")
    return Column("kind", String(9), named, nullable=False)


clients: Final = of_service(
    Table(
        "pact_clients",
        metadata,
        Column("client", String(ID), primary_key=True),
        # The data owner whose footprints the partner may ask for.
        Column("party", String(40), nullable=False),
        Column("label", String(100), nullable=False),
        Column("hash", LargeBinary(HASH), nullable=False),
        # Names of products with blanks between them; `*`: all of the owner.
        Column("products", Text, nullable=False),
        Column("created_at_s", BigInteger, nullable=False),
        Column("ended_at_s", BigInteger, nullable=True),
        # Where the partner takes events, and as whom we come there; empty where it takes none.
        Column("endpoint", String(URL), nullable=False),
        Column("auth", String(URL), nullable=False),
        Column("out_id", String(EVENT), nullable=False),
        Column("out_sealed", LargeBinary, nullable=False),
        # The log size up to which it was told of publications.
        Column("told", BigInteger, nullable=False),
        CheckConstraint("(endpoint = '') = (out_id = '')", name="endpoint"),
        Index(None, "party"),
    )
)
tokens: Final = of_service(
    Table(
        "pact_tokens",
        metadata,
        Column("hash", LargeBinary(HASH), primary_key=True),
        Column("client", String(ID), ForeignKey("pact_clients.client"), nullable=False),
        Column("expires_at_s", BigInteger, nullable=False),
        Index(None, "expires_at_s"),
    )
)
# By source and id an event is the same one, however often it comes (CloudEvents 1.0).
inbox: Final = of_service(
    Table(
        "pact_inbox",
        metadata,
        Column("id", String(ID), primary_key=True),
        Column("client", String(ID), ForeignKey("pact_clients.client"), nullable=False),
        Column("source", String(URL), nullable=False),
        Column("event", String(EVENT), nullable=False),
        _kind(),
        Column("at_s", BigInteger, nullable=False),
        Column("data", Text, nullable=False),
        # Of a request: when it was answered, and the address that it had come to.
        Column("answered_at_s", BigInteger, nullable=True),
        Column("base_url", String(URL), nullable=False),
        UniqueConstraint("client", "source", "event"),
        Index("ix_pact_inbox_open", "kind", "answered_at_s"),
    )
)
outbox: Final = of_service(
    Table(
        "pact_outbox",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("client", String(ID), ForeignKey("pact_clients.client"), nullable=False),
        _kind(),
        Column("body", LargeBinary, nullable=False),
        Column("created_at_s", BigInteger, nullable=False),
        Column("attempts", BigInteger, nullable=False),
        # NULL once it was taken, or given up, at `ended_at_s`.
        Column("next_at_s", BigInteger, nullable=True),
        Column("ended_at_s", BigInteger, nullable=True),
        # Why the last attempt failed; empty where it did not.
        Column("error", String(200), nullable=False),
        CheckConstraint("(next_at_s IS NULL) = (ended_at_s IS NOT NULL)", name="ended"),
        Index(None, "next_at_s"),
        Index(None, "client"),
    )
)
