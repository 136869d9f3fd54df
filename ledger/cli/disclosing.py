"""greenledger disclose …: an organisation's year in one archive, and whether one still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output, counted, step
from ledger.disclosure import packing
from ledger.disclosure.asked import Asked
from ledger.disclosure.checking import check as check_pack
from ledger.disclosure.choosing import choose
from ledger.errors import InvalidInput, Refused
from ledger.files import new_private
from ledger.house import COMPUTES, House
from ledger.log.store import load_head
from ledger.reports.model import INVENTORY

disclose = typer.Typer(
    help="Disclosure packs: an organisation's year in one archive that others can check.",
    no_args_is_help=True,
)
LEVELS = packing.LEVELS


def add_to(app: typer.Typer) -> None:
    app.add_typer(disclose, name="disclose")


@disclose.command("make")
def make(
    organisation: Annotated[str, typer.Argument(help="Party id.")],
    year: Annotated[str, typer.Argument(help="A calendar year of park time: 2026.")],
    out_file: Annotated[Path, typer.Option("--out", help="File to write: NAME.zip.")],
    reports: Annotated[
        list[str] | None,
        typer.Option(
            "--report",
            help="Show this published report; may be repeated (default: all it published of the"
            " year).",
        ),
    ] = None,
    regimes: Annotated[
        list[str] | None,
        typer.Option(
            "--regime",
            help="Draft an inventory under this regime; may be repeated (default: where none is"
            " published, under all in force).",
        ),
    ] = None,
    documents: Annotated[
        list[Path] | None,
        typer.Option("--document", help="Add the file of a registered document; may be repeated."),
    ] = None,
    level: Annotated[
        str, typer.Option(help="Of the evidence: " + " or ".join(LEVELS) + ".")
    ] = "full",
    as_of: Annotated[
        int | None, typer.Option(help="Log size that it knows (default: the present one).")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Write the pack's hashes into the log.")
    ] = False,
    replaces: Annotated[
        str, typer.Option(help="With --publish: the disclosure that this is a new version of.")
    ] = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Write a pack: reports, claims, certificates, credits, factors, evidence, and a PDF.

    Signs a checkpoint first. Whoever gets the pack reads what its evidence opens: the values of the
    claimed quarter-hours (full), or sums alone (total).
    """
    house = open_house(directory)
    if level not in LEVELS:
        raise InvalidInput(f"--level {level!r}: it is one of {', '.join(LEVELS)}")
    if not publish and (replaces or key is not None):
        raise InvalidInput("--replaces and --key belong to --publish")
    signing = read_key(key) if key else None
    wanted = packing.Wanted(
        asked=_asked(house, organisation, year, as_of, reports, regimes),
        as_of=as_of,
        level=level,
        kept=documents or (),
        font=house.settings.pdf_font,
    )
    publishing = packing.Publishing(report=replaces, key=signing) if publish else None
    out = Output(as_json=as_json)
    with out.progress() as bar, new_private(out_file) as file:
        found = packing.pack(
            house.desk,
            COMPUTES,
            wanted,
            file,
            checkpoint=house.checkpoint,
            vkey=house.verification_key.vkey,
            publishing=publishing,
            progress=step(bar, out_file.name),
        )
    _say(out, out_file, found)


def _asked(
    house: House,
    organisation: str,
    year: str,
    as_of: int | None,
    named: list[str] | None,
    regimes: list[str] | None,
) -> Asked:
    with db.reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size if as_of is None else as_of
        return choose(
            conn, house.log, organisation, year, size, named=named or (), regimes=regimes or ()
        )


def _say(out: Output, path: Path, found: packing.Packed) -> None:
    made, receipt = found.made, found.receipt
    size = path.stat().st_size
    out.say(
        f"{path}: {made.asked.organisation}, {made.asked.year}, as of {made.as_of:,} entries:"
        f" {counted(found.files, 'file')}, {counted(made.evidence, 'claim')} with evidence"
        f" ({made.level}), {size:,} bytes."
    )
    if receipt is None:
        out.warn("a draft, in no entry of the log; --publish writes its hashes there")
    else:
        report = receipt.entry.statement["report"]
        out.say(f"Entry {receipt.index} publishes it, as disclosure {report}.")
    if not found.content.reports(INVENTORY):
        out.warn("no inventory is in the pack: none is published, and no regime is in force")
    out.say("Verify with:")
    out.say(f"  greenledger-verify pack {path} --vkey '{made.vkey}'")
    out.result(
        {
            "file": str(path),
            "organisation": made.asked.organisation,
            "year": made.asked.year,
            "as_of": made.as_of,
            "bytes": size,
            "files": found.files,
            "evidence": made.evidence,
            "level": made.level,
            "reports": list(made.asked.reports),
            "entry": -1 if receipt is None else receipt.index,
            "disclosure": "" if receipt is None else receipt.entry.statement["report"],
        }
    )


@disclose.command("check")
def check(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The pack.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Compute a pack's files once more from this ledger, and compare them."""
    house, out = open_house(directory), Output(as_json=as_json)
    found = check_pack(house.desk, COMPUTES, path)
    for name, what in found.wrong:
        out.say(f"{name}: {what}")
    out.result(
        {
            "organisation": found.organisation,
            "year": found.year,
            "as_of": found.as_of,
            "files": found.files,
            "recomputed": found.recomputed,
            "entry": found.entry,
            "wrong": [{"file": name, "why": what} for name, what in found.wrong],
        }
    )
    if found.wrong:
        name, what = found.wrong[0]
        raise Refused(f"{path} does not hold: {name}: {what}")
    where = f"published by entry {found.entry}" if found.entry >= 0 else "a draft"
    out.say(
        f"{path}: all {counted(found.files, 'file')} are as its manifest says,"
        f" {found.recomputed} of them as this ledger computes them as of {found.as_of:,} entries;"
        f" {where}."
    )
