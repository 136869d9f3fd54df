"""Opened bodies (formats.md §2, §4.2 to §4.5): their bytes against the reference, then their
members.
"""

from collections.abc import Mapping
from typing import Final

from greenledger_verify import members
from greenledger_verify.entry import MEDIA
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.members import (
    SALT_SIZE,
    Check,
    check_members,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    pattern,
    text,
)
from greenledger_verify.strict_json import BODY_DEPTH_MAX, INTEGER_MAX, parse_object

_ANY_TEXT = text(0, 10_000)
_DATE = or_empty(
    pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?", "YYYY-MM-DD")
)
_REGISTER = or_empty(pattern(r"-?[0-9]+(\.[0-9]+)?", "123.45"))
_COUNT = integer(0)

_METER: Final[dict[str, Check]] = {
    "number": _ANY_TEXT,
    "from": members.time,
    "to": or_empty(members.time),
    "multiplier": _REGISTER,
    "accuracy": _ANY_TEXT,
    "calibrated": _DATE,
    "calibration_expires": _DATE,
    "opening": _REGISTER,
    "closing": _REGISTER,
}
POINT: Final[dict[str, Check]] = {
    "name": text(1, 200),
    "kind": one_of(
        "generation",
        "consumption",
        "grid-import",
        "grid-export",
        "storage-charge",
        "storage-discharge",
        "billed",
        "other",
    ),
    "technology": _ANY_TEXT,
    "park_system": one_of(
        "energy", "transport", "buildings", "infrastructure", "production", "ecology"
    ),
    "owner": members.party_id,
    "parent": or_empty(members.random_id),
    "region": _ANY_TEXT,
    "capacity": integer(-INTEGER_MAX),
    "capacity_unit": one_of("W", "Wh", ""),
    "unit": one_of("Wh", "J", "ml", "g", "mK", "ug/m3"),
    "measure": one_of("additive", "gauge"),
    "interval_s": integer(1),
    "meters": list_of(object_of(_METER)),
}
CONTRACT: Final[dict[str, Check]] = {
    "name": text(1, 200),
    "kind": one_of("self-use", "direct-supply", "green-trade"),
    "seller": members.party_id,
    "sources": list_of(members.random_id),
    "consumers": list_of(
        object_of({"point": members.random_id, "share_ppm": integer(0, 1_000_000)})
    ),
    "from": members.time,
    "to": members.time,
    "region": _ANY_TEXT,
    "limit_wh": _COUNT,
}
_CHECKS: Final[dict[str, Mapping[str, Check]]] = {
    MEDIA + "point+json": POINT,
    MEDIA + "contract+json": CONTRACT,
}


def verify_body(raw: bytes, reference: Mapping[str, object]) -> dict[str, object] | None:
    """The bytes are those that ``reference`` commits to (hash already compared). Returns the
    members of a JSON body.

    1. The size is that of the reference.
    2. Of a JSON body: what follows the salt of 32 bytes is strict JSON, with the members of its
       kind.
    """
    # 1
    if len(raw) != reference["size"]:
        raise VerificationError(
            "the body has {given} bytes, the entry says {expected}",
            given=len(raw),
            expected=reference["size"],
        )
    # 2
    media = str(reference["media"])
    if not media.endswith("+json"):
        return None
    with locate("body {media}", media=media):
        value = parse_object(raw[SALT_SIZE:], depth_max=BODY_DEPTH_MAX)
        if media in _CHECKS:
            check_members(value, _CHECKS[media])
    return value
