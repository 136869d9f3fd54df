"""What differs between two versions of a set. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ledger.accounting.factors.model import Factor, FactorSeries, FactorSet

NEW: Final = "new"
GONE: Final = "gone"
CHANGED: Final = "changed"
Members = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A factor or series that is new, gone or changed. `members`: {name: (before, after)} of what
    differs; `intervals`: of a series, how many of both versions have another value."""

    said: str
    how: str
    members: Members
    intervals: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "factor": self.said,
            "how": self.how,
            "intervals": self.intervals,
            "members": {
                name: {"before": before, "after": after}
                for name, (before, after) in self.members.items()
            },
        }


def compare(before: FactorSet | None, after: FactorSet | None) -> list[Change]:
    """Factors in order, then series; None is a set that is not in force."""
    old = {} if before is None else {one.order: one for one in before.factors}
    new = {} if after is None else {one.order: one for one in after.factors}
    found = [
        change
        for key in sorted({*old, *new})
        if (change := _of_factor(old.get(key), new.get(key))) is not None
    ]
    was = {} if before is None else {(*one.key, one.start_s): one for one in before.series}
    now = {} if after is None else {(*one.key, one.start_s): one for one in after.series}
    found += [
        change
        for place in sorted({*was, *now})
        if (change := _of_series(was.get(place), now.get(place))) is not None
    ]
    return found


def _of_factor(before: Factor | None, after: Factor | None) -> Change | None:
    one = after or before
    assert one is not None
    said = f"{one.said}{f', {one.gas}' * bool(one.gas)}"
    if before is None or after is None:
        values = ("" if each is None else f"{each.value} {each.unit}" for each in (before, after))
        how = NEW if before is None else GONE
        return Change(said=said, how=how, members={"value": (next(values), next(values))})
    members = _differing(before.to_json(), after.to_json())
    return Change(said=said, how=CHANGED, members=members) if members else None


def _of_series(before: FactorSeries | None, after: FactorSeries | None) -> Change | None:
    if before is None or after is None:
        one = after or before
        assert one is not None
        how = NEW if before is None else GONE
        return Change(said=one.said, how=how, members={}, intervals=len(one.value))
    members = _differing(_head(before), _head(after))
    both = min(len(before.value), len(after.value))
    # In the finer of the two scales.
    most = max(before.decimals, after.decimals)
    values = [one.value[:both] * 10 ** (most - one.decimals) for one in (before, after)]
    differ = int(np.count_nonzero(values[0] != values[1]))
    if not members and not differ:
        return None
    return Change(said=after.said, how=CHANGED, members=members, intervals=differ)


def _head(series: FactorSeries) -> dict[str, Any]:
    """What a series says beside its values, and how many those are."""
    return {
        "unit": series.unit,
        "covers": list(series.covers),
        "interval_s": series.interval_s,
        "count": len(series.value),
        "source": series.source,
        "status": series.status,
    }


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Members:
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}
