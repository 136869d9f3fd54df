"""Standards that came with the program, and those that the log has.

The former are only what a log begins with: a published scorecard goes by the record of register
`standard` that was in force at its log size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ledger import files
from ledger.errors import InvalidInput, NotFound
from ledger.scorecard.standard import Standard

_SHIPPED: Final = Path(__file__).parent / "standards"
# What a person may leave out in TOML.
_THRESHOLD_DEFAULTS: Final = {"from": "", "to": "", "source": "", "status": ""}
_CLAUSE_DEFAULTS: Final[Mapping[str, Any]] = {
    "part": "",
    "figure": "",
    "thresholds": [],
    "applies": [],
}


def with_defaults(value: Mapping[str, Any]) -> dict[str, Any]:
    """What a person wrote, with the members that TOML may leave out."""
    found = {"issued": "", "sections": [], "notes": [], **value}
    clauses = found.get("clauses")
    if isinstance(clauses, list):
        found["clauses"] = [
            _clause_with_defaults(one) if isinstance(one, dict) else one for one in clauses
        ]
    return found


def _clause_with_defaults(value: Mapping[str, Any]) -> dict[str, Any]:
    found = {**_CLAUSE_DEFAULTS, **value}
    if isinstance(found["thresholds"], list):
        found["thresholds"] = [
            {**_THRESHOLD_DEFAULTS, **one} if isinstance(one, dict) else one
            for one in found["thresholds"]
        ]
    return found


def shipped_standards() -> list[str]:
    return sorted(file.stem for file in _SHIPPED.glob("*.toml"))


def shipped(name: str) -> Standard:
    """One that came with the program. Raises NotFound."""
    if name not in shipped_standards():
        known = ", ".join(shipped_standards())
        raise NotFound(f"no standard {name!r} comes with the program; known are {known}")
    return parse_toml((_SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")


def parse_toml(text: str, where: str) -> Standard:
    """A standard as a person writes it. Raises InvalidInput."""
    value = files.parse_toml(text, where)
    try:
        return Standard.from_json(with_defaults(value))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error
