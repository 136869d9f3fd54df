"""What the ledger holds, as statements are compared with it: all units, none twice."""

from __future__ import annotations

from dataclasses import replace

from ledger.db import reading
from ledger.registry import acting, lifecycle
from ledger.registry.choosing import Selection
from ledger.registry.scheme import shipped
from ledger.registry.service import issue, month_period, register_scheme
from ledger.statements.own import own_ranges, settled
from ledger.statements.sums import Settled
from ledger.units import Period, parse_instant
from tests.statements.held import Park, batch


def test_live_and_gone_units_of_a_scheme(park: Park) -> None:
    park.transfer("farm", "mill", "A-:60-70")
    retirement = park.retire("farm", "A-:10-20")
    park.freeze("farm", "B-:05-10")
    with reading(park.house.engine) as conn:
        before = own_ranges(conn, park.house.log, "gec")
    selection = Selection(scheme="gec", serials=["A-:55-65"])
    acting.finish(park.house.desk, lifecycle.CANCEL, "", selection, "registered as CCER")
    with reading(park.house.engine) as conn:
        found = own_ranges(conn, park.house.log, "gec")
        assert own_ranges(conn, park.house.log, "other") == []
    assert {(one.class_, one.month, one.project) for one in found} == {
        ("ordinary", "2026-01", "ROOF")
    }
    assert [(one.code, one.first, one.end, one.state, one.owner) for one in found] == [
        ("A-", 0, 10, "active", "farm"),
        ("A-", 10, 20, "retired", "farm"),
        ("A-", 20, 55, "active", "farm"),
        ("A-", 55, 60, "cancelled", "farm"),
        ("A-", 60, 65, "cancelled", "mill"),
        ("A-", 65, 70, "active", "mill"),
        ("A-", 70, 100, "active", "farm"),
        ("B-", 0, 5, "active", "farm"),
        ("B-", 5, 10, "frozen", "farm"),
        ("B-", 10, 20, "active", "farm"),
    ]
    assert [one.retirement for one in found if one.retirement] == [retirement.hex()]
    assert sum(one.end - one.first for one in before) == 120


def test_a_batch_of_several_months_has_no_month(park: Park) -> None:
    register_scheme(park.house.desk, shipped("irec"))
    december = month_period(park.house.desk, parse_instant("2025-12-15T00:00:00Z"))
    one = batch(park.house, "C-", 5)
    both = Period(start_s=december.start_s, end_s=one.period.end_s)
    issue(park.house.desk, "irec", [replace(one, period=both, project="")])
    with reading(park.house.engine) as conn:
        (found,) = own_ranges(conn, park.house.log, "irec")
    assert (found.code, found.month, found.project) == ("C-", "", "")


def test_what_was_settled(park: Park) -> None:
    park.settle(wh=2_500_000)
    with reading(park.house.engine) as conn:
        assert settled(conn, park.house.log) == [
            Settled(month="2026-01", party="mill", wh=2_500_000)
        ]
