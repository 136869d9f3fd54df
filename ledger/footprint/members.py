"""What the members of a product's record may be (docs/footprints.md). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.factors import members as factors
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.lots.model import is_period

RAW_MATERIAL: Final = "raw-material"
PRODUCTION: Final = "production"
DISTRIBUTION: Final = "distribution"
USE: Final = "use"
END_OF_LIFE: Final = "end-of-life"
# GB/T 24067-2024 (ISO 14067): the stages of a life cycle, in its order.
STAGES: Final[Mapping[str, Mapping[str, str]]] = {
    RAW_MATERIAL: {"zh": "原材料获取", "en": "Raw-material acquisition"},
    PRODUCTION: {"zh": "生产", "en": "Production"},
    DISTRIBUTION: {"zh": "分销", "en": "Distribution"},
    USE: {"zh": "使用", "en": "Use"},
    END_OF_LIFE: {"zh": "生命末期", "en": "End of life"},
}
TO_GATE: Final = "cradle-to-gate"
TO_GRAVE: Final = "cradle-to-grave"
BOUNDARIES: Final[Mapping[str, tuple[str, ...]]] = {
    TO_GATE: (RAW_MATERIAL, PRODUCTION),
    TO_GRAVE: tuple(STAGES),
}

FOSSIL: Final = "fossil"
BIOGENIC: Final = "biogenic"
UPTAKE: Final = "uptake"
LAND_USE: Final = "land-use-change"
AIRCRAFT: Final = "aircraft"
# ISO 14067 wants each of them apart; what aircraft emit is fossil too.
CATEGORIES: Final[Mapping[str, Mapping[str, str]]] = {
    FOSSIL: {"zh": "化石源", "en": "Fossil"},
    AIRCRAFT: {"zh": "航空", "en": "Aircraft (fossil)"},
    BIOGENIC: {"zh": "生物源排放", "en": "Biogenic emissions"},
    UPTAKE: {"zh": "生物源吸收", "en": "Biogenic uptake"},
    LAND_USE: {"zh": "直接土地利用变化", "en": "Direct land-use change"},
}
PRIMARY: Final = "primary"
SECONDARY: Final = "secondary"
METHODS: Final[Mapping[str, Mapping[str, str]]] = {
    "mass": {"zh": "质量分配", "en": "by mass"},
    "economic": {"zh": "经济价值分配", "en": "by economic value"},
    "energy": {"zh": "能量分配", "en": "by energy"},
}
# PACT's declared units, and how quantities of them are written here.
DECLARED_UNITS: Final[Mapping[str, str]] = {
    "liter": "l",
    "kilogram": "kg",
    "cubic meter": "m3",
    "kilowatt hour": "kWh",
    "megajoule": "MJ",
    "ton kilometer": "t km",
    "square meter": "m2",
    "piece": "piece",
    "hour": "h",
    # A number of megabit seconds: a unit of no other quantity.
    "megabit second": "1",
}
# The item of an activity that is the producer's own electricity: claims and the residual supply it.
ELECTRICITY: Final = "electricity"
PPM: Final = 1_000_000

_URN: Final = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}:[!-~]{1,200}", re.ASCII | re.IGNORECASE)
_PLACE: Final = re.compile(r"(?:[A-Z]{2}(?:-[A-Z0-9]{1,3})?)?", re.ASCII)


def _text(pattern: re.Pattern[str]) -> e.Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _list_of(check: e.Check, least: int, most: int) -> e.Check:
    return lambda value: (
        isinstance(value, list)
        and least <= len(value) <= most
        and all(map(check, value))
        and len({repr(one) for one in value}) == len(value)
    )


def _or_none(check: e.Check) -> e.Check:
    return lambda value: value == "" or check(value)


def one_of(values: Mapping[str, Any]) -> Member:
    return e.one_of(*values)


SLUG: Final = factors.SLUG
UNIT: Final = factors.UNIT
REGION: Final = factors.REGION
DECIMAL: Final = factors.DECIMAL
TITLE: Final = factors.TITLE
SLUG_OR_NONE: Final = Member(expected='a name, or ""', check=_or_none(SLUG.check))
DECIMAL_OR_NONE: Final = Member(expected='a decimal in text, or ""', check=_or_none(DECIMAL.check))
ABOVE_0: Final = Member(
    expected='a decimal above 0 in text, such as "12.5"',
    check=lambda value: DECIMAL.check(value) and Fraction(value) > 0,
)
PERIOD: Final = Member(expected="a month 2026-03 or a year 2026", check=is_period)
PERIOD_OR_NONE: Final = Member(
    expected='a month 2026-03, a year 2026, or ""', check=_or_none(is_period)
)
GAS_OR_NONE: Final = Member(expected='a gas (CO2, CH4), or ""', check=_or_none(factors.GAS.check))
PLACE: Final = Member(
    expected='"" (the world), a country (CN) or a subdivision (CN-GD)', check=_text(_PLACE)
)
URNS: Final = Member(
    expected="an array of URNs such as urn:gtin:4712345060507, at least one, none twice",
    check=_list_of(_text(_URN), 1, 50),
)
URNS_OR_NONE: Final = Member(
    expected="an array of URNs, none twice", check=_list_of(_text(_URN), 0, 50)
)
NAMES: Final = Member(
    expected="an array of names, at least one, none twice", check=_list_of(e.NAME.check, 1, 20)
)
PARTS_PPM: Final = Member(
    expected="millionths, 0 to 1000000",
    check=lambda value: e.COUNT.check(value) and value <= PPM,
)
LONG: Final = Member(
    expected="up to 4,000 characters",
    check=lambda value: isinstance(value, str) and len(value) <= 4000,
)
RATING: Final = Member(
    expected="1 (best) to 5", check=lambda value: e.COUNT.check(value) and 1 <= value <= 5
)
OBJECT: Final = Member(expected="an object", check=lambda value: isinstance(value, dict))


def objects(most: int) -> Member:
    return Member(
        expected=f"an array of objects, at most {most}",
        check=lambda value: (
            isinstance(value, list)
            and len(value) <= most
            and all(isinstance(one, dict) for one in value)
        ),
    )


@contextmanager
def at(place: str) -> Iterator[None]:
    """What is raised inside as InvalidInput names the place."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from error


def check_each(what: str, found: Iterable[Mapping[str, Any]], known: Mapping[str, Member]) -> None:
    """Raises InvalidInput with the place of an object that has not these members."""
    for place, one in enumerate(found):
        with at(f"{what}[{place}]"):
            e.check_members(one, known)


def require_once(what: str, names: list[str]) -> None:
    """Raises InvalidInput for a name that stands twice."""
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"{what} {name!r} stands twice")
