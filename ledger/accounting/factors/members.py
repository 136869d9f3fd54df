"""What the members of a set of factors may be. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ledger.accounting.factors import regions, units
from ledger.log import entry as e
from ledger.log.entry import Member

OFFICIAL: Final = "official"
SECONDARY: Final = "secondary"
UNVERIFIED: Final = "unverified"
STATUSES: Final = (OFFICIAL, SECONDARY, UNVERIFIED)
CO2E: Final = "CO2e"
UNSTATED: Final = "unstated"
# Lengths of the intervals of a series, as readings have them.
INTERVALS_S: Final = (900, 1800, 3600)
FACTORS_MAX: Final = 5_000
SERIES_MAX: Final = 50
VALUES_MAX: Final = 400_000
DECIMALS_MAX: Final = 9

_GAS: Final = re.compile(r"[A-Z][A-Za-z0-9-]{0,19}")
_DECIMAL: Final = re.compile(r"(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?", re.ASCII)


def _text(pattern: str) -> e.Check:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def is_decimal(value: Any) -> bool:
    return isinstance(value, str) and _DECIMAL.fullmatch(value) is not None


def _is_gases(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 20
        and all(isinstance(one, str) and (one == UNSTATED or _GAS.fullmatch(one)) for one in value)
        and len(set(value)) == len(value)
    )


SLUG: Final = Member(
    expected="1–64 characters of a-z 0-9 -, beginning with a letter or digit",
    check=_text(r"[a-z0-9][a-z0-9-]{0,63}"),
)
REGION: Final = Member(expected='a region ("", CN, CN-south, 44, 440100)', check=regions.is_region)
YEAR: Final = Member(
    expected="a year 1990 to 2100, or 0 for a factor that has none",
    check=lambda value: e.COUNT.check(value) and (value == 0 or 1990 <= value <= 2100),
)
GAS: Final = Member(expected="a gas (CO2, CH4, HFC-134a), or CO2e", check=_text(_GAS.pattern))
UNIT: Final = Member(
    expected="a unit such as kg/kWh, t/GJ, kgce/kWh, kg/(t km)",
    check=lambda value: isinstance(value, str) and units.is_unit(value),
)
DECIMAL: Final = Member(expected='a decimal in text, such as "0.5306"', check=is_decimal)
STATUS: Final = e.one_of(*STATUSES)
_STANDARD: Final = Member(expected="up to 200 characters", check=_text(r"[^\x00-\x1f\x7f]{0,200}"))
_COMMON: Final[Mapping[str, Member]] = {
    "item": SLUG,
    "region": REGION,
    "unit": UNIT,
    "gas": Member(
        expected='a gas (CO2, CH4, HFC-134a), CO2e, or "" where none is emitted',
        check=lambda value: value == "" or (isinstance(value, str) and bool(_GAS.fullmatch(value))),
    ),
    "covers": Member(expected="an array of gases, none twice", check=_is_gases),
    "standard": _STANDARD,
    "source": e.REASON,
    "status": STATUS,
}
FACTOR: Final[Mapping[str, Member]] = {
    **_COMMON,
    "year": YEAR,
    "value": DECIMAL,
    "from": e.INSTANT_OR_NONE,
    "to": e.INSTANT_OR_NONE,
    "parts": Member(
        expected="an object of decimals in text, such as {ncv, carbon, oxidation}",
        check=lambda value: (
            isinstance(value, dict)
            and len(value) <= 20
            and all(SLUG.check(name) and is_decimal(one) for name, one in value.items())
        ),
    ),
}
SERIES: Final[Mapping[str, Member]] = {
    **_COMMON,
    "start": e.INSTANT,
    "interval_s": Member(expected="900, 1800 or 3600", check=lambda value: value in INTERVALS_S),
    "decimals": Member(
        expected=f"0 to {DECIMALS_MAX}",
        check=lambda value: e.COUNT.check(value) and value <= DECIMALS_MAX,
    ),
    "values": Member(
        expected=f"an array of 1 to {VALUES_MAX} integers that are not negative",
        # What the whole array holds is checked at once, when it has become one.
        check=lambda value: isinstance(value, list) and 0 < len(value) <= VALUES_MAX,
    ),
}
TITLE: Final[Mapping[str, Member]] = {"zh": e.NAME, "en": e.NAME}
SET: Final[Mapping[str, Member]] = {
    "title": Member(expected="an object {zh, en}", check=lambda value: isinstance(value, dict)),
    "source": e.REASON,
    "status": STATUS,
    "factors": Member(
        expected=f"an array of at most {FACTORS_MAX}",
        check=lambda value: isinstance(value, list) and len(value) <= FACTORS_MAX,
    ),
    "series": Member(
        expected=f"an array of at most {SERIES_MAX}",
        check=lambda value: isinstance(value, list) and len(value) <= SERIES_MAX,
    ),
}
