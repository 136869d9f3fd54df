"""Erasing batches of readings for good, by the park manager; what was signed of them stays."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from api.acting import ActOf
from api.callers import CallerOf, router_of
from api.media import JsonObject, Model, Receipts, Words
from api.problems import documented
from api.service import ServiceOf
from ledger.claims.resting import resting_on
from ledger.db import reading, sweep
from ledger.metering.erasing import BATCHES_MAX, erase_batches, find_batches

router = router_of(prefix="/erasures", tags=["readings"])
Entry = Annotated[int, Field(ge=0, le=2**53 - 1)]
Entries = Annotated[
    list[Entry],
    Field(min_length=1, max_length=BATCHES_MAX, description="Entries of the batches."),
]


class ErasureIn(Model):
    """Batches to be erased; `reason` stands in the public log."""

    entries: Entries
    reason: Annotated[Words, Field(min_length=1)]


class RestingShown(Model):
    """What rests on some batches; see docs/erasure.md."""

    points: list[str]
    readings: int
    runs: list[int]
    divisions: list[int]
    claims: list[str]
    undivided: list[JsonObject]
    files_with: list[int]


@router.get("/preview", operation_id="erasure_show", responses=documented(404))
def preview(
    service: ServiceOf,
    _caller: CallerOf,
    entry: Annotated[list[Entry], Query(min_length=1, max_length=BATCHES_MAX)],
) -> RestingShown:
    """What would stand on its word, or could never be divided, if these batches were erased."""
    with reading(service.desk.engine) as conn:
        rows = find_batches(conn, service.log.log_id, entries=entry)
        return RestingShown(**resting_on(conn, service.log, rows).to_json())


@router.post("", operation_id="batches_erase", status_code=201, responses=documented(404, 409))
def erase(body: ErasureIn, act: ActOf) -> Receipts:
    """Erase batches for good: values, flags, secrets, manifests and files."""
    done = act.write(lambda desk: erase_batches(desk, body.entries, body.reason))
    sweep(act.service.desk.engine, wait_ms=0)
    return done
