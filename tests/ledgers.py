"""Ledgers for tests, made once for each worker and copied: a begun one, and a filled one.

Time and the keys that parties hold themselves are given, so that tests can sign as anybody.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import make_url

from ledger import accounting, db
from ledger.accounting import regimes
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.used import read_substitutions
from ledger.anchors import store as anchors
from ledger.approvals import officers
from ledger.approvals import store as drafts
from ledger.approvals.service import approve, carry_out
from ledger.approvals.store import Known, Person
from ledger.claims import service as claims
from ledger.claims import store as claim_rows
from ledger.db import reading, writing
from ledger.files import parse_toml
from ledger.footprint import service as footprints
from ledger.house import COMPUTES, House
from ledger.log import mldsa
from ledger.log.notes import Signer, SigningKey, parse_note
from ledger.log.service import Receipt, Submission
from ledger.lots import store as lots
from ledger.lots.service import Form, wrap
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.erasing import erase_batches
from ledger.metering.points import Meter, Point
from ledger.metering.series import Series
from ledger.metering.service import Origin, find_point, register_point, take_in
from ledger.parties import log_key_desk
from ledger.parties.desk import Desk, Draft, custodial_key
from ledger.parties.store import Key, find_keys
from ledger.periods import service as periods
from ledger.records import service as records
from ledger.registry.service import ensure_scheme
from ledger.reports import service as reports
from ledger.settings import Settings
from ledger.statements.profile import read_statement_profile
from ledger.statements.service import import_statement
from ledger.units import Period, format_instant
from tests import units
from tests.footprint.contents import SUBSTITUTIONS, a_product
from tests.raw import Raw, marked
from tests.records import contents
from tests.servers.postgres import PostgreSQL
from tests.servers.witness import Cosigner

ORIGIN = "park.example/tests"
NOW_S = 1_772_323_200  # 2026-03-01T00:00:00Z
DAY_S = NOW_S - 2 * 86_400
QUARTER_S = 900


def held_key(party: str, seed: str = "") -> SigningKey:
    """A key that a party holds itself, the same in every run."""
    name = f"{ORIGIN}/{party}"
    return SigningKey.from_seed(name, hashlib.sha256(f"{name} {seed}".encode()).digest())


FARM = held_key("farm")
FARM_NEXT = held_key("farm", "next")
METER = held_key("farm", "meter")
GRID = held_key("grid")
MALLORY = held_key("mallory")
WITNESS = Cosigner("witness.example/w1")


@dataclass
class Clock:
    """A clock that stands until a test moves it."""

    now_s: int = NOW_S

    def __call__(self) -> int:
        return self.now_s


# In a data directory of the tests: the PostgreSQL database that belongs to it, if one does.
DATABASE_URL = "database-url"


def settings_in(folder: Path) -> Settings:
    file = folder / DATABASE_URL
    url = file.read_text() if file.exists() else ""
    return Settings(dir=folder, database_url=url, high_water_dir=None, kek=None)


def server_of(folder: Path) -> tuple[PostgreSQL, str] | None:
    """The server and the database of a data directory; None for SQLite."""
    url = make_url(settings_in(folder).url)
    if url.get_backend_name() == "sqlite":
        return None
    assert isinstance(url.query["host"], str)
    assert url.database is not None
    return PostgreSQL(Path(url.query["host"])), url.database


def on_postgresql(server: PostgreSQL, folder: Path, template: str = "template0") -> Path:
    """A data directory with a database of its own, a copy of another one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / DATABASE_URL).write_text(server.url(server.create(template)))
    return folder


def put_back(old: Path, folder: Path) -> None:
    """The database of a data directory becomes that of an older copy of it; no more does."""
    there, then = server_of(folder), server_of(old)
    if there is None or then is None:
        (folder / "ledger.sqlite3").write_bytes((old / "ledger.sqlite3").read_bytes())
        return
    server, name = there
    server.drop(name)
    server.create(then[1], name)


def close(house: House) -> None:
    """Nothing is left open; a database on a server is dropped."""
    house.engine.dispose()
    there = server_of(house.settings.dir)
    if there is not None:
        server, name = there
        server.drop(name)


def begin(folder: Path, clock_s: Callable[[], int] | None = None) -> House:
    return House.init(
        settings_in(folder), origin=ORIGIN, name="Test park", clock_s=clock_s or Clock()
    )


def open_house(folder: Path, clock_s: Callable[[], int] | None = None) -> House:
    return House.open(settings_in(folder), clock_s=clock_s or Clock())


def no_progress(_done: int, _all: int) -> None:
    """For calls that report their progress."""


def rows(house: House, sql: str, *values: object) -> list[Any]:
    """What a plain SQL query finds, past all code of the ledger."""
    with reading(house.engine) as conn:
        return [tuple(row) for row in conn.exec_driver_sql(marked(conn, sql), tuple(values))]


def _folder_of(house_or_folder: House | Path) -> Path:
    return house_or_folder if isinstance(house_or_folder, Path) else house_or_folder.settings.dir


def raw_database(house_or_folder: House | Path) -> sqlite3.Connection:
    """The database file as an attacker opens it. Of SQLite; `raw` is for either database."""
    file = _folder_of(house_or_folder) / "ledger.sqlite3"
    assert file.exists(), f"{file} is none: use `raw`"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    return connection


def raw(house_or_folder: House | Path) -> Raw:
    """A connection past all code of the ledger, with triggers and foreign keys in place."""
    folder = _folder_of(house_or_folder)
    there = server_of(folder)
    if there is not None:
        server, name = there
        return Raw(server.connect(name))
    connection = raw_database(folder)
    connection.execute("PRAGMA foreign_keys=ON")
    return Raw(connection)


def tamper(house_or_folder: House | Path, *changes: str | tuple[str, tuple[Any, ...]]) -> None:
    """Change rows behind the ledger's back; the triggers stand again afterwards."""
    connection = raw(house_or_folder)
    with connection.unguarded():
        for change in changes:
            sql, values = (change, ()) if isinstance(change, str) else change
            assert connection.execute(sql, *values).rowcount > 0, f"nothing changed by {sql}"
    connection.close()


def dump(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in a fixed order."""
    connection = raw(folder)
    names = [*db.metadata.tables, "alembic_version"]
    found = {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        for name in names
    }
    connection.close()
    return found


# Signing by hand


def statement(kind: str, author: str, /, at_s: int = NOW_S, **members: Any) -> dict[str, Any]:
    """A statement's members, common ones first; `id` is random unless it is given."""
    return {
        "type": kind,
        "id": np.random.default_rng().bytes(16).hex(),
        "log": ORIGIN,
        "author": author,
        "at": format_instant(at_s),
        **members,
    }


def signed_text(text: bytes, *keys: Signer) -> bytes:
    """A note over exactly `text`, signed by `keys` in order."""
    return text + b"\n" + b"".join(key.signature_line(text) for key in keys)


def signed(content: Mapping[str, Any], *keys: Signer) -> bytes:
    return signed_text(json.dumps(content, ensure_ascii=False).encode() + b"\n", *keys)


def submit(house: House, content: Mapping[str, Any], *keys: Signer) -> Receipt:
    return house.desk.writer.append(Submission(data=signed(content, *keys)))


def operator_key(house: House) -> SigningKey:
    with reading(house.engine) as conn:
        return in_memory(custodial_key(conn, house.desk.keystore, house.log, house.log.operator))


def in_memory(key: Signer) -> SigningKey:
    """A key of the file keystore, which tests may take apart."""
    assert isinstance(key, SigningKey)
    return key


def keys_of(house: House, party: str) -> list[Key]:
    with reading(house.engine) as conn:
        return list(find_keys(conn, house.log.log_id, party=party))


def key_members(party: str, key: SigningKey, **changes: str) -> dict[str, Any]:
    return {
        "party": party,
        "vkey": key.verify_key.vkey,
        "custody": "owner",
        "device": "none",
        "replaces": "",
        **changes,
    }


def introduce(house: House, party: str, key: SigningKey, **changes: str) -> Receipt:
    """The operator registers a key that the party holds itself."""
    draft = Draft(
        type="key.register",
        author=house.log.operator,
        members=key_members(party, key, **changes),
    )
    return house.desk.append(draft, also=[key])


def party_statement(party: str, **changes: Any) -> dict[str, Any]:
    """A party's first registration, by the operator."""
    members = {"party": party, "name": f"{party} Ltd", "roles": ["enterprise"], "replaces": ""}
    return statement("party.register", "operator", **(members | changes))


def series(
    point: str, values: list[int], *, start_s: int = DAY_S, length_s: int = QUARTER_S
) -> Series:
    count = len(values)
    return Series(
        point=point,
        length_s=length_s,
        start_s=start_s + length_s * np.arange(count, dtype=np.int64),
        value=np.array(values, dtype=np.int64),
        quality=np.zeros(count, dtype=np.uint16),
    )


def curve(seed: int, count: int, most: int) -> list[int]:
    return [int(value) for value in np.random.default_rng(seed).integers(0, most, count)]


# Ledgers


def fill(house: House) -> None:
    """Some of everything: each entry type, each table but `tiles`, several checkpoints."""
    desk = house.desk
    desk.register_party("farm", "Sunny Farm 阳光", ["generator"])
    desk.register_party("mill", "Mill", ["enterprise"])
    desk.register_party("grid", "Grid company", ["verifier"])
    introduce(house, "farm", FARM)
    introduce(house, "grid", GRID)
    introduce(house, "farm", METER, device="meter")
    desk.create_key("mill")
    house.checkpoint()
    farm_key, meter_key = keys_of(house, "farm")
    endorsement = {"party": "farm", "vkey": farm_key.key.vkey, "claim": "Seen on site"}
    desk.writer.append(
        desk.sign(Draft(type="key.endorse", author="grid", members=endorsement), key=GRID)
    )
    desk.rotate_key("mill")
    desk.revoke_key(meter_key, "The seal was broken")
    desk.register_party("mill", "Mill and Sons", ["enterprise"])
    _add_points(house)
    house.checkpoint()
    _add_readings(house)
    agreement = Agreement(
        name="roof-to-mill",
        kind="direct-supply",
        seller="farm",
        sources=["secret-roof"],
        consumers={"secret-saw": 0},
        period=Period(start_s=DAY_S, end_s=DAY_S + 86_400),
    )
    register_contract(desk, agreement)
    run_matching(desk, Period(start_s=DAY_S, end_s=DAY_S + 86_400))
    _add_claims(house)
    _add_statements(house)
    with reading(house.engine) as conn:
        roof = find_point(conn, 1, "secret-roof").point
    # Of a plant that nobody meters here, so that its certificates have no lots behind them.
    register_point(desk, Point(name="secret-far", kind="generation", owner="farm"))
    traded = dataclasses.replace(
        agreement, name="secret-trade", kind="green-trade", sources=["secret-far"]
    )
    register_contract(desk, traded)
    for retirement in units.fill(house, FARM, GRID, roof):
        day = Period(start_s=DAY_S, end_s=DAY_S + 86_400)
        claims.make(desk, ["secret-saw"], day, retirements=[retirement])
    _cosign(house)
    _add_officers(house)
    _add_records(house)
    _add_reports(house)
    _add_footprint(house)
    _add_erasure(house)
    _add_log_keys(house)
    house.checkpoint()


def _add_erasure(house: House) -> None:
    """A batch, and the file that it came from, that are gone."""
    taken = take_in(
        house.desk,
        [series("secret-far", [3, 4])],
        Origin(source="far", author="farm", file_name="secret-old.csv", file=b"secret old rows"),
        key=FARM,
    )
    erase_batches(house.desk, [taken.receipts[0].index], "kept long enough")


def _add_log_keys(house: House) -> None:
    """The first one stays, so that tests may pin it."""
    second, _ = log_key_desk.create(house.desk)
    if mldsa.is_available():
        log_key_desk.create(house.desk, post_quantum=True)
    house.checkpoint()
    log_key_desk.end(house.desk, second, "made for a rehearsal")
    log_key_desk.create(house.desk)


def _cosign(house: House) -> None:
    """A witness vouches for a checkpoint before the last: what it says is in the log's tables."""
    text = parse_note(house.checkpoint()).text
    received = anchors.Received(
        size=int(text.split(b"\n")[1]),
        kind="witness",
        name=WITNESS.name,
        key=WITNESS.vkey,
        at_s=NOW_S,
        data=WITNESS.line(text, NOW_S),
    )
    with writing(house.engine) as conn:
        for _ in range(2):
            anchors.save(conn, house.log.log_id, received)


def _add_records(house: House) -> None:
    """One that was replaced, one that ended, and one of a private register."""
    desk = house.desk
    for value in (1, 2):
        records.put(desk, "factors", "mill-grid", contents.a_set(value), author="mill")
    records.put(desk, "factors", "mill-heat", contents.a_set(3), author="mill")
    records.end(desk, "factors", "mill-heat", "measured anew", author="mill")
    document = contents.a_document("mill", "secret-licence")
    records.put(desk, "document", "5e" * 16, document, author="mill")


def _add_reports(house: House) -> None:
    """An inventory, and its next version, after the registration of a point was replaced."""
    desk, about = house.desk, {"subject": "mill", "period": "2026-02"}
    # Of shares: it needs no factor.
    file = Path(accounting.__file__).parent / "regimes" / "guideline-renewable.toml"
    share = parse_toml(file.read_text(encoding="utf-8"), file.name)
    records.put(desk, "regime", "guideline-renewable", share, author="operator")
    first = reports.publish(desk, COMPUTES, "inventory", about, author="mill")
    saw = Point(name="secret-saw", kind="consumption", owner="mill", region="320500")
    register_point(desk, saw, author="mill")
    report = first.entry.statement["report"]
    reports.publish(desk, COMPUTES, "inventory", about, author="mill", report=report)


def _add_footprint(house: House) -> None:
    """A product's footprint, that takes some of the mill's sun, and its next version."""
    desk = house.desk
    factors.ensure(desk, ["cn-electricity-life-cycle", "gwp"])
    regimes.ensure(desk, ["product-footprint"])
    name, _ = footprints.register(desk, a_product(), author="mill", name="f0" * 16)
    with reading(house.engine) as conn:
        row = [one for one in claim_rows.find_claims(conn, 1) if one.in_force and one.wh][-1]
    for wh in (40, 30):
        wishes = (footprints.Wish(claim=row.claim.hex(), wh=wh),)
        terms = footprints.Terms(
            period="2026-02", wishes=wishes, substitutions=read_substitutions(SUBSTITUTIONS)
        )
        footprints.make(desk, name, terms, publishes=True)


def _add_officers(house: House) -> None:
    """Four eyes, and the end of them: which two officers of a party have to sign."""
    desk = house.desk
    desk.register_party("office", "Office", ["enterprise"])
    desk.create_key("office")
    people = [
        Person(officer=officers.add(desk, "office", Known(label=f"secret-person-{n}")).officer)
        for n in range(3)
    ]
    officers.end(desk, people[2].officer, "left")
    officers.set_rule(desk, "office", "four-eyes", "two people")

    def by_two(act: Callable[[Desk], object]) -> None:
        draft = carry_out(desk, act, by=people[0])
        assert isinstance(draft, drafts.Draft)
        approve(desk, draft.draft, people[1])

    for state in ("provisional", "submitted", "approved"):
        periods.advance(desk, "office", "2026-02", state)
    by_two(lambda desk: periods.advance(desk, "office", "2026-02", "closed"))
    by_two(lambda desk: periods.restate(desk, "office", "2026-02", "late data"))
    by_two(lambda desk: officers.set_rule(desk, "office", "none", "a small office"))


def _add_claims(house: House) -> None:
    """A claim that a correction leaves short, its replacement, and what is left wrapped."""
    desk, day = house.desk, Period(start_s=DAY_S, end_s=DAY_S + 86_400)
    first = claims.make(desk, ["secret-saw"], day)
    take_in(
        desk,
        [series("secret-roof", [1_000_007], start_s=DAY_S + 60 * QUARTER_S)],
        Origin(source="roof", author="operator", reason="secret-reason: read twice"),
    )
    claims.flag(desk)
    claims.replace(desk, first.claim, "secret-reason: the roof was corrected")
    with reading(house.engine) as conn:
        held = [row.lot for row in lots.all_lots(conn, 1) if row.supply_class == 0]
    form = Form(issuer="secret-issuer", number="secret-number")
    wrap(desk, held[:1], "stamp", form)


def _add_statements(house: House) -> None:
    ensure_scheme(house.desk, "gec")
    text = (
        'kind = "gec"\nscheme = "gec"\nissuer = "secret-issuer"\n[file]\nformat = "csv"\n'
        '[units]\ncode = "code"\nquantity = "units"\n[status]\nvalue = "issued"\n'
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "secret-statement.csv"
        path.write_text("code,units\nSECRET-1,100\nSECRET-2,7\n")
        import_statement(
            house.desk,
            path,
            read_statement_profile(text, where="a profile"),
            profile_text=text,
            as_of=date(2026, 2, 28),
        )


def _add_points(house: House) -> None:
    meter = Meter(
        number="METER-0815", from_="2025-01-01T00:00:00Z", multiplier="80", accuracy="0.2S"
    )
    roof = Point(
        name="secret-roof",
        kind="generation",
        technology="pv",
        owner="farm",
        region="320500",
        meters=(meter,),
    )
    register_point(house.desk, roof)
    saw = Point(name="secret-saw", kind="consumption", owner="mill", region="320500")
    register_point(house.desk, saw, author="mill")
    larger = Point(
        name="secret-roof",
        kind="generation",
        technology="pv",
        owner="farm",
        region="320500",
        capacity=5_000_000,
        capacity_unit="W",
        meters=(meter,),
    )
    register_point(house.desk, larger)


def _add_readings(house: House) -> None:
    generation, consumption = curve(1, 96, 90_000_000), curve(2, 96, 80_000_000)
    take_in(
        house.desk,
        [series("secret-roof", generation[:48])],
        Origin(
            source="roof",
            author="operator",
            file_name="secret-file.csv",
            file=b"the secret rows of the file\n" * 3,
            profile="secret-profile = true\n",
        ),
    )
    take_in(
        house.desk,
        [series("secret-roof", generation[48:], start_s=DAY_S + 48 * QUARTER_S)],
        Origin(source="roof", author="operator"),
    )
    take_in(house.desk, [series("secret-saw", consumption)], Origin(source="saw", author="mill"))
    take_in(
        house.desk,
        [series("secret-saw", [70_000_001, 70_000_002], start_s=DAY_S + 4 * QUARTER_S)],
        Origin(source="saw", author="mill", reason="secret-reason: the CT ratio was wrong"),
    )


def add_many(house: House, count: int, prefix: str = "bulk") -> list[Receipt]:
    """`count` parties in one group: entries in bulk."""
    key = operator_key(house)
    return house.desk.writer.append_all(
        [Submission(data=signed(party_statement(f"{prefix}-{i}"), key)) for i in range(count)]
    )


def copy_ledger(template: Path, folder: Path) -> Path:
    copied = Path(shutil.copytree(template, folder, symlinks=True))
    there = server_of(template)
    if there is not None:
        server, name = there
        on_postgresql(server, copied, name)
    return copied


@pytest.fixture(scope="session")
def ledger_database(request: pytest.FixtureRequest) -> PostgreSQL | None:
    """Where `begun_template`, and all that is built on it, lies: None is SQLite.

    Tests marked `both_databases` run twice; see tests/conftest.py.
    """
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, PostgreSQL)
    return server


@pytest.fixture(scope="session")
def begun_template(
    ledger_database: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A data directory whose log holds the genesis alone."""
    folder = tmp_path_factory.mktemp("begun") / "data"
    if ledger_database is not None:
        on_postgresql(ledger_database, folder)
    begin(folder).engine.dispose()
    return folder


@pytest.fixture(scope="session")
def filled_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with some of everything."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("filled") / "data")
    house = open_house(folder)
    fill(house)
    house.engine.dispose()
    return folder


@pytest.fixture(scope="session")
def tiled_template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a full tile and a signed checkpoint of 300 entries."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("tiled") / "data")
    house = open_house(folder)
    add_many(house, 298)
    house.checkpoint()
    house.engine.dispose()
    return folder


@pytest.fixture
def begun(begun_template: Path, tmp_path: Path) -> Iterator[House]:
    """A ledger that has only begun, to be changed at will."""
    house = open_house(copy_ledger(begun_template, tmp_path / "begun"))
    yield house
    close(house)


@pytest.fixture
def filled(filled_template: Path, tmp_path: Path) -> Iterator[House]:
    """A ledger with some of everything, to be changed at will."""
    house = open_house(copy_ledger(filled_template, tmp_path / "filled"))
    yield house
    close(house)


@pytest.fixture
def tiled(tiled_template: Path, tmp_path: Path) -> Iterator[House]:
    """A ledger of 300 entries, to be changed at will."""
    house = open_house(copy_ledger(tiled_template, tmp_path / "tiled"))
    yield house
    close(house)
