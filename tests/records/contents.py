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


def a_document(organisation: str, title: str) -> dict[str, Any]:
    """Of the register `document`, which is private."""
    return {
        "organisation": organisation,
        "title": title,
        "kind": "certificate",
        "issuer": "Office 机关",
        "file": {
            "name": "licence.pdf",
            "sha256": "ab" * 32,
            "size": 7,
            "media": "application/pdf",
        },
        "issued": "2026-01-01T00:00:00Z",
        "valid_until": "",
        "note": "",
    }
