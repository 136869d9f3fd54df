"""Reports: taken as the log computes them, version after version, and recomputed by an audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ledger.db import reading
from ledger.errors import Corrupt, InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.bodies import Blob
from ledger.log.service import Receipt
from ledger.parties.desk import Draft, fresh_salt
from ledger.reports import service, store
from ledger.reports.model import MEDIA, encode
from tests.ledgers import no_progress
from tests.reports.counting import COUNTING, computing

pytestmark = pytest.mark.both_databases

REPORT = "00112233445566778899aabbccddeeff"


def publish(house: House, prefix: str = "", report: str = "", **more: Any) -> Receipt:
    about = {"prefix": prefix}
    return service.publish(
        house.desk, COUNTING, "inventory", about, author="mill", report=report, **more
    )


def load(house: House, report: str, number: int | None = None) -> dict[str, Any]:
    with reading(house.engine) as conn:
        found = store.find_report(conn, 1, report, number=number)
        return store.load(conn, house.log, found)


def test_a_version_says_what_changed_and_why(house: House) -> None:
    house = computing(house)
    first = publish(house)
    report = first.entry.statement["report"]
    before = load(house, report)
    late = house.desk.register_party("farm", "Farm and Sons", ["enterprise"])
    second = publish(house, report=report)
    assert second.entry.statement["replaces"] == first.entry.id
    after = load(house, report)
    assert before["changes"] == {"lines": [], "because": []}
    assert after["changes"] == {
        "lines": [{"path": "/result/lines/farm/times", "before": 1, "after": 2}],
        "because": [
            {
                "entry": late.index,
                "type": "party.register",
                "hash": late.entry.leaf_hash.hex(),
                "how": "new",
                "reason": "",
            },
        ],
    }
    # What was published stays.
    assert load(house, report, number=0) == before
    with reading(house.engine) as conn:
        assert [one.entry_index for one in store.list_reports(conn, 1)] == [second.index]
        below = store.list_reports(conn, 1, kind="inventory", author="mill", as_of=second.index)
        assert [one.entry_index for one in below] == [first.index]
        assert store.list_reports(conn, 1, author="farm") == []
    house.audit(no_progress)


def test_a_draft_publishes_nothing_and_is_of_any_size(house: House) -> None:
    house = computing(house)
    with reading(house.engine) as conn:
        whole = service.draft(conn, house.log, COUNTING, "inventory", {"prefix": "m"})
        early = service.draft(conn, house.log, COUNTING, "inventory", {"prefix": "m"}, as_of=1)
        for size in (0, 1000):
            with pytest.raises(InvalidInput, match=f"as_of is {size}; the log has"):
                service.draft(conn, house.log, COUNTING, "inventory", {"prefix": ""}, as_of=size)
        with pytest.raises(InvalidInput, match="this program computes inventory"):
            service.draft(conn, house.log, COUNTING, "balance", {"prefix": ""})
        with pytest.raises(NotFound, match="there is no report"):
            service.draft(conn, house.log, COUNTING, "inventory", {"prefix": ""}, report=REPORT)
        assert store.list_reports(conn, 1) == []
    assert whole["result"]["lines"] == [{"id": "mill", "times": 1}]
    assert early["result"] == {"lines": [], "inputs": []}


def forged(house: House, content: Mapping[str, Any], data: bytes = b"", **changes: Any) -> None:
    body = Blob.seal(data or encode(content), MEDIA, salt=fresh_salt())
    members = {
        "kind": content["kind"],
        "report": REPORT,
        "replaces": "",
        "as_of": content["as_of"],
    }
    draft = Draft(
        type="report.publish", author="mill", members=members | changes, bodies={"body": body}
    )
    house.desk.append(draft)


def test_another_result_is_refused(house: House) -> None:
    house = computing(house)
    with reading(house.engine) as conn:
        true = service.draft(conn, house.log, COUNTING, "inventory", {"prefix": ""})
    size, result = true["as_of"], true["result"]
    more = {**result, "lines": [*result["lines"], {"id": "ghost", "times": 1}]}
    other = {**result, "inputs": result["inputs"][1:]}
    swapped = {**result["inputs"][0], "hash": result["inputs"][1]["hash"]}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"result": more}, f"at size {size}: /result/lines/ghost/id is '', not 'ghost'"),
        ({"result": other}, "another result at size .*: /result/inputs"),
        (
            {"result": {**result, "inputs": [swapped, *result["inputs"][1:]]}},
            "not the entries of these places",
        ),
        ({"result": {"lines": []}}, "is no array of the entries"),
        ({"changes": {"lines": [], "because": [], "more": 1}}, "changes are not what differs"),
        ({"about": {"prefix": "m"}}, "the log computes another result"),
    ]
    for wrong, said in cases:
        with pytest.raises((InvalidInput, Refused), match=said):
            forged(house, {**true, **wrong})
    with pytest.raises(InvalidInput, match="as_of of the body is"):
        forged(house, true, as_of=size - 1)
    with pytest.raises(InvalidInput, match=f"as_of is {size + 9}; before this entry stand"):
        forged(house, {**true, "as_of": size + 9})
    with pytest.raises(InvalidInput, match="with sorted members and without blanks"):
        forged(house, true, data=encode(true).replace(b'":', b'": ', 1))
    with pytest.raises(InvalidInput, match="no reports of kind 'balance'; this program computes"):
        forged(house, {**true, "kind": "balance"})
    forged(house, true)


def test_a_report_stays_its_authors_and_of_its_kind(house: House) -> None:
    both = {**COUNTING, "balance": COUNTING["inventory"]}
    house = computing(house, both)
    first = publish(house)
    report = first.entry.statement["report"]

    def again(kind: str, author: str, as_of: int | None = None) -> None:
        about = {"prefix": ""}
        service.publish(house.desk, both, kind, about, author=author, report=report, as_of=as_of)

    for kind, author in (("inventory", "farm"), ("balance", "mill")):
        with pytest.raises(Refused, match="is inventory of 'mill', always"):
            again(kind, author)
    with pytest.raises(Refused, match="a later version, of 1, knows no less"):
        again("inventory", "mill", as_of=1)
    again("inventory", "mill")
    house.audit(no_progress)


def test_an_audit_recomputes_reports(house: House) -> None:
    honest = computing(house)
    publish(honest)
    honest.audit(no_progress)

    def other(*args: Any) -> dict[str, Any]:
        found = COUNTING["inventory"](*args)
        return {**found, "lines": found["lines"][1:]}

    with pytest.raises(Corrupt, match="the log computes another result"):
        computing(house, {"inventory": other}).audit(no_progress)
