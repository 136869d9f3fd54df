"""Chinese for the rules on lots and claims, by the English sentence."""

from typing import Final

LOTS: Final[dict[str, str]] = {
    "What lots and claims are worth, whose points they are of, and that no more was divided than "
    "the meters showed: evidence files show that (greenledger-verify evidence).": (
        "各份额和声明的电量、所属计量点，以及划分量是否未超过电表读数："
        "由证据文件证明（greenledger-verify evidence）。"
    ),
    "a lot's id is not all zeros": "份额的标识不能全为零",
    "because is {hash}, which is not the leaf hash of a readings.correction before it": (
        "because 为 {hash}，不是此前任何 readings.correction 的叶哈希"
    ),
    "body has {given} leaves, not one for each of {origins} origins and {lots} lots": (
        "body 有 {given} 片叶子，应为 {origins} 个来源和 {lots} 个份额各一片"
    ),
    "by_class does not sum to claimed_wh": "by_class 之和不等于 claimed_wh",
    "by_class is not in order of classes, each once": "by_class 未按类别排序，或类别重复",
    "estimated_wh is more than consumption_wh": "estimated_wh 大于 consumption_wh",
    "it must be sorted, none twice, and hold {least} at least": (
        "应已排序、无重复，且至少 {least} 个"
    ),
    "run is {run}, which is not the leaf hash of a match.run before it": (
        "run 为 {run}，不是此前任何 match.run 的叶哈希"
    ),
    "the claim {claim} can't be flagged {state}: flags take turns, and the first is short": (
        "声明 {claim} 不能标为 {state}：标记须交替，首个为 short"
    ),
    "the claim {claim} is not in force: {ended}": "声明 {claim} 已失效：{ended}",
    "the claim {claim} that it replaces is one of {owner}, not of {author}": (
        "所替换的声明 {claim} 属于 {owner}，而不是 {author}"
    ),
    "the claim {claim} was made before, by entry {index}": (
        "声明 {claim} 此前已由第 {index} 号记录作出"
    ),
    "the lot {lot} has a wrap of the form {form} already, of entry {index}": (
        "份额 {lot} 已有 {form} 形式的包装（第 {index} 号记录）"
    ),
    "the lot {lot} that it spends was not created by an earlier entry": (
        "所使用的份额 {lot} 并非由较早的记录创建"
    ),
    "the lot {lot} that it creates is already spent: by the same entry, or by one before": (
        "所创建的份额 {lot} 已被使用：由同一记录或更早的记录"
    ),
    "the lot {lot} that it wraps does not exist": "所包装的份额 {lot} 不存在",
    "the lot {lot} was created before, by entry {index}": (
        "份额 {lot} 此前已由第 {index} 号记录创建"
    ),
    "the lot {lot} was spent before, by entry {index}": (
        "份额 {lot} 此前已被第 {index} 号记录使用"
    ),
    "the origin {origin} is divided before its revision {revision}": (
        "来源 {origin} 的划分早于其第 {revision} 版"
    ),
    "the origin {origin} was divided before, by entry {index}": (
        "来源 {origin} 此前已由第 {index} 号记录划分"
    ),
    "the origin {origin} is of a run that was divided for this month before, by entry {index}": (
        "来源 {origin} 所属的匹配运行此前已由第 {index} 号记录就该月划分"
    ),
    "the point of the origin {origin} is not registered": "来源 {origin} 的计量点未登记",
    "the run of {origin} knows {as_of} entries, and not entry {index}, which divided revision "
    "{revision}": (
        "{origin} 的匹配运行只知道前 {as_of} 条记录，不知道划分第 {revision} 版的第 {index} 号记录"
    ),
    "there is no claim {claim} before it": "此前没有声明 {claim}",
    "withdrawn by entry {index}": "已被第 {index} 号记录撤回",
    "{author} may not withdraw the claim {claim}: it is one of {owner}": (
        "{author} 不得撤回声明 {claim}：它属于 {owner}"
    ),
    "{count} claims: {in_force} in force, of them {short} short; {replaced} replaced, {withdrawn} "
    "withdrawn.": (
        "共 {count} 份声明：有效 {in_force} 份，其中不足 {short} 份；"
        "已替换 {replaced} 份，已撤回 {withdrawn} 份。"
    ),
    "{lots} lots were created from {origins} origins, each divided once; {spent} of them are "
    "spent, none twice; {wraps} wraps, no two of one form on one lot.": (
        "由 {origins} 个来源（各划分一次）创建了 {lots} 个份额；已使用 {spent} 个，无一重复；"
        "包装 {wraps} 个，同一份额同一形式不重复。"
    ),
    "{value} is not an origin <point>/<YYYY-MM>/<revision>": (
        "{value} 不是来源 <计量点>/<YYYY-MM>/<版本>"
    ),
}
