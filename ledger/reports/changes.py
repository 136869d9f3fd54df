"""What differs between two versions of a report, and which entries made it so. Pure.

Values are compared by their path. An object of an array is known by its "id", so that one more line
doesn't move all that follow; an array of integers and texts is one value. What is not there reads
as an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

NONE: Final[Mapping[str, Any]] = {"lines": [], "because": []}
INPUTS: Final = "inputs"
_COMPARED: Final = ("about", "result")


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """`before`, `after`: contents of reports, of which `about` and `result` are compared.

    `lines`: {"path", "before", "after"} of each value that differs, by path; a path is that of a
    JSON pointer (RFC 6901) with the "id" of objects in arrays. `because`: the entries that only
    one of them rests on, in order: "new", "gone", or "replaced" by a new one that says so.
    """
    return {"lines": _lines(before, after), "because": _because(before, after)}


def _lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    was, now = _values_of(before), _values_of(after)
    return [
        {"path": path, "before": was.get(path, ""), "after": now.get(path, "")}
        for path in sorted({*was, *now})
        if was.get(path, "") != now.get(path, "")
    ]


def _values_of(content: Mapping[str, Any]) -> dict[str, Any]:
    compared = {name: content.get(name, {}) for name in _COMPARED}
    compared["result"] = {
        name: value for name, value in compared["result"].items() if name != INPUTS
    }
    return dict(values(compared))


def values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of all that is no object, and no array of objects or arrays."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from values(one, f"{path}/{_escaped(name)}")
    elif isinstance(value, Sequence) and any(isinstance(one, Mapping | list) for one in value):
        for name, one in zip(_names(value), value, strict=True):
            yield from values(one, f"{path}/{_escaped(name)}")
    else:
        yield path, value


def _names(array: Sequence[Any]) -> list[str]:
    """What the elements of an array go by: ids where each has one of its own, else places."""
    ids = [one.get("id") if isinstance(one, Mapping) else None for one in array]
    known = [id_ for id_ in ids if isinstance(id_, str)]
    if len(set(known)) == len(array):
        return known
    return [str(place) for place in range(len(array))]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _because(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    was, now = _inputs(before), _inputs(after)
    replaced = {now[index].get("replaces") for index in now.keys() - was.keys()}
    found = []
    for index in sorted(was.keys() ^ now.keys()):
        one = now.get(index) or was[index]
        how = "new" if index in now else "replaced" if index in replaced else "gone"
        found.append(
            {
                "entry": one["entry"],
                "type": one["type"],
                "hash": one["hash"],
                "how": how,
                "reason": one.get("reason", "") if how == "new" else "",
            }
        )
    return found


def _inputs(content: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    return {one["entry"]: one for one in content.get("result", {}).get(INPUTS, [])}
