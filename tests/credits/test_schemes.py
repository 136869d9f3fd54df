"""The programmes that come with the product: data that says where it is from, and how sure."""

from __future__ import annotations

import pytest

from ledger.registry.scheme import COMPLIANCE, Scheme, shipped, shipped_schemes
from ledger.units import parse_instant

NAMES = ("ccer", "internal", "phcer")


def test_they_are_shipped() -> None:
    assert {*NAMES} <= {*shipped_schemes()}


@pytest.mark.parametrize("name", NAMES)
def test_each_reads_back_and_is_in_tonnes(name: str) -> None:
    found = shipped(name)
    assert Scheme.from_json(name, found.to_json()) == found
    assert (found.unit, found.unit_size) == ("g", 1_000_000)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_not_official_is_called_so(name: str) -> None:
    """domain.md §5: the cap of 5 % is [S], Guangdong's of the current year unknown."""
    assert shipped(name).status in ("secondary", "unverified")


def test_wind_and_pv_are_barred_for_two_years() -> None:
    """124号, from 2024-10-01 on, in park time."""
    ccer = shipped("ccer")
    for technology in ("wind", "pv"):
        for at, barred in (
            ("2024-09-30T15:59:59Z", False),
            ("2024-09-30T16:00:00Z", True),
            ("2026-09-30T15:59:59Z", True),
            ("2026-09-30T16:00:00Z", False),
        ):
            assert ccer.bars(technology, parse_instant(at)) == barred
    assert not ccer.bars("offshore-wind", parse_instant("2025-06-01T00:00:00Z"))
    assert ccer.freezes == ("gec",)


def test_internal_records_say_what_they_are() -> None:
    internal = shipped("internal")
    assert "not CCER/PHCER, no compliance use" in internal.name
    assert not COMPLIANCE & {*internal.purposes}
    assert {*internal.classes} == {"avoided", "removal"}
    assert internal.kind == "record"
