"""Units as factors and activity data write them, and exact conversion between them. Pure.

A unit is a simple one (`MWh`, `t`, `10^4 Nm3`), a product (`t km`) or a quotient (`kg/kWh`). Units
of one dimension convert; a unit of another dimension is refused by name. Gas at standard
conditions (`Nm3`) is no volume (`m3`), and coal equivalent (`kgce`) is no energy: what stands
between them is a factor with a source, not a conversion.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from ledger.errors import InvalidInput

Exact = int | Fraction | Decimal

_TEN_THOUSAND: Final = 10_000
# {dimension: {unit: how many of the dimension's first unit it is}}
_DIMENSIONS: Final[Mapping[str, Mapping[str, Fraction | int]]] = {
    "energy": {
        "J": 1,
        "kJ": 10**3,
        "MJ": 10**6,
        "GJ": 10**9,
        "TJ": 10**12,
        "Wh": 3600,
        "kWh": 3600 * 10**3,
        "MWh": 3600 * 10**6,
        "GWh": 3600 * 10**9,
        "10^4 kWh": 3600 * 10**7,
        "10^8 kWh": 3600 * 10**11,
    },
    "mass": {
        "g": 1,
        "mg": Fraction(1, 1000),
        "kg": 10**3,
        "t": 10**6,
        "10^4 t": 10**10,
    },
    "volume": {"ml": 1, "l": 10**3, "m3": 10**6, "10^4 m3": 10**10},
    "gas volume at standard conditions": {"Nm3": 1, "10^4 Nm3": _TEN_THOUSAND},
    "coal equivalent": {
        "gce": 1,
        "kgce": 10**3,
        "tce": 10**6,
        "10^4 tce": 10**10,
    },
    "mass of carbon": {"gC": 1, "kgC": 10**3, "tC": 10**6},
    "distance": {"m": 1, "km": 10**3},
    "time": {"s": 1, "h": 3600, "d": 86_400},
    "area": {"m2": 1, "ha": 10_000, "km2": 10**6},
    "number": {"1": 1, "%": Fraction(1, 100)},
    "pieces": {"piece": 1},
    "persons": {"person": 1},
    "money": {"CNY": 1, "10^4 CNY": _TEN_THOUSAND},
}
_SIMPLE: Final[Mapping[str, tuple[str, Fraction]]] = {
    unit: (dimension, Fraction(size))
    for dimension, units in _DIMENSIONS.items()
    for unit, size in units.items()
}
# As people write them.
_SPELLINGS: Final = (
    (re.compile("³"), "3"),
    (re.compile("²"), "2"),
    (re.compile("万|10⁴|1e4 ?"), "10^4 "),
    (re.compile("亿|10⁸"), "10^8 "),
    (re.compile(r"[·*⋅]"), " "),
    (re.compile(r"kW h"), "kWh"),
    (re.compile(r"MW h"), "MWh"),
    (re.compile(r"\btkm\b"), "t km"),
    (re.compile(r"\bL\b"), "l"),
    (re.compile(r"\s+"), " "),
)
_GAS_IN_UNIT: Final = re.compile(r"(k?g|t)(CO2e?|CH4|N2O)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A written unit: its dimensions with their exponents, and its size in their first units."""

    name: str
    dimensions: tuple[tuple[str, int], ...]
    size: Fraction

    @property
    def said(self) -> str:
        """`energy`, `mass per energy`: for messages."""
        above = [name for name, power in self.dimensions for _ in range(power)]
        below = [name for name, power in self.dimensions for _ in range(-power)]
        return f"{' × '.join(above) or 'number'}{' per ' * bool(below)}{' × '.join(below)}"


def normal(unit: str) -> str:
    """A unit as this program writes it: `万Nm³` is `10^4 Nm3`, `t·km` is `t km`."""
    for pattern, written in _SPELLINGS:
        unit = pattern.sub(written, unit)
    return re.sub(r" ?/ ?", "/", unit).strip()


# A bill of activities writes few units, again and again.
@functools.lru_cache(maxsize=4096)
def parse(unit: str) -> Unit:
    """Raises InvalidInput for what is no unit, by its name."""
    name = normal(unit)
    if len(name) > 40:
        raise InvalidInput(f"unit {name[:40]!r}… is longer than 40 characters")
    above, *below = name.split("/")
    if len(below) > 1:
        raise InvalidInput(f"unit {unit!r} has more than one '/'; write kg/(t km)")
    powers: dict[str, int] = {}
    size = _collect(unit, above, 1, powers)
    if below:
        size /= _collect(unit, below[0].removeprefix("(").removesuffix(")"), -1, powers)
    found = tuple(sorted((each, power) for each, power in powers.items() if power))
    return Unit(name, found, size)


def _collect(unit: str, part: str, power: int, powers: dict[str, int]) -> Fraction:
    """The size of a product of simple units; `powers` gets their dimensions."""
    size = Fraction(1)
    for one in re.findall(r"10\^\d [^ ]+|[^ ]+", part) or [""]:
        if one not in _SIMPLE:
            raise InvalidInput(_unknown(unit, one))
        dimension, each = _SIMPLE[one]
        size *= each
        if dimension != "number":
            powers[dimension] = powers.get(dimension, 0) + power
    return size


def _unknown(unit: str, part: str) -> str:
    gas = _GAS_IN_UNIT.fullmatch(part)
    if gas:
        return (
            f"unit {unit!r}: the gas is no part of a unit: write {gas[1]!r}, and {gas[2]!r} as the"
            " factor's gas"
        )
    return f"unit {unit!r}: {part!r} is no unit that this program knows; known are {known()}"


def known() -> str:
    return ", ".join(sorted(_SIMPLE))


def is_unit(unit: str) -> bool:
    """Whether it is one, in this program's own spelling."""
    try:
        return parse(unit).name == unit
    except InvalidInput:
        return False


def ratio(unit: str, to: str) -> Fraction:
    """How many `to` one `unit` is. Raises InvalidInput where they do not convert."""
    first, second = parse(unit), parse(to)
    if first.dimensions != second.dimensions:
        raise InvalidInput(
            f"unit {unit!r} ({first.said}) does not convert to {to!r} ({second.said})"
            f"{_hint({first.dimensions, second.dimensions})}"
        )
    return first.size / second.size


def _hint(dimensions: set[tuple[tuple[str, int], ...]]) -> str:
    names = {name for each in dimensions for name, _ in each}
    if {"volume", "gas volume at standard conditions"} <= names:
        return "; a gas is measured at standard conditions (Nm3), or converted by its own state"
    if "coal equivalent" in names:
        return "; coal equivalent comes from a factor, such as tce-electricity-calorific"
    if {"mass", "volume"} <= names:
        return "; that takes a density, which is a factor of its own"
    return ""


def convert(quantity: Exact, unit: str, to: str) -> Fraction:
    """A quantity in another unit, exactly. Raises InvalidInput, naming both."""
    return Fraction(quantity) * ratio(unit, to)
