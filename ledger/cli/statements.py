"""greenledger certificate|credit import, statement, statements, blocking: what registries say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ledger import db
from ledger.certificates.importing import Listed, import_units
from ledger.cli.instruments import SchemeName, rules_of, schemes_of
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, counted, step
from ledger.errors import NotFound
from ledger.house import House
from ledger.statements import service, store
from ledger.statements.compare import AGREES, CONFLICT, MISSING_HERE, MISSING_THERE, Finding
from ledger.statements.model import parse_day
from ledger.statements.profile import StatementProfile, read_statement_profile

_ROWS_MAX: Final = 100
_WORDS: Final = {
    AGREES: "agrees",
    MISSING_HERE: "missing here",
    MISSING_THERE: "missing there",
    CONFLICT: "conflict",
}

File = Annotated[Path, typer.Argument(help="CSV or XLSX, as it was received.")]
ProfileFile = Annotated[
    Path, typer.Option("--profile", help="How to read it (TOML); examples ship with us.")
]
AsOf = Annotated[
    str, typer.Option("--as-of", help="The day whose state it gives, such as 2026-03-31.")
]


def add_to(group: typer.Typer) -> None:
    group.command("import")(import_list)
    group.command("statement")(import_statement)
    group.command("statements")(list_statements)
    group.command("blocking")(list_blocking)


def _read_profile(path: Path) -> tuple[str, StatementProfile]:
    if not path.is_file():
        raise NotFound(f"no file {path}")
    text = path.read_text(encoding="utf-8")
    return text, read_statement_profile(text, where=str(path))


def import_list(
    ctx: typer.Context,
    file: File,
    profile: ProfileFile,
    as_of: AsOf,
    owner: Annotated[
        str, typer.Option(help="Party that holds them, where the list names none.")
    ] = "",
    class_: Annotated[
        str, typer.Option("--class", help="Their class, where the list names none.")
    ] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Take in the units of an official list that are not here yet.

    What is here with the same numbers is skipped and counted; the same code with another number of
    units is refused. Of plants metered here the lots behind each month are found.
    """
    house = open_house(directory)
    _, rules = _read_profile(profile)
    with db.reading(house.engine) as conn:
        rules_of(ctx, conn, house, rules.scheme)
    out = Output(as_json=as_json)
    with out.progress() as bar:
        found = import_units(
            house.desk,
            file,
            rules,
            as_of=parse_day(as_of),
            listed=Listed(class_=class_, owner=owner),
            progress=step(bar, file.name),
        )
    out.say(
        f"{file.name}: took in {found.scheme.said(found.units)} in"
        f" {counted(found.batches, 'batch')}, of {counted(found.rows, 'row')}."
    )
    if found.skipped:
        out.say(
            f"Here already, and left as they are: {found.scheme.said(found.skipped_units)} in"
            f" {counted(found.skipped, 'batch')}."
        )
    out.result(
        {
            "file": file.name,
            "scheme": found.scheme.scheme,
            "rows": found.rows,
            "batches": found.batches,
            "units": found.units,
            "amount": found.scheme.amount(found.units),
            "skipped": found.skipped,
            "skipped_units": found.skipped_units,
        }
    )


def import_statement(
    ctx: typer.Context,
    file: File,
    profile: ProfileFile,
    as_of: AsOf,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Sign what an official statement says, and compare it row by row with what is held here.

    Nothing is moved by it. The same file again changes nothing.
    """
    house = open_house(directory)
    text, rules = _read_profile(profile)
    with db.reading(house.engine) as conn:
        rules_of(ctx, conn, house, rules.scheme)
    done = service.import_statement(
        house.desk, file, rules, profile_text=text, as_of=parse_day(as_of)
    )
    out = Output(as_json=as_json)
    index = done.statement.entry_index
    before = "was signed before, as" if done.repeated else "signed as"
    out.say(f"{file.name}: {counted(done.rows, 'row')}, {before} entry {index}.")
    for each in done.repairs:
        out.say(f"  {counted(each.count, 'row')}: {each.rule} ({each.rows})")
    found = _reconcile(house, index)
    _show(out, found)
    out.result({**done.to_json(), "reconciliation": found.to_json()})


def _reconcile(house: House, index: int) -> service.Reconciliation:
    with db.reading(house.engine) as conn:
        return service.reconcile(conn, house.log, index)


def _show(out: Output, found: service.Reconciliation) -> None:
    """What agrees in numbers; what does not, row by row."""
    said = found.statement
    counts = ", ".join(f"{count:,} {_WORDS[kind]}" for kind, count in found.counts.items())
    open_ = [one for one in found.findings if one.kind != AGREES]
    if open_:
        out.table(
            f"{said.issuer}, as of {said.as_of}: what does not agree",
            [">row", "units", "finding", "here", "there", "differs in", "blocks closing"],
            [
                [
                    str(one.row or "–"),
                    _units(one),
                    _WORDS[one.kind],
                    f"{one.here} ({one.owner})" if one.owner else one.here or "–",
                    one.there or "–",
                    "; ".join(
                        f"{each.field}: {each.here} / {each.there}" for each in one.differences
                    )
                    or "–",
                    "yes" if one.blocks_closing else "no",
                ]
                for one in open_[:_ROWS_MAX]
            ],
        )
        if len(open_) > _ROWS_MAX:
            out.say(f"… and {len(open_) - _ROWS_MAX:,} more rows: --json has all of them")
    out.say(f"Compared with what is held here: {counts}.")
    if found.blocks_closing:
        out.warn("units that are officially gone are held here: the period can't be closed so")


def _units(one: Finding) -> str:
    if one.wh and not one.units:
        return f"{one.wh:,} Wh"
    named = f"{one.code}:{one.first}-{one.end}" if one.code else f"{one.units:,} units"
    return f"{named} of {one.month}" if one.month else named


def list_statements(
    ctx: typer.Context,
    entry: Annotated[
        int | None, typer.Option(help="Compare this one again with what is held here now.")
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Official statements that were signed here; with --entry, one of them compared anew."""
    house = open_house(directory)
    out = Output(as_json=as_json)
    if entry is not None:
        found = _reconcile(house, entry)
        with db.reading(house.engine) as conn:
            rules_of(ctx, conn, house, found.statement.scheme)
        _show(out, found)
        out.result(found.to_json())
        return
    with db.reading(house.engine) as conn:
        schemes = schemes_of(ctx, conn, house, "")
        rows = [
            row for row in store.all_statements(conn, house.log.log_id) if row.scheme in schemes
        ]
    out.table(
        "Statements",
        ["as of", "kind", "scheme", "issuer", "file", "document", ">entry"],
        [
            [
                row.as_of,
                row.kind,
                row.scheme,
                row.issuer,
                row.file_name,
                row.document.hex()[:12],
                row.entry_index,
            ]
            for row in rows
        ],
    )
    if not rows:
        out.say("No statement is signed yet: greenledger certificate (or credit) statement FILE.")
    out.result({"statements": [row.to_json() for row in rows]})


def list_blocking(
    ctx: typer.Context,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Units that are officially gone but held here: settle that before a period is closed."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        schemes = schemes_of(ctx, conn, house, scheme)
        found = [one for name in schemes for one in service.blocking(conn, house.log, name)]
    out = Output(as_json=as_json)
    out.table(
        "Blocks closing",
        ["units", "held by", "state", "officially", "as of", ">statement"],
        [
            [
                f"{one.scheme}/{one.code}:{one.official.first}-{one.official.end}",
                one.owner,
                one.state,
                one.official.status + f" ({one.official.party})" * bool(one.official.party),
                one.official.as_of,
                f"entry {one.official.entry_index}",
            ]
            for one in found
        ],
    )
    if not found:
        out.say("Nothing blocks closing: no unit that is officially gone is held here.")
    out.result({"blocking": [one.to_json() for one in found]})
