"""Products: what a footprint is of, as a record of the register `product` (docs/footprints.md).

Pure. A record holds the bill of activities and, for each period, what was made and how it is
shared with co-products; so one record serves the footprints of several periods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeVar

from ledger.accounting.lines import decimal
from ledger.errors import InvalidInput, Refused
from ledger.footprint import members as m
from ledger.footprint.bill import Activity, Allocation
from ledger.log import entry as e
from ledger.log.entry import Member

REGISTER: Final = "product"
# Of these a mass says nothing (PACT Methodology).
_MASSLESS: Final = {"kilowatt hour", "megajoule", "ton kilometer", "hour", "megabit second"}

_MEMBERS: Final[Mapping[str, Member]] = {
    "name": m.OBJECT,
    "description": m.LONG,
    "ids": m.URNS,
    "classifications": m.URNS_OR_NONE,
    "unit": m.one_of(m.DECLARED_UNITS),
    "amount": m.ABOVE_0,
    "mass_kg": m.DECIMAL,
    "fossil_carbon_kg": m.DECIMAL,
    "biogenic_carbon_kg": m.DECIMAL,
    "boundary": m.one_of(m.BOUNDARIES),
    "geography": m.PLACE,
    "region": m.REGION,
    "standards": m.NAMES,
    "rules": m.objects(20),
    "cut_off": m.OBJECT,
    "production": m.objects(500),
    "allocation": m.objects(500),
    "activities": m.objects(2_000),
    "stated": m.objects(500),
    "uncertainty": m.LONG,
    "limitations": m.LONG,
}
_RULES: Final[Mapping[str, Member]] = {
    "operator": e.one_of("PEF", "EPD International", "Other"),
    "other_operator": Member(expected="up to 200 characters", check=e.REASON_OR_NONE.check),
    "names": m.NAMES,
}
_CUT_OFF: Final[Mapping[str, Member]] = {"rule": m.LONG, "share_ppm": m.PARTS_PPM}
_PRODUCTION: Final[Mapping[str, Member]] = {"period": m.PERIOD, "quantity": m.ABOVE_0}
_STATED: Final[Mapping[str, Member]] = {
    "period": m.PERIOD,
    "total_kg": m.DECIMAL,
    "stages": m.objects(len(m.STAGES)),
}
_STATED_STAGE: Final[Mapping[str, Member]] = {"stage": m.one_of(m.STAGES), "kg": m.DECIMAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a study of the product says, in kg CO2e for each declared unit; compared, never used."""

    period: str
    total_kg: str
    stages: Mapping[str, str]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Stated:
        """Raises InvalidInput where its stages, if it gives them, are not its total."""
        e.check_members(value, _STATED)
        for one in value["stages"]:
            e.check_members(one, _STATED_STAGE)
        m.require_once("stage", [one["stage"] for one in value["stages"]])
        found = cls(
            period=value["period"],
            total_kg=value["total_kg"],
            stages={one["stage"]: one["kg"] for one in value["stages"]},
        )
        total = sum((Fraction(kg) for kg in found.stages.values()), Fraction(0))
        if found.stages and total != Fraction(found.total_kg):
            parts = " + ".join(f"{stage} {kg}" for stage, kg in found.stages.items())
            raise InvalidInput(
                f"its stages do not sum to its total of {found.total_kg} kg: {parts} is"
                f" {decimal(total)} kg"
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of an organisation. A declared unit is `amount` of `unit`; `mass_kg` and carbon are
    of one. `region`: where factors are looked for. `content`: as recorded."""

    unit: str
    amount: str
    boundary: str
    region: str
    production: Mapping[str, str]
    allocations: tuple[Allocation, ...]
    activities: tuple[Activity, ...]
    stated: Mapping[str, Stated]
    content: Mapping[str, Any]

    @property
    def label(self) -> str:
        return str(self.content["name"]["en"])

    @property
    def stages(self) -> tuple[str, ...]:
        return m.BOUNDARIES[self.boundary]

    def declared_units(self, period: str) -> Fraction:
        """How many declared units were made in a period. Raises Refused where it does not say."""
        if period not in self.production:
            known = ", ".join(sorted(self.production)) or "no period"
            raise Refused(
                f"product {self.label}: production of {period} is missing; it states {known}"
            )
        return Fraction(self.production[period]) / Fraction(self.amount)

    def allocation_of(self, group: str, period: str) -> Allocation:
        """That of the period, else that of any. Raises Refused."""
        for wanted in (period, ""):
            for one in self.allocations:
                if (one.group, one.period) == (group, wanted):
                    return one
        raise Refused(
            f"product {self.label}: allocation of group {group!r} in {period} is missing; state its"
            " outputs and the method"
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Product:
        """Raises InvalidInput with the place of what is missing, unknown or wrong."""
        e.check_members(value, _MEMBERS)
        for name, known in (("name", m.TITLE), ("cut_off", _CUT_OFF)):
            with m.at(name):
                e.check_members(value[name], known)
        m.check_each("rules", value["rules"], _RULES)
        m.check_each("production", value["production"], _PRODUCTION)
        found = cls(
            unit=value["unit"],
            amount=value["amount"],
            boundary=value["boundary"],
            region=value["region"],
            production={one["period"]: one["quantity"] for one in value["production"]},
            allocations=tuple(_each("allocation", Allocation, value["allocation"], "group")),
            activities=tuple(_each("activity", Activity, value["activities"], "id")),
            stated={
                one.period: one for one in _each("stated for", Stated, value["stated"], "period")
            },
            content=value,
        )
        found._check()
        return found

    def _check(self) -> None:
        m.require_once("production of", [one["period"] for one in self.content["production"]])
        m.require_once("stated for", [one["period"] for one in self.content["stated"]])
        m.require_once("activity", [one.id for one in self.activities])
        m.require_once("allocation", [one.said for one in self.allocations])
        groups = {one.group for one in self.allocations}
        for one in self.activities:
            if one.stage not in self.stages:
                raise InvalidInput(
                    f"activity {one.id} is of the stage {one.stage}; {self.boundary} has"
                    f" {', '.join(self.stages)}"
                )
            if one.group and one.group not in groups:
                raise InvalidInput(
                    f"activity {one.id}: group {one.group!r} has no allocation; there is"
                    f" {', '.join(sorted(groups)) or 'none'}"
                )
        if self.unit in _MASSLESS and Fraction(self.content["mass_kg"]):
            raise InvalidInput(f"mass_kg is {self.content['mass_kg']}; a {self.unit} has none: 0")


Part = TypeVar("Part", Activity, Allocation, Stated)


def _each(
    what: str, kind: type[Part], found: Iterable[Mapping[str, Any]], name: str
) -> Iterator[Part]:
    """Parts of a record, read; an error names the part."""
    for place, one in enumerate(found):
        with m.at(f"{what} {one.get(name, place)}"):
            yield kind.from_json(one)


_DEFAULTS: Final[Mapping[str, Any]] = {
    "description": "",
    "classifications": [],
    "amount": "1",
    "mass_kg": "0",
    "fossil_carbon_kg": "0",
    "biogenic_carbon_kg": "0",
    "geography": "CN",
    "region": "CN",
    "standards": ["GB/T 24067-2024", "ISO 14067:2018"],
    "rules": [],
    "cut_off": {"rule": "", "share_ppm": 0},
    "allocation": [],
    "stated": [],
    "uncertainty": "",
    "limitations": "",
}
_ACTIVITY_DEFAULTS: Final[Mapping[str, Any]] = {
    "category": m.FOSSIL,
    "per": "",
    "group": "",
    "kind": m.SECONDARY,
    "quality": {"technology": 3, "place": 3, "time": 3},
    "item": "",
    "region": "",
    "gas": "",
    "supplier": {},
    "note": "",
}


def completed(value: Mapping[str, Any]) -> dict[str, Any]:
    """What a person writes, with what may be left out. What is no product stays as it is, so that
    `Product.from_json` says what is wrong with it."""
    found = {**_DEFAULTS, **value}
    activities = found.get("activities")
    if isinstance(activities, list):
        found["activities"] = [
            _completed_activity(one) if isinstance(one, dict) else one for one in activities
        ]
    for name, member in (("rules", "other_operator"), ("stated", "stages")):
        if isinstance(found[name], list):
            empty: Any = "" if name == "rules" else []
            found[name] = [
                {member: empty, **one} if isinstance(one, dict) else one for one in found[name]
            ]
    if isinstance(found["allocation"], list):
        found["allocation"] = [
            {"period": "", **one} if isinstance(one, dict) else one for one in found["allocation"]
        ]
    return found


def _completed_activity(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {**_ACTIVITY_DEFAULTS, **value}
    if isinstance(found["supplier"], dict) and found["supplier"]:
        found["supplier"] = {"primary_share": "", **found["supplier"]}
    return found
