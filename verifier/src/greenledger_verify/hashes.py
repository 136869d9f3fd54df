"""The commands ``inclusion`` and ``consistency``: bare hashes, one proof on the command line or
many in a batch.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from greenledger_verify.failure import UnusableInput, VerificationError, locate
from greenledger_verify.merkle import verify_consistency, verify_inclusion
from greenledger_verify.text import Language

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_DIGITS_MAX = 20
_NUMBER = re.compile(r"0|[1-9][0-9]{0,19}")

INCLUSION: Final = {
    "leaf_hash": "hash",
    "index": "number",
    "size": "number",
    "root": "hash",
    "path": "path",
}
CONSISTENCY: Final = {
    "size1": "number",
    "size2": "number",
    "root1": "hash",
    "root2": "hash",
    "path": "path",
}


def number(value: object) -> int:
    """A JSON integer or its decimal text, not negative."""
    token = str(value) if type(value) is int and abs(value) < 10**20 else value
    if not isinstance(token, str) or not _NUMBER.fullmatch(token):
        raise UnusableInput("it must be a decimal number, 0 or above")
    return int(token)


def hex_bytes(value: object) -> bytes:
    """Hex digits in either case. The length is judged by the verification, which knows what it must
    be.
    """
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise UnusableInput("it must be hex digits")
    return bytes.fromhex(value)


def hash_path(value: object) -> list[bytes]:
    if not isinstance(value, list):
        raise UnusableInput("it must be an array of hex texts")
    return [hex_bytes(item) for item in value]


def split_path(value: str) -> list[str]:
    """``HEX,HEX,…``; an empty text is an empty path."""
    return value.split(",") if value else []


_READ: Final[dict[str, Callable[[object], object]]] = {
    "number": number,
    "hash": hex_bytes,
    "path": hash_path,
}


def check_proof(members: dict[str, object], shape: dict[str, str]) -> None:
    """Verify one proof given by its members."""
    if set(members) != set(shape):
        raise UnusableInput("the members must be exactly {members}", members=list(shape))
    values = {}
    for name, kind in shape.items():
        with locate("{member}", member=name):
            values[name] = _READ[kind](members[name])
    verify: Callable[..., None] = verify_inclusion if shape is INCLUSION else verify_consistency
    verify(**values)


def check_batch(
    lines: Iterable[bytes], shape: dict[str, str], language: Language
) -> Iterator[tuple[str, int]]:
    """For each line its answer and its exit code. A line that can't be judged does not keep the
    later ones from it.
    """
    for line in lines:
        try:
            check_proof(_parse_line(line), shape)
        except VerificationError as error:
            answer = {"ok": False, "why": error.render(language)}
            yield json.dumps(answer, ensure_ascii=False), error.exit_code
        else:
            yield '{"ok": true}', 0


def _parse_line(line: bytes) -> dict[str, object]:
    try:
        value = json.loads(line.decode(), object_pairs_hook=_members_once, parse_int=_short_integer)
    except (ValueError, RecursionError):
        raise UnusableInput("the line is not JSON") from None
    if not isinstance(value, dict):
        raise UnusableInput("the line is not a JSON object")
    return value


def _short_integer(digits: str) -> int:
    """No number of a proof is longer; reading a much longer one could take for ever."""
    if len(digits) > _DIGITS_MAX:
        raise UnusableInput("a number in the line is too long")
    return int(digits)


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnusableInput("a member stands twice in one object")
    return members
