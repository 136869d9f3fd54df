"""Synthesised statements: no real export is at hand. Names are of the layouts, values are ours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ledger.metering.importers import Rejection, RowsRejected
from ledger.statements.model import StatementRow
from ledger.statements.profile import StatementProfile, read_statement_profile
from ledger.statements.reader import ReadStatement, read_statement

PARK = timezone(timedelta(hours=8))
AS_OF = date(2026, 2, 28)
SHIPPED = Path(__file__).resolve().parents[2] / "ledger" / "statements" / "profiles"

# One row is one range: the simplest profile that there is.
PLAIN = """
kind = "gec"
scheme = "gec"
issuer = "Registry"
[file]
format = "csv"
[units]
code = "code"
quantity = "units"
[status]
column = "status"
"""


def shipped_text(name: str) -> str:
    return (SHIPPED / f"{name}.toml").read_text(encoding="utf-8")


def profile(text: str = PLAIN) -> StatementProfile:
    return read_statement_profile(text, where="test.toml")


def csv(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def xlsx(*lines: Sequence[Any], sheet: str = "Sheet1") -> bytes:
    """A workbook of one sheet with these rows."""
    workbook = openpyxl.Workbook()
    (worksheet,) = workbook.worksheets
    worksheet.title = sheet
    for line in lines:
        worksheet.append(list(line))
    data = io.BytesIO()
    workbook.save(data)
    return data.getvalue()


def read(
    data: str | bytes,
    text: str = PLAIN,
    *,
    as_of: date = AS_OF,
    name: str = "statement.csv",
) -> ReadStatement:
    return read_statement(
        data.encode() if isinstance(data, str) else data,
        profile(text),
        name=name,
        as_of=as_of,
        zone=PARK,
    )


def rows(data: str | bytes, text: str = PLAIN, **more: Any) -> list[StatementRow]:
    return list(read(data, text, **more).rows)


def rejected(data: str | bytes, text: str = PLAIN, **more: Any) -> list[tuple[int, str, str]]:
    """(row, column, reason) of a statement that is refused."""
    with pytest.raises(RowsRejected) as caught:
        read(data, text, **more)
    found: tuple[Rejection, ...] = caught.value.rejections
    assert f"row {found[0].row}" in str(caught.value)
    return [(one.row, one.column, one.reason) for one in found]


def units(
    row: int, code: str, first: int, end: int, status: str = "held", **more: Any
) -> StatementRow:
    return StatementRow(row=row, code=code, first=first, end=end, status=status, **more)
