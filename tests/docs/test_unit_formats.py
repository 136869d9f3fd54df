"""docs/formats.md on schemes, projects, units, reductions and statements: ledger and verifier agree
with its tables.
"""

from __future__ import annotations

import re

import pytest

from greenledger_verify import evidence_file as verifier_evidence
from greenledger_verify import reductionbodies, unitbodies, unitforms, unitleaves
from greenledger_verify.bodies import CLAIM
from ledger.claims import manifest
from ledger.credits import ccus, record
from ledger.registry import body, lifecycle, project, ranges, rule, scheme
from ledger.registry import leaves as units
from ledger.statements import model as statements
from tests.docs.pages import code_words, read, section, tables

PAGE = read("formats.md")
ENTRY_LEAVES, LEAVES, TERMS = tables(section(PAGE, "3.6"))
SCHEME = tables(section(PAGE, "4.9"))[0]
PROJECT = tables(section(PAGE, "4.10"))[0]
RECORD = tables(section(PAGE, "4.11"))[0]
STATEMENT, ROWS = tables(section(PAGE, "4.12"))


def first_words(table: list[list[str]]) -> list[str]:
    return [word for row in table[1:] for word in code_words(row[0])]


def cell(table: list[list[str]], name: str) -> str:
    """What a table says of a member."""
    return next(row[1] for row in table[1:] if name in code_words(row[0]))


def objects(text: str) -> list[list[str]]:
    """Members of each `{…}` of a text, in order."""
    return [code_words(found) for found in re.findall(r"\{(`.*?)\}", text)]


# Entries


def acts_table() -> list[list[str]]:
    lines = [line.strip() for line in section(PAGE, "4.1").splitlines()]
    (found,) = [each for each in tables("\n".join(lines)) if each[0][0] == "act"]
    return found


def test_acts_and_states() -> None:
    page = {}
    for row in acts_table()[1:]:
        begins = "" if row[2] == "the same" else row[2]
        for act in code_words(row[0]):
            page[act] = ({*row[1].split(", ")}, begins, row[3].partition(";")[0])
    ledger = {name: ({*move.ends}, move.begins, move.by) for name, move in lifecycle.MOVES.items()}
    assert page == ledger
    verifier = {}
    for name, rules in unitforms.ACTS.items():
        owner = "owner or operator" if rules.either else "owner"
        verifier[name] = ({*rules.ends}, rules.begins, "operator" if rules.operator else owner)
    assert page == verifier
    assert "of frozen ones the operator" in acts_table()[8][3]
    assert lifecycle.by_whom(lifecycle.RELEASE, lifecycle.FROZEN) == lifecycle.OPERATOR


def test_acts_by_what_they_do() -> None:
    assert {name for name, act in unitforms.ACTS.items() if act.takes} == lifecycle.FINAL
    assert {*unitforms.SAME_UNITS} == lifecycle.MARKING
    assert {*unitforms.HANDS_OVER} == lifecycle.GIVING
    assert "tick before each `transfer`, `settle`, `retire` and `export` is before" in PAGE
    assert {"transfer", "settle", "retire", "export"} == lifecycle.TIMED


def test_states_kinds_and_forms_of_entries() -> None:
    listed = next(row for row in PAGE.splitlines() if row.startswith("- `unit.issue`"))
    assert code_words(listed)[2:4] == [lifecycle.ACTIVE, lifecycle.FROZEN]
    assert f"no wrap of the form `{rule.FORM}` yet" in PAGE
    listed = next(row for row in PAGE.splitlines() if "`statement.import`: `kind` is" in row)
    kinds = code_words(listed.partition("`statement.import`: `kind` is")[2])
    assert tuple(kinds) == statements.KINDS == unitforms.STATEMENT_KINDS


# Leaves of units


def test_which_leaves_stand_where() -> None:
    assert first_words(ENTRY_LEAVES) == [rule.ISSUE, rule.MOVE]
    assert body.MEDIA in PAGE
    text = section(PAGE, "3.6")
    assert 'SHAKE256(`"greenledger/units/v1\\n"`' in text
    assert f'`"{body._MAGIC.decode()}"`' in text
    assert "at most 2^24 bytes" in text
    assert body.LEAF_BYTES_MAX == unitleaves.JSON_SIZE_MAX == 2**24


def leaf(name: str) -> list[str]:
    """Members of a leaf, in the order of the page."""
    row = next(row for row in LEAVES[1:] if row[0] == name)
    plain = re.sub(r"\([^()]*\)", "", row[1])
    plain = re.sub(r"\{[^{}]*\}", "", plain)
    found = []
    for part in re.split(r"[;,:]", plain):
        words = code_words(part)
        if words and part.strip().startswith("`"):
            found += words[:1]
    return found


def test_members_of_leaves() -> None:
    batch = code_words(next(row[1] for row in LEAVES if row[0] == "batch"))
    for members in (units._BATCH_MEMBERS, unitleaves._BATCH):
        assert set(members) <= set(batch)
    assert set(units._BATCH_MEMBERS) == set(unitleaves._BATCH)
    row = next(row[1] for row in LEAVES if row[0] == "batch")
    (holding,) = objects(row)
    assert holding == list(units._HOLDING_MEMBERS) == list(unitleaves._HOLDING)
    assert leaf("owner") == ["holding", "owner"] == list(unitleaves._OWNER)
    assert leaf("paper") == list(units._PAPER_MEMBERS)
    act = next(row[1] for row in LEAVES if row[0] == "act")
    piece, gone = objects(act)
    assert piece == list(units._PIECE_MEMBERS)
    assert set(piece) == set(unitleaves._HELD)
    assert gone == list(units._GONE_MEMBERS) == list(unitleaves._UNITS)
    assert set(units.Act(ended=(), begun=(), gone=()).to_json()) <= set(code_words(act))


def test_terms_of_acts() -> None:
    page: dict[str, list[str]] = {}
    for row in TERMS[1:]:
        named = re.sub(r"\([^()]*(\([^()]*\))?[^()]*\)", "", row[1])
        for act in code_words(row[0]):
            page[act] = code_words(named)
    assert page == {act: list(members) for act, members in units._TERMS.items()}
    assert page == {act: list(members) for act, members in unitleaves._TERMS.items()}


# Bodies


def test_members_of_schemes() -> None:
    assert first_words(SCHEME) == list(scheme._MEMBERS) == list(unitbodies.SCHEME)
    named = {row[0]: code_words(row[1]) for row in SCHEME[1:]}
    assert named["`kind`"] == list(scheme.KINDS)
    assert set(named["`purposes`"]) == set(scheme.PURPOSES) == set(unitforms.PURPOSES)
    assert set(scheme.STATUSES) <= set(named["`source`, `status`"])
    for member, members in (
        ("classes", scheme._CLASS_MEMBERS),
        ("vintages", scheme._VINTAGE_MEMBERS),
        ("barred", scheme._BARRED_MEMBERS),
    ):
        assert objects(cell(SCHEME, member))[0] == list(members), member
    assert {scheme.VALIDITY, scheme.SAME_YEAR} <= set(named["`vintages`"])
    assert {scheme.SPENT, scheme.WRAPPED, scheme.NO_LOTS} <= set(named["`classes`"])
    assert f"{unitbodies.PPM:,}: all" in cell(SCHEME, "cap_ppm")
    assert scheme.PPM == unitbodies.PPM


def test_members_of_projects() -> None:
    assert first_words(PROJECT) == list(project._MEMBERS) or (
        sorted(first_words(PROJECT)) == sorted(project._MEMBERS)
    )
    assert set(project._MEMBERS) == set(unitbodies.PROJECT)
    assert code_words(cell(PROJECT, "state"))[: len(project.STATES)] == list(project.STATES)
    assert set(project.NEXT) == set(project.STATES)


def test_members_of_reductions() -> None:
    assert first_words(RECORD) == list(record._RECORD) == list(reductionbodies.REDUCTION)
    flows = cell(RECORD, "flows")
    assert objects(flows)[0] == ["role", "points", "g"]
    roles = [word for word in code_words(flows) if word in reductionbodies.ROLES]
    assert roles == list(ccus.ROLES) == list(reductionbodies.ROLES)
    assert code_words(cell(RECORD, "treatment"))[:2] == [record.CREDITED, record.AT_SOURCE]
    text = section(PAGE, "4.11")
    assert "0 to 10^15 each" in text
    assert ccus.MASS_G_MAX == 10**15
    assert f"⌊captured / {ccus.TOLERANCE_PARTS}⌋" in text


@pytest.mark.parametrize(
    ("begin", "media", "ledger", "verifier"),
    [
        (
            "Verification (",
            record.VERIFICATION_NAME,
            record._VERIFICATION,
            reductionbodies.VERIFICATION,
        ),
        ("Reversal (", record.REVERSAL_NAME, record._REVERSAL, reductionbodies.REVERSAL),
    ],
)
def test_members_that_stand_in_a_sentence(
    begin: str, media: str, ledger: dict[str, object], verifier: dict[str, object]
) -> None:
    text = section(PAGE, "4.11")
    sentence = text[text.index(begin) :].split("\n")[0]
    assert code_words(sentence)[0] == f"application/vnd.greenledger.{media}+json"
    assert list(ledger) == list(verifier)
    assert set(ledger) <= set(code_words(sentence))
    if "parts" in ledger:
        assert objects(sentence)[0] == list(record._PART)
        assert list(reductionbodies.PARTS) == [ccus.AVOIDED, ccus.REMOVAL]


def test_members_of_statements() -> None:
    assert first_words(STATEMENT) == list(statements._MEMBERS) == list(reductionbodies.STATEMENT)
    assert objects(cell(STATEMENT, "rows"))[0] == list(statements._ROW_MEMBERS)
    assert sorted(first_words(ROWS)) == sorted(statements._ROW_MEMBERS)
    assert set(code_words(cell(ROWS, "status"))) == set(statements.STATUSES)
    assert set(re.findall(r"\{(.*?)\}", cell(STATEMENT, "file"))[0].split("`")[1::2]) == {
        "name", "size", "hash",
    }  # fmt: skip


def test_certificates_and_credits_of_claims() -> None:
    (table,) = tables(section(PAGE, "4.7"))
    assert objects(cell(table, "certificates"))[0] == list(manifest._CERTIFICATE)
    assert objects(cell(table, "credits"))[0] == list(manifest._CREDIT)
    assert {"certificates", "certificate_wh", "credits"} <= set(CLAIM)


# Evidence


def test_members_of_evidence_of_units() -> None:
    found = tables(section(PAGE, "9. Evidence files"))
    page = next(table for table in found if code_words(table[0][0])[-1:] == ["units"])
    assert first_words(page) == list(verifier_evidence._UNITS)
    assert objects(cell(page, "leaves"))[0] == ["index", "bytes"]


def test_numbers_of_units() -> None:
    assert ranges.UNITS_MAX == 2**53 - 1
    assert "trailing run of at most 12 decimal digits" in section(PAGE, "4.12")
    assert ranges.serial_of("A" + "9" * 12) == ("A", 10**12 - 1, 12)
    assert ranges.serial_of("A1" + "9" * 12)[0] == "A1"
