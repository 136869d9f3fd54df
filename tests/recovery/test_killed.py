"""kill -9 in the middle of a backup and of a restore: the one before is whole, nothing is half."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.house import House
from ledger.log.audit import no_progress
from ledger.recovery.backup import backup
from ledger.recovery.restore import restore
from tests.ledgers import close, dump, open_house, rows, settings_in
from tests.recovery.parks import meter, settle
from tests.recovery.places import empty_place, kept_rows

# Does what is asked, and is killed at one of its writes to the disk.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.recovery.backup import backup
from ledger.recovery.restore import restore
from ledger.settings import Settings
what, folder, place, left = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
settings = Settings(dir=place, database_url="", high_water_dir=None, kek=None)
house = House.open(settings) if what == "backup" else None
fsync = os.fsync
def once_more(descriptor):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)
def far(done, total):
    if what == "restore" and left < 0 and done > total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
if left >= 0:
    os.fsync = once_more
if what == "backup":
    backup(house, folder, no_progress)
else:
    restore(settings, folder, far)
"""


def killed(what: str, folder: Path, place: Path, left: int) -> None:
    command = [sys.executable, "-c", PROGRAM, what, str(folder), str(place), str(left)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize("left", [2, 8])
def test_backup(begun: House, tmp_path: Path, left: int) -> None:
    folder = tmp_path / "backup"
    settle(begun)
    first = backup(begun, folder, no_progress)
    meter(begun, 0)
    begun.checkpoint()
    killed("backup", folder, begun.settings.dir, left)
    place = empty_place(tmp_path / "place", None, begun)
    assert restore(settings_in(place), folder, no_progress).size == first.size
    ((count,),) = rows(begun, "SELECT COUNT(*) FROM entries")
    assert backup(begun, folder, no_progress).size == count


@pytest.mark.parametrize("left", [-1, 3])
def test_restore(begun: House, tmp_path: Path, left: int) -> None:
    """In the middle of the replay, and among the files that come last."""
    folder = tmp_path / "backup"
    settle(begun)
    meter(begun, 0)
    backup(begun, folder, no_progress)
    place = empty_place(tmp_path / "place", None, begun)
    killed("restore", folder, place, left)
    assert {name for name, found in dump(place).items() if found} == {"alembic_version"}
    restore(settings_in(place), folder, no_progress)
    assert kept_rows(place) == kept_rows(begun.settings.dir)
    house = open_house(place)
    house.audit(no_progress)
    close(house)
