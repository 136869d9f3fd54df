"""An account: facts of a subject and period, counted as one regime says. Pure.

What the regime has no term for enters no total: activities of such a category are listed as left
out, offsets and internal records stand on a line of their own, always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ledger.accounting import activities, electricity, titles
from ledger.accounting import facts as f
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.facts import ActivityFact, Facts
from ledger.accounting.finding import Finder, Options
from ledger.accounting.indicators import supply_share
from ledger.accounting.lines import APART, TOTAL, Line, Total, records_of, total_of
from ledger.accounting.offsets import ccus_json, offsets_json
from ledger.accounting.regime import Regime
from ledger.matching.rounding import split
from ledger.units import Period, format_instant

NO_SYSTEM: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Account:
    """Lines of a subject under a regime. `left_out`: {category: records} without a term.

    `electricity`: consumption, estimated, residual and billed Wh. `share`: of the regime's set in
    consumption, where it defines one. `apart`: lines in no total.
    """

    regime: Regime
    subject: str
    period: Period
    lines: tuple[Line, ...]
    left_out: Mapping[str, tuple[str, ...]]
    offsets: Mapping[str, Any]
    ccus: Sequence[Mapping[str, Any]]
    electricity: Mapping[str, Any]
    share: Mapping[str, Any] = field(default_factory=dict)
    by_system_wh: Mapping[str, int] = field(default_factory=dict)

    @property
    def counting(self) -> tuple[Line, ...]:
        return tuple(one for one in self.lines if one.counts == TOTAL)

    @property
    def apart(self) -> tuple[Line, ...]:
        return tuple(one for one in self.lines if one.counts == APART)

    def sum(self, lines: Sequence[Line]) -> Total:
        """CO2 alone is summed as it is; more gases in a total that says what each factor covers."""
        mixed = bool(self.regime.gwp)
        return total_of(lines, co2e=mixed, labelled=mixed)

    @property
    def total(self) -> Total:
        return self.sum(self.counting)

    def of(self, *categories: str) -> int:
        """g of some categories in the total."""
        return sum(one.mass_g for one in self.counting if one.category in categories)

    @property
    def pending_wh(self) -> int:
        return sum(one.pending_wh for one in self.lines)

    @property
    def uses(self) -> list[Mapping[str, Any]]:
        """Every factor that was used, once, in order."""
        found: dict[str, Mapping[str, Any]] = {}
        for one in self.lines:
            for use in (*_flat(one.factor), *one.gwp):
                found.setdefault(str(sorted(use.items(), key=str)), use)
        return [use for _, use in sorted(found.items())]

    def by_system(self) -> dict[str, int]:
        """g of the total by park system; electricity in proportion to what each used, exactly."""
        found: dict[str, int] = {}
        whole = self.of(electricity.CATEGORY)
        weights = dict(sorted(self.by_system_wh.items())) or {NO_SYSTEM: 1}
        if not any(weights.values()):
            weights = {NO_SYSTEM: 1}
        sign = -1 if whole < 0 else 1
        for system, mass_g in zip(weights, split(abs(whole), list(weights.values())), strict=True):
            found[system] = sign * mass_g
        for one in self.counting:
            if one.category != electricity.CATEGORY:
                system = one.park_system or NO_SYSTEM
                found[system] = found.get(system, 0) + one.mass_g
        return {system: mass_g for system, mass_g in sorted(found.items()) if mass_g}

    def by_scope(self) -> list[dict[str, Any]]:
        return [
            {
                "id": str(scope),
                **self.sum([one for one in self.counting if one.scope == scope]).to_json(),
            }
            for scope in sorted({one.scope for one in self.counting})
        ]

    def by_category(self) -> list[dict[str, Any]]:
        return [
            {
                "id": name,
                "title": dict(titles.CATEGORIES[name]),
                **self.sum([one for one in self.counting if one.category == name]).to_json(),
            }
            for name in dict.fromkeys(one.category for one in self.counting)
        ]

    def to_json(self) -> dict[str, Any]:
        """Integers and text alone."""
        return {
            "id": self.regime.name,
            **self.regime.heading(),
            "figure": self.regime.figure,
            "subject": self.subject,
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "total": self.total.to_json(),
            "scopes": self.by_scope(),
            "categories": self.by_category(),
            "systems": [{"id": name, "g": g} for name, g in self.by_system().items()],
            "lines": [one.to_json() for one in self.counting],
            "apart": [one.to_json() for one in self.apart],
            "ccus": [dict(one) for one in self.ccus],
            "offsets": dict(self.offsets),
            "left_out": [
                {"id": name, "records": list(records)}
                for name, records in sorted(self.left_out.items())
            ],
            "electricity": dict(self.electricity),
            "share": dict(self.share) or "",
            "factors": [dict(one) for one in self.uses],
            "notes": [dict(one) for one in self.regime.notes],
        }


def _flat(factor: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(factor.get("gases", [factor])) if factor else []


def account(
    regime: Regime, library: FactorLibrary, facts: Facts, options: Options | None = None
) -> Account:
    """The facts under a regime.

    Raises InvalidInput or Refused, by name: an unknown factor, one of another year or region
    without a stated substitution, a unit that does not convert, what counts twice, a technology
    that no set has, an unlabelled mixture.
    """
    finder = Finder.of(library, regime, options or Options(), facts)
    found, left = activities.lines_of(finder, activities.counted(facts))
    lines = (*electricity.lines_of(finder, facts), *found)
    made = Account(
        regime=regime,
        subject=facts.subject,
        period=facts.period,
        lines=tuple(sorted(lines, key=order_of)),
        left_out=_left_out(regime, facts, left),
        offsets={},
        ccus=[ccus_json(one) for one in facts.ccus],
        electricity=electricity_json(facts),
        share=share_of(regime, [facts.electricity], facts.period),
        by_system_wh=facts.electricity.by_system_wh,
    )
    return with_offsets(made, facts.offsets)


def with_offsets(made: Account, offsets: Sequence[f.Offset]) -> Account:
    """The same with offsets beside its total."""
    return replace(made, offsets=offsets_json(made.regime.offsets, offsets, made.total.mass_g))


def share_of(regime: Regime, found: Sequence[f.Electricity], period: Period) -> dict[str, Any]:
    if regime.share is None:
        return {}
    return supply_share(regime, found, at_s=period.end_s - 1)


_ORDER: Final = {name: place for place, name in enumerate(titles.CATEGORIES)}


def order_of(one: Line) -> tuple[int, int]:
    """By category; within one, as they came (sorting is stable)."""
    return (one.counts == APART, _ORDER[one.category])


def _left_out(
    regime: Regime, facts: Facts, left: Sequence[ActivityFact]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one in left:
        name = one.category if one.direction == f.IN else f"{one.category}-out"
        found.setdefault(name, []).append(one.record)
    rule = regime.electricity
    if rule is None and facts.electricity.consumption_wh:
        found["electricity"] = [
            name for one in facts.electricity.supplies for name in (one.record, one.retirement)
        ]
    if (rule is None or not rule.export_factor) and facts.electricity.exports:
        found["electricity-out"] = [one.record for one in facts.electricity.exports]
    return {name: records_of(records) for name, records in sorted(found.items())}


def electricity_json(facts: Facts) -> dict[str, Any]:
    """Energy, whatever the regime says of it. Billed against metered: both, and what is between."""
    found = facts.electricity
    by_class: dict[str, int] = {}
    for one in found.supplies:
        by_class[one.supply_class] = by_class.get(one.supply_class, 0) + one.wh
    billed: dict[str, Any] = {"billed_wh": "", "billed_less_metered_wh": ""}
    if found.billed_wh is not None:
        billed = {
            "billed_wh": found.billed_wh,
            "billed_less_metered_wh": found.billed_wh
            - found.consumption_wh
            - sum(one.loss_wh for one in found.losses),
        }
    return {
        "consumption_wh": found.consumption_wh,
        "estimated_wh": found.estimated_wh,
        "supplied_wh": dict(sorted(by_class.items())),
        "residual_wh": found.residual_wh,
        "pending_wh": sum(one.wh for one in found.supplies if not one.final),
        "exported_wh": sum(one.wh for one in found.exports),
        "lost_wh": sum(one.loss_wh for one in found.losses),
        **billed,
    }
