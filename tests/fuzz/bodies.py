"""Bodies: JSON that ledger and verifier judge alike, and trees that the ledger packs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from greenledger_verify import leaves
from greenledger_verify.bodies import verify_body
from greenledger_verify.failure import VerificationError
from ledger.claims.body import ClaimBody
from ledger.errors import InvalidInput, LedgerError
from ledger.log.bodies import Blob, json_media
from ledger.lots.division import Division
from ledger.matching.allocations import Allocations, LaneRow
from ledger.matching.allocations import _leaf_chunks as allocation_chunks
from ledger.metering.batches import Block, Readings, leaf_rows, nonces
from ledger.registry.body import UnitsBody
from tests.claims import test_body as claims
from tests.differential import test_bodies as first
from tests.differential import test_unit_bodies as second
from tests.differential.writing import write
from tests.fuzz import mutate
from tests.fuzz.engine import Target, require_words
from tests.ledgers import DAY_S, ORIGIN
from tests.lots import test_division as lots

READERS: dict[str, Callable[[dict[str, Any]], object]] = {**first.READERS, **second.READERS}
SECRET, ID = bytes(range(32)), "00" * 16


def json_inputs() -> list[bytes]:
    """The name of a kind, a newline, the JSON."""
    good = {**first.GOOD, **second.GOOD}
    return [
        f"{name}\n{write(content, random.Random(0))}".encode()
        for name, contents in good.items()
        for content in contents
    ]


def leaf_inputs() -> list[bytes]:
    return [
        f"{kind}\n{write(content, random.Random(0))}".encode()
        for kind, contents in second.LEAVES.items()
        for content in contents
    ]


def named_json(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    name, _, text = raw.partition(b"\n")
    pieces = [one.partition(b"\n")[2] for one in chance.choices(others, k=2)]
    return name + b"\n" + mutate.json_values(text, pieces, chance)


def json_judge(data: bytes) -> bool:
    name, _, text = data.partition(b"\n")
    kind = name.decode()
    raw, media = bytes(32) + text, json_media(kind)
    mine = said(lambda: READERS[kind](Blob.open(raw, media).json()))
    other = said(lambda: verify_body(raw, {"size": len(raw), "media": media}))
    assert bool(mine) == bool(other), f"ledger {mine!r}, verifier {other!r}"
    return not mine


def leaf_judge(data: bytes) -> bool:
    name, _, text = data.partition(b"\n")
    kind = name.decode()
    mine = said(lambda: second.ledger_reads(kind, text))
    other = said(lambda: second.verifier_reads(kind, text))
    if not mine and any(one in other for one in second.BESIDE_OTHERS):
        return False
    assert bool(mine) == bool(other), f"ledger {mine!r}, verifier {other!r}"
    return not mine


def said(read: Callable[[], object]) -> str:
    """Why it is refused; nothing where it is not."""
    try:
        read()
    except (LedgerError, VerificationError) as error:
        return str(error) or "?"
    return ""


# Packed trees


class Packed(Protocol):
    @property
    def data(self) -> bytes: ...


def readings() -> Readings:
    blocks = [
        Block(
            point=bytes([point]) * 16,
            start_s=DAY_S,
            length_s=900,
            value=np.arange(point, point + 4, dtype=np.int64),
            quality=np.array([0, 1, 2, 512], dtype=np.uint16),
        )
        for point in (1, 2)
    ]
    return Readings.seal(blocks, secret=SECRET, origin=ORIGIN, id_=ID)


def allocations() -> Allocations:
    lanes = [
        LaneRow(
            contract=bytes([number]) * 16,
            source=b"s" * 16,
            consumer=b"c" * 16,
            supply_class=number,
            start_s=DAY_S,
            length_s=900,
            wh=np.array([0, 7, 2**40], dtype=np.int64),
        )
        for number in (1, 2, 4)
    ]
    return Allocations.seal(lanes, secret=SECRET, origin=ORIGIN, id_=ID)


def units() -> UnitsBody:
    content = [second.BATCH, *(second.OWNER | {"holding": one} for one in second.H[:2])]
    return UnitsBody.seal([*content, second.PAPER], secret=SECRET, origin=ORIGIN, id_=ID)


OPEN: dict[bytes, Callable[[bytes], Packed]] = {
    b"GLR1": lambda data: Readings.open(data, origin=ORIGIN, id_=ID),
    b"GLA1": lambda data: Allocations.open(data, origin=ORIGIN, id_=ID),
    b"GLD1": lambda data: Division.open(data, place=lots.PLACE),
    b"GLC1": lambda data: ClaimBody.open(data, origin=ORIGIN, id_=ID),
    b"GLU1": lambda data: UnitsBody.open(data, origin=ORIGIN, id_=ID),
}


def packed_inputs() -> list[bytes]:
    made: list[Packed] = [
        readings(),
        allocations(),
        lots.seal(),
        claims.seal(*claims.GOOD),
        units(),
    ]
    return [one.data for one in made]


def packed_judge(data: bytes) -> bool:
    """Whoever opens it writes the same bytes, and the verifier takes each leaf."""
    for open_ in OPEN.values() if data[:4] not in OPEN else (OPEN[data[:4]],):
        try:
            found = open_(data)
        except InvalidInput as error:
            require_words(str(error))
            continue
        assert found.data == data
        if isinstance(found, Readings):
            stream = nonces(found.secret, ORIGIN, ID, found.size)
            for row in leaf_rows(found.blocks, stream)[:8]:
                leaves.parse_reading(bytes(row))
        if isinstance(found, Allocations):
            for chunk in allocation_chunks(found.lanes, bytes(16 * found.size)):
                for row in chunk[:8]:
                    leaves.parse_allocation(bytes(row))
        if isinstance(found, UnitsBody):
            for number in range(found.size):
                said(partial(found.json, number))
        return True
    return False


def packed_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """After the magic, more often than not."""
    if chance.random() < 0.1:
        return mutate.binary(raw, others, chance)
    return raw[:4] + mutate.binary(raw[4:], others, chance)


TARGETS = (
    Target(name="json-body", corpus=json_inputs, judge=json_judge, mutate=named_json, share=90),
    Target(name="unit-leaf", corpus=leaf_inputs, judge=leaf_judge, mutate=named_json, share=60),
    Target(name="packed", corpus=packed_inputs, judge=packed_judge, mutate=packed_mutate, share=90),
)
