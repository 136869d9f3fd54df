"""How clauses are answered: thresholds to the last digit, evidence, expiry, conditions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ledger.errors import InvalidInput, Refused
from ledger.scorecard.answers import Answer, answer, shown, summary
from ledger.scorecard.evidence import Evidence, Stated, by_clause
from ledger.scorecard.figures.model import Computed, Figure, Missing
from ledger.scorecard.standard import Clause, Condition, Texts, Threshold
from ledger.scorecard.statement import statement_of, zero_carbon_statement

AT_S = 1_700_000_000
TEXTS = Texts(zh="甲", en="a")


def clause(**changes: Any) -> Clause:
    members: dict[str, Any] = {
        "clause": "7.1.1",
        "title": TEXTS,
        "kind": "computed",
        "obligation": "shall",
        "figure": "share",
        "thresholds": (Threshold(op=">=", value="80", unit="%"),),
        "closes": TEXTS,
    }
    return Clause(**(members | changes))


def percent(numerator: int, denominator: int) -> Figure:
    return Figure(numerator=numerator, denominator=denominator, unit="%", definition=TEXTS)


def document(**changes: Any) -> Evidence:
    members: dict[str, Any] = {
        "record": "0" * 32,
        "entry_index": 7,
        "hash": "0" * 64,
        "author": "mill",
        "roles": ("enterprise",),
        "title": "Plan",
        "sha256": "0" * 64,
        "issuer": "",
        "about": frozenset({("guide", "7.1.1")}),
    }
    return Evidence(**(members | changes))


def asked(one: Clause, figure: Computed | None, *documents: Evidence) -> Answer:
    figures = {} if figure is None else {"share": figure}
    ranked = by_clause("guide", documents).get("7.1.1", [])
    return answer(one, figures, ranked, AT_S)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (7_999, 10_000, "not-met"),
        (8_000, 10_000, "met"),
        # 79.999999999999 %: no rounding helps.
        (799_999_999_999_99, 10**14, "not-met"),
        (8 * 10**13, 10**14, "met"),
        (0, 10_000, "not-met"),
    ],
)
def test_79_99_fails_and_80_passes(numerator: int, denominator: int, expected: str) -> None:
    found = asked(clause(), percent(numerator, denominator))
    assert (found.answer, found.by) == (expected, "computed")


def test_what_falls_short_never_reads_as_if_it_did_not() -> None:
    """Four decimals, cut to the worse side: 79.99999 → 79.9999; at most 0.2: 0.20001 → 0.2001."""
    least = Threshold(op=">=", value="80", unit="%")
    most = Threshold(op="<=", value="0.2", unit="tCO2/tce")
    assert shown(Fraction(7_999_999, 100_000), least) == "79.9999"
    assert shown(Fraction(20_001, 100_000), most) == "0.2001"
    assert shown(Fraction(80), least) == "80"
    assert shown(Fraction(1, 5), most) == "0.2"
    assert shown(Fraction(1, 100_000), least) == "0"


def test_of_what_has_to_be_all_some_is_partly() -> None:
    every = clause(thresholds=(Threshold(op=">=", value="100", unit="%"),))
    assert asked(every, percent(2, 3)).answer == "partly"
    assert asked(every, percent(0, 3)).answer == "not-met"
    assert asked(every, percent(3, 3)).answer == "met"


def test_no_document_changes_what_is_computed() -> None:
    praise = document(figure=Stated(name="share", value="100", unit="%"), roles=("verifier",))
    found = asked(clause(), percent(1, 2), praise)
    assert (found.answer, found.by) == ("not-met", "computed")
    assert found.evidence == (praise,)


def test_what_can_not_be_computed_is_answered_by_evidence_with_its_number() -> None:
    missing = Missing(why=Texts(zh="没有", en="nothing"))
    assert asked(clause(), missing).answer == "gap"
    assert asked(clause(), missing).why == missing.why
    enough = document(figure=Stated(name="share", value="80.0", unit="%"))
    found = asked(clause(), missing, enough)
    assert (found.answer, found.by, found.value) == ("met", "evidence", Fraction(80))
    short = document(figure=Stated(name="share", value="79.99", unit="%"))
    assert asked(clause(), missing, short).answer == "not-met"
    # A word without the number, or a number of something else.
    assert asked(clause(), missing, document()).answer == "partly"
    other = document(figure=Stated(name="share", value="80", unit="tce"))
    assert asked(clause(), missing, other).answer == "partly"


def test_evidence_answers_while_it_is_valid() -> None:
    """Valid from its first second on; at the second it is valid until, it is a gap again."""
    plain = clause(kind="evidence", figure="", thresholds=())
    for members, expected, state in (
        ({}, "met", "valid"),
        ({"valid_from_s": AT_S}, "met", "valid"),
        ({"valid_from_s": AT_S + 1}, "gap", "not-yet"),
        ({"valid_until_s": AT_S + 1}, "met", "valid"),
        ({"valid_until_s": AT_S}, "gap", "expired"),
    ):
        found = asked(plain, None, document(**members))
        assert found.answer == expected, members
        assert found.to_json(AT_S)["evidence"][0]["state"] == state


def test_a_verifier_is_heard_before_who_speaks_of_itself() -> None:
    rated = clause(kind="evidence", thresholds=(Threshold(op=">=", value="30", unit="%"),))
    own = document(
        record="1" * 32, entry_index=9, figure=Stated(name="share", value="31", unit="%")
    )
    seen = document(
        record="2" * 32,
        author="bureau",
        roles=("verifier",),
        figure=Stated(name="share", value="29", unit="%"),
    )
    found = asked(rated, None, own, seen)
    assert found.answer == "not-met"
    assert [one["independent"] for one in found.to_json(AT_S)["evidence"]] == [1, 0]
    # Among equals the newest.
    older = document(entry_index=2, figure=Stated(name="share", value="1", unit="%"))
    assert asked(rated, None, older, own).answer == "met"


def test_the_park_answers_for_itself_before_its_members() -> None:
    """A later document of a member's does not take the operator's answer away."""
    plain = clause(kind="evidence", figure="", thresholds=())
    nothing = Stated(name="not-applicable", value="1", unit="clauses")
    parks = document(record="1" * 32, entry_index=1, roles=("park-operator",))
    members = document(
        record="2" * 32, entry_index=9, author="farm", roles=("generator",), figure=nothing
    )
    assert asked(plain, None, members).answer == "not-applicable"
    assert asked(plain, None, members, parks).answer == "met"


def test_a_document_may_say_that_a_clause_has_nothing_to_apply_to() -> None:
    plain = clause(kind="evidence", figure="", thresholds=())
    none = document(figure=Stated(name="not-applicable", value="1", unit="clauses"))
    found = asked(plain, None, none)
    assert (found.answer, found.by) == ("not-applicable", "evidence")
    assert found.to_json(AT_S)["closes"] == ""


def test_a_clause_for_parks_of_a_size() -> None:
    """200,000 tce is inside, 1,000,000 tce is not any more."""
    sized = clause(applies=(Condition(figure="size", unit="tce", from_="200000", below="1000000"),))
    for tce, expected in (
        (199_999, "not-applicable"),
        (200_000, "met"),
        (999_999, "met"),
        (1_000_000, "not-applicable"),
    ):
        size = Figure(numerator=tce, denominator=1, unit="tce", definition=TEXTS)
        assert answer(sized, {"share": percent(9, 10), "size": size}, [], AT_S).answer == expected
    unknown = Missing(why=TEXTS)
    assert answer(sized, {"share": percent(9, 10), "size": unknown}, [], AT_S).answer == "gap"


def test_thresholds_by_date() -> None:
    """30 % before a day, 35 % from it on."""
    dated = clause(
        thresholds=(
            Threshold(op=">=", value="30", unit="%", to_s=AT_S),
            Threshold(op=">=", value="35", unit="%", from_s=AT_S),
        )
    )
    figures: dict[str, Computed] = {"share": percent(34, 100)}
    assert answer(dated, figures, [], AT_S - 1).answer == "met"
    assert answer(dated, figures, [], AT_S).answer == "not-met"
    early = clause(thresholds=(Threshold(op=">=", value="30", unit="%", from_s=AT_S + 1),))
    found = answer(early, figures, [], AT_S)
    assert found.answer == "gap"
    assert found.why is not None


def test_the_summary_counts_by_obligation() -> None:
    found = [
        asked(clause(), percent(9, 10)),
        asked(clause(obligation="may"), percent(1, 10)),
        asked(clause(obligation="may"), Missing(why=TEXTS)),
    ]
    rows = {row["id"]: row for row in summary(found)}
    assert (rows["all"]["clauses"], rows["all"]["met"], rows["all"]["gap"]) == (3, 1, 1)
    assert (rows["may"]["not-met"], rows["may"]["gap"], rows["should"]["clauses"]) == (1, 1, 0)


def test_zero_carbon_is_said_with_all_that_it_is_said_of() -> None:
    """12.5 t of CO2 are left; 20 t are retired, and taken off nothing."""
    found = zero_carbon_statement(
        "ndrc-910",
        "Test park",
        "2026",
        coverage=("CO2",),
        emissions_g=12_500_000,
        offsets_g=20_000_000,
        pending_wh=1_000_000,
    )
    for said in (found.zh, found.en):
        for part in ("ndrc-910", "Test park", "2026", "12.5 t (CO2)", "20 t", "1 MWh"):
            assert part.replace(" (", "（").replace(")", "）") in said or part in said


@pytest.mark.parametrize("missing", ["regime", "boundary", "period", "coverage"])
def test_zero_carbon_is_not_said_without(missing: str) -> None:
    words = {"regime": "ndrc-910", "boundary": "park", "period": "2026", missing: " "}
    coverage = () if missing == "coverage" else ("CO2",)
    with pytest.raises(InvalidInput, match=f"missing: {missing}"):
        zero_carbon_statement(
            words["regime"], words["boundary"], words["period"], coverage=coverage, emissions_g=0
        )


def test_zero_carbon_is_said_of_a_report_under_a_regime_that_it_has() -> None:
    figure = {
        "id": "ndrc-910",
        "status": "secondary",
        "total": {"label": "electricity: CO2 only; fuel: CO2 only", "mass_g": 12_500_000},
        "offsets": {"retired_g": 3_000_000},
        "lines": [{"pending_wh": 2_000_000}, {"pending_wh": 500_000}],
    }
    result = {"from": "2026-01-31T16:00:00Z", "to": "2026-02-28T16:00:00Z", "regimes": [figure]}
    said = statement_of({"result": result}, "ndrc-910", "Mill").en
    assert said == (
        "zero-carbon claim: regime ndrc-910 (secondary), boundary Mill, period"
        " 2026-01-31T16:00:00Z – 2026-02-28T16:00:00Z; emissions 12.5 t (electricity: CO2 only;"
        " fuel: CO2 only); offsets 3 t, on a line of their own, not taken off; 2.5 MWh pending"
        " official cancellation"
    )
    with pytest.raises(Refused, match="not 'ghg-market'; it has: ndrc-910"):
        statement_of({"result": result}, "ghg-market", "Mill")
    with pytest.raises(Refused, match="it is no inventory and no balance"):
        statement_of({"result": {}}, "ndrc-910", "Mill")
    no_emissions = {**figure, "total": {"label": "", "mass_g": 0}}
    with pytest.raises(InvalidInput, match="missing: coverage"):
        statement_of({"result": {**result, "regimes": [no_emissions]}}, "ndrc-910", "Mill")
