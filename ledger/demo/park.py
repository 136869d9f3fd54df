"""An invented park's year as integer energies: what its meters would have counted.

Everything is a function of the seed. Plants, loads and the battery are simple physics with noise:
enough that shares, gaps and peaks look like a park's, and nothing that could pass for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.demo.weather import (
    DAYS,
    QUARTERS_A_DAY,
    TEN_MINUTES_A_DAY,
    Floats,
    Sky,
    drift,
    hours_of_day,
    make_sky,
    make_wind,
)
from ledger.units import Period, parse_instant

Int64 = NDArray[np.int64]

SEED: Final = 4401
YEAR: Final = 2025
# The calendar year in park time, +08:00.
PERIOD: Final = Period(
    start_s=parse_instant("2024-12-31T16:00:00Z"), end_s=parse_instant("2025-12-31T16:00:00Z")
)
QUARTERS: Final = DAYS * QUARTERS_A_DAY

ROOF_W: Final = 8_000_000
GROUND_W: Final = 16_000_000
WIND_W: Final = 17_000_000
BATTERY_W: Final = 4_000_000
BATTERY_WH: Final = 12_000_000
# What the inverters and the transformer of the roof plant draw at night.
ROOF_DRAW_WH: Final = 800
WIND_STANDSTILL_KW: Final = -18.5
FEEDER_LOSS_PPM: Final = 8_000

# First and last day of the public holidays of 2025 in China.
_HOLIDAYS: Final = (
    ("01-01", "01-01"),
    ("01-28", "02-04"),
    ("04-04", "04-06"),
    ("05-01", "05-05"),
    ("05-31", "06-02"),
    ("10-01", "10-08"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Park:
    """`wh`: point → int64[35040], Wh in each quarter of an hour of the year, never negative.

    `wind_kw`: float64[52560], mean power over 10 minutes, below 0 at standstill.
    """

    seed: int
    wh: Mapping[str, Int64]
    wind_kw: Floats

    @property
    def label(self) -> str:
        """What stands in every file of the demo."""
        return f"SYNTHETIC DEMO DATA, generated, seed {self.seed}; not a measurement"


def make_park(seed: int = SEED) -> Park:
    """The same seed gives the same park."""
    rng = np.random.default_rng(seed)
    sky = make_sky(rng)
    wind_kw = _wind_power_kw(rng)
    roof_w, ground_w = (
        _pv_w(rng, sky, ROOF_W, sky.sin_height),
        _pv_w(rng, sky, GROUND_W, sky.south_tilt),
    )
    loads = {name: _wh(power_w) for name, power_w in _loads_w(rng, sky).items()}
    roof, ground = _wh(roof_w), _wh(ground_w)
    demand = np.sum(list(loads.values()), axis=0)
    charge, discharge = _battery(demand, roof + ground)
    feeder = _with_losses(loads["cold-store"] + loads["offices"] + loads["ev-charging"])
    net = _with_losses(demand) + charge - discharge - roof - ground
    return Park(
        seed=seed,
        wh={
            "pv-roof": roof,
            "pv-ground": ground,
            "battery-charge": charge,
            "battery-discharge": discharge,
            "grid-import": np.maximum(net, 0),
            "grid-export": np.maximum(-net, 0),
            "feeder-2": feeder,
            **loads,
        },
        wind_kw=wind_kw,
    )


def _wh(power_w: Floats) -> Int64:
    return np.maximum(np.rint(power_w / 4), 0).astype(np.int64)


def _with_losses(wh: Int64) -> Int64:
    return wh + wh * FEEDER_LOSS_PPM // 1_000_000


def _pv_w(rng: np.random.Generator, sky: Sky, capacity_w: int, on_plane: Floats) -> Floats:
    """Mean power of a plant whose plane sees the sun at an angle of cosine `on_plane`."""
    above = np.maximum(sky.sin_height, 0)
    # Haurwitz's clear sky; the cloudier, the more of the light is diffuse and has no direction.
    clear = 1098 * above * np.exp(-0.057 / np.maximum(above, 1e-3))
    own = np.clip(sky.clearness * (1 + 0.05 * drift(rng, QUARTERS, 0.6)), 0.03, 1.05)
    diffuse = np.clip(1.05 - 0.95 * own, 0.14, 1.0)
    gain = np.clip(on_plane / np.maximum(sky.sin_height, 0.08), 0, 2)
    irradiance = clear * own * (diffuse + (1 - diffuse) * gain)
    cell_c = sky.temperature_c + 0.028 * irradiance
    efficiency = 0.84 * (1 - 0.0037 * (cell_c - 25))
    power_w: Floats = capacity_w * irradiance / 1000 * efficiency
    return np.minimum(power_w, 0.87 * capacity_w)


def _wind_power_kw(rng: np.random.Generator) -> Floats:
    speed = make_wind(rng)
    cubic = np.clip((speed**3 - 3.0**3) / (11.8**3 - 3.0**3), 0, 1)
    running = (speed >= 3.0) & (speed < 25.0)
    # One turbine of the farm or another is in maintenance; wakes take their part.
    available = np.clip(0.93 + 0.03 * drift(rng, len(speed), 0.999), 0.7, 0.97)
    power_kw: Floats = np.where(running, WIND_W / 1000 * cubic * available, WIND_STANDSTILL_KW)
    return power_kw.round(3)


def calendar(year: int = YEAR) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Weekday (Monday 0), int64[365], and whether the day is a public holiday, bool[365]."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(DAYS)]
    holiday = [
        any(first <= day.strftime("%m-%d") <= last for first, last in _HOLIDAYS) for day in days
    ]
    return np.array([day.weekday() for day in days]), np.array(holiday)


def _loads_w(rng: np.random.Generator, sky: Sky) -> dict[str, Floats]:
    """Mean power of each consumer, float64[35040]."""
    hours = hours_of_day(QUARTERS_A_DAY)
    weekday_of, holiday_of = calendar()
    weekday = np.repeat(weekday_of, QUARTERS_A_DAY)
    holiday = np.repeat(holiday_of, QUARTERS_A_DAY)
    office_day = (weekday < 5) & ~holiday
    shift_day = (weekday < 6) & ~holiday
    heat = np.maximum(sky.temperature_c - 22, 0)

    def noisy(power_w: Floats, share: float, memory: float) -> Floats:
        return np.asarray(power_w * (1 + share * drift(rng, QUARTERS, memory)))

    shift = np.select(
        [~shift_day, (hours >= 8) & (hours < 16), hours >= 16], [0.12, 1.0, 0.86], default=0.3
    )
    shift = shift * np.where(shift_day & (np.floor(hours) % 12 == 0), 0.7, 1.0)
    at_work = np.exp(-(((hours - 13.5) / 4.6) ** 6))
    offices = 140e3 + office_day * at_work * (420e3 + 34e3 * heat)
    shops = np.exp(-(((hours - 15.5) / 6.4) ** 6)) * np.where(office_day, 1.0, 1.25)
    evening = np.exp(-(((hours - 20.2) / 2.6) ** 2)) + 0.55 * np.exp(-(((hours - 12.6) / 1.5) ** 2))
    sessions = rng.poisson(np.clip((1.5 + 16 * evening) * np.where(office_day, 1.0, 0.8), 0.2, 40))
    inflow = 1 + 0.16 * np.sin(2 * np.pi * (hours - 5) / 24) + 0.1 * (sky.clearness < 0.2)
    growth = 1 + 0.08 * np.arange(QUARTERS) / QUARTERS
    return {
        "works-press": noisy(4.9e6 * shift + 260e3, 0.045, 0.8),
        "data-centre": noisy(2.75e6 * growth * (1.27 + 0.006 * heat), 0.012, 0.95),
        "cold-store": noisy(420e3 + 26e3 * np.maximum(sky.temperature_c - 4, 0), 0.09, 0.35),
        "offices": noisy(offices, 0.05, 0.7),
        "tenant-tower": noisy(110e3 + shops * (260e3 + 17e3 * heat), 0.05, 0.8),
        "ev-charging": 4e3 + 44e3 * sessions.astype(np.float64),
        "water-works": noisy(430e3 * inflow, 0.05, 0.85),
        "street-lighting": np.where(sky.sin_height < -0.02, 165e3, 900.0),
    }


def _battery(demand_wh: Int64, sun_wh: Int64) -> tuple[Int64, Int64]:
    """Charged around noon, more where the sun exceeds the load; discharged in the evening peak."""
    hour = np.floor(hours_of_day(QUARTERS_A_DAY)).astype(np.int64).tolist()
    charge, discharge = np.zeros(QUARTERS, np.int64), np.zeros(QUARTERS, np.int64)
    most_wh, stored_wh = BATTERY_W // 4, 2_000_000
    surplus = (sun_wh - demand_wh).tolist()
    for place in range(QUARTERS):
        if 10 <= hour[place] < 15:
            wish_wh = most_wh if surplus[place] > 0 else most_wh // 2
            taken_wh = min(wish_wh, (BATTERY_WH - stored_wh) * 1000 // 940)
            charge[place] = taken_wh
            stored_wh += taken_wh * 940 // 1000
        elif 18 <= hour[place] < 22:
            given_wh = min(most_wh * 3 // 4, stored_wh * 935 // 1000)
            discharge[place] = given_wh
            stored_wh -= -(-given_wh * 1000 // 935)
    return charge, discharge


assert TEN_MINUTES_A_DAY * DAYS == 52_560
