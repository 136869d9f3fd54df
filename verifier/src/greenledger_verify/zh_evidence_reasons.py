"""Chinese for reasons why an evidence file does not hold, by the English sentence."""

from typing import Final

EVIDENCE_REASONS: Final[dict[str, str]] = {
    "--seed": "--seed",
    "[[{kind}]] {name}": "[[{kind}]] {name}",
    "a batch comes after the division of its readings": "有批次晚于其读数的划分",
    "a body of entry {index} is opened, a {type}: it does not belong here": (
        "公开了第 {index} 号记录（{type}）的正文：它不属于此处"
    ),
    "a file of the level total opens no quarter-hour": "total 级别的文件不公开任何 15 分钟时段",
    "a lot has not one nonce and one wh for each of its positions": (
        "份额的随机数或电量与其位置不是一一对应"
    ),
    "a part follows where none belongs": "在不应有部分之处出现了部分",
    "a part is missing: nothing follows the comma": "缺少部分：逗号之后没有内容",
    "a position is not in a tree of {size} leaves": "有位置不在 {size} 片叶子的树中",
    "a reading of {length} s at {start} (Unix seconds) does not go on quarter-hours": (
        "{start}（Unix 秒）处 {length} 秒的读数无法对应到 15 分钟时段"
    ),
    "a reason stands exactly where a claim replaces another one": (
        "仅当声明替换另一声明时才写明原因"
    ),
    "a remainder can't be claimed: it has no class and no holder": (
        "余额不得声明：它没有类别和持有者"
    ),
    "a remainder is hidden: the reading gives {expected} Wh, divided were {given}": (
        "隐藏了余额：读数给出 {expected} Wh，所划分者为 {given}"
    ),
    "a run is a pair: the first place, and a number of places above 0": (
        "一段应为一对数：首个位置和大于 0 的个数"
    ),
    "a sibling of the path is cut off, or has 0 Wh": "路径中的兄弟节点不完整，或为 0 Wh",
    "batch of entry {index}": "第 {index} 号记录的批次",
    "books are not one for each position, or all are 0": "books 与位置不一一对应，或全为 0",
    "by_class of the manifest is not what the cells sum to: class {number} has {wh} Wh": (
        "清单的 by_class 与各笔之和不符：类别 {number} 为 {wh} Wh"
    ),
    "claim {claim}": "声明 {claim}",
    "division of entry {index}": "第 {index} 号记录的划分",
    "entry {index} is not in the file": "文件中没有第 {index} 号记录",
    "entry {index} is {given}, not {expected}": "第 {index} 号记录是 {given}，而不是 {expected}",
    "it covers the point {holder} with what the point {point} consumed": (
        "它以计量点 {point} 的用电覆盖计量点 {holder}"
    ),
    "it follows revision {given}, but revision {expected} must be opened before it": (
        "它之前为第 {given} 版，应先公开第 {expected} 版"
    ),
    "it is neither a lot of the claim nor the remainder of its origin": (
        "它既不是声明的份额，也不是其来源的余额"
    ),
    "it is not among the positions of the part": "它不在该部分的位置之中",
    "it is not the leaf of a lot": "不是份额的叶子",
    "it is not the leaf of an origin": "不是来源的叶子",
    "it is opened in quarter-hour {position}, where the claim has no cell of it": (
        "在第 {position} 个 15 分钟时段公开，但声明在此没有它的份额"
    ),
    "it is owned by {owner}, but the claim is by {author}": (
        "它属于 {owner}，但声明由 {author} 作出"
    ),
    "it is replaced by a claim before it": "它被更早的声明替换",
    "it is replaced, but its entry is not in the file": "它已被替换，但文件中没有其记录",
    "it was divided from origin {given} of the entry, not from origin {expected}": (
        "它划分自该记录的第 {given} 个来源，而不是第 {expected} 个"
    ),
    "its class is {number}, but its origin is a point of kind {kind}": (
        "其类别为 {number}，但来源计量点类型为 {kind}"
    ),
    "its holder {holder} is not a point of the claim": "其持有者 {holder} 不是声明的计量点",
    "its leaf is not opened in the division": "其叶子未在划分中公开",
    "its origin is a point of kind {kind}": "其来源计量点类型为 {kind}",
    "its origin {origin} is none of the entry": "其来源 {origin} 不在该记录中",
    "its outer tree has {given} quarter-hours, the month has {expected}": (
        "其外层树有 {given} 个 15 分钟时段，该月为 {expected} 个"
    ),
    "its point measures {unit}, {measure}: that is no energy in Wh that adds up": (
        "其计量点以 {unit}、{measure} 计量：不是可累加的 Wh 电量"
    ),
    "its run {run} is not in the file before it": "其匹配 {run} 不在文件中或不在其之前",
    "leaf {index}": "叶子 {index}",
    "leaf {index} of the division of entry {entry} is opened, but nothing asks for it": (
        "公开了第 {entry} 号记录划分的叶子 {index}，但无处需要它"
    ),
    "line {number}": "第 {number} 行",
    "lot {lot}": "份额 {lot}",
    "lot {lot} of entry {index}": "第 {index} 号记录的份额 {lot}",
    "no sample of the seed hits it": "种子的样本没有抽中它",
    "none": "无",
    "none of its leaves is opened": "没有公开任何叶子",
    "only a remainder has neither class nor holder": "只有余额既无类别也无持有者",
    "opened quarter-hour number {number}": "公开的第 {number} 个 15 分钟时段",
    "origin {origin}": "来源 {origin}",
    "outer tree": "外层树",
    "point {point}": "计量点 {point}",
    "quarter-hour {position}": "第 {position} 个 15 分钟时段",
    "quarter-hour {position} is not opened in revision {revision}": (
        "第 {position} 个 15 分钟时段未在第 {revision} 版中公开"
    ),
    "quarter-hour {position} is opened in revision {revision}, but not in the next one": (
        "第 {position} 个 15 分钟时段在第 {revision} 版中公开，但未在下一版中公开"
    ),
    "quarter-hour {position} is opened, but claims nothing": (
        "公开了第 {position} 个 15 分钟时段，但其中没有声明"
    ),
    "quarter-hour {position} of the point {point} in {month} is opened, but no cell of the claim "
    "asks for it": (
        "公开了计量点 {point} 在 {month} 的第 {position} 个 15 分钟时段，但声明中没有需要它的份额"
    ),
    "quarter-hour {position} overflows": "第 {position} 个 15 分钟时段溢出",
    "quarter-hour {position}, class {number}: supply and cover differ by {wh} Wh": (
        "第 {position} 个 15 分钟时段，类别 {number}：供给与覆盖相差 {wh} Wh"
    ),
    "quarter-hour {position}: a cell of 0 Wh": "第 {position} 个 15 分钟时段：有 0 Wh 的一笔",
    "quarter-hour {position}: lot {place} stands twice, out of order, or is not one of the "
    "{count} lots of the claim": (
        "第 {position} 个 15 分钟时段：份额 {place} 重复、次序有误，或不在声明的 {count} 个份额之中"
    ),
    "quarter-hour {position}: supply and cover are not equal, they sum to {sum} Wh": (
        "第 {position} 个 15 分钟时段：供给与覆盖不相等，合计 {sum} Wh"
    ),
    "quarter-hour {position}: the claim has {wh} Wh of it, but it has only {had}": (
        "第 {position} 个 15 分钟时段：声明用其 {wh} Wh，但它只有 {had}"
    ),
    "quarter-hour {position}: {book} is {given} Wh, but the revision before makes it {expected} "
    "Wh": "第 {position} 个 15 分钟时段：{book} 为 {given} Wh，但按上一版应为 {expected} Wh",
    "readings of two lengths in the quarter-hour at {start} (Unix seconds)": (
        "{start}（Unix 秒）的 15 分钟时段内有两种长度的读数"
    ),
    "sample {number} of the seed hits a quarter-hour that is not opened": (
        "种子的第 {number} 个样本抽中了未公开的 15 分钟时段"
    ),
    "seed and samples stand exactly in a file of the level sampled": (
        "seed 与 samples 仅见于 sampled 级别的文件"
    ),
    "something follows the last line": "末行之后还有内容",
    "sums has {given} roots, for {expected} positions without an opened lot": (
        "sums 有 {given} 个树根，而没有公开份额的位置为 {expected} 个"
    ),
    "the carried lot is {given}, but the revision before left {expected}": (
        "结转的份额为 {given}，但上一版留下的是 {expected}"
    ),
    "the carried lot {lot} is not among those that the entry spends": (
        "结转的份额 {lot} 不在该记录所使用的份额之中"
    ),
    "the cells are not in order of entry and origin, each once": (
        "cells 未按记录和来源排序，或有重复"
    ),
    "the cells end too early": "cells 过早结束",
    "the cells go on after the last position": "cells 在最后一个位置之后还有内容",
    "the claim has cells of it in {claimed} quarter-hours, {opened} are opened": (
        "声明在 {claimed} 个 15 分钟时段用到它，公开了 {opened} 个"
    ),
    "the claim has {count} lots, more than 65536": "声明有 {count} 个份额，多于 65536",
    "the claim has {given} quarter-hours, its period has {expected}": (
        "声明有 {given} 个 15 分钟时段，其期间为 {expected} 个"
    ),
    "the claim is by {author}, but its manifest names the consumer {consumer}": (
        "声明由 {author} 作出，但其清单所列用户为 {consumer}"
    ),
    "the claim {claim} is short, as entry {index} says: after a correction its lots are worth "
    "more than the meters show": (
        "如第 {index} 号记录所述，声明 {claim} 不足：更正之后其份额多于电表所示"
    ),
    "the claim's tree has {total} Wh, its manifest claims {claimed} Wh": (
        "声明之树为 {total} Wh，其清单声明 {claimed} Wh"
    ),
    "the directory has {size} entries, the evidence is of {needed}: bring a newer one": (
        "目录有 {size} 条记录，证据基于 {needed} 条：请提供更新的目录"
    ),
    "the divisions are not in order, each once": "划分未排序或有重复",
    "the file does not hold the claim.make of its claim {claim}": (
        "文件中没有其声明 {claim} 的 claim.make"
    ),
    "the file ends here, without its last line": "文件在此中断，缺少末行",
    "the file follows the seed {given}, you named {expected}": (
        "文件所用种子为 {given}，您指定的是 {expected}"
    ),
    "the file has more than {max} parts": "文件的部分多于 {max} 个",
    "the first entry of the file is entry {index}, not the genesis": (
        "文件第一条是第 {index} 号记录，而不是创世记录"
    ),
    "the first part of the file is not that of the claim": "文件的第一部分不是声明",
    'no evidence file: its head does not end in ,"parts":[': (
        '不是证据文件：文件头未以 ,"parts":[ 结尾'
    ),
    "the key of a lot stands exactly for lots of the claim in a file of the level full": (
        "份额的密钥仅见于 full 级别文件中声明的份额"
    ),
    "the key of {name} is a witness's": "{name} 的密钥是见证人密钥",
    "the leaf of origin {origin} of entry {index} is not opened": (
        "未公开第 {index} 号记录的来源 {origin} 的叶子"
    ),
    "the leaves and their shared path lead to the root {reached}, not to {root}": (
        "叶子及其共用路径通向树根 {reached}，而不是 {root}"
    ),
    "the leaves of the claim and their shared path do not lead to the root {root} with a total "
    "of {total} Wh": "声明的叶子及其共用路径不通向总量为 {total} Wh 的树根 {root}",
    "the level is full, but only {opened} of {total} Wh are opened": (
        "级别为 full，但只公开了 {total} Wh 中的 {opened} Wh"
    ),
    "the line before does not end in a comma": "上一行未以逗号结尾",
    "the line is longer than {max} bytes": "该行长于 {max} 字节",
    "the lot is opened with 0 Wh": "公开的份额为 0 Wh",
    "the lot {lot} has cells in the claim, but is not opened": "声明用到份额 {lot}，但它未公开",
    "the lots have more than their reading gives: {given} Wh of {expected}": (
        "各份额多于其读数所给：{given} Wh，读数为 {expected}"
    ),
    "the manifest of the claim is not opened": "未公开声明的清单",
    "the master data of its point are not opened": "未公开其计量点的档案",
    "the month is not in the period of the claim": "该月不在声明的期间内",
    "the part opens no quarter-hour": "该部分没有公开任何 15 分钟时段",
    "the path has unused bits, or says that the sibling of the leaf is empty": (
        "路径有未用的位，或称叶子的兄弟节点为空"
    ),
    "the paths end too early, or one is deeper than 64 levels": "路径过早结束，或深于 64 层",
    "the paths go on after the last position": "路径在最后一个位置之后还有内容",
    "the paths of two lots lead to two roots": "两个份额的路径通向两个树根",
    "the period is empty, or not one of whole quarter-hours from 1970": (
        "期间为空，或不是 1970 年以后的整 15 分钟"
    ),
    "the point {parent} above it is opened too: one kWh would count twice": (
        "其上级计量点 {parent} 也被公开：一度电会计两次"
    ),
    "the point {point} was registered anew before the claim, by entry {index}; the file opens "
    "entry {given}": (
        "计量点 {point} 在声明之前已由第 {index} 号记录重新登记；文件公开的是第 {given} 号记录"
    ),
    "the reading at {start} (Unix seconds) covers no opened quarter-hour": (
        "{start}（Unix 秒）的读数不涉及任何公开的 15 分钟时段"
    ),
    "the reading is below 0: {value}": "读数小于 0：{value}",
    "the readings do not fill the quarter-hour at {start} (Unix seconds) with one length": (
        "{start}（Unix 秒）的 15 分钟时段未被同一长度的读数填满"
    ),
    "the readings overflow: {wh} Wh": "读数溢出：{wh} Wh",
    "the remainder lot {lot} is not among those that the entry creates": (
        "余额 {lot} 不在该记录所创建的份额之中"
    ),
    "the runs are not increasing, or two adjoin": "各段未递增，或有两段相邻",
    "the runs have not as many places as there are leaves": "各段的位置数与叶子数不符",
    "the secret of a claim stands exactly in a file of the level full": (
        "声明的秘密仅见于 full 级别的文件"
    ),
    "the shared path has too few nodes: {given}": "共用路径的节点太少：{given} 个",
    "the shared path has {given} nodes, {rest} more than it needs": (
        "共用路径有 {given} 个节点，多出 {rest} 个"
    ),
    "the sides of the path are not those of the leaf's hash: the order of leaves was chosen": (
        "路径的左右与叶子哈希不符：叶子的次序被人为选定"
    ),
    "the sum tree overflows: a node has {wh} Wh": "求和树溢出：有节点为 {wh} Wh",
    "there is not one nonce for each position": "随机数与位置不一一对应",
    "there is nothing to sample: the claim is of 0 Wh": "无可抽样：声明为 0 Wh",
    "two readings of the point lie over each other, at {one} and {other} (Unix seconds): they are "
    "no evidence": "该计量点有两个读数重叠，在 {one} 与 {other}（Unix 秒）：不能作为证据",
    "{member} has {given} bytes, not a multiple of {size}": (
        "{member} 有 {given} 字节，不是 {size} 的倍数"
    ),
    "{member} is not in order, each once": "{member} 未排序或有重复",
    "{part} is not a kind of part": "{part} 不是部分的种类",
}
