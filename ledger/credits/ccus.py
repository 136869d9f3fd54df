"""Captured CO2, weighed: what was stored, what of it is credited (docs/formats.md §4.11). Pure.

All masses are integers of grams; the parts sum to the whole, gram by gram.

A period's flows, in the order in which CO2 passes the meters:

    captured ─┬→ used                       not stored: no storage unless somebody shows it
              └→ transported ─┬→ transport-leakage
                  recycled → ─┴→ injected ─→ equipment-leakage, surface-leakage, produced

`injected` is all that goes into the ground, what was produced and goes down again (`recycled`)
with it; so transported CO2 is booked once, however often it goes around. What is stored is

    stored = injected − produced − surface-leakage − equipment-leakage

as in 40 CFR 98.443, equation RR-11. From it the emissions of doing so are taken; what is left is
credited, in a chain of all that is confirmed or escapes of a project: first old reversals are made
up for, then the buffer has its share, then whole tonnes are units. So there is never a debt and a
buffer at one time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, Self

from ledger.errors import InvalidInput, Refused

UNIT_G: Final = 1_000_000
PPM: Final = 1_000_000
AVOIDED: Final = "avoided"
REMOVAL: Final = "removal"
# A balance that may be off by more than a twentieth of what was captured is none.
TOLERANCE_PARTS: Final = 20
# 1 Gt: far above any park, and sums over thousands of records stay in 64 bits.
MASS_G_MAX: Final = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """A monitoring period's masses in g, each 0 to MASS_G_MAX. Raises InvalidInput."""

    captured_g: int
    used_g: int
    transported_g: int
    transport_leakage_g: int
    recycled_g: int
    injected_g: int
    produced_g: int
    surface_leakage_g: int
    equipment_leakage_g: int
    energy_emissions_g: int
    transport_emissions_g: int
    injection_emissions_g: int

    def __post_init__(self) -> None:
        for role, mass_g in self.by_role().items():
            if not 0 <= mass_g <= MASS_G_MAX:
                raise InvalidInput(f"{role} is {mass_g} g; a mass is 0 to {MASS_G_MAX} g")

    @property
    def stored_g(self) -> int:
        """Gross. Below 0 where more escaped than was injected."""
        return self.injected_g - self.produced_g - self.surface_leakage_g - self.equipment_leakage_g

    @property
    def emissions_g(self) -> int:
        """Of capturing, transporting and injecting."""
        return self.energy_emissions_g + self.transport_emissions_g + self.injection_emissions_g

    @property
    def net_g(self) -> int:
        return max(0, self.stored_g - self.emissions_g)

    def by_role(self) -> dict[str, int]:
        """{role: g}, in the order of ROLES."""
        return {role: getattr(self, name) for role, name in _FIELD_OF.items()}

    @classmethod
    def of_roles(cls, mass_g: Mapping[str, int]) -> Self:
        """Raises InvalidInput unless each role is there: none is 0 for want of a word."""
        if missing := [role for role in ROLES if role not in mass_g]:
            raise InvalidInput(f"no mass is given for {', '.join(missing)}; where there is none: 0")
        if unknown := sorted(set(mass_g) - set(ROLES)):
            raise InvalidInput(f"unknown role {unknown[0]!r}; roles are {', '.join(ROLES)}")
        return cls(**{name: mass_g[role] for role, name in _FIELD_OF.items()})

    def require_balanced(self, tolerance_g: int) -> None:
        """The balance closes at each stage. Raises InvalidInput or Refused naming the stage."""
        most_g = self.captured_g // TOLERANCE_PARTS
        if not 0 <= tolerance_g <= most_g:
            raise InvalidInput(
                f"tolerance_g is {tolerance_g}; it is 0 to {most_g}, a twentieth of what was"
                " captured"
            )
        _require_close(
            "transport: captured − used − transported",
            self.captured_g - self.used_g - self.transported_g,
            tolerance_g,
        )
        _require_close(
            "injection: transported + recycled − transport-leakage − injected",
            self.transported_g + self.recycled_g - self.transport_leakage_g - self.injected_g,
            tolerance_g,
        )
        if self.recycled_g > self.produced_g:
            raise Refused(
                f"recycling: {self.recycled_g} g are recycled, {self.produced_g} g were produced;"
                " what goes down again came up before"
            )
        if self.stored_g < 0:
            raise Refused(
                f"storage: {-self.stored_g} g more escaped than were injected; that is no"
                " reduction, but a reversal of earlier ones"
            )


_FIELD_OF: Final = {
    field.name.removesuffix("_g").replace("_", "-"): field.name for field in fields(Flows)
}
ROLES: Final = tuple(_FIELD_OF)
INJECTED: Final = "injected"


def _require_close(stage: str, found_g: int, tolerance_g: int) -> None:
    if abs(found_g) > tolerance_g:
        raise Refused(
            f"the mass balance does not close at {stage} = {found_g} g; {-tolerance_g} to"
            f" {tolerance_g} g are allowed"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is credited of one kind: carried_g + g = units · 10^6 + left_g, left_g below a unit."""

    carried_g: int
    g: int

    @property
    def units(self) -> int:
        return (self.carried_g + self.g) // UNIT_G

    @property
    def left_g(self) -> int:
        return (self.carried_g + self.g) % UNIT_G


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """What became of a record's net_g = debit_g + buffer_g + avoided.g + removal.g."""

    debit_g: int
    buffer_g: int
    avoided: Part
    removal: Part

    @property
    def parts(self) -> dict[str, Part]:
        """By class of unit."""
        return {AVOIDED: self.avoided, REMOVAL: self.removal}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """How a reversal is met: g = buffer_g + debit_g; the latter later records make up for."""

    buffer_g: int
    debit_g: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A project's account after all that was confirmed and reversed of it so far.

    `stored_g`: what should still be in the ground, gross. `owed_g`: reversals that nothing has made
    up for yet. `avoided_g`, `removal_g`: left below a unit.
    """

    stored_g: int = 0
    buffer_g: int = 0
    owed_g: int = 0
    avoided_g: int = 0
    removal_g: int = 0

    def credit(self, net_g: int, *, biogenic_ppm: int, buffer_ppm: int) -> Credited:
        """What a confirmed record is worth now: the buffer is rounded up, the removal down."""
        debit_g = min(self.owed_g, net_g)
        made_g = net_g - debit_g
        buffer_g = -(-made_g * buffer_ppm // PPM)
        credited_g = made_g - buffer_g
        removal_g = credited_g * biogenic_ppm // PPM
        return Credited(
            debit_g=debit_g,
            buffer_g=buffer_g,
            avoided=Part(carried_g=self.avoided_g, g=credited_g - removal_g),
            removal=Part(carried_g=self.removal_g, g=removal_g),
        )

    def reverse(self, escaped_g: int) -> Reversed:
        """Raises Refused where more escapes than was ever stored."""
        if escaped_g > self.stored_g:
            raise Refused(
                f"{escaped_g} g are reversed; the project's confirmed records have {self.stored_g}"
                " g in storage"
            )
        buffer_g = min(self.buffer_g, escaped_g)
        return Reversed(buffer_g=buffer_g, debit_g=escaped_g - buffer_g)

    def after_record(self, stored_g: int, credited: Credited | None) -> Standing:
        """`credited`: None for what is subtracted at the source."""
        if credited is None:
            return replace(self, stored_g=self.stored_g + stored_g)
        return Standing(
            stored_g=self.stored_g + stored_g,
            buffer_g=self.buffer_g + credited.buffer_g,
            owed_g=self.owed_g - credited.debit_g,
            avoided_g=credited.avoided.left_g,
            removal_g=credited.removal.left_g,
        )

    def after_reversal(self, reversed_: Reversed) -> Standing:
        return replace(
            self,
            stored_g=self.stored_g - reversed_.buffer_g - reversed_.debit_g,
            buffer_g=self.buffer_g - reversed_.buffer_g,
            owed_g=self.owed_g + reversed_.debit_g,
        )
