"""What a statement says, row by row (docs/formats.md §4.12). Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member

NAME: Final = "statement"
GEC: Final = "gec"
GREEN_TRADE: Final = "green-trade"
CREDITS: Final = "credits"
KINDS: Final = (GEC, GREEN_TRADE, CREDITS)

ISSUED: Final = "issued"
HELD: Final = "held"
TRANSFERRED: Final = "transferred"
CANCELLED: Final = "cancelled"
FROZEN: Final = "frozen"
EXPIRED: Final = "expired"
STATUSES: Final = (ISSUED, HELD, TRANSFERRED, CANCELLED, FROZEN, EXPIRED)

NOTE_MAX: Final = 500

CODE_FORM: Final = "1–64 characters of A-Z a-z 0-9 . _ -"
SLUG_FORM: Final = "1–40 characters of a-z 0-9 -, beginning with a letter"
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_SLUG: Final = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_MONTH: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def is_code(value: object) -> bool:
    """Of units and of projects: the same form."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def is_slug(value: object) -> bool:
    """Schemes, classes and parties."""
    return isinstance(value, str) and _SLUG.fullmatch(value) is not None


def is_month(value: object) -> bool:
    return isinstance(value, str) and _MONTH.fullmatch(value) is not None and value[:4] != "0000"


def parse_day(text: str) -> date:
    """`2026-03-31` → a day. Raises InvalidInput."""
    if not _DAY.fullmatch(text):
        raise InvalidInput(f"date {text!r} is not of the form 2026-03-31")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"date {text!r} does not exist: {error}") from error


def _is_day(value: Any) -> bool:
    try:
        parse_day(value)
    except (InvalidInput, TypeError):
        return False
    return True


def _or_none(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value == "" or check(value)


_FILE_MEMBERS: Final[Mapping[str, Member]] = {"name": e.NAME, "size": e.COUNT, "hash": e.HASH}


def _is_file(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    try:
        e.check_members(value, _FILE_MEMBERS)
    except InvalidInput:
        return False
    return True


_MEMBERS: Final[Mapping[str, Member]] = {
    "scheme": Member(expected=SLUG_FORM, check=is_slug),
    "issuer": e.NAME,
    "as_of": Member(expected="a date 2026-03-31", check=_is_day),
    "file": Member(expected="{name, size, hash} of the file", check=_is_file),
    "profile": Member(
        expected="the text of the profile", check=lambda value: isinstance(value, str)
    ),
    "rows": Member(
        expected="an array of at least one row",
        check=lambda value: isinstance(value, list) and len(value) > 0,
    ),
}
_ROW_MEMBERS: Final[Mapping[str, Member]] = {
    "row": Member(
        expected="a line of the file, from 1 on",
        check=lambda value: e.COUNT.check(value) and value > 0,
    ),
    "code": Member(expected=f"{CODE_FORM}, or empty", check=_or_none(is_code)),
    "month": Member(expected="a month 2026-01, or empty", check=_or_none(is_month)),
    "project": Member(expected=f"{CODE_FORM}, or empty", check=_or_none(is_code)),
    "class": Member(expected=f"{SLUG_FORM}, or empty", check=_or_none(is_slug)),
    "first": e.COUNT,
    "end": e.COUNT,
    "status": e.one_of(*STATUSES),
    "party": Member(expected=f"{SLUG_FORM}, or empty", check=_or_none(is_slug)),
    "wh": e.COUNT,
    "note": e.REASON_OR_NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """`row`: line of the file. Units `first` … `end` − 1 of `code`; where the statement names no
    code, `first` is 0 and `end` the number of units. `wh`: energy, 0 where it gives none."""

    row: int
    code: str = ""
    month: str = ""
    project: str = ""
    class_: str = ""
    first: int
    end: int
    status: str
    party: str = ""
    wh: int = 0
    note: str = ""

    @property
    def units(self) -> int:
        return self.end - self.first

    def to_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "code": self.code,
            "month": self.month,
            "project": self.project,
            "class": self.class_,
            "first": self.first,
            "end": self.end,
            "status": self.status,
            "party": self.party,
            "wh": self.wh,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, value: Any) -> StatementRow:
        if not isinstance(value, dict):
            raise InvalidInput("a row of a statement is an object")
        e.check_members(value, _ROW_MEMBERS)
        members = {name: found for name, found in value.items() if name != "class"}
        return cls(class_=value["class"], **members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Row `place` (from 0) of a statement can't stand, because of its `field`."""

    place: int
    field: str
    reason: str


def faults(rows: Sequence[StatementRow], as_of: date) -> Iterator[Fault]:
    """All that is wrong with rows of the right form, by themselves and together."""
    month_of_statement = as_of.isoformat()[:7]
    for place, row in enumerate(rows):
        if row.month and row.month >= month_of_statement:
            yield Fault(
                place=place,
                field="month",
                reason=f"month {row.month} was not over on {as_of}: a statement is about months"
                f" before {month_of_statement}",
            )
        if row.first > row.end or (row.code and row.first == row.end):
            yield Fault(
                place=place,
                field="units",
                reason=f"units {row.first} to {row.end} are none: a row has 1 unit or more",
            )
        elif not row.code and (row.first or not (row.end or row.wh)):
            yield Fault(
                place=place,
                field="units",
                reason="names no code: it counts its units from 0, and has 1 or more, or energy",
            )
    yield from _overlaps(rows)


def _overlaps(rows: Sequence[StatementRow]) -> Iterator[Fault]:
    """A code's number stands once in a statement."""
    places = sorted(
        (place for place, row in enumerate(rows) if row.code and row.first < row.end),
        key=lambda place: (rows[place].code, rows[place].first, place),
    )
    furthest: StatementRow | None = None
    for place in places:
        row = rows[place]
        if furthest and furthest.code == row.code and row.first < furthest.end:
            yield Fault(
                place=place,
                field="code",
                reason=f"units {row.first} to {min(row.end, furthest.end) - 1} of code"
                f" {row.code!r} stand in row {furthest.row} already: a statement has each unit"
                " once",
            )
        if not furthest or furthest.code != row.code or row.end > furthest.end:
            furthest = row


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFile:
    """`size`: the file's own. `hash`: of the salted body, 64 hex digits."""

    name: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The body of an entry `statement.import`."""

    scheme: str
    issuer: str
    as_of: date
    file: StatementFile
    profile: str
    rows: tuple[StatementRow, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "scheme": self.scheme,
            "issuer": self.issuer,
            "as_of": self.as_of.isoformat(),
            "file": {"name": self.file.name, "size": self.file.size, "hash": self.file.hash},
            "profile": self.profile,
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Statement:
        """Raises InvalidInput for wrong members, or rows that contradict each other."""
        e.check_members(value, _MEMBERS)
        found = cls(
            scheme=value["scheme"],
            issuer=value["issuer"],
            as_of=parse_day(value["as_of"]),
            file=StatementFile(**value["file"]),
            profile=value["profile"],
            rows=tuple(map(StatementRow.from_json, value["rows"])),
        )
        lines = [row.row for row in found.rows]
        if lines != sorted(lines):
            raise InvalidInput("rows stand in the order of the file's lines")
        for fault in faults(found.rows, found.as_of):
            raise InvalidInput(f"row {found.rows[fault.place].row}: {fault.reason}")
        return found

    def reading(self, kind: str) -> bytes:
        """Hash of all that the statement says, without its file and its profile: two readings of
        one file are the same where this is."""
        said = {"kind": kind, **self.to_json()}
        del said["file"], said["profile"]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()
