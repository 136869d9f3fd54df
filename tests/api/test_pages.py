"""Lists in pages: walked in small steps, they are what they are at once, and cost little."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.api.people import Town

LISTS = (
    "/accounts",
    "/api-keys",
    "/access-events",
    "/parties",
    "/points",
    "/contracts",
    "/runs",
    "/lots",
    "/claims",
    "/certificates",
    "/certificates/retirements",
    "/credits",
    "/credits/retirements",
    "/schemes",
    "/projects",
    "/factors",
    "/statements",
    "/officers",
    "/drafts",
    "/periods",
    "/jobs",
)
# For who asks, and for the list: a few for each scheme, none for each item.
STATEMENTS_MAX = 10


def walk(town: Town, who: str, path: str, limit: int) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        answer = town[who].get(path, params={"limit": limit, "cursor": cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next"]
        if not cursor:
            return found


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_c: Any, _d: Any, statement: str, _p: Any, _x: Any, _m: Any) -> None:
        # The service does its jobs on threads of the same process.
        if not threading.current_thread().name.startswith("job"):
            said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_its_pages(town: Town, path: str) -> None:
    for who in ("manager", "mill-admin"):
        if path == "/statements" and who != "manager":
            continue
        with counted(town.house.engine) as said:
            whole = town[who].get(path, params={"limit": 200}).json()["items"]
        assert len(said) <= STATEMENTS_MAX, said
        walked = walk(town, who, path, max(1, len(whole) // 3))
        if path == "/jobs":  # they go on meanwhile
            walked, whole = ([one["id"] for one in some] for some in (walked, whole))
        assert walked == whole


@pytest.mark.parametrize("path", LISTS)
def test_another_lists_cursor(town: Town, path: str) -> None:
    """It is refused or means something; it is no error of ours."""
    cursors: list[Any] = ["z" * 32, "00" * 16, -1, 2**70, None, [], {"a": 1}]
    for last in cursors:
        cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=")
        answer = town["manager"].get(path, params={"cursor": cursor})
        assert answer.status_code in (200, 404, 422), (last, answer.text)
