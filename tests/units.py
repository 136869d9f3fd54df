"""Units for tests: schemes, batches and acts, by the product's services and past them.

Months are those of park time, +08:00, reckoned here with the calendar of the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ledger.certificates.service import MeteredIssue, issue_metered
from ledger.certificates.settlement import Settlement, settle
from ledger.credits.service import (
    Monitored,
    issue_record,
    record_reduction,
    reverse,
    verify_reduction,
)
from ledger.credits.store import ProjectKey
from ledger.db import reading
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.lots.model import Month
from ledger.matching.service import Agreement, register_contract
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.parties.desk import Draft, fresh_id
from ledger.registry import acting, rule, service, store
from ledger.registry.choosing import Selection
from ledger.registry.leaves import (
    Batch,
    BatchId,
    Gone,
    IssuedHolding,
    Piece,
    Use,
    owner_leaf,
)
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import Scheme, shipped
from ledger.units import Period

DAY_S = 1_772_323_200 - 2 * 86_400  # as in tests/ledgers.py
PARK = timezone(timedelta(hours=8))
# Written out: tests are of the registry, not of the rules that happen to be shipped.
REDUCTIONS: dict[str, Any] = {
    "name": "Reductions of tests",
    "kind": "credit",
    "unit": "g",
    "unit_size": 1_000_000,
    "validity_months": 0,
    "classes": [
        {
            "class": "credit",
            "moves_max": 9,
            "moved_by": "transfer",
            "lot_classes": [],
            "lots": "none",
        },
        {
            "class": "energy",
            "moves_max": 9,
            "moved_by": "transfer",
            "lot_classes": [0, 1, 2],
            "lots": "spent",
        },
    ],
    "purposes": ["ets-compliance", "voluntary"],
    "vintages": [],
    "cap_ppm": 50_000,
    "barred": [],
    "freezes": ["gec"],
    "buffer_ppm": 0,
    "source": "tests",
    "status": "unverified",
}


def reductions(name: str = "reductions", **changes: Any) -> Scheme:
    return Scheme.from_json(name, REDUCTIONS | changes)


# Tables of the registry.
TABLES = (
    "schemes",
    "projects",
    "unit_batches",
    "unit_batch_lots",
    "holdings",
    "holding_ends",
    "gone_units",
    "retirements",
    "disclosures",
    "energy_bars",
)


def month_start_s(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=PARK).timestamp())


def month(year: int, number: int) -> Period:
    after = (year + 1, 1) if number == 12 else (year, number + 1)
    return Period(start_s=month_start_s(year, number), end_s=month_start_s(*after))


def year_of(unix_s: int) -> int:
    return datetime.fromtimestamp(unix_s, UTC).astimezone(PARK).year


def units(first: int, end: int) -> SerialRange:
    return SerialRange(first=first, end=end)


def pick(*serials: str, scheme: str = "gec", **more: Any) -> Selection:
    return Selection(scheme=scheme, serials=serials, **more)


def green(beneficiary: str = "mill", period: Period | None = None, **more: Any) -> Use:
    terms: dict[str, Any] = {"purpose": "green-power", **more}
    return Use(beneficiary=beneficiary, period=period or month(2026, 1), **terms)


def new_batch(
    code: str,
    first: int,
    end: int,
    *,
    owner: str = "farm",
    class_: str = "ordinary",
    period: Period | None = None,
    shares: Sequence[tuple[str, str, int, int]] = (),
    **more: Any,
) -> service.NewBatch:
    """`shares`: (class, owner, first, end), where there is more than one."""
    cut = shares or ((class_, owner, first, end),)
    return service.NewBatch(
        code=code,
        units=units(first, end),
        period=period or month(2026, 1),
        shares=tuple(
            service.Share(class_=kind, owner=whose, units=units(begin, stop))
            for kind, whose, begin, stop in cut
        ),
        **more,
    )


def issue(
    house: House, code: str, first: int, end: int, *, scheme: str = "gec", **more: Any
) -> Receipt:
    frozen = more.pop("frozen", False)
    batch = new_batch(code, first, end, **more)
    (receipt,) = service.issue(house.desk, scheme, [batch], frozen=frozen)
    return receipt


def wind(plant: str = "hill", **changes: Any) -> Project:
    terms: dict[str, Any] = {"name": "Wind", "owner": "farm", "technology": "wind"}
    return Project(plant=plant, **{**terms, **changes})


def found(house: House) -> None:
    """Three parties whose keys the server holds, both schemes, and a wind farm on the hill."""
    for party in ("farm", "mill", "shop"):
        house.desk.register_party(party, party.title(), ["enterprise"])
        house.desk.create_key(party)
    service.register_scheme(house.desk, shipped("gec"))
    service.register_scheme(house.desk, reductions())
    service.register_project(house.desk, "gec", "P1", wind())


# What there is, past the code of the registry


@dataclass(frozen=True)
class Unit:
    """A unit as the tables have it; `gone`: by which act, and then nobody has it."""

    class_: str
    owner: str
    state: str
    moves: int
    gone: str = ""


_LIVE = """
SELECT h.scheme, h.code, h.first_unit, h.end_unit, h.class, h.owner, h.state, h.moves
FROM holdings AS h WHERE NOT EXISTS (
    SELECT 1 FROM holding_ends AS e WHERE e.log_id = h.log_id AND e.holding = h.holding)
"""


def all_units(house: House) -> dict[tuple[str, str, int], Unit]:
    """Every unit, one by one. Fails where one is there twice."""
    there: dict[tuple[str, str, int], Unit] = {}
    with reading(house.engine) as conn:
        for scheme, code, first, end, class_, owner, state, moves in conn.exec_driver_sql(_LIVE):
            for number in range(first, end):
                assert (scheme, code, number) not in there
                there[scheme, code, number] = Unit(class_, owner, state, moves)
        gone = conn.exec_driver_sql(
            "SELECT scheme, code, first_unit, end_unit, class, act FROM gone_units"
        )
        for scheme, code, first, end, class_, act in gone:
            for number in range(first, end):
                assert (scheme, code, number) not in there
                there[scheme, code, number] = Unit(class_, "", "", 0, act)
    return there


def cuts(house: House) -> set[tuple[str, str, int, int]]:
    """The live holdings, as ranges."""
    with reading(house.engine) as conn:
        return {tuple(row[:4]) for row in conn.exec_driver_sql(_LIVE)}


def live(house: House, text: str, scheme: str = "gec") -> store.HoldingRow:
    """The live holding that is exactly `CODE:FIRST-END`."""
    code, _, numbers = text.partition(":")
    with reading(house.engine) as conn:
        (row,) = (
            row for row in store.live_of_code(conn, 1, scheme, code) if str(row.units) == numbers
        )
    return row


# Acts as another program would write them


def piece(row: store.HoldingRow, first: int, end: int, **changes: Any) -> Piece:
    members: dict[str, Any] = {
        "holding": bytes.fromhex(fresh_id()),
        "batch": row.batch,
        "class_": row.class_,
        "moves": row.moves,
        "units": units(first, end),
    }
    return Piece(**{**members, **changes})


def again(row: store.HoldingRow, **changes: Any) -> Piece:
    return piece(row, row.units.first, row.units.end, **changes)


def gone(row: store.HoldingRow, first: int, end: int, **changes: Any) -> Gone:
    members: dict[str, Any] = {"batch": row.batch, "class_": row.class_}
    return Gone(units=units(first, end), **{**members, **changes})


PAPER = {"document": "", "note": ""}
REASON = {"reason": "x"}
NOTE = {"note": ""}


def trade(house: House, seller: str, buyer: str) -> dict[str, Any]:
    """A green trade of two parties that nobody meters here; terms that settle 10 MWh of January."""
    years = Period(start_s=month_start_s(2024, 1), end_s=month_start_s(2028, 1))
    tower, load = f"{seller}-tower-{buyer}", f"{buyer}-load-{seller}"
    register_point(house.desk, Point(name=tower, kind="generation", owner=seller))
    register_point(house.desk, Point(name=load, kind="consumption", owner=buyer))
    agreement = Agreement(
        name=f"{seller}-to-{buyer}",
        kind="green-trade",
        seller=seller,
        sources=[tower],
        consumers={load: 0},
        period=years,
    )
    receipt = register_contract(house.desk, agreement)
    return settled(receipt.entry.statement["contract"])


def settled(contract: str, wh: int = 10_000_000) -> dict[str, Any]:
    return {
        "contract": contract,
        "month": "2026-01",
        "contract_wh": wh,
        "generation_wh": wh,
        "consumption_wh": wh,
        "settled_wh": wh,
        "document": "",
    }


def terms_of(act: str, count: int = 0, use: Use | None = None) -> Mapping[str, Any]:
    """Terms that fit an act on `count` units."""
    if act == "retire":
        return (use or green()).to_json(count)
    if act == "settle":
        return settled("c" * 32)
    if act == "transfer":
        return PAPER
    return NOTE if act in ("split", "merge") else REASON


def do(
    house: House,
    act: str,
    author: str,
    rows: Sequence[store.HoldingRow],
    begun: Sequence[tuple[Piece, str]] = (),
    gone: Sequence[Gone] = (),
    *,
    terms: Mapping[str, Any] | None = None,
    retirement: str | None = None,
    key: SigningKey | None = None,
) -> Receipt:
    """An act with any content: what the log makes of it is the test."""
    count = sum(len(one.units) for one in gone)
    named = (fresh_id() if act == "retire" else "") if retirement is None else retirement
    draft = acting.act_draft(
        house.desk,
        act,
        author,
        rows,
        begun,
        gone,
        terms_of(act, count) if terms is None else terms,
        named,
    )
    return house.desk.writer.append(house.desk.sign(draft, key=key))


def issue_draft(
    house: House,
    leaves: Sequence[Mapping[str, Any]],
    owners: Mapping[bytes, str],
    *,
    batches: Sequence[str],
    scheme: str = "gec",
    **changes: Any,
) -> Draft:
    """An import with any content. `leaves`: those of its batches."""
    begins = sorted(owners)
    members: dict[str, Any] = {
        "scheme": scheme,
        "state": "active",
        "batches": list(batches),
        "spends": [],
        "wraps": [],
        "begins": [holding.hex() for holding in begins],
    }
    author = changes.pop("author", house.log.operator)
    return acting.units_draft(
        house.desk,
        rule.ISSUE,
        author,
        members | changes,
        [*leaves, *(owner_leaf(one, owners[one]) for one in begins), PAPER],
    )


HOLDING = b"h" * 16


def batch_of(code: str = "X", first: int = 0, end: int = 10, **changes: Any) -> Batch:
    """A batch of January 2026 with one ordinary holding, `HOLDING`."""
    members: dict[str, Any] = {
        "id": BatchId(scheme="gec", code=code, revision=0),
        "units": units(first, end),
        "period": month(2026, 1),
        "expires_s": month_start_s(2028, 1),
        "holdings": (IssuedHolding(holding=HOLDING, class_="ordinary", units=units(first, end)),),
        "project": "P1",
    }
    return Batch(**{**members, **changes})


def import_by_hand(
    house: House, *found: Batch, leaf: Mapping[str, Any] | None = None, **changes: Any
) -> Receipt:
    """`leaf`: members of the first batch's leaf that are to be others."""
    ordered = sorted(found, key=lambda one: one.id.short)
    leaves = [one.to_json() for one in ordered]
    leaves[0] |= leaf or {}
    owners = changes.pop(
        "owners", {holding.holding: "farm" for one in ordered for holding in one.holdings}
    )
    names = changes.pop("batches", [one.id.short for one in ordered])
    draft = issue_draft(house, leaves, owners, batches=names, **changes)
    return house.desk.append(draft)


# Some of everything, for the ledger of all tests


def fill(house: House, farm: SigningKey, verifier: SigningKey, point: bytes) -> list[bytes]:
    """Each entry type about units, each of their tables. `point`: a plant with lots of February,
    sold by `secret-trade`. Returns retirements for the mill."""
    desk = house.desk
    service.register_scheme(desk, shipped("gec"))
    service.register_scheme(desk, reductions())
    service.register_scheme(desk, reductions(source="secret-source"))
    master = wind(name="secret-wind", points=(point,))
    service.register_project(desk, "gec", "P1", master)
    february = Month(year=2026, month=2, zone_offset_s=8 * 3600)
    classes = {"ordinary": None, "self-use": None}
    wanted = MeteredIssue(project="P1", month=february, code="C1", units=classes)
    issue_metered(desk, wanted)
    shares = [
        ("ordinary", "farm", 0, 20),
        ("ordinary", "mill", 20, 30),
        ("green-trade", "farm", 30, 40),
    ]
    issue(house, "C2", 0, 40, shares=shares, period=month(2026, 2))
    acting.transfer(desk, "farm", "mill", pick("C2:5-10"), note="secret-reason: sold", key=farm)
    settle(desk, settlement("secret-trade", 10_000_000))
    acting.mark(desk, "reserve", "mill", pick("C2:20-25"), "secret-reason: for sale")
    acting.mark(desk, "lock", "mill", pick("C2:22-24"), "secret-reason: pledged")
    acting.mark(desk, "freeze", "farm", pick("C2:10-15"), "secret-reason: in dispute")
    acting.mark(desk, "release", "farm", pick("C2:12-15"), "secret-reason: settled")
    acting.split(desk, "farm", pick("C2:15-17"), key=farm)
    acting.merge(desk, "farm", pick("C2:15-20"), key=farm)
    use = green(period=Period(start_s=DAY_S, end_s=DAY_S + 86_400), note="secret-reason: ours")
    first, _ = acting.retire(desk, "mill", pick("C2:5-9"), use)
    second, _ = acting.retire(desk, "mill", pick("C2:26-27"), use)
    acting.disclose(desk, first)
    acting.finish(desk, "export", "mill", pick("C2:27-28"), "secret-reason: to another registry")
    acting.finish(desk, "withdraw", "", pick("C2:11"), "secret-reason: issued in error")
    acting.finish(desk, "cancel", "", pick("C2:10"), "secret-reason: 124")
    # Its energy, of a month without readings, goes into reductions.
    period = month(2026, 1)
    dam = wind(name="secret-dam", points=(point,), crediting=period)
    service.register_project(desk, "reductions", "R1", dam)
    terms = {"class_": "credit", "owner": "mill", "project": "R1", "period": period}
    issue(house, "R", 0, 7, scheme="reductions", **terms)
    _reduce(house, verifier)
    return [first, second]


def settlement(contract: str, wh: int, **changes: Any) -> Settlement:
    """Of February, with the mill."""
    terms: dict[str, Any] = {
        "contract": contract,
        "month": Month(year=2026, month=2, zone_offset_s=8 * 3600),
        "buyer": "mill",
        "contract_wh": wh,
        "generation_wh": wh,
        "consumption_wh": wh,
    }
    return Settlement(**{**terms, **changes})


KEY = ProjectKey(scheme="internal", project="K1")
STATED_T = {
    "captured": 2_000,
    "transported": 1_990,
    "injected": 1_980,
    "produced": 10,
    "recycled": 0,
    "used": 0,
    "transport-leakage": 5,
    "surface-leakage": 1,
    "equipment-leakage": 1,
    "energy-emissions": 100,
    "transport-emissions": 10,
    "injection-emissions": 10,
}


def _reduce(house: House, verifier: SigningKey) -> None:
    """A record of CO2 stored, verified and issued, of which some escapes; one that is not."""
    desk = house.desk
    service.register_scheme(desk, shipped("internal"))
    kiln = wind("kiln", name="secret-kiln", technology="ccus")
    service.register_project(desk, KEY.scheme, KEY.project, kiln)
    day = Period(start_s=DAY_S, end_s=DAY_S + 86_400)
    found = Monitored(
        key=KEY,
        period=day,
        points={},
        mass_g={role: tonnes * 1_000_000 for role, tonnes in STATED_T.items()},
        tolerance_g=50_000_000,
        biogenic_ppm=250_000,
    )
    made = record_reduction(desk, found)
    verify_reduction(desk, made.record, "grid", "secret-reason: seen on site", key=verifier)
    issue_record(desk, made.record, "farm")
    reverse(desk, KEY, 3_000_000, DAY_S, "secret-reason: a valve leaked")
