"""The greatest total that contracts allow, by plain maximum flow in dicts.

Ford and Fulkerson with a search in depth, one interval (or bucket) at a time: it shares nothing
with the code under test.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

Node = Hashable
Capacity = dict[Node, dict[Node, int]]
START, END = "start", "end"


def greatest_wh(
    supply: Mapping[Any, int], demand: Mapping[Any, int], lanes: Iterable[tuple[Node, Node]]
) -> int:
    """Wh that can go from sources to consumers along lanes."""
    capacity: Capacity = {START: {}, END: {}}

    def pipe(one: Node, other: Node, wh: int) -> None:
        capacity.setdefault(one, {})[other] = wh
        capacity.setdefault(other, {}).setdefault(one, 0)

    for source, wh in supply.items():
        pipe(START, ("source", source), wh)
    for consumer, wh in demand.items():
        pipe(("consumer", consumer), END, wh)
    for source, consumer in lanes:
        pipe(("source", source), ("consumer", consumer), sum(supply.values()))
    total = 0
    while moved := push(capacity, START, sum(supply.values()), {START}):
        total += moved
    return total


def push(capacity: Capacity, node: Node, wh: int, seen: set[Node]) -> int:
    if node == END:
        return wh
    for other, room in capacity[node].items():
        if room and other not in seen:
            seen.add(other)
            if moved := push(capacity, other, min(wh, room), seen):
                capacity[node][other] -= moved
                capacity[other][node] += moved
                return moved
    return 0
