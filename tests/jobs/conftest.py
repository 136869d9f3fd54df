"""Jobs for tests, on both databases."""

from __future__ import annotations

from typing import Any

from ledger.db import reading
from ledger.house import House
from ledger.jobs import service
from ledger.jobs.model import PARK, Job
from tests.ledgers import begun, begun_template, filled, filled_template

__all__ = ["begun", "begun_template", "filled", "filled_template"]


def ask(house: House, kind: str, params: dict[str, Any] | None = None, **more: Any) -> Job:
    return service.submit(house, kind, params or {}, party=PARK, account="anna", **more)


def job_of(house: House, id_: str) -> Job:
    with reading(house.engine) as conn:
        return service.load(conn, id_)
