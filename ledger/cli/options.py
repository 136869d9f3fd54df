"""Options that many commands share, and the ledger that they open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from ledger.cli.json_option import Json
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.log.notes import SigningKey, parse_skey
from ledger.lots.model import Month, parse_month
from ledger.settings import Settings
from ledger.units import parse_zone, zone_offset_s

__all__ = [
    "ID_DIGITS",
    "PREFIX_MIN",
    "Dir",
    "HeldKey",
    "Json",
    "id_span",
    "one_of_id",
    "open_house",
    "park_instant",
    "park_month",
    "read_key",
    "settings_of",
]

PREFIX_MIN: Final = 4
ID_DIGITS: Final = 32
Named = TypeVar("Named")

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help="Data directory (default: GREENLEDGER_DIR, or greenledger-data)."),
]


HeldKey = Annotated[
    Path | None, typer.Option("--key", help="Private key file of a party that holds its own key.")
]


def id_span(text: str, what: str) -> tuple[bytes, bytes]:
    """The first and the last id of 16 bytes that begins so. Raises InvalidInput."""
    if not re.fullmatch(f"[0-9a-fA-F]{{{PREFIX_MIN},{ID_DIGITS}}}", text):
        raise InvalidInput(
            f"{text!r} is no id of a {what}: {ID_DIGITS} hex digits, or {PREFIX_MIN} and more of"
            " its beginning"
        )
    first, last = (text.ljust(ID_DIGITS, digit) for digit in "0f")
    return bytes.fromhex(first), bytes.fromhex(last)


def one_of_id(found: Sequence[Named], text: str, what: str, where: str) -> Named:
    """The only one that was found. Raises NotFound or InvalidInput; `where`: what lists them."""
    if not found:
        raise NotFound(f"no {what} begins with {text!r}; see: {where}")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} {what}s begin with {text!r}: give more of the id")
    return found[0]


def park_instant(text: str, zone: str) -> int:
    """Unix seconds of a date or time; park time where no offset is given. Raises InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no date or time such as 2026-01-01T12:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=parse_zone(zone))
    return int(moment.timestamp())


def park_month(text: str, zone: str) -> Month:
    """`2026-01`, a calendar month of park time. Raises InvalidInput."""
    return parse_month(text, zone_offset_s(parse_zone(zone)))


def read_key(path: Path) -> SigningKey:
    """A private key that its owner holds, from a file. Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    return parse_skey(path.read_text(encoding="utf-8"))


def settings_of(directory: Path | None) -> Settings:
    """A directory that is given wins over a database that the environment names."""
    return Settings() if directory is None else Settings(dir=directory, database_url="")


def open_house(directory: Path | None) -> House:
    return House.open(settings_of(directory))
