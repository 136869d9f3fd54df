"""Lots, claims and evidence, each beside a floor measured in the same run.

A consumer's month with 8 sources is the product's own way: a ledger on disk with 8 plants and 8
consumers, readings, contracts, a run that ends in lots, a claim, its evidence file, and the
stand-alone verifier's code on it.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.rows import Row, best_of
from greenledger_verify.evidence import verify_evidence
from greenledger_verify.lotbook import LotBook
from greenledger_verify.quick import read_quickly
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger.claims import evidence as ev
from ledger.claims import service as claims
from ledger.house import House
from ledger.lots import rule, sumtree
from ledger.lots.division import DividedLot, DividedOrigin, Division, Place
from ledger.lots.model import NO_LOT
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.series import Series
from ledger.metering.service import Origin, register_point, take_in
from ledger.settings import Settings
from ledger.units import Period

SOURCES = 8
CONSUMERS = 8
COUNT = 2_976
START_S = 1_735_660_800  # 2025-01-01T00:00+08:00
ENTRIES = 100_000


def run(repeat: int) -> list[Row]:
    return [*_division_rows(repeat), *_evidence_rows(repeat), *_scan_rows(repeat)]


def _two_hashes(cells: int) -> float:
    """What two hashes for each cell cost by themselves: its leaf, and a node of its tree."""
    leaf, node = b"l" * 41, b"n" * 81

    def work() -> None:
        sha256 = hashlib.sha256
        for _ in range(cells):
            sha256(leaf).digest()
            sha256(node).digest()

    return best_of(1, work)


def _division_rows(repeat: int) -> list[Row]:
    random = np.random.default_rng(1)
    lots = CONSUMERS + 1
    creates = tuple(sorted(random.bytes(16) for _ in range(SOURCES * lots)))
    origins = []
    for k in range(SOURCES):
        wh = random.integers(1, 10**6, (lots, COUNT))
        nothing = np.zeros(COUNT, dtype=np.int64)
        mine = [
            DividedLot(
                number=k * lots + j,
                supply_class=2 if j < CONSUMERS else 0,
                holder=bytes([j + 1]) * 16 if j < CONSUMERS else bytes(16),
                wh=wh[j],
            )
            for j in range(lots)
        ]
        origins.append(
            DividedOrigin(
                start_s=START_S,
                carried=NO_LOT,
                remainder=creates[k * lots + CONSUMERS],
                readings=np.frombuffer(random.bytes(32 * COUNT), sumtree.HASH),
                base_wh=nothing,
                carried_wh=nothing,
                fresh_wh=wh.sum(axis=0),
                lots=tuple(mine),
            )
        )
    place = Place(origin="bench.example/1", id="00" * 16, creates=creates)
    cells = SOURCES * lots * COUNT
    return [
        Row(
            name="divide with commitment (non-zero cells)",
            seconds=best_of(repeat, lambda: Division.seal(origins, secret=bytes(32), place=place)),
            unit="cell",
            amount=cells,
            floor_name="two bare SHA-256 for each cell",
            floor_seconds=_two_hashes(cells),
        )
    ]


def _house(folder: Path) -> House:
    """Eight plants, each of which supplies all eight consumers, and a month of readings."""
    house = House.init(Settings(dir=folder), origin="bench.example/1", name="Bench")
    desk, random = house.desk, np.random.default_rng(2)
    desk.register_party("plants", "Plants", ["generator"])
    desk.register_party("users", "Users", ["enterprise"])
    desk.create_key("users")
    points = [(f"plant-{i}", "generation", "plants") for i in range(SOURCES)]
    points += [(f"user-{i}", "consumption", "users") for i in range(CONSUMERS)]
    for name, kind, owner in points:
        register_point(desk, Point(name=name, kind=kind, owner=owner))
    start_s = START_S + 900 * np.arange(COUNT, dtype=np.int64)
    for name, kind, _ in points:
        high = 900_000 if kind == "generation" else 1_000_000
        series = Series(
            point=name,
            length_s=900,
            start_s=start_s,
            value=random.integers(800_000, high, COUNT),
            quality=np.zeros(COUNT, dtype=np.uint16),
        )
        take_in(desk, [series], Origin(source=name, author="operator"))
    for i in range(SOURCES):
        register_contract(
            desk,
            Agreement(
                name=f"contract-{i}",
                kind="direct-supply",
                seller="plants",
                sources=[f"plant-{i}"],
                consumers={f"user-{j}": 0 for j in range(CONSUMERS)},
                period=Period(start_s=START_S, end_s=START_S + 900 * COUNT),
            ),
        )
    return house


def _evidence_rows(repeat: int) -> list[Row]:
    period = Period(start_s=START_S, end_s=START_S + 900 * COUNT)
    with TemporaryDirectory(prefix="greenledger-bench-") as folder:
        house = _house(Path(folder))
        desk = house.desk
        matched = best_of(1, lambda: run_matching(desk, period))
        claim = claims.make(desk, ["user-0"], period).claim
        house.checkpoint()
        trust = trust_of([house.log.log_key.vkey])
        sample = ev.Sample(seed=bytes(32), count=ev.SAMPLES)
        full = b"".join(ev.lines(desk, claim, "full"))
        sampled = b"".join(ev.lines(desk, claim, "sampled", sample))
        cells = (SOURCES + 1) * COUNT
        floor = _two_hashes(cells)
        rows = [
            Row(
                name="match a month and make lots of it, all in",
                seconds=matched,
                unit="cell",
                amount=2 * SOURCES * CONSUMERS * COUNT,
                floor_name="two bare SHA-256 for each cell",
                floor_seconds=_two_hashes(2 * SOURCES * CONSUMERS * COUNT),
            ),
            Row(
                name=f"evidence of a month made, full ({len(full) / 1e6:.1f} MB)",
                seconds=best_of(repeat, lambda: list(ev.lines(desk, claim, "full"))),
                unit="cell",
                amount=cells,
                floor_name="two bare SHA-256 for each cell shown",
                floor_seconds=floor,
            ),
            Row(
                name="evidence of a month verified, full",
                seconds=best_of(
                    repeat, lambda: verify_evidence(io.BytesIO(full), trust, Report(language="en"))
                ),
                unit="cell",
                amount=cells,
                floor_name="two bare SHA-256 for each cell shown",
                floor_seconds=floor,
            ),
            Row(
                name=f"evidence of a month made, sampled ({len(sampled) / 1e3:.0f} kB)",
                seconds=best_of(repeat, lambda: list(ev.lines(desk, claim, "sampled", sample))),
                unit="sample",
                amount=ev.SAMPLES,
                floor_name="two bare SHA-256 for each cell of the month",
                floor_seconds=floor,
            ),
        ]
        house.engine.dispose()
    return rows


def _scan_rows(repeat: int) -> list[Row]:
    entries = _headers()

    def verifier() -> None:
        book = LotBook(complete=True)
        for index, data in entries:
            if b'"lot.' in data or b'"claim.' in data:
                entry = read_quickly(data)
                assert entry is not None
                if entry.type == "lot.divide":
                    lots = entry.texts("origins"), entry.texts("spends"), entry.texts("creates")
                    book.check_divide(entry.text("run"), *lots)
                    book.divide(index, entry.text("run"), *lots)
                else:
                    claim = entry.text("claim"), entry.text("replaces"), entry.texts("spends")
                    book.check_make(entry.author, *claim)
                    book.make(index, entry.author, *claim)

    def parsed() -> None:
        for _, data in entries:
            json.loads(data[: data.find(b"\n")])

    floor = best_of(repeat, parsed)
    return [
        Row(
            name=f"public rule over {ENTRIES:,} entries, {who}",
            seconds=best_of(repeat, work),
            unit="header",
            amount=ENTRIES,
            floor_name="json.loads of each statement",
            floor_seconds=floor,
        )
        for who, work in (("ledger", lambda: rule.scan(entries)), ("verifier", verifier))
    ]


def _headers() -> list[tuple[int, bytes]]:
    """A log of readings, each tenth entry a division of 20 lots or a claim of 10 of them."""
    random = np.random.default_rng(3)
    signature = "\n\n— bench.example/1/operator " + "A" * 92 + "\n"
    found, free = [], []
    for index in range(ENTRIES):
        common = {
            "id": random.bytes(16).hex(),
            "log": "bench.example/1",
            "author": "operator",
            "at": "2026-01-01T00:00:00Z",
        }
        special: dict[str, Any]
        if index % 10 == 3:
            creates = sorted(random.bytes(16).hex() for _ in range(20))
            free += creates
            special = {
                "type": "lot.divide",
                "run": "00" * 32,
                "origins": [f"{random.bytes(16).hex()}/2026-01/0"],
                "spends": [],
                "creates": creates,
                "body": {"root": "00" * 32, "size": 21, "media": "m"},
            }
        elif index % 10 == 7 and len(free) >= 10:
            spends, free = sorted(free[:10]), free[10:]
            special = {
                "type": "claim.make",
                "claim": random.bytes(16).hex(),
                "replaces": "",
                "spends": spends,
                "retires": [],
                "body": {"root": "00" * 32, "size": 2976, "media": "m"},
                "manifest": {"hash": "00" * 32, "size": 500, "media": "m"},
            }
        else:
            special = {
                "type": "readings",
                "source": "import",
                "sequence": index,
                "previous": "00" * 32,
                "body": {"root": "00" * 32, "size": 96, "media": "m"},
                "manifest": {"hash": "00" * 32, "size": 500, "media": "m"},
            }
        line = json.dumps({**special, **common}, separators=(",", ":"))
        found.append((index, (line + signature).encode()))
    return found
