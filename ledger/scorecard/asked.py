"""What a scorecard is asked of: `about` of a report of kind `scorecard`, which is the park's. Pure.

standard        name of a record of register `standard`
subject         "park"
period          "2026" or "2026-03", of park time
regimes         {"share": …, "emissions": …}: by which regimes these figures are computed
region          GB/T 2260 digits of the park, for factors, where its points do not say it
direct_region   prefix of the regions whose plants count as direct; "": the park's province
sets, substitutions, standards      as a balance has them (accounting.computing)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.accounting.factors.members import SLUG
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.lots.model import is_period

SHARE: Final = "share"
EMISSIONS: Final = "emissions"
REGIMES: Final[Mapping[str, str]] = {SHARE: "guideline-renewable", EMISSIONS: "ndrc-910"}
_DIGITS: Final = Member(
    expected="0 to 6 digits of an administrative code, such as 44",
    check=lambda value: (
        isinstance(value, str) and re.fullmatch(r"(?:[0-9]{2}){0,3}", value, re.ASCII) is not None
    ),
)
_ARRAY: Final = Member(expected="an array", check=lambda value: isinstance(value, list))
_MEMBERS: Final[Mapping[str, Member]] = {
    "standard": SLUG,
    "period": Member(expected="a month 2026-03 or a year 2026", check=is_period),
    "regimes": Member(
        expected=f"an object of {', '.join(REGIMES)}",
        check=lambda value: (
            isinstance(value, dict)
            and set(value) <= set(REGIMES)
            and all(map(SLUG.check, value.values()))
        ),
    ),
    "region": _DIGITS,
    "direct_region": _DIGITS,
    "sets": _ARRAY,
    "substitutions": _ARRAY,
    "standards": Member(expected="an object", check=lambda value: isinstance(value, dict)),
}
_DEFAULTS: Final[Mapping[str, Any]] = {
    "regimes": {},
    "region": "",
    "direct_region": "",
    "sets": [],
    "substitutions": [],
    "standards": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`about`, read. `regimes`: {share, emissions: name}."""

    standard: str
    period: str
    regimes: Mapping[str, str] = field(default_factory=lambda: dict(REGIMES))
    region: str = ""
    direct_region: str = ""
    sets: tuple[str, ...] = ()
    substitutions: tuple[Mapping[str, Any], ...] = ()
    standards: Mapping[str, str] = field(default_factory=dict)

    @property
    def share_regime(self) -> str:
        return self.regimes[SHARE]

    @property
    def emissions_regime(self) -> str:
        return self.regimes[EMISSIONS]

    def balance_about(self) -> dict[str, Any]:
        """The park's balance that emissions are taken from."""
        return {
            "period": self.period,
            "regimes": [self.emissions_regime],
            "sets": list(self.sets),
            "substitutions": [dict(one) for one in self.substitutions],
            "standards": dict(self.standards),
            "region": self.region,
            "direct_region": self.direct_region,
        }

    def to_json(self) -> dict[str, Any]:
        return {
            **self.balance_about(),
            "standard": self.standard,
            "regimes": dict(self.regimes),
        }

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Asked:
        """Raises InvalidInput."""
        value = {**_DEFAULTS, **about}
        e.check_members(value, _MEMBERS)
        for one in value["substitutions"]:
            if not isinstance(one, dict):
                raise InvalidInput("a substitution is an object")
        return cls(
            standard=value["standard"],
            period=value["period"],
            regimes={**REGIMES, **value["regimes"]},
            region=value["region"],
            direct_region=value["direct_region"],
            sets=tuple(value["sets"]),
            substitutions=tuple(value["substitutions"]),
            standards=value["standards"],
        )
