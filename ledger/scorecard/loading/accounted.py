"""Figures that accounting knows: shares of supply by a regime's definition, emissions per energy,
and whether there are hourly factors. What can't be computed says why, in accounting's words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.accounting import computing, indicators, regime_reading
from ledger.accounting.energy import GCE_PER_TCE
from ledger.accounting.factors import regions
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.facts import Electricity
from ledger.accounting.loading.view import View
from ledger.accounting.regime import REGISTER, Regime
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.records import store as records
from ledger.scorecard.asked import Asked
from ledger.scorecard.situation import Accounted
from ledger.scorecard.standard import Texts
from ledger.units import HOUR_S

HOURLY_ITEM: Final = "electricity-average"
RENEWABLE: Final = "renewable-share"
MATCHED: Final = "hourly-matched"
EMISSIONS: Final = "emissions-per-energy"
ENERGY: Final = "energy-use"
CLEAN: Final = "clean-share"
HOURLY: Final = "hourly-factor"
Figures = Mapping[str, Accounted | Texts]


def reasoned(names: tuple[str, ...], compute: Callable[[], Figures]) -> Figures:
    """What `compute` gives, or for each name why it gives nothing."""
    try:
        return compute()
    except (InvalidInput, NotFound, Refused) as error:
        return dict.fromkeys(names, reason(error))


def reason(error: LedgerError) -> Texts:
    """Why accounting gives no figure: its own words, shortened."""
    why = str(error)[:480]
    return Texts(zh=f"核算不能给出：{why}", en=why)


def shares(view: View, asked: Asked, found: list[Electricity]) -> Figures:
    """The renewable share by its regime's definition, and what is matched by the hour."""
    regime = _regime(view, asked.share_regime)
    if not any(one.consumption_wh for one in found):
        raise InvalidInput("nothing was consumed in the period")
    at_s = view.period.end_s - 1
    share = indicators.supply_share(regime, found, at_s=at_s)
    load_wh = sum((one.quarter_wh for one in found[1:]), found[0].quarter_wh)
    load, clean, _ = indicators.clean_by_the_hour(regime, found, load_wh)
    score = indicators.cfe(load, clean, 0)
    return {
        RENEWABLE: Accounted(
            numerator=share["above"],
            denominator=share["below"],
            unit="%",
            regime=regime.name,
            definition=Texts.from_json(share["definition"]),
            details=(
                {
                    "id": "technologies",
                    "set": share["set"],
                    "technologies": share["technologies"],
                    "wh": share["above"],
                    "confirmed_wh": share["final_wh"],
                    "classes_wh": share["classes_wh"],
                },
            ),
        ),
        MATCHED: Accounted(
            numerator=score["matched_wh"],
            denominator=score["load_wh"],
            unit="%",
            regime=regime.name,
            definition=Texts(
                zh="逐时：Σ min(已申领清洁电量, 用电量) ÷ Σ 用电量；电网的清洁比例不计入",
                en="by the hour: Σ min(clean energy claimed, load) ÷ Σ load; the grid's own clean"
                " share is left out",
            ),
        ),
    }


def _regime(view: View, name: str) -> Regime:
    record = records.find(view.conn, view.log.log_id, REGISTER, name, as_of=view.as_of)
    view.use(record.entry_index)
    return regime_reading.from_json(name, record.content)


def emissions(view: View, asked: Asked) -> Figures:
    """Emissions per unit of energy, the energy, and what of it is clean, as the park's balance."""
    found = computing.balance(view.conn, view.log, asked.balance_about(), view.as_of)
    view.use(*(one["entry"] for one in found["inputs"]))
    (figure,) = found["regimes"]
    known = {one["id"]: one for one in figure["indicators"]}
    intensity, energy = known["intensity"], known["energy-equivalent"]
    regime = asked.emissions_regime
    if not energy["gce"]:
        raise InvalidInput("no energy was used in the period")
    return {
        EMISSIONS: Accounted(
            numerator=intensity["above"],
            denominator=intensity["below"],
            unit="tCO2/tce",
            regime=regime,
            definition=Texts.from_json(intensity["definition"]),
            details=tuple(
                {"id": one["id"], "gce": one["gce"], "factor": _factor(one["factor"])}
                for one in energy["lines"]
            )[:20],
        ),
        ENERGY: Accounted(
            numerator=energy["gce"],
            denominator=GCE_PER_TCE,
            unit="tce",
            regime=regime,
            definition=Texts.from_json(energy["title"]),
        ),
        CLEAN: _clean(regime, known["share"], energy),
    }


def _factor(use: Mapping[str, Any]) -> dict[str, Any]:
    return {name: use[name] for name in ("item", "value", "unit", "source", "status")}


def _clean(regime: str, share: Mapping[str, Any], energy: Mapping[str, Any]) -> Accounted:
    """Clean electricity, by its share of consumption, and gas, of all energy in tce; the part is
    rounded down."""
    electric = sum(one["gce"] for one in energy["lines"] if one["id"].endswith("/electricity"))
    gas = sum(one["gce"] for one in energy["lines"] if one["factor"]["item"].endswith("-gas"))
    clean = electric * share["sets_wh"]["clean"] // share["below"] if share["below"] else 0
    return Accounted(
        numerator=clean + gas,
        denominator=energy["gce"],
        unit="%",
        regime=regime,
        definition=Texts(
            zh="（已申领的清洁电量 + 天然气）÷ 综合能耗，按等价值折标准煤；定义未见官方文本",
            en="(clean electricity claimed + natural gas) ÷ comprehensive energy, in tce by"
            " equivalent value; the definition was not compared with an official text",
        ),
    )


def hourly(view: View, asked: Asked, region: str) -> Figures:
    """Hours of the period for which a series gives the grid's factor of its region."""
    library = FactorLibrary.at(view.conn, view.log, view.as_of, sets=asked.sets)
    around = regions.chain(region or regions.CHINA)
    rows = [
        (by, one)
        for by in library.sets
        for one in by.content.series
        if one.item == HOURLY_ITEM and one.region in around and one.interval_s <= HOUR_S
    ]
    if not rows:
        raise InvalidInput(
            f"no series of hourly factors of {HOURLY_ITEM} serves region {region or 'CN'}"
        )
    spans = sorted(
        (max(one.start_s, view.period.start_s), min(one.end_s, view.period.end_s))
        for _, one in rows
    )
    covered_s, reached_s = 0, view.period.start_s
    for start_s, end_s in spans:
        covered_s += max(0, end_s - max(start_s, reached_s))
        reached_s = max(reached_s, end_s)
    view.use(*(by.entry for by, _ in rows))
    return {
        HOURLY: Accounted(
            numerator=covered_s // HOUR_S,
            denominator=view.period.length_s // HOUR_S,
            unit="%",
            regime="",
            definition=Texts(
                zh="有小时（或更短）电网因子的小时数 ÷ 本周期小时数",
                en="hours of the period with a factor of the grid by the hour or shorter, of all",
            ),
            details=tuple(
                {"id": by.name, "region": one.region, "source": one.source, "status": one.status}
                for by, one in rows
            )[:20],
        )
    }
