"""Master data from outside: what is no date, no digit and no number is refused, in any script."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import InvalidInput
from ledger.metering.points import Point

METER = {
    "number": "M1",
    "from": "2026-01-01T00:00:00Z",
    "to": "",
    "multiplier": "1",
    "accuracy": "",
    "calibrated": "2024-02-29",
    "calibration_expires": "2026-12-31",
    "opening": "0.5",
    "closing": "",
}


def written(meter: dict[str, str], **changes: object) -> dict[str, Any]:
    """A point as it stands in a body."""
    plain = Point(name="x", kind="consumption", owner="mill").to_json()
    return {**plain, "meters": [METER | meter], **changes}


def test_a_point_is_read_as_it_was_written() -> None:
    assert Point.from_json(written({})).to_json() == written({})


@pytest.mark.parametrize(
    "day",
    [
        "2026-99-99",
        "2026-02-29",
        "2026-00-10",
        "0000-01-01",
        "20260101",
        "2026-W01-1",
        "2026-01-0١",
    ],
)
@pytest.mark.parametrize("member", ["calibrated", "calibration_expires"])
def test_a_date_exists(member: str, day: str) -> None:
    with pytest.raises(InvalidInput, match=f"{member} is "):
        Point.from_json(written({member: day}))


@pytest.mark.parametrize("number", ["1٫5", "１", "٣", "1e3", "-1", "1.", ".5", "1_0", " 1"])
@pytest.mark.parametrize("member", ["multiplier", "opening", "closing"])
def test_a_decimal_has_ascii_digits(member: str, number: str) -> None:
    with pytest.raises(InvalidInput, match="a decimal number"):
        Point.from_json(written({member: number}))


@pytest.mark.parametrize("region", ["٤٤٠١", "４４０１", "44 01", "4401a", "4" * 13])
def test_a_region_has_ascii_digits(region: str) -> None:
    with pytest.raises(InvalidInput, match="region is "):
        Point.from_json(written({}, region=region))
