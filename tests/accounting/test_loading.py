"""Facts of the log: storages, statements as of a size, connections, corrections that cut claims."""

from __future__ import annotations

from pathlib import Path

from ledger.accounting.facts import Supply
from ledger.accounting.loading.park import energy
from ledger.accounting.loading.subject import organisation
from ledger.accounting.loading.view import View
from ledger.claims import service as claims
from ledger.db import reading
from ledger.house import House
from ledger.matching.service import run_matching
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.reports.model import encode
from tests.accounting.books import FEBRUARY, consumer, draft, size
from tests.claims.certified import FEB, claim, imported, retired
from tests.claims.test_official import stated
from tests.divided import agree, owners, point_id, source, take


def view(house: House, conn: object, as_of: int = 0) -> View:
    return View(conn, house.log, FEBRUARY, as_of or size(house))  # type: ignore[arg-type]


def test_a_storage_gives_back_what_charged_it(begun: House) -> None:
    """Charged with 300 Wh of pv and 100 of wind, 200 came back: 150 and 50."""
    owners(begun)
    source(begun, "roof", technology="pv")
    source(begun, "tower", technology="wind")
    consumer(begun, "saw")
    register_point(begun.desk, Point(name="store", kind="other", owner="farm"))
    store = point_id(begun, "store").hex()
    for name, kind in (("in", "storage-charge"), ("out", "storage-discharge")):
        found = Point(name=name, kind=kind, owner="farm", parent=store, region="440106")
        register_point(begun.desk, found)
    take(begun, "roof", [300, 0, 0, 0], start=-4)
    take(begun, "tower", [100, 0, 0, 0], start=-4)
    take(begun, "in", [400, 0, 0, 0], start=-4)
    take(begun, "out", [0, 0, 120, 80], start=-4)
    take(begun, "saw", [0, 0, 500, 500], start=-4)
    agree(begun, "charging", {"in": 0}, sources=["roof", "tower"])
    agree(begun, "giving", {"saw": 0}, kind="storage", sources=["out"])
    run_matching(begun.desk, FEB)
    claims.make(begun.desk, ["saw"], FEB)
    with reading(begun.engine) as conn:
        loaded = organisation(view(begun, conn), "mill", ())
        farm = organisation(view(begun, conn), "farm", ())
        park = energy(view(begun, conn))
    assert [_said(one) for one in loaded.facts.electricity.supplies] == [
        ("storage", "pv", 150, "farm"),
        ("storage", "wind", 50, "farm"),
    ]
    curve = loaded.facts.electricity.covered_quarter_wh()
    assert curve[-4:].tolist() == [0, 0, 120, 80]
    (given,) = farm.facts.electricity.exports
    assert (given.technology, given.wh, given.counterparty) == ("storage", 200, "mill")
    assert (park.charged_wh, park.discharged_wh, park.storage_loss_wh) == (400, 200, 200)
    assert park.storage_green_loss_wh == 200
    assert [(one.technology, one.charged_wh) for one in park.generation] == [
        ("pv", 300),
        ("wind", 100),
    ]
    (connection,) = park.connections
    assert (connection.available_wh, connection.storage_loss_wh) == (400, 200)


def _said(one: Supply) -> tuple[str, str, int, str]:
    return one.supply_class, one.technology, one.wh, one.counterparty


def test_a_claim_is_final_by_the_statements_of_then(books: House, tmp_path: Path) -> None:
    """The shop's 2 MWh by certificates: pending, then cancelled officially, in part before."""
    imported(books, "X", 2, owner="shop", project="TOWER")
    claim(books, retired(books, 2, code="X", owner="shop"), points=["oven"])
    sizes, said = [], []
    for row in ("", "X,1,cancelled", "X,2,cancelled"):
        if row:
            stated(books, tmp_path, 1, row)
        sizes.append(size(books))
        said.append(encode(draft(books, subject="shop", as_of=sizes[-1])))
    found = [draft(books, subject="shop", as_of=as_of) for as_of in sizes]
    quality = [one["result"]["quality"][0]["claims"][0] for one in found]
    assert [(one["confirmed_units"], one["status"]) for one in quality] == [
        (0, "pending official cancellation"),
        (1, "pending official cancellation"),
        (2, "final"),
    ]
    assert [encode(one) for one in found] == said
    figure = next(one for one in found[-1]["result"]["regimes"] if one["id"] == "ndrc-910")
    assert figure["electricity"]["pending_wh"] == 0
    assert figure["total"]["gases_g"] == {"CO2": 1_100_000}, "10 GJ of heat alone"


def test_what_a_correction_took_away_is_cut_and_named(books: House) -> None:
    """In the first quarter-hour the saw used 0.4 MWh, not 2.5; 1 MWh of the roof is claimed there.
    2 MWh of certificates are within what is left of the whole."""
    take(books, "saw", [400_000], start=-4, reason="a factor of the meter")
    content = draft(books, regimes=["ndrc-910"])
    (figure,) = content["result"]["regimes"]
    assert figure["electricity"]["supplied_wh"] == {"direct": 2_400_000, "unbundled": 2_000_000}
    (cut,) = [one for one in content["result"]["cuts"] if one["what"] == "claim"]
    assert (cut["wh"], cut["why"]) == (
        600_000,
        "a correction left less consumption than is claimed",
    )


def test_certificates_for_a_longer_time_do_not_count(books: House) -> None:
    """A year's certificates, used for a year, are not a month's."""
    before = size(books)
    year = draft(books, period="2026", region="44", as_of=before)
    (figure,) = [one for one in year["result"]["regimes"] if one["id"] == "ndrc-910"]
    assert figure["electricity"]["supplied_wh"]["unbundled"] == 2_000_000
    january = draft(books, period="2026-01", as_of=before)
    (figure,) = [one for one in january["result"]["regimes"] if one["id"] == "ndrc-910"]
    assert figure["electricity"]["consumption_wh"] == 0
    assert january["result"]["cuts"] == []
