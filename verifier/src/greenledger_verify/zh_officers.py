"""Chinese for officers, four eyes and periods: reasons and what is established."""

from typing import Final

OFFICERS: Final[dict[str, str]] = {
    "approval": "审批",
    "ended by entry {index}": "由第 {index} 号记录终止",
    "four eyes: one officer prepared and another approved the entries {entries}": (
        "双人复核：第 {entries} 号记录均由一名经办人员编制、另一名复核人员批准"
    ),
    "no four eyes: the entries {entries} are signed by their author alone": (
        "无双人复核：第 {entries} 号记录仅由其作者签名"
    ),
    "nobody": "无",
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
    "{party} has {count} officers; four eyes need two": (
        "{party} 有 {count} 名人员；双人复核需要两名"
    ),
}
