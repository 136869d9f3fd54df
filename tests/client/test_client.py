"""The client against the real API: results, problems as errors, retries, proofs, --server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.access.roles import Role
from ledger.cli.app import check_server
from ledger.client import Client, Denied, Retry, check_proof, connect, problem_of
from ledger.client.batches import send_readings
from ledger.client.client import parse_events
from ledger.client.transport import error_of, read_problem, retry_after_s
from ledger.errors import Corrupt, InvalidInput, NotFound, Refused, Unavailable
from ledger.house import House, now_s
from ledger.log import merkle
from ledger.log.checkpoint import PROOF_HEADER
from ledger.log.notes import write_skey
from ledger.log.proofs import is_consistent, root_of_path
from ledger.metering.service import Origin
from tests.cli.conftest import Done, Run, run
from tests.gateway.parks import BOX, QUARTER_S, found_park, gateway_token, quarters_ago, served
from tests.gateway.parks import stored as stored_of
from tests.ledgers import series
from tests.servers.wire import Wire, wire

__all__ = ["run"]
PROFILE = """
[file]
format = "csv"
[time]
columns = ["time"]
format = "%Y-%m-%dT%H:%M:%S"
interval = "15min"
label = "start"
zone = "+00:00"
[value]
quantity = "energy"
unit = "Wh"
[[points]]
column = "wh"
point = "roof"
"""


class Waits:
    """What a client waits, instead of waiting."""

    def __init__(self) -> None:
        self.waited_s: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited_s.append(seconds)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    found = found_park(tmp_path_factory.mktemp("park") / "ledger")
    yield found
    found.engine.dispose()


@pytest.fixture(scope="module")
def token(house: House) -> str:
    return gateway_token(house, Role.PREPARER)


@pytest.fixture(scope="module")
def line(house: House) -> Iterator[Wire]:
    with wire() as found, served(house, found):
        yield found


@pytest.fixture
def client(line: Wire, token: str) -> Iterator[Client]:
    with connect(line.url, token=token, retry=Retry(attempts=3, sleep=Waits())) as found:
        yield found


def send(client: Client, house: House, *values: int, at: int, source: str) -> Any:
    points = {one.master.name: bytes.fromhex(one.point) for one in client.points()}
    return send_readings(
        client,
        [series("roof", list(values), start_s=quarters_ago(at))],
        points,
        Origin(source=source, author="box"),
        BOX,
        log=house.log.origin,
        at_s=now_s(),
    )


def test_batches_of_a_party_s_own_key_are_taken_and_proven(client: Client, house: House) -> None:
    log = client.log()
    assert (log.origin, log.log_vkey) == (house.log.origin, house.log.log_key.vkey)
    sent = send(client, house, 5, 6, at=400, source="a")
    (receipt,) = sent.receipts
    assert (sent.stored, sent.repeats, receipt.repeated) == (2, 0, False)
    assert client.index_of(receipt.leaf) == receipt.index
    again = client.submit(sent.submissions)
    assert [one.repeated for one in again] == [True]
    entry = sent.submissions[0].data
    with pytest.raises(NotFound, match="not under the latest checkpoint"):
        client.verify_inclusion(receipt.index, entry, house.log.log_key)
    house.checkpoint()
    first = client.verify_inclusion(receipt.index, entry, house.log.log_key)
    # What the log has is left out; the chain goes on; the log has only grown.
    more = send(client, house, 5, 6, 7, at=400, source="a")
    assert (more.stored, more.repeats) == (1, 2)
    house.checkpoint()
    since = first.checkpoint
    grown = client.verify_inclusion(receipt.index, entry, house.log.log_key, since=since)
    assert grown.checkpoint.size > since.size
    head = client.last_batch("box", "a")
    assert head is not None
    assert head.sequence == 1
    assert client.last_batch("box", "none") is None
    with pytest.raises(Refused, match="is in force, the new value is"):
        send(client, house, 8, at=400, source="a")
    with pytest.raises(Corrupt, match="is another one"):
        client.verify_inclusion(receipt.index, entry + b" ", house.log.log_key)


def test_a_proof_that_was_changed_does_not_hold(client: Client, house: House) -> None:
    house.checkpoint()
    entry, proof = client.entry(1), client.proof(1)
    found = check_proof(proof, 1, entry, house.log.log_key)
    assert found.checkpoint.size == client.log().checkpoint_size
    for place in range(0, len(proof), 7):
        changed = proof[:place] + bytes([proof[place] ^ 1]) + proof[place + 1 :]
        try:
            assert check_proof(changed, 1, entry, house.log.log_key) == found
        except Corrupt:
            continue
        # Only the copy of the entry that rides along, and other signatures, may differ.
        assert proof[:place].count(b"\n") == 1


def test_problems_come_out_as_our_errors(client: Client, line: Wire) -> None:
    with pytest.raises(NotFound) as caught:
        client.entry(10**9)
    problem = problem_of(caught.value)
    assert problem is not None
    assert (problem.status, problem.type) == (404, "urn:greenledger:problem:404")
    with pytest.raises(InvalidInput):
        client.transport.send("GET", "/log/entries/x")
    with connect(line.url, token="glk_nobody", retry=Retry(attempts=1)) as stranger:
        with pytest.raises(Denied) as denied:
            list(stranger.points())
        assert "glk_nobody" not in str(denied.value)
    kinds = {400: InvalidInput, 403: Denied, 409: Refused, 412: Refused, 413: InvalidInput}
    kinds |= {404: NotFound, 429: Unavailable, 500: Unavailable, 503: Unavailable}
    for status, kind in kinds.items():
        assert type(error_of(read_problem(status, "text/html", b"<p>"), "it")) is kind


def test_an_answer_that_was_lost_is_asked_for_again_where_that_is_safe(
    line: Wire, token: str, house: House
) -> None:
    waits = Waits()
    retry = Retry(attempts=3, sleep=waits, jitter=lambda: 1.0)
    with connect(line.url, token=token, retry=retry) as client:
        line.cut_answers_to, line.cuts_left = b"GET /api/v1/log", 2
        assert client.log().origin == house.log.origin
        assert waits.waited_s == [0.2, 0.4]
        line.cuts_left = 3
        with pytest.raises(Unavailable, match="does not answer"):
            client.log()
        line.cut_answers_to, line.cuts_left = b"POST /api/v1/login", 1
        with pytest.raises(Unavailable, match="does not answer"):
            client.transport.send("POST", "/login", content=b"{}")
        assert line.cuts_left == 0
        line.cut_answers_to, line.cuts_left = b"POST /api/v1/entries", 1
        sent = send(client, house, 9, at=300, source="cut")
        assert [one.repeated for one in sent.receipts] == [True]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0), ("soon", None), (None, None)],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert retry_after_s(text, 10.0) == seconds


def test_events_are_read_as_the_standard_says() -> None:
    lines = [": alive", "event: job", "data: a", "data:b", "id: 4", "", "", "data: c", ""]
    found = [(one.name, one.data, one.id) for one in parse_events(iter(lines))]
    assert found == [("job", "a\nb", "4"), ("message", "c", "4")]


@pytest.mark.parametrize("server", ["ftp://host", "host", "https://", "https://a:b@host"])
def test_a_server_is_an_address(server: str) -> None:
    with pytest.raises(InvalidInput, match="not of the form"):
        connect(server)


def test_every_proof_of_every_small_tree_is_accepted_and_no_other() -> None:
    leaves = [bytes([number + 1]) * 32 for number in range(33)]
    for size in range(1, 34):
        tree = merkle.levels(leaves[:size])
        root = merkle.root(leaves[:size])

        def node(level: int, index: int) -> bytes:
            return tree[level][index]  # noqa: B023 - used in this round only

        for index in range(size):
            path = merkle.path_in(tree, index)
            assert root_of_path(leaves[index], index, size, path) == root
            if path:
                assert root_of_path(leaves[index], index, size, [path[-1], *path[1:]]) != root or (
                    len(path) == 1
                )
            with pytest.raises(InvalidInput):
                root_of_path(leaves[index], index, size, [*path, root])
        for old in range(1, size + 1):
            path = merkle.consistency_path(old, size, node)
            before = merkle.root(leaves[:old])
            assert is_consistent(old, before, size, root, path)
            assert not is_consistent(old, b"\0" * 32, size, root, path)
            assert not is_consistent(old, before, size, b"\0" * 32, path)
            assert not is_consistent(old, before, size, root, [*path, root])


def test_commands_work_on_a_server(
    line: Wire, token: str, house: House, run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("GREENLEDGER_TOKEN", token)
    done = run("point", "list", "--server", line.url, "--json")
    assert [one["name"] for one in answer_of(done)["points"]] == ["dock", "roof", "saw"]
    start_s = quarters_ago(200)
    stamps = np.datetime64(start_s, "s") + np.arange(3) * np.timedelta64(QUARTER_S, "s")
    rows = "".join(f"{stamp},{100 + place}\n" for place, stamp in enumerate(stamps))
    (tmp_path / "roof.csv").write_text("time,wh\n" + rows)
    (tmp_path / "p.toml").write_text(PROFILE)
    (tmp_path / "box.key").write_text(write_skey(BOX))
    words = ["import", str(tmp_path / "roof.csv"), "--profile", str(tmp_path / "p.toml")]
    words += ["--source", "file", "--server", line.url, "--json"]
    done = run(*words, "--key", str(tmp_path / "box.key"))
    assert done.code == 0, done.err
    (file,) = answer_of(done)["files"]
    assert (file["stored"], file["repeats"]) == (3, 0)
    wanted = {start_s + QUARTER_S * i: 100 + i for i in range(3)}
    found = stored_of(house, "roof")
    assert {at: found[at] for at in wanted} == wanted
    house.checkpoint()
    done = run("prove", str(file["entries"][0]), "--server", line.url)
    check_proof(
        done.out[done.out.index(PROOF_HEADER) :].rstrip("\n").encode() + b"\n",
        file["entries"][0],
        _entry(line, file),
        house.log.log_key,
    )
    assert run("import", *words[1:]).code == 2  # neither a key nor a party to sign for
    refused = run("audit", "--server", line.url)
    assert refused.code == 2
    assert "with a server work: import" in refused.err
    assert os.environ["GREENLEDGER_TOKEN"] not in refused.err
    monkeypatch.delenv("GREENLEDGER_TOKEN")
    assert "GREENLEDGER_TOKEN is not set" in run("point", "list", "--server", line.url).err
    assert run("prove", str(file["entries"][0]), "--server", line.url).code == 0


def answer_of(done: Done) -> dict[str, Any]:
    """The last line: the server in this process may have logged before."""
    found: dict[str, Any] = json.loads(done.out.splitlines()[-1])
    return found


def _entry(line: Wire, file: dict[str, Any]) -> bytes:
    with connect(line.url) as client:
        return client.entry(file["entries"][0])


def test_commands_that_need_the_data_say_so() -> None:
    check_server(["prove", "4", "--server", "x"])
    check_server(["audit"])
    for words in (["audit", "--server", "x"], ["point", "add", "--server=x"], ["--server", "x"]):
        with pytest.raises(InvalidInput, match="works on a data directory"):
            check_server(words)
