"""CSV as RFC 4180 has it, with the byte order mark that Excel needs to read Chinese.

Numbers stand with all their digits and without separators. A text that a spreadsheet would take
for a formula gets an apostrophe in front, and so is shown as what it is.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from ledger.disclosure.tables import Cell, Column, Table, exact

BOM: Final = "\ufeff"
# What spreadsheets begin formulas with, full-width forms included (OWASP, "CSV injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(table: Table) -> bytes:
    """The same table gives the same bytes."""
    file = io.StringIO(newline="")
    file.write(BOM)
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([harmless(column.heading) for column in table.columns])
    for row in table.rows:
        writer.writerow(
            [_text(cell, column) for cell, column in zip(row, table.columns, strict=True)]
        )
    return file.getvalue().encode()


def harmless(text: str) -> str:
    """A text that no spreadsheet computes. Blanks before a formula do not hide it."""
    return f"'{text}" if text.lstrip(" \u3000").startswith(_FORMULA) else text


def _text(cell: Cell, column: Column) -> str:
    if cell is None:
        return ""
    return exact(cell, column.scale) if isinstance(cell, int) else harmless(cell)
