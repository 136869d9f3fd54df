"""The subscription against a real Mosquitto: TLS, passwords, and acknowledging by hand."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import InvalidInput
from ledger.gateway.config import Broker, Config, read_config
from ledger.gateway.intake import Arrived
from ledger.gateway.listener import listen
from ledger.gateway.outbox import Outbox
from ledger.house import House, now_s
from tests.cli.conftest import Run, run
from tests.gateway.parks import write_config
from tests.ledgers import begun, begun_template
from tests.servers.mosquitto import Mosquitto, certificates, mosquitto

__all__ = ["begun", "begun_template", "run"]
Take = Callable[[Sequence[Arrived]], object]


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as found:
        yield found


@pytest.fixture
def config(begun: House, broker: Mosquitto, tmp_path: Path) -> Config:
    return read_config(write_config(tmp_path / "box", begun, "https://nobody", "token", broker))


def listen_until(
    config: Config, take: Take, done: Callable[[], bool], *, seconds: float = 20
) -> list[bool]:
    """Listen until `done`; returns what was said of the connection."""
    connected: list[bool] = []

    async def run() -> None:
        task = asyncio.create_task(listen(config, take, connected.append))
        deadline = asyncio.get_running_loop().time() + seconds
        while not done() and asyncio.get_running_loop().time() < deadline and not task.done():
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)  # what was taken is acknowledged now
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return

    asyncio.run(run())
    return connected


def test_what_is_not_stored_comes_again(config: Config, broker: Mosquitto) -> None:
    """The session is the broker's: begun before, it keeps what comes while nobody listens."""
    taken: list[str] = []
    failures: list[int] = []
    assert True in listen_until(config, lambda _: None, lambda: False, seconds=0.7)
    broker.publish("roof", [json.dumps(number) for number in range(5)])

    def take(messages: Sequence[Arrived]) -> None:
        if len(failures) < 2:
            failures.append(len(messages))
            raise sqlite3.OperationalError("database or disk is full")
        taken.extend(one.payload.decode() for one in messages)

    listen_until(config, take, lambda: len(taken) == 5)
    assert (taken, len(failures)) == ([str(number) for number in range(5)], 2)
    # Acknowledged now: another time nothing comes.
    listen_until(config, take, lambda: len(taken) > 5, seconds=1)
    assert len(taken) == 5


def changed(config: Config, **members: str) -> Config:
    broker: Broker = replace(config.broker, **members)  # type: ignore[arg-type]
    return replace(config, broker=broker)


# paho forgets the socket of a handshake that failed; it is closed when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_wrong_password_or_a_strange_certificate_connects_to_nothing(
    config: Config, tmp_path: Path
) -> None:
    wrong = config.folder / "wrong"
    wrong.touch(0o600)
    wrong.write_text("roof-secret-word\n")
    strange = tmp_path / "strange"
    strange.mkdir()
    certificates(strange)
    for one in (
        changed(config, password_file="wrong"),
        changed(config, username="", password_file=""),
        changed(config, ca_file=str(strange / "ca.crt")),
        changed(config, ca_file=""),
    ):
        assert True not in listen_until(one, lambda _: None, lambda: False, seconds=0.4)
    readable = config.folder / "readable"
    readable.touch(0o644)
    with pytest.raises(InvalidInput, match="may be read by others"):
        asyncio.run(
            listen(changed(config, password_file="readable"), lambda _: None, lambda _: None)
        )


def test_a_meter_can_publish_as_itself_only(config: Config, broker: Mosquitto) -> None:
    taken: list[str] = []

    def take(messages: Sequence[Arrived]) -> None:
        taken.extend(one.payload.decode() for one in messages)

    listen_until(config, take, lambda: False, seconds=0.5)
    asyncio.run(broker._publish("roof", "greenledger/p/mill/readings", ["forged"]))
    broker.publish("roof", ["own"])
    listen_until(config, take, lambda: "own" in taken)
    assert taken == ["own"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('outbox = "outbox"', "", "outbox is missing"),
        ("[collect]", "[colect]", "unknown member 'colect'"),
        ("window_s = 1", "window_s = 7", "divides a day"),
        ("window_s = 1", 'window_s = "1"', "window_s is of type int"),
        ("grace_s = 0", "grace_s = true", "grace_s is of type int"),
        ("timeout_s = 5", "timeout = 5", "unknown 'timeout'"),
        ('client_id = "box-1"', "", "lacks 'client_id'"),
        ('client_id = "box-1"', 'client_id = ""', "client_id is empty"),
        ("p/+/readings", "p/#", "exactly one level"),
        ("p/+/readings", "+/+/readings", "exactly one level"),
        ('file = "box.key"', "", "has a file, or the folder"),
        ('file = "box.key"', 'file = "box.key"\nfolder = "x"\nvkey = "y"', "has a file, or"),
        ("log_vkey = ", 'log_vkey = "x" # ', "not of the form"),
        ("[server]", "[server", "gateway.toml: "),
    ],
)
def test_a_configuration_that_is_wrong_says_where(
    config: Config, old: str, new: str, why: str
) -> None:
    path = config.folder / "gateway.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InvalidInput, match=why):
        read_config(path)


def test_the_command_says_how_the_gateway_is(config: Config, run: Run) -> None:
    words = ("gateway", "--config", str(config.folder / "gateway.toml"), "--json")
    none = run(*words, "--status")
    assert (none.code, "has not run yet" in none.err) == (6, True)
    Outbox(config.outbox).close()
    stopped = run(*words, "--status")
    assert (stopped.code, "does not run" in stopped.err) == (6, True)
    alive = {"at_s": now_s(), "mqtt": True, "sent_at_s": 0}
    (config.outbox / "alive.json").write_text(json.dumps(alive))
    well = run(*words, "--status")
    assert well.code == 0
    assert json.loads(well.out)["alive"] is True
    assert json.loads(run(*words, "--retry-quarantine").out) == {"readings": 0}
