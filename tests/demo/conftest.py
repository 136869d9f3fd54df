"""One demo for all tests of it, whatever the number of workers."""

import fcntl
import os

import pytest

from tests.demo.running import Demo, start


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A finished demo. Its folder is only read: what changes it works on a copy.

    Workers share the folder: the first makes the demo while the others wait, then find it finished.
    """
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    with (base / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = start("--dir", str(base / "demo"), "--json")
    assert done.returncode == 0, done.stderr
    return Demo(folder=base / "demo", stdout=done.stdout, stderr=done.stderr)
