"""Rules of schemes: how long units are valid, which vintages fit, what is barred."""

from __future__ import annotations

import copy
import tomllib
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledger.registry
from ledger.errors import InvalidInput, NotFound
from ledger.registry.scheme import Scheme, parse_toml, shipped, shipped_schemes
from tests.units import REDUCTIONS, month, month_start_s, reductions

HOURS_8 = 8 * 3600


def at(text: str, zone_s: int = HOURS_8) -> int:
    """Unix seconds of a park time `2026-02-28 23:59:59`."""
    zone = timezone(timedelta(seconds=zone_s))
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("months", "produced", "until"),
    [
        # 67号: two years, the month of production included.
        (24, "2024-02-29 23:59:59", "2026-02-01"),
        (24, "2024-03-01 00:00:00", "2026-03-01"),
        (24, "2025-01-15 12:00:00", "2027-01-01"),
        (24, "2025-12-31 23:45:00", "2027-12-01"),
        (1, "2026-01-31 23:59:59", "2026-02-01"),
        (1, "2025-12-01 00:00:00", "2026-01-01"),
        (11, "2025-01-01 00:00:00", "2025-12-01"),
        (12, "2025-01-01 00:00:00", "2026-01-01"),
        (13, "2025-12-01 00:00:00", "2027-01-01"),
        (1200, "2026-06-01 00:00:00", "2126-06-01"),
    ],
)
@pytest.mark.parametrize("zone_s", [HOURS_8, 0, -int(5.5 * 3600)])
def test_until_when_units_are_valid(months: int, produced: str, until: str, zone_s: int) -> None:
    rules = reductions(validity_months=months)
    assert rules.expires_s(at(produced, zone_s), zone_s) == at(f"{until} 00:00:00", zone_s)


@given(
    st.integers(1, 60),
    st.dates(min_value=date(1971, 1, 1), max_value=date(2090, 1, 1)),
    st.times(),
)
def test_month_after_month_on_a_calendar(months: int, day: date, hour: time) -> None:
    """Turn the leaves of a calendar, one for each month of validity."""
    year, number = day.year, day.month
    for _ in range(months):
        number += 1
        if number == 13:
            year, number = year + 1, 1
    rules = reductions(validity_months=months)
    start_s = at(f"{day} {hour:%H:%M:%S}")
    assert rules.expires_s(start_s, HOURS_8) == at(f"{year}-{number:02}-01 00:00:00")


def test_without_validity_units_are_good_for_ever() -> None:
    assert reductions().expires_s(at("1999-01-01 00:00:00"), HOURS_8) is None


@pytest.mark.parametrize(
    ("produced", "used", "fits"),
    [
        ("2024-01-01 00:00:00", "2025-12-31 23:59:59", True),
        ("2024-12-31 23:59:59", "2025-01-01 00:00:00", True),
        ("2025-12-01 00:00:00", "2026-01-01 00:00:00", False),
        ("2025-12-01 00:00:00", "2025-12-31 23:00:00", True),
        ("2026-01-01 00:00:00", "2026-12-31 23:59:59", True),
        ("2026-01-01 00:00:00", "2027-01-01 00:00:00", False),
        ("2027-01-01 00:00:00", "2026-12-01 00:00:00", False),
    ],
)
def test_same_year_from_2026_on(produced: str, used: str, fits: bool) -> None:
    """证电同年核销, as the rules that came with the program have it: years are park time's."""
    assert shipped("gec").fits_vintage(at(produced), at(used), HOURS_8) is fits


def test_the_policy_is_the_last_that_has_begun() -> None:
    rules = reductions(
        vintages=[
            {"from": "2020-01-01T00:00:00Z", "policy": "same-year"},
            {"from": "2022-01-01T00:00:00Z", "policy": "validity"},
        ]
    )
    said = [rules.vintage_policy(at(f"{year}-06-01 00:00:00")) for year in (2019, 2021, 2023)]
    assert said == ["validity", "same-year", "validity"]


@pytest.mark.parametrize(
    ("technology", "when", "barred"),
    [
        ("wind", "2025-12-31 23:59:59", False),
        ("wind", "2026-01-01 00:00:00", True),
        ("wind", "2027-12-31 23:59:59", True),
        ("wind", "2028-01-01 00:00:00", False),
        ("pv", "2099-01-01 00:00:00", True),
        ("offshore-wind", "2026-06-01 00:00:00", False),
    ],
)
def test_what_is_barred_and_when(technology: str, when: str, barred: bool) -> None:
    rules = reductions(
        barred=[
            {
                "technology": "wind",
                "from": "2025-12-31T16:00:00Z",
                "to": "2027-12-31T16:00:00Z",
            },
            {"technology": "pv", "from": "2025-12-31T16:00:00Z", "to": ""},
        ]
    )
    assert rules.bars(technology, at(when)) is barred


@pytest.mark.parametrize("name", shipped_schemes())
def test_what_is_shipped_is_said_with_its_source(name: str) -> None:
    rules = shipped(name)
    assert rules.source
    assert rules.status in ("official", "secondary", "unverified")
    assert Scheme.from_json(name, rules.to_json()) == rules


def test_gec_as_the_domain_notes_have_them() -> None:
    rules = shipped("gec")
    assert (rules.unit, rules.unit_size, rules.validity_months) == ("Wh", 1_000_000, 24)
    said = {name: (one.moves_max, one.moved_by) for name, one in rules.classes.items()}
    assert said["self-use"] == (1, "transfer")
    assert said["green-trade"] == (1, "settle")
    assert said["non-tradable"][0] == 0
    assert said["ordinary"][0] > 10**9
    assert rules.status != "official"


def test_a_scheme_that_is_not_shipped() -> None:
    with pytest.raises(NotFound, match=r"known are .*gec"):
        shipped("../gec")
    assert "gec" in shipped_schemes()


def test_files_of_rules_that_are_broken() -> None:
    folder = Path(ledger.registry.__file__).parent / "schemes"
    text = (folder / "gec.toml").read_text(encoding="utf-8")
    assert parse_toml("gec", text, "gec.toml") == shipped("gec")
    with pytest.raises(InvalidInput, match=r"mine\.toml: not a TOML file: "):
        parse_toml("gec", text + "\nname = = 3", "mine.toml")
    with pytest.raises(InvalidInput, match=r"mine\.toml: .*unit_size"):
        parse_toml("gec", text.replace("unit_size", "unit_sise"), "mine.toml")
    assert tomllib.loads(text)["unit_size"] == 10**6


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    value: Any = copy.deepcopy(REDUCTIONS)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    found: dict[str, Any] = value
    return found


ONE = REDUCTIONS["classes"][0]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (changed("kind", to="token"), "kind"),
        (changed("unit", to="kWh"), "unit"),
        (changed("unit", to="Wh"), "certificates are in Wh"),
        (changed("unit_size", to=0), "unit_size is 0"),
        (changed("unit_size", to=-1), "unit_size"),
        (changed("validity_months", to=1201), "1200 is the most"),
        (changed("classes", to=[]), "at least one"),
        (changed("classes", to=[ONE, ONE]), "in order, none twice"),
        (changed("classes", to=[ONE, ONE | {"class": "a"}]), "in order"),
        (changed("classes", 0, "moved_by", to="gift"), "classes"),
        (changed("classes", 0, "lot_classes", to=[6]), "classes"),
        (changed("classes", 0, "lots", to="spent"), "lot_classes are empty exactly"),
        (changed("classes", 0, "lot_classes", to=[0]), "lot_classes are empty exactly"),
        (changed("purposes", to=[]), "purposes"),
        (changed("purposes", to=["voluntary", "ets-compliance"]), "purposes"),
        (changed("purposes", to=["fun"]), "purposes"),
        (changed("cap_ppm", to=1_000_001), "cap_ppm"),
        (changed("buffer_ppm", to=1.5), "buffer_ppm"),
        (changed("freezes", to=["gec", "gec"]), "freezes"),
        (changed("status", to="sure"), "status"),
        (changed("source", to=""), "source"),
        (
            changed("vintages", to=[{"from": "2026-01-01T00:00:00Z", "policy": "any"}]),
            "vintages",
        ),
        (
            changed("vintages", to=[{"from": "2026-01-01T00:00:00Z", "policy": "validity"}] * 2),
            "in order of time",
        ),
        (changed("barred", to=[{"technology": "wind", "from": "", "to": ""}]), "barred"),
        (changed("colour", to="green"), "colour"),
        ({name: one for name, one in REDUCTIONS.items() if name != "cap_ppm"}, "cap_ppm"),
    ],
)
def test_rules_that_are_none(value: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        Scheme.from_json("reductions", value)


def test_months_are_those_of_park_time() -> None:
    """The tests' own calendar, against one date known by heart."""
    assert month_start_s(2026, 3) == 1_772_294_400  # 2026-02-28T16:00:00Z
    assert month(2025, 12).end_s == month(2026, 1).start_s
