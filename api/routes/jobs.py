"""Long work: asked for here, done by workers, followed by events, stopped by whoever may.

What asks for a job answers 202 with it at once. The same `Idempotency-Key` gives the same job.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from api.acting import Act, ActOf
from api.callers import CallerOf, operation_of, own, router_of
from api.media import (
    HEX_16,
    NAME,
    Base64,
    Cursor,
    Instant,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    Words,
)
from api.problems import Problem, documented
from api.routes import claims
from api.service import Service, ServiceOf
from ledger.access.caller import Caller
from ledger.db import reading
from ledger.errors import InvalidInput
from ledger.jobs import kinds
from ledger.jobs import service as jobs
from ledger.jobs.model import PARK, Job
from ledger.matching.evaluate import POLICY
from ledger.matching.model import POLICIES

router = router_of(tags=["jobs"])
JobPath = Annotated[str, Path(pattern=HEX_16, description="The job's id")]
_EVENTS: Final[dict[int | str, JsonObject]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
    **documented(404),
}
_LOOK_EVERY_S: Final = 0.3
# Then the client asks again, and whether it still may. Each stream asks the database as it goes on.
_STREAM_S_MAX: Final = 300
_STREAMS_MAX: Final = 20
_ACCEPTED: Final = documented(404, 409)


class JobShown(Model):
    """A job. `done` of `total` steps (0: not known yet); times are Unix seconds, 0: not yet."""

    id: str
    kind: str
    party: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    text: str
    created_at_s: int
    started_at_s: int
    ended_at_s: int
    attempts: int
    cancel_asked: bool
    error: str
    result: JsonObject | None


def _shown(job: Job) -> JobShown:
    return JobShown(
        id=job.id,
        kind=job.kind,
        party=job.party,
        state=job.state,
        done=job.done,
        total=job.total,
        text=job.text,
        created_at_s=job.created_at_s,
        started_at_s=job.started_at_s,
        ended_at_s=job.ended_at_s,
        attempts=job.attempts,
        cancel_asked=job.cancel_asked,
        error=job.error,
        result=None if job.result is None else dict(job.result),
    )


def _ask(
    act: Act,
    kind: str,
    params: Mapping[str, Any],
    party: str,
    files: Mapping[str, bytes] | None = None,
) -> JobShown:
    job = jobs.submit(
        act.service.house,
        kind,
        params,
        party=party,
        account=act.caller.account,
        key=act.keyed.key if act.keyed else "",
        files=files,
    )
    act.service.nudge(job.id)
    return _shown(job)


class RunIn(Model):
    """A period to match, as of now."""

    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    policy: Literal[tuple(POLICIES)] = POLICY  # type: ignore[valid-type]  # the domain's words
    into_lots: bool = True


@router.post("/runs", operation_id="run_start", status_code=202, responses=_ACCEPTED)
def start_run(body: RunIn, act: ActOf) -> JobShown:
    """Match a period; the run and its lots are in the log when the job is done."""
    params = {
        "from": body.start,
        "to": body.end,
        "policy": body.policy,
        "into_lots": body.into_lots,
    }
    return _ask(act, kinds.MATCH, params, PARK)


class FileIn(Model):
    """A file of readings, read by an import profile (docs/import-profiles.md)."""

    file_name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")]
    file: Base64
    profile: Annotated[str, Field(max_length=100_000)]
    source: Annotated[str, Field(pattern=NAME)] = "import"
    author: PartyId
    accept_partial: bool = False
    reason: Words = ""


@router.post("/readings/files", operation_id="readings_file", status_code=202, responses=_ACCEPTED)
def import_file(body: FileIn, act: ActOf) -> JobShown:
    """Read metered intervals from a file, and store them as signed batches."""
    author = act.for_party(body.author)
    params = body.model_dump(exclude={"file"})
    return _ask(act, kinds.IMPORT, params, author, {kinds.FILE: _file(body.file)})


def _file(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"file is no base64: {error}") from error


class StatementIn(Model):
    """A statement of an official registry, read by a profile (docs/statement-profiles.md)."""

    file_name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")]
    file: Base64
    profile: Annotated[str, Field(max_length=100_000)]
    as_of: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-01-31"])]


@router.post("/statements", operation_id="statements_import", status_code=202, responses=_ACCEPTED)
def import_statement(body: StatementIn, act: ActOf) -> JobShown:
    """Take in what an official registry says, to be reconciled with what is held here."""
    operator = act.for_party(act.service.log.operator)
    params = body.model_dump(exclude={"file"})
    return _ask(act, kinds.STATEMENT, params, operator, {kinds.FILE: _file(body.file)})


class EvidenceIn(Model):
    """How much of a claim is opened. `seed` (64 hex digits) and `samples` go with `sampled`."""

    level: Literal["total", "sampled", "full"] = "full"
    seed: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    samples: Annotated[int, Field(ge=0, le=100_000)] = 0


@router.post(
    "/claims/{claim}/evidence", operation_id="evidence_make", status_code=202, responses=_ACCEPTED
)
def make_evidence(claim: claims.ClaimPath, body: EvidenceIn, act: ActOf) -> JobShown:
    """Build the file that shows a claim to others; the job keeps it as `evidence.json`."""
    with reading(act.service.desk.engine) as conn:
        row = claims.find(conn, act.service, act.caller, act.operation, claim)
    params: dict[str, Any] = {"claim": claim, "level": body.level}
    if body.seed:
        params["seed"] = body.seed
    if body.samples:
        params["samples"] = body.samples
    return _ask(act, kinds.EVIDENCE, params, row.author)


class DisclosureIn(Model):
    """Whose year, and how much of its claims the evidence opens."""

    organisation: PartyId
    year: Annotated[str, Field(pattern=r"^[0-9]{4}$", examples=["2026"])]
    level: Literal["full", "total"] = "full"


@router.post("/disclosures", operation_id="disclosure_make", status_code=202, responses=_ACCEPTED)
def disclose(body: DisclosureIn, act: ActOf) -> JobShown:
    """Build the archive of an organisation's year, a draft: the job's `disclosure.zip`."""
    what = f"there is no organisation {body.organisation} of yours"
    own(act.caller, act.operation, body.organisation, what)
    return _ask(act, kinds.DISCLOSURE, body.model_dump(), body.organisation)


@router.post("/checkpoints", operation_id="checkpoint_sign", status_code=202, responses=_ACCEPTED)
def sign_checkpoint(act: ActOf) -> JobShown:
    """Sign the log's present size, before the schedule does."""
    return _ask(act, kinds.CHECKPOINT, {}, PARK)


@router.post("/expiries", operation_id="expiry_run", status_code=202, responses=_ACCEPTED)
def expire(act: ActOf) -> JobShown:
    """Take out units whose validity is over."""
    return _ask(act, kinds.EXPIRY, {}, PARK)


@router.post("/audits", operation_id="audit_run", status_code=202, responses=_ACCEPTED)
def audit(act: ActOf) -> JobShown:
    """Replay the whole log and compare every table with it."""
    return _ask(act, kinds.AUDIT, {}, PARK)


@router.get("/jobs", operation_id="jobs_list", responses=documented(404))
def list_jobs(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 50
) -> Page[JobShown]:
    """Jobs of your organisations, newest first."""
    parties = caller.parties("jobs_list")
    with reading(service.desk.engine) as conn:
        found = jobs.list_of(conn, parties, before=cursor, limit=min(limit, jobs.PAGE_MAX))
    full = len(found) == min(limit, jobs.PAGE_MAX)
    return Page(items=[_shown(one) for one in found], next=found[-1].id if full else "")


def _find(service: Service, caller: Caller, operation: str, job: str) -> Job:
    with reading(service.desk.engine) as conn:
        return jobs.load(conn, job, caller.parties(operation))


@router.get("/jobs/{job}", operation_id="job_show", responses=documented(404))
def show(service: ServiceOf, caller: CallerOf, job: JobPath) -> JobShown:
    """How far a job is, and what came of it."""
    return _shown(_find(service, caller, "job_show", job))


@router.post("/jobs/{job}/cancellation", operation_id="job_cancel", responses=documented(404))
def cancel(service: ServiceOf, caller: CallerOf, job: JobPath) -> JobShown:
    """Stop a job: at its next step, and then nothing of it is stored."""
    _find(service, caller, "job_cancel", job)
    return _shown(jobs.ask_cancel(service.house, job))


@router.get(
    "/jobs/{job}/events",
    operation_id="job_events",
    response_class=StreamingResponse,
    responses=_EVENTS,
)
async def events(
    request: Request, service: ServiceOf, caller: CallerOf, job: JobPath
) -> StreamingResponse:
    """Server-sent events: the job whenever it has changed, until it has ended.

    A stream ends after five minutes: ask again.
    """
    operation = operation_of(request)
    open_: Counter[str] = request.app.state.streams
    if open_[caller.account] >= _STREAMS_MAX:
        raise Problem(
            429,
            f"{_STREAMS_MAX} streams of yours are open: close one",
            headers={"Retry-After": "5"},
        )
    first = await run_in_threadpool(_find, service, caller, operation, job)

    async def changes() -> AsyncIterator[bytes]:
        found, told = first, b""
        end = time.monotonic() + _STREAM_S_MAX
        open_[caller.account] += 1
        try:
            while True:
                data = orjson.dumps(_shown(found).model_dump())
                if data != told:
                    yield b"event: job\ndata: " + data + b"\n\n"
                    told = data
                if found.ended or time.monotonic() > end or await request.is_disconnected():
                    return
                await asyncio.sleep(_LOOK_EVERY_S)
                found = await run_in_threadpool(_find, service, caller, operation, job)
        finally:
            open_[caller.account] -= 1

    return StreamingResponse(changes(), media_type="text/event-stream")


@router.get(
    "/jobs/{job}/files/{name}",
    operation_id="evidence_show",
    response_class=Response,
    responses={
        200: {
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            }
        },
        **documented(404),
    },
)
def file(
    service: ServiceOf,
    caller: CallerOf,
    job: JobPath,
    name: Annotated[str, Path(pattern=r"^[a-z0-9.]{1,64}$", examples=["evidence.json"])],
) -> Response:
    """A file that came of a job: evidence, a disclosure."""
    _find(service, caller, "evidence_show", job)
    parts = jobs.output(service.house, job, name)
    return Response(b"".join(parts), media_type="application/octet-stream")
