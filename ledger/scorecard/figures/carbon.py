"""Figures of carbon: what is accounted, published, stored and conserved. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ledger.scorecard.figures.model import Computed, Figure, missing, share
from ledger.scorecard.situation import Published, Situation
from ledger.scorecard.standard import Texts
from ledger.units import TONNES, exactly

INVENTORY: Final = "inventory"
BALANCE: Final = "balance"
FOOTPRINT: Final = "footprint"
DISCLOSURE: Final = "disclosure"


def _of_period(held: Situation, kind: str) -> list[Published]:
    return [one for one in held.reports if one.kind == kind and one.period == held.name]


def _enterprises_with(held: Situation, kind: str, what: Texts) -> Computed:
    if not held.enterprises:
        return missing("没有用能企业", "no enterprise owns a point of consumption")
    done = {one.subject for one in _of_period(held, kind)}
    short = [one for one in held.enterprises if one not in done]
    return share(
        len(held.enterprises) - len(short),
        len(held.enterprises),
        what,
        ({"id": one} for one in short),
    )


def enterprises_accounted(held: Situation) -> Computed:
    return _enterprises_with(
        held,
        INVENTORY,
        Texts(
            zh="已公布本周期排放清单的企业 ÷ 全部用能企业",
            en="enterprises with a published inventory of the period, of all that use energy",
        ),
    )


def enterprises_disclosed(held: Situation) -> Computed:
    return _enterprises_with(
        held,
        DISCLOSURE,
        Texts(
            zh="披露包的哈希已在日志中的企业 ÷ 全部用能企业",
            en="enterprises with a disclosure pack of the period whose hash is in the log, of all"
            " that use energy",
        ),
    )


def balance_published(held: Situation) -> Computed:
    found = _of_period(held, BALANCE)
    return Figure(
        numerator=len(found),
        denominator=1,
        unit="reports",
        definition=Texts(
            zh="已公布的本周期园区平衡（含各系统用能）",
            en="published balances of the park for the period, with what each system uses",
        ),
        details=tuple({"id": one.report, "entry": one.entry_index} for one in found),
    )


def same_method(held: Situation) -> Computed:
    found = _of_period(held, INVENTORY)
    if not found:
        return missing("本周期没有公布的排放清单", "no inventory of the period is published")
    counts = Counter(one.regimes for one in found)
    common = min(counts, key=lambda regimes: (-counts[regimes], regimes))
    return share(
        counts[common],
        len(found),
        Texts(
            zh=f"采用相同口径（{', '.join(common)}）的清单 ÷ 本周期全部清单",
            en=f"inventories by the same regimes ({', '.join(common)}), of all of the period",
        ),
        (
            {"id": one.subject, "regimes": list(one.regimes)}
            for one in found
            if one.regimes != common
        ),
    )


def products_footprinted(held: Situation) -> Computed:
    if not held.products:
        return missing("没有登记产品", "no product is registered")
    done = {one.subject for one in held.reports if one.kind == FOOTPRINT}
    short = [one for one in held.products if one not in done]
    return share(
        len(held.products) - len(short),
        len(held.products),
        Texts(
            zh="已公布碳足迹的产品 ÷ 已登记产品",
            en="products with a published footprint, of all that are registered",
        ),
        ({"id": one} for one in short),
    )


def co2_net_within_stored(held: Situation) -> Computed:
    if not held.stored:
        return missing("没有经核查的 CCUS 记录", "there is no verified record of CCUS")
    beyond = [one for one in held.stored if one.net_g > one.stored_g]
    net, gross = (
        exactly(sum(getattr(one, name) for one in held.stored), TONNES)
        for name in ("net_g", "stored_g")
    )
    return share(
        len(held.stored) - len(beyond),
        len(held.stored),
        Texts(
            zh=f"净减量不超过封存量的记录 ÷ 全部记录（毛封存 {gross}，净 {net}）",
            en=f"records whose net is no more than stored, of all (gross {gross}, net {net})",
        ),
        ({"id": one.record, "net_g": one.net_g, "stored_g": one.stored_g} for one in beyond),
    )


def units_conserved(held: Situation) -> Computed:
    schemes = [one for one in held.units if one.issued]
    if not schemes:
        return missing("没有绿证或碳信用", "there are no certificates or credits")
    off = [one for one in schemes if one.held + one.gone != one.issued]
    return share(
        len(schemes) - len(off),
        len(schemes),
        Texts(
            zh="在册数量 + 已注销等数量 = 登记数量的体系 ÷ 全部体系",
            en="schemes of which units held and units gone are those that were issued, of all",
        ),
        (
            {"id": one.scheme, "issued": one.issued, "held": one.held, "gone": one.gone}
            for one in off
        ),
    )


def audit_trail(held: Situation) -> Computed:
    return Figure(
        numerator=held.entries,
        denominator=1,
        unit="entries",
        definition=Texts(
            zh="该日志规模以下的条目：每条由作者签名，只追加不修改；greenledger audit 逐条重放",
            en="entries below this log size, each signed by its author, none ever changed;"
            " greenledger audit replays them",
        ),
    )
