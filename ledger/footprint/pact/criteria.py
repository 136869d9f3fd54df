"""Which footprints a partner asks for: the same criteria in a query and in an event. Pure.

Values of one criterion are alternatives, criteria hold together; what is given empty asks nothing.
Source: WBCSD PACT technical specification 3.0.3, "Filtering".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.footprint.pact.model import ProductFootprint
from ledger.footprint.pact.rules import validity

_TEXTS: Final = ("productId", "companyId", "geography", "classification", "status")
_TIMES: Final = ("validOn", "validAfter", "validBefore")
NAMES: Final = (*_TEXTS, *_TIMES)
# A parameter's name is read as the specification's own example writes it: in any case.
_KNOWN: Final = {name.lower(): name for name in NAMES}
VALUES_MAX: Final = 100
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d))?", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """`texts`: {criterion: what may stand there, in lower case}; `times`: moments in UTC."""

    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)

    def match(self, footprint: ProductFootprint) -> bool:
        there: dict[str, list[str]] = {
            "productId": footprint.product_ids,
            "companyId": footprint.company_ids,
            "geography": _places(footprint),
            "classification": footprint.product_classifications or [],
            "status": [footprint.status],
        }
        for name, wanted in self.texts.items():
            if wanted.isdisjoint(one.lower() for one in there[name]):
                return False
        start, end = validity(footprint)
        on, after, before = (self.times.get(name) for name in _TIMES)
        return (
            (on is None or start <= on <= end)
            and (after is None or start > after)
            and (before is None or end < before)
        )


def _places(footprint: ProductFootprint) -> list[str]:
    pcf = footprint.pcf
    said = (
        pcf.geography_country_subdivision,
        pcf.geography_country,
        pcf.geography_region_or_subregion,
    )
    return [one for one in said if one]


def of_query(pairs: Iterable[tuple[str, str]]) -> Criteria:
    """From a query's parameters. Raises InvalidInput for a name that is no criterion, too: to
    answer with more than was asked for would be worse."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        known = _KNOWN.get(name.lower())
        if known is None:
            raise InvalidInput(
                f"{name[:40]!r} is no criterion; there are limit, {', '.join(NAMES)}"
            )
        if value:
            found.setdefault(known, []).append(value)
    return _criteria(found)


def of_event(data: Mapping[str, Any]) -> Criteria:
    """From the data of a RequestCreatedEvent that was checked; a comment is for people."""
    given = {name: data.get(name) for name in NAMES}
    return _criteria(
        {
            name: value if isinstance(value, list) else [str(value)]
            for name, value in given.items()
            if value
        }
    )


def _criteria(found: Mapping[str, list[str]]) -> Criteria:
    if any(len(values) > VALUES_MAX for values in found.values()):
        raise InvalidInput(f"a criterion has at most {VALUES_MAX} values")
    for name in _TIMES:
        if len(found.get(name, [])) > 1:
            raise InvalidInput(f"{name} is given once")
    return Criteria(
        texts={name: frozenset(map(str.lower, found[name])) for name in _TEXTS if name in found},
        times={name: _moment(name, found[name][0]) for name in _TIMES if name in found},
    )


def _moment(name: str, text: str) -> datetime:
    # A plus that was not escaped is a blank in a query.
    written = text.replace(" ", "+").upper()
    with suppress(ValueError, OverflowError):
        if _TIME.fullmatch(written):
            found = datetime.fromisoformat(written)
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    raise InvalidInput(f"{name} is no time such as 2026-01-31T00:00:00Z")
