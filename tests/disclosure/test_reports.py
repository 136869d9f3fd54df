"""Footprints and scorecards of the rooms that make them, as a pack shows them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.db import reading
from ledger.disclosure.asked import Asked
from ledger.disclosure.choosing import choose
from ledger.disclosure.content import Content, gather
from ledger.disclosure.tables import Table
from ledger.disclosure.views import tables_of
from ledger.errors import InvalidInput
from ledger.footprint.service import make
from ledger.house import COMPUTES, House
from ledger.log.store import load_head
from ledger.reports import service as reports
from ledger.scorecard import service as scorecards
from tests.footprint.parks import FEB, PRODUCTS, TERMS, mill, mill_template
from tests.ledgers import begun_template
from tests.scorecard.parks import GUIDELINE

__all__ = ["begun_template", "mill", "mill_template"]


def content_of(house: House, organisation: str) -> Content:
    """Of what is published."""
    with reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        asked = choose(conn, house.log, organisation, "2026", size)
        return gather(conn, house.log, replace(asked, drafts=()), size, COMPUTES)


def table(content: Content, name: str) -> Table:
    return next(one for one in tables_of(content) if one.name == name)


def test_footprints(mill: House) -> None:
    found = make(mill.desk, PRODUCTS[0], TERMS, publishes=True)
    content = content_of(mill, "mill")
    (report,) = content.reports("footprint")
    assert report["result"] == found.content["result"]
    (row,) = table(content, "footprints").rows
    totals = found.content["result"]["totals"]
    assert row[:3] == ["铸件\nCasting", FEB, "1 piece"]
    assert row[3:5] == [totals["excluding_uptake_kg"], totals["including_uptake_kg"]]
    factors = {one["item"] for one in content.documents["factors.json"]["factors"]}
    assert {"pig-iron", "electricity-life-cycle"} <= factors
    assert content_of(mill, "farm").reports("footprint") == []


def test_a_scorecard_of_the_park_is_the_operators(mill: House) -> None:
    scorecards.ensure(mill.desk, GUIDELINE)
    about = {"standard": GUIDELINE, "period": FEB}
    operator = mill.log.operator
    made = reports.publish(mill.desk, COMPUTES, "scorecard", about, author=operator)
    content = content_of(mill, operator)
    (report,) = content.reports("scorecard")
    assert report["report"] == made.entry.statement["report"]
    rows = table(content, "scorecard").rows
    assert len(rows) == len(report["result"]["clauses"]) > 50
    assert rows[0][0] == report["result"]["clauses"][0]["clause"]
    assert {str(row[2]).split()[-1] for row in rows} <= {"met", "partly", "gap", "applicable"}
    assert content_of(mill, "mill").reports("scorecard") == []


def test_nobody_elses_product_is_drafted(mill: House) -> None:
    about = make(mill.desk, PRODUCTS[0], TERMS).asked.to_json()
    asked = Asked(organisation="farm", year="2026", drafts=(("footprint", about),))
    with reading(mill.engine) as conn:
        size = load_head(conn, mill.log.log_id).size
        with pytest.raises(InvalidInput, match="nobody else's footprint"):
            gather(conn, mill.log, asked, size, COMPUTES)
        # Nor is it told what somebody else's lacks: its name, and the periods that it states.
        unknown = replace(asked, drafts=(("footprint", {**about, "period": "2026-01"}),))
        with pytest.raises(InvalidInput, match="nobody else's footprint"):
            gather(conn, mill.log, unknown, size, COMPUTES)
        own = replace(asked, organisation="mill")
        assert gather(conn, mill.log, own, size, COMPUTES).reports("footprint")
        park = Asked(organisation="mill", year="2026", drafts=(("balance", {"period": FEB}),))
        with pytest.raises(InvalidInput, match="nobody else's balance"):
            gather(conn, mill.log, park, size, COMPUTES)
