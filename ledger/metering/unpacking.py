"""How large a packed file may become: it is counted before anybody makes room for it.

A Parquet file of three kilobytes holds a gigabyte of text, and an XLSX file is a ZIP archive. What
both say of their size in one place they may deny in another, so that here each page header of the
one, and each part of the other, is gone through. A file may become so much larger than it is: real
tables shrink by ten or twenty times, files made to hurt by thousands.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection
from itertools import pairwise
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.metering.parquet_pages import pages

UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
ROWS_MAX: Final = 10_000_000
CELLS_MAX: Final = 20_000_000
# What any file may have, and what more for each of its bytes, up to those bounds.
_UNPACKED_FREE: Final = 64 * 1024 * 1024
_UNPACKED_A_BYTE: Final = 100
_CELLS_FREE: Final = 2_000_000
_CELLS_A_BYTE: Final = 8
# A cell of a spreadsheet holds 32,767 characters; a text of its own, with fonts, some more bytes.
_TEXT_BYTES_MAX: Final = 512 * 1024
_CELL: Final = re.compile(rb"<(?:\w+:)?c(?=[\s/>])")
_ADDRESSED: Final = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"'][A-Za-z]{1,3}[0-9]{1,7}[\"']")
# Of cells, and of rows, which have no letters.
_ADDRESS: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{0,3})([0-9]{1,7})[\"']")
_TEXT: Final = re.compile(rb"<(?:\w+:)?si[\s/>]")
_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 1


def check_parquet(data: bytes, metadata: Any, where: str, wanted: Collection[str] = ()) -> None:
    """`metadata`: a pyarrow FileMetaData of the file. `wanted`: the columns that will be read; none
    stands for all. Raises InvalidInput."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    # Not of each column: pyarrow ends the process where those are damaged.
    size = sum(group.total_byte_size for group in groups)
    _check_size(size, len(data), where)
    unpacked, values = 0, Counter[int]()
    for page in pages(data, where):
        unpacked += page.unpacked_bytes
        values[page.column % metadata.num_columns] += page.values
    _check_size(unpacked, len(data), where)
    rows = max(rows, *values.values(), 0)
    if rows > ROWS_MAX:
        raise InvalidInput(f"{where}: {rows:,} rows; a file has {ROWS_MAX:,} at most: send parts")
    _check_cells(rows, len(wanted) or metadata.num_columns, len(data), where)


def check_xlsx(data: bytes, where: str) -> None:
    """A spreadsheet becomes a full rectangle up to its farthest cell: one of a kilobyte can take
    more memory than there is, and no error is raised then, the process ends. Raises InvalidInput.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as found:
            parts = found.infolist()
            names = {one.filename for one in parts}
            if "xl/workbook.xml" not in names or names & {"content.xml", "xl/workbook.bin"}:
                raise InvalidInput(f"{where}: not a whole XLSX file: it is another archive")
            _check_size(sum(one.file_size for one in parts), len(data), where)
            _check_parts(data, parts, where)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError) as error:
        raise InvalidInput(f"{where}: not a whole XLSX file: {error}") from error


def _check_parts(data: bytes, parts: Collection[zipfile.ZipInfo], where: str) -> None:
    longest = cells = 0
    for one in parts:
        part = _unpacked(data, one)
        cells += _check_sheet(part, len(data), where)
        longest = max(longest, _longest_text(part, where))
    # Each cell has a copy of its text.
    if longest > 1024 and longest * cells > UNPACKED_BYTES_MAX:
        raise InvalidInput(
            f"{where}: {cells:,} cells, and a text of {longest:,} bytes for any of them: send parts"
        )


def _unpacked(data: bytes, part: zipfile.ZipInfo) -> bytes:
    """The bytes of a part, which are as many as the archive says: `zipfile` stops reading there,
    others go on. Raises BadZipFile or zlib.error."""
    name = part.filename
    at = part.header_offset
    head = data[at : at + _LOCAL_HEADER_BYTES]
    at += len(head) + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = data[at : at + part.compress_size]
    if part.flag_bits & _ENCRYPTED or len(packed) != part.compress_size:
        raise zipfile.BadZipFile(f"{name} is encrypted, or cut off")
    if part.compress_type == zipfile.ZIP_STORED:
        found, whole = packed, True
    elif part.compress_type == zipfile.ZIP_DEFLATED:
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        found = unpack.decompress(packed, part.file_size + 1)
        whole = unpack.eof
    else:
        raise zipfile.BadZipFile(f"{name} is packed in a way that spreadsheets are not")
    if not whole or len(found) != part.file_size or zlib.crc32(found) != part.CRC:
        raise zipfile.BadZipFile(f"{name} is not of the size and checksum that the archive says")
    return found


def _longest_text(part: bytes, where: str) -> int:
    """Of the texts that cells refer to by number: the bytes of the longest one."""
    starts = [found.start() for found in _TEXT.finditer(part)]
    longest = max((end - at for at, end in pairwise([*starts, len(part)])), default=0)
    if longest > _TEXT_BYTES_MAX:
        raise InvalidInput(f"{where}: a text of {longest:,} bytes in one cell")
    return longest


def _check_sheet(part: bytes, packed: int, where: str) -> int:
    """How many cells it has. Raises InvalidInput where they make too large a rectangle."""
    if b"sheetData" not in part:
        return 0
    cells = len(_CELL.findall(part))
    if cells != len(_ADDRESSED.findall(part)):
        raise InvalidInput(f"{where}: cells without an address (r); save it by another program")
    columns, rows = {b""}, {b"0"}
    for match in _ADDRESS.finditer(part):
        columns.add(match[1])
        rows.add(match[2])
    _check_cells(max(map(int, rows)), max(map(_column_number, columns)), packed, where)
    return cells


def _column_number(letters: bytes) -> int:
    """A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _check_cells(height: int, width: int, packed: int, where: str) -> None:
    most = min(_CELLS_FREE + _CELLS_A_BYTE * packed, CELLS_MAX)
    if width * height > most:
        raise InvalidInput(
            f"{where}: a table of {height:,} rows and {width:,} columns; {most:,} cells are read of"
            " a file of this size at most: delete what is far from the table, or send parts"
        )


def _check_size(size: int, packed: int, where: str) -> None:
    most = min(_UNPACKED_FREE + _UNPACKED_A_BYTE * packed, UNPACKED_BYTES_MAX)
    if size > most:
        raise InvalidInput(
            f"{where}: it unpacks to {size:,} bytes; {most:,} are read of a file of this size at"
            " most: send parts"
        )
