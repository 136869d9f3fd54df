"""Packed arrays: every width, and no other way to write the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.lots.packed import Bytes, pack

EDGES = [
    ([], 1),
    ([0], 1),
    ([127, -128], 1),
    ([128], 2),
    ([-129], 2),
    ([2**15 - 1, -(2**15)], 2),
    ([2**15], 4),
    ([-(2**15) - 1], 4),
    ([2**31 - 1, -(2**31)], 4),
    ([2**31], 8),
    ([-(2**31) - 1], 8),
    ([2**63 - 1, -(2**63)], 8),
]


def array(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(("values", "width"), EDGES)
def test_the_smallest_width(values: list[int], width: int) -> None:
    written = pack(array(values))
    assert written == bytes([width]) + b"".join(
        value.to_bytes(width, "big", signed=True) for value in values
    )
    body = Bytes(written, "thing")
    assert body.array(len(values)).tolist() == values
    body.end()


@pytest.mark.parametrize(("values", "width"), EDGES)
@pytest.mark.parametrize("wider", [2, 4, 8])
def test_a_larger_width_is_refused(values: list[int], width: int, wider: int) -> None:
    if wider <= width:
        return
    written = bytes([wider]) + b"".join(
        value.to_bytes(wider, "big", signed=True) for value in values
    )
    with pytest.raises(InvalidInput, match=f"integers of {wider} bytes: fewer would do"):
        Bytes(written, "thing").array(len(values))


@pytest.mark.parametrize("width", [0, 3, 5, 6, 7, 9, 16, 255])
def test_other_widths_are_refused(width: int) -> None:
    with pytest.raises(InvalidInput, match=f"integers of {width} bytes"):
        Bytes(bytes([width]) + bytes(64), "thing").array(2)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_there_and_back(values: list[int]) -> None:
    written = pack(array(values))
    assert Bytes(written, "thing").array(len(values)).tolist() == values
    for cut in range(len(written)):
        with pytest.raises(InvalidInput, match="cut off"):
            Bytes(written[:cut], "thing").array(len(values))


def test_what_is_left_over_is_refused() -> None:
    body = Bytes(b"abc", "thing")
    assert (body.take(1), body.integer(1)) == (b"a", ord("b"))
    with pytest.raises(InvalidInput, match="the thing has 1 bytes too many"):
        body.end()
