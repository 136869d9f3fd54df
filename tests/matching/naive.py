"""The rules of matching once more, in plain Python: one interval at a time, dicts and Fractions.

It is written from the rules (shared/domain.md §8, §9; the docstring of ledger.matching.waterfall),
not from the engine's code, and shares nothing with it but the input values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from math import floor

from ledger.matching.model import Contract, Demand, Grid
from ledger.matching.storage import Storage

LaneKey = tuple[int, str, str, str]  # class, contract, source, consumer


class Naive:
    """`lanes`: {key: [Wh per interval]}; `surplus`, `residual`: {point: [Wh per interval]}."""

    def __init__(
        self,
        grid: Grid,
        supply: Mapping[str, Sequence[int]],
        demand: Mapping[str, Demand],
        contracts: Sequence[Contract],
        delivered_before: Mapping[str, int],
        storages: Sequence[Storage] = (),
    ) -> None:
        self.grid = grid
        self.surplus = {point: [int(one) for one in wh] for point, wh in supply.items()}
        self.residual = {point: [int(one) for one in ask.wh] for point, ask in demand.items()}
        self.delivered = {one.contract: delivered_before.get(one.contract, 0) for one in contracts}
        self.lanes: dict[LaneKey, list[int]] = {
            (int(one.supply_class), one.contract, source, share.point): [0] * grid.count
            for one in contracts
            for source in one.sources
            for share in one.consumers
        }
        order = sorted(contracts, key=lambda one: (int(one.supply_class), one.contract))
        self._deliver([one for one in order if one.supply_class <= 2])
        for storage in storages:
            self.surplus[storage.discharge] = self._discharge(storage)
        self._deliver([one for one in order if one.supply_class > 2])
        for point, ask in demand.items():
            if ask.estimated_wh is not None:
                for row, wh in enumerate(ask.estimated_wh):
                    self.residual[point][row] += int(wh)

    def _deliver(self, order: Sequence[Contract]) -> None:
        for row in range(self.grid.count):
            start = self.grid.start_s + row * self.grid.length_s
            have = {point: wh[row] for point, wh in self.surplus.items()}
            want = {point: wh[row] for point, wh in self.residual.items()}
            for contract in order:
                inside = (
                    contract.period.start_s <= start
                    and start + self.grid.length_s <= contract.period.end_s
                )
                moved = settle(contract, have, want, self.delivered) if inside else {}
                for (source, point), wh in moved.items():
                    key = (int(contract.supply_class), contract.contract, source, point)
                    self.lanes[key][row] = wh
            for point, rest in have.items():
                self.surplus[point][row] = rest
            for point, rest in want.items():
                self.residual[point][row] = rest

    def _discharge(self, storage: Storage) -> list[int]:
        """What the storage supplies, when all that may charge it has been delivered."""
        charge, discharge = storage.charge_wh.tolist(), storage.discharge_wh.tolist()
        allotted, green = storage.allotted_wh.tolist(), storage.green_in_wh.tolist()
        first = len(charge) - self.grid.count
        for (_, _, _, point), lane in self.lanes.items():
            if point == storage.charge:
                for row, wh in enumerate(lane):
                    green[first + row] += wh
        entering = [min(pair) for pair in zip(green, charge, strict=True)]
        out = queue_green_out(charge, entering, discharge)
        supply: list[int] = []
        for row in range(first, len(charge)):
            spare = min(
                sum(out[: end + 1]) - sum(allotted[: end + 1]) for end in range(row, len(charge))
            )
            most = min(out[row] - allotted[row], spare - sum(supply))
            supply.append(max(most, 0))
        return supply


def settle(
    contract: Contract, have: dict[str, int], want: dict[str, int], delivered: dict[str, int]
) -> dict[tuple[str, str], int]:
    """One contract in one interval; reduces `have` and `want`, raises `delivered`."""
    moved: dict[tuple[str, str], int] = {}
    shares = {share.point: share.share_ppm for share in contract.consumers}
    for source in sorted(contract.sources):
        if any(shares.values()):
            cut = walk(Fraction(have[source], 1_000_000), shares)
            claim = {point: min(cut[point], want[point]) for point in shares}
        else:
            claim = {point: want[point] for point in shares}
        amount = min(have[source], sum(claim.values()))
        if contract.limit_wh:
            amount = min(amount, max(contract.limit_wh - delivered[contract.contract], 0))
        if amount == 0:
            continue
        for point, part in walk(Fraction(amount, sum(claim.values())), claim).items():
            moved[source, point] = part
            want[point] -= part
            have[source] -= part
            delivered[contract.contract] += part
    return moved


def walk(rate: Fraction, weights: Mapping[str, int]) -> dict[str, int]:
    """Walk along the weights in id order; each gets the whole Wh that fall inside its stretch."""
    parts: dict[str, int] = {}
    position = Fraction(0)
    given = 0
    for point in sorted(weights):
        position += rate * weights[point]
        parts[point] = floor(position) - given
        given += parts[point]
    return parts


def delivered_in_buckets(
    grid: Grid,
    digits: int,
    supply: Mapping[str, Sequence[int]],
    demand: Mapping[str, Demand],
    contracts: Sequence[Contract],
    delivered_before: Mapping[str, int],
) -> dict[str, int]:
    """Wh per contract, if energy may move within buckets of park time.

    `digits` of "YYYYmmddHH" name a bucket: 10 an hour, 8 a day, 6 a month, 4 a year. What a
    contract takes goes from the earliest intervals of its period in the bucket.
    """
    zone = timezone(timedelta(seconds=grid.zone_offset_s))
    have = {point: [int(wh) for wh in column] for point, column in supply.items()}
    want = {point: [int(wh) for wh in one.wh] for point, one in demand.items()}
    before = {one.contract: delivered_before.get(one.contract, 0) for one in contracts}
    delivered = dict(before)
    for contract in sorted(contracts, key=lambda one: (int(one.supply_class), one.contract)):
        buckets: dict[str, list[int]] = {}
        for row in range(grid.count):
            start = grid.start_s + row * grid.length_s
            end = start + grid.length_s
            if contract.period.start_s <= start and end <= contract.period.end_s:
                stamp = datetime.fromtimestamp(start, zone).strftime("%Y%m%d%H")
                buckets.setdefault(stamp[:digits], []).append(row)
        for rows in buckets.values():
            pool = {point: sum(column[row] for row in rows) for point, column in have.items()}
            wish = {point: sum(column[row] for row in rows) for point, column in want.items()}
            for (source, consumer), wh in settle(contract, pool, wish, delivered).items():
                take_earliest(have[source], rows, wh)
                take_earliest(want[consumer], rows, wh)
    return {name: delivered[name] - before[name] for name in delivered}


def take_earliest(column: list[int], rows: Sequence[int], wh: int) -> None:
    for row in rows:
        taken = min(column[row], wh)
        column[row] -= taken
        wh -= taken
    assert wh == 0


def queue_green_out(
    charge: Sequence[int], green: Sequence[int], discharge: Sequence[int]
) -> list[int]:
    """The green part of each discharge: a queue of single Wh, true for a green one.

    Tried with more and more opening stock, until no discharge finds the queue empty.
    """
    level, lowest = 0, 0
    for came, went in zip(charge, discharge, strict=True):
        level += came - went
        lowest = min(lowest, level)
    came_back = Fraction(sum(discharge) + lowest, max(sum(charge), 1))
    opening = 0
    while True:
        found = _from_queue(opening, came_back, charge, green, discharge)
        if found is not None:
            return found
        opening += 1


def _from_queue(
    opening: int,
    came_back: Fraction,
    charge: Sequence[int],
    green: Sequence[int],
    discharge: Sequence[int],
) -> list[int] | None:
    queue = [False] * opening
    charged = charged_green = entered = entered_green = 0
    found = []
    for came, came_green, went in zip(charge, green, discharge, strict=True):
        charged += came
        charged_green += came_green
        size = floor(came_back * charged) - entered
        part = min(size, floor(came_back * charged_green) - entered_green)
        entered += size
        entered_green += part
        # Spread evenly: a Wh is green when its stretch of the green line holds a whole number.
        marks = [floor(Fraction(part * place, max(size, 1))) for place in range(size + 1)]
        queue += [after > before for before, after in pairwise(marks)]
        if went > len(queue):
            return None
        found.append(sum(queue[:went]))
        del queue[:went]
    return found
