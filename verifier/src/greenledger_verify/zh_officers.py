"""Chinese for officers, four eyes and periods: reasons and what is established."""

from typing import Final

OFFICERS: Final[dict[str, str]] = {
    "a gap is empty": "缺口时段为空",
    "a range of units is empty": "单位区间为空",
    "a reason stands exactly where a period goes back": "仅在期间被退回时才须有理由",
    "approval": "审批",
    "ended by entry {index}": "由第 {index} 号记录终止",
    "four eyes: one officer prepared and another approved the entries {entries}": (
        "双人复核：第 {entries} 号记录均由一名经办人员编制、另一名复核人员批准"
    ),
    "no four eyes: the entries {entries} are signed by their author alone": (
        "无双人复核：第 {entries} 号记录仅由其作者签名"
    ),
    "more intervals are estimated than read": "估算的时段多于读数",
    "nobody": "无",
    "period {period} has not ended yet": "期间 {period} 尚未结束",
    "period {period} of {party} goes from {before} to {after}": (
        "{party} 的期间 {period} 不得由 {before} 转为 {after}"
    ),
    "the revision is {given}, not {expected}": "修订号为 {given}，应为 {expected}",
    "{author} may not take this step of a period of {party}": (
        "{author} 无权对 {party} 的期间作此步骤"
    ),
    "{value} is not a month such as 2026-03 or a year such as 2026": (
        "{value} 不是 2026-03 这样的月份或 2026 这样的年份"
    ),
    "That nothing was added to a closed period: whose readings and of what time they are "
    "stands in bodies.": "已关账期间是否未再增添内容：读数属于谁、属于何时，见于正文。",
    "That two officers are two people: the log knows them by random ids.": (
        "两名人员是否确为两个人：日志仅以随机编号记载他们。"
    ),
    "That two officers are two people, and that they had not ended, or were not needed where "
    "they did not sign: the log knows them by random ids, and shows all of them "
    "(greenledger-verify log).": (
        "两名人员是否确为两个人、当时是否尚未终止，以及未签名处是否本无须其签名："
        "日志仅以随机编号记载他们，全部情况须查验整个日志（greenledger-verify log）。"
    ),
    "the officer {name} both prepared and approved it": "人员 {name} 既编制又批准",
    "the officer {name} may not sign any more: {ended}": "人员 {name} 不得再签名：{ended}",
    "the officer {officer} was never registered": "人员 {officer} 从未登记",
    "the officer {officer} was registered before": "人员 {officer} 此前已登记",
    "the rule of approval of {party} is {rule} already": "{party} 的审批规则已是 {rule}",
    "{name} ({id}) is no officer registered at this point of the log": (
        "{name}（{id}）在日志此处不是已登记的人员"
    ),
    "{name} is an officer of {party}, not of the author {author}": (
        "{name} 是 {party} 的人员，而非作者 {author} 的人员"
    ),
    "{officers} officers, {ended} of them ended; four eyes are the rule of: {parties}. "
    "Irreversible entries made under it are signed by two officers each.": (
        "人员 {officers} 名，其中 {ended} 名已终止；实行双人复核的主体：{parties}。"
        "在此规则下作出的不可撤销记录均由两名人员签名。"
    ),
    "{periods} accounting periods, of them {closed} closed; each went its way step by step.": (
        "会计期间 {periods} 个，其中已关账 {closed} 个；各期间均逐步推进。"
    ),
    "{party} has {count} officers; four eyes need two": (
        "{party} 有 {count} 名人员；双人复核需要两名"
    ),
}
