"""Signed evidence: documents that answer a clause, for as long as they are valid. Pure.

A document is a record of register `document` that names the standard and the clause. Who signed the
entry answers for it; what a verifier signed ranks before what the park says of itself, and that
before what any member says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from ledger.units import format_instant

# A document with this figure says that a clause has nothing to apply to.
NOT_APPLICABLE: Final = "not-applicable"
VERIFIER: Final = "verifier"
OPERATOR: Final = "park-operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A number that a document gives."""

    name: str
    value: str
    unit: str

    @property
    def exact(self) -> Fraction:
        return Fraction(Decimal(self.value))

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "value": self.value, "unit": self.unit}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A document in force in its register. `valid_from_s`, `valid_until_s`: None where it does not
    say. `about`: (standard, clause). `roles`: of the party that signed it, sorted."""

    record: str
    entry_index: int
    hash: str
    author: str
    roles: tuple[str, ...]
    title: str
    sha256: str
    issuer: str
    about: frozenset[tuple[str, str]]
    statement: str = ""
    valid_from_s: int | None = None
    valid_until_s: int | None = None
    figure: Stated | None = None

    @property
    def independent(self) -> bool:
        return VERIFIER in self.roles

    def in_force(self, at_s: int) -> bool:
        begun = self.valid_from_s is None or self.valid_from_s <= at_s
        return begun and (self.valid_until_s is None or at_s < self.valid_until_s)

    def expired(self, at_s: int) -> bool:
        return self.valid_until_s is not None and self.valid_until_s <= at_s

    def to_json(self, at_s: int) -> dict[str, Any]:
        state = "valid" if self.in_force(at_s) else "expired" if self.expired(at_s) else "not-yet"
        return {
            "id": self.record,
            "entry": self.entry_index,
            "hash": self.hash,
            "signed_by": self.author,
            "roles": list(self.roles),
            "independent": int(self.independent),
            "title": self.title,
            "sha256": self.sha256,
            "issuer": self.issuer,
            "statement": self.statement,
            "valid_from": _instant(self.valid_from_s),
            "valid_until": _instant(self.valid_until_s),
            "state": state,
            "figure": self.figure.to_json() if self.figure else "",
        }


def _instant(at_s: int | None) -> str:
    return "" if at_s is None else format_instant(at_s)


def ranked(found: Iterable[Evidence]) -> list[Evidence]:
    """What a verifier signed first, then what the operator did; of those the newest. So no member
    takes an answer of the park's away with a document of its own."""
    return sorted(
        found, key=lambda one: (not one.independent, OPERATOR not in one.roles, -one.entry_index)
    )


def by_clause(standard: str, found: Sequence[Evidence]) -> Mapping[str, list[Evidence]]:
    """{clause's id: documents about it, ranked}."""
    clauses: dict[str, list[Evidence]] = {}
    for one in ranked(found):
        for of, clause in one.about:
            if of == standard:
                clauses.setdefault(clause, []).append(one)
    return clauses
