"""Sets in the log: who puts them, as of which size, and what a new version leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ledger.accounting.factors import files, service
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import FactorSet
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.store import LogFacts, load_head
from ledger.records import service as records
from ledger.reports import service as reports
from ledger.reports import store as report_rows
from ledger.reports.inputs import inputs_of
from tests.accounting.factors.sets import factor, own, set_json
from tests.ledgers import begun_template, close, copy_ledger, open_house
from tests.reports.counting import computing

__all__ = ["begun_template"]


USE = {"item": "electricity-average", "region": "CN", "year": 2022}


@pytest.fixture
def house(begun_template: Path, tmp_path: Path) -> Iterator[House]:
    found = open_house(copy_ledger(begun_template, tmp_path / "factors"))
    for party in ("mill", "mallory"):
        found.desk.register_party(party, party, ["enterprise"])
        found.desk.create_key(party)
    yield found
    close(found)


def find(house: House, as_of: int, sets: tuple[str, ...] = ()) -> dict[str, Any]:
    with reading(house.engine) as conn:
        library = FactorLibrary.at(conn, house.log, as_of, sets=sets)
    return library.find("electricity-average", region="CN", year=2022).use()


def put(house: House, content: FactorSet, name: str = "own", author: str = "") -> int:
    receipt = service.publish(house.desk, name, content, author=author)
    assert receipt is not None
    return receipt.index + 1


def ten_kwh(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
) -> dict[str, Any]:
    """A report made up for tests: 10 kWh at the factor that `about` asks for."""
    found = FactorLibrary.at(conn, log, as_of).find(**about)
    mass_g = int(found.times(10, "kWh", "g"))
    lines = [{"id": "electricity", "mass_g": mass_g, "factor": found.use()}]
    return {"lines": lines, "inputs": inputs_of(conn, log.log_id, [found.by.entry])}


COMPUTES = {"inventory": ten_kwh}


def test_shipped_sets_are_put_once_and_say_which_entry_and_version_they_are(house: House) -> None:
    assert service.ensure(house.desk, ["gwp", "cn-electricity"]) == ["cn-electricity", "gwp"]
    assert service.ensure(house.desk, ["gwp", "cn-electricity"]) == []
    with reading(house.engine) as conn:
        size = load_head(conn, 1).size
        (record,) = service.history(conn, house.log, "cn-electricity")
    use = find(house, size)
    assert (use["set"], use["version"], use["value"]) == ("cn-electricity", 1, "0.5366")
    assert (use["entry"], use["hash"]) == (record.entry_index, record.leaf.hex())
    assert service.publish(house.desk, "gwp", files.shipped("gwp")) is None


@pytest.mark.both_databases
def test_what_counts_is_what_was_in_force_at_a_log_size(house: House) -> None:
    first = put(house, own(factor("0.5")))
    second = put(house, own(factor("0.4")))
    records.end(house.desk, "factors", "own", "wrong units", author="operator")
    third = put(house, own(factor("0.3")))
    said = [find(house, size) for size in (first, second, third)]
    assert [(use["value"], use["version"]) for use in said] == [("0.5", 1), ("0.4", 2), ("0.3", 4)]
    with pytest.raises(InvalidInput, match="no set of factors is in force"):
        find(house, first - 1)
    with pytest.raises(InvalidInput, match="no set of factors is in force"):
        find(house, third - 2)


def test_sets_of_others_count_where_they_are_named(house: House) -> None:
    put(house, own(factor("0.5")))
    size = put(house, own(factor("0.1")), name="better", author="mallory")
    assert find(house, size)["value"] == "0.5"
    assert find(house, size, ("better", "own"))["value"] == "0.1"
    with pytest.raises(InvalidInput, match="no set of factors 'best' is in force at log size"):
        find(house, size, ("best",))
    with pytest.raises(InvalidInput, match="names a set twice"):
        find(house, size, ("own", "own"))
    put(house, own(factor("0.6", year=2023)), name="more")
    clash = put(house, own(factor("0.7")), name="clash")
    with pytest.raises(InvalidInput, match="the sets clash and own both say it"):
        find(house, clash)
    with pytest.raises(Refused, match="is a record of 'mallory', not of 'operator'"):
        put(house, own(factor("0.5")), name="better")


def test_the_log_takes_no_set_that_is_none(house: House) -> None:
    for content, said in (
        (set_json(factor(value := "1,2")), f"member 'value' is '{value}'"),
        ({"title": "x"}, "member 'title'"),
        (set_json(factor(), factor()), "stands twice"),
    ):
        with pytest.raises(InvalidInput, match=said):
            records.put(house.desk, "factors", "own", content, author="mill")
    with reading(house.engine) as conn, pytest.raises(NotFound, match="no set of factors 'own'"):
        service.history(conn, house.log, "own")


def test_versions_are_compared_factor_by_factor(house: House) -> None:
    put(house, own(factor("0.5"), factor("0.11", item="heat", unit="t/GJ")))
    put(house, own(factor("0.4", status="official"), factor("0.3", year=2023)))
    with reading(house.engine) as conn:
        old, new, changes = service.diff(conn, house.log, "own")
        _, _, first = service.diff(conn, house.log, "own", after=1)
        with pytest.raises(NotFound, match="has versions 1 to 2, not 3"):
            service.diff(conn, house.log, "own", after=3)
    assert old is not None
    assert (old.number, new.number) == (0, 1)
    assert [(one.said, one.how, dict(one.members)) for one in changes] == [
        (
            "electricity-average, CN, 2022, CO2",
            "changed",
            {"value": ("0.5", "0.4"), "status": ("unverified", "official")},
        ),
        ("electricity-average, CN, 2023, CO2", "new", {"value": ("", "0.3 kg/kWh")}),
        ("heat, CN, 2022, CO2", "gone", {"value": ("0.11 t/GJ", "")}),
    ]
    assert [one.how for one in first] == ["new", "new"]


def test_a_new_version_shows_what_drafts_would_say_and_leaves_reports_alone(house: House) -> None:
    """10 kWh at 0.5 kg/kWh are 5,000 g, at 0.4 they are 4,000 g."""
    house = computing(house, COMPUTES)
    put(house, own(factor("0.5")))
    put(house, own(factor("0.1", item="heat")), name="other")
    made = reports.publish(house.desk, COMPUTES, "inventory", USE, author="mill")
    with reading(house.engine) as conn:
        (before,) = report_rows.list_reports(conn, 1)
        content = report_rows.load(conn, house.log, before)
        assert service.affected_reports(conn, house.log, "own") == []
    put(house, own(factor("0.2", item="heat")), name="other")
    put(house, own(factor("0.4")))
    with reading(house.engine) as conn:
        assert service.affected_reports(conn, house.log, "other") == []
        (affected,) = service.affected_reports(conn, house.log, "own")
        found = service.redraft(conn, house.log, COMPUTES, affected)
        assert report_rows.load(conn, house.log, affected) == content
    assert affected == before
    changed = {line["path"]: (line["before"], line["after"]) for line in found.changes["lines"]}
    assert changed["/result/lines/electricity/mass_g"] == (5000, 4000)
    assert changed["/result/lines/electricity/factor/version"] == (1, 2)
    assert [one["how"] for one in found.changes["because"]] == ["replaced", "new"]
    # A set that is ended leaves no draft, and says why.
    records.end(house.desk, "factors", "own", "withdrawn", author="operator")
    with reading(house.engine) as conn:
        ended = service.redraft(conn, house.log, COMPUTES, affected)
        assert service.affected_reports(conn, house.log, "own") == [affected]
    assert "no factor of electricity-average" in ended.error
    # Published anew, the report rests on what is in force.
    put(house, own(factor("0.4")))
    series = made.entry.statement["report"]
    reports.publish(house.desk, COMPUTES, "inventory", USE, author="mill", report=series)
    with reading(house.engine) as conn:
        assert service.affected_reports(conn, house.log, "own") == []
