"""Chinese for certificates, credits and other units: what is said of them, and the public rules."""

from typing import Final

UNITS: Final[dict[str, str]] = {
    # What is said
    "Beside lots it counts {wh} Wh of certificates; by what the points consumed, the claimant's "
    "word, {residual} Wh are left.": (
        "除份额外，另计绿证 {wh} Wh；按计量点用电量（声明者自述），尚余 {residual} Wh。"
    ),
    "Each retirement goes back to the import of its units, number by number and owner by owner": (
        "每次注销都逐号、逐所有者追溯到其单位的导入"
    ),
    "How many units a batch or a holding has and whose they are, and that what moves or is retired "
    "comes out even: evidence files show that of the units of a claim.": (
        "批次或持有有多少单位、属于谁，以及转让或注销的数量是否收支相符："
        "由声明的证据文件就其单位证明。"
    ),
    "That certificates which are used in a part of the period are no more than the points consumed "
    "there: what they consumed is the claimant's word.": (
        "仅用于部分期间的绿证是否不超过各计量点在该时段的用电量：该用电量为声明者自述。"
    ),
    "That the official registries know these units, and that they moved and cancelled them as this "
    "log says.": "官方登记机构是否有这些单位，以及是否如本日志所述转让和核销。",
    "That units were still valid, and that the rules of their schemes were those in force: that "
    "needs the public log (--log DIR).": (
        "单位当时是否仍有效，其制度规则是否为当时有效者：须有公开日志（--log DIR）。"
    ),
    "That {author} owns the points {points}: no quarter-hour of them is opened.": (
        "{author} 是否拥有计量点 {points}：没有公开其任何 15 分钟时段。"
    ),
    "The certificates and credits are as their schemes and the claim say": (
        "绿证和碳信用与其制度及声明所述相符"
    ),
    "asserted only, the operator's word: that the official registry issued these units, and what "
    "stands behind them": "仅为断言，属运营方所述：官方登记机构签发了这些单位，及其背后之物",
    "certificates": "绿证",
    "credits": "碳信用",
    "official": "官方的",
    "secondary": "转引的",
    "unverified": "未核实的",
    "the claim has no certificate": "声明不含绿证",
    "the claim has no credit": "声明不含碳信用",
    "the rules of {scheme} are {status}, from: {source}": (
        "{scheme} 的规则为{status}，出处：{source}"
    ),
    "they lessen nothing: no Wh of the claim, and no residual": (
        "碳信用不抵减任何数：既不增减声明的电量，也不减少剩余"
    ),
    "{batches} batches of units were issued, each revision once; {holdings} holdings, of them "
    "{ended} ended, none twice; {retirements} retirements, of them {claimed} in claims and "
    "{disclosed} disclosed.": (
        "共发行单位 {batches} 批，每版一次；持有 {holdings} 项，其中已终止 {ended} 项，无一重复；"
        "注销 {retirements} 次，其中列入声明 {claimed} 次、公示 {disclosed} 次。"
    ),
    "{count} retirements followed back, number by number, to the imports in entries {entries}": (
        "{count} 次注销已逐号追溯到第 {entries} 号记录的导入"
    ),
    "{units} units are one energy with lots of the claim, and add no Wh": (
        "{units} 个单位与声明的份额是同一电量，不另计 Wh"
    ),
    "{units} units of {scheme} ({name}): {grams} g": (
        "{scheme}（{name}）{units} 个单位：{grams} g"
    ),
    "{units} units of {scheme} ({name}): {wh} Wh": "{scheme}（{name}）{units} 个单位：{wh} Wh",
    # The public rules
    "a retirement is named exactly by the act retire": "仅注销（retire）须写明注销标识",
    "body has {given} leaves, not the {expected} of its members": (
        "body 有 {given} 片叶子，按其成员应为 {expected} 片"
    ),
    "it both spends and wraps the lot {lot}": "它既使用又包装份额 {lot}",
    "it spends no lot, has no retirement and replaces no claim": (
        "它未使用任何份额、没有注销，也未替换任何声明"
    ),
    "the batch {batch} is issued before its revision {revision}": (
        "批次 {batch} 的发行早于其第 {revision} 版"
    ),
    "the batch {batch} was issued before, by entry {index}": (
        "批次 {batch} 此前已由第 {index} 号记录发行"
    ),
    "the holding {holding} began before, by entry {index}": (
        "持有 {holding} 此前已由第 {index} 号记录开始"
    ),
    "the holding {holding} both begins and ends in it": "持有 {holding} 在同一记录中既开始又终止",
    "the holding {holding} ended before it begins, by entry {index}": (
        "持有 {holding} 尚未开始即已由第 {index} 号记录终止"
    ),
    "the holding {holding} is frozen: only the operator may release it": (
        "持有 {holding} 已冻结：只有运营方可以解冻"
    ),
    "the holding {holding} is {state}; {act} ends only what is {allowed}": (
        "持有 {holding} 处于 {state} 状态；{act} 只能终止 {allowed} 状态者"
    ),
    "the holding {holding} that it ends did not begin in an earlier entry": (
        "所终止的持有 {holding} 并非由较早的记录开始"
    ),
    "the holding {holding} was ended before, by entry {index}": (
        "持有 {holding} 此前已被第 {index} 号记录终止"
    ),
    "the record {record} was verified before, by entry {index}": (
        "减排记录 {record} 此前已由第 {index} 号记录核验"
    ),
    "the reduction {record} was recorded before, by entry {index}": (
        "减排 {record} 此前已由第 {index} 号记录登记"
    ),
    "the retirement {retirement} is in a claim already, of entry {index}": (
        "注销 {retirement} 已列入第 {index} 号记录的声明"
    ),
    "the retirement {retirement} was disclosed before, by entry {index}": (
        "注销 {retirement} 此前已由第 {index} 号记录公示"
    ),
    "the retirement {retirement} was made before, by entry {index}": (
        "注销 {retirement} 此前已由第 {index} 号记录作出"
    ),
    "the retirement {retirement} was made by {owner}, not by {author}": (
        "注销 {retirement} 由 {owner} 作出，而不是 {author}"
    ),
    "the serials are {given} units, not {expected}": "编号区间共 {given} 个单位，而不是 {expected}",
    "the time from {start} to {end} is empty": "自 {start} 至 {end} 的时段为空",
    "the units {first}-{end} and {next_first}-{next_end} of the batch {batch} overlap": (
        "批次 {batch} 的单位 {first}-{end} 与 {next_first}-{next_end} 重叠"
    ),
    "there is no record {record} before it": "此前没有减排记录 {record}",
    "there is no retirement {retirement} before it": "此前没有注销 {retirement}",
    "{act} can't end {ends} holdings and begin {begins}": (
        "{act} 不能终止 {ends} 项持有并开始 {begins} 项"
    ),
    "{act} is an act of the operator only": "{act} 只能由运营方作出",
    "{author} can't verify the record {record}: it made it itself": (
        "{author} 不得核验减排记录 {record}：该记录由其自己作出"
    ),
    "{author} may not verify reductions: it does not have the role verifier": (
        "{author} 不得核验减排：它没有核验方（verifier）角色"
    ),
    "{name} is not registered": "{name} 未登记",
    "{value} is not a batch <code>/<revision>": "{value} 不是批次 <编码>/<版本>",
    "{value} is not a range <code>/<revision>:<first>-<end>, half-open": (
        "{value} 不是半开区间 <编码>/<版本>:<起>-<止>"
    ),
}
