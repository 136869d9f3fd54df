"""Whoever holds the database, or one party's key, tries what looks sound and is not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger import db
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.log.service import Submission
from ledger.metering.effective import effective
from ledger.recovery.restore import restore
from tests.ledgers import (
    DAY_S,
    MALLORY,
    no_progress,
    open_house,
    operator_key,
    party_statement,
    raw,
    raw_database,
    rows,
    settings_in,
    submit,
    tamper,
)
from tests.verifier import forge

pytestmark = pytest.mark.both_databases


def reopen_and_audit(folder: Path) -> None:
    house = open_house(folder)
    try:
        house.audit(no_progress)
    finally:
        house.engine.dispose()


def found(house: House, why: str) -> None:
    """The audit of the changed ledger fails, and says why."""
    house.engine.dispose()
    with pytest.raises(LedgerError, match=why):
        reopen_and_audit(house.settings.dir)


# The database's structure; PostgreSQL's is tests/postgresql/test_structure.py


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("DROP TRIGGER entries_no_update", "trigger entries_no_update is missing"),
        ("DROP TRIGGER blocks_no_overlap", "trigger blocks_no_overlap is missing"),
        (
            (
                "DROP TRIGGER keys_no_delete; CREATE TRIGGER keys_no_delete BEFORE DELETE ON keys"
                " BEGIN SELECT 1; END"
            ),
            "trigger keys_no_delete is not as the schema says",
        ),
        (
            (
                "CREATE TRIGGER helpful AFTER INSERT ON blocks BEGIN"
                " UPDATE log_heads SET tick_s = 0; END"
            ),
            "trigger helpful is none of the ledger's",
        ),
        (
            (
                "ALTER TABLE meter_logs RENAME TO hidden;"
                " CREATE VIEW meter_logs AS SELECT * FROM hidden"
            ),
            "trigger|meter_logs is a view",
        ),
        ("DROP TABLE endorsements", "endorsements"),
    ],
    ids=["no trigger", "no overlap trigger", "tame trigger", "own trigger", "view", "no table"],
)
def test_the_structure_is_part_of_the_audit(filled: House, sql: str, why: str) -> None:
    connection = raw_database(filled)
    connection.executescript(sql)
    connection.close()
    found(filled, why)


@pytest.mark.sqlite_only
def test_an_index_that_hides_a_row(filled: House) -> None:
    """Tables are as they were, but queries that go by the index don't see one block."""
    ((point,),) = rows(filled, "SELECT point FROM point_names WHERE name = 'secret-roof'")
    assert _readings(filled, point) == 96
    filled.engine.dispose()
    connection = raw_database(filled)
    index = "INDEX ix_blocks_point_span ON blocks (log_id, point, start_s, end_s)"
    connection.executescript(
        f"DROP INDEX ix_blocks_point_span; CREATE {index} WHERE entry_index <> 30;"
        " PRAGMA writable_schema = ON;"
        f" UPDATE sqlite_master SET sql = 'CREATE {index}' WHERE name = 'ix_blocks_point_span';"
    )
    connection.close()
    assert _readings(filled, point) == 48, "half of the day is gone for whoever asks"
    found(filled, "the database file is damaged")


def _readings(house: House, point: bytes) -> int:
    with reading(house.engine) as conn:
        items = effective(conn, 1, point, start_s=DAY_S, end_s=DAY_S + 86_400)
    return sum(len(item.series) for item in items)


@pytest.mark.sqlite_only
def test_a_damaged_page(filled: House) -> None:
    filled.engine.dispose()
    path = filled.settings.dir / "ledger.sqlite3"
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    data[5 * size : 5 * size + 8] = b"\xff" * 8
    path.write_bytes(bytes(data))
    found(filled, "damaged|does not hold what it should")


# Rows that no key is needed for


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (
            "INSERT INTO checkpoint_roots SELECT 2, size, root, range FROM checkpoint_roots",
            "table checkpoint_roots: row 2, .* is of no log",
        ),
        (
            "INSERT INTO checkpoint_notes SELECT 2, size, note FROM checkpoint_notes",
            "table checkpoint_notes: row 2, .* is of no log",
        ),
        ("INSERT INTO checkpoint_roots SELECT 1, -1, root, root FROM checkpoint_roots", "size -1"),
        (
            (
                "INSERT INTO checkpoint_roots SELECT 1, 0, root, substr(root, 1, 0)"
                " FROM checkpoint_roots"
            ),
            "size 0",
        ),
        ("DELETE FROM checkpoint_notes WHERE size = 1", "checkpoint of size 1 is missing"),
        ("INSERT INTO log_heads SELECT 2, size, tick_s, edge FROM log_heads", "table log_heads"),
        ("INSERT INTO meter_logs VALUES ('METER-9', 1)", "table meter_logs"),
        (
            "INSERT INTO bodies SELECT 1, substr(root, 1, 1), root FROM checkpoint_roots",
            "table bodies",
        ),
    ],
)
def test_rows_of_nobody(filled: House, sql: str, why: str) -> None:
    tamper(filled, sql.replace("FROM checkpoint_roots", "FROM checkpoint_roots LIMIT 1"))
    found(filled, why)


def test_a_note_with_a_guest(filled: House) -> None:
    """A second signature beside the log's own: it would be published with it."""
    ((size, note),) = rows(filled, "SELECT size, note FROM checkpoint_notes ORDER BY size LIMIT 1")
    text = bytes(note).partition(b"\n\n")[0] + b"\n"
    guest = bytes(note) + MALLORY.signature_line(text)
    tamper(filled, ("UPDATE checkpoint_notes SET note = ? WHERE size = ?", (guest, size)))
    found(filled, "is signed by .*mallory.*; the log's keys in force there are")


def test_a_note_by_another_key_of_the_same_name(filled: House) -> None:
    ((size, note),) = rows(filled, "SELECT size, note FROM checkpoint_notes ORDER BY size LIMIT 1")
    text = bytes(note).partition(b"\n\n")[0] + b"\n"
    other = SigningKey.from_seed(filled.log.origin, b"\x08" * 32)
    forged = text + b"\n" + other.signature_line(text)
    tamper(filled, ("UPDATE checkpoint_notes SET note = ? WHERE size = ?", (forged, size)))
    found(filled, "is signed by .*; the log's keys in force there are")


# Whole forgeries, consistent in themselves


def test_a_reading_changed_with_all_its_hashes(filled: House) -> None:
    """Value, leaf, inner root, entry, leaf hash: all but the signature can be made to agree."""
    ((index, data),) = rows(
        filled,
        "SELECT entry_index, data FROM entries WHERE type = 'readings' AND entry_index NOT IN"
        " (SELECT entry_index FROM erasures) ORDER BY 1 DESC LIMIT 1",
    )
    ((values, batch_id, secret, point, start_s),) = rows(
        filled,
        "SELECT value, b.id, secret, point, start_s FROM blocks JOIN batches AS b"
        f" USING (log_id, entry_index) WHERE entry_index = {index}",
    )
    changed = b"\x00" * 7 + b"\x2a" + bytes(values)[8:]
    seed = b"greenledger/nonce/v1\n" + bytes(secret) + f"{filled.log.origin}\n{batch_id}".encode()
    nonces = hashlib.shake_256(seed).digest(16 * 96)
    leaves = [
        forge.leaf(
            nonces[16 * n : 16 * n + 16]
            + bytes(point)
            + (start_s + 900 * n).to_bytes(8, "big")
            + (900).to_bytes(4, "big")
            + changed[8 * n : 8 * n + 8]
            + bytes(2)
        )
        for n in range(96)
    ]
    statement_, _, signature = bytes(data).partition(b"\n\n")
    old_root = statement_.partition(b'"root":"')[2][:64]
    forged = statement_.replace(old_root, forge.mth(leaves).hex().encode()) + b"\n\n" + signature
    tamper(
        filled,
        ("UPDATE blocks SET value = ? WHERE entry_index = ?", (changed, index)),
        (
            "UPDATE entries SET data = ?, leaf_hash = ? WHERE entry_index = ?",
            (forged, forge.leaf(forged), index),
        ),
        (
            "UPDATE batches SET leaf_hash = ? WHERE entry_index = ?",
            (forge.leaf(forged), index),
        ),
    )
    found(filled, f"entry {index}: the signature of .*/mill .* does not verify")


def test_entries_in_another_order(filled: House) -> None:
    """Signatures do not say where an entry stands: the tree does."""
    tamper(
        filled,
        "UPDATE entries SET entry_index = 1000 WHERE entry_index = 1",
        "UPDATE entries SET entry_index = 1 WHERE entry_index = 3",
        "UPDATE entries SET entry_index = 3 WHERE entry_index = 1000",
    )
    found(filled, "entries 0 to|entry ")


def test_a_shorter_log_is_an_old_copy(filled: House) -> None:
    """Everything above size 9 is taken away, in every table, and the head is made to fit."""
    leaves = [
        forge.leaf(bytes(data))
        for (data,) in rows(filled, "SELECT data FROM entries ORDER BY entry_index LIMIT 9")
    ]
    edge = bytes([1, 9]) + b"".join(leaves)
    without_index = (
        *("bodies", "meter_logs", "point_names", "claim_lots", "lot_wraps", "shorts"),
        *("claim_retirements", "unit_batch_lots", "statement_rows", "footprint_uses"),
    )
    connection = raw(filled)
    with connection.unguarded():
        for name, table in db.metadata.tables.items():
            if name in without_index:
                connection.execute(f"DELETE FROM {name}")
            elif "entry_index" in table.columns:
                connection.execute(f"DELETE FROM {name} WHERE entry_index >= 9")
        for name in ("checkpoint_roots", "checkpoint_notes"):
            connection.execute(f"DELETE FROM {name} WHERE size > 9")
        for name in ("anchors", "anchor_receipts", "anchor_states"):
            connection.execute(f"DELETE FROM {name}")
        connection.execute("UPDATE log_heads SET size = 9, edge = ?", edge)
    connection.close()
    found(filled, r"the database holds 9 entries, but a checkpoint of \d+ was prepared")
    for record in filled.settings.high_water.glob("*.json"):
        record.unlink()
    shorter = open_house(filled.settings.dir)
    assert shorter.audit(no_progress).entries == 9, "without the record nothing gives it away"
    shorter.engine.dispose()


def test_the_log_key_in_the_database_is_not_believed(filled: House) -> None:
    """The forger puts his own key in place of the log's, and signs the checkpoints again."""
    other = SigningKey.from_seed(filled.log.origin, b"\x08" * 32)
    notes = rows(filled, "SELECT size, note FROM checkpoint_notes")
    texts = {size: bytes(note).partition(b"\n\n")[0] + b"\n" for size, note in notes}
    tamper(
        filled,
        ("UPDATE logs SET log_vkey = ?", (other.verify_key.vkey,)),
        *(
            (
                "UPDATE checkpoint_notes SET note = ? WHERE size = ?",
                (text + b"\n" + other.signature_line(text), size),
            )
            for size, text in texts.items()
        ),
    )
    found(filled, "high-water record of the same log under another key")
    for record in filled.settings.high_water.glob("*.json"):
        record.unlink()
    found(filled, "table logs, row 1: log_vkey differs")


# What a party's own key can do to others


ODD_NAMES = [
    "\u2028\u2029\u0085",
    "\u200b",
    "e\u0301",
    "\U0001f33b" * 200,
    "\u202emill",
    '"}\\\u007b',
    "— farm AAAA",
    "\ufeffmill",
]


@pytest.mark.sqlite_only  # tests/postgresql/test_engine.py stores them all
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_harm_nobody(begun: House, tmp_path: Path, name: str) -> None:
    """What one may write, everybody can read: audit, verifier, restore."""
    submit(begun, party_statement("farm", name=name), operator_key(begun))
    assert rows(begun, "SELECT name FROM parties WHERE party = 'farm'") == [(name,)]
    everybody_reads(begun, tmp_path)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-03-01T00:05:00Z"]
)
def test_odd_times_harm_nobody(begun: House, tmp_path: Path, at: str) -> None:
    submit(begun, {**party_statement("farm"), "at": at}, operator_key(begun))
    everybody_reads(begun, tmp_path)


@pytest.mark.sqlite_only
def test_odd_spacing_and_escapes_harm_nobody(begun: House, tmp_path: Path) -> None:
    content = party_statement("farm")
    text = "{ " + ", ".join(f'"{k}" : {_escaped(v)}' for k, v in reversed(content.items())) + " }"
    key = operator_key(begun)
    data = text.encode() + b"\n"
    begun.desk.writer.append(Submission(data=data + b"\n" + key.signature_line(data)))
    everybody_reads(begun, tmp_path)


def _escaped(value: Any) -> str:
    if isinstance(value, list):
        return "[ " + " , ".join(map(_escaped, value)) + " ]"
    return '"' + "".join(f"\\u{ord(character):04x}" for character in value) + '"'


def everybody_reads(house: House, folder: Path) -> None:
    house.checkpoint()
    house.audit(no_progress)
    house.export_tiles(folder / "tiles", no_progress)
    found_log = verify_log(folder / "tiles", trust_of([house.log.log_key.vkey]), Report())
    assert found_log.state is not None
    assert "farm" in found_log.state.parties
    house.export_entries(folder / "entries", no_progress)
    restored = restore(settings_in(folder / "restored"), folder / "entries", no_progress)
    assert restored.size == found_log.signed.checkpoint.size
