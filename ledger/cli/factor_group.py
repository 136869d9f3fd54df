"""The group `factor`, put together from the modules of its commands."""

from __future__ import annotations

import typer

from ledger.cli import factor_publishing, factors

factor_publishing.add_to(factors.factor)


def add_to(app: typer.Typer) -> None:
    factors.add_to(app)
