"""What a member of a statement may hold (formats.md §1, §2, §4.1): one small check for each kind of
value.

A check takes the value and raises; the tables in ``entry`` and ``bodies`` say which member has
which check.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from greenledger_verify.encoding import decode_hex
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.note import COSIGNATURE_MLDSA, ED25519, parse_vkey
from greenledger_verify.strict_json import INTEGER_MAX

Check = Callable[[object], None]

MEDIA: Final = "application/vnd.greenledger."
ROLES: Final = ("enterprise", "gateway", "generator", "park-operator", "verifier")
SALT_SIZE: Final = 32
BATCHES_MAX: Final = 500

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_ZONE = re.compile(r"([+-])(0[0-9]|1[0-4]):(00|15|30|45)")
_ORIGIN = re.compile(r"([0-9a-f]{32})/([0-9]{4}-(?:0[1-9]|1[0-2]))/(0|[1-9][0-9]{0,5})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_members(value: object, checks: Mapping[str, Check]) -> None:
    """An object with exactly the members of ``checks``, each passing its check."""
    if not isinstance(value, dict):
        raise VerificationError("it must be an object")
    for name in value:
        if name not in checks:
            raise VerificationError("unknown member {name}", name=name)
    for name, check in checks.items():
        if name not in value:
            raise VerificationError("member {name} is missing", name=name)
        with locate("member {name}", name=name):
            check(value[name])


def text(length_min: int, length_max: int) -> Check:
    def check(value: object) -> None:
        if not isinstance(value, str) or not length_min <= len(value) <= length_max:
            raise VerificationError(
                "it must be a text of {min} to {max} characters", min=length_min, max=length_max
            )

    return check


def words(length_min: int, length_max: int) -> Check:
    """A text for people. No control character, not even an escaped one."""
    length = text(length_min, length_max)

    def check(value: object) -> None:
        length(value)
        assert isinstance(value, str)
        if _CONTROL.search(value):
            raise VerificationError("{value} holds a control character", value=value)

    return check


def pattern(expression: str, meaning: str) -> Check:
    compiled = re.compile(expression)

    def check(value: object) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise VerificationError(
                "{value} does not have the form {form}", value=value, form=meaning
            )

    return check


def one_of(*allowed: str) -> Check:
    def check(value: object) -> None:
        if value not in allowed or not isinstance(value, str):
            raise VerificationError("{value} is not one of {allowed}", value=value, allowed=allowed)

    return check


def integer(low: int, high: int = INTEGER_MAX) -> Check:
    def check(value: object) -> None:
        if type(value) is not int or not low <= value <= high:
            raise VerificationError(
                "{value} is not an integer from {low} to {high}", value=value, low=low, high=high
            )

    return check


def list_of(item: Check) -> Check:
    def check(value: object) -> None:
        if not isinstance(value, list):
            raise VerificationError("it must be an array")
        for number, member in enumerate(value):
            with locate("item {number}", number=number):
                item(member)

    return check


def object_of(checks: Mapping[str, Check]) -> Check:
    def check(value: object) -> None:
        check_members(value, checks)

    return check


def or_empty(other: Check) -> Check:
    def check(value: object) -> None:
        if value != "":
            other(value)

    return check


def sorted_list(item: Check, *, least: int) -> Check:
    """An array of at least ``least`` texts, sorted, none twice."""
    items = list_of(item)

    def check(value: object) -> None:
        items(value)
        assert isinstance(value, list)
        if len(value) < least or any(a >= b for a, b in pairwise(value)):
            raise VerificationError(
                "it must be sorted, none twice, and hold {least} at least", least=least
            )

    return check


def batches(value: object) -> None:
    """Leaf hashes of batches of readings, as one entry may name them."""
    sorted_list(hash_hex, least=1)(value)
    assert isinstance(value, list)
    if len(value) > BATCHES_MAX:
        raise VerificationError("it must hold {most} at most", most=BATCHES_MAX)


def lot_origin(value: object) -> None:
    if not isinstance(value, str):
        raise VerificationError("it must be a text")
    parse_origin(value)


def parse_origin(value: str) -> tuple[str, str, int]:
    """``<point>/<YYYY-MM>/<revision>`` (formats.md §3.4): a month of 1971 to 9998, a revision
    of six digits at most, without leading zeros.
    """
    match = _ORIGIN.fullmatch(value)
    if match is None or not "1971" <= match[2] < "9999":
        raise VerificationError(
            "{value} is not an origin <point>/<YYYY-MM>/<revision>", value=value
        )
    return match[1], match[2], int(match[3])


def hash_reference(media: str, size_max: int = INTEGER_MAX) -> Check:
    """``{hash, size, media}`` of a private body, whose size counts its salt."""
    return object_of(
        {"hash": hash_hex, "size": integer(SALT_SIZE, size_max), "media": one_of(media)}
    )


def root_reference(media: str, leaves_min: int, leaves_max: int = INTEGER_MAX) -> Check:
    """``{root, size, media}`` of an inner tree; size is its number of leaves."""
    return object_of(
        {"root": hash_hex, "size": integer(leaves_min, leaves_max), "media": one_of(media)}
    )


def time(value: object) -> None:
    parse_time(value)


def parse_time(value: object) -> int:
    """``YYYY-MM-DDTHH:MM:SSZ`` as Unix seconds."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        parts = [int(part) for part in match.groups()] if match else []
        return int(datetime(*parts[:6], tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]
    except (TypeError, ValueError):
        raise VerificationError("{value} is not a time YYYY-MM-DDTHH:MM:SSZ", value=value) from None


def parse_zone(value: object) -> int:
    """``+08:00`` as seconds east of UTC."""
    match = _ZONE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise VerificationError("{value} is not a zone such as +08:00", value=value)
    sign = -1 if match[1] == "-" else 1
    return sign * (int(match[2]) * 3600 + int(match[3]) * 60)


def date(value: object) -> None:
    """``YYYY-MM-DD``, a day that exists."""
    if not isinstance(value, str):
        raise VerificationError("it must be a text")
    parse_time(f"{value}T00:00:00Z")


def zone(value: object) -> None:
    parse_zone(value)


def vkey(value: object) -> None:
    """An Ed25519 verifier key. Cosigners' keys sign checkpoints, never entries."""
    if not isinstance(value, str):
        raise VerificationError("it must be a verifier key")
    if parse_vkey(value).kind != ED25519:
        raise VerificationError("it must be an Ed25519 key (type 1)")


def roles(value: object) -> None:
    list_of(one_of(*ROLES))(value)
    assert isinstance(value, list)
    if not value or value != sorted(set(value)):
        raise VerificationError("roles must be sorted, without repeats, and at least one")


def hash_hex(value: object) -> None:
    _hex(value, 32)


def random_id(value: object) -> None:
    _hex(value, 16)


def log_vkey(value: object) -> None:
    """A key that signs checkpoints: Ed25519, or the log's second one, ML-DSA-44."""
    if not isinstance(value, str):
        raise VerificationError("it must be a text")
    if parse_vkey(value).kind not in (ED25519, COSIGNATURE_MLDSA):
        raise VerificationError("{vkey} is neither an Ed25519 nor an ML-DSA-44 key", vkey=value)


def lot_id(value: object) -> None:
    """All zeros would mean that there is none (formats.md §3.4)."""
    random_id(value)
    if value == "0" * 32:
        raise VerificationError("a lot's id is not all zeros")


def key_id(value: object) -> None:
    _hex(value, 4)


def _hex(value: object, size_bytes: int) -> None:
    if not isinstance(value, str):
        raise VerificationError("it must be a text")
    decode_hex(value, size_bytes)


origin = pattern(r"[a-z0-9][a-z0-9./-]{0,127}", "a-z 0-9 . - /")
party_id = pattern(r"[a-z][a-z0-9-]{0,39}", "a-z 0-9 -")
slug = pattern(r"[a-z0-9][a-z0-9-]{0,63}", "a-z 0-9 -")
region = pattern(r"[0-9]{0,12}", "0-9")
source = pattern(r"[a-z0-9.-]{1,64}", "a-z 0-9 . -")
scheme = party_id
project = pattern(r"[A-Za-z0-9._-]{1,64}", "A-Z a-z 0-9 . _ -")
plant = pattern(r"[a-z0-9-]{1,64}", "a-z 0-9 -")
technology = pattern(r"[a-z0-9-]{1,40}", "a-z 0-9 -")
reason = words(1, 500)
month = pattern(r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])", "2026-01")
