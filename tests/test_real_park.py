"""The whole spine on real meters: shared/data/park-2018 through the shipped profiles, to the Wh.

The integers are those of the data's README, which were computed without this code.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import db, proving
from ledger.accounting.table import table
from ledger.claims import service as claims
from ledger.claims.evidence import SAMPLES, Level, Sample, lines
from ledger.claims.service import ClaimReport
from ledger.errors import Refused
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.lots import store as lots
from ledger.lots.model import months_in
from ledger.matching.service import Agreement, RunReport, register_contract, run_matching
from ledger.metering import store
from ledger.metering.effective import effective
from ledger.metering.importers import read_profile
from ledger.metering.importing import ImportedFile, import_file
from ledger.metering.points import Point
from ledger.metering.service import find_point, register_point
from ledger.settings import Settings
from ledger.units import Period, parse_instant
from tests.accounting.books import size
from tests.accounting.park import accounts, keep_books

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


# Two contracts of one class: together they match what one for all would, in another order.
CONTRACTS = {"pv-to-industry": CONSUMERS[:2], "pv-to-offices": CONSUMERS[2:]}
FILES = {
    "pv": ("pv_site1_50MW_2019-2020.xlsx", "pv-15min-xlsx"),
    "wind": ("wind_turbine_2018_10min.csv", "wind-10min-csv"),
    "factory-a": ("steel_factory_2018.csv", "steel-15min-csv"),
    **{name: (f"building_{name}_2018_hourly.csv", "building-hourly-csv") for name in CONSUMERS[1:]},
}
# Twelve claims of a month each; all others claim their year at once.
BY_MONTH = "b36"
MONTHS = months_in(YEAR, 8 * 3600)
SEED = bytes(range(32))
# Certificates of 2018 are still valid then.
AFTER_S = parse_instant("2019-02-01T00:00:00Z")
GOLDEN = Path(__file__).parent / "accounting" / "park-2018.txt"


class Park:
    """The ledger of the real park: one run of PV against the whole load, and all of it claimed.

    `order` puts whatever has no order of its own into some order.
    """

    size = 0  # of the log, when its books were kept

    def __init__(
        self, folder: Path, data: Path, order: Callable[[Iterable[str]], list[str]] = list
    ) -> None:
        self.data = data
        self.house = House.init(
            Settings(dir=folder / "ledger"),
            origin="park.test/2018",
            name="P",
            clock_s=lambda: AFTER_S,
        )
        desk = self.house.desk
        for party, role in (("plant", "generator"), ("tenants", "enterprise")):
            desk.register_party(party, party.title(), [role])
        desk.create_key("tenants")
        for name in order(FILES):
            consumes = name in CONSUMERS
            point = Point(
                name=name,
                kind="consumption" if consumes else "generation",
                owner="tenants" if consumes else "plant",
                region="440100",
                technology="" if consumes else name,
            )
            register_point(desk, point)
        self.files = {name: self.take(*FILES[name]) for name in order(FILES)}
        for name in order(CONTRACTS):
            agreement = Agreement(
                name=name,
                kind="direct-supply",
                seller="plant",
                sources=["pv"],
                consumers=dict.fromkeys(order(CONTRACTS[name]), 0),
                period=YEAR,
                region="4401",
            )
            register_contract(desk, agreement)
        self.report: RunReport = run_matching(desk, YEAR)
        self.claims = {name: self.claim(name) for name in order(CONSUMERS)}
        self.house.checkpoint()

    def claim(self, name: str) -> list[ClaimReport]:
        periods = [month.period for month in MONTHS] if name == BY_MONTH else [YEAR]
        return [claims.make(self.house.desk, [name], period) for period in periods]

    def matched_wh(self) -> dict[str, int]:
        """By consumer."""
        found = dict.fromkeys(CONSUMERS, 0)
        for lane in self.report.evaluation.result.lanes:
            found[lane.consumer] += int(lane.wh.sum())
        return found

    def lots(self) -> dict[tuple[str, int, int, str], bytes]:
        """Wh by quarter-hour of each lot: by point, month, class and holder, all by name."""
        with db.reading(self.house.engine) as conn:
            names = {
                point: found.master.name for point, found in store.current_points(conn, 1).items()
            }
            divisions = lots.Divisions(conn, self.house.log)
            found = {
                (
                    names[row.point],
                    row.month_start_s,
                    row.supply_class,
                    names.get(row.holder, ""),
                ): (divisions.lot_wh(row).tobytes())
                for row in lots.all_lots(conn, 1)
            }
            assert len(found) == len(lots.all_lots(conn, 1))
        return found

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
    data = shared / "data" / "park-2018"
    park = Park(tmp_path_factory.mktemp("park"), data)
    keep_books(park.house, data)
    park.house.checkpoint()
    park.size = size(park.house)
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


def test_each_consumer_claims_what_was_matched_for_it(park: Park) -> None:
    claimed = {
        name: sum(one.manifest.claimed_wh for one in made) for name, made in park.claims.items()
    }
    assert claimed == park.matched_wh()
    assert all(claimed.values())
    assert sum(claimed.values()) == PV_MATCHED_WH["quarter_hour"]


def test_what_is_consumed_is_claimed_or_left(park: Park) -> None:
    for name, made in park.claims.items():
        consumed_wh = sum(one.manifest.consumption_wh for one in made)
        assert consumed_wh == ANNUAL_WH[name]
        assert (
            sum(one.manifest.residual_wh for one in made) == consumed_wh - park.matched_wh()[name]
        )


def test_nothing_is_left_to_claim(park: Park) -> None:
    for name in CONSUMERS:
        with pytest.raises(Refused, match="claimed before"):
            claims.make(park.house.desk, [name], YEAR)


def test_a_month_and_a_sampled_year_lead_back_to_the_meters(park: Park, tmp_path: Path) -> None:
    vkey = park.house.log.log_key.vkey
    park.house.export_tiles(tmp_path / "tiles", no_progress)
    july, year = park.claims[BY_MONTH][6], park.claims["factory-a"][0]
    sample = Sample(seed=SEED, count=SAMPLES)
    wanted: tuple[tuple[str, ClaimReport, Level, Sample | None], ...]
    wanted = (("july", july, "full", None), ("year", year, "sampled", sample))
    for name, claim, level, samples in wanted:
        path = tmp_path / f"{name}.evidence.json"
        with path.open("wb") as file:
            file.writelines(lines(park.house.desk, claim.claim, level, samples))
        words = ["--seed", SEED.hex()] if samples else []
        said = _verify(
            "evidence", str(path), "--log", str(tmp_path / "tiles"), "--vkey", vkey, *words
        )
        found = said["lines"]
        assert isinstance(found, dict)
        assert found["single_use"]["established"]
        assert found["share_opened"]["claimed_wh"] == claim.manifest.claimed_wh
        if not samples:
            assert found["share_opened"]["opened_wh"] == claim.manifest.claimed_wh


def test_the_order_of_inputs_decides_nothing(
    park: Park, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(7)

    def shuffled(names: Iterable[str]) -> list[str]:
        found = list(names)
        chance.shuffle(found)
        return found

    folder = tmp_path_factory.mktemp("shuffled")
    other = Park(folder, shared / "data" / "park-2018", shuffled)
    assert other.matched_wh() == park.matched_wh()
    assert other.report.evaluation.matched == park.report.evaluation.matched
    assert other.lots() == park.lots()
    for name in CONSUMERS:
        mine, theirs = park.claims[name], other.claims[name]
        for one, same in zip(mine, theirs, strict=True):
            assert _figures(one) == _figures(same)
    other.house.engine.dispose()


def _figures(made: ClaimReport) -> dict[str, Any]:
    """All that stands in a claim but the random ids."""
    found = made.manifest.to_json()
    return {**found, "points": len(found["points"]), "as_of": 0}


def test_the_same_meter_under_another_name_is_noticed(park: Park) -> None:
    register_point(
        park.house.desk, Point(name="b37", kind="consumption", owner="tenants", parent="")
    )
    found = park.take("building_b37_2018_hourly.csv", "building-hourly-csv")
    assert [warning for warning in found.warnings if "b36" in warning]


def test_one_year_under_all_regimes(park: Park) -> None:
    """The table of docs/accounting.md; how each figure comes about stands there.

    30,129.8671 MWh, of it 12,654.106201 MWh directly from the park's own plant, 3,000 MWh by
    certificates: 14,475.760899 MWh are left, at 0.8325 t/MWh 12,051.070948 t under NDRC 910.
    """
    found = table(accounts(park.house, park.size))
    assert "12,051.070948" in found
    assert found == GOLDEN.read_text(encoding="utf-8"), found


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
