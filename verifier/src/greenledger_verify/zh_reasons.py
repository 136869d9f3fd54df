"""Chinese for reasons why something does not hold, by the English sentence."""

from typing import Final

REASONS: Final[dict[str, str]] = {
    "--leaf-hash": "--leaf-hash",
    "--vkey": "--vkey",
    "--{name} is missing": "缺少 --{name}",
    "a checkpoint has no empty line": "检查点中不得有空行",
    "a checkpoint has three lines or more, each ending in a newline": (
        "检查点至少有三行，每行以换行结尾"
    ),
    "a hash has 32 bytes, this one has {given}": "哈希应为 32 字节，此处为 {given} 字节",
    "a member stands twice in one object": "同一对象中有成员出现两次",
    "a number in the line is too long": "此行中有过长的数字",
    "a party that replaces its key {id} must sign with that key": (
        "主体替换其密钥 {id} 时必须用该密钥签名"
    ),
    "a string holds half of a surrogate pair": "字符串中有不成对的代理字符",
    "a tree of {size2} leaves can't extend one of {size1}": (
        "{size2} 片叶子的树不可能延续 {size1} 片叶子的树"
    ),
    "a {kind} rests on {expected}, not on {given}": "{kind} 应基于 {expected}，而不是 {given}",
    "an allocation is above 0 Wh, this one is {wh}": "分配量应大于 0 Wh，此处为 {wh}",
    "an entry has at most 65535 bytes, this one has {given}": (
        "记录最多 65535 字节，此条为 {given} 字节"
    ),
    "an opening file holds its entries itself: --entry and --leaf-hash don't go with it": (
        "公开文件自含记录，不能与 --entry 或 --leaf-hash 同用"
    ),
    "as_of is {given}, beyond the entries before entry {index}": (
        "as_of 为 {given}，超出第 {index} 号记录之前的记录数"
    ),
    "body {hash}": "正文 {hash}",
    "body {hash} stands twice in the file": "正文 {hash} 在文件中出现两次",
    "body {media}": "正文 {media}",
    "can't be read: {why}": "无法读取：{why}",
    "can't read {name}: {why}": "无法读取 {name}：{why}",
    "checkpoint": "检查点",
    "contract {contract}": "合同 {contract}",
    "corrects has {given} bytes, not a salt and 32 for each of {leaves} leaves": (
        "corrects 为 {given} 字节，应为盐加 {leaves} 片叶子各 32 字节"
    ),
    "empty": "空",
    "entry {index}": "第 {index} 号记录",
    "extra line": "extra 行",
    "hash {position} does not follow from the tile below it": (
        "第 {position} 个哈希与下一级瓦片不符"
    ),
    "hash {position} is not that of entry {index} in {bundle}: one of the two was changed": (
        "第 {position} 个哈希不是 {bundle} 中第 {index} 号记录的哈希：二者之一被改动"
    ),
    "index line": "index 行",
    "index {index} is not in a tree of {size} leaves": "位置 {index} 不在 {size} 片叶子的树中",
    "it does not name the point {point}": "其中没有计量点 {point}",
    "it is of the kind {kind}, the allocation of the class {given}": (
        "合同类型为 {kind}，而该分配的类别为 {given}"
    ),
    "it has {given} signatures; {type} requires {required}": (
        "有 {given} 个签名；{type} 应有 {required} 个"
    ),
    "it is not the beginning of {present}": "它不是 {present} 的开头",
    "it is of the log {given}, not of {origin}": "它属于日志 {given}，而不是 {origin}",
    "it is of the log {origin}; you trust {trusted}": "它属于日志 {origin}；您信任的是 {trusted}",
    "it must be a decimal number, 0 or above": "应为不小于 0 的十进制数",
    "it must be a text": "应为文本",
    "it must be a text of {min} to {max} characters": "应为 {min} 至 {max} 个字符的文本",
    "it must be a verifier key": "应为验证密钥",
    "it must be an Ed25519 key (type 1)": "应为 Ed25519 密钥（类型 1）",
    "it must be an array": "应为数组",
    "it must be an array of hex texts": "应为十六进制文本的数组",
    "it must be an object": "应为对象",
    "it must be hex digits": "应为十六进制数字",
    "it stands twice in the file": "在文件中出现两次",
    "item {number}": "第 {number} 项",
    "its bytes have another hash": "其字节的哈希不符",
    "its time {at} lies {ahead} s after the tick before it; 300 s are allowed": (
        "其时间 {at} 比之前的时刻记录晚 {ahead} 秒；最多允许 300 秒"
    ),
    "key id {id} is not 8 lower-case hex digits": "密钥标识 {id} 不是 8 位小写十六进制数字",
    "key id {id} is not that of the key of {name}": "密钥标识 {id} 与 {name} 的密钥不符",
    "key {id} is not registered for {party} at this point of the log": (
        "在日志此处，密钥 {id} 尚未为 {party} 登记"
    ),
    "key {id} of {party} may not sign any more: {ended}": "{party} 的密钥 {id} 已不得签名：{ended}",
    "key {id} was registered for {party} before": "密钥 {id} 此前已为 {party} 登记",
    "leaf": "叶子",
    "leaf {index} and its path lead to the root {reached}, not to {root}": (
        "叶子 {index} 及其路径通向树根 {reached}，而不是 {root}"
    ),
    "log.genesis is entry 0 and only that; this is entry {index}, {type}": (
        "log.genesis 只能且必须是第 0 号记录；此为第 {index} 号记录，类型 {type}"
    ),
    "member {name}": "成员 {name}",
    "member {name} is missing": "缺少成员 {name}",
    "member {name} stands twice in one object": "成员 {name} 在同一对象中出现两次",
    "no entry of the file commits to it": "文件中没有记录对它作出承诺",
    "no log key given: use --vkey or --trust, with a key that you got from a source you "
    "trust": "未给出日志密钥：请用 --vkey 或 --trust，密钥应来自您信任的渠道",
    "no signature by a key you trust; it is signed by {signers}": (
        "没有您所信任密钥的签名；签名者为 {signers}"
    ),
    "not JSON at character {at}: {why}": "第 {at} 个字符处不是 JSON：{why}",
    "nothing": "无",
    "only the operator {operator} may make a {type}, not {author}": (
        "只有运营方 {operator} 可写 {type}，{author} 不可"
    ),
    "opening file": "公开文件",
    "party {party} is not registered": "主体 {party} 未登记",
    "path of the proof": "证明的路径",
    "previous is empty exactly for sequence 0": "仅当 sequence 为 0 时 previous 为空",
    "previous is {given}, but the batch before has the leaf hash {expected}": (
        "previous 为 {given}，但上一批次的叶哈希为 {expected}"
    ),
    "replaces is {given}, but in force for {name} is {current}": (
        "replaces 为{given}，但 {name} 现行的登记为{current}"
    ),
    "roles must be sorted, without repeats, and at least one": "roles 应排序、不重复且至少一个",
    "root in the checkpoint": "检查点中的树根",
    "signature by {given}, where {required} must sign": (
        "签名者为 {given}，此处应由 {required} 签名"
    ),
    "size 0 is the beginning of every tree: there is nothing to prove": (
        "大小 0 是任何树的开头：无可证明"
    ),
    "size 0, but its root is not that of the empty tree": "大小为 0，但树根不是空树的根",
    "size in the checkpoint": "检查点中的大小",
    "source {source} of {author} is at sequence {given}; {expected} must come next": (
        "{author} 的数据流 {source} 序号为 {given}；应为 {expected}"
    ),
    "statement {type}": "陈述 {type}",
    "the JSON is nested deeper than {max}": "JSON 嵌套深于 {max} 层",
    "the JSON is not UTF-8 at byte {at}": "JSON 在第 {at} 字节处不是 UTF-8",
    "the JSON is not an object": "JSON 不是对象",
    "the body has {given} bytes, the entry says {expected}": (
        "正文为 {given} 字节，记录所述为 {expected} 字节"
    ),
    "the bundle ends within its entry {number} of {width}": (
        "记录包在第 {number} 条（共 {width} 条）中间结束"
    ),
    "the bundle goes on after its {width} entries": "记录包在 {width} 条记录之后还有内容",
    "the entry in the file is not the one that you gave": "文件中的记录不是您给出的那一条",
    "the file changed while it was being verified": "文件在查验过程中被改动",
    "the file holds no entry": "文件中没有记录",
    "the file holds no registration of the author {author} before it": (
        "文件中没有作者 {author} 在此之前的登记"
    ),
    "the file is larger than {max} bytes": "文件大于 {max} 字节",
    "the file is missing": "缺少此文件",
    "the file is neither a tlog-proof nor an opening file": "文件既不是 tlog-proof 也不是公开文件",
    "the first line is not c2sp.org/tlog-proof@v1": "首行不是 c2sp.org/tlog-proof@v1",
    "the first signature is by {given}, not by the author {name}": (
        "首个签名者为 {given}，而不是作者 {name}"
    ),
    "the id {id} was used before by {author}": "{author} 此前已用过标识 {id}",
    "the interval from {start} over {length} s is not one": "自 {start} 起 {length} 秒不是有效时段",
    "the interval lies outside its period {start} to {end}": "时段在其有效期 {start} 至 {end} 之外",
    "the key of the log {origin} has not signed it": "日志 {origin} 的密钥未签名",
    "the key {id} that it replaces is not in force: {ended}": "所替换的密钥 {id} 已失效：{ended}",
    "the key {id} that it replaces is not registered for {party}": (
        "所替换的密钥 {id} 未为 {party} 登记"
    ),
    "the key {id} of {party} is not in force: {ended}": "{party} 的密钥 {id} 已不再有效：{ended}",
    "the file is not written in the one way that JSON of this format is written": (
        "该文件未按本格式规定的唯一 JSON 写法书写"
    ),
    "the key {vkey} is not registered for {party}": "密钥 {vkey} 未为 {party} 登记",
    "the last entry of the file is entry {index}, not the genesis": (
        "文件最后一条是第 {index} 号记录，而不是创世记录"
    ),
    "the leaf has {given} bytes, not {expected}": "叶子为 {given} 字节，应为 {expected} 字节",
    "the line is not JSON": "此行不是 JSON",
    "the line is not a JSON object": "此行不是 JSON 对象",
    "the members must be exactly {members}": "成员应恰为 {members}",
    "the note does not end in a newline": "签名文本未以换行结尾",
    "the note has no signatures: no empty line with signature lines after it": (
        "签名文本没有签名：缺少空行及其后的签名行"
    ),
    "the note has {given} signatures, more than 100": "签名文本有 {given} 个签名，多于 100 个",
    "the note holds a control character": "签名文本中有控制字符",
    "the note is not UTF-8 at byte {at}": "签名文本在第 {at} 字节处不是 UTF-8",
    "the path has {given} hashes, fewer than leaf {index} of {size} needs": (
        "路径有 {given} 个哈希，少于 {size} 片叶子中第 {index} 片所需"
    ),
    "the path has {given} hashes, fewer than sizes {size1} and {size2} need": (
        "路径有 {given} 个哈希，少于大小 {size1} 与 {size2} 所需"
    ),
    "the path has {given} hashes, more than any tree needs": (
        "路径有 {given} 个哈希，多于任何树所需"
    ),
    "the path has {given} hashes, more than leaf {index} of {size} needs": (
        "路径有 {given} 个哈希，多于 {size} 片叶子中第 {index} 片所需"
    ),
    "the path has {given} hashes, more than sizes {size1} and {size2} need": (
        "路径有 {given} 个哈希，多于大小 {size1} 与 {size2} 所需"
    ),
    "the path is empty, but the sizes {size1} and {size2} differ": (
        "路径为空，但大小 {size1} 与 {size2} 不同"
    ),
    "the path leads to the root {reached} at size {size}, not to {root}": (
        "路径在大小 {size} 处通向树根 {reached}，而不是 {root}"
    ),
    "the proof has no empty line before its checkpoint": "证明在检查点之前没有空行",
    "the proof has no index line": "证明没有 index 行",
    "the proof holds no entry: give it with --entry FILE, or its hash with --leaf-hash HEX": (
        "证明中没有记录：请用 --entry FILE 给出记录，或用 --leaf-hash HEX 给出其哈希"
    ),
    "the proof is not UTF-8 at byte {at}": "证明在第 {at} 字节处不是 UTF-8",
    "the signature by {name} (key {id}) does not fit the text": (
        "{name}（密钥 {id}）的签名与文本不符"
    ),
    "the signature by {name} has not 64 bytes": "{name} 的签名不是 64 字节",
    "the signature by {name} is too short": "{name} 的签名过短",
    "the sizes are equal, so the path must be empty; it has {given} hashes": (
        "大小相等，路径应为空；却有 {given} 个哈希"
    ),
    "the text of an entry is one line, one JSON object": "记录的文本应为一行、一个 JSON 对象",
    "the tick goes back in time, to {at}": "时刻记录倒退至 {at}",
    "the tile has {given} bytes, not 32 for each of {width} hashes": (
        "瓦片为 {given} 字节，应为 {width} 个哈希各 32 字节"
    ),
    "the time of the cosignature is beyond 2^63": "联署时间超过 2^63",
    "the trust file is not TOML": "信任文件不是 TOML",
    "the {size} entries have the root {computed}, but the checkpoint says {root}": (
        "{size} 条记录的树根为 {computed}，但检查点所述为 {root}"
    ),
    "tlog-proof": "tlog-proof",
    "true, false and null are not allowed": "不允许 true、false 和 null",
    "two roots for one size: {root1} and {root2}": "同一大小有两个树根：{root1} 与 {root2}",
    "unknown member {name}": "未知成员 {name}",
    "unknown quality flags {flags}": "未知质量标记 {flags}",
    "{author} is neither {party} nor the operator": "{author} 既不是 {party} 也不是运营方",
    "{author} may not endorse keys: it has none of the roles {roles}": (
        "{author} 不得为密钥背书：没有 {roles} 中的任何角色"
    ),
    "{author} may not send readings of the point {point}: it is neither its owner, nor the "
    "operator, nor a gateway": (
        "{author} 不得提交计量点 {point} 的读数：既不是所有者，也不是运营方或网关"
    ),
    "{author} registered it, but is neither the operator nor {owner}": (
        "由 {author} 登记，但其既不是运营方也不是 {owner}"
    ),
    "{directory} has no file named checkpoint: it is not a tile directory": (
        "{directory} 中没有名为 checkpoint 的文件：不是瓦片目录"
    ),
    "{directory} is not a directory": "{directory} 不是目录",
    "{file}": "{file}",
    "{line} is not a signature line": "{line} 不是签名行",
    "{member}": "{member}",
    "{member} is named {given}, not {name}": "{member} 的名称为 {given}，而不是 {name}",
    "{name} is larger than {max} bytes": "{name} 大于 {max} 字节",
    "{name} is not a key name: it is empty or has a space or a plus": (
        "{name} 不是密钥名称：为空，或含空格或加号"
    ),
    "{number} is not a supply class": "{number} 不是供电类别",
    "{number} is not an integer between -(2^53-1) and 2^53-1": (
        "{number} 不是 -(2^53-1) 与 2^53-1 之间的整数"
    ),
    "{number} is not an integer; other numbers are not allowed": (
        "{number} 不是整数；不允许其他数字"
    ),
    "{path} is not the path of a tile": "{path} 不是瓦片路径",
    "{text} is not a decimal number below 2^63 without leading zeros": (
        "{text} 不是小于 2^63 且无前导零的十进制数"
    ),
    "{text} is not a verifier key (name+id+key)": "{text} 不是验证密钥（名称+标识+密钥）",
    "{text} is not base64": "{text} 不是 base64",
    "{text} is not canonical base64": "{text} 不是规范的 base64",
    "{text} is not {digits} lower-case hex digits": "{text} 不是 {digits} 位小写十六进制数字",
    "{type} is not a type of entry": "{type} 不是记录类型",
    "{value} does not have the form {form}": "{value} 不符合格式 {form}",
    "{value} is not a time YYYY-MM-DDTHH:MM:SSZ": "{value} 不是 YYYY-MM-DDTHH:MM:SSZ 格式的时间",
    "{value} is not a zone such as +08:00": "{value} 不是 +08:00 这样的时区",
    "{value} is not an integer from {low} to {high}": "{value} 不是 {low} 至 {high} 的整数",
    "{value} is not one of {allowed}": "{value} 不在 {allowed} 之中",
    "{what}: {why}": "{what}：{why}",
    "a run can't use energy that is {measure}, every {interval} s": (
        "匹配无法使用间隔 {interval} 秒、{measure} 的电能"
    ),
    "interval_s is 0, but the kind is {kind}": ("interval_s 为 0，但类型为 {kind}"),
    "it ends the last key with custody operator of the operator {operator}": (
        "它终止运营方 {operator} 最后一把由服务器保管的密钥"
    ),
    "its time is empty, or begins before that of the last one ends": (
        "其时段为空，或早于上一块表的结束"
    ),
    "meter {number}": "电表 {number}",
    "the multiplier is 0": "倍率为 0",
    "the period of the contract is empty, or cuts a quarter-hour": "合同期为空，或不在整 15 分钟上",
    "the public key of {vkey} was registered before": "{vkey} 的公钥此前已登记",
    "the role park-operator is that of {operator}, always, and nobody else's": (
        "角色 park-operator 始终且只属于 {operator}"
    ),
    "the shares are {shares} ppm: all are 0, or none is and they sum to at most 1000000": (
        "份额为 {shares} ppm：应全为 0，或全不为 0 且合计不超过 1000000"
    ),
    "{member} must be sorted, without repeats, and at least one": (
        "{member} 应已排序、无重复且至少一个"
    ),
    "{value} holds a control character": "{value} 含控制字符",
}
