"""Opened bodies that the ledger would never have taken are refused, whoever signed them."""

import pytest

from tests.verifier import forge
from tests.verifier.test_opening import (
    Value,
    allocation_opening,
    point_opening,
    refused,
    share,
    verify,
)


def meter(**changes: str) -> Value:
    found: Value = {**forge.POINT_CONTENT["meters"][0], **changes}
    return found


POINT_CHANGES: list[tuple[Value, str]] = [
    ({"interval_s": 600}, "can't use energy that is additive, every 600 s"),
    ({"interval_s": 366 * 86_400 + 1}, "is not an integer from 0 to"),
    ({"measure": "gauge"}, "can't use energy that is gauge"),
    ({"name": "PV roof"}, "PV roof does not have the form"),
    ({"region": "４４"}, "does not have the form 0-9"),
    ({"technology": "p\nv"}, "holds a control character"),
    ({"capacity": -1}, "-1 is not an integer from 0"),
    ({"meters": [meter(number="M\x00")]}, "holds a control character"),
    ({"meters": [meter(multiplier="８０")]}, "does not have the form 123.45"),
    ({"meters": [meter(multiplier="0.0")]}, "the multiplier is 0"),
    ({"meters": [meter(calibrated="2026-02-30")]}, "is not a time"),
    ({"meters": [meter(to=forge.at(forge.START))]}, "its time is empty"),
    ({"meters": [meter(), meter()]}, "begins before that of the last one ends"),
]


@pytest.mark.parametrize(("change", "rule"), POINT_CHANGES, ids=[str(c[0]) for c in POINT_CHANGES])
def test_master_data(change: Value, rule: str) -> None:
    refused(point_opening(forge.POINT_CONTENT | change), rule, "bodies")


def test_a_meters_from_has_one_name() -> None:
    renamed = {"from_" if name == "from" else name: value for name, value in meter().items()}
    refused(point_opening(forge.POINT_CONTENT | {"meters": [renamed]}), "unknown member from_")


def test_a_billed_point_has_any_interval() -> None:
    verify(point_opening(forge.POINT_CONTENT | {"kind": "billed", "interval_s": 0}))


TERMS_CHANGES: list[tuple[Value, str]] = [
    ({"sources": []}, "sources must be sorted, without repeats, and at least one"),
    ({"consumers": [share("bb"), share("bb")]}, "consumers must be sorted"),
    ({"consumers": [share("bb", 1), share("dd")]}, "the shares are 1, 0 ppm"),
    ({"consumers": [share("bb", 600_000), share("dd", 600_000)]}, "the shares are 600000, 600000"),
    ({"to": forge.at(forge.START)}, "the period of the contract is empty"),
    ({"from": forge.at(forge.START + 1)}, "cuts a quarter-hour"),
    ({"from": "2026-01-01T00:00:0０Z"}, "is not a time"),
    ({"name": "Farm to mill"}, "Farm to mill does not have the form"),
    ({"region": "CN"}, "CN does not have the form"),
]


@pytest.mark.parametrize(("change", "rule"), TERMS_CHANGES, ids=[str(c[0]) for c in TERMS_CHANGES])
def test_terms_of_a_contract(change: Value, rule: str) -> None:
    refused(allocation_opening(change), rule, "bodies")
