"""Records: put, replaced, ended and put again, by their first author, and as of any log size."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.service import Receipt
from ledger.parties.desk import Draft, seal_json
from ledger.records import service, store
from tests.ledgers import no_progress
from tests.records.contents import a_set, value_of

pytestmark = pytest.mark.both_databases

SECRET = "00112233445566778899aabbccddeeff"


def values(house: House, as_of: int | None = None, author: str | None = None) -> dict[str, Any]:
    with reading(house.engine) as conn:
        found = store.current(conn, 1, "factors", as_of=as_of, author=author)
    return {name: value_of(record.content) for name, record in found.items()}


def put(house: House, name: str, value: int, author: str = "mill") -> Receipt:
    return service.put(house.desk, "factors", name, a_set(value), author=author)


def test_what_is_in_force_is_the_last_put_below_a_log_size(house: House) -> None:
    first = put(house, "grid", 1)
    second = put(house, "grid", 2)
    put(house, "heat", 7, author="farm")
    end = service.end(house.desk, "factors", "grid", "superseded", author="mill")
    again = put(house, "grid", 3)
    assert values(house) == {"grid": 3, "heat": 7}
    assert values(house, as_of=again.index) == {"heat": 7}
    assert values(house, as_of=end.index) == {"grid": 2, "heat": 7}
    assert values(house, as_of=second.index) == {"grid": 1}
    assert values(house, as_of=first.index) == {}
    assert values(house, author="farm") == {"heat": 7}
    with reading(house.engine) as conn:
        history = store.history(conn, 1, "factors", "grid")
        found = store.find(conn, 1, "factors", "grid", as_of=second.index + 1)
        with pytest.raises(NotFound, match=f"in force at log size {again.index}"):
            store.find(conn, 1, "factors", "grid", as_of=again.index)
    assert [(one.act, value_of(one.content), one.reason) for one in history] == [
        ("put", 1, ""),
        ("put", 2, ""),
        ("end", None, "superseded"),
        ("put", 3, ""),
    ]
    assert (found.id, found.leaf) == (second.entry.id, second.entry.leaf_hash)
    house.audit(no_progress)


def test_a_name_is_its_first_authors(house: House) -> None:
    put(house, "grid", 1)
    with pytest.raises(Refused, match="factors grid is a record of 'mill', not of 'farm'"):
        put(house, "grid", 2, author="farm")
    with pytest.raises(Refused, match="is a record of 'mill', not of 'operator'"):
        service.end(house.desk, "factors", "grid", "no", author="operator")
    with pytest.raises(NotFound):
        service.end(house.desk, "factors", "heat", "no", author="mill")
    service.end(house.desk, "factors", "grid", "no", author="mill")
    with pytest.raises(Refused, match="is not in force: there is nothing to end"):
        service.end(house.desk, "factors", "grid", "no", author="mill")
    # Ended, it is the mill's still.
    with pytest.raises(Refused, match="is a record of 'mill'"):
        put(house, "grid", 2, author="farm")


def test_who_writes_on_an_old_version_is_refused(house: House) -> None:
    first = put(house, "grid", 1)
    put(house, "grid", 2)
    members = {"register": "factors", "name": "grid", "replaces": first.entry.id}
    draft = Draft(
        type="record.put",
        author="mill",
        members=members,
        bodies={"body": seal_json(a_set(3), "record")},
    )
    with pytest.raises(Refused, match=r"factors grid: replaces is '.*', its last entry is"):
        house.desk.append(draft)
    assert values(house) == {"grid": 2}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("register", "name", "content", "said"),
    [
        ("factor", "grid", {}, "register 'factor' is none; there are factors, regime"),
        ("factors", "Grid", {}, "name is 'Grid', not 1–64 characters of a-z 0-9 -"),
        ("activity", "diesel-2025", {}, "name 'diesel-2025' is public, and what activity is"),
        ("factors", "grid", {"a": [{"b": 0.8325}]}, r'a\.0\.b is 0\.8325; .* as text, "0\.8325"'),
        ("factors", "grid", {"a": True}, "a is True; a record holds integers and text"),
        ("factors", "grid", {"a": 2**53}, "a is 9007199254740992, beyond"),
        ("activity", SECRET, {"a": None}, "a is None; a record holds integers and text"),
    ],
)
def test_what_can_be_no_record(
    house: House, register: str, name: str, content: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        service.put(house.desk, register, name, content, author="mill")


def test_the_log_itself_looks_at_name_form_and_size(house: House) -> None:
    """Past the service: an entry that somebody signs by other means."""

    def hand_in(register: str, name: str, content: dict[str, Any], **changes: Any) -> None:
        body = seal_json(content, "record")
        members = {"register": register, "name": name, "replaces": ""}
        house.desk.append(
            Draft(
                type="record.put",
                author="mill",
                members=members | changes,
                bodies={"body": body},
            )
        )

    with pytest.raises(InvalidInput, match="is public, and what product is about is not"):
        hand_in("product", "steel", {})
    with pytest.raises(InvalidInput, match="true is not allowed; only integers and text are"):
        hand_in("product", SECRET, {"a": True})
    with pytest.raises(InvalidInput, match="of at most 4,194,304 bytes"):
        hand_in("product", SECRET, {"a": "x" * 4 * 1024 * 1024})
    hand_in("product", SECRET, {"a": "x"})
    with reading(house.engine) as conn:
        assert store.find(conn, 1, "product", SECRET).content == {"a": "x"}
