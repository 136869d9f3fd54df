"""Keys at rest: no seed on the disk, and a file that was changed or swapped opens nothing."""

from __future__ import annotations

import base64
import shutil
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger.errors import NotFound, Unavailable
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.parties.keystore import Keystore
from tests.ledgers import in_memory, open_house, operator_key, rows, settings_in

KEK = "ab" * 32
NAME = "park.example/tests/farm"


def key_file(folder: Path) -> Path:
    (path,) = (folder / "keys").iterdir()
    return path


@pytest.fixture
def store(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "secrets", KEK)


def test_a_key_comes_back(store: Keystore, tmp_path: Path) -> None:
    made = store.create(NAME)
    assert store.holds(made.verify_key)
    again = in_memory(Keystore(tmp_path / "secrets", KEK).get(made.verify_key))
    assert (again.name, again.seed) == (made.name, made.seed)
    assert again.verify_key.verify(b"text\n", again.private_key.sign(b"text\n"))


def test_two_keys_are_never_the_same(store: Keystore) -> None:
    made = [store.create(NAME) for _ in range(20)]
    assert len({key.seed for key in made}) == 20
    assert [in_memory(store.get(key.verify_key)).seed for key in made] == [key.seed for key in made]


def forms(seed: bytes) -> list[bytes]:
    """A seed as somebody might write it, also where base64 falls differently."""
    shifted = [base64.b64encode(b"\x00" * shift + seed)[4 * (shift > 0) : -4] for shift in range(3)]
    return [seed, seed[::-1], seed.hex().encode(), seed.hex().upper().encode(), *shifted]


def test_no_seed_lies_on_the_disk(filled: House) -> None:
    """In no file of the data directory: keystore, database, or its write-ahead log."""
    names = ["", "/operator", "/mill"]
    keys = [
        in_memory(filled.desk.keystore.get(key))
        for key in (filled.log.log_key, operator_key(filled).verify_key)
    ]
    assert [key.name.removeprefix(filled.log.origin) for key in keys] == names[:2]
    sealed = sorted((filled.settings.secrets_dir / "keys").iterdir())
    assert len(sealed) == 11, "four of the log, the operator's, two of mill, and four officers'"
    files = [path for path in filled.settings.dir.rglob("*") if path.is_file()]
    assert len(files) >= 7
    for path in files:
        data = path.read_bytes()
        for key in keys:
            for form in forms(key.seed):
                assert form not in data, path


def test_files_are_for_their_owner_alone(begun: House) -> None:
    folder = begun.settings.secrets_dir
    for path in (folder / "kek", *(folder / "keys").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in (folder, folder / "keys"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, f"{path} is open to others"


def test_a_key_is_never_overwritten(store: Keystore) -> None:
    made = store.create(NAME)
    with pytest.raises(FileExistsError):
        store.put(made)


def test_a_key_that_is_not_held(store: Keystore) -> None:
    other = SigningKey.from_seed(NAME, bytes(32))
    assert not store.holds(other.verify_key)
    with pytest.raises(NotFound, match=f"does not hold key {other.verify_key.key_id.hex()}"):
        store.get(other.verify_key)


@pytest.mark.parametrize("kek", ["00" * 32, "ab" * 31, "ab" * 33, "no hex", "", "  "])
def test_a_wrong_key_encryption_key(kek: str, tmp_path: Path) -> None:
    made = Keystore(tmp_path, KEK).create(NAME)
    with pytest.raises(Unavailable, match="key-encryption key"):
        Keystore(tmp_path, kek).get(made.verify_key)


def test_a_swapped_file_is_refused(store: Keystore, tmp_path: Path) -> None:
    """The other party's key under this party's name."""
    mine, theirs = store.create(NAME), store.create("park.example/tests/mallory")
    folder = tmp_path / "secrets/keys"
    paths = {path.name.rpartition("-")[2].removesuffix(".json"): path for path in folder.iterdir()}
    shutil.copyfile(paths[theirs.verify_key.key_id.hex()], paths[mine.verify_key.key_id.hex()])
    with pytest.raises(Unavailable, match=f"key {mine.verify_key.key_id.hex()} of {NAME}"):
        store.get(mine.verify_key)
    assert in_memory(store.get(theirs.verify_key)).seed == theirs.seed


def test_a_swapped_seed_with_the_right_name_is_refused(store: Keystore, tmp_path: Path) -> None:
    """The sealed part of another key, under the name and id of this one."""
    mine, theirs = store.create(NAME), store.create(NAME)
    left, right = (tmp_path / "secrets/keys").iterdir()
    sealed = right.read_text().partition('"nonce"')[2]
    left.write_text(left.read_text().partition('"nonce"')[0] + '"nonce"' + sealed)
    failed = 0
    for key in (mine, theirs):
        try:
            assert in_memory(store.get(key.verify_key)).seed == key.seed
        except Unavailable:
            failed += 1
    assert failed == 1


def test_every_changed_byte_is_an_error(store: Keystore, tmp_path: Path) -> None:
    made = store.create(NAME)
    path = key_file(tmp_path / "secrets")
    good = path.read_bytes()
    for at in range(len(good)):
        for bit in (0x01, 0x04, 0x20, 0x80):
            path.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
            with pytest.raises(Unavailable, match=NAME):
                store.get(made.verify_key)
    path.write_bytes(good)
    assert in_memory(store.get(made.verify_key)).seed == made.seed


@pytest.mark.parametrize("wrong", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"vkey": 1}'])
def test_a_file_that_is_no_key_is_an_error(wrong: bytes, store: Keystore, tmp_path: Path) -> None:
    made = store.create(NAME)
    key_file(tmp_path / "secrets").write_bytes(wrong)
    with pytest.raises(Unavailable, match=f"of {NAME} does not open"):
        store.get(made.verify_key)


@pytest.mark.parametrize("wrong", [b"", b"\xff" * 64, b"zz" * 32, b"ab" * 31])
def test_a_broken_kek_file_is_an_error(wrong: bytes, begun: House) -> None:
    (begun.settings.secrets_dir / "kek").write_bytes(wrong)
    with pytest.raises(Unavailable, match="key-encryption key"):
        operator_key(begun)


def test_a_lost_kek_file_is_not_made_anew_over_keys(begun: House) -> None:
    """A fresh one would open nothing, and hide that the old one is what is missing."""
    kek = begun.settings.secrets_dir / "kek"
    kept = kek.read_bytes()
    kek.unlink()
    with pytest.raises(Unavailable, match="key-encryption key"):
        operator_key(begun)
    assert not kek.exists()
    kek.write_bytes(kept)
    operator_key(begun)


def test_a_kek_from_the_settings(tmp_path: Path) -> None:
    """The secret manager's: then no key-encryption key lies beside the keys."""
    settings = settings_in(tmp_path / "data").model_copy(update={"kek": SecretStr(KEK)})
    house = House.init(settings, origin="park.example/kek", name="Park")
    assert not (house.settings.secrets_dir / "kek").exists()
    house.engine.dispose()
    without = open_house(settings.dir)
    with pytest.raises(Unavailable, match="key-encryption key"):
        without.desk.register_party("mill", "Mill", ["enterprise"])
    assert without.checkpoint().startswith(b"park.example/kek\n1\n"), "nothing new to sign"
    assert rows(without, "SELECT count(*) FROM checkpoint_notes") == [(1,)]
    without.engine.dispose()
    assert KEK.encode() not in b"".join(
        path.read_bytes() for path in settings.dir.rglob("*") if path.is_file()
    )
