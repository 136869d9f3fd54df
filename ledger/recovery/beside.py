"""What no replay of the log gives back, as lines of JSON: rows of the service's tables (accounts,
keys of the API, drafts, jobs, …) and receipts of anchors.

Left out is what passes: sessions, delays and logins under way. Who was let in by a session that was
ended after the backup would be in again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, LargeBinary, Table, insert, select

from ledger import db, files, schema
from ledger.access import schema as access
from ledger.errors import Corrupt, InvalidInput
from ledger.log.archive import as_json
from ledger.log.audit import NOT_REPLAYED

BESIDE_DIR: Final = "beside"
FORMAT: Final = "greenledger-beside/v1"
# Checkpoints are in a file of their own; migrations make theirs.
_ELSEWHERE: Final = frozenset({"checkpoint_roots", "checkpoint_notes", "alembic_version"})
_PASSING: Final = frozenset(
    one.name for one in (access.sessions, access.login_delays, access.oidc_logins)
)
_ROWS_AT_ONCE: Final = 256

Value = int | str | None


def tables() -> list[Table]:
    """Those whose rows a backup has, in the order of their keys."""
    return [
        table
        for table in db.metadata.sorted_tables
        if (table.info.get("of_service") or table.name in NOT_REPLAYED)
        and table.name not in _ELSEWHERE | _PASSING
    ]


def _encoder(table: Table) -> Callable[[Any], list[Value]]:
    binary = [isinstance(column.type, LargeBinary) for column in table.columns]

    def encode(row: Any) -> list[Value]:
        return [
            base64.b64encode(bytes(value)).decode() if is_bytes and value is not None else value
            for value, is_bytes in zip(row, binary, strict=True)
        ]

    return encode


def _lines(conn: Connection) -> Iterator[bytes]:
    yield as_json({"format": FORMAT, "schema": schema.present(conn)})
    for table in tables():
        yield as_json({"table": table.name, "columns": [one.name for one in table.columns]})
        encode = _encoder(table)
        query = select(table).order_by(*table.primary_key.columns)
        for row in conn.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)):
            yield as_json({"row": encode(row)})


def write(conn: Connection, folder: Path, tick: Callable[[], None]) -> str:
    """A file that is named after its SHA-256, which is returned. `tick` is called for each line."""
    place = folder / BESIDE_DIR
    files.make_private_folder(place)
    fresh = place / "next"
    fresh.unlink(missing_ok=True)  # of a run that was stopped
    digest = hashlib.sha256()
    with files.new_private(fresh) as file:
        for line in _lines(conn):
            tick()
            digest.update(line)
            file.write(line)
    fresh.replace(place / digest.hexdigest())
    files.sync_folder(place)
    return digest.hexdigest()


def forget_others(folder: Path, kept: str) -> None:
    """What earlier runs wrote: the record names `kept` now."""
    for path in (folder / BESIDE_DIR).iterdir():
        if path.name != kept:
            path.unlink()


def read(conn: Connection, folder: Path, name: str) -> int:
    """Put the rows back; returns how many. Raises InvalidInput or Corrupt."""
    path = folder / BESIDE_DIR / name
    _check_hash(path, name)
    file = files.open_regular(path)
    assert file is not None
    count = 0
    with file:
        reader = _Reader(str(path), file.readline())
        for number, line in enumerate(file, 2):
            try:
                count += reader.take(conn, line)
            except (ValueError, KeyError, TypeError, binascii.Error) as error:
                raise Corrupt(f"{path}, line {number}: {error}") from error
        reader.flush(conn)
    db.count_on(conn)
    return count


def _check_hash(path: Path, name: str) -> None:
    file = files.open_regular(path)
    if file is None:
        raise InvalidInput(f"{path} is missing: the accounts and jobs of the service")
    digest = hashlib.sha256()
    with file:
        while part := file.read(1 << 20):
            digest.update(part)
    if digest.hexdigest() != name:
        raise Corrupt(f"{path} was changed: its SHA-256 is {digest.hexdigest()}")


class _Reader:
    """Takes lines, and stores rows of one table after the other."""

    def __init__(self, path: str, first: bytes) -> None:
        head = json.loads(first)
        if head.get("format") != FORMAT:
            raise Corrupt(f"{path}: its format is not {FORMAT}")
        self._path = path
        self._schema = head["schema"]
        self._known = {table.name: table for table in tables()}
        self._table: Table | None = None
        self._rows: list[dict[str, Any]] = []

    def take(self, conn: Connection, line: bytes) -> int:
        said = json.loads(line)
        if "table" in said:
            self.flush(conn)
            self._table = self._find(said["table"], said["columns"])
            return 0
        assert self._table is not None
        self._rows.append(_decoded(self._table, said["row"]))
        if len(self._rows) == _ROWS_AT_ONCE:
            self.flush(conn)
        return 1

    def flush(self, conn: Connection) -> None:
        if self._rows:
            assert self._table is not None
            conn.execute(insert(self._table), self._rows)
            self._rows = []

    def _find(self, name: str, columns: list[str]) -> Table:
        table = self._known.get(name)
        if table is None or [one.name for one in table.columns] != columns:
            raise InvalidInput(
                f"{self._path}: table {name} is another one in this program, which has schema"
                f" {schema.newest()}: restore with the greenledger of schema {self._schema}, then"
                " migrate"
            )
        return table


def _decoded(table: Table, row: list[Value]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, value in zip(table.columns, row, strict=True):
        is_bytes = isinstance(column.type, LargeBinary) and isinstance(value, str)
        found[column.name] = base64.b64decode(str(value), validate=True) if is_bytes else value
    return found
