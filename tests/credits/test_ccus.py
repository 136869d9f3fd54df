"""Captured CO2: the balance, gross and net, the split, the buffer, carry and debit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.credits.ccus import MASS_G_MAX, ROLES, Flows, Part, Standing
from ledger.errors import InvalidInput, Refused
from tests.credits.flows import flows, grams, masses

TOLERANCE_G = grams("50")


def test_worked_example() -> None:
    """A kiln's month; all in tonnes.

    transport  5,000 captured − 200 used − 4,790 transported           =   10, 50 are allowed
    injection  4,790 transported + 300 recycled − 40 leaked − 5,030    =   20, 50 are allowed
    gross      5,030 injected − 320 produced − 0.5 surface − 9.5 leaks = 4,700 stored
    net        4,700 − (410 energy + 55.25 transport + 34.75 injection = 500) = 4,200
    debit      an earlier reversal of 100 is made up for first:     4,200 − 100 = 4,100
    buffer     10 % of 4,100 = 410 are held back:                   4,100 − 410 = 3,690
    removal    25 % of the CO2 is biogenic: 922.5; 0.2 were carried; 922 units, 0.7 left
    avoided    the other 2,767.5 are fossil; 0.7 were carried; 2,768 units, 0.2 left
    whole      4,200 + 0.9 carried = 100 + 410 + 3,690 units + 0.9 left
    """
    found = flows()
    found.require_balanced(TOLERANCE_G)
    assert found.stored_g == 4_700_000_000
    assert found.emissions_g == 500_000_000
    assert found.net_g == 4_200_000_000
    before = Standing(owed_g=100_000_000, avoided_g=700_000, removal_g=200_000)
    credited = before.credit(found.net_g, biogenic_ppm=250_000, buffer_ppm=100_000)
    assert credited.debit_g == 100_000_000
    assert credited.buffer_g == 410_000_000
    assert credited.removal == Part(carried_g=200_000, g=922_500_000)
    assert (credited.removal.units, credited.removal.left_g) == (922, 700_000)
    assert credited.avoided == Part(carried_g=700_000, g=2_767_500_000)
    assert (credited.avoided.units, credited.avoided.left_g) == (2_768, 200_000)
    assert before.after_record(found.stored_g, credited) == Standing(
        stored_g=4_700_000_000,
        buffer_g=410_000_000,
        owed_g=0,
        avoided_g=200_000,
        removal_g=700_000,
    )


def test_a_later_reversal_takes_the_buffer_first() -> None:
    """500 t escape: the buffer's 410 t first, 90 t are owed. 30 t, then 100 t net come after it:
    the first is used up wholly, of the second 60 t; of its last 40 t, 4 t are held back."""
    standing = Standing(stored_g=grams("4700"), buffer_g=grams("410"))
    met = standing.reverse(grams("500"))
    assert (met.buffer_g, met.debit_g) == (410_000_000, 90_000_000)
    standing = standing.after_reversal(met)
    assert standing == Standing(stored_g=grams("4200"), buffer_g=0, owed_g=grams("90"))
    first = standing.credit(grams("30"), biogenic_ppm=0, buffer_ppm=100_000)
    assert (first.debit_g, first.buffer_g) == (30_000_000, 0)
    assert (first.avoided.units, first.removal.units) == (0, 0)
    standing = standing.after_record(grams("30"), first)
    second = standing.credit(grams("100"), biogenic_ppm=0, buffer_ppm=100_000)
    assert (second.debit_g, second.buffer_g, second.avoided.units) == (60_000_000, 4_000_000, 36)


def test_no_more_escapes_than_is_stored() -> None:
    with pytest.raises(Refused, match=r"^11 g are reversed; .* have 10 g in storage$"):
        Standing(stored_g=10).reverse(11)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"transported": "4749.999999"},
            r"transport: captured − used − transported = 50000001 g; -50000000 to 50000000 g",
        ),
        ({"used": "0"}, r"transport: .* = 210000000 g"),
        ({"transported": "4850.000001"}, r"transport: .* = -50000001 g"),
        (
            {"injected": "4999.999999"},
            r"injection: transported \+ recycled − transport-leakage − injected = 50000001 g",
        ),
        ({"recycled": "0"}, r"injection: .* = -280000000 g"),
        ({"transport_leakage": "0.1", "injected": "5140"}, r"injection: .* = -50100000 g"),
        ({"produced": "299"}, r"recycling: 300000000 g are recycled, 299000000 g were produced"),
        ({"surface_leakage": "4700.500001"}, r"storage: 1 g more escaped than were injected"),
    ],
)
def test_a_balance_that_does_not_close_is_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(Refused, match=message):
        flows(**change).require_balanced(TOLERANCE_G)


def test_the_last_gram_within_tolerance_is_taken() -> None:
    for change in (
        {"transported": "4750", "injected": "5010"},
        {"transported": "4850", "injected": "5110"},
        {"injected": "5000"},
        {"injected": "5100"},
        {"surface_leakage": "4700.5"},
    ):
        flows(**change).require_balanced(TOLERANCE_G)


@pytest.mark.parametrize("tolerance_g", [-1, grams("250") + 1])
def test_a_tolerance_is_no_way_around_the_balance(tolerance_g: int) -> None:
    with pytest.raises(InvalidInput, match="0 to 250000000, a twentieth of what was captured"):
        flows().require_balanced(tolerance_g)
    flows().require_balanced(grams("250"))


def test_masses_are_neither_negative_nor_left_out_nor_beyond_all_measure() -> None:
    with pytest.raises(InvalidInput, match="produced is -1 g; a mass is 0 to"):
        Flows.of_roles(masses() | {"produced": -1})
    with pytest.raises(InvalidInput, match="captured is 1000000000000001 g"):
        Flows.of_roles(masses() | {"captured": MASS_G_MAX + 1})
    some = masses()
    del some["used"], some["recycled"]
    with pytest.raises(InvalidInput, match="no mass is given for used, recycled; where there is"):
        Flows.of_roles(some)
    with pytest.raises(InvalidInput, match="unknown role 'stored'; roles are captured, used"):
        Flows.of_roles(masses() | {"stored": 1})


def test_net_is_never_below_nothing() -> None:
    """Where capturing emits more than is stored there is no credit, and no negative one."""
    found = flows(energy_emissions="4800")
    found.require_balanced(TOLERANCE_G)
    assert (found.stored_g, found.emissions_g, found.net_g) == (grams("4700"), grams("4890"), 0)


def test_going_round_stores_nothing() -> None:
    """CO2 that is produced and injected again, however often, is stored and transported once."""
    once, often = flows(), flows(recycled="9300", injected="14030", produced="9320")
    often.require_balanced(TOLERANCE_G)
    assert often.stored_g == once.stored_g
    assert often.transported_g == once.transported_g


mass = st.integers(0, 10**9)


@st.composite
def balanced(draw: st.DrawFn) -> Flows:
    """Flows drawn forward along the pipe, so that the balance closes within a twentieth."""
    captured = draw(mass)
    off = captured // 20
    used = draw(st.integers(0, captured))
    transported = draw(st.integers(max(0, captured - used - off), captured - used + off))
    recycled = draw(mass)
    lost = draw(st.integers(0, transported + off))
    arrived = transported + recycled - lost
    injected = draw(st.integers(max(recycled, arrived - off), arrived + off))
    produced = draw(st.integers(recycled, injected))
    left = injected - produced
    surface = draw(st.integers(0, left))
    return Flows(
        captured_g=captured,
        used_g=used,
        transported_g=transported,
        transport_leakage_g=lost,
        recycled_g=recycled,
        injected_g=injected,
        produced_g=produced,
        surface_leakage_g=surface,
        equipment_leakage_g=draw(st.integers(0, left - surface)),
        energy_emissions_g=draw(mass),
        transport_emissions_g=draw(mass),
        injection_emissions_g=draw(mass),
    )


@given(balanced())
def test_invariant_16_net_is_at_most_what_is_stored_and_nothing_is_made(found: Flows) -> None:
    assert 0 <= found.net_g <= found.stored_g <= found.injected_g
    assert found.net_g + found.emissions_g >= found.stored_g
    assert list(found.by_role()) == list(ROLES)
    assert Flows.of_roles(found.by_role()) == found


# Both stages are off by all that a tolerance of 25 g allows: 511 − 100 − 436 = −25 at transport,
# 436 + 1 − 411 − 1 = 25 at injection.
AT_THE_EDGE = Flows(
    captured_g=511,
    used_g=100,
    transported_g=436,
    transport_leakage_g=411,
    recycled_g=1,
    injected_g=1,
    produced_g=1,
    surface_leakage_g=0,
    equipment_leakage_g=0,
    energy_emissions_g=9,
    transport_emissions_g=0,
    injection_emissions_g=24,
)


@given(
    balanced(),
    st.sampled_from(["used", "transported", "transport-leakage", "injected"]),
    st.sampled_from([-1, 1]),
)
@example(AT_THE_EDGE, "used", -1)
@example(AT_THE_EDGE, "transported", -1)
@example(AT_THE_EDGE, "transport-leakage", 1)
@example(AT_THE_EDGE, "injected", 1)
def test_a_gram_beyond_the_tolerance_is_always_found(found: Flows, role: str, sign: int) -> None:
    """Whatever flow is falsified by more than both tolerances, up or down: the record is refused,
    if the flow is one that a meter on the way sees."""
    tolerance_g = found.captured_g // 20
    found.require_balanced(tolerance_g)
    changed = found.by_role() | {role: found.by_role()[role] + sign * (2 * tolerance_g + 1)}
    with pytest.raises((Refused, InvalidInput)):
        Flows.of_roles(changed).require_balanced(tolerance_g)


record = st.tuples(
    st.just("record"), st.integers(0, 5_000_000), st.integers(0, 10**6), st.integers(0, 10**6)
)
reversal = st.tuples(st.just("reversal"), st.integers(1, 4_000_000), st.just(0), st.just(0))


@given(st.lists(st.one_of(record, record, reversal), max_size=30))
def test_invariant_16_chains_lose_no_gram(history: list[tuple[str, int, int, int]]) -> None:
    """Against a model with one signed pot: above 0 it is the buffer, below it is owed.

    The sums are those of the whole history, never of one step.
    """
    standing, pot, put_in_g, issued = Standing(), 0, 0, {"avoided": 0, "removal": 0}
    net_sum_g, biogenic_g, escaped_g, records = 0, Fraction(0), 0, 0
    for kind, mass_g, biogenic_ppm, buffer_ppm in history:
        if kind == "reversal":
            if mass_g > standing.stored_g:
                with pytest.raises(Refused):
                    standing.reverse(mass_g)
                continue
            met = standing.reverse(mass_g)
            assert met.buffer_g + met.debit_g == mass_g
            standing = standing.after_reversal(met)
            pot -= mass_g
            escaped_g += mass_g
        else:
            credited = standing.credit(mass_g, biogenic_ppm=biogenic_ppm, buffer_ppm=buffer_ppm)
            standing = standing.after_record(mass_g, credited)
            for class_, part in credited.parts.items():
                issued[class_] += part.units
                assert 0 <= part.left_g < 1_000_000
            owed = max(0, -pot)
            pot += min(mass_g, owed) + credited.buffer_g
            share = Fraction(buffer_ppm, 10**6) * max(0, mass_g - owed)
            assert share <= credited.buffer_g < share + 1
            records += 1
            net_sum_g += mass_g
            put_in_g += credited.buffer_g
            biogenic_g += Fraction(biogenic_ppm, 10**6) * mass_g
        assert standing.buffer_g - standing.owed_g == pot
        assert not (standing.buffer_g and standing.owed_g)
        assert standing.stored_g == net_sum_g - escaped_g >= 0
        left_g = standing.avoided_g + standing.removal_g
        units = issued["avoided"] + issued["removal"]
        # All that was net is in units, left over, in the buffer, or made up for reversals.
        assert net_sum_g == units * 1_000_000 + left_g + pot + escaped_g
        assert issued["removal"] * 1_000_000 <= biogenic_g
        assert issued["avoided"] * 1_000_000 <= net_sum_g - biogenic_g + records


@pytest.mark.parametrize(
    ("biogenic_ppm", "avoided", "removal"), [(0, 10, 0), (1_000_000, 0, 10), (500_000, 5, 5)]
)
def test_fossil_is_avoided_biogenic_is_removed(
    biogenic_ppm: int, avoided: int, removal: int
) -> None:
    found = Standing().credit(grams("10"), biogenic_ppm=biogenic_ppm, buffer_ppm=0)
    assert (found.avoided.units, found.removal.units) == (avoided, removal)


def test_each_part_is_carried_by_itself() -> None:
    """Half a tonne of each twice: one unit of each, and none of half a tonne of both."""
    first = Standing().credit(grams("1"), biogenic_ppm=500_000, buffer_ppm=0)
    assert (first.avoided.units, first.removal.units) == (0, 0)
    standing = Standing().after_record(grams("1"), first)
    second = standing.credit(grams("1"), biogenic_ppm=500_000, buffer_ppm=0)
    assert (second.avoided.units, second.removal.units) == (1, 1)


def test_what_is_at_source_changes_the_store_alone() -> None:
    before = Standing(stored_g=5, owed_g=3, avoided_g=7, removal_g=9)
    assert before.after_record(100, None) == Standing(
        stored_g=105, owed_g=3, avoided_g=7, removal_g=9
    )
