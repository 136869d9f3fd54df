"""Small files that would become large ones; as a program, one of them under a limit of memory.

python -m tests.hygiene.bombs NAME      prints `refused: why`, or what else came of it
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from ledger import files
from ledger.errors import LedgerError
from ledger.log.entry import parse_json
from ledger.metering.importers import PointFacts, read_bytes, read_profile
from ledger.metering.payload import JSON, PARQUET, read_payload
from tests.metering.importers.files import NOW_S, PARK, xlsx

# What a reader may take beside what the process has when it begins.
MEMORY_BYTES: Final = 250_000_000
MEGABYTE: Final = bytes(2**20)
_TAIL = '[value]\nquantity = "energy"\nunit = "Wh"\n[[points]]\ncolumn = "wh"\npoint = "p"\n'
_TIME = '[time]\ncolumns = ["time"]\ninterval = "15min"\nlabel = "start"\nzone = "park"\n'
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_CELLS = 20_000
START: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - the file's own clock
QUARTER: Final = timedelta(minutes=15)


def read_table(data: bytes, form: str) -> object:
    profile = read_profile(f'[file]\nformat = "{form}"\n{_TIME}{_TAIL}', where="bomb.toml")
    facts = {"p": PointFacts(unit="Wh", kind="consumption", interval_s=900)}
    return read_bytes(data, profile, name="bomb", points=facts, zone=PARK, now_s=NOW_S)


def read_readings(data: bytes, media: str) -> object:
    return read_payload(media, data, lambda names: dict.fromkeys(names, 900))


# Spreadsheets


def archive(parts: dict[str, bytes], zeros_of: dict[str, int] | None = None) -> bytes:
    """`zeros_of`: parts of so many megabytes of nothing."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, part in parts.items():
            book.writestr(name, part)
        for name, megabytes in (zeros_of or {}).items():
            with book.open(name, "w") as file:
                for _ in range(megabytes):
                    file.write(MEGABYTE)
    return made.getvalue()


def book(sheet: str, strings: str = "") -> dict[str, bytes]:
    """The least that a reader takes for a spreadsheet."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    kinds = "".join(
        f'<Relationship Id="{id_}" Type="{office}/{kind}" Target="{target}"/>'
        for id_, kind, target in (
            ("r1", "worksheet", "worksheets/sheet1.xml"),
            ("r2", "sharedStrings", "sharedStrings.xml"),
        )
    )
    texts = {
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{kinds}</Relationships>',
        "xl/worksheets/sheet1.xml": f"{_SHEET}{sheet}</sheetData></worksheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{strings}</sst>',
    }
    return {name: text.encode() for name, text in texts.items()}


def zeros_in_a_part() -> bytes:
    return archive(book(""), {"xl/media/image1.png": 400})


def many_parts() -> bytes:
    return archive(book(""), {f"xl/media/{n}.png": 1 for n in range(400)})


def part_that_lies() -> bytes:
    """Its directory says 100 bytes, with the checksum of these; what is packed goes on."""
    data = bytearray(archive(book(""), {"xl/x.xml": 400}))
    at = data.rindex(b"PK\x01\x02")
    crc, size = zlib.crc32(bytes(100)), 100
    data[at + 16 : at + 20] = struct.pack("<I", crc)
    data[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(data)


def a_far_cell() -> bytes:
    return archive(book('<row r="1"><c r="A1"/></row><row r="1000000"><c r="T1000000"/></row>'))


def one_text_in_many_cells() -> bytes:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, _CELLS))
    return archive(book(rows, f"<si><t>{'x' * 500_000}</t></si>"))


def a_long_text() -> bytes:
    row = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    return archive(book(row, f"<si><t>{'x' * 20_000_000}</t></si>"))


# Parquet


def parquet(columns: dict[str, object], **options: object) -> bytes:
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made, **options)
    return made.getvalue()


def zeros(count: int) -> pa.Array:
    return pa.array(memoryview(bytes(8 * count)).cast("q"), pa.int64())


def many_rows() -> bytes:
    """Nine million of them in some kilobytes."""
    same = zeros(9_000_000)
    time = same.cast(pa.timestamp("us"))
    return parquet({"time": time, "wh": same, "point": same, "start_s": same, "value": same})


def a_text_that_repeats() -> bytes:
    """A text of a megabyte, ten thousand times."""
    word = pa.DictionaryArray.from_arrays(zeros(10_000).cast(pa.int32()), ["x" * 1_000_000])
    # As a reader of texts stores it, without a word of dictionaries in the schema.
    made = io.BytesIO()
    with pq.ParquetWriter(
        made, pa.schema([("time", word.type), ("wh", pa.int64())]), store_schema=False
    ) as file:
        file.write_table(pa.table({"time": word, "wh": zeros(10_000)}))
    return made.getvalue()


def texts_by_what_they_share() -> bytes:
    """DELTA_BYTE_ARRAY: each text is the one before and a letter."""
    words = ["x" * 50_000 + str(n) for n in range(20_000)]
    made = io.BytesIO()
    options = {"use_dictionary": False, "column_encoding": {"time": "DELTA_BYTE_ARRAY"}}
    schema = pa.schema([("time", pa.string()), ("wh", pa.int64())])
    with pq.ParquetWriter(made, schema, **options) as writer:
        for begin in range(0, len(words), 1_000):
            part = {"time": words[begin : begin + 1_000], "wh": zeros(1_000)}
            writer.write_table(pa.table(part, schema))
    return made.getvalue()


def footer_that_lies() -> bytes:
    """A hundred megabytes, of which the footer says that they are nothing."""
    same = zeros(4_000_000)
    columns = {"time": same, "wh": same, "more": same}
    data = parquet(columns, compression="zstd", use_dictionary=False, write_statistics=False)
    head, footer = data[: -8 - _footer(data)], data[-8 - _footer(data) :]
    metadata = pq.read_metadata(io.BytesIO(data))
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        sizes = {group.column(place).total_uncompressed_size for place in range(3)}
        for size in (*sizes, group.total_byte_size):
            old = _varint(2 * size)
            footer = footer.replace(old, b"\x82" + b"\x80" * (len(old) - 2) + b"\x00")
    made = head + footer
    lying = pq.read_metadata(io.BytesIO(made))
    assert sum(lying.row_group(n).total_byte_size for n in range(lying.num_row_groups)) < 1_000
    return made


def page_that_lies() -> bytes:
    """A page header that says two gigabytes, in the last column of the file."""
    data = parquet(
        {"wh": zeros(1), "time": ["x" * 3_000]}, compression="gzip", use_dictionary=False
    )
    metadata = pq.read_metadata(io.BytesIO(data))
    at = metadata.row_group(0).column(1).data_page_offset + 3  # after the type, 0
    end = at + 1
    while data[end - 1] >= 0x80:
        end += 1
    return data[:at] + _varint(2 * 2_000_000_000) + data[end:]


def _footer(data: bytes) -> int:
    return int.from_bytes(data[-8:-4], "little")


def _varint(number: int) -> bytes:
    """Of what is zigzag encoded already."""
    found = b""
    while number >= 0x80:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def a_good_sheet() -> bytes:
    return xlsx([("time", "wh"), *((START + QUARTER * n, n) for n in range(2_000))])


def a_good_table() -> bytes:
    times = pa.array([START + QUARTER * n for n in range(20_000)], pa.timestamp("us"))
    return parquet({"time": times, "wh": pa.array(range(20_000), pa.int64())})


# Texts


def deep_json() -> bytes:
    return b'{"readings":' + b"[" * 5_000_000


def deep_toml() -> bytes:
    return b"x = " + b"[" * 200_000


def long_key() -> bytes:
    return b"x" + b".x" * 100_000 + b" = 1"


def long_integer() -> bytes:
    return b'{"a":' + b"9" * 5_000_000 + b"}"


BOMBS: Final[dict[str, tuple[Callable[[], bytes], Callable[[bytes], object]]]] = {
    "a-good-sheet": (a_good_sheet, lambda data: read_table(data, "xlsx")),
    "a-good-table": (a_good_table, lambda data: read_table(data, "parquet")),
    "zeros-in-a-part": (zeros_in_a_part, lambda data: read_table(data, "xlsx")),
    "many-parts": (many_parts, lambda data: read_table(data, "xlsx")),
    "part-that-lies": (part_that_lies, lambda data: read_table(data, "xlsx")),
    "a-far-cell": (a_far_cell, lambda data: read_table(data, "xlsx")),
    "one-text-in-many-cells": (one_text_in_many_cells, lambda data: read_table(data, "xlsx")),
    "a-long-text": (a_long_text, lambda data: read_table(data, "xlsx")),
    "many-rows": (many_rows, lambda data: read_table(data, "parquet")),
    "many-rows-sent": (many_rows, lambda data: read_readings(data, PARQUET)),
    "a-text-that-repeats": (a_text_that_repeats, lambda data: read_table(data, "parquet")),
    "texts-by-what-they-share": (
        texts_by_what_they_share,
        lambda data: read_table(data, "parquet"),
    ),
    "footer-that-lies": (footer_that_lies, lambda data: read_table(data, "parquet")),
    "page-that-lies": (page_that_lies, lambda data: read_table(data, "parquet")),
    "deep-json": (deep_json, lambda data: read_readings(data, JSON)),
    "deep-toml": (deep_toml, lambda data: files.parse_toml(data.decode(), "bomb")),
    "long-key": (long_key, lambda data: files.parse_toml(data.decode(), "bomb")),
    "long-integer": (long_integer, lambda data: parse_json(data.decode(), nesting_max=4)),
}


def main(names: list[str]) -> None:
    """Each in turn, from its file; a line of JSON for each."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for line in names:
        name, _, path = line.partition("=")
        data = Path(path).read_bytes()
        try:
            BOMBS[name][1](data)
            told = "taken"
        except LedgerError as error:
            told = f"refused: {error}"
        except MemoryError:
            told = "out of memory"
        print(json.dumps({"name": name, "told": told[:400]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
