"""SQL of jobs: rows, their files and shards. Who may do what is decided above."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from ledger.jobs.model import RUNNING, WAITING, Job, Result
from ledger.jobs.schema import files, jobs, shards

PART_BYTES: Final = 1 << 20
TEXT_MAX: Final = 200
_COLUMNS: Final = [
    column for column in jobs.c if column.name not in ("secret", "worker", "lease_until_s")
]


def _write(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        party=row.party,
        account=row.account,
        state=row.state,
        created_at_s=row.created_at_s,
        params=json.loads(row.params),
        key=row.key or "",
        done=row.done,
        total=row.total,
        text=row.text,
        started_at_s=row.started_at_s,
        ended_at_s=row.ended_at_s,
        attempts=row.attempts,
        result=None if row.result is None else json.loads(row.result),
        error=row.error,
        cancel_asked=bool(row.cancel_asked),
    )


def save(conn: Connection, job: Job, secret: bytes) -> None:
    """A new job."""
    conn.execute(
        insert(jobs).values(
            id=job.id,
            kind=job.kind,
            party=job.party,
            account=job.account,
            key=job.key or None,
            params=_write(job.params),
            secret=secret,
            state=job.state,
            done=0,
            total=0,
            text="",
            created_at_s=job.created_at_s,
            started_at_s=0,
            ended_at_s=0,
            attempts=0,
            result=None,
            error="",
            cancel_asked=0,
            worker="",
            lease_until_s=0,
        )
    )


def find(conn: Connection, id_: str) -> Job | None:
    row = conn.execute(select(*_COLUMNS).where(jobs.c.id == id_)).one_or_none()
    return None if row is None else _job(row)


def find_key(conn: Connection, account: str, key: str) -> Job | None:
    query = select(*_COLUMNS).where(jobs.c.account == account, jobs.c.key == key)
    row = conn.execute(query).one_or_none()
    return None if row is None else _job(row)


def count_open(conn: Connection, account: str) -> int:
    """Jobs of an account that have not ended."""
    which = jobs.c.account == account, jobs.c.state.in_((WAITING, RUNNING))
    return conn.execute(select(func.count()).select_from(jobs).where(*which)).scalar_one()


def secret_of(conn: Connection, id_: str) -> bytes:
    return bytes(conn.execute(select(jobs.c.secret).where(jobs.c.id == id_)).scalar_one())


def page(
    conn: Connection, parties: Collection[str] | None, before: Job | None, limit: int
) -> list[Job]:
    """Newest first; `parties`: whose, all where None; `before`: those older than this one."""
    query: Select[Any] = select(*_COLUMNS)
    if parties is not None:
        query = query.where(jobs.c.party.in_(sorted(parties)))
    if before is not None:
        query = query.where(
            or_(
                jobs.c.created_at_s < before.created_at_s,
                and_(jobs.c.created_at_s == before.created_at_s, jobs.c.id < before.id),
            )
        )
    query = query.order_by(jobs.c.created_at_s.desc(), jobs.c.id.desc()).limit(limit)
    return [_job(row) for row in conn.execute(query)]


def claimable(now_s: int) -> ColumnElement[bool]:
    return or_(jobs.c.state == WAITING, and_(jobs.c.state == RUNNING, jobs.c.lease_until_s < now_s))


def pending(conn: Connection, now_s: int, limit: int) -> list[str]:
    """Ids of jobs that a worker may take or help with now, oldest first."""
    open_shards = (
        select(shards.c.job).where(shards.c.output.is_(None), shards.c.worker == "").distinct()
    )
    query = (
        select(jobs.c.id)
        .where(or_(claimable(now_s), jobs.c.id.in_(open_shards)))
        .order_by(jobs.c.created_at_s, jobs.c.id)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def claim(conn: Connection, id_: str, worker: str, now_s: int, until_s: int) -> bool:
    """Take a job, unless another worker has it or it has ended."""
    done = conn.execute(
        update(jobs)
        .where(jobs.c.id == id_, claimable(now_s))
        .values(
            state=RUNNING,
            worker=worker,
            lease_until_s=until_s,
            attempts=jobs.c.attempts + 1,
            done=0,
            total=0,
            text="",
        )
    )
    if not done.rowcount:
        return False
    conn.execute(
        update(jobs).where(jobs.c.id == id_, jobs.c.started_at_s == 0).values(started_at_s=now_s)
    )
    return True


def renew(conn: Connection, id_: str, worker: str, until_s: int, seen: tuple[int, int, str]) -> str:
    """Renew a lease and store the progress. Returns "lost", "cancel" or ""."""
    done, total, text = seen
    said = hold(conn, id_, worker)
    if said != "lost":
        values = {"lease_until_s": until_s, "done": done, "total": total, "text": text[:TEXT_MAX]}
        conn.execute(update(jobs).where(jobs.c.id == id_).values(values))
    return said


def end(
    conn: Connection,
    id_: str,
    worker: str,
    state: str,
    now_s: int,
    *,
    result: Result | None = None,
    error: str = "",
    seen: tuple[int, int, str] = (0, 0, ""),
) -> bool:
    """End a job that this worker has (`worker`: "" for one that nobody has begun). False where the
    job is another's, or has ended. `seen`: its last progress."""
    found = conn.execute(
        update(jobs)
        .where(
            jobs.c.id == id_,
            jobs.c.state == (RUNNING if worker else WAITING),
            jobs.c.worker == worker,
        )
        .values(
            state=state,
            worker="",
            lease_until_s=0,
            ended_at_s=now_s,
            secret=b"",
            done=seen[0],
            total=seen[1],
            text=seen[2][:TEXT_MAX],
            result=None if result is None else _write(result),
            error=error,
        )
    )
    return bool(found.rowcount)


def hold(conn: Connection, id_: str, worker: str) -> str:
    """Lock the row of a job that this worker has. Returns "lost", "cancel" or ""."""
    mine = jobs.c.id == id_, jobs.c.state == RUNNING, jobs.c.worker == worker
    # An update that changes nothing: it takes the row's lock, and no progress with it.
    if not conn.execute(update(jobs).where(*mine).values(worker=worker)).rowcount:
        return "lost"
    asked = conn.execute(select(jobs.c.cancel_asked).where(jobs.c.id == id_)).scalar_one()
    return "cancel" if asked else ""


def ask_cancel(conn: Connection, id_: str) -> None:
    conn.execute(
        update(jobs)
        .where(jobs.c.id == id_, jobs.c.state.in_((WAITING, RUNNING)))
        .values(cancel_asked=1)
    )


def release(conn: Connection, id_: str, worker: str, until_s: int) -> None:
    """Let another worker take a job over after `until_s`; this was no attempt."""
    conn.execute(
        update(jobs)
        .where(jobs.c.id == id_, jobs.c.state == RUNNING, jobs.c.worker == worker)
        .values(lease_until_s=until_s, attempts=jobs.c.attempts - 1)
    )


def has_old(conn: Connection, before_s: int) -> bool:
    return conn.execute(_old(before_s).limit(1)).first() is not None


def _old(before_s: int) -> Select[Any]:
    return select(jobs.c.id).where(jobs.c.ended_at_s > 0, jobs.c.ended_at_s < before_s)


def purge(conn: Connection, before_s: int) -> int:
    """Forget jobs that ended before a time, with all that came of them."""
    ids = list(conn.execute(_old(before_s).limit(1000)).scalars())
    if ids:
        conn.execute(delete(files).where(files.c.job.in_(ids)))
        conn.execute(delete(shards).where(shards.c.job.in_(ids)))
        conn.execute(delete(jobs).where(jobs.c.id.in_(ids)))
    return len(ids)


# Files


def save_part(conn: Connection, id_: str, name: str, part: int, data: bytes) -> None:
    conn.execute(insert(files).values(job=id_, name=name, part=part, data=data))


def file_parts(conn: Connection, id_: str, name: str) -> Iterator[bytes]:
    query = (
        select(files.c.data)
        .where(files.c.job == id_, files.c.name == name)
        .order_by(files.c.part)
        .execution_options(yield_per=4)
    )
    for data in conn.execute(query).scalars():
        yield bytes(data)


def drop_files(conn: Connection, id_: str, *names: str) -> None:
    conn.execute(delete(files).where(files.c.job == id_, files.c.name.in_(names)))


# Shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A piece of a job: what to do, and what came of it."""

    number: int
    input: bytes
    output: bytes | None


def shards_of(conn: Connection, id_: str) -> list[Shard]:
    query = select(shards).where(shards.c.job == id_).order_by(shards.c.number)
    return [
        Shard(
            number=row.number,
            input=bytes(row.input),
            output=None if row.output is None else bytes(row.output),
        )
        for row in conn.execute(query)
    ]


def save_shards(conn: Connection, id_: str, inputs: Sequence[bytes]) -> None:
    """Pieces that nobody has begun."""
    values = [
        {"job": id_, "number": number, "input": data, "output": None, "worker": ""}
        for number, data in enumerate(inputs)
    ]
    if values:
        conn.execute(insert(shards), values)


def open_shards(conn: Connection, id_: str, *, begun: bool) -> list[int]:
    """Pieces without a result, first those that nobody has begun; `begun`: the others too."""
    query = select(shards.c.number).where(shards.c.job == id_, shards.c.output.is_(None))
    if not begun:
        query = query.where(shards.c.worker == "")
    return list(conn.execute(query.order_by(shards.c.worker, shards.c.number)).scalars())


def take_shard(conn: Connection, id_: str, number: int, worker: str) -> bytes | None:
    """Begin a piece that nobody has begun; its input. None where somebody was quicker."""
    which = shards.c.job == id_, shards.c.number == number
    taken = conn.execute(
        update(shards)
        .where(*which, shards.c.output.is_(None), shards.c.worker == "")
        .values(worker=worker)
    )
    if not taken.rowcount:
        return None
    return shard_input(conn, id_, number)


def shard_input(conn: Connection, id_: str, number: int) -> bytes | None:
    query = select(shards.c.input).where(shards.c.job == id_, shards.c.number == number)
    found = conn.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def save_output(conn: Connection, id_: str, number: int, given: bytes, output: bytes) -> None:
    """What came of a piece; nothing where it is done, gone, or another piece by now."""
    conn.execute(
        update(shards)
        .where(
            shards.c.job == id_,
            shards.c.number == number,
            shards.c.output.is_(None),
            shards.c.input == given,
        )
        .values(output=output)
    )


def drop_shards(conn: Connection, id_: str) -> None:
    conn.execute(delete(shards).where(shards.c.job == id_))
