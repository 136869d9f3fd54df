"""API keys: for programs, in one organisation, until a day, shown once.

A key acts for an account, and has at most what that account has *now*: a role that the account
loses, the key loses, and comes back with it. It has what its own roles and its scopes allow.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, insert, select, update

from ledger.access import events, tokens
from ledger.access.accounts import Roles, is_enabled, roles_of
from ledger.access.caller import ALL, Caller, in_scope
from ledger.access.events import Actor
from ledger.access.roles import Role, with_included
from ledger.access.schema import accounts, api_keys
from ledger.access.table import RULES
from ledger.errors import InvalidInput, NotFound, NotSignedIn, Refused

DAY_S: Final = 86_400
LIFE_S_MAX: Final = 400 * DAY_S
LABEL_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`key` is its public name; the secret is nowhere. `roles` are those that it was made with."""

    key: str
    account: str
    party: str
    label: str
    roles: frozenset[Role]
    scopes: frozenset[str]
    created_at_s: int
    seen_at_s: int
    expires_at_s: int
    revoked_at_s: int | None


def roles_left(held: Roles, operator: str, party: str, wanted: Collection[Role]) -> frozenset[Role]:
    """Those of a key's roles that its account's roles cover, in the party or the whole park."""
    mine = held.get(party, frozenset()) | held.get(operator, frozenset())
    return frozenset(wanted) & with_included(mine)


def create_api_key(
    conn: Connection,
    now_s: int,
    actor: Actor,
    *,
    account: str,
    party: str,
    roles: Collection[Role],
    operator: str,
    expires_at_s: int,
    scopes: Collection[str] = (ALL,),
    label: str = "",
) -> tuple[str, ApiKey]:
    """(token, key): the token is shown once and can't be had again.

    Raises InvalidInput for scopes that name no operation, or a life of no or too many days, Refused
    for roles that the account does not cover.
    """
    if not is_enabled(conn, account):
        raise NotFound(f"there is no enabled account {account!r}")
    if not roles:
        raise InvalidInput("an API key has at least one role")
    over = frozenset(roles) - roles_left(roles_of(conn, account), operator, party, roles)
    if over:
        raise Refused(
            f"the account is no {', '.join(sorted(over))} of {party!r}: an API key has no role that"
            " its account does not cover"
        )
    _check_scopes(scopes)
    if not now_s < expires_at_s <= now_s + LIFE_S_MAX:
        raise InvalidInput(f"an API key expires within {LIFE_S_MAX // DAY_S} days from now")
    if len(label) > LABEL_MAX or not label.isprintable():
        raise InvalidInput(f"a label has at most {LABEL_MAX} printable characters")
    token = tokens.fresh(tokens.API_KEY)
    key = ApiKey(
        key=secrets.token_hex(16),
        account=account,
        party=party,
        label=label,
        roles=frozenset(roles),
        scopes=frozenset(scopes),
        created_at_s=now_s,
        seen_at_s=0,
        expires_at_s=expires_at_s,
        revoked_at_s=None,
    )
    conn.execute(
        insert(api_keys).values(
            key=key.key,
            hash=tokens.digest(token),
            account=account,
            party=party,
            label=label,
            roles=",".join(sorted(key.roles)),
            scopes=",".join(sorted(key.scopes)),
            created_at_s=now_s,
            seen_at_s=0,
            expires_at_s=expires_at_s,
        )
    )
    events.record(
        conn,
        now_s,
        actor,
        "api-key.create",
        account=account,
        party=party,
        role=",".join(sorted(key.roles)),
        key=key.key,
    )
    return token, key


def _check_scopes(scopes: Collection[str]) -> None:
    if not scopes:
        raise InvalidInput(f"an API key has at least one scope; {ALL!r} is all that its roles may")
    for scope in scopes:
        if not any(in_scope(frozenset({scope}), operation) for operation in RULES):
            raise InvalidInput(
                f"scope {scope!r} is no operation of the API, nor the beginning of one with a star"
            )


def revoke_api_key(conn: Connection, now_s: int, actor: Actor, key: str) -> None:
    """It opens nothing any more. Raises NotFound; to revoke it twice is no error."""
    found = api_key(conn, key)
    changed = conn.execute(
        update(api_keys)
        .where(api_keys.c.key == key, api_keys.c.revoked_at_s.is_(None))
        .values(revoked_at_s=now_s)
    ).rowcount
    if changed:
        events.record(
            conn,
            now_s,
            actor,
            "api-key.revoke",
            account=found.account,
            party=found.party,
            key=key,
        )


def api_key(conn: Connection, key: str) -> ApiKey:
    """By its public name. Raises NotFound."""
    row = conn.execute(select(api_keys).where(api_keys.c.key == key)).one_or_none()
    if row is None:
        raise NotFound(f"there is no API key {key!r}")
    return _api_key(row)


def list_api_keys(
    conn: Connection, parties: frozenset[str] | None = None, *, account: str | None = None
) -> Sequence[ApiKey]:
    """Of these organisations (None: of all), or of one account; ended ones too."""
    query = select(api_keys).order_by(api_keys.c.created_at_s, api_keys.c.key)
    if parties is not None:
        query = query.where(api_keys.c.party.in_(parties))
    if account is not None:
        query = query.where(api_keys.c.account == account)
    return [_api_key(row) for row in conn.execute(query)]


def caller_of_key(conn: Connection, token: str, now_s: int, operator: str) -> Caller:
    """Raises NotSignedIn."""
    hashed = tokens.digest(token)
    row = conn.execute(
        select(api_keys, accounts.c.name.label("account_name"), accounts.c.disabled_at_s)
        .join(accounts, accounts.c.account == api_keys.c.account)
        .where(api_keys.c.hash == hashed)
    ).one_or_none()
    if (
        row is None
        or not hmac.compare_digest(bytes(row.hash), hashed)
        or row.revoked_at_s is not None
        or row.disabled_at_s is not None
    ):
        raise NotSignedIn("this API key opens nothing: it is unknown or was revoked")
    if now_s >= row.expires_at_s:
        raise NotSignedIn("this API key has expired: ask for another one")
    found = _api_key(row)
    left = roles_left(roles_of(conn, found.account), operator, found.party, found.roles)
    return Caller(
        account=found.account,
        name=row.account_name,
        roles={found.party: left} if left else {},
        operator=operator,
        via="key",
        scopes=found.scopes,
        key=found.key,
        seen_at_s=found.seen_at_s,
    )


def _api_key(row: Row[tuple[object, ...]]) -> ApiKey:
    return ApiKey(
        key=row.key,
        account=row.account,
        party=row.party,
        label=row.label,
        roles=frozenset(map(Role, row.roles.split(","))),
        scopes=frozenset(row.scopes.split(",")),
        created_at_s=row.created_at_s,
        seen_at_s=row.seen_at_s,
        expires_at_s=row.expires_at_s,
        revoked_at_s=row.revoked_at_s,
    )
