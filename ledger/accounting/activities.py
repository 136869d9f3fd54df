"""Activities under a regime: fuels, conversion, heat, process, refrigerants, transport, … Pure.

- Nothing counts twice: neither by a meter and the one above it, nor by a whole and its part. A
  detail names the record that contains it (`within`), and is counted there.
- A category that a regime does not name does not count; the account lists what it left out.
- Sinks stand apart, always; so do CO2 of biogenic origin and gases that the regime does not count.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from ledger.accounting import facts as f
from ledger.accounting import titles
from ledger.accounting.factors import units
from ledger.accounting.factors.members import CO2E, is_decimal
from ledger.accounting.factors.used import Found
from ledger.accounting.facts import ActivityFact, Facts
from ledger.accounting.finding import GRAM, Finder, full_oxidation
from ledger.accounting.lines import APART, CO2, Line, Title
from ledger.accounting.regime import FULL, Term
from ledger.errors import InvalidInput, Refused
from ledger.units import Period

_HOW: Final = "name in 'within' the one that contains the other, or end one of them"

BIOGENIC: Final = "biogenic"
OTHER_GAS: Final = "other-gas"
# Items that are the gas itself: measured, or from a balance.
_ITSELF: Final[Mapping[str, str]] = {"co2": CO2, "ch4": "CH4", "n2o": "N2O"}
_GWP: Final = "gwp-"
_FULL_OXIDATION: Final[Title] = {
    "zh": "氧化率按 100 %：低位发热量 × 单位热值含碳量 × 44/12",
    "en": "oxidation 100 %: NCV × carbon content × 44/12",
}
_NONFOSSIL: Final[Title] = {"zh": "非化石热力，计为 0", "en": "heat of non-fossil origin: 0"}
_OWN_FACTOR: Final[Title] = {"zh": "实测或自有因子", "en": "measured, or an own factor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mass:
    """What an activity emits in g per gas, exactly, by which factor, covering which gases."""

    exact: Mapping[str, Fraction]
    covers: Mapping[str, tuple[str, ...]]
    use: Mapping[str, Any]
    notes: tuple[Title, ...] = ()


def counted(facts: Facts) -> tuple[ActivityFact, ...]:
    """The activities that count, details left out. Raises Refused for what counts twice."""
    by_record = {one.record: one for one in facts.activities}
    if len(by_record) != len(facts.activities):
        raise InvalidInput(f"{facts.subject}: a record of an activity is given twice")
    for one in facts.activities:
        if one.within:
            _require_contained(one, by_record)
    found = tuple(one for one in facts.activities if not one.within)
    for same in _groups(found):
        _require_points_apart([one for one in same if one.point], facts.parents)
        _require_bills_apart(same)
    return found


def _groups(found: Sequence[ActivityFact]) -> Iterator[list[ActivityFact]]:
    """What may be the same thing: of one item, and one side."""
    groups: dict[tuple[str, ...], list[ActivityFact]] = {}
    for one in found:
        groups.setdefault((one.organisation, one.category, one.item, one.direction), []).append(one)
    yield from groups.values()


def _require_contained(one: ActivityFact, by_record: Mapping[str, ActivityFact]) -> None:
    whole = by_record.get(one.within)
    if whole is None:
        raise InvalidInput(f"activity {one.record} is within {one.within}, which is not there")
    if whole.within:
        raise InvalidInput(
            f"activity {one.record} is within {whole.record}, which is itself within another: name"
            f" the outermost, {whole.within}"
        )
    if (whole.category, whole.item, whole.direction) != (one.category, one.item, one.direction):
        raise InvalidInput(
            f"activity {one.record} is {one.category} {one.item}, {whole.record} that should"
            f" contain it is {whole.category} {whole.item}"
        )
    if units.convert(one.quantity, one.unit, whole.unit) > whole.quantity:
        raise Refused(f"activity {one.record} is more than {whole.record}, which contains it")


def _require_points_apart(metered: Sequence[ActivityFact], parents: Mapping[str, str]) -> None:
    """No meter counts twice, nor one below another. Raises Refused."""
    of_point: dict[str, list[ActivityFact]] = {}
    for one in metered:
        of_point.setdefault(one.point, []).append(one)
    for point, mine in of_point.items():
        for first, second in itertools.pairwise(sorted(mine, key=lambda one: one.period)):
            if first.period.overlaps(second.period):
                raise Refused(
                    f"{_said(first, second)} are both of point {point}, at the same time: {_HOW}"
                )
        for above in _above(point, parents):
            for one, other in itertools.product(mine, of_point.get(above, ())):
                if one.period.overlaps(other.period):
                    raise Refused(
                        f"{_said(one, other)}: point {above} is above {point}, so this counts"
                        f" twice: {_HOW}"
                    )


def _require_bills_apart(same: Sequence[ActivityFact]) -> None:
    """A month may have many bills; but a bill counts once, and so do a year and its months, and
    what is billed and metered. Raises Refused."""
    sides: dict[tuple[str, str], list[ActivityFact]] = {}
    for one in same:
        sides.setdefault((one.park_system, one.counterparty), []).append(one)
    for side in sides.values():
        billed = [one for one in side if not one.point]
        _require_different(billed)
        _require_no_part(billed)
        for bill, metered in itertools.product(billed, [one for one in side if one.point]):
            if bill.period.overlaps(metered.period):
                raise Refused(
                    f"{_said(bill, metered)}: one is metered, the other is not, and both are of the"
                    f" same organisation, system and time: {_HOW}"
                )


def _require_different(side: Sequence[ActivityFact]) -> None:
    known: dict[tuple[object, ...], ActivityFact] = {}
    for one in side:
        what = (one.period, one.quantity, one.unit, one.documents)
        before = known.setdefault(what, one)
        if before is not one:
            raise Refused(
                f"{_said(before, one)} say the same of the same time, and nothing tells them"
                f" apart: {_HOW}, or name the document of each"
            )


def _require_no_part(billed: Sequence[ActivityFact]) -> None:
    """Of times that overlap, such as a year and its month, each has documents of its own."""
    of_period: dict[Period, list[ActivityFact]] = {}
    for one in billed:
        of_period.setdefault(one.period, []).append(one)
    going: list[Period] = []
    for period in sorted(of_period):
        going = [one for one in going if one.overlaps(period)]
        for other in going:
            _require_own_documents(of_period[other], of_period[period])
        going.append(period)


def _require_own_documents(some: Sequence[ActivityFact], others: Sequence[ActivityFact]) -> None:
    mine, theirs = ({name for one in side for name in one.documents} for side in (some, others))
    if mine & theirs or not all(one.documents for one in (*some, *others)):
        raise Refused(
            f"{_said(some[0], others[0])} are of the same organisation and system, and of times"
            f" that overlap, such as a year and its month: {_HOW}, or name the document of each"
        )


def _said(first: ActivityFact, second: ActivityFact) -> str:
    return f"activities {first.record} and {second.record} of {first.item}"


def _above(point: str, parents: Mapping[str, str]) -> Iterator[str]:
    seen = {point}
    while (point := parents.get(point, "")) and point not in seen:
        seen.add(point)
        yield point


def lines_of(
    finder: Finder, found: Sequence[ActivityFact]
) -> tuple[list[Line], list[ActivityFact]]:
    """The lines of activities, and those that the regime has no term for. Raises as the library."""
    lines: list[Line] = []
    left: list[ActivityFact] = []
    for one in found:
        term = finder.regime.terms.get(one.category)
        if one.category == f.SINK:
            lines.append(_sink_line(finder, one))
        elif term is None or one.direction not in term.directions:
            left.append(one)
        else:
            lines += _activity_lines(finder, one, term)
    return lines, left


def _activity_lines(finder: Finder, one: ActivityFact, term: Term) -> Iterator[Line]:
    """A line in the total, and lines of what stands apart: biogenic CO2, other gases."""
    mass = _mass_of(finder, one, term)
    sign = -1 if one.direction == f.OUT else 1
    parts: dict[str, dict[str, Fraction]] = {one.category: {}}
    for gas, grams in mass.exact.items():
        part = one.category
        if one.biogenic and gas == CO2:
            part = BIOGENIC
        elif not finder.counts(gas, mass.covers.get(gas, (gas,)), f"activity {one.record}"):
            part = OTHER_GAS
        parts.setdefault(part, {})[gas] = sign * grams
    for part, exact in parts.items():
        apart = part != one.category
        yield finder.line(
            exact,
            mass.covers,
            id=f"{part}/{one.item}/{one.record}",
            category=part,
            title=titles.of_item(part, one.item, one.direction),
            quantity=sign * one.quantity,
            unit=one.unit,
            scope=0 if apart else term.scope,
            counts=APART if apart else term.counts,
            factor=mass.use,
            park_system=one.park_system,
            counterparty=one.counterparty,
            records=(one.record,),
            notes=mass.notes,
        )


def _sink_line(finder: Finder, one: ActivityFact) -> Line:
    """What was bound: below 0, and in no total."""
    mass = _mass_of(finder, one, None)
    return replace(
        finder.line(
            {gas: -grams for gas, grams in mass.exact.items()},
            mass.covers,
            id=f"{f.SINK}/{one.item}/{one.record}",
            category=f.SINK,
            title=titles.of_item(f.SINK, one.item, f.IN),
            quantity=one.quantity,
            unit=one.unit,
            factor=mass.use,
            park_system=one.park_system,
            records=(one.record,),
            notes=mass.notes,
        ),
        counts=APART,
    )


def _mass_of(finder: Finder, one: ActivityFact, term: Term | None) -> _Mass:
    if one.category == f.HEAT and one.nonfossil:
        return _Mass(exact={}, covers={}, use={}, notes=(_NONFOSSIL,))
    if one.item in _ITSELF:
        gas = _ITSELF[one.item]
        grams = units.convert(one.quantity, one.unit, GRAM)
        return _Mass(exact={gas: grams}, covers={gas: (gas,)}, use={})
    if one.factor:
        return _by_own_factor(one)
    if one.item.startswith(_GWP):
        return _gas_itself(finder, one)
    found = finder.find(one.item, term.standard if term else "")
    notes: tuple[Title, ...] = ()
    exact = {}
    for each in found:
        exact[each.gas], note = _times(each, one, full=term is not None and term.oxidation == FULL)
        notes = note or notes
    uses = [each.use() for each in found]
    return _Mass(
        exact=exact,
        covers={each.gas: each.covers for each in found},
        use=uses[0] if len(uses) == 1 else {"gases": uses},
        notes=notes,
    )


def _times(found: Found, one: ActivityFact, *, full: bool) -> tuple[Fraction, tuple[Title, ...]]:
    value = full_oxidation(found) if full else None
    if value is None:
        return found.times(one.quantity, one.unit, GRAM), ()
    return replace(found, value=value).times(one.quantity, one.unit, GRAM), (_FULL_OXIDATION,)


def _gas_itself(finder: Finder, one: ActivityFact) -> _Mass:
    """A refrigerant that leaked: the mass of its gases; their effect comes with the potentials."""
    if not finder.regime.gwp:
        raise InvalidInput(
            f"activity {one.record}: regime {finder.regime.name} names no assessment, so {one.item}"
            " has no effect there"
        )
    found = finder.library.find(
        one.item, region=finder.place, year=finder.year, standard=finder.regime.gwp
    )
    grams = units.convert(one.quantity, one.unit, GRAM)
    shares = {gas: Fraction(found.parts.get(gas.lower(), "0")) for gas in found.covers}
    if len(shares) == 1:
        shares = dict.fromkeys(shares, Fraction(1))
    if sum(shares.values()) != 1:
        raise InvalidInput(
            f"activity {one.record}: {one.item} is a blend of {', '.join(shares)}, and its parts do"
            " not say of how much of each: record the gases apart"
        )
    return _Mass(
        exact={gas: grams * share for gas, share in shares.items()},
        covers={gas: (gas,) for gas in shares},
        use=found.use(),
    )


def _by_own_factor(one: ActivityFact) -> _Mass:
    """An own factor {value, unit, gas, source}: a measured one of heat, of a fuel's analysis, …"""
    missing = [name for name in ("value", "unit", "gas") if not one.factor.get(name)]
    if missing:
        raise InvalidInput(
            f"activity {one.record}: its own factor lacks {', '.join(missing)}; give value, unit"
            " (such as t/GJ) and gas"
        )
    gas = one.factor["gas"]
    if gas == CO2E:
        raise InvalidInput(
            f"activity {one.record}: its own factor is of CO2e, an unlabelled mixture: name the gas"
        )
    if not is_decimal(one.factor["value"]):
        raise InvalidInput(
            f"activity {one.record}: its own factor is {one.factor['value']!r}, not a decimal in"
            ' text, such as "0.09"'
        )
    above, _, below = units.normal(one.factor["unit"]).partition("/")
    amount = units.convert(one.quantity, one.unit, below.removeprefix("(").removesuffix(")") or "1")
    grams = units.convert(amount * Fraction(one.factor["value"]), above, GRAM)
    return _Mass(
        exact={gas: grams}, covers={gas: (gas,)}, use=dict(one.factor), notes=(_OWN_FACTOR,)
    )
