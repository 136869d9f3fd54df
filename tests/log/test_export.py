"""Copies of a log: public tiles that give away nothing, and entries that restore to the same."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger.errors import Corrupt, InvalidInput, LedgerError
from ledger.house import House
from ledger.recovery import beside
from ledger.recovery.restore import restore
from ledger.schema import migrate
from tests.ledgers import (
    begin,
    copy_ledger,
    dump,
    no_progress,
    open_house,
    operator_key,
    party_statement,
    rows,
    settings_in,
    signed,
    submit,
    tamper,
)
from tests.verifier import forge


def verify(house_vkey: str, folder: Path) -> int:
    return verify_log(folder, trust_of([house_vkey]), Report()).signed.checkpoint.size


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Restore


def test_restored_tables_are_the_same(filled: House, tmp_path: Path) -> None:
    filled.export_entries(tmp_path / "export", no_progress)
    before = dump(filled.settings.dir)
    restore(settings_in(tmp_path / "restored"), tmp_path / "export", no_progress)
    after = dump(tmp_path / "restored")
    assert set(after) == set(before)
    service = {one.name for one in beside.tables()}
    for table in set(before) - service:
        assert after[table] == before[table], table
    # What is no projection of the log is not in an export of it.
    assert before["drafts"]
    assert [after[table] for table in sorted(service) if after[table]] == []
    assert len(after["checkpoint_notes"]) > 2


def test_a_restored_ledger_goes_on(filled: House, tmp_path: Path) -> None:
    """With the old secrets beside it: same checkpoint, an audit, and new entries."""
    note = filled.checkpoint()
    filled.export_entries(tmp_path / "export", no_progress)
    settings = settings_in(tmp_path / "restored")
    restored = restore(settings, tmp_path / "export", no_progress)
    shutil.copytree(filled.settings.secrets_dir, settings.secrets_dir)
    house = open_house(settings.dir)
    assert house.checkpoint() == note
    assert house.audit(no_progress).root == restored.root
    submit(house, party_statement("ring"), operator_key(house))
    house.checkpoint()
    house.audit(no_progress)
    house.engine.dispose()


def test_the_same_export_twice_is_the_same_bytes(filled: House, tmp_path: Path) -> None:
    for name in ("one", "two"):
        filled.export_entries(tmp_path / name, no_progress)
        filled.export_tiles(tmp_path / f"{name}-tiles", no_progress)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert files_of(tmp_path / "one-tiles") == files_of(tmp_path / "two-tiles")


def test_restore_is_for_an_empty_place(filled: House, tmp_path: Path) -> None:
    filled.export_entries(tmp_path / "export", no_progress)
    before = dump(filled.settings.dir)
    with pytest.raises(InvalidInput, match="holds a log already"):
        restore(filled.settings, tmp_path / "export", no_progress)
    assert dump(filled.settings.dir) == before


def test_exports_go_to_new_folders(filled: House, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/file").write_text("mine")
    for export in (filled.export_entries, filled.export_tiles):
        with pytest.raises(InvalidInput, match="is not empty"):
            export(tmp_path / "there", no_progress)
    assert files_of(tmp_path / "there") == {"file": b"mine"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without a log."""
    folder = tmp_path_factory.mktemp("empty")
    migrate(settings_in(folder).url)
    return folder


def restored_nothing(export: Path, place: Path) -> str:
    """The restore fails with a clear error, and leaves the empty database as it was."""
    with pytest.raises(LedgerError) as caught:
        restore(settings_in(place), export, no_progress)
    found = dump(place)
    assert {table for table, content in found.items() if content} == {"alembic_version"}
    return str(caught.value)


def test_a_failed_restore_leaves_nothing_behind(filled: House, tmp_path: Path) -> None:
    place = settings_in(tmp_path / "restored")
    filled.export_entries(tmp_path / "export", no_progress)
    data = (tmp_path / "export/entries").read_bytes()
    (tmp_path / "export/entries").write_bytes(data[:-3])
    with pytest.raises(Corrupt, match="json counts"):
        restore(place, tmp_path / "export", no_progress)
    found = dump(place.dir)
    assert {table for table, content in found.items() if content} == {"alembic_version"}
    (tmp_path / "export/entries").write_bytes(data)
    restore(place, tmp_path / "export", no_progress)


def kinds_of_bodies(files: dict[str, bytes]) -> dict[str, str]:
    """What each body is: type and member of the entry that commits to it, or an attachment."""
    found = {name: "attachment" for name in files if name.startswith("bodies/")}
    for data in unbundle(files["entries"]):
        said = json.loads(data.partition(b"\n")[0])
        for member, value in said.items():
            if isinstance(value, dict):
                key = value.get("hash") or value.get("root")
                if f"bodies/{key}" in found:
                    found[f"bodies/{key}"] = f"{said['type']} {member}"
    return found


@pytest.mark.long
def test_every_flip_in_an_export_is_found_by_restore(
    filled: House, empty: Path, tmp_path: Path
) -> None:
    """In each file, and in a body of each kind."""
    place = copy_ledger(empty, tmp_path / "place")
    filled.export_entries(tmp_path / "export", no_progress)
    pick = random.Random(20)
    files = files_of(tmp_path / "export")
    bodies = {name for name in files if name.startswith("bodies/")}
    of_each_kind = {kind: name for name, kind in sorted(kinds_of_bodies(files).items())}
    assert len(of_each_kind) >= 24
    unseen = []
    for name in [*sorted(files.keys() - bodies), *["entries"] * 6, *of_each_kind.values()]:
        at = pick.randrange(len(files[name]))
        changed = bytearray(files[name])
        changed[at] ^= 1 << pick.randrange(8)
        path = tmp_path / "export" / name
        path.write_bytes(bytes(changed))
        try:
            said = restored_nothing(tmp_path / "export", place)
        except pytest.fail.Exception:
            unseen.append((name, at))
        else:
            assert re.search(r"entry \d+|checkpoint|vkey|bundle|note|backup.json", said), said
        path.write_bytes(files[name])
    assert unseen == []


def bundle(entries: list[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def unbundle(data: bytes) -> list[bytes]:
    found = []
    while data:
        (length,) = struct.unpack_from(">H", data)
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found


def test_entries_moved_about_in_an_export_are_found(
    filled: House, empty: Path, tmp_path: Path
) -> None:
    place = copy_ledger(empty, tmp_path / "place")
    filled.export_entries(tmp_path / "export", no_progress)
    path = tmp_path / "export/entries"
    entries = unbundle(path.read_bytes())
    changes = {
        "missing": entries[:5] + entries[6:],
        "twice": [*entries[:6], entries[5], *entries[6:]],
        "twice at the end": [*entries, entries[5]],
        "swapped": [*entries[:3], entries[5], entries[4], entries[3], *entries[6:]],
        "genesis missing": entries[1:],
        "genesis twice": [entries[0], *entries],
        "tail missing": entries[:-1],
        "none": [],
        "an empty one": [*entries, b""],
    }
    record = json.loads((tmp_path / "export/backup.json").read_text())
    for what, changed in changes.items():
        path.write_bytes(bundle(changed))
        # Whoever moves entries about counts them, too.
        record |= {"size": len(changed), "entries_bytes": len(bundle(changed))}
        (tmp_path / "export/backup.json").write_text(json.dumps(record, indent=1) + "\n")
        assert restored_nothing(tmp_path / "export", place), what


@pytest.mark.parametrize("missing", ["backup.json", "checkpoints", "entries", "bodies"])
def test_an_export_that_lacks_a_part(
    missing: str, filled: House, empty: Path, tmp_path: Path
) -> None:
    filled.export_entries(tmp_path / "export", no_progress)
    path = tmp_path / "export" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = restored_nothing(tmp_path / "export", copy_ledger(empty, tmp_path / "place"))
    assert ("body" if missing == "bodies" else missing) in said


def test_the_checkpoints_of_another_log_are_none(
    filled: House, empty: Path, tmp_path: Path
) -> None:
    filled.export_entries(tmp_path / "export", no_progress)
    other = begin(tmp_path / "other")
    other.checkpoint()
    other.export_entries(tmp_path / "others", no_progress)
    other.engine.dispose()
    for name in ("export", "others"):
        assert (tmp_path / name / "backup.json").exists()
    note = (tmp_path / "others/checkpoints").read_bytes()
    mine = (tmp_path / "export/checkpoints").read_bytes()
    record = (tmp_path / "export/backup.json").read_text()
    counted = f'"checkpoints_bytes": {len(mine)}'
    assert counted in record
    record = record.replace(counted, f'"checkpoints_bytes": {len(note)}')
    (tmp_path / "export/backup.json").write_text(record)
    (tmp_path / "export/checkpoints").write_bytes(note)
    said = restored_nothing(tmp_path / "export", copy_ledger(empty, tmp_path / "place"))
    assert "entries 0 to 0 give root" in said


# Tiles


def test_tiles_are_those_of_the_naive_tree(tiled: House, tmp_path: Path) -> None:
    size = tiled.export_tiles(tmp_path / "tiles", no_progress)
    entries = [
        bytes(data) for (data,) in rows(tiled, "SELECT data FROM entries ORDER BY 1 * entry_index")
    ]
    leaves = [forge.leaf(entry) for entry in entries]
    assert size == len(entries) == 300
    assert files_of(tmp_path / "tiles") == {
        "checkpoint": tiled.checkpoint(),
        "tile/0/000": b"".join(leaves[:256]),
        "tile/0/001.p/44": b"".join(leaves[256:]),
        "tile/1/000.p/1": forge.mth(leaves[:256]),
        "tile/entries/000": bundle(entries[:256]),
        "tile/entries/001.p/44": bundle(entries[256:]),
    }
    assert verify(tiled.log.log_key.vkey, tmp_path / "tiles") == 300


def test_every_flip_in_the_tiles_is_found_by_the_verifier(filled: House, tmp_path: Path) -> None:
    filled.export_tiles(tmp_path / "tiles", no_progress)
    vkey = filled.log.log_key.vkey
    size = verify(vkey, tmp_path / "tiles")
    pick = random.Random(30)
    files = files_of(tmp_path / "tiles")
    assert len(files) == 3
    for name in [name for name in files for _ in range(25)]:
        changed = bytearray(files[name])
        changed[pick.randrange(len(changed))] ^= 1 << pick.randrange(8)
        (tmp_path / "tiles" / name).write_bytes(bytes(changed))
        with pytest.raises(VerificationError):
            verify(vkey, tmp_path / "tiles")
        (tmp_path / "tiles" / name).write_bytes(files[name])
    assert verify(vkey, tmp_path / "tiles") == size


def test_tiles_of_changed_entries_are_not_published(filled: House, tmp_path: Path) -> None:
    """An entry that was signed over long ago is changed: the export has no checkpoint."""
    other = signed(party_statement("ring"), operator_key(filled))
    tamper(filled, ("UPDATE entries SET data = ? WHERE entry_index = 2", (other,)))
    with pytest.raises(Corrupt, match="nothing of it is to be published"):
        filled.export_tiles(tmp_path / "tiles", no_progress)
    assert not (tmp_path / "tiles/checkpoint").exists()


# What the public copy must not say


def private_values(house: House) -> dict[str, bytes]:
    """All that was committed and not said, from the database, by a name to report it under."""
    found: dict[str, bytes] = {}
    for key, data in rows(house, "SELECT hash, data FROM bodies"):
        found[f"body {key.hex()[:8]}"] = bytes(data)
        found[f"salt {key.hex()[:8]}"] = bytes(data)[:32]
        content = bytes(data)[32:]
        try:
            _collect(f"body {key.hex()[:8]}", json.loads(content), found)
        except ValueError:
            found[f"content {key.hex()[:8]}"] = content
    for entry, id_, secret in rows(house, "SELECT entry_index, id, secret FROM batches"):
        if not bytes(secret):
            continue  # erased
        found[f"secret of {entry}"] = bytes(secret)
        seed = b"greenledger/nonce/v1\n" + bytes(secret) + house.log.origin.encode() + b"\n"
        stream = hashlib.shake_256(seed + id_.encode()).digest(16 * 200)
        for number in range(200):
            found[f"nonce {number} of {entry}"] = stream[16 * number : 16 * number + 16]
    for entry, start_s, values in rows(house, "SELECT entry_index, start_s, value FROM blocks"):
        for number, (value,) in enumerate(struct.iter_unpack(">q", bytes(values))):
            if value >= 1_000_000:
                found[f"value {number} of {entry}"] = str(value).encode()
            if value >= 65_536:
                found[f"word {number} of {entry}"] = struct.pack(">q", value)
                found[f"little word {number} of {entry}"] = struct.pack("<q", value)
        found[f"start of {entry}"] = struct.pack(">Q", start_s)
    for (data,) in rows(house, "SELECT data FROM bodies WHERE data LIKE 'GLA1%'"):
        found["allocations"] = bytes(data)[4:]
    return found


PUBLIC_WORDS = {
    *("operator", "farm", "mill", "grid", "energy", "generation", "consumption"),
    # Acts, and words of types.
    *("transfer", "settle", "record"),
    # A party's rule of approval.
    "four-eyes",
    # What the name of a regime, of a kind of report, and of a party say.
    *("renewable", "guideline-renewable", "inventory", "Mill and Sons"),
    # Names of factor sets, regimes and schemes, and words in them or in types of entries.
    *("cn-electricity-life-cycle", "electricity-life-cycle", "electricity", "product-footprint"),
    *("footprint", "internal", "factor", "period"),
    # Origins of lots name months.
    "2026-02",
}
# Members that name entries, by their types and leaf hashes, and a tick's time.
PUBLIC_MEMBERS = {"inputs", "because", "log_time"}


def _collect(where: str, value: Any, found: dict[str, bytes]) -> None:
    """Every text of six characters and every number of seven digits, inside a committed JSON."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in PUBLIC_MEMBERS:
                _collect(f"{where}.{name}", member, found)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            _collect(f"{where}[{number}]", member, found)
    elif isinstance(value, str):
        # Points' and leaves' ids are public, where they stand in a statement.
        if len(value) >= 6 and value not in PUBLIC_WORDS and not re.fullmatch("[0-9a-f]+", value):
            found[where] = value.encode()
    elif isinstance(value, int) and value >= 1_000_000:
        found[where] = str(value).encode()


def test_the_public_copy_gives_away_nothing(filled: House, tmp_path: Path) -> None:
    filled.export_tiles(tmp_path / "tiles", no_progress)
    public = b"\0".join(files_of(tmp_path / "tiles").values())
    private = private_values(filled)
    assert len(private) > 1_000
    for must in ("secret-roof", "secret-saw", "secret-file.csv", "secret-reason", "METER-0815"):
        assert any(must.encode() in value for value in private.values()), must
    # What an owner chose to show of a retirement is public by that.
    ((shown,),) = rows(filled, "SELECT data FROM entries WHERE type = 'unit.disclose'")
    assert bytes(shown) in public
    rest = public.replace(bytes(shown), b"")
    told = [name for name, value in private.items() if value in rest]
    assert not told, sorted({private[name] for name in told})
    assert b"secret" not in public
    assert b"METER" not in public
    # The search can find: what is public is found by it.
    assert b'"party.register"' in public
    assert "Sunny Farm 阳光".encode() in public


def test_the_public_copy_does_not_lend_itself_to_guessing(filled: House, tmp_path: Path) -> None:
    """Whoever guesses a body's content, without its salt, finds no hash of it."""
    filled.export_tiles(tmp_path / "tiles", no_progress)
    public = b"\0".join(files_of(tmp_path / "tiles").values())
    guessed = 0
    for (data,) in rows(filled, "SELECT data FROM bodies"):
        content = bytes(data)[32:]
        assert hashlib.sha256(content).hexdigest().encode() not in public
        # With the salt, it is the commitment: so the search would find one.
        guessed += hashlib.sha256(bytes(data)).hexdigest().encode() in public
    assert guessed >= 8


def test_the_same_content_twice_has_two_commitments(filled: House) -> None:
    """Equal master data or files can't be recognised by equal hashes."""
    bodies = [bytes(data) for (data,) in rows(filled, "SELECT data FROM bodies")]
    salts = [data[:32] for data in bodies if not data.startswith(b"GL")]
    assert len(set(salts)) == len(salts) >= 10
    assert bytes(32) not in salts
