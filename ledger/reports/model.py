"""What a report is: its kinds, how it is computed, and how it is written (docs/formats.md §4.16).

A report says what was asked (`about`), of which log size (`as_of`), what came out (`result`), and
what differs from the version before, and why (`changes`). Its bytes are one way to write that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from ledger.log import entry as e
from ledger.log.bodies import JSON_NESTING_MAX, json_media
from ledger.log.entry import Member, parse_json
from ledger.log.store import LogFacts

NAME: Final = "report"
MEDIA: Final = json_media(NAME)
BODY_BYTES_MAX: Final = 16 * 1024 * 1024
INVENTORY: Final = "inventory"
BALANCE: Final = "balance"
SCORECARD: Final = "scorecard"
FOOTPRINT: Final = "footprint"
DISCLOSURE: Final = "disclosure"
KINDS: Final = (INVENTORY, BALANCE, SCORECARD, FOOTPRINT, DISCLOSURE)
# These name no subject: they tell of all members.
OF_PARK: Final = (BALANCE, SCORECARD)

# (conn, log, about, as_of) → result: a function of what stands in the log below `as_of`, and of
# nothing else. `result["inputs"]`: all entries that it rests on, as `inputs.inputs_of` lists them.
# Raises InvalidInput or Refused where it can't be computed, Erased where readings are gone.
Compute = Callable[[Connection, LogFacts, Mapping[str, Any], int], dict[str, Any]]

_OBJECT: Final = Member(expected="an object", check=lambda value: isinstance(value, dict))
CONTENT: Final[Mapping[str, Member]] = {
    "kind": e.one_of(*KINDS),
    "as_of": e.COUNT,
    "about": _OBJECT,
    "result": _OBJECT,
    "changes": _OBJECT,
}


def encode(content: Mapping[str, Any]) -> bytes:
    """The bytes of a report: JSON with sorted members and no blanks, in UTF-8."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value as it reads once it was written. Raises InvalidInput for what a body can't hold."""
    found = parse_json(encode(value).decode(), nesting_max=JSON_NESTING_MAX)
    assert isinstance(found, dict)
    return found
