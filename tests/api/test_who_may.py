"""Every route × everybody, beside a list that people read: who_may.txt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import APIRouter

from api.callers import check_table
from api.routes import ROUTERS
from tests.api.people import ANYBODY, GATEWAY, PEOPLE, Town

LIST = Path(__file__).parent / "who_may.txt"
CALLERS = [ANYBODY, *PEOPLE, GATEWAY]
# They would end the session that the others of this test are asked with.
SKIPPED = {"logout"}


def operations(town: Town) -> list[tuple[str, str, str]]:
    """(operation id, verb, path) of every route, from what the service says of itself."""
    paths = town[ANYBODY].get("/openapi.json").json()["paths"]
    return [
        (operation["operationId"], verb.upper(), path.removeprefix("/api/v1"))
        for path, verbs in paths.items()
        for verb, operation in verbs.items()
    ]


def asked(town: Town, verb: str, path: str, caller: str) -> str:
    """`yes`, or how the caller is turned away, with a request that makes no sense otherwise."""
    path = re.sub(r"\{[^}]*\}", "0" * 32, path)
    answer = town[caller].request(verb, path, json={} if verb in ("POST", "PUT") else None)
    assert answer.status_code < 500, (verb, path, caller, answer.text)
    return {401: "login", 403: "no"}.get(answer.status_code, "yes")


def test_who_may_do_what(town: Town) -> None:
    lines = []
    for operation, verb, path in operations(town):
        if operation not in SKIPPED:
            who = [name for name in CALLERS if asked(town, verb, path, name) == "yes"]
            lines.append(f"{operation}: {' '.join(who)}")
    assert len(lines) > 80
    assert sorted(lines) == LIST.read_text().splitlines()


def test_a_route_that_the_table_does_not_name_is_found() -> None:
    router = APIRouter()

    @router.get("/new", operation_id="brand_new")
    def new() -> None: ...

    with pytest.raises(AssertionError, match="brand_new"):
        check_table([router])


def test_every_route_is_documented_and_named(town: Town) -> None:
    routes = [route for router in ROUTERS for route in router.routes]
    named = {str(getattr(route, "operation_id", "")) for route in routes}
    assert named == {operation for operation, _, _ in operations(town)}


def test_without_a_credential_the_way_in_is_said(town: Town) -> None:
    answer = town[ANYBODY].get("/points")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
