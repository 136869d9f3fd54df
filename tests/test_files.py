"""Files beside the database: whole or not there, on disk when a call returns, never overwritten."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import files
from ledger.house import House
from ledger.log.checkpoint import Checkpoint
from ledger.log.publish import HighWater
from ledger.parties.keystore import Keystore
from tests.ledgers import begun, begun_template, held_key, in_memory, open_house

__all__ = ["begun", "begun_template"]

NAME = "park.example/tests/farm"


class Crash(BaseException):
    """The power goes: nothing of ours runs after it but `finally`."""


def crash(*_: object) -> None:
    raise Crash


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What fsync was called with, in order."""
    found: list[Path] = []
    fsync: Callable[[int], None] = os.fsync

    def note(descriptor: int) -> None:
        found.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return found


def test_a_key_and_its_names_are_on_disk(tmp_path: Path, synced: list[Path]) -> None:
    """A file whose folder was not synced may be gone after a power cut."""
    Keystore(tmp_path / "a/secrets").create(NAME)
    for folder in ("", "a", "a/secrets", "a/secrets/keys"):
        assert tmp_path / folder in synced
    assert synced[-1] == tmp_path / "a/secrets/keys"


def test_an_interrupted_first_start_leaves_no_empty_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty `kek` would be taken for the key-encryption key for ever."""
    with monkeypatch.context() as power:
        power.setattr(os, "fsync", crash)
        with pytest.raises(Crash):
            Keystore(tmp_path).create(NAME)
    assert not (tmp_path / "kek").exists()
    made = Keystore(tmp_path).create(NAME)
    assert in_memory(Keystore(tmp_path).get(made.verify_key)).seed == made.seed


def test_half_a_file_under_another_name_is_in_nobodys_way(begun: House) -> None:
    """What kill -9 leaves of a key or a record is no key and no record."""
    folder = begun.settings.secrets_dir
    for name in (folder / ".kek.0.new", folder / "keys/.x.json.0.new"):
        name.write_bytes(b"")
    (begun.settings.high_water / ".y.json.0.new").write_bytes(b"{")
    house = open_house(begun.settings.dir)
    house.checkpoint()
    house.engine.dispose()


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_nothing_is_overwritten(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without hard links: a USB stick's file system has none."""

    def no_link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_link)
    path = tmp_path / "new/key"
    files.write_private(path, b"first")
    with pytest.raises(FileExistsError):
        files.write_private(path, b"second")
    assert path.read_bytes() == b"first"
    assert [found.name for found in path.parent.iterdir()] == ["key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_record_is_the_old_or_the_new_one(
    tmp_path: Path, synced: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = HighWater(tmp_path / "high-water", held_key("farm").verify_key)
    origin = held_key("farm").name
    with record.locked():
        record.write(Checkpoint(origin=origin, size=1, root=bytes(32)))
        assert synced[-1] == tmp_path / "high-water"
        with monkeypatch.context() as power:
            power.setattr(os, "fsync", crash)
            with pytest.raises(Crash):
                record.write(Checkpoint(origin=origin, size=2, root=bytes(32)))
    found = record.read()
    assert found is not None
    assert found.size == 1
