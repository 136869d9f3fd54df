"""Chinese for records and reports."""

from typing import Final

RECORDS: Final[dict[str, str]] = {
    "What records and reports say, and that a report is what follows from the log at the size that "
    "it names: that stands in bodies; the audit of a log with bodies computes it again.": (
        "登记项和报告的内容，以及报告是否确由其所述规模的日志算出：见于正文；"
        "对含正文的日志进行审计时会重新计算。"
    ),
    "replaces is {given}, but the last entry of {name} is {current}": (
        "replaces 为 {given}，而 {name} 的最后一条记录为 {current}"
    ),
    "result.inputs must be an array of objects": "result.inputs 须为对象数组",
    "result.inputs must be in order of the log, and below as_of": (
        "result.inputs 须按日志顺序排列，且均在 as_of 之前"
    ),
    "the name {name} is public; in the register {register} it is a random id": (
        "名称 {name} 是公开的；在登记簿 {register} 中名称须为随机编号"
    ),
    "the report {report} is {kind} of {party}, always; this is {given} of {author}": (
        "报告 {report} 始终为 {party} 的 {kind}；此处为 {author} 的 {given}"
    ),
    "the report {report} knows {before} entries, its later version {given}": (
        "报告 {report} 已知 {before} 条记录，其后续版本仅知 {given} 条"
    ),
    "{name} is a record of {party}, not of {author}": (
        "{name} 是 {party} 的登记项，而非 {author} 的"
    ),
    "{name} is not in force: nothing ends": "{name} 并未生效：无可终止",
    "{names} names of records, {current} of them in force; each is its first author's, who alone "
    "replaced or ended it.": (
        "登记项名称 {names} 个，其中 {current} 个有效；各名称均属其首位作者，仅由其替换或终止。"
    ),
    "{reports} published reports in {versions} versions, each after the one that it replaces.": (
        "已发布报告 {reports} 份，共 {versions} 个版本，每个版本均在其所替换的版本之后。"
    ),
}
