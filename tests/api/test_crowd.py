"""32 clients at two API processes on PostgreSQL want the same things at once.

What there is is used exactly; whoever comes too late is told so, and nothing else goes wrong. Then
processes and database are killed in the middle.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ledger import db
from ledger.access import service as access
from ledger.access.roles import Role
from ledger.house import House
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from ledger.registry.ranges import SerialRange
from ledger.registry.service import NewBatch, Share, ensure_scheme, issue
from ledger.settings import Settings
from ledger.units import Period
from tests.ledgers import no_progress, series
from tests.servers.api import Served
from tests.servers.postgres import PostgreSQL, running

CLIENTS = 32
UNITS, EACH = 200, 5
DAY_S = 1_772_208_000  # 2026-02-27T16:00:00Z, a day of park time
FROM, TO = "2026-02-27T16:00:00Z", "2026-02-28T16:00:00Z"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """A PostgreSQL that may be killed: what it says is stored is on disk."""
    yield from running(safe=True)


@dataclass
class Crowd:
    """Two API processes over one database."""

    settings: Settings
    environment: Mapping[str, str]
    token: str
    served: list[Served]

    def house(self) -> House:
        return House.open(self.settings)

    def clients(self, count: int = CLIENTS) -> list[httpx.Client]:
        """Half of them at each process."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return [
            httpx.Client(base_url=one.url, headers=headers, timeout=120)
            for _ in range(count // 2)
            for one in self.served
        ]


def fill(house: House) -> str:
    """A plant and a mill with a day's lots, and a trader with certificates. Returns a token."""
    desk, operator = house.desk, house.log.operator
    for party in ("farm", "mill", "trader"):
        desk.register_party(party, party, ["enterprise"])
        desk.create_key(party)
    day = Period(start_s=DAY_S, end_s=DAY_S + 86_400)
    for name, kind, owner, wh in (
        ("roof", "generation", "farm", 9),
        ("saw", "consumption", "mill", 7),
    ):
        register_point(desk, Point(name=name, kind=kind, owner=owner))
        values = [wh * (1 + number) for number in range(96)]
        take_in(desk, [series(name, values, start_s=DAY_S)], Origin(source=name, author=owner))
    register_point(desk, Point(name="meter", kind="other", owner="mill"))
    register_contract(
        desk,
        Agreement(
            name="line",
            kind="direct-supply",
            seller="farm",
            sources=["roof"],
            consumers={"saw": 0},
            period=day,
        ),
    )
    run_matching(desk, day)
    ensure_scheme(desk, "irec")
    class_ = min(ensure_scheme(desk, "irec").classes)
    units = SerialRange(first=0, end=UNITS)
    share = Share(class_=class_, owner="trader", units=units)
    batch = NewBatch(code="CROWD-1", units=units, period=day, shares=(share,))
    issue(desk, "irec", [batch])
    now_s = desk.clock_s()
    with db.writing(house.engine) as conn:
        account = access.create_account(conn, now_s, access.MACHINE, "crowd")
        access.grant(conn, now_s, access.MACHINE, account, operator, Role.PREPARER, operator)
        token, _ = access.create_api_key(
            conn,
            now_s,
            access.MACHINE,
            account=account,
            party=operator,
            roles=[Role.PREPARER],
            operator=operator,
            expires_at_s=now_s + 86_400,
        )
    return token


@pytest.fixture(scope="module")
def crowd(server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    folder = tmp_path_factory.mktemp("crowd") / "data"
    environment = {
        "GREENLEDGER_DIR": str(folder),
        "GREENLEDGER_DATABASE_URL": server.url(server.create()),
        "GREENLEDGER_REQUESTS_PER_S": "100000",
        "GREENLEDGER_REQUESTS_BURST": "100000",
    }
    settings = Settings(
        dir=folder,
        database_url=environment["GREENLEDGER_DATABASE_URL"],
        high_water_dir=None,
        kek=None,
    )
    house = House.init(settings, origin="park.example/crowd", name="Crowd")
    token = fill(house)
    house.engine.dispose()
    with ThreadPoolExecutor(2) as pool:
        served = list(pool.map(lambda _: Served.start(environment), range(2)))
    yield Crowd(settings, environment, token, served)
    for one in served:
        one.stop()


def together(
    clients: list[httpx.Client], do: Callable[[int, httpx.Client], list[Any]]
) -> list[Any]:
    """What everybody got, all having begun at once."""
    barrier = threading.Barrier(len(clients))

    def run(number: int) -> list[Any]:
        barrier.wait()
        return do(number, clients[number])

    try:
        with ThreadPoolExecutor(len(clients)) as pool:
            return [one for answers in pool.map(run, range(len(clients))) for one in answers]
    finally:
        for client in clients:
            client.close()


TRANSFER = {"scheme": "irec", "owner": "trader", "to": "mill", "count": EACH}


def test_all_want_the_same(crowd: Crowd) -> None:
    def act(_: int, client: httpx.Client) -> list[tuple[str, int]]:
        claim = {"points": ["saw"], "from": FROM, "to": TO}
        batch = {"readings": [{"point": "meter", "start": FROM, "values": list(range(96))}]}
        same = {"Idempotency-Key": "same"}
        asked = {
            "claim": client.post("/claims", json=claim),
            "batch": client.post("/readings?source=meter&author=mill", json=batch, headers=same),
            "first": client.post("/certificates/transfers", json=TRANSFER),
            "second": client.post("/certificates/transfers", json=TRANSFER),
        }
        for what, answer in asked.items():
            assert answer.status_code in (201, 409), (what, answer.text)
        return [(what, answer.status_code) for what, answer in asked.items()]

    found = Counter(together(crowd.clients(), act))
    assert found["claim", 201] == 1
    assert found["batch", 201] == CLIENTS
    moved = found["first", 201] + found["second", 201]
    assert held(crowd) == {"mill": moved * EACH, "trader": UNITS - moved * EACH}
    (client, *others) = crowd.clients(2)
    for _ in range(UNITS // EACH - moved):
        assert client.post("/certificates/transfers", json=TRANSFER).status_code == 201
    assert client.post("/certificates/transfers", json=TRANSFER).status_code == 404
    for one in (client, *others):
        one.close()
    assert held(crowd) == {"mill": UNITS}
    house = crowd.house()
    with db.reading(house.engine) as conn:
        batches = conn.exec_driver_sql("SELECT count(*) FROM batches WHERE source = 'meter'")
        assert batches.scalar_one() == 1
    house.audit(no_progress)
    house.engine.dispose()


def held(crowd: Crowd) -> dict[str, int]:
    """Units by owner, as the database has them."""
    house = crowd.house()
    with db.reading(house.engine) as conn:
        owners = conn.exec_driver_sql(
            "SELECT h.owner, sum(h.end_unit - h.first_unit) FROM holdings h"
            " LEFT JOIN holding_ends e ON e.log_id = h.log_id AND e.holding = h.holding"
            " WHERE e.holding IS NULL GROUP BY h.owner"
        ).all()
    house.engine.dispose()
    return {owner: int(units) for owner, units in owners}


def keep_on(client: httpx.Client, number: int, stop: threading.Event) -> set[str]:
    """Register points, each until its request is answered; returns those that were accepted."""
    accepted = set()
    for turn in range(10_000):
        name = f"p-{number}-{turn}"
        body = {"name": name, "kind": "other", "owner": "mill"}
        while True:
            try:
                answer = client.post("/points", json=body, headers={"Idempotency-Key": name})
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code == 503:
                time.sleep(0.05)
                continue
            assert answer.status_code == 201, answer.text
            break
        accepted.add(name)
        if stop.is_set():
            return accepted
    return accepted


@pytest.mark.parametrize("killed", ["api", "postgresql"])
def test_what_was_accepted_is_there_once(crowd: Crowd, server: PostgreSQL, killed: str) -> None:
    """Clients keep on asking, with the same keys, while a process is killed and comes again."""
    house = crowd.house()
    with db.reading(house.engine) as conn:
        before = set(conn.exec_driver_sql("SELECT name FROM point_names").scalars())
    house.engine.dispose()
    stop = threading.Event()
    clients = crowd.clients(4)
    prefix = 100 if killed == "api" else 200
    with ThreadPoolExecutor(len(clients)) as pool:
        running_ = [
            pool.submit(keep_on, client, prefix + number, stop)
            for number, client in enumerate(clients)
        ]
        time.sleep(0.5)
        if killed == "api":
            crowd.served[0].stop(signal.SIGKILL)
            crowd.served[0] = crowd.served[0].again()
        else:
            server.restart(signal.SIGQUIT)
        time.sleep(0.5)
        stop.set()
        accepted = set().union(*(one.result(120) for one in running_))
    for client in clients:
        client.close()
    house = crowd.house()
    with db.reading(house.engine) as conn:
        names = set(conn.exec_driver_sql("SELECT name FROM point_names").scalars())
        entries = conn.exec_driver_sql(
            "SELECT count(*) FROM entries WHERE type = 'point.register'"
        ).scalar_one()
    assert names - before == accepted
    assert entries == len(names)
    house.audit(no_progress)
    house.engine.dispose()
