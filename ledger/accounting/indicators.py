"""Indicators: ratios with the tests of their documents. Pure.

A test compares exactly, by cross-multiplication, so that 79.99 % fails and 80 % passes; the ppm
beside it are for people, and rounded down, so that they never say more than is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from ledger.accounting import facts as f
from ledger.accounting.energy import GCE_PER_TCE, Energy
from ledger.accounting.facts import Connection, Electricity, Int64, Supply
from ledger.accounting.finding import Finder
from ledger.accounting.lines import Title
from ledger.accounting.regime import PPM, SETS, Regime
from ledger.errors import InvalidInput

WITHIN: Final = "pass"
BEYOND: Final = "fail"
NOT_APPLICABLE: Final = "not applicable"
GRID_CFE: Final = "grid-cfe"

_DIRECT: Final[Title] = {
    "zh": "直供电量 ÷ 用电量；区域外电厂不算直供",
    "en": "direct supply ÷ consumption; a plant outside the region is not direct",
}
_CFE: Final[Title] = {
    "zh": "逐时：Σ(min(清洁, 用电) + 电网清洁比例 × (用电 − min)) ÷ Σ用电",
    "en": "by the hour: Σ(min(clean, load) + grid share × (load − min)) ÷ Σ load",
}


def ratio(
    regime: Regime,
    figure: str,
    above: int,
    below: int,
    *,
    at_s: int,
    definition: Title,
    size_tce: Fraction | None = None,
    **more: Any,
) -> dict[str, Any]:
    """above / below with each test of the regime that the figure has."""
    return {
        "id": figure,
        "regime": regime.name,
        "definition": dict(definition),
        "above": above,
        "below": below,
        "ppm": above * PPM // below if below > 0 else "",
        **more,
        "tests": judged(regime, figure, above, below, at_s=at_s, size_tce=size_tce),
    }


def judged(
    regime: Regime,
    figure: str,
    above: int | Fraction,
    below: int | Fraction,
    *,
    at_s: int,
    size_tce: Fraction | None = None,
) -> list[dict[str, Any]]:
    """Each test of a figure in force at a time: pass, fail or not applicable.

    What is below 0 passes nothing: more was given away than was made of what is on record.
    """
    return [
        {
            "id": f"{one.figure}-{place}",
            "title": dict(one.title),
            "limit": one.limit,
            "value": one.value,
            "size_from": one.size_from,
            "size_to": one.size_to,
            "verdict": _verdict(one.passes(above, below))
            if below > 0 <= above and (size_tce is None or one.is_for(size_tce))
            else NOT_APPLICABLE,
            "source": one.source,
            "status": one.status,
        }
        for place, one in enumerate(regime.tests)
        if one.figure == figure and one.holds_at(at_s)
    ]


def _verdict(passes: bool) -> str:
    return WITHIN if passes else BEYOND


def intensity(regime: Regime, total_g: int, energy: Energy, *, at_s: int) -> dict[str, Any]:
    """单位能耗碳排放, tCO2/tce: g of CO2 over g of coal equivalent, which is the same number."""
    return ratio(
        regime,
        "intensity",
        total_g,
        energy.gce,
        at_s=at_s,
        size_tce=Fraction(energy.gce, GCE_PER_TCE),
        definition={
            "zh": f"单位能耗碳排放（tCO2/tce），{energy.to_json()['title']['zh']}",
            "en": f"CO2 per unit of energy (tCO2/tce), {energy.to_json()['title']['en']}",
        },
        unit="tCO2/tce",
        method=energy.method,
    )


def _supplies(found: Sequence[Electricity]) -> list[Supply]:
    return [one for each in found for one in each.supplies]


def supply_share(regime: Regime, found: Sequence[Electricity], *, at_s: int) -> dict[str, Any]:
    """The share of the regime's set, its definition printed, and all three sets beside it.

    Raises InvalidInput where the regime defines none, or no set has a technology.
    """
    rule = regime.share
    if rule is None:
        raise InvalidInput(f"regime {regime.name} defines no share of consumption")
    for one in _supplies(found):
        regime.require_known(one.technology, f"supply {one.record or one.supply_class}")
    counted = [one for one in _supplies(found) if one.supply_class in rule.classes]
    of_set = [one for one in counted if one.technology in regime.sets[rule.set]]
    consumption_wh = sum(one.consumption_wh for one in found)
    return ratio(
        regime,
        "share",
        sum(one.wh for one in of_set),
        consumption_wh,
        at_s=at_s,
        definition=rule.definition,
        unit="Wh",
        set=rule.set,
        technologies=sorted(regime.sets[rule.set]),
        final_wh=sum(one.wh for one in of_set if one.final),
        sets_wh={
            name: sum(one.wh for one in counted if one.technology in regime.sets[name])
            for name in SETS
        },
        classes_wh=_by_class(of_set),
    )


def _by_class(supplies: Sequence[Supply]) -> dict[str, int]:
    return {
        name: sum(one.wh for one in supplies if one.supply_class == name)
        for name in f.SUPPLY_CLASSES
    }


def direct_share(
    regime: Regime, found: Sequence[Electricity], *, region: str, at_s: int
) -> dict[str, Any]:
    """Direct supply over consumption; `region`: GB/T 2260 prefix of what is direct, "" anywhere."""
    direct = [one for one in _supplies(found) if one.supply_class == f.DIRECT]
    inside = [one for one in direct if one.region.startswith(region)]
    return ratio(
        regime,
        "direct-share",
        sum(one.wh for one in inside),
        sum(one.consumption_wh for one in found),
        at_s=at_s,
        definition=_DIRECT,
        unit="Wh",
        region=region,
        outside_wh=sum(one.wh for one in direct) - sum(one.wh for one in inside),
    )


def connection_ratios(regime: Regime, one: Connection, *, at_s: int) -> list[dict[str, Any]]:
    """The ratios of a green direct connection (650号), by the thresholds in force at a time."""
    available = {"zh": "可用发电量", "en": "available generation"}
    figures: Mapping[str, tuple[int, int, Title]] = {
        "self-of-available": (
            one.self_wh,
            one.available_wh,
            {"zh": f"自用 ÷ {available['zh']}", "en": f"self-use ÷ {available['en']}"},
        ),
        "self-of-consumption": (
            one.self_wh,
            one.consumption_wh,
            {"zh": "自用 ÷ 总用电量", "en": "self-use ÷ total consumption"},
        ),
        "export-of-available": (
            one.export_wh,
            one.available_wh,
            {"zh": f"上网 ÷ {available['zh']}", "en": f"export ÷ {available['en']}"},
        ),
    }
    return [
        ratio(
            regime,
            figure,
            above,
            below,
            at_s=at_s,
            definition=definition,
            unit="Wh",
            connection=one.name,
        )
        for figure, (above, below, definition) in figures.items()
    ]


def cfe(load_wh: Int64, clean_wh: Int64, grid_ppm: Int64 | int) -> dict[str, Any]:
    """The 24/7 score of intervals, exactly: int64[n] of Wh each, `grid_ppm` of the grid's power.

    `matched_ppm`: interval by interval; `volume_ppm`: as if all were one interval.
    """
    matched_wh = np.minimum(load_wh, clean_wh)
    load, matched = int(load_wh.sum()), int(matched_wh.sum())
    rest = (load_wh - matched_wh).astype(object)
    grid = np.broadcast_to(np.asarray(grid_ppm), load_wh.shape).astype(object)
    of_grid = int(np.dot(rest, grid)) if len(rest) else 0
    volume = min(int(clean_wh.sum()), load)
    return {
        "id": "cfe",
        "definition": dict(_CFE),
        "load_wh": load,
        "clean_wh": int(clean_wh.sum()),
        "matched_wh": matched,
        "matched_ppm": matched * PPM // load if load else "",
        "volume_ppm": volume * PPM // load if load else "",
        "ppm": (matched * PPM + of_grid) // load if load else "",
    }


def cfe_of(finder: Finder, found: Sequence[Electricity], load_wh: Int64) -> dict[str, Any]:
    """The score of consumers together, by the hour. `load_wh`: int64[T], their quarter-hours.

    Clean is what the regime's set `clean` has, and covers consumption in its own quarter-hour. The
    grid's clean share is the series `grid-cfe`; where there is none, 0, and the answer says so.
    """
    load, clean, unmatched_wh = clean_by_the_hour(finder.regime, found, load_wh)
    grid_ppm, use = _grid_ppm(finder)
    return {
        **cfe(load, clean, grid_ppm),
        "set": "clean",
        "not_by_the_hour_wh": unmatched_wh,
        "grid_cfe": use,
    }


def clean_by_the_hour(
    regime: Regime, found: Sequence[Electricity], load_wh: Int64
) -> tuple[Int64, Int64, int]:
    """int64[hours] of the load and of what clean supply covers of it; and Wh of clean supply that
    has no time. Raises InvalidInput for a period that is no whole number of hours."""
    if len(load_wh) % 4:
        raise InvalidInput("the period is no whole number of hours: the score is by the hour")
    clean_wh, unmatched_wh = np.zeros_like(load_wh), 0
    for one in _supplies(found):
        if one.technology in regime.sets["clean"]:
            if one.quarter_wh is None:
                unmatched_wh += one.wh
            else:
                clean_wh = clean_wh + one.quarter_wh
    load, clean = (one.reshape(-1, 4).sum(axis=1) for one in (load_wh, clean_wh))
    return load, clean, unmatched_wh


def _grid_ppm(finder: Finder) -> tuple[Int64 | int, Mapping[str, Any] | str]:
    try:
        found = finder.library.series(
            GRID_CFE,
            finder.place,
            finder.period,
            year=finder.year,
            substitutions=finder.options.substitutions,
        )
    except InvalidInput:
        return 0, ""
    hourly = found.by_quarter_hour.reshape(-1, 4).sum(axis=1)
    return hourly * PPM // (4 * 10**found.decimals), found.use()
