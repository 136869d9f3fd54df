"""What the demo says of emissions, in English and Chinese."""

from __future__ import annotations

from typing import Final


def _both(english: str, chinese: str) -> tuple[str, str]:
    """A pair whose texts run over several lines."""
    return english, chinese


FIGURE_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "step.figures": (
        "Account, make a footprint and a pack",
        "核算，做产品碳足迹与披露包",
    ),
    "figures": ("Emissions, each under its regime", "排放：每个数字都在其制度之下"),
    "col.regime": ("{enterprise}, a year", "{enterprise}，一年"),
    "col.tonnes": ("t", "t"),
    "col.of": ("of", "气体"),
    "col.covers": ("covers", "覆盖"),
    "col.status": ("rules", "规则"),
    "figures.one": _both(
        "One physical year, {count} figures: which one is right is a matter of the rule that is "
        "asked for. Factors of 2025 are not announced; the reports say which stand in. "
        "What certificates cover is pending official cancellation.",
        "同一个实际年份，{count} 个数字：哪一个对，取决于问的是哪条规则。2025 年的因子尚未公布；"
        "报告写明由哪些代替。绿证覆盖的部分待官方核销。",
    ),
    "figures.park": _both(
        "The park: {intensity} tCO2/tce by {intensity_regime}; renewable share {share} by "
        "{share_regime}, of 80 % that are asked.",
        "园区：按 {intensity_regime} 为 {intensity} tCO2/tce；按 {share_regime} "
        "可再生能源占比 {share}（要求 80 %）。",
    ),
    "figures.scorecard": _both(
        "Guideline, {clauses} lines: {met} met, {partly} partly, {not_met} not met, {gap} gaps: "
        "nothing answers those here.",
        "指南共 {clauses} 条：满足 {met}，部分满足 {partly}，不满足 {not_met}，"
        "缺口 {gap}（此处无从作答）。",
    ),
    "figures.product": _both(
        "Footprint of one {unit} of {name}: {kg} kg CO2e, {claimed} of its electricity from the "
        "claim, at life-cycle factors, which are not 0.",
        "{name}的碳足迹：每 {unit} {kg} kg CO2e；{claimed} 用电来自声明，"
        "按生命周期因子计，并不是 0。",
    ),
    "figures.pack": (
        "Disclosure pack {path}: {steps} steps hold, as the stand-alone verifier checks it",
        "披露包 {path}：独立核验程序逐项检查，{steps} 步成立",
    ),
    "figures.no_pack": (
        "No disclosure pack: no font for its PDF is installed here (fonts-wqy-microhei).",
        "没有披露包：此处没有其 PDF 所需的字体（fonts-wqy-microhei）。",
    ),
    "next.pack": ("Check the disclosure pack", "核验披露包"),
    "next.inventory": ("See every line of that year", "查看该年的每一行"),
}
