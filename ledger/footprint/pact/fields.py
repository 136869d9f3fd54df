"""Kinds of text in a PACT document: decimals, times, names. Pure.

Source: WBCSD PACT technical specification 3.0.3, schema of the data model. Where its patterns let
through what its words forbid (they are not anchored on both sides), the words hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field

# Of one number: nothing that is measured has more, and arithmetic with more takes its time.
DIGITS_MAX: Final = 60
_DECIMAL: Final = re.compile(rf"[+-]?[0-9]{{1,{DIGITS_MAX}}}(\.[0-9]{{1,{DIGITS_MAX}}})?", re.ASCII)
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_URN: Final = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}:[^\s]+", re.ASCII | re.IGNORECASE)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+", re.ASCII)
_SPEC_VERSION: Final = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9]{8})?", re.ASCII)
_REPORT: Final = re.compile(r"AR[0-9]+", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_SUBDIVISION: Final = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}", re.ASCII)

DeclaredUnit = Literal[
    "liter",
    "kilogram",
    "cubic meter",
    "kilowatt hour",
    "megajoule",
    "ton kilometer",
    "square meter",
    "piece",
    "hour",
    "megabit second",
]
# Of these a mass says nothing (PACT Methodology 3.2.4).
MASSLESS: Final = frozenset(
    {"kilowatt hour", "megajoule", "ton kilometer", "hour", "megabit second"}
)
# UN M49 regions and subregions.
Region = Literal[
    "Africa",
    "Americas",
    "Asia",
    "Europe",
    "Oceania",
    "Australia and New Zealand",
    "Central Asia",
    "Eastern Asia",
    "Eastern Europe",
    "Latin America and the Caribbean",
    "Melanesia",
    "Micronesia",
    "Northern Africa",
    "Northern America",
    "Northern Europe",
    "Polynesia",
    "South-eastern Asia",
    "Southern Asia",
    "Southern Europe",
    "Sub-Saharan Africa",
    "Western Asia",
    "Western Europe",
]


def amount(text: str) -> Decimal:
    """A decimal of a document, exactly; what the models have let through."""
    return Decimal(text)


def instant(text: str) -> datetime:
    """A time of a document, in UTC. Raises ValueError for what is none."""
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _refuse(said: str) -> ValueError:
    # What was sent is not part of it.
    return ValueError(said)


def _matching(pattern: re.Pattern[str], said: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise _refuse(said)
        return text

    return AfterValidator(check)


def _decimal(holds: Callable[[Decimal], bool], said: str) -> AfterValidator:
    def check(text: str) -> str:
        if not _DECIMAL.fullmatch(text) or not holds(amount(text)):
            raise _refuse(said)
        return text

    return AfterValidator(check)


def _check_instant(text: str) -> str:
    try:
        instant(text)
    except (ValueError, OverflowError):
        raise _refuse("is no time such as 2026-01-31T00:00:00Z (RFC 3339)") from None
    return text


Item = TypeVar("Item")


def unique(items: Sequence[Item]) -> Sequence[Item]:
    """For sets, which JSON writes as arrays."""
    seen: set[str] = set()
    for item in items:
        key = item if isinstance(item, str) else repr(item)
        if key in seen:
            raise _refuse("has an element twice")
        seen.add(key)
    return items


Unique: Final = AfterValidator(unique)
NonEmpty = Annotated[str, Field(min_length=1)]
Number = Annotated[str, _decimal(lambda _: True, 'is no decimal in a text, such as "-12.5"')]
Positive = Annotated[str, _decimal(lambda x: x > 0, "is no decimal above 0 in a text")]
NotNegative = Annotated[str, _decimal(lambda x: x >= 0, "is no decimal of 0 or above in a text")]
NotPositive = Annotated[str, _decimal(lambda x: x <= 0, "is no decimal of 0 or below in a text")]
Instant = Annotated[str, AfterValidator(_check_instant)]
Uuid = Annotated[str, _matching(_UUID, "is no UUID")]
Urn = Annotated[str, _matching(_URN, "is no URN such as urn:gtin:4712345060507 (RFC 8141)")]
Uri = Annotated[str, _matching(_URI, "is no absolute URI")]
SpecVersion = Annotated[str, _matching(_SPEC_VERSION, "is no version such as 3.0.0")]
Report = Annotated[str, _matching(_REPORT, "names no IPCC report, such as AR6")]
Country = Annotated[str, _matching(_COUNTRY, "is no country of two capitals (ISO 3166-1)")]
Subdivision = Annotated[
    str, _matching(_SUBDIVISION, "is no subdivision such as CN-GD (ISO 3166-2)")
]
