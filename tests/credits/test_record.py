"""What is written of a reduction reads back, and figures that do not follow are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.credits.ccus import ROLES, Standing
from ledger.credits.record import Record, Reversal, Verification
from ledger.errors import InvalidInput, Refused
from ledger.units import Period
from tests.credits.flows import flows, grams

DAY = Period(start_s=86_400, end_s=172_800)
POINT, OTHER = b"\x01" * 16, b"\x02" * 16


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "period": DAY,
        "as_of": 7,
        "treatment": "credited",
        "flows": flows(),
        "points": {"captured": (POINT,), "injected": (OTHER,)},
        "tolerance_g": grams("50"),
        "biogenic_ppm": 250_000,
    }
    return Record(**(values | changes))


def verification() -> Verification:
    credited = Standing(owed_g=5).credit(10**9, biogenic_ppm=250_000, buffer_ppm=100_000)
    return Verification(verdict="confirmed", finding="Seen", document="", credited=credited)


def test_they_read_back() -> None:
    for one in (record(), record(points={}, treatment="at-source")):
        text = json.loads(json.dumps(one.to_json()))
        assert [flow["role"] for flow in text["flows"]] == list(ROLES)
        assert Record.from_json(text) == one
    rejected = Verification(verdict="rejected", finding="No", document="ab" * 32, credited=None)
    for found in (verification(), rejected):
        assert Verification.from_json(json.loads(json.dumps(found.to_json()))) == found
    reversal = Reversal(g=5, at_s=86_400, reason="A well leaked")
    assert Reversal.from_json(reversal.to_json()) == reversal


@pytest.mark.parametrize("member", ["stored_g", "emissions_g", "net_g"])
@pytest.mark.parametrize("by", [-1, 1])
def test_sums_of_a_record_follow_from_its_flows(member: str, by: int) -> None:
    text = record().to_json()
    text[member] += by
    with pytest.raises(InvalidInput, match=f"record: {member} is .*; what follows is"):
        Record.from_json(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"as_of": 0}, "the first size of a log is 1"),
        ({"biogenic_ppm": 1_000_001}, "millionths"),
        ({"treatment": "both"}, "one of credited, at-source"),
        ({"from": "1970-01-02T00:00:01Z"}, "whole quarter-hours"),
        ({"to": "1970-01-02T00:00:00Z"}, "is empty"),
        ({"more": 1}, "unknown member 'more'"),
    ],
)
def test_wrong_members(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Record.from_json(record().to_json() | change)


def test_flows_stand_once_in_their_order() -> None:
    text = record().to_json()
    for flows_ in (text["flows"][::-1], text["flows"] + text["flows"][:1]):
        with pytest.raises(InvalidInput, match="flows is"):
            Record.from_json(text | {"flows": flows_})
    with pytest.raises(InvalidInput, match="no mass is given for captured"):
        Record.from_json(text | {"flows": text["flows"][1:]})
    text["flows"][0]["points"] = [OTHER.hex(), POINT.hex()]
    with pytest.raises(InvalidInput, match="sorted ids"):
        Record.from_json(text)


def test_invariant_13_one_meter_is_one_flow() -> None:
    with pytest.raises(InvalidInput, match="is named for captured and injected"):
        record(points={"captured": (POINT,), "injected": (POINT,)})


def test_an_unbalanced_record_is_none() -> None:
    with pytest.raises(Refused, match="does not close at injection"):
        record(flows=flows(injected="4000"))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("member", ["units", "left_g", "carried_g"])
def test_parts_follow(place: int, member: str) -> None:
    text = verification().to_json()
    text["parts"][place][member] += 1
    with pytest.raises(InvalidInput, match="verification: parts is"):
        Verification.from_json(text)


def test_parts_are_two_or_none() -> None:
    text = verification().to_json()
    for parts in (text["parts"][:1], text["parts"][::-1]):
        with pytest.raises(InvalidInput, match="parts"):
            Verification.from_json(text | {"parts": parts})
    with pytest.raises(InvalidInput, match="verification: debit_g is 5; what follows is 0"):
        Verification.from_json(text | {"parts": []})


def test_a_reversal_is_of_something() -> None:
    with pytest.raises(InvalidInput, match="above 0"):
        Reversal.from_json({"g": 0, "at": "2026-01-01T00:00:00Z", "reason": "x"})
