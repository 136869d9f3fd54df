"""Transactions on PostgreSQL: one state for readers, one writer, limits, lost servers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text

from ledger import db
from ledger.errors import InvalidInput, Refused, Unavailable
from ledger.house import House
from ledger.log import store
from ledger.log.service import Submission
from ledger.metering.schema import meter_logs
from ledger.metering.store import point_of_name
from ledger.settings import Settings
from tests.ledgers import (
    Clock,
    begin,
    close,
    no_progress,
    on_postgresql,
    open_house,
    operator_key,
    party_statement,
    raw,
    rows,
    server_of,
    signed,
    submit,
)
from tests.log.test_attacks import ODD_NAMES
from tests.servers.postgres import PostgreSQL, running


def server(house: House) -> tuple[PostgreSQL, str]:
    there = server_of(house.settings.dir)
    assert there is not None
    return there


def limited(house: House, **seconds: int) -> House:
    """The same ledger, with other limits."""
    settings = house.settings.model_copy(
        update={f"database_{name}": value for name, value in seconds.items()}
    )
    return House.open(settings, clock_s=Clock())


# URLs


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_each_way_to_name_it_takes_the_same_driver(scheme: str) -> None:
    url = db.database_url(f"{scheme}://name:word@host:5432/park")
    assert url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://name:hushhush@host/park",
        "postgresql+asyncpg://name:hushhush@host/park",
        "hushhush",
        "postgresql://name:pass@word:hushhush/park",
        "",
    ],
)
def test_other_urls_are_refused_without_the_password(url: str) -> None:
    with pytest.raises(Unavailable, match=r"sqlite:///FILE or postgresql://") as caught:
        db.open_engine(url)
    shown: BaseException | None = caught.value
    while shown is not None:
        assert "hush" not in str(shown)
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)


def test_the_password_is_not_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = "postgresql://name:hushhush@127.0.0.1:1/park"
    settings = Settings(dir=tmp_path, database_url=url)
    with pytest.raises(Unavailable, match="nothing was changed") as caught:
        House.open(settings)
    said = f"{caught.value} {caught.value.__cause__} {settings!r} {db.open_engine(url)!r}"
    assert "hushhush" not in said + "".join(capfd.readouterr())


# Values


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"number": "a\x00b"}, "characters that the database does not hold"),
        ({"number": "\ud800"}, "characters that the database does not hold"),
        ({"log_id": 2**63}, "a number is beyond"),
        ({"log_id": 2**15}, "a number is beyond"),
        ({"log_id": 10**40}, "a number is beyond"),
        ({"number": "secret" * 11}, "a text is longer"),
    ],
)
def test_what_no_column_takes_is_the_inputs_fault(
    begun: House, values: dict[str, Any], why: str
) -> None:
    row = {"number": "M", "log_id": 1, **values}
    with pytest.raises(InvalidInput, match=why) as caught, db.writing(begun.engine) as conn:
        conn.execute(insert(meter_logs).values(row))
    assert "secret" not in str(caught.value)
    assert rows(begun, "SELECT count(*) FROM meter_logs") == [(0,)]


def test_a_name_that_nothing_can_have(begun: House) -> None:
    with pytest.raises(InvalidInput), db.reading(begun.engine) as conn:
        point_of_name(conn, 1, "a\x00b")
    with pytest.raises(InvalidInput), db.reading(begun.engine) as conn:
        store.entry_data(conn, 1, 10**20)


def test_odd_texts_come_back_as_they_are(begun: House) -> None:
    key = operator_key(begun)
    names = {f"p{number}": name for number, name in enumerate(ODD_NAMES)}
    for party, name in names.items():
        submit(begun, party_statement(party, name=name), key)
    assert dict(rows(begun, "SELECT party, name FROM parties WHERE party <> 'operator'")) == names
    begun.audit(no_progress)


def test_rows_are_not_shown(begun: House) -> None:
    """PostgreSQL says them in DETAIL."""
    with pytest.raises(Refused, match="duplicate key") as caught, db.writing(begun.engine) as conn:
        conn.execute(insert(meter_logs), [{"number": "secret", "log_id": 1}] * 2)
    assert "secret" not in str(caught.value)


# Transactions


def test_readers_see_one_state_and_write_nothing(begun: House) -> None:
    count = select(store.entries.c.entry_index)
    with db.reading(begun.engine) as conn:
        assert len(conn.execute(count).all()) == 1
        submit(begun, party_statement("farm"), operator_key(begun))
        assert len(conn.execute(count).all()) == 1
    with pytest.raises(Unavailable, match="read-only"), db.reading(begun.engine) as conn:
        conn.execute(insert(meter_logs).values(number="M", log_id=1))


def test_sessions_are_the_same_whatever_the_server_says(begun: House) -> None:
    there, name = server(begun)
    with there.connect(name) as connection:
        for setting in (
            "default_transaction_isolation = 'serializable'",
            "synchronous_commit = 'off'",
            "search_path = 'elsewhere'",
            "timezone = 'Asia/Shanghai'",
        ):
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    house = open_house(begun.settings.dir)
    with db.writing(house.engine) as conn:
        found = [
            conn.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("transaction_isolation", "synchronous_commit", "search_path", "timezone")
        ]
    assert found == ["read committed", "on", "public", "UTC"]
    with db.reading(house.engine) as conn:
        assert conn.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
    house.engine.dispose()


def test_a_temporary_table_is_in_no_rules_way(filled: House) -> None:
    connection = raw(filled)
    block = connection.row("blocks", "correction = 0") | {"number": 99}
    for sql in ("SET search_path = pg_temp, public", "CREATE TEMP TABLE blocks (LIKE blocks)"):
        connection.execute(sql)
    with pytest.raises(Exception, match="blocks overlap"):
        connection.insert("public.blocks", block)
    connection.close()


def test_one_genesis(postgresql: PostgreSQL, migrated: str, tmp_path: Path) -> None:
    """Two who begin at once: neither finds a head row to lock, and one of them is refused."""
    first = on_postgresql(postgresql, tmp_path / "first", migrated)
    second = tmp_path / "second"
    second.mkdir()
    (second / "database-url").write_text((first / "database-url").read_text())
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(begin, folder) for folder in (first, second)]
        failed = [one.exception(timeout=60) for one in done]
    assert [type(one) for one in failed if one is not None] == [Refused]
    house = next(one.result() for one in done if one.exception() is None)
    assert house.audit(no_progress).entries == 1
    close(house)


def test_two_signers_on_two_machines(begun: House, tmp_path: Path) -> None:
    """Neither sees the other's file lock: both get the note of the same size."""
    submit(begun, party_statement("farm"), operator_key(begun))
    there = begun.settings.model_copy(update={"high_water_dir": tmp_path / "elsewhere"})
    other = House.open(there, clock_s=Clock())
    with ThreadPoolExecutor(2) as pool:
        notes = [pool.submit(house.checkpoint) for house in (begun, other)]
        assert notes[0].result(timeout=60) == notes[1].result(timeout=60)
    assert begun.audit(no_progress).checkpoints == 2
    other.engine.dispose()


# Limits


def test_who_waits_too_long_for_the_head_is_told(begun: House) -> None:
    data = signed(party_statement("farm"), operator_key(begun))
    house = limited(begun, lock_s=1)
    with db.writing(begun.engine) as conn:
        store.lock_head(conn, 1)
        with pytest.raises(Unavailable, match=r"nothing was changed: .* lock timeout"):
            house.desk.writer.append(Submission(data=data))
        house.audit(no_progress)  # readers wait for nobody
    assert not house.desk.writer.append(Submission(data=data)).repeated
    house.engine.dispose()


def test_statements_end_in_time_but_those_of_audits(begun: House) -> None:
    house = limited(begun, statement_s=1)
    sleep = text("SELECT pg_sleep(1.2)")
    with pytest.raises(Unavailable, match="statement timeout"), db.reading(house.engine) as conn:
        conn.execute(sleep)
    with db.reading(house.engine, long=True) as conn:
        conn.execute(sleep)
    house.engine.dispose()


def test_more_callers_than_connections(begun: House) -> None:
    house = limited(begun, connections_max=2)
    house.engine.pool._timeout = 0.1  # type: ignore[attr-defined]
    with (
        db.reading(house.engine),
        db.reading(house.engine),
        pytest.raises(Unavailable, match="connections to the database are in use"),
        db.reading(house.engine),
    ):
        pass
    house.engine.dispose()


# Lost servers


def test_a_session_that_was_cut_is_replaced(begun: House) -> None:
    there, name = server(begun)
    data = signed(party_statement("farm"), operator_key(begun))

    def cut() -> None:
        there.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )

    def lose(conn: Connection) -> None:
        store.lock_head(conn, 1)
        cut()
        store.load_log(conn, 1)

    cut()
    assert rows(begun, "SELECT count(*) FROM entries") == [(1,)], "between calls nobody notices"
    with pytest.raises(Unavailable, match="nothing was changed"), db.writing(begun.engine) as conn:
        lose(conn)
    with once(begun, "commit", cut), pytest.raises(Unavailable, match="is stored or not"):
        begun.desk.writer.append(Submission(data=data))
    receipt = begun.desk.writer.append(Submission(data=data))
    assert (receipt.index, receipt.repeated) == (2, False)
    assert begun.audit(no_progress).entries == 3


class once:  # noqa: N801  (reads as a statement)
    """While the block runs, the first writing transaction that commits meets `act`."""

    def __init__(self, house: House, name: str, act: Callable[[], None]) -> None:
        self.house, self.name, self.act = house, name, act

    def __enter__(self) -> None:
        event.listen(self.house.engine, self.name, self._meet)

    def __exit__(self, *_: object) -> None:
        event.remove(self.house.engine, self.name, self._meet)

    def _meet(self, connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            self.act()


@pytest.fixture(scope="module")
def own() -> Iterator[PostgreSQL]:
    """A server that may be stopped; what it says is stored is on disk."""
    yield from running(safe=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_a_server_that_comes_back(own: PostgreSQL, tmp_path: Path, how: signal.Signals) -> None:
    """Writers on several threads go on through it; what was acknowledged is there, once."""
    house = begin(on_postgresql(own, tmp_path / "data"))
    key = operator_key(house)
    stop = threading.Event()
    stored: list[bytes] = []

    def write(name: str) -> None:
        number = 0
        while not stop.is_set():
            data = signed(party_statement(f"{name}-{number}"), key)
            while not stop.is_set():
                try:
                    house.desk.writer.append(Submission(data=data))
                except Unavailable:
                    stop.wait(0.05)
                    continue
                stored.append(data)
                break
            number += 1

    def wait_for(count: int) -> None:
        for _ in range(600):
            if len(stored) >= count:
                return
            stop.wait(0.05)
        raise AssertionError(f"{len(stored)} entries after half a minute")

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, name) for name in ("left", "middle", "right")]
        wait_for(10)
        own.stop(how)
        with pytest.raises(Unavailable):
            rows(house, "SELECT 1")
        own.start()
        wait_for(len(stored) + 10)
        stop.set()
        for one in writers:
            one.result(timeout=30)
    there = [bytes(data) for (data,) in rows(house, "SELECT data FROM entries")]
    assert set(stored) <= set(there)
    assert len(there) == len(set(there))
    house.checkpoint()
    house.audit(no_progress)
    house.engine.dispose()
