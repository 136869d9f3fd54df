"""Evidence of a claim that two officers made, and of one that a ledger without the rule made."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import Trust, trust_of
from ledger.approvals import officers, service
from ledger.approvals.store import Draft, Known, Person
from ledger.claims import evidence
from ledger.claims import service as claims
from ledger.db import reading
from ledger.errors import Corrupt
from ledger.house import ENTRY_TYPES, House
from ledger.log.service import Writer
from ledger.log.types import EntryTypes
from ledger.lots import rule
from ledger.parties.desk import Desk, custodial_key
from ledger.parties.entries import author_signs
from ledger.parties.officer_store import find_officers
from ledger.units import Period
from tests.ledgers import DAY_S, Clock, copy_ledger, no_progress, open_house
from tests.periods.books import found_books

ALONE = r"has 1 signatures; claim\.make requires 3"
EIGHT = Period(start_s=DAY_S, end_s=DAY_S + 8 * 900)


@pytest.fixture(scope="module")
def works_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mill that can claim; it has two officers and four eyes."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("works") / "data")
    house = open_house(folder)
    found_books(house)
    for name in ("Ann", "Bob"):
        officers.add(house.desk, "mill", Known(label=name))
    officers.set_rule(house.desk, "mill", "four-eyes", "two people")
    house.engine.dispose()
    return folder


@pytest.fixture
def works(works_template: Path, tmp_path: Path) -> Iterator[House]:
    house = open_house(copy_ledger(works_template, tmp_path / "works"))
    yield house
    house.engine.dispose()


def people(house: House) -> list[Person]:
    with reading(house.engine) as conn:
        found = find_officers(conn, 1, house.log.origin, party="mill")
    return [Person(officer=one.officer) for one in found]


def claimed_by_two(house: House) -> bytes:
    ann, bob = people(house)
    draft = service.carry_out(house.desk, lambda desk: claims.make(desk, ["saw"], EIGHT), by=ann)
    assert isinstance(draft, Draft)
    (receipt,) = service.approve(house.desk, draft.draft, bob)
    return bytes.fromhex(receipt.entry.statement["claim"])


def lawless(desk: Desk) -> Desk:
    """A ledger whose claims need nobody but their author."""
    types = EntryTypes.of(
        [
            dataclasses.replace(one, signers=author_signs) if one.name == rule.MAKE else one
            for one in ENTRY_TYPES.by_name.values()
        ]
    )
    writer = Writer(
        desk.engine,
        types,
        1,
        tick_key=lambda conn: custodial_key(conn, desk.keystore, desk.log, desk.log.operator),
        clock_s=Clock(),
    )
    return dataclasses.replace(desk, writer=writer)


def trust(house: House) -> Trust:
    return trust_of([house.log.log_key.vkey])


def judged(house: House, claim: bytes, level: evidence.Level = "full") -> Report:
    house.checkpoint()
    raw = b"".join(evidence.lines(house.desk, claim, level))
    report = Report()
    judge_evidence(io.BytesIO(raw), None, None, trust(house), report)
    return report


def test_two_officers_stand_in_the_answer(works: House) -> None:
    report = judged(works, claimed_by_two(works))
    line = report.lines["approval"]
    ann, bob = people(works)
    assert line.values["four_eyes"] is True
    acts = line.values["acts"]
    assert isinstance(acts, list)
    assert [act["officers"] for act in acts] == [[ann.officer.hex(), bob.officer.hex()]]
    assert "one officer prepared and another approved" in str(line.texts[0])
    assert "双人复核" in line.texts[0].render("zh")


def test_the_level_total_shows_them_too(works: House) -> None:
    assert judged(works, claimed_by_two(works), "total").lines["approval"].values["four_eyes"]


def test_what_one_person_did_is_said_to_be_so(works: House) -> None:
    """A claim made while four eyes were not the rule, replaced by two officers."""
    ann, bob = people(works)
    off = service.carry_out(
        works.desk, lambda desk: officers.set_rule(desk, "mill", "none", "few"), by=ann
    )
    assert isinstance(off, Draft)
    service.approve(works.desk, off.draft, bob)
    made = claims.make(works.desk, ["saw"], EIGHT)
    line = judged(works, made.claim).lines["approval"]
    assert line.values["four_eyes"] is False
    assert "no four eyes" in str(line.texts[0])
    assert "无双人复核" in line.texts[0].render("zh")
    officers.set_rule(works.desk, "mill", "four-eyes", "again")
    replaced = service.carry_out(
        works.desk, lambda desk: claims.replace(desk, made.claim, "better"), by=ann
    )
    assert isinstance(replaced, Draft)
    (receipt,) = service.approve(works.desk, replaced.draft, bob)
    claim = bytes.fromhex(receipt.entry.statement["claim"])
    line = judged(works, claim).lines["approval"]
    assert [text.render("en")[:7] for text in line.texts] == ["four ey", "no four"]


def test_a_claim_past_the_rule_is_no_evidence(works: House, tmp_path: Path) -> None:
    made = claims.make(lawless(works.desk), ["saw"], EIGHT)
    with pytest.raises(VerificationError, match=ALONE):
        judged(works, made.claim)
    works.export_tiles(tmp_path / "tiles", no_progress)
    with pytest.raises(VerificationError, match=ALONE):
        verify_log(tmp_path / "tiles", trust(works), Report())


def test_a_file_that_hides_the_rule_is_caught_by_the_whole_log(
    works: House, tmp_path: Path
) -> None:
    """The file alone can't show what is left out of it; it says that one person signed."""
    made = claims.make(lawless(works.desk), ["saw"], EIGHT)
    types = EntryTypes.of(
        [
            dataclasses.replace(one, irreversible=lambda _: False)
            for one in ENTRY_TYPES.by_name.values()
        ]
    )
    hiding = dataclasses.replace(works, desk=dataclasses.replace(works.desk, types=types))
    assert judged(hiding, made.claim).lines["approval"].values["four_eyes"] is False
    works.export_tiles(tmp_path / "tiles", no_progress)
    with pytest.raises(VerificationError, match="requires 3"):
        verify_log(tmp_path / "tiles", trust(works), Report())


def test_an_audit_names_what_went_past_the_rule(works: House) -> None:
    claims.make(lawless(works.desk), ["saw"], EIGHT)
    with pytest.raises(Corrupt, match="acts with four eyes"):
        works.audit(no_progress)
