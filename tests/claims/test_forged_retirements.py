"""Claims of retirements by hand: each wrong figure is refused, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ledger.claims import service
from ledger.errors import InvalidInput, LedgerError, Refused
from ledger.house import House
from ledger.log.service import Submission
from ledger.units import format_instant
from tests.claims.certified import (
    BOTH,
    FEB,
    MARCH,
    MWH,
    claim,
    neutral,
    retired,
)
from tests.claims.claimed import Cells, forged, hand_in, made
from tests.divided import all_held, span
from tests.ledgers import dump, no_progress

Member = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """What the forger has: a claim of the saw in February, true as it stands."""

    house: House
    cells: Cells
    five: bytes
    traded: bytes
    tonnes: bytes
    gift: bytes
    march: bytes

    @property
    def certificates(self) -> list[Member]:
        found = [
            {**_listed(self.five, "ordinary", 5), "wh": 2 * MWH},
            {**_listed(self.traded, "green-trade", 4), "wh": 4 * MWH},
        ]
        return sorted(found, key=lambda one: str(one["retirement"]))

    @property
    def credits(self) -> list[Member]:
        return [credit(self.tonnes)]

    def certificate(self, which: bytes, **changes: Any) -> dict[str, list[Member]]:
        """`certificates`, one of them changed."""
        return {
            "certificates": [
                one | changes if one["retirement"] == which.hex() else one
                for one in self.certificates
            ]
        }


def _listed(retirement: bytes, class_: str, units: int) -> Member:
    return {
        "retirement": retirement.hex(),
        "scheme": "gec",
        "class": class_,
        "from": format_instant(FEB.start_s),
        "to": format_instant(FEB.end_s),
        "units": units,
    }


def credit(retirement: bytes, **changes: Any) -> Member:
    return {
        "retirement": retirement.hex(),
        "scheme": "ccer",
        "units": 3,
        "unit_size": 1_000_000,
        **changes,
    }


@pytest.fixture
def given(certified: House) -> Given:
    cells = {one.id: one.wh for one in all_held(certified) if one.holder == "saw"}
    return Given(
        house=certified,
        cells={lot: wh for lot, wh in cells.items() if min(wh) < 0},
        five=retired(certified, 5),
        traded=retired(certified, 4, code="G"),
        tonnes=neutral(certified, 3),
        gift=retired(certified, 1, beneficiary="shop"),
        march=retired(certified, 1, MARCH),
    )


def claimed_by_hand(given: Given, **changes: Any) -> Submission:
    terms: dict[str, Any] = {
        "points": ["saw"],
        "period": FEB,
        "consumption_wh": 10 * MWH,
        "retires": [given.five, given.traded, given.tonnes],
        "certificates": given.certificates,
        "credits": given.credits,
        **changes,
    }
    return forged(given.house, given.cells, **terms)


def test_the_forger_can_also_tell_the_truth(given: Given) -> None:
    hand_in(given.house, claimed_by_hand(given))
    given.house.audit(no_progress)


def test_a_claim_may_settle_less(given: Given) -> None:
    """What is retired may be of less use than it could be: that hides nothing."""
    hand_in(given.house, claimed_by_hand(given, **given.certificate(given.five, wh=1)))
    given.house.audit(no_progress)


Change = Callable[[Given], dict[str, Any]]
FORGERIES: dict[str, tuple[Change, type[LedgerError], str]] = {
    "more than the units": (
        lambda it: {
            "certificates": [
                one | {"wh": one["wh"] + (1 if one["class"] == "green-trade" else -1)}
                for one in it.certificates
            ]
        },
        Refused,
        "4 units are 4000000 Wh, not 4000001 Wh",
    ),
    "more than is left": (
        lambda it: {**it.certificate(it.five, wh=2 * MWH + 1), "residual_wh": 0},
        InvalidInput,
        "4000000 Wh are claimed and 6000001 Wh are of certificates, 10000000 Wh were consumed",
    ),
    "more than is left of a part": (
        lambda it: {
            "period": BOTH,
            "consumption_wh": round(14.8 * MWH),
            **it.certificate(it.five, wh=2 * MWH + 1),
        },
        Refused,
        "lots leave 6000000 Wh of what .* consumed: certificates can't cover 6000001 Wh",
    ),
    "another sum": (
        lambda it: {"certificate_wh": 6 * MWH - 1, "residual_wh": 1},
        InvalidInput,
        "do not add up",
    ),
    "another residual": (lambda it: {"residual_wh": 1}, InvalidInput, "do not add up"),
    "credits lessen what is left": (
        lambda it: {"certificate_wh": 6 * MWH + 3, "residual_wh": 0},
        InvalidInput,
        "do not add up",
    ),
    "more units": (
        lambda it: it.certificate(it.five, units=6),
        Refused,
        "not as stated",
    ),
    "fewer units": (
        lambda it: it.certificate(it.five, units=4),
        Refused,
        "not as stated",
    ),
    "another class": (
        lambda it: it.certificate(it.five, **{"class": "green-trade"}),
        Refused,
        "not as stated",
    ),
    "another scheme": (
        lambda it: it.certificate(it.five, scheme="ccer"),
        Refused,
        "not as stated|is .* not",
    ),
    "another time": (
        lambda it: it.certificate(it.five, to=format_instant(span(-4, -1).end_s)),
        Refused,
        "not as stated",
    ),
    "a time outside": (
        lambda it: it.certificate(it.five, to=format_instant(BOTH.end_s)),
        InvalidInput,
        "is used outside of the claim's period",
    ),
    "a credit as certificate": (
        lambda it: {
            "credits": [],
            "certificates": sorted(
                [
                    *it.certificates,
                    {**_listed(it.tonnes, "other", 3), "scheme": "ccer", "wh": 0},
                ],
                key=lambda one: str(one["retirement"]),
            ),
        },
        Refused,
        "not as stated",
    ),
    "a certificate as credit": (
        lambda it: {
            "certificates": [one for one in it.certificates if one["retirement"] != it.five.hex()],
            "credits": sorted(
                [*it.credits, credit(it.five, scheme="gec", units=5)],
                key=lambda one: str(one["retirement"]),
            ),
        },
        Refused,
        "not as stated",
    ),
    "more tonnes": (lambda it: {"credits": [credit(it.tonnes, units=4)]}, Refused, "not as stated"),
    "tonnes of 2 t": (
        lambda it: {"credits": [credit(it.tonnes, unit_size=2_000_000)]},
        Refused,
        "not as stated",
    ),
    "certificates left out": (
        lambda it: {"certificates": it.certificates[1:]},
        Refused,
        "other retirements than the claim names or takes over",
    ),
    "a credit left out": (
        lambda it: {"credits": []},
        Refused,
        "other retirements than the claim names or takes over",
    ),
    "not retired for it": (
        lambda it: {"retires": [it.five, it.traded]},
        Refused,
        "other retirements than the claim names or takes over",
    ),
    "one more retired": (
        lambda it: {"retires": [it.five, it.traded, it.tonnes, it.march]},
        Refused,
        "other retirements than the claim names or takes over",
    ),
    "never retired": (
        lambda it: {
            "retires": [it.five, it.traded, it.tonnes, b"?" * 16],
            "credits": sorted(
                [*it.credits, credit(b"?" * 16)], key=lambda one: str(one["retirement"])
            ),
        },
        Refused,
        "was never made",
    ),
    "for somebody else": (
        lambda it: {
            "retires": [it.five, it.traded, it.tonnes, it.gift],
            "certificates": sorted(
                [*it.certificates, {**_listed(it.gift, "ordinary", 1), "wh": 0}],
                key=lambda one: str(one["retirement"]),
            ),
        },
        Refused,
        "is for 'shop', not for 'mill' who claims",
    ),
    "listed twice": (
        lambda it: {"certificates": [it.certificates[0], *it.certificates]},
        InvalidInput,
        "certificates",
    ),
    "out of order": (
        lambda it: {"certificates": it.certificates[::-1]},
        InvalidInput,
        "certificates",
    ),
    "in both lists": (
        lambda it: {
            "credits": sorted(
                [*it.credits, credit(it.five)], key=lambda one: str(one["retirement"])
            )
        },
        Refused,
        "other retirements than the claim names or takes over",
    ),
    "a member more": (
        lambda it: it.certificate(it.five, price=3),
        InvalidInput,
        "certificates",
    ),
    "less than nothing": (lambda it: it.certificate(it.five, wh=-1), InvalidInput, "certificates"),
    "a part of a Wh": (
        lambda it: it.certificate(it.five, wh=0.5),
        InvalidInput,
        "certificates|0.5",
    ),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_forged_retirements(given: Given, what: str) -> None:
    change, error, why = FORGERIES[what]
    before = dump(given.house.settings.dir)
    with pytest.raises(error, match=why):
        hand_in(given.house, claimed_by_hand(given, **change(given)))
    assert dump(given.house.settings.dir) == before


def test_what_another_claim_has(given: Given) -> None:
    """In force, replaced, withdrawn: its retirements stay its own."""
    house, five = given.house, given.five
    submission = forged(
        house,
        {},
        points=["saw"],
        period=FEB,
        consumption_wh=10 * MWH,
        retires=[five],
        certificates=[{**_listed(five, "ordinary", 5), "wh": 0}],
    )

    def refused() -> None:
        before = dump(house.settings.dir)
        with pytest.raises(Refused, match=f"{five.hex()} is in claim .* already"):
            hand_in(house, submission)
        assert dump(house.settings.dir) == before

    first = claim(house, five, period=FEB)
    refused()
    second = service.replace(house.desk, first.claim, "anew")
    refused()
    service.withdraw(house.desk, second.claim, "taken back")
    refused()


def test_a_replacement_says_what_it_takes_over(given: Given) -> None:
    house, five = given.house, given.five
    first = claim(house, five, period=FEB)
    cells = {lot: dict(wh) for lot, wh in made(house)[first.claim].cells.items()}

    def replacing(certificates: list[Member]) -> Submission:
        return forged(
            house,
            cells,
            points=["saw"],
            period=FEB,
            consumption_wh=10 * MWH,
            spends=[],
            replaces=first.claim.hex(),
            certificates=certificates,
        )

    with pytest.raises(Refused, match="names or takes over"):
        hand_in(house, replacing([]))
    hand_in(house, replacing([{**_listed(five, "ordinary", 5), "wh": 5 * MWH}]))
    house.audit(no_progress)
