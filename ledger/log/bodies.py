"""Bodies: what a statement commits to without showing it (docs/formats.md §2).

A statement's member refers to a body by hash or by the root of an inner tree. A `Body` is made only
by computing its key from its content, so holding one means that the commitment has been checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from ledger.errors import InvalidInput
from ledger.log import store
from ledger.log.entry import Entry, parse_json
from ledger.log.erasing import Kept

SALT_BYTES: Final = 32
JSON_NESTING_MAX: Final = 32


class Body(Protocol):
    """Bytes beside the log, with the commitment computed from them."""

    @property
    def key(self) -> str:
        """Hash or root, in hex."""

    @property
    def size(self) -> int:
        """Bytes of a hashed body, leaves of a tree."""

    @property
    def media(self) -> str: ...

    @property
    def data(self) -> bytes:
        """The body's bytes, as exported."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A salted body, committed by its hash."""

    data: bytes
    media: str
    key: str

    @classmethod
    def seal(cls, content: bytes, media: str, *, salt: bytes) -> Blob:
        assert len(salt) == SALT_BYTES
        return cls.open(salt + content, media)

    @classmethod
    def seal_json(cls, content: Mapping[str, Any], name: str, *, salt: bytes) -> Blob:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return cls.seal(text.encode(), json_media(name), salt=salt)

    @classmethod
    def open(cls, data: bytes, media: str) -> Blob:
        if len(data) < SALT_BYTES:
            raise InvalidInput(f"a body of {len(data)} bytes has no salt of {SALT_BYTES} bytes")
        return cls(data, media, hashlib.sha256(data).hexdigest())

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def content(self) -> bytes:
        return self.data[SALT_BYTES:]

    def json(self) -> dict[str, Any]:
        """Raises InvalidInput unless the content is a JSON object of our strict kind."""
        try:
            text = self.content.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"body {self.key} is not UTF-8: {error}") from error
        found = parse_json(text, nesting_max=JSON_NESTING_MAX)
        if not isinstance(found, dict):
            raise InvalidInput(f"body {self.key} is not a JSON object")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Stands in a replay for a body that a later entry erases: its commitment alone."""

    key: str
    size: int
    media: str

    @property
    def data(self) -> bytes:
        raise AssertionError("what is gone is neither stored nor exported")


def _stand_in(reference: Mapping[str, Any], _kept: Kept) -> Body:
    (key,) = (reference[name] for name in ("hash", "root") if name in reference)
    return Gone(key=key, size=reference["size"], media=reference["media"])


def json_media(name: str) -> str:
    return f"application/vnd.greenledger.{name}+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyKind:
    """How one member's body is opened from bytes, kept, and found again.

    `open(data, entry, origin)` computes the commitment. `keeps_bytes` is False where `accept` of
    the entry type stores the content in tables of its own; `load` puts the same bytes together.
    `show(body)`: what it says, as JSON, for whoever has to approve it; None where it is too long.
    `stand_in(reference, kept)`: what a replay has of a body that the log erases.
    """

    media: str
    reference: str  # "hash" or "root"
    open: Callable[[bytes, Entry, str], Body]
    load: Callable[[Connection, int, int, str], bytes | None]
    keeps_bytes: bool = True
    show: Callable[[Body], Any] = lambda _body: None
    stand_in: Callable[[Mapping[str, Any], Kept], Body] = _stand_in


def _load_stored(conn: Connection, log_id: int, _index: int, key: str) -> bytes | None:
    return store.load_body(conn, log_id, key)


def blob_kind(media: str) -> BodyKind:
    return BodyKind(
        media=media,
        reference="hash",
        open=lambda data, _entry, _origin: Blob.open(data, media),
        load=_load_stored,
        show=_show_blob,
    )


def _show_blob(body: Body) -> Any:
    return body.json() if isinstance(body, Blob) and body.media.endswith("+json") else None


def tree_kind(
    media: str,
    open_: Callable[[bytes, Entry, str], Body],
    show: Callable[[Body], Any] = lambda _body: None,
) -> BodyKind:
    """A tree whose bytes are kept as they are."""
    return BodyKind(media=media, reference="root", open=open_, load=_load_stored, show=show)


def reference(body: Body, kind: str) -> dict[str, Any]:
    """The member that commits to `body`."""
    return {kind: body.key, "size": body.size, "media": body.media}


def check_reference(member: str, wanted: Mapping[str, Any], kind: BodyKind, body: Body) -> None:
    """Raises InvalidInput unless `body` is what the statement's member commits to."""
    if wanted["media"] != kind.media:
        raise InvalidInput(f"{member}.media is {wanted['media']!r}, not {kind.media!r}")
    if body.key != wanted[kind.reference]:
        raise InvalidInput(
            f"{member}: the body's {kind.reference} is {body.key},"
            f" the entry commits to {wanted[kind.reference]}"
        )
    if body.size != wanted["size"]:
        raise InvalidInput(f"{member}: size {wanted['size']} is stated, the body has {body.size}")
