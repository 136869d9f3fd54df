"""Contents that the rooms above take, for tests of records as such: one for each register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.accounting.factors.sets import factor, set_json


def a_set(value: int) -> dict[str, Any]:
    """Of the register `factors`: a set with one factor."""
    return set_json(factor(str(value)))


def value_of(content: Mapping[str, Any]) -> int | None:
    """What `a_set` was given; None of an end, which has no content."""
    return int(content["factors"][0]["value"]) if content else None
