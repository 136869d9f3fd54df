"""Entries: strict signed statements (docs/formats.md §1).

An entry is a signed note whose text is one JSON object in one line. It is checked and hashed as the
exact bytes received; nothing is ever re-serialised. What each type's members may be is data, kept
by the room that owns the type.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import merkle, mldsa, notes
from ledger.units import parse_instant, parse_zone

ENTRY_BYTES_MAX: Final = 65_535
INTEGER_MAX: Final = 2**53 - 1
NESTING_MAX: Final = 8

Statement = Mapping[str, Any]
Check = Callable[[Any], bool]


def _text(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _accepts(parse: Callable[[str], object]) -> Check:
    """What `parse` takes, in ASCII: `int()` and `\\d` would take the digits of any script."""

    def check(value: Any) -> bool:
        try:
            if not value.isascii():
                return False
            parse(value)
        except (InvalidInput, TypeError, AttributeError):
            return False
        return True

    return check


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What a member's value must be; `expected` is how a person is told."""

    expected: str
    check: Check


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INTEGER_MAX


def _reference(kind: str) -> Check:
    hex32 = _text(r"[0-9a-f]{64}")

    def check(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and set(value) == {kind, "size", "media"}
            and hex32(value[kind])
            and _integer(value["size"])
            and _text(r"[a-z0-9.+/-]{1,100}")(value["media"])
        )

    return check


ORIGIN: Final = Member(
    expected="1–128 characters of a-z 0-9 . - /, beginning with a letter or digit",
    check=_text(r"[a-z0-9][a-z0-9./-]{0,127}"),
)
PARTY: Final = Member(
    expected="1–40 characters of a-z 0-9 -, beginning with a letter",
    check=_text(r"[a-z][a-z0-9-]{0,39}"),
)
ID: Final = Member(expected="32 lower-case hex digits", check=_text(r"[0-9a-f]{32}"))
ID_OR_NONE: Final = Member(
    expected="32 lower-case hex digits, or empty", check=_text(r"([0-9a-f]{32})?")
)
HASH: Final = Member(expected="64 lower-case hex digits", check=_text(r"[0-9a-f]{64}"))
HASH_OR_NONE: Final = Member(
    expected="64 lower-case hex digits, or empty", check=_text(r"([0-9a-f]{64})?")
)
KEY_ID_OR_NONE: Final = Member(
    expected="8 lower-case hex digits, or empty", check=_text(r"([0-9a-f]{8})?")
)
INSTANT: Final = Member(expected="a time 2026-01-01T00:00:00Z", check=_accepts(parse_instant))
INSTANT_OR_NONE: Final = Member(
    expected='a time 2026-01-01T00:00:00Z, or ""',
    check=lambda value: value == "" or INSTANT.check(value),
)
ZONE: Final = Member(expected="a fixed offset such as +08:00", check=_accepts(parse_zone))
VKEY: Final = Member(expected="a vkey name+hex8+base64", check=_accepts(notes.parse_vkey))
LOG_VKEY: Final = Member(
    expected="a vkey name+hex8+base64, of Ed25519 or ML-DSA-44",
    check=_accepts(lambda value: notes.parse_vkey(value, (notes.ED25519, mldsa.ML_DSA_44))),
)
NAME: Final = Member(expected="1–200 characters", check=_text(r"[^\u0000-\u001f\u007f]{1,200}"))
REASON: Final = Member(expected="1–500 characters", check=_text(r"[^\u0000-\u001f\u007f]{1,500}"))
REASON_OR_NONE: Final = Member(
    expected="up to 500 characters", check=_text(r"[^\u0000-\u001f\u007f]{0,500}")
)
SOURCE: Final = Member(expected="1–64 characters of a-z 0-9 . -", check=_text(r"[a-z0-9.-]{1,64}"))
COUNT: Final = Member(expected="an integer from 0 to 2^53-1", check=_integer)
BLOB: Final = Member(expected="a reference {hash, size, media}", check=_reference("hash"))
TREE: Final = Member(expected="a reference {root, size, media}", check=_reference("root"))


def blob_up_to(bytes_max: int) -> Member:
    """A reference to a salted body of limited size."""
    return Member(
        expected=f"{BLOB.expected} of at most {bytes_max:,} bytes",
        check=lambda value: BLOB.check(value) and value["size"] <= bytes_max,
    )


def one_of(*values: str) -> Member:
    return Member(expected="one of " + ", ".join(values), check=lambda value: value in values)


def sorted_ids(what: str, *, least: int = 0) -> Member:
    """An array of ids, sorted, none twice."""

    def check(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) >= least
            and all(map(ID.check, value))
            and value == sorted(set(value))
        )

    some = f", {least} at least" if least else ""
    return Member(
        expected=f"a sorted array of {what} (32 hex digits){some}, none twice", check=check
    )


COMMON: Final[Mapping[str, Member]] = {
    "type": Member(expected="an entry type", check=_text(r"[a-z]+(-[a-z]+)?(\.[a-z]+)?")),
    "id": ID,
    "log": ORIGIN,
    "author": PARTY,
    "at": INSTANT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A well-formed entry: its exact bytes, its statement, its (unverified) signatures."""

    data: bytes
    text: bytes
    statement: Statement
    signatures: tuple[notes.Signature, ...]

    @property
    def type(self) -> str:
        return str(self.statement["type"])

    @property
    def id(self) -> str:
        return str(self.statement["id"])

    @property
    def author(self) -> str:
        return str(self.statement["author"])

    @property
    def at_s(self) -> int:
        return parse_instant(self.statement["at"])

    @property
    def leaf_hash(self) -> bytes:
        return merkle.leaf_hash(self.data)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        ((repeated, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise InvalidInput(f"member {repeated!r} stands twice in one object")
    return found


def _int(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > INTEGER_MAX:
        raise InvalidInput(f"integer {digits[:20]}… is beyond ±(2^53-1)")
    if digits == "-0":
        raise InvalidInput("-0 is not an integer of this format")
    return int(digits)


def _no_float(digits: str) -> Any:
    raise InvalidInput(
        f"number {digits[:30]} is not an integer; only integers and text are allowed"
    )


# Made once: to make one takes longer than to read a short text.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_int,
    parse_float=_no_float,
    parse_constant=_no_float,
)


_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


def _is_doubtful(text: str) -> bool:
    """Whether a JSON text may hold another value than objects, arrays, text and integers, or half
    of a surrogate pair."""
    return (
        "true" in text
        or "false" in text
        or "null" in text
        or "\\u" in text
        or not (text.isascii() or _SURROGATE.search(text) is None)
    )


def parse_json(text: str, *, nesting_max: int) -> Any:
    """JSON of objects, arrays, text and integers, without repeated members. Raises InvalidInput."""
    try:
        value = _DECODER.decode(text)
    except RecursionError as error:
        raise InvalidInput(f"nested deeper than {nesting_max}") from error
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error}") from error
    # Most texts can't hold what is looked for: then nobody has to go through all values.
    if _is_doubtful(text) or text.count("{") + text.count("[") > nesting_max:
        _check_values(value, nesting_max)
    return value


def _check_values(value: Any, nesting_left: int) -> None:
    kind = type(value)
    if kind is str:
        if not value.isprintable() and _has_surrogate(value):
            raise InvalidInput("text holds a lone surrogate")
    elif kind is dict or kind is list:
        if not nesting_left:
            raise InvalidInput("nested too deeply")
        members = itertools.chain(value, value.values()) if kind is dict else value
        for member in members:
            _check_values(member, nesting_left - 1)
    elif kind is not int:
        raise InvalidInput(f"{json.dumps(value)} is not allowed; only integers and text are")


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def parse_entry(data: bytes) -> Entry:
    """Check the form of an entry (docs/formats.md §1), not yet its type. Raises InvalidInput."""
    if len(data) > ENTRY_BYTES_MAX:
        raise InvalidInput(f"entry has {len(data)} bytes; {ENTRY_BYTES_MAX} is the most")
    note = notes.parse_note(data)
    if note.text.count(b"\n") != 1 or note.text[:1] + note.text[-2:] != b"{}\n":
        raise InvalidInput("the text of an entry is one line, one JSON object from { to }")
    statement = parse_json(note.text[:-1].decode(), nesting_max=NESTING_MAX)
    if not isinstance(statement, dict):
        raise InvalidInput("the text of an entry is a JSON object")
    check_members(statement, COMMON, others_allowed=True)
    return Entry(data=data, text=note.text, statement=statement, signatures=note.signatures)


def check_members(
    statement: Statement, members: Mapping[str, Member], *, others_allowed: bool = False
) -> None:
    """Raises InvalidInput for a missing, unknown or wrong member, and says what would be right."""
    for name, member in members.items():
        if name not in statement:
            raise InvalidInput(f"member {name!r} is missing; it is {member.expected}")
        if not member.check(statement[name]):
            shown = str(statement[name])[:80]
            raise InvalidInput(f"member {name!r} is {shown!r}, not {member.expected}")
    # None is missing, so as many are none too many.
    if others_allowed or len(statement) == len(members):
        return
    unknown = sorted(set(statement) - set(members))
    if unknown:
        raise InvalidInput(f"unknown member {unknown[0]!r}; allowed are {', '.join(members)}")


def write_statement(statement: Statement) -> bytes:
    """The one line that an author signs. Only an author writes; everyone else keeps the bytes."""
    return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
