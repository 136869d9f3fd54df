"""What a figure is, and what those of this folder share. Pure.

Each is a numerator and a denominator, exact, with what it counts and what falls short of it; or it
says why there is nothing to compute. Shares are of things that are there: no storage is no 100 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from ledger.scorecard.situation import Accounted, Situation
from ledger.scorecard.standard import Texts

DETAILS_MAX: Final = 100
Detail = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """value = numerator / denominator in `unit`, times 100 where that is %.

    `definition`: what was counted. `details`: what falls short, at most 100, each with an `id`.
    """

    numerator: int
    denominator: int
    unit: str
    definition: Texts
    details: tuple[Detail, ...] = ()
    regime: str = ""

    @property
    def value(self) -> Fraction:
        scale = 100 if self.unit == "%" else 1
        return Fraction(self.numerator * scale, self.denominator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Nothing can be computed, and why."""

    why: Texts


Computed = Figure | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A figure that this program computes, and its unit."""

    unit: str
    compute: Callable[[Situation], Computed]


def missing(zh: str, en: str) -> Missing:
    return Missing(why=Texts(zh=zh, en=en))


def share(good: int, whole: int, definition: Texts, short: Iterable[Detail]) -> Figure:
    return Figure(
        numerator=good,
        denominator=whole,
        unit="%",
        definition=definition,
        details=tuple(short)[:DETAILS_MAX],
    )


def accounted(slug: str) -> Callable[[Situation], Computed]:
    def compute(held: Situation) -> Computed:
        found = held.accounted.get(slug)
        if isinstance(found, Accounted):
            return Figure(
                numerator=found.numerator,
                denominator=found.denominator,
                unit=found.unit,
                definition=found.definition,
                details=found.details,
                regime=found.regime,
            )
        if isinstance(found, Texts):
            return Missing(why=found)
        return missing("核算没有给出该数值", "accounting gives no such figure")

    return compute
