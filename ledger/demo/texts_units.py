"""What the demo says of certificates and credits, in English and Chinese.

Chinese terms are those of the rules: 绿证, 核发, 划转, 核销, 结转; a unit of credit is a 吨.
"""

from __future__ import annotations

from typing import Final


def _both(english: str, chinese: str) -> tuple[str, str]:
    """A pair whose texts run over several lines."""
    return english, chinese


UNIT_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "step.certificates": (
        "Issue, settle, sell and import certificates",
        "核发、结算、交易并导入绿证",
    ),
    "step.credits": (
        "Record, verify and issue captured CO2; import CCER",
        "记录、核查并签发二氧化碳捕集量；导入 CCER",
    ),
    "step.official": (
        "Try what must not pass; compare with the registry",
        "尝试不应通过的操作；与登记机构对账",
    ),
    "units": ("Certificates and credits, each unit once", "绿证与碳信用：每一张、每一吨只用一次"),
    "col.project": ("project", "项目"),
    "col.class": ("class", "类别"),
    "col.lots": ("lots MWh", "份额 MWh"),
    "col.issued": ("issued", "核发（张）"),
    "col.left": ("carried on MWh", "结转 MWh"),
    "col.bound": ("of lots", "随份额"),
    "col.lots_share": ("by lots", "份额比例"),
    "col.more": ("further", "另用绿证"),
    "col.with_more": ("with these", "合计比例"),
    "col.residual": ("residual MWh", "剩余 MWh"),
    "col.official": ("official", "官方状态"),
    "class.self-use": ("self-use", "自发自用"),
    "class.green-trade": ("green trade", "绿电交易"),
    "class.ordinary": ("ordinary", "普通"),
    "official.final": ("final", "已确认"),
    "official.pending": ("pending", "待核销确认"),
    "status.official": ("official", "官方"),
    "status.secondary": ("secondary", "二手来源"),
    "status.unverified": ("unverified", "未核实"),
    "units.rules": _both(
        "Rules are data in the log, with their source; how sure each is: {status}.",
        "规则作为数据写入日志，并注明出处；可靠程度：{status}。",
    ),
    "units.issued": _both(
        "Issued month by month: each certificate stands for 1 MWh of lots; what is below one is "
        "carried to the next month of project and class. Those of self-use and green trade are "
        "one energy with lots that consumers hold; ordinary ones use up what nobody was allotted.",
        "逐月核发：每张对应份额 1 MWh，不足一张的结转至同项目、同类别的下月。自发自用与"
        "绿电交易绿证和用户所持份额是同一份电量；普通绿证则用掉无人分得的电量。",
    ),
    "units.settled": _both(
        "Green trade settled month by month and buyer by buyer: {units} certificates moved with "
        "the power; {left} belong to parts of a MWh, and stay with the seller.",
        "绿电交易按月、按购方结算：{units} 张随电量划转；{left} 张对应不足 1 MWh 的部分，"
        "留在卖方。",
    ),
    "units.listed": _both(
        "A wind farm outside, by a made-up official list: {units} certificates imported, some sold "
        "to data-centre.",
        "园区外风电场：按合成的官方清单导入 {units} 张，部分售予 data-centre。",
    ),
    "units.frozen": _both(
        "When sea-wind registers a CCER project for December, {frozen} certificates that were not "
        "traded freeze, and are cancelled (124号). {expired} of February 2024 expire.",
        "sea-wind 登记 12 月的 CCER 项目时，{frozen} 张未交易绿证随即冻结，而后注销（124 号文）；"
        "2024 年 2 月的 {expired} 张到期失效。",
    ),
    "units.bound": _both(
        "“of lots”: certificates of the same energy as the claim's lots, which add nothing; "
        "“further”: bought ones, whole, month by month, for what lots leave. They cover a month, "
        "not a quarter-hour. Final once an official statement confirms each certificate.",
        "“随份额”：与声明份额为同一份电量的绿证，不另计；“另用绿证”：购入的整张绿证，逐月抵补份额"
        "之外的用电，只按月、不按 15 分钟覆盖。官方对账单确认每一张之后，声明才算最终确认。",
    ),
    "units.capture": _both(
        "CO2 captured at the works: {captured} weighed, {stored} stored, {emissions} emitted for "
        "it; net {net}, of it {buffer} held back as buffer. Verified by {verifier}, not by its "
        "owner.",
        "厂内碳捕集：计量 {captured}，封存 {stored}，过程排放 {emissions}；净量 {net}，其中"
        " {buffer} 留作缓冲。由 {verifier} 核查，而非业主自查。",
    ),
    "units.internal": _both(
        "Issued for it as internal reduction records (not CCER/PHCER, no compliance use): "
        "{avoided} t avoided at source, {removal} t removed from the air; {retired} retired "
        "voluntarily.",
        "据此签发内部减排记录（非 CCER/PHCER，不可履约）：源头避免 {avoided} t，清除 {removal} t；"
        "自愿注销 {retired} t。",
    ),
    "units.ccer": _both(
        "CCER of a mangrove project: {issued} imported, {retired} retired by cold-chain for "
        "neutrality. Credits stand on a line of their own: they lessen no consumption.",
        "红树林项目 CCER：导入 {issued} t，cold-chain 为碳中和注销 {retired} t。"
        "碳信用单列，不冲减任何用电量。",
    ),
    "units.reconciled": _both(
        "Compared with a made-up account statement of the registry: {agrees} units agree; missing "
        "here: {missing}; conflict: {conflict}, used here, still held there.",
        "与合成的登记账户对账单比对：{agrees} 张一致；账本缺：{missing}；冲突：{conflict}，"
        "此处已使用，对方仍为持有。",
    ),
    "units.disclosed": _both(
        "{party} shows one retirement to everybody, by its own choice: {units} certificates, entry "
        "{entry}.",
        "{party} 自愿公开一笔核销：{units} 张，记录 {entry}。",
    ),
    "units.words": (
        "The ledger's own words for each stand in summary.json.",
        "每一条的账本原文见 summary.json。",
    ),
    "refused": ("Refused: {what}", "已拒绝：{what}"),
    "not_refused": ("NOT refused: {what}", "未被拒绝：{what}"),
    "refused.verifier": (
        "the owner of a capture plant verifies its own record",
        "捕集业主自行核查自己的记录",
    ),
    "refused.again": ("certificates imported a second time", "同一批绿证再次导入"),
    "refused.green-trade": (
        "a certificate of a green trade sold again",
        "绿电交易绿证再次交易",
    ),
    "refused.settled": ("a month of a green trade settled again", "同一月份的绿电交易重复结算"),
    "refused.self-use": (
        "a self-use certificate passed on by its actual user",
        "自发自用绿证由实际用户再转让",
    ),
    "refused.others": ("a certificate of another party used", "使用他人持有的绿证"),
    "refused.barred": (
        "a CCER project for onshore PV in 124号's two years",
        "124 号文过渡期内为陆上光伏登记 CCER 项目",
    ),
    "refused.balance": ("CO2 whose mass balance does not close", "质量不平衡的二氧化碳记录"),
    "refused.compliance": (
        "an internal record used for ETS compliance",
        "内部减排记录用于碳市场履约",
    ),
    "refused.twice": ("a certificate used twice", "同一张绿证使用两次"),
    "refused.ccer": (
        "CCER for wind whose certificates were used",
        "为绿证已被使用的风电签发 CCER",
    ),
    "refused.expired": ("expired certificates sold", "出售已过期的绿证"),
    "check.bought": _both(
        "Evidence of data-centre's claim, as a total: its {units} certificates followed back, "
        "number by number, to {imports} imports",
        "data-centre 声明的证据文件（仅总量）：{units} 张绿证逐号追溯到 {imports} 次导入",
    ),
}
