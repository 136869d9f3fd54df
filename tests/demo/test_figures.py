"""Figures of the demo: what one enterprise emits under each regime, and what goes with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.running import Demo, verifier


@pytest.fixture
def figures(demo: Demo) -> dict[str, Any]:
    found = demo.answer["figures"]
    assert isinstance(found, dict)
    return found


def test_one_year_under_each_regime(demo: Demo, figures: dict[str, Any]) -> None:
    """The data centre burns nothing: electricity alone, by rules that a pocket calculator follows.

    0.8325 kg/kWh counts what no claim covers (910号); Guangdong's 0.4419 counts all (location);
    0.5703 counts all but direct supply (ETS reporting); ETS compliance has no electricity term.
    """
    (claim,) = [one for one in demo.answer["claims"] if one["points"] == ["data-centre"]]
    used_wh, residual_wh = claim["consumption_wh"], claim["residual_wh"]
    direct_wh = claim["by_class_wh"]["direct_supply"]
    mass_g = {one["regime"]: one["mass_g"] for one in figures["regimes"]}
    by_hand = {
        "ndrc-910": residual_wh * 0.8325,
        "ghg-location": used_wh * 0.4419,
        "ghg-market": residual_wh * 0.6096,
        "mee-ets-reporting": (used_wh - direct_wh) * 0.5703,
        "guangdong-ets": used_wh * 0.4419,
        "national-ets-compliance": 0,
    }
    assert mass_g == {name: pytest.approx(mass, abs=10) for name, mass in by_hand.items()}
    assert all(one["status"] in ("secondary", "unverified") for one in figures["regimes"])


def test_the_park_and_its_scorecard(figures: dict[str, Any]) -> None:
    park, card = figures["park"], figures["scorecard"]
    assert 0 < park["share"]["ppm"] < 1_000_000
    assert park["intensity"]["regime"] == "ndrc-910"
    answers = ("met", "partly", "not-met", "gap", "not-applicable")
    assert sum(card[one] for one in answers) == card["clauses"] == 120
    assert card["gap"] > card["met"] > 0


def test_a_product_takes_what_its_maker_claimed(demo: Demo, figures: dict[str, Any]) -> None:
    (claim,) = [one for one in demo.answer["claims"] if one["points"] == ["data-centre"]]
    product = figures["product"]
    assert product["claimed_wh"] == claim["claimed_wh"] + claim["certificate_wh"]
    # 8.76 million rack hours: PV 0.0545, wind 0.0336, the rest 0.5777 kg/kWh.
    pv, wind = claim["by_class_wh"]["direct_supply"], claim["by_class_wh"]["green_trade"]
    wind += claim["certificate_wh"]
    mass_kg = (pv * 0.0545 + wind * 0.0336 + claim["residual_wh"] * 0.5777) / 1000
    assert float(product["kg_co2e"]) == pytest.approx(mass_kg / 8_760_000, abs=2e-6)


def test_anybody_can_check_the_pack(demo: Demo, figures: dict[str, Any]) -> None:
    pack = demo.folder / figures["pack"]
    trust = ("--trust", str(demo.folder / "trust.toml"))
    done = verifier("pack", str(pack), "--log", str(demo.folder / "tiles"), *trust)
    assert done.returncode == 0, done.stdout
    assert "single use established" in done.stdout
