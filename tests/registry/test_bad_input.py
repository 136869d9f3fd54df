"""What is refused: by which rule, what was found, what would be right; and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.house import House
from ledger.registry import acting, service
from ledger.registry.leaves import BatchId, IssuedHolding
from ledger.registry.scheme import shipped
from tests.ledgers import dump
from tests.units import (
    HOLDING,
    again,
    batch_of,
    do,
    found,
    gone,
    green,
    import_by_hand,
    issue,
    live,
    month,
    month_start_s,
    pick,
    piece,
    reductions,
    terms_of,
    units,
    wind,
)

Act = Callable[[House], object]
OTHER = b"o" * 16


@pytest.fixture
def stocked(park: House) -> House:
    """C:0-10 of the farm's, of which 4-6 are reserved, 6-8 frozen and 8-10 the mill's; D: self-use;
    E: of November 2025; G/0: 0-5 and G/1: 5-9."""
    desk = park.desk
    issue(park, "C", 0, 10)
    acting.mark(desk, "reserve", "farm", pick("C:4-6"), "x")
    acting.mark(desk, "freeze", "farm", pick("C:6-8"), "x")
    acting.transfer(desk, "farm", "mill", pick("C:8-10"))
    issue(park, "D", 0, 5, class_="self-use")
    issue(park, "E", 0, 5, period=month(2025, 11))
    issue(park, "G", 0, 5)
    issue(park, "G", 5, 9)
    return park


def refused(house: House, act: Act, error: type[LedgerError], why: str) -> None:
    before = dump(house.settings.dir)
    with pytest.raises(error, match=why):
        act(house)
    assert dump(house.settings.dir) == before


def one(code: str, revision: int = 0) -> BatchId:
    return BatchId(scheme="gec", code=code, revision=revision)


def holding(class_: str, first: int, end: int, id_: bytes = HOLDING) -> IssuedHolding:
    return IssuedHolding(holding=id_, class_=class_, units=units(first, end))


IMPORTS: dict[str, tuple[Act, type[LedgerError], str]] = {
    "overlapping serials": (
        lambda house: import_by_hand(house, batch_of("C", 9, 12, id=one("C", 1))),
        Refused,
        r"gec/C/1: units 9-12 overlap units 0-10 of gec/C/0, imported by entry \d+",
    ),
    "the same batch again": (
        lambda house: import_by_hand(house, batch_of("C")),
        Refused,
        r"gec/C/0 was imported before, by entry \d+",
    ),
    "a revision left out": (
        lambda house: import_by_hand(house, batch_of("C", 10, 12, id=one("C", 2))),
        Refused,
        "gec/C/2: the next revision of its code is 1",
    ),
    "two revisions at once": (
        lambda house: import_by_hand(
            house,
            batch_of("X", 0, 2),
            batch_of("X", 2, 4, id=one("X", 1), holdings=(holding("ordinary", 2, 4, OTHER),)),
        ),
        Refused,
        "the next revision of its code is 0",
    ),
    "a fraction of a certificate": (
        lambda house: import_by_hand(house, batch_of(), leaf={"end": 9.5}),
        InvalidInput,
        r"9\.5",
    ),
    "a month that is not over": (
        lambda house: import_by_hand(
            house, batch_of(period=month(2026, 3), expires_s=month_start_s(2028, 3))
        ),
        Refused,
        "a time that ends at 2026-03-31T16:00:00Z: it is not over at 2026-03-01T00:00:00Z",
    ),
    "no calendar month": (
        lambda house: import_by_hand(
            house, batch_of(period=replace(month(2026, 1), end_s=month(2026, 1).end_s - 900))
        ),
        InvalidInput,
        "scheme gec issues by calendar month",
    ),
    "valid no more": (
        lambda house: import_by_hand(
            house, batch_of(period=month(2024, 2), expires_s=month_start_s(2026, 2))
        ),
        Refused,
        "valid no more, since 2026-01-31T16:00:00Z",
    ),
    "valid for too long": (
        lambda house: import_by_hand(house, batch_of(expires_s=month_start_s(2028, 2))),
        InvalidInput,
        "expires 2027-12-31T16:00:00Z by the rules of gec",
    ),
    "valid for good": (
        lambda house: import_by_hand(house, batch_of(expires_s=None)),
        InvalidInput,
        "expires 2027-12-31T16:00:00Z by the rules of gec",
    ),
    "an unknown class": (
        lambda house: import_by_hand(house, batch_of(holdings=(holding("gold", 0, 10),))),
        InvalidInput,
        "scheme gec has no class 'gold'; it has green-trade, non-tradable, ordinary, self-use",
    ),
    "an unknown project": (
        lambda house: import_by_hand(house, batch_of(project="P7")),
        Refused,
        "project 'P7' is not registered in scheme gec; registered are: P1",
    ),
    "an unknown owner": (
        lambda house: import_by_hand(house, batch_of(), owners={HOLDING: "nobody"}),
        Refused,
        "owner 'nobody' is not a registered party",
    ),
    "an unknown scheme": (
        lambda house: import_by_hand(
            house, batch_of(id=replace(one("X"), scheme="rec")), scheme="rec"
        ),
        NotFound,
        "scheme 'rec' is not registered; registered are: gec, reductions",
    ),
    "a gap between holdings": (
        lambda house: import_by_hand(
            house,
            batch_of(holdings=(holding("ordinary", 0, 4), holding("ordinary", 5, 10, OTHER))),
        ),
        InvalidInput,
        "its holdings leave a gap at unit 4",
    ),
    "holdings that overlap": (
        lambda house: import_by_hand(
            house,
            batch_of(holdings=(holding("ordinary", 0, 6), holding("ordinary", 5, 10, OTHER))),
        ),
        InvalidInput,
        "its holdings leave a gap at unit 6",
    ),
    "another batch than named": (
        lambda house: import_by_hand(house, batch_of(), batches=["Y/0"]),
        InvalidInput,
        "leaf of batch Y/0 is about gec/X/0",
    ),
    "holdings that the entry does not begin": (
        lambda house: import_by_hand(house, batch_of(), owners={OTHER: "farm"}),
        InvalidInput,
        "not those that the entry begins",
    ),
    "a holding that began before": (
        lambda house: import_by_hand(
            house,
            batch_of(holdings=(holding("ordinary", 0, 10, live(house, "G:0-5").holding),)),
        ),
        Refused,
        r"holding [0-9a-f]{32} began before, by entry \d+",
    ),
    "lots behind what nobody meters here": (
        lambda house: import_by_hand(house, batch_of(eligible_wh=10_000_000)),
        InvalidInput,
        "it has Wh, but no lots behind it",
    ),
    "lots that are not there": (
        lambda house: import_by_hand(house, batch_of(lots=(b"l" * 16,)), spends=["6c" * 16]),
        Refused,
        f"lot {'6c' * 16} was never created",
    ),
    "lots of the entry that no batch names": (
        lambda house: import_by_hand(house, batch_of(), spends=["6c" * 16]),
        InvalidInput,
        "not those that the entry spends or wraps",
    ),
    "a record behind certificates": (
        lambda house: import_by_hand(house, batch_of(record="a" * 32)),
        InvalidInput,
        "a record stands exactly behind internal units",
    ),
    "by somebody else than the operator": (
        lambda house: import_by_hand(house, batch_of(), author="farm"),
        LedgerError,
        "operator",
    ),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports_that_are_refused(stocked: House, name: str) -> None:
    refused(stocked, *IMPORTS[name])


def test_the_import_that_they_are_made_of(stocked: House) -> None:
    import_by_hand(stocked, batch_of())


SERVICES: dict[str, tuple[Act, type[LedgerError], str]] = {
    "transfer by another than the owner": (
        lambda house: acting.transfer(house.desk, "mill", "shop", pick("C:0-2")),
        NotFound,
        "of units gec/C:0-2, none of them are held here",
    ),
    "transfer of what is partly somebody else's": (
        lambda house: acting.transfer(house.desk, "mill", "shop", pick("C:7-10")),
        NotFound,
        "only 2 of them are held here",
    ),
    "transfer of frozen units": (
        lambda house: acting.transfer(house.desk, "farm", "shop", pick("C:6-7")),
        Refused,
        "units gec/C/0:6-7 are frozen; possible are those that are active, reserved",
    ),
    "transfer to nobody": (
        lambda house: acting.transfer(house.desk, "farm", "nobody", pick("C:0-2")),
        LedgerError,
        "nobody",
    ),
    "transfer to oneself": (
        lambda house: acting.transfer(house.desk, "farm", "farm", pick("C:0-2")),
        Refused,
        "to another owner than 'farm'",
    ),
    "retirement of frozen units": (
        lambda house: acting.retire(house.desk, "farm", pick("C:6-8"), green()),
        Refused,
        "units gec/C/0:6-8 are frozen; possible are those that are active, locked, reserved",
    ),
    "retirement for a purpose that there is not": (
        lambda house: acting.retire(
            house.desk, "farm", pick("C:0-1"), green(purpose="ets-compliance", obligation=9)
        ),
        Refused,
        "purpose 'ets-compliance' is none of scheme gec.*consumption-obligation, green-power",
    ),
    "retirement of another year's": (
        lambda house: acting.retire(house.desk, "farm", pick("E"), green()),
        Refused,
        "gec/E/0 were produced from 2025-10-31T16:00:00Z on; .*the same calendar year",
    ),
    "retirement of two classes": (
        lambda house: acting.retire(house.desk, "farm", pick("C:0-1", "D:0-1"), green()),
        Refused,
        "a retirement is of one class of units",
    ),
    "more units than there are": (
        lambda house: acting.retire(house.desk, "mill", pick(count=3), green()),
        Refused,
        "there are 2 such units, not 3",
    ),
    "a unit named twice": (
        lambda house: acting.transfer(house.desk, "farm", "mill", pick("C:0-3", "C:2-4")),
        InvalidInput,
        "units 0-3 and 2-4 overlap",
    ),
    "a fraction of a unit": (
        lambda house: acting.transfer(house.desk, "farm", "mill", pick("C:0.5")),
        InvalidInput,
        "is not of the form CODE",
    ),
    "a code that is not there": (
        lambda house: acting.transfer(house.desk, "farm", "mill", pick("Q")),
        NotFound,
        "farm holds no unit Q of scheme gec",
    ),
    "merge of what does not adjoin": (
        lambda house: acting.merge(house.desk, "farm", pick("C:0-4", "E")),
        NotFound,
        "no two of these holdings adjoin",
    ),
    "merge of two batches of a code": (
        lambda house: acting.merge(house.desk, "farm", pick("G")),
        NotFound,
        "no two of these holdings adjoin",
    ),
    "split of a whole holding": (
        lambda house: acting.split(house.desk, "farm", pick("C:0-4")),
        InvalidInput,
        "holdings of their own already",
    ),
    "release of active units": (
        lambda house: acting.mark(house.desk, "release", "farm", pick("C:0-4"), "x"),
        Refused,
        "are active; possible are those that are frozen, locked, reserved",
    ),
    "a retirement that is not there": (
        lambda house: acting.disclose(house.desk, b"r" * 16),
        NotFound,
        f"no retirement {'72' * 16}",
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_wishes_that_are_refused(stocked: House, name: str) -> None:
    refused(stocked, *SERVICES[name])


def by_hand(act: str, author: str, text: str, **more: object) -> Act:
    """A whole holding, by whoever."""

    def do_it(house: House) -> object:
        row = live(house, text)
        if act in ("retire", "export", "cancel", "withdraw", "expire"):
            return do(house, act, author, [row], gone=[gone(row, row.units.first, row.units.end)])
        given = act in ("transfer", "settle")
        to = "shop" if given else row.owner
        return do(house, act, author, [row], [(again(row, moves=row.moves + given), to)])

    return do_it


BY_HAND: dict[str, tuple[Act, type[LedgerError], str]] = {
    "transfer by another than the owner": (
        by_hand("transfer", "mill", "C:0-4"),
        Refused,
        r"units gec/C/0:0-4\) belongs to 'farm': 'mill' can't transfer it",
    ),
    "transfer by the operator": (
        by_hand("transfer", "operator", "C:0-4"),
        Refused,
        "belongs to 'farm': 'operator' can't transfer it",
    ),
    "freeze by the owner": (
        by_hand("freeze", "farm", "C:0-4"),
        Refused,
        r"freeze of a holding that is active is the operator's \('operator'\), not of 'farm'",
    ),
    "release of frozen units by the owner": (
        by_hand("release", "farm", "C:6-8"),
        Refused,
        "release of a holding that is frozen is the operator's",
    ),
    "release of reserved units by the operator": (
        by_hand("release", "operator", "C:4-6"),
        Refused,
        "belongs to 'farm': 'operator' can't release it",
    ),
    "retirement of frozen units": (
        by_hand("retire", "farm", "C:6-8"),
        Refused,
        "is frozen: it can't retire; allowed are split, release, expire, withdraw, cancel",
    ),
    "expiry before its time": (
        by_hand("expire", "operator", "C:0-4"),
        Refused,
        "units gec/C/0:0-4 are valid until 2027-12-31T16:00:00Z",
    ),
    "part of a reserved holding": (
        lambda house: do(
            house,
            "retire",
            "farm",
            [live(house, "C:4-6")],
            [(piece(live(house, "C:4-6"), 5, 6), "farm")],
            [gone(live(house, "C:4-6"), 4, 5)],
        ),
        Refused,
        "is reserved: it is used whole, or released first",
    ),
    "holdings of two owners": (
        lambda house: do(
            house,
            "cancel",
            "operator",
            [live(house, "C:0-4"), live(house, "C:8-10")],
            gone=[gone(live(house, "C:0-4"), 0, 4), gone(live(house, "C:8-10"), 8, 10)],
        ),
        Refused,
        "cancel ends holdings of one owner, not of several",
    ),
    "merge across classes": (
        lambda house: do(
            house,
            "merge",
            "farm",
            [live(house, "C:0-4"), live(house, "D:0-5")],
            [(again(live(house, "C:0-4")), "farm")],
        ),
        InvalidInput,
        "nothing may be lost or added",
    ),
    "split into one": (
        lambda house: do(
            house,
            "split",
            "farm",
            [live(house, "C:0-4")],
            [(again(live(house, "C:0-4")), "farm")],
        ),
        Refused,
        "split ends one holding and begins several, not 1 and 1",
    ),
    "a mark that cuts": (
        lambda house: do(
            house,
            "reserve",
            "farm",
            [live(house, "C:0-4"), live(house, "E:0-5")],
            [
                (piece(live(house, "C:0-4"), 0, 2), "farm"),
                (piece(live(house, "C:0-4"), 2, 4), "farm"),
            ],
        ),
        InvalidInput,
        "nothing may be lost or added",
    ),
    "units that come to life": (
        lambda house: do(
            house,
            "transfer",
            "farm",
            [live(house, "C:0-4")],
            [
                (piece(live(house, "C:0-4"), 0, 4, moves=1), "mill"),
                (piece(live(house, "C:0-4"), 20, 30, moves=1), "mill"),
            ],
        ),
        InvalidInput,
        "units 0-4 end, 0-4, 20-30 begin or are gone: nothing may be lost or added",
    ),
    "gone units of an act that is not final": (
        lambda house: do(
            house,
            "split",
            "farm",
            [live(house, "C:0-4")],
            [
                (piece(live(house, "C:0-4"), 0, 1), "farm"),
                (piece(live(house, "C:0-4"), 1, 2), "farm"),
            ],
            [gone(live(house, "C:0-4"), 2, 4)],
        ),
        InvalidInput,
        "split: units are gone exactly where the act is final",
    ),
    "a retirement without an id": (
        lambda house: do(
            house,
            "retire",
            "farm",
            [live(house, "C:0-4")],
            gone=[gone(live(house, "C:0-4"), 0, 4)],
            retirement="",
        ),
        InvalidInput,
        "retirement is ''; it goes with act retire",
    ),
    "terms of another act": (
        lambda house: do(
            house,
            "retire",
            "farm",
            [live(house, "C:0-4")],
            gone=[gone(live(house, "C:0-4"), 0, 4)],
            terms=terms_of("cancel"),
        ),
        InvalidInput,
        "beneficiary|reason",
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_acts_that_the_log_refuses(stocked: House, name: str) -> None:
    refused(stocked, *BY_HAND[name])


REGISTRATIONS: dict[str, tuple[Act, type[LedgerError], str]] = {
    "a scheme whose unit changes": (
        lambda house: service.register_scheme(house.desk, replace(shipped("gec"), unit_size=1_000)),
        Refused,
        "unit_size is 1000000 for the units that are here",
    ),
    "a scheme without a class that it had": (
        lambda house: service.register_scheme(
            house.desk,
            replace(shipped("gec"), classes={"ordinary": shipped("gec").classes["ordinary"]}),
        ),
        Refused,
        "class green-trade has to stay",
    ),
    "a project of an unknown party": (
        lambda house: service.register_project(house.desk, "gec", "P7", wind(owner="nobody")),
        LedgerError,
        "nobody",
    ),
    "a project that goes to another plant": (
        lambda house: service.register_project(house.desk, "gec", "P1", wind("sea")),
        Refused,
        "project P1 is of plant hill, always",
    ),
    "a project that goes back": (
        lambda house: service.register_project(house.desk, "gec", "P1", wind(state="announced")),
        Refused,
        "project P1 is registered; it can't become announced, but frozen, revoked",
    ),
    "a project with a point that is not there": (
        lambda house: service.register_project(house.desk, "gec", "P7", wind(points=(OTHER,))),
        Refused,
        f"point {OTHER.hex()} is not registered",
    ),
}


@pytest.mark.parametrize("name", REGISTRATIONS)
def test_registrations_that_are_refused(stocked: House, name: str) -> None:
    refused(stocked, *REGISTRATIONS[name])


def test_a_technology_that_is_barred(begun: House) -> None:
    found(begun)
    barred = [{"technology": "wind", "from": "2026-01-01T00:00:00Z", "to": ""}]
    service.register_scheme(begun.desk, reductions(barred=barred))
    act: Act = lambda house: service.register_project(house.desk, "reductions", "R1", wind())  # noqa: E731
    refused(
        begun,
        act,
        Refused,
        "projects of wind can't be registered at 2026-03-01T00:00:00Z",
    )
