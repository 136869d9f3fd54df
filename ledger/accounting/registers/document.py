"""Documents: what a figure or an answer can be checked against, by the hash of its file. Pure.

Content of the register `document` (docs/accounting.md). The file itself stays with who has it:
whoever is given it can compare its hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.accounting.factors.members import SLUG
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.units import format_instant, parse_instant

REGISTER: Final = "document"


def _text(pattern: str) -> Member:
    return Member(
        expected=f"text {pattern}",
        check=lambda value: (
            isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None
        ),
    )


FILE: Final[Mapping[str, Member]] = {
    "name": e.NAME,
    "sha256": e.HASH,
    "size": e.COUNT,
    "media": Member(
        expected="a media type such as application/pdf",
        check=lambda value: (
            isinstance(value, str)
            and re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", value, re.ASCII) is not None
            and len(value) <= 100
        ),
    ),
}
_ABOUT: Final[Mapping[str, Member]] = {"standard": SLUG, "clause": _text(r"[A-Za-z0-9./-]{1,100}")}
_FIGURE: Final[Mapping[str, Member]] = {
    "name": SLUG,
    "value": _text(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?"),
    "unit": _text(r"[A-Za-z0-9%/ ]{1,32}"),
}


def _is_about(value: Any) -> bool:
    return (
        isinstance(value, list) and len(value) <= 1_000 and all(_has(_ABOUT, one) for one in value)
    )


def _has(members: Mapping[str, Member], value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(members)
        and all(member.check(value[name]) for name, member in members.items())
    )


# What an answer to a clause needs, and other documents may leave out.
_DEFAULTS: Final[Mapping[str, Any]] = {"valid_from": "", "about": [], "statement": "", "figure": {}}
MEMBERS: Final[Mapping[str, Member]] = {
    "organisation": Member(
        expected='a party id, or ""', check=lambda value: value == "" or e.PARTY.check(value)
    ),
    "title": e.NAME,
    "kind": SLUG,
    "issuer": Member(expected="up to 200 characters", check=e.REASON_OR_NONE.check),
    "file": Member(expected="an object", check=lambda value: isinstance(value, dict)),
    "issued": e.INSTANT_OR_NONE,
    "valid_from": e.INSTANT_OR_NONE,
    "valid_until": e.INSTANT_OR_NONE,
    "about": Member(expected="an array of {standard, clause}", check=_is_about),
    "statement": e.REASON_OR_NONE,
    "figure": Member(
        expected="{name, value, unit}, or an empty object",
        check=lambda value: value == {} or _has(_FIGURE, value),
    ),
    "note": e.REASON_OR_NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFile:
    """A file by its hash. `media`: such as application/pdf."""

    name: str
    sha256: str
    size: int
    media: str

    @classmethod
    def of(cls, data: bytes, *, name: str, media: str) -> DocumentFile:
        sha256 = hashlib.sha256(data).hexdigest()
        return cls(name=name, sha256=sha256, size=len(data), media=media)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "media": self.media,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of an organisation ("": of the park). `kind`: slug, such as invoice, calibration,
    verification. `issued_s`, `valid_from_s` (else when it was issued), `valid_until_s`: None where
    it does not say. `about`: clauses of standards, by their ids, that it answers, with a
    `statement`, and a `figure` {name, value, unit} where a clause asks for one."""

    organisation: str
    title: str
    kind: str
    file: DocumentFile
    issuer: str = ""
    issued_s: int | None = None
    valid_until_s: int | None = None
    note: str = ""
    valid_from_s: int | None = None
    about: tuple[Mapping[str, str], ...] = ()
    statement: str = ""
    figure: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        until_s = self.valid_until_s
        for said, begin_s in (("it was issued", self.issued_s), ("it begins", self.valid_from_s)):
            if begin_s is not None and until_s is not None and until_s <= begin_s:
                raise InvalidInput(f"the document is valid until before {said}")

    def to_json(self) -> dict[str, Any]:
        return {
            "organisation": self.organisation,
            "title": self.title,
            "kind": self.kind,
            "issuer": self.issuer,
            "file": self.file.to_json(),
            "issued": _instant(self.issued_s),
            "valid_from": _instant(self.valid_from_s),
            "valid_until": _instant(self.valid_until_s),
            "about": [dict(one) for one in self.about],
            "statement": self.statement,
            "figure": dict(self.figure),
            "note": self.note,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Document:
        """Raises InvalidInput for missing, unknown or wrong members."""
        value = {**_DEFAULTS, **value}
        e.check_members(value, MEMBERS)
        e.check_members(value["file"], FILE)
        return cls(
            organisation=value["organisation"],
            title=value["title"],
            kind=value["kind"],
            issuer=value["issuer"],
            file=DocumentFile(**value["file"]),
            issued_s=parse_instant(value["issued"]) if value["issued"] else None,
            valid_until_s=parse_instant(value["valid_until"]) if value["valid_until"] else None,
            note=value["note"],
            valid_from_s=parse_instant(value["valid_from"]) if value["valid_from"] else None,
            about=tuple(value["about"]),
            statement=value["statement"],
            figure=value["figure"],
        )


def _instant(at_s: int | None) -> str:
    return "" if at_s is None else format_instant(at_s)
