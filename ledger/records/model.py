"""Registers, the names in them, and what a record may hold (docs/formats.md §4.15). Pure.

A register says what a record is about; what stands in it is checked by the room whose register it
is. Names of public registers speak; those of private ones are random, since names are in the log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.bodies import JSON_NESTING_MAX
from ledger.log.entry import INTEGER_MAX, Member

FACTORS: Final = "factors"
REGIME: Final = "regime"
STANDARD: Final = "standard"
ACTIVITY: Final = "activity"
DOCUMENT: Final = "document"
PRODUCT: Final = "product"
# What anybody may read; the others are their author's and the operator's.
PUBLIC: Final = (FACTORS, REGIME, STANDARD)
PRIVATE: Final = (ACTIVITY, DOCUMENT, PRODUCT)
REGISTERS: Final = (*PUBLIC, *PRIVATE)
BODY_BYTES_MAX: Final = 4 * 1024 * 1024

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
SLUG: Final = Member(
    expected="1–64 characters of a-z 0-9 -, beginning with a letter or digit",
    check=lambda value: isinstance(value, str) and _SLUG.fullmatch(value) is not None,
)


def require_name(register: str, name: str) -> None:
    """Raises InvalidInput where a name does not fit its register."""
    if register in PRIVATE and not e.ID.check(name):
        raise InvalidInput(
            f"name {name[:80]!r} is public, and what {register} is about is not: take"
            f" {e.ID.expected}, at random"
        )


def require_plain(value: Any, where: str, nesting_left: int = JSON_NESTING_MAX) -> None:
    """Raises InvalidInput for what a body can't hold, and says where it stands: a person's file
    may have decimals, dates and true."""
    kind = type(value)
    if kind is dict or kind is list:
        if not nesting_left:
            raise InvalidInput(f"{where} is nested deeper than {JSON_NESTING_MAX}")
        for name, one in value.items() if kind is dict else enumerate(value):
            require_plain(one, f"{where}.{name}" if where else str(name), nesting_left - 1)
    elif kind is int:
        if abs(value) > INTEGER_MAX:
            raise InvalidInput(f"{where} is {str(value)[:30]}, beyond ±(2^53-1); write it as text")
    elif kind is not str:
        raise InvalidInput(
            f"{where} is {value}; a record holds integers and text: decimals, times, yes and no are"
            f' written as text, "{value}"'
        )


def named(register: str, name: str, content: Mapping[str, Any]) -> None:
    """Raises InvalidInput for what can be no record."""
    if register not in REGISTERS:
        raise InvalidInput(f"register {register!r} is none; there are {', '.join(REGISTERS)}")
    if not SLUG.check(name):
        raise InvalidInput(f"name is {name[:80]!r}, not {SLUG.expected}")
    require_name(register, name)
    require_plain(dict(content), "")
