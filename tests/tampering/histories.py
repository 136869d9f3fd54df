"""Attacks on the log as a whole: by SQL, by whoever holds all keys, and on files.

Each changes a copy of a `World` and returns with what the watchers are to compare it: a checkpoint
that somebody else has, mostly none.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger import db, schema
from ledger.claims import service as claims
from ledger.db import reading, writing
from ledger.errors import LedgerError
from ledger.house import ENTRY_TYPES, House
from ledger.log import export, merkle
from ledger.log.notes import SigningKey
from ledger.log.service import Placement, Submission
from ledger.matching.service import run_matching
from ledger.parties.desk import Draft
from ledger.recovery.backup import backup
from ledger.recovery.restore import restore
from tests.claims import parks
from tests.ledgers import (
    FARM,
    GRID,
    ORIGIN,
    begin,
    copy_ledger,
    introduce,
    keys_of,
    no_progress,
    open_house,
    operator_key,
    party_statement,
    raw,
    rows,
    settings_in,
    signed,
    submit,
    tamper,
)
from tests.tampering.watchers import World, prepare
from tests.watching.operator import Operator

Said = dict[str, str]


@dataclass(frozen=True)
class Attack:
    """`run` attacks a world, and returns what was found by whom."""

    what: str
    run: Callable[[World], Said]


def build(begun: Path, folder: Path) -> World:
    """A small park with a claim, an earlier copy of it, and all who watch it."""
    copy_ledger(begun, folder / "data")
    house = open_house(folder / "data")
    _fill(house)
    house.engine.dispose()
    copy_ledger(folder / "data", folder / "early")
    house = open_house(folder / "data")
    grow(house, "late", "later")
    try:
        return prepare(house, folder)
    finally:
        house.engine.dispose()


def _fill(house: House) -> None:
    parks.fill(house)
    house.desk.register_party("grid", "Grid company", ["verifier"])
    introduce(house, "grid", GRID)
    introduce(house, "farm", FARM)
    farm_key = keys_of(house, "farm")[-1].key.vkey
    vouched = {"party": "farm", "vkey": farm_key, "claim": "Seen on site"}
    draft = Draft(type="key.endorse", author="grid", members=vouched)
    house.desk.writer.append(house.desk.sign(draft, key=GRID))
    run_matching(house.desk, parks.DAY)
    claims.make(house.desk, ["saw"], parks.DAY)
    house.checkpoint()


def grow(house: House, *parties: str) -> None:
    for party in parties:
        submit(house, party_statement(party), operator_key(house))


# By SQL


def _by_sql(*changes: str | tuple[str, tuple[Any, ...]]) -> Callable[[World], Said]:
    def run(world: World) -> Said:
        tamper(world.data, *changes)
        return world.found()

    return run


def _entry_changed(world: World) -> Said:
    house = open_house(world.data)
    ((index, data),) = rows(
        house, "SELECT entry_index, data FROM entries WHERE type = 'claim.make'"
    )
    house.engine.dispose()
    changed = bytes(data).replace(b'"replaces":""', b'"replaces":"' + b"0" * 32 + b'"')
    assert changed != data
    tamper(world.data, ("UPDATE entries SET data = ? WHERE entry_index = ?", (changed, index)))
    return world.found()


def _entry_inserted(world: World) -> Said:
    """Signed as it should be, only later than it says it stands."""
    house = open_house(world.data)
    new = signed(party_statement("ghost", id="ab" * 16), operator_key(house))
    house.engine.dispose()
    connection = raw(world.data)
    with connection.unguarded():
        connection.execute("UPDATE entries SET entry_index = -entry_index WHERE entry_index > 9")
        connection.execute("UPDATE entries SET entry_index = 1 - entry_index WHERE entry_index < 0")
        changes = {"data": new, "leaf_hash": merkle.leaf_hash(new), "id": "ab" * 16}
        row = connection.row("entries", "type = 'party.register'")
        connection.insert("entries", row | changes | {"entry_index": 10})
    connection.close()
    return world.found()


# By the operator, who holds all keys, and removes the high-water record


def _forget_record(world: World) -> None:
    for record in settings_in(world.data).high_water.glob("*.json"):
        record.unlink()


def _put_back(world: World) -> None:
    for name in ("ledger.sqlite3-wal", "ledger.sqlite3-shm"):
        (world.data / name).unlink(missing_ok=True)
    shutil.copy(world.folder / "early" / "ledger.sqlite3", world.data / "ledger.sqlite3")


def _rolled_back(world: World) -> Said:
    _put_back(world)
    return world.found()


def _rolled_back_unseen(world: World) -> Said:
    _put_back(world)
    _forget_record(world)
    return world.found()


def _gone_on(world: World) -> Said:
    _put_back(world)
    _forget_record(world)
    house = open_house(world.data)
    grow(house, "other", "another", "a-third")
    house.engine.dispose()
    return world.found()


def _forked(world: World) -> Said:
    """Two readers are shown two histories, each of which holds. They share a witness, and one
    keeps the checkpoint that the other was shown."""
    other = world.moved(world.folder / "other-reader")
    for one, party in ((other, "for-them"), (world, "for-you")):
        house = open_house(one.data)
        grow(house, party)
        house.engine.dispose()
        assert one.opened() == one.audited() == ""
        one.publish()
    assert other.outsiders() == {}, "each history holds alone"
    shutil.rmtree(world.folder / "witness")
    shutil.copytree(other.folder / "witness", world.folder / "witness")
    theirs = other.published / "checkpoint"
    _, size, root = theirs.read_text().split("\n")[:3]
    pinned = dataclasses.replace(world, pin=(int(size), base64.b64decode(root)))
    return pinned.outsiders(theirs)


def _rewritten(edit: Callable[[list[Submission], SigningKey], None]) -> Callable[[World], Said]:
    """All entries are placed anew, with all that follows from them, and signed again."""

    def run(world: World) -> Said:
        house = open_house(world.data)
        with reading(house.engine) as conn:
            found = list(export.submissions(conn, house.log, ENTRY_TYPES))
        edit(found, operator_key(house))
        house.engine.dispose()
        for old in world.data.glob("ledger.sqlite3*"):
            old.unlink()
        _forget_record(world)
        settings = settings_in(world.data)
        schema.migrate(settings.url)
        engine = db.open_engine(settings.url)
        with writing(engine) as conn:
            placement = Placement(conn, 1, ENTRY_TYPES)
            for one in found:
                placement.place(one)
            placement.finish()
        engine.dispose()
        return world.found()

    return run


def _statement(one: Submission) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(one.data.partition(b"\n\n")[0])
    return found


def _of_type(found: Sequence[Submission], kind: str, **members: str) -> int:
    return next(
        index
        for index, one in enumerate(found)
        if (said := _statement(one))["type"] == kind and members.items() <= said.items()
    )


def _change_one(found: list[Submission], key: SigningKey) -> None:
    at = _of_type(found, "party.register", party="grid")
    found[at] = Submission(data=signed(_statement(found[at]) | {"name": "Others"}, key))


def _leave_one_out(found: list[Submission], _key: SigningKey) -> None:
    del found[_of_type(found, "key.endorse")]


def _insert_one(found: list[Submission], key: SigningKey) -> None:
    at = _of_type(found, "party.register", party="late")
    found.insert(at, Submission(data=signed(party_statement("ghost"), key)))


def _swap_two(found: list[Submission], _key: SigningKey) -> None:
    one, two = (_of_type(found, "party.register", party=name) for name in ("late", "later"))
    found[one], found[two] = found[two], found[one]


def _breaks_a_rule(entry: Callable[[Operator], bytes]) -> Callable[[World], Said]:
    """The operator's own program does not ask the rules; what is published has all hashes right."""

    def run(world: World) -> Said:
        house = open_house(world.data)
        operator = Operator.of(house, "mill")
        house.engine.dispose()
        operator.publish(world.published, [*operator.entries, entry(operator)])
        return world.outsiders()

    return run


# Files


def _file(name: str, change: Callable[[bytes], bytes]) -> Callable[[World], Said]:
    """What is published is changed on its way, or where it lies."""

    def run(world: World) -> Said:
        (path,) = world.published.glob(name)
        path.write_bytes(change(path.read_bytes()))
        return world.outsiders()

    return run


def _swap_hashes(tile: bytes) -> bytes:
    return tile[32:64] + tile[:32] + tile[64:]


def _other_key(note: bytes) -> bytes:
    text = note.partition(b"\n\n")[0] + b"\n"
    thief = SigningKey.from_seed(ORIGIN, b"\x09" * 32)
    return text + b"\n" + thief.signature_line(text)


def _replayed(world: World) -> Said:
    """Somebody on the way shows what was true before."""
    house = open_house(world.folder / "early")
    shutil.rmtree(world.published)
    house.export_tiles(world.published, no_progress)
    house.engine.dispose()
    return world.outsiders()


def _record_changed(world: World) -> Said:
    (path,) = settings_in(world.data).high_water.glob("*.json")
    record = json.loads(path.read_bytes())
    path.write_bytes(json.dumps(record | {"size": record["size"] - 2}).encode())
    return world.found()


def _keys_replaced(world: World) -> Said:
    """The files of the keys that the server holds are those of another ledger."""
    begin(world.folder / "fake").engine.dispose()
    shutil.rmtree(world.data / "secrets")
    shutil.copytree(world.folder / "fake" / "secrets", world.data / "secrets")
    house = open_house(world.data)
    try:
        grow(house, "stolen")
    except LedgerError as error:
        return {"open": str(error)}
    finally:
        house.engine.dispose()
    return {}


def _backup(name: str, change: Callable[[bytes], bytes]) -> Callable[[World], Said]:
    """A file of a backup is changed, and the ledger is restored from it."""

    def run(world: World) -> Said:
        house, saved = open_house(world.data), world.folder / "backup"
        backup(house, saved, no_progress)
        house.engine.dispose()
        path = max(saved.glob(name), key=str)
        path.write_bytes(change(path.read_bytes()))
        place = world.folder / "restored"
        (place / "secrets").mkdir(mode=0o700, parents=True)
        shutil.copy(world.data / "secrets" / "kek", place / "secrets" / "kek")
        try:
            restore(settings_in(place), saved, no_progress)
        except LedgerError as error:
            return {"restore": str(error)}
        return {}

    return run


def _flip(data: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


ATTACKS: dict[str, Attack] = {
    "entry changed": Attack("an entry is changed by SQL", _entry_changed),
    "entry deleted": Attack(
        "the last entry is deleted by SQL",
        _by_sql("DELETE FROM entries WHERE entry_index = (SELECT max(entry_index) FROM entries)"),
    ),
    "entry inserted": Attack("a signed entry is put between by SQL", _entry_inserted),
    "entries reordered": Attack(
        "two entries change places by SQL",
        _by_sql(
            "UPDATE entries SET entry_index = 1000 WHERE entry_index = 1",
            "UPDATE entries SET entry_index = 1 WHERE entry_index = 3",
            "UPDATE entries SET entry_index = 3 WHERE entry_index = 1000",
        ),
    ),
    "rolled back": Attack("the database is an old copy", _rolled_back),
    "rolled back, no record": Attack(
        "the database is an old copy, and the high-water record is gone", _rolled_back_unseen
    ),
    "old copy goes on": Attack(
        "the same, and other entries follow until it is longer than it was", _gone_on
    ),
    "forked": Attack("two readers are shown two histories, signed by the same keys", _forked),
    "rewritten: changed": Attack(
        "an entry is signed anew with other content, and all that follows from it",
        _rewritten(_change_one),
    ),
    "rewritten: left out": Attack("an entry is left out, likewise", _rewritten(_leave_one_out)),
    "rewritten: inserted": Attack("an entry is put between, likewise", _rewritten(_insert_one)),
    "rewritten: reordered": Attack("two entries change places, likewise", _rewritten(_swap_two)),
    "spent twice": Attack(
        "the operator's own program lets a claim spend what another has spent",
        _breaks_a_rule(Operator.spend_again),
    ),
    "batch left out": Attack(
        "the operator's own program leaves out a batch of a source",
        _breaks_a_rule(Operator.skip_a_batch),
    ),
    "record changed": Attack("the high-water record says less", _record_changed),
    "keys replaced": Attack("the files of the server's keys are others", _keys_replaced),
    "published entry": Attack(
        "a byte of a published entry is changed", _file("tile/entries/000.p/*", _flip)
    ),
    "published tile": Attack(
        "two hashes of a published tile change places", _file("tile/0/000.p/*", _swap_hashes)
    ),
    "published checkpoint": Attack(
        "the checkpoint is signed by another key of the log's name", _file("checkpoint", _other_key)
    ),
    "replayed": Attack("somebody on the way shows an older state, all of it", _replayed),
    "backup: entries": Attack(
        "a byte of an entry in a backup is changed", _backup("entries", _flip)
    ),
    "backup: body": Attack("a byte of a body in a backup is changed", _backup("bodies/*", _flip)),
    "backup: checkpoint": Attack(
        "a byte of a checkpoint in a backup is changed", _backup("checkpoints", _flip)
    ),
    "backup: record": Attack("the backup's own record is changed", _backup("backup.json", _flip)),
}
