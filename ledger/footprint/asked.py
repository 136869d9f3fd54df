"""What a footprint is asked of: product, period, rules, and the claimed energy that is its. Pure.

`about` of a report of kind `footprint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger.accounting.factors.used import Substitution, read_substitutions
from ledger.accounting.facts import SUPPLY_CLASSES
from ledger.errors import InvalidInput
from ledger.footprint import members as m
from ledger.log import entry as e
from ledger.log.entry import Member

REGIME: Final = "product-footprint"
_ABOUT: Final[Mapping[str, Member]] = {
    "product": e.ID,
    "period": m.PERIOD,
    "regime": m.SLUG,
    "sets": Member(
        expected="an array of names of sets of factors",
        check=lambda value: isinstance(value, list) and all(map(m.SLUG.check, value)),
    ),
    "supplies": m.objects(1_000),
    "substitutions": m.objects(200),
}
_SUPPLY: Final[Mapping[str, Member]] = {
    "claim": e.ID,
    "supply_class": e.one_of(*SUPPLY_CLASSES),
    "technology": Member(
        expected='a technology as plants have it, or ""',
        check=lambda value: isinstance(value, str) and len(value) <= 200,
    ),
    "wh": Member(
        expected="an integer above 0", check=lambda value: e.COUNT.check(value) and value > 0
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """Wh of a claim, of one class and technology, that a footprint takes for its product."""

    claim: str
    supply_class: str
    technology: str
    wh: int

    @property
    def said(self) -> str:
        return f"claim {self.claim}, {self.supply_class}, {self.technology or 'no technology'}"

    @property
    def kind(self) -> tuple[str, str]:
        return self.supply_class, self.technology

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`sets`: factor sets in the order in which they are asked; none: all of the operator's."""

    product: str
    period: str
    regime: str = REGIME
    sets: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    substitutions: tuple[Substitution, ...] = ()

    @property
    def year(self) -> int:
        return int(self.period[:4])

    def to_json(self) -> dict[str, Any]:
        return {
            "product": self.product,
            "period": self.period,
            "regime": self.regime,
            "sets": list(self.sets),
            "supplies": [one.to_json() for one in self.parts],
            "substitutions": [one.to_json() for one in self.substitutions],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Asked:
        """Raises InvalidInput."""
        e.check_members(value, _ABOUT)
        m.check_each("supplies", value["supplies"], _SUPPLY)
        parts = tuple(Part(**one) for one in value["supplies"])
        kinds = [(one.claim, *one.kind) for one in parts]
        if kinds != sorted(set(kinds)):
            raise InvalidInput(
                "supplies stand in order of claim, class and technology, none of them twice"
            )
        return cls(
            product=value["product"],
            period=value["period"],
            regime=value["regime"],
            sets=tuple(value["sets"]),
            parts=parts,
            substitutions=read_substitutions(value["substitutions"]),
        )
