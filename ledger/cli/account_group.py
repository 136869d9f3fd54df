"""The group `account`, put together from the modules of its commands."""

from __future__ import annotations

import typer

from ledger.cli import accounts, api_keys

api_keys.add_to(accounts.account)


def add_to(app: typer.Typer) -> None:
    accounts.add_to(app)
