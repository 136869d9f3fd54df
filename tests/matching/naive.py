"""The rules of matching once more, in plain Python: one interval at a time, dicts and Fractions.

It is written from the rules (shared/domain.md §8, §9; the docstring of ledger.matching.waterfall),
not from the engine's code, and shares nothing with it but the input values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from math import floor

from ledger.matching.model import Contract, Demand, Grid

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
    ) -> None:
        self.lanes: dict[LaneKey, list[int]] = {}
        self.surplus: dict[str, list[int]] = {point: [] for point in supply}
        self.residual: dict[str, list[int]] = {point: [] for point in demand}
        self.delivered = {one.contract: delivered_before.get(one.contract, 0) for one in contracts}
        order = sorted(contracts, key=lambda one: (int(one.supply_class), one.contract))
        for row in range(grid.count):
            start = grid.start_s + row * grid.length_s
            have = {point: int(wh[row]) for point, wh in supply.items()}
            want = {point: int(one.wh[row]) for point, one in demand.items()}
            for contract in order:
                inside = (
                    contract.period.start_s <= start
                    and start + grid.length_s <= contract.period.end_s
                )
                moved = settle(contract, have, want, self.delivered) if inside else {}
                for source in contract.sources:
                    for share in contract.consumers:
                        key = (
                            int(contract.supply_class),
                            contract.contract,
                            source,
                            share.point,
                        )
                        self.lanes.setdefault(key, []).append(moved.get((source, share.point), 0))
            for point, rest in have.items():
                self.surplus[point].append(rest)
            for point, rest in want.items():
                estimated = demand[point].estimated_wh
                guess = 0 if estimated is None else int(estimated[row])
                self.residual[point].append(rest + guess)


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
