"""`anchors.toml`: which witnesses and authorities the log asks, and by which keys it knows them.

quorum = 1                            # witnesses whose cosignature is enough

[[witness]]
vkey = "witness.example/w1+0a1b2c3d+BA…"
url = "https://witness.example"       # its submission prefix
audits = true                         # it cosigns only after checking each entry

[[authority]]
name = "tsa-1"
url = "https://tsa.example/tsr"
certificates = "tsa-1.pem"            # roots: a file beside this one, or PEM text
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509

from ledger.anchors.cosigner import CosignerKey, parse_cosigner
from ledger.errors import InvalidInput
from ledger.files import read_regular

_BYTES_MAX: Final = 1_000_000
_AUTHORITY: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}", re.ASCII)
_PEM: Final = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness that is asked at `url`/add-checkpoint. `audits`: it checks each entry first."""

    key: CosignerKey
    url: str
    audits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A time-stamping authority. `roots`: PEM text of the certificates that it has to lead to."""

    name: str
    url: str
    roots: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """Whom the log asks. `quorum`: how many witnesses are enough."""

    witnesses: tuple[Witness, ...] = ()
    authorities: tuple[Authority, ...] = ()
    quorum: int = 0

    @property
    def everybody(self) -> tuple[Authority | Witness, ...]:
        return (*self.authorities, *self.witnesses)


NOBODY: Final = Anchors()


def load(path: Path | None) -> Anchors:
    """The anchors of a file; nobody where there is no file to read. Raises InvalidInput."""
    if path is None:
        return NOBODY
    data = read_regular(path, _BYTES_MAX)
    if data is None:
        raise InvalidInput(f"{path}: there is no such file")
    try:
        return _anchors(tomllib.loads(data.decode()), path.parent)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: not TOML: {error}") from error
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error


def _anchors(found: Mapping[str, Any], folder: Path) -> Anchors:
    _only(found, "the file", {"quorum", "witness", "authority"})
    witnesses = tuple(_witness(row, f"witness {number}") for number, row in _rows(found, "witness"))
    authorities = tuple(
        _authority(row, f"authority {number}", folder) for number, row in _rows(found, "authority")
    )
    _distinct([one.key.label for one in witnesses])
    _distinct([one.name for one in authorities])
    quorum = found.get("quorum", 0)
    if type(quorum) is not int or not 0 <= quorum <= len({one.key.name for one in witnesses}):
        raise InvalidInput(
            f"quorum is 0 to the number of witnesses ({len(witnesses)}), not {quorum!r}"
        )
    return Anchors(witnesses=witnesses, authorities=authorities, quorum=quorum)


def _rows(found: Mapping[str, Any], name: str) -> list[tuple[int, Mapping[str, Any]]]:
    rows = found.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput(f"{name}: each begins with a line [[{name}]]")
    return list(enumerate(rows, 1))


def _witness(row: Mapping[str, Any], where: str) -> Witness:
    _only(row, where, {"vkey", "url", "audits"})
    audits = row.get("audits", False)
    if not isinstance(audits, bool):
        raise InvalidInput(f"{where}: audits is true or false")
    try:
        key = parse_cosigner(_text(row, "vkey", where))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error
    return Witness(key=key, url=_url(row, where), audits=audits)


def _authority(row: Mapping[str, Any], where: str, folder: Path) -> Authority:
    _only(row, where, {"name", "url", "certificates"})
    name = _text(row, "name", where)
    if not _AUTHORITY.fullmatch(name):
        raise InvalidInput(f"{where}: a name is 1 to 64 of a-z 0-9 . - and not {name[:80]!r}")
    return Authority(name=name, url=_url(row, where), roots=_roots(row, where, folder))


def _roots(row: Mapping[str, Any], where: str, folder: Path) -> str:
    """PEM text, normalised, so that one set of roots is one text."""
    text = _text(row, "certificates", where)
    if _PEM not in text:
        data = read_regular(folder / text, _BYTES_MAX)
        if data is None:
            raise InvalidInput(f"{where}: certificates: there is no file {folder / text}")
        text = data.decode(errors="replace")
    try:
        return to_pem(x509.load_pem_x509_certificates(text.encode()))
    except ValueError as error:
        raise InvalidInput(f"{where}: certificates: not certificates in PEM: {error}") from error


def to_pem(certificates: list[x509.Certificate]) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def _url(row: Mapping[str, Any], where: str) -> str:
    url = _text(row, "url", where)
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidInput(f"{where}: url is http://… or https://…")
    return url.rstrip("/")


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    found = row.get(name)
    if not isinstance(found, str) or not found:
        raise InvalidInput(f"{where}: {name} is missing, or no text")
    return found


def _only(row: Mapping[str, Any], where: str, known: set[str]) -> None:
    unknown = sorted(row.keys() - known)
    if unknown:
        raise InvalidInput(
            f"{where}: {', '.join(unknown)} is unknown; known are {', '.join(sorted(known))}"
        )


def _distinct(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"{twice[0]} is there twice")
