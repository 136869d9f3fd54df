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
from ledger.metering import service
from ledger.metering.batches import Block, cut
from ledger.metering.effective import effective
from ledger.metering.points import Point
from ledger.metering.quality import Quality
from ledger.metering.service import find_point, register_point
from tests.ledgers import DAY_S, QUARTER_S, no_progress, series
from tests.metering.parks import flagged, qualities, size, take, values


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
    monkeypatch.setattr(service, "READINGS_MAX", 4)
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
