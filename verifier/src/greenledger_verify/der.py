"""A strict reader of DER (ITU-T X.690 §10), as far as time-stamps need it.

Definite, shortest lengths; tags of one byte; nothing after the last element. Whoever asks goes down
one level at a time, so that no input can make it recurse.
"""

import re
from dataclasses import dataclass
from typing import Final

from greenledger_verify.failure import VerificationError

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_ID: Final = 0x06
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_TIME = re.compile(rb"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})(\.[0-9]{1,6})?Z")
_HASH_IDS: Final = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_LENGTH_BYTES_MAX: Final = 4
_OBJECT_ID_MAX: Final = 64
_INTEGER_MAX: Final = 64


def context(number: int, *, constructed: bool = True) -> int:
    """The tag ``[number]``."""
    return (0xA0 if constructed else 0x80) | number


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag byte, its content, and the bytes of the whole."""

    tag: int
    content: bytes
    raw: bytes


def read_one(raw: bytes, tag: int) -> Element:
    """The only element of ``raw``."""
    element, end = _element(raw, 0)
    if end != len(raw):
        raise VerificationError("something follows the DER element")
    return require(element, tag)


def require(element: Element, tag: int) -> Element:
    if element.tag != tag:
        raise VerificationError(
            "DER element with the tag {given}, where {expected} belongs",
            given=f"{element.tag:02x}",
            expected=f"{tag:02x}",
        )
    return element


class Reader:
    """The elements inside of one, in order; ``end`` says that none is left."""

    def __init__(self, holder: Element) -> None:
        self._content = holder.content
        self._at = 0

    @property
    def left(self) -> bool:
        return self._at < len(self._content)

    def next(self, tag: int) -> Element:
        if not self.left:
            raise VerificationError("a DER element is missing")
        element, self._at = _element(self._content, self._at)
        return require(element, tag)

    def optional(self, tag: int) -> Element | None:
        return self.next(tag) if self.left and self._content[self._at] == tag else None

    def any(self) -> Element:
        """The next element, whatever its tag."""
        if not self.left:
            raise VerificationError("a DER element is missing")
        element, self._at = _element(self._content, self._at)
        return element

    def all(self, tag: int, count_max: int) -> list[Element]:
        """All that is left: elements of one tag."""
        found: list[Element] = []
        while self.left:
            if len(found) == count_max:
                raise VerificationError("more than {max} DER elements in one", max=count_max)
            found.append(self.next(tag))
        return found

    def end(self) -> None:
        if self.left:
            raise VerificationError("a DER element more than belongs here")


def object_id(element: Element) -> str:
    """``1.2.840…``"""
    content = require(element, OBJECT_ID).content
    if not content or len(content) > _OBJECT_ID_MAX or content[-1] & 0x80:
        raise VerificationError("not an object identifier")
    arcs, value, fresh = [], 0, True
    for byte in content:
        if fresh and byte == 0x80:
            raise VerificationError("not an object identifier")
        value, fresh = value << 7 | byte & 0x7F, not byte & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def integer(element: Element, tag: int = INTEGER) -> int:
    """A number not below 0."""
    content = require(element, tag).content
    redundant = len(content) > 1 and content[0] == 0 and not content[1] & 0x80
    if not content or len(content) > _INTEGER_MAX or redundant or content[0] & 0x80:
        raise VerificationError("not an integer from 0 on, in its shortest form")
    return int.from_bytes(content, "big")


def hash_algorithm(element: Element) -> str:
    """An AlgorithmIdentifier of SHA-256, SHA-384 or SHA-512, by hashlib's name."""
    reader = Reader(require(element, SEQUENCE))
    name = object_id(reader.next(OBJECT_ID))
    parameters = reader.optional(NULL)
    reader.end()
    if name not in _HASH_IDS or (parameters is not None and parameters.content):
        raise VerificationError("the algorithm {id} is not SHA-256, SHA-384 or SHA-512", id=name)
    return _HASH_IDS[name]


def boolean(element: Element) -> bool:
    content = require(element, BOOLEAN).content
    if content not in (b"\x00", b"\xff"):
        raise VerificationError("not a DER boolean")
    return content == b"\xff"


def time_parts(element: Element) -> tuple[tuple[int, ...], int]:
    """A GeneralizedTime in UTC: year to second, and microseconds."""
    match = _TIME.fullmatch(require(element, GENERALIZED_TIME).content)
    fraction = b"" if match is None else match[7] or b""
    if match is None or fraction.endswith(b"0"):
        raise VerificationError("not a GeneralizedTime in UTC, to the microsecond at most")
    parts = tuple(int(match[number]) for number in range(1, 7))
    return parts, int(fraction[1:].ljust(6, b"0") or b"0")


def _element(raw: bytes, at: int) -> tuple[Element, int]:
    """The element that begins at ``at``, and where it ends."""
    if at + 2 > len(raw):
        raise VerificationError("a DER element is cut off")
    tag, length, begin = raw[at], raw[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise VerificationError("a DER tag of more than one byte")
    if length & 0x80:
        count = length & 0x7F
        field = raw[begin : begin + count]
        begin += count
        length = int.from_bytes(field, "big")
        if not 1 <= count <= _LENGTH_BYTES_MAX or len(field) != count:
            raise VerificationError("a DER length that is indefinite, cut off or too long")
        if field[0] == 0 or length < 0x80:
            raise VerificationError("a DER length that is not in its shortest form")
    end = begin + length
    if end > len(raw):
        raise VerificationError("a DER element is cut off")
    return Element(tag, raw[begin:end], raw[at:end]), end
