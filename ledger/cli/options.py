"""Options that many commands share, and the ledger that they open."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.log.notes import SigningKey, parse_skey
from ledger.settings import Settings
from ledger.units import parse_zone

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help="Data directory (default: GREENLEDGER_DIR, or greenledger-data)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def park_instant(text: str, zone: str) -> int:
    """Unix seconds of a date or time; park time where no offset is given. Raises InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no date or time such as 2026-01-01T12:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=parse_zone(zone))
    return int(moment.timestamp())


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
