"""Footprints apportion a use: what is refused, in Python and in the database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert

from ledger.claims import service as claims
from ledger.claims import store as claim_rows
from ledger.db import reading, writing
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.footprint import claimed, uses
from ledger.footprint.asked import Asked, Part
from ledger.footprint.computing import compute
from ledger.footprint.schema import footprint_uses
from ledger.footprint.service import Made, Terms, Wish, draft, make, publish, register
from ledger.house import COMPUTES, House
from ledger.log.audit import no_progress
from ledger.log.bodies import Blob
from ledger.parties.desk import Draft, fresh_id, fresh_salt
from ledger.records import service as records
from ledger.reports import service as reports
from ledger.reports import store as report_rows
from ledger.reports.changes import NONE
from ledger.reports.model import MEDIA, encode
from tests.footprint.parks import FEB, HELD, PRODUCTS, TERMS, casting

ONE, TWO, THREE = PRODUCTS


def claim_in_force(house: House) -> str:
    with reading(house.engine) as conn:
        return next(one for one in claim_rows.find_claims(conn, 1) if one.in_force).claim.hex()


def part(house: House, wh: int, technology: str = "pv", claim: str = "") -> Part:
    claim = claim or claim_in_force(house)
    return Part(claim=claim, supply_class="direct", technology=technology, wh=wh)


def asked(product: str, *parts: Part) -> Asked:
    return Asked(
        product=product, period=FEB, parts=tuple(sorted(parts)), substitutions=TERMS.substitutions
    )


def published(
    house: House, product: str, *parts: Part, report: str = "", author: str = "mill"
) -> str:
    about = asked(product, *parts).to_json()
    receipt = reports.publish(
        house.desk, COMPUTES, "footprint", about, author=author, report=report
    )
    return str(receipt.entry.statement["report"])


def left(house: House) -> dict[tuple[str, str], int]:
    with reading(house.engine) as conn:
        return uses.left_wh(conn, 1, claimed.find(conn, house.log, claim_in_force(house)))


def test_what_a_claim_holds(mill: House) -> None:
    assert left(mill) == HELD


def test_no_more_than_a_claim_holds(mill: House) -> None:
    first = published(mill, ONE, part(mill, 3_000))
    assert left(mill) == {("direct", "pv"): 1_000, ("direct", "wind"): 1_250}
    with pytest.raises(Refused, match="1001 Wh are wanted, the claim holds 4000 Wh"):
        published(mill, TWO, part(mill, 1_001))
    second = published(mill, TWO, part(mill, 1_000), part(mill, 1_250, "wind"))
    assert left(mill) == {}
    # A new version lets go of what the one before took, and of that alone.
    published(mill, ONE, part(mill, 500), report=first)
    assert left(mill) == {("direct", "pv"): 2_500}
    with pytest.raises(Refused, match="2501 Wh are wanted"):
        published(mill, THREE, part(mill, 2_501))
    published(mill, THREE, part(mill, 2_500))
    published(mill, TWO, report=second)
    assert left(mill) == {("direct", "pv"): 1_000, ("direct", "wind"): 1_250}
    mill.audit(no_progress)


def test_refused_by_name(mill: House) -> None:
    with pytest.raises(Refused, match="4001 Wh are wanted, the claim holds 4000 Wh of that"):
        published(mill, ONE, part(mill, 4_001))
    with pytest.raises(Refused, match="the claim holds 0 Wh of that"):
        published(mill, ONE, part(mill, 1, "biomass"))
    with pytest.raises(NotFound, match="there is no claim"):
        published(mill, ONE, part(mill, 1, claim="ab" * 16))
    with pytest.raises(Refused, match="is of 'mill': 'farm' publishes no footprint of it"):
        published(mill, ONE, author="farm")
    with pytest.raises(Refused, match="4001 Wh are taken of claims, but it used 4000 Wh"):
        published(mill, ONE, part(mill, 3_000), part(mill, 1_001, "wind"))
    records.end(mill.desk, "regime", "product-footprint", "x", author="operator")
    with pytest.raises(InvalidInput, match="a figure without a regime does not exist"):
        published(mill, ONE)


def test_of_the_claimant_and_its_time(mill: House) -> None:
    register(mill.desk, casting(10), author="farm", name="44" * 16)
    with pytest.raises(Refused, match="is of 'mill', the product of 'farm'"):
        published(mill, "44" * 16, part(mill, 1), author="farm")
    march = casting(4_000, production=[{"period": "2026-03", "quantity": "4000"}])
    march["activities"][1]["per"] = march["activities"][2]["per"] = "2026-03"
    register(mill.desk, march, author="mill", name=ONE)
    about = replace(asked(ONE, part(mill, 1)), period="2026-03").to_json()
    with pytest.raises(Refused, match="which is not within 2026-02-28T16:00:00Z – 2026-03-31"):
        reports.publish(mill.desk, COMPUTES, "footprint", about, author="mill")


@pytest.mark.both_databases
def test_a_claim_that_ended(mill: House) -> None:
    """What rests on it stays, is shown so, and still counts: its energy is the next claim's."""
    old = claim_in_force(mill)
    first = published(mill, ONE, part(mill, 3_000))
    claims.replace(mill.desk, bytes.fromhex(old), "counted again")
    new = claim_in_force(mill)
    assert new != old
    assert left(mill) == {("direct", "pv"): 1_000, ("direct", "wind"): 1_250}
    with reading(mill.engine) as conn:
        shown = uses.ended_under(conn, 1)
    assert {place: [one.said for one in found] for place, found in shown.items()} == {
        (first, 0): [f"rests on claim {old}, replaced by entry {ended(mill, old)}: claim {new}"]
    }
    with pytest.raises(Refused, match=f"claim {old} was replaced by entry"):
        published(mill, TWO, part(mill, 1, claim=old))
    with pytest.raises(Refused, match="1000 Wh are left"):
        published(mill, TWO, part(mill, 1_001))
    published(mill, ONE, part(mill, 3_500), report=first)
    claims.withdraw(mill.desk, bytes.fromhex(new), "sold after all")
    with reading(mill.engine) as conn:
        found = uses.ended_under(conn, 1)[first, 1]
    assert [one.kind for one in found] == ["withdrawn"]
    mill.audit(no_progress)


def ended(house: House, claim: str) -> int:
    with reading(house.engine) as conn:
        return claim_rows.find_claim(conn, 1, bytes.fromhex(claim)).end_index or 0


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"wh": 1_001}, "no more of a claim than it holds of a class and technology"),
        ({"wh": 2_251, "held_wh": 9_999}, "footprints take no more of a claim than it claims"),
        ({"wh": 0}, "the database refused it"),
        ({"claim": bytes(16)}, "the database refused it"),
        ({"report": bytes(16)}, "the database refused it"),
    ],
)
def test_the_database_says_so_too(mill: House, change: dict[str, object], said: str) -> None:
    """Whatever the code says: of 5,250 Wh of the claim, 3,000 Wh of sun are taken."""
    claim = claim_in_force(mill)
    published(mill, ONE, part(mill, 3_000))
    second = published(mill, TWO)
    row = {
        "log_id": 1,
        "report": bytes.fromhex(second),
        "number": 0,
        "claim": bytes.fromhex(claim),
        "supply_class": "direct",
        "technology": "pv",
        "chain": bytes.fromhex(claim),
        "wh": 1_000,
        "held_wh": 4_000,
    }
    with pytest.raises(Refused, match=said), writing(mill.engine) as conn:
        conn.execute(insert(footprint_uses), [{**row, **change}])
    with writing(mill.engine) as conn:
        conn.execute(insert(footprint_uses), [row])


def test_no_row_of_a_claim_that_ended(mill: House) -> None:
    claim = claim_in_force(mill)
    report = published(mill, ONE)
    claims.withdraw(mill.desk, bytes.fromhex(claim), "x")
    row = _row(report, claim)
    with (
        pytest.raises(Refused, match="a footprint rests on claims in force"),
        writing(mill.engine) as conn,
    ):
        conn.execute(insert(footprint_uses), [row])


def _row(report: str, claim: str) -> dict[str, object]:
    return {
        "log_id": 1,
        "report": bytes.fromhex(report),
        "number": 0,
        "claim": bytes.fromhex(claim),
        "supply_class": "direct",
        "technology": "pv",
        "chain": bytes.fromhex(claim),
        "wh": 1,
        "held_wh": 4_000,
    }


def test_many_share_what_is_left(mill: House) -> None:
    """Castings of 4,000, 2,000 and 1,500 Wh: 4,000 Wh of sun and 1,250 of wind are shared as
    7,500 is: sun 2,133 + 1,067 + 800 (cumulative: 2,133.3, 3,200, 4,000). Not supplied is then
    1,867 + 933 + 700 of
    3,500, and wind 666 + 334 + 250 (666.8, 1,000, 1,250)."""
    register(mill.desk, casting(2_000), author="mill", name=TWO)
    register(mill.desk, casting(1_500), author="mill", name=THREE)
    terms = replace(TERMS, wishes=(Wish(claim=claim_in_force(mill)),))
    found = _drafts(mill, terms)
    assert [{one.technology: one.wh for one in made.asked.parts} for made in found] == [
        {"pv": 2_133, "wind": 666},
        {"pv": 1_067, "wind": 334},
        {"pv": 800, "wind": 250},
    ]
    done = [one for group in publish(mill.desk, found) for one in group]
    assert [one.number for one in done] == [0, 0, 0]
    assert left(mill) == {}
    # Made again they are new versions, which may take the same.
    again = [one for group in publish(mill.desk, _drafts(mill, terms)) for one in group]
    assert [(one.report, one.number) for one in again] == [(one.report, 1) for one in done]
    assert left(mill) == {}
    limited = replace(TERMS, wishes=(Wish(claim=claim_in_force(mill), wh=100),))
    assert [sum(part.wh for part in made.asked.parts) for made in _drafts(mill, limited)] == [
        53,
        27,
        20,
    ]


def _drafts(mill: House, terms: Terms) -> list[Made]:
    with reading(mill.engine) as conn:
        return list(draft(conn, mill.log, PRODUCTS, terms))


def test_computed_as_of_a_size(mill: House) -> None:
    """What comes later changes no figure; a new version says what did, and why."""
    terms = replace(TERMS, wishes=(Wish(claim=claim_in_force(mill), wh=1_000),))
    made = make(mill.desk, ONE, terms, publishes=True)
    with reading(mill.engine) as conn:
        version = report_rows.find_report(conn, 1, made.report)
        content = report_rows.load(conn, mill.log, version)
    changed = casting(5_000)
    changed["activities"][0]["quantity"] = "13"
    register(mill.desk, changed, author="mill", name=ONE)
    with reading(mill.engine) as conn:
        again = compute(conn, mill.log, content["about"], content["as_of"])
        assert again == content["result"]
    later = make(mill.desk, ONE, terms, publishes=True)
    paths = {one["path"] for one in later.content["changes"]["lines"]}
    assert "/result/lines/iron/co2e_mg" in paths
    because = [(one["type"], one["how"]) for one in later.content["changes"]["because"]]
    assert because == [("record.put", "replaced"), ("record.put", "new")]


def test_a_suppliers_document(mill: House) -> None:
    """It is there, and is the file whose hash the bill names."""
    document = {
        "organisation": "mill",
        "title": "PCF of steel",
        "kind": "pact",
        "issuer": "Steelworks",
        "file": {"name": "pcf.json", "sha256": "ef" * 32, "size": 2, "media": "application/json"},
        "issued": "",
        "valid_until": "",
        "note": "",
    }
    steel = {
        "document": "dd" * 16,
        "sha256": "ef" * 32,
        "pcf": "1.85",
        "declared_unit": "kilogram",
        "declared_amount": "1",
        "primary_share": "",
    }
    content = casting(4_000)
    content["activities"][0] |= {"item": "", "supplier": steel}
    register(mill.desk, content, author="mill", name=ONE)
    with pytest.raises(NotFound, match="register document has no record"):
        make(mill.desk, ONE, TERMS)
    put = records.put(mill.desk, "document", "dd" * 16, document, author="mill")
    made = make(mill.desk, ONE, TERMS, publishes=True)
    assert {one["entry"] for one in made.content["result"]["inputs"]} >= {put.index}
    iron = made.content["result"]["lines"][0]
    assert (iron["co2e_mg"], iron["supplier"]["sha256"]) == (23_125_000, "ef" * 32)
    content["activities"][0]["supplier"] = {**steel, "sha256": "00" * 32}
    register(mill.desk, content, author="mill", name=ONE)
    with pytest.raises(
        Refused, match=f"activity iron: document {'dd' * 16} is the file {'ef' * 3}"
    ):
        make(mill.desk, ONE, TERMS)


def test_a_document_of_somebody_else_tells_nothing(mill: House) -> None:
    """A refusal does not say which file it is."""
    document = {
        "organisation": "farm",
        "title": "Licence",
        "kind": "licence",
        "issuer": "",
        "file": {"name": "x.pdf", "sha256": "ef" * 32, "size": 2, "media": "application/pdf"},
        "issued": "",
        "valid_until": "",
        "note": "",
    }
    records.put(mill.desk, "document", "dd" * 16, document, author="farm")
    guess = {
        "document": "dd" * 16,
        "sha256": "00" * 32,
        "pcf": "1.85",
        "declared_unit": "kilogram",
        "declared_amount": "1",
        "primary_share": "",
    }
    content = casting(4_000)
    content["activities"][0] |= {"item": "", "supplier": guess}
    register(mill.desk, content, author="mill", name=ONE)
    with pytest.raises(Refused, match=r"is not one of 'mill'$"):
        make(mill.desk, ONE, TERMS)


def test_a_refusal_tells_another_party_nothing(mill: House) -> None:
    """A refused report names what the log computes instead: so whose it is comes first."""
    for author, content in (
        ("farm", {"kind": "footprint", "about": asked(ONE).to_json()}),
        ("mill", {"kind": "balance", "about": {"period": FEB}}),
        ("mill", {"kind": "scorecard", "about": {"period": FEB, "standard": "own"}}),
    ):
        guess = {**content, "as_of": 1, "result": {"inputs": []}, "changes": dict(NONE)}
        body = Blob.seal(encode(guess), MEDIA, salt=fresh_salt())
        members = {"kind": content["kind"], "report": fresh_id(), "replaces": "", "as_of": 1}
        draft_ = Draft(type="report.publish", author=author, members=members, bodies={"body": body})
        with pytest.raises(Refused, match=r"publishes no footprint of it|is of the whole park"):
            mill.desk.append(draft_)


def test_no_record_that_is_no_product(mill: House) -> None:
    content = casting(1)
    content["boundary"] = "gate-to-gate"
    with pytest.raises(InvalidInput, match=f"product {ONE}: member 'boundary'"):
        records.put(mill.desk, "product", ONE, content, author="mill")
