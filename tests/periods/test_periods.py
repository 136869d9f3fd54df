"""What a period lists, what keeps it from being closed, and what it keeps out when it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ledger.claims import service as claims
from ledger.db import reading
from ledger.errors import InvalidInput, Refused
from ledger.house import House
from ledger.log.service import Submission
from ledger.metering.points import Meter, Point
from ledger.metering.service import find_point, register_point
from ledger.parties.desk import Draft, seal_json
from ledger.periods import service
from ledger.periods.report import Report, report_on
from ledger.periods.service import advance, restate
from ledger.units import Period
from tests.approvals.offices import verdict
from tests.ledgers import (
    DAY_S,
    Clock,
    copy_ledger,
    no_progress,
    open_house,
    operator_key,
    raw,
    rows,
    signed,
    statement,
)
from tests.periods.books import DAY, FEBRUARY_S, close, correct, send
from tests.periods.gone import gone_officially, settle_here
from tests.raw import REFUSED

EIGHT = Period(start_s=DAY_S, end_s=DAY_S + 8 * 900)


def report(house: House, party: str = "mill", period: str = "2026-02") -> Report:
    with reading(house.engine) as conn:
        return service.look(conn, house.log, party, period).report


def refused(house: House, why: str, act: Any) -> None:
    before = rows(house, "SELECT count(*) FROM entries")
    with pytest.raises(Refused, match=why):
        act()
    assert rows(house, "SELECT count(*) FROM entries") == before


# The report


def test_readings_due_and_there(books: House) -> None:
    (saw,) = report(books).points
    # 28 days of 96 quarter-hours; two hours of the 27th are there, at 08:00 of park time.
    assert (saw.due, saw.read, saw.estimated, saw.complete) == (28 * 96, 8, 0, False)
    assert saw.gaps == (
        Period(start_s=FEBRUARY_S, end_s=DAY_S),
        Period(start_s=DAY_S + 7_200, end_s=FEBRUARY_S + 28 * 86_400),
    )
    assert report(books, "shop").points == ()


def test_a_meter_is_due_from_its_first_day(books: House) -> None:
    meter = Meter(number="new", from_="2026-02-27T16:00:00Z")
    register_point(
        books.desk, Point(name="late", kind="consumption", owner="shop", meters=(meter,))
    )
    day_s = FEBRUARY_S + 27 * 86_400
    send(books, "late", [1] * 87, start_s=day_s + 9 * 900)
    (late,) = report(books, "shop").points
    assert (late.due, late.read, late.complete) == (96, 87, True)
    assert late.gaps == (Period(start_s=day_s, end_s=day_s + 9 * 900),)
    assert report(books, "shop", "2026-01").points == ()


def test_bills_that_differ_from_meters(books: House) -> None:
    assert report(books).bills == ()
    send(books, "bill", [8_000], length_s=7_200)
    assert report(books).bills == ()
    correct(books, "saw", 1_400)
    (bill,) = report(books).bills
    assert (bill.billed_wh, bill.read_wh, bill.agrees) == (8_000, 8_400, True)
    correct(books, "saw", 1_401)
    assert not report(books).bills[0].agrees


def test_claims_that_are_not_final_are_listed(books: House) -> None:
    assert report(books).claims == ()
    claims.make(books.desk, ["saw"], EIGHT)
    (claim,) = report(books).claims
    assert (claim.short, len(claim.reasons)) == (False, 1)
    assert report(books).blocking == []
    assert report(books, period="2026-01").claims == ()
    assert report(books, "farm").claims == ()
    close(books)


def test_four_eyes_stand_in_the_report(filled_template: Any, tmp_path: Any) -> None:
    house = open_house(copy_ledger(filled_template, tmp_path / "data"))
    with reading(house.engine) as conn:
        found = service.look(conn, house.log, "office", "2026-02")
    assert [(one.standing.state, one.four_eyes) for one in found.steps] == [
        ("provisional", True),
        ("submitted", True),
        ("approved", True),
        ("closed", True),
        ("provisional", True),
    ]
    assert (found.standing.revision, found.report.approval) == (1, "none")
    house.engine.dispose()


# What blocks


def test_a_short_claim_keeps_a_period_from_being_closed(books: House) -> None:
    made = claims.make(books.desk, ["saw"], EIGHT)
    for state in ("provisional", "submitted", "approved"):
        advance(books.desk, "mill", "2026-02", state)
    correct(books, "roof", 500)
    refused(
        books,
        f"can't be closed: claim {made.claim.hex()} is short",
        lambda: advance(books.desk, "mill", "2026-02", "closed"),
    )
    # Past the service too: the log asks again.
    with reading(books.engine) as conn:
        body = report_on(conn, books.log, "mill", report_span()).to_json()
    members = {
        "party": "mill",
        "period": "2026-02",
        "revision": 0,
        "state": "closed",
        "reason": "",
    }
    draft = Draft(
        type="period.state",
        author="mill",
        members=members,
        bodies={"body": seal_json({"as_of": 1, **body}, "period")},
    )
    refused(books, "can't be closed: claim", lambda: books.desk.append(draft))
    claims.flag(books.desk)
    claims.replace(books.desk, made.claim, "the roof was corrected")
    advance(books.desk, "mill", "2026-02", "closed")


def report_span() -> Period:
    return Period(start_s=FEBRUARY_S, end_s=FEBRUARY_S + 28 * 86_400)


def test_units_officially_gone_keep_it_open(books: House) -> None:
    """Domain invariant 22."""
    gone_officially(books, "mill")
    for state in ("provisional", "submitted", "approved"):
        advance(books.desk, "mill", "2026-02", state)
    refused(
        books,
        "5 units of gec GD- .* are cancelled officially, .* but active here",
        lambda: advance(books.desk, "mill", "2026-02", "closed"),
    )
    # They are the mill's trouble alone.
    close(books, "shop")
    settle_here(books, "mill")
    advance(books.desk, "mill", "2026-02", "closed")


# Steps


def test_what_is_sent_back_comes_with_a_reason(books: House) -> None:
    desk = books.desk
    advance(desk, "mill", "2026-02", "provisional")
    advance(desk, "mill", "2026-02", "submitted")
    with pytest.raises(InvalidInput, match="a reason stands exactly"):
        advance(desk, "mill", "2026-02", "provisional")
    advance(desk, "mill", "2026-02", "provisional", reason="a bill is missing", author="operator")
    advance(desk, "mill", "2026-02", "submitted")
    with pytest.raises(InvalidInput, match="a reason stands exactly"):
        advance(desk, "mill", "2026-02", "approved", reason="fine")
    advance(desk, "mill", "2026-02", "approved", author="operator")
    refused(
        books,
        "is its own: not 'operator'",
        lambda: advance(desk, "mill", "2026-02", "closed", author="operator"),
    )
    refused(
        books,
        "is its own or the operator: not 'shop'",
        lambda: advance(desk, "mill", "2026-02", "provisional", reason="x", author="shop"),
    )


def test_a_period_ends_before_it_is_submitted(books: House) -> None:
    clock = Clock()
    house = open_house(books.settings.dir, clock)
    end_s = 1_774_972_800  # 2026-04-01T00:00+08:00
    clock.now_s = end_s - 1
    advance(house.desk, "mill", "2026-03", "provisional")
    refused(
        house,
        "the period ends 2026-03-31T16:00:00Z",
        lambda: advance(house.desk, "mill", "2026-03", "submitted"),
    )
    clock.now_s = end_s
    advance(house.desk, "mill", "2026-03", "submitted")
    house.engine.dispose()


def test_a_report_that_is_not_how_it_stands_is_refused(books: House) -> None:
    with reading(books.engine) as conn:
        good = report_on(conn, books.log, "mill", report_span()).to_json()
    members = {"party": "mill", "period": "2026-02", "revision": 0, "reason": ""}
    for why, body in (
        ("does not stand as its report", {**good, "as_of": 3, "approval": "four-eyes"}),
        ("does not stand as its report", {**good, "as_of": 3, "points": []}),
    ):
        draft = Draft(
            type="period.state",
            author="mill",
            members={**members, "state": "provisional"},
            bodies={"body": seal_json(body, "period")},
        )
        refused(books, why, lambda draft=draft: books.desk.append(draft))
    for body in ({**good, "as_of": 0}, {**good, "as_of": 10**6}, good, {**good, "x": 1}):
        draft = Draft(
            type="period.state",
            author="mill",
            members={**members, "state": "provisional"},
            bodies={"body": seal_json(body, "period")},
        )
        with pytest.raises(InvalidInput):
            books.desk.append(draft)


# What a closed period keeps out


@pytest.mark.both_databases
@pytest.mark.parametrize("period", ["2026-02", "2026"])
def test_a_closed_period_keeps_out(books: House, period: str) -> None:
    clock = Clock(now_s=FEBRUARY_S + 400 * 86_400)
    house = open_house(books.settings.dir, clock)
    close(house, "mill", period)
    close(house, "farm", period)
    way = f"is closed .*greenledger period restate mill {period} --reason"
    refused(house, way, lambda: send(house, "saw", [1], start_s=DAY_S + 9 * 900))
    refused(house, way, lambda: correct(house, "saw", 7))
    refused(house, way, lambda: send(house, "bill", [8_000], length_s=7_200))
    refused(house, way, lambda: claims.make(house.desk, ["saw"], EIGHT))
    refused(house, "restate farm", lambda: send(house, "roof", [1], start_s=DAY_S + 9 * 900))
    # What comes after is free, and so are others.
    next_s = FEBRUARY_S + 28 * 86_400 if period == "2026-02" else FEBRUARY_S + 334 * 86_400
    send(house, "saw", [1, 2], start_s=next_s)
    register_point(house.desk, Point(name="till", kind="consumption", owner="shop"))
    send(house, "till", [5])
    # And the period is free again when it is restated, to be closed anew.
    restate(house.desk, "mill", period, "a meter was found")
    send(house, "saw", [1], start_s=DAY_S + 9 * 900)
    made = claims.make(house.desk, ["saw"], EIGHT)
    for state in ("submitted", "approved", "closed"):
        advance(house.desk, "mill", period, state)
    refused(house, "revision 1, entry", lambda: correct(house, "saw", 7))
    refused(house, way, lambda: claims.replace(house.desk, made.claim, "more"))
    refused(house, way, lambda: claims.withdraw(house.desk, made.claim, "less"))
    closings = rows(house, "SELECT revision FROM period_states WHERE state = 'closed'")
    assert sorted(closings) == [(0,), (0,), (1,)]
    house.audit(no_progress)
    house.engine.dispose()


def test_readings_that_touch_a_closed_period(books: House) -> None:
    """A reading of two hours that begins before the month and ends in it."""
    register_point(books.desk, Point(name="old", kind="other", owner="mill", interval_s=0))
    close(books)
    hour = 3_600
    refused(
        books,
        "is closed",
        lambda: send(books, "old", [1], start_s=FEBRUARY_S - hour, length_s=2 * hour),
    )
    send(books, "old", [1], start_s=FEBRUARY_S - hour, length_s=hour)


def test_a_point_that_was_handed_on_stays_closed_for_its_former_owner(books: House) -> None:
    close(books)
    with reading(books.engine) as conn:
        saw = find_point(conn, 1, "saw").master
    register_point(books.desk, dataclasses.replace(saw, owner="shop"))
    refused(books, "2026-02 of 'mill' is closed", lambda: correct(books, "saw", 7))


def test_only_what_is_closed_is_restated(books: House) -> None:
    refused(books, "is open: what is closed", lambda: restate(books.desk, "mill", "2026-02", "x"))
    close(books)
    refused(
        books,
        "is closed .*restate it first",
        lambda: advance(books.desk, "mill", "2026-02", "provisional"),
    )
    later = statement(
        "period.restate", "mill", party="mill", period="2026-02", revision=2, reason="x"
    )
    by_operator = statement(
        "period.restate", "operator", party="mill", period="2026-02", revision=1, reason="x"
    )
    key = operator_key(books)
    assert "may not take this step" in verdict(books, signed(by_operator, key))
    refused(
        books,
        "is its own: not 'operator'",
        lambda: books.desk.writer.append(Submission(data=signed(by_operator, key))),
    )
    mill = Draft(type="period.restate", author="mill", members={
        name: later[name] for name in ("party", "period", "revision", "reason")
    })  # fmt: skip
    refused(books, "opens 1, not 2", lambda: books.desk.append(mill))


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("values", "why"),
    [
        # number, revision, state, before number, before revision, before state
        ((4, 1, "submitted", 3, 0, "closed"), "ck_period_states_steps"),
        ((4, 0, "provisional", 3, 0, "closed"), "ck_period_states_revision"),
        ((4, 1, "provisional", 2, 0, "closed"), "ck_period_states_first"),
        ((5, 1, "submitted", 4, 1, "provisional"), "(?i)foreign key"),
        ((4, 0, "closed", 3, 0, "approved"), "(?i)foreign key"),
        ((3, 0, "closed", 2, 0, "approved"), "(?i)unique"),
        ((0, 0, "provisional", None, 0, "open"), "(?i)unique"),
    ],
)
def test_the_database_keeps_the_steps_too(books: House, values: tuple[Any, ...], why: str) -> None:
    close(books)
    connection = raw(books)
    names = ("number", "revision", "state", "before_number", "before_revision", "before_state")
    row = connection.row("period_states", "party = 'mill'") | dict(zip(names, values, strict=True))
    with pytest.raises(REFUSED, match=why):
        connection.insert("period_states", row)
    connection.close()


@pytest.mark.parametrize("name", ["2026-13", "26-01", "2026-1", "1970", "9999", "2026-02-01", ""])
def test_what_is_no_period(books: House, name: str) -> None:
    with pytest.raises(InvalidInput, match="not a month 2026-03 or a year"):
        advance(books.desk, "mill", name, "provisional")


def test_the_day_of_the_books_is_in_february() -> None:
    assert FEBRUARY_S < DAY.start_s < FEBRUARY_S + 28 * 86_400
