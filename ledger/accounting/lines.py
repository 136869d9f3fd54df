"""Lines of an account, and totals of them. Pure.

Mass is kept per gas, in integer grams; each line is rounded once, half to even. A total is made of
lines alone, so that its parts sum to it. CO2e stands beside the gases, where a regime names the
assessment whose potentials turn one into the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.factors.members import CO2E, UNSTATED
from ledger.errors import Refused

CO2: Final = "CO2"
TOTAL: Final = "total"
APART: Final = "line"

Title = Mapping[str, str]
Exact = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One quantity, how it counts, and what it rests on.

    `counts`: in the total, or apart. `factor`: what was used of the library, {} where nothing was.
    `co2e_g`: None under a regime that knows no CO2e. `coverage`: gases that the factor covers; none
    where nothing is emitted. `counterparty`: the member on the other side. `records`: ids, sorted.
    """

    id: str
    category: str
    title: Title
    quantity: Fraction
    unit: str
    scope: int = 0
    counts: str = TOTAL
    factor: Mapping[str, Any] = field(default_factory=dict)
    gwp: tuple[Mapping[str, Any], ...] = ()
    gases_g: Mapping[str, int] = field(default_factory=dict)
    co2e_g: int | None = None
    coverage: tuple[str, ...] = ()
    park_system: str = ""
    counterparty: str = ""
    pending_wh: int = 0
    records: tuple[str, ...] = ()
    notes: tuple[Title, ...] = ()

    @property
    def mass_g(self) -> int:
        """What a total of the regime counts: CO2e, or CO2 where that is all."""
        return sum(self.gases_g.values()) if self.co2e_g is None else self.co2e_g

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "category": self.category,
            "title": dict(self.title),
            "quantity": decimal(self.quantity),
            "unit": self.unit,
            "scope": self.scope,
            "counts": self.counts,
            "factor": dict(self.factor) or "",
            "gwp": [dict(one) for one in self.gwp],
            "gases_g": dict(sorted(self.gases_g.items())),
            "co2e_g": "" if self.co2e_g is None else self.co2e_g,
            "coverage": list(self.coverage),
            "park_system": self.park_system,
            "counterparty": self.counterparty,
            "pending_wh": self.pending_wh,
            "records": list(self.records),
            "notes": [dict(one) for one in self.notes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum of lines. `coverage`: {category: the gases that its factors cover}."""

    gases_g: Mapping[str, int]
    co2e_g: int | None
    coverage: Mapping[str, tuple[str, ...]]

    @property
    def mass_g(self) -> int:
        return sum(self.gases_g.values()) if self.co2e_g is None else self.co2e_g

    @property
    def label(self) -> str:
        """`electricity: CO2 only; process: CH4, CO2`, for people."""
        return "; ".join(
            f"{category}: {', '.join(gases)}{' only' * (len(gases) == 1 and gases != (UNSTATED,))}"
            for category, gases in self.coverage.items()
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "gases_g": dict(sorted(self.gases_g.items())),
            "co2e_g": "" if self.co2e_g is None else self.co2e_g,
            "mass_g": self.mass_g,
            "unit": CO2 if self.co2e_g is None else CO2E,
            "coverage": [
                {"id": category, "gases": list(gases)} for category, gases in self.coverage.items()
            ],
            "label": self.label,
        }


def total_of(lines: Sequence[Line], *, co2e: bool, labelled: bool) -> Total:
    """The sum of lines. Raises Refused for an unlabelled mixture: what covers different gases is
    summed only where the total says so (invariant 15)."""
    gases_g: dict[str, int] = {}
    coverage: dict[str, set[str]] = {}
    kinds: dict[tuple[str, ...], str] = {}
    for one in lines:
        for gas, mass_g in one.gases_g.items():
            gases_g[gas] = gases_g.get(gas, 0) + mass_g
        if one.coverage:
            coverage.setdefault(one.category, set()).update(one.coverage)
            kinds.setdefault(tuple(sorted(one.coverage)), one.id)
    if len(kinds) > 1 and not labelled:
        said = "; ".join(f"{where} covers {', '.join(gases)}" for gases, where in kinds.items())
        raise Refused(
            f"an unlabelled mixture: {said}; sum them only in a total that says what each covers"
        )
    return Total(
        gases_g=gases_g,
        co2e_g=sum(one.mass_g for one in lines) if co2e else None,
        coverage={name: tuple(sorted(found)) for name, found in sorted(coverage.items())},
    )


def rounded(exact: Exact) -> dict[str, int]:
    """Grams, half to even. Nothing of what is exactly 0."""
    return {gas: round(mass) for gas, mass in sorted(exact.items()) if mass}


def decimal(value: Fraction) -> str:
    """Exact where it has an end, else to 9 places, half to even; for people and results."""
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    places = 9
    if denominator == 1:
        places = next(n for n in range(400) if (value * 10**n).denominator == 1)
    scaled = round(value * 10**places)
    whole, rest = divmod(abs(scaled), 10**places)
    text = f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".") if places else str(whole)
    return f"{'-' * (scaled < 0)}{text}"


def records_of(records: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({one for one in records if one}))
