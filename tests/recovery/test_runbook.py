"""The commands of docs/recovery.md, done on the days that they are for; and the service's own."""

from __future__ import annotations

import gc
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.cli import main
from ledger.house import House
from ledger.jobs import kinds, schedule
from ledger.jobs.model import DONE
from ledger.jobs.running import run as do
from ledger.settings import Settings
from tests.house.test_readme import commands
from tests.ledgers import no_progress, raw_database, rows
from tests.recovery.parks import meter, publish, settle

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["docs/recovery.md", "docs/recovery.zh-CN.md"]


def blocks(page: str) -> list[list[list[str]]]:
    """The commands of each ```sh block, in order."""
    text = (ROOT / page).read_text()
    return [commands(f"```sh\n{one.partition('```')[0]}```") for one in text.split("```sh\n")[1:]]


def test_both_languages_show_the_same() -> None:
    assert blocks(PAGES[0]) == blocks(PAGES[1])


@pytest.fixture
def park(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.chdir(tmp_path)
    for name in ("GREENLEDGER_DIR", "GREENLEDGER_DATABASE_URL", "GREENLEDGER_KEK"):
        monkeypatch.delenv(name, raising=False)
    house = House.init(Settings(), origin="park.example/2026", name="Park")
    settle(house)
    meter(house, 0)
    yield house
    house.engine.dispose()


def run(block: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    for command in block:
        if command[0] != "greenledger":
            subprocess.run(command, check=True)
            continue
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code in (0, None), command


def lose_disk(house: House) -> None:
    """All but the key-encryption key and the high-water record, which lay elsewhere."""
    house.engine.dispose()
    for path in Path("greenledger-data").glob("ledger.sqlite3*"):
        path.unlink()
    shutil.rmtree("greenledger-data/secrets/keys")


def test_the_bad_days(park: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, drill, lost, bodies, pin, _old, anew = blocks(PAGES[0])
    run(backup, monkeypatch)
    run(drill, monkeypatch)
    shutil.rmtree("drill")
    note = park.checkpoint()
    park.desk.register_party("shop", "Shop", ["enterprise"])
    publish(park, Path("public"))
    shutil.copy("public/checkpoint", "seen-by-a-witness")
    lose_disk(park)
    run(lost, monkeypatch)
    # The next one is lost with bodies, which another export has.
    house = House.open(Settings())
    assert note in [bytes(one) for (one,) in rows(house, "SELECT note FROM checkpoint_notes")]
    meter(house, 1)
    shutil.rmtree("public")
    publish(house, Path("public"))
    house.export_entries(Path("older-backup"), no_progress)
    Path("gateway-outbox").mkdir()
    lose_disk(house)
    run(bodies, monkeypatch)
    lose_disk(House.open(Settings()))
    shutil.rmtree("greenledger-data/high-water")
    # One for whom the witness's checkpoint is enough.
    shutil.rmtree("park-backup")
    shutil.move("older-backup", "park-backup")
    run(pin, monkeypatch)
    House.open(Settings()).engine.dispose()
    run(anew, monkeypatch)
    new = House.open(Settings(dir=Path("new-park")))
    assert new.log.origin == "park.example/2026b"
    new.engine.dispose()


def test_an_old_copy(park: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, *_, old, _anew = blocks(PAGES[0])
    run(backup, monkeypatch)
    raw_database(park).execute("VACUUM INTO ?", [str(tmp_path / "copy")])
    park.desk.register_party("shop", "Shop", ["enterprise"])
    publish(park, Path("public"))
    size = int(Path("public/checkpoint").read_bytes().split(b"\n")[1])
    park.engine.dispose()
    gc.collect()  # what a command had open
    for path in Path("greenledger-data").glob("ledger.sqlite3*"):
        path.unlink()
    shutil.copy(tmp_path / "copy", "greenledger-data/ledger.sqlite3")
    monkeypatch.setattr("sys.argv", ["greenledger", "status"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 6
    run(old, monkeypatch)
    house = House.open(Settings())
    assert rows(house, "SELECT size FROM log_heads") == [(size,)]
    house.audit(no_progress)
    house.engine.dispose()


def test_backups_by_the_clock(park: House, tmp_path: Path) -> None:
    """Only where the settings say where; asked for once a day."""
    assert kinds.BACKUP not in [job.kind for job in schedule.due(park)]
    settings = park.settings.model_copy(update={"backup_dir": tmp_path / "kept"})
    house = House.open(settings)
    asked = [job.kind for job in schedule.due(house)]
    assert asked.count(kinds.BACKUP) == 1
    assert kinds.BACKUP not in [job.kind for job in schedule.due(house)]
    ((job,),) = rows(house, "SELECT id FROM jobs WHERE kind = 'backup'")
    done = do(house, job)
    assert done is not None
    assert (done.state, done.error) == (DONE, "")
    assert (tmp_path / "kept/backup.json").exists()
    house.engine.dispose()
