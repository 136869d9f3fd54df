"""Files that people and servers send: tables with their profiles, readings over HTTP, TOML."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from greenledger_verify.trust import trust_of
from ledger.errors import LedgerError
from ledger.gateway import config
from ledger.metering.importers import PointFacts, Profile, read_bytes, read_profile
from ledger.metering.payload import CSV, JSON, NDJSON, PARQUET, read_payload
from ledger.registry.scheme import parse_toml
from ledger.statements.profile import StatementProfile, read_statement_profile
from ledger.statements.reader import read_statement
from tests.docs.test_import_profiles import ONE_POINT
from tests.fuzz import mutate
from tests.fuzz.engine import Target, require_words
from tests.fuzz.signed import LOG, theirs
from tests.ledgers import GRID
from tests.metering.importers.files import NOW_S, PARK, meter, parquet, xlsx
from tests.verifier import forge

ROOT: Final = Path(__file__).resolve().parents[2]
PROFILES: Final = ROOT / "ledger" / "metering" / "profiles"
STATEMENTS: Final = ROOT / "ledger" / "statements" / "profiles"
SCHEMES: Final = ROOT / "ledger" / "registry" / "schemes"
START: Final = datetime(2019, 1, 1)  # noqa: DTZ001 - a file's own clock
AS_OF: Final = date(2026, 2, 28)
METERS: Final = (
    meter("4430001", "2018-01-01T00:00:00Z", "2018-12-31T16:30:00Z", multiplier="80"),
    meter("4430002", "2018-12-31T16:30:00Z", multiplier="100"),
)
POINTS: Final = {
    name: PointFacts(unit="Wh", kind=kind, interval_s=900, meters=METERS if name == "roof" else ())
    for name, kind in (
        *[("pv", "generation"), ("wind", "generation"), ("factory-a", "consumption")],
        *[("b2", "consumption"), ("roof", "generation"), ("p", "consumption")],
    )
}


def stamps(form: str, count: int, minutes: int = 15) -> list[str]:
    return [(START + timedelta(minutes=minutes * place)).strftime(form) for place in range(count)]


def csv(*rows: Sequence[object]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def table_files() -> dict[str, bytes]:
    """profile → a small file of its layout."""
    steel = [(at, n / 8) for n, at in enumerate(stamps("%d/%m/%Y %H:%M", 8))]
    wind = [(at, n - 1.5) for n, at in enumerate(stamps("%d %m %Y %H:%M", 9, 10))]
    hourly = [(at, n * 1.25) for n, at in enumerate(stamps("%Y-%m-%d %H:%M:%S", 4, 60))]
    simple = [(at, n) for n, at in enumerate(stamps("%Y-%m-%d %H:%M", 8))]
    register = [
        (at, "4430001" if n < 2 else "4430002", f"{123_456 + n / 4:.2f}")
        for n, at in enumerate(stamps("%Y-%m-%d %H:%M:%S", 8))
    ]
    wide_head = ["DATA_DATE", "METER", "DATA_TYPE", "DATA_WHOLE_FLAG"]
    wide = [
        [day, "4430002", kind, "1" * 95 + "0", *range(96)]
        for day in ("2019-01-02", "2019-01-03")
        for kind in (1, 2)
    ]
    power = [(at, n / 10 - 0.1) for n, at in enumerate(stamps("%Y-%m-%d %H:%M:%S", 8))]
    cells = [(START + timedelta(minutes=15 * n), n / 10 - 0.1) for n in range(8)]
    head = ("Time(year-month-day h:m:s)", "Power (MW)")
    utc = [START + timedelta(minutes=15 * n) for n in range(6)]
    columns = {
        "time": pa.array(utc, pa.timestamp("us", "UTC")),
        "point": ["p"] * 6,
        "wh": pa.array(range(6), pa.int64()),
    }
    return {
        "steel-15min-csv": csv(("date", "Usage_kWh"), *steel[1:]).encode("utf-8-sig"),
        "wind-10min-csv": csv(("Date/Time", "LV ActivePower (kW)"), *wind).encode("utf-8-sig"),
        "building-hourly-csv": csv(("datetime", "equipment load [kWh]"), *hourly).encode(),
        "simple-15min": csv(("time", "kWh"), *simple).encode(),
        "register-15min": csv(("日期", "电能表资产编号", "正向有功总(kWh)"), *register).encode(
            "gb18030"
        ),
        "wide-96": csv([*wide_head, *(f"P{n}" for n in range(1, 97))], *wide).encode("gb18030"),
        "pv-15min-xlsx": xlsx([head, *power]),
        "pv-15min-xlsx-auxiliary-draw": xlsx([head, *cells]),
        "parquet": parquet(columns),
    }


NAMES: Final = {"building-hourly-csv": "building_b2_2018_hourly.csv", "simple-15min": "p.csv"}


@cache
def profile(name: str) -> Profile:
    return read_profile((PROFILES / f"{name}.toml").read_text(encoding="utf-8"), where=name)


def table_inputs() -> list[bytes]:
    """The name of a profile, a newline, the file."""
    return [name.encode() + b"\n" + data for name, data in table_files().items()]


def refuses(read: Callable[[], object]) -> bool:
    """Whether it is refused, in the tree's own words."""
    try:
        read()
    except LedgerError as error:
        require_words(str(error))
        return True
    return False


def table_judge(data: bytes) -> bool:
    head, _, raw = data.partition(b"\n")
    name = head.decode()
    return not refuses(
        lambda: read_bytes(
            raw,
            profile(name),
            name=NAMES.get(name, "file"),
            points=POINTS,
            zone=PARK,
            now_s=NOW_S,
            accept_partial=bool(len(raw) % 2),
        )
    )


def table_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    name, _, data = raw.partition(b"\n")
    others = [one.partition(b"\n")[2] for one in chance.choices(others, k=2)]
    return name + b"\n" + any_file(data, others, chance)


def any_file(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """By its form: the parts of an archive, the footer of a Parquet file, the words of a text."""
    if data.startswith(b"PK") and chance.random() < 0.8:
        return archive(data, others, chance)
    if data.startswith(b"PAR1") and chance.random() < 0.6:
        end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        return data[:end] + mutate.any_bytes(data[end:], (), chance)
    if data.startswith((b"PK", b"PAR1")):
        return mutate.binary(data, others, chance)
    return mutate.text(data, others, chance)


def archive(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A ZIP archive with one of its parts spoiled."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        parts = {one.filename: found.read(one) for one in found.infolist()}
    # What holds the cells, more often than not.
    cells = [name for name in parts if "sheet" in name.lower() or "sharedS" in name]
    name = chance.choice(cells if chance.random() < 0.7 else list(parts))
    parts[name] = mutate.text(parts[name], others, chance)
    if chance.random() < 0.05:
        del parts[chance.choice(list(parts))]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as book:
        for name, part in parts.items():
            book.writestr(zipfile.ZipInfo(name), part)
    return made.getvalue()


# Statements of registries


@cache
def statement_profile(name: str) -> StatementProfile:
    text = (STATEMENTS / f"{name}.toml").read_text(encoding="utf-8")
    return read_statement_profile(text, where=name)


def statement_files() -> dict[str, bytes]:
    ccer = (
        "项目编号",
        "项目名称",
        "减排量产生年月",
        "起始编号",
        "截止编号",
        "数量(吨)",
        "状态",
        "账户名称",
    )
    trades: tuple[str, ...] = ("绿证编码", "成交数量(个)", "生产年月", "成交时间", "购方主体名称")
    trades += ("项目名称", "交易类型", "售方主体", "补贴类型")
    orders = ("订单编号", "交易量（张）", "电力生产年月", "成交时间", "买方名称")
    listed: tuple[str, ...] = (
        "gecUniqueCode",
        "releaseQuantity",
        "ordinaryQuantity",
        "greenQuantity",
    )
    listed += ("unTraQuantity", "productionYearMonth", "projectCode", "projectName", "issueType")
    return {
        "ccer-holdings": xlsx(
            [
                ccer,
                ("P-1", "造林", "2025年1月", "CCER-001", "CCER-100", 100, "持有", "mill"),
                ("P-1", "造林", "2025年2月", "CCER-101", "CCER-110", 10, "已注销", "mill"),
            ]
        ),
        "gec-beijing": xlsx(
            [
                ("绿证交易",),
                trades,
                ("GEC-1", 10, "2025-01", "2025-03-01 10:00:00", "mill", "PV", "单", "farm", "无"),
                ("GEC-2", 7, "2025-02", "2025-03-02 10:00:00", "other", "PV", "单", "farm", "无"),
            ]
        ),
        "gec-guangzhou": xlsx([orders, ("O-1", 5, "2025-1", "2025-03-01 10:00:00", "mill")]),
        "gec-list": csv(
            listed,
            ("GEC-1", 10, 4, 3, 3, "2025-01", "P-1", "阳光", "new"),
            ("GEC-2", 0, 0, 0, 0, "2025-2", "P-1", "阳光", "new"),
        ).encode(),
    }


def statement_inputs() -> list[bytes]:
    return [name.encode() + b"\n" + data for name, data in statement_files().items()]


def statement_judge(data: bytes) -> bool:
    head, _, raw = data.partition(b"\n")
    given = statement_profile(head.decode())
    return not refuses(lambda: read_statement(raw, given, name="file", as_of=AS_OF, zone=PARK))


# Readings over HTTP


def payload_inputs() -> list[bytes]:
    """A media type, a newline, the content."""
    runs = {"point": "p", "start": "2026-03-01T00:00:00Z", "values": [1, 2, 3], "length_s": 900}
    whole = {"readings": [runs, {"point": "q", "start_s": 900, "values": [7], "quality": [1]}]}
    rows = [
        {"point": "p", "start": "2026-03-01T00:00:00Z", "value": 1, "quality": 0},
        {"point": "p", "start": "2026-03-01T00:15:00Z", "value": 2, "quality": 3},
    ]
    table = csv(("point", "start_s", "value", "length_s"), ("p", 0, 1, 900), ("q", 900, -2, 900))
    columns = {"point": ["p", "p", "q"], "start_s": [0, 900, 0], "value": [1, 2, 3]}
    made = {
        JSON: mutate.compact(whole),
        NDJSON: b"".join(mutate.compact(row) + b"\n" for row in rows),
        CSV: table.encode(),
        PARQUET: parquet(columns),
    }
    return [media.encode() + b"\n" + data for media, data in made.items()]


def payload_judge(data: bytes) -> bool:
    media, _, raw = data.partition(b"\n")
    return not refuses(
        lambda: read_payload(media.decode(), raw, lambda names: dict.fromkeys(names, 900))
    )


# TOML


def toml_inputs() -> list[bytes]:
    """The kind of a file, a newline, the file."""
    trust = f"""
[[log]]
origin = "{forge.ORIGIN}"
vkey = "{LOG.vkey}"
[[endorser]]
party = "grid"
vkey = "{GRID.verify_key.vkey}"
"""
    gateway = (ROOT / "deploy" / "gateway.toml").read_text(encoding="utf-8")
    found = [("trust", trust), ("gateway", gateway), ("profile", ONE_POINT)]
    for kind, folder in (("profile", PROFILES), ("statement", STATEMENTS), ("scheme", SCHEMES)):
        texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.toml"))]
        found += [(kind, text) for text in texts]
    return [f"{kind}\n{text}".encode() for kind, text in found]


def toml_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    kind, _, data = raw.partition(b"\n")
    if chance.random() < 0.02:
        deep = chance.choice((b"x = " + b"[" * 5_000, b"x" + b".x" * 5_000 + b" = 1\n"))
        return kind + b"\n" + deep + data
    return kind + b"\n" + mutate.text(data, others, chance)


def toml_judge(data: bytes) -> bool:
    kind, _, raw = data.partition(b"\n")
    if kind == b"trust":
        return theirs(lambda: trust_of([], raw)) is not None
    if kind == b"gateway":
        return not refuses(lambda: config.parse_config(raw, Path("gateway.toml")))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    readers: dict[bytes, Callable[[], Any]] = {
        b"profile": lambda: read_profile(text, where="file"),
        b"statement": lambda: read_statement_profile(text, where="file"),
        b"scheme": lambda: parse_toml("some", text, "file"),
    }
    return not refuses(readers[kind])


TARGETS = (
    Target(name="table", corpus=table_inputs, judge=table_judge, mutate=table_mutate, share=70),
    Target(
        name="statement",
        corpus=statement_inputs,
        judge=statement_judge,
        mutate=table_mutate,
        share=40,
    ),
    Target(
        name="payload", corpus=payload_inputs, judge=payload_judge, mutate=table_mutate, share=50
    ),
    Target(name="toml", corpus=toml_inputs, judge=toml_judge, mutate=toml_mutate, share=40),
)
