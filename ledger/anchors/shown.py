"""What is shown of anchors: in evidence (docs/formats.md §9), and of how each stands."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from ledger.anchors import store
from ledger.anchors.config import Anchors
from ledger.anchors.service import identity
from ledger.errors import NotFound
from ledger.log import merkle, publish
from ledger.log import store as log_store
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosigned import AUTHORITY, WITNESS, cosigned


def bracket(
    conn: Connection, log: log_store.LogFacts, index: int, head: Checkpoint
) -> list[dict[str, Any]]:
    """Anchored checkpoints around an entry, by size: the last without it, the first with it, and
    that of `head` itself, as far as there are any."""
    sizes = [size for size in store.anchored_sizes(conn, log.log_id) if size <= head.size]
    before = [size for size in sizes if size <= index][-1:]
    after = [size for size in sizes if size > index][:1]
    itself = [size for size in sizes if size == head.size]
    nodes = log_store.present_nodes(conn, log.log_id)
    return [
        {
            "checkpoint": note_at(conn, log, size).decode(),
            "tokens": [
                base64.b64encode(token.data).decode()
                for token in store.tokens_at(conn, log.log_id, size).values()
            ],
            "nodes": base64.b64encode(_path(size, head.size, nodes)).decode(),
        }
        for size in sorted({*before, *after, *itself})
    ]


def _path(old: int, size: int, nodes: merkle.Node) -> bytes:
    return b"" if old == size else b"".join(merkle.consistency_path(old, size, nodes))


def note_at(conn: Connection, log: log_store.LogFacts, size: int) -> bytes:
    """The cosigned note of a size. Raises NotFound."""
    note = publish.note_at(conn, log, size)
    if note is None:
        raise NotFound(f"log {log.origin} has no signed checkpoint of size {size}")
    return cosigned(conn, log.log_id, size, note)


def token_at(conn: Connection, log: log_store.LogFacts, size: int, authority: str) -> bytes:
    """A TimeStampResp. Raises NotFound."""
    found = store.tokens_at(conn, log.log_id, size).get(authority)
    if found is None:
        raise NotFound(f"no time-stamp of {authority!r} for the checkpoint of size {size}")
    return found.data


def standings(
    conn: Connection, log: log_store.LogFacts, anchors: Anchors, latest: int
) -> list[dict[str, Any]]:
    """Each anchor that is listed or has ever answered: how it stands, and the newest that it said.

    `covers_latest`: whether that is of the checkpoint of size `latest`.
    """
    listed = {identity(one) for one in anchors.everybody}
    auditing = {one.key.label for one in anchors.witnesses if one.audits}
    known = {(one.kind, one.name): one for one in store.all_states(conn, log.log_id)}
    newest = _newest(conn, log.log_id)
    found = []
    for kind, name in sorted(listed | known.keys()):
        state = known.get((kind, name), store.State(kind=kind, name=name))
        size, at_s = newest.get((kind, name), (0, 0))
        found.append(
            {
                **asdict(state),
                "listed": (kind, name) in listed,
                "audits": kind == WITNESS and name in auditing,
                "size": size,
                "at_s": at_s,
                "covers_latest": size == latest,
            }
        )
    return found


def _newest(conn: Connection, log_id: int) -> dict[tuple[store.Kind, str], tuple[int, int]]:
    """{anchor: size and time of its newest receipt}."""
    return {(one.kind, one.label): (one.size, one.at_s) for one in store.newest(conn, log_id)}


def vouched(found: list[dict[str, Any]]) -> tuple[int, int]:
    """Of what `standings` says: how many listed witnesses and authorities vouch for the latest."""
    covering = [one for one in found if one["listed"] and one["covers_latest"]]
    witnesses = {one["name"].partition("+")[0] for one in covering if one["kind"] == WITNESS}
    return len(witnesses), sum(one["kind"] == AUTHORITY for one in covering)
