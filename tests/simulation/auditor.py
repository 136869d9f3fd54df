"""The auditor: what was done, in plain dicts, compared with what the ledger's tables say.

Written from docs/formats.md (§1, §3.1, §3.4, §4.1) and the promises of the design; it reads rows by
SQL, reckons roots by RFC 6962 itself, and calls no code of the ledger that it judges.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ledger.house import House
from tests.ledgers import QUARTER_S, rows
from tests.units import all_units
from tests.verifier import forge

UNITS = range(200)
SCHEME, CODE = "gec", "S"


def month_of(unix_s: int) -> tuple[int, int]:
    """Of park time, +08:00."""
    found = datetime.fromtimestamp(unix_s + 8 * 3600, UTC)
    return found.year, found.month


def require(holds: bool, said: str) -> None:
    if not holds:
        raise AssertionError(said)


@dataclass
class Auditor:
    """`metered`: Wh in force by (point, start of the quarter-hour); `highest`: the most that was
    ever in force there; `owner`: of each unit that is not used up; `handed_out`: root by size."""

    names: dict[bytes, str]
    metered: dict[tuple[str, int], int] = field(default_factory=dict)
    highest: dict[tuple[str, int], int] = field(default_factory=dict)
    owner: dict[int, str] = field(default_factory=dict)
    handed_out: dict[int, bytes] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    statements: list[dict[str, Any]] = field(default_factory=list)

    # What was done

    def read(self, point: str, start_s: int, wh: int) -> None:
        at = point, start_s
        self.metered[at] = wh
        self.highest[at] = max(wh, self.highest.get(at, 0))

    def hand_out(self, note: bytes) -> None:
        """A checkpoint that somebody has now: it has to hold for ever."""
        _, size, root = note.decode().split("\n")[:3]
        found = forge.mth(self.leaves[: int(size)])
        require(int(size) <= len(self.leaves), f"a checkpoint of {size}, {len(self.leaves)} exist")
        require(base64.b64decode(root) == found, f"the root at {size} is not that of its entries")
        require(self.handed_out.setdefault(int(size), found) == found, f"two roots for {size}")
        require(int(size) == max(self.handed_out), f"{size} after {max(self.handed_out)}")

    # What there is

    def look(self, house: House) -> list[str]:
        """Compare all; returns the types of the entries that are new."""
        new = self.look_at_log(house)
        self._readings(house)
        self._energy(house)
        self._claims(house)
        self._units(house)
        return new

    def look_at_log(self, house: House) -> list[str]:
        """What was there stays there, and what is new continues it."""
        known = len(self.leaves)
        if known:
            (last,) = rows(house, "SELECT data FROM entries WHERE entry_index = ?", known - 1)
            require(forge.leaf(bytes(last[0])) == self.leaves[-1], f"entry {known - 1} is another")
        sql = "SELECT entry_index, data FROM entries WHERE entry_index >= ? ORDER BY entry_index"
        found = rows(house, sql, known)
        require([row[0] for row in found] == list(range(known, known + len(found))), "a gap")
        for _, data in found:
            self.leaves.append(forge.leaf(bytes(data)))
            self.statements.append(json.loads(bytes(data).partition(b"\n\n")[0]))
        self._chains(known)
        types = [one["type"] for one in self.statements[known:]]
        require(not types or types[0] in ("tick", "log.genesis"), f"a group begins {types}")
        require(not types or types[-1] != "tick", "a tick with nothing behind it")
        ((size,),) = rows(house, "SELECT size FROM log_heads")
        require(size == len(self.leaves), f"the head says {size}, {len(self.leaves)} entries")
        return types

    def log_again(self, house: House) -> None:
        """Every entry once more, from the first: what was acknowledged is never lost."""
        found = rows(house, "SELECT data FROM entries ORDER BY entry_index")
        require([forge.leaf(bytes(data)) for (data,) in found] == self.leaves, "history changed")

    def _chains(self, begin: int) -> None:
        """Sequence and previous of each source's batches; ids; the time of ticks."""
        last: dict[tuple[str, str], tuple[int, str]] = {}
        ids: set[tuple[str, str]] = set()
        tick = ""
        for index, one in enumerate(self.statements):
            key = one["author"], one["id"]
            require(key not in ids, f"entry {index} has an id that was used")
            ids.add(key)
            if one["type"] == "tick":
                require(one["at"] >= tick, f"entry {index}: time goes back to {one['at']}")
                tick = one["at"]
            if one["type"] in ("readings", "readings.correction"):
                source = one["author"], one["source"]
                sequence, leaf = last.get(source, (-1, ""))
                if index >= begin:
                    require(one["sequence"] == sequence + 1, f"entry {index}: a gap in {source}")
                    require(one["previous"] == leaf, f"entry {index}: not behind the batch before")
                last[source] = one["sequence"], self.leaves[index].hex()

    def _readings(self, house: House) -> None:
        found: dict[tuple[str, int], int] = {}
        sql = "SELECT point, start_s, length_s, value FROM blocks ORDER BY entry_index, number"
        for point, start_s, length_s, value in rows(house, sql):
            require(length_s == QUARTER_S, "an interval that nobody read")
            data = bytes(value)
            for at in range(0, len(data), 8):
                wh = int.from_bytes(data[at : at + 8], "big", signed=True)
                found[self.names[bytes(point)], start_s + at // 8 * QUARTER_S] = wh
        require(found == self.metered, f"readings differ: {found.items() ^ self.metered.items()}")

    def _energy(self, house: House) -> None:
        """No kWh is in two lots: of a month of a point, lots that were not carried over hold no
        more than its meter ever showed."""
        sql = (
            "SELECT l.lot, l.point, l.month_start_s, l.wh FROM lots AS l WHERE NOT EXISTS (SELECT 1"
            " FROM origins AS o WHERE o.log_id = l.log_id AND o.point = l.point AND"
            " o.month_start_s = l.month_start_s AND o.revision > l.revision AND l.holder = ?)"
        )
        held: defaultdict[tuple[str, int], int] = defaultdict(int)
        for _, point, month_s, wh in rows(house, sql, bytes(16)):
            held[self.names[bytes(point)], month_s] += wh
        for (point, month_s), wh in held.items():
            most = sum(
                highest
                for (name, start_s), highest in self.highest.items()
                if name == point and month_of(start_s) == month_of(month_s)
            )
            require(wh <= most, f"lots of {point}: {wh} Wh of {most}")

    def _claims(self, house: House) -> None:
        """A lot is claimed by one claim in force, for no more than it is worth, and each claim
        has as much supply as cover."""
        sql = (
            "SELECT c.claim, c.wh, cl.lot, cl.wh, l.wh, l.point FROM claims AS c JOIN claim_lots AS"
            " cl USING (log_id, claim) JOIN lots AS l USING (log_id, lot) WHERE NOT EXISTS (SELECT"
            " 1 FROM claim_ends AS e WHERE e.log_id = c.log_id AND e.claim = c.claim)"
        )
        sides: dict[bytes, list[int]] = {}
        whole: dict[bytes, int] = {}
        seen: set[bytes] = set()
        for claim, claimed, lot, wh, worth, point in rows(house, sql):
            require(bytes(lot) not in seen, f"lot {bytes(lot).hex()} is in two claims")
            seen.add(bytes(lot))
            require(0 <= wh <= worth, f"{wh} Wh of a lot of {worth}")
            side = sides.setdefault(bytes(claim), [0, 0])
            side[self.names[bytes(point)] in ("saw", "oven")] += wh
            whole[bytes(claim)] = claimed
        for claim, (supply, cover) in sides.items():
            require(supply == cover == whole[claim], f"a claim of {supply} Wh covers {cover}")

    def _units(self, house: House) -> None:
        """Each unit has one owner, or is used up: none is lost, none is there twice."""
        there = all_units(house)
        found = {number: one.owner for (_, _, number), one in there.items() if not one.gone}
        require(found == self.owner, "owners of units differ")
        require({number for _, _, number in there} == set(UNITS), "units are lost")
