"""What meters may publish, what is made of it, and that nothing else gets in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.client import PointInfo
from ledger.gateway import collector, dlt645
from ledger.gateway.collector import Limits, Points
from ledger.gateway.intake import Arrived, Intake
from ledger.gateway.messages import MESSAGE_BYTES_MAX, Rejected, read_message
from ledger.gateway.outbox import Outbox
from ledger.metering.points import Meter, Point
from ledger.metering.quality import Quality

NOON_S = 1_772_366_400  # 2026-03-01T12:00:00Z
QUARTER_S = 900
SWAP = "2026-03-01T12:15:00Z"
OLD = Meter(
    number="000000000161",
    from_="2020-01-01T00:00:00Z",
    to=SWAP,
    multiplier="80",
    closing="1000.50",
)
NEW = Meter(number="171", from_=SWAP, multiplier="100", opening="0.25")


def info(number: int, name: str, **members: Any) -> PointInfo:
    kind = members.pop("kind", "generation")
    return PointInfo(
        point=f"{number:032x}", master=Point(name=name, kind=kind, owner="farm", **members)
    )


POINTS = Points(
    {
        one.master.name: one
        for one in (
            info(1, "roof"),
            info(2, "dock", meters=(OLD, NEW)),
            info(3, "plain"),
            info(4, "gas", unit="ml", kind="other", interval_s=3600),
            info(5, "air", unit="ug/m3", measure="gauge", kind="other"),
            info(6, "bill", kind="billed", interval_s=0),
            info(7, "back", kind="grid-export", meters=(Meter(number="9", from_=OLD.from_),)),
        )
    },
    8 * 3600,
)


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    outbox = Outbox(tmp_path / "outbox")
    yield Intake(
        outbox=outbox,
        topic="greenledger/p/+/readings",
        points=POINTS,
        limits=Limits(),
        clock_s=lambda: NOON_S + 7200,
        refresh=lambda: None,
    )
    outbox.close()


def take(intake: Intake, *items: Any, source: str = "s") -> dict[str, int]:
    payload = json.dumps(list(items)).encode()
    topic = f"greenledger/p/{source}/readings"
    return dict(intake.take([Arrived(topic=topic, payload=payload)]))


def held(intake: Intake, number: int, start_s: int) -> tuple[int, int] | None:
    found = intake.outbox.held(bytes.fromhex(f"{number:032x}"), start_s)
    return (found.value, found.quality) if found else None


def reasons(intake: Intake) -> list[str]:
    if not intake.dead.path.exists():
        return []
    lines = intake.dead.path.read_text().splitlines()
    return [each["reason"] for line in lines for each in json.loads(line)["rejected"]]


def shown(point: str, at: str, register: str, **more: Any) -> dict[str, Any]:
    return {"point": point, "at": f"2026-03-01T{at}Z", "register": register, **more}


@pytest.mark.parametrize(
    ("value", "wh"),
    [(1234, 1234), ("1.234 kWh", 1234), ("0.0025 MWh", 2500), ("1.5 Wh", 2), ("2.5 Wh", 2)],
)
def test_a_value_comes_out_in_the_base_unit_rounded_once(
    intake: Intake, value: int | str, wh: int
) -> None:
    item = {"point": "roof", "start": "2026-03-01T20:00:00+08:00", "value": value}
    assert take(intake, item) == {"messages": 1, "taken": 1}
    assert held(intake, 1, NOON_S) == (wh, 0)


def test_quality_is_kept(intake: Intake) -> None:
    item = {"point": "roof", "start": "2026-03-01T12:00:00Z", "value": 1}
    take(intake, {**item, "quality": ["estimated", "suspect"]})
    assert held(intake, 1, NOON_S) == (1, Quality.ESTIMATED | Quality.SUSPECT)


def test_the_first_value_counts_and_order_does_not_matter(intake: Intake) -> None:
    late, early = (
        {"point": "roof", "start": f"2026-03-01T12:{minute}:00Z", "value": int(minute)}
        for minute in ("30", "15")
    )
    assert take(intake, late, early, late) == {"messages": 1, "taken": 2, "repeats": 1}
    assert take(intake, early, {**late, "value": 31}) == {
        "messages": 1,
        "repeats": 1,
        "conflicts": 1,
    }
    assert held(intake, 1, NOON_S + 1800) == (30, 0)
    assert "the first one counts" in reasons(intake)[0]


def test_registers_make_the_intervals_between_them_in_any_order(intake: Intake) -> None:
    readings = [("12:00:00", "10 kWh"), ("12:15:00", "12.5 kWh"), ("12:30:00", "12.5 kWh")]
    for at, register in (readings[0], readings[2], readings[1], readings[1]):
        take(intake, shown("plain", at, register))
    assert held(intake, 3, NOON_S) == (2500, 0)
    assert held(intake, 3, NOON_S + QUARTER_S) == (0, 0)
    # A gap is a gap: what flowed is known, but not when.
    take(intake, shown("plain", "13:00:00", "99 kWh"))
    assert held(intake, 3, NOON_S + 3 * QUARTER_S) is None


def test_a_register_read_a_little_off_its_time_says_so(intake: Intake) -> None:
    take(intake, shown("plain", "12:00:04", "1 kWh"), shown("plain", "12:14:41", "2 kWh"))
    assert held(intake, 3, NOON_S) == (1000, Quality.RELABELLED)
    assert take(intake, shown("plain", "12:31:01", "3 kWh"))["rejected"] == 1
    assert "61 s off the grid of 900 s" in reasons(intake)[0]


def test_rollover_needs_its_digits_and_the_last_tenth(intake: Intake) -> None:
    for at, register in (("12:00:00", "999999.99 kWh"), ("12:15:00", "0.01 kWh")):
        take(intake, shown("plain", at, register, digits=6))
    assert held(intake, 3, NOON_S) == (20, Quality.ROLLOVER)
    assert take(intake, shown("plain", "12:30:00", "0 kWh", digits=6)) == {
        "messages": 1,
        "registers": 1,
        "rejected": 1,
    }
    assert "neither a rollover nor a registered swap" in reasons(intake)[0]
    assert take(intake, shown("plain", "12:45:00", "1000000 kWh", digits=6))["rejected"] == 1


def frame(address: str, identifier: str, *kwh: str, **more: Any) -> dict[str, Any]:
    found = dlt645.answer(address, identifier, [Decimal(each) for each in kwh])
    return {"frame": dlt645.encode(found).hex(" "), **more}


def test_frames_take_the_same_way_over_a_swap_with_both_multipliers(intake: Intake) -> None:
    """The old meter × 80 to its closing register, the new one × 100 from its opening one."""
    take(intake, frame("000000000161", "00010000", "990.00", at="2026-03-01T11:45:00Z"))
    take(intake, frame("000000000161", "00010000", "1000.00", at="2026-03-01T12:00:00Z"))
    take(intake, frame("000000000171", "0001FF00", "2.25", "1", "1", at="2026-03-01T12:15:00Z"))
    take(intake, frame("000000000171", "00010000", "2.50", at="2026-03-01T12:30:00Z"))
    assert held(intake, 2, NOON_S - QUARTER_S) == (800_000, 0)
    assert held(intake, 2, NOON_S) == (40_000 + 200_000, Quality.SWAPPED)
    assert held(intake, 2, NOON_S + QUARTER_S) == (25_000, 0)


def test_a_frame_is_of_the_meter_that_measures_then(intake: Intake) -> None:
    wrong = [
        frame("000000000161", "00010000", "1", at="2026-03-01T12:30:00Z"),  # it was taken away
        frame("000000000999", "00010000", "1", at="2026-03-01T12:00:00Z"),
        frame("000000000161", "00010000", "1", at="2026-03-01T12:45:00Z", point="dock"),
        frame("000000000161", "00010100", "1", at="2026-03-01T12:00:00Z"),
        frame("000000000009", "00020000", "1", at="2026-03-01T12:00:00Z"),
    ]
    found = take(intake, *wrong)
    assert (found["unknown"], found["rejected"], found.get("registers")) == (2, 3, None)
    said = " | ".join(reasons(intake))
    for part in ("no point has meter", "does not have at", "no present total", "which point"):
        assert part in said
    good = frame("000000000009", "00020000", "1", at="2026-03-01T12:00:00Z", point="back")
    assert take(intake, good)["registers"] == 1


ITEM = {"point": "roof", "start": "2026-03-01T12:00:00Z", "value": 1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"point": "attic"}, "no point 'attic'"),
        ({"point": 7}, "point is a text"),
        ({"value": "1"}, "such as '12345.67 kWh'"),
        ({"value": "1 PWh"}, "unit 'PWh'"),
        ({"value": "1 MJ"}, "in MJ, point 'roof' in Wh"),
        ({"value": "１ Wh"}, "such as"),
        ({"value": -1}, "is not negative"),
        ({"value": 10**13}, "30 GW"),
        ({"value": 2**53}, "2^53"),
        ({"length_s": 600}, "read every 900 s"),
        ({"length_s": -900}, "length_s is an integer"),
        ({"start": "2026-03-01T12:00:00"}, "start is a time"),
        ({"start": "2026-02-30T12:00:00Z"}, "does not exist"),
        ({"start": "2026-03-01T12:01:00Z"}, "off the grid"),
        ({"start": "2026-03-01T14:00:00Z"}, "clocks is far off"),
        ({"start": "2025-03-01T12:00:00Z"}, "older than the 40 days"),
        ({"quality": ["corrected"]}, "quality flag is one of"),
        ({"quality": "estimated"}, "quality is an array"),
        ({"colour": "green"}, "unknown member 'colour'"),
        ({"point": "bill"}, "no interval of its own"),
        ({"point": "air", "value": "1 mg/m3", "start": "2026-03-01T12:07:00Z"}, "off the grid"),
    ],
)
def test_what_the_log_would_not_take_is_not_taken(
    intake: Intake, change: dict[str, Any], why: str
) -> None:
    counted = take(intake, {**ITEM, **change}, ITEM)
    if "2^53" in why:  # a number that no reader agrees on spoils the whole message
        assert counted == {"messages": 1, "rejected": 1}
    else:
        assert counted["taken"] == 1
    assert why in reasons(intake)[0]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "1 to 10000 items"),
        (b'{"point":"roof","start":"2026-03-01T12:00:00Z","value":NaN}', "not an integer"),
        (b'{"point":"roof","start":"2026-03-01T12:00:00Z","value":1.5}', "not an integer"),
        (b'{"point":"roof","start":"2026-03-01T12:00:00Z","value":null}', "not allowed"),
        (b'{"point":"a","point":"b"}', "stands twice"),
        (b'"text"', "an item is a JSON object"),
        (b"[" * 100_000, "nested"),
        (b" " * (MESSAGE_BYTES_MAX + 1), "is the most"),
        (b'{"frame":"68 16","at":"2026-03-01T12:00:00Z"}', "12 bytes or more"),
        (b'{"frame":[],"at":"2026-03-01T12:00:00Z"}', "hex text"),
        (b'{"register":"1 kWh","at":"2026-03-01T12:00:00Z"}', "its point or its meter"),
        (b'{"register":5,"point":"roof","at":"2026-03-01T12:00:00Z"}', "such as"),
        (b'{"register":"5 kg","point":"roof","at":"2026-03-01T12:00:00Z"}', "in kg"),
        (b'{"register":"-5 kWh","point":"roof","at":"2026-03-01T12:00:00Z"}', "not negative"),
        (b'{"register":"5 ug/m3","point":"air","at":"2026-03-01T12:00:00Z"}', "is a gauge"),
    ],
)
def test_garbage_is_counted_and_put_aside(intake: Intake, payload: bytes, why: str) -> None:
    good = Arrived(topic="greenledger/p/s/readings", payload=json.dumps(ITEM).encode())
    bad = Arrived(topic="greenledger/p/s/readings", payload=payload)
    assert dict(intake.take([bad, good])) == {"messages": 2, "rejected": 1, "taken": 1}
    assert why in reasons(intake)[0]
    assert intake.dead.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("topic", ["greenledger/p/S p/readings", "greenledger/p/readings", "x"])
def test_a_topic_without_a_source_takes_nothing(intake: Intake, topic: str) -> None:
    found = intake.take([Arrived(topic=topic, payload=json.dumps(ITEM).encode())])
    assert dict(found) == {"messages": 1, "rejected": 1}


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(payload: bytes) -> None:
    assert all(isinstance(one, Rejected) for one in read_message(payload))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["point", "start", "value", "at", "register", "frame", "quality", "digits"]
        ),
        JSON | st.sampled_from(["roof", "2026-03-01T12:00:00Z", "1 kWh", "68 16"]),
    )
)
def test_no_json_stops_the_reader(item: dict[str, Any]) -> None:
    for found in read_message(json.dumps(item).encode()):
        if isinstance(found, Rejected):
            assert found.reason


@pytest.mark.parametrize(
    ("end", "now", "due"),
    [
        (900, 890, 930),  # a little early: with its own window
        (900, 910, 930),
        (900, 930, 930),
        (900, 931, 1830),  # its window has closed
        (900, 5000, 5430),
        (1800, 910, 1830),
    ],
)
def test_a_reading_goes_with_the_window_that_closes_next(end: int, now: int, due: int) -> None:
    assert collector.due_s(end, now, Limits()) == due


def test_an_unknown_point_is_asked_for(intake: Intake) -> None:
    asked = []

    def refresh() -> Points:
        asked.append(1)
        new = info(9, "attic")
        return Points({**POINTS.by_name, "attic": new}, POINTS.zone_s)

    intake.refresh = refresh
    assert take(intake, {**ITEM, "point": "attic"})["taken"] == 1
    assert take(intake, {**ITEM, "point": "attic"})["repeats"] == 1
    assert len(asked) == 1
