"""Credits used against a compliance obligation: capped, and barred for some (domain.md §5). Pure.

What may be used for what is a scheme's data (§4.9); of a project it is said whether its reductions
lie inside emissions that are surrendered for, and whether its credits are of an old generation. The
cap is over all that one beneficiary retires of one scheme for one compliance year.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import Refused
from ledger.registry.scheme import ETS, PPM, RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a scheme allows (§4.9)."""

    scheme: str
    kind: str
    purposes: frozenset[str]
    cap_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The project that units come from (§4.10)."""

    project: str
    inside_ets: bool
    old: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrender:
    """Units retired for an obligation: `obligation` is all that the beneficiary owes, in units."""

    beneficiary: str
    purpose: str
    year: int
    units: int
    obligation: int


def require_allowed(allowance: Allowance, purpose: str, origins: Iterable[Origin]) -> None:
    """Raises Refused where units of these projects can't be used for a compliance purpose."""
    if purpose not in allowance.purposes:
        # Of an internal record people must hear what it is, not only that it will not do.
        if allowance.kind == RECORD:
            raise Refused(
                f"units of {allowance.scheme} are internal reduction records, not CCER/PHCER: no"
                " compliance use"
            )
        allowed = ", ".join(sorted(allowance.purposes))
        raise Refused(f"units of {allowance.scheme} are retired for {allowed}, not for {purpose}")
    for origin in origins:
        if origin.inside_ets:
            raise Refused(
                f"project {origin.project} lies inside of emissions that are surrendered for: its"
                f" reductions count there already, so its credits are of no use for {purpose}"
            )
        if origin.old and purpose == ETS:
            raise Refused(
                f"credits of project {origin.project} are of the old generation, which is not"
                f" usable for {purpose} from 2025 on"
            )


def require_within_cap(
    allowance: Allowance, surrender: Surrender, earlier: Iterable[Surrender]
) -> None:
    """The cap over all that was retired of a scheme for one beneficiary, purpose and year.

    `earlier`: of the same scheme, whoever's and whenever's. Raises Refused.
    """
    same = [one for one in earlier if _purpose_of(one) == _purpose_of(surrender)]
    for one in same:
        if one.obligation != surrender.obligation:
            raise Refused(
                f"the obligation of {surrender.beneficiary!r} for {surrender.year} is stated as"
                f" {surrender.obligation} units; before it was {one.obligation}, and it stays so"
            )
    used = sum(one.units for one in same)
    most = surrender.obligation * allowance.cap_ppm // PPM
    if used + surrender.units > most:
        raise Refused(
            f"{surrender.units} units of {allowance.scheme} for {surrender.purpose} of"
            f" {surrender.beneficiary!r} in {surrender.year}: {most} of {surrender.obligation} are"
            f" allowed ({allowance.cap_ppm / 10_000:g} %), {used} are used, {most - used} are left"
        )


def _purpose_of(one: Surrender) -> tuple[str, str, int]:
    return one.beneficiary, one.purpose, one.year
