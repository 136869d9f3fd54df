"""Activity data: how much fuel, heat, gas, … somebody used or gave away, and when. Pure.

Content of the register `activity` (docs/accounting.md). A quantity is a decimal in text with its
unit, or what a metering point shows in the period. What belongs to the park as a whole, and to no
member, has the organisation "" and is the operator's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.factors import units
from ledger.accounting.factors.members import DECIMAL, SLUG, UNIT
from ledger.accounting.facts import CATEGORIES, DIRECTIONS, IN
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.metering.points import PARK_SYSTEMS
from ledger.units import Period, format_instant, parse_instant

REGISTER: Final = "activity"
DOCUMENTS_MAX: Final = 50
# In any unit: a thousand million tonnes are more than any park burns, and fit in integers of grams.
QUANTITY_MAX: Final = 1_000_000_000
# Of gas meters that convert to standard conditions themselves: 1 m3 that they read is 1 Nm3.
_STANDARD_GAS: Final = "Nm3"

_FLAG: Final = Member(expected="0 or 1", check=lambda value: e.COUNT.check(value) and value <= 1)
_PARTY_OR_NONE: Final = Member(
    expected='a party id, or ""', check=lambda value: value == "" or e.PARTY.check(value)
)
FACTOR: Final[Mapping[str, Member]] = {
    "value": DECIMAL,
    "unit": UNIT,
    "gas": Member(
        expected="a gas (CO2, CH4, …)",
        check=lambda value: (
            isinstance(value, str)
            and re.fullmatch(r"[A-Z][A-Za-z0-9-]{0,19}", value, re.ASCII) is not None
        ),
    ),
    "source": e.REASON,
}
MEMBERS: Final[Mapping[str, Member]] = {
    "organisation": _PARTY_OR_NONE,
    "park_system": e.one_of("", *PARK_SYSTEMS),
    "category": e.one_of(*CATEGORIES),
    "item": SLUG,
    "direction": e.one_of(*DIRECTIONS),
    "quantity": Member(
        expected='a decimal in text, such as "12.5", or "" where the point meters it',
        check=lambda value: value == "" or DECIMAL.check(value),
    ),
    "unit": UNIT,
    "from": e.INSTANT,
    "to": e.INSTANT,
    "point": e.ID_OR_NONE,
    "counterparty": _PARTY_OR_NONE,
    "within": e.ID_OR_NONE,
    "biogenic": _FLAG,
    "nonfossil": _FLAG,
    "factor": Member(expected="an object", check=lambda value: isinstance(value, dict)),
    "documents": e.sorted_ids("names of document records"),
    "note": e.REASON_OR_NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One amount in one time. `quantity`: a decimal, "" where `point` meters it; in `unit`.

    `point`, `counterparty`, `within`, `factor` as in `facts.ActivityFact`. `documents`: names of
    the records of documents that show it.
    """

    organisation: str
    category: str
    item: str
    quantity: str
    unit: str
    period: Period
    park_system: str = ""
    direction: str = IN
    point: str = ""
    counterparty: str = ""
    within: str = ""
    biogenic: bool = False
    nonfossil: bool = False
    factor: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.quantity and not self.point:
            raise InvalidInput("quantity is empty, and no point that meters it is named")
        if self.quantity and Fraction(self.quantity) > QUANTITY_MAX:
            raise InvalidInput(
                f"quantity is {self.quantity} {self.unit}; {QUANTITY_MAX} is the most, in any unit"
            )
        if self.counterparty and self.counterparty == self.organisation:
            raise InvalidInput(f"counterparty {self.counterparty!r} is the organisation itself")
        if len(self.documents) > DOCUMENTS_MAX:
            raise InvalidInput(f"an activity names at most {DOCUMENTS_MAX} documents")
        if self.factor:
            e.check_members(self.factor, FACTOR)
            mass, _, per = self.factor["unit"].partition("/")
            units.ratio(mass, "g")
            units.ratio(self.unit, per)

    @property
    def metered(self) -> bool:
        return not self.quantity

    def to_json(self) -> dict[str, Any]:
        return {
            "organisation": self.organisation,
            "park_system": self.park_system,
            "category": self.category,
            "item": self.item,
            "direction": self.direction,
            "quantity": self.quantity,
            "unit": self.unit,
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "point": self.point,
            "counterparty": self.counterparty,
            "within": self.within,
            "biogenic": int(self.biogenic),
            "nonfossil": int(self.nonfossil),
            "factor": dict(self.factor),
            "documents": list(self.documents),
            "note": self.note,
        }

    @property
    def key(self) -> str:
        """The same of two activities that say the same."""
        return json.dumps(self.to_json(), sort_keys=True)

    @classmethod
    def of(cls, *, organisation: str, period: Period, members: Mapping[str, Any]) -> Activity:
        """`members`: as `from_json` takes them, but for organisation, from and to."""
        edges = {"from": format_instant(period.start_s), "to": format_instant(period.end_s)}
        return cls.from_json({"organisation": organisation, **members, **edges})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Activity:
        """Raises InvalidInput for missing, unknown or wrong members, and units that don't fit."""
        e.check_members(value, MEMBERS)
        return cls(
            organisation=value["organisation"],
            park_system=value["park_system"],
            category=value["category"],
            item=value["item"],
            direction=value["direction"],
            quantity=value["quantity"],
            unit=value["unit"],
            period=Period(start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])),
            point=value["point"],
            counterparty=value["counterparty"],
            within=value["within"],
            biogenic=bool(value["biogenic"]),
            nonfossil=bool(value["nonfossil"]),
            factor=value["factor"],
            documents=tuple(value["documents"]),
            note=value["note"],
        )


def metered(value: int, base_unit: str, unit: str) -> Fraction:
    """What a meter shows in its base unit, in the unit of an activity.

    An activity in Nm3 of a point in ml says that its meter reads standard conditions. Raises
    InvalidInput where the units do not convert.
    """
    gas = units.parse(_STANDARD_GAS).dimensions
    if base_unit == "ml" and units.parse(unit).dimensions == gas:
        return units.convert(units.convert(value, "ml", "m3"), _STANDARD_GAS, unit)
    return units.convert(value, base_unit, unit)
