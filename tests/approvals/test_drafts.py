"""Drafts: one prepares, another approves; nothing is half done, whoever comes when."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ledger.approvals import officers, service, store
from ledger.approvals.store import Draft, Person
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.service import Receipt, Submission
from ledger.parties.desk import Desk
from tests.approvals.offices import (
    ANN,
    BOB,
    CLEO,
    MILL,
    SHOP,
    SHOP_ANN,
    ending,
    officer_key,
)
from tests.ledgers import Clock, no_progress, open_house, rows, signed

A, B, C = (officer_key("mill", one) for one in (ANN, BOB, CLEO))


def end_four_eyes(desk: Desk) -> Receipt:
    return officers.set_rule(desk, "mill", "none", "secret-why: small office", key=MILL)


def prepared(house: House, by: Person = ANN, **options: Any) -> Draft:
    key = officer_key("mill", by)
    draft = service.carry_out(house.desk, end_four_eyes, by=by, key=key, **options)
    assert isinstance(draft, Draft)
    return draft


def found(house: House, draft: Draft) -> Draft:
    with reading(house.engine) as conn:
        return store.load_draft(conn, 1, draft.draft)[0]


def size(house: House) -> int:
    return int(rows(house, "SELECT count(*) FROM entries")[0][0])


@pytest.mark.both_databases
def test_one_prepares_and_another_approves(office: House) -> None:
    before = size(office)
    draft = prepared(office, summary={"why": "we are few"})
    assert (size(office), draft.kind, draft.state) == (before, "party.approval none", "prepared")
    (receipt,) = service.approve(office.desk, draft.draft, BOB, key=B)
    assert [one.name for one in receipt.entry.signatures] == [MILL.name, A.name, B.name]
    after = found(office, draft)
    assert (after.state, after.decider, after.entry_index) == ("approved", BOB, receipt.index)
    assert after.summary == {"why": "we are few"}
    assert office.audit(no_progress).entries == size(office) == before + 2


def test_what_is_shown_is_what_is_signed(office: House) -> None:
    draft = prepared(office)
    with reading(office.engine) as conn:
        (shown,) = service.contents(conn, office.desk, draft.draft)
        (text,) = service.texts(conn, office.desk, draft.draft)
    assert shown["statement"]["reason"] == "secret-why: small office"
    line = C.signature_line(text)
    (receipt,) = service.approve_with_signature(office.desk, draft.draft, CLEO, [line])
    assert receipt.entry.text == text


def test_without_four_eyes_an_act_is_done_at_once(office: House) -> None:
    def rename(desk: Desk) -> Receipt:
        return desk.register_party("mill", "Mill and Daughters", ["enterprise"])

    assert isinstance(service.carry_out(office.desk, rename), Receipt)

    def switch_on(desk: Desk) -> Receipt:
        return officers.set_rule(desk, "shop", "four-eyes", "two", key=SHOP)

    assert isinstance(service.carry_out(office.desk, switch_on, by=SHOP_ANN), Receipt)


def test_who_prepares_has_to_be_named_and_an_officer(office: House) -> None:
    with pytest.raises(Refused, match="say which of its officers prepares this"):
        service.carry_out(office.desk, end_four_eyes)
    with pytest.raises(Refused, match="is one of 'shop'"):
        service.carry_out(office.desk, end_four_eyes, by=SHOP_ANN)
    with pytest.raises(NotFound, match="no officer"):
        service.carry_out(office.desk, end_four_eyes, by=Person(officer=bytes(16)))
    with pytest.raises(Refused, match="somebody else's"):
        service.carry_out(
            office.desk, end_four_eyes, by=Person(officer=ANN.officer, account="account-2")
        )
    with pytest.raises(InvalidInput, match="not the key of officer"):
        service.carry_out(office.desk, end_four_eyes, by=ANN, key=B)
    # The server does not hold it.
    with pytest.raises(NotFound, match="does not hold key"):
        service.carry_out(office.desk, end_four_eyes, by=ANN)
    assert rows(office, "SELECT * FROM drafts") == []


@pytest.mark.both_databases
def test_what_cant_be_placed_is_not_prepared(office: House) -> None:
    """Where four eyes stay: the same rule twice in one act."""
    twice = [Submission(data=signed(ending(), MILL)) for _ in range(2)]
    before = rows(office, "SELECT count(*) FROM approval_rules")
    with pytest.raises(Refused, match="is none already"):
        service.prepare(office.desk, twice, by=ANN, key=A)
    assert rows(office, "SELECT * FROM drafts") == []
    assert rows(office, "SELECT count(*) FROM approval_rules") == before


def test_nobody_approves_what_they_prepared(office: House) -> None:
    draft = prepared(office)
    with pytest.raises(Refused, match="prepared by you"):
        service.approve(office.desk, draft.draft, ANN, key=A)
    # Two officers, but one person.
    twin = Person(officer=bytes([4]) * 16, account=ANN.account)
    key = officer_key("mill", twin)
    known = store.Known(account=ANN.account)
    officers.add(office.desk, "mill", known, officer=twin.officer, own=key, key=MILL)
    for account in ("", ANN.account):
        who = Person(officer=twin.officer, account=account)
        with pytest.raises(Refused, match="prepared by you"):
            service.approve(office.desk, draft.draft, who, key=key)
    assert found(office, draft).state == "prepared"


def test_bad_signatures_leave_a_draft_as_it_is(office: House) -> None:
    draft = prepared(office)
    with reading(office.engine) as conn:
        (text,) = service.texts(conn, office.desk, draft.draft)
    good = B.signature_line(text)
    for lines in (
        [],
        [good, good],
        [good + good],
        [B.signature_line(text + b" ")],
        [C.signature_line(text)],
        [b"x"],
        [good[:-1]],
        [good.replace(b"mill", b"shop")],
    ):
        with pytest.raises(InvalidInput):
            service.approve_with_signature(office.desk, draft.draft, BOB, lines)
    with pytest.raises(InvalidInput, match="not the key of officer"):
        service.approve(office.desk, draft.draft, BOB, key=C)
    assert found(office, draft).state == "prepared"
    service.approve_with_signature(office.desk, draft.draft, BOB, [good])


def test_a_draft_goes_back_with_a_reason(office: House) -> None:
    draft = prepared(office)
    with pytest.raises(InvalidInput, match="a reason has"):
        service.reject(office.desk, draft.draft, BOB, "")
    with pytest.raises(Refused, match="is one of 'shop'"):
        service.reject(office.desk, draft.draft, SHOP_ANN, "envy")
    back = service.reject(office.desk, draft.draft, BOB, "the auditor comes in May")
    assert (back.state, back.reason, back.decider) == ("rejected", "the auditor comes in May", BOB)
    with pytest.raises(Refused, match="rejected already: the auditor comes in May"):
        service.approve(office.desk, draft.draft, CLEO, key=C)
    with pytest.raises(Refused, match="rejected already"):
        service.reject(office.desk, draft.draft, CLEO, "again")
    # Who prepared one may take it back.
    assert service.reject(office.desk, prepared(office).draft, ANN, "typo").state == "rejected"


@pytest.mark.both_databases
def test_where_the_ledger_has_moved_on_a_draft_is_stale(office: House) -> None:
    first, second, third = prepared(office), prepared(office), prepared(office, CLEO)
    service.approve(office.desk, first.draft, BOB, key=B)
    before = size(office)
    with pytest.raises(InvalidInput, match="it takes exactly"):
        service.approve(office.desk, second.draft, BOB, key=B)
    assert size(office) == before
    stale = found(office, second)
    assert (stale.state, stale.entry_index) == ("stale", None)
    assert "it takes exactly" in stale.reason
    # An officer who prepared it and ended.
    officers.set_rule(office.desk, "mill", "four-eyes", "again", key=MILL)
    officers.end(office.desk, CLEO.officer, "left", key=MILL)
    with pytest.raises(Refused, match="ended with entry"):
        service.approve(office.desk, third.draft, BOB, key=B)
    assert found(office, third).state == "stale"


def test_drafts_expire(office: House) -> None:
    clock = Clock()
    house = open_house(office.settings.dir, clock)
    first, second = prepared(house, expires_s=60), prepared(house, expires_s=120)
    clock.now_s += 59
    assert service.expire_due(house.desk) == 0
    clock.now_s += 1
    with pytest.raises(Refused, match="expired 2026-03-01T00:01:00Z; prepare it anew"):
        service.approve(house.desk, first.draft, BOB, key=B)
    assert [found(house, one).state for one in (first, second)] == ["expired", "prepared"]
    clock.now_s += 60
    assert service.expire_due(house.desk) == 1
    assert service.expire_due(house.desk) == 0
    house.engine.dispose()


@pytest.mark.both_databases
def test_an_interrupted_approval_changes_nothing(office: House) -> None:
    """What is stored with the entries fails after them: neither is there."""
    draft, before = prepared(office), size(office)

    def fail(_conn: object, _receipts: object) -> None:
        raise Refused("the lights went out")

    with pytest.raises(Refused, match="lights"):
        service.approve(office.desk.also(fail), draft.draft, BOB, key=B)
    assert size(office) == before
    assert rows(office, "SELECT entry_index FROM drafts") == [(None,)]


@pytest.mark.both_databases
def test_of_two_who_decide_at_once_one_does(office: House) -> None:
    draft, before = prepared(office), size(office)
    start, outcomes = threading.Barrier(3), []

    def decide(act: Any) -> None:
        start.wait()
        try:
            act()
            outcomes.append("done")
        except (Refused, InvalidInput):
            outcomes.append("refused")

    acts = (
        lambda: service.approve(office.desk, draft.draft, BOB, key=B),
        lambda: service.approve(office.desk, draft.draft, CLEO, key=C),
        lambda: service.reject(office.desk, draft.draft, BOB, "no"),
    )
    threads = [threading.Thread(target=decide, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused", "refused"]
    state = found(office, draft).state
    assert state in ("approved", "rejected")
    assert size(office) == before + (2 if state == "approved" else 0)
    office.audit(no_progress)


def test_an_act_of_several_entries_is_one_draft(office: House) -> None:
    """Only what can't be undone takes the second signature; all of it is appended, or nothing."""
    desk = office.desk
    first = signed(ending() | {"rule": "four-eyes"}, MILL)
    both = [Submission(data=signed(ending(), MILL)), Submission(data=first)]
    draft = service.prepare(desk, both, by=ANN, key=A)
    receipts = service.approve(desk, draft.draft, BOB, key=B)
    assert [len(one.entry.signatures) for one in receipts] == [3, 1]
    assert receipts[1].index == receipts[0].index + 1
    assert found(office, draft).entry_index == receipts[1].index


def test_what_the_client_signed_itself_is_prepared_as_it_is(office: House) -> None:
    desk, content = office.desk, ending()
    by_both = Submission(data=signed(content, MILL, A))
    draft = service.prepare(desk, [by_both], by=ANN)
    (receipt,) = service.approve(desk, draft.draft, BOB, key=B)
    assert receipt.entry.data.startswith(by_both.data)
    officers.set_rule(desk, "mill", "four-eyes", "again", key=MILL)
    for keys in ((MILL, B), (MILL, A, B)):
        submission = Submission(data=signed(ending(), *keys))
        with pytest.raises(InvalidInput, match="its second signature, and last"):
            service.prepare(desk, [submission], by=ANN)


def test_drafts_are_no_part_of_the_log(office: House) -> None:
    """An audit and a restore leave them alone; nothing of them is in what is published."""
    prepared(office, summary={"who": "secret-person"})
    office.checkpoint()
    office.audit(no_progress)
    folder = office.settings.dir / "out"
    office.export_tiles(folder, no_progress)
    texts = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"secret-" not in texts
    assert b"Somebody" not in texts
