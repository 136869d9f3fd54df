"""Forms of the JSON bodies of schemes, projects, reductions and statements (formats.md §4.9 to
§4.12).
"""

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
    parse_time,
    pattern,
    sorted_list,
    words,
)
from greenledger_verify.months import require_quarters
from greenledger_verify.strict_json import INTEGER_MAX
from greenledger_verify.unitforms import HANDS_OVER, PURPOSES, check_span

PPM: Final = 1_000_000
CERTIFICATE: Final = "certificate"
SAME_YEAR: Final = "same-year"
SPENT: Final = "spent"
WRAPPED: Final = "wrapped"

_VALIDITY_MONTHS_MAX: Final = 12 * 1000
_PPM = integer(0, PPM)
_FLAG = integer(0, 1)
_MONTH = pattern(r"[0-9]{4}-(?:0[1-9]|1[0-2])", "2026-01")
_TEXT = words(0, 200)


def _lot_classes(value: object) -> None:
    list_of(integer(0, len(SUPPLY_CLASSES)))(value)
    _require_order("lot_classes", value)


def _require_order(member: str, value: object) -> None:
    assert isinstance(value, list)
    if value != sorted(set(value)):
        raise VerificationError("{member} is not in order, each once", member=member)


SCHEME: Final[dict[str, Check]] = {
    "name": words(1, 200),
    "kind": one_of(CERTIFICATE, "credit", "record"),
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
    "purposes": sorted_list(one_of(*PURPOSES), least=0),
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
    "source": words(0, 500),
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
ROLES: Final = (
    "captured",
    "transported",
    "injected",
    "produced",
    "recycled",
    "surface-leakage",
    "equipment-leakage",
    "energy-emissions",
    "transport-emissions",
    "injection-emissions",
)
_EMISSIONS: Final = ROLES[-3:]
REDUCTION: Final[dict[str, Check]] = {
    "from": members.time,
    "to": members.time,
    "as_of": integer(1),
    "treatment": one_of("credited", "at-source"),
    "flows": list_of(
        object_of(
            {
                "role": one_of(*ROLES),
                "points": sorted_list(members.random_id, least=0),
                "g": integer(0),
            }
        )
    ),
    "tolerance_g": integer(0),
    "biogenic_ppm": _PPM,
    "stored_g": integer(-INTEGER_MAX),
    "emissions_g": integer(0),
    "net_g": integer(0),
    "buffer_g": integer(0),
    "debit_g": integer(0),
    "carried_g": integer(0),
    "avoided_units": integer(0),
    "removal_units": integer(0),
    "left_g": integer(0),
}
VERIFICATION: Final[dict[str, Check]] = {
    "finding": members.reason,
    "document": or_empty(members.hash_hex),
}
REVERSAL: Final[dict[str, Check]] = {
    "g": integer(1),
    "at": members.time,
    "reason": members.reason,
}
_FILE: Final[dict[str, Check]] = {
    "name": words(1, 500),
    "size": integer(0),
    "hash": members.hash_hex,
}


def _file(value: object) -> None:
    if value != {}:
        object_of(_FILE)(value)


STATEMENT: Final[dict[str, Check]] = {
    "issuer": words(1, 200),
    "as_of": members.date,
    "file": _file,
    "profile": members.text(0, INTEGER_MAX),
    "rows": list_of(
        object_of(
            {
                "row": integer(0),
                "code": _TEXT,
                "month": or_empty(_MONTH),
                "project": _TEXT,
                "class": _TEXT,
                "first": integer(0),
                "end": integer(0),
                "status": one_of("issued", "held", "transferred", "cancelled", "frozen", "expired"),
                "party": _TEXT,
                "wh": integer(0),
                "note": words(0, 500),
            }
        )
    ),
}


def _check_scheme(content: dict[str, Any]) -> None:
    classes = [item["class"] for item in content["classes"]]
    if not classes:
        raise VerificationError("a scheme has at least one class")
    _require_order("classes", classes)
    _require_order("vintages", [item["from"] for item in content["vintages"]])
    for item in content["barred"]:
        if item["to"]:
            check_span(item["from"], item["to"])


def _check_project(content: dict[str, Any]) -> None:
    if bool(content["from"]) != bool(content["to"]):
        raise VerificationError("a crediting period has both ends, or none")
    if content["from"]:
        check_span(content["from"], content["to"])


def _check_reduction(content: dict[str, Any]) -> None:
    """The sums of the mass balance that follow from the record alone."""
    require_quarters(parse_time(content["from"]), parse_time(content["to"]))
    roles = [flow["role"] for flow in content["flows"]]
    if len(roles) != len(set(roles)):
        raise VerificationError("a role stands twice among the flows")
    g = dict.fromkeys(ROLES, 0) | {flow["role"]: flow["g"] for flow in content["flows"]}
    stored = g["injected"] - g["produced"] - g["surface-leakage"] - g["equipment-leakage"]
    _require_sum(content, "stored_g", stored)
    emissions = sum(g[role] for role in _EMISSIONS)
    _require_sum(content, "emissions_g", emissions)
    _require_sum(content, "net_g", max(0, stored - emissions))
    if content["buffer_g"] > content["net_g"]:
        raise VerificationError("buffer_g is more than net_g")
    if content["treatment"] == "at-source" and (
        content["avoided_units"] or content["removal_units"]
    ):
        raise VerificationError("what is subtracted at source is never issued as units")


def _require_sum(content: Mapping[str, Any], member: str, expected: int) -> None:
    if content[member] != expected:
        raise VerificationError(
            "{member} is {given}, but the flows make it {expected}",
            member=member,
            given=content[member],
            expected=expected,
        )


def _check_nothing(content: dict[str, Any]) -> None:
    del content


UNIT_BODIES: Final[dict[str, tuple[Mapping[str, Check], Callable[[dict[str, Any]], None]]]] = {
    MEDIA + "scheme+json": (SCHEME, _check_scheme),
    MEDIA + "project+json": (PROJECT, _check_project),
    MEDIA + "reduction+json": (REDUCTION, _check_reduction),
    MEDIA + "verification+json": (VERIFICATION, _check_nothing),
    MEDIA + "reversal+json": (REVERSAL, _check_nothing),
    MEDIA + "statement+json": (STATEMENT, _check_nothing),
}
