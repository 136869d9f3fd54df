"""Options that many commands share, and the ledger that they open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.house import House
from ledger.settings import Settings

Dir = Annotated[
    Path | None,
    typer.Option("--dir", help="Data directory.", envvar="GREENLEDGER_DIR", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Author = Annotated[str, typer.Option("--author", help="Party that signs (default: the operator).")]


def settings_of(directory: Path | None) -> Settings:
    return Settings() if directory is None else Settings(dir=directory)


def open_house(directory: Path | None) -> House:
    return House.open(settings_of(directory))
