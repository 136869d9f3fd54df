"""Activities and documents: what the log takes, what it refuses by name, and files of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.accounting.registers.document import Document, DocumentFile
from ledger.accounting.registers.importing import import_activities
from ledger.cli.activities import times_of
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.log.service import Receipt
from ledger.metering.importers.report import RowsRejected
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.parties.desk import fresh_id
from ledger.records import service, store
from tests.accounting.books import act, draft, meter, metered_gas, size
from tests.cli.conftest import Run, run
from tests.divided import point_id
from tests.ledgers import copy_ledger

__all__ = ["run"]

HEAT = {"category": "heat", "item": "heat", "unit": "GJ"}


def activities(house: House) -> int:
    with reading(house.engine) as conn:
        return len(store.current(conn, 1, "activity"))


def name_of(receipt: Receipt) -> str:
    found: str = receipt.entry.statement["name"]
    return found


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"quantity": ""}, "no point that meters it"),
        ({"quantity": "1.5e3"}, "a decimal in text"),
        ({"unit": "barrel"}, "a unit such as"),
        ({"category": "magic"}, "one of fuel"),
        ({"counterparty": "mill"}, "the organisation itself"),
        ({"counterparty": "nobody"}, "nobody"),
        ({"within": "0" * 32}, "there is no activity 0{32} in force"),
        ({"documents": ["0" * 32]}, "there is no document 0{32} in force"),
        ({"point": "0" * 32}, "is not registered"),
        ({"from": "2026-02-28T16:00:00Z"}, "is empty"),
        ({"factor": {"value": "3"}}, "member 'unit' is missing"),
        (
            {"factor": {"value": "3", "unit": "t/GJ", "gas": "CO2", "source": "measured"}},
            "'t' .*does not convert to 'GJ'",
        ),
    ],
)
def test_refused_by_name(books: House, members: dict[str, Any], why: str) -> None:
    before = size(books)
    with pytest.raises(LedgerError, match=why):
        act(books, "mill", **members)
    assert size(books) == before


def test_only_its_own(books: House) -> None:
    with pytest.raises(Refused, match="what is of 'shop' is put by 'shop', not by 'mill'"):
        act(books, "mill", organisation="shop")
    with pytest.raises(Refused, match="of the park as a whole is put by 'operator'"):
        act(books, "mill", organisation="")
    with pytest.raises(Refused, match="is not one of 'shop'"):
        act(books, "shop", point=point_id(books, "saw").hex())
    act(books, "operator", category="sink", item="co2", quantity="1")
    assert len(draft(books, "balance")["result"]["missing"]) == 0


def test_a_meter_counts_once(books: House) -> None:
    """The gas meter is counted already; a meter above it would count it again."""
    with pytest.raises(Refused, match="counts point 'gas' for an overlapping time"):
        metered_gas(books)
    above = Point(name="gas-all", kind="other", owner="mill", unit="ml", meters=meter("gas-all"))
    register_point(books.desk, above)
    all_gas = point_id(books, "gas-all").hex()
    gas = Point(
        name="gas", kind="other", owner="mill", unit="ml", meters=meter("gas"), parent=all_gas
    )
    register_point(books.desk, gas)
    with pytest.raises(Refused, match="'gas-all' is the same meter, or one above or below it"):
        metered_gas(books, point=all_gas)


def test_what_a_meter_shows_must_be_of_the_unit(books: House) -> None:
    with pytest.raises(InvalidInput, match=r"'ml' \(volume\) does not convert to 't'"):
        metered_gas(books, unit="t", item="fuel-lpg")


def test_a_part_is_of_its_whole(books: House) -> None:
    """3 of 8 t of coke are one furnace's: 8 t count."""
    whole = name_of(act(books, "mill", item="fuel-coke", quantity="8"))
    with pytest.raises(Refused, match="a part is of the same kind as its whole"):
        act(books, "mill", item="fuel-lpg", within=whole)
    with pytest.raises(Refused, match="not inside of that"):
        act(books, "mill", item="fuel-coke", within=whole, to="2026-03-01T00:00:00Z")
    act(books, "mill", item="fuel-coke", quantity="3", within=whole)
    content = draft(books, regimes=["ndrc-910"])["result"]["regimes"][0]
    assert [one["quantity"] for one in content["lines"] if "coke" in one["id"]] == ["8"]


def test_a_new_version_stays_with_its_organisation(books: House) -> None:
    name = name_of(act(books, "operator", category="sink", item="co2", quantity="1"))
    with pytest.raises(Refused, match="end it, and put another one"):
        service.put(
            books.desk,
            "activity",
            name,
            {**_content(books, name), "organisation": "operator"},
            author="operator",
        )


def _content(house: House, name: str) -> dict[str, Any]:
    with reading(house.engine) as conn:
        return dict(store.find(conn, 1, "activity", name).content)


# Files


def csv(*rows: str) -> bytes:
    head = "category,item,quantity,unit,period,from,to,point,note"
    return "\n".join([head, *rows, ""]).encode()


def take(house: House, data: bytes, organisation: str = "shop") -> Any:
    return import_activities(
        house.desk, data, "a.csv", organisation=organisation, times=times_of("+08:00")
    )


def test_all_rows_or_none(books: House) -> None:
    before = size(books)
    with pytest.raises(RowsRejected) as caught:
        take(
            books,
            csv(
                "fuel,fuel-diesel,2,t,2026-01,,,,",
                "fuel,fuel-diesel,2 t,t,2026-13,,,,",
                "fuel,fuel-diesel,2,barrel,2026-01,,,saw,",
                "fuel,fuel-diesel,2,t,,2026-01-01,,,",
                "magic,fuel-diesel,2,t,2026-01,,,,",
            ),
        )
    found = [(one.row, one.column) for one in caught.value.rejections]
    assert found == [
        (3, "period"),
        (3, "quantity"),
        (4, "point"),
        (4, "unit"),
        (5, "to"),
        (6, "category"),
    ]
    assert size(books) == before


def test_a_row_that_the_log_would_refuse_is_named(books: House) -> None:
    """What one row after the other is asked is said with its number, too."""
    with pytest.raises(RowsRejected, match=r"row 3: .*would count the same amount twice"):
        take(
            books,
            csv(
                "fuel,fuel-diesel,2,t,2026-01,,,,",
                "fuel,fuel-natural-gas,,Nm3,2026-02,,,gas,",
            ),
            "mill",
        )


def test_the_same_file_again_changes_nothing(books: House) -> None:
    data = csv("fuel,fuel-diesel,2,t,2026-01,,,,", "fuel,fuel-lpg,1.5,t,,2026-01-05,2026-01-07,,x")
    before = activities(books)
    first, second = take(books, data), take(books, data)
    assert (len(first.names), first.repeats) == (2, 0)
    assert (len(second.names), second.repeats) == (0, 2)
    assert activities(books) == before + 2


# Documents


def test_a_document_is_its_file_by_hash(books: House) -> None:
    """SHA-256 of `abc`, of FIPS 180-4."""
    file = DocumentFile.of(b"abc", name="a.pdf", media="application/pdf")
    assert file.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    content = Document(organisation="mill", title="Invoice", kind="invoice", file=file).to_json()
    name = fresh_id()
    service.put(books.desk, "document", name, content, author="mill")
    act(books, "mill", item="fuel-lpg", documents=[name])
    with pytest.raises(Refused, match="is not one of 'shop'"):
        act(books, "shop", documents=[name])
    for wrong in ({"kind": "No"}, {"file": {**content["file"], "sha256": "0"}}, {"title": ""}):
        with pytest.raises(InvalidInput):
            service.put(books.desk, "document", fresh_id(), {**content, **wrong}, author="mill")
    with pytest.raises(InvalidInput, match="before it was issued"):
        Document.from_json(
            {**content, "issued": "2026-01-02T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"}
        )


# Commands


@pytest.fixture
def folder(books_template: Path, tmp_path: Path) -> Path:
    return copy_ledger(books_template, tmp_path / "ledger")


def answer(run: Run, *words: str) -> Any:
    done = run(*words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_commands_of_activities_and_documents(run: Run, folder: Path, tmp_path: Path) -> None:
    words = ("fuel", "fuel-lpg", "2026-02", "1.5", "--unit", "t", "--party", "shop")
    made = answer(run, "activity", "add", *words)
    assert (made["quantity"], made["from"]) == ("1.5", "2026-01-31T16:00:00Z")
    own = "0.1 t/GJ CO2 by its supplier"
    given = ("heat", "heat", "2026-02-01/2026-02-03", "7", "--unit", "GJ", "--factor", own)
    assert answer(run, "activity", "add", *given)["factor"]["source"] == "by its supplier"
    shown = run("activity", "list")
    assert shown.code == 0
    assert "as gas meters" in shown.out
    file = tmp_path / "a.csv"
    file.write_bytes(csv("fuel,fuel-coke,x,t,2026-01,,,,"))
    refused = run("activity", "import", str(file), "--party", "shop")
    assert refused.code == 2
    assert "row 2, column 'quantity'" in refused.err
    file.write_bytes(csv("fuel,fuel-coke,3,t,2026-01,,,,"))
    assert len(answer(run, "activity", "import", str(file), "--party", "shop")["names"]) == 1
    ended = answer(run, "activity", "end", made["name"][:8], "--reason", "twice", "--party", "shop")
    assert ended["name"] == made["name"]
    document = answer(run, "document", "add", str(file), "--kind", "list", "--party", "shop")
    assert answer(run, "document", "show", document["name"], "--file", str(file))["same"] is True
    file.write_bytes(b"another")
    assert run("document", "show", document["name"], "--file", str(file)).code == 5
    assert "a.csv" in run("document", "list").out


def test_commands_of_reports(run: Run, folder: Path) -> None:
    location = "electricity-average 44 2026 44 2023 none of 2026"
    asked = ("mill", "2026-02", "--substitute", location)
    drafted = run("report", "inventory", *asked)
    assert drafted.code == 0, drafted.err
    for text in (
        "温室气体清单 inventory: mill (mill), 2026-02",
        "ndrc-910",
        "ghg-market: NOT computed: ",
        "electricity-average 44 2023 stands in for 44 2026: none of 2026",
        "待官方核销 pending official cancellation",
        "2.600 MWh estimated, by parent meter less siblings",
        "≥ 0.8: FAILS",
    ):
        assert text in drafted.out, text
    made = answer(run, "report", "inventory", *asked, "--regime", "ndrc-910", "--publish")
    answer(
        run, "activity", "add", "fuel", "fuel-lpg", "2026-02", "1", "--unit", "t", "--party", "mill"
    )
    again = run("report", "inventory", *asked, "--regime", "ndrc-910")
    assert "Compared with version 1" in again.out
    assert "record.put" in again.out
    assert answer(run, "report", "list")["reports"][0]["report"] == made["report"]
    assert "it rests on" in run("report", "show", made["report"][:6], "--lines").out
    assert answer(run, "report", "diff", made["report"][:6])["because"]
    balance = run("report", "balance", "2026-02", "--regime", "ndrc-910")
    assert "园区平衡 park balance" in balance.out
    assert "losses under main" in balance.out
    wrong = run("report", "balance", "2026-02", "--substitute", "x y z")
    assert wrong.code == 2
