"""The whole demo, made once: what it promises programs, and what the ledger made of the files."""

import base64
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ledger.demo import files, plan
from ledger.demo.park import Park, make_park
from tests.demo.running import Demo, start, verifier

GRANULARITIES = ["quarter_hour", "hour", "day", "month", "year"]


@pytest.fixture(scope="module")
def park() -> Park:
    return make_park()


def point(demo: Demo, name: str) -> dict[str, int]:
    (found,) = [one for one in demo.answer["points"] if one["name"] == name]
    assert isinstance(found, dict)
    return found


@pytest.mark.long
def test_what_programs_may_rely_on(demo: Demo) -> None:
    answer = demo.answer
    for name in ("log_size", "intervals", "generation_wh", "consumption_wh"):
        assert isinstance(answer[name], int), name
        assert answer[name] > 0, name
    assert list(answer["matched_wh"]) == GRANULARITIES
    assert all(isinstance(wh, int) for wh in answer["matched_wh"].values())
    assert answer["verified"] is True
    assert isinstance(answer["seconds"], float)
    tiles, checkpoint = Path(answer["tiles"]), Path(answer["checkpoint"])
    assert tiles.is_dir()
    origin, size, _ = checkpoint.read_text().split("\n")[:3]
    assert (origin, int(size)) == (answer["log"], answer["log_size"])
    assert answer["vkey"].startswith(f"{origin}+")
    done = verifier("log", str(tiles), "--vkey", answer["vkey"])
    assert done.returncode == 0, done.stdout


def test_finer_intervals_match_less(demo: Demo) -> None:
    matched = list(demo.answer["matched_wh"].values())
    assert matched == sorted(matched)
    consumption_wh = demo.answer["consumption_wh"]
    assert matched[0] < 0.75 * consumption_wh
    assert matched[-1] > 0.9 * consumption_wh
    by_class = demo.answer["by_class_wh"]
    assert [sum(by_class[each].values()) for each in GRANULARITIES] == matched


def test_self_use_by_hand(demo: Demo, park: Park) -> None:
    """Neither series has a gap, so that the roof's use follows from the generator alone."""
    expected = np.minimum(park.wh["pv-roof"], park.wh["works-press"]).sum()
    assert demo.answer["by_class_wh"]["quarter_hour"]["self_use"] == expected


def test_what_the_importers_made_of_the_files(demo: Demo, park: Park) -> None:
    """Each imperfection was made on purpose, so what should be left of it is known."""
    truth = {name: int(wh.sum()) for name, wh in park.wh.items()}
    unharmed = set(truth) - {"pv-ground", "cold-store", "tenant-tower", "water-works"}
    for name in unharmed:
        assert point(demo, name)["wh"] == truth[name], name
    lost = slice(files.span_of(files.PV_OUTAGE).start, files.span_of(files.PV_OUTAGE).stop)
    ground = point(demo, "pv-ground")
    assert ground["missing"] == 253 == lost.stop - lost.start
    assert ground["wh"] == truth["pv-ground"] - park.wh["pv-ground"][lost].sum()
    zero = 4 * files.place_of(files.ZERO_HOUR, 3600)
    tenant = truth["tenant-tower"] - park.wh["tenant-tower"][zero : zero + 4].sum()
    assert point(demo, "tenant-tower")["wh"] == tenant
    # A register counts whole units of 0.01 kWh × 60, on two meters.
    assert abs(point(demo, "water-works")["wh"] - truth["water-works"]) <= 2 * 600


def test_missing_consumption_is_estimated_from_the_parent(demo: Demo, park: Park) -> None:
    (estimated,) = demo.answer["estimated"]
    lost = files.span_of(files.STORE_OUTAGE)
    rest = park.wh["feeder-2"] - park.wh["offices"] - park.wh["ev-charging"]
    assert estimated == {
        "point": "cold-store",
        "rule": "parent",
        "intervals": len(lost),
        "wh": int(rest[lost.start : lost.stop].sum()),
    }
    assert demo.answer["estimated_wh"] == estimated["wh"]


def test_every_repair_left_its_mark(demo: Demo) -> None:
    marks = {one["name"]: one["flags"] for one in demo.answer["points"] if one["flags"]}
    assert set(marks.pop("pv-roof")) == {"clipped"}
    assert set(marks.pop("wind-sea")) == {"resampled", "clipped"}
    assert marks == {
        "works-press": {"relabelled": 365},
        "tenant-tower": {"profiled": 35_040, "suspect": 4},
        "ev-charging": {"corrected": 672},
        "water-works": {"rollover": 1, "swapped": 1},
    }
    repeats = {one["file"]: one["repeats"] for one in demo.answer["imports"] if one["repeats"]}
    assert repeats == {"files/park/offices_15min.csv": 192}


def test_who_signed(demo: Demo) -> None:
    signed = demo.answer["provenance_wh"]
    solar = point(demo, "pv-roof")["wh"] + point(demo, "pv-ground")["wh"]
    assert signed["generation"]["gateway-signed"] == solar
    assert signed["consumption"]["party-import"] == point(demo, "works-press")["wh"]
    measured_wh = demo.answer["consumption_wh"] - demo.answer["estimated_wh"]
    assert sum(signed["consumption"].values()) == measured_wh


def test_storage_is_not_green(demo: Demo) -> None:
    for name in ("battery-charge", "battery-discharge"):
        assert point(demo, name)["matched_wh"] == 0
    assert set(demo.answer["by_class_wh"]["year"]) == {"self_use", "direct_supply", "green_trade"}


def test_the_verifier_said_what_was_expected(demo: Demo) -> None:
    checks = demo.answer["checks"]
    assert [each["subject"] for each in checks if each["expected"]] == [
        "log",
        "entry",
        "reading",
        "allocation",
        "allocation",
        "consistency",
        "evidence",
        "sampled",
        "bought",
        "pack",
    ]
    assert [each["exit_code"] for each in checks] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    reading, evidence = [each for each in checks if not each["expected"]]
    assert "lead to the root" in reading["why"]
    assert set(evidence["failed"]) == {"en", "zh"}
    step, why = evidence["failed"]["en"]
    assert step.startswith("6. The claim's tree has the total that is claimed")
    assert why == evidence["why"]
    one_more = demo.answer["claims"][0]["claimed_wh"] + 1
    assert f"with a total of {one_more} Wh" in why


def test_all_that_was_matched_is_claimed_once(demo: Demo) -> None:
    answer = demo.answer
    claims = answer["claims"]
    assert sum(one["claimed_wh"] for one in claims) == answer["matched_wh"]["quarter_hour"]
    assert answer["claimed_wh"] == answer["matched_wh"]["quarter_hour"]
    for one in claims:
        assert sum(one["by_class_wh"].values()) == one["claimed_wh"]
        exact = Fraction(one["claimed_wh"], one["consumption_wh"]) * 1_000_000
        assert 0 <= exact - one["share_ppm"] < 1
    by_point: dict[str, int] = {}
    for one in claims:
        (name,) = one["points"]
        assert one["consumer"] == point(demo, name)["owner"]
        by_point[name] = by_point.get(name, 0) + one["claimed_wh"]
    assert by_point == {name: point(demo, name)["matched_wh"] for name in plan.CONSUMERS}
    assert [one["points"] for one in claims].count(["works-press"]) == 2


def test_a_second_claim_is_refused(demo: Demo) -> None:
    again = demo.answer["claimed_again"]
    assert "a kWh is claimed once" in again["why"]
    assert demo.answer["claims"][0]["claim"] in again["why"]


def test_the_evidence_holds_for_others(demo: Demo) -> None:
    answer = demo.answer
    roots = ("--log", answer["tiles"], "--trust", answer["trust"])
    done = verifier("evidence", answer["evidence"], *roots, "--json", "--lang", "en")
    assert done.returncode == 0, done.stdout
    lines = json.loads(done.stdout)["lines"]
    assert answer["single_use"] is lines["single_use"]["established"] is True
    assert lines["share_opened"]["opened_wh"] == answer["claims"][0]["claimed_wh"]
    assert lines["provenance"]["pinned_wh"] == lines["provenance"]["supply_wh"]["gateway"] > 0
    forged = demo.folder / answer["evidence_forged"]
    done = verifier("evidence", str(forged), *roots, "--json", "--lang", "en")
    assert done.returncode == 1
    assert json.loads(done.stdout)["why"] == answer["checks"][-1]["why"]


def test_the_forged_evidence_differs_by_one_wh(demo: Demo) -> None:
    """Not by its form: what is found must be the energy."""
    pairs = zip(
        Path(demo.answer["evidence"]).read_text().splitlines(),
        (demo.folder / demo.answer["evidence_forged"]).read_text().splitlines(),
        strict=True,
    )
    ((good, forged),) = [(one, other) for one, other in pairs if one != other]
    cells = [base64.b64decode(json.loads(each.rstrip(","))["cells"]) for each in (good, forged)]
    grown = [
        (place, other - one)
        for place, (one, other) in enumerate(zip(*cells, strict=True))
        if one != other
    ]
    assert len(grown) == 2
    assert all(by == 1 for _, by in grown)


def test_evidence_without_the_log_proves_no_single_use(demo: Demo) -> None:
    done = verifier("evidence", demo.answer["evidence"], "--trust", demo.answer["trust"], "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["lines"]["single_use"]["established"] is False


@pytest.mark.parametrize(
    "name", ["entry.tlog-proof", "reading.json", "allocation.json", "allocation-2.json"]
)
def test_proofs_hold_for_others(demo: Demo, name: str) -> None:
    path = demo.folder / "proofs" / name
    done = verifier("proof", str(path), "--trust", str(demo.folder / "trust.toml"), "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["ok"] is True


def test_second_start_says_the_same(demo: Demo) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in demo.folder.rglob("*"))
    again = start("--dir", str(demo.folder), "--json")
    assert again.returncode == 0
    assert again.stdout.splitlines()[-1] == demo.stdout.splitlines()[-1]
    assert "--fresh" in again.stderr
    assert sorted((path, path.stat().st_mtime_ns) for path in demo.folder.rglob("*")) == before


def test_private_keys_are_nobody_elses(demo: Demo) -> None:
    keys = list((demo.folder / "keys").iterdir())
    assert {path.name for path in keys} == {"edge-gateway.key", "huayue-parts.key"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)
