"""Forms of accounting periods (formats.md §4.1, §4.13): members of entries, and the report."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import Check, integer, list_of, object_of, one_of, or_empty, words

ENDED: Final = ("submitted", "approved", "closed")
_NAME = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?", re.ASCII)

_SPAN: Final[dict[str, Check]] = {"from": members.time, "to": members.time}
REPORT: Final[dict[str, Check]] = {
    "as_of": integer(1),
    "points": list_of(
        object_of(
            {
                "point": members.random_id,
                "due": integer(0),
                "read": integer(0),
                "estimated": integer(0),
                "gaps": list_of(object_of(_SPAN)),
            }
        )
    ),
    "bills": list_of(
        object_of(
            {
                "point": members.random_id,
                **_SPAN,
                "billed_wh": integer(0),
                "read_wh": integer(0),
            }
        )
    ),
    "units": list_of(
        object_of(
            {
                "scheme": members.scheme,
                "code": members.project,
                "first": integer(0),
                "end": integer(1),
                "state": words(1, 40),
                "status": words(1, 40),
                "entry": integer(0),
            }
        )
    ),
    "claims": list_of(
        object_of(
            {
                "claim": members.random_id,
                "short": integer(0, 1),
                "reasons": list_of(words(1, 500)),
            }
        )
    ),
    "approval": one_of("four-eyes", "none"),
}
_reason_or_none: Final[Check] = or_empty(words(1, 500))


def period(value: object) -> None:
    """A month ``2026-03`` or a year ``2026``, from 1971 to 9998."""
    if not isinstance(value, str):
        raise VerificationError("it must be a text")
    first_of(value)


def month(value: object) -> None:
    """A month ``2026-03``, from 1971 to 9998."""
    period(value)
    if len(str(value)) != len("2026-03"):
        raise VerificationError("{value} is not a month such as 2026-03", value=str(value))


PERIOD_MEMBERS: Final[dict[str, dict[str, Check]]] = {
    "period.state": {
        "party": members.party_id,
        "period": period,
        "revision": integer(0),
        "state": one_of("provisional", *ENDED),
        "reason": _reason_or_none,
        "body": members.hash_reference(members.MEDIA + "period+json"),
    },
    "period.restate": {
        "party": members.party_id,
        "period": period,
        "revision": integer(0),
        "reason": words(1, 500),
    },
}


def first_of(name: str) -> datetime:
    match = _NAME.fullmatch(name)
    if match is None or not "1971" <= match[1] < "9999" or not "01" <= (match[2] or "01") <= "12":
        raise VerificationError(
            "{value} is not a month such as 2026-03 or a year such as 2026", value=name
        )
    return datetime(int(match[1]), int(match[2] or 1), 1, tzinfo=UTC)


def check_report(value: Mapping[str, Any]) -> None:
    """1. Of what was due there is not more than that, but for estimates among what was read.
    2. Units and gaps are no empty ranges.
    """
    for one in value["points"]:
        if one["estimated"] > one["read"]:
            raise VerificationError("more intervals are estimated than read")
        if any(gap["from"] >= gap["to"] for gap in one["gaps"]):
            raise VerificationError("a gap is empty")
    if any(one["first"] >= one["end"] for one in value["units"]):
        raise VerificationError("a range of units is empty")


PERIOD_BODIES: Final = {members.MEDIA + "period+json": (REPORT, check_report)}
