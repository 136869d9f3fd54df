"""Readings that come one interval at a time: the same rules, no more work for each than at first.

Work is counted in steps of SQLite's machine, which are the same on a slow computer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ledger.db import reading, writing
from ledger.errors import Refused
from ledger.house import House
from ledger.metering import store
from ledger.metering.effective import effective
from ledger.metering.points import Point
from ledger.metering.service import find_point, register_point
from tests.ledgers import DAY_S, QUARTER_S, rows, series
from tests.metering.parks import block, hand_in, take, values

INSERT = (
    "INSERT INTO blocks SELECT log_id, entry_index, ?1, leaf_offset, point, ?2, ?3, length_s, ?4,"
    " value, quality FROM blocks WHERE log_id = 1 AND number = 0"
    " AND entry_index = (SELECT min(entry_index) FROM batches WHERE log_id = 1)"
)


@contextmanager
def no_commit(house: House) -> Iterator[Connection]:
    """A writer's connection whose changes are thrown away."""
    with house.engine.connect().execution_options(writes=True) as conn:
        yield conn
        conn.rollback()


def put(
    conn: Connection, number: int, start_s: int, end_s: int, *, correction: bool = False
) -> None:
    """One more block of the only point that has one, past all checks but the database's."""
    conn.exec_driver_sql(INSERT, (number, start_s, end_s, int(correction)))


def steps(conn: Connection, work: Callable[[], object]) -> int:
    """How many steps SQLite takes, in tens."""
    count = 0

    def tick() -> None:
        nonlocal count
        count += 1

    driver: Any = conn.connection.driver_connection
    driver.set_progress_handler(tick, 10)
    try:
        work()
    finally:
        driver.set_progress_handler(None, 0)
    return count


def test_one_more_interval_is_no_more_work_after_many(park: House) -> None:
    take(park, series("roof", [1]))
    point = block(park, 1).point
    with no_commit(park) as conn:

        def work(number: int) -> dict[str, int]:
            start_s = DAY_S + number * QUARTER_S
            span = {"start_s": start_s, "end_s": start_s + QUARTER_S}
            return {
                "the check": steps(conn, lambda: store.plain_block_in(conn, 1, point, **span)),
                "the trigger": steps(conn, lambda: put(conn, number, start_s, span["end_s"])),
                "a look": steps(conn, lambda: store.blocks_in(conn, 1, point, **span)),
            }

        first = work(1)
        for number in range(2, 3000):
            start_s = DAY_S + number * QUARTER_S
            put(conn, number, start_s, start_s + QUARTER_S)
        last = work(3000)
        assert all(last[what] <= 2 * first[what] + 10 for what in first), (first, last)
        (item,) = effective(conn, 1, point, start_s=DAY_S, end_s=DAY_S + 3001 * QUARTER_S)
        assert len(item.series) == 3001


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spans=st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 8)), max_size=14),
    window=st.tuples(st.integers(-25, 25), st.integers(1, 12)),
)
def test_the_database_refuses_overlaps_and_nothing_else(
    park: House, spans: list[tuple[int, int]], window: tuple[int, int]
) -> None:
    """Against a list of spans of 100 s; the ledger's own check and the look-up find the same."""
    if not values(park, "roof"):
        take(park, series("roof", [1]))
    point = block(park, 1).point
    held = [(0, 9)]
    with no_commit(park) as conn:
        for number, (first, count) in enumerate(spans, start=1):
            start_s, end_s = DAY_S + 100 * first, DAY_S + 100 * (first + count)
            free = not any(first < end and begin < first + count for begin, end in held)
            found = store.plain_block_in(conn, 1, point, start_s=start_s, end_s=end_s)
            assert (found is None) == free
            if free:
                put(conn, number, start_s, end_s)
                held.append((first, first + count))
            else:
                with pytest.raises(IntegrityError, match="a point and interval has one value"):
                    put(conn, number, start_s, end_s)
        first, last = window[0], sum(window)
        looked = store.blocks_in(
            conn, 1, point, start_s=DAY_S + 100 * first, end_s=DAY_S + 100 * last
        )
        touching = sorted(begin for begin, end in held if begin < last and end > first)
        assert [one.block.start_s for one in looked] == [DAY_S + 100 * at for at in touching]


def test_the_database_refuses_an_overlap_by_itself(park: House) -> None:
    take(park, series("roof", [1, 2, 3]))
    with pytest.raises(Refused, match="overlap"), writing(park.engine) as conn:
        put(conn, 99, DAY_S + QUARTER_S, DAY_S + 4 * QUARTER_S)
    with no_commit(park) as conn:
        put(conn, 99, DAY_S + QUARTER_S, DAY_S + 2 * QUARTER_S, correction=True)


@pytest.mark.parametrize(
    ("length_s", "count"), [(1, 7), (7, 11), (900, 3), (3600, 2), (86_400, 31), (86_400 * 31, 1)]
)
def test_intervals_are_counted(park: House, length_s: int, count: int) -> None:
    register_point(park.desk, Point(name="any", kind="billed", owner="mill", interval_s=0))
    start_s = DAY_S - 40 * 86_400
    take(park, series("any", [1] * count, start_s=start_s, length_s=length_s))
    take(park, series("any", [2], start_s=start_s, length_s=length_s), reason="once more")
    with reading(park.engine) as conn:
        point = find_point(conn, 1, "any").point
        assert dict(store.interval_counts(conn, 1)) == {point: count + 1}


def test_a_batch_reads_the_registrations_of_its_own_points(
    park: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_point(park.desk, Point(name="roof", kind="generation", owner="farm", technology="pv"))
    found = block(park, 4)
    read: list[str] = []
    from_json = Point.from_json

    def counted(value: Any) -> Point:
        read.append(value["name"])
        return from_json(value)

    monkeypatch.setattr("ledger.metering.points.Point.from_json", counted)
    hand_in(park, [found])
    assert read == ["roof"]


def test_registrations_of_some_are_those_of_all(filled: House) -> None:
    with reading(filled.engine) as conn:
        everything = store.current_points(conn, 1)
        for point, registered in everything.items():
            assert store.current_points(conn, 1, only=[point]) == {point: registered}
        assert store.current_points(conn, 1, only=[bytes(16)]) == {}
        many = [number.to_bytes(16, "big") for number in range(100_000)]
        assert store.current_points(conn, 1, only=[*many, *everything]) == everything


def test_the_span_of_a_point_is_found_whatever_others_have(park: House) -> None:
    take(park, series("roof", [1]))
    before = len(rows(park, "SELECT 1 FROM entries"))
    for first in (4, 2):
        take(park, series("roof", [2], start_s=DAY_S + first * QUARTER_S))
    take(park, series("roof", [3]), reason="again")
    point = block(park, 1).point
    with no_commit(park) as conn:
        assert store.span_of(conn, 1, point) == (DAY_S, DAY_S + 5 * QUARTER_S)
        assert store.span_of(conn, 1, point, before) == (DAY_S, DAY_S + QUARTER_S)
        assert store.span_of(conn, 1, point, 1) is None
        first_steps = steps(conn, lambda: store.span_of(conn, 1, bytes(16), 10**6))
        for number in range(5, 1000):
            start_s = DAY_S + number * QUARTER_S
            put(conn, number, start_s, start_s + QUARTER_S)
        assert steps(conn, lambda: store.span_of(conn, 1, bytes(16), 10**6)) <= first_steps + 10
