"""greenledger document …: files that figures and answers can be checked against, by their hash."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.accounting.registers.document import REGISTER, Document, DocumentFile
from ledger.cli.activities import Name, Party
from ledger.cli.options import Dir, HeldKey, Json, open_house, park_instant, read_key
from ledger.cli.output import Output, park_date
from ledger.errors import InvalidInput, NotFound
from ledger.parties.desk import fresh_id
from ledger.records import service, store
from ledger.records.store import Record

document = typer.Typer(
    help="Documents: invoices, reports, certificates, … by the hash of their file.",
    no_args_is_help=True,
)
_UNKNOWN = "application/octet-stream"


def add_to(app: typer.Typer) -> None:
    app.add_typer(document, name="document")


@document.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="The file; only its hash and size are stored.")],
    kind: Annotated[str, typer.Option(help="a-z 0-9 -: invoice, calibration, verification, …")],
    title: Annotated[str, typer.Option(help="What people call it; without: the file's name.")] = "",
    party: Party = "",
    issuer: Annotated[str, typer.Option(help="Who wrote it.")] = "",
    issued: Annotated[str, typer.Option(help="Date or time, in park time.")] = "",
    valid_from: Annotated[
        str, typer.Option(help="Date or time, in park time; without: when it was issued.")
    ] = "",
    valid_until: Annotated[
        str, typer.Option(help="Date or time, in park time; for good: none.")
    ] = "",
    answers: Annotated[
        list[str] | None,
        typer.Option(help="STANDARD:CLAUSE that it answers, such as ndrc-910:guiding-heat; again."),
    ] = None,
    statement: Annotated[str, typer.Option(help="What it says of these, in a sentence.")] = "",
    figure: Annotated[
        str, typer.Option(help="'NAME VALUE UNIT' that it gives: 'waste-heat-used 61.5 %'.")
    ] = "",
    note: Annotated[str, typer.Option(help="Up to 500 characters.")] = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put a document in the log: who has the file can show later that it is the same."""
    house, out = open_house(directory), Output(as_json=as_json)
    if not file.is_file():
        raise NotFound(f"no file {file}")
    media = mimetypes.guess_type(file.name)[0] or _UNKNOWN
    content = Document(
        organisation=party,
        title=title or file.name,
        kind=kind,
        issuer=issuer,
        file=DocumentFile.of(file.read_bytes(), name=file.name, media=media),
        issued_s=park_instant(issued, house.log.zone) if issued else None,
        valid_until_s=park_instant(valid_until, house.log.zone) if valid_until else None,
        note=note,
        valid_from_s=park_instant(valid_from, house.log.zone) if valid_from else None,
        about=tuple(_answered(one) for one in answers or ()),
        statement=statement,
        figure=_figure(figure) if figure else {},
    )
    name = fresh_id()
    receipt = service.put(
        house.desk,
        REGISTER,
        name,
        content.to_json(),
        author=party or house.log.operator,
        key=read_key(key) if key else None,
    )
    out.say(f"Document {name} is in the log, entry {receipt.index}: {content.title}.")
    out.say(f"SHA-256 {content.file.sha256}; keep the file, the log has only that.")
    out.result({"name": name, "entry": receipt.index, **content.to_json()})


def _answered(text: str) -> dict[str, str]:
    standard, separator, clause = text.partition(":")
    if not separator:
        raise InvalidInput(
            f"--answers {text!r}: it is STANDARD:CLAUSE, such as ndrc-910:guiding-heat"
        )
    return {"standard": standard, "clause": clause}


def _figure(text: str) -> dict[str, str]:
    parts = text.split(maxsplit=2)
    if len(parts) != 3:
        raise InvalidInput(
            f"--figure {text!r}: it is 'NAME VALUE UNIT', such as 'waste-heat 61.5 %'"
        )
    return dict(zip(("name", "value", "unit"), parts, strict=True))


@document.command("list")
def list_documents(
    party: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Documents in force."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        found = store.current(conn, house.log.log_id, REGISTER, author=party or None)
    rows = sorted(found.values(), key=lambda one: one.entry_index)
    known = [(row, Document.from_json(row.content)) for row in rows]
    zone = house.log.zone
    out.table(
        "Documents",
        ["record", "of", "kind", "title", "issuer", "valid until", "SHA-256", ">entry"],
        [
            [
                row.name[:12],
                one.organisation or "the park",
                one.kind,
                one.title,
                one.issuer or "–",
                "–" if one.valid_until_s is None else park_date(one.valid_until_s, zone),
                one.file.sha256[:16],
                str(row.entry_index),
            ]
            for row, one in known
        ],
    )
    out.result(
        {
            "documents": [
                {"name": row.name, "entry": row.entry_index, **one.to_json()} for row, one in known
            ]
        }
    )


@document.command("show")
def show(
    name: Name,
    file: Annotated[
        Path | None, typer.Option(help="A file, to see whether it is this document's.")
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """What the log has of a document; with --file, whether that is it: exit 5 where it is not."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        row = _find(store.current(conn, house.log.log_id, REGISTER), name)
    one = Document.from_json(row.content)
    out.table(
        f"Document {row.name}",
        ["what", "is"],
        [
            ["title", one.title],
            ["of", one.organisation or "the park"],
            ["kind", one.kind],
            ["issuer", one.issuer or "–"],
            ["issued", "–" if one.issued_s is None else park_date(one.issued_s, house.log.zone)],
            [
                "valid until",
                "–" if one.valid_until_s is None else park_date(one.valid_until_s, house.log.zone),
            ],
            ["file", f"{one.file.name} ({one.file.media}), {one.file.size:,} bytes"],
            ["SHA-256", one.file.sha256],
            ["answers", ", ".join(f"{of['standard']}:{of['clause']}" for of in one.about) or "–"],
            ["statement", one.statement or "–"],
            ["figure", " ".join(one.figure.values()) or "–"],
            ["note", one.note or "–"],
            ["entry", str(row.entry_index)],
        ],
    )
    same = None if file is None else _is_same(file, one)
    if same is not None:
        out.say("The file is this document's." if same else "The file is ANOTHER one.")
    out.result(
        {
            "name": row.name,
            "entry": row.entry_index,
            **one.to_json(),
            **({} if same is None else {"same": same}),
        }
    )
    if same is False:
        raise typer.Exit(5)


def _is_same(file: Path, one: Document) -> bool:
    if not file.is_file():
        raise NotFound(f"no file {file}")
    found = DocumentFile.of(file.read_bytes(), name=one.file.name, media=one.file.media)
    return found == one.file


def _find(known: dict[str, Record], beginning: str) -> Record:
    found = [row for name, row in known.items() if name.startswith(beginning.lower())]
    if not found:
        raise NotFound(f"there is no document {beginning}; see: greenledger document list")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} documents begin with {beginning}: give more of the name")
    return found[0]
