"""Reading entries on lots, claims and units quickly, for the scan: the members that its rules ask
for.

What is not plainly in order here (another form, a member twice, an escape) is left to
``parse_entry``, which says what is wrong. Signatures and other members are not looked at: an entry
counts whether or not they are good.
"""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from greenledger_verify.unitforms import ACTS, RETIRE, counts_fit

_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_IDS = re.compile(r"(?:(?!0{32})[0-9a-f]{32},)*")
_ORIGINS = re.compile(r"(?:[0-9a-f]{32}/[0-9]{4}-[01][0-9]/[0-9]{1,15},)*")
_WORD = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LOG = re.compile(r"[a-z0-9][a-z0-9./-]{0,127}")
_OR_EMPTY = re.compile(r"(?:[0-9a-f]{32})?")
_RANDOM_IDS = re.compile(r"(?:[0-9a-f]{32},)*")
_BATCHES = re.compile(r"(?:[A-Za-z0-9._-]{1,64}/(?:0|[1-9][0-9]{0,5}),)+")
_PROJECT = re.compile(r"[A-Za-z0-9._-]{1,64}")

_COMMON: Final = {"log": _LOG, "author": _WORD}
_TEXTS: Final[dict[str, dict[str, re.Pattern[str]]]] = {
    "lot.divide": _COMMON | {"run": _HASH},
    "lot.wrap": _COMMON | {"form": _WORD},
    "claim.make": _COMMON | {"claim": _ID, "replaces": _OR_EMPTY},
    "claim.withdraw": _COMMON | {"claim": _ID},
    "claim.flag": _COMMON | {"claim": _ID, "state": re.compile("short|cured")},
    "point.register": _COMMON | {"point": _ID},
    "scheme.register": _COMMON | {"id": _ID, "scheme": _WORD, "replaces": _OR_EMPTY},
    "project.register": _COMMON
    | {"id": _ID, "scheme": _WORD, "project": _PROJECT, "replaces": _OR_EMPTY},
    "unit.issue": _COMMON | {"scheme": _WORD, "state": re.compile("active|frozen")},
    "unit.move": _COMMON | {"act": re.compile("|".join(ACTS)), "retirement": _OR_EMPTY},
    "unit.disclose": _COMMON | {"retirement": _ID},
    "reduction.record": _COMMON | {"record": _ID},
    "reduction.verify": _COMMON | {"record": _ID},
}
_LISTS: Final[dict[str, dict[str, re.Pattern[str]]]] = {
    "lot.divide": {"origins": _ORIGINS, "spends": _IDS, "creates": _IDS},
    "lot.wrap": {"wraps": _IDS},
    "claim.make": {"spends": _IDS, "retires": _RANDOM_IDS},
    "unit.issue": {"batches": _BATCHES, "spends": _IDS, "wraps": _IDS, "begins": _RANDOM_IDS},
    "unit.move": {"ends": _RANDOM_IDS, "begins": _RANDOM_IDS},
}


@dataclass(frozen=True, slots=True)
class QuickEntry:
    """The statement of an entry, of which only what the scan asks for was judged."""

    type: str
    statement: dict[str, Any]

    @property
    def author(self) -> str:
        return self.text("author")

    def text(self, member: str) -> str:
        value: str = self.statement[member]
        return value

    def texts(self, member: str) -> list[str]:
        value: list[str] = self.statement[member]
        return value


def read_quickly(raw: bytes) -> QuickEntry | None:
    """None where anything is out of the ordinary."""
    line = raw.partition(b"\n")[0]
    if b"\\" in line:
        return None
    try:
        statement = json.loads(line.decode(), object_pairs_hook=_members_once)
    except (ValueError, RecursionError):
        return None
    kind = statement.get("type") if isinstance(statement, dict) else None
    if not isinstance(kind, str) or kind not in _TEXTS:
        return None
    for name, form in _TEXTS[kind].items():
        value = statement.get(name)
        if not isinstance(value, str) or not form.fullmatch(value):
            return None
    for name, form in _LISTS.get(kind, {}).items():
        if not _is_list(statement.get(name), form):
            return None
    if not _comes_out(kind, statement):
        return None
    return QuickEntry(kind, statement)


def _comes_out(kind: str, statement: dict[str, Any]) -> bool:
    """What the rules of the scan ask of several members together."""
    if kind == "unit.issue":
        return set(statement["spends"]).isdisjoint(statement["wraps"])
    if kind != "unit.move":
        return True
    act, ends, begins = statement["act"], statement["ends"], statement["begins"]
    named = bool(statement["retirement"])
    return named == (act == RETIRE) and counts_fit(act, len(ends), len(begins))


def _is_list(value: object, form: re.Pattern[str]) -> bool:
    """Texts of one form, sorted, none twice."""
    if not isinstance(value, list):
        return False
    try:
        joined = ",".join([*value, ""])
    except TypeError:
        return False
    return (
        joined.count(",") == len(value)
        and form.fullmatch(joined) is not None
        and all(a < b for a, b in pairwise(value))
    )


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members
