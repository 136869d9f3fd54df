"""How a ledger begins: `init` killed at any moment is begun again, an older schema is migrated."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import migrations
from ledger import schema
from ledger.house import House
from tests.cli.conftest import Run
from tests.ledgers import begin, copy_ledger, no_progress, open_house, settings_in, tamper

INIT = [sys.executable, "-m", "ledger.cli", "init", "--origin", "park.example/killed"]
KILLS = 4


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*INIT, "--dir", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def seconds_until_folder(folder: Path) -> tuple[float, float]:
    """When an undisturbed init begins to write, and when it is done."""
    begun = time.monotonic()
    process = start(folder)
    while not folder.exists():
        time.sleep(0.001)
    first = time.monotonic() - begun
    assert process.wait(timeout=60) == 0
    return first, time.monotonic() - begun


@pytest.mark.long
def test_an_init_that_was_killed_can_be_done_again(run: Run, tmp_path: Path) -> None:
    """kill -9 at moments from before the folder is made until after the last line."""
    first, last = seconds_until_folder(tmp_path / "undisturbed")
    killed = 0
    for number in range(KILLS):
        folder = tmp_path / str(number)
        process = start(folder)
        if number:
            while not folder.exists() and process.poll() is None:
                time.sleep(0.0005)
            time.sleep((last - first) * (number - 1) / (KILLS - 1))
        else:
            time.sleep(first / 2)
        process.send_signal(signal.SIGKILL)
        killed += process.wait(timeout=60) == -signal.SIGKILL
        again = run("init", "--origin", "park.example/killed", "--dir", str(folder))
        assert again.code in (0, 3), again.err
        assert again.code == 0 or "holds a ledger already" in again.err
        status = run("status", "--json", "--dir", str(folder))
        assert status.code == 0, status.err
        assert json.loads(status.out)["log_size"] == 1
        assert run("checkpoint", "--dir", str(folder)).code == 0
        assert run("audit", "--dir", str(folder)).code == 0
    assert killed >= KILLS // 2


class Killed(BaseException):
    """The process is gone."""


def test_an_init_that_was_killed_in_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment that is hardest to hit from outside: some tables are made, others not."""

    def half(_statement: str, *_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.execute", half)
        with pytest.raises(Killed):
            begin(tmp_path / "data")
    connection = sqlite3.connect(tmp_path / "data/ledger.sqlite3")
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    begin(tmp_path / "data").engine.dispose()


def test_an_init_that_was_killed_between_its_keys_and_the_genesis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that sign nothing are left over; the second init makes its own."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("ledger.house.bootstrap", killed)
        with pytest.raises(Killed):
            begin(tmp_path / "data")
    house = begin(tmp_path / "data")
    assert len(list((tmp_path / "data/secrets/keys").iterdir())) == 4
    assert house.audit(no_progress).entries == 1
    house.engine.dispose()


def test_a_begun_ledger_without_a_checkpoint_has_a_status(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_house: House) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(House, "checkpoint", killed)
        with pytest.raises(Killed):
            begin(tmp_path / "ledger")
    assert json.loads(run("status", "--json").out)["checkpoint"] is None
    assert "none yet" in run("status").out
    assert run("checkpoint").code == 0
    assert json.loads(run("status", "--json").out)["checkpoint"]["size"] == 1


# Another version's schema

NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{last}", None, None
def upgrade():
    op.create_table("notes_of_the_next_version", sa.Column("log_id", sa.Integer()))
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program as its next version will be: with one more migration. Returns its file."""
    last = schema.newest()
    folder = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, folder)
    monkeypatch.setattr(migrations, "__file__", str(folder / "__init__.py"))
    path = folder / "versions/9999_next.py"
    path.write_text(NEXT.format(last=last))
    return path


def test_an_older_schema_is_refused_and_migrated(
    run: Run, begun_template: Path, tmp_path: Path, next_version: Path
) -> None:
    folder = copy_ledger(begun_template, tmp_path / "ledger")
    done = run("status")
    assert done.code == 6
    assert "this program needs 9999; run: greenledger migrate" in done.err
    assert run("audit").code == 6
    assert json.loads(run("migrate", "--json").out) == {"schema": "9999"}
    assert run("status").code == 0
    assert run("migrate").out == "The database has schema 9999.\n"
    connection = sqlite3.connect(folder / "ledger.sqlite3")
    assert connection.execute("SELECT * FROM notes_of_the_next_version").fetchall() == []
    connection.close()


def test_a_migration_that_fails_changes_nothing(
    begun_template: Path, tmp_path: Path, next_version: Path
) -> None:
    folder = copy_ledger(begun_template, tmp_path / "ledger")
    written = next_version.read_text()
    next_version.write_text(written.replace("))\n", "))\n    raise OSError('the power')\n", 1))
    with pytest.raises(OSError, match="the power"):
        House.migrate(settings_in(folder))
    connection = sqlite3.connect(folder / "ledger.sqlite3")
    found = connection.execute("SELECT version_num FROM alembic_version")
    assert found.fetchall() != [("9999",)]
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name LIKE 'notes_of%'")
    assert found.fetchall() == []
    connection.close()


def test_a_newer_schema_is_for_a_newer_program(
    run: Run, begun_template: Path, tmp_path: Path
) -> None:
    folder = copy_ledger(begun_template, tmp_path / "ledger")
    tamper(folder, "UPDATE alembic_version SET version_num = '0999'")
    for words in (["status"], ["migrate"], ["init", "--origin", "park.example/again"]):
        done = run(*words)
        assert done.code == 6
        assert "has schema 0999" in done.err
        assert "a newer greenledger made it" in done.err


def test_nothing_is_migrated_where_there_is_no_ledger(run: Run, tmp_path: Path) -> None:
    done = run("migrate")
    assert done.code == 6
    assert "holds no ledger" in done.err
    assert not (tmp_path / "ledger").exists()


def test_an_up_to_date_ledger_is_left_alone(begun_template: Path, tmp_path: Path) -> None:
    folder = copy_ledger(begun_template, tmp_path / "ledger")
    assert House.migrate(settings_in(folder)) == schema.newest()
    open_house(folder).engine.dispose()
