"""Readings into the ledger: rules, chains, bodies from outside, who may send what; points."""

import numpy as np
import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log import merkle
from ledger.log.bodies import Body
from ledger.metering import store
from ledger.metering.batches import Readings, open_reading
from ledger.metering.points import Meter, Point
from ledger.metering.series import Series
from ledger.metering.service import find_point, register_point
from tests.ledgers import DAY_S, NOW_S, QUARTER_S, series
from tests.metering.parks import block, hand_in, size, take, values


def test_unknown_point_names_those_that_exist(park: House) -> None:
    with pytest.raises(
        NotFound, match="no point 'rooof' is registered; see: greenledger point list"
    ):
        take(park, series("rooof", [1]))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (series("roof", [1, -2]), r"-2 Wh at 2026-02-27T00:15:00Z; an additive"),
        (series("roof", [1], start_s=NOW_S), "in the future"),
        (series("roof", [1], start_s=DAY_S + 60), "off the grid"),
        (
            Series(
                point="roof",
                length_s=3600,
                start_s=np.array([DAY_S], dtype=np.int64),
                value=np.array([1], dtype=np.int64),
                quality=np.zeros(1, dtype=np.uint16),
            ),
            "is read every 900 s, the block's intervals have 3600 s",
        ),
    ],
)
def test_readings_that_break_a_rule_are_refused(park: House, found: Series, message: str) -> None:
    before = size(park)
    with pytest.raises(Refused, match=message):
        take(park, found)
    assert size(park) == before


def test_only_owner_operator_and_gateways_send(park: House) -> None:
    take(park, series("roof", [1]), author="farm")
    take(park, series("roof", [2], start_s=DAY_S + QUARTER_S), author="box")
    with pytest.raises(Refused, match=r"'roof' come from its owner 'farm'.* not from 'mill'"):
        take(park, series("roof", [3], start_s=DAY_S + 2 * QUARTER_S), author="mill")


def test_a_batch_from_outside_is_stored(park: House) -> None:
    hand_in(park, [block(park, 4, 5)])
    assert values(park, "roof") == {0: 4, 1: 5}


def test_a_batch_from_outside_never_overlaps(park: House) -> None:
    hand_in(park, [block(park, 4, 5)])
    with reading(park.engine) as conn:
        previous = store.last_batch(conn, 1, "farm", "own")
    assert previous is not None
    with pytest.raises(Refused, match="has a reading at 2026-02-27T00:15:00Z already"):
        hand_in(
            park,
            [block(park, 5, 6, start_s=DAY_S + QUARTER_S)],
            sequence=1,
            previous=previous.leaf_hash.hex(),
        )


@pytest.mark.parametrize(("sequence", "previous"), [(1, ""), (0, "a" * 64), (1, "b" * 64)])
def test_a_gap_in_a_source_is_refused(park: House, sequence: int, previous: str) -> None:
    with pytest.raises(Refused, match="the next is 0 after none"):
        hand_in(park, [block(park, 4)], sequence=sequence, previous=previous)


def test_a_body_must_be_what_the_entry_commits_to(park: House) -> None:
    def other_value(bodies: dict[str, Body | bytes]) -> None:
        data = bodies["body"]
        assert isinstance(data, bytes)
        bodies["body"] = data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]

    with pytest.raises(InvalidInput, match="body: the body's root is"):
        hand_in(park, [block(park, 4)], change=other_value)


@pytest.mark.parametrize("member", ["body", "manifest"])
def test_a_missing_body_is_named(park: House, member: str) -> None:
    with pytest.raises(InvalidInput, match="comes with the bodies of"):
        hand_in(park, [block(park, 4)], change=lambda bodies: bodies.__delitem__(member))


@pytest.mark.parametrize("cut", [1, 2, 5, 30, 60])
def test_a_truncated_body_is_named(park: House, cut: int) -> None:
    def shorten(bodies: dict[str, Body | bytes]) -> None:
        data = bodies["body"]
        assert isinstance(data, bytes)
        bodies["body"] = data[:-cut]

    with pytest.raises(InvalidInput, match=r"readings body|begins with GLR1"):
        hand_in(park, [block(park, 4)], change=shorten)


def test_an_opened_reading_shows_one_interval(park: House) -> None:
    found = Readings.seal(
        [block(park, 4, 5, 6)], secret=bytes(32), origin=park.log.origin, id_="0" * 32
    )
    opened = open_reading(found, park.log.origin, "0" * 32, 1)
    assert int.from_bytes(opened.leaf[44:52], "big", signed=True) == 5
    assert merkle.leaf_hash(opened.leaf) == found.leaf_hashes[1]
    assert len(opened.path) == 2


class TestPoints:
    def test_one_meter_counts_at_one_point_at_a_time(self, park: House) -> None:
        meter = Meter(number="M1", from_="2025-01-01T00:00:00Z")
        register_point(
            park.desk, Point(name="a", kind="consumption", owner="mill", meters=(meter,))
        )
        with pytest.raises(InvalidInput, match="meter M1 is registered at point 'a'"):
            register_point(
                park.desk, Point(name="b", kind="consumption", owner="mill", meters=(meter,))
            )

    def test_a_meter_may_move_on_after_it_was_closed(self, park: House) -> None:
        first = Meter(number="M1", from_="2025-01-01T00:00:00Z", to="2025-06-01T00:00:00Z")
        second = Meter(number="M1", from_="2025-06-01T00:00:00Z")
        for name, meter in (("a", first), ("b", second)):
            register_point(
                park.desk, Point(name=name, kind="consumption", owner="mill", meters=(meter,))
            )

    def test_a_point_is_never_its_own_parent(self, park: House) -> None:
        with reading(park.engine) as conn:
            saw = find_point(conn, 1, "saw").point.hex()
        register_point(park.desk, Point(name="child", kind="consumption", owner="mill", parent=saw))
        with reading(park.engine) as conn:
            child = find_point(conn, 1, "child").point.hex()
        with pytest.raises(InvalidInput, match="'saw' would be its own parent"):
            register_point(
                park.desk, Point(name="saw", kind="consumption", owner="mill", parent=child)
            )

    def test_kind_and_unit_stay(self, park: House) -> None:
        with pytest.raises(Refused, match="kind of point 'saw' stays 'consumption'"):
            register_point(park.desk, Point(name="saw", kind="generation", owner="mill"))

    def test_nobody_takes_a_point_by_naming_itself(self, park: House) -> None:
        with pytest.raises(Refused, match="registered by its owner 'farm' or the operator"):
            register_point(
                park.desk, Point(name="roof", kind="generation", owner="mill"), author="mill"
            )

    def test_an_owner_hands_its_point_over(self, park: House) -> None:
        sold = Point(name="roof", kind="generation", owner="mill")
        register_point(park.desk, sold, author="farm")
        with pytest.raises(Refused, match="come from its owner 'mill'"):
            take(park, series("roof", [1]), author="farm")

    def test_the_owner_is_a_party(self, park: House) -> None:
        with pytest.raises(Refused, match="party 'nobody' is not registered"):
            register_point(park.desk, Point(name="x", kind="consumption", owner="nobody"))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"kind": "windmill"}, "kind is 'windmill'; it is one of generation"),
            ({"unit": "kWh"}, "unit is 'kWh'; it is one of"),
            ({"park_system": "moon"}, "park_system is 'moon'; it is one of energy, transport"),
            ({"interval_s": 0}, "only for kind billed or other"),
            ({"region": "Guangdong"}, "region is 'Guangdong'"),
            ({"capacity": -1}, "capacity is -1"),
        ],
    )
    def test_wrong_master_data_is_explained(self, changes: dict[str, object], message: str) -> None:
        right: dict[str, object] = {"name": "x", "kind": "generation", "owner": "farm"}
        with pytest.raises(InvalidInput, match=message):
            Point(**{**right, **changes})  # type: ignore[arg-type]  # wrong on purpose
