"""Forms of the JSON bodies of reductions and statements (formats.md §4.11, §4.12), and the sums
that follow from each by itself.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.members import (
    MEDIA,
    Check,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    parse_time,
    sorted_list,
    words,
)
from greenledger_verify.months import require_quarters
from greenledger_verify.strict_json import INTEGER_MAX
from greenledger_verify.unitbodies import PPM
from greenledger_verify.unitforms import Range, require_apart

ROLES: Final = (
    "captured",
    "used",
    "transported",
    "transport-leakage",
    "recycled",
    "injected",
    "produced",
    "surface-leakage",
    "equipment-leakage",
    "energy-emissions",
    "transport-emissions",
    "injection-emissions",
)
PARTS: Final = ("avoided", "removal")

_EMISSIONS: Final = ROLES[-3:]
_UNIT_G: Final = 10**6
_TOLERANCE: Final = 20
_MASS = integer(0, 10**15)
_AT_SOURCE: Final = "at-source"
_REJECTED: Final = "rejected"

REDUCTION: Final[dict[str, Check]] = {
    "from": members.time,
    "to": members.time,
    "as_of": integer(1),
    "treatment": one_of("credited", _AT_SOURCE),
    "flows": list_of(
        object_of(
            {
                "role": one_of(*ROLES),
                "points": sorted_list(members.random_id, least=0),
                "g": _MASS,
            }
        )
    ),
    "tolerance_g": _MASS,
    "biogenic_ppm": integer(0, PPM),
    "stored_g": _MASS,
    "emissions_g": integer(0),
    "net_g": _MASS,
}
VERIFICATION: Final[dict[str, Check]] = {
    "verdict": one_of("confirmed", _REJECTED),
    "finding": members.reason,
    "document": or_empty(members.hash_hex),
    "debit_g": _MASS,
    "buffer_g": _MASS,
    "parts": list_of(
        object_of(
            {
                "class": one_of(*PARTS),
                "carried_g": integer(0, _UNIT_G - 1),
                "g": _MASS,
                "units": integer(0),
                "left_g": integer(0, _UNIT_G - 1),
            }
        )
    ),
}
REVERSAL: Final[dict[str, Check]] = {
    "g": integer(1, 10**15),
    "at": members.time,
    "reason": members.reason,
}
STATEMENT: Final[dict[str, Check]] = {
    "scheme": members.scheme,
    "issuer": words(1, 200),
    "as_of": members.date,
    "file": object_of({"name": words(1, 200), "size": integer(0), "hash": members.hash_hex}),
    "profile": members.text(0, INTEGER_MAX),
    "rows": list_of(
        object_of(
            {
                "row": integer(1),
                "code": or_empty(members.project),
                "month": or_empty(members.month),
                "project": or_empty(members.project),
                "class": or_empty(members.scheme),
                "first": integer(0),
                "end": integer(0),
                "status": one_of("issued", "held", "transferred", "cancelled", "frozen", "expired"),
                "party": or_empty(members.party_id),
                "wh": integer(0),
                "note": words(0, 500),
            }
        )
    ),
}


def _check_reduction(content: dict[str, Any]) -> None:
    """The mass balance closes, and the sums follow from the flows."""
    require_quarters(parse_time(content["from"]), parse_time(content["to"]))
    flows = content["flows"]
    if [flow["role"] for flow in flows] != list(ROLES):
        raise VerificationError("flows are not one for each role, in order")
    points = [point for flow in flows for point in flow["points"]]
    if len(points) != len(set(points)):
        raise VerificationError("a point stands in two roles")
    g = {flow["role"]: flow["g"] for flow in flows}
    if content["tolerance_g"] > g["captured"] // _TOLERANCE:
        raise VerificationError("tolerance_g is more than a twentieth of what was captured")
    if g["recycled"] > g["produced"]:
        raise VerificationError("more is recycled than was produced")
    _require_closed(content, "transport", g["captured"] - g["used"] - g["transported"])
    arrived = g["transported"] + g["recycled"] - g["transport-leakage"]
    _require_closed(content, "injection", arrived - g["injected"])
    stored = g["injected"] - g["produced"] - g["surface-leakage"] - g["equipment-leakage"]
    emissions = sum(g[role] for role in _EMISSIONS)
    _require_sum(content, "stored_g", stored)
    _require_sum(content, "emissions_g", emissions)
    _require_sum(content, "net_g", max(0, stored - emissions))


def _require_closed(content: Mapping[str, Any], where: str, missing: int) -> None:
    if abs(missing) > content["tolerance_g"]:
        raise VerificationError(
            "the balance of {where} is open by {missing} g, {tolerance} g are allowed",
            where=where,
            missing=missing,
            tolerance=content["tolerance_g"],
        )


def _require_sum(content: Mapping[str, Any], member: str, expected: int) -> None:
    if content[member] != expected:
        raise VerificationError(
            "{member} is {given}, but the flows make it {expected}",
            member=member,
            given=content[member],
            expected=expected,
        )


def _check_verification(content: dict[str, Any]) -> None:
    """What is rejected has no parts, and holds nothing back; each part comes out even."""
    parts = content["parts"]
    if not parts:
        if content["debit_g"] or content["buffer_g"]:
            raise VerificationError("it has no parts, but holds mass back")
        return
    if content["verdict"] == _REJECTED:
        raise VerificationError("it is rejected, but has parts")
    if [part["class"] for part in parts] != list(PARTS):
        raise VerificationError("parts are not avoided, then removal")
    for part in parts:
        if part["carried_g"] + part["g"] != part["units"] * _UNIT_G + part["left_g"]:
            raise VerificationError(
                "{unit_class}: {units} units and {left} g left over are not {mass} g",
                unit_class=part["class"],
                units=part["units"],
                left=part["left_g"],
                mass=part["carried_g"] + part["g"],
            )


def _check_statement(content: dict[str, Any]) -> None:
    rows = content["rows"]
    if not rows or [row["row"] for row in rows] != sorted(row["row"] for row in rows):
        raise VerificationError("rows are none, or not in the order of the file")
    ranges: list[Range] = []
    for number, row in enumerate(rows):
        with locate("item {number}", number=number):
            _check_row(row, content["as_of"][:7])
        if row["code"]:
            ranges.append((row["code"], "", row["first"], row["end"]))
    require_apart(ranges)


def _check_row(row: Mapping[str, Any], month: str) -> None:
    """Some units; energy alone only where no code is named."""
    units = row["end"] - row["first"]
    if row["month"] and row["month"] >= month:
        raise VerificationError("the month {month} was not over", month=row["month"])
    energy_alone = not row["code"] and units == 0 and row["wh"]
    if units < 1 and not energy_alone:
        raise VerificationError("it speaks of no units")
    if not row["code"] and row["first"]:
        raise VerificationError("a row without a code begins at 0")


def _check_nothing(content: dict[str, Any]) -> None:
    del content


REDUCTION_BODIES: Final[dict[str, tuple[Mapping[str, Check], Callable[[dict[str, Any]], None]]]] = {
    MEDIA + "reduction+json": (REDUCTION, _check_reduction),
    MEDIA + "verification+json": (VERIFICATION, _check_verification),
    MEDIA + "reversal+json": (REVERSAL, _check_nothing),
    MEDIA + "statement+json": (STATEMENT, _check_statement),
}
