"""Records put, replaced and ended, and reports that the log recomputes, good and bad."""

from __future__ import annotations

from typing import Any

from ledger.db import reading
from ledger.log.bodies import Blob, reference
from ledger.records.model import FACTORS
from ledger.reports import store
from ledger.reports.changes import changes
from ledger.reports.model import MEDIA, encode
from ledger.reports.service import draft
from tests.differential.world import PARTIES, Act, World, sealed
from tests.records.contents import a_set
from tests.reports.counting import COUNTING

NAMES = ("grid", "heat", "a1" * 16)
REPORTS = ("b1" * 16, "b2" * 16)


def _name(world: World) -> tuple[str, str, str, str]:
    """Register and name, its last entry and whose it is, as the world remembers them."""
    register = world.chance.choice(["factors", "factors", "regime", "activity"])
    name = world.chance.choice(NAMES)
    if register == "activity" and not world.slips(0.2):
        name = NAMES[2]
    last, author = world.records.get((register, name), ("", world.chance.choice(PARTIES)))
    if world.slips(0.1):
        last = world.chance.choice(["", *world.stale[-3:]])
    return register, name, last, author


def put_record(world: World) -> Act:
    register, name, last, owner = _name(world)
    author = world.author(owner)
    value = world.chance.randrange(5)
    content = a_set(value) if register == FACTORS else {"value": value}
    body = sealed(world, content, "record")
    said = world.said(
        "record.put",
        author,
        register=register,
        name=name,
        replaces=last,
        body=reference(body, "hash"),
    )
    return Act(said=said, keys=(world.key(author),), bodies={"body": body.data})


def end_record(world: World) -> Act:
    register, name, last, owner = _name(world)
    author = world.author(owner)
    said = world.said(
        "record.end", author, register=register, name=name, replaces=last, reason="out of date"
    )
    return Act(said=said, keys=(world.key(author),))


def publish_report(world: World) -> Act:
    report = world.chance.choice(REPORTS)
    house = world.house
    with reading(house.engine) as conn:
        known = store.versions(conn, house.log.log_id, report)
        before = known[-1] if known else None
        as_of = world.size
        if world.slips(0.1):
            as_of = world.chance.choice([0, 1, world.size + 1, world.size - 1])
        about = {"prefix": world.chance.choice(["", "m"])}
        size = min(max(as_of, 1), world.size)
        content: dict[str, Any] = draft(conn, house.log, COUNTING, "inventory", about, as_of=size)
        content["as_of"] = as_of
        if before is not None:
            content["changes"] = changes(store.load(conn, house.log, before), content)
    author = world.author(before.author if before else world.chance.choice(PARTIES))
    body = Blob.seal(encode(content), MEDIA, salt=world.chance.randbytes(32))
    said = world.said(
        "report.publish",
        author,
        kind="balance" if world.slips(0.05) else "inventory",
        report=report,
        replaces="" if before is None or world.slips(0.1) else before.id,
        as_of=as_of,
        body=reference(body, "hash"),
    )
    return Act(said=said, keys=(world.key(author),), bodies={"body": body.data})
