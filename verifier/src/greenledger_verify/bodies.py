"""Opened bodies (formats.md §2, §4.2 to §4.16): their bytes against the reference, then their
members.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.erasurerules import ERASURE_BODIES
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.leaves import SUPPLY_CLASSES
from greenledger_verify.members import (
    MEDIA,
    SALT_SIZE,
    Check,
    check_members,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    pattern,
    sorted_list,
    words,
)
from greenledger_verify.months import require_quarters
from greenledger_verify.periodforms import PERIOD_BODIES
from greenledger_verify.recordforms import RECORD_BODIES
from greenledger_verify.reductionbodies import REDUCTION_BODIES
from greenledger_verify.strict_json import BODY_DEPTH_MAX, parse_object
from greenledger_verify.unitbodies import UNIT_BODIES
from greenledger_verify.unitforms import check_span

_YEAR_S: Final = 366 * 86_400
_SHARE_PPM_MAX: Final = 1_000_000
_CLASSES: Final = len(SUPPLY_CLASSES)
_MATCHED_KINDS: Final = ("generation", "consumption")
_DECIMAL = pattern(r"[0-9]{1,15}(\.[0-9]{1,9})?", "123.45")

_METER: Final[dict[str, Check]] = {
    "number": words(1, 64),
    "from": members.time,
    "to": or_empty(members.time),
    "multiplier": _DECIMAL,
    "accuracy": words(0, 200),
    "calibrated": or_empty(members.date),
    "calibration_expires": or_empty(members.date),
    "opening": or_empty(_DECIMAL),
    "closing": or_empty(_DECIMAL),
}
POINT: Final[dict[str, Check]] = {
    "name": members.slug,
    "kind": one_of(
        *_MATCHED_KINDS,
        "grid-import",
        "grid-export",
        "storage-charge",
        "storage-discharge",
        "billed",
        "other",
    ),
    "technology": words(0, 200),
    "park_system": one_of(
        "energy", "transport", "buildings", "infrastructure", "production", "ecology"
    ),
    "owner": members.party_id,
    "parent": or_empty(members.random_id),
    "region": members.region,
    "capacity": integer(0),
    "capacity_unit": one_of("W", "Wh", ""),
    "unit": one_of("Wh", "J", "ml", "g", "mK", "ug/m3"),
    "measure": one_of("additive", "gauge"),
    "interval_s": integer(0, _YEAR_S),
    "meters": list_of(object_of(_METER)),
}
CONTRACT: Final[dict[str, Check]] = {
    "name": members.slug,
    "kind": one_of("self-use", "direct-supply", "storage", "green-trade"),
    "seller": members.party_id,
    "sources": list_of(members.random_id),
    "consumers": list_of(
        object_of({"point": members.random_id, "share_ppm": integer(0, _SHARE_PPM_MAX)})
    ),
    "from": members.time,
    "to": members.time,
    "region": members.region,
    "limit_wh": integer(0),
}
CLAIM: Final[dict[str, Check]] = {
    "consumer": members.party_id,
    "points": sorted_list(members.random_id, least=1),
    "from": members.time,
    "to": members.time,
    "as_of": integer(1),
    "claimed_wh": integer(0),
    "by_class": list_of(object_of({"class": integer(1, _CLASSES), "wh": integer(1)})),
    "consumption_wh": integer(0),
    "estimated_wh": integer(0),
    "certificates": list_of(
        object_of(
            {
                "retirement": members.random_id,
                "scheme": members.scheme,
                "class": members.scheme,
                "from": members.time,
                "to": members.time,
                "units": integer(1),
                "wh": integer(0),
            }
        )
    ),
    "certificate_wh": integer(0),
    "credits": list_of(
        object_of(
            {
                "retirement": members.random_id,
                "scheme": members.scheme,
                "units": integer(1),
                "unit_size": integer(1),
            }
        )
    ),
    "residual_wh": integer(0),
    "reason": words(0, 500),
}
FORM: Final[dict[str, Check]] = {
    "issuer": words(1, 200),
    "number": words(1, 200),
    "document": or_empty(members.hash_hex),
}


def _check_point(content: dict[str, Any]) -> None:
    """What formats.md §4.2 asks of several members together."""
    if content["interval_s"] == 0 and content["kind"] not in ("billed", "other"):
        raise VerificationError("interval_s is 0, but the kind is {kind}", kind=content["kind"])
    if content["unit"] == "Wh" and content["kind"] in (*_MATCHED_KINDS, "billed"):
        length_s = content["interval_s"]
        fits = length_s in (1800, 3600) or not 900 % max(length_s, 1)
        if content["measure"] != "additive" or (content["kind"] in _MATCHED_KINDS and not fits):
            raise VerificationError(
                "a run can't use energy that is {measure}, every {interval} s",
                measure=content["measure"],
                interval=length_s,
            )
    free_s = None
    for meter in content["meters"]:
        with locate("meter {number}", number=meter["number"]):
            free_s = _check_meter(meter, free_s)


def _check_meter(meter: dict[str, Any], free_s: float | None) -> float:
    """It begins at ``free_s`` at the earliest, where the meter before ends. Returns its own end."""
    if Decimal(meter["multiplier"]) == 0:
        raise VerificationError("the multiplier is 0")
    from_s = members.parse_time(meter["from"])
    to_s = members.parse_time(meter["to"]) if meter["to"] else math.inf
    if to_s <= from_s or (free_s is not None and from_s < free_s):
        raise VerificationError("its time is empty, or begins before that of the last one ends")
    return to_s


def _check_contract(content: dict[str, Any]) -> None:
    """What formats.md §4.4 asks of several members together."""
    points = [consumer["point"] for consumer in content["consumers"]]
    for name, found in (("sources", content["sources"]), ("consumers", points)):
        if not found or found != sorted(set(found)):
            raise VerificationError(
                "{member} must be sorted, without repeats, and at least one", member=name
            )
    shares = [consumer["share_ppm"] for consumer in content["consumers"]]
    if sum(shares) > _SHARE_PPM_MAX or (any(shares) and not all(shares)):
        raise VerificationError(
            "the shares are {shares} ppm: all are 0, or none is and they sum to at most 1000000",
            shares=shares,
        )
    from_s, to_s = members.parse_time(content["from"]), members.parse_time(content["to"])
    if from_s >= to_s or from_s % 900 or to_s % 900:
        raise VerificationError("the period of the contract is empty, or cuts a quarter-hour")


def _check_claim(content: dict[str, Any]) -> None:
    """What formats.md §4.7 asks of several members together."""
    require_quarters(members.parse_time(content["from"]), members.parse_time(content["to"]))
    classes = [item["class"] for item in content["by_class"]]
    if classes != sorted(set(classes)):
        raise VerificationError("by_class is not in order of classes, each once")
    if sum(item["wh"] for item in content["by_class"]) != content["claimed_wh"]:
        raise VerificationError("by_class does not sum to claimed_wh")
    _check_retirements(content)
    used_wh = content["claimed_wh"] + content["certificate_wh"]
    if content["residual_wh"] != content["consumption_wh"] - used_wh:
        raise VerificationError(
            "residual_wh is not consumption_wh less claimed_wh and certificate_wh"
        )
    if content["estimated_wh"] > content["consumption_wh"]:
        raise VerificationError("estimated_wh is more than consumption_wh")


def _check_retirements(content: dict[str, Any]) -> None:
    """Certificates lie in the period of the claim, and sum to certificate_wh."""
    for name in ("certificates", "credits"):
        given = [item["retirement"] for item in content[name]]
        if given != sorted(set(given)):
            raise VerificationError("{member} is not in order, each once", member=name)
    from_s, to_s = members.parse_time(content["from"]), members.parse_time(content["to"])
    for item in content["certificates"]:
        with locate("retirement {retirement}", retirement=item["retirement"]):
            check_span(item["from"], item["to"])
            if from_s > members.parse_time(item["from"]) or members.parse_time(item["to"]) > to_s:
                raise VerificationError(
                    "it is used from {start} to {end}, outside of the period of the claim",
                    start=item["from"],
                    end=item["to"],
                )
    if sum(item["wh"] for item in content["certificates"]) != content["certificate_wh"]:
        raise VerificationError("the certificates do not sum to certificate_wh")


def _check_nothing(content: dict[str, Any]) -> None:
    del content


_CHECKS: Final[dict[str, tuple[Mapping[str, Check], Callable[[dict[str, Any]], None]]]] = {
    MEDIA + "point+json": (POINT, _check_point),
    MEDIA + "contract+json": (CONTRACT, _check_contract),
    MEDIA + "claim+json": (CLAIM, _check_claim),
    MEDIA + "form+json": (FORM, _check_nothing),
    **UNIT_BODIES,
    **REDUCTION_BODIES,
    **PERIOD_BODIES,
    **RECORD_BODIES,
    **ERASURE_BODIES,
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
            checks, check_together = _CHECKS[media]
            check_members(value, checks)
            check_together(value)
    return value
