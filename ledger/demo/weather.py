"""Weather of an invented year near 22.8° N: sun, clouds, temperature and wind at sea.

Made of known astronomy (Spencer's series for the sun) and of first-order autoregressive noise, with
monthly means in the range of the Pearl River Delta. Nothing here was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LATITUDE_DEG: Final = 22.8
LONGITUDE_DEG: Final = 113.6
# Park time is that of 120° E: the sun is late by four minutes for each degree west of it.
ZONE_MERIDIAN_DEG: Final = 120.0
DAYS: Final = 365
QUARTERS_A_DAY: Final = 96
TEN_MINUTES_A_DAY: Final = 144
# By month: mean share of clear-sky sun that arrives, air temperature, wind speed at hub height.
CLEARNESS: Final = (0.52, 0.44, 0.40, 0.45, 0.54, 0.58, 0.67, 0.63, 0.64, 0.66, 0.62, 0.57)
TEMPERATURE_C: Final = (14.1, 15.8, 18.4, 22.6, 26.2, 28.1, 29.0, 28.8, 27.6, 24.9, 20.8, 16.0)
WIND_M_S: Final = (8.6, 8.0, 7.4, 6.8, 6.4, 6.9, 6.8, 6.2, 6.8, 8.3, 8.9, 8.9)
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sky:
    """Per quarter of an hour, float64[35040], at its middle.

    `sin_height`: of the sun's height, below 0 at night. `south_tilt`: cosine of the angle between
    the sun and a plane tilted 15° to the south. `clearness`: share of clear-sky sun that arrives.
    """

    sin_height: Floats
    south_tilt: Floats
    clearness: Floats
    temperature_c: Floats


def hours_of_day(per_day: int) -> Floats:
    """Park time at the middle of each interval of the year, hours."""
    return np.tile((np.arange(per_day) + 0.5) * (24 / per_day), DAYS)


def by_month(values: tuple[float, ...], per_day: int) -> Floats:
    """Monthly means joined by straight lines from mid-month to mid-month, around the year."""
    lengths = np.array(_MONTH_DAYS, dtype=np.float64)
    middles = np.cumsum(lengths) - lengths / 2
    day = (np.arange(DAYS * per_day) + 0.5) / per_day
    return np.asarray(np.interp(day, middles, np.array(values), period=float(DAYS)))


def drift(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """First-order autoregressive noise of mean 0 and variance 1; `memory` of it stays each step."""
    fresh = rng.standard_normal(count)
    fresh[1:] *= np.sqrt(1 - memory * memory)
    return np.fromiter(
        accumulate(fresh.tolist(), lambda before, new: memory * before + new),
        dtype=np.float64,
        count=count,
    )


def _sun() -> tuple[Floats, Floats]:
    hours = hours_of_day(QUARTERS_A_DAY)
    day = np.repeat(np.arange(DAYS), QUARTERS_A_DAY)
    angle = 2 * np.pi * (day + (hours - 12) / 24) / DAYS
    declination = (
        0.006918
        - 0.399912 * np.cos(angle)
        + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle)
        + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle)
        + 0.00148 * np.sin(3 * angle)
    )
    minutes = 229.18 * (
        0.000075
        + 0.001868 * np.cos(angle)
        - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle)
        - 0.040849 * np.sin(2 * angle)
    )
    solar = hours + minutes / 60 - (ZONE_MERIDIAN_DEG - LONGITUDE_DEG) / 15
    hour_angle = np.radians(15 * (solar - 12))
    latitude = np.radians(LATITUDE_DEG)

    def height(at: float) -> Floats:
        """A plane tilted south by t sees the sun as flat ground at latitude − t does."""
        return np.asarray(
            np.sin(at) * np.sin(declination) + np.cos(at) * np.cos(declination) * np.cos(hour_angle)
        )

    return height(latitude), height(latitude - np.radians(15))


def make_sky(rng: np.random.Generator) -> Sky:
    sin_height, south_tilt = _sun()
    # Days are clear or overcast as a whole; clouds pass within them.
    days = np.repeat(drift(rng, DAYS, 0.55), QUARTERS_A_DAY)
    clouds = drift(rng, DAYS * QUARTERS_A_DAY, 0.9)
    mean = by_month(CLEARNESS, QUARTERS_A_DAY)
    clearness = np.clip(mean * np.exp(0.48 * days - 0.09) * (1 + 0.28 * clouds), 0.04, 1.03)
    hours = hours_of_day(QUARTERS_A_DAY)
    warm_spells = np.interp(
        np.arange(DAYS * QUARTERS_A_DAY) / QUARTERS_A_DAY,
        np.arange(DAYS) + 0.5,
        drift(rng, DAYS, 0.8),
    )
    temperature_c = (
        by_month(TEMPERATURE_C, QUARTERS_A_DAY)
        + 2.6 * warm_spells
        + 3.4 * np.cos(2 * np.pi * (hours - 14.5) / 24)
    )
    return Sky(
        sin_height=sin_height,
        south_tilt=south_tilt,
        clearness=clearness,
        temperature_c=temperature_c,
    )


def make_wind(rng: np.random.Generator) -> Floats:
    """Wind speed at hub height, m/s, float64[52560], every 10 minutes."""
    count = DAYS * TEN_MINUTES_A_DAY
    weather = drift(rng, count, 0.9955)
    gusts = drift(rng, count, 0.9)
    hours = hours_of_day(TEN_MINUTES_A_DAY)
    breeze = 1 + 0.06 * np.cos(2 * np.pi * (hours - 17) / 24)
    mean = by_month(WIND_M_S, TEN_MINUTES_A_DAY)
    return np.asarray(mean * breeze * np.exp(0.42 * weather + 0.07 * gusts - 0.09))
