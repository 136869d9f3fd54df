"""A park with two points, readings for it, and what is in force then."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from ledger.db import reading
from ledger.house import House
from ledger.log.bodies import Blob, Body
from ledger.log.service import Submission
from ledger.log.store import load_head
from ledger.metering.batches import Block, Readings
from ledger.metering.effective import effective
from ledger.metering.entries import CORRECTION, CORRECTS_MEDIA, READINGS
from ledger.metering.points import Point
from ledger.metering.series import Series
from ledger.metering.service import Origin, Taken, find_point, register_point, take_in
from ledger.parties.desk import Draft, fresh_id, fresh_salt, seal_json
from tests.ledgers import DAY_S, QUARTER_S, series

EMPTY_MANIFEST = {
    "file": {},
    "profile": "",
    "reason": "",
    "repairs": [],
    "rejections": [],
    "repeats": 0,
}


@pytest.fixture
def park(begun: House) -> House:
    """Two owners with a point each, and a gateway."""
    desk = begun.desk
    for party, role in (("farm", "generator"), ("mill", "enterprise"), ("box", "gateway")):
        desk.register_party(party, party, [role])
        desk.create_key(party)
    register_point(desk, Point(name="roof", kind="generation", owner="farm"))
    register_point(desk, Point(name="saw", kind="consumption", owner="mill"))
    return begun


def take(house: House, *found: Series, author: str = "operator", reason: str = "") -> Taken:
    return take_in(house.desk, found, Origin(source="s", author=author, reason=reason))


def values(
    house: House, name: str, as_of: int | None = None, window: tuple[int, int] = (-1000, 2000)
) -> dict[int, int]:
    """Effective value by start, in quarter-hours from DAY_S: of those from window[0] on."""
    start_s = DAY_S + window[0] * QUARTER_S
    end_s = start_s + window[1] * QUARTER_S
    with reading(house.engine) as conn:
        point = find_point(conn, 1, name).point
        items = effective(conn, 1, point, start_s=start_s, end_s=end_s, as_of=as_of)
    return {
        (start - DAY_S) // QUARTER_S: value
        for item in items
        for start, value in zip(
            item.series.start_s.tolist(), item.series.value.tolist(), strict=True
        )
    }


def at_quarters(point: str, found: Mapping[int, int]) -> Series:
    """A series with gaps: values by quarter-hours from DAY_S."""
    starts = np.array(sorted(found), dtype=np.int64)
    values_ = [found[int(start)] for start in starts]
    return replace(series(point, values_), start_s=DAY_S + QUARTER_S * starts)


def size(house: House) -> int:
    with reading(house.engine) as conn:
        return load_head(conn, 1).size


def flagged(found: Series, flags: int) -> Series:
    return replace(found, quality=found.quality | np.uint16(flags))


def qualities(house: House, name: str) -> list[int]:
    with reading(house.engine) as conn:
        point = find_point(conn, 1, name).point
        (item,) = effective(conn, 1, point, start_s=DAY_S, end_s=DAY_S + 86_400)
    return [int(one) for one in item.series.quality]


def hand_in(
    house: House,
    blocks: Sequence[Block],
    *,
    sequence: int = 0,
    previous: str = "",
    corrects: bytes | None = None,
    change: Callable[[dict[str, Body | bytes]], None] | None = None,
) -> None:
    """A batch, or a correction, as another program would send it, bytes and all."""
    id_ = fresh_id()
    readings = Readings.seal(
        blocks, secret=secrets.token_bytes(32), origin=house.log.origin, id_=id_
    )
    draft = Draft(
        type=READINGS if corrects is None else CORRECTION,
        id=id_,
        author="farm",
        members={"source": "own", "sequence": sequence, "previous": previous},
        bodies={
            "body": readings,
            "manifest": seal_json(EMPTY_MANIFEST, "manifest"),
            **(
                {"corrects": Blob.seal(corrects, CORRECTS_MEDIA, salt=fresh_salt())}
                if corrects is not None
                else {}
            ),
        },
    )
    signed = house.desk.sign(draft)
    bodies: dict[str, Body | bytes] = {member: body.data for member, body in draft.bodies.items()}
    if change:
        change(bodies)
    house.desk.writer.append(Submission(data=signed.data, bodies=bodies))


def block(
    house: House,
    *found: int,
    start_s: int = DAY_S,
    length_s: int = QUARTER_S,
    point: str = "roof",
) -> Block:
    with reading(house.engine) as conn:
        id_ = find_point(conn, 1, point).point
    return Block(
        point=id_,
        start_s=start_s,
        length_s=length_s,
        value=np.array(found, dtype=np.int64),
        quality=np.zeros(len(found), dtype=np.uint16),
    )
