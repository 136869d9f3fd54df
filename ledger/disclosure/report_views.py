"""Results of reports as tables: emissions by regime and by line, footprints, clauses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ledger.disclosure.content import ORGANISATION, Content, Document
from ledger.disclosure.tables import (
    Table,
    mass_column,
    number_column,
    park_time,
    share_column,
    state,
    text_column,
    words,
)
from ledger.reports.model import FOOTPRINT, INVENTORY, SCORECARD


def report_tables(content: Content) -> list[Table]:
    accounts = accounts_in(content)
    return [
        regime_table(accounts, content.documents[ORGANISATION]["zone"]),
        missing_table([one["result"] for one in content.reports(INVENTORY)]),
        line_table(accounts),
        indicator_table(accounts),
        footprint_table([one["result"] for one in content.reports(FOOTPRINT)]),
        clause_table([clause for one in content.reports(SCORECARD) for clause in _clauses(one)]),
    ]


def accounts_in(content: Content) -> list[Document]:
    """Of all its inventories."""
    return [
        account
        for report in content.reports(INVENTORY)
        for account in accounts_of(report["result"])
    ]


def accounts_of_year(content: Content) -> list[Document]:
    """Of inventories of the whole year: what a month used is no measure of a year."""
    ends = content.documents[ORGANISATION]
    whole = (ends["from"], ends["to"])
    return [one for one in accounts_in(content) if (one["from"], one["to"]) == whole]


def accounts_of(value: Any) -> Iterator[Document]:
    """The accounts of a result, wherever they stand in it."""
    if isinstance(value, Mapping):
        if {"regime", "total", "scopes", "lines"} <= value.keys():
            yield value
            return
        for one in value.values():
            yield from accounts_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from accounts_of(one)


def _period(account: Document, zone: str) -> str:
    """Its first day, and the day after its last, of park time."""
    days = [park_time(account[end], zone).removesuffix(" 00:00") for end in ("from", "to")]
    return " – ".join(days)


def regime_table(accounts: list[Document], zone: str) -> Table:
    return Table(
        name="emissions",
        title=words("各核算规则下的排放", "Emissions under each regime"),
        columns=[
            text_column("规则", "Regime"),
            text_column("期间", "Period"),
            mass_column("范围一", "Scope 1"),
            mass_column("范围二", "Scope 2"),
            mass_column("合计", "Total"),
            text_column("计为", "As"),
            text_column("因子覆盖", "Coverage"),
            text_column("规则依据", "Rule's status"),
        ],
        rows=[
            [
                f"{one['title']['zh']}\n{one['title']['en']}",
                _period(one, zone),
                _scope(one, "1"),
                _scope(one, "2"),
                one["total"]["mass_g"],
                one["total"]["unit"],
                one["total"]["label"],
                state(one["status"]),
            ]
            for one in accounts
            if one["figure"] == "emissions"
        ],
        notes=[
            words(
                "同一物理年度在不同规则下数值不同。数字只在其规则、边界和期间内有意义，不可相加。",
                "One physical year has different figures under different rules. A figure means"
                " something only under its regime, boundary and period; they are never added.",
            )
        ],
    )


def _scope(account: Document, scope: str) -> int | None:
    return next((one["mass_g"] for one in account["scopes"] if one["id"] == scope), None)


def line_table(accounts: list[Document]) -> Table:
    return Table(
        name="emission-lines",
        printed=False,
        title=words("排放明细", "Lines of each figure"),
        columns=[
            text_column("规则", "Regime"),
            number_column("范围", "Scope"),
            text_column("项目", "Line"),
            text_column("数量", "Quantity"),
            text_column("单位", "Unit"),
            text_column("因子", "Factor"),
            mass_column("排放", "Emissions"),
            text_column("计入", "Counts"),
        ],
        rows=[
            [
                account["regime"],
                one["scope"] or None,
                f"{one['title']['zh']}\n{one['title']['en']}",
                one["quantity"],
                one["unit"],
                _factor(one["factor"]),
                sum(one["gases_g"].values()) if one["co2e_g"] == "" else one["co2e_g"],
                one["counts"],
            ]
            for account in accounts
            for one in [*account["lines"], *account["apart"]]
        ],
    )


def _factor(used: Any) -> str:
    if not isinstance(used, Mapping):
        return ""
    each = used.get("gases", [used])
    return "; ".join(f"{one.get('value', '')} {one.get('unit', '')}" for one in each)


def missing_table(results: list[Document]) -> Table:
    """Regimes under which there is no figure, and why: a gap is said, not left out."""
    return Table(
        name="not-computed",
        title=words("未能计算的规则", "Regimes that could not be computed"),
        columns=[text_column("规则", "Regime"), text_column("原因", "Why")],
        rows=[[one["id"], one["why"]] for result in results for one in result.get("missing", ())],
    )


VERDICTS: Final = {
    "pass": "通过 passes",
    "fail": "未通过 fails",
    "not applicable": "不适用 not applicable",
}


def indicator_table(accounts: list[Document]) -> Table:
    """Shares that the regimes define, each with its definition and the tests of it."""
    return Table(
        name="indicators",
        title=words("占比与检验", "Shares and tests"),
        columns=[
            text_column("规则", "Regime"),
            text_column("指标", "Indicator"),
            share_column("数值", "Value"),
            text_column("检验", "Tests"),
            text_column("定义", "Definition"),
        ],
        rows=[
            [
                account["regime"],
                one["id"],
                None if one["ppm"] == "" else one["ppm"],
                "\n".join(
                    f"{test['title']['zh']} {test['title']['en']}:"
                    f" {VERDICTS.get(test['verdict'], test['verdict'])} ({state(test['status'])})"
                    for test in one.get("tests", ())
                ),
                f"{one['definition']['zh']}\n{one['definition']['en']}",
            ]
            for account in accounts
            for one in account.get("indicators", ())
            if "ppm" in one
        ],
    )


def footprint_table(found: list[Document]) -> Table:
    return Table(
        name="footprints",
        title=words("产品碳足迹", "Product footprints"),
        columns=[
            text_column("产品", "Product"),
            text_column("期间", "Period"),
            text_column("声明单位", "Declared unit"),
            text_column("不含生物吸收 kgCO2e", "Excluding uptake, kgCO2e"),
            text_column("含生物吸收 kgCO2e", "Including uptake, kgCO2e"),
            share_column("初级数据", "Primary data"),
            text_column("规则", "Regime"),
            text_column("规则依据", "Rule's status"),
        ],
        rows=[
            [
                _named(one["product"]["name"]),
                one["period"]["name"],
                f"{one['product']['amount']} {one['product']['unit']}",
                one["totals"]["excluding_uptake_kg"],
                one["totals"]["including_uptake_kg"],
                one["primary_ppm"],
                _named(one["regime"]["title"]),
                state(one["regime"]["status"]),
            ]
            for one in found
        ],
    )


def _named(value: Any) -> str:
    """A name, or a title in both languages."""
    return f"{value['zh']}\n{value['en']}" if isinstance(value, Mapping) else str(value)


def _clauses(value: Any) -> Iterator[Document]:
    """The answers of a scorecard, wherever they stand in it."""
    if isinstance(value, Mapping):
        if {"clause", "answer", "obligation"} <= value.keys():
            yield value
            return
        for one in value.values():
            yield from _clauses(one)
    elif isinstance(value, list):
        for one in value:
            yield from _clauses(one)


ANSWERS: Final = {
    "met": "符合 met",
    "partly": "部分符合 partly",
    "not-met": "不符合 not met",
    "gap": "缺口 gap",
    "not-applicable": "不适用 not applicable",
}


def clause_table(found: list[Document]) -> Table:
    return Table(
        name="scorecard",
        title=words("导则评分", "Scorecard"),
        columns=[
            text_column("条款", "Clause"),
            text_column("内容", "Title"),
            text_column("结论", "Answer"),
            text_column("依据", "By"),
            text_column("数值", "Value"),
            text_column("如何弥补", "What would close it"),
        ],
        rows=[
            [
                one["clause"],
                _named(one["title"]),
                ANSWERS.get(one["answer"], one["answer"]),
                one["by"],
                f"{one['value']} {one['unit']}".strip(),
                _named(one["closes"]),
            ]
            for one in found
        ],
    )
