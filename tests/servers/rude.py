"""A server that answers with given bytes, and then, where it is told to, with one more now and
then, for ever."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def answering(answer: bytes, *, drips: bool = False) -> Iterator[str]:
    """To one who asks. Yields its address."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_one() -> None:
            near, _ = listening.accept()
            with near, contextlib.suppress(OSError):
                near.recv(65_536)
                near.sendall(answer)
                while drips and not done.wait(0.02):
                    near.sendall(b"a")

        thread = threading.Thread(target=answer_one, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join(10)
