"""Signing in at an OpenID provider: authorization code with PKCE (OpenID Connect, RFC 7636).

What must hold before an answer of the provider counts:

1. It comes to the browser that began (the state in its cookie), once, and in time.
2. It names our provider where it names any (RFC 9207).
3. The provider gives an ID token for the code, and for the verifier that only this server knows.
4. The token is signed by a key of the provider, with an algorithm that has a public key.
5. Issuer, audience, time and nonce are what they have to be.
6. The identity is linked to an account that may sign in. An unknown one gets an account only where
   its verified e-mail address is of a domain that the settings name, and then one without roles.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from pydantic import SecretStr
from sqlalchemy import Engine, delete, insert, select

from ledger.access import accounts, sessions
from ledger.access.events import Actor
from ledger.access.schema import oidc_logins
from ledger.access.sealing import seal, unseal
from ledger.access.tokens import digest
from ledger.db import writing
from ledger.errors import NotSignedIn, Unavailable
from ledger.settings import Settings

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
LOGIN_S: Final = 600
SKEW_S: Final = 60
TIMEOUT_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One OpenID provider, and this service as its client. `redirect_uri` is where it sends people
    back to; people of `domains` get an account by themselves."""

    issuer: str
    client_id: str
    client_secret: SecretStr
    redirect_uri: str
    domains: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """None where the settings name no provider. Raises Unavailable where they do by half."""
        given = {
            "OIDC_ISSUER": settings.oidc_issuer,
            "OIDC_CLIENT_ID": settings.oidc_client_id,
            "OIDC_CLIENT_SECRET": settings.oidc_client_secret,
            "OIDC_REDIRECT_URI": settings.oidc_redirect_uri,
        }
        missing = [f"GREENLEDGER_{name}" for name, value in given.items() if not value]
        if len(missing) == len(given):
            return None
        if missing or settings.oidc_client_secret is None:
            raise Unavailable(f"to sign in at a provider, set {', '.join(missing)} too")
        return cls(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            redirect_uri=settings.oidc_redirect_uri,
            domains=frozenset(settings.oidc_domains.lower().replace(",", " ").split()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Send the browser to `url`; `state` goes into a cookie of it (HttpOnly, Secure, SameSite=Lax)
    and is needed to finish."""

    url: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the browser brings back: its cookie, and the members of the query."""

    cookie: str = field(repr=False)
    state: str = field(repr=False)
    code: str = field(repr=False)
    issuer: str = ""


def make_client() -> httpx.Client:
    """For `begin` and `finish`: to be kept, and closed in the end."""
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=False)


def begin(
    engine: Engine, http: httpx.Client, provider: Provider, seal_key: bytes, now_s: int
) -> Begun:
    """Raises Unavailable where the provider does not answer as one should."""
    found = _discover(http, provider)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    kept = json.dumps({"nonce": nonce, "verifier": verifier})
    with writing(engine) as conn:
        conn.execute(
            insert(oidc_logins).values(
                state=digest(state),
                sealed=seal(seal_key, _about(state), kept),
                expires_at_s=now_s + LOGIN_S,
            )
        )
    client = _oauth(http, provider)
    url, _ = client.create_authorization_url(
        _endpoint(found, "authorization_endpoint"),
        state=state,
        code_verifier=verifier,
        nonce=nonce,
    )
    return Begun(url=url, state=state)


def finish(
    engine: Engine,
    http: httpx.Client,
    provider: Provider,
    seal_key: bytes,
    now_s: int,
    address: str,
    answer: Answer,
) -> str:
    """A session's token. Raises NotSignedIn, or Unavailable where the provider can't be asked."""
    if not hmac.compare_digest(digest(answer.cookie), digest(answer.state)):
        raise NotSignedIn("this login was begun in another browser: begin anew")
    kept = _take(engine, seal_key, now_s, answer.state)
    found = _discover(http, provider)
    wants_issuer = found.get("authorization_response_iss_parameter_supported") is True
    if (answer.issuer or wants_issuer) and answer.issuer != provider.issuer:
        raise NotSignedIn(f"the answer is not of {provider.issuer}")
    id_token = _exchange(http, provider, found, answer.code, kept["verifier"])
    claims = _verified(id_token, _keys(http, found), provider, kept["nonce"], now_s)
    subject = str(claims["sub"])
    _welcome(engine, provider, now_s, address, subject, claims)
    return sessions.login_linked(engine, now_s, address, provider.issuer, subject)


def _take(engine: Engine, seal_key: bytes, now_s: int, state: str) -> Mapping[str, str]:
    """What was kept for a state; it is gone then, whatever comes next."""
    where = oidc_logins.c.state == digest(state)
    with writing(engine) as conn:
        row = conn.execute(select(oidc_logins).where(where).with_for_update()).one_or_none()
        conn.execute(delete(oidc_logins).where(where))
    if row is None or now_s >= row.expires_at_s:
        raise NotSignedIn("this login is finished already, or took too long: begin anew")
    kept: Mapping[str, str] = json.loads(unseal(seal_key, _about(state), bytes(row.sealed)))
    return kept


def _about(state: str) -> str:
    return f"login {digest(state).hex()} at the provider"


def _oauth(http: httpx.Client, provider: Provider) -> Any:
    return OAuth2Client(
        session=http,
        client_id=provider.client_id,
        scope="openid email",
        redirect_uri=provider.redirect_uri,
        code_challenge_method="S256",
    )


def _discover(http: httpx.Client, provider: Provider) -> Mapping[str, Any]:
    """OpenID Connect Discovery 1.0, §4. Asked for each time: keys and addresses change."""
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    found = _get(http, url)
    if found.get("issuer") != provider.issuer:
        raise Unavailable(f"{url} is not of {provider.issuer}: it names another issuer")
    return found


def _get(http: httpx.Client, url: str) -> Mapping[str, Any]:
    _require_secure(url)
    try:
        answer = http.get(url)
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"the provider gives no JSON at {url}: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unavailable(f"the provider gives no JSON object at {url}")
    return found


def _endpoint(found: Mapping[str, Any], name: str) -> str:
    url = found.get(name)
    if not isinstance(url, str):
        raise Unavailable(f"the provider's configuration has no {name}")
    _require_secure(url)
    return url


def _require_secure(url: str) -> None:
    """TLS, except on the machine itself."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise Unavailable(f"the provider has to be asked by https, not at {url}")


def _exchange(
    http: httpx.Client, provider: Provider, found: Mapping[str, Any], code: str, verifier: str
) -> str:
    """The ID token for a code. Raises NotSignedIn."""
    secret = provider.client_secret.get_secret_value()
    try:
        answer = _oauth(http, provider).fetch_token(
            _endpoint(found, "token_endpoint"),
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            # RFC 6749, 2.3.1: form-encoded first.
            auth=(quote(provider.client_id, safe=""), quote(secret, safe="")),
        )
    except httpx.HTTPError as error:
        raise Unavailable(f"the provider gives no token: {type(error).__name__}") from error
    except (OAuth2Error, ValueError) as error:
        raise NotSignedIn("the provider gives no token for this code: begin anew") from error
    id_token = answer.get("id_token")
    if not isinstance(id_token, str):
        raise NotSignedIn("the provider's answer has no ID token")
    return id_token


def _keys(http: httpx.Client, found: Mapping[str, Any]) -> jwk.KeySet:
    """The provider's public keys; a set is not refused for one that we can't use."""
    url = _endpoint(found, "jwks_uri")
    listed = _get(http, url).get("keys")
    keys: list[jwk.Key] = []
    for one in listed if isinstance(listed, list) else []:
        usable = isinstance(one, dict) and one.get("kty") in ("RSA", "EC")
        if usable and one.get("use", "sig") == "sig":
            with suppress(JoseError, ValueError, TypeError):
                keys.append(jwk.import_key(one))
    if not keys:
        raise Unavailable(f"the provider gives no key at {url} that we can use")
    return jwk.KeySet(keys)


def _verified(
    id_token: str, keys: jwk.KeySet, provider: Provider, nonce: str, now_s: int
) -> Mapping[str, Any]:
    """The claims of an ID token that is for us, now (OpenID Connect Core 1.0, §3.1.3.7)."""
    wanted = jwt.JWTClaimsRegistry(
        now=now_s,
        leeway=SKEW_S,
        iss={"essential": True, "value": provider.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
        wanted.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise NotSignedIn(f"the provider's ID token does not hold: {error}") from error
    others = claims["aud"] not in (provider.client_id, [provider.client_id])
    if claims.get("azp", "" if others else provider.client_id) != provider.client_id:
        raise NotSignedIn("the provider's ID token was made for another client")
    return claims


def _welcome(
    engine: Engine,
    provider: Provider,
    now_s: int,
    address: str,
    subject: str,
    claims: Mapping[str, Any],
) -> None:
    """An account for an unknown identity of a domain that the settings name; it has no roles.

    Raises Refused where an account has that name: nobody gets somebody else's by an address.
    """
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return
    name = email.lower()
    _, at, domain = name.rpartition("@")
    if not at or domain not in provider.domains:
        return
    actor = Actor(address=address)
    with writing(engine) as conn:
        if accounts.linked_account(conn, provider.issuer, subject):
            return
        account = accounts.create_account(conn, now_s, actor, name)
        accounts.link_identity(conn, now_s, actor, account, provider.issuer, subject)
