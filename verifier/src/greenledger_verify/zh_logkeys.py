"""Chinese for the keys of the log."""

from typing import Final

LOG_KEYS: Final[dict[str, str]] = {
    "Other keys of the log signed it too: {keys}.": "该日志的其他密钥也签了名：{keys}。",
    "That key is not the one that you brought: entries of the log, signed by that one or by one "
    "that it leads to, registered it.": (
        "该密钥不是您带来的那个：它由日志中的记录登记，这些记录由您的密钥或由其引出的密钥签名。"
    ),
    "it ends the last Ed25519 key of the log": "它终止了该日志最后一个 Ed25519 密钥",
    "it is signed by the key {id} of the log alone, which was not in force at size {size}: entry "
    "{index} ended it": (
        "仅由该日志的密钥 {id} 签名，而该密钥在规模 {size} 时无效：第 {index} 号记录已将其终止"
    ),
    "it is signed by the key {vkey}, which you trust, but which is no key of this log: its genesis "
    "names {genesis}": (
        "由您信任的密钥 {vkey} 签名，但它不是该日志的密钥：其创世记录写明的是 {genesis}"
    ),
    "key {id} is or was one of the log's": "密钥 {id} 是或曾是该日志的密钥",
    "the key of the log {vkey} has not signed it": "该日志的密钥 {vkey} 未对其签名",
    "the key {id} of the log ended with entry {index}": (
        "该日志的密钥 {id} 已由第 {index} 号记录终止"
    ),
    "the log has no key {id}": "该日志没有密钥 {id}",
    "the log has {count} keys of this kind in force, which is the most": (
        "该日志已有 {count} 个此类有效密钥，达到上限"
    ),
    "the operator and the log have one public key": "运营方与日志使用同一公钥",
    "{vkey} is neither an Ed25519 nor an ML-DSA-44 key": (
        "{vkey} 既不是 Ed25519 密钥，也不是 ML-DSA-44 密钥"
    ),
}
