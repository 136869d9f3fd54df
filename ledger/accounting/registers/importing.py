"""Putting activities, one at a time or a file of them at once, and documents.

A file of activities is CSV in UTF-8 with the columns of COLUMNS, one activity in a row. All rows
are put, or none; rows that are in force already, word for word, are counted and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.accounting.factors import units
from ledger.accounting.factors.files import csv_rows
from ledger.accounting.factors.members import DECIMAL
from ledger.accounting.registers.activity import REGISTER, Activity
from ledger.accounting.registers.checks import require_activity
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import load_head
from ledger.log.types import Tx
from ledger.metering.importers.report import Rejection, RowsRejected
from ledger.metering.service import points_by_name
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.records import store as records
from ledger.records.entries import PUT
from ledger.units import Period

COLUMNS: Final = (
    "category",
    "item",
    "direction",
    "quantity",
    "unit",
    "period",
    "from",
    "to",
    "park_system",
    "point",
    "counterparty",
    "within",
    "biogenic",
    "nonfossil",
    "factor",
    "factor_unit",
    "factor_gas",
    "factor_source",
    "documents",
    "note",
)
_REQUIRED: Final = ("category", "item", "unit")
_FACTOR: Final = ("factor", "factor_unit", "factor_gas", "factor_source")
_FLAGS: Final[Mapping[str, bool]] = {"": False, "0": False, "no": False, "1": True, "yes": True}
# (text of `period`) → its time; (text of `from` or `to`) → an instant.
Times = tuple[Callable[[str], Period], Callable[[str], int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file: `names` of the new records; `repeats` of what was there already."""

    names: tuple[str, ...]
    receipts: tuple[Receipt, ...]
    repeats: int


class _Row:
    """One row: each cell is read by its column, so that what is wrong is said by row and column."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self.number = number
        self.cells = cells
        self.rejections: list[Rejection] = []

    def read(self, column: str, parse: Callable[[str], Any], absent: Any = "") -> Any:
        text = self.cells.get(column, "")
        if not text:
            return absent
        try:
            return parse(text)
        except LedgerError as error:
            self.rejections.append(Rejection(row=self.number, column=column, reason=str(error)))
            return absent


def read_activities(
    data: bytes, where: str, *, organisation: str, points: Mapping[str, bytes], times: Times
) -> list[tuple[int, Activity]]:
    """(row, activity) of a CSV file. Raises RowsRejected with every row and column that is wrong.

    `points`: {name: id}. `times`: how `period`, and `from` and `to`, are read.
    """
    rows = csv_rows(data, where, required=_REQUIRED, known=COLUMNS)
    found, rejections = [], []
    for number, cells in rows:
        row = _Row(number, cells)
        activity = _activity(row, organisation, points, times)
        rejections += row.rejections
        if activity is not None:
            found.append((number, activity))
    if rejections:
        raise RowsRejected(where, tuple(sorted(rejections)))
    if not found:
        raise InvalidInput(f"{where}: it has a header, and no row of data")
    return found


def _activity(
    row: _Row, organisation: str, points: Mapping[str, bytes], times: Times
) -> Activity | None:
    period = _period(row, times)
    members: dict[str, Any] = {
        name: row.cells.get(name, "")
        for name in ("category", "item", "park_system", "counterparty", "within")
    }
    members["quantity"] = row.read("quantity", _decimal)
    members["direction"] = row.cells.get("direction", "") or "in"
    members["note"] = row.cells.get("note", "")
    members["unit"] = row.read("unit", lambda text: units.parse(text).name)
    members["point"] = row.read("point", lambda text: _point(text, points))
    for name in ("biogenic", "nonfossil"):
        members[name] = int(row.read(name, _flag, False))
    members["documents"] = sorted(row.cells.get("documents", "").split())
    factor = {name: row.cells.get(name, "") for name in _FACTOR}
    members["factor"] = (
        {name.removeprefix("factor_").replace("factor", "value"): factor[name] for name in _FACTOR}
        if any(factor.values())
        else {}
    )
    if row.rejections or period is None:
        return None
    try:
        return Activity.of(organisation=organisation, period=period, members=members)
    except InvalidInput as error:
        row.rejections.append(Rejection(row=row.number, column=_column(error), reason=str(error)))
        return None


def _column(error: InvalidInput) -> str:
    """The column that a message about a member names, "" where none."""
    words = str(error).split("'")
    return words[1] if len(words) > 1 and words[1] in COLUMNS else ""


def _period(row: _Row, times: Times) -> Period | None:
    of_name, of_instant = times
    if row.cells.get("period"):
        for column in ("from", "to"):
            if row.cells.get(column):
                reason = "a row has a period, or from and to, not both"
                row.rejections.append(Rejection(row=row.number, column=column, reason=reason))
        found: Period | None = row.read("period", of_name, None)
        return found
    edges = [row.read(column, of_instant, None) for column in ("from", "to")]
    for column, edge in zip(("from", "to"), edges, strict=True):
        if edge is None and not row.cells.get(column):
            reason = "is empty, and there is no period"
            row.rejections.append(Rejection(row=row.number, column=column, reason=reason))
    if None in edges:
        return None
    try:
        return Period(start_s=edges[0], end_s=edges[1])
    except InvalidInput as error:
        row.rejections.append(Rejection(row=row.number, column="to", reason=str(error)))
        return None


def _point(name: str, points: Mapping[str, bytes]) -> str:
    if name not in points:
        raise InvalidInput(f"there is no point {name!r} of yours; see: greenledger point list")
    return points[name].hex()


def _decimal(text: str) -> str:
    if not DECIMAL.check(text):
        raise InvalidInput(f"{text!r} is not {DECIMAL.expected}")
    return text


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise InvalidInput(f"{text!r} is neither 1 nor 0")
    return _FLAGS[text.lower()]


def import_activities(
    desk: Desk,
    data: bytes,
    where: str,
    *,
    organisation: str,
    times: Times,
    key: SigningKey | None = None,
) -> Imported:
    """Put all activities of a file, or none. `organisation` "": of the park, by the operator.

    Raises RowsRejected, InvalidInput or Refused.
    """
    author = organisation or desk.log.operator
    with reading(desk.engine) as conn:
        known = points_by_name(conn, desk.log.log_id)
        points = {
            name: one.point for name, one in known.items() if organisation in ("", one.master.owner)
        }
        rows = read_activities(data, where, organisation=organisation, points=points, times=times)
        there = records.current(conn, desk.log.log_id, REGISTER, author=author).values()
        in_force = {Activity.from_json(one.content).key for one in there}
        fresh = [(number, one) for number, one in rows if one.key not in in_force]
        head = load_head(conn, desk.log.log_id)
        tx = Tx(conn=conn, log=desk.log, index=head.size, tick_s=head.tick_s)
        _require_all(tx, author, where, fresh)
    names = [fresh_id() for _ in fresh]
    drafts = [
        Draft(
            type=PUT,
            author=author,
            members={"register": REGISTER, "name": name, "replaces": ""},
            bodies={"body": seal_json(one.to_json(), records.NAME)},
        )
        for name, (_, one) in zip(names, fresh, strict=True)
    ]
    submissions = [desk.sign(draft, key=key) for draft in drafts]
    receipts = desk.writer.append_all(submissions) if submissions else []
    return Imported(names=tuple(names), receipts=tuple(receipts), repeats=len(rows) - len(fresh))


def _require_all(tx: Tx, author: str, where: str, rows: Sequence[tuple[int, Activity]]) -> None:
    """What the log would refuse, by rows. Raises RowsRejected."""
    rejections = []
    for number, activity in rows:
        try:
            require_activity(tx, author, "", activity)
        except LedgerError as error:
            rejections.append(Rejection(row=number, column="", reason=str(error)))
    if rejections:
        raise RowsRejected(where, tuple(rejections))
