"""Chinese for disclosure packs, by the English sentence."""

from typing import Final

PACK: Final[dict[str, str]] = {
    "Number, names and sizes of the files in the archive are within bounds": (
        "压缩包中文件的数目、名称和大小都在限度之内"
    ),
    "That a claim of this organisation rests on readings, and is of energy that nobody else uses: "
    "the pack holds no evidence of any.": (
        "该组织的声明是否以读数为据、其电量是否无他人使用：包内没有任何声明的证据。"
    ),
    "That any log knows this organisation: nothing in the pack shows it.": (
        "是否有任何日志认识该组织：包内没有任何内容可以表明。"
    ),
    "That no later version replaces this pack: the log shows it.": (
        "此包是否已被更新的版本取代：日志可以表明。"
    ),
    "That the figures are what the log holds, and that {organisation} stands by them: the "
    "pack is a draft, published by no entry.": (
        "这些数字是否与日志所载一致，{organisation} 是否为之负责：此包是草稿，没有记录发布它。"
    ),
    "That the log recomputed the {count} files of figures before it took the entry: who keeps "
    "its readings can do it again (greenledger audit, greenledger disclose check).": (
        "日志在接受该记录前是否重算过 {count} 个数据文件：持有读数者可以再算一遍"
        "（greenledger audit、greenledger disclose check）。"
    ),
    "The archive holds exactly the files that its manifest names, unchanged": (
        "压缩包中恰好是清单所列的文件，且未被改动"
    ),
    "The entry names these files and their hashes: the author can't show others other ones.": (
        "该记录写明了这些文件及其哈希：作者无法向他人出示另一套文件。"
    ),
    "The entry publishes these files, and no others": "该记录发布的正是这些文件，没有其他",
    "{file}: the evidence holds": "{file}：证据成立",
    "The pack holds {count} files about {organisation}, {year}, as of {size} entries of the log "
    "{origin}; each is as its manifest says, and no other one is there.": (
        "此包有关于 {organisation} {year} 年的 {count} 个文件，截至日志 {origin} 的 {size} 条记录；"
        "每个文件都与清单相符，别无其他文件。"
    ),
    "What the other {count} files say (report, workbook, documents): the author's word, that "
    "can't be changed afterwards.": (
        "其余 {count} 个文件（报告、工作簿、文档）的内容：出自作者之言，但事后不能更改。"
    ),
    "{file}": "{file}",
    "file {file}": "文件 {file}",
    "it can't be unpacked: {why}": "无法解压：{why}",
    "it has more than {max} bytes": "超过 {max} 字节",
    "it has not the {expected} bytes that the manifest says": "大小不是清单所说的 {expected} 字节",
    "it is encrypted": "已加密",
    "it is neither stored nor deflated": "既非存储也非 deflate 压缩",
    "it is no plain file": "不是普通文件",
    "it shows a claim of {consumer} in the log {log}, the pack is about {organisation} in the log "
    "{expected}": (
        "它出示的是日志 {log} 中 {consumer} 的声明，而本包所述为日志 {expected} 中的 {organisation}"
    ),
    "it stands twice in the archive": "在压缩包中出现两次",
    "its hash is {given}, the manifest says {expected}": "其哈希为 {given}，清单所说为 {expected}",
    "manifest.json": "manifest.json",
    "the archive has {given} files, more than {max}": "压缩包有 {given} 个文件，超过 {max} 个",
    "the entry says that something else was asked than the manifest": (
        "记录所说的披露要求与清单不同"
    ),
    "the entry is {given}, no disclosure": "该记录是 {given}，不是披露",
    "the file {file} is missing": "缺少文件 {file}",
    "the file {file} is not the one of the entry": "文件 {file} 与记录所载的不同",
    "the files are not in the order of their names, each once": "文件未按名称排列，或有重复",
    "the manifest can't name itself, nor the opening": "清单不能列入自身或公开文件",
    "the manifest does not name the file {file}": "清单未列文件 {file}",
    "unpacked it has {given} bytes, more than {max}": "解压后为 {given} 字节，超过 {max}",
    "what the entry says is not opened": "未公开该记录的内容",
    "{line}: {said}": "{line}：{said}",
    "{member} is {given} in the entry, {expected} in the manifest": (
        "{member} 在记录中为 {given}，在清单中为 {expected}"
    ),
    "{name} is no archive: {why}": "{name} 不是压缩包：{why}",
}
