"""A park's period as its log tells it: everything that the wanted figures need, and no more."""

from __future__ import annotations

from collections.abc import Collection

from ledger.accounting.facts import Electricity
from ledger.accounting.loading.view import View
from ledger.errors import InvalidInput, Refused
from ledger.scorecard.asked import Asked
from ledger.scorecard.loading import accounted as a
from ledger.scorecard.loading import energy, metering, recorded
from ledger.scorecard.situation import Accounted, Situation, Source, Sum
from ledger.scorecard.standard import Texts


def load(view: View, asked: Asked, wanted: Collection[str], at_s: int) -> Situation:
    """`wanted`: names of figures. Raises Erased where readings are gone."""
    region = asked.direct_region or energy.province_of(view)
    found: list[Electricity] = []
    sources: list[Source] = []
    sums: list[Sum] = []
    no_energy = None
    try:
        found = energy.electricity_of(view, asked.region)
        sources, sums = energy.sources_and_sums(view)
    except (InvalidInput, Refused) as error:
        no_energy = a.reason(error)
    return Situation(
        name=asked.period,
        period=view.period,
        at_s=at_s,
        region=region,
        entries=view.as_of,
        points=tuple(metering.points_of(view, at_s)),
        bills=tuple(metering.bills_of(view)),
        claims=tuple(energy.Tracer(view).claims()),
        trades=tuple(energy.trades_of(view)),
        storages=tuple(metering.storages_of(view)),
        sources=tuple(sources),
        direct=tuple(energy.direct_of(found)),
        consumption_wh=sum(one.consumption_wh for one in found),
        sums=tuple(sums),
        no_energy=no_energy,
        units=tuple(recorded.units_of(view)),
        reports=tuple(recorded.reports_of(view)),
        enterprises=tuple(recorded.enterprises_of(view)),
        products=tuple(recorded.products_of(view)),
        stored=tuple(recorded.stored_of(view)),
        accounted=_accounted(view, asked, wanted, region, no_energy or found),
    )


def _accounted(
    view: View,
    asked: Asked,
    wanted: Collection[str],
    region: str,
    found: list[Electricity] | Texts,
) -> dict[str, Accounted | Texts]:
    def share() -> a.Figures:
        if isinstance(found, Texts):
            return dict.fromkeys(shares, found)
        return a.shares(view, asked, found)

    shares = (a.RENEWABLE, a.MATCHED)
    figures: dict[str, Accounted | Texts] = {}
    for names, compute in (
        (shares, share),
        ((a.EMISSIONS, a.ENERGY, a.CLEAN), lambda: a.emissions(view, asked)),
        ((a.HOURLY,), lambda: a.hourly(view, asked, asked.region or region)),
    ):
        if set(names) & set(wanted):
            figures.update(a.reasoned(names, compute))
    return figures
