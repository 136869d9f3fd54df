"""`greenledger` and `greenledger-verify` for pages with many commands: real processes, forked.

What costs the time of a short command is to load the modules. One process loads them, and forks for
each command; the child gets the caller's arguments, folder, environment and the three streams
themselves, and runs the same `main`. How a command starts from nothing is seen elsewhere
(tests/cli, tests/demo, tests/house).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMANDS = ("greenledger", "greenledger-verify")

# -S and -I: nothing but the standard library, and that quickly.
_CLIENT = """#!{python} -SI
import json, os, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect({door!r})
asked = json.dumps([{name!r}, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(door, [len(asked).to_bytes(8, "big")], [0, 1, 2])
door.sendall(asked)
answer = door.recv(1)
sys.exit(answer[0] if answer else 137)
"""

_SERVER = """
import gc, json, os, signal, socket, sys
import greenledger_verify.cli, ledger.cli, ledger.cli.lazy, ledger.house
from importlib import import_module
from pathlib import Path
for path in Path(ledger.cli.__file__).parent.glob("*.py"):
    if path.stem not in ("__main__", "serving", "working"):
        import_module("ledger.cli." + path.stem)
MAINS = {"greenledger": ledger.cli.main, "greenledger-verify": greenledger_verify.cli.main}


def run(caller):
    head, streams, _, _ = socket.recv_fds(caller, 8, 3)
    size, asked = int.from_bytes(head, "big"), b""
    while len(asked) < size:
        asked += caller.recv(size - len(asked))
    name, words, folder, environment = json.loads(asked)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # The objects of the server know another file.
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [name, *words]
    code = 1
    try:
        code = MAINS[name]() or 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        caller.sendall(bytes([code & 255]))
        os._exit(0)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1])
door.listen(64)
gc.freeze()
print("ready", flush=True)
while True:
    caller, _ = door.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        door.close()
        run(caller)
    caller.close()
"""


@contextmanager
def running() -> Iterator[Path]:
    """A folder for the front of PATH that holds the commands."""
    with tempfile.TemporaryDirectory(prefix="greenledger-commands-") as name:
        folder, door = Path(name), Path(name) / "door"
        for command in COMMANDS:
            client = _CLIENT.format(python=sys.executable, door=str(door), name=command)
            (folder / command).write_text(client)
            (folder / command).chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(door)], stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            try:
                yield folder
            finally:
                server.kill()


@pytest.fixture(scope="session")
def commands() -> Iterator[Path]:
    """The folder of `running`, one for each worker."""
    with running() as folder:
        yield folder
