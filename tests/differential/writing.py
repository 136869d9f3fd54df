"""JSON as nobody sane writes it, yet as anybody may: Hypothesis chooses every freedom of the
grammar, and some that the grammar does not give.
"""

from __future__ import annotations

import json
import random
from typing import Any

# Characters that some parser somewhere takes for a blank, a digit, a line end or an ASCII letter.
ODD = (
    "\u00a0\u0085\u2028\u2029\u200b\u202e\ufeff\u0300\u00ad\u0660\u0967\uff10\uff21\u212a\u0131"
    "\u2010\u2013\u2014\u2015\u2212\x7f\x1f\x00\t\r\n\v\f\u001c\ud7ff\ue000\uffff\U0001f600\U0010ffff"
)
NUMBERS = (
    "0", "-0", "00", "01", "+1", "1.0", "1e2", "-1", "1E400", "9007199254740991",
    "9007199254740992", "-9007199254740991", "-9007199254740992", "99999999999999999",
    "100000000000000000", "1_000", "0x10", ".5", "\u0661", "NaN", "Infinity", "-Infinity",
)  # fmt: skip
TIMES = (
    '"2026-02-30T00:00:00Z"', '"0000-01-01T00:00:00Z"', '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59Z"', '"2026-01-01T00:00:60Z"', '"2026-01-01t00:00:00z"',
    '"\uff12026-01-01T00:00:00Z"', '"+14:59"', '"+15:00"', '"-00:00"', '"+8:00"',
    '"\u0660\u0668:00"',
)  # fmt: skip
TOKENS = (
    *NUMBERS, *TIMES, "true", "false", "null", '""', "[]", "{}", "", "'a'", "[1,]", '{"a":1,}',
    '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x41"',
    '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', "[[[[[[[]]]]]]]", "[[[[[[[[]]]]]]]]",
)  # fmt: skip


class Raw(str):
    """JSON text that is written as it stands."""

    __slots__ = ()


def write(value: Any, chance: random.Random) -> str:
    """`value` as JSON text, with `chance` at each freedom that the grammar leaves."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, dict):
        members = [f"{write(k, chance)}{_blank(chance)}:{_blank(chance)}{write(v, chance)}"
                   for k, v in value.items()]  # fmt: skip
        return "{" + f"{_blank(chance)},{_blank(chance)}".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_blank(chance) + write(item, chance) for item in value) + "]"
    if isinstance(value, str):
        return '"' + "".join(_character(one, chance) for one in value) + '"'
    return json.dumps(value)


def _blank(chance: random.Random) -> str:
    return chance.choice(["", "", "", "", "", "", " ", "  "])


def _character(one: str, chance: random.Random) -> str:
    if one in '"\\' or ord(one) < 32 or chance.random() < 0.02:
        units = one.encode("utf-16-be")
        pairs = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
        return "".join(f"\\u{unit:04x}" for unit in pairs)
    return one


def changed(value: Any, chance: random.Random) -> Any:
    """`value` with one place changed: a member more, less, twice, renamed, or another value."""
    if isinstance(value, dict) and value and chance.random() < 0.7:
        name = chance.choice(list(value))
        return _with_member(dict(value), name, chance)
    if isinstance(value, list) and value and chance.random() < 0.7:
        at = chance.randrange(len(value))
        return [*value[:at], changed(value[at], chance), *value[at + chance.choice([0, 1]) :]]
    if isinstance(value, str) and chance.random() < 0.6:
        at = chance.randrange(len(value) + 1)
        odd = chance.choice([*ODD, "a", "A", "0", "-", " ", '"', value * 3])
        return value[:at] + odd + value[at + chance.choice([0, 1]) :]
    if isinstance(value, int) and chance.random() < 0.5:
        return value + chance.choice([-1, 1, 31, 2**31, 2**52, 2**53])
    return Raw(chance.choice(TOKENS))


def _with_member(value: dict[str, Any], name: str, chance: random.Random) -> dict[str, Any]:
    way = chance.random()
    if way < 0.75:
        return value | {name: changed(value[name], chance)}
    if way < 0.80:
        del value[name]
        return value
    if way < 0.85:
        return {**value, chance.choice([name + " ", name.upper(), "x", "", ODD[0]]): "x"}
    if way < 0.90:
        return {(key + "_" if key == name else key): item for key, item in value.items()}
    names = list(value)
    chance.shuffle(names)
    return {key: value[key] for key in names}


def spoiled(data: bytes, chance: random.Random) -> bytes:
    """A note with one place of its bytes changed."""
    way = chance.randrange(12)
    at = chance.randrange(len(data) + 1)
    if way == 0:
        return data.replace(b"\n", b"\r\n", chance.choice([1, -1]))
    if way == 1:
        return data + chance.choice([b"\n", b" ", b"\x00", b"x\n", b"\n\n", data])
    if way == 2:
        return chance.choice([b"\xef\xbb\xbf", b" ", b"\n", b"{}\n\n"]) + data
    if way == 3:
        dash = chance.choice(["-", "\u2013", "\u2015", "\u2212", "\u2e3a", ""])
        return data.replace("\u2014".encode(), dash.encode())
    if way == 4:
        return data[:at] + chance.choice(ODD).encode() + data[at:]
    if way == 5:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if way == 6:
        return data[:at]
    if way == 7:
        lines = data.split(b"\n")
        chance.shuffle(lines)
        return b"\n".join(lines)
    if way == 8:
        return data.replace(b"=\n", chance.choice([b"\n", b"==\n", b"= \n", b"=\n\n", b"\n=\n"]))
    if way == 9:
        return data.replace(b" ", chance.choice([b"  ", b"\t", "\u00a0".encode()]))
    if way == 10:
        broken = chance.choice([b"\xc0\x80", b"\xed\xa0\x80", b"\xf5", b"\x80"])
        return data[:at] + broken + data[at:]
    return data + data.splitlines(keepends=True)[-1] if data else data
