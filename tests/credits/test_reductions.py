"""Reductions in the log: recorded, verified by another party, reversed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ledger.credits import entries, service, store
from ledger.credits.ccus import ROLES, Part, Standing
from ledger.credits.record import Verification
from ledger.credits.service import Monitored, record_reduction, reverse, verify_reduction
from ledger.db import reading
from ledger.errors import InvalidInput, LedgerError, NotFound, Refused
from ledger.house import House
from ledger.log.service import Submission
from ledger.metering.points import Point
from ledger.metering.quality import Quality
from ledger.metering.service import Origin, register_point, take_in
from ledger.parties.desk import Draft, fresh_id, seal_json
from ledger.registry import service as registry
from ledger.registry.scheme import shipped
from ledger.units import Period
from tests.credits.flows import grams
from tests.credits.parks import (
    HOUR,
    KEY,
    METERED_T,
    NEXT,
    POINTS,
    confirmed,
    monitored,
    point_of,
    project,
    record,
    refused,
    row_of,
    size,
    standing_of,
)
from tests.ledgers import DAY_S, NOW_S, QUARTER_S, no_progress, series


def correct(house: House, point: str, quarter: int, tonnes: str) -> None:
    take_in(
        house.desk,
        [series(point, [grams(tonnes)], start_s=DAY_S + quarter * QUARTER_S)],
        Origin(source="kiln", author="works", reason="read twice"),
    )


def test_a_record_is_what_the_meters_say(kiln: House) -> None:
    """990 injected − 10 produced − 0.25 − 0.75 = 979 stored; 70 + 5 + 4 = 79 emitted; 900 net."""
    found = record(kiln).content
    assert found.flows.captured_g == 1_000_000_000
    assert found.flows.stored_g == 979_000_000
    assert found.flows.net_g == 900_000_000
    assert row_of(kiln, record(kiln, NEXT).record).state == "recorded"


def test_two_periods_in_a_chain(kiln: House) -> None:
    """900 net: 90 to the buffer, 810 credited: 202.5 removed, 607.5 avoided; half a tonne of each
    is left. The next hour begins with it: 203 and 608 units, and nothing is left."""
    first, second = confirmed(kiln), confirmed(kiln, NEXT)
    (one, two) = (row_of(kiln, found).verification for found in (first, second))
    assert one is not None
    assert one.credited is not None
    assert (one.credited.debit_g, one.credited.buffer_g) == (0, 90_000_000)
    assert one.credited.avoided == Part(carried_g=0, g=607_500_000)
    assert one.credited.removal == Part(carried_g=0, g=202_500_000)
    assert two is not None
    assert two.credited is not None
    assert (two.credited.avoided.units, two.credited.avoided.left_g) == (608, 0)
    assert (two.credited.removal.units, two.credited.removal.left_g) == (203, 0)
    assert standing_of(kiln) == Standing(stored_g=1_958_000_000, buffer_g=180_000_000)
    kiln.audit(no_progress)


def test_verifications_make_the_chain_not_records(kiln: House) -> None:
    """The later hour is confirmed first: so it has no carry, and the earlier one has its."""
    first, second = record(kiln).record, record(kiln, NEXT).record
    for found in (second, first):
        verify_reduction(kiln.desk, found, "audit", "Seen")
    verification = row_of(kiln, first).verification
    assert verification is not None
    assert verification.credited is not None
    assert verification.credited.avoided.carried_g == 500_000


def test_a_reversal_is_a_debit(kiln: House) -> None:
    """300 escape: the buffer's 90 first, 210 are owed. Of the next 900 net these are made up for
    first, and 10 % of 690 go to the buffer."""
    first = confirmed(kiln)
    before = row_of(kiln, first)
    reverse(kiln.desk, KEY, grams("300"), NOW_S, "A well leaked")
    assert row_of(kiln, first) == before
    assert standing_of(kiln) == Standing(
        stored_g=679_000_000,
        owed_g=210_000_000,
        avoided_g=500_000,
        removal_g=500_000,
    )
    second = row_of(kiln, confirmed(kiln, NEXT)).verification
    assert second is not None
    assert second.credited is not None
    assert (second.credited.debit_g, second.credited.buffer_g) == (210_000_000, 69_000_000)
    kiln.audit(no_progress)


def test_what_escapes_was_stored(kiln: House) -> None:
    with refused(kiln, Refused, "1000000 g are reversed; .* have 0 g in storage"):
        reverse(kiln.desk, KEY, grams("1"), NOW_S, "x")
    confirmed(kiln)
    with refused(kiln, Refused, "979000001 g are reversed; .* have 979000000 g in storage"):
        reverse(kiln.desk, KEY, grams("979") + 1, NOW_S, "x")
    with refused(kiln, Refused, "after the log's time"):
        reverse(kiln.desk, KEY, 1, NOW_S + 1, "x")
    with refused(kiln, NotFound, "has no project 'well'"):
        reverse(kiln.desk, replace(KEY, project="well"), 1, NOW_S, "x")


@pytest.mark.parametrize(
    ("stated_t", "message"),
    [
        ({"used": "60"}, "does not close at transport: .* = -56000000 g; -50000000 to 50000000"),
        ({"transport-leakage": "57"}, "does not close at injection: .* = -51000000 g"),
        ({"recycled": "11"}, "recycling: 11000000 g are recycled, 10000000 g were produced"),
        ({"surface-leakage": "980"}, "storage: 750000 g more escaped than were injected"),
    ],
)
def test_an_unbalanced_period_is_refused(
    kiln: House, stated_t: dict[str, str], message: str
) -> None:
    with refused(kiln, Refused, message):
        record(kiln, stated_t=stated_t)


def hand_in(house: House, change: dict[str, Any], author: str = "works") -> None:
    """A record as another program would send it: the kiln's hour, with members changed."""
    text = record_text(house) | change
    draft = Draft(
        type="reduction.record",
        author=author,
        members={"record": fresh_id(), "scheme": KEY.scheme, "project": KEY.project},
        bodies={"body": seal_json(text, "reduction")},
    )
    house.desk.writer.append(house.desk.sign(draft))


def record_text(house: House) -> dict[str, Any]:
    with reading(house.engine) as conn:
        return service._content(conn, house.desk, monitored()).to_json()


def test_metered_flows_are_what_the_points_show(kiln: House) -> None:
    text = record_text(kiln)
    flow = next(flow for flow in text["flows"] if flow["role"] == "captured")
    flow["g"] += 1
    with refused(kiln, Refused, "captured is stated as 1000000001 g; its points show 1000000000 g"):
        hand_in(kiln, {"flows": text["flows"]})
    for as_of in (10_000, 0):
        with refused(kiln, LedgerError, "as_of"):
            hand_in(kiln, {"as_of": as_of})
    with refused(kiln, Refused, "point .* is not registered"):
        hand_in(kiln, {"as_of": 1})
    hand_in(kiln, {})


def test_readings_count_as_of_the_record(kiln: House) -> None:
    """A correction after `as_of` does not change what was recorded, but it can't be confirmed."""
    text = record_text(kiln)
    correct(kiln, "well", 0, "247")
    hand_in(kiln, text)
    with reading(kiln.engine) as conn:
        (row,) = store.find_records(conn, 1)
    with refused(kiln, Refused, "injected is stated as 990000000 g; its points show 989000000 g"):
        verify_reduction(kiln.desk, row.record, "audit", "Seen")
    verify_reduction(kiln.desk, row.record, "audit", "Corrected since", confirmed=False)
    assert record(kiln).content.flows.injected_g == 989_000_000


def test_a_correction_hides_nothing(kiln: House) -> None:
    """What was confirmed stays; it is listed with what the meters say now."""
    found = confirmed(kiln)
    with reading(kiln.engine) as conn:
        assert service.differing(conn, 1, size(kiln)) == []
    correct(kiln, "well", 0, "148")
    with reading(kiln.engine) as conn:
        ((row, why),) = service.differing(conn, 1, size(kiln))
    assert row.record == found
    assert why.startswith("injected is stated as 990000000 g; its points show 890000000 g")
    reverse(kiln.desk, KEY, grams("100"), NOW_S, "The well's meter was corrected")
    assert standing_of(kiln).stored_g == grams("879")
    kiln.audit(no_progress)


def test_a_gap_is_no_zero(kiln: House) -> None:
    """The readings end with the second hour."""
    late = Period(start_s=NEXT.start_s, end_s=NEXT.end_s + QUARTER_S)
    with refused(kiln, Refused, "point 'stack' has no reading at"):
        record(kiln, late)


def test_what_is_estimated_earns_nothing(kiln: House) -> None:
    """A quarter of the well's is estimated: it counts 0, so the balance is 248 t off."""
    guess = series("well", [grams("248")], start_s=DAY_S)
    guess = replace(guess, quality=guess.quality | np.uint16(Quality.ESTIMATED))
    take_in(kiln.desk, [guess], Origin(source="kiln", author="works", reason="meter was out"))
    with refused(kiln, Refused, "does not close at injection: .* = 250000000 g"):
        record(kiln)
    guess = replace(guess, point="riser", value=np.array([grams("10")], dtype=np.int64))
    take_in(kiln.desk, [guess], Origin(source="kiln", author="works", reason="meter was out"))
    correct(kiln, "well", 0, "248")
    assert record(kiln).content.flows.produced_g == grams("10")


def with_point(house: House, **changes: Any) -> Monitored:
    register_point(
        house.desk,
        Point(**({"name": "extra", "kind": "other", "owner": "works", "unit": "g"} | changes)),
    )
    return monitored(points={**POINTS, "produced": ["riser", "extra"]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": "ml"}, "produced: point 'extra' is additive in ml; masses are additive, in g"),
        ({"measure": "gauge"}, "produced: point 'extra' is gauge in g"),
        ({}, "produced: point 'extra' is none of the project's"),
    ],
)
def test_points_weigh_the_projects_mass(kiln: House, changes: dict[str, str], message: str) -> None:
    found = with_point(kiln, **changes)
    with refused(kiln, Refused, message):
        record_reduction(kiln.desk, found)


def test_invariant_13_no_mass_counts_with_its_parent(kiln: House) -> None:
    found = with_point(kiln, parent=point_of(kiln, "riser").hex())
    points = tuple(sorted(point_of(kiln, name) for name in (*METERED_T, "extra")))
    registry.register_project(kiln.desk, *keys(), project(kiln, points=points))
    with refused(kiln, Refused, "point 'extra' hangs under 'riser': one mass would be counted tw"):
        record_reduction(kiln.desk, found)


def keys() -> tuple[str, str]:
    return KEY.scheme, KEY.project


def test_a_role_is_metered_or_stated(kiln: House) -> None:
    with refused(kiln, InvalidInput, "used is either metered by points, or stated"):
        record(kiln, points={**POINTS, "used": ["stack"]})
    found = monitored()
    mass_g = dict(found.mass_g)
    del mass_g["recycled"]
    with refused(kiln, InvalidInput, "no mass is given for recycled"):
        record(kiln, mass_g=mass_g)
    with refused(kiln, InvalidInput, "unknown role 'stored'"):
        record(kiln, mass_g={**found.mass_g, "stored": 1})
    with refused(kiln, InvalidInput, "unknown role 'stored'"):
        record(kiln, points={**POINTS, "stored": ["stack"]})


def test_periods_of_a_project_do_not_overlap(kiln: House) -> None:
    found = record(kiln).record
    half = Period(start_s=HOUR.start_s + 2 * QUARTER_S, end_s=NEXT.end_s - 2 * QUARTER_S)
    with refused(kiln, Refused, f"record {found.hex()} of project internal/kiln .* recorded once"):
        record(kiln, half)
    verify_reduction(kiln.desk, found, "audit", "Wrong hour", confirmed=False)
    record(kiln, half)
    kiln.audit(no_progress)


def test_a_plant_in_two_schemes_reduces_once(kiln: House) -> None:
    """Nor with masses that no meter of ours shows."""
    registry.register_scheme(kiln.desk, replace(shipped("internal"), scheme="other"))
    registry.register_project(kiln.desk, "other", "kiln", project(kiln, points=()))
    record(kiln)
    flows = {role: grams(tonnes) for role, tonnes in stated_only().items()}
    twice = monitored(key=replace(KEY, scheme="other"), points={}, mass_g=flows)
    with refused(kiln, Refused, "of project internal/kiln .* plant kiln is recorded once"):
        record_reduction(kiln.desk, twice)
    record_reduction(kiln.desk, replace(twice, period=NEXT))


def stated_only() -> dict[str, str]:
    named = {"captured": "1000", "transported": "996", "injected": "990", "produced": "10"}
    stated = {"used": "0", "transport-leakage": "4", "recycled": "0", "surface-leakage": "0"}
    emitted = {"energy-emissions": "0", "transport-emissions": "0", "injection-emissions": "0"}
    return {**named, **stated, **emitted, "equipment-leakage": "0"}


def test_who_may_record(kiln: House) -> None:
    with refused(kiln, Refused, "recorded by its owner 'works' or the operator, not by 'mill'"):
        record_reduction(kiln.desk, monitored(), author="mill")
    record_reduction(kiln.desk, monitored())


def test_only_what_is_over_and_inside_the_crediting_period(kiln: House) -> None:
    future = Period(start_s=NOW_S, end_s=NOW_S + QUARTER_S)
    with refused(kiln, Refused, "that time is not over at"):
        record(kiln, future, points={}, mass_g=dict.fromkeys(ROLES, 0), tolerance_g=0)
    registry.register_project(kiln.desk, *keys(), project(kiln, crediting=NEXT))
    with refused(kiln, Refused, "lies outside of the crediting period of project kiln"):
        record(kiln)
    record(kiln, NEXT)


def test_only_of_registered_projects_of_internal_schemes(kiln: House) -> None:
    found = record(kiln).record
    registry.register_project(kiln.desk, *keys(), project(kiln, state="frozen"))
    with refused(kiln, Refused, "project internal/kiln is frozen; its reductions count while"):
        record(kiln, NEXT)
    with refused(kiln, Refused, "project internal/kiln is frozen"):
        verify_reduction(kiln.desk, found, "audit", "Seen")
    verify_reduction(kiln.desk, found, "audit", "Stopped", confirmed=False)
    registry.register_scheme(kiln.desk, shipped("ccer"))
    registry.register_project(kiln.desk, "ccer", "kiln", project(kiln))
    with refused(kiln, Refused, "scheme ccer is of kind credit, .* schemes of kind record, in ton"):
        record_reduction(kiln.desk, monitored(key=replace(KEY, scheme="ccer")))
    with refused(kiln, NotFound, "has no project 'well'"):
        record_reduction(kiln.desk, monitored(key=replace(KEY, project="well")))


def test_another_party_verifies(kiln: House) -> None:
    found = record(kiln).record
    with refused(kiln, Refused, "party 'mill' has none of the roles verifier"):
        verify_reduction(kiln.desk, found, "mill", "Seen")
    kiln.desk.register_party("works", "Works", ["generator", "verifier"])
    with refused(kiln, Refused, "'works' recorded it, or owns or owned project internal/kiln: .*"):
        verify_reduction(kiln.desk, found, "works", "Seen")
    kiln.desk.register_party("operator", "Park", ["park-operator", "verifier"])
    mine = record_reduction(kiln.desk, monitored(NEXT)).record
    with refused(kiln, Refused, "'operator' recorded it"):
        verify_reduction(kiln.desk, mine, "operator", "Seen")


def test_who_owned_the_project_does_not_verify_it(kiln: House) -> None:
    """It hands the project over to a friend, and is another party."""
    found = record_reduction(kiln.desk, monitored()).record
    kiln.desk.register_party("works", "Works", ["generator", "verifier"])
    registry.register_project(kiln.desk, *keys(), project(kiln, owner="shop"))
    with refused(kiln, Refused, "'works' recorded it, or owns or owned project internal/kiln"):
        verify_reduction(kiln.desk, found, "works", "Seen")


def test_a_new_project_does_not_leave_a_debit_behind(kiln: House) -> None:
    """800 t escape, 90 t of them from the buffer: 710 t are owed, by the plant."""
    confirmed(kiln)
    reverse(kiln.desk, KEY, grams("800"), HOUR.end_s, "A leak")
    second = replace(KEY, project="second")
    registry.register_project(kiln.desk, "internal", "second", project(kiln, points=()))
    flows = {role: grams(tonnes) for role, tonnes in stated_only().items()}
    found = record_reduction(kiln.desk, monitored(NEXT, key=second, points={}, mass_g=flows))
    with refused(kiln, Refused, "internal/kiln of the same plant kiln owes 710000000 g of what"):
        verify_reduction(kiln.desk, found.record, "audit", "Seen")
    verify_reduction(kiln.desk, found.record, "audit", "Of the first project", confirmed=False)
    confirmed(kiln, NEXT)


def test_a_record_is_verified_once(kiln: House) -> None:
    found = confirmed(kiln)
    for again in (True, False):
        with refused(kiln, Refused, "was verified before, by entry .*: confirmed"):
            verify_reduction(kiln.desk, found, "audit", "Seen", confirmed=again)
    with refused(kiln, NotFound, "no reduction record"):
        verify_reduction(kiln.desk, bytes(16), "audit", "Seen")


def test_a_verification_credits_what_follows(kiln: House) -> None:
    """The second one was written before the first was confirmed: it knows of no carry."""
    first, second = record(kiln).record, record(kiln, NEXT).record
    stale = _verification(kiln, second)
    verify_reduction(kiln.desk, first, "audit", "Seen")
    with refused(kiln, Refused, "the verification credits .* what follows is"):
        kiln.desk.writer.append(stale)


def _verification(house: House, found: bytes) -> Submission:
    with reading(house.engine) as conn:
        row = store.find_record(conn, 1, found)
        credited = entries.worth(conn, 1, row, "confirmed")
    content = Verification(verdict="confirmed", finding="Seen", document="", credited=credited)
    draft = Draft(
        type="reduction.verify",
        author="audit",
        members={"record": found.hex()},
        bodies={"body": seal_json(content.to_json(), "verification")},
    )
    return house.desk.sign(draft)


def test_at_source_is_subtracted_there_and_never_credited(kiln: House) -> None:
    """It is stored, and may escape: then later credits make up for it."""
    found = confirmed(kiln, treatment="at-source")
    verification = row_of(kiln, found).verification
    assert verification is not None
    assert verification.credited is None
    assert standing_of(kiln) == Standing(stored_g=979_000_000)
    with refused(kiln, Refused, "confirmed, at-source: units are issued for what is confirmed and"):
        service.issue_record(kiln.desk, found)
    with refused(kiln, Refused, "recorded once"):
        record(kiln)
    reverse(kiln.desk, KEY, grams("5"), NOW_S, "x")
    assert standing_of(kiln).owed_g == grams("5")


def test_a_record_id_is_new(kiln: House) -> None:
    found = record(kiln)
    draft = Draft(
        type="reduction.record",
        author="works",
        members={"record": found.record.hex(), "scheme": KEY.scheme, "project": KEY.project},
        bodies={"body": seal_json(record_text(kiln), "reduction")},
    )
    with refused(kiln, Refused, "was made before; take a fresh random id"):
        kiln.desk.append(draft)
