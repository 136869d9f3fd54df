"""The table of operations in docs/api*.md, from the code: `python -m tests.docs.operations`."""

from __future__ import annotations

from typing import Any

from api.app import BASE, create_app
from ledger.access.roles import READERS, Role
from ledger.access.table import RULES, Rule
from ledger.house import House

VERBS = ("GET", "PUT", "POST", "DELETE")


def who_may(rule: Rule) -> str:
    """The cell that says it: reach, roles in the order of docs/access.md, and by whom."""
    roles = ["readers"] if rule.roles >= READERS else []
    roles += [str(role) for role in Role if role in rule.roles - (READERS if roles else set())]
    words = [str(rule.reach), *roles, *(["person"] if rule.by_person else [])]
    return " ".join(f"`{word}`" for word in words)


def operations(document: dict[str, Any]) -> list[list[str]]:
    """Rows of the table: operation, verb and path below the base, who may."""
    found = {
        operation["operationId"]: f"`{verb.upper()} {path.removeprefix(BASE)}`"
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    }
    return [[f"`{name}`", found[name], who_may(rule)] for name, rule in RULES.items()]


def document(house: House) -> dict[str, Any]:
    """The OpenAPI document."""
    return create_app(house).openapi()


if __name__ == "__main__":
    import tempfile
    from pathlib import Path

    from ledger.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        house = House.init(Settings(dir=Path(folder) / "d"), origin="table.example", name="Table")
        for row in operations(document(house)):
            print(f"| {' | '.join(row)} |")
        house.engine.dispose()
