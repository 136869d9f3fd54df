"""The witness over HTTP (C2SP tlog-witness): POST /add-checkpoint, GET /<origin hash>/checkpoint,
and GET / for people."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.units import format_instant
from ledger.watching.request import BODY_BYTES_MAX
from ledger.watching.witness import TEXT, Answer, Witness
from ledger.watching.witness_state import LogState, WitnessState

_BODY_S_MAX: Final = 10.0
_HASH = re.compile(r"[0-9a-f]{64}")
_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def create_app(witness: Witness) -> Starlette:
    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request), _BODY_S_MAX)
        except TimeoutError:
            return _answer(Answer(status=408, body="the body did not come in time\n"))
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            most = f"the body has more than {BODY_BYTES_MAX} bytes\n"
            return _answer(Answer(status=413, body=most))
        return _answer(await run_in_threadpool(witness.add_checkpoint, body))

    def checkpoint(request: Request) -> Response:
        return _answer(_checkpoint(witness.state, request.path_params["origin_hash"]))

    def about(_request: Request) -> Response:
        return _answer(Answer(status=200, body=describe(witness.state)))

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
            Route("/", about, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes | None:
    """None where it is too long."""
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > BODY_BYTES_MAX:
            return None
    return bytes(found)


def _answer(answer: Answer) -> Response:
    headers = dict(_HEADERS)
    if answer.status == 503:
        headers["Retry-After"] = "5"
    # As it stands: a charset has no place behind text/x.tlog.size.
    headers["Content-Type"] = answer.media
    return Response(answer.body.encode(), status_code=answer.status, headers=headers)


def _checkpoint(state: WitnessState, origin_hash: str) -> Answer:
    log = None
    if _HASH.fullmatch(origin_hash):
        found = LogState(state.folder / "logs" / origin_hash)
        log = found if (found.folder / "log.json").is_file() else None
    note = log.cosigned.note if log else ""
    if not note:
        return Answer(status=404, body="no checkpoint of such a log was cosigned\n")
    return Answer(status=200, body=note, media=TEXT)


def describe(state: WitnessState) -> str:
    """What `GET /` and `greenledger witness show` say to people."""
    lines = [f"witness {state.name}"]
    for key in state.keys:
        ended = f", ended {format_instant(key.ended_s)}" if key.ended_s else ""
        lines.append(f"  key {key.vkey} (since {format_instant(key.since_s)}{ended})")
    for log in state.logs():
        known, cosigned, broken = log.known, log.cosigned, log.broken
        lines.append(f"log {known.origin}{' (audited)' if known.audit else ''}")
        if cosigned.note:
            when = format_instant(cosigned.time_s)
            lines.append(f"  cosigned {cosigned.size} entries at {when}")
        else:
            lines.append("  nothing cosigned yet")
        if broken:
            lines.append(f"  REFUSED for good: entry {broken.index}: {broken.reason}")
        lines += [
            f"  CONFLICT: the log signed two histories: {path.name}" for path in log.conflicts
        ]
    return "\n".join(lines) + "\n"
