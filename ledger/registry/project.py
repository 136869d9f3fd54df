"""Projects: what units are issued for (docs/formats.md §4.10). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.registry.scheme import TECHNOLOGY
from ledger.units import Period, format_instant, parse_instant

NAME: Final = "project"
ANNOUNCED: Final = "announced"
VALIDATED: Final = "validated"
REGISTERED: Final = "registered"
FROZEN: Final = "frozen"
REVOKED: Final = "revoked"
STATES: Final = (ANNOUNCED, VALIDATED, REGISTERED, FROZEN, REVOKED)
# What a state may become; each may stay as it is.
NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    ANNOUNCED: (VALIDATED, REVOKED),
    VALIDATED: (REGISTERED, REVOKED),
    REGISTERED: (FROZEN, REVOKED),
    FROZEN: (REGISTERED, REVOKED),
    REVOKED: (),
}
_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


def _matches(pattern: re.Pattern[str]) -> e.Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


_FLAG: Final = Member(expected="0 or 1", check=lambda value: e.COUNT.check(value) and value <= 1)
_MEMBERS: Final[Mapping[str, Member]] = {
    "name": e.NAME,
    "owner": e.PARTY,
    "plant": Member(expected="1–64 characters of a-z 0-9 -", check=_matches(_SLUG)),
    "technology": TECHNOLOGY,
    "points": e.sorted_ids("point ids"),
    "state": e.one_of(*STATES),
    "from": e.INSTANT_OR_NONE,
    "to": e.INSTANT_OR_NONE,
    "inside_ets": _FLAG,
    "generation": _FLAG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """`points`: of the plant, metered here. `crediting`: its period, or None. `inside_ets`: its
    reductions are within emissions that somebody surrenders for. `old`: of an old generation."""

    name: str
    owner: str
    plant: str
    technology: str
    points: tuple[bytes, ...] = ()
    state: str = REGISTERED
    crediting: Period | None = None
    inside_ets: bool = False
    old: bool = False

    def to_json(self) -> dict[str, Any]:
        period = self.crediting
        return {
            "name": self.name,
            "owner": self.owner,
            "plant": self.plant,
            "technology": self.technology,
            "points": [point.hex() for point in self.points],
            "state": self.state,
            "from": format_instant(period.start_s) if period else "",
            "to": format_instant(period.end_s) if period else "",
            "inside_ets": int(self.inside_ets),
            "generation": int(self.old),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Project:
        """Raises InvalidInput for missing, unknown or wrong members."""
        e.check_members(value, _MEMBERS)
        if bool(value["from"]) != bool(value["to"]):
            raise InvalidInput("a crediting period has a beginning and an end, or there is none")
        crediting = None
        if value["from"]:
            crediting = Period(
                start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])
            )
        return cls(
            name=value["name"],
            owner=value["owner"],
            plant=value["plant"],
            technology=value["technology"],
            points=tuple(bytes.fromhex(point) for point in value["points"]),
            state=value["state"],
            crediting=crediting,
            inside_ets=bool(value["inside_ets"]),
            old=bool(value["generation"]),
        )


def require_next(project: str, before: str, after: str) -> None:
    """Raises Refused where a project's state can't go on so."""
    if after != before and after not in NEXT[before]:
        allowed = ", ".join(NEXT[before]) or "nothing: that is the end"
        raise Refused(f"project {project} is {before}; it can't become {after}, but {allowed}")
