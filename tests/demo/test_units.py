"""Certificates and credits of the demo: they follow from matching, and from the plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.demo import capture, certificates, plan, reductions
from ledger.demo.refusals import Refusal
from tests.demo.running import Demo, verifier

MWH: Final = 1_000_000


@pytest.fixture
def units(demo: Demo) -> dict[str, Any]:
    found = demo.answer["units"]
    assert isinstance(found, dict)
    return found


def classes_of(units: dict[str, Any]) -> dict[tuple[str, str], dict[str, int]]:
    return {
        (one["project"], class_): row
        for one in units["issued"]
        for class_, row in one["classes"].items()
    }


def point(demo: Demo, name: str) -> dict[str, int]:
    (found,) = [one for one in demo.answer["points"] if one["name"] == name]
    assert isinstance(found, dict)
    return found


def test_certificates_are_worth_what_was_generated(demo: Demo, units: dict[str, Any]) -> None:
    """What was matched is bound, what was not is ordinary, and less than 1 MWh waits."""
    found = classes_of(units)
    for project, meter, bound in (
        ("roof-pv", "pv-roof", "self-use"),
        ("ground-pv", "pv-ground", "self-use"),
        ("sea-wind", "wind-sea", "green-trade"),
    ):
        meter_row = point(demo, meter)
        assert found[project, bound]["eligible_wh"] == meter_row["matched_wh"]
        rest_wh = meter_row["wh"] - meter_row["matched_wh"]
        assert found[project, "ordinary"]["eligible_wh"] == rest_wh
    for row in found.values():
        assert row["units"] == row["eligible_wh"] // MWH
        assert row["left_wh"] == row["eligible_wh"] % MWH


def test_each_certificate_became_one_thing(units: dict[str, Any]) -> None:
    issued = sum(row["units"] for row in classes_of(units).values())
    for counts in units["certificates"].values():
        assert counts["issued"] == sum(n for what, n in counts.items() if what != "issued")
    listed = sum(certificates.LISTED.values())
    assert units["listed_units"] == listed
    all_issued = sum(counts["issued"] for counts in units["certificates"].values())
    assert all_issued == issued + listed
    assert units["certificates"]["ordinary"]["expire"] == certificates.LISTED["2024-02"]


def test_claims_with_certificates_cover_no_more_than_was_consumed(demo: Demo) -> None:
    for one in demo.answer["claims"]:
        assert one["certificate_wh"] == one["certificate_units"] * MWH
        left_wh = one["consumption_wh"] - one["claimed_wh"] - one["certificate_wh"]
        assert one["residual_wh"] == left_wh >= 0
    by_point = {one["points"][0]: one for one in demo.answer["claims"]}
    # It bought more than it needed: in each month less than a certificate is left.
    assert by_point["data-centre"]["residual_wh"] < 12 * MWH
    assert by_point["data-centre"]["certificate_units"] > 10_000


def test_bound_certificates_are_those_of_the_lots(demo: Demo, units: dict[str, Any]) -> None:
    bound = sum(one["bound_units"] for one in demo.answer["claims"])
    retired = units["certificates"]["self-use"]["retire"]
    assert bound == retired + units["certificates"]["green-trade"]["retire"]
    claimed_mwh = demo.answer["claimed_wh"] // MWH
    assert 0 <= claimed_mwh - bound < 100
    assert units["settled_units"] == units["certificates"]["green-trade"]["retire"]


def test_what_must_not_pass_did_not(units: dict[str, Any]) -> None:
    refused = {one["key"]: one["why"] for one in units["refusals"]}
    for key, words in {
        "again": "a unit exists once",
        "twice": "it can't be used twice",
        "green-trade": "class green-trade",
        "self-use": "class self-use",
        "settled": "was settled with 'cloud-one'",
        "others": "belongs to 'cloud-one'",
        "barred": "can't be registered",
        "ccer": "either green power or a reduction",
        "expired": "valid no more, since 2026-01-31T16:00:00Z",
        "balance": "the mass balance does not close",
        "compliance": "no compliance use",
        "verifier": "verifier",
    }.items():
        assert words in refused.pop(key), key
    assert refused == {}
    assert Refusal(key="x", why="").why == ""


def test_captured_carbon_by_hand(units: dict[str, Any]) -> None:
    """Sums of what the scales would have shown, and of what is stated in the plan."""
    made = capture.make_capture()
    found = units["capture"]
    assert found["captured_g"] == int(made.captured_g.sum())
    assert found["stored_g"] == int(made.injected_g.sum()) - 940_000
    assert found["net_g"] == found["stored_g"] - found["emissions_g"]
    credited_g = found["net_g"] - found["buffer_g"]
    assert found["buffer_g"] == -(-found["net_g"] // 10)
    kept_g = sum(found["units"].values()) * 1_000_000 + sum(found["left_g"].values())
    assert kept_g == credited_g
    assert found["verifier"] == plan.VERIFIER


def test_credits_stand_on_their_own_line(demo: Demo, units: dict[str, Any]) -> None:
    assert units["ccer"] == {
        "issued": reductions.MANGROVE_UNITS,
        "retired": reductions.RETIRED_UNITS,
    }
    credits_ = {
        one["points"][0]: sum(each["units"] for each in one["credits"])
        for one in demo.answer["claims"]
        if one["credits"]
    }
    assert credits_ == {
        "cold-store": reductions.RETIRED_UNITS,
        "works-press": units["internal"]["retired"],
    }


def test_the_statement_is_compared(demo: Demo, units: dict[str, Any]) -> None:
    found = units["reconciled"]
    assert found["missing_here"] == ["DEMO-elsewhere-2025-11.:0-25"]
    (conflict,) = found["conflict"]
    assert conflict.startswith("DEMO-north-wind-2025-09.:0-")
    assert found["repeated"] is True
    for name in (certificates.LIST, "files/official/gec-accounts-2026-02.csv"):
        first = (demo.folder / name).read_text(encoding="utf-8").splitlines()[0]
        assert first == f'"{demo.answer["label"]}"'


def test_evidence_of_certificates_holds_for_others(demo: Demo) -> None:
    file = str(demo.folder / demo.answer["evidence_bought"])
    roots = ("--log", demo.answer["tiles"], "--trust", demo.answer["trust"])
    done = verifier("evidence", file, *roots, "--json", "--lang", "en")
    assert done.returncode == 0, done.stdout
    line = json.loads(done.stdout)["lines"]["certificates"]
    (claim,) = [one for one in demo.answer["claims"] if one["points"] == ["data-centre"]]
    assert line["wh"] == claim["certificate_wh"]
    assert line["bound_units"] == claim["bound_units"]


def test_a_disclosure_is_public(demo: Demo, units: dict[str, Any]) -> None:
    """It stands in the tiles, which hold entries and nothing private."""
    tiles = Path(demo.answer["tiles"]) / "tile" / "entries"
    public = b"".join(path.read_bytes() for path in sorted(tiles.rglob("*")) if path.is_file())
    shown = units["disclosed"]
    assert shown["serials"][0].encode() in public
    assert public.count(b'"type":"unit.disclose"') == 1
    assert b"DEMO-north-wind-2025-02./0:" not in public
