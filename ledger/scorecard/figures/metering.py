"""Figures of metering: which points have meters and readings, and how they agree. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from ledger.scorecard.figures.model import DETAILS_MAX, Computed, Figure, Missing, missing, share
from ledger.scorecard.situation import Bill, Metered, Situation
from ledger.scorecard.standard import Texts

LARGE_W: Final = 100_000
_METERED: Final = (
    "generation",
    "consumption",
    "grid-import",
    "grid-export",
    "storage-charge",
    "storage-discharge",
)


def _points(points: Sequence[Metered], good: Callable[[Metered], bool], counted: Texts) -> Figure:
    short = [
        {"id": one.point, "name": one.name, "owner": one.owner} for one in points if not good(one)
    ]
    return share(len(points) - len(short), len(points), counted, short)


def energy_points(held: Situation, *kinds: str) -> list[Metered]:
    return [one for one in held.points if one.kind in kinds and one.unit == "Wh"]


def points_metered(held: Situation) -> Computed:
    points = energy_points(held, *_METERED)
    if not points:
        return missing("没有登记电能计量点", "no point of electricity is registered")
    return _points(
        points,
        lambda one: one.meter,
        Texts(
            zh="已登记在用电能表的发电、用电、电网与储能计量点 ÷ 全部此类计量点",
            en="points of generation, use, grid and storage with a meter registered, of all",
        ),
    )


def device_signed_points(held: Situation) -> Computed:
    points = [one for one in energy_points(held, *_METERED) if one.read]
    if not points:
        return missing("本周期没有电能读数", "there is no reading of electricity in the period")
    return _points(
        points,
        lambda one: one.signed == one.read,
        Texts(
            zh="本周期读数全部由电能表或网关以经背书的密钥签名的计量点 ÷ 有读数的计量点",
            en="points whose readings of the period were all signed by endorsed keys of meters or"
            " gateways, of those with readings",
        ),
    )


def points_read(held: Situation) -> Computed:
    points = [one for one in energy_points(held, "consumption") if one.due]
    if not points:
        return missing("没有登记用电计量点", "no point of consumption is registered")
    return _points(
        points,
        lambda one: one.read > 0,
        Texts(
            zh="本周期有读数的用电计量点 ÷ 全部用电计量点",
            en="points of consumption with readings in the period, of all",
        ),
    )


def metering_levels(held: Situation) -> Computed:
    if not held.enterprises:
        return missing("没有用能企业", "no enterprise owns a point of consumption")
    owner_of = {one.point: one.owner for one in held.points}
    two = {one.owner for one in held.points if owner_of.get(one.parent) == one.owner}
    short = [one for one in held.enterprises if one not in two]
    return share(
        len(held.enterprises) - len(short),
        len(held.enterprises),
        Texts(
            zh="自有总表之下设有分表的企业 ÷ 全部用能企业",
            en="enterprises with a meter of theirs that has sub-meters, of all that use energy",
        ),
        ({"id": one} for one in short),
    )


def large_equipment_metered(held: Situation) -> Computed:
    points = [one for one in energy_points(held, "consumption") if one.capacity_w >= LARGE_W]
    if not points:
        return missing(
            "没有登记容量 100 kW 及以上的用电计量点",
            "no point of consumption is registered with a capacity of 100 kW or more",
        )
    return _points(
        points,
        lambda one: one.meter,
        Texts(
            zh="登记容量 100 kW 及以上且有电能表的用电计量点 ÷ 全部此类计量点（容量以登记为准）",
            en="points of consumption of 100 kW or more, as their registration says, that have a"
            " meter, of all such",
        ),
    )


def transport_points(held: Situation) -> Computed:
    """Leaves only: a meter above others shows the same energy once more."""
    points = [
        one for one in held.points if one.park_system == "transport" and one.kind == "consumption"
    ]
    above = {one.parent for one in points}
    counted = [one for one in points if one.read and one.point not in above]
    if not points:
        return missing(
            "没有登记交通系统的用能计量点", "no point of use of the transport system is registered"
        )
    return Figure(
        numerator=len(counted),
        denominator=1,
        unit="points",
        definition=Texts(
            zh="有读数的充电、加氢等计量点，上级表不重复计入",
            en="points of charging, hydrogen and the like with readings; meters above them are not"
            " counted again",
        ),
        details=tuple(
            {"id": one.point, "name": one.name, "unit": one.unit} for one in points[:DETAILS_MAX]
        ),
    )


def metering_completeness(held: Situation) -> Computed:
    due = [one for one in energy_points(held, *_METERED) if one.due]
    if not due:
        return missing("没有按区间采集的计量点", "no point is read in intervals")
    least = min(due, key=lambda one: (Fraction(one.read, one.due), one.point))
    return Figure(
        numerator=min(least.read, least.due),
        denominator=least.due,
        unit="%",
        definition=Texts(
            zh="最不完整的计量点：已有区间 ÷ 应有区间",
            en="of the least complete point: intervals read, of those due",
        ),
        details=(
            {
                "id": least.point,
                "name": least.name,
                "owner": least.owner,
                "read": least.read,
                "due": least.due,
            },
        ),
    )


def bill_deviation(held: Situation) -> Computed:
    if not held.bills:
        return missing("本周期没有账单", "there is no bill in the period")

    def deviation(one: Bill) -> Fraction:
        return Fraction(abs(one.billed_wh - one.read_wh), one.billed_wh or one.read_wh or 1)

    worst = max(held.bills, key=lambda one: (deviation(one), one.point))
    return Figure(
        numerator=abs(worst.billed_wh - worst.read_wh),
        denominator=worst.billed_wh or worst.read_wh or 1,
        unit="%",
        definition=Texts(
            zh="偏差最大的账单：|账单 − 读数之和| ÷ 账单",
            en="of the bill that differs most: |bill − sum of readings|, of the bill",
        ),
        details=({"id": worst.point, "billed_wh": worst.billed_wh, "read_wh": worst.read_wh},),
    )


def buildings_sum(held: Situation) -> Computed:
    if held.no_energy:
        return Missing(why=held.no_energy)
    sums = [one for one in held.sums if one.park_system == "buildings"]
    if not sums:
        return missing(
            "建筑系统没有带分表的总表", "no meter of the buildings has sub-meters under it"
        )
    beyond = [one for one in sums if one.children_wh > one.parent_wh]
    return share(
        len(sums) - len(beyond),
        len(sums),
        Texts(
            zh="分表之和不超过总表（差额为损耗）的建筑总表 ÷ 全部建筑总表",
            en="meters of buildings whose sub-meters sum to them, with a loss of 0 or more, of all",
        ),
        (
            {"id": one.name, "parent_wh": one.parent_wh, "children_wh": one.children_wh}
            for one in beyond
        ),
    )
