"""How reports of accounting are computed: an organisation's inventory, and the park's balance.

Both are functions of the log below a size and of what is asked, and of nothing else: the same bytes
on every database, and again years later. What is asked (`about`):

    subject         whose inventory: a party's id (a balance is the park's, and has none)
    period          "2026" or "2026-03", of park time
    regimes         names of regimes, in order; [] is all of the operator in force, and those that
                    can't be computed stand in the result with the reason
    sets            names of factor sets, the first that has a factor wins; [] is the operator's
    substitutions   stated substitutions of factors
    standards       {item: standard}, where factors differ by it
    region          GB/T 2260 digits of the subject's points, where they do not say it
    direct_region   prefix of the regions whose plants are direct, "" anywhere
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ledger.accounting import indicators, regime_reading
from ledger.accounting.account import Account, account
from ledger.accounting.balance import balance as balance_of
from ledger.accounting.energy import EQUIVALENT, METHODS, energy
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.members import REGION, SLUG
from ledger.accounting.facts import PARK, ActivityFact, Facts
from ledger.accounting.finding import Finder, Options
from ledger.accounting.loading.park import losses_of, park
from ledger.accounting.loading.recorded import activities_of
from ledger.accounting.loading.subject import Loaded, organisation
from ledger.accounting.loading.view import View
from ledger.accounting.regime import RATIOS, REGISTER, Regime
from ledger.errors import Erased, InvalidInput, NotFound, Refused
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.log.placed import time_at
from ledger.log.store import LogFacts
from ledger.lots.model import is_period, span_of
from ledger.parties import store as parties
from ledger.records import store as records
from ledger.units import format_instant

INVENTORY: Final = "inventory"
BALANCE: Final = "balance"

_NAMES: Final = Member(
    expected="an array of names, none twice",
    check=lambda value: (
        isinstance(value, list)
        and all(map(SLUG.check, value))
        and len(set(value)) == len(value)
        and len(value) <= 100
    ),
)
_DIGITS: Final = Member(
    expected='a region ("", 44, 4401, 440100)',
    check=lambda value: REGION.check(value) and (value == "" or value.isdigit()),
)
ABOUT: Final[Mapping[str, Member]] = {
    "period": Member(expected="a month 2026-03 or a year 2026", check=is_period),
    "regimes": _NAMES,
    "sets": _NAMES,
    "substitutions": Member(
        expected="an array of substitutions", check=lambda value: isinstance(value, list)
    ),
    "standards": Member(
        expected="an object {item: standard}",
        check=lambda value: (
            isinstance(value, dict)
            and all(SLUG.check(item) and e.NAME.check(one) for item, one in value.items())
        ),
    ),
    "region": _DIGITS,
    "direct_region": _DIGITS,
}
_DEFAULTS: Final[Mapping[str, Any]] = {
    "regimes": [],
    "sets": [],
    "substitutions": [],
    "standards": {},
    "region": "",
    "direct_region": "",
}
Computed = Callable[[Regime], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """`about`, read."""

    subject: str
    period: str
    regimes: tuple[str, ...]
    sets: tuple[str, ...]
    region: str
    options: Options

    @classmethod
    def of(cls, about: Mapping[str, Any], *, has_subject: bool) -> _Asked:
        """Raises InvalidInput."""
        members = {**ABOUT, **({"subject": e.PARTY} if has_subject else {})}
        value = {**_DEFAULTS, **about}
        e.check_members(value, members)
        return cls(
            subject=value.get("subject", PARK),
            period=value["period"],
            regimes=tuple(value["regimes"]),
            sets=tuple(value["sets"]),
            region=value["region"],
            options=Options.of(
                substitutions=value["substitutions"],
                direct_region=value["direct_region"],
                standards=value["standards"],
            ),
        )


def inventory(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
) -> dict[str, Any]:
    """An organisation's figures under each regime. Raises InvalidInput, NotFound, Refused or
    Erased, with the name of what is missing or wrong."""
    asked = _Asked.of(about, has_subject=True)
    view = View(conn, log, span_of(asked.period, log.zone_s), as_of)
    library = FactorLibrary.at(conn, log, as_of, sets=asked.sets)
    loaded = organisation(
        view,
        asked.subject,
        activities_of(view, asked.subject),
        region=asked.region,
        losses=losses_of(view, asked.subject),
    )

    def under(regime: Regime) -> dict[str, Any]:
        made = account(regime, library, loaded.facts, asked.options)
        finder = Finder.of(library, regime, asked.options, loaded.facts)
        return {**made.to_json(), "indicators": _shares(finder, [loaded.facts])}

    return _result(view, asked, under, [loaded])


def balance(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
) -> dict[str, Any]:
    """The park's figures under each regime: its members', what no member has, and the energy of the
    whole. Raises as `inventory`."""
    asked = _Asked.of(about, has_subject=False)
    view = View(conn, log, span_of(asked.period, log.zone_s), as_of)
    library = FactorLibrary.at(conn, log, as_of, sets=asked.sets)
    members, whole = members_of(view, region=asked.region)
    facts = [one.facts for one in members]

    def under(regime: Regime) -> dict[str, Any]:
        made = balance_of(regime, library, facts, whole.facts, asked.options)
        finder = Finder.of(library, regime, asked.options, whole.facts)
        return {
            **made.to_json(),
            "indicators": [
                *_shares(finder, facts),
                *_of_park(finder, made.park, [*facts, whole.facts]),
            ],
        }

    return _result(view, asked, under, [*members, whole])


def members_of(view: View, *, region: str = "") -> tuple[list[Loaded], Loaded]:
    """The facts of each member, by id, and of what no member has. Raises as `organisation`."""
    by_organisation: dict[str, list[ActivityFact]] = {}
    for one in activities_of(view):
        by_organisation.setdefault(one.organisation, []).append(one)
    members = [
        organisation(view, name, by_organisation.get(name, []), region=region)
        for name in _members(view, by_organisation)
    ]
    return members, park(view, by_organisation.get("", []), region=region)


def _members(view: View, activities: Mapping[str, Sequence[ActivityFact]]) -> list[str]:
    """Whoever owns a point, puts activities, claims or has a project of reductions."""
    found = {one.master.owner for one in view.points.values()}
    found |= {name for name in activities if name}
    found |= {row.author for row in view.claims}
    found |= {
        project.master.owner
        for row in view.reductions
        if (project := view.projects.get((row.key.scheme, row.key.project))) is not None
    }
    return sorted(found)


def _result(view: View, asked: _Asked, under: Computed, loaded: Sequence[Loaded]) -> dict[str, Any]:
    period, log_s = view.period, time_at(view.conn, view.log.log_id, view.as_of - 1)
    if log_s < period.start_s:
        raise Refused(
            f"the period begins {format_instant(period.start_s)}; the log's time is"
            f" {format_instant(log_s)}: there is nothing to account for yet"
        )
    figures, missing, used = [], [], set()
    for name, record in _regimes(view, asked.regimes):
        try:
            figure = under(regime_reading.from_json(name, record.content))
        except Erased:
            raise
        except (InvalidInput, Refused) as error:
            if asked.regimes:
                raise type(error)(f"regime {name}: {error}") from error
            missing.append({"id": name, "why": str(error)})
            continue
        found = {"entry": record.entry_index, "hash": record.leaf.hex(), "author": record.author}
        figures.append({**figure, **found})
        used.add(record.entry_index)
    used.update(_factor_entries(figures))
    return {
        "subject": asked.subject,
        "name": _name(view, asked.subject),
        "from": format_instant(period.start_s),
        "to": format_instant(period.end_s),
        # Before the end of the period, what is to come is estimated like any gap.
        "log_time": format_instant(log_s),
        "regimes": figures,
        "missing": missing,
        "quality": [{"id": one.facts.subject, **one.to_json()} for one in loaded],
        "cuts": [one.to_json() for one in view.cuts],
        "inputs": view.inputs(used),
    }


def _regimes(view: View, names: Sequence[str]) -> list[tuple[str, records.Record]]:
    """Those named, whoever put them, or all in force of the operator. Raises InvalidInput, or
    NotFound where there are none."""
    author = None if names else view.log.operator
    known = records.current(view.conn, view.log.log_id, REGISTER, as_of=view.as_of, author=author)
    for name in names:
        if name not in known:
            there = ", ".join(known) or "none; register those that come with the program"
            raise InvalidInput(
                f"no regime {name!r} is in force at log size {view.as_of}; there is: {there}"
            )
    if not known:
        raise NotFound(
            "no regime is in force, and a figure without a regime does not exist; see: greenledger"
            " regime list, greenledger regime register-shipped"
        )
    return [(name, known[name]) for name in names or known]


def _name(view: View, subject: str) -> str:
    found = parties.current_party(view.conn, view.log.log_id, subject, view.as_of)
    return found.name if found else view.log.name


def _at_s(finder: Finder) -> int:
    """When tests have to be in force: at the end of the period."""
    return finder.period.end_s - 1


def _shares(finder: Finder, found: Sequence[Facts]) -> list[dict[str, Any]]:
    """Shares of consumption that the regime defines or tests."""
    regime, electricity = finder.regime, [one.electricity for one in found]
    shares = []
    if regime.share is not None:
        shares.append(indicators.supply_share(regime, electricity, at_s=_at_s(finder)))
        load_wh = sum((one.quarter_wh for one in electricity[1:]), electricity[0].quarter_wh)
        shares.append(indicators.cfe_of(finder, electricity, load_wh))
    if any(one.figure == "direct-share" for one in regime.tests):
        shares.append(
            indicators.direct_share(
                regime,
                electricity,
                region=finder.options.direct_region,
                at_s=_at_s(finder),
            )
        )
    return shares


def _of_park(finder: Finder, made: Account, found: Sequence[Facts]) -> list[dict[str, Any]]:
    """Intensity, with the energy that it is over, and the ratios of direct connections."""
    regime = finder.regime
    if regime.figure == RATIOS:
        return [
            {**one, "id": f"{one['id']}/{connection.name}"}
            for facts in found
            if facts.park is not None
            for connection in facts.park.connections
            for one in indicators.connection_ratios(regime, connection, at_s=_at_s(finder))
        ]
    if not any(one.figure == "intensity" for one in regime.tests):
        return []
    by_method = {method: energy(finder, found, method) for method in METHODS}
    return [
        indicators.intensity(regime, made.total.mass_g, by_method[EQUIVALENT], at_s=_at_s(finder)),
        *({**one.to_json(), "id": f"energy-{name}"} for name, one in by_method.items()),
    ]


def _factor_entries(value: Any) -> Iterator[int]:
    """Entries of the factor sets that figures name."""
    if isinstance(value, Mapping):
        if "set" in value and isinstance(value.get("entry"), int):
            yield value["entry"]
        for one in value.values():
            yield from _factor_entries(one)
    elif isinstance(value, list):
        for one in value:
            yield from _factor_entries(one)
