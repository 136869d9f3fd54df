"""Hourly factors: read from a file, cut to a period, multiplied with energy, exactly."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ledger.accounting.factors.hourly import SeriesFile, with_series
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import FactorSet
from ledger.errors import InvalidInput
from ledger.units import Period, parse_instant
from tests.accounting.factors.sets import HEAD, published

FILE = SeriesFile(
    item="electricity-average",
    region="CN",
    unit="kg/kWh",
    gas="CO2",
    covers=("CO2",),
    standard="",
    source="Dispatch centre",
    status="unverified",
    zone_s=8 * 3600,
)
DAY = "time,factor\n2026-01-01 00:00:00,0.5\n2026-01-01 01:00:00,0.25\n2026-01-01 02:00:00,0.125\n"


def period(start: str, end: str) -> Period:
    return Period(start_s=parse_instant(start), end_s=parse_instant(end))


def library(*texts: str) -> FactorLibrary:
    content: FactorSet | None = None
    for text in texts:
        content = with_series(content, FILE.read(text.encode(), "grid.csv"), HEAD)
    assert content is not None
    return FactorLibrary(sets=(published("grid", content),))


def test_energy_of_quarter_hours_times_the_factor_of_their_hour() -> None:
    """Park time 00:00 is 16:00 UTC. 4 × 1,000 Wh at 0.5 kg/kWh are 2,000 g; 4 × 400 Wh at 0.25 are
    400 g; 1 Wh at 0.125, 125 mg: in all 2,400.125 g."""
    found = library(DAY).series(
        "electricity-average", "44", period("2025-12-31T16:00:00Z", "2025-12-31T19:00:00Z")
    )
    assert found.value.tolist() == [500, 250, 125]
    assert found.by_quarter_hour.tolist() == [500] * 4 + [250] * 4 + [125] * 4
    energy = np.array([1000] * 4 + [400] * 4 + [1, 0, 0, 0], dtype=np.int64)
    assert found.mass_g(energy) == Fraction("2400.125")
    # Beyond int64, too: 12 × 10^17 Wh × 0.5 kg/kWh and less.
    huge = np.full(12, 10**17, dtype=np.int64)
    assert found.mass_g(huge) == 4 * 10**17 * Fraction("0.875")
    with pytest.raises(InvalidInput, match="12 quarter-hours, not 11"):
        found.mass_g(energy[1:])
    use = found.use()
    assert (use["value"], use["interval_s"], use["from"]) == ("", 3600, "2025-12-31T16:00:00Z")


def test_pieces_follow_each_other_in_the_finer_scale() -> None:
    later = "time,factor\n2026-01-01 03:00:00,1\n2026-01-01 04:00:00,2\n"
    found = library(DAY, later).series(
        "electricity-average", "CN", period("2025-12-31T18:00:00Z", "2025-12-31T20:00:00Z")
    )
    assert (found.value.tolist(), found.decimals) == ([125, 1000], 3)
    # A piece that overlaps takes the place of those before.
    again = library(DAY, DAY.replace("0.25", "0.75"))
    assert [one.value.tolist() for one in again.sets[0].content.series] == [[500, 750, 125]]


def test_a_time_without_a_value_is_named() -> None:
    grid = library(DAY)
    for start, end, said in (
        ("2025-12-31T18:00:00Z", "2025-12-31T20:00:00Z", "from 2025-12-31T19:00:00Z on"),
        ("2025-12-31T15:00:00Z", "2025-12-31T17:00:00Z", "from 2025-12-31T15:00:00Z on"),
        ("2025-12-31T16:15:00Z", "2025-12-31T17:00:00Z", "on no bounds of its intervals"),
        ("2024-12-31T16:00:00Z", "2024-12-31T17:00:00Z", "no series of electricity-average"),
    ):
        with pytest.raises(InvalidInput, match=said):
            grid.series("electricity-average", "44", period(start, end))
    with pytest.raises(InvalidInput, match="no series of heat"):
        grid.series("heat", "44", period("2025-12-31T16:00:00Z", "2025-12-31T17:00:00Z"))


def test_another_year_takes_a_stated_substitution() -> None:
    stated = {
        "item": "electricity-average",
        "region": "CN",
        "year": 2018,
        "use_region": "CN",
        "use_year": 2026,
        "reason": "stands in",
    }
    first_hour = period("2017-12-31T16:00:00Z", "2017-12-31T17:00:00Z")
    grid = library(DAY)
    with pytest.raises(InvalidInput, match="year 2018; there is: electricity-average, CN, 2025"):
        grid.series("electricity-average", "44", first_hour, year=2018)
    found = grid.series("electricity-average", "44", first_hour, year=2018, substitutions=[stated])
    assert found.value.tolist() == [500]
    assert (found.use()["year"], found.use()["from"]) == (2026, "2017-12-31T16:00:00Z")
    assert found.use()["substituted"] == {
        "wanted": {"item": "electricity-average", "region": "CN", "year": 2018},
        "reason": "stands in",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("01:00", "01:30"), "allowed are 900, 1800, 3600"),
        (("02:00:00", "03:00:00"), "grid.csv, row 4: '2026-01-01 03:00:00' does not follow"),
        (("02:00:00", "01:00:00"), "missing, twice or out of order"),
        (("0.25", "0,25"), "row 3: it has 3 cells, the header 2"),
        (("0.25", "n/a"), "row 3: 'n/a' is not a number"),
        (("0.25", "-0.25"), "a value is negative"),
        (("0.25", ""), "row 3: is empty"),
        (("2026-01-01 01", "1.1.2026 01"), "row 3: time '1.1.2026 01:00:00' does not fit"),
        (("time,factor", "time,factor,more"), "row 2: it has 2 cells"),
        (("0.25", "0.1234567890"), "a value has 10 decimals; 9 fit"),
    ],
)
def test_a_file_that_is_not_one_row_for_each_interval_is_refused(
    change: tuple[str, str], said: str
) -> None:
    text = DAY.replace(*change)
    named = replace(FILE, time_column="time", value_column="factor")
    with pytest.raises(InvalidInput) as caught:
        named.read(text.encode(), "grid.csv")
    assert said in str(caught.value)


def test_columns_forms_and_labels_are_the_files() -> None:
    text = "a,end,b\nx,1/1/2026 01:00,0.5\nx,1/1/2026 02:00,0.25\n"
    with pytest.raises(InvalidInput, match="name the columns of time and value"):
        FILE.read(text.encode(), "grid.csv")
    own = replace(FILE, time_column="end", value_column="b", format="%d/%m/%Y %H:%M", ends=True)
    assert own.read(text.encode(), "grid.csv").start_s == parse_instant("2025-12-31T16:00:00Z")
    with pytest.raises(InvalidInput, match="format '%d': %Y is missing"):
        replace(own, format="%d").read(text.encode(), "grid.csv")


def test_the_real_hourly_year_is_read_at_once(shared: Path) -> None:
    """8,760 hours of Great Britain; its first hours are 0.144, 0.151, 0.146, 0.141 kg/kWh. A day of
    1,000 Wh a quarter-hour is worth the sum of its 24 factors × 4 kWh."""
    data = (shared / "data/park-2018/grid_carbon_intensity_gb_2018_hourly.csv").read_bytes()
    began = time.process_time()
    series = FILE.read(data, "gb.csv")
    content = FactorSet.from_json(with_series(None, series, HEAD).to_json())
    assert time.process_time() - began < 1
    grid = FactorLibrary(sets=(published("gb", content),))
    year = period("2017-12-31T16:00:00Z", "2018-12-31T16:00:00Z")
    found = grid.series("electricity-average", "440100", year)
    assert (len(found.value), found.value[:4].tolist()) == (8760, [144, 151, 146, 141])
    lines = data.decode().splitlines()[1:]
    assert found.mass_g(np.full(35_040, 1000, dtype=np.int64)) == 4000 * sum(
        Fraction(line.split(",")[1]) for line in lines
    )
