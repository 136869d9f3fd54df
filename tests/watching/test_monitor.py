"""The monitor against operators who break their word, each in his own way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.remote import Web, open_source
from ledger.watching.conflict import read_conflict
from ledger.watching.mirror import Mirror
from ledger.watching.monitor import Monitor, Visit, Wanted
from ledger.watching.notes import read_log_keys, read_witness_keys
from ledger.watching.published import PublishedLog
from ledger.watching.witness import Witness
from tests.ledgers import NOW_S, ORIGIN, add_many, tiled
from tests.servers.api import serving
from tests.servers.files_over_http import FileServer, serving_files
from tests.servers.witness_process import make_witness
from tests.shared_data import ROOT
from tests.watching.operator import Operator

__all__ = ["tiled"]

LATER_S = NOW_S + 600


def wanted(operator: Operator, **changes: Any) -> Wanted:
    return Wanted(keys=read_log_keys([operator.vkey]), **changes)


def visit(where: str | Path, state: Path, asked: Wanted, now_s: int = LATER_S) -> Visit:
    """A visit by a monitor that has just been started."""
    with closing(PublishedLog(open_source(str(where)))) as log:
        return Monitor(state, log, asked).visit(now_s)


def kinds(found: Visit) -> list[str]:
    return sorted({one.kind for one in found.alarms})


def test_an_honest_log_raises_no_alarm_however_it_grows(
    operator: Operator, published: Path, served: FileServer, tmp_path: Path
) -> None:
    state, history = tmp_path / "state", list(operator.entries)
    with closing(PublishedLog(open_source(served.url))) as log:
        watching = Monitor(state, log, wanted(operator))
        for more in (0, 1, 211, 0, 1, 255):
            history += operator.parties(f"to-{len(history)}", more)
            operator.publish(published, history)
            found = watching.visit(LATER_S)
            assert kinds(found) == []
            assert (found.size, found.judged) == (len(history), len(history))
    # Whoever starts anew has all of it on disk, and asks for none of it again.
    served.asked.clear()
    assert visit(served.url, state, wanted(operator)).size == len(history)
    assert served.asked == ["/checkpoint"]


def test_the_api_is_followed(tiled: House, tmp_path: Path) -> None:
    asked = Wanted(keys=read_log_keys([tiled.log.log_key.vkey]))
    with serving(tiled) as url:
        first = visit(f"{url}/log", tmp_path / "state", asked)
        add_many(tiled, 40, "more")
        tiled.checkpoint()
        second = visit(f"{url}/log", tmp_path / "state", asked)
    assert (kinds(first), first.size) == ([], 300)
    assert (kinds(second), second.judged) == ([], 341)


def test_partial_files_that_grew_meanwhile_are_read_from_wider_ones(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    """The checkpoint is one that was signed before; only the present files are still there."""
    for more in (20, 300):
        note = operator.note(operator.grown("x", 10))
        history = operator.grown("x", more)
        operator.publish(published, history)
        late = tmp_path / f"late-{more}"
        late.write_bytes(note)
        log = PublishedLog(open_source(str(published)))
        assert len(log.bundle(1, 310 - 256)) == 310 - 256
        assert log.bundle(1, 310 - 256) == log.bundle(1, len(history[256:512]))[: 310 - 256]
        assert len(log.tile(0, 1, 310 - 256)) == 310 - 256


# Forks and rollbacks


def convicts(operator: Operator, state: Path) -> list[tuple[int, int]]:
    keys = read_log_keys([operator.vkey])
    found = [read_conflict(one.read_bytes(), keys) for one in state.glob("conflict-*.json")]
    return [(one.old.size, one.new.size) for one in found]


@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        (("a", 10), ("b", 10), (310, 310)),
        (("a", 10), ("b", 30), (310, 330)),
        (("a", 10), ("b", 400), (310, 700)),
        (("a", 300), ("b", 10), (310, 600)),
    ],
)
def test_a_fork_is_found_and_both_signed_notes_are_kept(
    operator: Operator,
    published: Path,
    tmp_path: Path,
    before: tuple[str, int],
    after: tuple[str, int],
    evidence: tuple[int, int],
) -> None:
    state = tmp_path / "state"
    operator.publish(published, operator.grown(*before))
    assert kinds(visit(published, state, wanted(operator))) == []
    operator.publish(published, operator.grown(*after))
    forked = visit(published, state, wanted(operator))
    assert "fork" in kinds(forked)
    assert forked.size == 300 + before[1]
    assert convicts(operator, state) == [evidence]
    # It stays, though the operator shows the first history again.
    operator.publish(published, operator.grown(*before))
    again = visit(published, state, wanted(operator), LATER_S + 60)
    assert "fork" in kinds(again)
    assert [one.since_s for one in again.alarms if one.kind == "fork"] == [LATER_S]


def test_evidence_that_was_changed_convicts_nobody(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    for prefix, count in (("a", 10), ("b", 30)):
        operator.publish(published, operator.grown(prefix, count))
        visit(published, state, wanted(operator))
    (path,) = state.glob("conflict-*.json")
    whole = json.loads(path.read_bytes())
    keys = read_log_keys([operator.vkey])
    honest = operator.grown("a", 30)
    for changes in (
        {"new": operator.note(honest).decode()},
        {"old": whole["new"]},
        {"path": whole["path"][:-1]},
        {"root": whole["path"][0]},
    ):
        with pytest.raises(Corrupt, match="no conflict"):
            read_conflict(json.dumps(whole | changes).encode(), keys)


def test_a_rollback_stays_for_ever(operator: Operator, published: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for count, found in ((10, []), (5, ["rollback"]), (20, ["rollback"])):
        operator.publish(published, operator.grown("a", count))
        assert kinds(visit(published, state, wanted(operator))) == found
    assert convicts(operator, state) == []


def test_two_readers_who_compare_find_the_fork(operator: Operator, tmp_path: Path) -> None:
    """Each sees one history that keeps all rules: alone, neither could know."""
    for name in ("a", "b"):
        operator.publish(tmp_path / name, operator.grown(name, 10))
        alone = visit(tmp_path / name, tmp_path / f"state-{name}", wanted(operator))
        assert kinds(alone) == []
    other = str(tmp_path / "state-a" / "checkpoint")
    together = visit(tmp_path / "b", tmp_path / "state-b", wanted(operator, compare=[other]))
    assert kinds(together) == ["fork"]
    assert convicts(operator, tmp_path / "state-b") == [(310, 310)]


def test_a_reader_who_is_ahead_is_no_rollback(operator: Operator, tmp_path: Path) -> None:
    operator.publish(tmp_path / "new", operator.grown("a", 20))
    operator.publish(tmp_path / "old", operator.grown("a", 10))
    visit(tmp_path / "new", tmp_path / "ahead", wanted(operator))
    asked = wanted(operator, compare=[str(tmp_path / "ahead" / "checkpoint")])
    assert kinds(visit(tmp_path / "old", tmp_path / "state", asked)) == []
    late = visit(tmp_path / "old", tmp_path / "state", wanted(operator), LATER_S + 86_401)
    assert "320 entries" in {one.what for one in late.alarms if one.kind == "stale"}
    # And it is not forgotten: the log must come to it.
    operator.publish(tmp_path / "old", operator.grown("b", 30))
    assert kinds(visit(tmp_path / "old", tmp_path / "state", wanted(operator))) != []
    operator.publish(tmp_path / "old", operator.grown("a", 30))
    assert "tile" not in kinds(visit(tmp_path / "old", tmp_path / "state", wanted(operator)))


# Signatures, rules, files


def test_what_another_key_signed_is_not_followed(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    thief = SigningKey.from_seed(ORIGIN, bytes(32))
    history = operator.grown("a", 10)
    operator.publish(published, history, operator.note(history, thief))
    found = visit(published, tmp_path / "state", wanted(operator))
    assert (kinds(found), found.size) == (["signature"], 0)
    operator.publish(published, history)
    assert kinds(visit(published, tmp_path / "state", wanted(operator))) == []


@pytest.mark.parametrize(
    ("break_", "kind", "reason"),
    [
        ("spend_again", "rule", "was spent before, by entry"),
        ("skip_a_batch", "gap", "the batch before has the leaf hash"),
    ],
)
def test_the_first_entry_that_breaks_a_rule_is_named(
    busy_operator: Operator, published: Path, tmp_path: Path, break_: str, kind: str, reason: str
) -> None:
    lawless = [
        *busy_operator.grown("a", 3),
        getattr(busy_operator, break_)(),
        busy_operator.party("b"),
    ]
    busy_operator.publish(published, busy_operator.entries)
    asked = wanted(busy_operator)
    assert kinds(visit(published, tmp_path / "state", asked)) == []
    busy_operator.publish(published, lawless)
    for _ in range(2):
        found = visit(published, tmp_path / "state", asked)
        (alarm,) = found.alarms
        assert alarm.kind == kind
        assert alarm.what == f"entry {len(busy_operator.entries) + 3}"
        assert reason in alarm.message
        assert found.size == len(lawless)


def test_tiles_that_do_not_fit_are_alarmed_until_they_do(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    wrong = published / "tile" / "0" / "000"
    right = wrong.read_bytes()
    wrong.write_bytes(right[:64] + bytes(32) + right[96:])
    for _ in range(2):
        found = visit(published, tmp_path / "state", wanted(operator))
        assert [(one.kind, one.what) for one in found.alarms] == [("tile", "tile/0/000")]
        assert "hash 2" in found.alarms[0].message
        assert found.size == 300
    # Who is not there has not repaired it.
    gone = visit(tmp_path / "nowhere", tmp_path / "state", wanted(operator))
    assert kinds(gone) == ["tile", "unreachable"]
    wrong.write_bytes(right)
    assert kinds(visit(published, tmp_path / "state", wanted(operator))) == []


def test_entries_that_do_not_fit_are_not_taken_in(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    visit(published, state, wanted(operator))
    history = operator.grown("a", 30)
    swapped = [*history[:-2], history[-1], history[-2]]
    operator.publish(published, swapped, operator.note(history))
    found = visit(published, state, wanted(operator))
    assert (kinds(found), found.size) == (["tile"], 300)
    operator.publish(published, history)
    found = visit(published, state, wanted(operator))
    assert (kinds(found), found.size) == ([], 330)


def test_a_log_that_is_gone_is_unreachable(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    (published / "tile" / "entries" / "000").rename(tmp_path / "away")
    assert kinds(visit(published, state, wanted(operator))) == ["unreachable"]
    (tmp_path / "away").rename(published / "tile" / "entries" / "000")
    assert kinds(visit(published, state, wanted(operator))) == []
    gone = visit("http://127.0.0.1:9/log", state, wanted(operator))
    assert (kinds(gone), gone.size) == (["unreachable"], 300)


# The clock and witnesses


def test_silence_is_alarmed(busy_operator: Operator, published: Path, tmp_path: Path) -> None:
    busy_operator.publish(published, busy_operator.entries)
    asked = wanted(busy_operator, max_age_s=3600, silent_s=7200)
    state = tmp_path / "state"
    assert kinds(visit(published, state, asked, NOW_S + 3600)) == []
    assert kinds(visit(published, state, asked, NOW_S + 3601)) == ["stale"]
    late = visit(published, state, asked, NOW_S + 7201)
    assert kinds(late) == ["gap", "stale"]
    silent = {one.what for one in late.alarms if one.kind == "gap"}
    assert {"source mill/saw", "source operator/roof"} <= silent


def test_too_few_witnesses_are_alarmed_and_theirs_is_the_time(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    vkeys, note = [], operator.note(operator.entries)
    for number in (1, 2):
        name = f"witness.example/{number}"
        # Of the second one the ML-DSA-44 key is what is trusted.
        state = make_witness(tmp_path / name, [operator.vkey], name=name, ml_dsa=number == 2)
        vkeys.append(state.keys[-1].vkey)
        answer = Witness(state, clock_s=lambda: NOW_S + 50_000).add_checkpoint(
            operator.request(operator.entries, 0)
        )
        note += answer.body.encode()
        operator.publish(published, operator.entries, note)
        asked = wanted(
            operator, witnesses=read_witness_keys(vkeys), quorum=2, max_age_s=3600, silent_s=0
        )
        found = visit(published, tmp_path / "state", asked, NOW_S + 50_010)
        assert [one.name for one in found.cosigned] == [
            f"witness.example/{n}" for n in range(1, number + 1)
        ]
        assert kinds(found) == (["witnesses"] if number == 1 else [])
        assert found.fresh_s == NOW_S + 50_000


# Its own state


def words(state: Path, url: str, operator: Operator) -> list[str]:
    return [
        *(sys.executable, "-m", "ledger.cli", "monitor", url, "--vkey", operator.vkey),
        *("--state", str(state), "--once", "--json", "--max-age", str(10**9)),
    ]


def run(command: Sequence[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'verifier' / 'src'}"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


def test_kill_9_in_the_middle_loses_nothing(
    operator: Operator, published: Path, served: FileServer, tmp_path: Path
) -> None:
    """Killed while it reads 5 bundles: what was seen signed is a fork's evidence afterwards, and
    what was read is not read again."""
    state = tmp_path / "state"
    history = operator.grown("a", 900)
    operator.publish(published, history)
    served.slow_s = 0.15
    process = run(words(state, served.url, operator))
    deadline = time.monotonic() + 60
    while sum("/entries/" in path for path in served.asked) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    read = {path for path in served.asked[:-1] if "/entries/" in path}
    served.asked.clear()
    served.slow_s = 0
    again = run(words(state, served.url, operator))
    said = json.loads(again.communicate()[0])
    assert again.returncode == 0
    assert (said["size"], said["judged"], said["alarms"]) == (1200, 1200, [])
    assert not read & set(served.asked)
    # The same with a fork in the place of the honest log.
    state = tmp_path / "other"
    served.slow_s = 0.15
    served.asked.clear()
    process = run(words(state, served.url, operator))
    while sum("/entries/" in path for path in served.asked) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    served.slow_s = 0
    operator.publish(published, operator.grown("b", 900))
    again = run(words(state, served.url, operator))
    said = json.loads(again.communicate()[0])
    assert again.returncode == 1
    assert "fork" in {one["kind"] for one in said["alarms"]}
    assert convicts(operator, state) == [(1200, 1200)]


def test_its_own_folder_is_checked(operator: Operator, published: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    visit(published, state, wanted(operator))
    with Mirror(state, ORIGIN).locked(), pytest.raises(Unavailable, match="in use"):
        visit(published, state, wanted(operator))
    other = SigningKey.from_seed("other.example/log", bytes(32))
    with pytest.raises(InvalidInput, match="a folder of its own"):
        visit(published, state, Wanted(keys=read_log_keys([other.verify_key.vkey])))
    copy = bytearray((state / "entries").read_bytes())
    copy[1000] ^= 1
    (state / "entries").write_bytes(copy)
    with pytest.raises(Corrupt, match="the disk lost or changed them"):
        visit(published, state, wanted(operator))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_a_server_that_drips_is_cut_off(answer: bytes) -> None:
    """Byte by byte, within headers or a body, so that no single read takes long."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            near, _ = listening.accept()
            with near, contextlib.suppress(OSError):
                near.sendall(answer)
                while not done.wait(0.02):
                    near.sendall(b"a")

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with closing(Web(url, answer_s=0.3)) as web:
            began_s = time.monotonic()
            with pytest.raises(Unavailable, match=r"no whole answer in 0\.3 s"):
                web.read("checkpoint", 10_000)
            assert time.monotonic() - began_s < 10
        done.set()
        dripping.join(10)


def test_answers_that_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"x" * 2000)
    (tmp_path / "folder").mkdir()
    with serving_files(tmp_path) as served, closing(Web(served.url)) as web:
        with pytest.raises(Corrupt, match="more than the 1999 bytes"):
            web.read("checkpoint", 1999)
        with pytest.raises(Unavailable, match="leads elsewhere"):
            web.read("folder", 1999)
        assert web.read("nothing", 1999) is None
        assert web.read("checkpoint", 2000) == b"x" * 2000


@pytest.mark.parametrize(
    "where", ["ftp://log.example/x", "http://", "http://user:secret@log.example/", "http://a/?q=1"]
)
def test_addresses_that_are_none(where: str) -> None:
    with pytest.raises(InvalidInput) as found:
        open_source(where)
    assert "secret" not in str(found.value)
