"""Forms of records and reports (formats.md §4.1, §4.15, §4.16): members of entries, and bodies."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import (
    MEDIA,
    Check,
    hash_reference,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    text,
)

PUBLIC_REGISTERS: Final = ("factors", "regime", "standard")
PRIVATE_REGISTERS: Final = ("activity", "document", "product")
REPORT_KINDS: Final = ("inventory", "balance", "scorecard", "footprint", "disclosure")
RECORD_SIZE_MAX: Final = 4 * 1024 * 1024
REPORT_SIZE_MAX: Final = 16 * 1024 * 1024

_NAME: Final[dict[str, Check]] = {
    "register": one_of(*PUBLIC_REGISTERS, *PRIVATE_REGISTERS),
    "name": members.slug,
    "replaces": or_empty(members.random_id),
}
RECORD_MEMBERS: Final[dict[str, dict[str, Check]]] = {
    "record.put": {**_NAME, "body": hash_reference(MEDIA + "record+json", RECORD_SIZE_MAX)},
    "record.end": {**_NAME, "reason": members.reason},
    "report.publish": {
        "kind": one_of(*REPORT_KINDS),
        "report": members.random_id,
        "replaces": or_empty(members.random_id),
        "as_of": integer(1),
        "body": hash_reference(MEDIA + "report+json", REPORT_SIZE_MAX),
    },
}


def _object(value: object) -> None:
    if not isinstance(value, dict):
        raise VerificationError("it must be an object")


def _any(value: object) -> None:
    del value


_ENTRY: Final[dict[str, Check]] = {
    "entry": integer(0),
    "type": text(1, 40),
    "hash": members.hash_hex,
    "how": one_of("new", "gone", "replaced"),
    "reason": or_empty(members.reason),
}
_INPUT: Final[dict[str, Check]] = {name: _ENTRY[name] for name in ("entry", "type", "hash")}
_MORE: Final[dict[str, Check]] = {"reason": members.reason, "replaces": integer(0)}
_CHANGE: Final[dict[str, Check]] = {"path": text(0, 10_000), "before": _any, "after": _any}
REPORT: Final[dict[str, Check]] = {
    "kind": one_of(*REPORT_KINDS),
    "as_of": integer(1),
    "about": _object,
    "result": _object,
    "changes": object_of(
        {"lines": list_of(object_of(_CHANGE)), "because": list_of(object_of(_ENTRY))}
    ),
}


def check_report(value: Mapping[str, Any]) -> None:
    """The result names the entries that it rests on, in order of the log, below ``as_of``."""
    inputs = value["result"].get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise VerificationError("result.inputs must be an array of objects")
    for one in inputs:
        more = {name: check for name, check in _MORE.items() if name in one}
        members.check_members(one, {**_INPUT, **more})
    places = [one["entry"] for one in inputs]
    if any(a >= b for a, b in pairwise(places)) or (places and places[-1] >= value["as_of"]):
        raise VerificationError("result.inputs must be in order of the log, and below as_of")


RECORD_BODIES: Final = {MEDIA + "report+json": (REPORT, check_report)}
