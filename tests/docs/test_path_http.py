"""What docs/path.md says of HTTP: a service calls its functions in the order of the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import CodeType, FrameType

import pytest

from ledger.house import House
from tests.api.people import PASSWORDS, Town, settle
from tests.docs.test_path import check_order, code_of, numbered
from tests.ledgers import begun, begun_template, ledger_database
from tests.servers.api import serving
from tests.servers.postgres import postgresql

__all__ = ["begun", "begun_template", "ledger_database", "postgresql"]
FROM, TO = "2026-02-20T16:00:00Z", "2026-02-20T17:00:00Z"


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """Calls of the page's functions, in threads that start from now on."""
    wanted: dict[CodeType, str] = {code_of(name): name for names in numbered() for name in names}
    found: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in wanted:
            found.append(wanted[frame.f_code])

    threading.setprofile(note)
    yield found
    threading.setprofile(None)


@pytest.fixture
def town(calls: list[str], begun: House) -> Iterator[Town]:
    with serving(begun, PASSWORDS) as url:
        found = settle(begun, url)
        yield found
        found.close()
    begun.engine.dispose()


def test_the_numbered_steps_are_called_in_the_order_of_the_page(
    town: Town, calls: list[str]
) -> None:
    request, job = numbered()
    manager = town["manager"]
    for name, kind in (("roof", "generation"), ("mill", "consumption")):
        point = {"name": name, "kind": kind, "owner": "operator"}
        assert manager.post("/points", json=point).status_code == 201
        calls.clear()
        runs = {"readings": [{"point": name, "start": FROM, "values": [1, 2, 3, 4]}]}
        key = {"Idempotency-Key": name}
        assert manager.post("/readings", json=runs, headers=key).status_code == 201
    check_order(request, calls)
    calls.clear()
    asked = manager.post("/runs", json={"from": FROM, "to": TO})
    assert asked.status_code == 202, asked.text
    end = time.monotonic() + 60
    while (shown := manager.get(f"/jobs/{asked.json()['id']}").json())["state"] != "done":
        assert shown["state"] in ("waiting", "running"), shown
        assert time.monotonic() < end
        time.sleep(0.05)
    check_order(job, calls)
