"""Leaves of the trees of units (formats.md §3.6): a batch, an owner, an act, each a JSON object.

Here each is judged by itself; what it has to do with its entry and with others is in ``chains``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.members import (
    Check,
    check_members,
    integer,
    list_of,
    object_of,
    one_of,
    or_empty,
    sorted_list,
    words,
)
from greenledger_verify.strict_json import STATEMENT_DEPTH_MAX, parse_object
from greenledger_verify.unitforms import (
    ACTS,
    COMPLIANCE,
    PURPOSES,
    RETIRE,
    SAME_UNITS,
    Range,
    check_span,
    parse_batch,
    require_apart,
)

NONCE_SIZE: Final = 16
JSON_SIZE_MAX: Final = 2**24

_NOTE = words(0, 500)
_DOCUMENT = or_empty(members.hash_hex)


def _full_batch(value: object) -> None:
    """``<scheme>/<code>/<revision>``."""
    scheme, _, rest = value.partition("/") if isinstance(value, str) else ("", "", "")
    members.scheme(scheme)
    parse_batch(rest)


_UNITS: Final[dict[str, Check]] = {
    "batch": _full_batch,
    "class": members.scheme,
    "first": integer(0),
    "end": integer(1),
}
_HOLDING: Final[dict[str, Check]] = {
    "holding": members.random_id,
    "class": members.scheme,
    "first": integer(0),
    "end": integer(1),
}
_BATCH: Final[dict[str, Check]] = {
    "batch": _full_batch,
    "first": integer(0),
    "end": integer(1),
    "from": members.time,
    "to": members.time,
    "expires": or_empty(members.time),
    "project": or_empty(members.project),
    "record": or_empty(members.random_id),
    "lots": sorted_list(members.lot_id, least=0),
    "eligible_wh": integer(0),
    "carried_wh": integer(0),
    "left_wh": integer(0),
    "holdings": list_of(object_of(_HOLDING)),
}
_OWNER: Final[dict[str, Check]] = {"holding": members.random_id, "owner": members.party_id}
_HELD: Final[dict[str, Check]] = {**_HOLDING, "batch": _full_batch, "moves": integer(0)}
_REASON: Final[dict[str, Check]] = {"reason": members.reason}
_TERMS: Final[dict[str, dict[str, Check]]] = {
    "transfer": {"document": _DOCUMENT, "note": _NOTE},
    "settle": {
        "contract": members.random_id,
        "month": members.month,
        "contract_wh": integer(0),
        "generation_wh": integer(0),
        "consumption_wh": integer(0),
        "settled_wh": integer(0),
        "document": _DOCUMENT,
    },
    "split": {"note": _NOTE},
    "merge": {"note": _NOTE},
    **dict.fromkeys(SAME_UNITS, _REASON),
    RETIRE: {
        "beneficiary": members.party_id,
        "purpose": one_of(*PURPOSES),
        "from": members.time,
        "to": members.time,
        "units": integer(1),
        "obligation": integer(0),
        "note": _NOTE,
    },
    **dict.fromkeys(("export", "expire", "withdraw", "cancel"), _REASON),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A range of units of one batch and class, as a holding has it."""

    holding: str
    batch: str
    unit_class: str
    moves: int
    first: int
    end: int

    @property
    def range(self) -> Range:
        return self.batch, self.unit_class, self.first, self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLeaf:
    """Numbers ``first`` … ``end`` of a code; ``members`` are those of §3.6, judged."""

    name: str
    first: int
    end: int
    lots: tuple[str, ...]
    holdings: tuple[Held, ...]
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActLeaf:
    """``ended`` and ``begun`` by holding; ``gone`` are ranges that nobody holds any more."""

    ended: Mapping[str, Held]
    begun: Mapping[str, Held]
    gone: tuple[Range, ...]
    terms: Mapping[str, Any]


def read_leaf(raw: bytes) -> dict[str, object]:
    """The JSON after the nonce, by the rules of a statement."""
    content = raw[NONCE_SIZE:]
    if len(content) > JSON_SIZE_MAX:
        raise VerificationError("the leaf has more than {max} bytes", max=JSON_SIZE_MAX)
    if content[:1] != b"{" or content[-1:] != b"}" or min(content) < 0x20:
        raise VerificationError("the leaf is not one line, one JSON object")
    return parse_object(content, depth_max=STATEMENT_DEPTH_MAX)


def batch_leaf(raw: bytes) -> BatchLeaf:
    """Its holdings fill it, without gap; where no lots stand behind it, no Wh do."""
    value: dict[str, Any] = read_leaf(raw)
    check_members(value, _BATCH)
    name = value["batch"]
    check_span(value["from"], value["to"])
    at = value["first"]
    for item in value["holdings"]:
        if item["first"] != at or item["end"] <= at:
            raise VerificationError(
                "the holdings of the batch {batch} leave a gap, or overlap, at {unit}",
                batch=name,
                unit=at,
            )
        at = item["end"]
    if at != value["end"] or at == value["first"]:
        raise VerificationError(
            "the holdings of the batch {batch} end at {given}, the batch at {expected}",
            batch=name,
            given=at,
            expected=value["end"],
        )
    if not value["lots"] and (value["eligible_wh"] or value["carried_wh"] or value["left_wh"]):
        raise VerificationError("the batch {batch} has Wh, but no lots behind it", batch=name)
    if value["lots"] and len({item["class"] for item in value["holdings"]}) > 1:
        raise VerificationError("the batch {batch} has lots, but is of several classes", batch=name)
    return BatchLeaf(
        name=name,
        first=value["first"],
        end=value["end"],
        lots=tuple(value["lots"]),
        holdings=tuple(_held({**item, "batch": name, "moves": 0}) for item in value["holdings"]),
        members=value,
    )


def owner_leaf(raw: bytes) -> tuple[str, str]:
    """Holding and owner."""
    value: dict[str, Any] = read_leaf(raw)
    check_members(value, _OWNER)
    return value["holding"], value["owner"]


def act_leaf(raw: bytes, act: str) -> ActLeaf:
    """What it begins and what is gone are exactly the ranges that it ends."""
    checks: dict[str, Check] = {
        "ended": list_of(object_of(_HELD)),
        "begun": list_of(object_of(_HELD)),
        "gone": list_of(object_of(_UNITS)),
        "terms": object_of(_TERMS[act]),
    }
    value: dict[str, Any] = read_leaf(raw)
    check_members(value, checks)
    with locate("member {name}", name="ended"):
        ended = _by_holding(value["ended"])
    with locate("member {name}", name="begun"):
        begun = _by_holding(value["begun"])
    gone = tuple((one["batch"], one["class"], one["first"], one["end"]) for one in value["gone"])
    in_order = [(batch, first) for batch, _, first, _ in gone]
    if in_order != sorted(set(in_order)) or any(one[2] >= one[3] for one in gone):
        raise VerificationError("what is gone is not in order, each once, or empty")
    if bool(gone) != ACTS[act].takes:
        raise VerificationError(
            "units are gone by an act that takes some, and only by such: {act} can't have {count} "
            "ranges gone",
            act=act,
            count=len(gone),
        )
    _require_even(ended, begun, gone)
    _check_terms(act, value["terms"], gone)
    return ActLeaf(ended=ended, begun=begun, gone=gone, terms=value["terms"])


def _by_holding(items: list[dict[str, Any]]) -> dict[str, Held]:
    names = [item["holding"] for item in items]
    if names != sorted(set(names)):
        raise VerificationError("the holdings are not in order, each once")
    return {item["holding"]: _held(item) for item in items}


def _held(item: Mapping[str, Any]) -> Held:
    if item["first"] >= item["end"]:
        raise VerificationError("the holding {holding} is empty", holding=item["holding"])
    return Held(
        holding=item["holding"],
        batch=item["batch"],
        unit_class=item["class"],
        moves=item["moves"],
        first=item["first"],
        end=item["end"],
    )


def _require_even(
    ended: Mapping[str, Held], begun: Mapping[str, Held], gone: tuple[Range, ...]
) -> None:
    """Begun and gone are exactly the ranges of ended, none twice, for each batch and class."""
    before = [one.range for one in ended.values()]
    after = [one.range for one in begun.values()] + list(gone)
    require_apart(before)
    require_apart(after)
    if _joined(before) != _joined(after):
        raise VerificationError(
            "it ends {ended}, but what it begins and takes is {after}",
            ended=[_written(one) for one in _joined(before)],
            after=[_written(one) for one in _joined(after)],
        )


def _joined(ranges: list[Range]) -> list[Range]:
    """In order, those that adjoin made one."""
    found: list[Range] = []
    for one in sorted(ranges):
        if found and found[-1][:2] == one[:2] and found[-1][3] == one[2]:
            found[-1] = (*found[-1][:3], one[3])
        else:
            found.append(one)
    return found


def _written(one: Range) -> str:
    batch, unit_class, first, end = one
    return f"{batch} {unit_class} {first}-{end}"


def _check_terms(act: str, terms: Mapping[str, Any], gone: tuple[Range, ...]) -> None:
    if act == RETIRE:
        check_span(terms["from"], terms["to"])
        units = sum(end - first for _, _, first, end in gone)
        if terms["units"] != units:
            raise VerificationError(
                "it retires {units} units, but says {given}", units=units, given=terms["units"]
            )
        if terms["obligation"] and terms["purpose"] not in COMPLIANCE:
            raise VerificationError(
                "an obligation stands only where the purpose is one of {allowed}",
                allowed=COMPLIANCE,
            )
    if act == "settle":
        least = min(terms["contract_wh"], terms["generation_wh"], terms["consumption_wh"])
        if terms["settled_wh"] != least:
            raise VerificationError(
                "settled_wh is {given}, the least of the three is {expected}",
                given=terms["settled_wh"],
                expected=least,
            )
