"""One demo for all tests of it, whatever the number of workers."""

import fcntl
import json
import os
from dataclasses import asdict

import pytest

from ledger.demo.folder import Folder
from tests.demo.running import Demo, Interrupted, interrupt, start


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A finished demo. Its folder is only read: what changes it works on a copy.

    Its first start was interrupted, so that all that is found of it holds after an interruption.
    Workers share the folder: the first makes the demo while the others wait, then find it finished.
    """
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    folder, record = base / "demo", base / "interrupted.json"
    with (base / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            stopped = interrupt(folder)
            state = Folder(path=folder).state()
            done = start("--dir", str(folder), "--json")
            found = Interrupted(**stopped, state=state, next_stderr=done.stderr)
            record.write_text(json.dumps(asdict(found)))
        else:
            done = start("--dir", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    interrupted = Interrupted(**json.loads(record.read_text()))
    return Demo(folder=folder, stdout=done.stdout, stderr=done.stderr, interrupted=interrupted)
