"""Reading and writing the tables of statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, insert, select

from ledger.errors import NotFound
from ledger.statements.model import Statement, StatementRow
from ledger.statements.official import OfficialPart
from ledger.statements.schema import rows, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRow:
    """A statement that was imported, without its rows. `document`: SHA-256 of its file."""

    entry_index: int
    kind: str
    scheme: str
    issuer: str
    as_of: str
    file_name: str
    document: bytes
    reading: bytes

    def to_json(self) -> dict[str, Any]:
        return {
            "entry": self.entry_index,
            "kind": self.kind,
            "scheme": self.scheme,
            "issuer": self.issuer,
            "as_of": self.as_of,
            "file": self.file_name,
            "document": self.document.hex(),
        }


def save_statement(
    conn: Connection, log_id: int, entry_index: int, kind: str, said: Statement, document: bytes
) -> None:
    conn.execute(
        insert(statements).values(
            log_id=log_id,
            entry_index=entry_index,
            kind=kind,
            scheme=said.scheme,
            issuer=said.issuer,
            as_of=said.as_of.isoformat(),
            file_name=said.file.name,
            file_hash=document,
            reading=said.reading(kind),
        )
    )
    conn.execute(
        insert(rows),
        [
            {
                "log_id": log_id,
                "entry_index": entry_index,
                "number": number,
                "line": row.row,
                "code": row.code,
                "month": row.month,
                "project": row.project,
                "class": row.class_,
                "first_unit": row.first,
                "end_unit": row.end,
                "status": row.status,
                "party": row.party,
                "wh": row.wh,
                "note": row.note,
            }
            for number, row in enumerate(said.rows)
        ],
    )


def all_statements(conn: Connection, log_id: int) -> list[ImportedRow]:
    """In the order of the log."""
    query = select(statements).where(statements.c.log_id == log_id)
    return [_imported(row) for row in conn.execute(query.order_by(statements.c.entry_index))]


def find_statement(conn: Connection, log_id: int, entry_index: int) -> ImportedRow:
    """Raises NotFound."""
    row = conn.execute(
        select(statements).where(
            statements.c.log_id == log_id, statements.c.entry_index == entry_index
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"entry {entry_index} is no statement that was imported")
    return _imported(row)


def last_of_file(conn: Connection, log_id: int, document: bytes) -> ImportedRow | None:
    """The last import of a file, by the SHA-256 of its bytes."""
    row = conn.execute(
        select(statements)
        .where(statements.c.log_id == log_id, statements.c.file_hash == document)
        .order_by(statements.c.entry_index.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _imported(row)


def _imported(row: Any) -> ImportedRow:
    return ImportedRow(
        entry_index=row.entry_index,
        kind=row.kind,
        scheme=row.scheme,
        issuer=row.issuer,
        as_of=row.as_of,
        file_name=row.file_name,
        document=bytes(row.file_hash),
        reading=bytes(row.reading),
    )


def rows_of(conn: Connection, log_id: int, entry_index: int) -> list[StatementRow]:
    """A statement's rows, in order."""
    query = (
        select(rows)
        .where(rows.c.log_id == log_id, rows.c.entry_index == entry_index)
        .order_by(rows.c.number)
    )
    return [
        StatementRow(
            row=row["line"],
            code=row["code"],
            month=row["month"],
            project=row["project"],
            class_=row["class"],
            first=row["first_unit"],
            end=row["end_unit"],
            status=row["status"],
            party=row["party"],
            wh=row["wh"],
            note=row["note"],
        )
        for row in conn.execute(query).mappings()
    ]


_later: Final = statements.alias("later")


def spoken_of(
    conn: Connection,
    log_id: int,
    scheme: str,
    code: str | None = None,
    *,
    as_of: int | None = None,
) -> Iterator[tuple[str, OfficialPart]]:
    """(code, part) of each row of statements of a scheme that names units, of one code or of all,
    below a log size (all by default).

    A file that was read anew speaks by its last reading alone.
    """
    read_anew = [
        _later.c.log_id == statements.c.log_id,
        _later.c.file_hash == statements.c.file_hash,
        _later.c.entry_index > statements.c.entry_index,
    ]
    wanted: list[ColumnElement[bool]] = [
        rows.c.log_id == log_id,
        rows.c.code != "" if code is None else rows.c.code == code,
        statements.c.scheme == scheme,
    ]
    if as_of is not None:
        read_anew.append(_later.c.entry_index < as_of)
        wanted.append(statements.c.entry_index < as_of)
    query = (
        select(
            rows.c.code,
            rows.c.first_unit,
            rows.c.end_unit,
            rows.c.status,
            rows.c.party,
            rows.c.entry_index,
            statements.c.as_of,
            statements.c.file_hash,
        )
        .join_from(
            rows,
            statements,
            (statements.c.log_id == rows.c.log_id)
            & (statements.c.entry_index == rows.c.entry_index),
        )
        .where(*wanted, ~exists().where(*read_anew))
    )
    # In no order: to have one from an index, SQLite would go through the rows of all codes.
    for row in conn.execute(query):
        yield (
            row.code,
            OfficialPart(
                first=row.first_unit,
                end=row.end_unit,
                status=row.status,
                party=row.party,
                as_of=row.as_of,
                document=bytes(row.file_hash).hex(),
                entry_index=row.entry_index,
            ),
        )
