"""The body of an entry about units: JSON leaves under a tree (docs/formats.md §3.6). Pure.

A leaf can be shown without its neighbours: who is shown how a holding was cut does not learn whose
the other parts are.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import merkle
from ledger.log.entry import NESTING_MAX, parse_json
from ledger.metering.batches import NONCE_BYTES, SECRET_BYTES

MEDIA: Final = "application/vnd.greenledger.units"
_MAGIC: Final = b"GLU1"
_CONTROL = re.compile(r"[\x00-\x1f]")
# Made once: there may be thousands of leaves.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
LEAF_BYTES_MAX: Final = 2**24

Leaf = dict[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitsBody:
    """`texts`: the JSON of each leaf, as bytes. `key`: the root. Made by `seal` or `open` only."""

    secret: bytes = field(repr=False)
    origin: str
    id: str
    texts: tuple[bytes, ...]
    key: str

    media = MEDIA

    @classmethod
    def seal(
        cls, leaves: Sequence[Mapping[str, Any]], *, secret: bytes, origin: str, id_: str
    ) -> UnitsBody:
        texts = [_ENCODER.encode(leaf).encode() for leaf in leaves]
        return cls._of(texts, secret, origin, id_)

    @classmethod
    def open(cls, data: bytes, *, origin: str, id_: str) -> UnitsBody:
        """Raises InvalidInput for malformed bytes."""
        secret, texts = _parse(data)
        return cls._of(texts, secret, origin, id_)

    @classmethod
    def _of(cls, texts: Sequence[bytes], secret: bytes, origin: str, id_: str) -> UnitsBody:
        stream = _nonces(secret, origin, id_, len(texts))
        hashes = [merkle.leaf_hash(data) for data in _leaves(texts, stream)]
        return cls(
            secret=secret,
            origin=origin,
            id=id_,
            texts=tuple(texts),
            key=merkle.root(hashes).hex(),
        )

    @property
    def size(self) -> int:
        return len(self.texts)

    @property
    def data(self) -> bytes:
        parts = [_MAGIC, self.secret, struct.pack(">I", len(self.texts))]
        for text in self.texts:
            parts += [struct.pack(">I", len(text)), text]
        return b"".join(parts)

    @cached_property
    def leaves(self) -> tuple[bytes, ...]:
        """nonce ‖ JSON of each leaf: what is hashed under its 00."""
        return tuple(
            _leaves(self.texts, _nonces(self.secret, self.origin, self.id, len(self.texts)))
        )

    def json(self, number: int) -> Leaf:
        """Raises InvalidInput unless leaf `number` is a JSON object of our strict kind."""
        try:
            text = self.texts[number].decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"leaf {number} is not UTF-8: {error}") from error
        if text[:1] + text[-1:] != "{}" or _CONTROL.search(text):
            raise InvalidInput(f"leaf {number} is not a JSON object in one line, from {{ to }}")
        found: Leaf = parse_json(text, nesting_max=NESTING_MAX)
        return found


def _leaves(texts: Sequence[bytes], stream: bytes) -> list[bytes]:
    return [
        stream[NONCE_BYTES * place : NONCE_BYTES * (place + 1)] + text
        for place, text in enumerate(texts)
    ]


def _nonces(secret: bytes, origin: str, id_: str, count: int) -> bytes:
    seed = b"greenledger/units/v1\n" + secret + origin.encode() + b"\n" + id_.encode()
    return hashlib.shake_256(seed).digest(NONCE_BYTES * count)


def _parse(data: bytes) -> tuple[bytes, list[bytes]]:
    head = len(_MAGIC) + SECRET_BYTES + 4
    if len(data) < head or data[: len(_MAGIC)] != _MAGIC:
        raise InvalidInput("a body of units begins with GLU1, a secret and a number of leaves")
    secret = data[len(_MAGIC) : len(_MAGIC) + SECRET_BYTES]
    (count,) = struct.unpack_from(">I", data, head - 4)
    texts, at = [], head
    for _ in range(count):
        if at + 4 > len(data):
            raise InvalidInput("a body of units ends inside of a leaf")
        (length,) = struct.unpack_from(">I", data, at)
        at += 4
        if length > LEAF_BYTES_MAX or at + length > len(data):
            raise InvalidInput(f"a leaf of {length} bytes is too long, or cut off")
        texts.append(data[at : at + length])
        at += length
    if at != len(data):
        raise InvalidInput(f"{len(data) - at} bytes follow the last leaf of a body of units")
    return secret, texts
