"""Units: import of separate codes, an act on a range, and the public rule on a long log.

Floor of the first two: the same rows plainly inserted into tables with primary keys, in one durable
transaction; of the scan: reading the JSON of each statement, and nothing else.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rows import Row, best_of
from ledger.db import reading
from ledger.house import House
from ledger.log import store as log_store
from ledger.registry import acting, service
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.ranges import SerialRange
from ledger.registry.rule import Uses
from ledger.registry.scheme import shipped
from ledger.registry.trace import trace
from ledger.settings import Settings
from ledger.units import Period

CODES = 100_000
RANGE = 10_000
UNITS = 1_000_000
# 2025-12 in park time, +08:00.
MONTH = Period(start_s=1_764_518_400, end_s=1_767_196_800)
_FLOOR = """
CREATE TABLE batches (code TEXT PRIMARY KEY, first INTEGER, "end" INTEGER, start INTEGER);
CREATE TABLE holdings (holding BLOB PRIMARY KEY, code TEXT, first INTEGER, "end" INTEGER,
                       owner TEXT, state TEXT);
CREATE INDEX by_code ON holdings (code, first);
"""


@contextmanager
def _park() -> Iterator[House]:
    with TemporaryDirectory(prefix="greenledger-bench-") as folder:
        house = House.init(
            Settings(dir=Path(folder)),
            origin="bench.example/units",
            name="Bench",
        )
        for party in ("farm", "mill"):
            house.desk.register_party(party, party, ["enterprise"])
            house.desk.create_key(party)
        service.register_scheme(house.desk, shipped("gec"))
        yield house
        house.engine.dispose()


def _batch(code: str, units: int) -> service.NewBatch:
    span = SerialRange(first=0, end=units)
    share = service.Share(class_="ordinary", owner="farm", units=span)
    return service.NewBatch(code=code, units=span, period=MONTH, shares=(share,))


def _plain(rows: int) -> float:
    """Seconds that it takes to insert as many batches and holdings, durably."""
    batches = [(f"{number:032d}", 0, 1, MONTH.start_s) for number in range(rows)]
    holdings = [
        (number.to_bytes(16, "big"), code, 0, 1, "farm", "active")
        for number, (code, *_) in enumerate(batches)
    ]
    with TemporaryDirectory(prefix="greenledger-bench-") as folder:
        conn = sqlite3.connect(Path(folder) / "plain.sqlite3", isolation_level=None)
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.executescript(_FLOOR)
        began = time.perf_counter()
        conn.execute("BEGIN")
        conn.executemany("INSERT INTO batches VALUES (?, ?, ?, ?)", batches)
        conn.executemany("INSERT INTO holdings VALUES (?, ?, ?, ?, ?, ?)", holdings)
        conn.execute("COMMIT")
        seconds = time.perf_counter() - began
        conn.close()
    return seconds


def _import() -> float:
    with _park() as house:
        found = [_batch(f"{number:032d}", 1) for number in range(CODES)]
        began = time.perf_counter()
        service.issue(house.desk, "gec", found)
        return time.perf_counter() - began


def _acts(repeat: int) -> tuple[float, float, float, float]:
    """(seconds of a transfer, of a retirement), of a range out of a million units; then (of a
    unit's trace, of reading its entries by their index)."""
    moved, used = [], []
    use = Use(beneficiary="mill", purpose="green-power", period=MONTH)
    with _park() as house:
        service.issue(house.desk, "gec", [_batch("BIG", UNITS)])
        for number in range(repeat):
            first = 2 * number * RANGE
            some = Selection(scheme="gec", serials=[f"BIG:{first}-{first + RANGE}"])
            began = time.perf_counter()
            acting.transfer(house.desk, "farm", "mill", some)
            moved.append(time.perf_counter() - began)
            began = time.perf_counter()
            acting.retire(house.desk, "mill", some, use)
            used.append(time.perf_counter() - began)
        indexes = _trace(house)
        traced = best_of(repeat, lambda: _trace(house))
        floor = best_of(repeat, lambda: _entries(house, indexes))
    return min(moved), min(used), traced, floor


def _trace(house: House) -> tuple[int, ...]:
    with reading(house.engine) as conn:
        return tuple(trace(conn, house.log, "gec", "BIG:5").entries)


def _entries(house: House, indexes: tuple[int, ...]) -> None:
    """What a trace can't do without: its entries, read and parsed."""
    with reading(house.engine) as conn:
        for index in indexes:
            log_store.entry_at(conn, house.log.log_id, index)


def _statements() -> list[bytes]:
    """A log of a million separate certificates, 1,000 to an entry, each moved once."""
    at_once = 1_000
    lines = []
    for entry in range(UNITS // at_once):
        numbers = range(entry * at_once, (entry + 1) * at_once)
        begun = [f"{number:032x}" for number in numbers]
        then = [f"{number + 2**100:032x}" for number in numbers]
        issued = {
            "type": "unit.issue",
            "author": "operator",
            "scheme": "gec",
            "state": "active",
            "batches": [f"{number:032d}/0" for number in numbers],
            "spends": [],
            "wraps": [],
            "begins": begun,
        }
        moved = {
            "type": "unit.move",
            "author": "farm",
            "act": "transfer",
            "retirement": "",
            "ends": begun,
            "begins": then,
        }
        lines += [json.dumps(issued).encode(), json.dumps(moved).encode()]
    return lines


def _scan(lines: list[bytes]) -> None:
    uses = Uses()
    uses.lots.operator = "operator"
    for index, line in enumerate(lines):
        uses.take(index, json.loads(line))


def run(repeat: int) -> list[Row]:
    lines = _statements()
    parse = best_of(1, lambda: [json.loads(line) for line in lines])
    moved, used, traced, entries = _acts(max(repeat, 5))
    one = min(_plain(1) for _ in range(max(repeat, 5)))
    return [
        Row(
            name=f"import of {CODES:,} certificates, a code each",
            seconds=_import(),
            unit="certificate",
            amount=CODES,
            floor_name="plain rows with primary keys",
            floor_seconds=_plain(CODES),
        ),
        Row(
            name=f"transfer of {RANGE:,} units, one range",
            seconds=moved,
            unit="act",
            amount=1,
            floor_name="two plain rows, durable",
            floor_seconds=one,
        ),
        Row(
            name=f"retirement of {RANGE:,} units, one range",
            seconds=used,
            unit="act",
            amount=1,
            floor_name="two plain rows, durable",
            floor_seconds=one,
        ),
        Row(
            name=f"trace of a unit among {UNITS:,}",
            seconds=traced,
            unit="trace",
            amount=1,
            floor_name="its entries, read by index",
            floor_seconds=entries,
        ),
        Row(
            name=f"public rule on {UNITS:,} certificates, issued and moved",
            seconds=best_of(1, lambda: _scan(lines)),
            unit="certificate",
            amount=UNITS,
            floor_name="JSON of the statements",
            floor_seconds=parse,
        ),
    ]
