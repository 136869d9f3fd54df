"""Readings into the ledger: repeats, conflicts, corrections, chains, who may send what."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.house import House
from ledger.log import merkle
from ledger.log.bodies import Body
from ledger.log.service import Submission
from ledger.log.store import load_head
from ledger.metering import store
from ledger.metering.batches import Block, Readings, open_reading
from ledger.metering.effective import effective
from ledger.metering.entries import READINGS
from ledger.metering.points import Meter, Point
from ledger.metering.quality import Quality
from ledger.metering.series import Series
from ledger.metering.service import Origin, Taken, find_point, register_point, take_in
from ledger.parties.desk import Draft, fresh_id, seal_json
from tests.ledgers import DAY_S, NOW_S, QUARTER_S, no_progress, series

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


def values(house: House, name: str, as_of: int | None = None) -> dict[int, int]:
    """Effective value by start, in quarter-hours from DAY_S."""
    with reading(house.engine) as conn:
        point = find_point(conn, 1, name).point
        items = effective(conn, 1, point, start_s=DAY_S - 10**6, end_s=DAY_S + 10**6, as_of=as_of)
    return {
        (start - DAY_S) // QUARTER_S: value
        for item in items
        for start, value in zip(
            item.series.start_s.tolist(), item.series.value.tolist(), strict=True
        )
    }


def size(house: House) -> int:
    with reading(house.engine) as conn:
        return load_head(conn, 1).size


def test_identical_repeats_are_dropped_and_counted(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    taken = take(park, series("roof", [2, 3, 4], start_s=DAY_S + QUARTER_S))
    assert (taken.stored, taken.repeats) == (1, 2)
    assert values(park, "roof") == {0: 1, 1: 2, 2: 3, 3: 4}


def test_a_pure_repeat_writes_nothing(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    before = size(park)
    taken = take(park, series("roof", [1, 2, 3]))
    assert (taken.stored, taken.repeats, size(park)) == (0, 3, before)


def test_a_different_value_is_refused_and_changes_nothing(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    before = size(park)
    with pytest.raises(Refused, match=r"'roof' at 2026-02-27T00:15:00Z: 2 is in force.* is 7"):
        take(park, series("roof", [1, 7, 3, 9]))
    assert size(park) == before
    assert values(park, "roof") == {0: 1, 1: 2, 2: 3}


def test_a_correction_replaces_and_history_stays(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    before = size(park)
    taken = take(park, series("roof", [1, 7, 3, 9]), reason="wrong CT ratio")
    assert (taken.stored, taken.corrected, taken.repeats) == (1, 1, 2)
    assert values(park, "roof") == {0: 1, 1: 7, 2: 3, 3: 9}
    assert values(park, "roof", as_of=before) == {0: 1, 1: 2, 2: 3}
    with reading(park.engine) as conn:
        point = find_point(conn, 1, "roof").point
        (item,) = effective(conn, 1, point, start_s=DAY_S, end_s=DAY_S + 4 * QUARTER_S)
    assert item.series.quality.tolist() == [0, int(Quality.CORRECTED), 0, 0]


def flagged(found: Series, flags: int) -> Series:
    return replace(found, quality=found.quality | np.uint16(flags))


def qualities(house: House, name: str) -> list[int]:
    with reading(house.engine) as conn:
        point = find_point(conn, 1, name).point
        (item,) = effective(conn, 1, point, start_s=DAY_S, end_s=DAY_S + 86_400)
    return [int(one) for one in item.series.quality]


def test_a_measured_value_replaces_the_same_estimated_one(park: House) -> None:
    """It can be matched only as a measured one; so it is no repeat, but a correction."""
    take(park, flagged(series("roof", [1, 2]), Quality.ESTIMATED))
    with pytest.raises(Refused, match=r"1 \(estimated\) is in force, the new value is 1 \(2 such"):
        take(park, series("roof", [1, 2]))
    taken = take(park, series("roof", [1, 2]), reason="the meter was read")
    assert (taken.corrected, taken.repeats) == (2, 0)
    assert qualities(park, "roof") == [Quality.CORRECTED] * 2


def test_a_correction_sent_again_is_a_repeat(park: House) -> None:
    take(park, series("roof", [1, 2]))
    take(park, series("roof", [3, 2]), reason="wrong CT ratio")
    taken = take(park, series("roof", [3, 2]))
    assert (taken.stored, taken.corrected, taken.repeats) == (0, 0, 2)


def test_a_correction_can_be_corrected_again(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    take(park, series("roof", [5, 2, 3]), reason="first")
    take(park, series("roof", [6, 2, 4]), reason="second")
    assert values(park, "roof") == {0: 6, 1: 2, 2: 4}
    assert park.audit(no_progress).entries == size(park)


def test_unknown_point_names_those_that_exist(park: House) -> None:
    with pytest.raises(NotFound, match="no point 'rooof'; registered are roof, saw"):
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


def hand_in(
    house: House,
    blocks: Sequence[Block],
    *,
    sequence: int = 0,
    previous: str = "",
    change: Callable[[dict[str, Body | bytes]], None] | None = None,
) -> None:
    """A batch as another program would send it, bytes and all."""
    id_ = fresh_id()
    readings = Readings.seal(
        blocks, secret=secrets.token_bytes(32), origin=house.log.origin, id_=id_
    )
    draft = Draft(
        type=READINGS,
        id=id_,
        author="farm",
        members={"source": "own", "sequence": sequence, "previous": previous},
        bodies={"body": readings, "manifest": seal_json(EMPTY_MANIFEST, "manifest")},
    )
    signed = house.desk.sign(draft)
    bodies: dict[str, Body | bytes] = {member: body.data for member, body in draft.bodies.items()}
    if change:
        change(bodies)
    house.desk.writer.append(Submission(data=signed.data, bodies=bodies))


def block(house: House, *found: int, start_s: int = DAY_S) -> Block:
    with reading(house.engine) as conn:
        point = find_point(conn, 1, "roof").point
    return Block(
        point=point,
        start_s=start_s,
        length_s=QUARTER_S,
        value=np.array(found, dtype=np.int64),
        quality=np.zeros(len(found), dtype=np.uint16),
    )


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


def test_the_database_refuses_an_overlap_by_itself(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    with (
        pytest.raises(Exception, match="blocks overlap: a point and interval has one value"),
        reading(park.engine) as conn,
    ):
        conn.exec_driver_sql(
            "INSERT INTO blocks SELECT log_id, entry_index, 99, leaf_offset, point, start_s + 900,"
            " end_s + 900, length_s, 0, value, quality FROM blocks"
        )


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


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 12),
            st.lists(st.integers(0, 3), min_size=1, max_size=6),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_effective_series_is_what_a_dict_says(
    filled: House, steps: list[tuple[int, list[int], bool]]
) -> None:
    """Against a model in a plain dict: a point of its own for each example."""
    name = f"p-{secrets.token_hex(6)}"
    register_point(filled.desk, Point(name=name, kind="other", owner="mill"))
    model: dict[int, int] = {}
    for first, found, correct in steps:
        given_ = series(name, found, start_s=DAY_S + first * QUARTER_S)
        wanted = {first + place: value for place, value in enumerate(found)}
        conflict = any(model.get(start, value) != value for start, value in wanted.items())
        try:
            take(filled, given_, reason="again" if correct else "")
        except LedgerError:
            assert conflict
            assert not correct
        else:
            assert correct or not conflict
            model |= wanted
        assert values(filled, name) == model
