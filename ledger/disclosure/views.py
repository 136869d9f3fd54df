"""Documents of a pack as tables for people. Pure: they say what the documents say, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.accounting import titles
from ledger.accounting.facts import SUPPLY_CLASSES
from ledger.accounting.loading.claimed import CLASSES as CLASS_OF
from ledger.accounting.loading.claimed import of_certificates
from ledger.disclosure.content import (
    CERTIFICATES,
    CLAIMS,
    CREDITS,
    FACTORS,
    ORGANISATION,
    Content,
    Document,
)
from ledger.disclosure.report_views import accounts_of_year, report_tables
from ledger.disclosure.tables import (
    Cell,
    Table,
    Words,
    energy_column,
    id_column,
    mass_column,
    number_column,
    park_time,
    share_column,
    state,
    text_column,
    words,
)
from ledger.matching.model import SupplyClass
from ledger.units import parse_instant

CLASSES: Final[Mapping[str, Words]] = {
    name: words(titles.CLASSES[name]["zh"], titles.CLASSES[name]["en"]) for name in SUPPLY_CLASSES
}


def tables_of(content: Content) -> list[Table]:
    """All, in the order of the report: each has a CSV file and a sheet."""
    said = content.documents
    claims = said[CLAIMS]["claims"]
    return [
        *report_tables(content),
        claim_table(claims, said[ORGANISATION]["zone"]),
        class_table(claims, accounts_of_year(content)),
        granularity_table(content, accounts_of_year(content)),
        certificate_table(said[CERTIFICATES]["retirements"]),
        credit_table(said[CREDITS]["retirements"]),
        factor_table(said[FACTORS]["factors"]),
    ]


def claim_table(claims: Sequence[Document], zone: str) -> Table:
    return Table(
        name="claims",
        title=words("绿电声明", "Claims of green power"),
        columns=[
            id_column("声明", "Claim"),
            text_column("自（园区时间）", "From (park time)"),
            text_column("至", "To"),
            energy_column("消费量", "Consumption"),
            energy_column("声明电量", "Claimed"),
            energy_column("证书", "Certificates"),
            energy_column("剩余", "Residual"),
            text_column("状态", "State"),
            text_column("官方确认", "Official status"),
        ],
        rows=[
            [
                one["id"],
                park_time(one["from"], zone),
                park_time(one["to"], zone),
                one["consumption_wh"],
                one["claimed_wh"],
                one["certificate_wh"],
                one["residual_wh"],
                state(one["state"]),
                state(one["official"]["status"]),
            ]
            for one in claims
        ],
        notes=[
            words(
                "声明按其自身期间列出，不按年度分摊。“待官方核销”指尚无官方文件确认其所依据的证书已核销或划转。",
                "Claims stand with their own periods, not split by year. Pending official"
                " cancellation: no official statement confirms yet that the certificates which a"
                " claim rests on are cancelled or transferred.",
            )
        ],
    )


def class_table(claims: Sequence[Document], accounts: Sequence[Document]) -> Table:
    """Wh by supply class; a kWh has exactly one. Of an inventory, where there is one: it knows what
    was consumed in the year, which claims that overlap say more than once."""
    if accounts:
        said = accounts[0]["electricity"]
        wh: dict[str, int] = {name: said["supplied_wh"].get(name, 0) for name in CLASSES}
        consumed, residual = said["consumption_wh"], said["residual_wh"]
    else:
        wh = dict.fromkeys(CLASSES, 0)
        for claim in claims:
            for one in claim["by_class"]:
                wh[CLASS_OF[SupplyClass(one["class"])]] += one["wh"]
            for one in claim["certificates"]:
                wh[of_certificates(one["class"])] += one["wh"]
        consumed, residual = 0, None
    rows: list[list[Cell]] = [
        [CLASSES[name].together, amount, _ppm(amount, consumed)] for name, amount in wh.items()
    ]
    if residual is not None:
        rows.append(["剩余电量 Residual", residual, _ppm(residual, consumed)])
        rows.append(["用电量 Consumption", consumed, _ppm(consumed, consumed)])
    return Table(
        name="supply-classes",
        title=words("供电类别", "Supply classes"),
        columns=[
            text_column("类别", "Class"),
            energy_column("电量", "Electricity"),
            share_column("占比", "Share"),
        ],
        rows=rows,
        notes=[
            words(
                "占比为占全年用电量之比。",
                "Shares are of the year's consumption.",
            )
            if consumed
            else words(
                "包内没有全年清单，故不列占比：同一用电量可出现在几项声明中。",
                "There is no inventory of the whole year in the pack, and so no share: several"
                " claims may state the same consumption.",
            )
        ],
    )


def _ppm(part: int, whole: int) -> int | None:
    """Millionths, rounded down, so that no share looks reached that is not."""
    return part * 1_000_000 // whole if whole else None


GRANULARITIES: Final = (
    words("15 分钟", "15 minutes"),
    words("小时", "Hour"),
    words("日", "Day"),
    words("月", "Month"),
    words("年", "Year"),
)
_MONTH_S: Final = 31 * 86_400


def granularity_table(content: Content, accounts: Sequence[Document]) -> Table:
    """What covers consumption, by how closely in time that is known: lots in their quarter-hour,
    certificates in the months, or the year, that they were used for."""
    claims = content.documents[CLAIMS]["claims"]
    inside = all(
        content.period.start_s <= parse_instant(one["from"])
        and parse_instant(one["to"]) <= content.period.end_s
        for one in claims
    )
    rows: list[list[Cell]] = []
    if accounts and inside:
        consumed = accounts[0]["electricity"]["consumption_wh"]
        lots = sum(one["claimed_wh"] for one in claims)
        used = [one for claim in claims for one in claim["certificates"]]
        by_month = sum(one["wh"] for one in used if _length_s(one) <= _MONTH_S)
        in_all = sum(one["wh"] for one in used)
        amounts = [lots, lots, lots, lots + by_month, lots + in_all]
        rows = [
            [name.together, wh, _ppm(wh, consumed)]
            for name, wh in zip(GRANULARITIES, amounts, strict=True)
        ]
    return Table(
        name="granularities",
        title=words("不同时间尺度的占比", "Shares at each granularity"),
        columns=[
            text_column("时间尺度", "Granularity"),
            energy_column("覆盖电量", "Covered"),
            share_column("占比", "Share"),
        ],
        rows=rows,
        notes=[
            words(
                "份额在其刻钟内匹配，故小时与日同；证书只在其月份或年度内计入。"
                "按年的占比不代表同时用电。",
                "Lots are matched within their quarter-hour, so that hour and day are the same;"
                " certificates count in the months or the year that they were used for. A share by"
                " the year says nothing of use at the same time.",
            )
        ],
    )


def _length_s(one: Document) -> int:
    return parse_instant(one["to"]) - parse_instant(one["from"])


def certificate_table(found: Sequence[Document]) -> Table:
    return Table(
        name="certificates",
        title=words("已使用的证书", "Certificates used"),
        columns=[
            id_column("注销", "Retirement"),
            text_column("方案", "Scheme"),
            text_column("类别", "Class"),
            number_column("数量", "Units"),
            energy_column("电量", "Energy"),
            energy_column("计入声明", "Counted"),
            text_column("用途", "Purpose"),
            text_column("编号", "Codes", printed=False),
            text_column("官方确认", "Official status"),
        ],
        rows=[
            [
                one["id"],
                one["name"],
                one["class"],
                one["units"],
                one["units"] * one["unit_size"],
                one["counted_wh"],
                one["purpose"],
                _codes(one["batches"]),
                state(one["official"]["status"]),
            ]
            for one in found
        ],
        notes=[
            words(
                "与批次电量绑定的证书在声明中计为 0：同一千瓦时只计一次。",
                "Certificates bound to lots of a claim count as 0 there: one kWh counts once.",
            )
        ],
    )


def credit_table(found: Sequence[Document]) -> Table:
    return Table(
        name="credits",
        title=words("碳信用与内部减排记录", "Credits and internal records"),
        columns=[
            id_column("注销", "Retirement"),
            text_column("方案", "Scheme"),
            text_column("种类", "Kind"),
            number_column("数量", "Units"),
            mass_column("减排量", "Amount", "tCO2e"),
            text_column("用途", "Purpose"),
            text_column("编号", "Codes", printed=False),
            text_column("官方确认", "Official status"),
        ],
        rows=[
            [
                one["id"],
                one["name"],
                "碳信用 credit" if one["kind"] == "credit" else "内部记录 internal record",
                one["units"],
                one["units"] * one["unit_size"],
                one["purpose"],
                _codes(one["batches"]),
                state(one["official"]["status"]),
            ]
            for one in found
        ],
        notes=[
            words(
                "抵销单独列示，从不进入任何规则下的排放数字。"
                "内部减排记录不是 CCER 或 PHCER，不能用于履约。",
                "Offsets stand apart, and enter no figure of any regime. Internal reduction records"
                " are no CCER or PHCER and have no compliance use.",
            )
        ],
    )


def _codes(batches: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{one['code']} {one['first']}–{one['end'] - 1}" for one in batches)


def factor_table(found: Sequence[Document]) -> Table:
    return Table(
        name="factors",
        title=words("所用因子", "Factors used"),
        columns=[
            text_column("因子", "Item"),
            text_column("地区", "Region"),
            text_column("年份", "Year"),
            text_column("数值", "Value"),
            text_column("单位", "Unit"),
            text_column("来源", "Source"),
            text_column("状态", "Status"),
            text_column("替代", "Substituted"),
        ],
        rows=[
            [
                one["item"],
                one["region"],
                str(one["year"] or ""),
                one["value"],
                one["unit"],
                one["source"],
                state(one["status"]),
                _substituted(one.get("substituted", "")),
            ]
            for one in found
        ],
        notes=[
            words(
                "只有“官方”因子出自官方公布；其余可由用户替换为有日期的版本。",
                "Only official factors come from an official announcement; any of the others can"
                " be replaced by a dated version.",
            )
        ],
    )


def _substituted(said: Any) -> str:
    if not isinstance(said, Mapping):
        return ""
    wanted = said.get("wanted", {})
    return f"{wanted.get('region', '')} {wanted.get('year', '')}: {said.get('reason', '')}".strip()
