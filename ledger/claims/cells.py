"""Opening lots in an evidence file: back to readings, quarter-hour by quarter-hour (§9).

One part for each origin that was divided: the readings that cover its opened positions, the outer
tree, and of each lot that is shown its path in the sum trees. Nothing else of the origin is shown.
"""

from __future__ import annotations

import base64
import itertools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection

from ledger.log import merkle
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.division import Division
from ledger.lots.model import Month, month_of
from ledger.lots.packed import Int64
from ledger.lots.store import OriginRow
from ledger.metering import store as metering
from ledger.metering.batches import NONCE, Readings, leaves_of, nonces
from ledger.metering.effective import Effective, effective
from ledger.units import QUARTER_HOUR_S

Part = dict[str, Any]
# A reading's leaf without its point (§3.1): nonce, then start, length, value and quality.
_POINT_AT = slice(16, 32)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(slots=True, kw_only=True)
class Wanted:
    """What is to be opened of one divided origin: positions, and of lots (by number) where they
    have energy. `keys`: lots that are opened whole, by their key."""

    origin: OriginRow
    positions: set[int] = field(default_factory=set)
    lots: dict[int, set[int]] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)


class Batches:
    """The trees of batches, each made once."""

    def __init__(self, conn: Connection, log: LogFacts) -> None:
        self._conn = conn
        self._log = log
        self._rows: dict[int, metering.BatchRow] = {}
        self._trees: dict[int, list[list[bytes]]] = {}

    def row(self, entry_index: int) -> metering.BatchRow:
        if entry_index not in self._rows:
            found = metering.load_batch(self._conn, self._log.log_id, entry_index)
            assert found is not None
            self._rows[entry_index] = found
        return self._rows[entry_index]

    def tree(self, entry_index: int) -> list[list[bytes]]:
        if entry_index not in self._trees:
            row = self.row(entry_index)
            blocks = metering.blocks_of_batch(self._conn, self._log.log_id, entry_index)
            sealed = Readings.seal(blocks, secret=row.secret, origin=self._log.origin, id_=row.id)
            self._trees[entry_index] = merkle.levels(sealed.leaf_hashes)
        return self._trees[entry_index]


class Opener:
    """Makes the parts of divisions and cells."""

    def __init__(self, conn: Connection, log: LogFacts) -> None:
        self._conn = conn
        self._log = log
        self._zone_s = log.zone_s
        self._batches = Batches(conn, log)
        self.divisions = lots.Divisions(conn, log)

    def month_of(self, start_s: int) -> Month:
        return month_of(start_s, self._zone_s)

    def batches_of(self, wanted: Wanted) -> set[int]:
        """The entries whose readings cover what is opened."""
        return {index for _, chosen in self._readings(wanted) for index in chosen}

    def _readings(self, wanted: Wanted) -> list[tuple[Effective, dict[int, Int64]]]:
        """Readings in force at the division that touch the positions: {entry: places in item}."""
        origin = wanted.origin
        month = self.month_of(origin.month_start_s)
        found = []
        opened = np.zeros(month.count, dtype=np.bool_)
        opened[sorted(wanted.positions)] = True
        for item in effective(
            self._conn,
            self._log.log_id,
            origin.point,
            start_s=month.start_s,
            end_s=month.period.end_s,
            as_of=origin.entry_index,
        ):
            series = item.series
            first = (series.start_s - month.start_s) // QUARTER_HOUR_S
            parts = max(1, series.length_s // QUARTER_HOUR_S)
            touched = opened[first[:, None] + np.arange(parts)].any(axis=1)
            if series.length_s < QUARTER_HOUR_S:
                # Of shorter ones only those that fill their quarter-hour count as its reading.
                there = np.bincount(first, minlength=month.count)[first]
                touched &= there == QUARTER_HOUR_S // series.length_s
            places = np.flatnonzero(touched)
            by_entry = {
                int(index): places[item.entry_index[places] == index]
                for index in np.unique(item.entry_index[places])
            }
            found.append((item, by_entry))
        return found

    def cells(self, wanted: Wanted) -> Part:
        """The part of one origin."""
        origin = wanted.origin
        division = self.divisions.at(origin.entry_index)
        divided = division.origins[origin.number]
        at = sorted(wanted.positions)
        opened = {
            number: np.array(sorted(where), dtype=np.int64)
            for number, where in sorted(wanted.lots.items())
        }
        outer, sums, paths = division.open_origin(origin.number, opened)
        base_wh, carried_wh = divided.base_wh[at], divided.carried_wh[at]
        books = np.stack([base_wh, carried_wh], axis=1).astype(">u8").tobytes()
        with_lot = set().union(*wanted.lots.values()) if wanted.lots else set()
        bare = [position for position in at if position not in with_lot]
        return {
            "part": "cells",
            "entry": origin.entry_index,
            "origin": origin.number,
            "at": _u16(at),
            "books": b64(books) if base_wh.any() or carried_wh.any() else "",
            "sums": b64(sums[bare].tobytes()),
            "batches": self._batch_parts(wanted),
            "outer": b64(
                b"".join(
                    merkle.shared_path(at, divided.count, merkle.subtree_of(merkle.levels(outer)))
                )
            ),
            "lots": [
                _lot_part(division, number, where, paths[number], number in wanted.keys)
                for number, where in opened.items()
            ],
        }

    def _batch_parts(self, wanted: Wanted) -> list[Part]:
        leaves: dict[int, dict[int, bytes]] = {}
        for item, by_entry in self._readings(wanted):
            for index, places in by_entry.items():
                mine = leaves.setdefault(index, {})
                mine.update(self._leaves(item, index, places))
        return [self._batch_part(index, leaves[index]) for index in sorted(leaves)]

    def _leaves(self, item: Effective, index: int, places: Int64) -> dict[int, bytes]:
        """{place in the batch: leaf bytes} of some readings of one batch."""
        row, series = self._batches.row(index), item.series
        numbers = item.leaf_index[places]
        stream = nonces(row.secret, self._log.origin, row.id, int(numbers.max()) + 1)
        found = leaves_of(
            np.frombuffer(stream, NONCE)[numbers],
            bytes.fromhex(series.point),
            series.start_s[places],
            series.length_s,
            series.value[places],
            series.quality[places],
        )
        return dict(zip(numbers.tolist(), found, strict=True))

    def _batch_part(self, index: int, leaves: Mapping[int, bytes]) -> Part:
        numbers = sorted(leaves)
        tree = self._batches.tree(index)
        path = merkle.shared_path(numbers, len(tree[0]), merkle.subtree_of(tree))
        packed = b"".join(
            leaves[number][: _POINT_AT.start] + leaves[number][_POINT_AT.stop :]
            for number in numbers
        )
        return {
            "entry": index,
            "runs": _runs(numbers),
            "leaves": b64(packed),
            "nodes": b64(b"".join(path)),
        }

    def division(self, entry_index: int, wanted: Sequence[Wanted]) -> Part:
        """The leaves of a division's tree: opened origins and lots."""
        division = self.divisions.at(entry_index)
        places = sorted(
            {one.origin.number for one in wanted}
            | {len(division.origins) + number for one in wanted for number in one.lots}
        )
        tree = merkle.levels(merkle.leaf_hashes(division.leaves))
        path = merkle.shared_path(places, division.size, merkle.subtree_of(tree))
        return {
            "part": "division",
            "entry": entry_index,
            "leaves": [{"index": place, "bytes": division.leaves[place].hex()} for place in places],
            "nodes": b64(b"".join(path)),
        }


def _lot_part(
    division: Division, number: int, where: Int64, paths: Sequence[bytes], whole: bool
) -> Part:
    _, lot = division.lot_of(number)
    nonce = division.secrets.lot_nonces(number, len(lot.wh))[where].tobytes()
    return {
        "index": number,
        "key": division.secrets.lot_key(number).hex() if whole else "",
        "nonces": "" if whole else b64(nonce),
        "at": _u16(where.tolist()),
        "wh": b64(lot.wh[where].astype(">u8").tobytes()),
        "paths": b64(b"".join(paths)),
    }


def _u16(values: Sequence[int]) -> str:
    return b64(struct.pack(f">{len(values)}H", *values))


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """[first, count] of each run of adjoining numbers."""
    found = []
    for _, run in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = list(run)
        found.append([members[0][1], len(members)])
    return found
