"""A small OpenID provider: discovery, authorization code with PKCE, JWKS, userinfo.

It conforms, unless a test sets `breaks`. Whoever comes is `subject`, without being asked.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwk, jwt

from tests.ledgers import NOW_S

CLIENT = "greenledger at park"
SECRET = "a secret: with + and %"
RSA: jwk.RSAKey = jwk.RSAKey.generate_key(2048, {"use": "sig", "kid": "rsa"})
EC: jwk.ECKey = jwk.ECKey.generate_key("P-256", {"use": "sig", "kid": "ec"})
OTHER: jwk.ECKey = jwk.ECKey.generate_key("P-256", {"use": "sig", "kid": "ec"})


def unsigned(claims: dict[str, Any], header: dict[str, str] | None = None) -> str:
    """A token without a signature, of `alg` none."""
    parts = [header or {"alg": "none", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join(part.rstrip("=") for part in encoded) + "."


@dataclass
class Provider:
    """`claims` are what the next ID token says beside or in place of what it has to."""

    issuer: str = ""
    now_s: int = NOW_S
    subject: str = "lin-7"
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "ES256"
    breaks: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def configuration(self) -> dict[str, Any]:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "authorization_response_iss_parameter_supported": True,
        }
        if self.breaks == "configuration of another":
            found["issuer"] = "https://other.example"
        if self.breaks == "no tls":
            found["token_endpoint"] = "http://id.example/token"
        if self.breaks == "no endpoint":
            del found["authorization_endpoint"]
        return found

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        kind, _, sent = authorization.partition(" ")
        client, _, secret = base64.b64decode(sent).decode().partition(":")
        if (kind, unquote(client), unquote(secret)) != ("Basic", CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form["grant_type"] != "authorization_code":
            return 400, {"error": "invalid_grant"}
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(form["code_verifier"].encode()).digest()
        ).decode()
        if challenge.rstrip("=") != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "redirect"}
        answer = {"access_token": "an access token", "token_type": "Bearer", "expires_in": 60}
        if self.breaks != "no id token":
            answer["id_token"] = self.id_token(asked["nonce"])
        return 200, answer

    def id_token(self, nonce: str) -> str:
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": self.now_s,
            "exp": self.now_s + 300,
            "nonce": nonce,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.breaks == "alg none":
            return unsigned(claims)
        if self.breaks == "hs256 with the client's secret":
            return jwt.encode({"alg": "HS256"}, claims, jwk.OctKey.import_key(SECRET * 2))
        if self.breaks == "hs256 with the public key":
            signed = unsigned(claims, {"alg": "HS256", "kid": "rsa"}).rstrip(".")
            mac = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        key: jwk.Key = RSA if self.algorithm.startswith(("RS", "PS")) else EC
        if self.breaks == "another key":
            key = OTHER
        header = {"alg": self.algorithm, "kid": str(key.kid)}
        token = jwt.encode(header, claims, key, algorithms=[self.algorithm])
        if self.breaks == "changed":
            head, body, signature = token.split(".")
            other = json.dumps({**claims, "sub": "mallory"}).encode()
            body = base64.urlsafe_b64encode(other).decode().rstrip("=")
            return f"{head}.{body}.{signature}"
        return token

    def keys(self) -> dict[str, Any]:
        if self.breaks == "no keys":
            return {"keys": [{"kty": "AKP", "kid": "new"}]}
        strange = {"kty": "AKP", "kid": "of an algorithm to come"}
        return {"keys": [strange, *(key.as_dict(private=False) for key in (RSA, EC))]}


def application(provider: Provider) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/.well-known/openid-configuration")
    def configuration() -> JSONResponse:
        if provider.breaks == "down":
            return JSONResponse({"error": "down"}, 503)
        return JSONResponse(provider.configuration())

    @app.get("/authorize")
    def authorize(request: Request) -> RedirectResponse:
        return RedirectResponse(provider.authorize(dict(request.query_params)), 302)

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        form = {name: found[0] for name, found in parse_qs((await request.body()).decode()).items()}
        provider.asked.append(form["code_verifier"])
        if provider.breaks == "no json":
            return JSONResponse(["x"], 200)
        status, answer = provider.token(request.headers.get("authorization", ""), form)
        return JSONResponse(answer, status)

    @app.get("/jwks")
    def jwks() -> JSONResponse:
        return JSONResponse(provider.keys())

    @app.get("/userinfo")
    def userinfo() -> JSONResponse:
        return JSONResponse({"sub": provider.subject, **provider.claims})

    return app


@contextlib.contextmanager
def running() -> Iterator[Provider]:
    """The provider on a free port, in a thread."""
    provider = Provider()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    provider.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(
        application(provider), log_level="warning", lifespan="off", loop="asyncio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the provider did not start"
            time.sleep(0.01)
        yield provider
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
