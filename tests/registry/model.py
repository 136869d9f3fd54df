"""The rules of the page on units once more, in plain dicts, one unit at a time.

Written from docs/formats.md §3.6, §4.1, §4.9 and the domain notes; it shares nothing with the
ledger. A month is (year, number), park time; the present is one too, at its first second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby

Key = tuple[str, str, int]  # scheme, code, number
Month = tuple[int, int]

ALL = ("active", "reserved", "locked", "frozen")
# Which states an act takes; what they become ("": the same); who does it.
ACTS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "transfer": (("active", "reserved"), "active", "owner"),
    "settle": (("active", "reserved", "locked"), "active", "operator"),
    "split": (ALL, "", "either"),
    "merge": (("active",), "active", "either"),
    "reserve": (("active",), "reserved", "owner"),
    "lock": (("active", "reserved"), "locked", "owner"),
    "freeze": (("active", "reserved", "locked"), "frozen", "operator"),
    "release": (("reserved", "locked", "frozen"), "active", "owner"),
    "retire": (("active", "reserved", "locked"), "", "owner"),
    "export": (("active", "reserved"), "", "owner"),
    "expire": (ALL, "", "operator"),
    "withdraw": (ALL, "", "operator"),
    "cancel": (ALL, "", "operator"),
}
GONE = ("retire", "export", "expire", "withdraw", "cancel")
NEEDS_VALID = ("transfer", "settle", "retire", "export")
# How often units of a class change hands, and how.
CLASSES = {
    "ordinary": (10**9, "transfer"),
    "self-use": (1, "transfer"),
    "green-trade": (1, "settle"),
    "non-tradable": (0, "transfer"),
    "credit": (9, "transfer"),
}
PURPOSES = {
    "gec": ("green-power", "voluntary", "consumption-obligation"),
    "reductions": ("voluntary", "ets-compliance"),
}


@dataclass(frozen=True)
class Unit:
    """`holding`: units that are cut apart have different ones. `project`: `""` for none."""

    class_: str
    owner: str
    state: str
    moves: int
    produced: Month
    project: str
    revision: int
    holding: int
    gone: str = ""


@dataclass
class Model:
    """`reduced`: months of the hill whose energy is in reductions. `crediting`: those for which its
    certificates freeze; None: not yet."""

    now: Month = (2026, 3)
    units: dict[Key, Unit] = field(default_factory=dict)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    reduced: set[Month] = field(default_factory=set)
    crediting: tuple[Month, ...] | None = None
    settled: set[tuple[str, Month]] = field(default_factory=set)
    holdings: int = 0

    # Facts

    def live(self) -> list[Key]:
        return sorted(key for key, unit in self.units.items() if not unit.gone)

    def over(self, key: Key) -> bool:
        """Whether a certificate's two years are over."""
        year, number = self.units[key].produced
        return key[0] == "gec" and (year + 2, number) <= self.now

    def holding_of(self, key: Key) -> list[Key]:
        number = self.units[key].holding
        return [one for one in self.live() if self.units[one].holding == number]

    def by(self, act: str, state: str) -> str:
        return "operator" if (act, state) == ("release", "frozen") else ACTS[act][2]

    def bound(self, key: Key) -> bool:
        """Whether a reduction project freezes a frozen unit."""
        unit = self.units[key]
        mine = unit.project == "P1" and unit.produced in (self.crediting or ())
        return key[0] == "gec" and unit.state == "frozen" and mine

    # Whether something may be

    def may(self, act: str, author: str, keys: Iterable[Key], to: str = "") -> bool:
        """Whether `author` may do this to some live units. `to`: who gets them."""
        units = {key: self.units[key] for key in keys}
        if len({unit.owner for unit in units.values()}) != 1:
            return False
        for key, unit in units.items():
            by = self.by(act, unit.state)
            allowed = {"owner": {unit.owner}, "operator": {"operator"}}.get(
                by, {unit.owner, "operator"}
            )
            if unit.state not in ACTS[act][0] or author not in allowed:
                return False
            if act in NEEDS_VALID and self.over(key):
                return False
            if act == "release" and self.bound(key):
                return False
            if act == "expire" and not self.over(key):
                return False
            if act in ("transfer", "settle"):
                most, how = CLASSES[unit.class_]
                if to == unit.owner or act != how or unit.moves >= most:
                    return False
        return True

    def may_retire(self, author: str, keys: list[Key], purpose: str, used: int) -> bool:
        """`used`: the year of consumption. From 2026 on certificates are of the same year."""
        if not self.may("retire", author, keys):
            return False
        scheme = keys[0][0]
        fits = scheme != "gec" or all(
            used < 2026 or self.units[key].produced[0] == used for key in keys
        )
        one_class = len({self.units[key].class_ for key in keys}) == 1
        return fits and one_class and purpose in PURPOSES[scheme]

    def may_issue(self, project: str, produced: Month, frozen: bool) -> bool:
        year, number = produced
        if produced >= self.now or (year + 2, number) <= self.now:
            return False
        if project != "P1":
            return True
        if produced in self.reduced:
            return False
        return frozen or produced not in (self.crediting or ())

    def may_reduce(self, produced: Month) -> bool:
        mine = [
            unit
            for key, unit in self.units.items()
            if key[0] == "gec" and unit.project == "P1" and unit.produced == produced
        ]
        past = produced < self.now
        return past and not any(unit.gone in ("", "retire", "export") for unit in mine)

    # What is done

    def _fresh(self) -> int:
        self.holdings += 1
        return self.holdings

    def issue(self, scheme: str, code: str, found: dict[int, Unit]) -> None:
        """`found`: by number; those of a class and owner that adjoin become a holding."""
        revision = self.revisions.get((scheme, code), 0)
        self.revisions[scheme, code] = revision + 1
        last = None
        for number, unit in sorted(found.items()):
            if last != (unit.class_, unit.owner):
                holding = self._fresh()
            last = unit.class_, unit.owner
            self.units[scheme, code, number] = replace(unit, revision=revision, holding=holding)

    def cut(self, keys: Iterable[Key]) -> None:
        """Holdings end where what is chosen does."""
        chosen = set(keys)
        for holding in {self.units[key].holding for key in chosen}:
            mine = [key for key in self.live() if self.units[key].holding == holding]
            for _, run in groupby(mine, lambda key: key in chosen):
                fresh = self._fresh()
                for key in run:
                    self.units[key] = replace(self.units[key], holding=fresh)

    def do(self, act: str, keys: Iterable[Key], to: str = "") -> None:
        chosen = list(keys)
        self.cut(chosen)
        for key in chosen:
            unit = self.units[key]
            if act in GONE:
                self.units[key] = replace(unit, gone=act)
                continue
            moved = act in ("transfer", "settle")
            self.units[key] = replace(
                unit,
                state=ACTS[act][1] or unit.state,
                owner=to if moved else unit.owner,
                moves=unit.moves + moved,
            )

    def merge(self, keys: list[Key]) -> int:
        """Joins what adjoins of the holdings of some units; returns how many runs there were."""
        touched = sorted({one for key in keys for one in self.holding_of(key)})
        runs: list[list[Key]] = []
        for key in touched:
            last = runs[-1][-1] if runs else None
            alike = last is not None and (
                (*last[:2], last[2] + 1) == key and self._kind(last) == self._kind(key)
            )
            if alike:
                runs[-1].append(key)
            else:
                runs.append([key])
        runs = [run for run in runs if len({self.units[key].holding for key in run}) > 1]
        for run in runs:
            fresh = self._fresh()
            for key in run:
                self.units[key] = replace(self.units[key], holding=fresh)
        return len(runs)

    def _kind(self, key: Key) -> tuple[int, str, int]:
        unit = self.units[key]
        return unit.revision, unit.class_, unit.moves

    def due(self) -> list[Key]:
        return [key for key in self.live() if self.over(key)]

    def to_freeze(self, months: Iterable[Month]) -> list[Key]:
        """Untraded certificates of the hill, of some months."""
        wanted = set(months)
        return [
            key
            for key in self.live()
            if key[0] == "gec"
            for unit in [self.units[key]]
            if unit.project == "P1" and unit.produced in wanted
            if not unit.moves and unit.state != "frozen"
        ]

    def ranges(self) -> set[tuple[str, str, int, int]]:
        """The holdings, as (scheme, code, first, end)."""
        mine: dict[int, list[Key]] = {}
        for key in self.live():
            mine.setdefault(self.units[key].holding, []).append(key)
        return {(*keys[0][:2], keys[0][2], keys[-1][2] + 1) for keys in mine.values()}
