"""docs/path.md is true: its names exist, and a run from a file to a verified claim calls
them in its order.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import pytest

from greenledger_verify.cli import main as verify
from ledger import proving
from ledger.accounting import regime_reading
from ledger.accounting.factors import service as factors
from ledger.certificates.service import MeteredIssue, issue_metered
from ledger.certificates.settlement import Settlement, settle
from ledger.claims import evidence, settling
from ledger.claims import service as claims
from ledger.db import reading
from ledger.house import COMPUTES, House
from ledger.log.audit import no_progress
from ledger.lots.model import Month, month_of
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.importers import read_profile
from ledger.metering.importing import import_file
from ledger.metering.points import Point
from ledger.metering.service import find_point, register_point
from ledger.records import service as records
from ledger.registry.project import Project
from ledger.registry.service import ensure_scheme, register_project
from ledger.reports import service as reports
from ledger.settings import Settings
from ledger.units import Period, parse_instant
from tests.docs.pages import ROOT, code_words, prose, read
from tests.servers.witness import Cosigner, Witness, serving

PAGE = read("path.md")
NAME = re.compile(r"[a-z_]+(\.\w+)+")
FILES = re.compile(r"\.(py|md|toml)$|/")
STEP = re.compile(r"^- `([\w.]+)` — ", flags=re.MULTILINE)
CLASSES = {"green-trade": None, "ordinary": None}
PROFILE = ROOT / "ledger" / "metering" / "profiles" / "simple-15min.toml"


def resolve(name: str) -> object:
    """The object that a dotted name of the page means."""
    words = name.split(".")
    if words[0] not in ("greenledger_verify", "api", "workers"):
        words.insert(0, "ledger")
    for cut in range(len(words) - 1, 0, -1):
        try:
            found: object = importlib.import_module(".".join(words[:cut]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, words[cut:], found)
    raise AssertionError(f"no module for {name}")


def names() -> list[str]:
    found = [word for word in code_words(prose(PAGE)) if NAME.fullmatch(word)]
    return [name for name in dict.fromkeys(found) if not FILES.search(name)]


def steps() -> list[str]:
    return STEP.findall(PAGE)


def numbered() -> list[list[str]]:
    """The numbered lists: what HTTP adds, called in a service's threads (test_path_http.py)."""
    lists: list[list[str]] = []
    for number, name in re.findall(r"^(\d+)\. `([\w.]+)` — ", PAGE, flags=re.MULTILINE):
        if number == "1":
            lists.append([])
        lists[-1].append(name)
    return lists


def code_of(name: str) -> CodeType:
    found = resolve(name)
    code = getattr(getattr(found, "__func__", found), "__code__", None)
    assert isinstance(code, CodeType), f"{name} is no plain function"
    return code


@pytest.mark.parametrize("name", names())
def test_every_name_of_the_page_exists(name: str) -> None:
    assert resolve(name) is not None


def test_every_item_of_a_list_is_a_step() -> None:
    items = re.findall(r"^- .*$", PAGE, flags=re.MULTILINE)
    assert len(items) == len(steps()) > 50


@contextmanager
def traced(wanted: dict[CodeType, str], calls: list[str]) -> Iterator[None]:
    """Note each call of the wanted functions."""

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in wanted:
            calls.append(wanted[frame.f_code])

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def certify(house: House, month: Month) -> None:
    """The roof's certificates of a month, settled with the mill."""
    desk = house.desk
    ensure_scheme(desk, "gec")
    with reading(house.engine) as conn:
        roof = find_point(conn, house.log.log_id, "roof").point
    project = Project(name="Roof", owner="sunny", plant="roof", technology="pv", points=(roof,))
    register_project(desk, "gec", "roof", project)
    wanted = MeteredIssue(project="roof", month=month, code="ROOF-2026-01.", units=CLASSES)
    issue_metered(desk, wanted)
    settlement = Settlement(
        contract="roof-to-mill",
        month=month,
        buyer="mill",
        contract_wh=4_000_000,
        generation_wh=5_000_000,
        consumption_wh=6_000_000,
    )
    settle(desk, settlement)


def account(house: House) -> None:
    """The mill's January, as a park counts it."""
    factors.ensure(house.desk, ["cn-electricity"])
    rules = regime_reading.shipped("ndrc-910").content
    records.put(house.desk, "regime", "ndrc-910", rules, author="operator")
    about = {"subject": "mill", "period": "2026-01"}
    reports.publish(house.desk, COMPUTES, "inventory", about, author="mill")


def vouch_for(house: House, now_s: int) -> None:
    key = Cosigner("witness.example/path")
    with serving(Witness(house.log.log_key.vkey, [key], clock_s=lambda: now_s)) as witness:
        row = f'[[witness]]\nvkey = "{key.vkey}"\nurl = "{witness.url}"\n'
        (house.settings.dir / "anchors.toml").write_text(row)
        assert [one.said for one in house.anchor().outcomes] == ["cosignature"]


def the_path(folder: Path) -> None:
    """What README's tour does, in one process: two files, one contract, certificates, a claim with
    evidence, one proof of each kind; then a correction that leaves the claim short. A witness
    vouches for the first checkpoint."""
    settings = Settings(
        dir=folder / "data",
        database_url="",
        high_water_dir=None,
        kek=None,
        publish_dir=folder / "public",
    )
    # Certificates are valid for a time: the path is walked soon after its month.
    march_s = parse_instant("2026-03-01T00:00:00Z")
    house = House.init(settings, origin="park.example/path", name="A park", clock_s=lambda: march_s)
    desk = house.desk
    for party, role in (("sunny", "generator"), ("mill", "enterprise")):
        desk.register_party(party, party, [role])
        desk.create_key(party)
    register_point(desk, Point(name="roof", kind="generation", owner="sunny", technology="pv"))
    register_point(desk, Point(name="mill", kind="consumption", owner="mill"))
    text = PROFILE.read_text(encoding="utf-8")

    def take_in(name: str, first_kwh: int, second_kwh: int, reason: str = "") -> None:
        file = folder / f"{name}.csv"
        file.write_text(
            f"time,kWh\n2026-01-01 12:00,{first_kwh}\n2026-01-01 12:15,{second_kwh}\n",
            encoding="utf-8",
        )
        profile = read_profile(text, where=PROFILE.name)
        import_file(
            desk,
            file,
            profile,
            profile_text=text,
            source="files",
            author="operator",
            reason=reason,
        )

    take_in("roof", 4_000, 1_000)
    take_in("mill", 3_000, 3_000)
    house.checkpoint()
    house.publish(no_progress)
    vouch_for(house, march_s)
    start_s = parse_instant("2026-01-01T04:00:00Z")
    period = Period(start_s=start_s, end_s=start_s + 1800)
    agreement = Agreement(
        name="roof-to-mill",
        kind="green-trade",
        seller="sunny",
        sources=["roof"],
        consumers={"mill": 0},
        period=period,
    )
    register_contract(desk, agreement)
    run = run_matching(desk, period).receipt.index
    certify(house, month_of(start_s, 8 * 3600))
    retired = settling.settle(desk, ["mill"], period)
    claim = claims.make(desk, ["mill"], period, retirements=retired).claim
    house.export_tiles(folder / "tiles", no_progress)
    (opening,) = proving.open_allocations(desk, run, "mill", start_s)
    proving.open_point_reading(desk, "roof", start_s)
    proving.prove_entry(desk, run)
    file = folder / "opening.json"
    file.write_bytes(proving.encode(opening))
    shown = folder / "claim.evidence.json"
    shown.write_bytes(b"".join(evidence.lines(desk, claim, "full")))
    tiles, vkey = str(folder / "tiles"), house.log.log_key.vkey
    assert verify(["proof", str(file), "--vkey", vkey, "--lang", "en"]) == 0
    assert verify(["evidence", str(shown), "--log", tiles, "--vkey", vkey, "--lang", "en"]) == 0
    assert verify(["log", tiles, "--vkey", vkey, "--lang", "en"]) == 0
    take_in("roof", 2_000, 1_000, reason="read twice")
    claims.flag(desk)
    claims.replace(desk, claim, "the roof was corrected")
    account(house)
    house.audit(no_progress)
    house.engine.dispose()


def test_the_steps_are_called_in_the_order_of_the_page(tmp_path: Path) -> None:
    wanted = {code_of(name): name for name in steps()}
    calls: list[str] = []
    with traced(wanted, calls):
        the_path(tmp_path)
    check_order(steps(), calls)


def check_order(names: list[str], calls: list[str]) -> None:
    """Greedy: each step is looked for after the call of the step before it."""
    at, before = 0, "the beginning"
    for name in names:
        later = calls[at:]
        assert name in later, f"{name} is not called after {before}; after it come {later[:8]}"
        at += later.index(name) + 1
        before = name
