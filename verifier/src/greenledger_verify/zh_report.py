"""Chinese for steps, for what is established and what is not, by the English sentence."""

from typing import Final

REPORT: Final[dict[str, str]] = {
    "A leaf with this hash stands at index {index} of the tree with this root and {size} "
    "leaves.": "以此哈希为叶、位置为 {index} 的叶子，确在以此为根、共 {size} 片叶子的树中。",
    "All tiles and the root follow from the {size} entries": (
        "所有瓦片和树根均可由 {size} 条记录重算得出"
    ),
    "Every tile follows from the entries: {tiles} present ones, {older} older partial ones.": (
        "每个瓦片均可由记录重算得出：现有 {tiles} 个，较早的不完整瓦片 {older} 个。"
    ),
    "Anything about parties, keys or readings: the log is empty.": (
        "关于主体、密钥或读数的任何事项：日志是空的。"
    ),
    "Does NOT hold. Nothing is established.": "不成立。未证实任何事项。",
    "Each entry keeps the public rules: form, signatures by keys in force, order in time, "
    "numbering, registrations.": (
        "每条记录都遵守公开规则：格式、由有效密钥签名、时间次序、编号、登记。"
    ),
    "Each entry keeps the rules of the ledger, from the genesis on": (
        "自创世记录起，每条记录都遵守账本规则"
    ),
    "Each of the {count} entries of the file is in that log": "文件中的 {count} 条记录都在该日志中",
    "Each of the {count} opened bodies is what an entry of the file commits to": (
        "公开的 {count} 个正文都与文件中某条记录的承诺相符"
    ),
    "Each signature is by a key that the log registered before, in a chain that ends in the "
    "genesis": "每个签名所用密钥都已先在日志中登记，且可逐级追溯到创世记录",
    "Entries by type: {counts}.": "各类型记录数：{counts}。",
    "Entry {index} is in that log": "第 {index} 号记录在该日志中",
    "Entry {index} of that log has the leaf hash {hash}.": (
        "该日志第 {index} 号记录的叶哈希为 {hash}。"
    ),
    "Entry {index} of that log is {type} by {author} ({name}), who dates it {at}.": (
        "该日志第 {index} 号记录是 {author}（{name}）的 {type}，其自述时间为 {at}。"
    ),
    "Established": "已证实",
    "Interval: {interval}.": "时段：{interval}。",
    "It is signed by the key {id} of {author}, registered in entry {index}, in a chain that "
    "ends in the genesis.": (
        "由 {author} 的密钥 {id} 签名，该密钥登记于第 {index} 号记录，可逐级追溯到创世记录。"
    ),
    "It is {type} and names {author} as its author, dated {at}.": (
        "它是 {type}，自称作者为 {author}，自述时间为 {at}。"
    ),
    "Matching by {policy} gave {energy} Wh of the point {source} to the point {consumer}, "
    "as {supply}, under contract {contract}.": (
        "按 {policy} 匹配，将计量点 {source} 的 {energy} Wh 分配给计量点 {consumer}，"
        "类别为{supply}，所依合同为 {contract}。"
    ),
    "NOT established": "未证实",
    "Older partial tiles agree with the present ones": "较早的不完整瓦片与现有瓦片一致",
    "Provenance: {provenance}.": "数据出处：{provenance}。",
    "Quality: {flag}.": "质量：{flag}。",
    "That any rule of the ledger is kept: none of the entries is one of greenledger, there "
    "is no genesis. Nothing can be proven from this log.": (
        "是否遵守账本规则：没有一条是 greenledger 的记录，也没有创世记录。由此日志不能证明任"
        "何事项。"
    ),
    "That anyone but the operator vouches for the signing key: no endorsement is in the "
    "file.": "除运营方外是否有人为签名密钥背书：文件中没有背书。",
    "That no later entry corrects this reading.": "之后是否有记录更正了此读数。",
    "That others are shown the same log: no independent witness cosigned this checkpoint.": (
        "他人所见是否为同一日志：此检查点没有独立见证人联署。"
    ),
    "That registrants own their points and contracts, and that batches are sent by those "
    "who may: owners stand in bodies.": (
        "登记者是否拥有其计量点和合同，批次是否由有权者提交：所有者写在未公开的正文中。"
    ),
    "That the allocated energy was used for nothing else.": "所分配的电量是否未作他用。",
    "That the meter told the truth.": "电表读数是否真实。",
    "That the meters told the truth.": "各电表读数是否真实。",
    "That the run was computed as its policy says, from the readings of the log: recompute "
    "it to know.": "匹配是否确按其规则由日志中的读数算出：须重算才能知道。",
    "That the signing key had not been replaced or revoked before: that needs the whole log "
    "(greenledger-verify log).": (
        "签名密钥此前是否已被替换或吊销：须查验整个日志（greenledger-verify log）。"
    ),
    "That the ticks tell the true time: only witnesses or time-stamps outside the log could "
    "show it.": "时刻记录是否为真实时间：只有日志之外的见证人或时间戳才能证明。",
    "That the witness {name} has seen this checkpoint: its cosignature is not there.": (
        "见证人 {name} 是否见过此检查点：没有其联署。"
    ),
    "That this is the newest checkpoint of the log, or that it extends one which you saw "
    "before (greenledger-verify consistency).": (
        "这是否为该日志最新的检查点，以及是否延续了您此前见过的检查点（greenledger-verify "
        "consistency）。"
    ),
    "That {author} may send readings of this point.": "{author} 是否有权提交此计量点的读数。",
    "That {author} signed it: which keys are {author}'s stands in other entries (take an "
    "opening, or the whole log).": (
        "是否确由 {author} 签名：哪些密钥属于 {author}，写在其他记录中（请用公开文件或整个日"
        "志查验）。"
    ),
    "The author may say this, as far as the opened bodies show": (
        "就已公开的正文所示，作者有权作此陈述"
    ),
    "The checkpoint is signed by the log key that you brought": "检查点由您提供的日志密钥签名",
    "The contract is {name}, seller {seller} (entry {index}).": (
        "合同为 {name}，售方 {seller}（第 {index} 号记录）。"
    ),
    "The entry is well-formed": "记录格式正确",
    "The file ends in the genesis, entry 0 of the log": "文件以创世记录（日志第 0 号记录）结尾",
    "The last tick, the operator's word for the time, is {time}.": (
        "最后的时刻记录（运营方所述时间）为 {time}。"
    ),
    "The leaf is in the tree that the subject commits to": "叶子在主题记录所承诺的树中",
    "The log {origin} had {size} entries under the root {root}, signed by its key {vkey}.": (
        "日志 {origin} 共有 {size} 条记录，树根为 {root}，由其密钥 {vkey} 签名。"
    ),
    "The path leads from the one to the other": "路径由其一通向另一",
    "The reading is of the point {name} ({point}): {kind}, technology {technology}, park "
    "system {system}, owned by {owner}; master data of entry {index}.": (
        "读数属于计量点 {name}（{point}）：{kind}，技术 {technology}，园区系统为{system}，"
        "所有者 {owner}；档案见第 {index} 号记录。"
    ),
    "The reading is of the point {point}.": "读数属于计量点 {point}。",
    "The tree of {size1} leaves is the beginning of the tree of {size2} leaves: nothing was "
    "changed or removed.": (
        "{size1} 片叶子的树是 {size2} 片叶子的树的开头：没有任何内容被改动或删除。"
    ),
    "The witness {name} cosigned this checkpoint at {time}.": (
        "见证人 {name} 于 {time} 联署了此检查点。"
    ),
    "Unusable input: {why}": "输入不可用：{why}",
    "Value: {value} {unit}.": "数值：{value} {unit}。",
    "What stands in bodies: values, points, contracts and allocations are not in the public "
    "log.": "正文内容：数值、计量点、合同和分配都不在公开日志中。",
    "What the contract {contract} says: it is not opened.": "合同 {contract} 的内容：未公开。",
    "What the entry says: only its hash was given.": "记录的内容：只给出了其哈希。",
    "What the leaf says, and who vouches for the root: only hashes were given.": (
        "叶子的内容，以及谁为树根负责：只给出了哈希。"
    ),
    "What the leaves say, and who vouches for the roots: only hashes were given.": (
        "各叶子的内容，以及谁为树根负责：只给出了哈希。"
    ),
    "What the point {point} measures, and in which unit: its master data are not opened.": (
        "计量点 {point} 计量什么、用何单位：其档案未公开。"
    ),
    "What the {size} bytes of the entry mean: they are not an entry of greenledger.": (
        "该记录 {size} 字节的含义：它不是 greenledger 的记录。"
    ),
    "What {count} further files under tile/ hold, which this checkpoint does not cover: "
    "{files}.": "tile/ 下另有 {count} 个文件不在此检查点范围内，其内容为何：{files}。",
    "When it was written: {at} is the author's word.": "何时写成：{at} 只是作者自述。",
    "Which master data the point had at the reading: those of the file were registered "
    "after it.": "读数当时计量点的档案为何：文件中的档案登记于其后。",
    "base units of the point (its master data are not opened)": "该计量点的基本单位（档案未公开）",
    "billed quantity": "结算量",
    "buildings": "建筑",
    "clipped: a negative value was set to 0, as the import profile says": (
        "截零：按导入配置将负值置为 0"
    ),
    "consumption": "用电",
    "corrected: replaces an earlier value": "更正：替换较早的值",
    "direct supply": "绿电直供",
    "ecology": "生态",
    "energy": "能源",
    "estimated: not measured, filled by a stated rule": "估算：非实测，按声明的规则补全",
    "gateway-signed: the key was registered as a gateway's, and endorsed": (
        "网关签名：密钥登记为网关所有，且已获背书"
    ),
    "generation": "发电",
    "green trade": "绿电交易",
    "grid export": "上网",
    "grid import": "下网",
    "infrastructure": "基础设施",
    "late: arrived after its period had closed": "迟到：在周期关闭后到达",
    "measured, no flag": "实测，无标记",
    "meter-signed: the key was registered as a meter's, and endorsed": (
        "电表签名：密钥登记为电表所有，且已获背书"
    ),
    "operator custody: the park operator's server holds the key for the party": (
        "运营方代管：密钥由园区运营方服务器代主体保管"
    ),
    "other": "其他",
    "party import: the party holds the key itself": "主体导入：密钥由主体自行保管",
    "production": "生产",
    "profiled: spread from a longer interval": "分摊：由较长时段分摊而来",
    "relabelled: the interval's label was repaired": "改标：时段标注已修正",
    "replaced by entry {index}": "已被第 {index} 号记录替换",
    "resampled: composed from other intervals by overlap": "重采样：由其他时段按重叠合成",
    "revoked by entry {index}": "已被第 {index} 号记录吊销",
    "rollover: the register rolled over": "翻转：表码翻转",
    "self-use": "自发自用",
    "storage": "储能",
    "storage charge": "储能充电",
    "storage discharge": "储能放电",
    "suspect: accepted, but doubtful": "存疑：已接受，但可疑",
    "swapped: the meter was swapped within the interval": "换表：时段内更换了电表",
    "time-stamped certificate": "带时间戳的证书",
    "transport": "交通",
    "{endorser} vouches for the signing key (entry {index}): {claim}": (
        "{endorser} 为签名密钥背书（第 {index} 号记录）：{claim}"
    ),
    "{from_utc} to {to_utc} (park time, UTC{zone}: {from_park} to {to_park})": (
        "{from_utc} 至 {to_utc}（园区时间 UTC{zone}：{from_park} 至 {to_park}）"
    ),
    "{parties} parties with {keys} keys, {ended} of them replaced or revoked; the operator "
    "is {operator}.": (
        "共 {parties} 个主体、{keys} 个密钥，其中 {ended} 个已被替换或吊销；运营方为 {operator}。"
    ),
}
