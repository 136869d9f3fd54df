"""A park at the turn of a month, and what became of its energy: lots, claims, and their Wh.

Quarter-hours are counted from the first of March in park time: −1 is the last one of February.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ledger.db import reading
from ledger.house import House
from ledger.log.store import entry_range, load_head
from ledger.lots import store
from ledger.matching.dividing import Plan, number
from ledger.matching.drawing import Draws
from ledger.matching.service import Agreement, register_contract
from ledger.metering.points import Point
from ledger.metering.series import Series
from ledger.metering.service import (
    Origin,
    Taken,
    find_point,
    points_by_name,
    register_point,
    take_in,
)
from ledger.parties.desk import Draft
from ledger.units import Period
from tests.ledgers import NOW_S, QUARTER_S, close, copy_ledger, open_house

EDGE_S = NOW_S - 8 * 3600
ALWAYS = Period(start_s=EDGE_S - 40 * 86_400, end_s=EDGE_S + 40 * 86_400)

Wh = dict[int, int]  # by quarter-hour, those above 0


def built(begun: Path, folder: Path, build: Callable[[House], object]) -> Path:
    """A data directory to be copied for each test: a begun ledger, with what `build` adds."""
    house = open_house(copy_ledger(begun, folder / "data"))
    build(house)
    house.engine.dispose()
    return house.settings.dir


def opened(template: Path, folder: Path) -> Iterator[House]:
    house = open_house(copy_ledger(template, folder / "copy"))
    yield house
    close(house)


def span(first: int, end: int) -> Period:
    return Period(start_s=EDGE_S + first * QUARTER_S, end_s=EDGE_S + end * QUARTER_S)


FOUR = span(0, 4)


def owners(house: House) -> None:
    """Two generators and two consuming companies, whose keys the server holds."""
    for party, role in (
        ("farm", "generator"),
        ("wind", "generator"),
        ("mill", "enterprise"),
        ("shop", "enterprise"),
    ):
        house.desk.register_party(party, party, [role])
        house.desk.create_key(party)


def source(house: House, name: str, owner: str = "farm", **more: Any) -> None:
    register_point(
        house.desk, Point(name=name, kind="generation", owner=owner, region="440106", **more)
    )


def consumer(house: House, name: str, owner: str = "mill", **more: Any) -> None:
    register_point(house.desk, Point(name=name, kind="consumption", owner=owner, **more))


def curve(
    name: str,
    values: Sequence[int],
    *,
    start: int = 0,
    length_s: int = QUARTER_S,
    flags: int = 0,
) -> Series:
    return Series(
        point=name,
        length_s=length_s,
        start_s=EDGE_S + start * QUARTER_S + length_s * np.arange(len(values), dtype=np.int64),
        value=np.array(values, dtype=np.int64),
        quality=np.full(len(values), flags, dtype=np.uint16),
    )


def take(house: House, name: str, values: Sequence[int], *, reason: str = "", **more: Any) -> Taken:
    origin = Origin(source=name, author="operator", reason=reason)
    return take_in(house.desk, [curve(name, values, **more)], origin)


def correct(house: House, name: str, at: int, wh: int, **more: Any) -> int:
    """Returns the entry's index."""
    (receipt,) = take(house, name, [wh], start=at, reason="read anew", **more).receipts
    return receipt.index


def agree(house: House, name: str, consumers: Mapping[str, int], **changes: Any) -> None:
    terms: dict[str, Any] = {
        "kind": "direct-supply",
        "seller": "farm",
        "sources": ["roof"],
        "period": ALWAYS,
        "region": "44" if changes.get("kind", "direct-supply") == "direct-supply" else "",
    }
    register_contract(house.desk, Agreement(name=name, consumers=consumers, **{**terms, **changes}))


@dataclass(frozen=True)
class Held:
    """A lot, by names."""

    id: bytes
    point: str
    holder: str
    supply_class: int
    revision: int
    wh: Wh
    spent: bool


def all_held(house: House) -> list[Held]:
    with reading(house.engine) as conn:
        names = {one.point: name for name, one in points_by_name(conn, 1).items()}
        rows = store.all_lots(conn, 1)
        gone = store.spent(conn, 1, [row.lot for row in rows])
        divisions = store.Divisions(conn, house.log)
        return [
            Held(
                row.lot,
                names[row.point],
                names.get(row.holder, ""),
                row.supply_class,
                row.revision,
                by_quarter(row.month_start_s, divisions.lot_wh(row)),
                row.lot in gone,
            )
            for row in rows
        ]


def by_quarter(start_s: int, wh: Any) -> Wh:
    first = (start_s - EDGE_S) // QUARTER_S
    return {first + int(at): int(wh[at]) for at in np.flatnonzero(wh)}


def lots(house: House, *, february: bool = False) -> dict[tuple[str, str, int], Wh]:
    """{(point, holder, revision): Wh} of a month; no holder: what was left over."""
    found = [one for one in all_held(house) if (min(one.wh) < 0) is february]
    named = {(one.point, one.holder, one.revision): one.wh for one in found}
    assert len(named) == len(found), "a holder has lots of two classes"
    return named


def point_id(house: House, name: str) -> bytes:
    with reading(house.engine) as conn:
        return find_point(conn, 1, name).point


def entries_of(house: House) -> list[tuple[int, bytes]]:
    """The whole log, for the public rule."""
    with reading(house.engine) as conn:
        return list(entry_range(conn, 1, 0, load_head(conn, 1).size))


def draft(plans: Sequence[Plan], *, run: bytes, operator: str, origin: str) -> Draft:
    """The entry that divides some origins for the run with leaf hash `run`."""
    found = number(plans, origin=origin, draws=Draws.fresh())
    return found.draft(found.seal(), run=run, operator=operator)
