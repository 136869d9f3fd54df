"""The public log: entries, proofs, checkpoint, and the C2SP tile routes. Nothing here is private.

Full tiles and bundles never change: they may be kept for ever. Partial ones and the checkpoint may
not.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from fastapi import Path, Query
from fastapi.responses import Response
from sqlalchemy import Connection

from api.callers import router_of
from api.media import BINARY, HEX_32, TEXT, TOKEN, Model
from api.problems import documented
from api.service import Service, ServiceOf
from ledger.anchors import shown
from ledger.anchors.tokens import REPLY_MEDIA
from ledger.db import reading
from ledger.errors import NotFound
from ledger.log import logkeys, publish, store, tiles

router = router_of(prefix="/log", tags=["log"])
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOW: Final = {"Cache-Control": "public, no-cache"}
_SECONDS: Final = {"Cache-Control": "public, max-age=5"}
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_INDEX_MAX: Final = 2**63 - 1
_TILE: Final = re.compile(r"(?:x\d{3}/){0,6}\d{3}(?:\.p/(?:[1-9]\d{0,2}))?", re.ASCII)
Index = Annotated[int, Path(ge=0, le=_INDEX_MAX)]


class LogKeyShown(Model):
    """A key that signs the log's checkpoints; `ended_by`: the entry that ended it, or -1."""

    vkey: str
    entry: int
    ended_by: int


class LogShown(Model):
    """What the log is, and how far it reaches. `log_vkey` is one of its keys in force."""

    origin: str
    name: str
    zone: str
    operator: str
    log_vkey: str
    log_keys: list[LogKeyShown]
    size: int
    checkpoint_size: int


@router.get("", operation_id="log_show")
def show(service: ServiceOf) -> LogShown:
    """The log's name, its key and its size."""
    log = service.log
    with reading(service.desk.engine) as conn:
        size = store.load_head(conn, log.log_id).size
        checkpoint, _ = publish.latest_checkpoint(conn, log)
        keys = logkeys.load(conn, log)
        vkey = logkeys.verification_key(conn, log).vkey
    return LogShown(
        origin=log.origin,
        name=log.name,
        zone=log.zone,
        operator=log.operator,
        log_vkey=vkey,
        log_keys=[
            LogKeyShown(
                vkey=one.key.vkey,
                entry=one.entry_index,
                ended_by=-1 if one.ended_index is None else one.ended_index,
            )
            for one in keys
        ],
        size=size,
        checkpoint_size=checkpoint.size,
    )


@router.get("/checkpoint", operation_id="log_checkpoint", responses=TEXT, response_class=Response)
def checkpoint(service: ServiceOf) -> Response:
    """The latest signed checkpoint (C2SP tlog-checkpoint)."""
    with reading(service.desk.engine) as conn:
        _, note = publish.latest_checkpoint(conn, service.log)
    return Response(note, media_type=_TEXT, headers=_SECONDS)


class AnchorShown(Model):
    """A witness or an authority, how it stands, and the newest that it said.

    `name`: of a witness with the key id behind. `size`, `at_s`: the checkpoint that it vouched for
    last, and its own time then; 0 where there is none. `alarm`: it has seen more of the log than is
    here (`ahead`), or another history (`conflict`).
    """

    kind: Literal["witness", "authority"]
    name: str
    listed: bool
    audits: bool
    size: int
    at_s: int
    covers_latest: bool
    received: int
    last_success_s: int
    last_failure_s: int
    failures: int
    next_try_s: int
    alarm: Literal["", "ahead", "conflict"]
    alarm_size: int


class AnchorsShown(Model):
    """Who vouches for the latest checkpoint, of `size` entries. `quorum`: of witnesses."""

    size: int
    quorum: int
    witnesses: int
    authorities: int
    anchors: list[AnchorShown]


@router.get("/anchors", operation_id="log_anchors_list")
def anchors(service: ServiceOf) -> AnchorsShown:
    """Witnesses and time-stamping authorities: how each stands."""
    with reading(service.desk.engine) as conn:
        signed, _ = publish.latest_checkpoint(conn, service.log)
        listed = service.house.anchors()
        found = shown.standings(conn, service.log, listed, signed.size)
    witnesses, authorities = shown.vouched(found)
    return AnchorsShown(
        size=signed.size,
        quorum=listed.quorum,
        witnesses=witnesses,
        authorities=authorities,
        anchors=[
            AnchorShown(**{name: one[name] for name in AnchorShown.model_fields}) for one in found
        ],
    )


@router.get(
    "/anchors/{size}/{authority}",
    operation_id="log_token_show",
    responses={**TOKEN, **documented(404)},
    response_class=Response,
)
def token(
    service: ServiceOf,
    size: Index,
    authority: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")],
) -> Response:
    """The RFC 3161 time-stamp of the checkpoint of a size: a TimeStampResp, as `openssl ts -verify`
    takes it."""
    with reading(service.desk.engine) as conn:
        data = shown.token_at(conn, service.log, size, authority)
    return Response(data, media_type=REPLY_MEDIA, headers=_FOREVER)


@router.get(
    "/tile/entries/{number:path}",
    operation_id="log_entries_bundle",
    responses={**BINARY, **documented(404)},
    response_class=Response,
)
def entries_bundle(service: ServiceOf, number: str) -> Response:
    """A bundle of entries (C2SP tlog-tiles): `000`, `x001/234`, or partial, `000.p/17`."""
    index, width = _tile_of(number)
    with reading(service.desk.engine) as conn:
        _require_width(conn, service, 0, index, width)
        begin = index * tiles.WIDTH
        found = store.entry_range(conn, service.log.log_id, begin, begin + width)
        data = tiles.bundle([entry for _, entry in found])
    return _tile_response(data, width)


@router.get(
    "/tile/{level}/{number:path}",
    operation_id="log_tile",
    responses={**BINARY, **documented(404)},
    response_class=Response,
)
def tile(
    service: ServiceOf,
    level: Annotated[int, Path(ge=0, le=63)],
    number: str,
) -> Response:
    """A tile of the tree (C2SP tlog-tiles)."""
    index, width = _tile_of(number)
    with reading(service.desk.engine) as conn:
        edge = _require_width(conn, service, level, index, width)
        nodes = store.nodes(conn, service.log.log_id, edge)
        data = nodes.tile(level, index, width)
    return _tile_response(data, width)


def _tile_of(text: str) -> tuple[int, int]:
    if not _TILE.fullmatch(text):
        raise NotFound(f"there is no tile {text[:80]!r}; tiles are 000, x001/234 or 000.p/17")
    path, _, width = text.partition(".p/")
    number = int("".join(path.replace("x", "").split("/")))
    found = int(width) if width else tiles.WIDTH
    if found > tiles.WIDTH - bool(width):
        raise NotFound(f"a partial tile has 1 to {tiles.WIDTH - 1} hashes, not {found}")
    if number > _INDEX_MAX:
        raise NotFound(f"the log has no tile {text[:80]!r}")
    return number, found


def _require_width(
    conn: Connection, service: Service, level: int, number: int, width: int
) -> tiles.Edge:
    """Only what a signed checkpoint covers is shown: it can't be taken back."""
    signed, _ = publish.latest_checkpoint(conn, service.log)
    there = (signed.size >> (8 * level)) - number * tiles.WIDTH
    if there < width:
        raise NotFound(
            f"the latest checkpoint covers {signed.size} entries: of tile {number} of level {level}"
            f" there are {max(there, 0)} hashes, not {width}"
        )
    return store.load_head(conn, service.log.log_id).edge


def _tile_response(data: bytes, width: int) -> Response:
    headers = _FOREVER if width == tiles.WIDTH else _NOW
    return Response(data, media_type=_BYTES, headers=headers)


@router.get(
    "/entries/{index}",
    operation_id="log_entry",
    responses={**BINARY, **documented(404)},
    response_class=Response,
)
def entry(service: ServiceOf, index: Index) -> Response:
    """An entry's exact bytes: a C2SP signed note."""
    with reading(service.desk.engine) as conn:
        data = store.entry_data(conn, service.log.log_id, index)
    return Response(data, media_type=_BYTES, headers=_FOREVER)


@router.get(
    "/proof/{index}",
    operation_id="log_proof",
    responses={**TEXT, **documented(404)},
    response_class=Response,
)
def proof(service: ServiceOf, index: Index) -> Response:
    """A C2SP tlog-proof of an entry under the latest checkpoint, the entry inside."""
    with reading(service.desk.engine) as conn:
        found = publish.prove_entry(conn, service.log, index)
    return Response(found.encode(), media_type=_TEXT, headers=_NOW)


class Consistency(Model):
    """As `greenledger-verify consistency --batch` takes it."""

    size1: int
    size2: int
    root1: str
    root2: str
    path: list[str]


@router.get("/consistency", operation_id="log_consistency", responses=documented(404))
def consistency(
    service: ServiceOf, size1: Annotated[int, Query(ge=1, le=_INDEX_MAX)]
) -> Consistency:
    """RFC 9162 consistency proof from an earlier size to the latest checkpoint."""
    with reading(service.desk.engine) as conn:
        return Consistency(**publish.prove_consistency(conn, service.log, size1))


class Leaf(Model):
    """Where a leaf stands."""

    index: int


@router.get("/leaf/{leaf}", operation_id="log_leaf", responses=documented(404))
def leaf(service: ServiceOf, leaf: Annotated[str, Path(pattern=HEX_32)]) -> Leaf:
    """The entry with an RFC 9162 leaf hash."""
    with reading(service.desk.engine) as conn:
        index = store.index_of_leaf(conn, service.log.log_id, bytes.fromhex(leaf))
    if index is None:
        raise NotFound(f"the log has no entry with leaf {leaf}")
    return Leaf(index=index)
