"""Chinese for reasons why units in an evidence file, or an opened body on units, do not hold."""

from typing import Final

UNIT_REASONS: Final[dict[str, str]] = {
    "a crediting period has both ends, or none": "计入期应有起止两端，或两端皆无",
    "a point stands in two roles": "同一计量点列在两个角色中",
    "a row without a code begins at 0": "没有编码的行应自 0 起",
    "a scheme has at least one class": "制度至少应有一个类别",
    "a unit of a {kind} is not worth {unit}": "种类为 {kind} 的单位不以 {unit} 计",
    "an obligation stands only where the purpose is one of {allowed}": (
        "仅当用途为 {allowed} 之一时才写明 obligation"
    ),
    "batch {batch}": "批次 {batch}",
    "class {unit_class}: lots are none exactly where lot_classes are empty": (
        "类别 {unit_class}：仅当 lot_classes 为空时 lots 才为 none"
    ),
    "each holding that it ends must begin anew, else unchanged": (
        "所终止的每项持有都须原样重新开始"
    ),
    "entry {index}: {act} of units of the batch {batch}, which expired at {expires}": (
        "第 {index} 号记录：对批次 {batch} 的单位作 {act}，但其已于 {expires} 过期"
    ),
    "flows are not one for each role, in order": "flows 应按次序每个角色一项",
    "holding {holding}": "持有 {holding}",
    "it changed hands {given} times, but was {before} before {act}": (
        "其转手次数为 {given}，但在 {act} 之前为 {before}"
    ),
    "it counts {wh} Wh, but its units are worth {most} Wh": (
        "它计 {wh} Wh，但其单位只值 {most} Wh"
    ),
    "it counts {wh} Wh, but is one energy with lots of the claim": (
        "它计 {wh} Wh，但与声明的份额是同一电量"
    ),
    "it ends as {given}, but entry {index} began it as {expected}": (
        "它终止时为 {given}，但第 {index} 号记录开始时为 {expected}"
    ),
    "it ends {ended}, but what it begins and takes is {after}": (
        "它终止 {ended}，但所开始和取走者为 {after}"
    ),
    "it expires {given}, but its scheme says {expected}": (
        "其有效期至 {given}，但按制度应为 {expected}"
    ),
    "it is rejected, but has parts": "它已被否决，却有 parts",
    "it is owned by {owner}, but {act} is by {author}": (
        "它属于 {owner}，但 {act} 由 {author} 作出"
    ),
    "it has no parts, but holds mass back": "它没有 parts，却扣留了质量",
    "it is for {purpose} from {start} to {end}, which is no calendar year": (
        "它用于 {purpose}，自 {start} 至 {end}，不是一个自然年"
    ),
    "it is the batch {given}, not {expected}": "它是批次 {given}，而不是 {expected}",
    "it is the owner of {given}, not of {expected}": "它是 {given} 的所有者，而不是 {expected} 的",
    "it is used from {start} to {end}, outside of the period of the claim": (
        "其使用时段自 {start} 至 {end}，超出声明的期间"
    ),
    "it retires units of several schemes: {schemes}": "它注销了多个制度的单位：{schemes}",
    "it retires {units} units, but says {given}": "它注销 {units} 个单位，但写明 {given}",
    "it speaks of no units": "它未涉及任何单位",
    "it was made after the claim, by entry {index}": "它晚于声明，由第 {index} 号记录作出",
    "its beneficiary is {given}, but the claim is by {expected}": (
        "其受益者为 {given}，但声明由 {expected} 作出"
    ),
    "its holding {holding} is not among those that the entry begins": (
        "其持有 {holding} 不在该记录所开始者之中"
    ),
    "its revision {number} is not in the file": "文件中没有其第 {number} 版",
    "its record is {record}, but its scheme is of the kind {kind}": (
        "其减排记录为 {record}，但其制度的种类为 {kind}"
    ),
    "its units are {units} Wh and {left} Wh are left over, less than a unit, but behind it are "
    "{behind} Wh": "其单位共 {units} Wh，结余（应不足一个单位）{left} Wh，但其背后为 {behind} Wh",
    "its validity of {months} months has no end": "其 {months} 个月的有效期没有终点",
    "leaf {index} of the units of entry {entry} is opened, but nothing asks for it": (
        "公开了第 {entry} 号记录单位的叶子 {index}，但无处需要它"
    ),
    "more is recycled than was produced": "循环量大于产出量",
    "no leaf of the units of entry {index} is opened": "第 {index} 号记录的单位没有公开任何叶子",
    "parts are not avoided, then removal": "parts 应依次为 avoided、removal",
    "residual_wh is not consumption_wh less claimed_wh and certificate_wh": (
        "residual_wh 不等于 consumption_wh 减 claimed_wh 和 certificate_wh"
    ),
    "retirement {retirement}": "注销 {retirement}",
    "rows are none, or not in the order of the file": "没有行，或未按文件次序排列",
    "settled_wh is {given}, the least of the three is {expected}": (
        "settled_wh 为 {given}，三者最小为 {expected}"
    ),
    "the act of entry {index} is not opened": "第 {index} 号记录的行为未公开",
    "the batch {batch} is one energy with lots that the claim does not have": (
        "批次 {batch} 与声明所没有的份额是同一电量"
    ),
    "the balance of {where} is open by {missing} g, {tolerance} g are allowed": (
        "{where} 的质量平衡相差 {missing} g，允许 {tolerance} g"
    ),
    "the batch {batch} has Wh, but no lots behind it": "批次 {batch} 有电量，但其背后没有份额",
    "the batch {batch} has no project, as compliance asks for": (
        "批次 {batch} 没有项目，而履约要求有项目"
    ),
    "the batch {batch} has lots, but is of several classes": (
        "批次 {batch} 背后有份额，却有多个类别"
    ),
    "the batch {batch} was produced from {start} to {end}, but it is used at {used}: the scheme "
    "asks for the same year": ("批次 {batch} 产于 {start} 至 {end}，但用于 {used}：制度要求同年"),
    "the certificates do not sum to certificate_wh": "各绿证之和不等于 certificate_wh",
    "the entry that began it is not in the file": "文件中没有开始它的记录",
    "the entry that made it is not in the file": "文件中没有作出它的记录",
    "the file leaves out a tick, entry {index}, before units moved or were retired: they may have "
    "expired by then": (
        "文件漏掉了单位转让或注销之前的时刻记录（第 {index} 号）：其时单位可能已过期"
    ),
    "the holding {holding} is empty": "持有 {holding} 为空",
    "the holding {holding} is not of the batch {batch}, as entry {index} issued it": (
        "持有 {holding} 不属于第 {index} 号记录所发行的批次 {batch}"
    ),
    "the holding {holding} stands twice in the issue": "持有 {holding} 在发行中出现两次",
    "the holdings are not in order, each once": "各项持有未排序，或有重复",
    "the holdings of the batch {batch} end at {given}, the batch at {expected}": (
        "批次 {batch} 的持有止于 {given}，批次止于 {expected}"
    ),
    "the holdings of the batch {batch} leave a gap, or overlap, at {unit}": (
        "批次 {batch} 的持有在 {unit} 处有空缺或重叠"
    ),
    "the leaf has more than {max} bytes": "叶子超过 {max} 字节",
    "the leaf is not one line, one JSON object": "叶子不是一行一个 JSON 对象",
    "the leaf of the batch {batch} is not opened in entry {index}": (
        "批次 {batch} 的叶子未在第 {index} 号记录中公开"
    ),
    "the lot {lot} behind it is neither spent nor wrapped by the entry": (
        "其背后的份额 {lot} 既未被该记录使用，也未被其包装"
    ),
    "the lot {lot} behind it is {given}, but its class asks for {expected}": (
        "其背后的份额 {lot} 为 {given}，但其类别要求 {expected}"
    ),
    "the lot {lot} stands behind two batches: one energy, counted twice": (
        "份额 {lot} 同在两个批次背后：同一电量计两次"
    ),
    "the manifest names the retirements {given}, but the claim has {expected}": (
        "清单写明的注销为 {given}，但声明的注销为 {expected}"
    ),
    "the month {month} was not over": "{month} 月当时尚未结束",
    "the owner of the holding {holding} is not opened in entry {index}": (
        "持有 {holding} 的所有者未在第 {index} 号记录中公开"
    ),
    "the registration of the scheme {scheme} in force at entry {index} is not opened": (
        "制度 {scheme} 在第 {index} 号记录时有效的登记未公开"
    ),
    "the same obligation is {obligations} units, by different retirements": (
        "同一履约义务在不同注销中分别为 {obligations} 个单位"
    ),
    "the scheme is not for {purpose}, but for {expected}": (
        "该制度不用于 {purpose}，而用于 {expected}"
    ),
    "the scheme of entry {index} is opened, but nothing asks for it": (
        "公开了第 {index} 号记录的制度，但无处需要它"
    ),
    "the scheme {scheme} is of the kind {kind}: its units are none of the {list}": (
        "制度 {scheme} 的种类为 {kind}：其单位不属于 {list}"
    ),
    "the scheme {scheme} was registered anew by entry {later}, before entry {index}: the file "
    "opens entry {given}": (
        "制度 {scheme} 在第 {index} 号记录之前已由第 {later} 号记录重新登记："
        "文件公开的是第 {given} 号"
    ),
    "the units are not in order, each once": "各 units 部分未按次序，或有重复",
    "tolerance_g is more than a twentieth of what was captured": (
        "tolerance_g 超过捕集量的二十分之一"
    ),
    "units are gone by an act that takes some, and only by such: {act} can't have {count} ranges "
    "gone": "仅有取走单位的行为才有单位消失，且必有：{act} 不能有 {count} 个消失的区间",
    "units of the record {record} are the batch {expected} from 0 on, not {given}": (
        "减排记录 {record} 的单位应为自 0 起的批次 {expected}，而不是 {given}"
    ),
    "units of entry {index}": "第 {index} 号记录的单位",
    "units of the class {unit_class} change hands by {expected}, not by {act}": (
        "类别 {unit_class} 的单位以 {expected} 转手，而不是 {act}"
    ),
    "units of the class {unit_class} change hands {max} times at most, these have {given} times": (
        "类别 {unit_class} 的单位至多转手 {max} 次，这些已转手 {given} 次"
    ),
    "what is gone is not in order, each once, or empty": "消失的区间未排序、有重复或为空",
    "{act} leaves it to its owner, but the holding {ended} that it was of is {state}: such are "
    "used whole, or split first": (
        "{act} 将其留给所有者，但其所属的持有 {ended} 处于 {state} 状态：此类须整体使用或先拆分"
    ),
    "{act} leaves its owner {before}, but it is of {owner} then": (
        "{act} 应保持所有者 {before}，但其后属于 {owner}"
    ),
    "{given} is not a class of the scheme: it has {expected}": (
        "{given} 不是该制度的类别：其类别为 {expected}"
    ),
    "{member} is {given}, but the flows make it {expected}": (
        "{member} 为 {given}，但按 flows 应为 {expected}"
    ),
    "{member} of a scheme stays, but was {before} and is {after}": (
        "制度的 {member} 应保持不变，但原为 {before}，现为 {after}"
    ),
    "{member} of the entry are {given}, of its act {expected}": (
        "记录的 {member} 为 {given}，其行为的为 {expected}"
    ),
    "{member} of the manifest is {given}, but it is {expected}": (
        "清单的 {member} 为 {given}，但应为 {expected}"
    ),
    "{unit_class}: {units} units and {left} g left over are not {mass} g": (
        "{unit_class}：{units} 个单位加结余 {left} g 不等于 {mass} g"
    ),
    "{units} units are more than the {most} that may meet an obligation of {obligation}": (
        "{units} 个单位超过可用于履约义务 {obligation} 的 {most} 个"
    ),
}
