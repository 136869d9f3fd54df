"""kill -9 and Ctrl-C in the middle of an import: what was reported is there, nothing is half."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.db import reading
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.metering import store
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.settings import Settings

FILES, ROWS = 12, 2_000

PROFILE = """
title = "Test"
[file]
format = "csv"
[time]
columns = ["time"]
format = "%Y-%m-%dT%H:%M"
interval = "15min"
label = "start"
zone = "park"
[value]
quantity = "energy"
unit = "Wh"
[[points]]
column = "Wh"
point = "saw"
"""
# Imports file after file, and says so on standard output when one is stored.
PROGRAM = """
import sys
from pathlib import Path
from ledger.house import House
from ledger.metering.importers import read_profile
from ledger.metering.importing import import_file
from ledger.settings import Settings
folder = Path(sys.argv[1])
house = House.open(Settings(dir=folder / "ledger"))
profile = (folder / "p.toml").read_text()
print("ready", flush=True)
for path in sorted(folder.glob("*.csv")):
    import_file(house.desk, path, read_profile(profile, where="p"), profile_text=profile,
                source="import", author="operator")
    print(path.name, flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    house = House.init(Settings(dir=tmp_path / "ledger"), origin="park.example/k", name="K")
    house.desk.register_party("mill", "mill", ["enterprise"])
    register_point(house.desk, Point(name="saw", kind="consumption", owner="mill"))
    house.engine.dispose()
    (tmp_path / "p.toml").write_text(PROFILE)
    minutes = 0
    for number in range(FILES):
        lines = ["time,Wh"]
        for _ in range(ROWS):
            stamp = time.gmtime(1_577_836_800 + 60 * minutes)
            lines.append(f"{time.strftime('%Y-%m-%dT%H:%M', stamp)},{number}")
            minutes += 15
        (tmp_path / f"{number:02}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def stored_files(folder: Path) -> list[int]:
    """Batches by the value that all their readings have, and nothing else may be there."""
    house = House.open(Settings(dir=folder / "ledger"))
    with reading(house.engine) as conn:
        rows = store.batch_rows(conn, 1, 10**9)
        found = []
        for row in rows:
            values = [
                value
                for block in store.blocks_of_batch(conn, 1, row.entry_index)
                for value in block.value.tolist()
            ]
            assert len(values) == ROWS
            assert len(set(values)) == 1
            found.append(values[0])
    house.audit(no_progress)
    house.engine.dispose()
    return found


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_reported_is_lost(folder: Path, signal_: int, seed: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    chance = random.Random(seed)
    reported = [process.stdout.readline().strip() for _ in range(chance.randrange(0, 4))]
    time.sleep(chance.random() * 0.05)
    os.kill(process.pid, signal_)
    rest, _ = process.communicate(timeout=60)
    reported += rest.split()
    found = stored_files(folder)
    # Stored in order, at most one more than was reported: it was killed before it could say so.
    assert found == list(range(len(found)))
    assert len(reported) <= len(found) <= min(len(reported) + 1, FILES)
    again = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert stored_files(folder) == list(range(FILES))


def heed_interrupts() -> None:
    """Who runs tests in the background of a shell has them ignored, and so do their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_is_one_line_and_its_own_exit_code(folder: Path) -> None:
    command = [sys.executable, "-m", "ledger.cli", "import", "--profile", str(folder / "p.toml")]
    environment = {**os.environ, "GREENLEDGER_DIR": str(folder / "ledger")}
    process = subprocess.Popen(
        [*command, *(str(path) for path in sorted(folder.glob("*.csv")))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "00.csv: 2,000 intervals stored" in first
    assert process.returncode == 130, errors
    assert errors.strip().endswith("stopped; what was reported as stored is stored")
    assert "Traceback" not in errors
    assert stored_files(folder)[0] == 0
