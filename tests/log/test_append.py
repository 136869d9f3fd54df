"""Appending: many threads and processes, one log; who is told "stored" finds it stored."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from ledger.errors import LedgerError, Refused, Unavailable
from ledger.house import House
from ledger.log import service, store
from ledger.log.checkpoint import open_checkpoint
from ledger.log.service import Receipt, Submission
from tests.ledgers import (
    FARM,
    FARM_NEXT,
    introduce,
    key_members,
    no_progress,
    operator_key,
    party_statement,
    rows,
    signed,
    statement,
    submit,
)
from tests.shared_data import ROOT
from tests.verifier import forge

pytestmark = pytest.mark.both_databases

THREADS = 8
EACH = 12


def count(house: House, where: str = "1 = 1") -> int:
    ((found,),) = rows(house, f"SELECT count(*) FROM entries WHERE {where}")
    assert isinstance(found, int)
    return found


def checked(house: House) -> int:
    """Sign, compare with the naive tree, audit; returns the size."""
    signed_now = open_checkpoint(house.checkpoint(), house.log.log_key)
    found = rows(house, "SELECT entry_index, data FROM entries ORDER BY entry_index")
    assert [index for index, _ in found] == list(range(len(found)))
    assert signed_now.root == forge.mth([forge.leaf(bytes(data)) for _, data in found])
    assert house.audit(no_progress).entries == len(found)
    return len(found)


def writer_of(house: House) -> service.Writer:
    assert isinstance(house.desk.writer, service.Writer)
    return house.desk.writer


def wait_for_queue(house: House, wanted: int) -> None:
    waited = threading.Event()
    for _ in range(2_000):
        if len(writer_of(house)._queue) >= wanted:
            return
        waited.wait(0.005)
    pytest.fail(f"only {len(writer_of(house)._queue)} of {wanted} callers came to the queue")


def test_many_threads_make_groups(begun: House) -> None:
    """Every receipt is right, and there are fewer ticks than requests."""
    key = operator_key(begun)
    data = [
        [signed(party_statement(f"p{thread}-{number}"), key) for number in range(EACH)]
        for thread in range(THREADS)
    ]

    def append(mine: list[bytes]) -> list[Receipt]:
        return [begun.desk.writer.append(Submission(data=one)) for one in mine]

    with ThreadPoolExecutor(THREADS) as pool:
        receipts = [receipt for found in pool.map(append, data) for receipt in found]
    assert [receipt.entry.data for receipt in receipts] == [one for mine in data for one in mine]
    assert len({receipt.index for receipt in receipts}) == THREADS * EACH
    for receipt in receipts:
        stored = rows(begun, f"SELECT data FROM entries WHERE entry_index = {receipt.index}")
        assert stored == [(receipt.entry.data,)]
    for mine in range(THREADS):
        indexes = [receipt.index for receipt in receipts[mine * EACH : (mine + 1) * EACH]]
        assert indexes == sorted(indexes)
    ticks = count(begun, "type = 'tick'")
    assert ticks < THREADS * EACH
    assert checked(begun) == 1 + ticks + THREADS * EACH


def gathered(house: House, requests: list[list[bytes]]) -> list[list[Receipt] | LedgerError]:
    """All requests in one group: their receipts, or the error that each got."""

    def append(data: list[bytes]) -> list[Receipt] | LedgerError:
        try:
            return house.desk.writer.append_all([Submission(data=one) for one in data])
        except LedgerError as error:
            return error

    with ThreadPoolExecutor(len(requests)) as pool:
        with writer_of(house)._commit_lock:
            waiting = []
            for number, data in enumerate(requests):
                waiting.append(pool.submit(append, data))
                wait_for_queue(house, number + 1)
        return [one.result(timeout=30) for one in waiting]


def test_one_bad_request_does_not_hurt_the_others(begun: House) -> None:
    """Only the place tells that the second is bad: two first registrations of one party."""
    key = operator_key(begun)
    requests = [
        [signed(party_statement("farm"), key)],
        [signed(party_statement("good-1"), key), signed(party_statement("farm"), key)],
        [signed(party_statement("mill"), key)],
    ]
    first, bad, last = gathered(begun, requests)
    assert isinstance(bad, Refused)
    assert "party 'farm': replaces is ''" in str(bad)
    assert isinstance(first, list)
    assert isinstance(last, list)
    assert [one.index for one in first + last] == [2, 3]
    assert rows(begun, "SELECT party FROM parties ORDER BY entry_index") == [
        ("operator",),
        ("farm",),
        ("mill",),
    ], "a request is placed whole or not at all"
    assert checked(begun) == 4


def test_a_group_of_bad_requests_leaves_no_tick(begun: House) -> None:
    key = operator_key(begun)
    submit(begun, party_statement("farm"), key)
    data = [[signed(party_statement("farm"), key)] for _ in range(3)]
    # The form is good and `farm` is new to none of them; each is refused in its place.
    answers = gathered(begun, data)
    assert [type(answer) for answer in answers] == [Refused] * 3
    assert checked(begun) == 3


def test_the_same_entry_twice_in_a_group(begun: House) -> None:
    data = signed(party_statement("farm"), operator_key(begun))
    first, second = gathered(begun, [[data], [data]])
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [(one.index, one.repeated) for one in first + second] == [(2, False), (2, True)]
    assert checked(begun) == 3


def test_an_entry_refused_with_its_request_may_come_again(begun: House) -> None:
    """What a savepoint took back is not stored: its repeat in the same group is no repeat."""
    key = operator_key(begun)
    farm, mill = signed(party_statement("farm"), key), signed(party_statement("mill"), key)
    twin = signed(party_statement("mill"), key)
    first, refused, again = gathered(begun, [[mill], [farm, twin], [farm]])
    assert isinstance(first, list)
    assert isinstance(refused, Refused)
    assert isinstance(again, list)
    assert [(one.index, one.repeated) for one in again] == [(3, False)]
    assert checked(begun) == 4


def test_what_is_stored_also_stands_or_falls_with_the_entries(begun: House) -> None:
    """In one transaction, and seen by nobody when it or an entry beside it is refused."""
    key = operator_key(begun)
    seen: list[int] = []

    def also(conn: Connection, receipts: Sequence[Receipt]) -> None:
        seen.append(receipts[-1].index)
        note = {"log_id": 1, "size": 10_000 + receipts[-1].index, "note": b"kept"}
        conn.execute(insert(store.checkpoint_notes).values(note))

    def refuse(conn: Connection, receipts: Sequence[Receipt]) -> None:
        also(conn, receipts)
        raise Refused("not this time")

    def kept() -> int:
        ((found,),) = rows(begun, "SELECT count(*) FROM checkpoint_notes WHERE size >= 10000")
        return int(found)

    first, second = (Submission(data=signed(party_statement(p), key)) for p in ("a", "b"))
    with pytest.raises(Refused, match="not this time"):
        begun.desk.also(refuse).writer.append(first)
    assert (kept(), count(begun)) == (0, 1)
    begun.desk.also(also).writer.append_all([first, second])
    assert (kept(), count(begun)) == (1, 4)
    with pytest.raises(LedgerError, match="replaces is"):
        begun.desk.also(also).writer.append_all(
            [first, Submission(data=signed(party_statement("a"), key))]
        )
    assert (kept(), count(begun)) == (1, 4)
    assert seen == [2, 3]


def test_a_key_that_ends_in_the_group_signs_nothing_after(begun: House) -> None:
    """Both requests were good when they came; the one in front ends the key of the other."""
    submit(begun, party_statement("farm"), operator_key(begun))
    introduce(begun, "farm", FARM)
    members = key_members("farm", FARM_NEXT, replaces=FARM.verify_key.key_id.hex())
    rotation = signed(statement("key.register", "farm", **members), FARM, FARM_NEXT)
    other = key_members("farm", FARM_NEXT)
    late = signed(statement("key.register", "farm", **other), FARM, FARM_NEXT)
    rotated, refused = gathered(begun, [[rotation], [late]])
    assert isinstance(rotated, list)
    assert isinstance(refused, Refused)
    assert "ended with entry 6 (replaced)" in str(refused)
    assert checked(begun) == 7


# Commits that fail


def writes(house: House) -> list[Any]:
    return rows(house, "SELECT (SELECT count(*) FROM entries), size, edge FROM log_heads")


def test_a_failed_commit_acknowledges_nothing(begun: House) -> None:
    key = operator_key(begun)
    before = writes(begun)
    requests = [[signed(party_statement(f"p{number}"), key)] for number in range(3)]

    def refuse(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            raise sqlite3.OperationalError("disk I/O error")

    event.listen(begun.engine, "commit", refuse)
    errors: list[str] = []

    def append(data: list[bytes]) -> None:
        with pytest.raises(Exception, match="disk I/O error") as caught:
            begun.desk.writer.append(Submission(data=data[0]))
        errors.append(str(caught.value))

    with ThreadPoolExecutor(3) as pool:
        with writer_of(begun)._commit_lock:
            waiting = [pool.submit(append, data) for data in requests]
            wait_for_queue(begun, 3)
        for one in waiting:
            one.result(timeout=30)
    event.remove(begun.engine, "commit", refuse)
    assert len(errors) == 3
    assert writes(begun) == before
    receipts = [begun.desk.writer.append(Submission(data=data[0])) for data in requests]
    assert not any(receipt.repeated for receipt in receipts)
    assert checked(begun) == 7


@pytest.mark.sqlite_only
def test_a_full_disk_acknowledges_nothing(begun: House) -> None:
    """SQLite's own answer, by a limit on its pages."""
    begun.engine.dispose()

    def limit(connection: Any, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    event.listen(begun.engine, "connect", limit)
    before = writes(begun)
    key = operator_key(begun)
    large = {"name": "x" * 200}
    data = [
        Submission(data=signed(party_statement(f"p{number}", **large), key)) for number in range(99)
    ]
    with pytest.raises(Unavailable, match=r"nothing was changed.* full"):
        begun.desk.writer.append_all(data)
    assert writes(begun) == before
    event.remove(begun.engine, "connect", limit)
    begun.engine.dispose()
    begun.desk.writer.append_all(data)
    assert checked(begun) == 101


def test_a_bug_inside_a_group_is_everybodys_error(
    begun: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that is none of ours stops the group; nobody of it is told that it is stored."""
    key = operator_key(begun)
    before = writes(begun)

    def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(store, "save_head", broken)
    with pytest.raises(ZeroDivisionError):
        begun.desk.writer.append(Submission(data=signed(party_statement("farm"), key)))
    monkeypatch.undo()
    assert writes(begun) == before
    submit(begun, party_statement("farm"), key)
    assert checked(begun) == 3


def test_who_is_interrupted_before_the_commit_stores_nothing(
    begun: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the caller that commits for others: the others are not told "stored"."""
    key = operator_key(begun)
    commit = service.Writer._commit
    calls: list[int] = []

    def interrupted(self: service.Writer, group: Any) -> None:
        calls.append(len(group))
        if len(calls) == 1:
            raise KeyboardInterrupt
        commit(self, group)

    monkeypatch.setattr(service.Writer, "_commit", interrupted)
    answers: list[object] = []

    def append(data: bytes) -> None:
        try:
            answers.append(begun.desk.writer.append(Submission(data=data)))
        except BaseException as error:
            answers.append(error)

    with ThreadPoolExecutor(2) as pool, writer_of(begun)._commit_lock:
        for number in range(2):
            pool.submit(append, signed(party_statement(f"p{number}"), key))
            wait_for_queue(begun, number + 1)
    assert calls[0] == 2
    stored = {data for (data,) in rows(begun, "SELECT data FROM entries")}
    for answer in answers:
        if isinstance(answer, Receipt):
            assert answer.entry.data in stored
    assert sorted(type(answer).__name__ for answer in answers) == [
        "KeyboardInterrupt",
        "Unavailable",
    ]
    assert len(stored) == 1


# Processes

APPENDER = """
import sys
from pathlib import Path
from ledger.house import House
from tests.ledgers import open_house, operator_key, party_statement, signed
from ledger.log.service import Submission

folder, name, most, checkpoint_each = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
house = open_house(Path(folder))
key = operator_key(house)
print("ready", flush=True)
for number in range(most):
    data = signed(party_statement(f"{name}-{number}"), key)
    receipt = house.desk.writer.append(Submission(data=data))
    print(receipt.index, receipt.entry.leaf_hash.hex(), flush=True)
    if checkpoint_each and number % checkpoint_each == 0:
        print("note", house.checkpoint().hex(), flush=True)
"""


def appender(folder: Path, name: str, most: int, checkpoint_each: int = 0) -> Any:
    return subprocess.Popen(
        [sys.executable, "-c", APPENDER, str(folder), name, str(most), str(checkpoint_each)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def reported(lines: list[str]) -> dict[int, str]:
    """Index and leaf hash of each entry that a process said was stored."""
    found = {}
    for line in lines:
        if line.endswith("\n") and line[0].isdigit():
            index, leaf = line.split()
            found[int(index)] = leaf
    return found


def test_two_processes_append_at_once(begun: House) -> None:
    folder = begun.settings.dir
    running = [appender(folder, name, 25) for name in ("left", "right")]
    outputs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    found = [reported(output.splitlines(keepends=True)) for output in outputs]
    assert [len(one) for one in found] == [25, 25]
    assert not set(found[0]) & set(found[1])
    stored = dict(rows(begun, "SELECT entry_index, leaf_hash FROM entries"))
    for index, leaf in {**found[0], **found[1]}.items():
        assert stored[index].hex() == leaf
    assert checked(begun) == 101


@pytest.mark.parametrize("after", [1, 4, 13, 30])
def test_kill_9_loses_nothing_that_was_reported(begun: House, after: int) -> None:
    """Killed a few milliseconds after a report: inside some later append or checkpoint."""
    folder = begun.settings.dir
    begun.engine.dispose()
    process = appender(folder, "victim", 1_000_000, checkpoint_each=4)
    lines = [process.stdout.readline() for _ in range(1 + after)]
    assert lines[0] == "ready\n"
    time.sleep(random.Random(after).uniform(0, 0.02))
    process.kill()
    lines += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait()
    found = reported(lines)
    assert found
    stored = dict(rows(begun, "SELECT entry_index, leaf_hash FROM entries"))
    for index, leaf in found.items():
        assert stored[index].hex() == leaf
    published = [bytes.fromhex(line.split()[1]) for line in lines if line.startswith("note")]
    kept = {bytes(note) for (note,) in rows(begun, "SELECT note FROM checkpoint_notes")}
    assert set(published) <= kept
    submit(begun, party_statement("survivor"), operator_key(begun))
    assert checked(begun) >= len(found) + 3
