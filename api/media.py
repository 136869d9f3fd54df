"""What goes over the wire: strict models, pages, what was written."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

import orjson
from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ledger.errors import InvalidInput
from ledger.log.service import Receipt

PAGE_MAX: Final = 1_000
JsonObject = dict[str, Any]

PARTY: Final = r"^[a-z][a-z0-9-]{0,39}$"
HEX_16: Final = r"^[0-9a-f]{32}$"
HEX_32: Final = r"^[0-9a-f]{64}$"
INSTANT: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
MONTH: Final = r"^\d{4}-(0[1-9]|1[0-2])$"
NAME: Final = r"^[a-z0-9][a-z0-9-]{0,63}$"

PartyId = Annotated[str, Field(pattern=PARTY, examples=["mill"])]
Id = Annotated[str, Field(pattern=HEX_16, examples=["00112233445566778899aabbccddeeff"])]
Instant = Annotated[str, Field(pattern=INSTANT, examples=["2026-01-01T00:00:00Z"])]
# A note, a reason, a name: no control characters, which could not be stored everywhere.
Words = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=500)]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
PointPath = Annotated[str, Path(pattern=NAME, description="A point's name")]
PointName = Annotated[str, Field(pattern=NAME, examples=["roof-1"])]


class Model(BaseModel):
    """Strict: no unknown member, no text for a number."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


BINARY: Final[dict[int | str, JsonObject]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}
TOKEN: Final[dict[int | str, JsonObject]] = {
    200: {
        "content": {
            "application/timestamp-reply": {"schema": {"type": "string", "format": "binary"}}
        }
    }
}
TEXT: Final[dict[int | str, JsonObject]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}
Item = TypeVar("Item")


class Page(Model, Generic[Item]):
    """A part of a list. `next` goes into `?cursor=` for the part after it; empty at the end."""

    items: list[Item]
    next: str = ""


class Written(Model):
    """One entry of the log: where it stands, and its public statement."""

    index: int
    leaf: str
    id: str
    repeated: bool
    statement: JsonObject


class Receipts(Model):
    """What a request wrote. `facts`: figures of the act that the entries do not show.

    `draft`: with 202, nothing is written yet: another officer approves it.
    """

    receipts: list[Written]
    facts: JsonObject = {}
    draft: str = ""


def receipts_of(found: Sequence[Receipt], facts: JsonObject | None = None) -> Receipts:
    return Receipts(
        receipts=[
            Written(
                index=one.index,
                leaf=one.entry.leaf_hash.hex(),
                id=one.entry.id,
                repeated=one.repeated,
                statement=dict(one.entry.statement),
            )
            for one in found
        ],
        facts=facts or {},
    )


Cursor = Annotated[str, Query(max_length=300, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Rows of a page at most")]


def encode_cursor(last: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(last)).decode().rstrip("=")


def decode_cursor(cursor: str) -> Any:
    """What `encode_cursor` was given. Raises InvalidInput."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return orjson.loads(data)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("cursor is not the `next` of a page before") from error


def after_id(cursor: str) -> bytes:
    """The id (16 bytes) that the page before ended with; none before the first. Raises
    InvalidInput."""
    if not cursor:
        return b""
    last = decode_cursor(cursor)
    if not isinstance(last, str) or not re.fullmatch(HEX_16, last):
        raise InvalidInput("cursor is of another list")
    return bytes.fromhex(last)


def after_entry(cursor: str) -> int:
    """The entry that the page before ended with; -1 before the first. Raises InvalidInput."""
    last = decode_cursor(cursor) if cursor else -1
    if type(last) is not int:
        raise InvalidInput("cursor is of another list")
    return last


Row = TypeVar("Row")


def page_found(
    rows: Sequence[Row], show: Callable[[Row], Item], *, key: Callable[[Row], Any], limit: int
) -> Page[Item]:
    """A page of rows as a query gave them: in order, from the cursor on, one more than `limit`."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        items=[show(row) for row in shown], next=encode_cursor(key(shown[-1])) if more else ""
    )


def page_of(
    rows: Sequence[Row],
    show: Callable[[Row], Item],
    *,
    key: Callable[[Row], Any],
    cursor: str,
    limit: int,
) -> Page[Item]:
    """A page of all rows, for lists that stay short; `key` tells any two of them apart."""
    in_order = sorted(rows, key=key)
    if cursor:
        last = decode_cursor(cursor)
        if in_order and type(last) is not type(key(in_order[0])):
            raise InvalidInput("cursor is of another list")
        in_order = [row for row in in_order if key(row) > last]
    return page_found(in_order, show, key=key, limit=limit)


def tagged(request: Request, content: Any, tag: str = "") -> Response:
    """JSON with an ETag; 304 where the caller has it already."""
    body = orjson.dumps(content)
    etag = f'"{tag or hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
