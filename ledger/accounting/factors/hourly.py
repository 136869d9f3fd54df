"""A CSV file of factors by the hour becomes a series, and a series part of a set. Pure.

One row is one interval. What is missing, twice, out of order or no number is refused with its row:
a factor that nobody gave is not made up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ledger.accounting.factors.members import DECIMALS_MAX, INTERVALS_S, SERIES_MAX, VALUES_MAX
from ledger.accounting.factors.model import FactorSeries, FactorSet, Int64
from ledger.errors import InvalidInput
from ledger.metering.importers import decimals, times
from ledger.units import format_instant

FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")
# A year of quarter-hours has 1.5 MB.
FILE_BYTES_MAX: Final = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFile:
    """How a file is read, and what its series is. `time_column`, `value_column`: empty for the
    first and second of two. `format`: as in import profiles; empty for ISO forms. `ends`: whether
    a time is the interval's end. `zone_s`: seconds that the file's clock is ahead of UTC."""

    item: str
    region: str
    unit: str
    gas: str
    covers: tuple[str, ...]
    standard: str
    source: str
    status: str
    zone_s: int
    time_column: str = ""
    value_column: str = ""
    format: str = ""
    ends: bool = False

    def read(self, data: bytes, where: str) -> FactorSeries:
        """Raises InvalidInput with the row."""
        stamps, texts = _columns(data, where, self.time_column, self.value_column)
        starts_s, interval_s = self._starts(stamps, where)
        parsed = decimals.parse(texts)
        for index, why in parsed.bad:
            raise InvalidInput(f"{where}, row {index + 2}: {why}")
        if parsed.places > DECIMALS_MAX:
            raise InvalidInput(f"{where}: a value has {parsed.places} decimals; {DECIMALS_MAX} fit")
        return FactorSeries.from_json(
            {
                "item": self.item,
                "region": self.region,
                "unit": self.unit,
                "gas": self.gas,
                "covers": list(self.covers),
                "start": format_instant(int(starts_s[0])),
                "interval_s": interval_s,
                "decimals": parsed.places,
                "values": parsed.mantissa.tolist(),
                "standard": self.standard,
                "source": self.source,
                "status": self.status,
            }
        )

    def _starts(self, stamps: Sequence[str], where: str) -> tuple[Int64, int]:
        """When each interval begins, in UTC, and how long it is."""
        local_s = _local_s(stamps, self.format, where) - self.zone_s
        if len(local_s) < 2:
            raise InvalidInput(f"{where}: one row says no length of its interval; give two or more")
        interval_s = int(local_s[1] - local_s[0])
        if interval_s not in INTERVALS_S:
            allowed = ", ".join(map(str, INTERVALS_S))
            raise InvalidInput(f"{where}: its rows are {interval_s} s apart; allowed are {allowed}")
        wrong = np.flatnonzero(np.diff(local_s) != interval_s)
        if len(wrong):
            row = int(wrong[0]) + 1
            raise InvalidInput(
                f"{where}, row {row + 2}: {stamps[row]!r} does not follow {stamps[row - 1]!r} by"
                f" {interval_s} s: an interval is missing, twice or out of order"
            )
        return local_s - (interval_s if self.ends else 0), interval_s


def _columns(
    data: bytes, where: str, time_column: str, value_column: str
) -> tuple[list[str], list[str]]:
    if len(data) > FILE_BYTES_MAX:
        raise InvalidInput(f"{where}: it has {len(data):,} bytes; {FILE_BYTES_MAX:,} is the most")
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{where}: not a CSV file in UTF-8: {error}") from error
    while rows and not any(rows[-1]):
        rows.pop()
    if len(rows) < 2:
        raise InvalidInput(f"{where}: a header and rows of values are what it has to hold")
    if len(rows) - 1 > VALUES_MAX:
        raise InvalidInput(f"{where}: it has {len(rows) - 1:,} rows; {VALUES_MAX:,} is the most")
    header = [name.strip() for name in rows[0]]
    places = _places(header, where, time_column, value_column)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise InvalidInput(
                f"{where}, row {number}: it has {len(row)} cells, the header {len(header)}"
            )
    stamps, texts = ([row[place].strip() for row in rows[1:]] for place in places)
    return stamps, texts


def _places(header: list[str], where: str, time_column: str, value_column: str) -> tuple[int, int]:
    names = (time_column, value_column)
    if not any(names) and len(header) == 2:
        return 0, 1
    for name in names:
        if header.count(name) != 1:
            raise InvalidInput(
                f"{where}: name the columns of time and value, each of which is there once; there"
                f" are {', '.join(repr(one) for one in header)}"
            )
    return header.index(time_column), header.index(value_column)


def _local_s(stamps: Sequence[str], stamp_format: str, where: str) -> Int64:
    """Seconds of the file's own clock; of the forms, the one that fits the first row."""
    if stamp_format:
        try:
            times.check_format(stamp_format)
        except ValueError as error:
            raise InvalidInput(f"format {stamp_format!r}: {error}") from error
    tried = [stamp_format] if stamp_format else FORMATS
    fitting = [one for one in tried if times.read_texts(stamps[:1], one)[0] != times.BAD]
    found = times.read_texts(stamps, (fitting or tried)[0])
    wrong = np.flatnonzero(found == times.BAD)
    if len(wrong):
        row = int(wrong[0])
        raise InvalidInput(
            f"{where}, row {row + 2}: time {stamps[row]!r} does not fit {(fitting or tried)[0]!r};"
            " give the file's own format, such as '%d/%m/%Y %H:%M'"
        )
    return found


def with_series(before: FactorSet | None, added: FactorSeries, head: dict[str, Any]) -> FactorSet:
    """The set with a series more, which takes the place of those of its kind that it overlaps.

    `head`: title, source and status of a set that is new. Raises InvalidInput.
    """
    old = () if before is None else before.series
    kept = [
        one
        for one in old
        if one.key != added.key or one.end_s <= added.start_s or added.end_s <= one.start_s
    ]
    series = sorted([*kept, added], key=lambda one: (*one.key, one.start_s))
    if len(series) > SERIES_MAX:
        raise InvalidInput(f"a set has at most {SERIES_MAX} series; begin another one")
    rest = {**head, "factors": []} if before is None else before.to_json()
    return FactorSet.from_json({**rest, "series": [one.to_json() for one in series]})
