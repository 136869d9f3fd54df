"""CSV, XLSX and Parquet bytes → the columns that a profile asks for, with their row numbers.

Rows are numbered as a spreadsheet shows them: the first is row 1, title rows, the header and blank
rows count. A Parquet file has no header row, but is numbered as if it had one.

pyarrow is imported where a Parquet file comes: it takes as long as all the rest of most commands.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

import numpy as np
import python_calamine
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.importers.profile import FileRules
from ledger.metering.importers.report import Notes, listed, nearest
from ledger.metering.quality import Quality
from ledger.metering.unpacking import check_parquet, check_xlsx

_MAGIC: Final = ((b"PK\x03\x04", "xlsx"), (b"PAR1", "parquet"), (b"\xd0\xcf\x11\xe0", "xls"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """`columns`: name → n cells (str in CSV; str, float, bool, date, datetime, time, timedelta in
    XLSX; also int, Decimal and None in Parquet). `row`: int64[n], numbers of the rows."""

    columns: Mapping[str, Sequence[Any]]
    row: NDArray[np.int64]


def as_label(cell: object) -> str:
    """A cell as the name of something: spreadsheets store the meter number 0012 as 12.0."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def read_table(
    data: bytes, rules: FileRules, wanted: Iterable[str], *, name: str, notes: Notes
) -> Table:
    """Reads the wanted columns. Rows of the wrong length are rejected in `notes`, blank rows are
    left out and noted. Raises InvalidInput where the file as a whole can't be read."""
    names = list(dict.fromkeys(wanted))
    if not data:
        raise InvalidInput(f"{name}: the file is empty")
    found = next((form for magic, form in _MAGIC if data.startswith(magic)), "csv")
    if found != rules.format:
        looks = "text" if found == "csv" else found.upper()
        raise InvalidInput(f"{name}: the profile says {rules.format.upper()}, but this is {looks}")
    readers: dict[str, Callable[..., Table]] = {
        "csv": _read_csv,
        "xlsx": _read_xlsx,
        "parquet": _read_parquet,
    }
    table = readers[rules.format](data, rules, names, name, notes)
    if len(table.row) == 0 and not notes.rejections():
        raise InvalidInput(f"{name}: the file has a header, but no rows of data")
    return table


def _positions(header: Sequence[str], wanted: Sequence[str], name: str, where: str) -> list[int]:
    """Where the wanted columns stand. Raises InvalidInput that lists those that exist."""
    for column in wanted:
        count = header.count(column)
        if count == 0:
            present = listed(each for each in header if each)
            raise InvalidInput(
                f"{name}: there is no column {column!r} in {where}{nearest(column, header)}"
                f" (columns: {present})"
            )
        if count > 1:
            raise InvalidInput(f"{name}: column {column!r} occurs {count} times in {where}")
    return [header.index(column) for column in wanted]


def _decode(data: bytes, encoding: str, name: str) -> str:
    try:
        # A byte order mark is never part of a column's name, so both names of UTF-8 drop it.
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{name}: row {row} is not {encoding} text (byte {error.start});"
            " the profile may need another encoding"
        ) from error


def _read_csv(
    data: bytes, rules: FileRules, wanted: Sequence[str], name: str, notes: Notes
) -> Table:
    text = _decode(data, rules.encoding, name)
    if not text.strip():
        raise InvalidInput(f"{name}: the file is empty")
    if rules.final_line_break and not text.endswith(("\n", "\r")):
        last = text.count("\n") + 1
        raise InvalidInput(
            f"{name}: row {last}, the last, does not end in a line break, so the file may be"
            " truncated (where a source writes such files: final_line_break = 'optional')"
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=rules.delimiter, strict=True)
    picked: list[Any] = []
    numbers: list[int] = []
    blank: list[int] = []
    number = 0
    try:
        for _ in range(rules.header_row):
            header = next(reader)
            number += 1
        positions = _positions(header, wanted, name, f"row {rules.header_row}")
        pick: Callable[[Sequence[str]], Any] = itemgetter(*positions)
        width = len(header)
        for number, fields in enumerate(reader, rules.header_row + 1):
            if not any(fields):
                blank.append(number)
            elif len(fields) == width:
                picked.append(pick(fields))
                numbers.append(number)
            else:
                reason = f"has {len(fields)} fields, but the header has {width}"
                notes.rejected(number, "", reason)
    except StopIteration:
        raise InvalidInput(
            f"{name}: the header should be in row {rules.header_row},"
            f" but the file has {number} rows"
        ) from None
    except csv.Error as error:
        raise InvalidInput(
            f"{name}: broken or truncated after row {number}, at line {reader.line_num}: {error}"
        ) from error
    _note_blank(notes, blank)
    by_column = [picked] if len(wanted) == 1 else list(zip(*picked, strict=True))
    if not picked:
        by_column = [[] for _ in wanted]
    return Table(
        columns=dict(zip(wanted, by_column, strict=True)), row=np.array(numbers, dtype=np.int64)
    )


def _read_xlsx(
    data: bytes, rules: FileRules, wanted: Sequence[str], name: str, notes: Notes
) -> Table:
    check_xlsx(data, name)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(data))
        sheets = workbook.sheet_names
        if rules.sheet and rules.sheet not in sheets:
            raise InvalidInput(
                f"{name}: there is no sheet {rules.sheet!r}{nearest(rules.sheet, sheets)}"
                f" (sheets: {listed(sheets)})"
            )
        sheet = workbook.get_sheet_by_name(rules.sheet or sheets[0])
        # Leading empty rows must stay, or the row numbers would not be those of the spreadsheet.
        rows = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, IndexError, OSError) as error:
        raise InvalidInput(f"{name}: not a whole XLSX file: {error}") from error
    if len(rows) < rules.header_row:
        raise InvalidInput(
            f"{name}: the header should be in row {rules.header_row},"
            f" but the sheet has {len(rows)} rows"
        )
    header = [
        cell if isinstance(cell, str) else as_label(cell) for cell in rows[rules.header_row - 1]
    ]
    positions = _positions(header, wanted, name, f"row {rules.header_row}")
    body = rows[rules.header_row :]
    full = np.array([any(cell != "" for cell in row) for row in body], dtype=np.bool_)
    row_numbers = np.arange(len(body), dtype=np.int64) + rules.header_row + 1
    _note_blank(notes, row_numbers[~full].tolist())
    if not full.all():
        body = [row for row, is_full in zip(body, full.tolist(), strict=True) if is_full]
    return Table(
        columns={
            column: [row[position] for row in body]
            for column, position in zip(wanted, positions, strict=True)
        },
        row=row_numbers[full],
    )


def _read_parquet(
    data: bytes, _rules: FileRules, wanted: Sequence[str], name: str, _notes: Notes
) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        first = pq.ParquetFile(pa.BufferReader(data))
        check_parquet(data, first.metadata, name, wanted)
        schema = first.schema_arrow
        _positions(schema.names, wanted, name, "the file")
        # Texts stay dictionaries: a long one that repeats is in memory once.
        texts = [column for column in wanted if pa.types.is_string(schema.field(column).type)]
        file = pq.ParquetFile(
            pa.BufferReader(data), read_dictionary=texts, page_checksum_verification=True
        )
        table = file.read(columns=list(wanted))
        columns = {column: _parquet_cells(table[column], column, name) for column in wanted}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        # Damaged pages may also surface as bytes that are no text and years that are no years.
        raise InvalidInput(f"{name}: not a whole Parquet file: {error}") from error
    return Table(columns=columns, row=np.arange(table.num_rows, dtype=np.int64) + 2)


def _parquet_cells(column: Any, title: str, name: str) -> list[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # Their shortest text is shorter than that of the double of equal value: 0.1, not
        # 0.10000000149011612. numpy prints it for the narrow type.
        narrow = np.float32 if pa.types.is_float32(kind) else np.float16
        return [None if cell is None else str(narrow(cell)) for cell in column.to_pylist()]
    if pa.types.is_timestamp(kind):
        try:
            cells: list[datetime | None] = column.cast(pa.timestamp("us", kind.tz)).to_pylist()
        except pa.ArrowInvalid as error:
            raise InvalidInput(
                f"{name}: column {title!r} has stamps with a part of a microsecond: {error}"
            ) from error
        return cells
    if pa.types.is_dictionary(kind):
        # Damaged pages come as indexes beyond their dictionary.
        column.validate(full=True)
        coded = column.unify_dictionaries().combine_chunks()
        words = coded.dictionary.to_pylist()
        return [None if place is None else words[place] for place in coded.indices.to_pylist()]
    return list(column.to_pylist())


def _note_blank(notes: Notes, numbers: Sequence[int]) -> None:
    notes.repaired(Quality.MEASURED, "blank row left out", np.array(numbers, dtype=np.int64))
