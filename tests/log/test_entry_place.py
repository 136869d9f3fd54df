"""Where an entry may stand: once, not ahead of the log's time, and never of the log's own types."""

from __future__ import annotations

import pytest

from greenledger_verify.merkle import leaf_hash
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.log.service import Submission
from tests.ledgers import (
    FARM,
    FARM_NEXT,
    NOW_S,
    Clock,
    introduce,
    key_members,
    open_house,
    operator_key,
    party_statement,
    rows,
    signed,
    statement,
    submit,
)


def size(house: House) -> int:
    ((count,),) = rows(house, "SELECT count(*) FROM entries")
    assert isinstance(count, int)
    return count


def test_the_same_bytes_give_the_same_receipt(begun: House) -> None:
    data = signed(party_statement("farm"), operator_key(begun))
    first = begun.desk.writer.append(Submission(data=data))
    assert (first.index, first.repeated, first.entry.data) == (2, False, data)
    before = size(begun)
    again = begun.desk.writer.append(Submission(data=data))
    assert (again.index, again.repeated, again.entry.data) == (2, True, data)
    assert again.entry.leaf_hash == leaf_hash(data)
    assert size(begun) == before, "a repeat leaves no tick behind"


def test_a_repeat_beside_new_entries(begun: House) -> None:
    key = operator_key(begun)
    old = Submission(data=signed(party_statement("farm"), key))
    begun.desk.writer.append(old)
    new = Submission(data=signed(party_statement("mill"), key))
    receipts = begun.desk.writer.append_all([old, new, old, new])
    assert [(one.index, one.repeated) for one in receipts] == [
        (2, True),
        (4, False),
        (2, True),
        (4, True),
    ]


def test_a_used_id_with_other_bytes_is_refused(begun: House) -> None:
    key = operator_key(begun)
    content = party_statement("farm")
    submit(begun, content, key)
    before = size(begun)
    with pytest.raises(Refused, match=r"has used id .* for entry 2; take a fresh random id"):
        submit(begun, {**content, "party": "mill"}, key)
    with pytest.raises(Refused, match=r"has used id .* for entry 2"):
        submit(begun, dict(reversed(content.items())), key)
    assert size(begun) == before


def test_another_author_may_use_the_same_id(begun: House) -> None:
    """(author, id) is what never repeats: nobody can block the ids of another."""
    content = party_statement("farm")
    submit(begun, content, operator_key(begun))
    introduce(begun, "farm", FARM)
    mine = statement("key.register", "farm", **key_members("farm", FARM_NEXT))
    receipt = submit(begun, {**mine, "id": content["id"]}, FARM, FARM_NEXT)
    assert not receipt.repeated


def test_a_repeat_is_answered_although_its_key_has_ended(begun: House) -> None:
    """A client that lost the answer to its rotation asks again, with the key that ended by it."""
    submit(begun, party_statement("farm"), operator_key(begun))
    introduce(begun, "farm", FARM)
    members = key_members("farm", FARM_NEXT, replaces=FARM.verify_key.key_id.hex())
    data = signed(statement("key.register", "farm", **members), FARM, FARM_NEXT)
    first = begun.desk.writer.append(Submission(data=data))
    again = begun.desk.writer.append(Submission(data=data))
    assert (again.index, again.repeated) == (first.index, True)


@pytest.mark.parametrize(("ahead_s", "taken"), [(0, True), (300, True), (301, False)])
def test_time_ahead_of_the_tick(begun: House, ahead_s: int, taken: bool) -> None:
    content = party_statement("farm", at="")
    content |= {"at": statement("x", "y", at_s=NOW_S + ahead_s)["at"]}
    if taken:
        submit(begun, content, operator_key(begun))
        return
    with pytest.raises(Refused, match="more than 300 s after the log's time 2026-03-01T00:00:00Z"):
        submit(begun, content, operator_key(begun))
    assert size(begun) == 1


def test_an_old_time_is_the_authors_own_affair(begun: House) -> None:
    content = party_statement("farm") | {"at": "1970-01-01T00:00:00Z"}
    submit(begun, content, operator_key(begun))


def test_a_clock_that_goes_back_does_not_take_the_log_back(begun: House) -> None:
    clock = Clock(NOW_S + 1_000)
    house = open_house(begun.settings.dir, clock)
    submit(house, party_statement("farm"), operator_key(house))
    clock.now_s = NOW_S - 86_400
    submit(house, party_statement("mill"), operator_key(house))
    assert rows(house, "SELECT tick_s FROM log_heads") == [(NOW_S + 1_000,)]
    assert house.audit(lambda _done, _all: None).entries == 5
    house.engine.dispose()


def test_a_tick_is_not_for_submission(begun: House) -> None:
    with pytest.raises(Refused, match="tick is written by the log itself"):
        submit(begun, statement("tick", "operator"), operator_key(begun))
    assert size(begun) == 1


def test_a_genesis_is_not_for_submission(begun: House) -> None:
    log_key = begun.desk.keystore.get(begun.log.log_key)
    key = operator_key(begun)
    content = statement(
        "log.genesis",
        "operator",
        name="Another",
        zone="+08:00",
        log_vkey=log_key.verify_key.vkey,
        vkey=key.verify_key.vkey,
    )
    with pytest.raises(Refused, match="genesis is entry 0 only"):
        submit(begun, content, key, log_key)
    with pytest.raises(LedgerError):
        begun.desk.writer.append(Submission(data=signed({**content, "id": "0" * 32}, key)))
    assert size(begun) == 1


def test_the_genesis_again_is_a_repeat(begun: House) -> None:
    ((genesis,),) = rows(begun, "SELECT data FROM entries")
    receipt = begun.desk.writer.append(Submission(data=bytes(genesis)))
    assert (receipt.index, receipt.repeated) == (0, True)
    assert size(begun) == 1


def test_bodies_and_attachments_that_nobody_named(begun: House) -> None:
    data = signed(party_statement("farm"), operator_key(begun))
    with pytest.raises(InvalidInput, match="comes with the bodies of no member, not of"):
        begun.desk.writer.append(Submission(data=data, bodies={"body": b"x" * 40}))
    with pytest.raises(InvalidInput, match="attachments"):
        begun.desk.writer.append(Submission(data=data, attachments=[b"x" * 40]))
    assert rows(begun, "SELECT count(*) FROM bodies") == [(0,)]
    assert size(begun) == 1
