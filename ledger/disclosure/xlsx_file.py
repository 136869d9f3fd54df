"""One workbook with a sheet for each table: a frozen header, numbers as numbers.

Cells are texts or numbers, never formulas, whatever a name begins with. Excel keeps 15 digits of a
number; the CSV files beside it have all.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell as Box
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ledger.disclosure.tables import Cell, Column, Table, Words, shown

_SHEET_NAME_MAX: Final = 31
_FORBIDDEN: Final = re.compile(r"[\\/?*\[\]:]")
# Of XML 1.0: a workbook with one does not open.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CELL_MAX: Final = 32_767
_WIDTH_MAX: Final = 60
_HEADER: Final = PatternFill("solid", fgColor="DCEBE3")
_LINE: Final = Border(bottom=Side(style="thin", color="2E6B4F"))


def write_xlsx(tables: Sequence[Table], *, title: Words, at_s: int) -> bytes:
    """`at_s`: when it says that it was made. Raises nothing for any text."""
    book = Workbook()
    book.remove(book.worksheets[0])
    about = book.properties  # type: ignore[attr-defined]  # its stubs lack it
    about.title, about.creator = _clean(title.together), "greenledger"
    # A workbook knows no zones: it is UTC.
    about.created = datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None)
    for table in tables:
        _write_sheet(book.create_sheet(_sheet_name(table, book.sheetnames)), table)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _sheet_name(table: Table, taken: Sequence[str]) -> str:
    name = _FORBIDDEN.sub(" ", _clean(table.title.zh))[:_SHEET_NAME_MAX]
    return f"{name[: _SHEET_NAME_MAX - 4]} {len(taken) + 1}" if name in taken else name


def _write_sheet(sheet: Worksheet, table: Table) -> None:
    for place, column in enumerate(table.columns, 1):
        box = _box(sheet, 1, place)
        _put_text(box, column.heading)
        box.font, box.fill, box.border = Font(bold=True), _HEADER, _LINE
        box.alignment = Alignment(
            wrap_text=True, vertical="top", horizontal="right" if column.number else "left"
        )
        sheet.column_dimensions[get_column_letter(place)].width = _width(table, place - 1)
    for number, row in enumerate(table.rows, 2):
        for place, (cell, column) in enumerate(zip(row, table.columns, strict=True), 1):
            _put(_box(sheet, number, place), cell, column)
    sheet.freeze_panes = "A2"
    if table.rows:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    for number, note in enumerate(table.notes, len(table.rows) + 3):
        box = _box(sheet, number, 1)
        _put_text(box, f"{note.zh} {note.en}")
        box.font = Font(italic=True, color="666666")


def _box(sheet: Worksheet, row: int, column: int) -> Box:
    box = sheet.cell(row, column)
    assert isinstance(box, Box)  # no sheet of ours has merged cells
    return box


def _put(box: Box, cell: Cell, column: Column) -> None:
    if cell is None:
        return
    if isinstance(cell, str):
        _put_text(box, cell)
        box.alignment = Alignment(wrap_text=True, vertical="top")
        return
    # Only here a float: Excel's numbers are nothing else.
    box.value = cell if column.scale == 1 else cell / column.scale
    box.number_format = "#,##0" + ("." + "0" * column.places if column.places else "")
    box.alignment = Alignment(vertical="top")


def _put_text(box: Box, text: str) -> None:
    box.value = _clean(text)[:_CELL_MAX]
    box.data_type = "s"  # else a text that begins with = becomes a formula


def _clean(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)


def _width(table: Table, place: int) -> float:
    """In characters of the default font; Chinese ones count twice."""
    column = table.columns[place]
    texts = [column.title.zh, column.title.en]
    texts += [shown(row[place], column) for row in table.rows]
    return min(_WIDTH_MAX, 2 + max(sum(2 if ord(c) > 0x2E80 else 1 for c in t) for t in texts))
