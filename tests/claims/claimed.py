"""Claims read back past the code that made them, and claims that are made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ledger.claims import store
from ledger.claims.body import ClaimBody, Claimed
from ledger.claims.shortfall import rows_of
from ledger.db import reading
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt, Submission
from ledger.log.store import load_head
from ledger.metering.service import points_by_name
from ledger.parties.desk import Draft, fresh_id, seal_json
from ledger.units import Period, format_instant
from tests.divided import EDGE_S, FOUR, Held, Wh, all_held, point_id
from tests.ledgers import QUARTER_S

Cells = dict[bytes, Wh]


@dataclass(frozen=True)
class Made:
    """A claim: its cells by lot, and how it stands."""

    claim: bytes
    author: str
    cells: Cells
    ended: str
    flag: str
    wh: int


def made(house: House) -> dict[bytes, Made]:
    with reading(house.engine) as conn:
        found = {}
        for row in store.find_claims(conn, 1):
            start_s, claimed = store.load_claimed(conn, 1, row.root)
            first = (start_s - EDGE_S) // QUARTER_S
            cells = {
                lot: {first + one.first + int(at): int(one.wh[at]) for at in np.flatnonzero(one.wh)}
                for lot, one in claimed.items()
            }
            found[row.claim] = Made(row.claim, row.author, cells, row.ended, row.flag, row.wh)
    return found


def used(house: House, claim: bytes) -> dict[tuple[str, str], Wh]:
    """{(point, holder): Wh by quarter-hour} of a claim, those above 0."""
    held = {one.id: one for one in all_held(house)}
    found: dict[tuple[str, str], Wh] = {}
    for lot, cells in made(house)[claim].cells.items():
        if cells:
            wh = found.setdefault((held[lot].point, held[lot].holder), {})
            for at, amount in cells.items():
                wh[at] = wh.get(at, 0) + amount
    return {key: dict(sorted(wh.items())) for key, wh in found.items()}


def shorts(house: House) -> dict[tuple[str, int], tuple[int, int, int]]:
    """{(point, quarter-hour): (metered, used, short) Wh}."""
    with reading(house.engine) as conn:
        names = {one.point: name for name, one in points_by_name(conn, 1).items()}
        return {
            (names[row.point], (row.start_s - EDGE_S) // QUARTER_S): (
                row.metered_wh,
                row.used_wh,
                row.short_wh,
            )
            for row in rows_of(conn, 1)
        }


def held_by(house: House, *holders: str) -> list[Held]:
    """March's lots that these hold and nobody has spent."""
    return [
        one
        for one in all_held(house)
        if one.holder in holders and not one.spent and min(one.wh) >= 0
    ]


def whole(lots: Sequence[Held]) -> Cells:
    return {one.id: dict(one.wh) for one in lots}


def forged(
    house: House,
    cells: Mapping[bytes, Wh],
    *,
    spends: Sequence[bytes] | None = None,
    retires: Sequence[bytes] = (),
    points: Sequence[str] = ("saw", "press"),
    period: Period = FOUR,
    body_period: Period | None = None,
    author: str = "mill",
    claim: str = "",
    replaces: str = "",
    key: SigningKey | None = None,
    raw_points: Sequence[str] | None = None,
    **manifest: Any,
) -> Submission:
    """A claim as another program would write it: true but for what is changed.

    `cells`: Wh by lot and quarter-hour; those of supply say what is claimed by class. The figures
    of consumption are those of saw and press in March.
    """
    held = {one.id: one for one in all_held(house)}
    sources = {"roof", "tower"}
    by_class: dict[int, int] = {}
    for lot, wh in cells.items():
        if lot in held and held[lot].point in sources and wh:
            class_ = held[lot].supply_class
            by_class[class_] = by_class.get(class_, 0) + sum(wh.values())
    with reading(house.engine) as conn:
        size = load_head(conn, 1).size
    content: dict[str, Any] = {
        "consumer": author,
        "points": list(raw_points or sorted(point_id(house, name).hex() for name in points)),
        "from": format_instant(period.start_s),
        "to": format_instant(period.end_s),
        "as_of": size,
        "claimed_wh": sum(by_class.values()),
        "by_class": [{"class": class_, "wh": wh} for class_, wh in sorted(by_class.items())],
        "certificates": [],
        "credits": [],
        "consumption_wh": 123 + 83,
        "estimated_wh": 0,
        "reason": "x" if replaces else "",
    }
    content |= manifest
    content.setdefault("certificate_wh", sum(one["wh"] for one in content["certificates"]))
    left_wh = content["consumption_wh"] - content["claimed_wh"] - content["certificate_wh"]
    content.setdefault("residual_wh", left_wh)
    id_, over = fresh_id(), body_period or period
    first = (over.start_s - EDGE_S) // QUARTER_S
    body = ClaimBody.seal(
        [_claimed(lot, cells[lot], first) for lot in sorted(cells)],
        start_s=over.start_s,
        count=over.length_s // QUARTER_S,
        secret=b"s" * 32,
        origin=house.log.origin,
        id_=id_,
    )
    sealed = seal_json(content, "claim")
    draft = Draft(
        type="claim.make",
        id=id_,
        author=author,
        members={
            "claim": claim or fresh_id(),
            "replaces": replaces,
            "spends": sorted(lot.hex() for lot in (cells if spends is None else spends)),
            "retires": sorted(retirement.hex() for retirement in retires),
        },
        bodies={"body": body, "manifest": sealed},
    )
    signed = house.desk.sign(draft, key=key)
    return Submission(data=signed.data, bodies={"body": body.data, "manifest": sealed.data})


def _claimed(lot: bytes, cells: Wh, first: int) -> Claimed:
    if not cells:
        return Claimed(lot=lot, first=0, wh=np.empty(0, dtype=np.int64))
    begin, end = min(cells), max(cells) + 1
    values = [cells.get(at, 0) for at in range(begin, end)]
    return Claimed(lot=lot, first=begin - first, wh=np.array(values, dtype=np.int64))


def hand_in(house: House, submission: Submission) -> Receipt:
    return house.desk.writer.append(submission)
