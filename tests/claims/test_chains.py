"""Evidence shows each certificate of a claim back to its import, and nothing else of others.

The paths are checked by a few lines of this file's own, as docs/formats.md §9 says them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ledger.claims import service
from ledger.claims.evidence import LEVELS, Level, Sample
from ledger.claims.service import ClaimReport
from ledger.house import House
from ledger.registry import acting
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from tests.claims.certified import FEB, claim, imported, month, neutral, retired
from tests.claims.parks import SEED, evidence_of, parse
from tests.claims.test_bound import handed_over, issued
from tests.divided import entries_of

Value = dict[str, Any]


def pick(*serials: str, **more: Any) -> Selection:
    return Selection(scheme="gec", serials=serials, **more)


@dataclass
class Shown:
    """What a file shows, by entry: headers, and the leaves of `units` parts."""

    headers: dict[int, Value]
    leaves: dict[int, dict[int, Value]]
    file: Value

    def texts(self) -> str:
        return json.dumps(self.leaves, ensure_ascii=False)


def evidence(house: House, of: ClaimReport, level: Level) -> Shown:
    sample = Sample(seed=SEED, count=3) if level == "sampled" else None
    file = parse(evidence_of(house, of.claim, level, sample))
    headers = {one["index"]: json.loads(one["note"].split("\n", 1)[0]) for one in file["entries"]}
    leaves = {part["entry"]: proven(headers[part["entry"]], part) for part in units(file)}
    return Shown(headers, leaves, file)


def units(file: Value) -> list[Value]:
    return [part for part in file["parts"] if part["part"] == "units"]


def proven(header: Value, part: Value) -> dict[int, Value]:
    """{place: leaf} of a part whose leaves are under the root of its entry, all nodes used up."""
    data = {one["index"]: bytes.fromhex(one["bytes"]) for one in part["leaves"]}
    assert list(data) == sorted(data)
    raw = base64.b64decode(part["nodes"])
    nodes = iter(raw[at : at + 32] for at in range(0, len(raw), 32))
    assert walk(0, header["body"]["size"], data, nodes).hex() == header["body"]["root"]
    assert not list(nodes)
    return {place: json.loads(leaf[16:]) for place, leaf in data.items()}


def walk(begin: int, size: int, opened: Mapping[int, bytes], nodes: Iterator[bytes]) -> bytes:
    if not any(begin <= place < begin + size for place in opened):
        return next(nodes)
    if size == 1:
        return hashlib.sha256(b"\0" + opened[begin]).digest()
    half = 1
    while half * 2 < size:
        half *= 2
    left = walk(begin, half, opened, nodes)
    return hashlib.sha256(b"\1" + left + walk(begin + half, size - half, opened, nodes)).digest()


@pytest.fixture
def traded(certified: House) -> House:
    """30 certificates of two revisions of a code; some are split, sold, reserved, joined."""
    desk = certified.desk
    imported(certified, "X", 20, owner="farm")
    registry.register_scheme(desk, shipped("gec"))
    acting.transfer(desk, "farm", "mill", pick("X:0-12"), note="secret")
    acting.mark(desk, "reserve", "mill", pick("X:3-6"), "secret")
    acting.mark(desk, "release", "mill", pick("X:3-6"), "secret")
    acting.merge(desk, "mill", pick("X:0-12"))
    acting.transfer(desk, "mill", "shop", pick("X:10-12"))
    return certified


def chain(house: House, retirement: bytes) -> set[int]:
    """Entries from a retirement back to the import, by headers alone."""
    headers = [json.loads(data.split(b"\n", 1)[0]) for _, data in entries_of(house)]
    begun = {
        holding: index for index, one in enumerate(headers) for holding in one.get("begins", ())
    }
    todo = [
        index
        for index, one in enumerate(headers)
        if one.get("retirement") == retirement.hex() and one["type"] == "unit.move"
    ]
    found: set[int] = set()
    while todo:
        index = todo.pop()
        found.add(index)
        todo += [begun[holding] for holding in headers[index].get("ends", ())]
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_the_chain_is_in_the_file(traded: House, level: Level) -> None:
    """Of all levels: moves, ticks before them, schemes in force then; no other moves."""
    four = retired(traded, 4, code="X")
    shown = evidence(traded, claim(traded, four), level)
    wanted = chain(traded, four)
    assert set(shown.leaves) == wanted
    kinds = [shown.headers[index]["type"] for index in sorted(wanted)]
    assert kinds[0] == "unit.issue"
    assert [shown.headers[index]["act"] for index in sorted(wanted)[1:]] == [
        "transfer",
        "split",
        "reserve",
        "release",
        "merge",
        "transfer",
        "retire",
    ]
    every = [json.loads(data.split(b"\n", 1)[0])["type"] for _, data in entries_of(traded)]
    for index in wanted:
        tick = max(at for at in range(index) if every[at] == "tick")
        assert shown.headers[tick]["type"] == "tick"
    schemes = [one for one in shown.headers.values() if one["type"] == "scheme.register"]
    assert [one["scheme"] for one in schemes] == ["gec", "gec"]
    assert {one["body"]["hash"] for one in schemes} <= {one["hash"] for one in shown.file["bodies"]}


def test_parts_stand_in_order(traded: House) -> None:
    """The claim, units by entry, and then what the level opens."""
    four = retired(traded, 4, code="X")
    file = evidence(traded, claim(traded, four), "full").file
    kinds = [part["part"] for part in file["parts"]]
    order = ["claim", "units", "division", "cells"]
    assert kinds == sorted(kinds, key=order.index)
    assert set(kinds) == set(order)
    entries = [part["entry"] for part in units(file)]
    assert entries == sorted(entries)


def test_each_move_shows_its_act_and_whose_the_chain_is(traded: House) -> None:
    four = retired(traded, 4, code="X")
    shown = evidence(traded, claim(traded, four), "total")
    issue, *moves = sorted(shown.leaves)
    batch, owner = shown.leaves[issue].values()
    assert (batch["batch"], batch["first"], batch["end"]) == ("gec/X/0", 0, 20)
    assert owner["owner"] == "farm"
    acts = [shown.leaves[index][0] for index in moves]
    assert [sum(one["end"] - one["first"] for one in act["gone"]) for act in acts] == [0] * 6 + [4]
    assert acts[-1]["terms"]["beneficiary"] == "mill"
    for index in moves:
        for leaf in list(shown.leaves[index].values())[1:]:
            assert leaf["owner"] == "mill", "a holding of the chain"


def test_what_is_not_of_the_chain_is_not_shown(traded: House) -> None:
    """Neither whose the other parts are, nor what the import's paper said."""
    four = retired(traded, 4, code="X")
    shown = evidence(traded, claim(traded, four), "full")
    assert '"shop"' not in shown.texts()
    issue = min(shown.leaves)
    assert max(shown.leaves[issue]) < shown.headers[issue]["body"]["size"] - 1


def test_earlier_revisions_of_a_code_are_shown(traded: House) -> None:
    """So that a number can't be in two of them; of a later one there is no need."""
    for first in (20, 30):
        more = SerialRange(first=first, end=first + 10)
        share = Share(class_="ordinary", owner="mill", units=more)
        batch = NewBatch(code="X", units=more, period=month("2026-02"), shares=(share,))
        registry.issue(traded.desk, "gec", [batch])
    use = acting.retire(traded.desk, "mill", pick("X:20-22"), _green())[0]
    shown = evidence(traded, claim(traded, use), "total")
    first_, second, last = sorted(shown.leaves)
    assert [leaf.get("batch") for leaf in shown.leaves[first_].values()] == ["gec/X/0"]
    assert [leaf.get("batch") for leaf in shown.leaves[second].values()] == ["gec/X/1", None]
    assert shown.headers[last]["act"] == "retire"


def _green() -> Use:
    return Use(beneficiary="mill", purpose="green-power", period=FEB)


@pytest.mark.parametrize("level", LEVELS)
def test_bound_ones_and_credits_have_chains_too(certified: House, level: Level) -> None:
    issued(certified)
    handed_over(certified)
    four, tonnes = retired(certified, 4, code="R"), neutral(certified, 3)
    shown = evidence(certified, claim(certified, four, tonnes), level)
    assert set(shown.leaves) == chain(certified, four) | chain(certified, tonnes)
    batches = {
        leaf["batch"]: leaf
        for leaves in shown.leaves.values()
        for leaf in leaves.values()
        if "batch" in leaf
    }
    assert set(batches) == {"gec/R/0", "ccer/C/0"}
    assert len(batches["gec/R/0"]["lots"]) == 1
    assert batches["gec/R/0"]["eligible_wh"] == 4_000_000


def test_a_replacement_shows_the_chains_that_it_took_over(traded: House) -> None:
    four, two = retired(traded, 4, code="X"), retired(traded, 2)
    first = claim(traded, four)
    again = service.replace(traded.desk, first.claim, "more", retirements=[two])
    shown = evidence(traded, again, "total")
    assert set(shown.leaves) == chain(traded, four) | chain(traded, two)


def test_a_claim_of_retirements_alone_has_evidence(certified: House) -> None:
    imported(certified, "S", 3, owner="shop")
    three = retired(certified, 3, code="S", owner="shop")
    report = claim(certified, three, points=["oven"])
    for level in LEVELS:
        shown = evidence(certified, report, level)
        assert set(shown.leaves) == chain(certified, three)
        assert {part["part"] for part in shown.file["parts"]} == {"claim", "units"}
