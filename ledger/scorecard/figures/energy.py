"""Figures of energy: where it comes from, and what it is claimed as. Pure."""

from __future__ import annotations

from ledger.scorecard.figures.model import Computed, Missing, missing, share
from ledger.scorecard.situation import Situation
from ledger.scorecard.standard import Texts


def direct_supply_share(held: Situation) -> Computed:
    """Direct supply from plants inside the region, of all that was consumed; what lies outside is
    listed, and is no direct supply (domain §11, 7.1.2)."""
    if held.no_energy:
        return Missing(why=held.no_energy)
    if not held.consumption_wh:
        return missing("本周期没有用电量", "nothing was consumed in the period")
    if not held.region:
        return missing(
            "未给出区域：以行政区划代码给出，例如 44",
            "no region is given: give its administrative code, such as 44",
        )
    inside = [one for one in held.direct if one.region.startswith(held.region)]
    outside = [one for one in held.direct if not one.region.startswith(held.region)]
    return share(
        sum(one.wh for one in inside),
        held.consumption_wh,
        Texts(
            zh=f"已申领的直供电量（电源位于区域 {held.region} 内）÷ 用电量；区域外电源不算直供",
            en=f"claimed direct supply from plants in region {held.region} ÷ consumption; a plant"
            " outside is not direct",
        ),
        ({"id": f"{one.name}/{one.region}", "region": one.region, "wh": one.wh} for one in outside),
    )


def _closure(held: Situation, system: str) -> Computed:
    if held.no_energy:
        return Missing(why=held.no_energy)
    sources = [one for one in held.sources if not system or one.park_system == system]
    if not sources:
        return missing(
            "没有登记发电计量点" + ("（建筑系统）" if system else ""),
            "no point of generation is registered" + (" for buildings" if system else ""),
        )
    open_ = [one for one in sources if one.unknown or one.gone_wh != one.generated_wh]
    return share(
        len(sources) - len(open_),
        len(sources),
        Texts(
            zh="自用 + 直供 + 上网 + 弃电 + 充电 + 损耗 = 可发电量的发电点 ÷ 全部发电点",
            en="points of generation of which self-use + direct + export + curtailed + charged +"
            " losses are what they could generate, of all",
        ),
        (
            {
                "id": one.name,
                "name": one.name,
                "wh": one.generated_wh - one.gone_wh,
                "unknown": int(one.unknown),
            }
            for one in open_
        ),
    )


def generation_closure(held: Situation) -> Computed:
    return _closure(held, "")


def generation_closure_buildings(held: Situation) -> Computed:
    return _closure(held, "buildings")


def green_trade_bounds(held: Situation) -> Computed:
    if not held.trades:
        return missing("没有已结算的绿电交易", "no green trade was settled")
    beyond = [
        one
        for one in held.trades
        if one.settled_wh > min(one.contract_wh, one.generation_wh, one.consumption_wh)
    ]
    return share(
        len(held.trades) - len(beyond),
        len(held.trades),
        Texts(
            zh="结算电量不超过合同、上网与用电三者最小值的月份 ÷ 全部结算月份",
            en="settled months with no more than the least of contract, generation and"
            " consumption, of all",
        ),
        ({"id": f"{one.contract}/{one.month}", "wh": one.settled_wh} for one in beyond),
    )


def storage_ledger(held: Situation) -> Computed:
    if not held.storages:
        return missing("没有登记储能", "no storage is registered")
    unsound = [
        one
        for one in held.storages
        if one.discharged_wh > one.charged_wh
        or one.green_out_wh > one.green_in_wh
        or one.certificates
    ]
    return share(
        len(held.storages) - len(unsound),
        len(held.storages),
        Texts(
            zh="损耗不为负、绿电出不超过绿电进且放电未发证的储能 ÷ 全部储能",
            en="storages with no negative loss, no more green out than in, and no certificate for"
            " discharge, of all",
        ),
        (
            {
                "id": one.name,
                "charged_wh": one.charged_wh,
                "discharged_wh": one.discharged_wh,
                "green_in_wh": one.green_in_wh,
                "green_out_wh": one.green_out_wh,
                "certificates": one.certificates,
            }
            for one in unsound
        ),
    )


def interval_trace(held: Situation) -> Computed:
    """Claims whose every Wh of lots has readings behind it, in its own quarter-hour."""
    claims = [one for one in held.claims if one.lots_wh]
    if not claims:
        return missing("没有申领匹配电量", "no matched energy is claimed")
    short = [one for one in claims if one.traced_wh != one.lots_wh]
    return share(
        len(claims) - len(short),
        len(claims),
        Texts(
            zh="每一瓦时都能按区间追溯到读数的申领 ÷ 全部申领",
            en="claims of which every Wh leads to readings, interval by interval, of all",
        ),
        ({"id": one.claim, "wh": one.lots_wh - one.traced_wh} for one in short),
    )


def certificate_trace(held: Situation) -> Computed:
    if not held.claims:
        return missing("没有申领", "there is no claim")
    pending = [one for one in held.claims if not one.final]
    return share(
        len(held.claims) - len(pending),
        len(held.claims),
        Texts(
            zh="绿证已由官方台账确认注销的申领 ÷ 全部申领",
            en="claims whose certificates are officially confirmed as cancelled, of all; the others"
            " are pending official cancellation",
        ),
        ({"id": one.claim} for one in pending),
    )
