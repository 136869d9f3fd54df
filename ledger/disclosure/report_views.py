"""Results of reports as tables: emissions by regime and by line, footprints, clauses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.disclosure.content import Content, Document
from ledger.disclosure.tables import Table, mass_column, number_column, text_column, words
from ledger.reports.model import INVENTORY


def report_tables(content: Content) -> list[Table]:
    accounts = accounts_in(content)
    return [regime_table(accounts), line_table(accounts)]


def accounts_in(content: Content) -> list[Document]:
    """Of all its inventories."""
    return [
        account
        for report in content.reports(INVENTORY)
        for account in accounts_of(report["result"])
    ]


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


def regime_table(accounts: list[Document]) -> Table:
    return Table(
        name="emissions",
        title=words("各核算规则下的排放", "Emissions under each regime"),
        columns=[
            text_column("规则", "Regime", wide=5),
            mass_column("范围一", "Scope 1"),
            mass_column("范围二", "Scope 2"),
            mass_column("合计", "Total"),
            text_column("计为", "As", wide=1),
            text_column("因子覆盖", "Coverage", wide=3),
            text_column("规则依据", "Rule's status", wide=2),
        ],
        rows=[
            [
                f"{one['title']['zh']}\n{one['title']['en']}",
                _scope(one, "1"),
                _scope(one, "2"),
                one["total"]["mass_g"],
                one["total"]["unit"],
                one["total"]["label"],
                one["status"],
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
            text_column("规则", "Regime", wide=3),
            number_column("范围", "Scope", wide=1),
            text_column("项目", "Line", wide=4),
            text_column("数量", "Quantity", wide=2),
            text_column("单位", "Unit", wide=1),
            text_column("因子", "Factor", wide=3),
            mass_column("排放", "Emissions"),
            text_column("计入", "Counts", wide=1),
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
