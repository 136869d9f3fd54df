"""What the attacker of `test_soundness` does; for as long as he is honest, the same without it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.claims import service as claims
from ledger.claims.offers import Offer, Offers
from ledger.lots import store as lots
from ledger.lots import sumtree
from ledger.lots.division import DividedOrigin
from ledger.lots.model import NO_LOT
from ledger.matching.dividing import Plan
from ledger.matching.evaluate import consumption
from ledger.matching.service import run_matching
from tests.claims.attacker import Attacker, Doctor
from tests.claims.parks import (
    DAY,
    REST,
    T,
    evidence_of,
    fill,
    on_month,
    parse,
    point_of,
    write,
)
from tests.ledgers import begin, copy_ledger, open_house, tamper

NONE = on_month({})
Made = list[bytes]  # evidence files; all but the last are good ones by themselves


# Doctors of what is divided


def change(plans: list[Plan], point: bytes, **members: Any) -> list[Plan]:
    return [replace(plan, **members) if plan.id.point == point else plan for plan in plans]


def plan_of(plans: list[Plan], point: bytes) -> Plan:
    return next(plan for plan in plans if plan.id.point == point)


def more(plan: Plan, holder: bytes, wh: NDArray[np.int64]) -> Plan:
    """The part of one holder grown by `wh`, and nothing else."""
    parts = [
        replace(part, wh=part.wh + wh) if part.holder == holder else part for part in plan.parts
    ]
    return replace(plan, parts=tuple(parts))


def giving(it: Attacker, wh: dict[int, int], *, out_of_rest: bool, covered: bool = True) -> Doctor:
    """The saw gets more of the roof, from the remainder or from nowhere; and as much cover."""
    roof, saw = point_of(it.house, "roof"), point_of(it.house, "saw")

    def doctor(plans: list[Plan]) -> list[Plan]:
        found = []
        for plan in plans:
            given = on_month(wh)
            if plan.id.point in (roof, saw):
                honest = out_of_rest if plan.id.point == roof else covered
                grown = more(plan, saw, given)
                rest = grown.remainder_wh - given if honest else grown.remainder_wh
                found.append(replace(grown, remainder_wh=rest))
            else:
                found.append(plan)
        return found

    return doctor


# The attacks


def same_wh_in_two_lots(it: Attacker) -> Made:
    """461 Wh were the saw's, 539 the till's; now the saw has 600 of the same 1000."""
    it.match(giving(it, {T: 139}, out_of_rest=False))
    return [it.evidence(it.claim("saw"))]


def consumption_covered_twice(it: Attacker) -> Made:
    it.match(giving(it, {REST: 500}, out_of_rest=True, covered=False))
    return [it.evidence(it.claim("saw"))]


def wider_than_its_reading(it: Attacker) -> Made:
    roof = point_of(it.house, "roof")
    give = giving(it, {T: 139}, out_of_rest=False)

    def doctor(plans: list[Plan]) -> list[Plan]:
        found = give(plans)
        return change(found, roof, fresh_wh=plan_of(found, roof).fresh_wh + on_month({T: 139}))

    it.match(doctor)
    return [it.evidence(it.claim("saw"))]


def hidden_remainder(it: Attacker) -> Made:
    roof = point_of(it.house, "roof")
    it.match(lambda plans: change(plans, roof, remainder_wh=on_month({})))
    return [it.evidence(it.claim("saw"))]


def overflowing_sum(it: Attacker) -> Made:
    """Three lots of T have 1000 Wh together, modulo 2^64."""
    roof = point_of(it.house, "roof")
    give = giving(it, {T: 139}, out_of_rest=False)

    def doctor(plans: list[Plan]) -> list[Plan]:
        found = give(plans)
        plan = plan_of(found, roof)
        most = on_month({T: 2**63 - 1})
        parts = tuple(replace(part, wh=most) for part in plan.parts)
        return change(found, roof, parts=parts, remainder_wh=plan.fresh_wh + on_month({T: 2}))

    it.match(doctor)
    claim = it.claim("saw")
    if not it.honest:
        modulo = SimpleNamespace(pack=lambda hash_, wh: struct.pack(">32sQ", hash_, wh % 2**64))
        it.patch.setattr(sumtree, "_SIBLING", modulo)
    return [it.evidence(claim)]


def chosen_order(it: Attacker) -> Made:
    """The lots of a quarter-hour hang in a row, wherever their hashes would have them."""

    class Row(sumtree._Forest):
        def __init__(
            self,
            position: sumtree.Int64,
            key: NDArray[np.uint64],
            leaf: sumtree.Hashes,
            wh: sumtree.Int64,
        ) -> None:
            first = np.searchsorted(position, position)
            rank = (np.arange(len(position)) - first).astype(np.uint64)
            super().__init__(position, rank << np.uint64(59), leaf, wh)

    if not it.honest:
        it.patch.setattr(sumtree, "_Forest", Row)
    it.match()
    return [it.evidence(it.claim("saw"))]


def two_runs(it: Attacker) -> Made:
    """Each consumer claims from a division of its own."""
    it.match()
    saw = it.evidence(it.claim("saw"))
    if not it.honest:
        nothing = lots.LeftOver(last=None, carried=NO_LOT, base_wh=NONE, carried_wh=NONE)
        it.patch.setattr(lots, "left_over", lambda *_, **__: nothing)
        it.match()
    return [saw, it.evidence(it.claim("till"))]


def forgetful_revision(it: Attacker) -> Made:
    """The second division follows the first, and takes all that was metered for fresh again."""
    it.match()
    if not it.honest:
        left_over = lots.left_over

        def forgetful(*given: Any, **named: Any) -> lots.LeftOver:
            found: lots.LeftOver = replace(left_over(*given, **named), base_wh=NONE)
            return found

        it.patch.setattr(lots, "left_over", forgetful)
        # What is consumed is the claimant's word.
        it.patch.setattr(
            "ledger.claims.service.consumption",
            lambda *given: {
                name: replace(one, demand=replace(one.demand, wh=2 * one.demand.wh))
                for name, one in consumption(*given).items()
            },
        )
        it.match()
    return [it.evidence(it.claim("saw"))]


def spent_twice(it: Attacker) -> Made:
    it.match()
    first = it.evidence(it.claim("saw"))
    return [first] if it.honest else [first, it.evidence(it.claim_again("saw"))]


def claimed_after_a_withdrawal(it: Attacker) -> Made:
    it.match()
    claim = it.claim("saw")
    if it.honest:
        return [it.evidence(claim)]
    claims.withdraw(it.house.desk, claim, "sold to someone else")
    return [it.evidence(it.claim_again("saw"))]


def replaced_by_two(it: Attacker) -> Made:
    it.match()
    first, desk = it.claim("saw"), it.house.desk
    second = claims.replace(desk, first, "once").claim
    if it.honest:
        return [it.evidence(second)]
    evidence = it.evidence(second)
    tamper(it.folder, "DELETE FROM claim_ends")
    it.drop_triggers()
    return [evidence, it.evidence(claims.replace(desk, first, "and once more").claim)]


def anothers_lot(it: Attacker) -> Made:
    """The till's owner claims what the saw holds."""
    it.match()
    if it.honest:
        return [it.evidence(it.claim("till"))]
    saw = point_of(it.house, "saw")
    with it.choosing(lambda row: row.holder == saw):
        claim = it.claim("till")
    return [it.evidence(claim)]


def with_cells(it: Attacker, supply: dict[int, int], cover: dict[int, int]) -> Made:
    """What the saw claims of its lots, by quarter-hour more or less than it should."""
    it.match()
    if not it.honest:
        balance = Offers.balanced

        def doctored(offers: Offers, rows: Sequence[lots.LotRow]) -> list[Offer]:
            found = []
            for one in balance(offers, rows):
                wh = one.wh.copy()
                for at, more_wh in (supply if one.supply else cover).items():
                    wh[at] += more_wh
                found.append(replace(one, wh=wh))
            return found

        it.patch.setattr(Offers, "balanced", doctored)
    return [it.evidence(it.claim("saw"))]


def swapped_body(it: Attacker) -> Made:
    """At T the saw's lots grow out of those of others, after the division was signed."""
    it.match()
    saw, till = point_of(it.house, "saw"), point_of(it.house, "till")

    def grown(one: DividedOrigin) -> DividedOrigin:
        holders = {lot.holder for lot in one.lots}
        if saw not in holders:
            return one
        moved = on_month({T: 20})
        change_wh = {saw: moved, till if till in holders else bytes(16): -moved}
        grown_lots = [replace(lot, wh=lot.wh + change_wh.get(lot.holder, NONE)) for lot in one.lots]
        return replace(one, lots=tuple(grown_lots))

    if not it.honest:
        it.swap_division(grown)
    return [it.evidence(it.claim("saw"))]


# Attacks on files alone: the ledger is as it should be


def altered(it: Attacker, change_file: Callable[[dict[str, Any]], object]) -> Made:
    it.match()
    good = it.evidence(it.claim("saw"))
    if it.honest:
        return [good]
    file = parse(good)
    change_file(file)
    return [write(file)]


def supply_part(file: dict[str, Any]) -> dict[str, Any]:
    """The part of the roof: that whose first reading is of 1000 Wh."""
    found = [
        part
        for part in file["parts"]
        if part["part"] == "cells"
        and unpack(part["batches"][0]["leaves"])[28:36] == (1000).to_bytes(8, "big")
    ]
    assert len(found) == 1
    assert isinstance(found[0], dict)
    return found[0]


def unpack(text: str) -> bytes:
    return base64.b64decode(text)


def pack(data: bytes) -> str:
    return base64.b64encode(data).decode()


def node_as_lot(file: dict[str, Any]) -> None:
    """At T the saw's lot and the till's have one node above them: it is shown as the saw's leaf."""
    (lot,) = supply_part(file)["lots"]
    path = unpack(lot["paths"])
    levels, width = path[0], -(-path[0] // 8)
    sides, rest = path[1 : 1 + width], path[1 + 2 * width :]
    assert int.from_bytes(path[1 + width : 1 + 2 * width], "little") == 1, "one sibling, the till"
    right = int.from_bytes(sides, "little") >> 1
    above = -(-(levels - 1) // 8)
    shorter = bytes([levels - 1]) + right.to_bytes(above, "little") + bytes(above)
    lot["paths"] = pack(shorter + rest[40:])
    lot["wh"] = pack((1000).to_bytes(8, "big") + unpack(lot["wh"])[8:])


def node_as_division_leaf(file: dict[str, Any]) -> None:
    division = next(part for part in file["parts"] if part["part"] == "division")
    leaf, nodes = division["leaves"][-1], unpack(division["nodes"])
    leaf["bytes"] = (nodes[:32] + bytes.fromhex(leaf["bytes"])[:32]).hex()


def node_as_claim_leaf(file: dict[str, Any]) -> None:
    """The first two opened quarter-hours as one: their parent stands where the first one stood."""
    part = file["parts"][0]
    cells, at = unpack(part["cells"]), unpack(part["at"])
    part["at"] = pack(at[:4] + at[8:])
    part["cells"] = pack(cells[:22] + cells[44:])


def another_log(it: Attacker) -> Made:
    if it.honest:
        it.match()
        return [it.evidence(it.claim("saw"))]
    other = begin(it.folder.parent / "other")
    fill(other)
    run_matching(other.desk, DAY)
    raw = evidence_of(other, claims.make(other.desk, ["saw"], DAY).claim)
    other.engine.dispose()
    return [raw]


def another_history(it: Attacker) -> Made:
    """The operator shows the claimant one log and the public another, both signed by the log."""
    if it.honest:
        it.match()
        return [it.evidence(it.claim("saw"))]
    fork = open_house(copy_ledger(it.folder, it.folder.parent / "fork"))
    run_matching(fork.desk, DAY)
    raw = evidence_of(fork, claims.make(fork.desk, ["saw"], DAY).claim)
    fork.engine.dispose()
    it.match()
    it.claim("saw")
    return [raw]
