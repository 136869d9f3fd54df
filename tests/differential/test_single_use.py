"""Who uses what is used already: three readers of headers give the same verdict on each entry.

`ledger.lots.rule.scan`, the verifier's rules on a complete log, and the verifier's quick scan are
handed entries of one generator, which draws members from small pools and keeps no book itself: most
entries use something twice, or before it is there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify import scan as quick
from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.note import parse_vkey
from greenledger_verify.rules import apply
from greenledger_verify.state import State
from ledger.errors import LedgerError, Refused
from ledger.lots import rule
from tests.differential.writing import write
from tests.verifier.forge import LOG, MEDIA, OPERATOR, ORIGIN, Key, leaf, note, reference
from tests.verifier.forge_park import MILL, SHOP, SUN, WIND, LotPark

STEPS: Final = 120
LOTS: Final = [f"{number:032x}" for number in range(1, 15)]
CLAIMS: Final = [f"{number:032x}" for number in range(5)]
KINDS: Final = (
    *["lot.divide"] * 3,
    "lot.wrap",
    *["claim.make"] * 3,
    "claim.withdraw",
    *["claim.flag"] * 2,
)


class Headers:
    """Draws entries: well signed, by whom they may be, about anything."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.park = LotPark()
        self.park.register()
        batch = self.park.readings(OPERATOR, [(SUN, 1, 900, 5, 0)])
        self.park.readings(
            OPERATOR,
            [(SUN, 1, 900, 6, 0)],
            kind="readings.correction",
            sequence=1,
            previous=leaf(self.park.log.entries[batch.entry]).hex(),
            corrects={"hash": "00" * 32, "size": 64, "media": MEDIA + "corrects"},
        )
        self.correction = leaf(self.park.log.entries[-1]).hex()
        self.runs = [self.park.start_run().hex() for _ in range(4)]
        self.entries = self.park.log.entries

    def draw(self) -> bytes:
        kind = self.chance.choice(KINDS)
        members = {
            "lot.divide": self._division,
            "lot.wrap": self._wrap,
            "claim.make": self._claim,
            "claim.withdraw": self._withdrawal,
            "claim.flag": self._flag,
        }[kind]()
        signer: Key = OPERATOR
        if kind in ("claim.make", "claim.withdraw"):
            signer = self.chance.choice([MILL, MILL, MILL, SHOP, OPERATOR])
        party = signer.name.rpartition("/")[2]
        said = self.park.log.statement(kind, party, **members)
        return note(write(said, self.chance).encode() + b"\n", signer)

    def _list(self, pool: list[str], least: int, most: int) -> list[str]:
        """Sorted, but for once in a while."""
        found = sorted(self.chance.sample(pool, self.chance.randint(least, most)))
        if found and self.chance.random() < 0.04:
            found = self.chance.choice([found[::-1], [found[0], *found], [*found, found[-1]]])
        return found

    def _division(self) -> dict[str, Any]:
        months = [f"{point}/2026-{month:02}" for point in (SUN, WIND) for month in (1, 2, 3)]
        pool = [f"{month}/{revision}" for month in months for revision in (0, 0, 0, 1, 2)]
        origins = self._list(sorted(set(pool)), 1, 2) if self.chance.random() < 0.4 else []
        origins = origins or [self.chance.choice(pool)]
        creates = self._list(LOTS, 1, 3)
        size = len(origins) + len(creates)
        return {
            "run": self.chance.choice(self.runs),
            "origins": origins,
            "spends": self._list(LOTS, 0, self.chance.choice([0, 0, 0, 1])),
            "creates": creates,
            "body": {"root": "11" * 32, "size": size, "media": MEDIA + "division"},
        }

    def _wrap(self) -> dict[str, Any]:
        body = reference(bytes(40), "form+json")
        form = self.chance.choice(["gec", "settlement", "stamp"])
        return {"form": form, "wraps": self._list(LOTS, 1, 2), "body": body}

    def _claim(self) -> dict[str, Any]:
        replaces = self.chance.choice(["", "", "", *CLAIMS])
        return {
            "claim": self.chance.choice(CLAIMS),
            "replaces": replaces,
            "spends": self._list(LOTS, 0 if replaces else 1, 1),
            "retires": [],
            "body": {"root": "22" * 32, "size": 2688, "media": MEDIA + "claim"},
            "manifest": reference(bytes(40), "claim+json"),
        }

    def _withdrawal(self) -> dict[str, Any]:
        return {"claim": self.chance.choice(CLAIMS), "reason": "mistaken"}

    def _flag(self) -> dict[str, Any]:
        state = self.chance.choice(["short", "cured"])
        return {"claim": self.chance.choice(CLAIMS), "state": state, "because": self.correction}


class Readers:
    """The three, each with a book of its own."""

    def __init__(self) -> None:
        self.state = State(origin=ORIGIN, log_key=parse_vkey(LOG.vkey), complete=True)
        self.passed = quick._Pass(origin=ORIGIN, operator="operator", claim_index=0)
        self.uses = rule.SingleUse()
        self.entries: list[tuple[int, bytes]] = []

    def judge(self, raw: bytes) -> dict[str, str]:
        """What each says against the next entry; takes it in where nobody does."""
        index = len(self.entries)
        said = {
            "rules": _why(lambda: apply(self.state, parse_entry(raw), index)),
            "quick": self._quick(raw, index),
            "ledger": _why(lambda: self.uses.take(index, json.loads(raw.partition(b"\n")[0]))),
        }
        if not any(said.values()):
            self.entries.append((index, raw))
        return said

    def _quick(self, raw: bytes, index: int) -> str:
        if any(word in raw for word in quick._RELEVANT) and raw.startswith(b"{"):
            quick._take(self.passed, raw, index)
        failure, self.passed.failure = self.passed.failure, None
        return str(failure or "")


def _why(read: Callable[[], object]) -> str:
    try:
        read()
    except (LedgerError, VerificationError) as error:
        return str(error) or "?"
    return ""


@settings(max_examples=25)
@given(seed=st.integers(0, 2**64))
def test_the_same_verdict_on_each_header(seed: int) -> None:
    headers, readers = Headers(random.Random(seed)), Readers()
    for raw in headers.entries:
        assert not any(readers.judge(raw).values())
    broken = b""
    for _ in range(STEPS):
        raw = headers.draw()
        said = readers.judge(raw)
        assert len({bool(why) for why in said.values()}) == 1, f"{raw!r}: {said}"
        broken = raw if any(said.values()) else broken
    assert rule.scan(readers.entries) == readers.uses
    last = len(readers.entries)
    with pytest.raises(Refused, match=f"^entry {last}: "):
        rule.scan([*readers.entries, (last, broken)])


def test_good_and_broken_ones_are_drawn() -> None:
    """Each type is taken, and each rule broken, often enough for the test above to mean much."""
    taken: set[str] = set()
    refused: set[str] = set()
    for seed in range(12):
        headers, readers = Headers(random.Random(seed)), Readers()
        for raw in headers.entries:
            readers.judge(raw)
        for _ in range(STEPS):
            raw = headers.draw()
            why = readers.judge(raw)["ledger"]
            if why:
                refused.add(why)
            else:
                taken.add(parse_entry(raw).type)
    assert taken == set(KINDS)
    every = "\n".join(refused)
    for rule_ in (
        "was divided before",
        "is divided before revision",
        "its run was divided",
        "was created before",
        "was never created",
        "was spent before",
        "is wrapped as",
        "was made before",
        "was never made",
        "is in force no more",
        "by another than its author",
        "out of turn",
        "stands twice",
        "is withdrawn by",
    ):
        assert rule_ in every
