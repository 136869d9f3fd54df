"""The generator: the same seed gives the same bytes, and the park looks like one."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ledger.demo import files, plan
from ledger.demo import park as p
from ledger.demo.park import Park, make_park

HOURS = 8760


@pytest.fixture(scope="module")
def park() -> Park:
    return make_park()


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(park: Park, tmp_path: Path) -> None:
    for name, made in (("one", park), ("two", make_park())):
        files.write_files(made, tmp_path / name / "files", tmp_path / name / "profiles")
    one = contents(tmp_path / "one")
    assert one == contents(tmp_path / "two")
    assert len(one) == len(files.FILES) + len({each.profile for each in files.FILES})


def test_another_seed_gives_another_park(park: Park) -> None:
    other = make_park(park.seed + 1)
    assert not np.array_equal(other.wind_kw, park.wind_kw)
    # The lamps follow the sun alone, which has no seed.
    same = {name for name in park.wh if np.array_equal(other.wh[name], park.wh[name])}
    assert same == {"street-lighting"}


def test_each_file_says_that_it_is_no_measurement(park: Park, tmp_path: Path) -> None:
    files.write_files(park, tmp_path / "files", tmp_path / "profiles")
    assert park.label == "SYNTHETIC DEMO DATA, generated, seed 4401; not a measurement"
    for one in files.FILES:
        path = tmp_path / "files" / one.path
        if path.suffix == ".parquet":
            assert pq.read_schema(path).metadata[b"label"] == park.label.encode()
        else:
            assert path.read_bytes().startswith(f'"{park.label}"\n'.encode()), one.path


@pytest.mark.parametrize(
    ("point", "capacity_w", "lowest", "highest"),
    [
        # Full-load hours of the Pearl River Delta: 900 to 1,300 for PV; 2,200 to 3,700 at sea.
        ("pv-roof", p.ROOF_W, 900, 1300),
        ("pv-ground", p.GROUND_W, 900, 1300),
        ("wind-sea", p.WIND_W, 2200, 3700),
    ],
)
def test_full_load_hours(
    park: Park, point: str, capacity_w: int, lowest: int, highest: int
) -> None:
    if point == "wind-sea":
        wh = float(np.maximum(park.wind_kw, 0).sum()) * 1000 / 6
        most_w = park.wind_kw.max() * 1000
    else:
        wh = float(park.wh[point].sum())
        most_w = park.wh[point].max() * 4
    assert lowest < wh / capacity_w < highest
    assert most_w <= capacity_w


def test_nothing_is_negative_but_standstill_draw(park: Park) -> None:
    for name, wh in park.wh.items():
        assert wh.dtype == np.int64
        assert len(wh) == p.QUARTERS == 35_040, name
        assert wh.min() >= 0, name
    assert set(park.wind_kw[park.wind_kw < 0].tolist()) == {p.WIND_STANDSTILL_KW}


def test_the_sun_shines_by_day(park: Park) -> None:
    day = park.wh["pv-ground"].reshape(-1, 96).sum(axis=0)
    hours = np.arange(96) / 4
    assert day[(hours < 5) | (hours >= 20)].sum() == 0
    # Solar noon is at about 12:25, since the park lies 6° west of its zone's meridian.
    centre = float((day * (hours + 0.125)).sum() / day.sum())
    assert 12.2 < centre < 12.7


def test_power_at_the_main_meter_balances(park: Park) -> None:
    wh = park.wh
    demand = sum((wh[name] for name in plan.CONSUMERS), np.zeros(p.QUARTERS, dtype=np.int64))
    net = wh["grid-import"] - wh["grid-export"]
    inside = demand + wh["battery-charge"] - wh["battery-discharge"]
    losses = net - inside + wh["pv-roof"] + wh["pv-ground"]
    assert losses.min() >= 0
    assert losses.sum() < demand.sum() // 100
    assert not np.any((wh["grid-import"] > 0) & (wh["grid-export"] > 0))
    children = sum(
        (wh[name] for name, parent in plan.PARENTS.items() if parent == "feeder-2"),
        np.zeros(p.QUARTERS, dtype=np.int64),
    )
    assert (wh["feeder-2"] >= children).all()


def test_the_battery_gives_less_than_it_took(park: Park) -> None:
    charge, discharge = park.wh["battery-charge"], park.wh["battery-discharge"]
    stored = np.cumsum(charge) - np.cumsum(discharge)
    # It began with 2 MWh of its own.
    assert stored.min() > -2_000_000
    assert 0.8 < discharge.sum() / charge.sum() < 0.92
    assert max(charge.max(), discharge.max()) * 4 <= p.BATTERY_W


def test_people_work_on_working_days(park: Park) -> None:
    weekday, holiday = p.calendar()
    assert int(holiday.sum()) == 1 + 8 + 3 + 5 + 3 + 8
    by_day = park.wh["works-press"].reshape(-1, 96).sum(axis=1)
    working = by_day[(weekday < 6) & ~holiday]
    assert working.mean() > 3 * by_day[holiday].mean()
    assert working.mean() > 3 * by_day[weekday == 6].mean()


def test_cooling_follows_the_summer(park: Park) -> None:
    cold = park.wh["cold-store"].reshape(-1, 96).sum(axis=1)
    assert cold[181:243].mean() > 1.3 * cold[:59].mean()


def test_registers_give_back_the_energy(park: Park) -> None:
    """By hand: each meter's last reading less its first, times its transformers."""
    found = files.registers_of(park)
    old, new = found.shown_ckwh[found.is_old], found.shown_ckwh[~found.is_old]
    assert (np.diff(old) < 0).sum() == 1
    of_old = found.closing_ckwh + 100_000_000 - files.OLD_OPENING_CKWH
    of_new = int(new[-1]) - files.NEW_OPENING_CKWH
    wh = 10 * (of_old * files.OLD_MULTIPLIER + of_new * files.NEW_MULTIPLIER)
    whole = int(park.wh["water-works"].sum())
    assert 0 <= whole - wh <= 10 * (files.OLD_MULTIPLIER + files.NEW_MULTIPLIER)
