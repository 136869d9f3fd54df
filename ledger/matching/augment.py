"""The most that sources can send to consumers: shortest augmenting paths, in all intervals at once.

A path is a row of sources, the first with a surplus, the last able to send to consumers who still
want energy. Each takes over some of what the next one sends to consumers that both may serve, and
so the last is free to send that much more. Nobody loses: consumers on the way keep what they have
in all, and sources keep sending what they send. Where no path is left, no other deliveries are more
in all (Ford and Fulkerson); taking a shortest path bounds their number (Edmonds and Karp), and
what goes along one is split over consumers in proportion, as elsewhere. Which maximum is found
follows from the numbers and the order of the nodes alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ledger.matching.model import Bool, Int64
from ledger.matching.rounding import take_pro_rata

_NONE: Final = -1
_Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """What S sources send to C consumers in n intervals, each a problem of its own.

    `surplus_wh`: int64[S, n], what a source still has. `wanted_wh`: int64[C, n], what a consumer
    still wants. `sent_wh`: int64[S, C, n]. `allowed`: bool[S, C, n], where more may be sent.
    """

    surplus_wh: Int64
    wanted_wh: Int64
    sent_wh: Int64
    allowed: Bool

    def at(self, rows: Bool) -> Self:
        """A copy of some intervals."""
        return type(self)(
            surplus_wh=self.surplus_wh[:, rows],
            wanted_wh=self.wanted_wh[:, rows],
            sent_wh=self.sent_wh[:, :, rows],
            allowed=self.allowed[:, :, rows],
        )

    def put(self, rows: Bool, part: Self) -> None:
        self.surplus_wh[:, rows] = part.surplus_wh
        self.wanted_wh[:, rows] = part.wanted_wh
        self.sent_wh[:, :, rows] = part.sent_wh


def augment(flow: Flow) -> None:
    """Send the most that can be sent in each interval; changes `flow` in place."""
    while True:
        tree = _search(flow)
        rows = tree.target >= 0
        count = int(np.count_nonzero(rows))
        if count == 0:
            return
        _send(flow, tree)
        # An interval without a path will never have one: go on with the others alone.
        if 2 * count <= len(rows):
            part = flow.at(rows)
            augment(part)
            flow.put(rows, part)
            return


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tree:
    """How the search got where it is; −1 is nowhere.

    `target`: intp[n], the consumer who showed that a path ends. `from_source`: intp[C, n], the
    source that reached a consumer. `from_consumer`: intp[S, n], the consumer through whom a source
    was reached; −1 where a path begins with it.
    """

    target: _Index
    from_source: _Index
    from_consumer: _Index


def _search(flow: Flow) -> _Tree:
    """In layers, nearest first; of several sources or consumers in a layer, the first counts."""
    count_sources, count_consumers, count = flow.sent_wh.shape
    target = np.full(count, _NONE, dtype=np.intp)
    from_source = np.full((count_consumers, count), _NONE, dtype=np.intp)
    from_consumer = np.full((count_sources, count), _NONE, dtype=np.intp)
    wanting = flow.wanted_wh > 0
    layer = flow.surplus_wh > 0
    seen = layer.copy()
    while layer.any():
        reached = np.zeros((count_consumers, count), dtype=np.bool_)
        for source in range(count_sources):
            if layer[source].any():
                new = layer[source] & flow.allowed[source] & (from_source == _NONE)
                np.copyto(from_source, source, where=new)
                reached |= new
        ends = reached & wanting
        found = ends.any(axis=0)
        np.copyto(target, ends.argmax(axis=0), where=found)
        reached &= ~found
        layer = np.zeros((count_sources, count), dtype=np.bool_)
        if not reached.any():
            break
        for source in range(count_sources):
            back = reached & (flow.sent_wh[source] > 0) & ~seen[source]
            layer[source] = back.any(axis=0)
            np.copyto(from_consumer[source], back.argmax(axis=0), where=layer[source])
        seen |= layer
    return _Tree(target=target, from_source=from_source, from_consumer=from_consumer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Hop:
    """The same place of the paths of some intervals, `rows`: intp[m].

    `sender`: intp[m], the source that will send more; `freed`: intp[m], the next source of the
    path, which will send less, or −1 at its end. `weights_wh`: int64[C, m], what the next sends to
    consumers of both; at the end what consumers of the sender still want.
    """

    rows: _Index
    sender: _Index
    freed: _Index
    weights_wh: Int64


def _send(flow: Flow, tree: _Tree) -> None:
    """Send along each path the most that it carries."""
    hops = list(_hops(flow, tree))
    amount_wh = np.full(len(tree.target), np.iinfo(np.int64).max)
    for hop in hops:
        rows = hop.rows
        room_wh = hop.weights_wh.sum(axis=0)
        first = tree.from_consumer[hop.sender, rows] == _NONE
        np.minimum(room_wh, flow.surplus_wh[hop.sender, rows], out=room_wh, where=first)
        amount_wh[rows] = np.minimum(amount_wh[rows], room_wh)
    for hop in hops:
        rows, last = hop.rows, hop.freed == _NONE
        part_wh = np.empty_like(hop.weights_wh)
        take_pro_rata(
            amount_wh[rows],
            hop.weights_wh.sum(axis=0),
            list(hop.weights_wh),
            list(part_wh),
            list(np.empty_like(part_wh)),
        )
        flow.sent_wh[hop.sender, :, rows] += part_wh.T
        flow.sent_wh[hop.freed[~last], :, rows[~last]] -= part_wh.T[~last]
        flow.wanted_wh[:, rows[last]] -= part_wh[:, last]
        first = tree.from_consumer[hop.sender, rows] == _NONE
        flow.surplus_wh[hop.sender[first], rows[first]] -= amount_wh[rows[first]]


def _hops(flow: Flow, tree: _Tree) -> Iterator[_Hop]:
    """From the ends of the paths to their beginnings."""
    rows = np.flatnonzero(tree.target >= 0)
    sender = tree.from_source[tree.target[rows], rows]
    freed = np.full(len(rows), _NONE, dtype=np.intp)
    weights_wh = flow.wanted_wh[:, rows]
    while len(rows):
        shared = flow.allowed[sender, :, rows].T
        weights_wh = np.where(shared, weights_wh, 0)
        yield _Hop(rows=rows, sender=sender, freed=freed, weights_wh=weights_wh)
        through = tree.from_consumer[sender, rows]
        inner = through != _NONE
        rows, freed, through = rows[inner], sender[inner], through[inner]
        sender = tree.from_source[through, rows]
        weights_wh = flow.sent_wh[freed, :, rows].T
