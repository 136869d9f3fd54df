"""The park's files, with what real archives suffer from: the same seed gives the same bytes.

Each imperfection is made here on purpose and named in `IMPERFECTIONS`, so that the summary can show
what became of it. The values themselves come from `park`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ledger.demo.capture import write_capture
from ledger.demo.park import PERIOD, QUARTERS, ROOF_DRAW_WH, Int64, Park
from ledger.units import QUARTER_HOUR_S, format_instant, parse_instant

_ZONE_S: Final = 8 * 3600
# Half-open, as places of quarters of an hour in the year; see `place_of`.
PV_OUTAGE: Final = ("2025-06-14 02:15", "2025-06-16 17:30")
STORE_OUTAGE: Final = ("2025-09-08 13:45", "2025-09-09 04:00")
WIND_OUTAGE: Final = ("2025-12-03 09:10", "2025-12-03 11:40")
REPEATED: Final = ("2025-05-12 00:00", "2025-05-14 00:00")
ZERO_HOUR: Final = "2025-10-19 03:00"
# The charging meter's current transformer was entered as 150/5 instead of 200/5.
WRONG_RATIO: Final = ("2025-03-10 00:00", "2025-03-17 00:00")
WRONG_REASON: Final = "CT ratio of the EV charging meter entered as 150/5, it is 200/5"

OLD_METER: Final = "440100250815"
NEW_METER: Final = "440100259021"
OLD_MULTIPLIER: Final = 40
NEW_MULTIPLIER: Final = 60
SWAP_AT: Final = "2025-08-14T02:07:00Z"
# Register readings in units of 0.01 kWh.
OLD_OPENING_CKWH: Final = 98_500_000
NEW_OPENING_CKWH: Final = 320
_REGISTER_CKWH: Final = 100_000_000

METERS_96: Final = {
    "grid-import": "440100250001",
    "grid-export": "440100250002",
    "feeder-2": "440100250020",
    "cold-store": "440100250021",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFile:
    """A file of the park: where it lies under `files/`, which profile reads it."""

    path: str
    profile: str
    write: Callable[[Park, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registers:
    """What the water works' two meters show. `shown_ckwh`: int64[35041], 0.01 kWh, at each quarter
    of an hour from the year's first to the next one's first; `closing_ckwh`: when the old went."""

    shown_ckwh: Int64
    is_old: NDArray[np.bool_]
    closing_ckwh: int


def profile_text(name: str) -> str:
    return (resources("ledger.demo") / "profiles" / name).read_text(encoding="utf-8")


def write_files(park: Park, folder: Path, profiles: Path) -> None:
    """Write all files and the profiles that read them."""
    for one in FILES:
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        one.write(park, path)
    profiles.mkdir(parents=True, exist_ok=True)
    for name in sorted({one.profile for one in FILES}):
        (profiles / name).write_text(profile_text(name), encoding="utf-8")


# Time


def _stamps(step_s: int, form: Callable[[str], str], *, shift_s: int = 0) -> list[str]:
    """Park time of each interval of the year, from text such as 2025-01-01T00:00:00."""
    local_s = np.arange(PERIOD.start_s, PERIOD.end_s, step_s) + _ZONE_S + shift_s
    texts = np.datetime_as_string(local_s.astype("datetime64[s]"), unit="s").tolist()
    return [form(text) for text in texts]


def _seconds(text: str) -> str:
    return f"{text[:10]} {text[11:]}"


def _minutes(text: str) -> str:
    return f"{text[:10]} {text[11:16]}"


def place_of(text: str, step_s: int = QUARTER_HOUR_S) -> int:
    """The interval of the year that begins at this park time."""
    at_s = parse_instant(text.replace(" ", "T") + ":00Z") - _ZONE_S
    return (at_s - PERIOD.start_s) // step_s


def span_of(outage: tuple[str, str], step_s: int = QUARTER_HOUR_S) -> range:
    return range(place_of(outage[0], step_s), place_of(outage[1], step_s))


# Numbers


def _kw(wh: Int64) -> list[str]:
    """Mean power over a quarter of an hour, kW to the watt: exact."""
    return [f"{w // 1000}.{w % 1000:03d}" for w in (wh * 4).tolist()]


def _kwh(wh: Int64) -> list[str]:
    return [f"{w // 1000}.{w % 1000:03d}" for w in wh.tolist()]


def _csv(park: Park, path: Path, header: str, rows: Sequence[str], encoding: str = "utf-8") -> None:
    title = f'"{park.label}"'
    text = "\n".join([title, header, *rows])
    path.write_bytes((text + "\n").encode(encoding))


# Files


def _write_roof(park: Park, path: Path) -> None:
    wh = park.wh["pv-roof"]
    night = f"-{ROOF_DRAW_WH * 4 / 1000:.3f}"
    power = [night if at_rest else text for text, at_rest in zip(_kw(wh), wh == 0, strict=True)]
    rows = [f"{t},{p}" for t, p in zip(_stamps(900, _seconds), power, strict=True)]
    _csv(park, path, "time,power_kw", rows)


def _write_energy_centre(park: Park, path: Path) -> None:
    names = ("battery-charge", "battery-discharge", "pv-ground")
    start_s = np.arange(PERIOD.start_s, PERIOD.end_s, QUARTER_HOUR_S)
    arrived = np.ones(QUARTERS, dtype=np.bool_)
    arrived[list(span_of(PV_OUTAGE))] = False
    rows = [arrived if name == "pv-ground" else np.ones_like(arrived) for name in names]
    table = pa.table(
        {
            "time": pa.array(
                np.concatenate([start_s[kept] for kept in rows]), pa.timestamp("s", "UTC")
            ),
            "point": pa.array(
                [
                    name
                    for name, kept in zip(names, rows, strict=True)
                    for _ in range(int(kept.sum()))
                ]
            ),
            "wh": pa.array(
                np.concatenate(
                    [park.wh[name][kept] for name, kept in zip(names, rows, strict=True)]
                )
            ),
        }
    )
    pq.write_table(
        table.replace_schema_metadata({"label": park.label}),
        path,
        row_group_size=QUARTERS,
        write_page_checksum=True,
    )


def _write_wind(park: Park, path: Path) -> None:
    lost = set(span_of(WIND_OUTAGE, 600))
    power = park.wind_kw.tolist()
    rows = [
        f"{t},{p:.3f}"
        for place, (t, p) in enumerate(zip(_stamps(600, _seconds), power, strict=True))
        if place not in lost
    ]
    _csv(park, path, "time,power_kw", rows)


def _write_works(park: Park, path: Path) -> None:
    def ends(text: str) -> str:
        return f"{text[8:10]}/{text[5:7]}/{text[:4]} {int(text[11:13])}:{text[14:16]}"

    def closing(text: str, start: str) -> str:
        """The last interval of a day keeps that day's date: `d 0:00` closes day d."""
        return f"{start} 0:00" if text.endswith(" 0:00") else text

    starts = _stamps(900, lambda text: f"{text[8:10]}/{text[5:7]}/{text[:4]}")
    stamps = map(closing, _stamps(900, ends, shift_s=QUARTER_HOUR_S), starts)
    rows = [f"{t},{e}" for t, e in zip(stamps, _kwh(park.wh["works-press"]), strict=True)]
    _csv(park, path, "date,Usage_kWh", rows)


def _write_infrastructure(park: Park, path: Path) -> None:
    columns = (
        _stamps(900, _seconds),
        _kw(park.wh["data-centre"]),
        _kw(park.wh["street-lighting"]),
    )
    rows = [",".join(cells) for cells in zip(*columns, strict=True)]
    _csv(park, path, "time,data-centre_kw,street-lighting_kw", rows)


def _write_96(park: Park, path: Path) -> None:
    days = [text[:10] for text in _stamps(86_400, _seconds)]
    lost = set(span_of(STORE_OUTAGE))
    rows = []
    for name, meter in METERS_96.items():
        power = _kw(park.wh[name])
        flags = ["1"] * QUARTERS
        if name == "cold-store":
            for place in lost:
                power[place], flags[place] = "-", "0"
        for number, day in enumerate(days):
            part = slice(96 * number, 96 * number + 96)
            rows.append(f"{day},{meter},1,{''.join(flags[part])},{','.join(power[part])}")
            if name == "grid-import":
                # Reactive power, type 2: the profile leaves such rows out.
                rows.append(f"{day},{meter},2,{'1' * 96},{','.join(['0.000'] * 96)}")
    points = ",".join(f"P{number}" for number in range(1, 97))
    header = f"DATA_DATE,METER,DATA_TYPE,DATA_WHOLE_FLAG,{points}"
    _csv(park, path, header, rows, "gb18030")


def _energy_rows(wh: Int64) -> list[str]:
    return [f"{t},{e}" for t, e in zip(_stamps(900, _minutes), _kwh(wh), strict=True)]


def _write_offices(park: Park, path: Path) -> None:
    rows = _energy_rows(park.wh["offices"])
    again = span_of(REPEATED)
    rows[again.stop : again.stop] = rows[again.start : again.stop]
    _csv(park, path, "time,kWh", rows)


def _write_charging(park: Park, path: Path) -> None:
    wh = park.wh["ev-charging"].copy()
    week = span_of(WRONG_RATIO)
    wh[week.start : week.stop] = wh[week.start : week.stop] * 3 // 4
    _csv(park, path, "time,kWh", _energy_rows(wh))


def _write_charging_again(park: Park, path: Path) -> None:
    week = span_of(WRONG_RATIO)
    rows = _energy_rows(park.wh["ev-charging"])[week.start : week.stop]
    _csv(park, path, "time,kWh", rows)


def _write_tenant(park: Park, path: Path) -> None:
    hourly = park.wh["tenant-tower"].reshape(-1, 4).sum(axis=1)
    hourly[place_of(ZERO_HOUR, 3600)] = 0
    rows = [f"{t},{e}" for t, e in zip(_stamps(3600, _minutes), _kwh(hourly), strict=True)]
    _csv(park, path, "time,kWh", rows)


def registers_of(park: Park) -> Registers:
    """The water works' energy as two registers would have shown it."""
    # In units of 0.01 kWh × multiplier, so that both meters count whole units.
    wh = np.concatenate(([0], np.cumsum(park.wh["water-works"])))
    swap_s = parse_instant(SWAP_AT)
    instant_s = PERIOD.start_s + QUARTER_HOUR_S * np.arange(QUARTERS + 1)
    is_old = instant_s < swap_s
    last = int(is_old.sum()) - 1
    part_s = swap_s - int(instant_s[last])
    at_swap_wh = int(wh[last]) + int(wh[last + 1] - wh[last]) * part_s // QUARTER_HOUR_S
    old = OLD_OPENING_CKWH + wh // (10 * OLD_MULTIPLIER)
    new = NEW_OPENING_CKWH + (wh - at_swap_wh) // (10 * NEW_MULTIPLIER)
    return Registers(
        shown_ckwh=np.where(is_old, old, new) % _REGISTER_CKWH,
        is_old=is_old,
        closing_ckwh=(OLD_OPENING_CKWH + at_swap_wh // (10 * OLD_MULTIPLIER)) % _REGISTER_CKWH,
    )


def ckwh(value: int) -> str:
    """A register's text."""
    return f"{value // 100}.{value % 100:02d}"


def _write_registers(park: Park, path: Path) -> None:
    found = registers_of(park)
    end = format_instant(PERIOD.end_s + _ZONE_S).replace("T", " ").removesuffix("Z")
    stamps = [*_stamps(900, _seconds), end]
    rows = [
        f"{t},{OLD_METER if old else NEW_METER},{ckwh(shown)}"
        for t, old, shown in zip(
            stamps, found.is_old.tolist(), found.shown_ckwh.tolist(), strict=True
        )
    ]
    _csv(park, path, "日期,电能表资产编号,正向有功总(kWh)", rows, "gb18030")


def _write_capture(park: Park, path: Path) -> None:
    write_capture(park.label, path)


FILES: Final = (
    DemoFile(path="gateway/pv-roof_power.csv", profile="power.toml", write=_write_roof),
    DemoFile(
        path="gateway/energy-centre.parquet",
        profile="energy-centre.toml",
        write=_write_energy_centre,
    ),
    DemoFile(path="wind/wind-sea_10min.csv", profile="wind-10min.toml", write=_write_wind),
    DemoFile(path="huayue/works-press.csv", profile="works.toml", write=_write_works),
    DemoFile(path="grid/points-96.csv", profile="grid-96.toml", write=_write_96),
    DemoFile(
        path="park/infrastructure.csv", profile="infrastructure.toml", write=_write_infrastructure
    ),
    DemoFile(path="park/offices_15min.csv", profile="energy-15min.toml", write=_write_offices),
    DemoFile(
        path="park/tenant-tower_hourly.csv", profile="energy-hourly.toml", write=_write_tenant
    ),
    DemoFile(path="park/water-works.csv", profile="registers.toml", write=_write_registers),
    DemoFile(path="park/ev-charging_15min.csv", profile="energy-15min.toml", write=_write_charging),
    DemoFile(path="capture/co2_hourly.csv", profile="capture.toml", write=_write_capture),
    DemoFile(
        path="corrections/ev-charging_15min.csv",
        profile="energy-15min.toml",
        write=_write_charging_again,
    ),
)
