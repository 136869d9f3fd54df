"""The report of a footprint after GB/T 24067-2024 (ISO 14067), in Chinese or English. Pure.

Markdown, made of the published content and of nothing else: the same bytes, always. `sections` is
the same as data, for other forms (a PDF).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ledger.footprint import members as m
from ledger.footprint.calculating import kg_of

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, sentences, and at most one table below them."""

    title: str
    texts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def markdown(content: Content, language: Language, *, ended: Sequence[str] = ()) -> str:
    """`content`: of a report of kind `footprint`. `ended`: what has become of its claims since."""
    found = [f"# {_title(content, language)}", ""]
    for section in sections(content, language, ended=ended):
        found += [f"## {section.title}", ""]
        for text in section.texts:
            found += [_escaped(text), ""]
        if section.rows:
            found += [_row(section.columns), _row(["---"] * len(section.columns))]
            found += [*map(_row, section.rows), ""]
    return "\n".join(found).rstrip() + "\n"


def sections(content: Content, language: Language, *, ended: Sequence[str] = ()) -> list[Section]:
    """What the standard wants said, in its order."""
    made = _Words(content["result"], content, language)
    return [
        made.about(ended),
        made.scope(),
        made.figure(),
        made.stages(),
        made.inventory(),
        made.electricity(),
        made.allocation(),
        made.quality(),
        made.factors(),
        made.limits(),
        made.evidence(),
    ]


def _title(content: Content, language: Language) -> str:
    name = content["result"]["product"]["name"][language]
    return f"产品碳足迹报告：{name}" if language == "zh" else f"Product carbon footprint: {name}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(one).replace("|", "\\|") for one in cells) + " |"


def _escaped(text: str) -> str:
    return " ".join(text.replace("<", "&lt;").split())


def percent(ppm: int) -> str:
    """Millionths as percent, exactly: `2.1324 %`."""
    whole, rest = divmod(abs(ppm), 10_000)
    decimals = f".{rest:04}".rstrip("0") if rest else ""
    return f"{'-' * (ppm < 0)}{whole}{decimals} %"


def kwh_of(wh: int) -> str:
    whole, rest = divmod(wh, 1000)
    return f"{whole:,}{f'.{rest:03}'.rstrip('0') if rest else ''} kWh"


class _Words:
    """The sections of one report in one language."""

    def __init__(self, result: Content, content: Content, language: Language) -> None:
        self.result = result
        self.content = content
        self.language = language
        self.product = result["product"]

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == "zh" else en

    def named(self, title: Mapping[str, str]) -> str:
        return title[self.language]

    @property
    def unit(self) -> str:
        return f"{self.product['amount']} {self.product['unit']}"

    def about(self, ended: Sequence[str]) -> Section:
        result, product = self.result, self.product
        organisation = result["organisation"]
        rows = [
            (self.say("生产者", "Producer"), f"{organisation['name']} ({organisation['party']})"),
            (self.say("产品", "Product"), self.named(product["name"])),
            (self.say("产品标识", "Product ids"), ", ".join(product["ids"])),
            (self.say("产品分类", "Classifications"), ", ".join(product["classifications"]) or "–"),
            (self.say("描述", "Description"), product["description"] or "–"),
            (self.say("核算期", "Period"), self._period()),
            (self.say("产量（声明单位数）", "Declared units made"), result["declared_units"]),
            (self.say("标准", "Standards"), "; ".join(product["standards"])),
            (self.say("产品种类规则", "Product category rules"), self._rules()),
            (self.say("核算制度", "Regime"), self._regime()),
        ]
        texts = [self.say(f"注意：{one}", f"Note: {one}") for one in ended]
        return self._table(self.say("基本信息", "General"), ("", ""), rows, texts)

    def _period(self) -> str:
        period = self.result["period"]
        return f"{period['name']} ({period['from']} – {period['to']})"

    def _rules(self) -> str:
        rules = self.product["rules"]
        return "; ".join(f"{one['operator']}: {', '.join(one['names'])}" for one in rules) or "–"

    def _regime(self) -> str:
        regime = self.result["regime"]
        return f"{self.named(regime['title'])} [{regime['status']}]: {regime['source']}"

    def scope(self) -> Section:
        product = self.product
        stages = "、".join if self.language == "zh" else ", ".join
        boundary = self.say(
            {m.TO_GATE: "从摇篮到大门", m.TO_GRAVE: "从摇篮到坟墓"}[product["boundary"]],
            product["boundary"],
        )
        rows = [
            (self.say("声明单位", "Declared unit"), self.unit),
            (self.say("每声明单位产品质量", "Mass of a declared unit"), f"{product['mass_kg']} kg"),
            (self.say("系统边界", "System boundary"), boundary),
            (
                self.say("生命周期阶段", "Life-cycle stages"),
                stages(self.named(m.STAGES[one]) for one in m.BOUNDARIES[product["boundary"]]),
            ),
            (self.say("地理范围", "Geography"), product["geography"] or self.say("全球", "world")),
            (self.say("取舍准则", "Cut-off rule"), product["cut_off"]["rule"] or "–"),
            (self.say("舍去份额", "Cut off"), percent(product["cut_off"]["share_ppm"])),
        ]
        text = self.say(
            "碳抵消不在本标准范围内，未计入任何数值。",
            "Offsets are outside the standard; they are in no figure.",
        )
        return self._table(self.say("范围", "Scope"), ("", ""), rows, [text])

    def figure(self) -> Section:
        totals = self.result["totals"]
        names = [
            (
                "excluding_uptake",
                "产品碳足迹（不含生物源吸收）",
                "Footprint without biogenic uptake",
            ),
            ("including_uptake", "产品碳足迹（含生物源吸收）", "With biogenic uptake"),
            ("fossil", "其中：化石源", "of which fossil"),
            ("aircraft", "化石源中的航空", "of the fossil, aircraft"),
            ("biogenic", "其中：生物源排放", "of which biogenic emissions"),
            ("land_use_change", "其中：直接土地利用变化", "of which direct land-use change"),
            ("uptake", "生物源吸收", "Biogenic uptake"),
        ]
        rows = [(self.say(zh, en), f"{totals[f'{name}_kg']} kg CO2e") for name, zh, en in names]
        rows += [
            (self.say(f"气体 {one['id']}", f"Gas {one['id']}"), f"{kg_of(one['mg'])} kg")
            for one in self.result["gases"]
        ]
        texts = [
            self.say(
                f"以下数值均按 {self.unit} 计；GWP100 采用 IPCC {self.result['regime']['gwp']}。",
                f"All figures are for {self.unit}; GWP100 of IPCC {self.result['regime']['gwp']}.",
            ),
            self._coverage(),
        ]
        return self._table(self.say("结果", "Result"), ("", ""), rows, texts)

    def _coverage(self) -> str:
        parts = "; ".join(
            f"{one['id']}: {kg_of(one['co2e_mg'])} kg" for one in self.result["coverage"]
        )
        return self.say(f"因子所覆盖的气体：{parts}。", f"Gases that the factors cover: {parts}.")

    def stages(self) -> Section:
        rows = [
            (
                self.named(m.STAGES[one["id"]]),
                f"{kg_of(one['co2e_mg'])} kg CO2e",
                percent(one["share_ppm"]),
            )
            for one in self.result["stages"]
        ]
        total = self.result["totals"]["including_uptake_kg"]
        rows.append((self.say("合计", "Total"), f"{total} kg CO2e", ""))
        columns = (self.say("阶段", "Stage"), "kg CO2e", "%")
        return self._table(self.say("各阶段", "Stages"), columns, rows)

    def inventory(self) -> Section:
        rows = [
            (
                one["id"],
                self.named(one["title"]),
                self.named(m.STAGES[one["stage"]]),
                f"{one['quantity']} {one['unit']}",
                self._factor(one),
                f"{kg_of(one['co2e_mg'])}",
                self.say({"primary": "初级", "secondary": "次级"}[one["kind"]], one["kind"]),
            )
            for one in self.result["lines"]
        ]
        columns = (
            self.say("编号", "Line"),
            self.say("活动", "Activity"),
            self.say("阶段", "Stage"),
            self.say("每声明单位用量", "For a declared unit"),
            self.say("因子", "Factor"),
            "kg CO2e",
            self.say("数据", "Data"),
        )
        return self._table(self.say("生命周期清单", "Inventory"), columns, rows)

    def _factor(self, line: Content) -> str:
        if line["supplier"]:
            one = line["supplier"]
            return self.say("供应商", "supplier") + (
                f" {one['pcf']} kg CO2e / {one['declared_amount']} {one['declared_unit']}"
                f" (SHA-256 {one['sha256'][:16]}…)"
            )
        return "; ".join(f"{one['item']} {one['value']} {one['unit']}" for one in line["factors"])

    def electricity(self) -> Section:
        found = self.result["electricity"]
        status = {one["id"]: one["status"] for one in self.result["claims"]}
        rows = [
            (
                self._level(one["level"]),
                one["supply_class"],
                one["technology"] or "–",
                kwh_of(one["wh"]),
                f"{one['value']} {one['unit']}",
                one["claim"] or "–",
                status.get(one["claim"], "–"),
            )
            for one in found["supplies"]
        ]
        text = self.say(
            f"核算期内该产品用电 {kwh_of(found['wh'])}，按内部、专线、合同工具、剩余的顺序计，"
            "均采用生命周期因子，不为零。",
            f"In the period the product used {kwh_of(found['wh'])}; internal supply, dedicated"
            " lines, contractual instruments and the residual count in this order, each by its"
            " life-cycle factor, which is never 0.",
        )
        columns = (
            self.say("层级", "Level"),
            self.say("供应类别", "Class"),
            self.say("技术", "Technology"),
            self.say("电量", "Energy"),
            self.say("因子", "Factor"),
            self.say("声明", "Claim"),
            self.say("官方状态", "Official status"),
        )
        return self._table(self.say("电力", "Electricity"), columns, rows, [text])

    def _level(self, level: str) -> str:
        names = {
            "internal": "内部供应",
            "dedicated-line": "专线",
            "contractual-instrument": "合同工具",
            "residual": "剩余电网",
        }
        return self.say(names[level], level)

    def allocation(self) -> Section:
        rows = [
            (
                one["id"],
                self.named(m.METHODS[one["method"]]),
                output["id"] + (" *" if output["id"] == one["own"] else ""),
                f"{output['above']}/{output['below']}",
                percent(output["share_ppm"]),
                one["reason"],
            )
            for one in self.result["allocation"]
            for output in one["outputs"]
        ]
        text = self.say(
            "带 * 的产出是本产品。" if rows else "没有需要分配的过程。",
            "The output with * is the product." if rows else "No process is shared.",
        )
        columns = (
            self.say("过程", "Process"),
            self.say("方法", "Method"),
            self.say("产出", "Output"),
            self.say("份额", "Share"),
            "%",
            self.say("理由", "Reason"),
        )
        return self._table(self.say("分配", "Allocation"), columns, rows, [text])

    def quality(self) -> Section:
        ratings = self.result["data_quality"]
        rows = [
            (self.say("初级数据份额", "Primary data"), percent(self.result["primary_ppm"])),
            (self.say("技术代表性", "Technology"), ratings["technology"]),
            (self.say("地理代表性", "Place"), ratings["place"]),
            (self.say("时间代表性", "Time"), ratings["time"]),
        ]
        text = self.say(
            "评分 1（最好）至 5，按各行排放量加权。", "Ratings 1 (best) to 5, weighed by emissions."
        )
        return self._table(self.say("数据质量", "Data quality"), ("", ""), rows, [text])

    def factors(self) -> Section:
        """Every factor with its source and status; what stands in for another says so."""
        rows = dict.fromkeys(self._used())
        columns = (
            self.say("因子", "Factor"),
            self.say("地区", "Region"),
            self.say("年份", "Year"),
            self.say("数值", "Value"),
            self.say("状态", "Status"),
            self.say("来源", "Source"),
            self.say("替代说明", "Stands in for"),
        )
        return self._table(self.say("因子", "Factors"), columns, list(rows))

    def _used(self) -> Iterator[tuple[str, ...]]:
        for line in self.result["lines"]:
            for one in line["factors"]:
                instead = ""
                if one["substituted"]:
                    wanted = one["substituted"]["wanted"]
                    instead = f"{wanted['region']} {wanted['year']}: {one['substituted']['reason']}"
                yield (
                    f"{one['item']} {one['gas']}",
                    one["region"] or "–",
                    str(one["year"] or "–"),
                    f"{one['value']} {one['unit']}",
                    one["status"],
                    one["source"],
                    instead or "–",
                )

    def limits(self) -> Section:
        product = self.product
        texts = [
            self.say("不确定性：", "Uncertainty: ") + (product["uncertainty"] or "–"),
            self.say("局限性：", "Limitations: ") + (product["limitations"] or "–"),
        ]
        return Section(
            title=self.say("不确定性与局限性", "Uncertainty and limitations"), texts=tuple(texts)
        )

    def evidence(self) -> Section:
        rows = [(str(one["entry"]), one["type"], one["hash"]) for one in self.result["inputs"]]
        size = self.content["as_of"]
        text = self.say(
            f"按日志规模 {size} 计算；以下条目是其全部依据。",
            f"Computed as of log size {size}; it rests on these entries, and on nothing else.",
        )
        columns = (self.say("条目", "Entry"), self.say("类型", "Type"), "SHA-256")
        return self._table(self.say("依据", "Evidence"), columns, rows, [text])

    @staticmethod
    def _table(
        title: str,
        columns: Sequence[str],
        rows: Sequence[tuple[str, ...]],
        texts: Sequence[str] = (),
    ) -> Section:
        return Section(title=title, texts=tuple(texts), columns=tuple(columns), rows=tuple(rows))
