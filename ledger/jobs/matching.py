"""Matching as a job: evaluated once, its divisions sealed in pieces by whoever has time, joined and
appended at once.

All that is random in the run is drawn from the job's own secret, and it is dated when it was asked
for: so one worker, two, or one that took over from another make the same bytes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from ledger.db import reading, writing
from ledger.errors import InvalidInput, Outdated
from ledger.house import House
from ledger.jobs import store
from ledger.jobs.model import Result
from ledger.jobs.work import Helping, Run
from ledger.log.service import Receipt
from ledger.matching import service
from ledger.matching.drawing import Draws
from ledger.matching.evaluate import POLICY
from ledger.matching.model import POLICIES
from ledger.matching.pieces import Piece, join_pieces, pieces_of, seal_piece
from ledger.parties.desk import Desk
from ledger.units import Period, parse_instant

log: Final = structlog.get_logger(__name__)
# Readings that come in all the time may outdate a run again and again.
_TRIES: Final = 5
# What others have begun is done again, if nothing else is left to do for so long.
_PATIENCE_S: Final = 2.0
_POLL_S: Final = 0.02


def period_of(params: Mapping[str, Any]) -> Period:
    return Period(start_s=parse_instant(params["from"]), end_s=parse_instant(params["to"]))


def check(params: Mapping[str, Any]) -> None:
    """Raises InvalidInput."""
    period_of(params)
    policy = params.get("policy", POLICY)
    if policy not in POLICIES:
        raise InvalidInput(f"policy is one of {', '.join(POLICIES)}, not {policy!r}")


def do(run: Run) -> Result:
    """Match a period; what the log outdates meanwhile is computed anew."""
    draws = Draws(run.secret)
    for _ in range(_TRIES - 1):
        try:
            return _once(run, draws)
        except Outdated:
            run.progress(0, 0, "the log has changed: once more")
    return _once(run, draws)


def _once(run: Run, draws: Draws) -> Result:
    params, desk = run.job.params, run.house.desk
    run.progress(0, 0, "matching")
    prepared = service.prepare_run(
        desk,
        period_of(params),
        policy=params.get("policy", POLICY),
        into_lots=params.get("into_lots", True),
        draws=draws,
        readings=False,
    )
    numbered = prepared.numbered(desk.log.origin)
    pieces = list(pieces_of(numbered, prepared.as_of))
    outputs = _sealed(run, pieces)
    run.progress(len(pieces), len(pieces), "appending")

    submissions = service.sign_run(
        _dated(desk, run.job.created_at_s), prepared, join_pieces(numbered, pieces, outputs)
    )

    def result(_conn: Connection, receipts: Sequence[Receipt]) -> Result:
        return {
            "run": receipts[0].index,
            "divisions": [receipt.index for receipt in receipts[1:]],
            "as_of": prepared.as_of,
            "totals": prepared.evaluation.manifest()["totals"],
        }

    return run.finish(result, submissions)


def _dated(desk: Desk, at_s: int) -> Desk:
    return replace(desk, clock_s=lambda: at_s)


def _sealed(run: Run, pieces: Sequence[Piece]) -> list[bytes]:
    """What comes of all pieces; others help, and what they don't finish is done here."""
    id_, engine = run.job.id, run.house.engine
    inputs = [piece.data for piece in pieces]
    with writing(engine) as conn:
        run.require_mine(conn)
        # Those that a worker did before it was lost are good, if the log is still the same.
        if [one.input for one in store.shards_of(conn, id_)] != inputs:
            store.drop_shards(conn, id_)
            store.save_shards(conn, id_, inputs)
    if len(inputs) > 1:
        run.nudge(id_)
    idle_since = time.monotonic()
    while True:
        impatient = time.monotonic() - idle_since > _PATIENCE_S
        with reading(engine) as conn:
            left = store.open_shards(conn, id_, begun=True)
        run.progress(len(inputs) - len(left), len(inputs), "dividing")
        if not left:
            break
        if _do_one(run.house, id_, run.worker, begun=impatient):
            idle_since = time.monotonic()
        else:
            time.sleep(_POLL_S)
    with reading(engine) as conn:
        return [one.output or b"" for one in store.shards_of(conn, id_)]


def _do_one(house: House, id_: str, worker: str, *, begun: bool) -> bool:
    """Do the next open piece; False where there is none."""
    with reading(house.engine) as conn:
        numbers = store.open_shards(conn, id_, begun=begun)
    for number in numbers:
        with writing(house.engine) as conn:
            given = store.take_shard(conn, id_, number, worker)
            if given is None and begun:
                given = store.shard_input(conn, id_, number)
        if given is None:
            continue
        with reading(house.engine) as conn:
            output = seal_piece(conn, house.log, given)
        with writing(house.engine) as conn:
            store.save_output(conn, id_, number, given, output)
        return True
    return False


def help_with(house: House, id_: str, helping: Helping) -> bool:
    """Do pieces of another worker's job until none is open; False where there was none."""
    worker, helped = secrets.token_hex(16), 0
    while not helping.stop() and _do_one(house, id_, worker, begun=False):
        if not helped:
            # One tells the next, as long as there is something to do.
            helping.nudge(id_)
        helped += 1
    if helped:
        log.info("helped", job=id_, pieces=helped)
    return helped > 0
