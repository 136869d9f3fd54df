"""Nothing is lost and nothing doubled: whatever is killed, restarted or cut on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.gateway.outbox import Outbox
from ledger.house import House
from tests.gateway.parks import (
    QUARTER_S,
    found_park,
    gateway,
    gateway_token,
    message,
    quarters_ago,
    served,
    stored,
    wait_for,
    write_config,
)
from tests.ledgers import no_progress
from tests.servers.mosquitto import PASSWORDS, Mosquitto, mosquitto
from tests.servers.wire import wire


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = found_park(tmp_path / "ledger")
    yield found
    found.engine.dispose()


def counts(folder: Path) -> dict[str, int]:
    outbox = Outbox(folder)
    try:
        return outbox.counts()
    finally:
        outbox.close()


def published(broker: Mosquitto, source: str, point: str, found: dict[int, int]) -> None:
    broker.publish(source, [json.dumps(message(point, at, value)) for at, value in found.items()])


def test_all_that_is_published_is_in_the_log_once_whatever_fails(
    house: House, broker: Mosquitto, tmp_path: Path
) -> None:
    start_s = quarters_ago(40)
    parts = [
        {start_s + QUARTER_S * i: 1000 + i for i in range(first, first + 8)}
        for first in range(0, 40, 8)
    ]
    roof: dict[int, int] = {at: value for part in parts for at, value in part.items()}
    with wire() as line:
        config = write_config(tmp_path / "box", house, line.url, gateway_token(house), broker)
        with gateway(config) as box:
            with served(house, line):
                box.start()
                wait_for(box.listens, "the gateway listens", seconds=60)
                broker.publish("roof", [b"\xff secret-word", '{"value":NaN}', '{"secret-word":1}'])
                published(broker, "roof", "roof", parts[0])
                wait_for(lambda: stored(house, "roof") == parts[0], "the first are in the log")
            # The API is away: what comes is kept.
            published(broker, "roof", "roof", parts[1])
            wait_for(lambda: counts(box.outbox)["taken"] == 16, "they are on disk")
            box.kill()
            # The gateway is away: the broker keeps them, also over its own restart.
            published(broker, "roof", "roof", parts[2] | parts[1])
            broker.stop()
            broker.start()
            published(broker, "mill", "saw", {start_s: 77})
            # Begun again without the API: the points are known from before.
            box.start()
            wait_for(lambda: counts(box.outbox)["taken"] == 25, "all are on disk", seconds=60)
            published(broker, "roof", "roof", parts[3])
            broker.stop()
            broker.start()
            # The API is back, but the first answers are lost on the way.
            line.cut_answers_to, line.cuts_left = b"POST /api/v1/entries", 3
            with served(house, line):
                published(broker, "roof", "roof", parts[4])
                wait_for(lambda: stored(house, "roof") == roof, "all are in the log", seconds=60)
                wait_for(lambda: stored(house, "saw") == {start_s: 77}, "the mill's too")
                assert line.cut == 3
                house.checkpoint()
                wait_for(lambda: counts(box.outbox).get("proven") == 41, "inclusion is verified")
                assert box.end() == 0
    found = counts(box.outbox)
    assert (found["batches"], found.get("waiting"), found["taken"]) == (0, None, 41)
    # Published twice, and what the broker sent again since its answer was lost.
    assert found["repeats"] >= 8
    assert not (box.outbox / "quarantine").exists()
    # What could not be read was put aside, and nothing of it, nor any secret, was logged.
    assert found["rejected"] >= 3
    assert not any(word in box.text() for word in (*PASSWORDS.values(), "secret-word", "glk_"))
    house.audit(no_progress)
