"""Sets as people write them: TOML, or CSV with one factor in a row; and those that came with us.

In TOML, factors stand alone (`[[factors]]`) or in groups (`[[groups]]`): what a group's factors
share is said once, and `by_region`, `by_year` or `by_item` gives the value of each. What is left
out is empty: a region, a year, a standard, dates, parts. The set's source and status are those of
factors that give none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from ledger import files
from ledger.accounting.factors import units
from ledger.accounting.factors.model import REGISTER, FactorSet, at
from ledger.errors import InvalidInput, NotFound

SHIPPED: Final = Path(__file__).parents[1] / "factor_sets"
_ABSENT: Final[Mapping[str, Any]] = {
    "region": "",
    "year": 0,
    "gas": "",
    "standard": "",
    "from": "",
    "to": "",
}
_GROUPED: Final[Mapping[str, str]] = {"by_region": "region", "by_year": "year", "by_item": "item"}
_TEXT_BYTES_MAX: Final = 4_000_000
_COLUMNS: Final = (
    "item",
    "region",
    "year",
    "unit",
    "gas",
    "covers",
    "value",
    "standard",
    "source",
    "status",
    "from",
    "to",
)
_REQUIRED: Final = ("item", "unit", "value")


def shipped_sets() -> list[str]:
    return sorted(file.stem for file in SHIPPED.glob("*.toml"))


def shipped(name: str) -> FactorSet:
    """A set that came with the program. Raises NotFound."""
    if name not in shipped_sets():
        raise NotFound(
            f"no set of factors {name!r} came with the program; there is:"
            f" {', '.join(shipped_sets())}"
        )
    file = SHIPPED / f"{name}.toml"
    return parse_toml(file.read_text(encoding="utf-8"), file.name)


def parse_toml(text: str, where: str) -> FactorSet:
    """Raises InvalidInput."""
    value = files.parse_toml(text, where)
    return at(where, lambda: _from_toml(value))


def _from_toml(value: dict[str, Any]) -> FactorSet:
    groups = value.pop("groups", [])
    alone = value.pop("factors", [])
    for name, found in (("groups", groups), ("factors", alone)):
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise InvalidInput(f"{name} is an array of tables: write [[{name}]]")
    written = [
        *alone,
        *(
            one
            for place, group in enumerate(groups)
            for one in at(f"groups[{place}]", partial(_spread, group))
        ),
    ]
    return _set_of(value, written)


def _spread(group: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The factors of a group."""
    ways = [name for name in _GROUPED if name in group]
    if len(ways) != 1 or not isinstance(group[ways[0]], dict):
        raise InvalidInput(f"a group has one table of values: {' or '.join(_GROUPED)}")
    shared = {name: one for name, one in group.items() if name != ways[0]}
    member = _GROUPED[ways[0]]
    return [
        {**shared, member: _year(key) if member == "year" else key, "value": found}
        for key, found in group[ways[0]].items()
    ]


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise InvalidInput(f"{text!r} is no year such as 2023")
    return int(text)


def _set_of(head: Mapping[str, Any], written: Iterable[Mapping[str, Any]]) -> FactorSet:
    """A set, with what was left out filled in, its factors in order."""
    factors = []
    for one in written:
        full = {**_ABSENT, "source": head.get("source"), "status": head.get("status"), **one}
        full.setdefault("covers", [full["gas"]] if full["gas"] else [])
        full.setdefault("parts", {})
        if isinstance(full.get("unit"), str):
            full["unit"] = units.normal(full["unit"])
        factors.append(full)
    factors.sort(key=_order)
    return FactorSet.from_json({"series": [], **head, "factors": factors})


def _order(one: Mapping[str, Any]) -> tuple[str, str, int, str, str, str]:
    """As the model orders them; what is of a wrong kind is found there."""
    year = one["year"] if isinstance(one["year"], int) else 0
    names = [str(one.get(name, "")) for name in ("item", "region", "standard", "gas", "from")]
    return (names[0], names[1], year, *names[2:])  # type: ignore[return-value]


def parse_csv(data: bytes, where: str, *, head: Mapping[str, Any]) -> FactorSet:
    """One factor in a row, named by the header; `covers` with spaces between gases. `head`: title,
    source and status of the set. Raises InvalidInput with the row."""
    rows = csv_rows(data, where, required=_REQUIRED, known=_COLUMNS)
    written = [at(f"{where}, row {number}", partial(_of_row, row)) for number, row in rows]
    return at(where, lambda: _set_of(head, written))


def _of_row(row: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: text for name, text in row.items() if text}
    if "year" in found:
        found["year"] = _year(found["year"])
    if "covers" in found:
        found["covers"] = found["covers"].split()
    return found


def csv_rows(
    data: bytes, where: str, *, required: Sequence[str], known: Sequence[str]
) -> list[tuple[int, dict[str, str]]]:
    """(row, {column: text}) of a CSV file; the header is row 1. Raises InvalidInput."""
    if len(data) > _TEXT_BYTES_MAX:
        raise InvalidInput(
            f"{where}: it has {len(data):,} bytes; {_TEXT_BYTES_MAX:,} is the most for {REGISTER}"
        )
    try:
        text = data.decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{where}: not a CSV file in UTF-8: {error}") from error
    if not table:
        raise InvalidInput(f"{where}: it is empty")
    header = [name.strip() for name in table[0]]
    missing = [name for name in required if name not in header]
    unknown = [name for name in header if name not in known]
    if missing or unknown or len(set(header)) != len(header):
        wrong = f"misses {missing[0]!r}" if missing else f"has {unknown[:1] or 'a column twice'}"
        raise InvalidInput(f"{where}: the header {wrong}; columns are {', '.join(known)}")
    found = []
    for number, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InvalidInput(
                f"{where}, row {number}: it has {len(cells)} cells, the header {len(header)}"
            )
        found.append((number, {n: cell.strip() for n, cell in zip(header, cells, strict=True)}))
    return found
