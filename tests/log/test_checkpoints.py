"""Checkpoints: one root for each size, recomputed before it is signed, and never behind what was
signed before. Whoever holds the database does not hold the signer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Corrupt, LedgerError, Unavailable
from ledger.house import House
from ledger.log import notes, publish
from ledger.log.checkpoint import open_checkpoint
from tests.ledgers import (
    ORIGIN,
    add_many,
    begin,
    copy_ledger,
    no_progress,
    open_house,
    operator_key,
    party_statement,
    put_back,
    raw,
    rows,
    signed,
    submit,
    tamper,
)
from tests.raw import REFUSED
from tests.verifier import forge

pytestmark = pytest.mark.both_databases


def high_water(house: House) -> Path:
    (path,) = house.settings.high_water.glob("*.json")
    return path


def sizes(house: House, table: str) -> list[int]:
    return [size for (size,) in rows(house, f"SELECT size FROM {table} ORDER BY size")]


def entries(house: House) -> list[bytes]:
    return [bytes(raw) for (raw,) in rows(house, "SELECT data FROM entries ORDER BY entry_index")]


def test_a_checkpoint_signs_the_tree_of_the_stored_entries(begun: House) -> None:
    for count in range(1, 6):
        submit(begun, party_statement(f"p{count}"), operator_key(begun))
        found = open_checkpoint(begun.checkpoint(), begun.log.log_key)
        leaves = [forge.leaf(entry) for entry in entries(begun)]
        assert (found.origin, found.size, found.root) == (ORIGIN, len(leaves), forge.mth(leaves))
        record = json.loads(high_water(begun).read_text())
        assert record == {"origin": ORIGIN, "size": found.size, "root": found.root.hex()}
    assert (
        sizes(begun, "checkpoint_roots") == sizes(begun, "checkpoint_notes") == [1, 3, 5, 7, 9, 11]
    )


def test_the_same_size_is_signed_the_same(begun: House) -> None:
    submit(begun, party_statement("farm"), operator_key(begun))
    first = begun.checkpoint()
    before = high_water(begun).read_bytes()
    assert begun.checkpoint() == first
    reopened = open_house(begun.settings.dir)
    assert reopened.checkpoint() == first
    reopened.engine.dispose()
    assert sizes(begun, "checkpoint_notes") == [1, 3]
    assert high_water(begun).read_bytes() == before


def test_one_root_for_a_size_by_constraint(begun: House) -> None:
    connection = raw(begun)
    for table, values in (
        ("checkpoint_roots", {"root": b"0", "range": b"0"}),
        ("checkpoint_notes", {"note": b"0"}),
    ):
        with pytest.raises(REFUSED, match=f"(?i)unique constraint .*{table}"):
            connection.insert(table, {"log_id": 1, "size": 1, **values})
    connection.close()


def refuses_to_sign(folder: Path, *words: str) -> str:
    """Opening or signing fails with a clear error, and nothing new is signed or recorded."""
    notes_before = _notes(folder)
    record_before = [path.read_bytes() for path in sorted((folder / "high-water").glob("*.json"))]
    with pytest.raises(LedgerError) as caught:
        open_house(folder).checkpoint()
    for word in words:
        assert word in str(caught.value)
    assert _notes(folder) == notes_before
    record = [path.read_bytes() for path in sorted((folder / "high-water").glob("*.json"))]
    assert record == record_before
    return str(caught.value)


def _notes(folder: Path) -> list[Any]:
    connection = raw(folder)
    found = connection.execute("SELECT * FROM checkpoint_notes ORDER BY size").fetchall()
    connection.close()
    return found


def test_a_changed_new_entry_is_found_before_signing(begun: House) -> None:
    for party in ("farm", "mill"):
        submit(begun, party_statement(party), operator_key(begun))
    other = signed(party_statement("ring"), operator_key(begun))
    tamper(begun, ("UPDATE entries SET data = ? WHERE entry_index = 2", (other,)))
    assert "at size 5" in refuses_to_sign(begun.settings.dir, "Nothing is signed")


def test_a_missing_new_entry_is_found_before_signing(begun: House) -> None:
    for party in ("farm", "mill"):
        submit(begun, party_statement(party), operator_key(begun))
    tamper(begun, "DELETE FROM entries WHERE entry_index = 2")
    refuses_to_sign(begun.settings.dir, "entry 2 is missing", "Nothing is signed")


def test_a_missing_last_entry_is_found_before_signing(begun: House) -> None:
    submit(begun, party_statement("farm"), operator_key(begun))
    tamper(begun, "DELETE FROM entries WHERE entry_index = 2")
    refuses_to_sign(begun.settings.dir, "at size 2", "at size 3", "Nothing is signed")


@pytest.mark.parametrize("at", [3, 40, 70])
def test_a_changed_edge_is_found_before_signing(begun: House, at: int) -> None:
    for party in ("farm", "mill"):
        submit(begun, party_statement(party), operator_key(begun))
    ((edge,),) = rows(begun, "SELECT edge FROM log_heads")
    changed = bytearray(edge)
    changed[at] ^= 1
    tamper(begun, ("UPDATE log_heads SET edge = ?", (bytes(changed),)))
    refuses_to_sign(begun.settings.dir)


def test_a_changed_tile_is_found_before_signing(tiled: House) -> None:
    """The level above the entries, from which the next root is made."""
    add_many(tiled, 230, "more")
    ((edge,),) = rows(tiled, "SELECT edge FROM log_heads")
    changed = edge[:-1] + bytes([edge[-1] ^ 1])
    tamper(tiled, ("UPDATE log_heads SET edge = ?", (changed,)))
    refuses_to_sign(tiled.settings.dir, "the history was changed")


def test_history_under_the_high_water_record_can_not_be_changed(tiled: House) -> None:
    """The forger holds the database: he changes an entry that was signed over, and all that the
    database says of roots, tiles and edges, so that each agrees with the next. The old root still
    follows from an old tile. Only what lies away from the database gives him away.
    """
    add_many(tiled, 230, "more")
    other = signed(party_statement("ring"), operator_key(tiled))
    leaves = [forge.leaf(entry) for entry in entries(tiled)]
    leaves[260] = forge.leaf(other)
    ((edge,),) = rows(tiled, "SELECT edge FROM log_heads")
    forged = edge[:-32] + forge.mth(leaves[256:512])
    assert edge[-32:] != forged[-32:]
    tamper(
        tiled,
        (
            "UPDATE entries SET data = ?, leaf_hash = ? WHERE entry_index = 260",
            (other, leaves[260]),
        ),
        ("UPDATE log_heads SET edge = ?", (forged,)),
        "DELETE FROM checkpoint_roots WHERE size > 1",
        "DELETE FROM checkpoint_notes WHERE size > 1",
    )
    refuses_to_sign(tiled.settings.dir, "at size 300", "the history was changed")


def test_a_forged_root_in_the_database_is_no_place_to_begin(tiled: House) -> None:
    """The same, with a root of the forger's own recorded between."""
    other = signed(party_statement("ring"), operator_key(tiled))
    add_many(tiled, 230, "more")
    leaves = [forge.leaf(entry) for entry in entries(tiled)]
    leaves[260] = forge.leaf(other)
    range_ = forge.mth(leaves[:256]) + b"".join(
        [forge.mth(leaves[256:288]), forge.mth(leaves[288:296]), forge.mth(leaves[296:300])]
    )
    ((edge,),) = rows(tiled, "SELECT edge FROM log_heads")
    tamper(
        tiled,
        (
            "UPDATE checkpoint_roots SET root = ?, range = ? WHERE size = 300",
            (forge.mth(leaves[:300]), range_),
        ),
        ("UPDATE log_heads SET edge = ?", (edge[:-32] + forge.mth(leaves[256:512]),)),
    )
    refuses_to_sign(tiled.settings.dir, "at size 300", "the history was changed")


# The high-water record


def test_an_old_copy_of_the_database_is_refused(begun: House, tmp_path: Path) -> None:
    old = copy_ledger(begun.settings.dir, tmp_path / "old")
    submit(begun, party_statement("farm"), operator_key(begun))
    begun.checkpoint()
    begun.engine.dispose()
    folder = begun.settings.dir
    put_back(old, folder)
    with pytest.raises(Unavailable, match="holds 1 entries, but a checkpoint of 3 was prepared"):
        open_house(folder)
    refuses_to_sign(folder, "this is an old copy", "nothing is signed")


def test_an_old_copy_under_a_running_house_is_refused(begun: House, tmp_path: Path) -> None:
    """The database is put back while the process runs: it signs nothing, whatever is appended."""
    old = copy_ledger(begun.settings.dir, tmp_path / "old")
    submit(begun, party_statement("farm"), operator_key(begun))
    begun.checkpoint()
    begun.engine.dispose()
    put_back(old, begun.settings.dir)
    with pytest.raises(Unavailable, match="this is an old copy"):
        begun.checkpoint()
    for party in ("mill", "ring"):
        submit(begun, party_statement(party), operator_key(begun))
    with pytest.raises(Corrupt, match=r"the history was changed\. Nothing is signed"):
        begun.checkpoint()
    with pytest.raises(Corrupt, match="the history was changed"):
        begun.audit(no_progress)
    assert sizes(begun, "checkpoint_notes") == [1]


def test_another_history_of_the_same_size_is_refused(begun: House, tmp_path: Path) -> None:
    folder = copy_ledger(begun.settings.dir, tmp_path / "fork")
    fork = open_house(folder)
    submit(fork, party_statement("farm"), operator_key(fork))
    fork.engine.dispose()
    submit(begun, party_statement("mill"), operator_key(begun))
    begun.checkpoint()
    record = high_water(begun)
    (folder / "high-water" / record.name).write_bytes(record.read_bytes())
    refuses_to_sign(folder, "the log's root at size 3", "the history was changed")


@pytest.mark.sqlite_only
def test_a_broken_high_water_record_is_refused(begun: House) -> None:
    """Any changed byte: it is a file that says what must not be signed."""
    path = high_water(begun)
    good = path.read_bytes()
    for at in range(len(good)):
        for bit in (1, 0x20, 0x80):
            path.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
            with pytest.raises((Corrupt, Unavailable)):
                open_house(begun.settings.dir)
    for wrong in (b"", b"{}", b"[]", b"null", good[:-1], good + b" ", b'{"size": 1.0}'):
        path.write_bytes(wrong)
        with pytest.raises(Corrupt, match="high-water record"):
            open_house(begun.settings.dir)
    path.write_bytes(good)
    open_house(begun.settings.dir).engine.dispose()


# Crashes


class Crash(BaseException):
    """The process is gone."""


def crash_at(monkeypatch: pytest.MonkeyPatch, place: str, call: int) -> None:
    """The process goes at the given call of a function."""
    function = getattr(publish, place)
    calls = []

    def gone(*args: object) -> object:
        calls.append(args)
        if len(calls) == call:
            raise Crash
        return function(*args)

    monkeypatch.setattr(publish, place, gone)


@pytest.mark.parametrize(
    ("place", "call"),
    # The note that there was is not signed again.
    [
        *(
            (place, call)
            for place in ("_record_root", "open_own", "_record_note")
            for call in (1, 2)
        ),
        ("sign_note", 1),
    ],
)
def test_after_a_crash_the_same_is_signed(
    place: str, call: int, begun: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first call is for the checkpoint that there was, the second for the new one."""
    submit(begun, party_statement("farm"), operator_key(begun))
    twin = copy_ledger(begun.settings.dir, tmp_path / "twin")
    with monkeypatch.context() as patch:
        crash_at(patch, place, call)
        with pytest.raises(Crash):
            begun.checkpoint()
    begun.engine.dispose()
    after, untouched = open_house(begun.settings.dir), open_house(twin)
    assert after.checkpoint() == untouched.checkpoint()
    assert after.audit(no_progress).checkpoints == 2
    after.engine.dispose()
    untouched.engine.dispose()


def test_a_crash_before_the_high_water_record(
    begun: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(begun, party_statement("farm"), operator_key(begun))
    before = high_water(begun).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(publish.HighWater, "write", lambda _self, _checkpoint: _crash())
        with pytest.raises(Crash):
            begun.checkpoint()
    assert high_water(begun).read_bytes() == before
    assert sizes(begun, "checkpoint_notes") == [1]
    assert open_checkpoint(begun.checkpoint(), begun.log.log_key).size == 3


def _crash() -> None:
    raise Crash


def test_roots_that_lost_their_notes_get_them(
    begun: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two crashes between root and note, with entries between; then the log goes on."""
    for party in ("farm", "mill"):
        submit(begun, party_statement(party), operator_key(begun))
        with monkeypatch.context() as patch:
            crash_at(patch, "_record_note", 2 if party == "farm" else 1)
            with pytest.raises(Crash):
                begun.checkpoint()
    assert sizes(begun, "checkpoint_roots") == [1, 3, 5]
    assert sizes(begun, "checkpoint_notes") == [1]
    assert json.loads(high_water(begun).read_text())["size"] == 3
    submit(begun, party_statement("ring"), operator_key(begun))
    begun.checkpoint()
    assert sizes(begun, "checkpoint_notes") == [1, 3, 5, 7]
    assert begun.audit(no_progress).checkpoints == 4


def test_the_newest_note_comes_back_the_same(filled: House) -> None:
    """What audit can't tell from a crash: the newest note is gone. It heals to the same checkpoint,
    whose Ed25519 signatures are the same bytes; ML-DSA-44 draws fresh randomness each time."""
    newest = max(sizes(filled, "checkpoint_notes"))
    ((note,),) = rows(filled, f"SELECT note FROM checkpoint_notes WHERE size = {newest}")
    tamper(filled, f"DELETE FROM checkpoint_notes WHERE size = {newest}")
    filled.audit(no_progress)
    healed = filled.checkpoint()
    assert healed.splitlines()[:5] == bytes(note).splitlines()[:5]
    assert len(healed.splitlines()) == len(bytes(note).splitlines())
    assert sizes(filled, "checkpoint_notes")[-1] == newest


# What the signer never does


def test_the_wrong_key_signs_nothing(begun: House) -> None:
    """The house's key must be the one that the genesis named."""
    other = notes.SigningKey.from_seed(ORIGIN, b"\x07" * 32)
    record = publish.HighWater(begun.settings.high_water, begun.log.log_key)
    submit(begun, party_statement("farm"), operator_key(begun))
    with pytest.raises(LedgerError, match=r"is signed by .*; the log's keys in force there are"):
        publish.sign_checkpoint(begun.engine, begun.log, lambda _: other, record)
    assert sizes(begun, "checkpoint_notes") == [1]


@pytest.mark.sqlite_only
def test_another_log_under_the_same_name_is_refused(begun: House, tmp_path: Path) -> None:
    """The whole database is replaced by one that is sound in itself, with keys of its maker."""
    fake = begin(tmp_path / "fake")
    submit(fake, party_statement("farm"), operator_key(fake))
    fake.checkpoint()
    fake.engine.dispose()
    begun.engine.dispose()
    folder = begun.settings.dir
    put_back(tmp_path / "fake", folder)
    with pytest.raises(Corrupt, match="high-water record of the same log under another key"):
        open_house(folder)
