"""Members of entries on lots, and the forms that lots are given."""

import json
from typing import Any

import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.log.entry import Member
from ledger.lots import store
from ledger.lots.entries import LOTS, LOTS_OR_NONE, ORIGINS
from ledger.lots.rule import WRAP
from ledger.lots.service import Form, wrap
from ledger.parties.desk import Draft, seal_json
from tests.ledgers import dump, no_progress, rows

A, B = "a" * 32, "b" * 32
GEC = Form(issuer="National Energy Administration", number="GEC-2026-0001")


@pytest.mark.parametrize(
    ("member", "value", "good"),
    [
        (LOTS, [A, B], True),
        (LOTS, [], False),
        (LOTS, [B, A], False),
        (LOTS, [A, A], False),
        (LOTS, [A.upper()], False),
        (LOTS, [A[1:]], False),
        (LOTS, [7], False),
        (LOTS, [[A]], False),
        (LOTS, A, False),
        (LOTS, {A: 1}, False),
        (LOTS_OR_NONE, [], True),
        (LOTS_OR_NONE, [A], True),
        (LOTS_OR_NONE, "", False),
        (LOTS_OR_NONE, [A, A], False),
        (ORIGINS, [f"{A}/2026-03/0", f"{A}/2026-03/1", f"{B}/2026-02/0"], True),
        (ORIGINS, [f"{A}/2026-03/10", f"{A}/2026-03/9"], True),
        (ORIGINS, [f"{A}/2026-03/9", f"{A}/2026-03/10"], False),
        (ORIGINS, [f"{A}/2026-03/0"] * 2, False),
        (ORIGINS, [], False),
        (ORIGINS, [f"{A}/2026-13/0"], False),
        (ORIGINS, [f"{A}/2026-03/00"], False),
        (ORIGINS, [None], False),
        (ORIGINS, [3], False),
    ],
)
def test_members(member: Member, value: Any, good: bool) -> None:
    assert bool(member.check(value)) is good


def lots_of(house: House) -> list[store.LotRow]:
    with reading(house.engine) as conn:
        return store.all_lots(conn, 1)


def wrapped(house: House) -> list[Any]:
    return rows(house, "SELECT lot, form, entry_index FROM lot_wraps ORDER BY entry_index, lot")


def draft(form: str, which: list[str], content: dict[str, Any], author: str = "operator") -> Draft:
    return Draft(
        type=WRAP,
        author=author,
        members={"form": form, "wraps": which},
        bodies={"body": seal_json(content, "form")},
    )


CONTENT = {"issuer": "x", "number": "1", "document": ""}


def test_a_form_spends_nothing_and_adds_nothing(filled: House) -> None:
    lot = next(row.lot for row in lots_of(filled) if row.supply_class == 2)
    before = dump(filled.settings.dir)
    receipt = wrap(filled.desk, [lot], "stamp", GEC)
    after = dump(filled.settings.dir)
    assert (lot, "stamp", receipt.index) in wrapped(filled)
    for table in ("lots", "lot_spends", "claims", "claim_lots", "shorts"):
        assert after[table] == before[table]
    wrap(filled.desk, [lot], "settlement", GEC)
    with reading(filled.engine) as conn:
        assert store.wrapped(conn, 1, "settlement", [lot]).keys() == {lot}
        assert store.wrapped(conn, 1, "footprint", [lot]) == {}
    filled.audit(no_progress)


@pytest.mark.parametrize(
    ("draft", "error", "why"),
    [
        (draft("gold", [A], CONTENT), InvalidInput, "form"),
        (draft("gec", [], CONTENT), InvalidInput, "wraps"),
        (draft("gec", [B, A], CONTENT), InvalidInput, "wraps"),
        (draft("gec", [A], CONTENT), Refused, "lot a+ was never created"),
        (draft("gec", [A], CONTENT, author="mill"), Refused, "operator"),
    ],
)
def test_forms_that_are_refused(
    filled: House, draft: Draft, error: type[LedgerError], why: str
) -> None:
    before = dump(filled.settings.dir)
    with pytest.raises(error, match=why):
        filled.desk.append(draft)
    assert dump(filled.settings.dir) == before


@pytest.mark.parametrize(
    "content",
    [
        {},
        {**CONTENT, "issuer": ""},
        {**CONTENT, "number": "x" * 201},
        {**CONTENT, "number": "a\nb"},
        {**CONTENT, "document": "abc"},
        {**CONTENT, "wh": 5},
        {"issuer": "x", "number": "1"},
    ],
)
def test_contents_that_are_refused(filled: House, content: dict[str, Any]) -> None:
    lot = lots_of(filled)[0].lot.hex()
    with pytest.raises(InvalidInput):
        filled.desk.append(draft("settlement", [lot], content))


def test_one_wrap_of_a_form(filled: House) -> None:
    first, second, *_ = (row.lot for row in lots_of(filled))
    made = wrap(filled.desk, [first], "settlement", GEC)
    with pytest.raises(Refused, match=f"is wrapped as settlement already, by entry {made.index}"):
        wrap(filled.desk, [first, second], "settlement", GEC)
    wrap(filled.desk, [second], "settlement", GEC)


def test_the_public_entry_names_no_instrument(filled: House) -> None:
    lot = lots_of(filled)[0].lot
    receipt = wrap(filled.desk, [lot], "settlement", GEC)
    said = json.dumps(receipt.entry.statement)
    assert GEC.number not in said
    assert GEC.issuer not in said
