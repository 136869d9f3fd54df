"""Readings: handed in by programs, entries signed by their own keys, effective series back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterator
from typing import Annotated, Final

import numpy as np
from fastapi import Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from api.acting import Act, ActOf
from api.callers import CallerOf, own, router_of
from api.media import INSTANT, NAME, PARTY, Base64, Instant, Model, PointPath, Receipts, Words
from api.problems import Problem, documented
from api.service import ServiceOf
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound
from ledger.log import store as log_store
from ledger.log.entry import parse_entry
from ledger.log.service import Submission
from ledger.metering import store
from ledger.metering.effective import Effective, effective
from ledger.metering.payload import CSV, JSON, MEDIA, NDJSON, PARQUET, read_payload
from ledger.metering.sealing import Origin
from ledger.metering.service import sort_out
from ledger.parties.desk import Desk, signed_anew
from ledger.units import Period, format_instant, parse_instant

router = router_of(tags=["readings"])
_SPAN_S_MAX: Final = 400 * 86_400
_RUNS: Final = {
    "readings": [
        {"point": "roof-1", "start": "2026-01-01T00:00:00Z", "values": [125000, 131250]},
    ]
}
_ROW: Final = {"point": "roof-1", "start": "2026-01-01T00:00:00Z", "value": 125000}
_BODY: Final = {
    "required": True,
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "required": ["readings"],
                "additionalProperties": False,
                "properties": {"readings": {"type": "array", "items": {"type": "object"}}},
            },
            "example": _RUNS,
        },
        NDJSON: {"schema": {"type": "string"}, "example": str(_ROW).replace("'", '"')},
        CSV: {
            "schema": {"type": "string"},
            "example": "point,start,value\nroof-1,2026-01-01T00:00:00Z,125000\n",
        },
        PARQUET: {"schema": {"type": "string", "format": "binary"}},
    },
}


class Handing(Model):
    """Where a set of readings comes from."""

    source: str
    author: str
    reason: str


def handing(
    source: Annotated[
        str, Query(pattern=NAME, description="Name of this stream of batches")
    ] = "api",
    author: Annotated[
        str, Query(pattern=f"{PARTY}|^$", description="Party that signs; yours by default")
    ] = "",
    reason: Annotated[Words, Query(description="Why other values replace those in force")] = "",
) -> Handing:
    return Handing(source=source, author=author, reason=reason)


@router.post(
    "/readings",
    operation_id="readings_submit",
    status_code=201,
    openapi_extra={"requestBody": _BODY},
    responses=documented(404, 409, 413, 415),
)
async def submit(
    request: Request, act: ActOf, given: Annotated[Handing, Depends(handing)]
) -> Receipts:
    """Store readings, all or nothing, as batches that the server signs for their party.

    Identical repeats are dropped and counted; other values are refused unless a reason is given.
    """
    media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if media not in MEDIA:
        raise Problem(415, f"Content-Type is {media[:60]!r}; taken are {', '.join(MEDIA)}")
    data = await request.body()
    return await run_in_threadpool(_take_in, act, given, media, data)


def _take_in(act: Act, given: Handing, media: str, data: bytes) -> Receipts:
    author = act.own_party(given.author)

    def lengths_of(names: Collection[str]) -> dict[str, int]:
        with reading(act.service.desk.engine) as conn:
            known = store.points_named(conn, act.service.log.log_id, names)
        for name in sorted(names):
            if name not in known or not act.caller.may_for(act.operation, known[name].master.owner):
                raise NotFound(f"there is no point {name[:80]!r} of yours")
        return {name: found.master.interval_s for name, found in known.items()}

    series = read_payload(media, data, lengths_of)
    origin = Origin(source=given.source, author=author, reason=given.reason)

    def write() -> Receipts:
        found = sort_out(act.service.desk, series, origin)
        facts = {"stored": found.stored, "repeats": found.repeats, "corrected": found.corrected}

        def do(desk: Desk) -> None:
            if found.submissions:
                desk.writer.append_all(found.submissions)

        return act.write(do, facts)

    return signed_anew(write)


class SubmissionIn(Model):
    """An entry signed by its author's key, and the bodies that it commits to; base64."""

    entry: Base64
    bodies: dict[str, Base64] = {}
    attachments: list[Base64] = []


class SubmissionsIn(Model):
    """Placed all together, or none of them."""

    submissions: Annotated[list[SubmissionIn], Field(min_length=1, max_length=1_000)]


@router.post(
    "/entries",
    operation_id="entries_submit",
    status_code=201,
    responses=documented(404, 409, 413),
)
def submit_entries(body: SubmissionsIn, act: ActOf) -> Receipts:
    """Append entries that their authors signed with keys of their own. Sent again: a repeat."""
    submissions = [
        Submission(
            data=_decoded("entry", one.entry),
            bodies={name: _decoded(f"bodies.{name}", data) for name, data in one.bodies.items()},
            attachments=[_decoded("attachments", data) for data in one.attachments],
        )
        for one in body.submissions
    ]
    for one in submissions:
        act.for_party(parse_entry(one.data).author)
    return act.write(lambda desk: desk.writer.append_all(submissions))


def _decoded(where: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"{where} is no base64: {error}") from error


class LastBatch(Model):
    """Where a stream of batches stands: the next one has sequence + 1 and this leaf before it."""

    sequence: int
    leaf: str


@router.get("/batches/last", operation_id="batch_last", responses=documented(404))
def last_batch(
    service: ServiceOf,
    caller: CallerOf,
    author: Annotated[str, Query(pattern=PARTY)],
    source: Annotated[str, Query(pattern=NAME)],
) -> LastBatch:
    """The last batch of a source. 404 before the first."""
    absent = f"no batch of source {source!r} by {author!r} is stored"
    own(caller, "batch_last", author, absent)
    with reading(service.desk.engine) as conn:
        found = store.last_batch(conn, service.log.log_id, author, source)
    if found is None:
        raise NotFound(absent)
    return LastBatch(sequence=found.sequence, leaf=found.leaf_hash.hex())


class Run(Model):
    """Adjoining intervals; `entries`: where each value stands, for proofs."""

    start: Instant
    length_s: int
    values: list[int]
    quality: list[int]
    entries: list[int]


class SeriesShown(Model):
    """The effective readings of a point, as of a log size."""

    point: str
    name: str
    unit: str
    as_of: int
    runs: list[Run]


@router.get("/series/{name}", operation_id="series_show", responses=documented(404))
def show_series(
    service: ServiceOf,
    caller: CallerOf,
    name: PointPath,
    start: Annotated[str, Query(alias="from", pattern=INSTANT)],
    end: Annotated[str, Query(alias="to", pattern=INSTANT)],
    as_of: Annotated[int, Query(ge=0, le=2**63 - 1, description="0: now")] = 0,
) -> SeriesShown:
    """What is in force at a point: value, quality, and the entry of each interval."""
    period = Period(start_s=parse_instant(start), end_s=parse_instant(end))
    if period.length_s > _SPAN_S_MAX:
        raise InvalidInput(f"from … to is at most {_SPAN_S_MAX // 86_400} days: ask in parts")
    with reading(service.desk.engine) as conn:
        found = store.points_named(conn, service.log.log_id, {name}).get(name)
        absent = f"there is no point {name!r} of yours"
        if found is None:
            raise NotFound(absent)
        own(caller, "series_show", found.master.owner, absent)
        size = log_store.load_head(conn, service.log.log_id).size
        items = effective(
            conn,
            service.log.log_id,
            found.point,
            start_s=period.start_s,
            end_s=period.end_s,
            as_of=min(as_of or size, size),
        )
    return SeriesShown(
        point=found.point.hex(),
        name=name,
        unit=found.master.unit,
        as_of=min(as_of or size, size),
        runs=[run for item in items for run in _runs_of(item)],
    )


def _runs_of(item: Effective) -> Iterator[Run]:
    one = item.series
    cuts = np.flatnonzero(np.diff(one.start_s) != one.length_s) + 1
    for rows in np.split(np.arange(len(one)), cuts):
        if len(rows):
            yield Run(
                start=format_instant(int(one.start_s[rows[0]])),
                length_s=one.length_s,
                values=one.value[rows].tolist(),
                quality=one.quality[rows].tolist(),
                entries=item.entry_index[rows].tolist(),
            )
