"""Random histories of a project in a real log, against a model in plain dicts; then an audit, which
replays all of it into an empty database."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.credits.ccus import ROLES
from ledger.credits.service import issue_record, reverse, verify_reduction
from ledger.db import reading
from ledger.errors import Refused
from ledger.house import House
from ledger.registry import store as units
from ledger.units import Period
from tests.credits.parks import KEY, record, row_of, standing_of
from tests.ledgers import DAY_S, NOW_S, QUARTER_S, copy_ledger, no_progress, open_house

steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["credited", "credited", "at-source"]),
            st.integers(0, 5_000_000),
            st.integers(0, 10**6),
        ),
        st.tuples(st.just("confirm"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("confirm"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("reject"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("issue"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("reverse"), st.integers(1, 4_000_000), st.just(0)),
    ),
    min_size=6,
    max_size=16,
)


class Model:
    """One signed pot in g: above 0 the buffer (a tenth of what is made), below it what is owed."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.pot = 0
        self.stored = 0
        self.left = {"avoided": 0, "removal": 0}
        self.issued = {"avoided": 0, "removal": 0}

    def confirm(self, one: dict[str, Any]) -> None:
        one["state"] = "confirmed"
        self.stored += one["mass_g"]
        one["units"] = {}
        if one["treatment"] == "at-source":
            return
        fresh = one["mass_g"] + min(self.pot, 0)
        self.pot = self.pot + one["mass_g"] if fresh <= 0 else max(self.pot, 0)
        rest = max(fresh, 0)
        held = rest // 10 + (1 if rest % 10 else 0)
        self.pot += held
        removal = (rest - held) * one["biogenic_ppm"] // 10**6
        for class_, mass_g in (("removal", removal), ("avoided", rest - held - removal)):
            one["units"][class_], self.left[class_] = divmod(self.left[class_] + mass_g, 10**6)


def known(model: Model, state: str, number: int) -> dict[str, Any] | None:
    some = [one for one in model.records if one["state"] == state]
    return some[number % len(some)] if some else None


def do(house: House, model: Model, step: tuple[str, int, int]) -> None:
    kind, number, biogenic_ppm = step
    if kind in ("credited", "at-source"):
        start_s = DAY_S + len(model.records) * QUARTER_S
        masses = dict.fromkeys(ROLES, 0) | dict.fromkeys(
            ("captured", "transported", "injected"), number
        )
        found = record(
            house,
            Period(start_s=start_s, end_s=start_s + QUARTER_S),
            points={},
            mass_g=masses,
            tolerance_g=0,
            biogenic_ppm=biogenic_ppm,
            treatment=kind,
        )
        model.records.append(
            {
                "id": found.record,
                "mass_g": number,
                "biogenic_ppm": biogenic_ppm,
                "treatment": kind,
                "state": "recorded",
            }
        )
    elif kind == "reverse":
        if number <= model.stored:
            reverse(house.desk, KEY, number, NOW_S, "x")
            model.stored -= number
            model.pot -= number
        else:
            refuse(lambda: reverse(house.desk, KEY, number, NOW_S, "x"))
    elif kind == "issue":
        issue(house, model, known(model, "confirmed", number) or known(model, "issued", number))
    elif one := known(model, "recorded", number):
        verify_reduction(house.desk, one["id"], "audit", "x", confirmed=kind == "confirm")
        if kind == "confirm":
            model.confirm(one)
        else:
            one["state"] = "rejected"


def issue(house: House, model: Model, one: dict[str, Any] | None) -> None:
    if one is None:
        return
    if one["state"] == "issued" or not sum(one["units"].values()):
        refuse(lambda: issue_record(house.desk, one["id"]))
        return
    issue_record(house.desk, one["id"])
    one["state"] = "issued"
    for class_, count in one["units"].items():
        model.issued[class_] += count


def refuse(act: Any) -> None:
    try:
        act()
    except Refused:
        return
    raise AssertionError("it was not refused")


def compare(house: House, model: Model) -> None:
    found = standing_of(house)
    assert found.buffer_g == max(model.pot, 0)
    assert found.owed_g == max(-model.pot, 0)
    assert found.stored_g == model.stored
    assert {"avoided": found.avoided_g, "removal": found.removal_g} == model.left
    assert [row_of(house, one["id"]).state for one in model.records] == [
        one["state"] for one in model.records
    ]
    issued = {"avoided": 0, "removal": 0}
    with reading(house.engine) as conn:
        for row in units.live_of(conn, 1, KEY.scheme):
            issued[row.class_] += len(row.units)
    assert issued == model.issued


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=steps)
def test_random_histories(kiln_template: Path, history: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        house = open_house(copy_ledger(kiln_template, Path(folder) / "kiln"))
        model = Model()
        for step in history:
            do(house, model, step)
            compare(house, model)
        house.audit(no_progress)
        house.engine.dispose()
