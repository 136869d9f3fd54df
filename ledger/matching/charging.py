"""What a run leaves to coarser granularities, once its storages have charged and discharged.

A storage moves energy in time by itself, as its meters show by the quarter-hour. So an hour, a day
or a year takes from the quarter-hours what was charged and what left as green: what charged is
gone from its sources, and charge points want nothing more. Only the rest is matched anew. Shares of
a contract that also charges count of what is left after that, so its figure is rather too low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ledger.matching.model import Contract, Demand, Int64, Result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uncharged:
    """Inputs of a run without its charging; discharge points are sources like others."""

    supply: Mapping[str, Int64]
    demand: Mapping[str, Demand]
    contracts: Sequence[Contract]
    delivered_before_wh: Mapping[str, int]


def without_charging(
    supply: Mapping[str, Int64],
    demand: Mapping[str, Demand],
    contracts: Sequence[Contract],
    delivered_before_wh: Mapping[str, int],
    result: Result,
) -> Uncharged:
    """Take out what `result` charged, and put in what it discharged as green."""
    if not result.uncharged_wh and not result.stored_wh:
        return Uncharged(
            supply=supply,
            demand=demand,
            contracts=contracts,
            delivered_before_wh=delivered_before_wh,
        )
    left_wh = {**supply, **{point: wh.copy() for point, wh in result.stored_wh.items()}}
    before_wh = dict(delivered_before_wh)

    def final(contract: Contract) -> Contract:
        consumers = [one for one in contract.consumers if not demand[one.point].charging]
        return replace(contract, consumers=tuple(consumers))

    for lane in result.lanes:
        if lane.source in result.stored_wh:
            left_wh[lane.source] += lane.wh
        elif lane.consumer in result.uncharged_wh:
            left_wh[lane.source] = left_wh[lane.source] - lane.wh
            before_wh[lane.contract] = before_wh.get(lane.contract, 0) + int(lane.wh.sum())
    return Uncharged(
        supply=left_wh,
        demand={point: one for point, one in demand.items() if not one.charging},
        contracts=[one for one in map(final, contracts) if one.consumers],
        delivered_before_wh=before_wh,
    )
