"""Certificates that a registry has cancelled while they are held here, and how that is mended."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from ledger.house import House
from ledger.registry import acting
from ledger.registry.choosing import Selection
from ledger.registry.scheme import shipped
from ledger.registry.service import register_scheme
from ledger.statements.service import import_statement
from tests import units
from tests.statements.files import profile
from tests.statements.held import LISTED, listed


def gone_officially(house: House, owner: str) -> None:
    register_scheme(house.desk, shipped("gec"))
    units.issue(house, "GD-", 0, 5, owner=owner)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement.csv"
        path.write_text(listed("GD-000-004,cancelled,Mill Ltd"))
        import_statement(
            house.desk, path, profile(LISTED), profile_text=LISTED, as_of=date(2026, 2, 28)
        )


def settle_here(house: House, owner: str) -> None:
    """The operator takes them out here too."""
    selection = Selection(scheme="gec", serials=["GD-:0-5"])
    acting.finish(house.desk, "cancel", owner, selection, "cancelled by the registry")
