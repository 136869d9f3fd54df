"""The park's balance: Σ members + what no member has + losses − internal transfers. Pure.

A line whose other side is a member is taken out again, on a line of its own, exactly: heat that one
member makes and another uses counts once, in the fuel that it was made of. What is burnt, vented or
leaked is no transfer, whoever the fuel came from. Line and transformer losses are on lines of their
own, by the factor of what nothing covers: they are never green.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from ledger.accounting import account as accounts
from ledger.accounting import activities, electricity, titles
from ledger.accounting import facts as f
from ledger.accounting.account import Account
from ledger.accounting.factors import units
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.facts import ActivityFact, Facts, ParkEnergy
from ledger.accounting.finding import Finder, Options
from ledger.accounting.lines import Line, decimal, records_of
from ledger.accounting.regime import Regime
from ledger.errors import InvalidInput

TRANSFER: Final = "transfer"
STORAGE_LOSSES: Final = "electricity/storage-losses"
# Emitted where they happen, whoever sold the fuel: no other member has counted them.
_DIRECT: Final = frozenset(
    {
        f.FUEL,
        f.PROCESS,
        f.CONVERSION,
        f.REFRIGERANT,
        f.SINK,
        activities.BIOGENIC,
        activities.OTHER_GAS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Balance:
    """`park`: the whole, as an account; `members`: those of organisations; `own`: what no member
    has. `differences`: where two members say different amounts of what went from one to the other.
    """

    park: Account
    members: tuple[Account, ...]
    own: Account
    transfers: tuple[Line, ...]
    losses: tuple[Line, ...]
    differences: tuple[Mapping[str, Any], ...]
    energy: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As an account's; its lines are the park's own, losses and transfers, and members stand
        beside them by their totals: each has its own inventory."""
        shown = {
            **self.park.to_json(),
            "lines": [one.to_json() for one in (*self.own.counting, *self.losses, *self.transfers)],
        }
        return {
            **shown,
            "members": [
                {
                    "id": one.subject,
                    "total": one.total.to_json(),
                    "categories": one.by_category(),
                    "electricity": dict(one.electricity),
                }
                for one in self.members
            ],
            "differences": [dict(one) for one in self.differences],
            "energy": dict(self.energy),
        }


def balance(
    regime: Regime,
    library: FactorLibrary,
    members: Sequence[Facts],
    park: Facts,
    options: Options | None = None,
) -> Balance:
    """The park under a regime. `park`: facts that no member has, and the energy of the whole.

    A counterparty that is no member is outside. Raises as `account`, and InvalidInput for other
    periods.
    """
    stated = options or Options()
    everybody = [*members, park]
    known = {one.subject for one in everybody}
    exchanges = _exchanges(everybody)
    stays = {record for one in exchanges for record in one.beyond}
    _require_members(members, park)
    of_members = tuple(
        accounts.account(regime, library, one, stated)
        for one in sorted(members, key=lambda one: one.subject)
    )
    own = accounts.account(regime, library, park, stated)
    losses = tuple(_loss_lines(Finder.of(library, regime, stated, park), members, park))
    transfers = tuple(
        _taken_out(made.subject, line)
        for made in (*of_members, own)
        for line in made.lines
        if line.counterparty in known
        and line.category not in _DIRECT
        and stays.isdisjoint(line.records)
    )
    whole = Account(
        regime=regime,
        subject=f.PARK,
        period=park.period,
        lines=tuple(
            sorted(
                (
                    *(
                        replace(line, id=f"{made.subject}/{line.id}")
                        for made in (*of_members, own)
                        for line in made.lines
                    ),
                    *losses,
                    *transfers,
                ),
                key=accounts.order_of,
            )
        ),
        left_out=_joined([*of_members, own]),
        offsets={},
        ccus=[each for made in (*of_members, own) for each in made.ccus],
        electricity=_electricity_json([*members, park]),
        share=accounts.share_of(regime, [one.electricity for one in (*members, park)], park.period),
        by_system_wh=_systems([*members, park]),
    )
    offsets = [each for one in (*members, park) for each in one.offsets]
    return Balance(
        park=accounts.with_offsets(whole, offsets),
        members=of_members,
        own=own,
        transfers=transfers,
        losses=losses,
        differences=tuple(one.to_json() for one in exchanges if one.given != one.got),
        energy=energy_json(park.park, sum(one.electricity.consumption_wh for one in members)),
    )


def _require_members(members: Sequence[Facts], park: Facts) -> None:
    known = {one.subject for one in (*members, park)}
    if len(known) != len(members) + 1:
        raise InvalidInput("a member stands in the balance twice")
    for one in members:
        if one.period != park.period:
            raise InvalidInput(f"{one.subject}: its facts are of another period than the park's")


def _taken_out(subject: str, line: Line) -> Line:
    """The line's opposite: it counts where it counted, so that a scope's sum closes, too."""
    title = titles.CATEGORIES[TRANSFER]
    return replace(
        line,
        id=f"{TRANSFER}/{subject}/{line.id}",
        title={
            "zh": f"{title['zh']}：{line.title['zh']}（{subject}）",
            "en": f"{title['en']}: {line.title['en']} ({subject})",
        },
        quantity=-line.quantity,
        gases_g={gas: -mass_g for gas, mass_g in line.gases_g.items()},
        co2e_g=None if line.co2e_g is None else -line.co2e_g,
        pending_wh=-line.pending_wh,
    )


def _loss_lines(finder: Finder, members: Sequence[Facts], park: Facts) -> Iterator[Line]:
    if finder.regime.electricity is None or park.park is None:
        return
    consumed = sum((one.electricity.quarter_wh for one in members), park.electricity.quarter_wh)
    yield from electricity.loss_lines(finder, park.park.losses, consumed)
    lost_wh = park.park.storage_loss_wh - park.park.storage_green_loss_wh
    if lost_wh:
        yield electricity.spread_line(
            finder,
            lost_wh,
            consumed,
            id_=STORAGE_LOSSES,
            title=titles.CLASSES["storage-losses"],
            records=(),
        )


def _joined(made: Sequence[Account]) -> dict[str, tuple[str, ...]]:
    names = sorted({name for one in made for name in one.left_out})
    return {
        name: records_of(record for one in made for record in one.left_out.get(name, ()))
        for name in names
    }


def _systems(found: Sequence[Facts]) -> dict[str, int]:
    systems: dict[str, int] = {}
    for one in found:
        by_system = one.electricity.by_system_wh or {
            accounts.NO_SYSTEM: one.electricity.consumption_wh
        }
        for name, wh in by_system.items():
            systems[name] = systems.get(name, 0) + wh
    return systems


def _electricity_json(found: Sequence[Facts]) -> dict[str, Any]:
    each = [accounts.electricity_json(one) for one in found]
    names = ("consumption_wh", "estimated_wh", "residual_wh", "pending_wh", "exported_wh")
    classes = sorted({name for one in each for name in one["supplied_wh"]})
    billed = [one for one in each if one["billed_wh"] != ""]
    return {
        **{name: sum(one[name] for one in each) for name in names},
        "supplied_wh": {
            name: sum(one["supplied_wh"].get(name, 0) for one in each) for name in classes
        },
        "billed_wh": sum(one["billed_wh"] for one in billed) if billed else "",
        "billed_less_metered_wh": (
            sum(one["billed_less_metered_wh"] for one in billed) if billed else ""
        ),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """What one member says that it gave another, of one item, and what the other says that it got;
    in `unit`, None where a side says nothing. `records`: those that say it was got."""

    giver: str
    taker: str
    category: str
    item: str
    unit: str
    given: Fraction | None
    got: Fraction | None
    records: tuple[str, ...]

    @property
    def beyond(self) -> tuple[str, ...]:
        """More got than given is bought from somewhere: nobody else in the park counts it."""
        return self.records if (self.got or 0) > (self.given or 0) else ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": f"{self.giver}/{self.taker}/{self.category}/{self.item}",
            "from": self.giver,
            "to": self.taker,
            "category": self.category,
            "item": self.item,
            "unit": self.unit,
            "out": "" if self.given is None else decimal(self.given),
            "in": "" if self.got is None else decimal(self.got),
        }


def _exchanges(found: Sequence[Facts]) -> list[_Exchange]:
    sides: dict[tuple[str, str, str, str], dict[str, list[ActivityFact]]] = {}
    for one in found:
        for each in activities.counted(one):
            if each.counterparty:
                pair = (one.subject, each.counterparty)
                giver, taker = pair if each.direction == f.OUT else pair[::-1]
                key = (giver, taker, each.category, each.item)
                sides.setdefault(key, {f.IN: [], f.OUT: []})[each.direction].append(each)
    exchanges = []
    for (giver, taker, category, item), by_side in sorted(sides.items()):
        unit = (by_side[f.OUT] or by_side[f.IN])[0].unit
        exchanges.append(
            _Exchange(
                giver=giver,
                taker=taker,
                category=category,
                item=item,
                unit=unit,
                given=_sum(by_side[f.OUT], unit),
                got=_sum(by_side[f.IN], unit),
                records=tuple(one.record for one in by_side[f.IN]),
            )
        )
    return exchanges


def _sum(some: Sequence[ActivityFact], unit: str) -> Fraction | None:
    if not some:
        return None
    return sum((units.convert(one.quantity, one.unit, unit) for one in some), Fraction(0))


def energy_json(park: ParkEnergy | None, consumption_wh: int) -> dict[str, Any]:
    """The park's electricity, in Wh: what came in, was made, lost and billed, with no factor."""
    if park is None:
        return {}
    known = {
        "grid_import_wh": park.grid_import_wh,
        "grid_export_wh": park.grid_export_wh,
        "billed_wh": park.billed_wh,
    }
    return {
        **{name: "" if wh is None else wh for name, wh in known.items()},
        "billed_less_metered_wh": (
            ""
            if park.billed_wh is None or park.grid_import_wh is None
            else park.billed_wh - park.grid_import_wh
        ),
        "consumption_wh": consumption_wh,
        "charged_wh": park.charged_wh,
        "discharged_wh": park.discharged_wh,
        "storage_loss_wh": park.storage_loss_wh,
        "storage_green_loss_wh": park.storage_green_loss_wh,
        "own_use_wh": park.own_use_wh,
        "losses": [
            {
                "id": one.point,
                "parent_wh": one.parent_wh,
                "children_wh": one.children_wh,
                "loss_wh": one.loss_wh,
            }
            for one in park.losses
        ],
        "generation": [
            {
                "id": one.point,
                "technology": one.technology,
                "region": one.region,
                "generated_wh": one.generated_wh,
                "self_wh": one.self_wh,
                "direct_wh": one.direct_wh,
                "export_wh": one.export_wh,
                "curtailed_wh": one.curtailed_wh,
                "charged_wh": one.charged_wh,
                "loss_wh": one.loss_wh,
                "own_use_wh": one.own_use_wh,
            }
            for one in park.generation
        ],
    }
