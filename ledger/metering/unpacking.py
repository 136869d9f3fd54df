"""How large a packed file may become: what it says of itself is looked at before it is unpacked.

A Parquet file of three kilobytes holds a gigabyte of text, and an XLSX file is a ZIP archive. Who
lies about sizes in a file made by hand still costs the memory of a page at a time; the process is
bounded by whoever runs it (docs/workers.md).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any, Final

from ledger.errors import InvalidInput

UNPACKED_BYTES_MAX: Final = 512 * 1024 * 1024
ROWS_MAX: Final = 10_000_000
CELLS_MAX: Final = 20_000_000
_CELL: Final = re.compile(rb"<(?:\w+:)?c(?=[\s/>])")
_ADDRESSED: Final = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"'][A-Za-z]{1,3}[0-9]{1,7}[\"']")
# Of cells, and of rows, which have no letters.
_ADDRESS: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{0,3})([0-9]{1,7})[\"']")


def check_parquet(metadata: Any, where: str) -> None:
    """`metadata`: a pyarrow FileMetaData. Raises InvalidInput."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
    # Not of each column: pyarrow ends the process where those are damaged.
    size = sum(group.total_byte_size for group in groups)
    if rows > ROWS_MAX:
        raise InvalidInput(f"{where}: {rows:,} rows; a file has {ROWS_MAX:,} at most: send parts")
    _check_size(size, where)


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
            _check_size(sum(one.file_size for one in parts), where)
            for one in parts:
                _check_sheet(found.read(one), where)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError) as error:
        raise InvalidInput(f"{where}: not a whole XLSX file: {error}") from error


def _check_sheet(part: bytes, where: str) -> None:
    if b"sheetData" not in part:
        return
    if len(_CELL.findall(part)) != len(_ADDRESSED.findall(part)):
        raise InvalidInput(f"{where}: cells without an address (r); save it by another program")
    columns, rows = {b""}, {b"0"}
    for match in _ADDRESS.finditer(part):
        columns.add(match[1])
        rows.add(match[2])
    width = max(map(_column_number, columns))
    height = max(map(int, rows))
    if width * height > CELLS_MAX:
        raise InvalidInput(
            f"{where}: a sheet of {height:,} rows and {width:,} columns; {CELLS_MAX:,} cells are"
            " read at most: delete what is far from the table, or send parts"
        )


def _column_number(letters: bytes) -> int:
    """A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _check_size(size: int, where: str) -> None:
    if size > UNPACKED_BYTES_MAX:
        raise InvalidInput(
            f"{where}: it unpacks to {size:,} bytes; {UNPACKED_BYTES_MAX:,} are read at most:"
            " send parts"
        )
