"""The demo's claims, their evidence files, and two things that must not pass: claiming a kWh again,
and an evidence file with one Wh more.
"""

from __future__ import annotations

import base64
import json
import secrets
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.claims import evidence as ev
from ledger.claims import service, settling
from ledger.demo import plan
from ledger.demo.park import PERIOD, Park
from ledger.demo.progress import Advance
from ledger.errors import Refused
from ledger.files import new_private
from ledger.log.notes import SigningKey
from ledger.parties.desk import Desk
from ledger.units import Period, parse_instant

# What huayue-parts claims apart, since a buyer asked for that month: July, in park time.
MONTH: Final = Period(
    start_s=parse_instant("2025-06-30T16:00:00Z"), end_s=parse_instant("2025-07-31T16:00:00Z")
)
MONTH_NAME: Final = "2025-07"
OPENED_POINT: Final = "works-press"
BUYING_POINT: Final = "data-centre"
_TWO_CELLS: Final = struct.Struct(">HHQHQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Of the opened point: its claim of one month, and that of the year's rest. `bought`: of who
    buys certificates outside. `refused`: what the ledger said when the month was claimed once more;
    empty where it let that pass."""

    month: bytes
    rest: bytes
    bought: bytes
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFiles:
    """Paths below the demo's folder. `seed`: hex, what the sampled file follows."""

    full: str
    sampled: str
    bought: str
    forged: str
    seed: str


def claim_year(desk: Desk, park: Park, keys: Mapping[str, SigningKey], advance: Advance) -> Claims:
    """Every consumer claims all that it holds of the year, signed by who owns the point, and
    retires what certificates it has for it, as `greenledger claim make --settle` does."""
    owner_of = {site.name: site.owner for site in plan.sites(park)}

    def make(point: str, period: Period) -> bytes:
        key = keys.get(owner_of[point])
        retired = settling.settle(desk, [point], period, key=key)
        return service.make(desk, [point], period, retirements=retired, key=key).claim

    month = make(OPENED_POINT, MONTH)
    try:
        make(OPENED_POINT, MONTH)
        refused = ""
    except Refused as error:
        refused = str(error)
    made = {}
    for number, point in enumerate(plan.CONSUMERS):
        advance(number, len(plan.CONSUMERS))
        made[point] = make(point, PERIOD)
    return Claims(month=month, rest=made[OPENED_POINT], bought=made[BUYING_POINT], refused=refused)


def write_evidence(desk: Desk, claims: Claims, folder: Path) -> EvidenceFiles:
    """All of a month, and samples of the year's rest, into `folder`, after a checkpoint."""
    # A verifier names the seed after the claim was sealed, so that nobody can prepare for it.
    sample = ev.Sample(seed=secrets.token_bytes(ev.SEED_BYTES), count=ev.SAMPLES)
    full = folder / f"{OPENED_POINT}-{MONTH_NAME}.evidence.json"
    sampled = folder / f"{OPENED_POINT}-rest.evidence.json"
    bought = folder / f"{BUYING_POINT}-certificates.evidence.json"
    forged = folder / f"{OPENED_POINT}-{MONTH_NAME}-forged.evidence.json"
    _write(full, ev.lines(desk, claims.month, "full"))
    _write(sampled, ev.lines(desk, claims.rest, "sampled", sample))
    _write(bought, ev.lines(desk, claims.bought, "total"))
    _write(forged, _forged(full))
    return EvidenceFiles(
        full=f"{folder.name}/{full.name}",
        sampled=f"{folder.name}/{sampled.name}",
        bought=f"{folder.name}/{bought.name}",
        forged=f"{folder.name}/{forged.name}",
        seed=sample.seed.hex(),
    )


def _write(path: Path, lines: Iterator[bytes]) -> None:
    with new_private(path) as file:
        for line in lines:
            file.write(line)


def _forged(path: Path) -> Iterator[bytes]:
    """The same evidence with 1 Wh more in the claim's first quarter-hour."""
    with path.open("rb") as file:
        for line in file:
            yield _with_one_wh_more(line) if line.startswith(b'{"part":"claim"') else line


def _with_one_wh_more(line: bytes) -> bytes:
    """One lot of supply and one of cover share that quarter-hour, at night: both grow, since a
    forger would not leave them apart."""
    end = line[len(line.rstrip(b",\n")) :]
    part = json.loads(line.removesuffix(end))
    cells = base64.b64decode(part["cells"])
    count, place, wh, other, other_wh = _TWO_CELLS.unpack_from(cells)
    assert count == 2
    grown = _TWO_CELLS.pack(count, place, wh + 1, other, other_wh + 1)
    part["cells"] = base64.b64encode(grown + cells[_TWO_CELLS.size :]).decode()
    return json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() + end
