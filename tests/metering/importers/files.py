"""Small hand-written files and profiles for the importer's tests."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.metering.importers import (
    Imported,
    Meter,
    PointFacts,
    Rejection,
    RowsRejected,
    read_bytes,
    read_profile,
)
from ledger.units import parse_instant

PARK = timezone(timedelta(hours=8))
NOW_S = parse_instant("2030-01-01T00:00:00Z")
FACTS = PointFacts(unit="Wh", kind="consumption", interval_s=900)

FILE = '[file]\nformat = "csv"\n'
TIME = """
[time]
columns = ["time"]
format = "%Y-%m-%d %H:%M"
interval = "15min"
label = "start"
"""
VALUE = '[value]\nquantity = "energy"\nunit = "kWh"\n'
POINTS = '[[points]]\ncolumn = "kWh"\npoint = "p"\n'


def profile_text(
    *,
    file: str = FILE,
    time: str = TIME,
    value: str = VALUE,
    points: str = POINTS,
    more_time: str = "",
    more_value: str = "",
    more: str = "",
) -> str:
    return "\n".join((file, time, more_time, value, more_value, points, more))


def load(
    data: str | bytes,
    profile: str | None = None,
    *,
    points: Mapping[str, PointFacts] | None = None,
    name: str = "readings.csv",
    now_s: int = NOW_S,
    accept_partial: bool = False,
) -> Imported:
    return read_bytes(
        data.encode() if isinstance(data, str) else data,
        read_profile(profile or profile_text(), where="test.toml"),
        name=name,
        points=points or {"p": FACTS},
        zone=PARK,
        now_s=now_s,
        accept_partial=accept_partial,
    )


def rejected(data: str | bytes, profile: str | None = None, **more: Any) -> tuple[Rejection, ...]:
    """The rejections of a file that is refused; the message must show the first of them."""
    with pytest.raises(RowsRejected) as caught:
        load(data, profile, **more)
    first = caught.value.rejections[0]
    assert f"row {first.row}" in str(caught.value)
    assert first.reason in str(caught.value)
    return caught.value.rejections


def readings(imported: Imported, place: int = 0) -> list[tuple[str, int, int]]:
    """(start by park time, value, quality) of each reading of a series."""
    series = imported.series[place]
    return [
        (datetime.fromtimestamp(start_s, PARK).strftime("%Y-%m-%d %H:%M"), value, quality)
        for start_s, value, quality in zip(
            series.start_s.tolist(), series.value.tolist(), series.quality.tolist(), strict=True
        )
    ]


def repairs(imported: Imported) -> list[tuple[int, str, int]]:
    """(flag, rows, count) of each repair."""
    return [(int(each.flag), each.rows, each.count) for each in imported.repairs]


def meter(number: str, begin: str, end: str = "", **more: str) -> Meter:
    return Meter(
        number=number,
        from_s=parse_instant(begin),
        to_s=parse_instant(end) if end else None,
        **more,
    )


def xlsx(rows: Sequence[Sequence[Any]], *, sheet: str = "Sheet1") -> bytes:
    workbook = openpyxl.Workbook()
    page = workbook.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def parquet(columns: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), buffer)
    return buffer.getvalue()
