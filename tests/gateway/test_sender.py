"""The sender against a real log: refusals, crashes at each step, proofs that do not hold."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.client import Denied, Retry, connect
from ledger.db import reading
from ledger.errors import Corrupt, Unavailable
from ledger.gateway import run
from ledger.gateway.collector import Limits
from ledger.gateway.config import read_config
from ledger.gateway.intake import Arrived, Intake
from ledger.gateway.outbox import Outbox, Sealed
from ledger.gateway.sender import Sender
from ledger.house import House, now_s
from ledger.log.notes import SigningKey
from ledger.log.store import entry_data
from ledger.metering.service import Origin, take_in
from ledger.parties import log_key_desk
from tests.gateway.parks import (
    BOX,
    QUARTER_S,
    found_park,
    gateway_token,
    message,
    quarters_ago,
    served,
    stored,
    write_config,
)
from tests.ledgers import (
    add_many,
    copy_ledger,
    held_key,
    introduce,
    keys_of,
    no_progress,
    open_house,
    series,
)
from tests.servers.wire import Wire, wire

START_S = quarters_ago(400)


class Park:
    """A served ledger, and the parts of a gateway in this process."""

    def __init__(self, house: House, line: Wire, folder: Path) -> None:
        self.house = house
        self.line = line
        self.now_s = now_s()
        self.config = read_config(write_config(folder, house, line.url, gateway_token(house)))
        self.key = BOX
        self.begin(Outbox)

    def begin(self, kind: type[Outbox]) -> None:
        """As a process that has just started: nothing is known but what is on disk."""
        self.outbox = kind(self.config.outbox)
        token = (self.config.folder / "token").read_text().strip()
        self.client = connect(
            self.line.url, token=token, timeout_s=5.0, retry=Retry(attempts=1), clock_s=self.clock
        )
        self.sender = Sender(
            outbox=self.outbox,
            client=self.client,
            key=self.key,
            log_key=self.house.log.log_key,
            clock_s=self.clock,
            batch_most=20,
        )
        self.intake = Intake(
            outbox=self.outbox,
            topic="greenledger/p/+/readings",
            points=run.fetch_points(self.client, self.config, self.outbox),
            limits=Limits(window_s=1, grace_s=0),
            clock_s=self.clock,
            refresh=lambda: None,
        )

    def end(self) -> None:
        self.client.close()
        self.outbox.close()

    def clock(self) -> int:
        return self.now_s

    def take(self, point: str, values: dict[int, int], source: str = "s") -> None:
        """Readings by quarter-hours from START_S."""
        items = [message(point, START_S + QUARTER_S * at, wh) for at, wh in values.items()]
        payload = json.dumps(items).encode()
        self.intake.take([Arrived(topic=f"greenledger/p/{source}/readings", payload=payload)])
        self.now_s += 2

    def stored(self, point: str) -> dict[int, int]:
        found = stored(self.house, point)
        return {(start - START_S) // QUARTER_S: wh for start, wh in found.items()}

    def quarantined(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in self.sender.quarantine.glob("*.json")]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The park as it was founded, to be copied."""
    folder = tmp_path_factory.mktemp("park") / "ledger"
    found_park(folder).engine.dispose()
    return folder


@pytest.fixture
def park(template: Path, tmp_path: Path) -> Iterator[Park]:
    house = open_house(copy_ledger(template, tmp_path / "ledger"), clock_s=now_s)
    with wire() as line, served(house, line):
        found = Park(house, line, tmp_path / "box")
        yield found
        found.end()
    house.engine.dispose()


def test_a_batch_is_kept_until_a_verified_checkpoint_covers_it(park: Park) -> None:
    park.take("roof", {0: 5, 1: 6})
    park.sender.step()
    assert park.stored("roof") == {0: 5, 1: 6}
    (kept,) = park.outbox.accepted()
    assert kept.entry == park.client.entry(kept.index or 0)
    park.house.checkpoint()
    park.sender.step()
    assert list(park.outbox.accepted()) == []
    assert park.outbox.counts()["proven"] == 2
    # What comes again is known, and signs nothing.
    size = park.client.log().size
    park.take("roof", {0: 5, 1: 6})
    park.sender.step()
    assert park.client.log().size == size


def test_a_refused_reading_is_found_and_the_chain_goes_on(park: Park) -> None:
    """Somebody else has brought two of the readings before, with other values."""
    there = series("roof", [1, 1], start_s=START_S + 7 * QUARTER_S)
    take_in(park.house.desk, [there], Origin(source="file", author="operator"))
    park.take("roof", {at: 100 + at for at in range(10)})
    park.take("saw", {at: 200 + at for at in range(5)})
    park.sender.step()
    assert park.stored("saw") == {at: 200 + at for at in range(5)}
    wanted = {at: 100 + at for at in range(10)} | {7: 1, 8: 1}
    assert park.stored("roof") == wanted
    found = park.quarantined()
    assert sorted(one["readings"][0]["value"] for one in found) == [107, 108]
    assert all("has a reading at" in one["reason"] for one in found)
    park.take("roof", {20: 1})
    park.sender.step()
    assert park.stored("roof") == wanted | {20: 1}
    head = park.client.last_batch("box", "s")
    assert park.outbox.head("s") == head
    park.house.checkpoint()
    park.sender.step()
    assert park.outbox.counts() | {"batches": 0, "set_aside": 2} == park.outbox.counts()
    park.house.audit(no_progress)
    # Once the cause is gone, an operator lets them try again: the same refusal, the same files.
    assert park.outbox.take_back(park.now_s) == 2
    park.sender.step()
    assert park.outbox.counts()["set_aside"] == 2


def test_a_source_that_went_on_elsewhere_goes_on_after_that(park: Park) -> None:
    """The outbox is lost, or was put back from an old copy: the log knows where the chain is."""
    park.take("roof", {0: 1})
    park.sender.step()
    park.end()
    for path in park.config.outbox.glob("outbox.sqlite3*"):
        path.unlink()
    park.begin(Outbox)
    park.take("roof", {1: 2})
    park.sender.step()
    park.outbox.adopt("s", None)
    park.take("roof", {2: 3})
    park.sender.step()
    assert park.stored("roof") == {0: 1, 1: 2, 2: 3}
    assert park.quarantined() == []


def test_a_key_that_is_not_in_force_holds_readings_back(park: Park) -> None:
    (key,) = keys_of(park.house, "box")
    park.house.desk.revoke_key(key, "lost")
    park.take("roof", {0: 1})
    park.sender.step()
    assert (park.stored("roof"), park.quarantined()) == ({}, [])
    assert park.outbox.counts()["in_batches"] == 1
    park.key = held_key("box", "next")
    introduce(park.house, "box", park.key)
    park.end()
    park.begin(Outbox)
    # What the old key signed is never taken; the reading is signed anew.
    park.sender.step()
    assert park.stored("roof") == {0: 1}
    assert park.quarantined() == []


def test_a_clock_far_off_signs_nothing(park: Park) -> None:
    park.take("roof", {0: 1})
    right_s = park.now_s
    for off_s in (-3600, 3600):
        park.now_s = right_s + off_s
        park.client.transport.ahead_s = None
        park.sender.step()
        assert (park.stored("roof"), park.outbox.counts()["waiting"]) == ({}, 1)
    park.now_s = right_s
    park.sender.step()
    assert park.stored("roof") == {0: 1}


def test_a_wrong_token_sets_nothing_aside(park: Park) -> None:
    park.take("roof", {0: 1})
    for token in ("glk_wrong", ""):
        with connect(park.line.url, token=token, retry=Retry(attempts=1)) as client:
            park.sender.client = client
            with pytest.raises(Denied) as caught:
                park.sender.step()
            assert "glk_wrong" not in str(caught.value)
    assert park.quarantined() == []
    assert park.outbox.counts()["waiting"] == 1


def test_a_proof_under_another_key_lets_nothing_go(park: Park) -> None:
    park.take("roof", {0: 1})
    park.sender.step()
    park.house.checkpoint()
    forged = SigningKey.from_seed(park.house.log.origin, b"\1" * 32)
    park.sender.log_key = forged.verify_key
    with pytest.raises(Corrupt, match="no signature by"):
        park.sender.verify()
    assert len(list(park.outbox.accepted())) == 1


def test_the_log_changes_its_keys_and_the_gateway_follows(park: Park) -> None:
    """It has pinned the first key; that is ended, and its batches are let go all the same."""
    park.take("roof", {0: 1})
    park.sender.step()
    log_key_desk.create(park.house.desk)
    park.house.checkpoint()
    park.sender.step()
    assert list(park.outbox.accepted()) == []
    old = park.house.log.log_key
    log_key_desk.end(park.house.desk, old, "its time was over")
    park.house.checkpoint()
    park.end()
    park.begin(Outbox)
    park.take("roof", {1: 2})
    park.sender.step()
    park.house.checkpoint()
    park.sender.step()
    assert park.stored("roof") == {0: 1, 1: 2}
    assert list(park.outbox.accepted()) == []
    shown = park.client.log()
    assert shown.log_vkey != old.vkey
    assert [one.ended_by == -1 for one in shown.log_keys] == [False, True]
    known = park.client.log_keys(old)
    assert [one.key.vkey for one in known] == [one.vkey for one in shown.log_keys]
    stranger = SigningKey.from_seed(park.house.log.origin, b"\1" * 32)
    assert park.client.log_keys(stranger.verify_key) == []


def test_a_log_that_was_rewritten_lets_nothing_go(
    park: Park, template: Path, tmp_path: Path
) -> None:
    """An old copy of the ledger was put back, with its keys, and something else appended."""
    park.take("roof", {0: 1})
    park.sender.step()
    park.house.checkpoint()
    park.sender.step()
    park.take("roof", {1: 1})
    park.sender.step()
    other = open_house(copy_ledger(template, tmp_path / "old"), clock_s=now_s)
    add_many(other, 40)
    other.checkpoint()
    (kept,) = park.outbox.accepted()
    with reading(other.engine) as conn:
        theirs = entry_data(conn, 1, 20)
    key, since = park.house.log.log_key, park.sender._checkpoint()
    with served(other, park.line), connect(park.line.url) as client:
        park.sender.client = client
        with pytest.raises(Corrupt, match="is another one"):
            park.sender.verify()
        with pytest.raises(Corrupt, match="does not begin with"):
            client.verify_inclusion(20, theirs, key, since=since)
    other.engine.dispose()
    assert list(park.outbox.accepted()) == [kept]


class Crash(BaseException):
    """The power is gone."""


class Failing(Outbox):
    """An outbox whose process dies before or after its next changes, as chance says."""

    chance = random.Random(5)

    def seal(self, *args: Any, **more: Any) -> Sealed:
        self._die()
        found = super().seal(*args, **more)
        self._die()
        return found

    def accept(self, *args: Any, **more: Any) -> None:
        self._die()
        super().accept(*args, **more)
        self._die()

    def prove(self, *args: Any, **more: Any) -> None:
        self._die()
        super().prove(*args, **more)
        self._die()

    def unseal(self, *args: Any, **more: Any) -> None:
        self._die()
        super().unseal(*args, **more)
        self._die()

    def set_aside(self, *args: Any, **more: Any) -> None:
        self._die()
        super().set_aside(*args, **more)
        self._die()

    def keep(self, *args: Any, **more: Any) -> None:
        super().keep(*args, **more)
        if self.chance.random() < 0.02:
            raise Crash

    def _die(self) -> None:
        if self.chance.random() < 0.2:
            raise Crash


def test_crashes_between_any_two_steps_lose_and_double_nothing(park: Park) -> None:
    """Messages come twice and in any order, answers are cut off, the process dies at each step."""
    chance = random.Random(11)
    there = series("saw", [7], start_s=START_S + 3 * QUARTER_S)
    take_in(park.house.desk, [there], Origin(source="file", author="operator"))
    park.line.cut_answers_to = b"POST /api/v1/entries"
    park.end()
    park.begin(Failing)
    wanted: dict[str, dict[int, int]] = {"roof": {}, "saw": {3: 7}}
    unacknowledged: list[tuple[str, dict[int, int]]] = []
    crashes = 0
    for at in range(40):
        point = "saw" if at % 3 == 0 else "roof"
        unacknowledged.append((point, {at: 1000 + at}))
        if not (point == "saw" and at == 3):
            wanted[point][at] = 1000 + at
        park.line.cuts_left = int(chance.random() < 0.6)
        try:
            # As the broker does: what was not acknowledged comes again, later, in another order.
            chance.shuffle(unacknowledged)
            while unacknowledged and chance.random() < 0.8:
                park.take(*unacknowledged[-1], source=chance.choice(["a", "b"]))
                if chance.random() < 0.8:
                    unacknowledged.pop()
            if chance.random() < 0.5:
                park.sender.step()
            if chance.random() < 0.3:
                park.house.checkpoint()
        except Unavailable:
            pass
        except Crash:
            crashes += 1
            park.end()
            park.line.cuts_left = 0
            park.begin(Failing)
    assert crashes > 5
    assert park.line.cut > 2
    park.end()
    park.line.cuts_left = 0
    park.begin(Outbox)
    for one in unacknowledged:
        park.take(*one, source="a")
    park.sender.step()
    park.house.checkpoint()
    park.sender.step()
    assert {point: park.stored(point) for point in wanted} == wanted
    assert [one["readings"][0]["value"] for one in park.quarantined()] == [1003]
    found = park.outbox.counts()
    assert (found["batches"], found.get("waiting"), found["proven"]) == (0, None, 39)
    park.house.audit(no_progress)
