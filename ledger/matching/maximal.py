"""The policy `maximal/1`: no allocation by the same contracts matches more (docs/formats.md §7.1).

It begins with what pro-rata gave and raises it along augmenting paths. *Free* are contracts by
demand without a limit: only their lanes are raised or lowered. What shares or a limit (which holds
in time order) gave is left as it is. So the result is never below pro-rata's, and is the greatest
there is where every contract is free. A path may turn one class of supply into another, as when
self-use makes room for two trades; it never takes from a consumer what it has in all. What
charges a storage stays as it is too, so that nothing is discharged that was not charged.

Time is cut into *pieces*, and energy may move between the pieces of one bucket, from a piece and to
a piece that both lie in the contract's period. By the quarter-hour each interval is a piece and a
bucket; a day is a bucket of several pieces where a contract begins or ends in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.matching.augment import Flow, augment
from ledger.matching.model import Bool, Contract, Demand, Grid, Int64, Result

# Elements of the largest array of one step: 32 MB.
_CELLS: Final = 2**22

Pair = tuple[str, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Offer:
    """A free contract: the pieces of its period, and what it delivers there so far.

    `lanes_wh`: {(source, consumer): int64[P]}, changed in place; what moves between two pieces of a
    bucket is in `delivered_wh` alone.
    """

    contract: str
    rows: slice
    lanes_wh: Mapping[Pair, Int64]
    delivered_wh: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Books:
    """P pieces: `surplus_wh` {source: int64[P]} and `wanted_wh` {consumer: int64[P]}, changed in
    place, and the offers in the order of the waterfall."""

    surplus_wh: Mapping[str, Int64]
    wanted_wh: Mapping[str, Int64]
    offers: Sequence[Offer]


def is_free(contract: Contract) -> bool:
    """Whether the policy may change what pro-rata gave the contract."""
    return not contract.limit_wh and not any(share.share_ppm for share in contract.consumers)


def maximal(
    grid: Grid, result: Result, demand: Mapping[str, Demand], contracts: Sequence[Contract]
) -> Result:
    """Raise what pro-rata gave, `result`, in each interval as far as free contracts can."""
    free = {one.contract: one for one in contracts if is_free(one)}
    surplus_wh = {
        point: wh.copy() for point, wh in (*result.surplus_wh.items(), *result.stored_wh.items())
    }
    wanted_wh = {point: _wanted(demand[point], wh) for point, wh in result.residual_wh.items()}
    lanes: dict[str, dict[Pair, Int64]] = {}
    for lane in result.lanes:
        if lane.contract in free and lane.consumer in wanted_wh:
            lanes.setdefault(lane.contract, {})[lane.source, lane.consumer] = lane.wh.copy()
    offers = [
        Offer(
            contract=contract,
            rows=grid.rows(free[contract].period),
            lanes_wh=found,
            delivered_wh=result.delivered_wh[contract],
        )
        for contract, found in lanes.items()
    ]
    raise_lanes(
        Books(surplus_wh=surplus_wh, wanted_wh=wanted_wh, offers=offers), np.arange(grid.count)
    )
    for point, wh in wanted_wh.items():
        estimated_wh = demand[point].estimated_wh
        if estimated_wh is not None:
            wh += estimated_wh
    return replace(
        result,
        lanes=tuple(
            replace(lane, wh=_frozen(lanes[lane.contract][lane.source, lane.consumer]))
            if lane.contract in lanes and lane.consumer in wanted_wh
            else lane
            for lane in result.lanes
        ),
        surplus_wh={point: _frozen(surplus_wh[point]) for point in result.surplus_wh},
        residual_wh={point: _frozen(wh) for point, wh in wanted_wh.items()},
        delivered_wh={
            **result.delivered_wh,
            **{offer.contract: offer.delivered_wh for offer in offers},
        },
        stored_wh={point: _frozen(surplus_wh[point]) for point in result.stored_wh},
    )


def raise_lanes(books: Books, bucket: Int64) -> None:
    """Deliver the most that the offers can; `bucket`: int64[P], not decreasing."""
    if not books.offers:
        return
    pairs = {pair for offer in books.offers for pair in offer.lanes_wh}
    sources = sorted({source for source, _ in pairs})
    consumers = sorted({consumer for _, consumer in pairs})
    surplus = np.any([books.surplus_wh[source] > 0 for source in sources], axis=0)
    wanting = np.any([books.wanted_wh[consumer] > 0 for consumer in consumers], axis=0)
    for places in _by_size(bucket):
        open_ = surplus[places].any(axis=0) & wanting[places].any(axis=0)
        cells = len(sources) * len(consumers) * len(places) ** 2
        for part in _parts(np.flatnonzero(open_), max(_CELLS // cells, 1)):
            _Step(books, sources, consumers, places[:, part]).run()


def _by_size(bucket: Int64) -> Iterator[NDArray[np.intp]]:
    """intp[k, n]: the places of the pieces of all n buckets that have k, for each k."""
    first = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1))
    size = np.diff(first, append=len(bucket))
    for count in np.unique(size).tolist():
        yield first[size == count] + np.arange(count)[:, None]


def _parts(rows: NDArray[np.intp], count: int) -> Iterator[NDArray[np.intp]]:
    for at in range(0, len(rows), count):
        yield rows[at : at + count]


class _Step:
    """Some buckets of k pieces each, with the places of these: intp[k, n].

    A node is a point in a piece, in the order of (name, time).
    """

    def __init__(
        self,
        books: Books,
        sources: Sequence[str],
        consumers: Sequence[str],
        places: NDArray[np.intp],
    ) -> None:
        self.books, self.places = books, places
        self.sources, self.consumers = sources, consumers
        self.offers: dict[tuple[int, int], list[Offer]] = {}
        count, buckets = places.shape
        shape = len(sources), count, len(consumers), count, buckets
        self.sent_wh: Int64 = np.zeros(shape, dtype=np.int64)
        self.allowed: Bool = np.zeros(shape, dtype=np.bool_)
        rank_of = {name: rank for names in (sources, consumers) for rank, name in enumerate(names)}
        for offer in books.offers:
            both = self._both(offer)
            if not both.any():
                continue
            for (source, consumer), lane_wh in offer.lanes_wh.items():
                pair = rank_of[source], rank_of[consumer]
                self.offers.setdefault(pair, []).append(offer)
                self.allowed[pair[0], :, pair[1]] |= both
                for piece, rows in enumerate(places):
                    self.sent_wh[pair[0], piece, pair[1], piece] += lane_wh[rows]

    def _both(self, offer: Offer) -> Bool:
        """bool[k, k, n]: whether both pieces lie in the period of the contract."""
        active = (self.places >= offer.rows.start) & (self.places < offer.rows.stop)
        both: Bool = active[:, None] & active[None, :]
        return both

    def run(self) -> None:
        before_wh = self.sent_wh.copy()
        surplus_wh = np.stack([self.books.surplus_wh[name][self.places] for name in self.sources])
        wanted_wh = np.stack([self.books.wanted_wh[name][self.places] for name in self.consumers])
        count_sources, count_pieces, count_consumers, _, count = self.sent_wh.shape
        nodes = count_sources * count_pieces, count_consumers * count_pieces
        # Views: the flow is changed in place.
        augment(
            Flow(
                surplus_wh=surplus_wh.reshape(nodes[0], count),
                wanted_wh=wanted_wh.reshape(nodes[1], count),
                sent_wh=self.sent_wh.reshape(*nodes, count),
                allowed=self.allowed.reshape(*nodes, count),
            )
        )
        for name, wh in zip(self.sources, surplus_wh, strict=True):
            self.books.surplus_wh[name][self.places] = wh
        for name, wh in zip(self.consumers, wanted_wh, strict=True):
            self.books.wanted_wh[name][self.places] = wh
        change_wh = self.sent_wh - before_wh
        changed = (change_wh != 0).any(axis=(1, 3, 4))
        for source, consumer in np.argwhere(changed).tolist():
            pair = self.sources[source], self.consumers[consumer]
            self._book(pair, self.offers[source, consumer], change_wh[source, :, consumer])

    def _book(self, pair: Pair, offers: Sequence[Offer], change_wh: Int64) -> None:
        """int64[k, k, n] of a pair: all goes to the first contract that allows it, which has all
        that the pair sent before, since it left nothing of it to later ones."""
        for offer in offers:
            part_wh = np.where(self._both(offer), change_wh, 0)
            change_wh = change_wh - part_wh
            offer.delivered_wh += int(part_wh.sum())
            for piece, rows in enumerate(self.places):
                offer.lanes_wh[pair][rows] += part_wh[piece, piece]


def _wanted(demand: Demand, residual_wh: Int64) -> Int64:
    """int64[T]: the measured part of what is not covered."""
    if demand.estimated_wh is None:
        return residual_wh.copy()
    return residual_wh - demand.estimated_wh


def _frozen(wh: Int64) -> Int64:
    wh.flags.writeable = False
    return wh
