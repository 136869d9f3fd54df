"""Credits used for an obligation: the cap, and what is barred."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.credits.compliance import (
    Allowance,
    Origin,
    Surrender,
    require_allowed,
    require_within_cap,
)
from ledger.errors import Refused

CCER = Allowance(
    scheme="ccer",
    kind="credit",
    purposes=frozenset({"ets-compliance", "voluntary"}),
    cap_ppm=50_000,
)
INTERNAL = Allowance(scheme="internal", kind="record", purposes=frozenset({"voluntary"}), cap_ppm=0)
FOREST = Origin(project="forest", inside_ets=False, old=False)
MILL = Surrender(beneficiary="mill", purpose="ets-compliance", year=2026, units=5, obligation=1_000)


def test_five_per_cent_and_no_unit_more() -> None:
    """5 % of 1,000 t are 50; 45 were used, so 5 are left."""
    earlier = [replace(MILL, units=40), MILL]
    require_within_cap(CCER, MILL, earlier)
    with pytest.raises(Refused, match=r"50 of 1000 are allowed \(5 %\), 45 are used, 5 are left"):
        require_within_cap(CCER, replace(MILL, units=6), earlier)


def test_a_share_of_a_unit_is_none() -> None:
    """5 % of 39 t are 1.95 t: one whole unit."""
    one = replace(MILL, obligation=39, units=1)
    require_within_cap(CCER, one, [])
    with pytest.raises(Refused, match=r"1 of 39 are allowed"):
        require_within_cap(CCER, replace(one, units=2), [])


def test_the_cap_is_for_each_beneficiary_purpose_and_year() -> None:
    full = replace(MILL, units=50)
    for other in (
        replace(full, beneficiary="shop"),
        replace(full, year=2025),
        replace(full, purpose="local-compliance"),
    ):
        require_within_cap(CCER, full, [other])
    with pytest.raises(Refused, match="0 are left"):
        require_within_cap(CCER, MILL, [full])


def test_an_obligation_is_stated_once() -> None:
    """Else whoever names a greater one the second time has a greater cap."""
    with pytest.raises(Refused, match="stated as 2000 units; before it was 1000, and it stays so"):
        require_within_cap(CCER, replace(MILL, obligation=2_000), [MILL])


def test_projects_inside_the_covered_boundary_are_barred() -> None:
    require_allowed(CCER, "ets-compliance", [FOREST])
    with pytest.raises(Refused, match="project kiln lies inside of emissions"):
        require_allowed(
            CCER, "ets-compliance", [FOREST, replace(FOREST, project="kiln", inside_ets=True)]
        )


def test_old_generation_credits_are_barred_from_the_national_market() -> None:
    old = [replace(FOREST, old=True)]
    with pytest.raises(Refused, match="old generation, which is not usable for ets-compliance"):
        require_allowed(CCER, "ets-compliance", old)
    require_allowed(
        replace(CCER, purposes=frozenset({"local-compliance"})), "local-compliance", old
    )


def test_internal_records_are_no_credits() -> None:
    with pytest.raises(Refused, match="internal reduction records, not CCER/PHCER: no compliance"):
        require_allowed(INTERNAL, "ets-compliance", [])


def test_a_scheme_says_what_its_units_are_for() -> None:
    with pytest.raises(Refused, match="for ets-compliance, voluntary, not for local"):
        require_allowed(CCER, "local-compliance", [])
