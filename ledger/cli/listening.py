"""Where a server of ours listens: bound before anything is said."""

from __future__ import annotations

import os
import socket

from ledger.errors import Unavailable


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections. Raises Unavailable, and says what would do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        # Python's own text repeats the address.
        said = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise Unavailable(
            f"can't listen at {host}, port {port}: {said}; --port 0 takes a free one"
        ) from error
