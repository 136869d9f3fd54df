"""What the leaves of a body of units say, as values (docs/formats.md §3.6). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.lots.entries import LOTS_OR_NONE
from ledger.registry import lifecycle
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import PURPOSES
from ledger.units import Period, format_instant, parse_instant

CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_BATCH = re.compile(r"([a-z][a-z0-9-]{0,39})/([A-Za-z0-9._-]{1,64})/(0|[1-9][0-9]{0,5})", re.ASCII)

SCHEME: Final = e.PARTY
CODE_OR_NONE: Final = Member(
    expected="up to 64 characters of A-Z a-z 0-9 . _ -",
    check=lambda value: isinstance(value, str) and (not value or bool(CODE.fullmatch(value))),
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BatchId:
    """`<scheme>/<code>/<revision>`."""

    scheme: str
    code: str
    revision: int

    def __str__(self) -> str:
        return f"{self.scheme}/{self.code}/{self.revision}"

    @property
    def short(self) -> str:
        """Without the scheme: as `batches` of a statement say it."""
        return f"{self.code}/{self.revision}"


def parse_batch(text: str) -> BatchId:
    """Raises InvalidInput."""
    found = _BATCH.fullmatch(text)
    if not found:
        raise InvalidInput(f"batch {text[:80]!r} is not of the form <scheme>/<code>/<revision>")
    return BatchId(scheme=found[1], code=found[2], revision=int(found[3]))


def _is_batch(value: Any) -> bool:
    return isinstance(value, str) and _BATCH.fullmatch(value) is not None


_NAMED: Final = Member(expected="a batch <scheme>/<code>/<revision>", check=_is_batch)
_LIST: Final = Member(expected="an array", check=lambda value: isinstance(value, list))
_OBJECT: Final = Member(expected="an object", check=lambda value: isinstance(value, dict))
_RANGE: Final[Mapping[str, Member]] = {"first": e.COUNT, "end": e.COUNT}
_BATCH_MEMBERS: Final[Mapping[str, Member]] = {
    "batch": _NAMED,
    **_RANGE,
    "from": e.INSTANT,
    "to": e.INSTANT,
    "expires": e.INSTANT_OR_NONE,
    "project": CODE_OR_NONE,
    "record": e.ID_OR_NONE,
    "lots": LOTS_OR_NONE,
    "eligible_wh": e.COUNT,
    "carried_wh": e.COUNT,
    "left_wh": e.COUNT,
    "holdings": _LIST,
}
_HOLDING_MEMBERS: Final[Mapping[str, Member]] = {"holding": e.ID, "class": e.PARTY, **_RANGE}
_PIECE_MEMBERS: Final[Mapping[str, Member]] = {
    "holding": e.ID,
    "batch": _NAMED,
    "class": e.PARTY,
    "moves": e.COUNT,
    **_RANGE,
}
_GONE_MEMBERS: Final[Mapping[str, Member]] = {"batch": _NAMED, "class": e.PARTY, **_RANGE}
_PAPER_MEMBERS: Final[Mapping[str, Member]] = {
    "document": e.HASH_OR_NONE,
    "note": e.REASON_OR_NONE,
}
_MONTH: Final = Member(
    expected="a month 2026-01",
    check=lambda value: (
        isinstance(value, str)
        and re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", value, re.ASCII) is not None
        and value[:4] != "0000"
    ),
)
_NOTE: Final[Mapping[str, Member]] = {"note": e.REASON_OR_NONE}
_WHY: Final[Mapping[str, Member]] = {"reason": e.REASON}
_TERMS: Final[Mapping[str, Mapping[str, Member]]] = {
    lifecycle.TRANSFER: _PAPER_MEMBERS,
    lifecycle.SETTLE: {
        "contract": e.ID,
        "month": _MONTH,
        "contract_wh": e.COUNT,
        "generation_wh": e.COUNT,
        "consumption_wh": e.COUNT,
        "settled_wh": e.COUNT,
        "document": e.HASH_OR_NONE,
    },
    lifecycle.SPLIT: _NOTE,
    lifecycle.MERGE: _NOTE,
    **dict.fromkeys(sorted(lifecycle.MARKING), _WHY),
    lifecycle.RETIRE: {
        "beneficiary": e.PARTY,
        "purpose": e.one_of(*PURPOSES),
        "from": e.INSTANT,
        "to": e.INSTANT,
        "units": e.COUNT,
        "obligation": e.COUNT,
        "note": e.REASON_OR_NONE,
    },
    **dict.fromkeys(sorted(lifecycle.FINAL - {lifecycle.RETIRE}), _WHY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedHolding:
    """A holding of a batch as it was issued."""

    holding: bytes
    class_: str
    units: SerialRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """An import or issue of units. `expires_s`: None for never. The Wh are 0 without lots."""

    id: BatchId
    units: SerialRange
    period: Period
    expires_s: int | None
    holdings: tuple[IssuedHolding, ...]
    project: str = ""
    record: str = ""
    lots: tuple[bytes, ...] = ()
    eligible_wh: int = 0
    carried_wh: int = 0
    left_wh: int = 0

    @property
    def class_(self) -> str:
        """Of its first holding; a batch with lots has one class."""
        return self.holdings[0].class_

    def to_json(self) -> dict[str, Any]:
        return {
            "batch": str(self.id),
            **_range_json(self.units),
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "expires": "" if self.expires_s is None else format_instant(self.expires_s),
            "project": self.project,
            "record": self.record,
            "lots": [lot.hex() for lot in self.lots],
            "eligible_wh": self.eligible_wh,
            "carried_wh": self.carried_wh,
            "left_wh": self.left_wh,
            "holdings": [
                {
                    "holding": one.holding.hex(),
                    "class": one.class_,
                    **_range_json(one.units),
                }
                for one in self.holdings
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Batch:
        """Raises InvalidInput, also where the holdings do not fill the batch."""
        e.check_members(value, _BATCH_MEMBERS)
        holdings = [
            IssuedHolding(
                holding=bytes.fromhex(one["holding"]), class_=one["class"], units=_range(one)
            )
            for one in _objects(value["holdings"], _HOLDING_MEMBERS, "holdings")
        ]
        found = cls(
            id=parse_batch(value["batch"]),
            units=_range(value),
            period=Period(start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])),
            expires_s=parse_instant(value["expires"]) if value["expires"] else None,
            holdings=tuple(holdings),
            project=value["project"],
            record=value["record"],
            lots=tuple(bytes.fromhex(lot) for lot in value["lots"]),
            eligible_wh=value["eligible_wh"],
            carried_wh=value["carried_wh"],
            left_wh=value["left_wh"],
        )
        if not found.lots and (found.eligible_wh or found.carried_wh or found.left_wh):
            raise InvalidInput(f"batch {found.id}: it has Wh, but no lots behind it")
        at = found.units.first
        for holding in found.holdings:
            if holding.units.first != at:
                raise InvalidInput(f"batch {found.id}: its holdings leave a gap at unit {at}")
            at = holding.units.end
        if at != found.units.end:
            raise InvalidInput(
                f"batch {found.id}: its holdings end at {at}, it ends at {found.units.end}"
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A holding as an act ends or begins it. `moves`: how often its units changed hands."""

    holding: bytes
    batch: BatchId
    class_: str
    moves: int
    units: SerialRange

    def to_json(self) -> dict[str, Any]:
        return {
            "holding": self.holding.hex(),
            "batch": str(self.batch),
            "class": self.class_,
            "moves": self.moves,
            **_range_json(self.units),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Piece:
        return cls(
            holding=bytes.fromhex(value["holding"]),
            batch=parse_batch(value["batch"]),
            class_=value["class"],
            moves=value["moves"],
            units=_range(value),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Units that are of no more use here."""

    batch: BatchId
    units: SerialRange
    class_: str

    def to_json(self) -> dict[str, Any]:
        return {"batch": str(self.batch), "class": self.class_, **_range_json(self.units)}


def in_order(found: Iterable[Gone]) -> list[Gone]:
    """By batch, as text, and units: as the format has them."""
    return sorted(found, key=lambda one: (str(one.batch), one.units, one.class_))


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a `unit.move` does. `terms`: by act, as docs/formats.md §3.6 lists them."""

    ended: tuple[Piece, ...]
    begun: tuple[Piece, ...]
    gone: tuple[Gone, ...]
    terms: Mapping[str, Any] = field(default_factory=dict)

    @property
    def gone_units(self) -> int:
        return sum(len(one.units) for one in self.gone)

    def to_json(self) -> dict[str, Any]:
        return {
            "ended": [one.to_json() for one in self.ended],
            "begun": [one.to_json() for one in self.begun],
            "gone": [one.to_json() for one in self.gone],
            "terms": dict(self.terms),
        }

    @classmethod
    def from_json(cls, act: str, value: Mapping[str, Any]) -> Act:
        """Raises InvalidInput for wrong members, and for lists out of order."""
        members = {"ended": _LIST, "begun": _LIST, "gone": _LIST, "terms": _OBJECT}
        e.check_members(value, members)
        e.check_members(value["terms"], _TERMS[act])
        found = cls(
            ended=tuple(map(Piece.from_json, _objects(value["ended"], _PIECE_MEMBERS, "ended"))),
            begun=tuple(map(Piece.from_json, _objects(value["begun"], _PIECE_MEMBERS, "begun"))),
            gone=tuple(
                Gone(batch=parse_batch(one["batch"]), units=_range(one), class_=one["class"])
                for one in _objects(value["gone"], _GONE_MEMBERS, "gone")
            ),
            terms=value["terms"],
        )
        if list(found.gone) != in_order(set(found.gone)):
            raise InvalidInput("what is gone stands in order, by batch and unit, none twice")
        if bool(found.gone) != (act in lifecycle.FINAL):
            raise InvalidInput(f"{act}: units are gone exactly where the act is final")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What retired units are used for. `obligation`: units owed in all, for compliance."""

    beneficiary: str
    purpose: str
    period: Period
    obligation: int = 0
    note: str = ""

    def to_json(self, units: int) -> dict[str, Any]:
        return {
            "beneficiary": self.beneficiary,
            "purpose": self.purpose,
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "units": units,
            "obligation": self.obligation,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, terms: Mapping[str, Any]) -> Use:
        return cls(
            beneficiary=terms["beneficiary"],
            purpose=terms["purpose"],
            period=Period(start_s=parse_instant(terms["from"]), end_s=parse_instant(terms["to"])),
            obligation=terms["obligation"],
            note=terms["note"],
        )


def owner_leaf(holding: bytes, owner: str) -> dict[str, Any]:
    return {"holding": holding.hex(), "owner": owner}


def owner_of(value: Mapping[str, Any], holding: str) -> str:
    """Raises InvalidInput unless the leaf says whose `holding` is."""
    e.check_members(value, {"holding": e.ID, "owner": e.PARTY})
    if value["holding"] != holding:
        raise InvalidInput(f"an owner leaf is of holding {value['holding']}, not {holding}")
    return str(value["owner"])


def check_paper(value: Mapping[str, Any]) -> None:
    e.check_members(value, _PAPER_MEMBERS)


def _objects(
    value: Iterable[Any], members: Mapping[str, Member], what: str
) -> Sequence[Mapping[str, Any]]:
    found = []
    for one in value:
        if not isinstance(one, dict):
            raise InvalidInput(f"{what} holds {str(one)[:40]!r}, which is no object")
        e.check_members(one, members)
        found.append(one)
    return found


def _range(value: Mapping[str, Any]) -> SerialRange:
    return SerialRange(first=value["first"], end=value["end"])


def _range_json(units: SerialRange) -> dict[str, int]:
    return {"first": units.first, "end": units.end}
