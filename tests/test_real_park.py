"""The whole spine on real meters: shared/data/park-2018 through the shipped profiles, to the Wh.

The integers are those of the data's README, which were computed without this code.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import db, proving
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.matching.service import Agreement, RunReport, register_contract, run_matching
from ledger.metering import store
from ledger.metering.effective import effective
from ledger.metering.importers import read_profile
from ledger.metering.importing import ImportedFile, import_file
from ledger.metering.points import Point
from ledger.metering.service import find_point, register_point
from ledger.settings import Settings
from ledger.units import Period, parse_instant

PROFILES = Path(store.__file__).parent / "profiles"
CONSUMERS = ("factory-a", "b2", "b5", "b19", "b21", "b27", "b36")
ANNUAL_WH = {
    "pv": 17_042_015_834,
    "wind": 11_012_358_434,
    "factory-a": 9_596_367_100,
    "b2": 8_008_186_800,
    "b5": 2_684_720_500,
    "b19": 2_765_369_500,
    "b21": 3_262_354_900,
    "b27": 2_847_891_500,
    "b36": 964_976_800,
}
PV_MATCHED_WH = {
    "quarter_hour": 12_654_106_201,
    "hour": 12_794_535_095,
    "day": 16_816_558_118,
    "month": 17_042_015_834,
    "year": 17_042_015_834,
}
YEAR = Period(
    start_s=parse_instant("2017-12-31T16:00:00Z"), end_s=parse_instant("2018-12-31T16:00:00Z")
)


class Park:
    """The ledger of the real park, with one run of PV against the whole load."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.data = data
        self.house = House.init(Settings(dir=folder / "ledger"), origin="park.test/2018", name="P")
        desk = self.house.desk
        for party, role in (("plant", "generator"), ("tenants", "enterprise")):
            desk.register_party(party, party.title(), [role])
        for name in ("pv", "wind"):
            register_point(
                desk, Point(name=name, kind="generation", owner="plant", region="440100")
            )
        for name in CONSUMERS:
            register_point(desk, Point(name=name, kind="consumption", owner="tenants"))
        self.files = {
            name: self.take(file, profile)
            for name, file, profile in (
                ("pv", "pv_site1_50MW_2019-2020.xlsx", "pv-15min-xlsx"),
                ("wind", "wind_turbine_2018_10min.csv", "wind-10min-csv"),
                ("factory-a", "steel_factory_2018.csv", "steel-15min-csv"),
                *(
                    (name, f"building_{name}_2018_hourly.csv", "building-hourly-csv")
                    for name in CONSUMERS[1:]
                ),
            )
        }
        register_contract(
            desk,
            Agreement(
                name="pv-to-all",
                kind="direct-supply",
                seller="plant",
                sources=["pv"],
                consumers=dict.fromkeys(CONSUMERS, 0),
                period=YEAR,
                region="4401",
            ),
        )
        self.report: RunReport = run_matching(desk, YEAR)
        self.house.checkpoint()

    def take(self, file: str, profile: str) -> ImportedFile:
        text = (PROFILES / f"{profile}.toml").read_text(encoding="utf-8")
        return import_file(
            self.house.desk,
            self.data / file,
            read_profile(text, where=profile),
            profile_text=text,
            source="import",
            author="operator",
        )

    def annual_wh(self, name: str) -> int:
        with db.reading(self.house.engine) as conn:
            point = find_point(conn, 1, name).point
            (item,) = effective(conn, 1, point, start_s=YEAR.start_s, end_s=YEAR.end_s)
        return sum(item.series.value.tolist())


@pytest.fixture(scope="module")
def park(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Park]:
    park = Park(tmp_path_factory.mktemp("park"), shared / "data" / "park-2018")
    yield park
    park.house.engine.dispose()


@pytest.mark.parametrize("name", sorted(ANNUAL_WH))
def test_annual_energy_is_exact(park: Park, name: str) -> None:
    assert park.annual_wh(name) == ANNUAL_WH[name]


def test_matched_energy_is_exact_at_all_granularities(park: Park) -> None:
    matched = {one.granularity: one.matched_wh for one in park.report.evaluation.matched}
    assert matched == PV_MATCHED_WH


def test_wind_slots_that_touch_a_missing_row_are_missing(park: Park) -> None:
    assert park.files["wind"].taken.stored == 35_040 - 1_374


def test_matched_per_consumer_sums_to_the_park(park: Park) -> None:
    per_consumer: dict[str, int] = {}
    for lane in park.report.evaluation.result.lanes:
        per_consumer[lane.consumer] = per_consumer.get(lane.consumer, 0) + int(lane.wh.sum())
    assert len(per_consumer) == len(CONSUMERS)
    assert sum(per_consumer.values()) == PV_MATCHED_WH["quarter_hour"]


def test_the_same_meter_under_another_name_is_noticed(park: Park) -> None:
    register_point(
        park.house.desk, Point(name="b37", kind="consumption", owner="tenants", parent="")
    )
    found = park.take("building_b37_2018_hourly.csv", "building-hourly-csv")
    assert [warning for warning in found.warnings if "b36" in warning]


def test_the_audit_finds_nothing_and_outsiders_agree(park: Park, tmp_path: Path) -> None:
    vkey = park.house.log.log_key.vkey
    found = park.house.audit(no_progress)
    assert found.entries > 20

    park.house.export_tiles(tmp_path / "tiles", no_progress)
    assert _verify("log", str(tmp_path / "tiles"), "--vkey", vkey)["ok"]

    noon_s = parse_instant("2018-07-01T04:00:00Z")
    openings = [
        proving.open_point_reading(park.house.desk, "pv", noon_s),
        *proving.open_allocations(park.house.desk, park.report.receipt.index, "factory-a", noon_s),
    ]
    for number, opening in enumerate(openings):
        path = tmp_path / f"{number}.json"
        path.write_bytes(proving.encode(opening))
        assert _verify("proof", str(path), "--vkey", vkey)["ok"]


def _verify(*args: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "greenledger_verify", *args, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer
