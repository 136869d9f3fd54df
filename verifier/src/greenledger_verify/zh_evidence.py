"""Chinese for evidence files: steps, lines, what is established and what is not."""

from typing import Final

EVIDENCE: Final[dict[str, str]] = {
    "0 independent witnesses": "独立见证人 0 个",
    "Anything about the quarter-hours that are not opened.": "未公开的各 15 分钟时段的任何情况。",
    "Anything by the seed that you named: a file of the level {level} has no samples.": (
        "与您指定的种子有关的任何情况：{level} 级别的文件没有样本。"
    ),
    "As far as the given entries show, the claim is in force and not short": (
        "就所给记录而言，声明有效且无不足"
    ),
    "Claimed as {supply}: {wh} Wh.": "按{supply}声明：{wh} Wh。",
    "Does NOT hold any more: {why}": "已不再成立：{why}",
    "Each claimed cell is opened; supply and cover are equal, quarter-hour by quarter-hour and "
    "class by class": "所声明的每一笔都已公开；逐 15 分钟、逐类别，供给与覆盖相等",
    "Each signature is by a key that the log registered before, in a chain that ends in the "
    "genesis; no entry uses what another one has used": (
        "每个签名所用密钥都已先在日志中登记，且可逐级追溯到创世记录；没有记录重复使用他者已用之物"
    ),
    "How the claimed Wh are divided into classes: {classes} is the claimant's word.": (
        "所声明电量如何分类：{classes}为声明者自述。"
    ),
    "In each opened quarter-hour the lots are worth what the readings give, and no more": (
        "在每个公开的 15 分钟时段内，各份额合计等于读数所给的电量，不多不少"
    ),
    "In each opened quarter-hour, all lots of a source that anybody can show are together worth "
    "what its signed reading gives, and no more.": (
        "在每个公开的 15 分钟时段内，任何人能出示的同一电源的全部份额合计等于其已签名读数所给的"
        "电量，不会更多。"
    ),
    "In the whole log no origin is divided twice, no lot is created, spent or wrapped twice, and "
    "no unit moved or retired twice": (
        "在整个日志中，没有来源被划分两次，没有份额被创建、使用或包装两次，没有单位被转让或注销两次"
    ),
    "It replaces the claim {claim}, and takes over its lots: {reason}": (
        "它替换声明 {claim} 并接管其份额：{reason}"
    ),
    "NOT established that the verifier named the seed (--seed): whoever chooses it can choose "
    "what is shown": "未证实种子由核验方指定（--seed）：谁选定种子，谁就能选择出示的内容",
    "NOT in force any more as of {size} entries: {ended}": "截至 {size} 条记录已失效：{ended}",
    "SHORT as of {size} entries: flagged by entry {index}, it says more than the meters do now": (
        "截至 {size} 条记录为不足：由第 {index} 号记录标记，其声明多于电表现值"
    ),
    "That any metered energy stands behind the claim, and that {author} owns the points: the "
    "level total only shows what was asserted and committed.": (
        "声明背后是否有计量电量，以及 {author} 是否拥有各计量点："
        "total 级别只表明所断言并承诺的内容。"
    ),
    "That the readings were in force when they were divided, and that no later correction left "
    "the claim short without the operator flagging it.": (
        "读数在划分时是否有效，以及之后是否有更正使声明不足而运营方未作标记。"
    ),
    "Of which kind and unit the points {points} were before: an earlier registration of them is "
    "not opened.": "计量点 {points} 此前为何种类型和单位：其较早的登记未公开。",
    "That no meter stands above another one of the same side whose points are not opened here, "
    "and that no device is registered as two points: one kWh would count twice.": (
        "是否有未在此公开的同侧上下级电表，或同一设备登记为两个计量点：否则一度电会计两次。"
    ),
    "That the claim is still in force and not short, and that the points were not registered "
    "anew before it: that needs the public log (--log DIR).": (
        "声明是否仍有效且无不足，以及计量点在此前是否曾重新登记：须有公开日志（--log DIR）。"
    ),
    "That the energy was not claimed, sold or certified outside of this ledger as well.": (
        "该电量是否也在本账本之外被声明、出售或认证。"
    ),
    "That the energy which the storage gave back was green when it was stored: its discharge is "
    "metered, no more.": "储能放出的电量存入时是否为绿电：此处仅计量其放电。",
    "That the matching runs behind the divisions were computed rightly, and that contracts were "
    "as they say.": "划分所依据的匹配是否计算正确，合同是否如其所述。",
    "That the signing keys had not been replaced or revoked before, and that all other rules of "
    "the log are kept: that needs the whole log (greenledger-verify log).": (
        "签名密钥此前是否已被替换或吊销，日志的其他规则是否都得到遵守："
        "须查验整个日志（greenledger-verify log）。"
    ),
    "The author may claim this, as far as the opened bodies show": (
        "就已公开的正文所示，作者有权作此声明"
    ),
    "The checkpoint of the log directory is signed by the log key that you brought": (
        "日志目录的检查点由您提供的日志密钥签名"
    ),
    "The claim and its manifest fit each other and the claims it replaces": (
        "声明与其清单及所替换的声明相符"
    ),
    "The claim's tree has the total that is claimed, and opens what the level asks": (
        "声明之树的总量与所声明者相符，公开的内容合乎级别"
    ),
    "The log of the evidence ({earlier} entries) is the beginning of that in the directory "
    "({size} entries)": "证据的日志（{earlier} 条记录）是目录中日志（{size} 条记录）的开头",
    "The opened leaves of divisions are what their entries commit to": (
        "所公开的划分叶子与其记录的承诺相符"
    ),
    "The samples follow from the seed that you named": "样本由您指定的种子得出",
    "What the points consumed in all ({consumption} Wh, of them {estimated} Wh estimated, is the "
    "claimant's word), and that these are all points of {author}.": (
        "各计量点的总用电量（{consumption} Wh，其中估算 {estimated} Wh，均为声明者自述），"
        "以及这些是否为 {author} 的全部计量点。"
    ),
    "in force, not short, as of {size} entries": "截至 {size} 条记录有效，无不足",
    "independent witnesses": "独立见证人",
    "integrity": "完整性",
    "level total: asserted, committed; no reading, source or lot is shown, so that nothing but "
    "the claimant's word stands behind the {wh} Wh": (
        "total 级别：已断言、已承诺；未出示任何读数、电源或份额，{wh} Wh 只有声明者自述为据"
    ),
    "no reading is opened": "未公开任何读数",
    "no time-stamp and no witness brackets it": "没有时间戳或见证人界定其时间",
    "not after {time}: the witness {name} cosigned a log that holds the claim": (
        "不晚于 {time}：见证人 {name} 联署了含此声明的日志"
    ),
    "not before {time}: the tick before the claim, the operator's word": (
        "不早于 {time}：声明之前的时刻记录，为运营方所述"
    ),
    "not established: that needs the public log (--log DIR)": ("未证实：须有公开日志（--log DIR）"),
    "provenance": "数据出处",
    "share of Wh opened": "公开的电量比例",
    "single use": "单次使用",
    "single use NOT established: that needs the public log (--log DIR)": (
        "未证实单次使用（single use NOT established）：须有公开日志（--log DIR）"
    ),
    "single use established in this log, as of {size} entries: no origin, lot, unit or claim is "
    "used twice": (
        "已证实在本日志中单次使用（截至 {size} 条记录）：没有来源、份额、单位或声明被使用两次"
    ),
    "status": "状态",
    "the file is whole and unchanged: its {count} entries are in the log {origin} of {size} "
    "entries, and all that it opens is what they commit to": (
        "文件完整且未被改动：其 {count} 条记录都在日志 {origin}（{size} 条）中，"
        "所公开者均与其承诺相符"
    ),
    "the seed is the one that you named": "种子是您指定的那个",
    "time bracket": "时间界限",
    "use outside of this ledger can never be excluded": "在本账本之外的使用永远无法排除",
    "{consumer} ({name}) claims {wh} Wh of green power from {start} to {end}, in entry {index} of "
    "that log, claim {claim}.": (
        "{consumer}（{name}）声明自 {start} 至 {end} 使用绿电 {wh} Wh，"
        "见该日志第 {index} 号记录，声明 {claim}。"
    ),
    "{count} independent witnesses: {names}": "独立见证人 {count} 个：{names}",
    "{opened} of {claimed} Wh ({percent} %), in {count} quarter-hours": (
        "{claimed} Wh 中的 {opened} Wh（{percent} %），共 {count} 个 15 分钟时段"
    ),
    "{party} vouches for the keys behind {wh} Wh, by a key that you have not pinned": (
        "{party} 为 {wh} Wh 背后的密钥背书，所用密钥未经您指定"
    ),
    "{party} vouches for the keys behind {wh} Wh, by a key that you pinned": (
        "{party} 为 {wh} Wh 背后的密钥背书，所用密钥为您所指定"
    ),
    "{samples} samples by Wh: if {shares} of the Wh were false, one would be hit with a "
    "probability of {detection}": (
        "按电量抽样 {samples} 次：若有 {shares} 的电量不实，被抽中的概率为 {detection}"
    ),
    "{supply} {wh} Wh": "{supply} {wh} Wh",
    "{wh} Wh {kind}": "{wh} Wh {kind}",
}
