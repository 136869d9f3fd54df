"""Schemes: the rules of a kind of unit, as data that the log holds (docs/formats.md §4.9). Pure.

The rules that came with the program are only what a new log begins with: what counts is what was
registered, and when.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger import files
from ledger.errors import InvalidInput, NotFound
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.lots.model import Month, month_of
from ledger.units import Period, exactly, format_instant, parse_instant

NAME: Final = "scheme"
CERTIFICATE: Final = "certificate"
CREDIT: Final = "credit"
RECORD: Final = "record"
KINDS: Final = (CERTIFICATE, CREDIT, RECORD)
ETS: Final = "ets-compliance"
LOCAL: Final = "local-compliance"
# Purposes that meet an obligation, of which a scheme may meet a part only.
COMPLIANCE: Final = frozenset({ETS, LOCAL})
PURPOSES: Final = (
    "consumption-obligation",
    ETS,
    "green-power",
    LOCAL,
    "neutrality",
    "voluntary",
)
STATUSES: Final = ("official", "secondary", "unverified")
SPENT: Final = "spent"
WRAPPED: Final = "wrapped"
NO_LOTS: Final = "none"
VALIDITY: Final = "validity"
SAME_YEAR: Final = "same-year"
PPM: Final = 1_000_000
GRAMS_PER_T: Final = 1_000_000
_SHIPPED: Final = Path(__file__).parent / "schemes"


def _objects(members: Mapping[str, Member]) -> e.Check:
    def check(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(one, dict)
            and set(one) == set(members)
            and all(member.check(one[name]) for name, member in members.items())
            for one in value
        )

    return check


def _sorted_of(check: e.Check, least: int = 0) -> e.Check:
    return lambda value: (
        isinstance(value, list)
        and len(value) >= least
        and all(map(check, value))
        and value == sorted(set(value))
    )


_CLASS_MEMBERS: Final[Mapping[str, Member]] = {
    "class": e.PARTY,
    "moves_max": e.COUNT,
    "moved_by": e.one_of("transfer", "settle"),
    "lot_classes": Member(
        expected="supply classes",
        check=_sorted_of(lambda one: isinstance(one, int) and 0 <= one <= 5),
    ),
    "lots": e.one_of(SPENT, WRAPPED, NO_LOTS),
}
_VINTAGE_MEMBERS: Final = {"from": e.INSTANT, "policy": e.one_of(VALIDITY, SAME_YEAR)}
TECHNOLOGY: Final = Member(
    expected="1–40 characters of a-z 0-9 -",
    check=lambda value: (
        isinstance(value, str) and re.fullmatch(r"[a-z0-9-]{1,40}", value, re.ASCII) is not None
    ),
)
_BARRED_MEMBERS: Final = {"technology": TECHNOLOGY, "from": e.INSTANT, "to": e.INSTANT_OR_NONE}
_PPM: Final = Member(
    expected="millionths, 0 to 1000000",
    check=lambda value: e.COUNT.check(value) and value <= PPM,
)
_MEMBERS: Final[Mapping[str, Member]] = {
    "name": e.NAME,
    "kind": e.one_of(*KINDS),
    "unit": e.one_of("Wh", "g"),
    "unit_size": e.COUNT,
    "validity_months": e.COUNT,
    "classes": Member(
        expected=f"an array of objects with {', '.join(_CLASS_MEMBERS)}, at least one",
        check=lambda value: _objects(_CLASS_MEMBERS)(value) and len(value) > 0,
    ),
    "purposes": Member(
        expected=f"a sorted array of {', '.join(PURPOSES)}",
        check=_sorted_of(lambda one: one in PURPOSES, 1),
    ),
    "vintages": Member(
        expected="an array of {from, policy (validity or same-year)}",
        check=_objects(_VINTAGE_MEMBERS),
    ),
    "cap_ppm": _PPM,
    "barred": Member(
        expected="an array of {technology, from, to}", check=_objects(_BARRED_MEMBERS)
    ),
    "freezes": Member(expected="a sorted array of schemes", check=_sorted_of(e.PARTY.check)),
    "buffer_ppm": _PPM,
    "source": e.REASON,
    "status": e.one_of(*STATUSES),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitClass:
    """A class of units: how often they may change hands, by which act, what stands behind them."""

    name: str
    moves_max: int
    moved_by: str
    lot_classes: tuple[int, ...]
    lots: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """The rules of a scheme. `vintages`: (from_s, policy), by time. `barred`: (technology, from_s,
    to_s or None)."""

    scheme: str
    name: str
    kind: str
    unit: str
    unit_size: int
    validity_months: int
    classes: Mapping[str, UnitClass]
    purposes: tuple[str, ...]
    vintages: tuple[tuple[int, str], ...]
    cap_ppm: int
    barred: tuple[tuple[str, int, int | None], ...]
    freezes: tuple[str, ...]
    buffer_ppm: int
    source: str
    status: str

    def class_of(self, name: str) -> UnitClass:
        """Raises InvalidInput."""
        if name not in self.classes:
            known = ", ".join(sorted(self.classes))
            raise InvalidInput(f"scheme {self.scheme} has no class {name!r}; it has {known}")
        return self.classes[name]

    def expires_s(self, start_s: int, zone_s: int) -> int | None:
        """When units of what was produced from `start_s` on are valid no more; None: never.

        The month of production, in park time, is month 1 (domain invariant 11).
        """
        if not self.validity_months:
            return None
        month = month_of(start_s, zone_s)
        year, index = divmod(month.year * 12 + month.month - 1 + self.validity_months, 12)
        return Month(year=year, month=index + 1, zone_offset_s=zone_s).start_s

    def vintage_policy(self, used_from_s: int) -> str:
        """Which vintages a use that begins then may have."""
        found = VALIDITY
        for from_s, policy in self.vintages:
            if from_s <= used_from_s:
                found = policy
        return found

    def fits_vintage(self, produced_s: int, used_from_s: int, zone_s: int) -> bool:
        if self.vintage_policy(used_from_s) == VALIDITY:
            return True
        return month_of(produced_s, zone_s).year == month_of(used_from_s, zone_s).year

    def fits_whole(self, produced: Period, used: Period, zone_s: int) -> bool:
        """Of all that was produced in a period, for all of a use: from its beginning to its end."""
        return all(
            self.fits_vintage(at_s, used_s, zone_s)
            for at_s in (produced.start_s, produced.end_s - 1)
            for used_s in (used.start_s, used.end_s - 1)
        )

    def bars(self, technology: str, at_s: int) -> bool:
        """Whether projects of a technology can't be registered then."""
        return any(
            technology == barred and from_s <= at_s and (to_s is None or at_s < to_s)
            for barred, from_s, to_s in self.barred
        )

    def amount(self, units: int) -> str:
        """What units are worth, exactly, for people: `12 MWh`, `0.5 t`, `250 Wh`."""
        names = ("MWh", "kWh", "Wh") if self.unit == "Wh" else ("t", "kg", "g")
        sizes = (1_000_000, 1000, 1)
        return exactly(self.unit_size * units, tuple(zip(sizes, names, strict=True)))

    def said(self, units: int) -> str:
        """Units for people: `12 certificates (12 MWh)`; of credits of 1 t each `12 t`."""
        if self.unit == "g" and self.unit_size == GRAMS_PER_T:
            return self.amount(units)
        noun = "certificate" if self.kind == CERTIFICATE else "unit"
        return f"{units:,} {noun}{'' if units == 1 else 's'} ({self.amount(units)})"

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "unit": self.unit,
            "unit_size": self.unit_size,
            "validity_months": self.validity_months,
            "classes": [
                {
                    "class": one.name,
                    "moves_max": one.moves_max,
                    "moved_by": one.moved_by,
                    "lot_classes": list(one.lot_classes),
                    "lots": one.lots,
                }
                for _, one in sorted(self.classes.items())
            ],
            "purposes": list(self.purposes),
            "vintages": [
                {"from": format_instant(from_s), "policy": policy}
                for from_s, policy in self.vintages
            ],
            "cap_ppm": self.cap_ppm,
            "barred": [
                {
                    "technology": technology,
                    "from": format_instant(from_s),
                    "to": "" if to_s is None else format_instant(to_s),
                }
                for technology, from_s, to_s in self.barred
            ],
            "freezes": list(self.freezes),
            "buffer_ppm": self.buffer_ppm,
            "source": self.source,
            "status": self.status,
        }

    @classmethod
    def from_json(cls, scheme: str, value: Mapping[str, Any]) -> Scheme:
        """Raises InvalidInput for missing, unknown or wrong members."""
        e.check_members(value, _MEMBERS)
        found = cls(
            scheme=scheme,
            name=value["name"],
            kind=value["kind"],
            unit=value["unit"],
            unit_size=value["unit_size"],
            validity_months=value["validity_months"],
            classes={one["class"]: _class(one) for one in value["classes"]},
            purposes=tuple(value["purposes"]),
            vintages=tuple(
                (parse_instant(one["from"]), one["policy"]) for one in value["vintages"]
            ),
            cap_ppm=value["cap_ppm"],
            barred=tuple(
                (
                    one["technology"],
                    parse_instant(one["from"]),
                    parse_instant(one["to"]) if one["to"] else None,
                )
                for one in value["barred"]
            ),
            freezes=tuple(value["freezes"]),
            buffer_ppm=value["buffer_ppm"],
            source=value["source"],
            status=value["status"],
        )
        found._check(value["classes"])
        return found

    def _check(self, classes: Sequence[Mapping[str, Any]]) -> None:
        names = [one["class"] for one in classes]
        if names != sorted(set(names)):
            raise InvalidInput("classes stand in order, none twice")
        if not self.unit_size:
            raise InvalidInput("unit_size is 0; a unit is worth something")
        if (self.unit == "Wh") != (self.kind == CERTIFICATE):
            raise InvalidInput(f"a {self.kind} is not in {self.unit}: certificates are in Wh")
        compliance = sorted(COMPLIANCE & {*self.purposes})
        if self.kind == RECORD and compliance:
            raise InvalidInput(
                f"{', '.join(compliance)} is no purpose of a {RECORD}: what is issued here is no"
                " credit of any official programme"
            )
        if self.validity_months > 1200:
            raise InvalidInput(f"validity_months is {self.validity_months}; 1200 is the most")
        froms = [from_s for from_s, _ in self.vintages]
        if froms != sorted(set(froms)):
            raise InvalidInput("vintages stand in order of time, none twice")
        for technology, from_s, to_s in self.barred:
            if to_s is not None and to_s <= from_s:
                raise InvalidInput(f"{technology} is barred for a time that ends before it begins")


def _class(value: Mapping[str, Any]) -> UnitClass:
    found = UnitClass(
        name=value["class"],
        moves_max=value["moves_max"],
        moved_by=value["moved_by"],
        lot_classes=tuple(value["lot_classes"]),
        lots=value["lots"],
    )
    if (found.lots == NO_LOTS) != (not found.lot_classes):
        raise InvalidInput(f"class {found.name}: lot_classes are empty exactly where lots is none")
    return found


def shipped(scheme: str) -> Scheme:
    """The rules that came with the program. Raises NotFound."""
    file = _SHIPPED / f"{scheme}.toml"
    if scheme not in shipped_schemes():
        known = ", ".join(shipped_schemes())
        raise NotFound(f"no rules of a scheme {scheme!r} come with the program; known are {known}")
    return parse_toml(scheme, file.read_text(encoding="utf-8"), str(file.name))


def shipped_schemes() -> list[str]:
    return sorted(file.stem for file in _SHIPPED.glob("*.toml"))


def parse_toml(scheme: str, text: str, where: str) -> Scheme:
    """The rules of a scheme as a person writes them. Raises InvalidInput."""
    value = files.parse_toml(text, where)
    try:
        return Scheme.from_json(scheme, value)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error
