"""What stands on every answer, whatever was asked; and who may read it where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from ledger.house import House
from tests.api.people import PASSWORD, PASSWORDS, Town
from tests.ledgers import raw
from tests.servers.api import serving

PUBLIC = re.compile(r"/log(/|$)|/openapi.json$")


def require_secured(answer: httpx.Response) -> None:
    said = answer.headers
    where = f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"
    assert said["X-Content-Type-Options"] == "nosniff", where
    assert said["X-Frame-Options"] == "DENY", where
    assert said["Referrer-Policy"] == "no-referrer", where
    policy = dict(part.strip().split(" ", 1) for part in said["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'", where
    assert policy["frame-ancestors"] == "'none'", where
    assert int(said["Strict-Transport-Security"].removeprefix("max-age=")) >= 31_536_000, where
    assert "server" not in said, where
    assert not any(name.startswith("access-control-") for name in said), where
    if not PUBLIC.search(answer.request.url.path):
        assert "no-store" in said["Cache-Control"] or "private" in said["Cache-Control"], where


def test_every_operation_and_what_is_none(new_town: Town) -> None:
    """Of every path: each verb, as nobody and as one who may do most. What a path asks for is
    missing mostly, so these are answers of all kinds."""
    anybody, manager = new_town["anybody"], new_town["manager"]
    require_secured(anybody.get("/openapi.json"))
    paths = anybody.get("/openapi.json").json()["paths"]
    assert len(paths) > 50
    seen = set()
    for path in [*paths, "/api/v1/nothing", "/docs", "/redoc", "/", "/..%2f..%2fetc/passwd"]:
        plain = re.sub(r"\{[^}]*\}", "0" * 32, path)
        root = httpx.URL(new_town.url).copy_with(path=plain)
        if path.endswith("/events"):  # a stream, which goes on
            continue
        for client, verbs in ((anybody, ("GET", "POST", "DELETE", "PATCH")), (manager, ("GET",))):
            for verb in verbs:
                answer = client.request(verb, root)
                require_secured(answer)
                seen.add(answer.status_code)
    assert {200, 401, 404, 405} <= seen


def test_a_stranger_s_page_reads_nothing(new_town: Town) -> None:
    """No origin is allowed to read answers: neither asked before nor with the request."""
    anybody = new_town["anybody"]
    origin = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for verb, path in (("OPTIONS", "/session"), ("GET", "/log"), ("OPTIONS", "/points")):
        answer = anybody.request(verb, path, headers=origin)
        require_secured(answer)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_error_of_ours_is_secured_too(new_town: Town) -> None:
    """A table is gone: what the database says of it is in no answer."""
    connection = raw(new_town.house)
    connection.execute("DROP TABLE api_keys")
    connection.close()
    answer = new_town["mill-gateway"].get("/me")
    assert answer.status_code >= 500
    require_secured(answer)
    assert "api_keys" not in answer.text or answer.status_code == 500
    assert "SELECT" not in answer.text


@pytest.fixture
def broken(begun: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service with a fault of its own in one operation."""

    def fault(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError("the secret of the fault")

    monkeypatch.setattr("ledger.access.service.login", fault)
    with serving(begun, PASSWORDS) as url:
        yield url


def test_a_bug_is_a_problem_document_and_secured(broken: str) -> None:
    answer = httpx.post(
        f"{broken}/session", json={"name": "manager", "password": PASSWORD}, timeout=60
    )
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    require_secured(answer)
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies(scheme: str, new_town: Town) -> None:
    """Behind TLS, which a proxy on this machine says, a cookie goes no other way."""
    answer = new_town["anybody"].post(
        "/session",
        json={"name": "manager", "password": PASSWORD},
        headers={"X-Forwarded-Proto": scheme, "X-Forwarded-For": "192.0.2.1"},
    )
    assert answer.status_code == 201, answer.text
    flags = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert ("secure" in flags) == (scheme == "https")
    assert "domain" not in answer.headers["Set-Cookie"].lower()
