"""Tries crash points, one forked process for each, and checks what is left.

    python -m tests.crash.explore DATABASE WAY … [--server DIR]

DATABASE is sqlite or postgresql; a WAY is MODE (see driver.Mode), MODE/N for each Nth point, or
MODE/N+K for those beginning with point K. One line of JSON for each point: {"point", "name",
"mode", "database", "points", "problem"}. A program of its own, because a process with threads is
not to be forked.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger import db
from ledger.errors import LedgerError
from tests.crash import scenario
from tests.crash.driver import MODES, Fault, Mode, Points, die
from tests.crash.restart import Restarts
from tests.ledgers import on_postgresql, open_house, raw, server_of
from tests.servers import postgres
from tests.servers.postgres import PostgreSQL


@dataclass
class Explorer:
    """Ledgers of one database, and what is done to them."""

    folder: Path
    server: PostgreSQL | None
    restarts: Restarts = field(default_factory=Restarts)
    beginning: Beginning | None = None

    @property
    def template(self) -> Path:
        return self.folder / "template"

    def build(self) -> None:
        if self.server is not None:
            on_postgresql(self.server, self.template)
        scenario.draw_from("template")
        scenario.build(self.template)
        if self.server is not None:
            self.beginning = Beginning.of(self.template)

    def names(self) -> list[str]:
        """The points of an undisturbed run, in order."""
        with self._copy() as ledger:
            ended, said = self._run(ledger, Points())
            assert ended == 0, said
            assert [one for one in said if one["what"] == "failed"] == []
            self._check(ledger, said)
            names: list[str] = next(one["names"] for one in said if one["what"] == "points")
            return names

    def try_point(self, at: int, mode: Mode) -> str:
        """What does not hold after a fault at point `at`; nothing, where all does."""
        with self._copy() as ledger:
            points = Points(at=at, mode=mode, other=self._losing_the_database(ledger, mode))
            ended, said = self._run(ledger, points)
            if mode == "server":
                self._start_again()
            died = -signal.SIGKILL if mode == "kill" else 0
            if ended != died:
                return f"the process ended with {ended}, not {died}: {said}"
            return self._check(ledger, said)

    def _check(self, ledger: Path, said: list[dict[str, Any]]) -> str:
        try:
            self.restarts.check(ledger, said, ledger.with_name("export"))
        except (AssertionError, LedgerError, OSError) as error:
            return f"{''.join(traceback.format_exception(error))}\n{said}"
        finally:
            shutil.rmtree(ledger.with_name("export"), ignore_errors=True)
        return ""

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        """The ledger as it began. A database on a server is put back, which is quicker."""
        ledger = self.folder / "ledger"
        shutil.copytree(self.template, ledger)
        try:
            yield ledger
        finally:
            shutil.rmtree(ledger)
            if self.beginning is not None:
                self.beginning.put_back(self.template)

    def try_all(self) -> Iterator[tuple[int, str, str]]:
        """(number, name, what does not hold) of each point, by the files that a process has
        there. For databases that are files."""
        assert self.server is None
        with self._copy() as ledger:
            child, mine = _begin(ledger, Points(mode="copy"))
            said: list[dict[str, Any]] = []
            at = 0
            with mine, mine.makefile() as lines:
                for one in map(json.loads, lines):
                    if one["what"] != "point":
                        said.append(one)
                        continue
                    copied = Path(shutil.copytree(ledger, self.folder / "copied"))
                    mine.sendall(b"\n")
                    problem = self._check(copied, said)
                    shutil.rmtree(copied)
                    at += 1
                    yield at, one["name"], problem
            _, status = os.waitpid(child, 0)
            assert status == 0

    def _run(self, ledger: Path, points: Points) -> tuple[int, list[dict[str, Any]]]:
        """The scenario in a process of its own: how it ended, and what it was told before."""
        child, mine = _begin(ledger, points)
        with mine, mine.makefile() as lines:
            said = [json.loads(line) for line in lines]
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), said

    def _losing_the_database(self, ledger: Path, mode: Mode) -> Fault:
        there = server_of(ledger)
        if there is None:
            return die
        server, name = there
        if mode == "server":
            return lambda: self._crash_server(server)
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND application_name = 'greenledger'"
        )
        return lambda: server.run(cut)

    def _crash_server(self, server: PostgreSQL) -> None:
        os.kill(_process_of(server), signal.SIGQUIT)
        end = time.monotonic() + 30
        while (server.data / "postmaster.pid").exists() and time.monotonic() < end:
            time.sleep(0.005)

    def _start_again(self) -> None:
        assert self.server is not None
        assert self.server.process is not None
        self.server.process.wait(30)
        self.server.process = None
        self.server.start()


@dataclass(frozen=True)
class Beginning:
    """What a PostgreSQL database held: what was written since is taken away again."""

    transaction: int
    head: dict[str, Any]

    @classmethod
    def of(cls, folder: Path) -> Beginning:
        connection = raw(folder)
        (now,) = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        head = connection.row("log_heads")
        connection.close()
        return cls(now, head)

    def put_back(self, folder: Path) -> None:
        connection = raw(folder)
        with connection.unguarded():
            for table in db.ledger_tables():
                newer = f"xmin::text::bigint > {self.transaction}"
                connection.execute(f"DELETE FROM {table.name} WHERE {newer}")
            connection.insert("log_heads", self.head)
        connection.close()


def _process_of(server: PostgreSQL) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def _begin(ledger: Path, points: Points) -> tuple[int, socket.socket]:
    """The scenario in a process of its own, and the line on which it talks."""
    mine, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        mine.close()
        _be_lost(ledger, points, theirs)
    theirs.close()
    return child, mine


def _be_lost(ledger: Path, points: Points, line: socket.socket) -> None:
    """Never returns."""
    tell = scenario.Teller(line)

    def stand_still() -> None:
        tell.say("point", name=points.names[-1])
        line.recv(1)

    try:
        if points.mode == "copy":
            points.other = stand_still
        house = open_house(ledger)
        points.install()
        scenario.run(house, tell)
        tell.say("points", names=points.names)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@dataclass(frozen=True)
class Way:
    """A mode, and the points at which it is tried: from `first` on, each `every`-th."""

    mode: Mode
    every: int = 1
    first: int = 1

    @classmethod
    def parse(cls, text: str) -> Way:
        mode, _, chosen = text.partition("/")
        every, _, first = chosen.partition("+")
        if mode not in MODES:
            raise ValueError(f"{mode!r} is none of {', '.join(MODES)}")
        return cls(mode, int(every or 1), int(first or 1))


def explore(explorer: Explorer, ways: Sequence[Way]) -> Iterator[dict[str, Any]]:
    """Tries points, and says of each what it found."""
    names = explorer.names()
    database = "postgresql" if explorer.server else "sqlite"
    for way in ways:
        if way.mode == "copy":
            tried = explorer.try_all()
        else:
            tried = (
                (at, names[at - 1], explorer.try_point(at, way.mode))
                for at in range(way.first, len(names) + 1, way.every)
            )
        for at, name, problem in tried:
            about = {"mode": way.mode, "database": database, "points": len(names)}
            yield {"point": at, "name": name, **about, "problem": problem}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.explore")
    parser.add_argument("database", choices=["sqlite", "postgresql"])
    parser.add_argument("ways", type=Way.parse, nargs="+", metavar="WAY")
    parser.add_argument("--server", type=Path, help="folder of a PostgreSQL of the tests")
    asked = parser.parse_args()
    failed = False
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        server = None
        if asked.database == "postgresql":
            if asked.server is not None:
                server = PostgreSQL(asked.server)
            else:
                server = stack.enter_context(contextmanager(postgres.running)(safe=True))
        explorer = Explorer(folder, server)
        explorer.build()
        for found in explore(explorer, asked.ways):
            print(json.dumps(found), flush=True)
            failed = failed or bool(found["problem"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
