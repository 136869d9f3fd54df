"""Reading files that may be anything: bounded, and with one kind of error."""

import sys
from pathlib import Path
from typing import Final

from greenledger_verify.failure import UnusableInput

FILE_SIZE_MAX: Final = 256 * 1024 * 1024


def read_input(name: str) -> bytes:
    """A file named by the user, or standard input for ``-``."""
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(FILE_SIZE_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(FILE_SIZE_MAX + 1)
    except (OSError, ValueError) as error:
        raise UnusableInput("can't read {name}: {why}", name=name, why=_reason(error)) from None
    if len(raw) > FILE_SIZE_MAX:
        raise UnusableInput("{name} is larger than {max} bytes", name=name, max=FILE_SIZE_MAX)
    return raw


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
