"""Partners: who may ask an organisation for footprints, and where they take events themselves.

A partner is known by client id and secret (OAuth 2.0 client credentials, RFC 6749 §4.4), of which
we keep a hash. Its tokens last an hour, and end with it. Failures slow further attempts down, as
those of people do; by address, since nobody guesses 256 random bits and nobody may lock others out.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from ledger.access import delays, events
from ledger.access import tokens as access_tokens
from ledger.access.events import Actor
from ledger.access.sealing import seal, unseal
from ledger.db import reading, writing
from ledger.errors import InvalidInput, NotFound, NotSignedIn
from ledger.footprint.pact.schema import EVENT, URL, clients, tokens

ALL: Final = "*"
TOKEN_S: Final = 3600
# An expired token is told so for so long; later it is unknown.
_KNOWN_S: Final = 86_400
_CREDENTIAL: Final = "glc_"
_ACCESS: Final = "glp_"
LABEL_MAX: Final = 100
_LOCAL: Final = ("127.0.0.1", "::1", "localhost")


class TokenExpired(NotSignedIn):
    """The token was good once: another one is to be asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a partner takes events: its base URL, the base URL where it gives tokens, and as whom
    we come there."""

    url: str
    auth: str
    client_id: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`products`: names of those it may see; `{"*"}` is all of the owner's, the party. `told`: the
    log size up to which it was told of publications."""

    client: str
    party: str
    label: str
    products: frozenset[str]
    created_at_s: int
    ended_at_s: int | None
    endpoint: str
    told: int

    def sees(self, product: str) -> bool:
        return ALL in self.products or product in self.products

    def to_json(self) -> dict[str, Any]:
        return {
            "client_id": self.client,
            "party": self.party,
            "label": self.label,
            "products": sorted(self.products),
            "created_at_s": self.created_at_s,
            "ended_at_s": self.ended_at_s,
            "endpoint": self.endpoint,
        }


def check_url(url: str, what: str) -> str:
    """An https address without a slash at its end; http on the machine itself alone. Raises
    InvalidInput."""
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    local = parts.scheme == "http" and parts.hostname in _LOCAL
    if (parts.scheme != "https" and not local) or not parts.hostname or not plain:
        raise InvalidInput(f"{what} is https://host/path and nothing more: tokens go there")
    if len(url) > URL or not url.isascii() or not url.isprintable():
        raise InvalidInput(f"{what} has at most {URL} printable ASCII characters")
    return url.rstrip("/")


def add(
    conn: Connection,
    now_s: int,
    actor: Actor,
    *,
    party: str,
    label: str,
    products: Collection[str],
    seal_key: bytes,
    told: int,
    endpoint: Endpoint | None = None,
) -> tuple[Client, str]:
    """(client, secret): the secret is shown once. The organisation is the caller's to check."""
    if not label or len(label) > LABEL_MAX or not label.isprintable():
        raise InvalidInput(f"a label has 1 to {LABEL_MAX} printable characters")
    if not products or any(not one or " " in one for one in products):
        raise InvalidInput(f"say which products the partner may see; {ALL!r} is all of them")
    found = Client(
        client=secrets.token_hex(16),
        party=party,
        label=label,
        products=frozenset(products),
        created_at_s=now_s,
        ended_at_s=None,
        endpoint=check_url(endpoint.url, "an endpoint") if endpoint else "",
        told=told,
    )
    secret = access_tokens.fresh(_CREDENTIAL)
    conn.execute(
        insert(clients).values(
            client=found.client,
            party=party,
            label=label,
            hash=access_tokens.digest(secret),
            products=" ".join(sorted(found.products)),
            created_at_s=now_s,
            told=told,
            **_outgoing(found, endpoint, seal_key),
        )
    )
    events.record(conn, now_s, actor, "pact-client.add", party=party, key=found.client)
    return found, secret


def _outgoing(found: Client, endpoint: Endpoint | None, seal_key: bytes) -> dict[str, Any]:
    if endpoint is None:
        return {"endpoint": "", "auth": "", "out_id": "", "out_sealed": b""}
    if not 0 < len(endpoint.client_id) <= EVENT or not endpoint.secret:
        raise InvalidInput("to send events, a client id and a secret of the partner's are needed")
    return {
        "endpoint": found.endpoint,
        "auth": check_url(endpoint.auth or endpoint.url, "where tokens are given"),
        "out_id": endpoint.client_id,
        "out_sealed": seal(seal_key, _about(found.client), endpoint.secret),
    }


def _about(client: str) -> str:
    return f"secret for PACT client {client}"


def endpoint_of(conn: Connection, client: str, seal_key: bytes) -> Endpoint | None:
    """None where the partner takes no events. Raises Unavailable where the secret does not open."""
    row = conn.execute(select(clients).where(clients.c.client == client)).one()
    if not row.endpoint:
        return None
    return Endpoint(
        url=row.endpoint,
        auth=row.auth,
        client_id=row.out_id,
        secret=unseal(seal_key, _about(client), bytes(row.out_sealed)),
    )


def end(conn: Connection, now_s: int, actor: Actor, client: str) -> None:
    """It gets nothing more, and its tokens open nothing. Raises NotFound; twice is no error."""
    found = client_of(conn, client)
    conn.execute(delete(tokens).where(tokens.c.client == client))
    changed = conn.execute(
        update(clients)
        .where(clients.c.client == client, clients.c.ended_at_s.is_(None))
        .values(ended_at_s=now_s, endpoint="", auth="", out_id="", out_sealed=b"")
    ).rowcount
    if changed:
        events.record(conn, now_s, actor, "pact-client.end", party=found.party, key=client)


def client_of(conn: Connection, client: str) -> Client:
    """Raises NotFound."""
    row = conn.execute(select(clients).where(clients.c.client == client)).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no PACT client {client[:40]!r}; see: greenledger pact client list"
        )
    return _client(row)


def list_clients(conn: Connection, parties: Collection[str] | None = None) -> list[Client]:
    """Of these organisations (None: of all), ended ones too."""
    query = select(clients).order_by(clients.c.created_at_s, clients.c.client)
    if parties is not None:
        query = query.where(clients.c.party.in_(sorted(parties)))
    return [_client(row) for row in conn.execute(query)]


def _client(row: Row[Any]) -> Client:
    return Client(
        client=row.client,
        party=row.party,
        label=row.label,
        products=frozenset(row.products.split()),
        created_at_s=row.created_at_s,
        ended_at_s=row.ended_at_s,
        endpoint=row.endpoint,
        told=row.told,
    )


def sign_in(engine: Engine, now_s: int, address: str, client: str, secret: str) -> str:
    """A token. Raises NotSignedIn, or Throttled before anything is looked at."""
    by_name, by_address = (
        delays.of_name_at(f"pact {client}", address),
        delays.of_address(address),
    )
    with writing(engine) as conn:
        delays.begin_attempt(conn, now_s, [by_name, by_address])
    with writing(engine) as conn:
        hashed = _hash_of(conn, client)
        if hashed is not None and hmac.compare_digest(bytes(hashed), access_tokens.digest(secret)):
            delays.clear(conn, by_name)
            delays.take_back(conn, by_address)
            token = access_tokens.fresh(_ACCESS)
            conn.execute(
                insert(tokens).values(
                    hash=access_tokens.digest(token), client=client, expires_at_s=now_s + TOKEN_S
                )
            )
            return token
        events.record(conn, now_s, Actor(address=address), "pact-client.fail")
    raise NotSignedIn("client id or secret is wrong")


def _hash_of(conn: Connection, client: str) -> bytes | None:
    if not re.fullmatch("[0-9a-f]{32}", client):
        return None
    query = select(clients.c.hash).where(clients.c.client == client, clients.c.ended_at_s.is_(None))
    return conn.execute(query).scalar_one_or_none()


def client_of_token(engine: Engine, now_s: int, token: str) -> Client:
    """Raises NotSignedIn, or TokenExpired."""
    query = (
        select(clients, tokens.c.expires_at_s)
        .join(tokens, tokens.c.client == clients.c.client)
        .where(tokens.c.hash == access_tokens.digest(token), clients.c.ended_at_s.is_(None))
    )
    with reading(engine) as conn:
        row = conn.execute(query).one_or_none()
    if row is None:
        raise NotSignedIn("the access token is unknown")
    if now_s >= row.expires_at_s:
        raise TokenExpired("the access token has expired: ask for another one")
    return _client(row)


def sweep(conn: Connection, now_s: int) -> None:
    """Drop tokens that have ended a day ago."""
    conn.execute(delete(tokens).where(tokens.c.expires_at_s + _KNOWN_S <= now_s))


def told(conn: Connection, client: str, size: int) -> None:
    """Note that a partner was told of all that stands below this log size."""
    conn.execute(update(clients).where(clients.c.client == client).values(told=size))
