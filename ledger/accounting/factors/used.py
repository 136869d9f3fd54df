"""What a figure says of the factor that it was made with. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.factors import units
from ledger.accounting.factors.members import OFFICIAL, REGION, SLUG, YEAR
from ledger.accounting.factors.model import Factor, FactorSet
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member

_SUBSTITUTION: Final[Mapping[str, Member]] = {
    "item": SLUG,
    "region": REGION,
    "year": YEAR,
    "use_region": REGION,
    "use_year": YEAR,
    "reason": e.REASON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """That the factor of another region or year is taken, and why."""

    item: str
    region: str
    year: int
    use_region: str
    use_year: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {
            "item": self.item,
            "region": self.region,
            "year": self.year,
            "use_region": self.use_region,
            "use_year": self.use_year,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, value: Any) -> Substitution:
        """Raises InvalidInput."""
        if not isinstance(value, dict):
            raise InvalidInput(
                f"a substitution is an object with {', '.join(_SUBSTITUTION)}, not {value!r:.60}"
            )
        try:
            e.check_members(value, _SUBSTITUTION)
        except InvalidInput as error:
            raise InvalidInput(f"substitution of {value.get('item', '')!r}: {error}") from error
        return cls(**value)


def read_substitutions(values: Iterable[Any]) -> tuple[Substitution, ...]:
    """`about["substitutions"]`. Raises InvalidInput, also where one is stated twice."""
    found = tuple(Substitution.from_json(one) for one in values)
    seen: set[tuple[str, str, int]] = set()
    for one in found:
        if (one.item, one.region, one.year) in seen:
            raise InvalidInput(
                f"the substitution of {one.item}, region {one.region!r}, year {one.year} is stated"
                " twice"
            )
        seen.add((one.item, one.region, one.year))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A set in force, and the entry that put it there. `version`: 1 for the first of its name."""

    name: str
    author: str
    entry: int
    hash: str
    version: int
    content: FactorSet

    def use(self) -> dict[str, Any]:
        return {
            "set": self.name,
            "entry": self.entry,
            "hash": self.hash,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A factor that was found. `value` is in `unit`: that of the factor, or the one asked for.
    `wanted`: the item, region and year that were asked for."""

    factor: Factor
    by: Published
    wanted: tuple[str, str, int]
    substitution: Substitution | None
    value: Fraction
    unit: str

    @property
    def gas(self) -> str:
        return self.factor.gas

    @property
    def covers(self) -> tuple[str, ...]:
        return self.factor.covers

    @property
    def parts(self) -> Mapping[str, str]:
        return self.factor.parts

    def times(self, quantity: units.Exact, unit: str, to: str) -> Fraction:
        """A quantity times the factor, exactly: `times(3, "MWh", "g")`. Raises InvalidInput where
        a unit does not convert, by its name."""
        above, _, below = self.unit.partition("/")
        try:
            amount = units.convert(quantity, unit, below.removeprefix("(").removesuffix(")") or "1")
            return units.convert(amount * self.value, above, to)
        except InvalidInput as error:
            raise InvalidInput(f"{self.factor.said} is in {self.unit}: {error}") from error

    def use(self) -> dict[str, Any]:
        """All that a figure says of its factor: integers and text."""
        return {
            **self.by.use(),
            "item": self.factor.item,
            "region": self.factor.region,
            "year": self.factor.year,
            "gas": self.factor.gas,
            "covers": list(self.factor.covers),
            "value": self.factor.value,
            "unit": self.factor.unit,
            "standard": self.factor.standard,
            "source": self.factor.source,
            "status": self.factor.status,
            "substituted": substituted(self.substitution),
        }


def substituted(substitution: Substitution | None) -> dict[str, Any] | str:
    """The label of a substitution; "" where there is none."""
    if substitution is None:
        return ""
    return {
        "wanted": {
            "item": substitution.item,
            "region": substitution.region,
            "year": substitution.year,
        },
        "reason": substitution.reason,
    }


def labels(uses: Sequence[Mapping[str, Any]]) -> list[str]:
    """For people: what is no official factor of the place and year that it was used for."""
    found = []
    for use in uses:
        said = f"{use['item']}, {use['region'] or 'anywhere'}, {use['year'] or 'undated'}"
        if use["substituted"]:
            wanted = use["substituted"]["wanted"]
            found.append(
                f"{said} stands in for {wanted['region'] or 'anywhere'}, {wanted['year']}:"
                f" {use['substituted']['reason']}"
            )
        if use["status"] != OFFICIAL:
            found.append(f"{said} is {use['status']}: {use['source']}")
    return list(dict.fromkeys(found))
