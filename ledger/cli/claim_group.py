"""The group `claim`, put together from the modules of its commands."""

from __future__ import annotations

import typer

from ledger.cli import claim_status, claims, evidence

claim_status.add_to(claims.claim)
evidence.add_to(claims.claim)


def add_to(app: typer.Typer) -> None:
    claims.add_to(app)
