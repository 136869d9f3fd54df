"""What the demo says, in English and Chinese: one table, so that neither language lags behind.

Chinese terms are those of the rules and standards: 绿电直连, 自发自用, 绿电交易, 分时匹配,
计量点, 检查点. A lot is a 份额, to claim is 声明, as the verifier says.
"""

from __future__ import annotations

import os
from typing import Final, Literal

from ledger.demo.texts_figures import FIGURE_TEXTS
from ledger.demo.texts_units import UNIT_TEXTS

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


def _both(english: str, chinese: str) -> tuple[str, str]:
    """A pair whose texts run over several lines."""
    return english, chinese


TEXTS: Final[dict[str, tuple[str, str]]] = {
    **UNIT_TEXTS,
    **FIGURE_TEXTS,
    # Steps
    "step.files": ("Generate a park's year and write its files", "生成园区全年数据并写出文件"),
    "step.init": ("Begin the log (greenledger init)", "建立日志（greenledger init）"),
    "step.parties": ("Register parties and keys", "登记各方与密钥"),
    "step.points": ("Register metering points", "登记计量点"),
    "step.import": ("Import the files as signed batches", "导入文件，生成签名批次"),
    "step.checkpoint": ("Sign a checkpoint", "签署检查点"),
    "step.match": ("Register contracts and match the year", "登记合同并完成全年匹配"),
    "step.claim": (
        "Claim it, by those who own the consumption",
        "由用电方声明已匹配的绿电",
    ),
    "step.publish": ("Sign a checkpoint and publish tiles", "签署检查点并发布日志瓦片（tiles）"),
    "step.prove": (
        "Open entry, reading, allocation; write evidence of claims",
        "出具记录、读数、分配的证明与声明的证据文件",
    ),
    "step.verify": (
        "Verify with the stand-alone verifier (other process)",
        "用独立核验程序核验（另一进程）",
    ),
    "step.audit": ("Audit: recompute everything", "审计：全部重新计算"),
    "step.summary": ("Read the summary back from the ledger", "从账本读出汇总"),
    # State
    "again.interrupted": (
        "An earlier start was interrupted (or is of another version): done again.",
        "上次运行被中断（或属于其他版本），现重新运行。",
    ),
    "again.finished": (
        "This demo was made before; --fresh makes it again.",
        "演示已完成，以下为已有结果；加 --fresh 可重新生成。",
    ),
    "stopped": (
        "stopped; the same command makes the demo again from the start",
        "已停止；再次运行同一命令将从头重做",
    ),
    # Headings
    "title": ("A synthetic zero-carbon park, {year}", "合成示范零碳园区，{year} 年"),
    "clock": _both(
        "The demo's clock stands still, on {begins} and on {ends}: so it says the same on any day.",
        "演示时钟固定在 {begins} 与 {ends}，因此任何一天运行结果都相同。",
    ),
    "label": (
        "SYNTHETIC DEMO DATA, generated, seed {seed}; not a measurement",
        "合成演示数据，由程序生成（随机种子 {seed}），不是实测值",
    ),
    "energy": ("Energy of the year, by metering point", "全年电量（按计量点）"),
    "shares": (
        "Green share of consumption, by the interval that supply must match",
        "绿电占用电量的比例（按匹配时段）",
    ),
    "quality": ("Missing and repaired data", "缺失与修复的数据"),
    "claims": ("Claims, each kWh once", "绿电消费声明：一度电只声明一次"),
    "evidence": ("Log and proofs", "日志与证明"),
    "next": ("What to try next", "接下来可以尝试"),
    # Columns
    "col.point": ("point", "计量点"),
    "col.system": ("system", "园区系统"),
    "col.energy": ("MWh", "MWh"),
    "col.matched": ("matched", "已匹配"),
    "col.missing": ("missing", "缺失"),
    "col.repairs": ("marked", "标记"),
    "col.by": ("by the", "匹配时段"),
    "col.matched_mwh": ("GWh", "GWh"),
    "col.share": ("share", "比例"),
    "col.by_party": ("claimed by", "声明方"),
    "col.claimed": ("claimed MWh", "声明 MWh"),
    "col.self": ("self-use", "自发自用"),
    "col.direct": ("direct", "绿电直供"),
    "col.trade": ("trade", "绿电交易"),
    # Kinds, systems, granularities, flags
    "kind.generation": ("generation", "发电"),
    "kind.consumption": ("consumption", "用电"),
    "kind.storage-charge": ("storage", "储能"),
    "kind.grid-import": ("grid", "电网"),
    "kind.parent": ("sub-metered, not in the sum", "有下级表，不计入合计"),
    "system.energy": ("energy", "能源"),
    "system.transport": ("transport", "交通"),
    "system.buildings": ("buildings", "建筑"),
    "system.infrastructure": ("infrastructure", "基础设施"),
    "system.production": ("production", "生产"),
    "system.ecology": ("ecology", "生态"),
    "by.quarter_hour": ("quarter-hour", "15 分钟"),
    "by.hour": ("hour", "小时"),
    "by.day": ("day", "日"),
    "by.month": ("month", "月"),
    "by.year": ("year", "年"),
    "flag.estimated": ("estimated", "估计"),
    "flag.profiled": ("profiled", "由长时段拆分"),
    "flag.resampled": ("resampled", "重采样"),
    "flag.clipped": ("clipped", "负值置零"),
    "flag.relabelled": ("relabelled", "时标修正"),
    "flag.rollover": ("rollover", "表计翻转"),
    "flag.swapped": ("swapped", "换表"),
    "flag.suspect": ("suspect", "存疑"),
    "flag.corrected": ("corrected", "更正"),
    "flag.late": ("late", "迟到"),
    # Sentences
    "shares.flatters": _both(
        "By the year the park looks {year} green. By the quarter-hour, when power was really "
        "used, it is {quarter}. The annual figure flatters by {points} percentage points: {wh} "
        "that were not there when they were needed.",
        "按年匹配，园区绿电比例为 {year}；按实际用电的 15 分钟匹配，仅为 {quarter}。年度口径高估 "
        "{points} 个百分点，即 {wh} 在用电时刻并不存在。",
    ),
    "shares.definition": _both(
        "Definition: matched PV and wind ÷ consumption of {count} points, estimates included; "
        "own generation, direct supply, green trade in this order, in proportion to demand. The "
        "trade delivers at most {limit}. The certificates below are made up, as all else: no "
        "official one is cancelled.",
        "定义：已匹配的光伏与风电电量 ÷ {count} 个用电计量点的用电量（含估计值）；依次为自发自用"
        "、绿电直供、绿电交易，按需求比例分配；绿电交易以合同量 {limit} 为上限。下文的绿证同样是"
        "合成的：没有核销任何官方绿证。",
    ),
    "shares.profiled": _both(
        "{wh} of consumption was read by the hour and spread evenly over its quarters: the "
        "quarter-hour figure rests on that.",
        "其中 {wh} 用电量仅有小时读数，平均拆分至 15 分钟；15 分钟口径含此近似。",
    ),
    "shares.storage": _both(
        "Storage: {discharge} were discharged and count as NOT green: this park has no contract of "
        "kind storage, by which what was charged green would count, less losses. Charging "
        "({charge}) is in no consumption above.",
        "储能：放电 {discharge} 未计为绿电，因本园区没有储能合同（若有，则充入的绿电扣除损耗后可计"
        "入）；充电 {charge} 未计入上述用电量。",
    ),
    "quality.generation": (
        "{point}: {count} quarter-hours never arrived. Missing generation earns nothing.",
        "{point}：{count} 个 15 分钟时段缺数。发电缺数不产生任何绿电。",
    ),
    "quality.consumption": _both(
        "{point}: {count} quarter-hours missing, {wh} estimated by rule “{rule}”. They stay in "
        "the denominator, and nothing is matched with them.",
        "{point}：{count} 个 15 分钟时段缺数，按规则“{rule}”估计 {wh}；计入分母，但不参与匹配。",
    ),
    "quality.repeats": (
        "{file}: {count} identical repeats dropped.",
        "{file}：剔除 {count} 个完全相同的重复值。",
    ),
    "quality.correction": _both(
        "{file}: {count} intervals corrected by a new entry; the old one stays. Reason: {reason}.",
        "{file}：{count} 个时段由新记录更正，原记录保留。原因：{reason}。",
    ),
    "quality.repair": ("{file}: {what} ({count} ×).", "{file}：{what}（{count} 次）。"),
    "repair.profiled": ("spread evenly from longer intervals", "由较长时段均分"),
    "repair.resampled": ("composed from other intervals by overlap", "由其他时段按重叠折算"),
    "repair.clipped": ("negative power set to 0", "负功率置为 0"),
    "repair.relabelled": ("stamp 0:00 moved to the end of its day", "时标 0:00 修正为当日末"),
    "repair.rollover": ("the register rolled over", "表计示数翻转"),
    "repair.swapped": (
        "the meter was swapped, both registers added up",
        "换表，新旧表电量相加",
    ),
    "repair.suspect": ("a stored zero, kept but doubted", "零值存疑，予以保留"),
    "list": (", ", "、"),
    "rule.parent": ("parent meter less its other children", "上级表减去其余分表"),
    "rule.stated": ("the reading's own estimate", "读数自带估计"),
    "rule.billed": ("billed energy", "账单电量"),
    "rule.trailing": ("highest of the 28 days before", "前 28 天最大值"),
    "rule.run": ("highest of the run", "本期最大值"),
    "claims.equal": _both(
        "Claimed {claimed} Wh = matched {matched} Wh, in {count} claims.",
        "声明 {claimed} Wh = 匹配 {matched} Wh，共 {count} 份声明。",
    ),
    "claims.unequal": _both(
        "Claimed {claimed} Wh, but matched {matched} Wh.",
        "声明 {claimed} Wh，但匹配 {matched} Wh。",
    ),
    "claims.refused": _both(
        "{point} claims {month} again; the ledger refuses: “{why}”",
        "{point} 再次声明 {month}，账本拒绝：“{why}”",
    ),
    "claims.not_refused": (
        "{point} could claim {month} twice.",
        "{point} 对 {month} 重复声明，却未被拒绝。",
    ),
    "claims.single_use": _both(
        "Single use in this log is established, as of {size} entries; so says the verifier. Use "
        "outside of it can never be excluded.",
        "核验程序证实：截至 {size} 条记录，在本日志中单次使用；日志之外的使用永远无法排除。",
    ),
    "claims.no_single_use": ("Single use is NOT established.", "未证实单次使用。"),
    "claims.provenance": _both(
        "Its supply was signed by: {signed}.",
        "其供给侧电量的签名方：{signed}。",
    ),
    "claims.seed": ("Sample seed", "抽样种子"),
    "check.evidence": _both(
        "Evidence of the claim of {month}: {opened} % of {claimed} opened, back to signed readings",
        "{month} 声明的证据文件：{claimed} 中公开 {opened} %，逐笔追溯到已签名读数",
    ),
    "check.sampled": _both(
        "Evidence of the year's rest ({claimed}), sampled: {count} quarter-hours opened; if 5 % "
        "were false, that would be found with {detection} %",
        "全年其余部分（{claimed}）的抽样证据文件：公开 {count} 个 15 分钟时段；若有 5 % 不实，"
        "发现概率为 {detection} %",
    ),
    "check.forged-evidence": _both(
        "The evidence with 1 Wh more is found. The verifier: “{step}” does not hold: {why}",
        "多报 1 Wh 的证据文件被发现。核验程序：“{step}”不成立：{why}",
    ),
    "evidence.log": (
        "Log {log}: {size} entries commit {intervals} intervals.",
        "日志 {log}：{size} 条记录，以哈希值锁定 {intervals} 个时段读数。",
    ),
    "evidence.types": ("Entries", "记录"),
    "evidence.checkpoint": ("Checkpoint", "检查点"),
    "evidence.vkey": ("Verification key", "验证公钥"),
    "evidence.generation": ("Generation, signed by", "发电量签名方"),
    "evidence.consumption": ("Consumption, signed by", "用电量签名方"),
    "signed.meter-signed": ("meter {wh}", "电表 {wh}"),
    "signed.gateway-signed": ("endorsed gateway {wh}", "经背书的网关 {wh}"),
    "signed.party-import": ("the enterprise's own key {wh}", "企业自持密钥 {wh}"),
    "signed.operator": ("keys held by the operator {wh}", "运营方代管密钥 {wh}"),
    "check.log": (
        "The whole public log: tree, signatures, rules",
        "整个公开日志：树、签名、规则",
    ),
    "check.entry": ("The matching run is in the log", "匹配结果已入日志"),
    "check.reading": ("One reading, opened alone", "单个读数，单独出示"),
    "check.allocation": ("One allocated quarter-hour", "单个 15 分钟的分配"),
    "check.consistency": (
        "The log only grew since the first checkpoint",
        "自首个检查点以来日志只增不改",
    ),
    "check.forged": ("The reading with 1 kWh more is refused", "多报 1 kWh 的读数被拒绝"),
    "check.wrong": ("NOT as expected: {why}", "与预期不符：{why}"),
    "audit.ok": _both(
        "Audit: {entries} entries, {bodies} bodies, {checkpoints} checkpoints recomputed, {rows} "
        "rows rebuilt and equal",
        "审计：{entries} 条记录、{bodies} 个正文、{checkpoints} 个检查点全部重算，{rows} 行重建"
        "后一致",
    ),
    "evidence.open": _both(
        "NOT established: that the data is real (it is not), that meters told the truth, that no "
        "kWh was used outside of this ledger, that others are shown the same log (no witness yet).",
        "未证实：数据真实（本数据为合成）、电表如实计量、电量未在本账本之外被使用、他人所见为同一"
        "日志（尚无见证人）。",
    ),
    "verified.yes": ("Everything above was verified.", "以上全部核验通过。"),
    "verified.no": (
        "VERIFICATION FAILED: do not rely on anything above.",
        "核验未通过：以上内容均不可采信。",
    ),
    "seconds": ("Made in {seconds} s, in {dir}", "用时 {seconds} 秒，位于 {dir}"),
    # Next
    "next.log": ("Verify the public log, offline", "离线核验公开日志"),
    "next.allocation": (
        "Follow an allocated quarter-hour to its signed log",
        "追溯某一 15 分钟的绿电分配",
    ),
    "next.forged": ("See a forged reading refused", "查看伪造读数如何被拒绝"),
    "next.evidence": (
        "Be the buyer: verify the evidence of a claim",
        "作为买方，核验一份声明的证据文件",
    ),
    "next.bought": (
        "Follow bought certificates from their use to their import",
        "把购入的绿证从使用追溯到导入",
    ),
    "next.forged-evidence": ("See 1 Wh too much found", "查看多报 1 Wh 如何被发现"),
    "next.trace": (
        "Follow a claimed quarter-hour back to contract and meter",
        "把声明中的 15 分钟追溯到合同与电表",
    ),
    "next.status": (
        "See how a claim stands (a correction may leave it short)",
        "查看声明的状态（读数更正可能使其不足）",
    ),
    "next.match": (
        "Match July again: what became lots is not matched twice",
        "再次匹配七月：已成份额的电量不再重复匹配",
    ),
    "next.again": ("Hand a file in twice: nothing changes", "重复导入同一文件：结果不变"),
    "next.prove": ("Open another reading", "出示另一个读数"),
    "next.parquet": ("Take the series to a notebook", "导出序列供数据分析"),
    "next.audit": ("Recompute everything", "全部重新计算"),
}


def default_language() -> Language:
    """As the environment's locale says."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    first = next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "zh" if first.lower().startswith("zh") else "en"


class Texts:
    """The table in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._place = LANGUAGES.index(language)

    def say(self, key: str, **values: object) -> str:
        return TEXTS[key][self._place].format(**values)
