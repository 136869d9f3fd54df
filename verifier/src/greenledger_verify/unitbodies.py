"""Forms of the JSON bodies of schemes and projects (formats.md §4.9, §4.10)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError
from greenledger_verify.leaves import SUPPLY_CLASSES
from greenledger_verify.members import (
    MEDIA,
    Check,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    sorted_list,
    words,
)
from greenledger_verify.unitforms import HANDS_OVER, PURPOSES, check_span

PPM: Final = 1_000_000
CERTIFICATE: Final = "certificate"
RECORD: Final = "record"
SAME_YEAR: Final = "same-year"
SPENT: Final = "spent"
WRAPPED: Final = "wrapped"

_VALIDITY_MONTHS_MAX: Final = 1200
_PPM = integer(0, PPM)
_FLAG = integer(0, 1)


def _lot_classes(value: object) -> None:
    list_of(integer(0, len(SUPPLY_CLASSES)))(value)
    _require_order("lot_classes", value)


def _require_order(member: str, value: object) -> None:
    assert isinstance(value, list)
    if value != sorted(set(value)):
        raise VerificationError("{member} is not in order, each once", member=member)


SCHEME: Final[dict[str, Check]] = {
    "name": words(1, 200),
    "kind": one_of(CERTIFICATE, "credit", RECORD),
    "unit": one_of("Wh", "g"),
    "unit_size": integer(1),
    "validity_months": integer(0, _VALIDITY_MONTHS_MAX),
    "classes": list_of(
        object_of(
            {
                "class": members.scheme,
                "moves_max": integer(0),
                "moved_by": one_of(*HANDS_OVER),
                "lot_classes": _lot_classes,
                "lots": one_of(SPENT, WRAPPED, "none"),
            }
        )
    ),
    "purposes": sorted_list(one_of(*PURPOSES), least=1),
    "vintages": list_of(object_of({"from": members.time, "policy": one_of("validity", SAME_YEAR)})),
    "cap_ppm": _PPM,
    "barred": list_of(
        object_of(
            {
                "technology": members.technology,
                "from": members.time,
                "to": or_empty(members.time),
            }
        )
    ),
    "freezes": sorted_list(members.scheme, least=0),
    "buffer_ppm": _PPM,
    "source": members.reason,
    "status": one_of("official", "secondary", "unverified"),
}
PROJECT: Final[dict[str, Check]] = {
    "name": words(1, 200),
    "owner": members.party_id,
    "plant": members.plant,
    "technology": members.technology,
    "points": sorted_list(members.random_id, least=0),
    "state": one_of("announced", "validated", "registered", "frozen", "revoked"),
    "from": or_empty(members.time),
    "to": or_empty(members.time),
    "inside_ets": _FLAG,
    "generation": _FLAG,
}


def _check_scheme(content: dict[str, Any]) -> None:
    classes = [item["class"] for item in content["classes"]]
    if not classes:
        raise VerificationError("a scheme has at least one class")
    _require_order("classes", classes)
    if (content["unit"] == "Wh") != (content["kind"] == CERTIFICATE):
        raise VerificationError(
            "a unit of a {kind} is not worth {unit}", kind=content["kind"], unit=content["unit"]
        )
    for item in content["classes"]:
        if (item["lots"] == "none") != (not item["lot_classes"]):
            raise VerificationError(
                "class {unit_class}: lots are none exactly where lot_classes are empty",
                unit_class=item["class"],
            )
    _require_order("vintages", [item["from"] for item in content["vintages"]])
    for item in content["barred"]:
        if item["to"]:
            check_span(item["from"], item["to"])


def _check_project(content: dict[str, Any]) -> None:
    if bool(content["from"]) != bool(content["to"]):
        raise VerificationError("a crediting period has both ends, or none")
    if content["from"]:
        check_span(content["from"], content["to"])


UNIT_BODIES: Final[dict[str, tuple[Mapping[str, Check], Callable[[dict[str, Any]], None]]]] = {
    MEDIA + "scheme+json": (SCHEME, _check_scheme),
    MEDIA + "project+json": (PROJECT, _check_project),
}
