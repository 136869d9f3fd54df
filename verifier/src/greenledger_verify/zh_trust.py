"""Chinese for trust roots, anchors and time-stamps, by the English sentence."""

from typing import Final

TRUST: Final[dict[str, str]] = {
    "0 time-stamps by an authority that you trust": ("您所信任机构的时间戳 0 个"),
    "As many vouch for it as you asked for": ("作证者达到您要求的数目"),
    "DER element with the tag {given}, where {expected} belongs": (
        "DER 元素标签为 {given}，此处应为 {expected}"
    ),
    "Each of the {count} anchored checkpoints is of that log, and its beginning": (
        "{count} 个已锚定的检查点都属于该日志，且是其开头"
    ),
    "Each of the {count} time-stamps is of its checkpoint": ("{count} 个时间戳都针对各自的检查点"),
    "SignedData": ("SignedData"),
    "TSTInfo": ("TSTInfo"),
    "That certificates of the time-stamping authorities had not been revoked: no list of "
    "revocation was asked.": ("时间戳机构的证书是否未被吊销：未查询吊销列表。"),
    "That the auditing witnesses have checked what they say to have checked: the public "
    "log shows it (--log DIR).": (
        "审计见证人是否确已查验其所称查验之事：公开日志可以表明（--log DIR）。"
    ),
    "That the second key of the log (ML-DSA-44, {id}) has signed it: its line is not there.": (
        "日志的第二密钥（ML-DSA-44，{id}）是否已签名：没有其签名行。"
    ),
    "That the {size} entries that you saw before are its beginning: that needs the public "
    "log (greenledger-verify log), or a proof of consistency.": (
        "您此前见过的 {size} 条记录是否为其开头：须有公开日志（greenledger-verify log）或"
        "一致性证明。"
    ),
    "That this is the newest checkpoint of the log.": ("这是否为该日志最新的检查点。"),
    "The checkpoint is not older than, nor other than, what you saw before": (
        "检查点不早于您此前所见，也不与之相异"
    ),
    "The second key of the log (ML-DSA-44, {id}) has signed it too.": (
        "日志的第二密钥（ML-DSA-44，{id}）也已签名。"
    ),
    "The witness {name} cosigned this checkpoint, and says no time.": (
        "见证人 {name} 联署了此检查点，未注明时间。"
    ),
    "The {size} entries that you saw before are its beginning.": (
        "您此前见过的 {size} 条记录是其开头。"
    ),
    "What you saw of the log before is the beginning of it": ("您此前所见的日志是其开头"),
    "Whether the ML-DSA-44 signature by {name} holds: the cryptography library installed "
    "here has no ML-DSA. It counts as absent.": (
        "{name} 的 ML-DSA-44 签名是否成立：此处安装的密码库不支持 ML-DSA，按无此签名处理。"
    ),
    "a DER element is cut off": ("DER 元素被截断"),
    "a DER element is missing": ("缺少 DER 元素"),
    "a DER element more than belongs here": ("此处多出 DER 元素"),
    "a DER length that is indefinite, cut off or too long": ("DER 长度不定、被截断或过长"),
    "a DER length that is not in its shortest form": ("DER 长度不是最短形式"),
    "a DER tag of more than one byte": ("DER 标签超过一个字节"),
    "a certificate can't be read": ("证书无法读取"),
    "a critical extension that is not known here": ("有此处不认识的关键扩展"),
    "a signed attribute stands twice": ("签名属性重复"),
    "a table {kind} has the members {required}, and may have {optional}": (
        "{kind} 表应有成员 {required}，可有 {optional}"
    ),
    "a time before 1970": ("时间早于 1970 年"),
    "a time that does not exist": ("时间不存在"),
    "a time-stamp stands twice": ("时间戳重复"),
    "a version that is not known here": ("此处不认识的版本"),
    "an accuracy that is out of range": ("精度超出范围"),
    "an authority needs a name, and a root certificate (one that issued itself) in PEM": (
        "机构须有名称，以及 PEM 格式的根证书（自签发者）"
    ),
    "anchor {number}": ("锚点 {number}"),
    "at {size} entries the root is {given}, but you saw {root}: the log was forked": (
        "{size} 条记录处的树根为 {given}，而您见过的是 {root}：日志已分叉"
    ),
    "at {time} the log, as then shown, did not hold the claim yet, says {name}": (
        "据 {name} 所称，{time} 时日志（如其时所示）尚无此声明"
    ),
    "auditing witnesses": ("审计见证人"),
    "by the word of {names}: the single-use rule was checked on each entry up to {size}, "
    "and is kept": ("据 {names} 所称：截至 {size} 条记录已逐条查验单次使用规则，该规则得到遵守"),
    "it has attributes that nobody signed": ("它有无人签名的属性"),
    "it has {size} entries, but you saw {seen} of them before: it is replayed, or the log "
    "went back": ("它有 {size} 条记录，而您此前已见过 {seen} 条：它是重放的，或日志被回退"),
    "it holds lists of revocation that nobody signed": ("它含有签名未覆盖的吊销列表"),
    "it was granted with modifications, says its status, which nobody signed": (
        "其状态称为“修改后授予”，而该状态无人签名"
    ),
    "its imprint is {given}, not sha256": ("其印记为 {given}，而不是 sha256"),
    "its key is not RSA of 2048 bits or more, ECDSA or Ed25519": (
        "其密钥不是 2048 位及以上的 RSA、ECDSA 或 Ed25519"
    ),
    "its signer is named by a key identifier alone": ("其签名者仅以密钥标识指明"),
    "its status has words that nobody signed": ("其状态含有无人签名的文字"),
    "more than {max} DER elements in one": ("一个元素中的 DER 元素超过 {max} 个"),
    "more than {max} certificates": ("证书超过 {max} 个"),
    "no attribute signing-certificate": ("没有 signing-certificate 属性"),
    "no chain leads from its signer to a root that you trust": (
        "没有证书链从其签名者通向您信任的根"
    ),
    "not a DER boolean": ("不是 DER 布尔值"),
    "not a GeneralizedTime in UTC, to the microsecond at most": (
        "不是 UTC 的 GeneralizedTime（至多精确到微秒）"
    ),
    "not after {time}: {name} time-stamped a log that holds the claim": (
        "不晚于 {time}：{name} 为含此声明的日志加盖了时间戳"
    ),
    "not an integer from 0 on, in its shortest form": ("不是最短形式的非负整数"),
    "not an object identifier": ("不是对象标识符"),
    "not exactly one signer with one digest algorithm": ("签名者与摘要算法不是恰好各一个"),
    "of them auditing: {names}": ("其中审计见证人：{names}"),
    "signed attributes": ("签名属性"),
    "size and root of a [[log]] table stand together, or neither": (
        "[[log]] 表的 size 与 root 须同时给出或都不给出"
    ),
    "size is not a number of entries from 1 on": ("size 不是从 1 起的记录数"),
    "something follows the DER element": ("DER 元素之后还有内容"),
    "the algorithm {id} is not SHA-256, SHA-384 or SHA-512": (
        "算法 {id} 不是 SHA-256、SHA-384 或 SHA-512"
    ),
    "the anchors are more than the last one without the claim, the first one with it, and "
    "that of the checkpoint": (
        "锚点多于所需：只应有不含此声明的最后一个、含此声明的第一个，以及检查点自身的一个"
    ),
    "the attribute signing-certificate names another certificate": (
        "signing-certificate 属性指明的是另一证书"
    ),
    "the attribute signing-certificate names no certificate": (
        "signing-certificate 属性未指明证书"
    ),
    "the attribute {id} has not exactly one value": ("属性 {id} 不是恰好一个值"),
    "the certificate {name} has a critical extension {id} that is not known here": (
        "证书 {name} 有此处不认识的关键扩展 {id}"
    ),
    "the certificate {name} is not for time-stamps": ("证书 {name} 不可用于时间戳"),
    "the certificate {name} is not for time-stamps alone, by a critical extension": (
        "证书 {name} 未以关键扩展限定只用于时间戳"
    ),
    "the certificate {name} is not of version 3": ("证书 {name} 不是第 3 版"),
    "the certificate {name} may not issue others": ("证书 {name} 无权签发其他证书"),
    "the certificate {name} was not valid at {time}: it is from {start} to {end}": (
        "证书 {name} 在 {time} 无效：其有效期为 {start} 至 {end}"
    ),
    "the chain below the certificate {name} is longer than it allows": (
        "证书 {name} 之下的证书链长于其所允许"
    ),
    "the file has more than 3 anchors, or one of more than 16 tokens": (
        "文件的锚点超过 3 个，或某锚点的时间戳超过 16 个"
    ),
    "the key of the certificate {name} is not for signatures alone": (
        "证书 {name} 的密钥并非只用于签名"
    ),
    "the key of the witness {name} is also that of {other}": (
        "见证人 {name} 的密钥同时也是 {other} 的密钥"
    ),
    "the key of the witness {name} is registered in the log, so that it is not independent": (
        "见证人 {name} 的密钥已登记在该日志中，因此它并不独立"
    ),
    "the witness {name} has the name of a log: it would vouch for itself": (
        "见证人 {name} 与某日志同名：那就是它为自己作证"
    ),
    "the authorities {name} and {other} have a root of one key": (
        "机构 {name} 与 {other} 有同一密钥的根证书"
    ),
    "No witness has a key that signs entries or checkpoints of the log": (
        "没有见证人使用为该日志的条目或检查点签名的密钥"
    ),
    "the key of {name} is neither Ed25519 nor a cosigner's, Ed25519 or ML-DSA-44": (
        "{name} 的密钥既不是 Ed25519，也不是 Ed25519 或 ML-DSA-44 联署密钥"
    ),
    "the key of {name} is not a witness's (type 4 or 6)": (
        "{name} 的密钥不是见证人密钥（类型 4 或 6）"
    ),
    "the message-digest is not that of the content": ("message-digest 与内容不符"),
    "the numbers of [policy] are from 0 on": ("[policy] 中的数不得小于 0"),
    "the signature algorithm is not one for the signer's key and digest": (
        "签名算法与签名者的密钥和摘要不配"
    ),
    "the signature by {name} has not 2428 bytes": ("{name} 的签名不是 2428 字节"),
    "the signature of the time-stamp does not hold": ("时间戳的签名不成立"),
    "the status of the response is {status}, not granted": ("响应状态为 {status}，而不是 granted"),
    "the time-stamp has more than {max} bytes": ("时间戳超过 {max} 字节"),
    "the time-stamp is of something else: its imprint is not that of these bytes": (
        "时间戳针对的是别的内容：其印记与这些字节不符"
    ),
    "the time-stamp names another authority than its signer": ("时间戳所称机构不是其签名者"),
    "the trust file must consist of [[log]], [[endorser]], [[witness]] and [[authority]] "
    "tables and one [policy]": (
        "信任文件应由 [[log]]、[[endorser]]、[[witness]]、[[authority]] 表和一个 [policy] 组成"
    ),
    "the type is {given}, not {expected}": ("类型为 {given}，而不是 {expected}"),
    "these times contradict each other: the operator's clock, or a witness, is wrong": (
        "这些时间相互矛盾：运营方的时钟或见证方有误"
    ),
    "time-stamp {number}": ("时间戳 {number}"),
    "time-stamping authorities": ("时间戳机构"),
    "time-stamps": ("时间戳"),
    "two authorities of the trust file have one name": ("信任文件中有两个机构同名"),
    "witnesses": ("见证人"),
    "you pinned two roots of the log {origin} at {size} entries: one of them is of a fork": (
        "您为日志 {origin} 在 {size} 条记录处固定了两个树根：其中之一属于分叉"
    ),
    "{count} time-stamps are not counted: {why}": ("{count} 个时间戳不计入：{why}"),
    "{count} {what} vouch ({names}), you asked for {least}": (
        "作证的{what}有 {count} 个（{names}），您要求 {least} 个"
    ),
    "{member} of a table {kind} is not of the type {type}": (
        "{kind} 表的 {member} 不是 {type} 类型"
    ),
    "{name} has not 1 to 255 bytes, as an ML-DSA-44 signature needs": (
        "{name} 不是 ML-DSA-44 签名所需的 1 至 255 字节"
    ),
    "{name} time-stamped {size} entries at {time}": (
        "{name} 于 {time} 为 {size} 条记录加盖了时间戳"
    ),
}
