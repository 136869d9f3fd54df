"""Chinese for erased batches of readings: reasons and what is established."""

from typing import Final

ERASURES: Final[dict[str, str]] = {
    "batches must be in order, none twice": "批次须按序排列，且不得重复",
    "it must hold {most} at most": "最多 {most} 项",
    "the batch {batch} was erased before, by entry {index}": (
        "批次 {batch} 此前已由第 {index} 号记录删除"
    ),
    "{author} is neither the author {party} of the batch {batch} nor the operator": (
        "{author} 既非批次 {batch} 的作者 {party}，亦非运营方"
    ),
    "{batch} is no batch of readings before it": "{batch} 不是此前的读数批次",
    "{batches} batches of readings were erased, by the entries {entries}: their values are "
    "gone for good.": "读数批次 {batches} 个已由第 {entries} 号记录删除：其数值永久不复存在。",
    "What was computed from erased readings: nobody can compute it again; it stands on the "
    "word of the log, which has compared it when it was made.": (
        "由已删除的读数算出的结果：任何人都无法再行计算，只能以日志所言为准；作出之时日志曾予核对。"
    ),
}
