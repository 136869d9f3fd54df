"""Regimes: under which rules a figure stands, as data that the log holds. Pure.

A regime says how each class of supply counts and by which factor, which terms there are besides
electricity, which gases, which set of technologies is zero, where offsets may stand, and which
tests a figure has to pass. What came with the program is only what a log begins with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from ledger.accounting import facts
from ledger.errors import InvalidInput

REGISTER: Final = "regime"
STATUSES: Final = ("official", "secondary", "unverified")

# What the figure of a regime is.
EMISSIONS: Final = "emissions"
SHARE: Final = "share"
RATIOS: Final = "ratios"
FIGURES: Final = (EMISSIONS, SHARE, RATIOS)

# How a class of supply counts; anything else is the name of one of the regime's factors.
ZERO: Final = "zero"
# 0 where its technology is in the set that is zero, else by that technology's or the other factor.
TECHNOLOGY: Final = "technology"
# The same, but what is not in the set was made of own fuel, and counts there.
OWN: Final = "own"
RESIDUAL: Final = "residual"
CLASSES: Final = (*facts.SUPPLY_CLASSES, RESIDUAL)

SETS: Final = ("clean", "fossil", "non-fossil", "renewable")
LEVELS: Final = ("", "national", "grid", "province")
PERIOD: Final = "period"
HOUR: Final = "hour"
ANY: Final = "any"
INTERVAL: Final = "interval"

TOTAL: Final = "total"
LINE: Final = "line"
NONE: Final = "none"
CAPPED: Final = "capped"
FULL: Final = "full"
FACTOR: Final = "factor"

TEST_FIGURES: Final = (
    "cfe",
    "direct-share",
    "export-of-available",
    "intensity",
    "self-of-available",
    "self-of-consumption",
    "share",
)
PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRule:
    """Which factor: its item, the region's level ("": as the library has it), its year (0: the
    period's), its standard ("": any)."""

    item: str
    level: str
    year: int
    standard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricityRule:
    """How electricity counts. `classes`: {class or residual: zero, technology, own, or a factor}.

    `matched` interval: only what covers consumption in its own quarter-hour counts as its class.
    `technologies`: {technology: factor}, before `zero_set` and `other`. `export_factor` "": what
    is sold is no term.
    """

    scope: int
    resolution: str
    matched: str
    classes: Mapping[str, str]
    zero_set: str
    other: str
    technologies: Mapping[str, str]
    factors: Mapping[str, FactorRule]
    export_zero_set: str
    export_factor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A category of activities that counts: in the total, or on a line of its own."""

    category: str
    scope: int
    counts: str
    directions: tuple[str, ...]
    oxidation: str
    standard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetRule:
    """Offsets stand apart, always. `capped`: of `schemes`, for `purpose`, up to `cap_ppm` of the
    total may meet an obligation, and of that `local_ppm` at least is of `local_scheme`."""

    mode: str
    schemes: tuple[str, ...]
    purpose: str
    cap_ppm: int
    local_scheme: str
    local_ppm: int
    source: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRule:
    """A share of consumption: of which set of technologies, by which classes of supply."""

    set: str
    classes: tuple[str, ...]
    definition: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A limit of a figure, for parks of a size (tce) and a time; None: no bound."""

    figure: str
    limit: str
    value: str
    size_from: str
    size_to: str
    from_s: int | None
    to_s: int | None
    title: Mapping[str, str]
    source: str
    status: str

    def holds_at(self, at_s: int) -> bool:
        return (self.from_s is None or self.from_s <= at_s) and (
            self.to_s is None or at_s < self.to_s
        )

    def is_for(self, size_tce: Fraction) -> bool:
        return (not self.size_from or Fraction(self.size_from) <= size_tce) and (
            not self.size_to or size_tce < Fraction(self.size_to)
        )

    def passes(self, above: Fraction | int, below: Fraction | int) -> bool:
        """Whether above / below (> 0) is within the limit: exactly, by cross-multiplication."""
        bound = Fraction(self.value) * below
        return above >= bound if self.limit == "least" else above <= bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """Rules of a figure. `electricity` None: there is no such term. `content`: as registered."""

    name: str
    title: Mapping[str, str]
    source: str
    status: str
    figure: str
    gases: tuple[str, ...]
    gwp: str
    sets: Mapping[str, frozenset[str]]
    electricity: ElectricityRule | None
    terms: Mapping[str, Term]
    offsets: OffsetRule
    share: ShareRule | None
    tests: tuple[Test, ...]
    notes: tuple[Mapping[str, str], ...]
    content: Mapping[str, Any]

    def require_known(self, technology: str, where: str) -> None:
        """Raises InvalidInput for a technology that no set has."""
        if not any(technology in found for found in self.sets.values()):
            known = ", ".join(sorted(frozenset().union(*self.sets.values())))
            raise InvalidInput(
                f"{where}: technology {technology!r} is in no set of regime {self.name}; known are"
                f" {known}: name it so in the master data of the plant, or of the certificates'"
                " project, or register a regime that has it"
            )

    def heading(self) -> dict[str, Any]:
        """What stands over each figure."""
        return {
            "regime": self.name,
            "title": dict(self.title),
            "source": self.source,
            "status": self.status,
        }
