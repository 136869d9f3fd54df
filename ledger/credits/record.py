"""What is said of a reduction: its record, its verification, a reversal (§4.11). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.credits.ccus import (
    AVOIDED,
    MASS_G_MAX,
    PPM,
    REMOVAL,
    UNIT_G,
    Credited,
    Flows,
    Part,
)
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.units import QUARTER_HOUR_S, Period, format_instant, parse_instant

NAME: Final = "reduction"
VERIFICATION_NAME: Final = "verification"
REVERSAL_NAME: Final = "reversal"

CREDITED: Final = "credited"
AT_SOURCE: Final = "at-source"
CONFIRMED: Final = "confirmed"
REJECTED: Final = "rejected"

_FLOW: Final = {"role", "points", "g"}
_PART: Final = ("class", "carried_g", "g", "units", "left_g")


def _is_flow(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == _FLOW
        and isinstance(value["role"], str)
        and isinstance(value["points"], list)
        and all(map(e.ID.check, value["points"]))
        and value["points"] == sorted(set(value["points"]))
        and e.COUNT.check(value["g"])
    )


_MASS: Final = Member(
    expected=f"grams, 0 to {MASS_G_MAX}",
    check=lambda value: e.COUNT.check(value) and value <= MASS_G_MAX,
)


def _is_part(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(_PART)
        and value["class"] in (AVOIDED, REMOVAL)
        and all(e.COUNT.check(value[name]) for name in _PART[1:])
        and value["carried_g"] < UNIT_G
        and value["g"] <= MASS_G_MAX
    )


def _list_of(check: e.Check) -> e.Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


_RECORD: Final[Mapping[str, Member]] = {
    "from": e.INSTANT,
    "to": e.INSTANT,
    "as_of": e.COUNT,
    "treatment": e.one_of(CREDITED, AT_SOURCE),
    "flows": Member(
        expected="an array of {role, points (sorted ids, none twice), g}", check=_list_of(_is_flow)
    ),
    "tolerance_g": e.COUNT,
    "biogenic_ppm": Member(
        expected=f"millionths, 0 to {PPM}",
        check=lambda value: e.COUNT.check(value) and value <= PPM,
    ),
    "stored_g": e.COUNT,
    "emissions_g": e.COUNT,
    "net_g": e.COUNT,
}
_VERIFICATION: Final[Mapping[str, Member]] = {
    "verdict": e.one_of(CONFIRMED, REJECTED),
    "finding": e.REASON,
    "document": e.HASH_OR_NONE,
    "debit_g": _MASS,
    "buffer_g": _MASS,
    "parts": Member(
        expected=f"an array of {{{', '.join(_PART)}}}, avoided and removal, or none",
        check=_list_of(_is_part),
    ),
}
_REVERSAL: Final[Mapping[str, Member]] = {
    "g": Member(
        expected=f"an integer of grams above 0, {MASS_G_MAX} at most",
        check=lambda value: _MASS.check(value) and value > 0,
    ),
    "at": e.INSTANT,
    "reason": e.REASON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A monitoring period of a project. `points`: {role: points that metered it}, where any did.

    Raises InvalidInput for a period off the quarter-hours, or a point in two roles; InvalidInput or
    Refused where the balance does not close.
    """

    period: Period
    as_of: int
    treatment: str
    flows: Flows
    points: Mapping[str, tuple[bytes, ...]]
    tolerance_g: int
    biogenic_ppm: int

    def __post_init__(self) -> None:
        period = self.period
        if period.start_s < 0 or period.start_s % QUARTER_HOUR_S or period.end_s % QUARTER_HOUR_S:
            raise InvalidInput("a monitoring period is of whole quarter-hours, from 1970 on")
        if not self.as_of:
            raise InvalidInput("as_of is 0; the first size of a log is 1")
        roles: dict[bytes, str] = {}
        for role, points in self.points.items():
            for point in points:
                if point in roles:
                    raise InvalidInput(
                        f"point {point.hex()} is named for {roles[point]} and {role}: what one"
                        " meter shows is one flow"
                    )
                roles[point] = role
        self.flows.require_balanced(self.tolerance_g)

    def to_json(self) -> dict[str, Any]:
        return {
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "as_of": self.as_of,
            "treatment": self.treatment,
            "flows": [
                {
                    "role": role,
                    "points": [point.hex() for point in sorted(self.points.get(role, ()))],
                    "g": mass_g,
                }
                for role, mass_g in self.flows.by_role().items()
            ],
            "tolerance_g": self.tolerance_g,
            "biogenic_ppm": self.biogenic_ppm,
            "stored_g": self.flows.stored_g,
            "emissions_g": self.flows.emissions_g,
            "net_g": self.flows.net_g,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Record:
        """As `Record`; InvalidInput too for wrong members, or figures that do not follow."""
        e.check_members(value, _RECORD)
        found = cls(
            period=Period(start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])),
            as_of=value["as_of"],
            treatment=value["treatment"],
            flows=Flows.of_roles({flow["role"]: flow["g"] for flow in value["flows"]}),
            points={
                flow["role"]: tuple(bytes.fromhex(point) for point in flow["points"])
                for flow in value["flows"]
                if flow["points"]
            },
            tolerance_g=value["tolerance_g"],
            biogenic_ppm=value["biogenic_ppm"],
        )
        _require_same(found.to_json(), value, "record")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What another party found. `credited`: what the record is worth; None where nothing is issued
    for it."""

    verdict: str
    finding: str
    document: str
    credited: Credited | None

    def to_json(self) -> dict[str, Any]:
        credited = self.credited
        return {
            "verdict": self.verdict,
            "finding": self.finding,
            "document": self.document,
            "debit_g": credited.debit_g if credited else 0,
            "buffer_g": credited.buffer_g if credited else 0,
            "parts": [
                {
                    "class": class_,
                    "carried_g": part.carried_g,
                    "g": part.g,
                    "units": part.units,
                    "left_g": part.left_g,
                }
                for class_, part in (credited.parts if credited else {}).items()
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verification:
        """Raises InvalidInput for wrong members, or figures that do not follow."""
        e.check_members(value, _VERIFICATION)
        parts = {
            part["class"]: Part(carried_g=part["carried_g"], g=part["g"]) for part in value["parts"]
        }
        credited = None
        if parts:
            if set(parts) != {AVOIDED, REMOVAL}:
                raise InvalidInput("parts are avoided and removal, or none")
            if value["verdict"] == REJECTED:
                raise InvalidInput("what is rejected has no parts: nothing is credited")
            credited = Credited(
                debit_g=value["debit_g"],
                buffer_g=value["buffer_g"],
                avoided=parts[AVOIDED],
                removal=parts[REMOVAL],
            )
        found = cls(
            verdict=value["verdict"],
            finding=value["finding"],
            document=value["document"],
            credited=credited,
        )
        _require_same(found.to_json(), value, "verification")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """CO2 that a project's records have in storage, and that escaped at `at_s`."""

    g: int
    at_s: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"g": self.g, "at": format_instant(self.at_s), "reason": self.reason}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reversal:
        """Raises InvalidInput for wrong members."""
        e.check_members(value, _REVERSAL)
        return cls(g=value["g"], at_s=parse_instant(value["at"]), reason=value["reason"])


def _require_same(wanted: Mapping[str, Any], found: Mapping[str, Any], what: str) -> None:
    for name, value in wanted.items():
        if found[name] != value:
            raise InvalidInput(f"{what}: {name} is {found[name]!r}; what follows is {value!r}")
