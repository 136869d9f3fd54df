"""Repeats are dropped, other values are corrections, and the latest is in force."""

from __future__ import annotations

import secrets

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.db import reading
from ledger.errors import LedgerError, Refused
from ledger.house import House
from ledger.metering import sealing, store
from ledger.metering.batches import Block, Readings, cut, nonces
from ledger.metering.effective import leaf_hashes_in_force
from ledger.metering.points import Point
from ledger.metering.quality import Quality
from ledger.metering.service import register_point
from tests.ledgers import DAY_S, QUARTER_S, no_progress, series
from tests.metering.parks import (
    at_quarters,
    block,
    flagged,
    hand_in,
    qualities,
    size,
    take,
    values,
)


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
    assert qualities(park, "roof") == [0, Quality.CORRECTED, 0, 0]


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


def test_a_run_longer_than_a_batch_is_cut(park: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a year of minutes is: 525,600 of them."""
    monkeypatch.setattr(sealing, "READINGS_MAX", 4)
    taken = take(park, series("roof", [*range(10)]))
    assert (len(taken.receipts), taken.stored) == (3, 10)
    take(park, series("roof", [*range(100, 110)]), reason="wrong CT ratio")
    assert values(park, "roof") == {place: 100 + place for place in range(10)}
    assert park.audit(no_progress).entries == size(park)


@given(count=st.integers(1, 40), most=st.integers(1, 12), length_s=st.sampled_from([1, 60, 900]))
def test_pieces_of_a_block_are_the_block(count: int, most: int, length_s: int) -> None:
    value = np.arange(count, dtype=np.int64)
    whole = Block(
        point=bytes(16),
        start_s=DAY_S,
        length_s=length_s,
        value=value,
        quality=value.astype(np.uint16),
    )
    pieces = cut(whole, most)
    assert [piece.count for piece in pieces[:-1]] == [most] * (len(pieces) - 1)
    assert 0 < pieces[-1].count <= most
    for member in ("value", "quality"):
        joined = np.concatenate([getattr(piece, member) for piece in pieces])
        assert joined.tolist() == getattr(whole, member).tolist()
    ends = [DAY_S, *(piece.end_s for piece in pieces)]
    assert ends == [*(piece.start_s for piece in pieces), whole.end_s]


@pytest.mark.parametrize("names_nothing", [bytes(32), b"\x01" * 32])
def test_what_replaces_nothing_is_no_correction(park: House, names_nothing: bytes) -> None:
    """So plain readings alone show where there is one."""
    with pytest.raises(Refused, match="in force is no reading of 900 s"):
        hand_in(park, [block(park, 4)], corrects=names_nothing)
    take(park, series("roof", [1]))
    with pytest.raises(Refused, match=r"at 2026-02-27T00:15:00Z.*in force is no reading of 900 s"):
        hand_in(park, [block(park, 4, start_s=DAY_S + QUARTER_S)], corrects=names_nothing)


@pytest.mark.parametrize("length_s", [QUARTER_S, 4 * QUARTER_S])
def test_a_correction_has_the_intervals_of_what_it_replaces(park: House, length_s: int) -> None:
    bills = Point(name="bill", kind="billed", owner="farm", interval_s=0)
    register_point(park.desk, bills)
    take(park, series("bill", [5], length_s=2 * QUARTER_S))
    found = block(park, 6, length_s=2 * QUARTER_S, point="bill")
    with reading(park.engine) as conn:
        (held,) = leaf_hashes_in_force(conn, 1, park.log.origin, [found])
    wrong = block(park, 6, length_s=length_s, point="bill")
    with pytest.raises(Refused, match=f"in force is no reading of {length_s} s"):
        hand_in(park, [wrong], corrects=held)
    hand_in(park, [found], corrects=held)
    assert values(park, "bill") == {0: 6}


def test_a_stale_correction_is_refused(park: House) -> None:
    take(park, series("roof", [1]))
    with reading(park.engine) as conn:
        (held,) = leaf_hashes_in_force(conn, 1, park.log.origin, [block(park, 1)])
    assert held
    take(park, series("roof", [2]), reason="first")
    with pytest.raises(Refused, match=f"the correction replaces {held.hex()}, in force is"):
        hand_in(park, [block(park, 3)], corrects=held)


def test_leaves_in_force_are_those_of_their_batches(park: House) -> None:
    """Of two batches and a correction, made again one by one from what is stored."""
    take(park, series("roof", [1, 2, 3]), series("saw", [4, 5]))
    take(park, series("roof", [7, 8], start_s=DAY_S + 5 * QUARTER_S))
    take(park, series("roof", [1, 9, 3]), reason="again")
    wanted = [
        block(park, 0, 0, 0, 0, 0, 0, 0),
        block(park, 0, start_s=DAY_S + 7 * QUARTER_S),
        block(park, 0, 0, point="saw"),
    ]
    wanted.sort(key=lambda one: (one.point, one.start_s))
    with reading(park.engine) as conn:
        hashes = leaf_hashes_in_force(conn, 1, park.log.origin, wanted)
        stored: dict[tuple[bytes, int], bytes] = {}
        for row in store.batch_rows(conn, 1, size(park)):
            blocks = store.blocks_of_batch(conn, 1, row.entry_index)
            whole = Readings.seal(
                blocks, secret=row.secret, origin=park.log.origin, id_=row.id
            ).leaf_hashes
            intervals = [(one.point, start) for one in blocks for start in one.starts_s().tolist()]
            stored |= dict(zip(intervals, whole, strict=True))
    places = [(one.point, start) for one in wanted for start in one.starts_s().tolist()]
    assert hashes == [stored.get(place, b"") for place in places]
    assert sum(not one for one in hashes) == 3


def test_many_corrections_take_one_stream_of_nonces_for_each_batch(
    park: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in (0, 40):
        take(park, series("roof", [1] * 40, start_s=DAY_S + first * QUARTER_S))
    made: list[int] = []

    def counted(*words: object) -> bytes:
        made.append(int(str(words[-1])))
        return nonces(*words)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("ledger.metering.effective.nonces", counted)
    scattered = [
        block(park, 5, start_s=DAY_S + place * QUARTER_S) for place in (*range(0, 80, 2), 90)
    ]
    with reading(park.engine) as conn:
        found = leaf_hashes_in_force(conn, 1, park.log.origin, scattered)
    assert made == [39, 39]
    assert [bool(one) for one in found] == [True] * 40 + [False]


QUARTERS = st.lists(
    st.tuples(st.integers(0, 24), st.integers(0, 3)),
    min_size=1,
    max_size=10,
    unique_by=lambda reading_: reading_[0],
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(QUARTERS, st.booleans(), st.booleans()), min_size=1, max_size=6),
    windows=st.lists(st.tuples(st.integers(-1, 25), st.integers(1, 12)), max_size=6),
)
def test_the_effective_series_is_what_a_dict_says(
    filled: House,
    steps: list[tuple[list[tuple[int, int]], bool, bool]],
    windows: list[tuple[int, int]],
) -> None:
    """Against a model in a plain dict: gaps, one interval at a time, corrections in between.

    A point of its own for each example; any window of it, as of any size that was.
    """
    name = f"p-{secrets.token_hex(6)}"
    register_point(filled.desk, Point(name=name, kind="other", owner="mill"))
    model: dict[int, int] = {}
    history = {size(filled): dict(model)}
    for found, correct, one_by_one in steps:
        parts = [[one] for one in found] if one_by_one else [sorted(found)]
        for part in parts:
            wanted = dict(part)
            conflict = any(model.get(start, value) != value for start, value in wanted.items())
            try:
                take(filled, at_quarters(name, wanted), reason="again" if correct else "")
            except LedgerError:
                assert conflict
                assert not correct
            else:
                assert correct or not conflict
                model |= wanted
            history[size(filled)] = dict(model)
    for as_of, expected in history.items():
        assert values(filled, name, as_of) == expected
        for first, count in windows:
            inside = {at: value for at, value in expected.items() if first <= at < first + count}
            assert values(filled, name, as_of, window=(first, count)) == inside
