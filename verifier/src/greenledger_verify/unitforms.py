"""Entries on units, schemes, projects, reductions and statements (formats.md §4, §4.1): the form of
each by itself, and what each act on units does.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import (
    MEDIA,
    Check,
    hash_reference,
    integer,
    one_of,
    or_empty,
    root_reference,
    sorted_list,
)
from greenledger_verify.strict_json import INTEGER_MAX

PURPOSES: Final = (
    "voluntary",
    "ets-compliance",
    "local-compliance",
    "green-power",
    "consumption-obligation",
    "neutrality",
)
COMPLIANCE: Final = ("ets-compliance", "local-compliance")
STATEMENT_KINDS: Final = ("gec", "green-trade", "credits")
ACTIVE: Final = "active"
FROZEN: Final = "frozen"
RETIRE: Final = "retire"
RELEASE: Final = "release"

_DECIMAL = r"(?:0|[1-9][0-9]{0,15})"
_BATCH = re.compile(r"([A-Za-z0-9._-]{1,64})/(0|[1-9][0-9]{0,5})")
_SERIAL = re.compile(rf"([A-Za-z0-9._-]{{1,64}}/(?:0|[1-9][0-9]{{0,5}})):({_DECIMAL})-({_DECIMAL})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an act on holdings may end and what it begins (``""``: in the state of what it ends);
    ``takes`` says that units are gone by it, ``operator`` that it is the operator's, ``either``
    that it may be the operator's as well as the owner's.
    """

    ends: tuple[str, ...]
    begins: str = ACTIVE
    operator: bool = False
    either: bool = False
    takes: bool = False


# formats.md §4.1, the table of acts.
ACTS: Final[Mapping[str, Act]] = {
    "transfer": Act(ends=(ACTIVE, "reserved")),
    "settle": Act(ends=(ACTIVE, "reserved", "locked"), operator=True),
    "split": Act(ends=(ACTIVE, "reserved", "locked", FROZEN), begins="", either=True),
    "merge": Act(ends=(ACTIVE,), either=True),
    "reserve": Act(ends=(ACTIVE,), begins="reserved"),
    "lock": Act(ends=(ACTIVE, "reserved"), begins="locked"),
    "freeze": Act(ends=(ACTIVE, "reserved", "locked"), begins=FROZEN, operator=True),
    RELEASE: Act(ends=("reserved", "locked", FROZEN)),
    RETIRE: Act(ends=(ACTIVE, "reserved", "locked"), takes=True),
    "export": Act(ends=(ACTIVE, "reserved"), takes=True),
    "expire": Act(ends=(ACTIVE, "reserved", "locked", FROZEN), operator=True, takes=True),
    "withdraw": Act(ends=(ACTIVE, "reserved", "locked", FROZEN), operator=True, takes=True),
    "cancel": Act(ends=(ACTIVE, "reserved", "locked", FROZEN), operator=True, takes=True),
}
SAME_UNITS: Final = ("reserve", "lock", "freeze", RELEASE)
HANDS_OVER: Final = ("transfer", "settle")


def parse_batch(value: object) -> tuple[str, int]:
    """``<code>/<revision>``: a revision of six digits at most, without leading zeros."""
    match = _BATCH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise VerificationError("{value} is not a batch <code>/<revision>", value=value)
    return match[1], int(match[2])


def _batch(value: object) -> None:
    parse_batch(value)


def _serial(value: object) -> None:
    _parse_serial(value)


def _parse_serial(value: object) -> tuple[str, int, int]:
    """``<code>/<revision>:<first>-<end>``, half-open."""
    match = _SERIAL.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[2]) < int(match[3]) <= INTEGER_MAX:
        raise VerificationError(
            "{value} is not a range <code>/<revision>:<first>-<end>, half-open", value=value
        )
    return match[1], int(match[2]), int(match[3])


UNIT_MEMBERS: Final[dict[str, dict[str, Check]]] = {
    "scheme.register": {
        "scheme": members.scheme,
        "replaces": or_empty(members.random_id),
        "body": hash_reference(MEDIA + "scheme+json"),
    },
    "project.register": {
        "scheme": members.scheme,
        "project": members.project,
        "replaces": or_empty(members.random_id),
        "body": hash_reference(MEDIA + "project+json"),
    },
    "unit.issue": {
        "scheme": members.scheme,
        "state": one_of(ACTIVE, FROZEN),
        "batches": sorted_list(_batch, least=1),
        "spends": sorted_list(members.lot_id, least=0),
        "wraps": sorted_list(members.lot_id, least=0),
        "begins": sorted_list(members.random_id, least=1),
        "body": root_reference(MEDIA + "units", leaves_min=1),
    },
    "unit.move": {
        "act": one_of(*ACTS),
        "retirement": or_empty(members.random_id),
        "ends": sorted_list(members.random_id, least=1),
        "begins": sorted_list(members.random_id, least=0),
        "body": root_reference(MEDIA + "units", leaves_min=1),
    },
    "unit.disclose": {
        "retirement": members.random_id,
        "scheme": members.scheme,
        "units": integer(1),
        "beneficiary": members.party_id,
        "purpose": one_of(*PURPOSES),
        "from": members.time,
        "to": members.time,
        "serials": sorted_list(_serial, least=1),
    },
    "reduction.record": {
        "record": members.random_id,
        "scheme": members.scheme,
        "project": members.project,
        "body": hash_reference(MEDIA + "reduction+json"),
    },
    "reduction.verify": {
        "record": members.random_id,
        "body": hash_reference(MEDIA + "verification+json"),
    },
    "reduction.reverse": {
        "scheme": members.scheme,
        "project": members.project,
        "body": hash_reference(MEDIA + "reversal+json"),
    },
    "statement.import": {
        "kind": one_of(*STATEMENT_KINDS),
        "body": hash_reference(MEDIA + "statement+json"),
    },
}


def check_unit_form(kind: str, statement: Mapping[str, Any]) -> None:
    """What formats.md §4.1 asks of several members of one entry together."""
    if kind == "unit.issue":
        _check_size(statement, len(statement["batches"]) + len(statement["begins"]) + 1)
        both = sorted(set(statement["spends"]) & set(statement["wraps"]))
        if both:
            raise VerificationError("it both spends and wraps the lot {lot}", lot=both[0])
    elif kind == "unit.move":
        _check_move(statement)
    elif kind == "unit.disclose":
        _check_disclosure(statement)


def _check_size(statement: Mapping[str, Any], expected: int) -> None:
    if statement["body"]["size"] != expected:
        raise VerificationError(
            "body has {given} leaves, not the {expected} of its members",
            given=statement["body"]["size"],
            expected=expected,
        )


def _check_move(statement: Mapping[str, Any]) -> None:
    act, ends, begins = statement["act"], len(statement["ends"]), len(statement["begins"])
    _check_size(statement, begins + 1)
    both = sorted(set(statement["ends"]) & set(statement["begins"]))
    if both:
        raise VerificationError("the holding {holding} both begins and ends in it", holding=both[0])
    if (act == RETIRE) != bool(statement["retirement"]):
        raise VerificationError("a retirement is named exactly by the act retire")
    if not counts_fit(act, ends, begins):
        raise VerificationError(
            "{act} can't end {ends} holdings and begin {begins}", act=act, ends=ends, begins=begins
        )


def counts_fit(act: str, ends: int, begins: int) -> bool:
    """Whether the act may end and begin so many holdings."""
    if act == "split":
        return ends == 1 and begins >= 2
    if act == "merge":
        return ends >= 2 and begins == 1
    if act in SAME_UNITS:
        return begins == ends
    return begins >= 1 or act not in HANDS_OVER


def _check_disclosure(statement: Mapping[str, Any]) -> None:
    check_span(statement["from"], statement["to"])
    ranges = [_parse_serial(serial) for serial in statement["serials"]]
    require_apart([(batch, "", first, end) for batch, first, end in ranges])
    units = sum(end - first for _, first, end in ranges)
    if units != statement["units"]:
        raise VerificationError(
            "the serials are {given} units, not {expected}",
            given=units,
            expected=statement["units"],
        )


def check_span(start: str, end: str) -> None:
    if members.parse_time(start) >= members.parse_time(end):
        raise VerificationError("the time from {start} to {end} is empty", start=start, end=end)


Range = tuple[str, str, int, int]
"""Batch, class, first, end: a half-open range of numbers of one batch."""


def require_apart(ranges: Sequence[Range]) -> None:
    """No number of a batch stands in two of the ranges."""
    in_order = sorted((batch, first, end) for batch, _, first, end in ranges)
    for (batch, first, end), (next_batch, next_first, next_end) in pairwise(in_order):
        if batch == next_batch and next_first < end:
            raise VerificationError(
                "the units {first}-{end} and {next_first}-{next_end} of the batch {batch} overlap",
                first=first,
                end=end,
                next_first=next_first,
                next_end=next_end,
                batch=batch,
            )
