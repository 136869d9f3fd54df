"""Certificates of a real year: wind of shared/data/park-2018 sold to its steel factory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger.certificates.service import Issued, MeteredIssue, issue_metered
from ledger.certificates.settlement import Settlement, settle
from ledger.claims import service as claims
from ledger.claims import settling
from ledger.claims.evidence import lines
from ledger.claims.service import ClaimReport
from ledger.db import reading
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.lots import store as lots
from ledger.lots.model import months_in
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.importers import read_profile
from ledger.metering.importing import import_file
from ledger.metering.points import Point
from ledger.metering.service import find_point, register_point
from ledger.registry import acting
from ledger.registry.choosing import Selection
from ledger.registry.project import Project
from ledger.registry.service import ensure_scheme, register_project
from ledger.settings import Settings
from ledger.units import parse_instant
from tests.test_real_park import FILES, PROFILES, YEAR

MONTHS = months_in(YEAR, 8 * 3600)

GEC_WH = 1_000_000
CLASSES = ("green-trade", "ordinary")
# Of the data's README, computed without this code.
WIND_WH = 11_012_358_434
FACTORY_WH = 9_596_367_100
# When the year's certificates are still valid.
CLOCK_S = parse_instant("2019-01-15T00:00:00Z")


@dataclass
class Chain:
    """What was issued by class, in order of months, and the claim of the year."""

    house: House
    issued: dict[str, list[Issued]]
    settled_wh: int
    claim: ClaimReport


def build(folder: Path, data: Path) -> Chain:
    house = House.init(
        Settings(dir=folder / "ledger"), origin="park.test/gec", name="P", clock_s=lambda: CLOCK_S
    )
    desk = house.desk
    for party, role in (("plant", "generator"), ("mill", "enterprise")):
        desk.register_party(party, party.title(), [role])
        desk.create_key(party)
    for name, owner in (("wind", "plant"), ("factory-a", "mill")):
        kind = "generation" if owner == "plant" else "consumption"
        register_point(desk, Point(name=name, kind=kind, owner=owner, region="440100"))
        file, profile = FILES[name]
        text = (PROFILES / f"{profile}.toml").read_text(encoding="utf-8")
        found = read_profile(text, where=profile)
        import_file(desk, data / file, found, profile_text=text, source="import", author="operator")
    agreement = Agreement(
        name="wind-to-factory",
        kind="green-trade",
        seller="plant",
        sources=["wind"],
        consumers={"factory-a": 0},
        period=YEAR,
    )
    register_contract(desk, agreement)
    run_matching(desk, YEAR)
    ensure_scheme(desk, "gec")
    with reading(house.engine) as conn:
        wind = find_point(conn, 1, "wind").point
    master = Project(name="Wind", owner="plant", plant="hill", technology="wind", points=(wind,))
    register_project(desk, "gec", "W-1", master)
    return trade(house)


def trade(house: House) -> Chain:
    """Month by month: issue, settle what was traded; at last the mill buys what is left of spring
    and claims its year."""
    issued: dict[str, list[Issued]] = {name: [] for name in CLASSES}
    settled_wh = 0
    for month in MONTHS:
        units = dict.fromkeys(CLASSES)
        wanted = MeteredIssue(project="W-1", month=month, code=f"W-{month}", units=units)
        for one in issue_metered(house.desk, wanted):
            issued[one.class_].append(one)
        traded = issued["green-trade"][-1]
        sold = Settlement(
            contract="wind-to-factory",
            month=month,
            buyer="mill",
            contract_wh=traded.eligible_wh,
            generation_wh=traded.eligible_wh,
            consumption_wh=traded.eligible_wh,
        )
        settle(house.desk, sold)
        settled_wh += sold.settled_wh
    first = str(MONTHS[0])
    selection = Selection(scheme="gec", serials=[f"W-{first}"], count=100, class_="ordinary")
    acting.transfer(house.desk, "plant", "mill", selection)
    retirements = settling.settle(house.desk, ["factory-a"], YEAR)
    claim = claims.make(house.desk, ["factory-a"], YEAR, retirements=retirements)
    house.checkpoint()
    return Chain(house=house, issued=issued, settled_wh=settled_wh, claim=claim)


@pytest.fixture(scope="module")
def chain(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    found = build(tmp_path_factory.mktemp("chain"), shared / "data" / "park-2018")
    yield found
    found.house.engine.dispose()


def test_what_is_issued_and_carried_is_what_was_eligible(chain: Chain) -> None:
    """Σ issued · 1,000 kWh + carry = Σ eligible, class by class; both are all that was metered."""
    eligible_wh = 0
    for found in chain.issued.values():
        for before, after in pairwise(found):
            assert after.carried_wh == before.left_wh < GEC_WH
        issued_wh = sum(len(one.units) for one in found) * GEC_WH
        assert issued_wh + found[-1].left_wh == sum(one.eligible_wh for one in found)
        eligible_wh += sum(one.eligible_wh for one in found)
    assert eligible_wh == WIND_WH
    with reading(chain.house.engine) as conn:
        wind = find_point(conn, 1, "wind").point
        supply = [row for row in lots.all_lots(conn, 1) if row.point == wind]
    assert sum(row.wh for row in supply) == WIND_WH


def test_certificates_move_with_the_power(chain: Chain) -> None:
    """What was settled is the power that the mill was allotted; whole certificates moved."""
    traded = chain.issued["green-trade"]
    assert chain.settled_wh == chain.claim.manifest.claimed_wh
    assert chain.settled_wh == sum(one.eligible_wh for one in traded)
    manifest = chain.claim.manifest
    bound = [one for one in manifest.certificates if one.class_ == "green-trade"]
    assert sum(one.units for one in bound) == sum(len(one.units) for one in traded)
    assert {one.wh for one in bound} == {0}


def test_certificates_lessen_what_lots_leave(chain: Chain) -> None:
    manifest = chain.claim.manifest
    assert manifest.consumption_wh == FACTORY_WH
    bought = [one for one in manifest.certificates if one.class_ == "ordinary"]
    assert sum(one.units for one in bought) == 100
    assert manifest.certificate_wh == 100 * GEC_WH
    assert manifest.residual_wh == FACTORY_WH - manifest.claimed_wh - 100 * GEC_WH


def test_evidence_and_audit(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "year.evidence.json"
    with path.open("wb") as file:
        file.writelines(lines(chain.house.desk, chain.claim.claim, "total", None))
    chain.house.export_tiles(tmp_path / "tiles", no_progress)
    vkey = chain.house.log.log_key.vkey
    said = verified("evidence", str(path), "--log", str(tmp_path / "tiles"), "--vkey", vkey)
    assert said["ok"]
    assert said["lines"]["single_use"]["established"]
    assert verified("log", str(tmp_path / "tiles"), "--vkey", vkey)["ok"]
    assert chain.house.audit(no_progress).entries > 40


def verified(*args: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "greenledger_verify", *args, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
