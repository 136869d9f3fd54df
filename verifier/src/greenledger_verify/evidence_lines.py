"""The lines of an evidence file (formats.md §9): a head, one part in each line, an end.

Lines are read one after the other, none longer than ``LINE_SIZE_MAX``, so that a long file needs no
more memory than its longest line. Whatever is wrong here makes the file unusable.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO, Final

from greenledger_verify.failure import UnusableInput, VerificationError, unusable
from greenledger_verify.strict_json import parse_object

LINE_SIZE_MAX: Final = 64 * 1024 * 1024
PARTS_MAX: Final = 1_000_000

_HEAD_END: Final = b',"parts":[\n'
_END: Final = b"]}\n"
_DEPTH_MAX: Final = 6


class EvidenceLines:
    """Iterates over the parts as JSON objects; ``number`` is the line that was read last."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0

    def head(self) -> dict[str, object]:
        line = self._line()
        with unusable("line {number}", number=self.number):
            if not line.endswith(_HEAD_END):
                raise VerificationError('no evidence file: its head does not end in ,"parts":[')
            return _object(line[: -len(_HEAD_END)] + b"}")

    def parts(self) -> Iterator[dict[str, object]]:
        """Each part; a comma stands after all but the last, and nothing after the end."""
        open_comma = True
        for _ in range(PARTS_MAX):
            line = self._line()
            with unusable("line {number}", number=self.number):
                if line == _END:
                    if open_comma:
                        raise VerificationError("a part is missing: nothing follows the comma")
                    return self._require_end()
                if not open_comma:
                    raise VerificationError("the line before does not end in a comma")
                open_comma = line.endswith(b",\n")
                part = _object(line[:-2] if open_comma else line[:-1])
            yield part
        raise UnusableInput("the file has more than {max} parts", max=PARTS_MAX)

    def _line(self) -> bytes:
        self.number += 1
        try:
            line = self._file.readline(LINE_SIZE_MAX + 1)
        except OSError as error:
            raise UnusableInput("can't be read: {why}", why=error.strerror) from None
        with unusable("line {number}", number=self.number):
            if len(line) > LINE_SIZE_MAX:
                raise VerificationError("the line is longer than {max} bytes", max=LINE_SIZE_MAX)
            if not line.endswith(b"\n"):
                raise VerificationError("the file ends here, without its last line")
        return line

    def _require_end(self) -> None:
        if self._file.read(1):
            raise VerificationError("something follows the last line")


def _object(raw: bytes) -> dict[str, object]:
    value = parse_object(raw, depth_max=_DEPTH_MAX)
    if json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() != raw:
        raise VerificationError(
            "the file is not written in the one way that JSON of this format is written"
        )
    return value
