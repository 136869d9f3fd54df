"""A claimant with its own key and body: what does not follow is refused, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.claims import service
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.lots.rule import scan
from tests.claims.claimed import Cells, forged, hand_in, held_by, made, whole
from tests.divided import FOUR, all_held, entries_of, span
from tests.ledgers import dump, no_progress

Change = Callable[[House, Cells], tuple[Cells, dict[str, Any]]]


def moved(house: House, cells: Cells, at: int, to: int, point: str = "saw") -> Cells:
    """A cover lot's Wh of one quarter-hour in another one."""
    lot = next(one.id for one in held_by(house, "saw") if one.point == point)
    wh = dict(cells[lot])
    wh[to] = wh.get(to, 0) + wh.pop(at)
    return {**cells, lot: wh}


def crossed(house: House, cells: Cells) -> Cells:
    """In quarter-hour 3 supply of the roof (class 2) against cover of class 4: equal sums."""
    wh = {("roof", 2): 1, ("tower", 4): 0, ("saw", 2): 0, ("saw", 4): 1}
    return cells | {
        one.id: {**one.wh, 3: wh[one.point, one.supply_class]} for one in held_by(house, "saw")
    }


def lowered(house: House, cells: Cells, by: int, *points: str) -> Cells:
    """Less of the saw's lots of class 2 from these points in the first quarter-hour."""
    found = dict(cells)
    for one in held_by(house, "saw"):
        if one.point in points and one.supply_class == 2:
            found[one.id] = {**one.wh, 0: one.wh[0] - by}
    return found


def of_others(house: House, cells: Cells) -> Cells:
    return {**cells, **whole(held_by(house, "oven"))}


def left_over(house: House, cells: Cells) -> Cells:
    rest = [one for one in all_held(house) if not one.holder and min(one.wh) >= 0]
    return {**cells, rest[0].id: {}}


def without(house: House, cells: Cells, point: str) -> Cells:
    gone = {one.id for one in held_by(house, "saw", "press") if one.point == point}
    return {lot: wh for lot, wh in cells.items() if lot not in gone}


FORGERIES: dict[str, tuple[Change, type[LedgerError], str]] = {
    "a source's quarter-hour": (
        lambda house, cells: (moved(house, cells, 0, 1), {}),
        Refused,
        "is not what it covers|are claimed in quarter-hour 1",
    ),
    "more than the lot": (
        lambda house, cells: (lowered(house, cells, -1, "roof", "saw"), {}),
        Refused,
        "61 Wh are claimed in quarter-hour 0, it has 60 Wh",
    ),
    "supply without cover": (
        lambda house, cells: (lowered(house, cells, 2, "saw"), {}),
        Refused,
        "class 2: what the claim supplies is not what it covers",
    ),
    "cover without supply": (
        lambda house, cells: (lowered(house, cells, 2, "roof"), {}),
        Refused,
        "class 2: what the claim supplies is not what it covers",
    ),
    "another class": (
        lambda house, cells: (crossed(house, cells), {}),
        Refused,
        "class 2: what the claim supplies is not what it covers",
    ),
    "no tower": (
        lambda house, cells: (without(house, cells, "tower"), {}),
        InvalidInput,
        "two equal halves",
    ),
    "lots of others": (
        lambda house, cells: (of_others(house, cells), {"consumption_wh": 300}),
        Refused,
        "is held by no point of the claim",
    ),
    "what was left over": (
        lambda house, cells: (left_over(house, cells), {}),
        Refused,
        "is held by no point of the claim",
    ),
    "fewer points": (
        lambda house, cells: (cells, {"points": ["saw"]}),
        Refused,
        "is held by no point of the claim",
    ),
    "a point twice": (
        lambda house, cells: (cells, {"points": ["saw", "saw"]}),
        InvalidInput,
        "points",
    ),
    "no point": (lambda house, cells: (cells, {"points": []}), InvalidInput, "points"),
    "an unknown point": (
        lambda house, cells: (cells, {"raw_points": ["00" * 16]}),
        Refused,
        "is not registered",
    ),
    "a source as a point": (
        lambda house, cells: (cells, {"points": ["saw", "press", "roof"]}),
        Refused,
        "'roof' is of kind generation: consumers claim",
    ),
    "somebody else's point": (
        lambda house, cells: (cells, {"points": ["saw", "press", "oven"]}),
        Refused,
        "'oven' belongs to 'shop': 'mill' can't claim",
    ),
    "another consumer": (
        lambda house, cells: (cells, {"consumer": "shop"}),
        InvalidInput,
        "consumer is 'shop', the author 'mill'",
    ),
    "by somebody else": (
        lambda house, cells: (cells, {"author": "shop"}),
        Refused,
        "belongs to 'mill': 'shop' can't claim",
    ),
    "lots that are not spent": (
        lambda house, cells: (cells, {"spends": sorted(cells)[1:]}),
        InvalidInput,
        "not about the lots that it spends or takes over",
    ),
    "lots that are not named": (
        lambda house, cells: (
            whole(held_by(house, "saw")),
            {"spends": sorted(cells)},
        ),
        InvalidInput,
        "not about the lots that it spends or takes over",
    ),
    "nothing": (
        lambda house, cells: ({}, {}),
        InvalidInput,
        "spends a lot, has a retirement, or replaces a claim",
    ),
    "a lot that was never created": (
        lambda house, cells: ({**cells, b"?" * 16: {}}, {}),
        Refused,
        "was never created",
    ),
    "two periods": (
        lambda house, cells: (cells, {"body_period": span(0, 5)}),
        InvalidInput,
        "different periods",
    ),
    "a shorter period": (
        lambda house, cells: (
            {lot: {at: one for at, one in wh.items() if at < 3} for lot, wh in cells.items()},
            {"period": span(0, 3)},
        ),
        Refused,
        "has energy outside of the claim's period",
    ),
    "a reason for nothing": (
        lambda house, cells: (cells, {"reason": "because"}),
        InvalidInput,
        "a reason stands exactly where",
    ),
    "another sum": (
        lambda house, cells: (cells, {"claimed_wh": 165}),
        InvalidInput,
        "do not add up",
    ),
    "another residual": (
        lambda house, cells: (cells, {"residual_wh": 0}),
        InvalidInput,
        "do not add up",
    ),
    "other classes": (
        lambda house, cells: (
            cells,
            {"by_class": [{"class": 2, "wh": 21}, {"class": 4, "wh": 143}]},
        ),
        InvalidInput,
        "Wh by class, its manifest others",
    ),
    "classes out of order": (
        lambda house, cells: (
            cells,
            {"by_class": [{"class": 4, "wh": 21}, {"class": 2, "wh": 143}]},
        ),
        InvalidInput,
        "by_class",
    ),
    "a class of nothing": (
        lambda house, cells: (
            cells,
            {"by_class": [{"class": 1, "wh": 0}, {"class": 2, "wh": 164}]},
        ),
        InvalidInput,
        "by_class",
    ),
    "less consumed": (
        lambda house, cells: (cells, {"consumption_wh": 164}),
        Refused,
        "the points consumed 206 Wh, of it 0 Wh estimated; the claim says 164",
    ),
    "more estimated": (
        lambda house, cells: (cells, {"estimated_wh": 1}),
        Refused,
        "the points consumed 206 Wh",
    ),
    "less consumed than claimed": (
        lambda house, cells: (cells, {"consumption_wh": 100, "residual_wh": 0}),
        InvalidInput,
        "164 Wh are claimed and 0 Wh are of certificates, 100 Wh were consumed",
    ),
    "as of nothing": (lambda house, cells: (cells, {"as_of": 0}), InvalidInput, "as_of is 0"),
    "as of the future": (
        lambda house, cells: (cells, {"as_of": 10_000}),
        Refused,
        "as_of is 10000",
    ),
    "one member more": (
        lambda house, cells: (cells, {"regime": "RE100"}),
        InvalidInput,
        "regime",
    ),
    "replaces what was never made": (
        lambda house, cells: (cells, {"replaces": "ab" * 16}),
        Refused,
        "was never made",
    ),
}


def march(house: House) -> Cells:
    return whole(held_by(house, "saw", "press"))


def test_the_forger_can_also_tell_the_truth(park: House) -> None:
    hand_in(park, forged(park, march(park)))
    park.audit(no_progress)


def test_a_claim_may_take_less_and_keep_the_lot(park: House) -> None:
    cells = lowered(park, march(park), 25, "roof", "saw")
    hand_in(park, forged(park, cells))
    (claim,) = made(park)
    report = service.replace(park.desk, claim, "all of it")
    assert report.manifest.claimed_wh == 164
    park.audit(no_progress)


@pytest.mark.parametrize("what", FORGERIES)
def test_forged_claims(park: House, what: str) -> None:
    change, error, why = FORGERIES[what]
    cells, changes = change(park, march(park))
    before = dump(park.settings.dir)
    with pytest.raises(error, match=why):
        hand_in(park, forged(park, cells, **changes))
    assert dump(park.settings.dir) == before


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("claim", "was made before; take a fresh random id"),
        ("replaces", "is replaced by its author 'shop' alone"),
        ("spent", "was spent before, by entry"),
        ("ended", "in force no more"),
    ],
)
def test_forged_beside_another_claim(park: House, what: str, why: str) -> None:
    other = service.make(park.desk, ["oven"], FOUR)
    cells = march(park)
    changes: dict[str, Any] = {
        "claim": {"claim": other.claim.hex()},
        "replaces": {"replaces": other.claim.hex()},
        "spent": {},
        "ended": {"replaces": other.claim.hex()},
    }[what]
    if what == "spent":
        cells |= {lot: {} for lot in made(park)[other.claim].cells}
    if what == "ended":
        service.withdraw(park.desk, other.claim, "x")
    submission = forged(park, cells, **changes)
    before = dump(park.settings.dir)
    with pytest.raises(Refused, match=why):
        hand_in(park, submission)
    assert dump(park.settings.dir) == before
    entries = entries_of(park)
    with pytest.raises(Refused, match=f"^entry {len(entries)}: "):
        scan([*entries, (len(entries), submission.data)])
