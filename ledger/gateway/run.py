"""The gateway put together: listen, send, show that it is alive. One process for each outbox."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from ledger.client import Client, PointInfo, Retry, connect
from ledger.errors import InvalidInput, LedgerError, Unavailable
from ledger.files import make_private_folder
from ledger.gateway.collector import Points
from ledger.gateway.config import Config, read_secret
from ledger.gateway.intake import Arrived, Intake
from ledger.gateway.listener import listen
from ledger.gateway.outbox import Outbox
from ledger.gateway.sender import Sender
from ledger.units import parse_zone, zone_offset_s

ALIVE_S: Final = 60
_REFRESH_S: Final = 60
_POINTS_EVERY_S: Final = 300
_FORGET_EVERY_S: Final = 3600
_log = structlog.get_logger("greenledger.gateway")


def now_s() -> int:
    return int(time.time())


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Raises Unavailable where another gateway has the outbox."""
    make_private_folder(folder)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unavailable(f"another gateway works on {folder}") from error
        yield


def client_for(config: Config, *, retry: Retry | None = None) -> Client:
    server = config.server
    return connect(
        server.url,
        token=read_secret(config.path(server.token_file)) if server.token_file else "",
        ca_file=config.path(server.ca_file) if server.ca_file else None,
        timeout_s=float(server.timeout_s),
        retry=retry or Retry(attempts=2),
    )


def fetch_points(client: Client, config: Config, outbox: Outbox) -> Points:
    """The points as the server has them, kept for a start without it. Raises Unavailable."""
    log = client.log()
    known = {one.vkey for one in log.log_keys}
    if log.origin != config.log_key.name or config.server.log_vkey not in known:
        raise Unavailable(
            f"the server's log is {log.origin!r}, the pinned key is of {config.log_key.name!r}, or"
            " is none of its keys: see [server] log_vkey"
        )
    items = [one.to_json() for one in client.points()]
    kept = {"zone": log.zone, "items": items}
    outbox.remember("points", json.dumps(kept, ensure_ascii=False).encode())
    return _points(kept)


def kept_points(outbox: Outbox) -> Points | None:
    data = outbox.fact("points")
    return None if data is None else _points(json.loads(data))


def _points(kept: dict[str, Any]) -> Points:
    found = [PointInfo.from_json(item) for item in kept["items"]]
    return Points({one.master.name: one for one in found}, zone_offset_s(parse_zone(kept["zone"])))


@dataclass(slots=True, kw_only=True)
class Gateway:
    """What runs; `clock_s`: Unix seconds."""

    config: Config
    outbox: Outbox
    client: Client
    clock_s: Callable[[], int] = now_s
    _connected: bool = False
    _sent_at_s: int = 0
    _asked_at_s: int = 0
    _forgot_at_s: int = 0
    _intake: Intake | None = field(default=None)

    async def run(self) -> None:
        """Until it is cancelled."""
        points = await self._first_points()
        self._intake = Intake(
            outbox=self.outbox,
            topic=self.config.broker.topic,
            points=points,
            limits=self.config.collect.limits,
            clock_s=self.clock_s,
            refresh=self._refresh,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(listen(self.config, self._take, self._set_connected))
            group.create_task(self._send_for_ever())

    async def _first_points(self) -> Points:
        """What the server says, or what it said last; nothing is judged without."""
        while True:
            try:
                self._asked_at_s = self.clock_s()
                return await asyncio.to_thread(fetch_points, self.client, self.config, self.outbox)
            except LedgerError as error:
                _log.warning("the points can't be fetched", error=str(error))
            kept = kept_points(self.outbox)
            if kept is not None:
                return kept
            self._show_alive()
            await asyncio.sleep(self.config.collect.send_every_s)

    def _refresh(self) -> Points | None:
        if self.clock_s() - self._asked_at_s < _REFRESH_S:
            return None
        self._asked_at_s = self.clock_s()
        # A client of its own: the other one may be in use by the sender's thread.
        try:
            with client_for(self.config, retry=Retry(attempts=1)) as client:
                return fetch_points(client, self.config, self.outbox)
        except LedgerError as error:
            _log.warning("the points can't be fetched", error=str(error))
            return None

    def _take(self, messages: Sequence[Arrived]) -> None:
        assert self._intake is not None
        counted = self._intake.take(messages)
        # Counts and topics: what stands in a payload is nobody's business but the ledger's.
        level = _log.warning if set(counted) - {"messages", "taken", "registers"} else _log.debug
        level("messages stored", **counted)

    async def _send_for_ever(self) -> None:
        assert self._intake is not None
        sender = Sender(
            outbox=self.outbox,
            client=self.client,
            key=self.config.signing_key(),
            log_key=self.config.log_key,
            clock_s=self.clock_s,
        )
        _check_name(sender)
        while True:
            try:
                await asyncio.to_thread(sender.step)
                self._sent_at_s = self.clock_s()
            except LedgerError as error:
                _log.warning("sending waits", kind=type(error).__name__, error=str(error))
            except (sqlite3.Error, OSError) as error:
                _log.error("the outbox can't be written", error=str(error))
            await asyncio.to_thread(self._keep_house, self._intake)
            self._show_alive()
            await asyncio.sleep(self.config.collect.send_every_s)

    def _keep_house(self, intake: Intake) -> None:
        """Now and then: forget what is old, and ask for the points: meters are swapped."""
        if self.clock_s() - self._asked_at_s >= _POINTS_EVERY_S:
            intake.points = self._refresh() or intake.points
        if self.clock_s() - self._forgot_at_s >= _FORGET_EVERY_S:
            self._forgot_at_s = self.clock_s()
            with suppress(sqlite3.Error):  # a full disk: next time
                self.outbox.forget(self.clock_s() - self.config.collect.limits.memory_s)

    def _set_connected(self, connected: bool) -> None:
        self._connected = connected
        self._show_alive()

    def _show_alive(self) -> None:
        """A file for `--status`: it is no promise, so it needs no fsync."""
        found = {"at_s": self.clock_s(), "mqtt": self._connected, "sent_at_s": self._sent_at_s}
        path = self.outbox.folder / "alive.json"
        fresh = path.with_suffix(".new")
        with suppress(OSError):
            fresh.write_text(json.dumps(found), encoding="utf-8")
            fresh.replace(path)


def _check_name(sender: Sender) -> None:
    if sender.key.name != f"{sender.log_key.name}/{sender.author}" or not sender.author:
        raise InvalidInput(
            f"the gateway's key is named {sender.key.name!r}; a party's key of this log is named"
            f" '{sender.log_key.name}/<party>'"
        )


def run(config: Config) -> None:
    """Until SIGTERM or SIGINT. Raises what keeps it from beginning."""
    config.signing_key()
    with only_one(config.outbox):
        outbox = Outbox(config.outbox)
        try:
            with client_for(config) as client:
                asyncio.run(_until_stopped(Gateway(config=config, outbox=outbox, client=client)))
        finally:
            outbox.close()


async def _until_stopped(gateway: Gateway) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await gateway.run()
    except asyncio.CancelledError:
        _log.info("stopped; what was stored is stored", pid=os.getpid())


def status(config: Config, at_s: int) -> dict[str, Any]:
    """What the outbox holds and when the gateway was last alive, whether it runs or not."""
    if not (config.outbox / "outbox.sqlite3").exists():
        raise Unavailable(f"{config.outbox} holds no outbox: the gateway has not run yet")
    outbox = Outbox(config.outbox)
    try:
        counts = outbox.counts()
    finally:
        outbox.close()
    try:
        alive = json.loads((config.outbox / "alive.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        alive = {"at_s": 0, "mqtt": False, "sent_at_s": 0}
    wait_s = max(ALIVE_S, 3 * config.collect.send_every_s)
    return {**alive, "alive": at_s - alive["at_s"] <= wait_s, "counts": counts}


def retry_quarantine(config: Config) -> int:
    """Put readings that were set aside back into the queue; returns how many."""
    with only_one(config.outbox):
        outbox = Outbox(config.outbox)
        try:
            return outbox.take_back(now_s())
        finally:
            outbox.close()
