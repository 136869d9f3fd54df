"""Where an entry stands: its leaf hash, the log's time, and its proof under the last checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from ledger.errors import NotFound
from ledger.log import publish, store
from ledger.log.checkpoint import TlogProof
from ledger.log.entry import Entry
from ledger.log.service import TICK
from ledger.units import format_instant

Proofs = Mapping[int, str]  # {entry index: tlog-proof}, of those that a checkpoint covers


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An entry of the log. `at_s`: of the tick before it, which is the log's time for it."""

    index: int
    entry: Entry
    leaf: bytes
    at_s: int

    def to_json(self, proofs: Proofs | None = None) -> dict[str, Any]:
        """With `proofs` also the entry's, `""` where no checkpoint covers it yet."""
        found = {
            "entry": self.index,
            "type": self.entry.type,
            "author": self.entry.author,
            "at": format_instant(self.at_s),
            "leaf": self.leaf.hex(),
        }
        return found if proofs is None else {**found, "proof": proofs.get(self.index, "")}


def placed(conn: Connection, log_id: int, index: int) -> Placed:
    """Raises NotFound."""
    return Placed(
        index=index,
        entry=store.entry_at(conn, log_id, index),
        leaf=store.leaf_at(conn, log_id, index),
        at_s=time_at(conn, log_id, index),
    )


def all_placed(conn: Connection, log_id: int, indexes: Iterable[int]) -> dict[int, Placed]:
    """{index: the entry}, in log order."""
    return {index: placed(conn, log_id, index) for index in sorted(set(indexes))}


def tick_of(conn: Connection, log_id: int, index: int) -> int:
    """The entry of the tick that an entry stands under; the genesis stands for the first."""
    query = (
        select(store.entries.c.entry_index)
        .where(
            store.entries.c.log_id == log_id,
            store.entries.c.entry_index <= index,
            store.entries.c.type == TICK,
        )
        .order_by(store.entries.c.entry_index.desc())
        .limit(1)
    )
    return conn.execute(query).scalar_one_or_none() or 0


def time_at(conn: Connection, log_id: int, index: int) -> int:
    """The log's time for an entry: of the tick that it stands under, in Unix seconds."""
    return store.entry_at(conn, log_id, tick_of(conn, log_id, index)).at_s


def prove(conn: Connection, log: store.LogFacts, indexes: Iterable[int]) -> dict[int, str]:
    """tlog-proofs under the latest checkpoint, of those entries that it covers."""
    try:
        checkpoint, note = publish.latest_checkpoint(conn, log)
    except NotFound:
        return {}
    covered = sorted({index for index in indexes if index < checkpoint.size})
    paths = publish.inclusion_paths(conn, log, checkpoint.size, covered)
    return {
        index: TlogProof(
            index=index,
            path=tuple(path),
            checkpoint=note,
            extra=store.entry_data(conn, log.log_id, index),
        )
        .encode()
        .decode()
        for index, path in zip(covered, paths, strict=True)
    }
