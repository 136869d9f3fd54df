"""A park with a gateway: a ledger with the real clock, its API, a broker, and what is published."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ledger.access import service as access
from ledger.access.roles import Role
from ledger.db import reading, writing
from ledger.house import House, now_s
from ledger.log.notes import SigningKey, write_skey
from ledger.metering.effective import effective
from ledger.metering.points import Meter, Point
from ledger.metering.service import find_point, register_point
from tests.ledgers import ORIGIN, begin, held_key, introduce
from tests.servers.api import serving
from tests.servers.mosquitto import PASSWORDS, Mosquitto
from tests.servers.wire import Wire

BOX = held_key("box")
QUARTER_S = 900


def found_park(folder: Path) -> House:
    """Two owners with points, one of them read by register, and a gateway with its own key."""
    house = begin(folder, clock_s=now_s)
    desk = house.desk
    for party, role in (("farm", "generator"), ("mill", "enterprise"), ("box", "gateway")):
        desk.register_party(party, party, [role])
    introduce(house, "box", BOX, device="gateway")
    meter = Meter(number="123456789012", from_="2020-01-01T00:00:00Z", multiplier="80")
    for name, kind, owner, meters in (
        ("roof", "generation", "farm", ()),
        ("saw", "consumption", "mill", ()),
        ("dock", "consumption", "mill", (meter,)),
    ):
        register_point(desk, Point(name=name, kind=kind, owner=owner, meters=meters))
    house.checkpoint()
    return house


def gateway_token(house: House, role: Role = Role.GATEWAY) -> str:
    """An API key that hands in readings for the whole park, as a gateway does."""
    actor, operator = access.MACHINE, house.log.operator
    with writing(house.engine) as conn:
        account = access.create_account(conn, now_s(), actor, "box")
        access.grant(conn, now_s(), actor, account, operator, Role.PREPARER, operator=operator)
        token, _ = access.create_api_key(
            conn,
            now_s(),
            actor,
            account=account,
            party=operator,
            roles=[role],
            operator=operator,
            expires_at_s=now_s() + 3600,
        )
    return token


def quarters_ago(count: int) -> int:
    """The start of a quarter-hour that is over."""
    return (now_s() // QUARTER_S - count) * QUARTER_S


def stored(house: House, name: str) -> dict[int, int]:
    """Value by start, of all that the log has in force for a point."""
    with reading(house.engine) as conn:
        point = find_point(conn, house.log.log_id, name).point
        items = effective(conn, house.log.log_id, point, start_s=0, end_s=2**33)
    return {
        start: value
        for item in items
        for start, value in zip(
            item.series.start_s.tolist(), item.series.value.tolist(), strict=True
        )
    }


def message(point: str, start_s: int, value: int | str, **more: object) -> dict[str, object]:
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start_s))
    return {"point": point, "start": start, "value": value, **more}


def wait_for(true: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def write_config(
    folder: Path,
    house: House,
    url: str,
    token: str,
    broker: Mosquitto | None = None,
    *,
    key: SigningKey = BOX,
    collect: Mapping[str, int] | None = None,
) -> Path:
    """gateway.toml and its secrets. Windows of a second, so that nothing waits."""
    folder.mkdir(exist_ok=True)
    secrets = {"box.key": write_skey(key), "token": token, "password": PASSWORDS["gateway"]}
    for name, text in secrets.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(text + "\n")
    rules = {"window_s": 1, "grace_s": 0, "send_every_s": 1, **(collect or {})}
    lines = [
        'outbox = "outbox"',
        "[server]",
        f'url = "{url}"',
        f'log_vkey = "{house.log.log_key.vkey}"',
        'token_file = "token"',
        "timeout_s = 5",
        "[key]",
        'file = "box.key"',
        "[mqtt]",
        'host = "127.0.0.1"',
        f"port = {broker.port if broker else 1}",
        'topic = "greenledger/p/+/readings"',
        'client_id = "box-1"',
        'username = "gateway"',
        'password_file = "password"',
        f'ca_file = "{broker.ca_file}"' if broker else "tls = false",
        "[collect]",
        *(f"{name} = {value}" for name, value in rules.items()),
    ]
    path = folder / "gateway.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(slots=True)
class GatewayProcess:
    """`greenledger gateway`, as its own process."""

    config: Path
    process: subprocess.Popen[bytes] | None = None
    log: list[Path] = field(default_factory=list)

    @property
    def outbox(self) -> Path:
        return self.config.parent / "outbox"

    def start(self) -> None:
        log = self.config.parent / "gateway.log"
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ledger.cli", "gateway", "--config", str(self.config)],
                stdout=file,
                stderr=file,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )

    def text(self) -> str:
        return (self.config.parent / "gateway.log").read_text()

    def listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.text()
        try:
            alive = json.loads((self.outbox / "alive.json").read_text())
        except (OSError, ValueError):
            return False
        return bool(alive["mqtt"])

    def kill(self) -> None:
        """As a power cut: no chance to put anything in order."""
        self.end(signal.SIGKILL)
        (self.outbox / "alive.json").unlink(missing_ok=True)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(40)
        self.process = None
        return code


@contextlib.contextmanager
def gateway(config: Path) -> Iterator[GatewayProcess]:
    one = GatewayProcess(config)
    try:
        yield one
    finally:
        if one.process is not None:
            one.process.kill()
            one.process.wait(10)


@contextlib.contextmanager
def served(house: House, wire: Wire) -> Iterator[None]:
    """The API at the end of the wire, for as long as the block lasts."""
    with serving(house) as url:
        wire.upstream = urlsplit(url).port
        wire.drop()
        try:
            yield
        finally:
            wire.upstream = None
            wire.drop()


__all__ = ["BOX", "ORIGIN"]
