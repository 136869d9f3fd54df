"""Jobs are asked for, looked up and cancelled here; `ledger.jobs.running` does them.

A job is a row. Whoever tells a worker of it does so after the commit, and only to save time:
pending jobs are found by query, so nothing is lost with a message.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from ledger.db import reading, writing
from ledger.errors import NotFound, Refused, Throttled
from ledger.house import House
from ledger.jobs import kinds, store
from ledger.jobs.model import CANCELLED, DONE, WAITING, Job, check_key, same_request
from ledger.metering.batches import SECRET_BYTES

PAGE_MAX: Final = 200
PENDING_MAX: Final = 1000
# Of one account at a time: what it asks for is kept, and whoever asks later waits behind it.
OPEN_MAX: Final = 50
_LATER_S: Final = 60
Nudge = Callable[[str], None]


def submit(
    house: House,
    kind: str,
    params: Mapping[str, Any],
    *,
    party: str,
    account: str,
    key: str = "",
    files: Mapping[str, bytes] | None = None,
    secret: bytes | None = None,
) -> Job:
    """Ask for a job; the same `key` of an account again gives the same job.

    `files`: what comes with it, by the names that its kind takes. Raises InvalidInput for an
    unknown kind or params that it does not take, Refused where the key stands for another request,
    Throttled where too many of the account are not done yet.
    The caller nudges a worker afterwards.
    """
    check_key(key)
    kinds.check(kind, params, files or {})
    # Files go with the end of a job: what they were is kept, to know the same request again.
    sums = {f"{name}_sha256": sha256(data).hexdigest() for name, data in (files or {}).items()}
    params = {**params, **sums}
    job = Job(
        id=secrets.token_hex(16),
        kind=kind,
        party=party,
        account=account,
        state=WAITING,
        created_at_s=house.desk.clock_s(),
        params=params,
        key=key,
    )
    try:
        with writing(house.engine) as conn:
            known = store.find_key(conn, account, key) if key else None
            if known is None:
                if account and store.count_open(conn, account) >= OPEN_MAX:
                    raise Throttled(
                        f"{OPEN_MAX} jobs of yours wait or run: wait for them, or cancel some",
                        _LATER_S,
                    )
                store.save(conn, job, secret or secrets.token_bytes(SECRET_BYTES))
                for name, data in (files or {}).items():
                    _save_file(conn, job.id, name, data)
                return job
    except Refused:
        # Of two that came at once, the other was first.
        with reading(house.engine) as conn:
            known = store.find_key(conn, account, key) if key else None
        if known is None:
            raise
    same_request(known, kind, params)
    return known


def _save_file(conn: Connection, id_: str, name: str, data: bytes) -> None:
    for part, begin in enumerate(range(0, max(len(data), 1), store.PART_BYTES)):
        store.save_part(conn, id_, name, part, data[begin : begin + store.PART_BYTES])


def load(conn: Connection, id_: str, parties: Collection[str] | None = None) -> Job:
    """A job of one of `parties` (None: anybody's). Raises NotFound, also where it is another's."""
    found = store.find(conn, id_)
    if found is None or (parties is not None and found.party not in parties):
        raise NotFound(f"there is no job {id_!r}")
    return found


def list_of(
    conn: Connection, parties: Collection[str] | None, *, before: str = "", limit: int = 50
) -> list[Job]:
    """Newest first, at most `limit`. `before`: the last id of the page before. Raises NotFound."""
    last = load(conn, before, parties) if before else None
    return store.page(conn, parties, last, min(max(limit, 1), PAGE_MAX))


def pending(conn: Connection, now_s: int) -> list[str]:
    """Ids of jobs that wait, or whose worker was lost; oldest first."""
    return store.pending(conn, now_s, PENDING_MAX)


def ask_cancel(house: House, id_: str) -> Job:
    """Stop a job: at once where nobody has begun it, else at its next step, and nothing of it is
    stored then. One that has ended stays as it is. Raises NotFound."""
    with writing(house.engine) as conn:
        store.ask_cancel(conn, id_)
        store.end(conn, id_, "", CANCELLED, house.desk.clock_s())
        return load(conn, id_)


def output(house: House, id_: str, name: str) -> Iterator[bytes]:
    """What came of a job as a file, in parts, once it is done. Raises NotFound: also for what came
    with the job, and for what is not whole yet."""
    with reading(house.engine) as conn:
        job = load(conn, id_)
        if job.state != DONE or name not in kinds.KINDS[job.kind].outputs:
            raise NotFound(f"job {id_} is {job.state}, and has no file {name!r}")
        parts = store.file_parts(conn, id_, name)
        first = next(parts, None)
        if first is None:
            raise NotFound(f"job {id_} has no file {name!r}")
        yield first
        yield from parts
