"""How an input is spoiled: by bytes, by lines, by the words of a text, by the values of its JSON.

Each is a function of (input, other well-formed inputs, chance), so that a seed gives the same bytes
on any machine.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.differential.writing import NUMBERS, ODD, TIMES, changed, write

Mutator = Callable[[bytes, Sequence[bytes], random.Random], bytes]

# Integers at whose edges widths, signs and limits change.
EDGES: Final = (
    *[0, 1, 2, 3, 127, 128, 255, 256, 32_767, 65_535, 65_536, 499_999, 500_001, 2**20, 2**24],
    *[2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1],
)
WORDS: Final[tuple[bytes, ...]] = (
    *[b"", b"\n", b"\n\n", b"\r\n", b" ", b"\t", b"\x00", b"+", b"-", b"=", b"==", b"/", b"."],
    *[b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\xff", b"\xc0\x80", b"\xed\xa0\x80"],
    *[word.encode(errors="surrogatepass") for word in (*NUMBERS, *ODD, *TIMES)],
)
_WORD: Final = re.compile(rb"[0-9]+|[A-Za-z0-9+/_-]{2,}={0,2}")


def any_bytes(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """One place changed; rarely a piece of another input."""
    if not raw:
        return chance.choice(WORDS)
    at, size = chance.randrange(len(raw)), chance.choice((1, 1, 2, 4, 8, 16, 32, 64))
    kind = chance.randrange(12)
    if kind <= 2:
        return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
    if kind == 3:
        return raw[:at] + bytes([chance.randrange(256)]) + raw[at + chance.randrange(2) :]
    if kind == 4:
        return raw[:at] + raw[at + size :]
    if kind == 5:
        return raw[: at + size] + raw[at:]
    if kind == 6:
        return raw[:at] + integer(chance) + raw[at + size :]
    if kind == 7:
        return raw[:at] + bytes(size) + raw[at + size :]
    if kind == 8:
        return raw[:at] + chance.choice(WORDS) + raw[at:]
    if kind == 9:
        other = chance.choice(others) if others else raw
        begin = chance.randrange(len(other) + 1)
        return raw[:at] + other[begin : begin + size * 4] + raw[at + size :]
    if kind == 10:
        return raw[:at] if chance.random() < 0.5 else raw + raw[at : at + size]
    first, last = sorted((at, chance.randrange(len(raw))))
    return raw[:last] + raw[first:]


def integer(chance: random.Random) -> bytes:
    """An integer at an edge, in a width of binary formats, in either order of bytes."""
    width = chance.choice((1, 2, 4, 8))
    value = (chance.choice(EDGES) + chance.choice((-1, 0, 1))) % (1 << 8 * width)
    return value.to_bytes(width, chance.choice(("big", "little")))


def lines(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A line lost, doubled, changed over, taken from another input, or ended in another way."""
    found = raw.split(b"\n")
    at, kind = chance.randrange(len(found)), chance.randrange(6)
    if kind == 0:
        del found[at]
    elif kind == 1:
        found.insert(at, found[chance.randrange(len(found))])
    elif kind == 2:
        other = chance.randrange(len(found))
        found[at], found[other] = found[other], found[at]
    elif kind == 3 and others:
        found.insert(at, chance.choice(chance.choice(others).split(b"\n")))
    elif kind == 4:
        found[at] += b"\r"
    else:
        return raw + chance.choice((b"\n", b"\n\n", found[-1], b"x"))
    return b"\n".join(found)


def words(raw: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    """A number or a word of a text becomes another one of its kind: what was decimal, hex or base64
    stays so more often than not."""
    if not raw:
        return chance.choice(WORDS)
    found = _WORD.search(raw, chance.randrange(len(raw))) or _WORD.search(raw)
    if not found:
        return any_bytes(raw, (), chance)
    return raw[: found.start()] + word(found[0], chance) + raw[found.end() :]


def word(old: bytes, chance: random.Random) -> bytes:
    way = chance.random()
    if way < 0.2:
        return chance.choice(WORDS)
    if old.isdigit():
        if way < 0.5:
            return str(chance.choice(EDGES)).encode()
        if way < 0.52:
            return b"9" * chance.choice((19, 20, 40, 400, 5_000))
        return str(max(0, int(old[:30]) + chance.choice((-1, 1, 2, 256, 2**32)))).encode()
    return packed(old.decode(), chance).encode()


def packed(text: str, chance: random.Random) -> str:
    """Hex, base64 or plain words: a bit, an integer, a cut, pieces changed over."""
    is_hex = len(text) % 2 == 0 and not set(text) - set("0123456789abcdef")
    try:
        raw = bytes.fromhex(text) if is_hex else base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if not raw or chance.random() < 0.1:
        return any_bytes(text.encode(), (), chance).decode(errors="replace")
    step = chance.choice((1, 2, 4, 8, 16, 32, 40))
    at = chance.randrange(len(raw)) // step * step
    kind = chance.randrange(8)
    if kind <= 1:
        bad = raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
    elif kind == 2:
        bad = raw[:at] + raw[at + step :]
    elif kind == 3:
        bad = raw[:at] + raw[at : at + step] + raw[at:]
    elif kind == 4:
        bad = raw[:at] + bytes(step) + raw[at + step :]
    elif kind == 5:
        bad = raw[:at] + integer(chance) + raw[at + step :]
    elif kind == 6:
        bad = raw[at:] + raw[:at]
    else:
        bad = raw[at:] if chance.random() < 0.5 else raw[:at]
    return bad.hex() if is_hex else base64.b64encode(bad).decode()


def text(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """By words, lines or bytes, once to three times."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        raw = chance.choice((words, words, lines, any_bytes))(raw, others, chance)
    return raw


def binary(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        raw = any_bytes(raw, others, chance)
    return raw


# Values of JSON


def value(root: Any, chance: random.Random) -> Any:
    """`root`, which is changed in one place: a value near the one that stood there."""
    holder, name = _place(root, chance)
    if holder is None:
        return another(root, chance)
    holder[name] = another(holder[name], chance)
    return root


def _place(root: Any, chance: random.Random) -> tuple[Any, Any]:
    """Going down at random; deep places are as likely as what lies above them together."""
    holder, name, here = None, None, root
    while isinstance(here, dict | list) and here and (holder is None or chance.random() < 0.85):
        holder = here
        name = chance.choice(list(here)) if isinstance(here, dict) else chance.randrange(len(here))
        here = here[name]
    return holder, name


def another(old: Any, chance: random.Random) -> Any:
    """Something near, which has the right form more often than not."""
    if isinstance(old, bool | float) or old is None or chance.random() < 0.03:
        return chance.choice((0, "", [], {}, True, None, 1.5, "x", [[]]))
    if isinstance(old, int):
        return chance.choice((old + chance.choice((-1, 1, 2, 256, 2**32)), chance.choice(EDGES)))
    if isinstance(old, dict):
        return _without(dict(old), chance)
    if isinstance(old, list):
        return _reordered(list(old), chance)
    return packed(str(old), chance) if len(old) > 3 else chance.choice(("", "0", "A", old * 3))


def _without(old: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    if old and chance.random() < 0.7:
        del old[chance.choice(list(old))]
    else:
        old[chance.choice(("x", "", "note"))] = chance.choice(("", 0, [], {}))
    return old


def _reordered(old: list[Any], chance: random.Random) -> list[Any]:
    kind = chance.randrange(4)
    if not old:
        return [chance.choice((0, "", {}, []))]
    at = chance.randrange(len(old))
    if kind == 0:
        del old[at]
    elif kind == 1:
        old.insert(at, old[chance.randrange(len(old))])
    elif kind == 2:
        other = chance.randrange(len(old))
        old[at], old[other] = old[other], old[at]
    else:
        old.reverse()
    return old


def compact(root: Any) -> bytes:
    """JSON in the one way in which files of our formats are written."""
    written = json.dumps(root, ensure_ascii=False, separators=(",", ":"))
    return written.encode(errors="surrogatepass")


def json_values(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A JSON text with values changed, written plainly; sometimes with every freedom of the
    grammar; sometimes spoiled as bytes."""
    way = chance.random()
    if way < 0.25:
        return text(raw, others, chance)
    root = json.loads(raw)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        root = value(root, chance) if way < 0.6 else changed(root, chance)
    if way < 0.6:
        return compact(root)
    return write(root, chance).encode(errors="surrogatepass")
