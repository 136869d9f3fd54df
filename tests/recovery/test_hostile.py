"""A backup that was changed, or made to do harm, is refused: it says what and where."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.recovery.backup import backup
from ledger.recovery.restore import restore
from tests.ledgers import dump, settings_in
from tests.recovery.parks import meter, settle
from tests.recovery.places import empty_place, files_of


def refused(house: House, folder: Path, place: Path) -> str:
    """Why nothing was restored."""
    if not place.exists():
        empty_place(place, None, house)
    with pytest.raises(LedgerError) as caught:
        restore(settings_in(place), folder, no_progress)
    if (place / "ledger.sqlite3").exists():
        assert {name for name, found in dump(place).items() if found} <= {"alembic_version"}
    assert not (place / "secrets/keys").exists()
    return str(caught.value)


@pytest.fixture
def house(begun: House, tmp_path: Path) -> House:
    settle(begun)
    meter(begun, 0)
    backup(begun, tmp_path / "backup", no_progress)
    return begun


def test_every_file_is_under_a_signature_or_the_seal(house: House, tmp_path: Path) -> None:
    """A bit of each file is turned over: none is taken, and the message names the place."""
    folder, place, pick = tmp_path / "backup", tmp_path / "place", random.Random(7)
    files = files_of(folder)
    assert len(files) > 10
    unnamed = []
    for name, data in files.items():
        changed = bytearray(data)
        changed[pick.randrange(len(data))] ^= 1 << pick.randrange(8)
        (folder / name).write_bytes(bytes(changed))
        said = refused(house, folder, place)
        (folder / name).write_bytes(data)
        named = ("backup.json", "entry ", "entries", "checkpoint", name.rpartition("/")[2])
        if not any(word in said for word in named):
            unnamed.append((name, said))
    assert unnamed == []
    restore(settings_in(place), folder, no_progress)


def test_what_is_missing_is_named(house: House, tmp_path: Path) -> None:
    folder, place = tmp_path / "backup", tmp_path / "place"
    for name, data in files_of(folder).items():
        (folder / name).unlink()
        said = refused(house, folder, place)
        assert name.rpartition("/")[2] in said, (name, said)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("name", ["entries", "checkpoints", "bodies", "beside", "keys", "body"])
def test_links_lead_nowhere(house: House, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "backup"
    path = min((folder / "bodies").iterdir()) if name == "body" else folder / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    said = refused(house, folder, tmp_path / "place")
    assert f"{path} is a link" in said


def test_pipes_and_huge_files(house: House, tmp_path: Path) -> None:
    folder, place = tmp_path / "backup", tmp_path / "place"
    body = min((folder / "bodies").iterdir())
    kept = body.read_bytes()
    body.unlink()
    os.mkfifo(body)
    assert f"{body} is no regular file" in refused(house, folder, place)
    body.unlink()
    for path in (body, folder / "backup.json", next((folder / "keys").iterdir())):
        good = kept if path == body else path.read_bytes()
        with path.open("wb") as file:
            file.truncate(1 << 40)  # a hole: nothing of it is on the disk
        assert "is the most that it may have" in refused(house, folder, place)
        path.write_bytes(good)
    with (folder / "entries").open("ab") as file:
        file.truncate(1 << 40)
    assert restore(settings_in(place), folder, no_progress).size > 0


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("keys", {"../../../etc/passwd": "ab" * 32}),
        ("keys", {"/etc/passwd": "ab" * 32}),
        ("keys", ["a"]),
        ("beside", "../backup.json"),
        ("beside", 7),
        ("size", -1),
        ("size", True),
        ("size", "7"),
        ("entries_bytes", 1 << 70),
        ("root", "AB" * 32),
        ("origin", "Not An Origin"),
        ("format", "greenledger-backup/v2"),
        ("more", 1),
    ],
)
def test_a_record_says_no_more_than_it_may(
    house: House, tmp_path: Path, member: str, value: object
) -> None:
    folder = tmp_path / "backup"
    record = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps(record | {member: value}, indent=1) + "\n")
    assert "backup.json" in refused(house, folder, tmp_path / "place")


def test_a_record_that_is_none(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    for data in (b"", b"[]", b"7", b"{}", b"[" * 100_000, b"\xff", b'{"format": 1}'):
        (folder / "backup.json").write_bytes(data)
        assert "is no record of a backup" in refused(house, folder, tmp_path / "place")


def test_accounts_are_not_slipped_in(house: House, tmp_path: Path) -> None:
    """By whoever can write the backup, and even counts the new hash: the seal is the key's."""
    folder = tmp_path / "backup"
    (path,) = (folder / "beside").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if b'"table":"accounts"' in line)
    lines.insert(at + 1, b'{"row":["' + b"ab" * 16 + b'","mallory","",1,null]}\n')
    data = b"".join(lines)
    name = hashlib.sha256(data).hexdigest()
    (folder / "beside" / name).write_bytes(data)
    record = (folder / "backup.json").read_text().replace(path.name, name)
    (folder / "backup.json").write_text(record)
    assert "does not have the seal" in refused(house, folder, tmp_path / "place")
    stripped = json.loads(record) | {"seal": ""}
    (folder / "backup.json").write_text(json.dumps(stripped, indent=1) + "\n")
    assert "it was changed" in refused(house, folder, tmp_path / "place")


def test_another_key_file_of_that_name_is_not_overwritten(house: House, tmp_path: Path) -> None:
    folder, place = tmp_path / "backup", empty_place(tmp_path / "place", None, house)
    shutil.copytree(folder / "keys", place / "secrets/keys")
    mine = min((place / "secrets/keys").iterdir())
    mine.write_bytes(b"another")
    with pytest.raises(LedgerError, match="is another key file than the backup's"):
        restore(settings_in(place), folder, no_progress)
    assert mine.read_bytes() == b"another"
    assert {name for name, found in dump(place).items() if found} == {"alembic_version"}
