"""A witness remembers what the database has lost: from then on nothing is signed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.anchors.service import Asking, Outcome, hold_round
from ledger.db import reading
from ledger.errors import Corrupt, LedgerError, Unavailable
from ledger.house import House, now_s
from ledger.log import publish
from tests.anchors.conftest import grow, listed, only, received
from tests.ledgers import close, copy_ledger, open_house, put_back, raw, rows
from tests.servers.witness import Witness

pytestmark = pytest.mark.both_databases
LATER = "it has a later checkpoint already, of size 5"


def rolled_back(house: House, old: Path) -> House:
    """The old database, with no high-water record that would tell."""
    folder = house.settings.dir
    house.engine.dispose()
    shutil.rmtree(folder / "high-water")
    put_back(old, folder)
    return open_house(folder, now_s)


@pytest.fixture
def old(house: House, tmp_path: Path) -> Path:
    """A backup of five entries."""
    grow(house, "farm")
    grow(house, "mill")
    house.engine.dispose()
    return copy_ledger(house.settings.dir, tmp_path / "old")


def notes(house: House) -> list[int]:
    return [size for (size,) in rows(house, "SELECT size FROM checkpoint_notes ORDER BY size")]


def refuses(house: House, error: type[LedgerError], words: str) -> None:
    before = notes(house)
    with pytest.raises(error, match=words):
        house.checkpoint()
    assert notes(house) == before


def test_an_old_copy_signs_nothing(house: House, old: Path, witness: Witness) -> None:
    listed(house, witness)
    grow(house, "kiln")
    assert only(house).said == "cosignature"
    house.engine.dispose()
    newer = copy_ledger(house.settings.dir, old.parent / "newer")
    late = rolled_back(house, old)
    assert only(late).said == "ahead"
    refuses(late, Unavailable, "cosigned a checkpoint of 7 entries, the latest one .* is of 5")
    # Entries go on, and are no way around it: the witness saw others.
    late.desk.register_party("fork", "fork", ["enterprise"])
    late.desk.register_party("more", "more", ["enterprise"])
    refuses(late, Unavailable, "cosigned a checkpoint of 7 entries")
    late.engine.dispose()
    again = open_house(late.settings.dir, now_s)
    refuses(again, Unavailable, "cosigned a checkpoint of 7 entries")
    assert only(again).said == "ahead"
    # What is missing comes back: the witness is asked about it, and vouches.
    alarm = rows(again, "SELECT alarm, alarm_size, failures FROM anchor_states")
    assert alarm == [("ahead", 7, 2)]
    again.engine.dispose()
    put_back(newer, again.settings.dir)
    back = open_house(again.settings.dir, now_s)
    connection = raw(back)
    connection.execute("UPDATE anchor_states SET alarm = 'ahead', alarm_size = 7")
    connection.close()
    grow(back, "late")
    assert only(back).said == "cosignature"
    assert rows(back, "SELECT alarm, alarm_size, failures FROM anchor_states") == [("", 0, 0)]
    back.engine.dispose()
    for folder in (newer, old):
        close(open_house(folder, now_s))


@pytest.mark.sqlite_only
def test_another_history_of_one_size(house: House, old: Path, witness: Witness) -> None:
    listed(house, witness)
    grow(house, "kiln")
    assert only(house).said == "cosignature"
    fork = rolled_back(house, old)
    grow(fork, "fork")
    assert notes(fork)[-1] == 7
    assert only(fork).said == "conflict"
    refuses(fork, Corrupt, "has another root than [0-9a-f]{64} at size 7")
    fork.engine.dispose()
    close(open_house(old, now_s))


@pytest.mark.sqlite_only
def test_another_history_below(house: House, old: Path, witness: Witness) -> None:
    """The fork is larger than what the witness saw: the path from there does not convince it."""
    listed(house, witness)
    grow(house, "kiln")
    assert only(house).said == "cosignature"
    fork = rolled_back(house, old)
    fork.desk.register_party("fork", "fork", ["enterprise"])
    grow(fork, "more")
    assert only(fork).said == "conflict"
    refuses(fork, Corrupt, "at size 7")
    assert fork.anchor().outcomes == ()
    fork.engine.dispose()
    close(open_house(old, now_s))


@pytest.mark.sqlite_only
def test_who_is_not_listed_has_no_say(house: House, witness: Witness) -> None:
    """Else one that lies would stop a log for good. What it said stays to be seen."""
    witness.answer = lambda _: (409, "text/x.tlog.size", b"999999999\n")
    listed(house, witness)
    grow(house, "farm")
    assert only(house).said == "ahead"
    refuses(house, Unavailable, "cosigned a checkpoint of 999999999 entries")
    path = listed(house)
    house.checkpoint()
    assert rows(house, "SELECT alarm FROM anchor_states") == [("ahead",)]
    # Listed again, and honest again.
    witness.answer = witness.honest
    path.unlink()
    listed(house, witness)
    refuses(house, Unavailable, "999999999")
    assert only(house).said == "cosignature"
    grow(house, "mill")


def test_a_later_checkpoint_of_our_own_is_no_alarm(house: House, witness: Witness) -> None:
    """Two processes ask at once; the slower one hears of what the faster one signed."""
    listed(house, witness)
    grow(house, "farm")

    def faster(body: bytes) -> tuple[int, str, bytes]:
        witness.answer = witness.honest
        with reading(house.engine) as conn:
            assert publish.latest_checkpoint(conn, house.log)[0].size == 3
        grow(house, "mill")
        assert only(house).said == "cosignature"
        return witness.honest(body)

    witness.answer = faster
    outcome = only(house)
    assert (outcome.said, outcome.error) == (
        "failed",
        "it has a later checkpoint already, of size 5",
    )
    assert received(house) == [(0, 5)]
    grow(house, "kiln")


def auditing(house: House, witness: Witness) -> None:
    path = listed(house, witness)
    path.write_text(path.read_text() + "\naudits = true\n")


@pytest.mark.sqlite_only
def test_an_auditor_that_refuses_for_a_rule_raises_no_alarm(house: House, witness: Witness) -> None:
    """It says 422, as for another history; what it cosigned last is ours."""
    auditing(house, witness)
    note = grow(house, "farm")
    assert only(house).said == "cosignature"
    witness.last = note
    witness.answer = lambda _: (422, "text/plain", b"this log broke its rules:\x1b[2J entry 2\n")
    grow(house, "mill")
    outcome = only(house)
    assert outcome.said == "failed"
    assert outcome.error == "it refuses the log: this log broke its rules: [2J entry 2"
    witness.last = b""
    assert "what it cosigned last it does not show" in only(house).error
    grow(house, "kiln")


@pytest.mark.sqlite_only
def test_an_auditor_that_has_another_root_raises_one(house: House, witness: Witness) -> None:
    auditing(house, witness)
    note = grow(house, "farm")
    assert only(house).said == "cosignature"
    lines = note.splitlines(keepends=True)
    witness.last = b"".join([*lines[:2], b"A" * 43 + b"=\n", *lines[3:]])
    witness.answer = lambda _: (422, "text/plain", b"two roots\n")
    grow(house, "mill")
    outcome = only(house)
    assert outcome.said == "conflict"
    assert outcome.error == "it has another root than ours at size 3: two roots"


@pytest.mark.sqlite_only
def test_two_roots_of_one_size_by_422(house: House, witness: Witness) -> None:
    """As tlog-witness says it now; there is no path."""
    listed(house, witness)
    grow(house, "farm")
    assert only(house).said == "cosignature"
    witness.answer = lambda _: (422, "text/plain", b"two roots for one size\n")
    assert only_again(house).said == "conflict"
    refuses(house, Corrupt, "has another root than [0-9a-f]{64} at size 3")


def only_again(house: House) -> Outcome:
    """The same checkpoint, once more: its cosignature is due to be renewed."""
    late = Asking(
        engine=house.engine,
        log=house.log,
        anchors=house.anchors(),
        clock_s=lambda: now_s() + 7200,
    )
    (found,) = hold_round(late, renew_after_s=3600, patient=False).outcomes
    return found
