"""What became of a file of readings, said to people."""

from __future__ import annotations

from ledger.cli.output import Output
from ledger.metering.importing import ImportedFile
from ledger.metering.quality import Quality


def flag_names(quality: int) -> str:
    """`measured`, or the names of the flags that are set."""
    return ", ".join(each.name.lower() for each in Quality(quality) if each.name) or "measured"


def say_imported(out: Output, found: ImportedFile) -> None:
    out.say(
        f"{found.name}: {found.taken.stored:,} intervals stored"
        + (f", {found.taken.corrected:,} corrected" if found.taken.corrected else "")
        + (f", {found.taken.repeats:,} repeats dropped" if found.taken.repeats else "")
        + (f", {found.imported.missing:,} missing" if found.imported.missing else "")
        + "."
    )
    for warning in found.warnings:
        out.warn(warning)
    if found.imported.repairs:
        out.table(
            "Repairs",
            ["flag", "count", "rule", "rows"],
            [
                [
                    flag_names(each.flag) if each.flag else "–",
                    each.count,
                    each.rule,
                    _short(each.rows),
                ]
                for each in found.imported.repairs
            ],
        )
    if found.imported.rejections:
        out.table(
            "Rejected",
            ["row", "column", "reason"],
            [[each.row, each.column, each.reason] for each in found.imported.rejections],
        )


def _short(rows: str) -> str:
    return rows if len(rows) <= 60 else rows[:57] + "…"
