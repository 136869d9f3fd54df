"""A product's bill of activities: what goes into it, stage by stage, and how much of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.footprint import members as m
from ledger.log import entry as e
from ledger.log.entry import Member

_SUPPLIER: Final[Mapping[str, Member]] = {
    "document": e.ID,
    "sha256": e.HASH,
    "pcf": m.DECIMAL,
    "declared_unit": m.one_of(m.DECLARED_UNITS),
    "declared_amount": m.ABOVE_0,
    "primary_share": m.DECIMAL_OR_NONE,
}
_ACTIVITY: Final[Mapping[str, Member]] = {
    "id": m.SLUG,
    "title": m.OBJECT,
    "stage": m.one_of(m.STAGES),
    "category": m.one_of(m.CATEGORIES),
    "quantity": m.DECIMAL,
    "unit": m.UNIT,
    "per": m.PERIOD_OR_NONE,
    "group": m.SLUG_OR_NONE,
    "kind": e.one_of(m.PRIMARY, m.SECONDARY),
    "quality": m.OBJECT,
    "item": m.SLUG_OR_NONE,
    "region": m.REGION,
    "gas": m.GAS_OR_NONE,
    "supplier": m.OBJECT,
    "note": e.REASON_OR_NONE,
}
_QUALITY: Final[Mapping[str, Member]] = dict.fromkeys(("technology", "place", "time"), m.RATING)
_ALLOCATION: Final[Mapping[str, Member]] = {
    "group": m.SLUG,
    "period": m.PERIOD_OR_NONE,
    "method": m.one_of(m.METHODS),
    "own": m.SLUG,
    "outputs": m.objects(100),
    "reason": e.REASON,
}
_OUTPUT: Final[Mapping[str, Member]] = {"id": m.SLUG, "quantity": m.DECIMAL, "value": m.DECIMAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """A footprint that a supplier gave: `pcf` kg CO2e for each `declared_amount` of its declared
    unit, as the document of that name and hash says. `primary_share`: percent, "" unsaid."""

    document: str
    sha256: str
    pcf: str
    declared_unit: str
    declared_amount: str
    primary_share: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Supplier:
        """Raises InvalidInput."""
        e.check_members(value, _SUPPLIER)
        found = cls(**value)
        if found.primary_share and Fraction(found.primary_share) > 100:
            raise InvalidInput(f"primary_share is {found.primary_share} %; 100 is the most")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Ratings of a datum, 1 (best) to 5: how well it fits the technology, the place, the time."""

    technology: int
    place: int
    time: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Quality:
        e.check_members(value, _QUALITY)
        return cls(**value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One line of a bill: a quantity of something that has a factor (`item`), that a supplier gave
    a footprint of (`supplier`), or that is itself the mass of a gas (`gas`).

    `per`: "" for each declared unit; else the period in which that much was used for all that was
    made. `group`: how it is shared with co-products. `kind`: primary or secondary data.
    """

    id: str
    title: Mapping[str, str]
    stage: str
    category: str
    quantity: str
    unit: str
    per: str
    group: str
    kind: str
    quality: Quality
    item: str = ""
    region: str = ""
    gas: str = ""
    supplier: Supplier | None = None
    note: str = ""

    @property
    def is_own_electricity(self) -> bool:
        return self.item == m.ELECTRICITY

    def is_of(self, period: str) -> bool:
        return self.per in ("", period)

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: value for name, value in asdict(self).items() if name in _ACTIVITY},
            "title": dict(self.title),
            "supplier": asdict(self.supplier) if self.supplier else {},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Activity:
        """Raises InvalidInput."""
        e.check_members(value, _ACTIVITY)
        with m.at("title"):
            e.check_members(value["title"], m.TITLE)
        with m.at("quality"):
            quality = Quality.from_json(value["quality"])
        with m.at("supplier"):
            supplier = Supplier.from_json(value["supplier"]) if value["supplier"] else None
        found = cls(**{**value, "quality": quality, "supplier": supplier})
        found._check()
        return found

    def _check(self) -> None:
        given = [name for name in ("item", "gas", "supplier") if getattr(self, name)]
        if len(given) != 1:
            raise InvalidInput(
                f"it has {' and '.join(given) or 'none'} of item, gas and supplier; one of them"
                " says what the quantity is of"
            )
        if self.group and not self.per:
            raise InvalidInput(
                "what is stated per declared unit is the product's own: only a quantity of a period"
                " is shared with co-products (group)"
            )
        if self.is_own_electricity and (self.stage, self.category) != (m.PRODUCTION, m.FOSSIL):
            raise InvalidInput(
                "item electricity is what the producer itself uses: stage production, category"
                " fossil; what others use has the item electricity-life-cycle"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a process makes: `quantity`, each worth `value` kg, money or MJ, by the method."""

    id: str
    quantity: str
    value: str

    @property
    def weight(self) -> Fraction:
        return Fraction(self.quantity) * Fraction(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How what a process uses is shared by all that it makes. `own`: the output that the product
    is. `period`: whose figures these are, "" of any."""

    group: str
    period: str
    method: str
    own: str
    reason: str
    outputs: tuple[Output, ...] = field(default=())

    @property
    def said(self) -> str:
        return f"{self.group}, {self.period}" if self.period else self.group

    def shares(self) -> dict[str, Fraction]:
        """{output: its share}: exact, and 1 together."""
        total = sum((one.weight for one in self.outputs), Fraction(0))
        return {one.id: one.weight / total for one in self.outputs}

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "outputs": [asdict(one) for one in self.outputs]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Allocation:
        """Raises InvalidInput."""
        e.check_members(value, _ALLOCATION)
        m.check_each("outputs", value["outputs"], _OUTPUT)
        outputs = tuple(Output(**one) for one in value["outputs"])
        found = cls(**{**value, "outputs": outputs})
        names = [one.id for one in outputs]
        m.require_once("output", names)
        if found.own not in names:
            raise InvalidInput(
                f"own is {found.own!r}, which is none of its outputs {', '.join(names) or '(none)'}"
            )
        if not sum(one.weight for one in outputs):
            raise InvalidInput("its outputs weigh nothing: there is nothing to share by")
        return found
