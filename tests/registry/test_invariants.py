"""The invariants of certificates, trades and credits, each by its number in the domain notes.

Each is kept twice: by a rule that says what is wrong, and by the database, as plain SQL shows that
goes around the rule.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.certificates.service import MeteredIssue, issue_metered
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.log.service import Receipt
from ledger.lots.model import Month
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.parties.desk import Draft, seal_json
from ledger.recovery.restore import restore
from ledger.registry import acting, service, store
from ledger.registry.project import Project
from ledger.registry.rule import scan
from ledger.registry.schema import holdings
from ledger.registry.scheme import shipped
from tests.divided import entries_of, point_id
from tests.ledgers import (
    NOW_S,
    Clock,
    copy_ledger,
    dump,
    no_progress,
    open_house,
    rows,
    settings_in,
)
from tests.registry import sql as plain
from tests.registry.metered import MONTHS, build, certify, generate, lots_of
from tests.registry.sql import NEW, insert, insert_refused, refused, row_of
from tests.units import (
    TABLES,
    again,
    all_units,
    batch_of,
    do,
    gone,
    green,
    import_by_hand,
    issue,
    live,
    month,
    month_start_s,
    new_batch,
    pick,
    piece,
    reductions,
    terms_of,
    trade,
    wind,
)

pytestmark = pytest.mark.both_databases


def end_of(holding: dict[str, Any], act: str, tick_s: int = NOW_S) -> dict[str, Any]:
    """A row of `holding_ends`."""
    return {
        "log_id": 1,
        "holding": holding["holding"],
        "entry_index": 999,
        "act": act,
        "tick_s": tick_s,
    }


def left_wh(house: House) -> list[tuple[int, int, int, int]]:
    """(units, eligible, carried, left) of each metered batch, in log order."""
    return rows(
        house,
        "SELECT end_unit - first_unit, eligible_wh, carried_wh, left_wh FROM unit_batches"
        " WHERE metered = 1 ORDER BY entry_index",
    )


def test_invariant_01_golden_carry_over_three_months(park: House) -> None:
    """2,650; 1,800; 999.4 kWh → 2, 2, 1 certificates; carry 650, 450, 449.4 kWh.

    2,650 = 2·1,000 + 650; 650 + 1,800 = 2,450 = 2·1,000 + 450; 450 + 999.4 = 1,449.4 = 1,000 +
    449.4: readings → match → lots → issue. Energy in Wh.
    """
    build(park)
    for number, wh in ((12, 2_650_000), (1, 1_800_000), (2, 999_400)):
        generate(park, number, wh)
        month_ = Month(year=2025 + (number < 12), month=number, zone_offset_s=8 * 3600)
        wanted = MeteredIssue(project="P9", month=month_, code="M", units={"ordinary": None})
        issue_metered(park.desk, wanted)
    assert left_wh(park) == [
        (2, 2_650_000, 0, 650_000),
        (2, 1_800_000, 650_000, 450_000),
        (1, 999_400, 450_000, 449_400),
    ]
    assert len(all_units(park)) == 5
    park.audit(no_progress)


@pytest.mark.parametrize(
    ("units", "why"),
    [
        (1, "which makes 2 units"),
        (3, "which makes 2 units"),
    ],
)
def test_invariant_01_nothing_more_or_less_is_issued(park: House, units: int, why: str) -> None:
    build(park)
    generate(park, 12, 2_650_000)
    before = dump(park.settings.dir)
    with pytest.raises(LedgerError, match=f"{why}|more than the 2650000 Wh"):
        certify(park, 12, 0, units, eligible_wh=2_650_000)
    for said in (2_000_000, 2_650_001, 3_000_000):
        with pytest.raises(LedgerError, match="2650000"):
            certify(park, 12, 0, 2, eligible_wh=said)
    assert dump(park.settings.dir) == before


def test_invariant_01_in_the_database(park: House) -> None:
    build(park)
    generate(park, 12, 2_650_000)
    certify(park, 12, 0, 2, eligible_wh=2_650_000)
    with plain.opened(park) as sql:
        row = row_of(sql, "unit_batches", "metered = 1")
        row |= {"code": "N", "entry_index": 999, "carried_wh": 650_000}
        row |= {"eligible_wh": 1_800_000, "left_wh": 450_000}
        insert_refused(
            sql, "carries on what its project and class left", "unit_batches", row, carried_wh=0
        )
        for change in (
            {"left_wh": 450_001},
            {"eligible_wh": 1_799_999},
            {"end_unit": 3},
            {"end_unit": 1, "left_wh": 1_450_000},
            {"end_unit": 3, "left_wh": -550_000},
        ):
            insert_refused(sql, "CHECK", "unit_batches", row, **change)
        insert_refused(
            sql, "CHECK", "unit_batches", row, metered=0, carried_wh=0, eligible_wh=0, left_wh=1
        )
        insert(sql, "unit_batches", row)


def test_invariant_02_units_exist_once_and_have_one_owner(park: House) -> None:
    issue(park, "C", 0, 10)
    before = dump(park.settings.dir)
    for first, end in ((0, 10), (9, 12), (3, 4)):
        with pytest.raises(Refused, match=r"overlap units 0-10 of gec/C/0.*a unit exists once"):
            issue(park, "C", first, end)
    row = live(park, "C:0-10")
    with pytest.raises(InvalidInput, match="overlap"):
        do(park, "split", "farm", [row], [(piece(row, 0, 6), "farm"), (piece(row, 5, 10), "farm")])
    with pytest.raises(Refused, match="gives nothing to another owner"):
        do(park, "split", "farm", [row], [(piece(row, 0, 5), "mill"), (piece(row, 5, 10), "farm")])
    assert dump(park.settings.dir) == before


def test_invariant_02_in_the_database(park: House) -> None:
    issue(park, "C", 0, 10)
    issue(park, "C", 10, 20)
    with plain.opened(park) as sql:
        row = row_of(sql, "holdings") | {"holding": NEW, "entry_index": 999}
        for change in ({}, {"owner": "mill"}, {"first_unit": 9}, {"end_unit": 1}):
            insert_refused(sql, "a unit has one owner", "holdings", row, **change)
        insert(sql, "holding_ends", end_of(row_of(sql, "holdings"), "split"))
        insert(sql, "holding_ends", end_of(row_of(sql, "holdings", "revision = 1"), "split"))
        insert_refused(sql, "of units of its batch", "holdings", row, end_unit=11)
        insert_refused(sql, "of units of its batch", "holdings", row, first_unit=10, end_unit=12)
        batch = row_of(sql, "unit_batches") | {"revision": 2, "entry_index": 999}
        insert_refused(sql, "in two batches", "unit_batches", batch, first_unit=19, end_unit=21)
        batch |= {"first_unit": 20, "end_unit": 21}
        insert_refused(sql, "revision after revision", "unit_batches", batch, revision=3)
        insert_refused(sql, "revision after revision", "unit_batches", batch, revision=1)
        insert(sql, "unit_batches", batch)


def test_invariant_03_what_is_gone_stays_gone(park: House) -> None:
    issue(park, "C", 0, 10)
    acting.retire(park.desk, "farm", pick("C:0-4"), green("farm"))
    issued = row_at(park, "C", 0, 10)
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match=r"ended before, by entry \d+ \(retire\).*used twice"):
        do(park, "transfer", "farm", [issued], [(again(issued, moves=1), "mill")])
    with pytest.raises(Refused, match=r"ended before, by entry \d+ \(retire\).*used twice"):
        do(park, "retire", "farm", [issued], gone=[gone(issued, 0, 10)])
    rest = live(park, "C:4-10")
    with pytest.raises(InvalidInput, match="nothing may be lost or added"):
        do(
            park,
            "split",
            "farm",
            [rest],
            [(piece(rest, 0, 4), "farm"), (piece(rest, 4, 10), "farm")],
        )
    assert dump(park.settings.dir) == before


def row_at(house: House, code: str, first: int, end: int) -> store.HoldingRow:
    """A holding that ended."""
    with reading(house.engine) as conn:
        found = store.find_holdings(conn, 1, holdings.c.code == code)
    (row,) = (one for one in found if str(one.units) == f"{first}-{end}" and not one.live)
    return row


@pytest.mark.parametrize("act", ["retire", "export", "withdraw", "cancel"])
def test_invariant_03_in_the_database(park: House, act: str) -> None:
    issue(park, "C", 0, 10)
    row = live(park, "C:0-10")
    author = "farm" if act in ("retire", "export") else "operator"
    do(park, act, author, [row], [(piece(row, 4, 10), "farm")], [gone(row, 0, 4)])
    with plain.opened(park) as sql:
        ended = row_of(sql, "holding_ends")
        for other in (act, "transfer"):
            insert_refused(sql, "UNIQUE", "holding_ends", ended, act=other, entry_index=99)
        held = row_of(sql, "holdings") | {"holding": NEW, "entry_index": 999, "end_unit": 4}
        insert_refused(sql, "gone does not come back", "holdings", held)
        taken = row_of(sql, "gone_units")
        insert_refused(sql, "a unit is used once", "gone_units", taken, first_unit=3, end_unit=4)
        insert_refused(sql, "somebody holds", "gone_units", taken, first_unit=4, end_unit=5)
        insert_refused(
            sql,
            "ended by the same act",
            "gone_units",
            taken,
            first_unit=4,
            end_unit=5,
            entry_index=99,
        )
        refused(sql, "append-only", "DELETE FROM gone_units")
        refused(sql, "append-only", "UPDATE gone_units SET end_unit = 1")
        refused(sql, "append-only", "DELETE FROM holding_ends")


def test_invariant_04_a_certificate_has_one_consumer_and_period(park: House) -> None:
    """Its retirement says for whom and when, once; a claim has a retirement once (tests/claims)."""
    issue(park, "C", 0, 10)
    retirement, _ = acting.retire(park.desk, "farm", pick("C:0-4"), green("farm"))
    before = dump(park.settings.dir)
    row = live(park, "C:4-10")
    with pytest.raises(Refused, match=f"retirement {retirement.hex()} was made before"):
        do(park, "retire", "farm", [row], gone=[gone(row, 4, 10)], retirement=retirement.hex())
    assert dump(park.settings.dir) == before
    with plain.opened(park) as sql:
        used = row_of(sql, "retirements")
        insert_refused(sql, "UNIQUE", "retirements", used, beneficiary="mill", entry_index=999)
        insert_refused(sql, "UNIQUE", "retirements", used, retirement=NEW)
        insert_refused(sql, "CHECK", "retirements", used, retirement=NEW, entry_index=9, units=0)
        refused(sql, "append-only", "UPDATE retirements SET beneficiary = 'mill'")


def test_invariant_05_no_more_than_was_officially_issued(park: House) -> None:
    """A plant that nobody meters here has what its registry says: its batches, unit by unit."""
    issue(park, "C", 0, 10)
    row = live(park, "C:0-10")
    before = dump(park.settings.dir)
    for end in (9, 11):
        with pytest.raises(InvalidInput, match="nothing may be lost or added"):
            do(park, "transfer", "farm", [row], [(piece(row, 0, end, moves=1), "mill")])
    short = batch_of("D", 0, 10, holdings=())
    with pytest.raises(InvalidInput, match="its holdings end at 0"):
        import_by_hand(park, short, owners={NEW: "farm"})
    assert dump(park.settings.dir) == before
    with plain.opened(park) as sql:
        held = row_of(sql, "holdings") | {"holding": NEW}
        insert_refused(sql, "of units of its batch", "holdings", held, first_unit=10, end_unit=11)


def test_invariant_05_a_metered_plant_gets_what_its_meters_say(park: House) -> None:
    build(park)
    generate(park, 12, 2_650_000)
    before = dump(park.settings.dir)
    with pytest.raises(LedgerError, match=r"its lots have 0 Wh"):
        certify(park, 12, 0, 1, eligible_wh=0, spends=[])
    assert dump(park.settings.dir) == before


@pytest.mark.parametrize(
    ("class_", "act", "author", "moves", "why"),
    [
        ("self-use", "transfer", "farm", 1, ""),
        ("self-use", "transfer", "mill", 2, "changes hands 1 times at most: they can't transfer"),
        ("self-use", "settle", "operator", 1, "by transfer alone, not by settle"),
        ("green-trade", "transfer", "farm", 1, "by settle alone, not by transfer"),
        ("green-trade", "settle", "operator", 1, ""),
        (
            "green-trade",
            "settle",
            "operator",
            2,
            "changes hands 1 times at most",
        ),
        ("non-tradable", "transfer", "farm", 1, "changes hands 0 times at most"),
        ("ordinary", "transfer", "mill", 2, ""),
    ],
)
def test_invariant_08_trade_classes(
    park: House, class_: str, act: str, author: str, moves: int, why: str
) -> None:
    issue(park, "C", 0, 10, class_=class_)
    row = live(park, "C:0-10")
    if moves == 2:
        give(park, "settle" if class_ == "green-trade" else "transfer", row, "farm", "mill", 1)
        row = live(park, "C:0-10")
    before = dump(park.settings.dir)
    if not why:
        give(park, act, row, author, "shop", moves)
        assert {one.owner for one in all_units(park).values()} == {"shop"}
        return
    with pytest.raises(Refused, match=why):
        do(park, act, author, [row], [(again(row, moves=moves), "shop")])
    # Nor by saying that they did not change hands.
    with pytest.raises(InvalidInput, match=f"have then changed hands {moves} times"):
        do(park, act, author, [row], [(again(row, moves=moves - 1), "shop")])
    assert dump(park.settings.dir) == before


def give(
    house: House, act: str, row: store.HoldingRow, author: str, to: str, moves: int
) -> Receipt:
    terms = trade(house, row.owner, to) if act == "settle" else None
    by = "operator" if act == "settle" else author
    return do(house, act, by, [row], [(again(row, moves=moves), to)], terms=terms)


def test_invariant_08_in_the_database(park: House) -> None:
    issue(park, "C", 0, 10, class_="green-trade")
    row = live(park, "C:0-10")
    give(park, "settle", row, "operator", "mill", 1)
    with plain.opened(park) as sql:
        row_ = row_of(sql, "holdings", "owner = 'mill'")
        insert(sql, "holding_ends", row_of(sql, "holding_ends") | {"holding": row_["holding"]})
        change = {"holding": NEW, "owner": "shop", "entry_index": 999}
        insert_refused(sql, "CHECK", "holdings", row_ | change, moves=2)
        insert(sql, "holdings", row_ | change)


def test_invariant_09_no_certificate_for_what_a_storage_discharges(park: House) -> None:
    for kind in ("storage-discharge", "storage-charge", "consumption", "grid-export"):
        register_point(park.desk, Point(name=kind, kind=kind, owner="farm"))
        before = dump(park.settings.dir)
        with pytest.raises(Refused, match=f"is of kind {kind}.*scheme gec issues nothing for it"):
            service.register_project(
                park.desk, "gec", "B", wind("battery", points=(point_id(park, kind),))
            )
        assert dump(park.settings.dir) == before


def test_invariant_10_a_lot_has_one_use_certificates_included(park: House) -> None:
    build(park)
    generate(park, 12, 2_650_000)
    lots = lots_of(park, 12)
    certify(park, 12, 0, 2, eligible_wh=2_650_000)
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match=f"lot {lots[0].lot.hex()}.*spent"):
        certify(park, 12, 2, 5, eligible_wh=2_650_000, spends=lots)
    assert dump(park.settings.dir) == before
    with plain.opened(park) as sql:
        insert_refused(sql, "UNIQUE", "lot_spends", row_of(sql, "lot_spends"), entry_index=999)
        behind = row_of(sql, "unit_batch_lots")
        insert_refused(sql, "behind certificates once|UNIQUE", "unit_batch_lots", behind)


def test_invariant_10_a_self_use_lot_has_one_certificate(park: House) -> None:
    build(park)
    generate(park, 12, 3_000_000, saw_wh=2_000_000)
    own = lots_of(park, 12, supply_class=2)
    certify(
        park, 12, 0, 2, eligible_wh=2_000_000, spends=[], wraps=own, class_="self-use", owner="mill"
    )
    before = dump(park.settings.dir)
    for how in ({"wraps": own, "spends": []}, {"spends": own}):
        with pytest.raises(Refused, match=r"one kWh, one proof|stands for it already"):
            certify(park, 12, 2, 4, eligible_wh=2_000_000, class_="self-use", **how)
    assert dump(park.settings.dir) == before
    with plain.opened(park) as sql:
        insert_refused(sql, "UNIQUE", "lot_wraps", row_of(sql, "lot_wraps"), entry_index=999)


def test_invariant_10_the_energy_of_a_certificate_gets_no_other_scheme_s(park: House) -> None:
    """One kWh has one certificate: not one of a second scheme beside its GEC."""
    service.register_scheme(park.desk, shipped("granular"))
    build(park)
    service.register_project(
        park.desk, "granular", "G9", wind("works", points=(point_id(park, "roof"),))
    )
    generate(park, 12, 3_000_000, saw_wh=2_000_000)
    own = lots_of(park, 12, supply_class=2)
    certify(
        park, 12, 0, 2, eligible_wh=2_000_000, spends=[], wraps=own, class_="self-use", owner="mill"
    )
    stamp = new_batch(
        "G",
        0,
        2_000_000,
        class_="generation",
        period=month(2025, 12),
        project="G9",
        spends=(own[0].lot,),
        eligible_wh=2_000_000,
    )
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match=r"stands behind gec/M/0"):
        service.issue(park.desk, "granular", [stamp])
    assert dump(park.settings.dir) == before


def test_invariant_10_a_kwh_is_green_power_or_a_reduction(park: House) -> None:
    """Certificates freeze when the reduction project is registered, and are cancelled before its
    reductions are there (124号); none come after them."""
    issue(park, "C", 0, 10, project="P1")
    acting.transfer(park.desk, "farm", "mill", pick("C:0-3"))
    crediting = month(2026, 1)
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match=r"7 untraded certificates .* to be frozen first, .*124号"):
        register_by_hand(park, wind(crediting=crediting))
    assert dump(park.settings.dir) == before
    service.register_project(park.desk, "reductions", "R1", wind(crediting=crediting))
    states = {number: one.state for (_, _, number), one in all_units(park).items()}
    assert states == {**dict.fromkeys(range(3), "active"), **dict.fromkeys(range(3, 10), "frozen")}
    with pytest.raises(Refused, match="begin frozen"):
        issue(park, "C", 10, 12, project="P1")
    issue(park, "C", 10, 12, project="P1", frozen=True)
    with pytest.raises(Refused, match="frozen by project reductions/R1"):
        acting.mark(park.desk, "release", "farm", pick("C:10-12"), "x")
    for text in ("C:0-3", "C:3-10", "C:10-12"):
        with pytest.raises(Refused, match="to be cancelled first"):
            reduce(park)
        acting.finish(park.desk, "cancel", "", pick(text), "124")
    reduce(park)
    before = dump(park.settings.dir)
    with pytest.raises(
        Refused, match=r"went into reductions reductions/R/0.*either green power or a reduction"
    ):
        issue(park, "C", 12, 13, project="P1", frozen=True)
    assert dump(park.settings.dir) == before
    issue(park, "C", 12, 13, project="P1", period=month(2025, 12))


def reduce(house: House, first: int = 0, end: int = 5, **changes: Any) -> Receipt:
    terms: dict[str, Any] = {
        "code": "R",
        "project": "R1",
        "scheme": "reductions",
        "class_": "credit",
        "owner": "mill",
        **changes,
    }
    code = terms.pop("code")
    return issue(house, code, first, end, **terms)


def register_by_hand(house: House, master: Project, name: str = "R1") -> Receipt:
    """A reduction project without the freeze that goes with it."""
    return house.desk.append(
        Draft(
            type="project.register",
            author="operator",
            members={"scheme": "reductions", "project": name, "replaces": ""},
            bodies={"body": seal_json(master.to_json(), "project")},
        )
    )


@pytest.mark.parametrize("act", ["retire", "export"])
def test_invariant_10_what_was_used_as_green_power_is_no_reduction(park: House, act: str) -> None:
    issue(park, "C", 0, 10, project="P1")
    row = live(park, "C:0-10")
    do(park, act, "farm", [row], [(piece(row, 1, 10), "farm")], [gone(row, 0, 1)])
    service.register_project(park.desk, "reductions", "R1", wind(crediting=month(2026, 1)))
    acting.finish(park.desk, "cancel", "", pick("C:1-10"), "124")
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match="either green power or a reduction"):
        reduce(park)
    assert dump(park.settings.dir) == before


def test_invariant_10_one_reduction_programme_has_it(park: House) -> None:
    """The same energy is not reduced twice, in two programmes."""
    service.register_scheme(park.desk, reductions("local"))
    for scheme, name in (("reductions", "R1"), ("local", "L1")):
        service.register_project(park.desk, scheme, name, wind(crediting=month(2026, 1)))
    reduce(park)
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match="reductions/R/0"):
        reduce(park, code="L", scheme="local", project="L1")
    assert dump(park.settings.dir) == before


def test_invariant_10_the_lots_of_a_reduction_are_of_no_other_use(park: House) -> None:
    build(park)
    generate(park, 12, 2_650_000)
    roof = point_id(park, "roof")
    master = wind("works", points=(roof,), crediting=month(2025, 12))
    service.register_project(park.desk, "reductions", "R1", master)
    lots = sorted(row.lot for row in (*lots_of(park, 12), *lots_of(park, 12, supply_class=2)))
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match="spend the 2 lots of their energy"):
        reduce(park, period=month(2025, 12))
    assert dump(park.settings.dir) == before
    reduce(park, period=month(2025, 12), spends=tuple(lots), class_="energy")
    assert not lots_of(park, 12)
    with plain.opened(park) as sql:
        bar = row_of(sql, "energy_bars")
        assert bar["point"] == roof
        insert_refused(sql, "UNIQUE", "energy_bars", bar, entry_index=999)


def test_invariant_11_the_month_of_production_is_month_1(park: House) -> None:
    """Produced in April 2024 and valid to the end of March 2026: over when April begins."""
    clock = Clock(month_start_s(2026, 4) - 1)
    folder = park.settings.dir
    park.engine.dispose()
    early = open_house(folder, clock)
    issue(early, "C", 0, 10, period=month(2024, 4))
    issue(early, "D", 0, 10, period=month(2024, 5))
    use = green("farm", month(2025, 12))
    acting.retire(early.desk, "farm", pick("C:0-1"), use)
    row = live(early, "C:1-10")
    with pytest.raises(Refused, match="are valid until 2026-03-31T16:00:00Z"):
        do(early, "expire", "operator", [row], gone=[gone(row, 1, 10)])
    clock.now_s += 1
    before = dump(folder)
    for act, begun, out in (
        ("retire", [], [gone(row, 1, 10)]),
        ("export", [], [gone(row, 1, 10)]),
        ("transfer", [(again(row, moves=1), "mill")], []),
    ):
        terms = terms_of(act, 9, use)
        with pytest.raises(Refused, match="valid no more, since 2026-03-31T16:00:00Z"):
            do(early, act, "farm", [row], begun, out, terms=terms)
    with pytest.raises(Refused, match="valid no more, since"):
        issue(early, "C", 10, 12, period=month(2024, 4))
    assert dump(folder) == before
    acting.retire(early.desk, "farm", pick("D:0-1"), use)
    acting.expire_due(early.desk)
    assert acting.expire_due(early.desk) == []
    kinds = {(code, one.gone) for (_, code, _), one in all_units(early).items()}
    assert kinds == {("C", "retire"), ("C", "expire"), ("D", "retire"), ("D", "")}
    early.engine.dispose()


def test_invariant_11_no_author_dates_an_act_back(park: House) -> None:
    """The log's tick counts, not what the author's `at` says."""
    clock = Clock(month_start_s(2026, 4) - 1)
    folder = park.settings.dir
    park.engine.dispose()
    house = open_house(folder, clock)
    issue(house, "C", 0, 10, period=month(2024, 4))
    row = live(house, "C:0-10")
    draft = acting.act_draft(
        house.desk,
        "retire",
        "farm",
        [row],
        [],
        [gone(row, 0, 10)],
        terms_of("retire", 10, green("farm", month(2025, 12))),
        "e" * 32,
    )
    early = house.desk.sign(draft)  # dated while it was valid
    clock.now_s += 86_400
    before = dump(folder)
    with pytest.raises(Refused, match="valid no more"):
        house.desk.writer.append(early)
    assert dump(folder) == before
    house.engine.dispose()


def test_invariant_11_years_later_a_replay_is_the_same(park: House, tmp_path: Path) -> None:
    clock = Clock(month_start_s(2026, 4) - 1)
    folder = park.settings.dir
    park.engine.dispose()
    house = open_house(folder, clock)
    issue(house, "C", 0, 10, period=month(2024, 4))
    acting.retire(house.desk, "farm", pick("C:0-1"), green("farm", month(2025, 12)))
    clock.now_s = month_start_s(2026, 4)
    acting.expire_due(house.desk)
    house.export_entries(tmp_path / "export", no_progress)
    later = Clock(month_start_s(2036, 1))
    restore(settings_in(tmp_path / "again"), tmp_path / "export", no_progress)
    ours, theirs = dump(folder), dump(tmp_path / "again")
    for name in TABLES:
        assert ours[name] == theirs[name], name
    copy = open_house(copy_ledger(folder, tmp_path / "later"), later)
    copy.audit(no_progress)
    scan(entries_of(copy))
    copy.engine.dispose()
    house.engine.dispose()


def test_invariant_11_in_the_database(park: House) -> None:
    issue(park, "C", 0, 10, period=month(2024, 4))
    expires_s = month_start_s(2026, 4)
    with plain.opened(park) as sql:
        end = end_of(row_of(sql, "holdings"), "")
        for act in ("transfer", "settle", "retire", "export"):
            insert_refused(sql, "valid no more", "holding_ends", end, act=act, tick_s=expires_s)
        insert_refused(sql, "still valid", "holding_ends", end, act="expire", tick_s=expires_s - 1)
        insert(sql, "holding_ends", end | {"act": "expire", "tick_s": expires_s})


def test_invariant_12_one_beneficiary_one_purpose(park: House) -> None:
    reduce_for(park)
    row = live(park, "R:0-10", "reductions")
    before = dump(park.settings.dir)
    terms = dict(terms_of("retire", 10, green(purpose="voluntary")))
    for change, error, why in (
        ({"beneficiary": "nobody"}, Refused, "nobody"),
        ({"purpose": "green-power"}, Refused, "purpose 'green-power' is none of .*ets-compliance"),
        ({"units": 9}, InvalidInput, "10 units are gone, not 9"),
        ({"obligation": 100}, InvalidInput, "exactly with the purposes ets-compliance"),
        ({"purpose": "ets-compliance"}, InvalidInput, "exactly with the purposes ets-compliance"),
    ):
        with pytest.raises(error, match=why):
            do(park, "retire", "mill", [row], gone=[gone(row, 0, 10)], terms=terms | change)
    assert dump(park.settings.dir) == before
    do(park, "retire", "mill", [row], gone=[gone(row, 0, 10)], terms=terms)
    assert rows(park, "SELECT beneficiary, purpose, units FROM retirements") == [
        ("mill", "voluntary", 10)
    ]


def reduce_for(house: House) -> None:
    service.register_project(house.desk, "reductions", "R1", wind("forest"))
    reduce(house, 0, 10)


def test_invariant_16_energy_and_mass_are_whole_numbers(park: House) -> None:
    """Neither a fraction of a unit nor of a Wh gets into the log."""
    before = dump(park.settings.dir)
    for leaf in (
        {"end": 9.5},
        {"end": "10"},
        {"first": -1},
        {"eligible_wh": 0.5},
        {"left_wh": -1},
    ):
        with pytest.raises(InvalidInput, match=r"first|end|eligible_wh|left_wh|integer"):
            import_by_hand(park, batch_of(), leaf=leaf)
    assert dump(park.settings.dir) == before
    import_by_hand(park, batch_of())
    with plain.opened(park) as sql:
        batch = row_of(sql, "unit_batches") | {"code": "Y"}
        for change in ({"first_unit": -1}, {"end_unit": 0}, {"left_wh": -1}, {"start_s": 2**40}):
            insert_refused(sql, "CHECK", "unit_batches", batch, **change)


def test_invariant_17_what_is_added_later_is_a_new_revision(park: House) -> None:
    """What was imported stays as it was, and late units come beside it."""
    issue(park, "C", 0, 10)
    early = rows(park, "SELECT * FROM entries ORDER BY entry_index")
    issue(park, "C", 10, 12, project="P1")
    assert rows(park, "SELECT * FROM entries ORDER BY entry_index")[: len(early)] == early
    assert rows(park, "SELECT revision, first_unit, end_unit, project FROM unit_batches") == [
        (0, 0, 10, ""),
        (1, 10, 12, "P1"),
    ]
    with plain.opened(park) as sql:
        for table in ("unit_batches", "holdings", "schemes", "projects"):
            refused(sql, "append-only", f"UPDATE {table} SET entry_index = 1")
            refused(sql, "append-only", f"DELETE FROM {table}")


def test_invariant_17_new_rules_are_for_what_comes_after(park: House) -> None:
    issue(park, "C", 0, 10, period=month(2025, 12))
    rules = shipped("gec")
    service.register_scheme(park.desk, replace(rules, validity_months=2))
    issue(park, "D", 0, 10, period=month(2026, 2))
    said = dict(rows(park, "SELECT code, expires_s FROM unit_batches"))
    assert said == {"C": month_start_s(2027, 12), "D": month_start_s(2026, 4)}


def test_invariant_17_units_outlive_rules_that_allow_fewer_moves(park: House) -> None:
    """Who has units that changed hands twice keeps what the rules allowed then."""
    issue(park, "C", 0, 10)
    acting.transfer(park.desk, "farm", "mill", pick("C"))
    acting.transfer(park.desk, "mill", "shop", pick("C"))
    rules = shipped("gec")
    fewer = replace(rules.classes["ordinary"], moves_max=1)
    rules = replace(rules, classes={**rules.classes, "ordinary": fewer})
    service.register_scheme(park.desk, rules)
    with pytest.raises(Refused, match="changes hands 1 times at most"):
        acting.transfer(park.desk, "shop", "farm", pick("C:0-1"))
    acting.retire(park.desk, "shop", pick("C:0-1"), green("shop"))
    acting.split(park.desk, "shop", pick("C:1-2"))
    assert {one.moves for one in all_units(park).values() if not one.gone} == {2}


def test_invariant_01_batches_of_one_call_carry_on_in_their_order(park: House) -> None:
    """However their codes are sorted."""
    build(park)
    for number, wh in ((12, 2_650_000), (1, 1_800_000)):
        generate(park, number, wh)
    found = [
        new_batch(
            code,
            0,
            2,
            project="P9",
            period=MONTHS[number],
            spends=tuple(row.lot for row in lots_of(park, number)),
            eligible_wh=wh,
        )
        for code, number, wh in (("Z", 12, 2_650_000), ("A", 1, 1_800_000))
    ]
    service.issue(park.desk, "gec", found)
    assert left_wh(park) == [(2, 2_650_000, 0, 650_000), (2, 1_800_000, 650_000, 450_000)]
