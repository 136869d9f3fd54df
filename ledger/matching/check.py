"""What the engine refuses, before it computes anything. Each error says where, and what is right.

InvalidInput: wrong shapes or types, negative energy, an unknown point, a contract that contradicts
itself, energy beyond 2^62 Wh. Refused: a class that is not matched yet, and direct supply from a
plant outside the contract's region (seed 7.1.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from ledger.errors import InvalidInput, Refused
from ledger.matching.model import (
    ENERGY_WH_MAX,
    POLICIES,
    PPM,
    Contract,
    Demand,
    Grid,
    Int64,
    SupplyClass,
)
from ledger.matching.storage import Storage
from ledger.units import format_instant

MATCHED_CLASSES = (
    SupplyClass.SELF_USE,
    SupplyClass.DIRECT_SUPPLY,
    SupplyClass.STORAGE,
    SupplyClass.GREEN_TRADE,
)
# What may charge a storage: all of it is delivered before any storage discharges.
CHARGING_CLASSES = (SupplyClass.SELF_USE, SupplyClass.DIRECT_SUPPLY)


def check_policy(policy: str) -> None:
    """Raises InvalidInput for a policy that this program does not know."""
    if policy not in POLICIES:
        raise InvalidInput(f"policy {policy!r} is not one of {', '.join(POLICIES)}")


def check_inputs(
    grid: Grid,
    supply: Mapping[str, Int64],
    demand: Mapping[str, Demand],
    contracts: Sequence[Contract],
    regions: Mapping[str, str],
    stored: Collection[str],
) -> None:
    """Raises InvalidInput or Refused, as the module says; `stored`: discharge points."""
    check_energy(grid, "generation", supply.items())
    for point, one in demand.items():
        if one.point != point:
            raise InvalidInput(f"demand of point {one.point} stands under point {point}")
    check_energy(grid, "consumption", _consumption(demand))
    repeated = _repeated(contract.contract for contract in contracts)
    if repeated:
        raise InvalidInput(f"contract {repeated} is given twice: give the one now in force")
    for contract in contracts:
        _check_contract(contract, stored if _is_storage(contract) else supply, demand)
        _check_region(contract, regions)


def check_energy(grid: Grid, what: str, arrays: Iterable[tuple[str, Int64]]) -> None:
    """(point, int64[T]) each: right shape, no negative Wh, and in all less than 2^62 Wh."""
    bounds_wh: list[int] = []
    checked: list[Int64] = []
    for point, wh in arrays:
        if wh.dtype != np.int64 or wh.shape != (grid.count,):
            raise InvalidInput(
                f"{what} of point {point} is {wh.dtype}{list(wh.shape)}:"
                f" int64[{grid.count}] is needed, Wh per interval of the grid"
            )
        # As unsigned, a negative value is larger than any other: one pass finds both bounds.
        highest_wh = int(wh.view(np.uint64).max())
        if highest_wh >= 2**63:
            row = int(np.argmax(wh < 0))
            raise InvalidInput(
                f"{what} of point {point} at {format_instant(grid.start_s + row * grid.length_s)}"
                f" is {int(wh[row])} Wh: it must not be negative"
            )
        bounds_wh.append(highest_wh * grid.count)
        checked.append(wh)
    if sum(bounds_wh) >= ENERGY_WH_MAX:
        total_wh = sum(_exact_sum(wh) for wh in checked)
        if total_wh >= ENERGY_WH_MAX:
            raise InvalidInput(
                f"{what} of the run is {total_wh} Wh in all: it must stay below {ENERGY_WH_MAX}"
            )


def _exact_sum(wh: Int64) -> int:
    """Σ of values ≥ 0 that may overflow int64."""
    return (int((wh >> 32).sum()) << 32) + int((wh & 0xFFFF_FFFF).sum())


def _consumption(demand: Mapping[str, Demand]) -> Iterable[tuple[str, Int64]]:
    for point, one in demand.items():
        yield point, one.wh
        if one.estimated_wh is not None:
            yield point, one.estimated_wh


def _repeated(names: Iterable[str]) -> str:
    """The first name that occurs more than once, or nothing."""
    return min((name for name, count in Counter(names).items() if count > 1), default="")


def check_storages(
    grid: Grid,
    supply: Mapping[str, Int64],
    demand: Mapping[str, Demand],
    storages: Sequence[Storage],
) -> None:
    """Each storage has points of its own, and reaches the grid's end. Raises InvalidInput."""
    repeated = _repeated(point for one in storages for point in (one.charge, one.discharge))
    if repeated:
        raise InvalidInput(f"point {repeated} is given to two storages")
    for one in storages:
        if one.discharge in supply:
            raise InvalidInput(f"discharge point {one.discharge} is no generation")
        if one.charge in demand and not demand[one.charge].charging:
            raise InvalidInput(f"charge point {one.charge} is no final consumption")
        if len(one.charge_wh) < grid.count:
            raise InvalidInput(
                f"storage {one.discharge} is known for {len(one.charge_wh)} intervals: the grid"
                f" has {grid.count}, and what was before them belongs to it too"
            )


def _is_storage(contract: Contract) -> bool:
    return contract.supply_class is SupplyClass.STORAGE


def _check_contract(
    contract: Contract, sources: Collection[str], demand: Mapping[str, Demand]
) -> None:
    name = f"contract {contract.contract}"
    if contract.supply_class not in MATCHED_CLASSES:
        raise Refused(
            f"{name} is of class {contract.supply_class.name}, which is not matched yet:"
            f" use {', '.join(one.name for one in MATCHED_CLASSES)}"
        )
    if not contract.sources or not contract.consumers:
        raise InvalidInput(f"{name} needs at least one source and one consumer")
    consumers = [share.point for share in contract.consumers]
    repeated = _repeated(contract.sources) or _repeated(consumers)
    if repeated:
        raise InvalidInput(f"{name} names point {repeated} twice")
    for point in contract.sources:
        if point not in sources:
            what = "storage" if _is_storage(contract) else "generation"
            raise InvalidInput(f"{name} names source {point}, which has no {what} here")
    for point in consumers:
        if point not in demand:
            raise InvalidInput(f"{name} names consumer {point}, which has no consumption here")
        if demand[point].charging and contract.supply_class not in CHARGING_CLASSES:
            raise Refused(
                f"{name} of class {contract.supply_class.name} names charge point {point}: only"
                f" {' and '.join(one.name for one in CHARGING_CLASSES)} may charge a storage"
            )
    if not 0 <= contract.limit_wh < ENERGY_WH_MAX:
        raise InvalidInput(f"{name} has a limit of {contract.limit_wh} Wh: 0 means none")
    check_shares(name, [share.share_ppm for share in contract.consumers])


def check_shares(name: str, shares_ppm: Sequence[int]) -> None:
    """All 0 (by demand), or all above 0 and at most 1,000,000 in all. Raises InvalidInput."""
    if min(shares_ppm) < 0 or sum(shares_ppm) > PPM:
        raise InvalidInput(
            f"{name} has shares of {sum(shares_ppm)} ppm in all: each is at least 0,"
            f" and together they are at most {PPM}"
        )
    if any(shares_ppm) and not all(shares_ppm):
        raise InvalidInput(
            f"{name} mixes shares with consumers by demand: give each a share, or none,"
            " or make two contracts"
        )


def _check_region(contract: Contract, regions: Mapping[str, str]) -> None:
    if contract.supply_class is not SupplyClass.DIRECT_SUPPLY:
        return
    for source in contract.sources:
        region = regions.get(source, "")
        if not region.startswith(contract.region):
            raise Refused(
                f"contract {contract.contract} is direct supply within region {contract.region},"
                f" but plant {source} is in region {region or '(none given)'}: name a plant whose"
                f" region code begins with {contract.region}, or register the contract as green"
                " trade"
            )
