"""Standards as data: each clause, what answers it, and from which value on. Pure.

A line is one demand that can be answered; where a clause makes several, the others are parts of it,
such as `7.5.1/rules`. Which figures can be computed, `figures.known` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.units import format_instant, parse_instant

REGISTER: Final = "standard"
COMPUTED: Final = "computed"
EVIDENCE: Final = "evidence"
SHALL: Final = "shall"
OBLIGATIONS: Final = (SHALL, "should", "may")
STATUSES: Final = ("official", "secondary", "unverified")
CLAUSES_MAX: Final = 1_000


def _text(pattern: str, expected: str) -> Member:
    def check(value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None

    return Member(expected=expected, check=check)


def _is_texts(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"zh", "en"}
        and all(map(e.REASON.check, value.values()))
    )


def _objects(members: Mapping[str, Member]) -> Member:
    def check(value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(one, dict)
            and set(one) == set(members)
            and all(member.check(one[name]) for name, member in members.items())
            for one in value
        )

    return Member(expected=f"an array of {{{', '.join(members)}}}", check=check)


TEXTS: Final = Member(expected="{zh, en}, 1–500 characters each", check=_is_texts)
NUMBER: Final = _text(r"[A-Za-z0-9][A-Za-z0-9.-]{0,31}", "1–32 characters of A-Z a-z 0-9 . -")
_OR_NONE: Final = r"(?:[a-z0-9][a-z0-9-]{0,63})?"
SLUG_OR_NONE: Final = _text(_OR_NONE, "1–64 characters of a-z 0-9 -, or empty")
DECIMAL: Final = _text(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?", "a decimal number such as 0.2")
DECIMAL_OR_NONE: Final = Member(
    expected=f"{DECIMAL.expected}, or empty",
    check=lambda value: value == "" or DECIMAL.check(value),
)
UNIT: Final = _text(r"[A-Za-z0-9%/ ]{1,32}", "a unit, 1–32 characters")
_DATE_OR_NONE: Final = _text(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?", "a date 2026-01-01, or empty")
_STATUS_OR_NONE: Final = e.one_of("", *STATUSES)

_THRESHOLD: Final[Mapping[str, Member]] = {
    "op": e.one_of(">=", ">", "<="),
    "value": DECIMAL,
    "unit": UNIT,
    "from": e.INSTANT_OR_NONE,
    "to": e.INSTANT_OR_NONE,
    "source": e.REASON_OR_NONE,
    "status": _STATUS_OR_NONE,
}
_APPLIES: Final[Mapping[str, Member]] = {
    "figure": SLUG_OR_NONE,
    "unit": UNIT,
    "from": DECIMAL_OR_NONE,
    "below": DECIMAL_OR_NONE,
}
_CLAUSE: Final[Mapping[str, Member]] = {
    "clause": NUMBER,
    "part": SLUG_OR_NONE,
    "title": TEXTS,
    "kind": e.one_of(COMPUTED, EVIDENCE),
    "obligation": e.one_of(*OBLIGATIONS),
    "figure": SLUG_OR_NONE,
    "thresholds": _objects(_THRESHOLD),
    "applies": _objects(_APPLIES),
    "closes": TEXTS,
}
_SECTION: Final[Mapping[str, Member]] = {"number": NUMBER, "title": TEXTS}
_NOTE: Final[Mapping[str, Member]] = {
    "clause": Member(
        expected="a clause's number, or empty",
        check=lambda value: value == "" or NUMBER.check(value),
    ),
    "zh": e.REASON,
    "en": e.REASON,
}
_MEMBERS: Final[Mapping[str, Member]] = {
    "title": TEXTS,
    "source": e.REASON,
    "status": e.one_of(*STATUSES),
    "issued": _DATE_OR_NONE,
    "sections": _objects(_SECTION),
    "notes": _objects(_NOTE),
    "clauses": _objects({}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The same in Chinese and English."""

    zh: str
    en: str

    def to_json(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Texts:
        return cls(zh=value["zh"], en=value["en"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From which value on a figure is enough, from a time to another (None: always).

    `source`, `status`: its own, where it is not the standard's.
    """

    op: str
    value: str
    unit: str
    from_s: int | None = None
    to_s: int | None = None
    source: str = ""
    status: str = ""

    def in_force(self, at_s: int) -> bool:
        begun = self.from_s is None or self.from_s <= at_s
        return begun and (self.to_s is None or at_s < self.to_s)

    def holds(self, value: Fraction) -> bool:
        """Exactly: nothing is rounded on the way."""
        wanted = Fraction(Decimal(self.value))
        if self.op == ">=":
            return value >= wanted
        return value > wanted if self.op == ">" else value <= wanted

    def wants_all(self) -> bool:
        """Of a set the whole: some of it is a part of the way."""
        return (self.op, self.unit) == (">=", "%") and Decimal(self.value) == 100

    def to_json(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "value": self.value,
            "unit": self.unit,
            "from": "" if self.from_s is None else format_instant(self.from_s),
            "to": "" if self.to_s is None else format_instant(self.to_s),
            "source": self.source,
            "status": self.status,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Threshold:
        return cls(
            op=value["op"],
            value=value["value"],
            unit=value["unit"],
            from_s=parse_instant(value["from"]) if value["from"] else None,
            to_s=parse_instant(value["to"]) if value["to"] else None,
            source=value["source"],
            status=value["status"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A clause holds only for parks whose figure is `from_` or more, and less than `below`."""

    figure: str
    unit: str
    from_: str
    below: str

    def holds(self, value: Fraction) -> bool:
        enough = not self.from_ or value >= Fraction(Decimal(self.from_))
        return enough and (not self.below or value < Fraction(Decimal(self.below)))

    def to_json(self) -> dict[str, Any]:
        return {
            "figure": self.figure,
            "unit": self.unit,
            "from": self.from_,
            "below": self.below,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One demand. `figure`: what is computed, or what its documents have to state."""

    clause: str
    part: str = ""
    title: Texts
    kind: str
    obligation: str
    figure: str = ""
    thresholds: tuple[Threshold, ...] = ()
    applies: tuple[Condition, ...] = ()
    closes: Texts

    @property
    def id(self) -> str:
        return f"{self.clause}/{self.part}" if self.part else self.clause

    def threshold_at(self, at_s: int) -> Threshold | None:
        """The one in force then; None where a clause gives no value."""
        return next((one for one in self.thresholds if one.in_force(at_s)), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "clause": self.clause,
            "part": self.part,
            "title": self.title.to_json(),
            "kind": self.kind,
            "obligation": self.obligation,
            "figure": self.figure,
            "thresholds": [one.to_json() for one in self.thresholds],
            "applies": [one.to_json() for one in self.applies],
            "closes": self.closes.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Clause:
        return cls(
            clause=value["clause"],
            part=value["part"],
            title=Texts.from_json(value["title"]),
            kind=value["kind"],
            obligation=value["obligation"],
            figure=value["figure"],
            thresholds=tuple(map(Threshold.from_json, value["thresholds"])),
            applies=tuple(
                Condition(
                    figure=one["figure"], unit=one["unit"], from_=one["from"], below=one["below"]
                )
                for one in value["applies"]
            ),
            closes=Texts.from_json(value["closes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """`sections`: {number: title} of groups of clauses. `notes`: (clause or "", text), on what the
    text of the standard leaves open or has wrong."""

    title: Texts
    source: str
    status: str
    issued: str
    sections: Mapping[str, Texts]
    notes: tuple[tuple[str, Texts], ...]
    clauses: tuple[Clause, ...]

    def section_of(self, clause: str) -> str:
        """The number of its section, or `""`: the longest that begins the clause's."""
        fitting = [
            number
            for number in self.sections
            if clause == number or clause.startswith((f"{number}.", f"{number}-"))
        ]
        return max(fitting, key=len, default="")

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title.to_json(),
            "source": self.source,
            "status": self.status,
            "issued": self.issued,
            "sections": [
                {"number": number, "title": title.to_json()}
                for number, title in self.sections.items()
            ],
            "notes": [{"clause": clause, **text.to_json()} for clause, text in self.notes],
            "clauses": [one.to_json() for one in self.clauses],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Standard:
        """Raises InvalidInput for missing, unknown or wrong members, and what can't be answered."""
        e.check_members({**value, "clauses": []}, _MEMBERS)
        clauses = value.get("clauses")
        if not isinstance(clauses, list) or not 0 < len(clauses) <= CLAUSES_MAX:
            raise InvalidInput(f"clauses is an array of 1 to {CLAUSES_MAX} objects")
        for place, one in enumerate(clauses):
            _check_clause(place, one)
        found = cls(
            title=Texts.from_json(value["title"]),
            source=value["source"],
            status=value["status"],
            issued=value["issued"],
            sections={one["number"]: Texts.from_json(one["title"]) for one in value["sections"]},
            notes=tuple((one["clause"], Texts.from_json(one)) for one in value["notes"]),
            clauses=tuple(map(Clause.from_json, clauses)),
        )
        _require_answerable(found.clauses)
        return found


def _check_clause(place: int, value: Any) -> None:
    if not isinstance(value, dict):
        raise InvalidInput(f"clause {place} is no object")
    try:
        e.check_members(value, _CLAUSE)
    except InvalidInput as error:
        raise InvalidInput(f"clause {value.get('clause', place)}: {error}") from error


def _require_answerable(clauses: Sequence[Clause]) -> None:
    seen: set[str] = set()
    for one in clauses:
        if one.id in seen:
            raise InvalidInput(f"clause {one.id} stands twice; give what is another demand a part")
        seen.add(one.id)
        if one.kind == COMPUTED and not (one.figure and one.thresholds):
            raise InvalidInput(f"clause {one.id} is computed: it needs a figure and a threshold")
        if one.thresholds and not one.figure:
            raise InvalidInput(f"clause {one.id} has a threshold, but no figure that it is of")
        _require_in_order(one)


def _require_in_order(one: Clause) -> None:
    for before, after in zip(one.thresholds, one.thresholds[1:], strict=False):
        if before.to_s is None or after.from_s is None or after.from_s < before.to_s:
            raise InvalidInput(
                f"clause {one.id}: thresholds stand in order of time, one in force at a time"
            )
    for threshold in one.thresholds:
        if (
            threshold.from_s is not None
            and threshold.to_s is not None
            and threshold.to_s <= threshold.from_s
        ):
            raise InvalidInput(f"clause {one.id}: a threshold ends before it begins")
