"""Ingest, tree, proofs, commitment and audit, each beside a floor measured in the same run.

Ingest is the product's own: from arrays through `take_in` (repeats, conflicts, inner tree,
signature, rules, one durable transaction) into a ledger on disk. Its floor is plain pre-built rows
with a primary key, in key order, by executemany in transactions of 10,000, into SQLite with the
same pragmas.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.rows import Row, best_of
from greenledger_verify.merkle import verify_inclusion
from ledger import db
from ledger.house import House
from ledger.log import merkle, store, tiles
from ledger.log.audit import no_progress
from ledger.matching.allocations import Allocations, LaneRow
from ledger.metering.importers import read_profile
from ledger.metering.importing import import_file
from ledger.metering.points import Point
from ledger.metering.series import Series
from ledger.metering.service import Origin, register_point, take_in
from ledger.settings import Settings

POINTS = 10
INTERVALS = 35_040
START_S = 1_735_660_800  # 2025-01-01T00:00+08:00
LEAVES = 1_000_000
ROWS_IN_TRANSACTION = 10_000


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="greenledger-bench-") as folder:
        yield Path(folder)


def _series() -> list[Series]:
    random = np.random.default_rng(7)
    start_s = START_S + 900 * np.arange(INTERVALS, dtype=np.int64)
    return [
        Series(
            point=f"p{number}",
            length_s=900,
            start_s=start_s,
            value=random.integers(0, 2_000_000, INTERVALS),
            quality=np.zeros(INTERVALS, dtype=np.uint16),
        )
        for number in range(POINTS)
    ]


def _house(folder: Path) -> House:
    house = House.init(Settings(dir=folder), origin="bench.example/1", name="Bench")
    house.desk.register_party("owner", "Owner", ["enterprise"])
    for number in range(POINTS):
        register_point(house.desk, Point(name=f"p{number}", kind="consumption", owner="owner"))
    return house


def _ingest(series: list[Series]) -> float:
    with _folder() as folder:
        house = _house(folder)
        began = time.perf_counter()
        taken = take_in(house.desk, series, Origin(source="bench", author="operator"))
        seconds = time.perf_counter() - began
        assert taken.stored == POINTS * INTERVALS
        house.engine.dispose()
    return seconds


def _plain_rows(series: list[Series], *, table_end: str) -> float:
    rows = [
        (number, start, value, 0)
        for number, one in enumerate(series)
        for start, value in zip(one.start_s.tolist(), one.value.tolist(), strict=True)
    ]
    with _folder() as folder:
        conn = sqlite3.connect(folder / "plain.sqlite3", isolation_level=None)
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute(
            "CREATE TABLE readings (point INTEGER, start INTEGER, value INTEGER NOT NULL,"
            f" quality INTEGER NOT NULL, PRIMARY KEY (point, start)) {table_end}"
        )
        began = time.perf_counter()
        for at in range(0, len(rows), ROWS_IN_TRANSACTION):
            conn.execute("BEGIN")
            conn.executemany(
                "INSERT INTO readings VALUES (?, ?, ?, ?)", rows[at : at + ROWS_IN_TRANSACTION]
            )
            conn.execute("COMMIT")
        seconds = time.perf_counter() - began
        conn.close()
    return seconds


def _bare_hashes(count: int) -> float:
    """The least that a tree of `count` leaves costs: one node hash for each leaf."""
    left, right = b"l" * 32, b"r" * 32

    def work() -> None:
        node = merkle.node_hash
        for _ in range(count):
            node(left, right)

    return best_of(1, work)


def ingest_rows(repeat: int) -> list[Row]:
    series = _series()
    amount = POINTS * INTERVALS
    ingest = min(_ingest(series) for _ in range(repeat))
    floors = {
        "plain SQLite rows with a primary key": "",
        "the same WITHOUT ROWID": "WITHOUT ROWID",
    }
    return [
        Row(
            name="ingest: sign, check, commit",
            seconds=ingest,
            unit="interval",
            amount=amount,
            floor_name=name,
            floor_seconds=min(_plain_rows(series, table_end=end) for _ in range(repeat)),
        )
        for name, end in floors.items()
    ]


def tree_rows(repeat: int) -> list[Row]:
    leaves = [merkle.leaf_hash(number.to_bytes(8, "big")) for number in range(LEAVES)]
    floor = _bare_hashes(LEAVES)
    rows: list[Row] = []

    def add(
        name: str, seconds: float, unit: str, amount: int, floor_name: str, least: float
    ) -> None:
        rows.append(
            Row(
                name=name,
                seconds=seconds,
                unit=unit,
                amount=amount,
                floor_name=floor_name,
                floor_seconds=least,
            )
        )

    append = best_of(repeat, lambda: tiles.extend(tiles.EMPTY_EDGE, leaves))
    add("tree append, 1 M leaves", append, "leave", LEAVES, "1 M bare node hashes", floor)
    with _folder() as folder:
        _prove(folder, leaves, add)
    return rows


def _prove(folder: Path, leaves: list[bytes], add) -> None:  # type: ignore[no-untyped-def]  # local
    """Proofs from tiles on disk, as the product makes them, and verified by the verifier."""
    edge, full = tiles.extend(tiles.EMPTY_EDGE, leaves)
    engine = db.open_engine(f"sqlite:///{folder / 'tree.sqlite3'}")
    db.create_tables(engine)
    with db.writing(engine) as conn:
        store.save_head(conn, 1, store.Head(edge=edge, tick_s=0), full)
    random = np.random.default_rng(3)
    indexes = random.integers(0, LEAVES, 500).tolist()
    with db.reading(engine) as conn:
        root = merkle.tree_root(LEAVES, store.nodes(conn, 1, edge))
        began = time.perf_counter()
        # A fresh reader for each proof: nothing is left over from the one before.
        paths = [
            merkle.inclusion_path(index, LEAVES, store.nodes(conn, 1, edge)) for index in indexes
        ]
        made = time.perf_counter() - began
    began = time.perf_counter()
    for index, path in zip(indexes, paths, strict=True):
        verify_inclusion(leaf_hash=leaves[index], index=index, size=LEAVES, path=path, root=root)
    verified = time.perf_counter() - began
    engine.dispose()
    reads = _tile_reads(folder / "tree.sqlite3", indexes)
    add("prove 1 of 1 M entries", made, "proof", len(indexes), "read 2 full tiles", reads)
    hashes = _bare_hashes(20 * len(indexes))
    add("verify a proof of 1 M entries", verified, "proof", len(indexes), "20 bare hashes", hashes)


def _tile_reads(path: Path, indexes: list[int]) -> float:
    """The full tiles that a proof needs at 1 M entries, by primary key, with the bare driver."""
    query = "SELECT hashes FROM tiles WHERE log_id = 1 AND level = ? AND number = ?"
    conn = sqlite3.connect(path)
    began = time.perf_counter()
    for index in indexes:
        conn.execute(query, (0, index >> 8)).fetchone()
        conn.execute(query, (1, index >> 16)).fetchone()
    seconds = time.perf_counter() - began
    conn.close()
    return seconds


def commitment_rows(repeat: int) -> list[Row]:
    random = np.random.default_rng(5)
    lanes = [
        LaneRow(
            contract=b"c" * 16,
            source=b"s" * 16,
            consumer=number.to_bytes(16, "big"),
            supply_class=2,
            start_s=START_S,
            length_s=900,
            wh=random.integers(1, 50_000, INTERVALS),
        )
        for number in range(30)
    ]
    amount = 30 * INTERVALS
    seconds = best_of(
        repeat, lambda: Allocations.seal(lanes, secret=bytes(32), origin="bench", id_="0" * 32)
    )
    return [
        Row(
            name="commit the allocations, 35,040 x 30",
            seconds=seconds,
            unit="allocation",
            amount=amount,
            floor_name="2 bare hashes",
            floor_seconds=_bare_hashes(2 * amount),
        )
    ]


def audit_rows() -> list[Row]:
    with _folder() as folder:
        house = _house(folder)
        take_in(house.desk, _series(), Origin(source="bench", author="operator"))
        house.checkpoint()
        began = time.perf_counter()
        house.audit(no_progress)
        seconds = time.perf_counter() - began
        house.engine.dispose()
    amount = POINTS * INTERVALS
    return [
        Row(
            name="audit: verify and rebuild all",
            seconds=seconds,
            unit="interval",
            amount=amount,
            floor_name="2 bare hashes",
            floor_seconds=_bare_hashes(2 * amount),
        )
    ]


PROFILE = """
title = "Bench"
[file]
format = "csv"
[time]
columns = ["time"]
format = "%Y-%m-%dT%H:%M"
interval = "15min"
label = "start"
zone = "park"
[value]
quantity = "energy"
unit = "Wh"
"""


def import_a_year() -> str:
    """Write a CSV of a year and all points, import it, and say how long it took and what it held.

    For a process of its own, so that nothing else counts.
    """
    columns = "".join(f'[[points]]\ncolumn = "p{n}"\npoint = "p{n}"\n' for n in range(POINTS))
    with _folder() as folder:
        path = folder / "year.csv"
        _write_csv(path)
        house = _house(folder / "ledger")
        began = time.perf_counter()
        import_file(
            house.desk,
            path,
            read_profile(PROFILE + columns, where="bench"),
            profile_text=PROFILE + columns,
            source="bench",
            author="operator",
        )
        seconds = time.perf_counter() - began
        house.engine.dispose()
    return json.dumps({"seconds": seconds, "peak_memory_mb": _peak_memory_mb()})


def _write_csv(path: Path) -> None:
    series = _series()
    park_time = np.datetime64(START_S + 8 * 3600, "s") + np.arange(INTERVALS) * 900
    stamps = np.datetime_as_string(park_time, unit="m")
    with path.open("w") as file:
        file.write("time," + ",".join(one.point for one in series) + "\n")
        for row, stamp in enumerate(stamps):
            file.write(f"{stamp}," + ",".join(str(one.value[row]) for one in series) + "\n")


def _peak_memory_mb() -> int:
    """VmHWM: ru_maxrss would count what the parent held before it started this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0
