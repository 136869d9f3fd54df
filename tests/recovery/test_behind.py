"""A ledger that lies behind what was signed: it does not go on, unless nothing is missing.

Each test is a bad day: the disk is lost, or an old copy of the database was put back.
"""

from __future__ import annotations

import base64
import http.server
import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from ledger.errors import Corrupt, InvalidInput, LedgerError, NotFound, Unavailable
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.log.notes import SigningKey, sign_note
from ledger.recovery.backup import backup
from ledger.recovery.restore import Sources, restore
from tests.ledgers import (
    ORIGIN,
    close,
    copy_ledger,
    dump,
    ledger_database,
    open_house,
    operator_key,
    party_statement,
    put_back,
    rows,
    settings_in,
    submit,
    tamper,
)
from tests.recovery.parks import meter, publish, settle
from tests.recovery.places import empty_place, kept_rows

__all__ = ["ledger_database"]


# A checkpoint of the empty log.
NOTHING = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".encode()


def new_machine(house: House, folder: Path) -> Path:
    """The disk with the database is lost; the high-water record lay elsewhere, as it should."""
    place = empty_place(folder, None, house)
    shutil.copytree(house.settings.high_water, place / "high-water")
    return place


def nothing_restored(place: Path) -> None:
    if (place / "ledger.sqlite3").exists():
        assert {name for name, found in dump(place).items() if found} <= {"alembic_version"}
    assert not (place / "secrets/keys").exists()


@pytest.fixture
def behind(begun: House, tmp_path: Path) -> House:
    """A backup in `backup`; then a registration, a batch, and a checkpoint that is published in
    `tiles`."""
    settle(begun)
    meter(begun, 0)
    backup(begun, tmp_path / "backup", no_progress)
    begun.desk.register_party("shop", "Shop", ["enterprise"])
    begun.desk.rotate_key("mill")
    publish(begun, tmp_path / "tiles")
    return begun


@pytest.mark.both_databases
def test_an_old_copy_put_back_does_not_open(begun: House, tmp_path: Path) -> None:
    old = copy_ledger(begun.settings.dir, tmp_path / "old")
    settle(begun)
    begun.checkpoint()
    begun.engine.dispose()
    put_back(old, begun.settings.dir)
    with pytest.raises(Unavailable) as caught:
        open_house(begun.settings.dir)
    assert "greenledger restore BACKUP --tiles FOLDER-OR-URL" in str(caught.value)


@pytest.mark.both_databases
def test_the_disk_is_lost(behind: House, tmp_path: Path) -> None:
    """Backup and published tiles together give back all that anybody has seen."""
    place = new_machine(behind, tmp_path / "place")
    with pytest.raises(Unavailable) as caught:
        restore(settings_in(place), tmp_path / "backup", no_progress)
    said = str(caught.value)
    assert f"greenledger restore {tmp_path / 'backup'} --tiles FOLDER-OR-URL" in said
    assert "--new-origin NAME" in said
    nothing_restored(place)
    sources = Sources(tiles=str(tmp_path / "tiles"))
    found = restore(settings_in(place), tmp_path / "backup", no_progress, sources)
    assert found.from_tiles == 4
    before, after = kept_rows(behind.settings.dir), kept_rows(place)
    for table in set(before) - {"checkpoint_roots", "checkpoint_notes"}:
        assert after[table] == before[table], table
    assert set(map(str, after["checkpoint_notes"])) <= set(map(str, before["checkpoint_notes"]))
    house = open_house(place)
    assert house.checkpoint() == behind.checkpoint()
    house.audit(no_progress)
    # The key that was made after the backup is lost with the disk: the mill gets another one.
    with pytest.raises(NotFound, match="holds no key of 'mill'"):
        meter(house, 1)
    house.desk.create_key("mill")
    meter(house, 1)
    house.checkpoint()
    close(house)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests say nothing."""

    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_tiles_from_the_web(behind: House, tmp_path: Path) -> None:
    place = new_machine(behind, tmp_path / "place")
    with served(tmp_path / "tiles") as url:
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(tiles=url))
        with pytest.raises(NotFound, match="no file 'checkpoint'"):
            restore(
                settings_in(place), tmp_path / "backup", no_progress, Sources(tiles=f"{url}/tile")
            )
    house = open_house(place)
    assert house.checkpoint() == behind.checkpoint()
    close(house)


def test_a_body_that_nobody_has_is_named(behind: House, tmp_path: Path) -> None:
    """All of them, before anything is written; with the folders that have them it goes on."""
    meter(behind, 1)
    publish(behind, tmp_path / "later")
    batch = rows(behind, "SELECT entry_index, data FROM entries WHERE type = 'readings'")[-1]
    statement = json.loads(bytes(batch[1]).split(b"\n")[0])
    place = new_machine(behind, tmp_path / "place")
    later = str(tmp_path / "later")
    with pytest.raises(NotFound) as caught:
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(tiles=later))
    said = str(caught.value)
    assert f"entry {batch[0]} (readings): body {statement['body']['root']}" in said
    assert f"entry {batch[0]} (readings): manifest {statement['manifest']['hash']}" in said
    assert not (place / "ledger.sqlite3").exists()
    behind.export_entries(tmp_path / "export", no_progress)
    # Without the file that came with the batch, it is that which is missing.
    manifest = (tmp_path / "export/bodies" / statement["manifest"]["hash"]).read_bytes()
    file = json.loads(manifest[32:])["file"]["hash"]
    (tmp_path / "export/bodies" / file).rename(tmp_path / file)
    exported = Sources(tiles=later, bodies=[tmp_path / "export"])
    with pytest.raises(NotFound, match=f"attachment {file}"):
        restore(settings_in(place), tmp_path / "backup", no_progress, exported)
    (tmp_path / "loose").mkdir()
    (tmp_path / file).rename(tmp_path / "loose" / file)
    both = Sources(tiles=later, bodies=[tmp_path / "export", tmp_path / "loose"])
    restore(settings_in(place), tmp_path / "backup", no_progress, both)
    assert kept_rows(place)["blocks"] == kept_rows(behind.settings.dir)["blocks"]


def test_a_gateways_outbox_has_what_it_sent(behind: House, tmp_path: Path) -> None:
    meter(behind, 1)
    publish(behind, tmp_path / "later")
    (data,) = rows(behind, "SELECT data FROM entries WHERE type = 'readings'")[-1]
    statement = json.loads(bytes(data).split(b"\n")[0])
    behind.export_entries(tmp_path / "export", no_progress)

    def encoded(key: str) -> str:
        return base64.b64encode((tmp_path / "export/bodies" / key).read_bytes()).decode()

    manifest = (tmp_path / "export/bodies" / statement["manifest"]["hash"]).read_bytes()
    sent = {
        "entry": base64.b64encode(bytes(data)).decode(),
        "bodies": {
            "body": encoded(statement["body"]["root"]),
            "manifest": encoded(statement["manifest"]["hash"]),
        },
        "attachments": [encoded(json.loads(manifest[32:])["file"]["hash"])],
    }
    (tmp_path / "gateway").mkdir()
    with sqlite3.connect(tmp_path / "gateway/outbox.sqlite3") as outbox:
        outbox.execute("CREATE TABLE batches (submission BLOB)")
        outbox.execute("INSERT INTO batches VALUES (?)", (json.dumps(sent).encode(),))
    outbox.close()
    place = new_machine(behind, tmp_path / "place")
    sources = Sources(tiles=str(tmp_path / "later"), bodies=[tmp_path / "gateway"])
    restore(settings_in(place), tmp_path / "backup", no_progress, sources)
    (tmp_path / "gateway/outbox.sqlite3").write_bytes(b"no database at all, but long enough" * 9)
    with pytest.raises(InvalidInput, match="is no outbox of a gateway"):
        restore(settings_in(place), tmp_path / "backup", no_progress, sources)


def test_nothing_gets_round_it(behind: House, tmp_path: Path) -> None:
    """Neither without accounts, nor with other tiles, nor where the record is lost but a pin or a
    checkpoint is held against it."""
    place = new_machine(behind, tmp_path / "place")
    pin = tmp_path / "pin"
    pin.write_bytes((tmp_path / "tiles/checkpoint").read_bytes())
    behind.desk.register_party("late", "Late", ["enterprise"])
    behind.checkpoint()
    shutil.copytree(behind.settings.high_water, place / "high-water", dirs_exist_ok=True)
    attempts = [Sources(log_only=True), Sources(tiles=str(tmp_path / "tiles"))]
    for sources in attempts:
        with pytest.raises(Unavailable, match="the high-water record"):
            restore(settings_in(place), tmp_path / "backup", no_progress, sources)
        nothing_restored(place)
    shutil.rmtree(place / "high-water")
    empty = tmp_path / "empty-pin"
    empty.write_bytes(sign_note(NOTHING, behind.desk.keystore.get(behind.log.log_key)))
    with pytest.raises(Unavailable, match="pin knows a checkpoint of"):
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(pins=[empty, pin]))
    with pytest.raises(Unavailable, match="pin knows a checkpoint of"):
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(pins=[pin]))
    nothing_restored(place)
    published = settings_in(place).model_copy(update={"publish_dir": tmp_path / "tiles"})
    with pytest.raises(Unavailable, match="what is published in"):
        restore(published, tmp_path / "backup", no_progress)
    nothing_restored(place)
    publish(behind, tmp_path / "latest")
    latest = Sources(tiles=str(tmp_path / "latest"), pins=[pin])
    restore(settings_in(place), tmp_path / "backup", no_progress, latest)


def test_another_history_is_none_of_it(behind: House, tmp_path: Path) -> None:
    """The old copy went on elsewhere, with the log's own key: a fork, which nobody takes."""
    place = new_machine(behind, tmp_path / "place")
    restored = empty_place(tmp_path / "forked", None, behind)
    restore(settings_in(restored), tmp_path / "backup", no_progress)
    fork = open_house(restored)
    for number in range(4):
        submit(fork, party_statement(f"ring-{number}"), operator_key(fork))
    publish(fork, tmp_path / "fork")
    close(fork)
    forked = Sources(tiles=str(tmp_path / "fork"))
    with pytest.raises(Corrupt, match="two histories"):
        restore(settings_in(place), tmp_path / "backup", no_progress, forked)
    nothing_restored(place)


def test_published_tiles_are_not_believed(behind: House, tmp_path: Path) -> None:
    place = new_machine(behind, tmp_path / "place")
    tiles = tmp_path / "tiles"
    note = (tiles / "checkpoint").read_bytes()
    text = note.split(b"\n\n")[0] + b"\n"
    mallory = SigningKey.from_seed(behind.log.origin, b"m" * 32)
    (bundle,) = (tiles / "tile/entries").rglob("*.p/*")
    entries = bundle.read_bytes()
    swapped = entries[:-70] + bytes([entries[-70] ^ 1]) + entries[-69:]
    changes: list[tuple[Path, bytes, str]] = [
        (tiles / "checkpoint", sign_note(text, mallory), "tiles/checkpoint: .* keys in force"),
        (tiles / "checkpoint", sign_note(NOTHING, mallory), "no signature|root|keys in force"),
        (tiles / "checkpoint", b"", "no checkpoint of a log"),
        (tiles / "checkpoint", note * 20_000, "the most that it may have"),
        (bundle, swapped, "entry|signature|root"),
        (bundle, entries[:-9], "cut off"),
        (bundle, entries[:200], "cut off|entries, not"),
    ]
    for path, data, said in changes:
        good = path.read_bytes()
        path.write_bytes(data)
        with pytest.raises(LedgerError, match=said):
            restore(settings_in(place), tmp_path / "backup", no_progress, Sources(tiles=str(tiles)))
        path.write_bytes(good)
        nothing_restored(place)
    bundle.unlink()
    with pytest.raises(NotFound, match="has no copy of these entries"):
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(tiles=str(tiles)))
    with pytest.raises(NotFound, match="no folder of published tiles"):
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(tiles="nowhere"))


def test_cosignatures_are_not_the_logs_own(behind: House, tmp_path: Path) -> None:
    """A published checkpoint has those of witnesses too; the stored note has the log's alone."""
    note = (tmp_path / "tiles/checkpoint").read_bytes()
    witness = SigningKey.from_seed("witness.example", b"w" * 32)
    text = note.split(b"\n\n")[0] + b"\n"
    (tmp_path / "tiles/checkpoint").write_bytes(note + witness.signature_line(text))
    place = new_machine(behind, tmp_path / "place")
    sources = Sources(tiles=str(tmp_path / "tiles"))
    restore(settings_in(place), tmp_path / "backup", no_progress, sources)
    assert note in [row[-1] for row in kept_rows(place)["checkpoint_notes"]]  # type: ignore[index]


def test_a_changed_ledger_finds_no_tiles_that_fit(behind: House, tmp_path: Path) -> None:
    """What the audit finds in a database, a restore finds in a backup of it."""
    other = copy_ledger(behind.settings.dir, tmp_path / "changed")
    tamper(other, ("UPDATE entries SET data = ? WHERE entry_index = 2", (b"x" * 90,)))
    house = open_house(other)
    with pytest.raises(LedgerError):
        backup(house, tmp_path / "of-changed", no_progress)
    close(house)
