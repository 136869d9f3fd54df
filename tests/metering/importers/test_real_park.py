"""The real park of ../shared/data/park-2018, through the shipped profiles alone.

The expected integers are those of that folder's README, which were not made by this code.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

import ledger.metering
from ledger.metering.importers import (
    Imported,
    PointFacts,
    looks_like_same_meter,
    read_file,
    read_profile,
)
from ledger.metering.quality import Quality
from ledger.metering.series import Series
from tests.metering.importers.files import NOW_S, PARK

PROFILES = Path(ledger.metering.__file__).parent / "profiles"

FILES = {
    "pv": ("pv_site1_50MW_2019-2020.xlsx", "pv-15min-xlsx.toml"),
    "wind": ("wind_turbine_2018_10min.csv", "wind-10min-csv.toml"),
    "factory-a": ("steel_factory_2018.csv", "steel-15min-csv.toml"),
    **{
        name: (f"building_{name}_2018_hourly.csv", "building-hourly-csv.toml")
        for name in ("b2", "b5", "b19", "b21", "b27", "b36", "b37")
    },
}
ANNUAL_WH = {
    "pv": 17_042_015_834,
    "wind": 11_012_358_434,
    "factory-a": 9_596_367_100,
    "b2": 8_008_186_800,
    "b5": 2_684_720_500,
    "b19": 2_765_369_500,
    "b21": 3_262_354_900,
    "b27": 2_847_891_500,
    "b36": 964_976_800,
}
LOADS = ("factory-a", "b2", "b5", "b19", "b21", "b27", "b36")


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "park-2018"


def read(folder: Path, file: str, profile: str, point: str) -> Imported:
    kind = "generation" if point in ("pv", "wind") else "consumption"
    return read_file(
        folder / file,
        read_profile((PROFILES / profile).read_text(encoding="utf-8"), where=profile),
        points={point: PointFacts(unit="Wh", kind=kind, interval_s=900)},
        zone=PARK,
        now_s=NOW_S,
    )


@pytest.fixture(scope="module")
def park(folder: Path) -> dict[str, Imported]:
    return {point: read(folder, file, profile, point) for point, (file, profile) in FILES.items()}


def only(imported: Imported) -> Series:
    assert imported.rejections == ()
    assert imported.repeats == 0
    (series,) = imported.series
    return series


@pytest.mark.parametrize("point", ANNUAL_WH)
def test_annual_energy_is_exact(park: dict[str, Imported], point: str) -> None:
    series = only(park[point])
    assert int(series.value.sum()) == ANNUAL_WH[point]
    assert series.point == point
    first, last = int(series.start_s[0]), int(series.start_s[-1])
    assert datetime.fromtimestamp(first, PARK).isoformat() == "2018-01-01T00:00:00+08:00"
    assert datetime.fromtimestamp(last, PARK).isoformat() == "2018-12-31T23:45:00+08:00"
    assert len(series) == 35_040 - (1374 if point == "wind" else 0)


@pytest.mark.parametrize(
    ("form", "expected_wh"),
    [
        ("%Y-%m-%d %H:%M", 12_654_106_201),
        ("%Y-%m-%d %H", 12_794_535_095),
        ("%Y-%m-%d", 16_816_558_118),
        ("%Y-%m", 17_042_015_834),
        ("%Y", 17_042_015_834),
    ],
)
def test_matched_energy_is_exact(park: dict[str, Imported], form: str, expected_wh: int) -> None:
    """Σ min(PV, load) by park time; a shifted clock or a label read wrongly would change it."""
    generation: dict[str, int] = {}
    load: dict[str, int] = {}
    for point in ("pv", *LOADS):
        sums = generation if point == "pv" else load
        series = only(park[point])
        for start_s, value in zip(series.start_s.tolist(), series.value.tolist(), strict=True):
            key = datetime.fromtimestamp(start_s, PARK).strftime(form)
            sums[key] = sums.get(key, 0) + value
    assert sum(min(made, load.get(key, 0)) for key, made in generation.items()) == expected_wh


def test_wind_slots_that_touch_a_missing_row_are_missing(park: dict[str, Imported]) -> None:
    assert park["wind"].missing == 1374
    series = only(park["wind"])
    assert (series.quality & Quality.RESAMPLED).all()
    clipped = [each for each in park["wind"].repairs if each.flag == Quality.CLIPPED]
    assert [each.count for each in clipped] == [57]


def test_steel_labels_are_repaired(park: dict[str, Imported]) -> None:
    flags = {each.flag: each for each in park["factory-a"].repairs}
    assert flags[Quality.RELABELLED].count == 365
    assert flags[Quality.RELABELLED].rows.startswith("97,193,289,")
    assert flags[Quality.SUSPECT].count == 1
    assert set(flags) == {Quality.RELABELLED, Quality.SUSPECT}


def test_steel_read_literally_is_told_by_its_steps_back(folder: Path) -> None:
    """Without the repair the annual sum is right but for one day's shift; the report shows it."""
    text = (PROFILES / "steel-15min-csv.toml").read_text(encoding="utf-8")
    literal = text.replace("day_closing = true", "day_closing = false")
    imported = read_file(
        folder / "steel_factory_2018.csv",
        read_profile(literal, where="literal.toml"),
        points={"factory-a": PointFacts(unit="Wh", kind="consumption", interval_s=900)},
        zone=PARK,
        now_s=NOW_S,
    )
    assert int(only(imported).value.sum()) == ANNUAL_WH["factory-a"]
    assert [(each.rule, each.count) for each in imported.repairs if each.flag == 0] == [
        ("row steps back in time: sorted", 365)
    ]


def test_stored_zeros_of_b27_are_suspect(park: dict[str, Imported]) -> None:
    flags = {each.flag: each.count for each in park["b27"].repairs}
    assert flags == {Quality.PROFILED: 8760, Quality.SUSPECT: 115}
    series = only(park["b27"])
    assert int((series.quality == Quality.PROFILED | Quality.SUSPECT).sum()) == 115 * 4


def test_negative_rows_of_site_3_are_clipped(folder: Path) -> None:
    imported = read(
        folder, "pv_site3_30MW_negative_values.xlsx", "pv-15min-xlsx-auxiliary-draw.toml", "pv"
    )
    assert [(each.flag, each.count) for each in imported.repairs] == [(Quality.CLIPPED, 25_652)]
    series = only(imported)
    assert int(series.value.min()) == 0
    end = datetime.fromtimestamp(int(series.start_s[-1]) + 900, PARK)
    assert end.isoformat() == "2020-07-02T00:00:00+08:00"


def test_one_meter_under_two_names_is_noticed(park: dict[str, Imported]) -> None:
    alike = {
        (a, b)
        for a in FILES
        for b in FILES
        if a < b and looks_like_same_meter(only(park[a]), only(park[b]))
    }
    assert alike == {("b36", "b37")}
