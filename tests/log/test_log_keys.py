"""The keys of the log come and go; each checkpoint is signed by those in force at its size."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

import migrations
from greenledger_verify.logdir import verify_log
from greenledger_verify.opening import parse_opening, verify_opening
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger import proving
from ledger.db import reading
from ledger.errors import Corrupt, InvalidInput, Refused, Unavailable
from ledger.house import House
from ledger.log import logkeys, mldsa, publish, store
from ledger.log.notes import ED25519, MlDsaKey, SigningKey, VerifyKey, parse_note, signature_line
from ledger.parties import log_key_desk as keys
from ledger.recovery.restore import restore
from tests.ledgers import (
    Clock,
    copy_ledger,
    no_progress,
    open_house,
    operator_key,
    party_statement,
    raw,
    settings_in,
    statement,
    submit,
    tamper,
)


def signers(note: bytes) -> list[str]:
    return [one.key_id.hex() for one in parse_note(note).signatures]


def short(*found: VerifyKey) -> list[str]:
    return [key.key_id.hex() for key in found]


def grow(house: House, party: str = "farm") -> None:
    submit(house, party_statement(party), operator_key(house))


def test_a_rotation_without_a_gap(begun: House, tmp_path: Path) -> None:
    """Old and new key overlap; who has pinned either follows, before and after."""
    old = begun.log.log_key
    new, registered = keys.create(begun.desk)
    before = begun.checkpoint()
    ended = keys.end(begun.desk, old, "its time was over")
    after = begun.checkpoint()
    assert signers(before) == short(old, new)
    assert signers(after) == short(new)
    assert (registered.index, ended.index) == (2, 4)
    begun.export_tiles(tmp_path / "tiles", no_progress)
    opening = proving.encode(proving.open_entry(begun.desk, 3))
    for pin in (old, new):
        trust = trust_of([pin.vkey])
        assert verify_log(tmp_path / "tiles", trust, Report()).signed.log_key.vkey == new.vkey
        verify_opening(parse_opening(opening), trust, Report())
    audited = begun.audit(no_progress)
    assert (audited.entries, audited.checkpoints) == (5, 3)


def test_old_checkpoints_keep_their_signatures(begun: House) -> None:
    old = begun.log.log_key
    keys.create(begun.desk)
    keys.end(begun.desk, old, "stolen")
    begun.checkpoint()
    with reading(begun.engine) as conn:
        known = logkeys.load(conn, begun.log)
        first = publish.note_at(conn, begun.log, 1)
        assert first is not None
        assert logkeys.open_own(first, begun.log, known).size == 1
        assert logkeys.entries_below(conn, begun.log, 5) == [0, 2, 4]
        assert logkeys.entries_below(conn, begun.log, 4) == [0, 2]


@pytest.mark.parametrize("post_quantum", [False, True])
def test_a_key_that_is_not_at_hand_signs_nothing(begun: House, post_quantum: bool) -> None:
    """Nothing is half-signed, no root is recorded, and it goes on when the key is back."""
    if post_quantum and not mldsa.is_available():
        pytest.skip("no ML-DSA-44 here")
    new, _ = keys.create(begun.desk, post_quantum=post_quantum)
    path = begun.desk.keystore._path(new)
    kept = path.read_bytes()
    path.unlink()
    with pytest.raises(Unavailable, match=f"key {new.key_id.hex()} too, which is not at hand"):
        begun.checkpoint()
    with reading(begun.engine) as conn:
        assert list(store.recorded_roots(conn, begun.log.log_id)) == [1]
        assert publish.latest_checkpoint(conn, begun.log)[0].size == 1
    path.write_bytes(kept)
    assert signers(begun.checkpoint()) == short(begun.log.log_key, new)


def test_restore_follows_the_keys(begun: House, tmp_path: Path) -> None:
    keys.create(begun.desk)
    keys.end(begun.desk, begun.log.log_key, "its time was over")
    begun.export_entries(tmp_path / "export", no_progress)
    restored = restore(settings_in(tmp_path / "again"), tmp_path / "export", no_progress)
    assert restored.size == 5


def test_a_checkpoint_by_an_ended_key(begun: House) -> None:
    """The thief of an old key writes into the table."""
    old = begun.desk.keystore.get(begun.log.log_key)
    keys.create(begun.desk)
    keys.end(begun.desk, begun.log.log_key, "stolen")
    text = parse_note(begun.checkpoint()).text
    forged = text + b"\n" + old.signature_line(text)
    tamper(begun, ("UPDATE checkpoint_notes SET note = ? WHERE size = 5", (forged,)))
    with pytest.raises(Corrupt, match="the log's keys in force there are"):
        begun.audit(no_progress)


def test_the_post_quantum_key_says_no_time(begun: House) -> None:
    """The log's own line has timestamp 0; another one is no signature of the log."""
    if not mldsa.is_available():
        pytest.skip("no ML-DSA-44 here")
    key, _ = keys.create(begun.desk, post_quantum=True)
    note = begun.checkpoint()
    held = begun.desk.keystore.get(key)
    assert isinstance(held, MlDsaKey)
    with reading(begun.engine) as conn:
        known = logkeys.load(conn, begun.log)
    text = parse_note(note).text
    timed = mldsa.sign(held.seed, held.name, text, 1_700_000_000)
    assert key.verify(text, timed), "a cosignature, in itself, is good"
    first = note.splitlines(keepends=True)[4]
    with pytest.raises(InvalidInput, match="does not verify"):
        logkeys.open_own(text + b"\n" + first + signature_line(key, timed), begun.log, known)


# What the database keeps


def test_the_database_keeps_one_key_in_force(begun: House) -> None:
    first = begun.log.log_key.key_id
    for sql, values, why in (
        ("INSERT INTO log_key_ends VALUES (1, ?, 1, 'x')", (first,), "another Ed25519 key"),
        ("INSERT INTO log_key_ends VALUES (1, ?, 1, 'x')", (b"none",), "another Ed25519 key"),
        ("INSERT INTO log_keys VALUES (1, ?, 9, 4, ?)", (b"1234", b"k"), "kind"),
    ):
        connection = raw(begun)
        with pytest.raises(Exception, match=why):
            connection.execute(sql, *values)
        connection.close()


def test_the_database_keeps_few_keys_in_force(begun: House) -> None:
    connection = raw(begun)
    for number in range(3):
        connection.execute(
            "INSERT INTO log_keys VALUES (1, ?, ?, 1, ?)",
            bytes(3) + bytes([number]),
            10 + number,
            bytes([number]),
        )
    with pytest.raises(Exception, match="few keys in force"):
        connection.execute("INSERT INTO log_keys VALUES (1, ?, 20, 1, ?)", b"abcd", b"more")
    connection.execute("INSERT INTO log_keys VALUES (1, ?, 21, 6, ?)", b"efgh", b"post")
    with pytest.raises(Exception, match="one of ML-DSA-44"):
        connection.execute("INSERT INTO log_keys VALUES (1, ?, 22, 6, ?)", b"ijkl", b"quantum")
    connection.close()


# Random histories against a model that knows nothing of tables, entries or signatures


@dataclass
class Model:
    """Who is in force, by name, in the order of coming; `size` counts entries."""

    in_force: list[str]
    every: list[str]
    size: int = 1
    checkpoints: dict[int, list[str]] = field(default_factory=dict)

    def classical(self) -> list[str]:
        return [name for name in self.in_force if name != "quantum"]

    def register(self, name: str) -> bool:
        if name in self.every or (name != "quantum" and len(self.classical()) == 4):
            return False
        self.every.append(name)
        self.in_force.append(name)
        self.size += 2
        return True

    def end(self, name: str) -> bool:
        if name not in self.in_force or (name != "quantum" and len(self.classical()) == 1):
            return False
        self.in_force.remove(name)
        self.size += 2
        return True

    def checkpoint(self) -> None:
        last = ["quantum"] if "quantum" in self.in_force else []
        self.checkpoints[self.size] = self.classical() + last


NAMES = ["first", *"abcdef"] + (["quantum"] if mldsa.is_available() else [])
ACTS = st.tuples(
    st.sampled_from(["register", "register", "end", "end", "checkpoint", "grow"]),
    st.sampled_from(NAMES),
)


def known_key(house: House, name: str) -> Any:
    if name == "first":
        return house.desk.keystore.get(house.log.log_key)
    seed = name.encode().ljust(32, b".")
    if name == "quantum":
        return MlDsaKey(name=house.log.origin, seed=seed)
    return SigningKey.from_seed(house.log.origin, seed)


@settings(max_examples=6, deadline=None)
@given(acts=st.lists(ACTS, min_size=8, max_size=20))
def test_histories(begun_template: Path, acts: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        house = open_house(copy_ledger(begun_template, Path(name) / "data"), Clock())
        model = Model(in_force=["first"], every=["first"])
        for number, act in enumerate([*acts, ("checkpoint", "")]):
            take(house, model, act, number)
        check(house, model, Path(name))
        house.engine.dispose()


def take(house: House, model: Model, act: tuple[str, str], number: int) -> None:
    verb, name = act
    if verb == "checkpoint":
        model.checkpoint()
        house.checkpoint()
    elif verb == "grow":
        model.size += 2
        grow(house, f"party-{number}")
    else:
        key = known_key(house, name)
        if not house.desk.keystore.holds(key.verify_key):
            house.desk.keystore.put(key)
        try:
            if verb == "register":
                keys.register(house.desk, key)
            else:
                keys.end(house.desk, key.verify_key, "its time was over")
            done = True
        except Refused:
            done = False
        assert done == (model.register if verb == "register" else model.end)(name), act


def check(house: House, model: Model, folder: Path) -> None:
    with reading(house.engine) as conn:
        known = logkeys.load(conn, house.log)
        for size, wanted in model.checkpoints.items():
            note = publish.note_at(conn, house.log, size)
            assert note is not None
            assert signers(note) == short(*(known_key(house, one).verify_key for one in wanted))
            assert logkeys.open_own(note, house.log, known).size == size
    assert house.audit(no_progress).entries == model.size
    house.export_tiles(folder / "tiles", no_progress)
    found = verify_log(folder / "tiles", trust_of([house.log.log_key.vkey]), Report())
    assert found.state is not None
    present = {key.vkey for key in found.state.log_keys.present()}
    assert present == {known_key(house, one).verify_key.vkey for one in model.in_force}


def test_entries_by_hand(begun: House) -> None:
    """What the desk does not write: the wrong signer, somebody else's entry, a party's key."""
    new = SigningKey.from_seed(begun.log.origin, bytes(32))
    first, operator = begun.desk.keystore.get(begun.log.log_key), operator_key(begun)
    said = statement("log-key.register", "operator", log_vkey=new.verify_key.vkey)
    for signing, why in (
        ((operator, new), "is signed by"),
        ((operator, new, new), "is signed by"),
        ((operator, first), "is signed by"),
        ((operator, new, first), "is signed by"),
    ):
        with pytest.raises(InvalidInput, match=why):
            submit(begun, said, *signing)
    partys = SigningKey.from_seed(begun.log.origin, operator.seed)
    with pytest.raises(Refused, match="registered already"):
        keys.register(begun.desk, partys)
    assert new.verify_key.kind == ED25519


@pytest.mark.sqlite_only
def test_a_ledger_of_before_keeps_its_key(begun: House) -> None:
    """The migration takes it over from the genesis."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = begun.settings.url
    command.downgrade(config, "0008")
    with pytest.raises(Unavailable, match="greenledger migrate"):
        open_house(begun.settings.dir)
    House.migrate(begun.settings)
    again = open_house(begun.settings.dir)
    assert keys.all_keys(again.desk) == [
        logkeys.LogKey(key=begun.log.log_key, entry_index=0, ended_index=None)
    ]
    assert again.audit(no_progress).entries == 1
    again.engine.dispose()
