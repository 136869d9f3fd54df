"""Sets of factors as people and parties send them: TOML, CSV, hourly CSV, JSON bodies, units."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Final

from ledger.accounting.factors import files, units
from ledger.accounting.factors.hourly import SeriesFile, with_series
from ledger.accounting.factors.model import FactorSet
from ledger.log.entry import parse_json
from tests.accounting.factors.sets import HEAD
from tests.fuzz import mutate
from tests.fuzz.engine import Target
from tests.fuzz.files import refuses

OWN: Final = """item,region,year,unit,gas,covers,value,standard,source,status,from,to
steel,,2025,kg/kg,CO2e,CO2 CH4,2.13,ISO 14067,EPD,secondary,,
heat,440100,,t/GJ,CO2,,0.0985,,Steam works,unverified,2025-12-31T16:00:00Z,
"""
HOURLY: Final = """time,factor
2026-01-01 00:00,0.5
2026-01-01 01:00,0.25
2026-01-01 02:00,1e-1
"""
GRID: Final = SeriesFile(
    item="electricity-average",
    region="CN",
    unit="kg/kWh",
    gas="CO2",
    covers=("CO2",),
    standard="",
    source="Dispatch centre",
    status="unverified",
    zone_s=28_800,
)
UNITS: Final = ("kg/kWh", "t/10^4 Nm3", "kg/(t km)", "万Nm³", "kgce/kWh", "t·km", "10⁴ m³")


def _hourly(data: bytes) -> FactorSet:
    return with_series(None, GRID.read(data, "grid.csv"), HEAD)


def inputs() -> list[bytes]:
    """The kind of an input, a newline, the input."""
    shipped = [files.shipped(name).to_json() for name in ("cn-fuels", "cn-heat", "tce")]
    bodies = [*shipped, _hourly(HOURLY.encode()).to_json()]
    folder = files.SHIPPED
    found = [("toml", (folder / f"{name}.toml").read_text()) for name in files.shipped_sets()]
    found += [("csv", OWN), ("hourly", HOURLY)]
    found += [("json", json.dumps(one, ensure_ascii=False)) for one in bodies]
    found += [("unit", unit) for unit in UNITS]
    return [f"{kind}\n{text}".encode() for kind, text in found]


def spoil(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    kind, _, data = raw.partition(b"\n")
    pieces = [one.partition(b"\n")[2] for one in others if one.startswith(kind)]
    change = mutate.json_values if kind == b"json" else mutate.text
    return kind + b"\n" + change(data, pieces, chance)


def _read(kind: str, data: bytes) -> FactorSet:
    if kind == "csv":
        return files.parse_csv(data, "own.csv", head=HEAD)
    if kind == "hourly":
        return _hourly(data)
    text = data.decode()
    return files.parse_toml(text, "own.toml") if kind == "toml" else _of_json(text)


def _of_json(text: str) -> FactorSet:
    value = parse_json(text, nesting_max=32)
    found = FactorSet.from_json(value if isinstance(value, dict) else {})
    assert found.to_json() == value, "what was read is written as it was"
    return found


def judge(data: bytes) -> bool:
    kind, _, raw = data.partition(b"\n")
    try:
        raw.decode()
    except UnicodeDecodeError:
        if kind in (b"toml", b"json", b"unit"):
            return False
    readers: dict[bytes, Callable[[], object]] = {
        b"unit": lambda: units.ratio(raw.decode(), raw.decode()) == 1
    }
    return not refuses(readers.get(kind, lambda: _again(_read(kind.decode(), raw))))


def _again(found: FactorSet) -> None:
    """What one party writes, another one reads."""
    written = found.to_json()
    assert FactorSet.from_json(written).to_json() == written


TARGETS: Final = (Target(name="factors", corpus=inputs, judge=judge, mutate=spoil, share=50),)
