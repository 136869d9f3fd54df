"""What a claim says in words and sums (docs/formats.md §4.7). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.units import QUARTER_HOUR_S, Period, format_instant, parse_instant

NAME: Final = "claim"


def _is_points(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(map(e.ID.check, value))
        and value == sorted(set(value))
    )


def _is_by_class(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(
            isinstance(one, dict)
            and set(one) == {"class", "wh"}
            and all(map(e.COUNT.check, one.values()))
            and 1 <= one["class"] <= 5
            and one["wh"] > 0
            for one in value
        )
        and [one["class"] for one in value] == sorted({one["class"] for one in value})
    )


def _are_objects(members: Mapping[str, Member]) -> e.Check:
    """By `retirement`, none twice."""

    def check(value: Any) -> bool:
        return (
            isinstance(value, list)
            and all(
                isinstance(one, dict)
                and set(one) == set(members)
                and all(member.check(one[name]) for name, member in members.items())
                for one in value
            )
            and [one["retirement"] for one in value] == sorted({one["retirement"] for one in value})
        )

    return check


_ABOVE_0: Final = Member(
    expected="an integer above 0", check=lambda value: e.COUNT.check(value) and value > 0
)
_CERTIFICATE: Final[Mapping[str, Member]] = {
    "retirement": e.ID,
    "scheme": e.PARTY,
    "class": e.PARTY,
    "from": e.INSTANT,
    "to": e.INSTANT,
    "units": _ABOVE_0,
    "wh": e.COUNT,
}
_CREDIT: Final[Mapping[str, Member]] = {
    "retirement": e.ID,
    "scheme": e.PARTY,
    "units": _ABOVE_0,
    "unit_size": _ABOVE_0,
}
_MEMBERS: Final[Mapping[str, Member]] = {
    "consumer": e.PARTY,
    "points": Member(expected="a sorted array of point ids, none twice", check=_is_points),
    "from": e.INSTANT,
    "to": e.INSTANT,
    "as_of": e.COUNT,
    "claimed_wh": e.COUNT,
    "by_class": Member(expected="an array of {class, wh}, by class", check=_is_by_class),
    "certificates": Member(
        expected=f"an array of {{{', '.join(_CERTIFICATE)}}}, by retirement",
        check=_are_objects(_CERTIFICATE),
    ),
    "certificate_wh": e.COUNT,
    "credits": Member(
        expected=f"an array of {{{', '.join(_CREDIT)}}}, by retirement",
        check=_are_objects(_CREDIT),
    ),
    "consumption_wh": e.COUNT,
    "estimated_wh": e.COUNT,
    "residual_wh": e.COUNT,
    "reason": e.REASON_OR_NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Certificates:
    """A retirement of certificates in a claim: `wh` of what its points consumed in `period`.

    Bound certificates, which are one energy with lots of the claim, have 0 Wh of their own.
    """

    retirement: bytes
    scheme: str
    class_: str
    period: Period
    units: int
    wh: int

    def to_json(self) -> dict[str, Any]:
        return {
            "retirement": self.retirement.hex(),
            "scheme": self.scheme,
            "class": self.class_,
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "units": self.units,
            "wh": self.wh,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Certificates:
        return cls(
            retirement=bytes.fromhex(value["retirement"]),
            scheme=value["scheme"],
            class_=value["class"],
            period=Period(start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])),
            units=value["units"],
            wh=value["wh"],
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Credits:
    """A retirement of credits in a claim, in units of `unit_size_g`: a line of its own."""

    retirement: bytes
    scheme: str
    units: int
    unit_size_g: int

    def to_json(self) -> dict[str, Any]:
        return {
            "retirement": self.retirement.hex(),
            "scheme": self.scheme,
            "units": self.units,
            "unit_size": self.unit_size_g,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Credits:
        return cls(
            retirement=bytes.fromhex(value["retirement"]),
            scheme=value["scheme"],
            units=value["units"],
            unit_size_g=value["unit_size"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A claim's figures. `by_class_wh`: {supply class: Wh above 0}."""

    consumer: str
    points: tuple[bytes, ...]
    period: Period
    as_of: int
    by_class_wh: Mapping[int, int]
    consumption_wh: int
    estimated_wh: int
    certificates: tuple[Certificates, ...] = ()
    credits: tuple[Credits, ...] = ()
    reason: str = ""

    @property
    def claimed_wh(self) -> int:
        return sum(self.by_class_wh.values())

    @property
    def certificate_wh(self) -> int:
        return sum(one.wh for one in self.certificates)

    @property
    def residual_wh(self) -> int:
        return self.consumption_wh - self.claimed_wh - self.certificate_wh

    @property
    def retirements(self) -> list[bytes]:
        """Sorted."""
        return sorted(
            [
                *(one.retirement for one in self.certificates),
                *(one.retirement for one in self.credits),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "consumer": self.consumer,
            "points": [point.hex() for point in self.points],
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "as_of": self.as_of,
            "claimed_wh": self.claimed_wh,
            "by_class": [
                {"class": class_, "wh": wh} for class_, wh in sorted(self.by_class_wh.items())
            ],
            "certificates": [one.to_json() for one in self.certificates],
            "certificate_wh": self.certificate_wh,
            "credits": [one.to_json() for one in self.credits],
            "consumption_wh": self.consumption_wh,
            "estimated_wh": self.estimated_wh,
            "residual_wh": self.residual_wh,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Manifest:
        """Raises InvalidInput for wrong members, or sums that are none."""
        e.check_members(value, _MEMBERS)
        found = cls(
            consumer=value["consumer"],
            points=tuple(bytes.fromhex(point) for point in value["points"]),
            period=Period(start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])),
            as_of=value["as_of"],
            by_class_wh={one["class"]: one["wh"] for one in value["by_class"]},
            consumption_wh=value["consumption_wh"],
            estimated_wh=value["estimated_wh"],
            certificates=tuple(map(Certificates.from_json, value["certificates"])),
            credits=tuple(map(Credits.from_json, value["credits"])),
            reason=value["reason"],
        )
        period = found.period
        if period.start_s < 0 or period.start_s % QUARTER_HOUR_S or period.end_s % QUARTER_HOUR_S:
            raise InvalidInput("a claim is of whole quarter-hours, from 1970 on")
        if not found.as_of:
            raise InvalidInput("as_of is 0; the first size of a log is 1")
        if found.estimated_wh > found.consumption_wh:
            raise InvalidInput("more was estimated than was consumed")
        if found.residual_wh < 0:
            raise InvalidInput(
                f"{found.claimed_wh} Wh are claimed and {found.certificate_wh} Wh are of"
                f" certificates, {found.consumption_wh} Wh were consumed"
            )
        for one in found.certificates:
            if not period.contains(one.period):
                raise InvalidInput(
                    f"retirement {one.retirement.hex()} is used outside of the claim's period"
                )
        if found.to_json() != dict(value):
            raise InvalidInput("the sums of the claim do not add up")
        return found
