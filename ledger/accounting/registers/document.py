"""Documents: what a figure or an answer can be checked against, by the hash of its file. Pure.

Content of the register `document` (docs/accounting.md). The file itself stays with who has it:
whoever is given it can compare its hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.accounting.factors.members import SLUG
from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.units import format_instant, parse_instant

REGISTER: Final = "document"


_FILE: Final[Mapping[str, Member]] = {
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
_MEMBERS: Final[Mapping[str, Member]] = {
    "organisation": Member(
        expected='a party id, or ""', check=lambda value: value == "" or e.PARTY.check(value)
    ),
    "title": e.NAME,
    "kind": SLUG,
    "issuer": Member(expected="up to 200 characters", check=e.REASON_OR_NONE.check),
    "file": Member(expected="an object", check=lambda value: isinstance(value, dict)),
    "issued": e.INSTANT_OR_NONE,
    "valid_until": e.INSTANT_OR_NONE,
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
    verification. `issued_s`, `valid_until_s`: None where it does not say."""

    organisation: str
    title: str
    kind: str
    file: DocumentFile
    issuer: str = ""
    issued_s: int | None = None
    valid_until_s: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        issued_s, until_s = self.issued_s, self.valid_until_s
        if issued_s is not None and until_s is not None and until_s <= issued_s:
            raise InvalidInput("the document is valid until before it was issued")

    def to_json(self) -> dict[str, Any]:
        return {
            "organisation": self.organisation,
            "title": self.title,
            "kind": self.kind,
            "issuer": self.issuer,
            "file": self.file.to_json(),
            "issued": _instant(self.issued_s),
            "valid_until": _instant(self.valid_until_s),
            "note": self.note,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Document:
        """Raises InvalidInput for missing, unknown or wrong members."""
        e.check_members(value, _MEMBERS)
        e.check_members(value["file"], _FILE)
        return cls(
            organisation=value["organisation"],
            title=value["title"],
            kind=value["kind"],
            issuer=value["issuer"],
            file=DocumentFile(**value["file"]),
            issued_s=parse_instant(value["issued"]) if value["issued"] else None,
            valid_until_s=parse_instant(value["valid_until"]) if value["valid_until"] else None,
            note=value["note"],
        )


def _instant(at_s: int | None) -> str:
    return "" if at_s is None else format_instant(at_s)
