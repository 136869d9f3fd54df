"""What the cover report and the opening text of a pack say. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.disclosure.asked import Asked
from ledger.disclosure.content import Content
from ledger.disclosure.pdf_file import Report, Section
from ledger.disclosure.tables import Table, Words, words
from ledger.disclosure.views import tables_of

TITLE = words("绿色电力与碳排放披露", "Green power and carbon disclosure")
_DRAFT = words("草稿：未写入日志", "Draft: not in the log")
# Tables that begin a page of their own: offsets never stand beside a figure.
_ALONE = frozenset({"credits"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Where and how a pack was made. `root`: of the log at `size`, hex; `vkey`: the log's key;
    `level`: of the evidence; `at_s`: the log's time."""

    asked: Asked
    log: str
    as_of: int
    size: int
    root: str
    vkey: str
    level: str
    published: bool
    at_s: int
    evidence: int

    @property
    def file_name(self) -> str:
        return f"{self.asked.organisation}-{self.asked.year}.zip"

    @property
    def commands(self) -> list[str]:
        return [
            f"greenledger-verify pack {self.file_name} --vkey '{self.vkey}'",
            f"greenledger-verify pack {self.file_name} --vkey '{self.vkey}' --log TILES",
        ]


def report_of(content: Content, made: Made) -> Report:
    return Report(
        title=TITLE,
        subject=content.name,
        period=made.asked.year,
        facts=_facts(made),
        sections=[*_sections(tables_of(content)), _limits(made), _how(made)],
        at_s=made.at_s,
        mark=words("", "") if made.published else _DRAFT,
    )


def _facts(made: Made) -> list[tuple[Words, str]]:
    state = "见 opening.json see opening.json" if made.published else _DRAFT.together
    return [
        (words("组织", "Organisation"), made.asked.organisation),
        (words("期间（园区时间）", "Period (park time)"), made.asked.year),
        (words("日志", "Log"), made.log),
        (words("截至", "As of"), f"{made.as_of:,} 条记录 entries"),
        (words("检查点", "Checkpoint"), f"{made.size:,} 条记录 entries\n{made.root}"),
        (words("日志密钥", "Key of the log"), made.vkey),
        (words("披露记录", "Disclosure entry"), state),
        (words("证据", "Evidence files"), f"{made.evidence} ({made.level})"),
    ]


def _sections(tables: Sequence[Table]) -> list[Section]:
    return [
        Section(title=table.title, tables=[table], alone=table.name in _ALONE)
        for table in tables
        if table.printed
    ]


def limits(made: Made) -> list[Words]:
    """What a pack does not establish."""
    found = [
        words(
            "计量表如实计量；电量未在本账本之外另行声明、出售或取得证书。",
            "That the meters told the truth, and that the energy was not claimed, sold or"
            " certified outside of this ledger as well.",
        ),
        words(
            "活动数据（燃料、热力、过程等）出自组织自身或其文件；账本证明其未被更改，不证明其属实。",
            "That activity data (fuel, heat, process) are right: they are the organisation's word"
            " or its documents'; the ledger shows that nobody changed them.",
        ),
        words(
            "标为“二手”或“未核实”的因子与规则具有官方效力。",
            "That factors and rules marked secondary or unverified are official.",
        ),
        words(
            "“待官方核销”的声明最终成立。",
            "That claims pending official cancellation become final.",
        ),
        words(
            "截至所列检查点之后的更正。",
            "Anything that came after the checkpoint above, such as late data.",
        ),
    ]
    if not made.published:
        found.append(
            words(
                "本包为草稿：组织尚未在日志中为其负责。",
                "That the organisation stands by this pack: it is a draft, in no entry of the log.",
            )
        )
    return found


def _limits(made: Made) -> Section:
    return Section(
        title=words("本包不能证实的事项", "What this pack does not establish"),
        before=limits(made),
    )


def how() -> list[Words]:
    return [
        words(
            "收到本包者可离线核验，无需信任出具方：先装 greenledger-verify，"
            "再向园区（而非从本包）取得日志密钥，然后运行第一条命令。"
            "若另有公开日志目录 TILES，第二条命令还证实每份电量只用过一次、声明仍然有效。",
            "Whoever receives this pack can check it offline without trusting its author: install"
            " greenledger-verify, get the key of the log from the park (not from this pack), and"
            " run the first command. With the public log in a folder TILES, the second one also"
            " shows that no energy was used twice, and that the claims are still in force.",
        )
    ]


def _how(made: Made) -> Section:
    return Section(title=words("如何核验", "How to verify"), before=how(), code=made.commands)


_FILES = (
    ("report.pdf", words("封面报告", "the cover report")),
    ("tables.xlsx", words("全部表格，一表一页", "all tables, one a sheet")),
    ("csv/", words("同样的表格，UTF-8 带 BOM，数值完整", "the same tables, with all digits")),
    (
        "*.json",
        words(
            "清单、声明、证书、信用、碳足迹、因子、评分、文件的全部内容",
            "inventory, claims, certificates, credits, footprints, factors, scorecard, documents",
        ),
    ),
    ("evidence/", words("每项声明的证据，可各自核验", "evidence of each claim, verifiable alone")),
    ("documents/", words("登记过的文件原件", "originals of registered documents")),
    ("manifest.json", words("每个文件的哈希与大小", "hash and size of each file")),
    (
        "opening.json",
        words(
            "发布本包的日志记录及其证明（草稿没有）",
            "the entry that publishes the pack, with its proof (not in a draft)",
        ),
    ),
)


def _privacy(made: Made) -> list[Words]:
    return [
        words(
            "本包只含该组织自己的数据。对合同另一方（如电站），只公开证据文件为证明所需而公开的内容。",
            "The pack holds the organisation's own data alone. Of its partners in contracts, such"
            " as plants, it shows what its evidence files have to open, and no more.",
        ),
        words(
            f"证据级别为 {made.level}：full 公开所声明的各刻钟电量，及其来源计量点同一刻钟的读数；"
            "total 只公开合计。转交他人前请确认。",
            f"Their level is {made.level}: full opens the claimed energy of each quarter-hour and"
            " the readings of the points behind it in the same quarter-hours; total opens sums"
            " alone. Mind that before you hand it on.",
        ),
    ]


def readme_of(content: Content, made: Made) -> str:
    """The text that is opened first."""
    zh = [
        f"{TITLE.zh}：{content.name}，{made.asked.year}",
        f"日志 {made.log}，截至 {made.as_of} 条记录。" + ("" if made.published else _DRAFT.zh),
        "",
        "内容",
        *(f"  {name}  {said.zh}" for name, said in _FILES),
        "",
        "核验",
        *(f"  {one.zh}" for one in how()),
        *(f"  {line}" for line in made.commands),
        "",
        "本包不能证实",
        *(f"  - {one.zh}" for one in limits(made)),
        "",
        "隐私",
        *(f"  {one.zh}" for one in _privacy(made)),
    ]
    en = [
        f"{TITLE.en}: {content.name}, {made.asked.year}",
        f"Log {made.log}, as of {made.as_of} entries."
        + ("" if made.published else f" {_DRAFT.en}"),
        "",
        "What is in it",
        *(f"  {name}  {said.en}" for name, said in _FILES),
        "",
        "How to verify it",
        *(f"  {one.en}" for one in how()),
        *(f"  {line}" for line in made.commands),
        "",
        "What it does not establish",
        *(f"  - {one.en}" for one in limits(made)),
        "",
        "Privacy",
        *(f"  {one.en}" for one in _privacy(made)),
    ]
    return "\n".join([*zh, "", "-" * 72, "", *en, ""])
