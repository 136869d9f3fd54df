"""Strict reading of a TOML table: every key is asked for by name, and what is left is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.metering.importers.report import listed, nearest

_DECIMAL: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DURATION: Final = re.compile(r"(-?)([0-9]{1,6})(s|min|h|d)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


class Section:
    """One table of a profile. Each method raises InvalidInput that names file, table and key."""

    def __init__(self, content: Mapping[str, Any], *, path: str, where: str) -> None:
        self._content = content
        self._path = path
        self._where = where
        self._asked: list[str] = []

    def fails(self, key: str, why: str) -> InvalidInput:
        place = f"[{self._path}] " if self._path else ""
        return InvalidInput(f"{self._where}: {place}{key} {why}")

    def has(self, key: str) -> bool:
        self._asked.append(key)
        return key in self._content

    def _take(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        if key in self._content:
            return self._content[key]
        if default is None:
            raise self.fails(key, "is missing")
        return default

    def text(self, key: str, default: str | None = None, *, empty: bool = False) -> str:
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.fails(key, f"is {value!r}, but must be text in quotes")
        if not value and not empty and key in self._content:
            raise self.fails(key, "is empty")
        return value

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in options:
            raise self.fails(
                key, f"is {value!r}, but must be one of {listed(options)}{nearest(value, options)}"
            )
        return value

    def whole(self, key: str, default: int | None, *, least: int, most: int) -> int:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fails(key, f"is {value!r}, but must be a whole number")
        if key in self._content and not least <= value <= most:
            raise self.fails(key, f"is {value}, but must be {least} … {most}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.fails(key, f"is {value!r}, but must be true or false")
        return value

    def decimal(self, key: str, default: str) -> Fraction:
        """An exact decimal as text: a TOML float would already have lost what was written."""
        value = self.text(key, default)
        if not _DECIMAL.fullmatch(value):
            raise self.fails(key, f"is {value!r}, but must be a decimal such as '0.20'")
        return Fraction(value)

    def duration_s(self, key: str, default: str | None = None, *, signed: bool = False) -> int:
        value = self.text(key, default)
        found = _DURATION.fullmatch(value)
        if not found or (found[1] and not signed):
            raise self.fails(key, f"is {value!r}, but must be a time span such as '15min' or '1h'")
        return int(found[1] + found[2]) * _SECONDS[found[3]]

    def texts(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """One text or a list of texts."""
        value = self._take(key, default)
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
            raise self.fails(key, f"is {value!r}, but must be a list of texts in quotes")
        return tuple(value)

    def names(self, key: str) -> dict[str, str]:
        """A table of texts; none where it is left out."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise self.fails(key, "must be a table of texts in quotes")
        return dict(value)

    def section(self, key: str, *, required: bool = False) -> Section:
        value = self._take(key, None if required else {})
        if not isinstance(value, dict):
            raise self.fails(key, f"must be a table: [{self._inner(key)}]")
        return Section(value, path=self._inner(key), where=self._where)

    def sections(self, key: str) -> list[Section]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.fails(key, f"must be an array of tables: [[{self._inner(key)}]]")
        return [Section(each, path=self._inner(key), where=self._where) for each in value]

    def _inner(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def close(self) -> None:
        """All keys have been asked for: whatever else is there is a mistake."""
        for key in self._content:
            if key not in self._asked:
                hint = nearest(key, self._asked) or "."
                allowed = listed(dict.fromkeys(self._asked))
                raise self.fails(key, f"is not a key of this table{hint} Allowed here: {allowed}")
