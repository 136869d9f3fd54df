"""Readings and their corrections, good and bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ledger.db import reading
from ledger.log.bodies import Blob, Body, reference
from ledger.log.notes import SigningKey
from ledger.metering import store
from ledger.metering.batches import Block, Readings
from ledger.metering.erasing import Erasing
from tests.differential.world import EMPTY_MANIFEST, POINTS, Act, World, references, sealed
from tests.ledgers import DAY_S, ORIGIN, QUARTER_S


def send_readings(world: World) -> Act:
    author = world.author(world.chance.choice(["farm", "mill", "operator"]))
    source = world.chance.choice(["a", "b"])
    sequence, previous = world.chains.get((author, source), (0, ""))
    if world.chance.random() < 0.1:
        sequence, previous = world.chance.choice([(0, ""), (sequence + 1, previous), (1, "0" * 64)])
    known = [point for point, owner in world.owners.items() if author in (owner, "operator")]
    points = known[: world.chance.choice([1, 2])] or [world.chance.choice(POINTS)]
    blocks = [_block(world, point) for point in sorted(points)]
    correction = bool(world.leaves) and world.chance.random() < 0.4
    if correction:
        blocks = [_same_block(world, block) for block in blocks]
    said = world.said("readings.correction" if correction else "readings", author)
    said |= {"source": source, "sequence": sequence, "previous": previous}
    return batch(world, said, world.key(author), blocks)


def correct(world: World) -> Act:
    """The operator says that there was nothing in two hours, or twice as much: claims fall short
    by that, and are whole again."""
    point = world.chance.choice(POINTS[:3])
    length_s = 8 * QUARTER_S
    if not all((point, DAY_S + offset_s) in world.leaves for offset_s in range(0, length_s, 900)):
        return send_readings(world)
    block = Block(
        point=bytes.fromhex(point),
        start_s=DAY_S,
        length_s=QUARTER_S,
        value=np.full(8, world.chance.choice([0, 0, 2_000, 3_000]), dtype=np.int64),
        quality=np.zeros(8, dtype=np.uint16),
    )
    sequence, previous = world.chains.get(("operator", "correct"), (0, ""))
    said = world.said("readings.correction", "operator")
    said |= {"source": "correct", "sequence": sequence, "previous": previous}
    return batch(world, said, world.key("operator"), [block])


def batch(world: World, said: Mapping[str, Any], key: SigningKey, blocks: Sequence[Block]) -> Act:
    """The readings of `blocks`, each of which a correction has to replace."""
    body = Readings.seal(
        blocks, secret=world.chance.randbytes(32), origin=ORIGIN, id_=str(said["id"])
    )
    sealed_bodies: dict[str, Body] = {
        "body": body,
        "manifest": sealed(world, EMPTY_MANIFEST, "manifest"),
    }
    starts = [
        (block.point.hex(), block.start_s + n * block.length_s)
        for block in blocks
        for n in range(block.count)
    ]
    if said["type"] == "readings.correction":
        content = b"".join(bytes.fromhex(world.leaves.get(one, "00" * 32)) for one in starts)
        if world.chance.random() < 0.1:
            content = bytes(len(content))
        sealed_bodies["corrects"] = Blob.seal(
            content, "application/vnd.greenledger.corrects", salt=world.chance.randbytes(32)
        )
    leaves = dict(zip(starts, (leaf.hex() for leaf in body.leaf_hashes), strict=True))
    return Act(
        said={**said, **references(said["type"], sealed_bodies)},
        keys=(key,),
        bodies={name: one.data for name, one in sealed_bodies.items()},
        leaves=leaves,
    )


def _block(world: World, point: str) -> Block:
    count = world.chance.choice([1, 4, 8])
    start_s = DAY_S + QUARTER_S * world.chance.randrange(0, 48, 4)
    if world.chance.random() < 0.05:
        start_s = world.chance.choice([DAY_S + 1, world.clock.now_s, 2**37, 0])
    value = [world.chance.choice([0, 7, 1_000]) for _ in range(count)]
    if world.chance.random() < 0.05:
        value[0] = world.chance.choice([-1, 2**62])
    return Block(
        point=bytes.fromhex(point),
        start_s=start_s,
        length_s=world.chance.choice([QUARTER_S] * 9 + [3600]),
        value=np.array(value, dtype=np.int64),
        quality=np.zeros(count, dtype=np.uint16),
    )


def _same_block(world: World, block: Block) -> Block:
    """One interval that stands already, where there is one."""
    held = [start for point, start in world.leaves if point == block.point.hex()]
    if not held:
        return block
    return Block(
        point=block.point,
        start_s=world.chance.choice(held),
        length_s=block.length_s,
        value=block.value[:1],
        quality=block.quality[:1],
    )


def erase(world: World) -> Act:
    """Mostly a batch or two that are there, by who may; else something is amiss."""
    house = world.house
    with reading(house.engine) as conn:
        rows = store.batch_rows(conn, 1, world.size)
        chosen = world.chance.sample(rows, min(len(rows), world.chance.choice([1, 1, 2])))
        kept = [
            Erasing(
                batch=row.leaf_hash,
                file="",
                blocks=tuple(store.times_of_batch(conn, 1, row.entry_index)),
            )
            for row in sorted(chosen, key=lambda row: row.leaf_hash)
        ]
    batches = [one.batch.hex() for one in kept] or ["00" * 32]
    if world.slips(0.1):
        batches = [world.chance.choice([*world.leaf_hashes, "00" * 32])]
    body = sealed(world, {"batches": [one.to_json() for one in kept]}, "erased")
    author = world.author(chosen[0].author if chosen else "operator")
    if world.chance.random() < 0.5:
        author = "operator"
    said = world.said("readings.erase", author, batches=batches, reason="not kept any longer")
    said["body"] = reference(body, "hash")
    return Act(said=said, keys=(world.key(author),), bodies={"body": body.data})
