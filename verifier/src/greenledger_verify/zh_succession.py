"""Chinese for logs that follow another one."""

from typing import Final

SUCCESSION: Final[dict[str, str]] = {
    "That {origin} did not go on as well: take nothing from it of after this log began.": (
        "{origin} 是否也在继续：本日志开始之后，其内容一概不应采信。"
    ),
    "The log follows another one, {origin}, as of {size} entries with the root {root} (key "
    "{vkey}); nothing of months before {since} is divided here.": (
        "本日志接续另一日志 {origin}（截至 {size} 条记录，根为 {root}，密钥 {vkey}）；"
        "{since} 之前各月的电量不在此划分。"
    ),
    "a log does not follow itself": "日志不得接续自身",
    "accounts since {since} would begin before the log does": (
        "自 {since} 起的账目会早于本日志的开始"
    ),
    "log.succeed is entry 1 and only that; this is entry {index}": (
        "log.succeed 只能是第 1 号记录；这是第 {index} 号记录"
    ),
    "the origin {origin} is of before {since}, with which accounts begin in this log: it follows "
    "another one, which may have used it": (
        "来源 {origin} 早于 {since}，即本日志账目的起始月：本日志接续另一日志，后者可能已使用过它"
    ),
    "{value} is not a month such as 2026-03": "{value} 不是 2026-03 这样的月份",
}
