"""The audit checks each receipt again, and names the first that does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.anchors import audit, store
from ledger.db import reading, writing
from ledger.errors import Corrupt, Refused
from ledger.house import House
from tests.anchors.conftest import ED25519, ML_DSA, grow, listed
from tests.ledgers import no_progress, raw, rows, tamper
from tests.raw import REFUSED
from tests.servers.tsa import Authority
from tests.servers.witness import Witness

pytestmark = pytest.mark.both_databases


@pytest.fixture
def anchored(house: House, witness: Witness, tsa: Authority) -> House:
    """Two checkpoints, each with a token and a cosignature of each type."""
    witness.cosigners = [ED25519, ML_DSA]
    listed(house, witness, [tsa])
    house.anchor()
    grow(house, "farm")
    house.anchor()
    return house


def check(house: House) -> audit.Checked:
    with reading(house.engine) as conn:
        return audit.check(conn, house.log)


def data_of(house: House, seq: int) -> bytes:
    ((data,),) = rows(house, f"SELECT data FROM anchor_receipts WHERE seq = {seq}")
    return bytes(data)


Change = Callable[[House], list[str | tuple[str, tuple[object, ...]]]]


def _flip(house: House, kind: str) -> list[str | tuple[str, tuple[object, ...]]]:
    """One bit in the middle of the first receipt of a kind."""
    seqs = [
        seq
        for (seq,) in rows(
            house,
            "SELECT seq FROM anchor_receipts JOIN anchors USING (log_id, anchor)"
            f" WHERE kind = '{kind}' ORDER BY seq",
        )
    ]
    data = data_of(house, seqs[0])
    changed = (
        data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
    )
    return [("UPDATE anchor_receipts SET data = ? WHERE seq = ?", (bytes(changed), seqs[0]))]


CHANGES: dict[str, tuple[Change, str]] = {
    "a token": (lambda house: _flip(house, "authority"), r"row \d: it, its anchor"),
    "a cosignature": (lambda house: _flip(house, "witness"), r"row \d: it, its anchor"),
    "one in the middle is gone": (
        lambda _: ["DELETE FROM anchor_receipts WHERE seq = 3"],
        "row 4: it is out of place, or row 3 is missing",
    ),
    "the first is gone": (
        lambda _: ["DELETE FROM anchor_receipts WHERE seq = 0"],
        "row 1: it is out of place, or row 0 is missing",
    ),
    "the last is gone": (
        lambda _: ["DELETE FROM anchor_receipts WHERE seq = 5"],
        "6 were received, 5 are there",
    ),
    "of another checkpoint": (
        lambda _: ["UPDATE anchor_receipts SET size = 3 WHERE seq = 1"],
        "row 1: it, its anchor",
    ),
    "another time": (
        lambda _: ["UPDATE anchor_receipts SET at_s = at_s - 1 WHERE seq = 2"],
        "row 2: it, its anchor",
    ),
    "another name": (
        lambda _: ["UPDATE anchors SET name = 'tsa-9' WHERE kind = 'authority'"],
        r"row \d: it, its anchor",
    ),
    "other roots": (
        lambda _: ["UPDATE anchors SET key = key || ' ' WHERE kind = 'authority'"],
        r"row \d: it, its anchor",
    ),
    "an anchor of nothing": (
        lambda _: ["INSERT INTO anchors VALUES (1, 3, 'witness', 'w', 'w')"],
        "table anchors: row 3 has no receipt",
    ),
    "of another log": (
        lambda _: ["UPDATE anchors SET log_id = 2"],
        "table anchors: row 0 is out of place",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.sqlite_only
def test_what_does_not_hold_is_named(name: str, anchored: House) -> None:
    change, words = CHANGES[name]
    assert check(anchored) == audit.Checked(tokens=2, cosignatures=4)
    tamper(anchored, *change(anchored))
    with pytest.raises(Corrupt, match=words):
        check(anchored)


def test_it_is_part_of_the_audit(anchored: House) -> None:
    found = anchored.audit(no_progress)
    assert (found.tokens, found.cosignatures) == (2, 4)
    tamper(anchored, "UPDATE anchor_receipts SET at_s = 1 WHERE seq = 5")
    with pytest.raises(Corrupt, match="table anchor_receipts, row 5"):
        anchored.audit(no_progress)


@pytest.mark.sqlite_only
def test_a_forger_who_reckons_the_digests_anew(anchored: House) -> None:
    """Rows of a whole new history, digests and counts included: the signatures do not hold."""
    with reading(anchored.engine) as conn:
        good = store.newest(conn, anchored.log.log_id)
    token = next(one for one in good if one.kind == "authority")
    line = next(one for one in good if one.kind == "witness")
    for forged, words in (
        (replace(token, size=1), "Mismatch between messages"),
        (replace(line, size=1), "does not verify"),
        (replace(line, at_s=7), "not of 7"),
    ):
        tamper(anchored, "DELETE FROM anchor_receipts", "DELETE FROM anchors")
        tamper(anchored, "DELETE FROM anchor_states")
        with writing(anchored.engine) as conn:
            assert store.save(conn, anchored.log.log_id, forged) == 0
        with pytest.raises(Corrupt, match=words):
            check(anchored)


def test_the_database_keeps_the_order_itself(anchored: House) -> None:
    row = {"log_id": 1, "anchor": 0, "at_s": 1, "data": b"x", "digest": b"y" * 32}
    connection = raw(anchored)
    for members, words in (
        ({"seq": 7, "size": 1}, "numbered without a gap"),
        ({"seq": 5, "size": 1}, "(?i)numbered without a gap|unique"),
        ({"seq": 6, "size": 2}, "for signed checkpoints"),
        ({"seq": 6, "size": 1, "anchor": 9}, "(?i)foreign key"),
    ):
        with pytest.raises(REFUSED, match=words):
            connection.insert("anchor_receipts", row | members)
    for verb in ("UPDATE anchor_receipts SET at_s = 1", "DELETE FROM anchors"):
        with pytest.raises(REFUSED, match="is append-only"):
            connection.execute(verb)
    connection.close()
    with pytest.raises(Refused), writing(anchored.engine) as conn:
        store.change_state(conn, 1, "witness", "w", alarm="maybe")
