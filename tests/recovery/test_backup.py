"""A backup grows, is whole after any crash, and holds no more than it may."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from ledger import files
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.house import House
from ledger.log import archive
from ledger.log.audit import no_progress
from ledger.metering.erasing import erase_batches
from ledger.recovery.backup import backup
from ledger.recovery.restore import Sources, restore
from tests.ledgers import (
    begin,
    close,
    copy_ledger,
    ledger_database,
    open_house,
    operator_key,
    party_statement,
    rows,
    settings_in,
    submit,
)
from tests.recovery.parks import meter, settle
from tests.recovery.places import bring_kek, empty_place, files_of, kept_rows

__all__ = ["ledger_database"]


class Crash(BaseException):
    """The power goes."""


def size_of(house: House) -> int:
    ((count,),) = rows(house, "SELECT COUNT(*) FROM entries")
    return int(count)


def test_each_run_adds_and_writes_nothing_again(begun: House, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    settle(begun)
    first = backup(begun, folder, no_progress)
    before = files_of(folder)
    kept = {path: path.stat().st_ino for path in folder.rglob("*")}
    meter(begun, 0)
    second = backup(begun, folder, no_progress)
    after = files_of(folder)
    assert (first.size, first.entries) == (size_of(begun) - second.entries, first.size)
    assert second.entries > 0
    for name, data in before.items():
        if name.startswith(("entries", "checkpoints", "bodies", "keys")):
            assert after[name].startswith(data), name
            assert kept[folder / name] == (folder / name).stat().st_ino, name
    # A batch's values, its manifest and its file.
    assert len([name for name in after if name.startswith("bodies/")]) == 3 + len(
        [name for name in before if name.startswith("bodies/")]
    )
    assert len([name for name in after if name.startswith("beside/")]) == 1
    third = backup(begun, folder, no_progress)
    assert (third.entries, third.root) == (0, second.root)
    assert files_of(folder) == after


def test_it_is_for_its_owner_alone_and_has_no_kek(begun: House, tmp_path: Path) -> None:
    settle(begun)
    backup(begun, tmp_path / "backup", no_progress)
    for path in [tmp_path / "backup", *(tmp_path / "backup").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    kek = (begun.settings.secrets_dir / "kek").read_bytes()
    held = b"".join(files_of(tmp_path / "backup").values())
    assert kek not in held
    assert bytes.fromhex(kek.decode()) not in held
    assert b"sealed" in held


@pytest.mark.parametrize("stopped_at", [1, 2, 4, 7, 9, 11])
def test_a_crash_leaves_the_run_before(
    begun: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    """At each file that a run writes: what was there restores, and the next run goes on."""
    folder = tmp_path / "backup"
    settle(begun)
    before = backup(begun, folder, no_progress)
    meter(begun, 0)
    left = stopped_at

    def power(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Crash

    with monkeypatch.context() as patched:
        real = files._write_beside

        def write(path: Path, data: bytes) -> Path:
            power()
            return real(path, data)

        patched.setattr("ledger.files.sync_folder", power)
        patched.setattr("ledger.files._write_beside", write)
        patched.setattr("ledger.log.archive.os.fsync", power)
        with pytest.raises(Crash):
            backup(begun, folder, no_progress)
    record = archive.require_record(folder)
    assert record.size in (before.size, size_of(begun))
    place = empty_place(tmp_path / "place", None, begun)
    (place / "high-water").mkdir()
    assert restore(settings_in(place), folder, no_progress).size == record.size
    assert backup(begun, folder, no_progress).size == size_of(begun)
    again = backup(begun, tmp_path / "fresh", no_progress)
    assert again.size == size_of(begun)
    assert files_of(folder) == files_of(tmp_path / "fresh")


def test_it_can_be_stopped(begun: House, tmp_path: Path) -> None:
    settle(begun)

    def stop(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(begun, tmp_path / "backup", stop)
    assert not (tmp_path / "backup/backup.json").exists()
    assert backup(begun, tmp_path / "backup", no_progress).size == size_of(begun)


@pytest.mark.both_databases
def test_while_four_threads_append(begun: House, tmp_path: Path) -> None:
    """One state of the log, whatever comes meanwhile; the next run has the rest."""
    folder, key, over = tmp_path / "backup", operator_key(begun), threading.Event()

    def write(number: int) -> None:
        for count in range(60):
            if over.is_set():
                return
            submit(begun, party_statement(f"p-{number}-{count}"), key)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    sizes = [backup(begun, folder, no_progress).size for _ in range(3)]
    over.set()
    for thread in threads:
        thread.join()
    assert sizes == sorted(sizes)
    sizes.append(backup(begun, folder, no_progress).size)
    assert sizes[-1] == size_of(begun)
    place = empty_place(tmp_path / "place", None, begun)
    found = restore(settings_in(place), folder, no_progress)
    house = open_house(place)
    assert found.size == sizes[-1]
    assert rows(house, "SELECT data FROM entries ORDER BY entry_index") == rows(
        begun, "SELECT data FROM entries ORDER BY entry_index"
    )
    close(house)


def test_a_folder_of_something_else_is_left_alone(begun: House, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    backup(begun, folder, no_progress)
    other = begin(tmp_path / "other")
    meanwhile = files_of(folder)
    with pytest.raises(Corrupt, match="begin a backup in a new folder"):
        backup(other, folder, no_progress)
    close(other)
    entries = bytearray((folder / "entries").read_bytes())
    entries[40] ^= 1
    (folder / "entries").write_bytes(entries)
    with pytest.raises(Corrupt, match="begin a backup in a new folder"):
        backup(begun, folder, no_progress)
    (folder / "entries").write_bytes(meanwhile["entries"])
    with archive.alone(folder), pytest.raises(InvalidInput, match="another run"):
        backup(begun, folder, no_progress)
    assert files_of(folder) == meanwhile


def test_an_old_copy_does_not_go_on_in_a_newer_backup(begun: House, tmp_path: Path) -> None:
    """Not even where nobody has kept the high-water record."""
    old = copy_ledger(begun.settings.dir, tmp_path / "old")
    settle(begun)
    backup(begun, tmp_path / "backup", no_progress)
    house = open_house(old)
    with pytest.raises(Corrupt, match="is an old copy, and must not go on"):
        backup(house, tmp_path / "backup", no_progress)
    close(house)


def test_without_the_kek_the_log_alone(begun: House, tmp_path: Path) -> None:
    backup(begun, tmp_path / "backup", no_progress)
    place = empty_place(tmp_path / "place", None)
    with pytest.raises(Unavailable, match="in no backup"):
        restore(settings_in(place), tmp_path / "backup", no_progress)
    assert not (place / "secrets").exists()
    found = restore(settings_in(place), tmp_path / "backup", no_progress, Sources(log_only=True))
    assert (found.keys, found.rows) == (0, 0)
    assert found.size == size_of(begun)


def test_another_kek_does_not_take_its_seal(begun: House, tmp_path: Path) -> None:
    backup(begun, tmp_path / "backup", no_progress)
    place = empty_place(tmp_path / "place", None)
    (place / "secrets").mkdir()
    (place / "secrets/kek").write_text("ab" * 32)
    with pytest.raises(Corrupt, match="seal of this key-encryption key"):
        restore(settings_in(place), tmp_path / "backup", no_progress)
    bring = tmp_path / "brought"
    bring.mkdir()
    bring_kek(begun, bring)
    record = json.loads((tmp_path / "backup/backup.json").read_text())
    record["keys"] = {}
    (tmp_path / "backup/backup.json").write_text(json.dumps(record, indent=1) + "\n")
    with pytest.raises(Corrupt, match="seal of this key-encryption key"):
        restore(settings_in(bring), tmp_path / "backup", no_progress)


def test_what_is_erased_does_not_live_on(
    begun: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes when the entry counts that erases it: a run that is stopped before leaves all that
    the run before has counted, one that is stopped after leaves the rest to the next."""
    folder = tmp_path / "backup"
    settle(begun)
    meter(begun, 0)
    before = backup(begun, folder, no_progress)
    held = set(files_of(folder))
    ((batch,),) = rows(begun, "SELECT entry_index FROM batches")
    erase_batches(begun.desk, [batch], "not kept any longer")

    def stop(*_: object) -> None:
        raise Crash

    for name, size in (("write_record", before.size), ("forget_erased", size_of(begun))):
        with monkeypatch.context() as patched:
            patched.setattr(archive, name, stop)
            with pytest.raises(Crash):
                backup(begun, folder, no_progress)
        assert held - {name for name in held if name.startswith("beside/")} <= set(files_of(folder))
        place = empty_place(tmp_path / name, None, begun)
        assert restore(settings_in(place), folder, no_progress).size == size
    backup(begun, folder, no_progress)
    gone = {name for name in held - set(files_of(folder)) if not name.startswith("beside/")}
    # Its values, where they came from, and the file.
    assert len(gone) == 3
    assert all(name.startswith("bodies/") for name in gone)
    assert b"rows of file" not in b"".join(files_of(folder).values())
    place = empty_place(tmp_path / "place", None, begun)
    restore(settings_in(place), folder, no_progress)
    assert kept_rows(place) == kept_rows(begun.settings.dir)
