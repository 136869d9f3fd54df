"""What a Parquet file unpacks to, counted from its own page headers before anything is unpacked.

The footer says how large column chunks are, and may lie. Whoever unpacks a page makes room for what
its header says, so that this is what bounds the memory. Read here: the Thrift compact protocol, of
the footer `FileMetaData` and of each `PageHeader` (apache/parquet-format, parquet.thrift). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput

_MAGIC: Final = b"PAR1"
_NESTING_MAX: Final = 32
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64 = range(7)
_DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(7, 13)
# Texts as what they share with the text before, and the rest: a megabyte may hold gigabytes.
_DELTA_BYTE_ARRAY: Final = 7

Struct = dict[int, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`unpacked_bytes` and `values` as its header says; `column` counts over all row groups."""

    column: int
    unpacked_bytes: int
    values: int


class _Thrift:
    """Reads one struct: {field id: value}. Raises IndexError or ValueError where it is broken."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def struct(self, nesting: int = _NESTING_MAX) -> Struct:
        if not nesting:
            raise ValueError("nested too deeply")
        found: Struct = {}
        field = 0
        while kind := self._byte():
            delta, kind = divmod(kind, 16)
            field = field + delta if delta else self._signed()
            found[field] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, nesting)
        return found

    def _value(self, kind: int, nesting: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return self._signed()
        if kind == _BINARY:
            return self._take(self._unsigned())
        if kind == _STRUCT:
            return self.struct(nesting - 1)
        if kind in (_LIST, _SET):
            return self._list(nesting)
        if kind in (_BYTE, _TRUE, _FALSE):
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        raise ValueError(f"a value of type {kind}")

    def _list(self, nesting: int) -> list[Any]:
        if not nesting:
            raise ValueError("nested too deeply")
        count, kind = divmod(self._byte(), 16)
        count = self._unsigned() if count == 15 else count
        if count > len(self._data) - self.at:
            raise ValueError(f"a list of {count} in what is left")
        return [self._value(kind, nesting - 1) for _ in range(count)]

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.at:
            raise ValueError(f"{size} bytes in what is left")
        self.at += size
        return self._data[self.at - size : self.at]

    def _unsigned(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
            shift += 7
            if shift > 63:
                raise ValueError("an integer of more than 64 bits")

    def _signed(self) -> int:
        found = self._unsigned()
        return (found >> 1) ^ -(found & 1)


def pages(data: bytes, where: str) -> Iterator[Page]:
    """Each page of each column chunk, in order. Raises InvalidInput where the file is broken, and
    for texts that are packed without bound."""
    try:
        yield from _pages(data)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{where}: not a whole Parquet file: {error!r}") from error


def _pages(data: bytes) -> Iterator[Page]:
    size = int.from_bytes(data[-8:-4], "little")
    if len(data) < 12 + size or data[:4] != _MAGIC or data[-4:] != _MAGIC:
        raise ValueError("its ends are not PAR1")
    end = len(data) - 8 - size
    column = 0
    for group in _Thrift(data, end).struct()[4]:
        for chunk in group[1]:
            yield from _pages_of(data[:end], chunk[3], column)
            column += 1


def _pages_of(data: bytes, chunk: Struct, column: int) -> Iterator[Page]:
    """`chunk`: a ColumnMetaData. Its pages follow one another, the dictionary first."""
    at, dictionary_at, size = chunk[9], chunk.get(11, 0), chunk[7]
    if 0 < dictionary_at < at:
        at = dictionary_at
    end = at + size
    if not 0 <= at <= end <= len(data):
        raise ValueError("a column lies outside of the file")
    while at < end:
        reader = _Thrift(data, at)
        header = reader.struct()
        unpacked, packed = header[2], header[3]
        inner = header.get(5) or header.get(8) or {}  # of values, not of a dictionary
        values = inner.get(1, 0)
        encoding = inner.get(4 if 8 in header else 2, 0)
        if min(unpacked, packed, values) < 0 or reader.at + packed > end:
            raise ValueError("a page lies outside of its column")
        if encoding == _DELTA_BYTE_ARRAY:
            raise ValueError("texts are packed as DELTA_BYTE_ARRAY: write them another way")
        yield Page(column=column, unpacked_bytes=unpacked, values=values)
        at = reader.at + packed
