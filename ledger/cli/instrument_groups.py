"""The groups `certificate` and `credit`, put together from the modules of their commands."""

from __future__ import annotations

import typer

from ledger.cli import (
    certificates,
    instruments,
    issuing,
    moves,
    reductions,
    statements,
    traces,
    units,
)

for group in instruments.GROUPS:
    units.add_to(group)
    issuing.add_to(group)
    moves.add_to(group)
    traces.add_to(group)
    statements.add_to(group)
certificates.add_to(instruments.certificate)
reductions.add_to(instruments.credit)


def add_to(app: typer.Typer) -> None:
    instruments.add_to(app)
