"""Alarms: what is wrong with a log, since when, and which of them never end.

The file `alarms.json` of a state directory holds those that stand. A fork and a rollback stay for
ever: showing the honest log again does not undo them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from ledger import files
from ledger.errors import Corrupt

# docs/monitor.md says what each means.
Kind = Literal[
    "fork",
    "rollback",
    "signature",
    "rule",
    "gap",
    "tile",
    "stale",
    "witnesses",
    "unreachable",
]
FOR_EVER: Final = frozenset({"fork", "rollback"})
_BYTES_MAX: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`what`: the thing that is wrong (an entry, a file, a source), the same at each visit;
    `message`: for people; `since_s`: when it was first seen, by our clock."""

    kind: Kind
    what: str
    message: str
    since_s: int

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.what


def read_alarms(folder: Path) -> list[Alarm]:
    """Those that stood at the last visit. Raises Corrupt."""
    path = folder / "alarms.json"
    data = files.read_regular(path, _BYTES_MAX)
    if data is None:
        return []
    try:
        return [_read(one) for one in json.loads(data)]
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"{path} is broken: {error}") from error


def _read(members: dict[str, object]) -> Alarm:
    kind, what, message, since_s = (
        members[name] for name in ("kind", "what", "message", "since_s")
    )
    if kind not in get_args(Kind) or type(since_s) is not int:
        raise ValueError("it holds what is no alarm")
    return Alarm(kind=cast("Kind", kind), what=str(what), message=str(message), since_s=since_s)


def write_alarms(folder: Path, alarms: Iterable[Alarm]) -> None:
    """On disk when this returns."""
    data = json.dumps([asdict(one) for one in alarms], ensure_ascii=False, indent=1)
    files.replace(folder / "alarms.json", data.encode() + b"\n")


class Alarms:
    """The alarms of one visit: those that last, and those that it finds."""

    def __init__(self, folder: Path, now_s: int) -> None:
        self._folder = folder
        self._now_s = now_s
        self.before = {one.key: one for one in read_alarms(folder)}
        self._found = {key: one for key, one in self.before.items() if one.kind in FOR_EVER}

    def add(self, kind: Kind, what: str, message: str) -> None:
        earlier = self.before.get((kind, what)) or self._found.get((kind, what))
        if earlier and kind in FOR_EVER:
            return
        since_s = earlier.since_s if earlier else self._now_s
        self._found[kind, what] = Alarm(kind=kind, what=what, message=message, since_s=since_s)

    def keep(self, *kinds: Kind, only: Collection[str] | None = None) -> None:
        """Those of before whose cause this visit could not look at (`only` these, if given)."""
        for key, one in self.before.items():
            if one.kind in kinds and (only is None or one.what in only):
                self._found.setdefault(key, one)

    @property
    def found(self) -> list[Alarm]:
        return sorted(self._found.values(), key=lambda one: (one.since_s, one.key))

    def save(self, *, also: Iterable[Alarm] = ()) -> None:
        """What stands now, and `also`; where nothing is new, nothing is written."""
        standing = {**{one.key: one for one in also}, **self._found}
        if standing != self.before:
            write_alarms(self._folder, standing.values())
