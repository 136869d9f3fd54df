"""The service over HTTP on PostgreSQL: readings handed in, and proofs read at a million entries.

The server is one `greenledger serve`, PostgreSQL a cluster of its own with fsync on; the load comes
from threads of a process beside them. All share this machine's cores, which is what is measured.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from sqlalchemy import insert

from bench.rows import Row
from ledger import db
from ledger.access import service as access
from ledger.access.roles import Role
from ledger.house import House
from ledger.log import merkle, store, tiles
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.settings import Settings
from tests.servers.postgres import PostgreSQL, running

CLIENTS: Final = 4
POINTS: Final = 10
SECONDS: Final = 6.0
START_S: Final = 946_684_800  # 2000: there is room for many quarter-hours
QUARTER_S: Final = 900
ENTRIES: Final = 1_000_000


def run() -> list[Row]:
    """Where PostgreSQL is not installed, none."""
    servers = running(safe=True)
    server = next(servers)
    try:
        with _ledger(server) as (environment, token):
            rows = [_ingest(server, environment, token, size) for size in (1_000, 10_000)]
        with _ledger(server) as (environment, token):
            _grow(environment)
            rows += _proofs(environment, token)
        return rows
    finally:
        next(servers, None)


@contextmanager
def _ledger(server: PostgreSQL) -> Iterator[tuple[dict[str, str], str]]:
    with tempfile.TemporaryDirectory() as folder:
        url = server.url(server.create())
        house = House.init(
            Settings(dir=Path(folder), database_url=url),
            origin="bench.example/service",
            name="Bench",
        )
        for client in range(CLIENTS):
            for number in range(POINTS):
                name = f"p{client}-{number}"
                register_point(house.desk, Point(name=name, kind="other", owner="operator"))
        token = _token(house)
        house.engine.dispose()
        yield (
            {
                "GREENLEDGER_DIR": folder,
                "GREENLEDGER_DATABASE_URL": url,
                "GREENLEDGER_REQUESTS_PER_S": "1000000",
                "GREENLEDGER_REQUESTS_BURST": "1000000",
                "GREENLEDGER_AUDIT_EVERY_S": "0",
                "GREENLEDGER_CHECKPOINT_EVERY_S": "0",
                "GREENLEDGER_EXPIRY_EVERY_S": "0",
            },
            token,
        )


def _token(house: House) -> str:
    now_s, operator = house.desk.clock_s(), house.log.operator
    with db.writing(house.engine) as conn:
        account = access.create_account(conn, now_s, access.MACHINE, "bench")
        access.grant(conn, now_s, access.MACHINE, account, operator, Role.PREPARER, operator)
        token, _ = access.create_api_key(
            conn,
            now_s,
            access.MACHINE,
            account=account,
            party=operator,
            roles=[Role.PREPARER],
            operator=operator,
            expires_at_s=now_s + 3_600,
        )
    return token


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger.cli", "serve", "--json", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """What the load generator saw: seconds of each answer, and of all."""

    answers_s: Sequence[float]
    seconds: float
    clients: int

    def quantile_ms(self, share: float) -> float:
        return sorted(self.answers_s)[int(len(self.answers_s) * share)] * 1_000

    @property
    def said(self) -> str:
        return (
            f"{len(self.answers_s) / self.seconds:,.0f} requests/s, {self.clients} at once,"
            f" p50 {self.quantile_ms(0.5):.1f} ms, p95 {self.quantile_ms(0.95):.1f} ms"
        )


Request = Callable[[int, int], tuple[str, str, bytes, int]]


def _load(url: str, token: str, request: Request, clients: int = CLIENTS) -> _Load:
    """`request(client, turn)`: verb, path, body and the status that is right; for SECONDS."""
    parts = urlsplit(url)
    answers_s: list[list[float]] = [[] for _ in range(clients)]
    wrong: list[str] = []
    end = time.perf_counter() + SECONDS

    def ask(client: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        turn = 0
        while time.perf_counter() < end:
            verb, path, body, right = request(client, turn)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            if verb == "POST":
                headers["Idempotency-Key"] = f"{path}/{turn}"
            begin = time.perf_counter()
            connection.request(verb, parts.path + path, body or None, headers)
            answer = connection.getresponse()
            text = answer.read()
            answers_s[client].append(time.perf_counter() - begin)
            if answer.status != right:
                wrong.append(f"{path}: {answer.status} {text[:300]!r}")
                return
            turn += 1
        connection.close()

    begin = time.perf_counter()
    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(wrong[0])
    seconds = time.perf_counter() - begin
    found = [one for each in answers_s for one in each]
    return _Load(answers_s=found, seconds=seconds, clients=clients)


def _batch(client: int, turn: int, size: int, first_s: int) -> tuple[str, str, bytes, int]:
    each = size // POINTS
    start_s = first_s + turn * each * QUARTER_S
    values = [(turn * 7 + number * 31) % 90_000 for number in range(each)]
    runs = [
        {"point": f"p{client}-{number}", "start_s": start_s, "values": values}
        for number in range(POINTS)
    ]
    body = json.dumps({"readings": runs}, separators=(",", ":")).encode()
    return "POST", f"/readings?source=s{size}-{client}", body, 201


def _ingest(server: PostgreSQL, environment: dict[str, str], token: str, size: int) -> Row:
    with _serving(environment) as url:
        # Each size has years of its own.
        first_s = START_S + size * 40 * QUARTER_S
        found = _load(url, token, lambda client, turn: _batch(client, turn, size, first_s))
    count = len(found.answers_s) * size
    floor_s = _copy(server, count)
    return Row(
        name=f"HTTP ingest, batches of {size:,}: {found.said}",
        unit="interval",
        amount=count,
        seconds=found.seconds,
        floor_name="psycopg binary COPY of the same rows, primary key",
        floor_seconds=floor_s,
    )


def _copy(server: PostgreSQL, count: int) -> float:
    """The same number of rows into a table with a primary key, in key order."""
    name = server.create()
    with psycopg.connect(server.url(name), autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE readings (point int8, start_s int8, value int8, quality int2,"
            " PRIMARY KEY (point, start_s))"
        )
        begin = time.perf_counter()
        with conn.cursor().copy("COPY readings FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int8", "int8", "int2"])
            each = count // POINTS
            for point in range(POINTS):
                for number in range(each):
                    copy.write_row((point, START_S + number * QUARTER_S, number, 0))
        seconds = time.perf_counter() - begin
    server.drop(name)
    return seconds


def _grow(environment: dict[str, str]) -> None:
    """A log of a million entries; what they say does not matter to proofs."""
    settings = Settings(
        dir=Path(environment["GREENLEDGER_DIR"]),
        database_url=environment["GREENLEDGER_DATABASE_URL"],
    )
    house = House.open(settings)
    log_id, at_once = house.log.log_id, 50_000
    with db.writing(house.engine, long=True) as conn:
        head = store.lock_head(conn, log_id)
        edge = head.edge
        while edge.size < ENTRIES:
            begin = edge.size
            end = min(begin + at_once, ENTRIES)
            data = [b'{"type":"bench","id":"%032d"}\n' % number for number in range(begin, end)]
            leaves = merkle.leaf_hashes(data)
            conn.execute(
                insert(store.entries),
                [
                    {
                        "log_id": log_id,
                        "entry_index": begin + number,
                        "leaf_hash": leaf,
                        "type": "bench",
                        "author": "bench",
                        "id": f"{begin + number:032}",
                        "data": each,
                    }
                    for number, (leaf, each) in enumerate(zip(leaves, data, strict=True))
                ],
            )
            edge, full = tiles.extend(edge, leaves)
            store.save_head(conn, log_id, store.Head(edge=edge, tick_s=head.tick_s), full)
    house.checkpoint()
    house.engine.dispose()


def _proofs(environment: dict[str, str], token: str) -> list[Row]:
    """One client after another's answer, and as many as the server can be kept busy with."""

    def request(client: int, turn: int) -> tuple[str, str, bytes, int]:
        return "GET", f"/log/proof/{(client * 250_007 + turn * 7_919) % ENTRIES}", b"", 200

    def nothing(_client: int, _turn: int) -> tuple[str, str, bytes, int]:
        return "GET", "/health", b"", 200

    rows = []
    with _serving(environment) as url:
        for clients in (1, CLIENTS):
            found = _load(url, token, request, clients)
            floor = _load(url, token, nothing, clients)
            count = len(found.answers_s)
            rows.append(
                Row(
                    name=f"HTTP proof at 1 M entries: {found.said}",
                    unit="proof",
                    amount=count,
                    seconds=found.seconds,
                    floor_name="GET /health",
                    floor_seconds=floor.seconds * count / len(floor.answers_s),
                )
            )
    return rows
