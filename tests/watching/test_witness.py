"""The witness: the published conversation, exact answers, races, what an auditing one refuses."""

from __future__ import annotations

import base64
import json
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import uvicorn
from proofbundle.checkpoint import verify_cosignature

from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.merkle import EMPTY_ROOT
from ledger.log.notes import SigningKey, VerifyKey, sign_note
from ledger.watching.conflict import read_conflict
from ledger.watching.cosigner import parse_cosigner
from ledger.watching.impatient import Impatient
from ledger.watching.monitor import Visit, Wanted
from ledger.watching.notes import read_log_keys, read_witness_keys
from ledger.watching.server import create_app, describe
from ledger.watching.witness import Answer, Witness
from ledger.watching.witness_state import Cosigned, LogState, WitnessState
from tests.ledgers import NOW_S, ORIGIN, add_many, tiled
from tests.servers.api import serving
from tests.servers.witness_process import NAME, WitnessProcess, make_witness
from tests.watching.operator import Operator, request
from tests.watching.test_monitor import kinds, visit

__all__ = ["tiled"]


@pytest.fixture
def state(operator: Operator, tmp_path: Path) -> WitnessState:
    """A witness that knows the operator's log."""
    return make_witness(tmp_path / "witness", [operator.vkey])


@pytest.fixture
def witness(state: WitnessState) -> Witness:
    return Witness(state, clock_s=lambda: NOW_S)


def log_of(state: WitnessState) -> LogState:
    found = state.log(ORIGIN)
    assert found is not None
    return found


# The published conversation


def test_the_published_conversation(shared: Path, tmp_path: Path) -> None:
    vector = json.loads((shared / "vectors" / "witness_litewitness.json").read_text())
    key = VerifyKey(
        name=vector["log"]["origin"], public_key=bytes.fromhex(vector["log"]["ed25519_pubkey_hex"])
    )
    make_witness(tmp_path / "w", [key.vkey], name="example.com/witness")
    running = WitnessProcess.start(tmp_path / "w")
    try:
        for step in vector["sequence"]:
            answer = httpx.post(f"{running.url}/add-checkpoint", content=step["body"].encode())
            kind, _, text = step["assert"].partition(" ")
            if "unknown log" in text:
                # The implementation is from before tlog-witness 1.0, which says 404.
                assert (step["status"], answer.status_code) == (403, 404)
            else:
                assert answer.status_code == step["status"]
            if text.startswith("contains "):
                assert json.loads(text.removeprefix("contains ")) in answer.text
            else:
                assert kind == "body"
                assert answer.text == json.loads(text.removeprefix("== "))
                assert answer.headers["content-type"] == "text/x.tlog.size"
    finally:
        running.stop()


# Exact answers


def test_what_it_cosigns_others_verify(operator: Operator, tmp_path: Path) -> None:
    """With keys of both kinds; read by an independent library."""
    state = make_witness(tmp_path / "w", [operator.vkey], ml_dsa=True)
    note = operator.note(operator.entries)
    answer = Witness(state, clock_s=lambda: NOW_S).add_checkpoint(
        operator.request(operator.entries, 0)
    )
    assert answer.status == 200
    assert answer.body.count("\n") == 2
    assert len(state.keys) == 2
    for key in state.keys:
        found = verify_cosignature(note.decode() + answer.body, key.vkey)
        assert (found["ok"], found["timestamp"]) == (True, NOW_S)
    assert log_of(state).cosigned.note == note.decode() + answer.body


Change = Callable[[Operator], bytes]
_THIEF = SigningKey.from_seed(ORIGIN, bytes(32))


def _text(origin: str, size: str, root: bytes) -> bytes:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()


def _twice(operator: Operator) -> bytes:
    """One good signature by the log's key, and a broken one by the same."""
    note = operator.note(operator.entries)
    broken = operator.note(operator.grown("a", 1)).rpartition(b"\n\n")[2]
    return request(0, [], note + broken)


ANSWERS: dict[str, tuple[int, str, Change]] = {
    "nothing": (400, "empty line", lambda _o: b""),
    "no old size": (400, "old SIZE", lambda o: b"new 0\n\n" + o.note(o.entries)),
    "leading zero": (400, "decimal", lambda o: b"old 00\n\n" + o.note(o.entries)),
    "no hash": (400, "proof", lambda o: b"old 1\nAAAA\n\n" + o.note(o.entries)),
    "64 hashes": (400, "63", lambda o: request(1, [bytes(32)] * 64, o.note(o.entries))),
    "no checkpoint": (400, "checkpoint", lambda o: request(0, [], sign_note(b"a\n", o.log_key))),
    "no signatures": (400, "three lines", lambda o: request(0, [], o.note(o.entries)[:60])),
    "signatures cut off": (403, "no signed note", lambda o: request(0, [], o.note(o.entries)[:-1])),
    "unknown log": (
        404,
        "unknown log",
        lambda _o: request(0, [], sign_note(_text("a.b/c", "1", bytes(32)), _THIEF)),
    ),
    "another's signature": (
        403,
        "invalid signature",
        lambda o: o.request(o.entries, 0, note=o.note(o.entries, _THIEF)),
    ),
    "a broken signature beside a good one": (403, "does not fit", _twice),
    "old beyond new": (400, "old size 301", lambda o: request(301, [], o.note(o.entries))),
    "not what was cosigned last": (409, "0\n", lambda o: o.request(o.entries, 7)),
    "size 0 with a root": (
        422,
        "empty tree",
        lambda o: request(0, [], sign_note(_text(ORIGIN, "0", bytes(32)), o.log_key)),
    ),
    "a proof from size 0": (422, "empty", lambda o: o.request(o.entries, 0, path=[bytes(32)])),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_the_first_answer(case: str, operator: Operator, witness: Witness) -> None:
    status, said, body = ANSWERS[case]
    answer = witness.add_checkpoint(body(operator))
    assert (answer.status, said in answer.body) == (status, True), answer
    assert answer.media == ("text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
    assert log_of(witness.state).cosigned.note == ""


def test_the_empty_log_is_cosigned(operator: Operator, witness: Witness) -> None:
    note = sign_note(_text(ORIGIN, "0", EMPTY_ROOT), operator.log_key)
    assert witness.add_checkpoint(request(0, [], note)).status == 200
    assert witness.add_checkpoint(operator.request(operator.entries, 0)).status == 200


def test_it_follows_one_history_only(operator: Operator, witness: Witness) -> None:
    a, b = operator.grown("a", 10), operator.grown("b", 10)
    for entries, old, status in (
        (operator.entries, 0, 200),
        (operator.entries, 300, 200),  # once more: a new time
        (a, 300, 200),
        (b, 310, 422),  # another root for that size
        (operator.grown("b", 30), 310, 422),
        (operator.entries, 300, 409),
        (operator.entries, 310, 400),
        (operator.grown("a", 30), 310, 200),
    ):
        answer = witness.add_checkpoint(operator.request(entries, old))
        assert answer.status == status, answer
    # It is proof of misbehaviour, and is kept.
    (evidence,) = log_of(witness.state).conflicts
    found = read_conflict(evidence.read_bytes(), read_log_keys([operator.vkey]))
    assert (found.old.size, found.new.size) == (310, 310)
    assert "CONFLICT" in describe(witness.state)


def test_time_never_goes_back(operator: Operator, state: WitnessState) -> None:
    times = iter([NOW_S, NOW_S - 500, NOW_S + 1])
    witness = Witness(state, clock_s=lambda: next(asked))
    found = []
    for moment in times:
        asked = iter([moment] * 9)
        size = log_of(state).cosigned.size
        assert witness.add_checkpoint(operator.request(operator.entries, size)).status == 200
        found.append(log_of(state).cosigned.time_s)
    assert found == [NOW_S, NOW_S, NOW_S + 1]


def test_over_http(operator: Operator, state: WitnessState) -> None:
    running = WitnessProcess.start(state.folder)
    try:
        with httpx.Client(base_url=running.url) as client:
            listed = client.get("/")
            assert NAME in listed.text
            assert ORIGIN in listed.text
            path = f"/{log_of(state).folder.name}/checkpoint"
            assert client.get(path).status_code == 404
            body = operator.request(operator.entries, 0)
            assert client.post("/add-checkpoint", content=body + b"x" * 70_000).status_code == 413
            assert client.get("/add-checkpoint").status_code == 405
            assert client.get(f"/{'0' * 64}/checkpoint").status_code == 404
            assert client.get("/../keys/checkpoint").status_code == 404
            cosigned = client.post("/add-checkpoint", content=body)
            assert cosigned.status_code == 200
            kept = client.get(path).text
            assert kept == operator.note(operator.entries).decode() + cosigned.text
            assert client.post("/add-checkpoint", content=body).text == "300\n"
    finally:
        running.stop()
    assert "PRIVATE" not in (state.folder / "run.log").read_text()


# Keys


def test_private_keys_are_for_their_owner_alone(state: WitnessState) -> None:
    (key,) = state.folder.glob("keys/*")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert parse_cosigner(key.read_text()).vkey == state.keys[0].vkey
    key.write_text(key.read_text().replace("PRIVATE+KEY+", ""))
    with pytest.raises(InvalidInput) as found:
        parse_cosigner(key.read_text()[:-9])
    assert key.read_text()[-30:-9] not in str(found.value)


def test_keys_rotate_without_a_gap(operator: Operator, witness: Witness) -> None:
    state = witness.state

    def signers() -> set[str]:
        size = log_of(state).cosigned.size
        answer = witness.add_checkpoint(operator.request(operator.entries, size))
        note = operator.note(operator.entries).decode() + answer.body
        return {key.vkey for key in state.keys if f"{_id(key.vkey)}" in _ids(note)}

    (old,) = state.keys
    with pytest.raises(Refused, match="make the next one first"):
        state.end(old.vkey, NOW_S)
    assert signers() == {old.vkey}
    (new,) = state.rotate(NOW_S)
    assert signers() == {old.vkey, new.vkey}
    state.end(_id(old.vkey), NOW_S)
    assert signers() == {new.vkey}
    assert [key.ended_s for key in state.keys] == [NOW_S, 0]
    assert len(list(state.folder.glob("keys/*"))) == 1
    with pytest.raises(NotFound):
        state.end(old.vkey, NOW_S)
    with pytest.raises(Refused, match="already"):
        WitnessState.create(state.folder, NAME, ml_dsa=False, now_s=NOW_S)


def _id(vkey: str) -> str:
    return vkey.split("+")[1]


def _ids(note: str) -> set[str]:
    lines = note.rpartition("\n\n")[2].splitlines()
    return {base64.b64decode(line.split(" ")[2])[:4].hex() for line in lines}


def test_a_log_may_have_another_key(operator: Operator, witness: Witness) -> None:
    entries = operator.entries
    assert witness.add_checkpoint(operator.request(entries, 0)).status == 200
    signed = operator.note(entries, _THIEF)
    assert witness.add_checkpoint(operator.request(entries, 300, note=signed)).status == 403
    witness.state.add_log([_THIEF.verify_key.vkey], "", audit=False)
    assert witness.add_checkpoint(operator.request(entries, 300, note=signed)).status == 200
    # By both of its keys: both lines are kept.
    both = operator.note(entries) + signed.rpartition(b"\n\n")[2]
    assert witness.add_checkpoint(operator.request(entries, 300, note=both)).status == 200
    assert log_of(witness.state).cosigned.note.startswith(both.decode())
    with pytest.raises(InvalidInput, match="--url"):
        witness.state.add_log([operator.vkey], "", audit=True)


# Races and crashes


@pytest.fixture
def two(state: WitnessState) -> Iterator[list[WitnessProcess]]:
    """Two processes on one folder."""
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            found.append(WitnessProcess.start(state.folder))
            stack.callback(found[-1].stop)
        yield found


def test_a_race_never_gives_two_roots_nor_goes_back(
    operator: Operator, state: WitnessState, two: list[WitnessProcess]
) -> None:
    """Two histories, eight threads, two processes: what is cosigned is one chain."""
    histories = {
        (prefix, count): operator.grown(prefix, count) for prefix in "ab" for count in range(1, 9)
    }
    roots = {key: operator.note(entries).split(b"\n")[2] for key, entries in histories.items()}
    assert len(set(roots.values())) == 16

    def ask(number: int) -> list[tuple[int, int, bytes]]:
        done, old = [], 0
        with httpx.Client(base_url=two[number % 2].url, timeout=30) as client:
            for count in range(1, 9):
                key = ("ab"[number // 2 % 2], count)
                for _ in range(2):
                    body = operator.request(histories[key], min(old, 300 + count))
                    answer = client.post("/add-checkpoint", content=body)
                    assert answer.status_code in (200, 400, 409, 422)
                    if answer.status_code == 409:
                        old = int(answer.text)
                    elif answer.status_code == 200:
                        done.append((old, 300 + count, roots[key]))
                        old = 300 + count
        return done

    with ThreadPoolExecutor(8) as pool:
        done = [one for each in pool.map(ask, range(8)) for one in each]
    fresh = sorted({(old, new) for old, new, _ in done if old != new})
    assert fresh[0][0] == 0
    assert all(one[1] == two_[0] for one, two_ in pairwise(fresh))
    by_size = {(new, root) for _, new, root in done}
    assert len(by_size) == len({new for new, _ in by_size})
    assert {root for _, root in by_size} <= {
        root for (prefix, _), root in roots.items() if prefix == _winner(by_size, roots)
    }
    last = log_of(state).cosigned
    assert last.size == fresh[-1][1]


def _winner(by_size: set[tuple[int, bytes]], roots: dict[tuple[str, int], bytes]) -> str:
    first = min(by_size)[1]
    return next(prefix for (prefix, _), root in roots.items() if root == first)


def test_kill_9_forgets_nothing_that_was_answered(operator: Operator, state: WitnessState) -> None:
    """Killed while it answers; what came out is on disk."""
    running = WitnessProcess.start(state.folder)
    with ThreadPoolExecutor(1) as pool:
        answered: list[int] = []

        def ask() -> None:
            size = 0
            for count in range(1, 290):
                entries = operator.entries[: 10 + count]
                body = operator.request(entries, size)
                answer = httpx.post(f"{running.url}/add-checkpoint", content=body)
                if answer.status_code == 200:
                    size = len(entries)
                    answered.append(size)

        asking = pool.submit(ask)
        while len(answered) < 12:
            assert not asking.done()
            time.sleep(0.002)
        running.stop(signal.SIGKILL)
        with pytest.raises(httpx.HTTPError):
            asking.result()
    assert log_of(state).cosigned.size in (answered[-1], answered[-1] + 1)
    again = Witness(state)
    body = operator.request(operator.entries, answered[-2])
    assert again.add_checkpoint(body) == Answer(
        status=409, body=f"{log_of(state).cosigned.size}\n", media="text/x.tlog.size"
    )


# Together with readers


def test_a_witness_and_a_monitor_find_a_fork_for_two_readers(
    operator: Operator, witness: Witness, tmp_path: Path
) -> None:
    """One reader is shown what the witness cosigned; the other is shown another history, and finds
    that nobody cosigned it, and that the witness has another one."""
    vkeys = [key.vkey for key in witness.state.keys]
    asked = Wanted(
        keys=read_log_keys([operator.vkey]), witnesses=read_witness_keys(vkeys), quorum=1
    )
    for name, found in (("a", []), ("b", ["witnesses"])):
        entries = operator.grown(name, 10)
        size = log_of(witness.state).cosigned.size
        answer = witness.add_checkpoint(operator.request(entries, size))
        lines = answer.body.encode() if answer.status == 200 else b""
        operator.publish(tmp_path / name, entries, operator.note(entries) + lines)
        assert kinds(visit(tmp_path / name, tmp_path / f"state-{name}", asked)) == found
    seen_by_witness = tmp_path / "from-the-witness"
    seen_by_witness.write_text(log_of(witness.state).cosigned.note)
    compared = replace(asked, compare=[str(seen_by_witness)])
    both: Visit = visit(tmp_path / "b", tmp_path / "state-b", compared)
    assert "fork" in kinds(both)


# Auditing


def test_an_audited_log_is_read_over_its_api_first(tiled: House, tmp_path: Path) -> None:
    operator = Operator.of(tiled)
    with serving(tiled) as url:
        state = make_witness(tmp_path / "w", [operator.vkey], url=f"{url}/log", audit=True)
        witness = Witness(state)
        assert witness.add_checkpoint(operator.request(operator.entries, 0)).status == 200
        add_many(tiled, 5, "more")
        entries = Operator.of(tiled).entries
        early = witness.add_checkpoint(operator.request(entries, 300))
        assert (early.status, "is not there" in early.body) == (503, True)
        tiled.checkpoint()
        assert witness.add_checkpoint(operator.request(entries, 300)).status == 200
        # One that the log never signed for anybody else to read.
        other = [*entries, *operator.parties("hidden", 2)]
        assert witness.add_checkpoint(operator.request(other, len(entries))).status == 503
    assert log_of(state).cosigned.size == len(entries)


@pytest.mark.parametrize("break_", ["spend_again", "skip_a_batch"])
def test_an_auditing_witness_never_cosigns_a_log_that_broke_its_rules(
    break_: str, busy_operator: Operator, tmp_path: Path
) -> None:
    operator, folder = busy_operator, tmp_path / "published"
    lawless = [*operator.grown("a", 2), getattr(operator, break_)(), operator.party("b")]
    auditing = make_witness(tmp_path / "w", [operator.vkey], url=str(folder), audit=True)
    plain = Witness(make_witness(tmp_path / "plain", [operator.vkey]))
    operator.publish(folder, operator.entries)
    size = len(operator.entries)
    witness = Witness(auditing)
    for one in (witness, plain):
        assert one.add_checkpoint(operator.request(operator.entries, 0)).status == 200
    operator.publish(folder, lawless)
    body = operator.request(lawless, size)
    # The proof is fine: who only looks at it, cosigns.
    assert plain.add_checkpoint(body).status == 200
    for one in (witness, Witness(auditing), Witness(auditing)):
        answer = one.add_checkpoint(body)
        assert answer.status == 422
        assert f"entry {size + 2}" in answer.body
    assert log_of(auditing).cosigned.size == size
    assert f"REFUSED for good: entry {size + 2}" in describe(auditing)
    # Not even what it would have cosigned before.
    operator.publish(folder, operator.entries)
    again = Witness(auditing).add_checkpoint(operator.request(operator.entries, size))
    assert again.status == 422


def test_an_auditing_witness_reads_as_long_as_it_has_time(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    state = make_witness(tmp_path / "w", [operator.vkey], url=str(published), audit=True)
    body = operator.request(operator.entries, 0)
    late = Witness(state, audit_s=0).add_checkpoint(body)
    assert (late.status, log_of(state).cosigned.size) == (503, 0)
    assert Witness(state).add_checkpoint(body).status == 200


def test_an_auditing_witness_keeps_what_convicts(
    operator: Operator, published: Path, tmp_path: Path
) -> None:
    state = make_witness(tmp_path / "w", [operator.vkey], url=str(published), audit=True)
    witness = Witness(state)
    assert witness.add_checkpoint(operator.request(operator.entries, 0)).status == 200
    fork = [*operator.entries[:250], *operator.parties("z", 80)]
    operator.publish(published, fork)
    assert witness.add_checkpoint(operator.request(fork, 300)).status == 422
    # It has read another checkpoint than it cosigned last, as after a crash between the two.
    log_of(state).save_cosigned(Cosigned())
    answer = witness.add_checkpoint(operator.request(fork, 0))
    assert (answer.status, "does not extend" in answer.body) == (422, True)
    (evidence,) = log_of(state).conflicts
    found = read_conflict(evidence.read_bytes(), read_log_keys([operator.vkey]))
    assert (found.old.size, found.new.size) == (300, 330)
    evidence.unlink()
    answer = witness.add_checkpoint(operator.request(fork[:280], 0))
    assert (answer.status, len(log_of(state).conflicts)) == (422, 1)
    log_of(state).conflicts[0].unlink()
    assert witness.add_checkpoint(operator.request(operator.entries, 0)).status == 200
    swapped = [*operator.grown("a", 9), operator.party("c")]
    note = operator.note(operator.grown("a", 10))
    operator.publish(published, swapped, note)
    answer = witness.add_checkpoint(operator.request(operator.grown("a", 10), 300))
    assert (answer.status, "do not give the root" in answer.body) == (503, True)
    assert log_of(state).conflicts == []
    assert log_of(state).cosigned.size == 300
    operator.publish(published, operator.grown("a", 10))
    assert witness.add_checkpoint(operator.request(operator.grown("a", 10), 300)).status == 200


def test_a_disk_that_fails_is_no_traceback(
    operator: Operator, state: WitnessState, witness: Witness
) -> None:
    """Nothing is cosigned, and nobody outside is told where the files are."""
    folder = log_of(state).folder
    body = operator.request(operator.entries, 0)
    (folder / "lock").unlink()
    (folder / "lock").mkdir()
    answer = witness.add_checkpoint(body)
    assert answer == Answer(status=503, body="the disk of the witness fails; nothing is cosigned\n")
    (folder / "lock").rmdir()
    (folder / "cosigned.json").symlink_to(folder / "elsewhere")
    answer = witness.add_checkpoint(body)
    assert (answer.status, str(folder) in answer.body) == (500, False)
    (folder / "cosigned.json").unlink()
    assert witness.add_checkpoint(body).status == 200


def test_who_never_asks_is_hung_up_on(state: WitnessState) -> None:
    """Else a few hundred silent connections would keep all others out."""

    class Hasty(Impatient):
        look_s = 0.1

    config = uvicorn.Config(create_app(Witness(state)), http=Hasty, log_level="warning")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        running.start()
        at = listening.getsockname()
        asking = b"GET / HTTP/1.1\r\nHost: w\r\n"
        for begun in (b"", asking, asking + b"\r\n" + asking):
            with socket.create_connection(at, timeout=20) as silent:
                silent.sendall(begun)
                found = b""
                while piece := silent.recv(65_536):
                    found += piece
            assert found.count(b"200 OK") == begun.count(b"\r\n\r\n")
        server.should_exit = True
        running.join(20)
