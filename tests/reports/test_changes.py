"""`changes`: applied to what was, it gives what is; and a reason for each entry that differs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reports.changes import changes

names = st.sampled_from(["a", "b", "a/b", "~", "~1", "x y"])
scalars = st.one_of(st.integers(-3, 3), st.sampled_from(["x", "y", "0.5"]))
trees = st.recursive(
    st.one_of(scalars, st.lists(scalars, max_size=3)),
    lambda inner: st.one_of(
        st.dictionaries(names, inner, max_size=3),
        st.lists(st.fixed_dictionaries({"v": inner}), min_size=1, max_size=3),
        st.dictionaries(names, inner, min_size=1, max_size=3).map(
            lambda by_id: [{"id": id_, "v": value} for id_, value in by_id.items()]
        ),
    ),
    max_leaves=8,
)
results = st.dictionaries(names, trees, max_size=3)


def content(result: Mapping[str, Any], *inputs: Mapping[str, Any], **about: Any) -> dict[str, Any]:
    return {"about": about, "result": {**result, "inputs": list(inputs)}}


def entry(index: int, **more: Any) -> dict[str, Any]:
    return {"entry": index, "type": "readings", "hash": f"{index:064x}", **more}


def model(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Each value by its path, kept as a tuple: an independent reading of docs/formats.md §4.16."""
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        ids = [one.get("id") if isinstance(one, dict) else None for one in value]
        own = all(isinstance(id_, str) for id_ in ids) and len({*ids}) == len(ids)
        parts = [(id_ if own else str(n), value[n]) for n, id_ in enumerate(ids)]
    else:
        return {path: value}
    found: dict[tuple[str, ...], Any] = {}
    for name, one in parts:
        found |= model(one, (*path, name))
    return found


def pointer(path: str) -> tuple[str, ...]:
    parts = path.split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


@settings(max_examples=60)
@given(before=results, after=results)
def test_applied_to_what_was_they_give_what_is(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    was, now = model({"result": before}), model({"result": after})
    found = changes(content(before), content(after))
    assert found["because"] == []
    for line in found["lines"]:
        place = pointer(line["path"])
        assert was.get(place, "") == line["before"] != line["after"]
        if line["after"] == "":
            del was[place]
        else:
            was[place] = line["after"]
    assert was == now
    assert [line["path"] for line in found["lines"]] == sorted(
        line["path"] for line in found["lines"]
    )


@settings(max_examples=20)
@given(result=results)
def test_nothing_changed_is_nothing(result: dict[str, Any]) -> None:
    same = content(copy.deepcopy(result), entry(3), subject="mill")
    assert changes(content(result, entry(3), subject="mill"), same) == {"lines": [], "because": []}


def test_lines_are_known_by_their_ids() -> None:
    """A line more at the top moves no other one."""
    before = {"lines": [{"id": "heat", "g": 5}, {"id": "fuel", "g": 7}]}
    after = {"lines": [{"id": "grid", "g": 1}, {"id": "heat", "g": 5}, {"id": "fuel", "g": 8}]}
    assert changes(content(before, year=2025), content(after, year=2026))["lines"] == [
        {"path": "/about/year", "before": 2025, "after": 2026},
        {"path": "/result/lines/fuel/g", "before": 7, "after": 8},
        {"path": "/result/lines/grid/g", "before": "", "after": 1},
        {"path": "/result/lines/grid/id", "before": "", "after": "grid"},
    ]


def test_entries_are_new_gone_or_replaced() -> None:
    before = content({}, entry(2), entry(3), entry(5, reason="kept"))
    late = entry(9, reason="the meter was wrong", replaces=3)
    after = content({}, entry(5, reason="kept"), late)
    assert changes(before, after) == {
        "lines": [],
        "because": [
            {**entry(2), "how": "gone", "reason": ""},
            {**entry(3), "how": "replaced", "reason": ""},
            {**entry(9), "how": "new", "reason": "the meter was wrong"},
        ],
    }
