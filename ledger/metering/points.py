"""Metering points and their master data (docs/formats.md §4.2). Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.units import BASE_UNITS, Period, parse_instant

KINDS: Final = (
    "generation",
    "consumption",
    "grid-import",
    "grid-export",
    "storage-charge",
    "storage-discharge",
    "billed",
    "other",
)
# The six systems of a zero-carbon park: the guideline's chapter 6.
PARK_SYSTEMS: Final = (
    "energy",
    "transport",
    "buildings",
    "infrastructure",
    "production",
    "ecology",
)
MEASURES: Final = ("additive", "gauge")
UNITS: Final = tuple(sorted({base for base, _ in BASE_UNITS.values()}))
FOREVER_S: Final = 2**40

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ID = re.compile(r"[0-9a-f]{32}")
_PARTY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_REGION = re.compile(r"[0-9]{0,12}")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Texts for people: no control characters, which could not be stored everywhere, nor be shown.
_NUMBER = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_WORDS = re.compile(r"[^\x00-\x1f\x7f]{0,200}")
_METERS_MAX: Final = 1_000
# What a run puts on its grid of 900 s.
_MATCHED_KINDS: Final = ("generation", "consumption")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The meter at a point for a time: a swap closes one and opens the next."""

    number: str
    from_: str
    to: str = ""
    multiplier: str = "1"
    accuracy: str = ""
    calibrated: str = ""
    calibration_expires: str = ""
    opening: str = ""
    closing: str = ""

    @property
    def period(self) -> Period:
        return Period(
            start_s=parse_instant(self.from_),
            end_s=parse_instant(self.to) if self.to else FOREVER_S,
        )

    @property
    def factor(self) -> Decimal:
        """CT ratio × PT ratio."""
        return Decimal(self.multiplier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Master data of a metering point, as registered last."""

    name: str
    kind: str
    owner: str
    unit: str = "Wh"
    measure: str = "additive"
    interval_s: int = 900
    park_system: str = "energy"
    technology: str = ""
    parent: str = ""
    region: str = ""
    capacity: int = 0
    capacity_unit: str = ""
    meters: tuple[Meter, ...] = ()

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("unit", self.unit, UNITS)
        _one_of("measure", self.measure, MEASURES)
        _one_of("park_system", self.park_system, PARK_SYSTEMS)
        _one_of("capacity_unit", self.capacity_unit, ("", "W", "Wh"))
        _matches("name", self.name, _SLUG, "1–64 characters of a-z 0-9 -")
        _matches("owner", self.owner, _PARTY, "a party id")
        _matches("region", self.region, _REGION, "an administrative code of digits, or empty")
        _matches("technology", self.technology, _WORDS, "up to 200 characters")
        if self.parent:
            _matches("parent", self.parent, _ID, "a point id of 32 hex digits, or empty")
        if not 0 <= self.interval_s <= 366 * 86_400:
            raise InvalidInput(f"interval_s is {self.interval_s}; it is 0 to a year of seconds")
        if self.interval_s == 0 and self.kind not in ("billed", "other"):
            raise InvalidInput("interval_s is 0 (any length) only for kind billed or other")
        if self.capacity < 0:
            raise InvalidInput(f"capacity is {self.capacity}; it is not negative")
        _check_matched(self)
        _check_meters(self.meters)

    def to_json(self) -> dict[str, Any]:
        found = asdict(self)
        found["meters"] = [
            {"from" if name == "from_" else name: value for name, value in asdict(meter).items()}
            for meter in self.meters
        ]
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Point:
        """Raises InvalidInput for missing, unknown or wrong members."""
        members = dict(value)
        _exact(members, {field.name for field in fields(cls)}, "point")
        meters = members.pop("meters")
        if not isinstance(meters, list):
            raise InvalidInput("meters is an array")
        _typed(members, integers={"interval_s", "capacity"})
        return cls(meters=tuple(_meter_from_json(meter) for meter in meters), **members)


def _meter_from_json(value: Any) -> Meter:
    if not isinstance(value, dict):
        raise InvalidInput("a meter is an object")
    _exact(value, {field.name.rstrip("_") for field in fields(Meter)}, "meter")
    _typed(value, integers=set())
    return Meter(**{"from_" if name == "from" else name: item for name, item in value.items()})


def _exact(members: Mapping[str, Any], wanted: set[str], what: str) -> None:
    wrong = set(members) ^ wanted
    if wrong:
        raise InvalidInput(f"{what}: members {sorted(wrong)} are missing or unknown")


def _typed(members: Mapping[str, Any], *, integers: set[str]) -> None:
    for name, value in members.items():
        wanted = int if name in integers else str
        if not isinstance(value, wanted):
            raise InvalidInput(
                f"{name} is {value!r}, not {'an integer' if wanted is int else 'text'}"
            )


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InvalidInput(f"{name} is {value!r}; it is one of {', '.join(allowed)}")


def _matches(name: str, value: str, pattern: re.Pattern[str], expected: str) -> None:
    if not pattern.fullmatch(value):
        raise InvalidInput(f"{name} is {value!r}, not {expected}")


def _check_matched(point: Point) -> None:
    """One point that no run can use would keep every run of the park from being computed."""
    if point.unit != "Wh" or point.kind not in (*_MATCHED_KINDS, "billed"):
        return
    if point.measure != "additive":
        raise InvalidInput(f"measure is {point.measure!r}; energy is additive")
    if point.kind in _MATCHED_KINDS and not fits_grid(point):
        raise InvalidInput(
            f"interval_s is {point.interval_s}; to be matched it is 1800, 3600 or a divisor of 900:"
            " let the import profile resample"
        )


def fits_grid(point: Point) -> bool:
    """Whether a run can put the point's intervals on its grid of 900 s."""
    return point.interval_s in (1800, 3600) or not 900 % max(point.interval_s, 1)


def _check_meters(meters: Sequence[Meter]) -> None:
    if len(meters) > _METERS_MAX:
        raise InvalidInput(f"a point has at most {_METERS_MAX} meters, not {len(meters)}")
    for meter in meters:
        _matches("number of a meter", meter.number, _NUMBER, "1–64 characters")
        _matches(f"accuracy of {meter.number}", meter.accuracy, _WORDS, "up to 200 characters")
        _matches(f"multiplier of {meter.number}", meter.multiplier, _DECIMAL, "a decimal number")
        if meter.factor <= 0:
            raise InvalidInput(f"multiplier of {meter.number} is not positive")
        for name in ("opening", "closing"):
            if getattr(meter, name):
                _matches(name, getattr(meter, name), _DECIMAL, "a decimal number")
        for name in ("calibrated", "calibration_expires"):
            if getattr(meter, name):
                _check_date(name, getattr(meter, name))
    # Of a single meter too: else whoever reads the point next would find that its time is none.
    periods = [meter.period for meter in meters]
    for (before, first), (after, second) in itertools.pairwise(zip(meters, periods, strict=True)):
        if first.end_s > second.start_s:
            raise InvalidInput(
                f"meter {after.number} begins {after.from_}, before {before.number} ends"
                f" ({before.to or 'never'})"
            )


def _check_date(name: str, value: str) -> None:
    _matches(name, value, _DATE, "a date 2026-01-01")
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput(f"{name} is {value}, which does not exist: {error}") from error


def require_separate_meters(point: str, mine: Point, others: Mapping[str, Point]) -> None:
    """A meter counts at one point at a time. Raises InvalidInput naming the other point."""
    for other_id, other in others.items():
        for theirs in other.meters:
            for meter in mine.meters:
                if (
                    other_id != point
                    and meter.number == theirs.number
                    and meter.period.overlaps(theirs.period)
                ):
                    raise InvalidInput(
                        f"meter {meter.number} is registered at point {other.name!r} for the same"
                        " time: one meter can't count twice"
                    )


def check_parent(point: str, mine: Point, others: Mapping[str, Point]) -> None:
    """The hierarchy is a forest over known points of one unit. Raises InvalidInput."""
    above, seen = mine.parent, {point}
    while above:
        if above in seen:
            raise InvalidInput(f"point {mine.name!r} would be its own parent")
        if above not in others:
            raise InvalidInput(f"parent {above} of {mine.name!r} is not a registered point")
        if others[above].unit != mine.unit:
            raise InvalidInput(
                f"parent {others[above].name!r} is in {others[above].unit}, {mine.name!r} in"
                f" {mine.unit}: children sum to their parent, so the unit is the same"
            )
        seen.add(above)
        above = others[above].parent
