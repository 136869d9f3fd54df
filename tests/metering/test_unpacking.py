"""Small files that become large ones are refused before they do."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.errors import InvalidInput
from ledger.metering import unpacking
from ledger.metering.payload import PARQUET, read_payload
from ledger.metering.unpacking import check_parquet, check_xlsx

FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def workbook(rows: str, **more: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr("xl/any.xml", f"<worksheet><sheetData>{rows}</sheetData></worksheet>")
        for name, text in more.items():
            book.writestr(name, text)
    return made.getvalue()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (FAR, "1,048,576 rows and 16,384 columns"),
        (FAR.replace('"', "'").replace("=", " = "), "16,384 columns"),
        (FAR.replace("<c r", '<c s="2" r'), "16,384 columns"),
        ('<row r="1048576"><c r="A1"/></row><row r="1"><c r="xfd1"/></row>', "16,384 columns"),
        ("<row><c><v>1</v></c></row>", "without an address"),
        ('<row><c s=">" r="XFD1048576"/></row>', "without an address"),
    ],
)
def test_a_sheet_that_reaches_far_is_refused(rows: str, why: str) -> None:
    data = workbook('<row r="1"><c r="A1"><v>1</v></c></row>' + rows)
    with pytest.raises(InvalidInput, match=why):
        check_xlsx(data, "far.xlsx")


def noise() -> bytes:
    return np.random.default_rng(1).bytes(1_200_000)


def test_archives_that_are_no_spreadsheet_or_too_large_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    year = workbook('<row r="35040"><c r="KZ35040"/></row>', **{"xl/media/image1.png": noise()})
    check_xlsx(year, "a year of 300 meters, in a file that is as large")
    with pytest.raises(InvalidInput, match="another archive"):
        check_xlsx(workbook("", **{"content.xml": "an OpenDocument"}), "x.xlsx")
    with pytest.raises(InvalidInput, match="not a whole XLSX"):
        check_xlsx(b"PK no archive", "x.xlsx")
    monkeypatch.setattr(unpacking, "UNPACKED_BYTES_MAX", 1_000_000)
    with pytest.raises(InvalidInput, match=r"unpacks to 6,000,\d\d\d bytes"):
        check_xlsx(workbook("", **{"xl/sharedStrings.xml": "x" * 6_000_000}), "x.xlsx")


def parquet(point: pa.Array, rows: int) -> bytes:
    zeros = pa.array(np.zeros(rows, dtype=np.int64))
    made = io.BytesIO()
    pq.write_table(pa.table({"point": point, "start_s": zeros, "value": zeros}), made)
    return made.getvalue()


def test_a_long_text_that_repeats_is_in_memory_once() -> None:
    """Three kilobytes that were a gigabyte."""
    rows = 1_000
    words = pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int32), ["x" * 10_000_000])
    data = parquet(words, rows)
    assert len(data) < 1_000_000
    seen: list[int] = []

    def lengths_of(names: object) -> dict[str, int]:
        seen.append(pa.total_allocated_bytes())
        raise InvalidInput("stop here")

    with pytest.raises(InvalidInput, match="stop here"):
        read_payload(PARQUET, data, lengths_of)
    assert seen[0] < 100_000_000


def test_categories_are_texts() -> None:
    words = pa.array(["a", "b", "a"]).dictionary_encode()
    made = io.BytesIO()
    start_s, value = pa.array([0, 0, 900]), pa.array([1, 2, 3])
    pq.write_table(pa.table({"point": words, "start_s": start_s, "value": value}), made)
    found = read_payload(PARQUET, made.getvalue(), lambda names: dict.fromkeys(names, 900))
    assert {one.point: one.value.tolist() for one in found} == {"a": [1, 3], "b": [2]}


def test_more_rows_than_are_read_are_refused() -> None:
    data = parquet(pa.array(np.zeros(11_000_000, dtype=np.int8)).cast(pa.int64()), 11_000_000)
    with pytest.raises(InvalidInput, match="11,000,000 rows"):
        check_parquet(data, pq.ParquetFile(io.BytesIO(data)).metadata, "rows.parquet")


def test_a_text_that_is_no_text_is_refused() -> None:
    words = pa.DictionaryArray.from_arrays(
        np.zeros(2, dtype=np.int32), pa.array([b"\xff\xfe"]).view(pa.string())
    )
    start_s, value = pa.array([0, 900]), pa.array([1, 2])
    made = io.BytesIO()
    pq.write_table(pa.table({"point": words, "start_s": start_s, "value": value}), made)
    with pytest.raises(InvalidInput, match="UTF"):
        read_payload(PARQUET, made.getvalue(), lambda names: dict.fromkeys(names, 900))
