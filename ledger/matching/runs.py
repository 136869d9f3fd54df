"""Runs in the database, found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, SmallInteger, String, Table, select

from ledger.db import append_only, metadata
from ledger.errors import NotFound
from ledger.log import store as log_store
from ledger.log.bodies import Blob, json_media
from ledger.log.store import LogFacts
from ledger.matching import allocations as a
from ledger.units import Period

runs: Final = append_only(
    Table(
        "runs",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("id", String(32), nullable=False),
        Column("policy", String(40), nullable=False),
        Column("as_of", BigInteger, nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("end_s", BigInteger, nullable=False),
        Column("root", String(64), nullable=False),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A stored run."""

    entry_index: int
    id: str
    policy: str
    as_of: int
    period: Period
    allocations: a.Allocations


def list_runs(
    conn: Connection, log_id: int, *, after: int = -1, limit: int | None = None
) -> Sequence[Any]:
    """Rows of `runs`, in log order; at most `limit`, of entries after `after`."""
    query = select(runs).where(runs.c.log_id == log_id, runs.c.entry_index > after)
    return conn.execute(query.order_by(runs.c.entry_index).limit(limit)).all()


def load_run(conn: Connection, log: LogFacts, entry_index: int) -> Run:
    """A stored run with its allocations. Raises NotFound."""
    row = conn.execute(
        select(runs).where(runs.c.log_id == log.log_id, runs.c.entry_index == entry_index)
    ).one_or_none()
    if row is None:
        known = ", ".join(str(one.entry_index) for one in list_runs(conn, log.log_id))
        raise NotFound(f"entry {entry_index} is no matching run; runs are {known or 'none'}")
    data = log_store.load_body(conn, log.log_id, row.root)
    if data is None:
        raise NotFound(f"the allocations of run {entry_index} are not stored here")
    return Run(
        entry_index=entry_index,
        id=row.id,
        policy=row.policy,
        as_of=row.as_of,
        period=Period(start_s=row.start_s, end_s=row.end_s),
        allocations=a.Allocations.open(data, origin=log.origin, id_=row.id),
    )


def load_lanes(conn: Connection, log: LogFacts, entry_index: int) -> list[a.LaneRow]:
    """The lanes of a run, without making its tree again."""
    root = conn.execute(
        select(runs.c.root).where(runs.c.log_id == log.log_id, runs.c.entry_index == entry_index)
    ).scalar_one_or_none()
    data = log_store.load_body(conn, log.log_id, root) if root else None
    if data is None:
        raise NotFound(f"entry {entry_index} is no matching run whose allocations are stored here")
    return a.parse_lanes(data)[1]


def as_of_of(conn: Connection, log_id: int, entry_index: int) -> int:
    """The log size that a stored run knows."""
    query = select(runs.c.as_of).where(runs.c.log_id == log_id, runs.c.entry_index == entry_index)
    return int(conn.execute(query).scalar_one())


def load_manifest(conn: Connection, log: LogFacts, entry_index: int) -> dict[str, Any]:
    """The opened manifest of a run."""
    entry = log_store.entry_at(conn, log.log_id, entry_index)
    data = log_store.load_body(conn, log.log_id, entry.statement["manifest"]["hash"])
    if data is None:
        raise NotFound(f"the manifest of run {entry_index} is not stored here")
    return Blob.open(data, json_media("run")).json()
