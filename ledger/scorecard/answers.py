"""How each clause is answered: by what the ledger computes, or by signed evidence, or not. Pure.

1. A clause that holds for some parks only is not applicable where its condition is not met.
2. What can be computed is compared with the threshold in force, exactly; no document changes that.
   Of what has to be all, some is partly.
3. Else the documents about the clause speak that are valid when the period is judged: one that says
   that the clause has nothing to apply to; one that states the figure, which is compared. One that
   states no number where the clause asks for one answers it partly.
4. Else it is a gap, and the clause says what would close it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from ledger.scorecard.evidence import NOT_APPLICABLE, Evidence
from ledger.scorecard.figures.model import Computed, Figure, Missing
from ledger.scorecard.standard import COMPUTED, EVIDENCE, OBLIGATIONS, Clause, Texts, Threshold

MET: Final = "met"
PARTLY: Final = "partly"
NOT_MET: Final = "not-met"
GAP: Final = "gap"
NONE: Final = "not-applicable"
ANSWERS: Final = (MET, PARTLY, NOT_MET, GAP, NONE)
# Nothing is left to do for these.
CLOSED: Final = frozenset({MET, NONE})
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`by`: computed, evidence, or `""` of a gap. `value`: what was compared, in `unit`. `why`: of
    what has no figure."""

    clause: Clause
    answer: str
    by: str = ""
    value: Fraction | None = None
    unit: str = ""
    figure: Figure | None = None
    threshold: Threshold | None = None
    why: Texts | None = None
    evidence: tuple[Evidence, ...] = ()

    def to_json(self, at_s: int) -> dict[str, Any]:
        one, figure = self.clause, self.figure
        return {
            "id": one.id,
            "clause": one.clause,
            "part": one.part,
            "title": one.title.to_json(),
            "kind": one.kind,
            "obligation": one.obligation,
            "answer": self.answer,
            "by": self.by,
            "figure": one.figure,
            "value": "" if self.value is None else shown(self.value, self.threshold),
            "unit": self.unit,
            "numerator": figure.numerator if figure else 0,
            "denominator": figure.denominator if figure else 0,
            "regime": figure.regime if figure else "",
            "definition": figure.definition.to_json() if figure else "",
            "details": [dict(detail) for detail in figure.details] if figure else [],
            "threshold": self.threshold.to_json() if self.threshold else "",
            "why": self.why.to_json() if self.why else "",
            "evidence": [found.to_json(at_s) for found in self.evidence],
            "closes": "" if self.answer in CLOSED else one.closes.to_json(),
        }


def shown(value: Fraction, threshold: Threshold | None) -> str:
    """Four decimals, rounded to the side that does not meet the threshold: what falls short never
    reads as if it did not."""
    scaled = value * 10**_DIGITS
    up = threshold is not None and threshold.op == "<="
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.__floor__()
    digits = f"{abs(whole):0{_DIGITS + 1}}"
    text = f"{digits[:-_DIGITS]}.{digits[-_DIGITS:]}".rstrip("0").removesuffix(".")
    return f"-{text}" if whole < 0 else text


def answer(
    clause: Clause, figures: Mapping[str, Computed], documents: Sequence[Evidence], at_s: int
) -> Answer:
    """`figures`: at least those that the clause names and that can be computed. `documents`: all
    about it, ranked."""
    found = _answer(clause, figures, [one for one in documents if one.in_force(at_s)], at_s)
    return replace(found, evidence=tuple(documents))


def _answer(
    clause: Clause, figures: Mapping[str, Computed], valid: Sequence[Evidence], at_s: int
) -> Answer:
    for condition in clause.applies:
        known = figures[condition.figure]
        if isinstance(known, Missing):
            return Answer(clause=clause, answer=GAP, why=known.why)
        if not condition.holds(known.value):
            return Answer(
                clause=clause, answer=NONE, by=COMPUTED, value=known.value, unit=known.unit
            )
    threshold = clause.threshold_at(at_s)
    found = figures[clause.figure] if clause.kind == COMPUTED else None
    if isinstance(found, Figure):
        return _compared(clause, found.value, found.unit, threshold, figure=found)
    return replace(
        _by_evidence(clause, valid, threshold), why=found.why if found is not None else None
    )


def _compared(
    clause: Clause,
    value: Fraction,
    unit: str,
    threshold: Threshold | None,
    *,
    figure: Figure | None = None,
) -> Answer:
    by = EVIDENCE if figure is None else COMPUTED
    known = Answer(
        clause=clause,
        answer=GAP,
        by=by,
        value=value,
        unit=unit,
        figure=figure,
        threshold=threshold,
    )
    if threshold is None:
        why = Texts(zh="当时没有有效的限值", en="no threshold was in force then")
        return replace(known, by="", why=why)
    if threshold.holds(value):
        return replace(known, answer=MET)
    return replace(known, answer=PARTLY if threshold.wants_all() and value > 0 else NOT_MET)


def _by_evidence(clause: Clause, valid: Sequence[Evidence], threshold: Threshold | None) -> Answer:
    if not valid:
        return Answer(clause=clause, answer=GAP, threshold=threshold)
    first = valid[0]
    if first.figure is not None and first.figure.name == NOT_APPLICABLE:
        return Answer(clause=clause, answer=NONE, by=EVIDENCE)
    if threshold is None:
        return Answer(clause=clause, answer=MET, by=EVIDENCE)
    for one in valid:
        stated = one.figure
        if stated and (stated.name, stated.unit) == (clause.figure, threshold.unit):
            return _compared(clause, stated.exact, stated.unit, threshold)
    return Answer(clause=clause, answer=PARTLY, by=EVIDENCE, threshold=threshold)


def summary(found: Sequence[Answer]) -> list[dict[str, Any]]:
    """How many of each answer: of all, and by obligation."""
    rows = {"all": found}
    rows |= {name: [one for one in found if one.clause.obligation == name] for name in OBLIGATIONS}
    return [
        {
            "id": name,
            "clauses": len(some),
            **{kind: sum(one.answer == kind for one in some) for kind in ANSWERS},
        }
        for name, some in rows.items()
    ]
