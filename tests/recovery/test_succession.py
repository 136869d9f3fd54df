"""A new log after a lost one: it names it, and nothing that the old one may have used counts again:
in the ledger, in the database, for the verifier."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from greenledger_verify.entry import parse_entry as parse
from greenledger_verify.explain_log import explain_log
from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.scanbooks import Books
from greenledger_verify.trust import trust_of
from ledger.claims import service as claims
from ledger.credits.service import Monitored, record_reduction
from ledger.db import reading, writing
from ledger.errors import Corrupt, InvalidInput, NotFound, Refused, Unavailable
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.log.bodies import Blob
from ledger.log.entry import Entry, parse_entry
from ledger.log.export import submissions
from ledger.log.service import Submission
from ledger.log.succession import Succession, first_month
from ledger.log.types import Tx
from ledger.lots import rule as lot_rule
from ledger.matching.service import Agreement, register_contract, run_matching
from ledger.metering.points import Point
from ledger.metering.service import Origin, register_point, take_in
from ledger.periods import since
from ledger.recovery.backup import backup
from ledger.recovery.restore import Sources, restore
from ledger.recovery.succession import succeed
from ledger.registry import acting
from ledger.registry.scheme import shipped
from ledger.registry.service import register_project, register_scheme
from ledger.units import Period, format_instant, parse_instant
from tests import units
from tests.ledgers import (
    ORIGIN,
    Clock,
    close,
    copy_ledger,
    ledger_database,
    on_postgresql,
    open_house,
    operator_key,
    raw,
    rows,
    series,
    settings_in,
    signed,
    statement,
)
from tests.recovery.parks import meter, publish, settle
from tests.recovery.places import empty_place, kept_rows
from tests.servers.postgres import PostgreSQL
from tests.verifier import forge

__all__ = ["ledger_database"]

BEGUN_S = parse_instant("2026-03-20T00:00:00Z")
MARCH, APRIL = units.month(2026, 3), units.month(2026, 4)
AFTER_S = parse_instant("2026-05-02T00:00:00Z")
BEFORE = Succession(
    origin="park.example/before",
    log_vkey=forge.Key("park.example/before", "a log that was lost").vkey,
    size=1234,
    root=bytes(range(32)),
)
FOLLOWS_ANOTHER = "the accounts of this log, which follows another one, begin 2026-03-31T16:00:00Z"


@pytest.fixture(scope="module")
def followed_template(
    ledger_database: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A log that follows another one, with parties, schemes and points, in May."""
    folder = tmp_path_factory.mktemp("followed") / "data"
    if ledger_database is not None:
        on_postgresql(ledger_database, folder)
    clock = Clock(now_s=BEGUN_S)
    house = House.init(
        settings_in(folder), origin=forge.ORIGIN, name="Park", clock_s=clock, follows=BEFORE
    )
    clock.now_s = AFTER_S
    units.found(house)
    house.desk.register_party("grid", "Grid", ["verifier"])
    for name, kind, owner in (("roof", "generation", "farm"), ("saw", "consumption", "mill")):
        register_point(house.desk, Point(name=name, kind=kind, owner=owner, region="320500"))
    house.checkpoint()
    house.engine.dispose()
    return folder


@pytest.fixture
def followed(followed_template: Path, tmp_path: Path) -> Iterator[House]:
    house = open_house(copy_ledger(followed_template, tmp_path / "followed"), Clock(now_s=AFTER_S))
    yield house
    close(house)


def read_at(house: House, point: str, start_s: int) -> None:
    found = [series(point, [4_000_000] * 4, start_s=start_s)]
    take_in(house.desk, found, Origin(source=point, author="operator"))


def record_of(house: House, period: Period) -> None:
    found = Monitored(
        key=units.KEY,
        period=period,
        points={},
        mass_g={role: tonnes * 1_000_000 for role, tonnes in units.STATED_T.items()},
        tolerance_g=50_000_000,
        biogenic_ppm=250_000,
    )
    record_reduction(house.desk, found)


def issue(house: House, month: Period) -> None:
    units.issue(house, f"B{month.start_s}", 0, 10, owner="mill", period=month)


def day_of(month: Period) -> Period:
    """The last of a month."""
    return Period(start_s=month.end_s - 86_400, end_s=month.end_s)


def require_claims_refused(house: House) -> None:
    """The claim that was made, if its period were of before: nothing else is asked about it."""
    with reading(house.engine) as conn:
        every = list(submissions(conn, house.log, house.desk.types))
        (made,) = [one for one in every if b'"claim.make"' in one.data]
        manifest = made.bodies["manifest"]
        assert isinstance(manifest, Blob)
        tx = Tx(conn=conn, log=house.log, index=99, tick_s=AFTER_S)
        entry = parse_entry(made.data)
        since.before_claim(tx, entry, {"manifest": manifest})
        march = manifest.json() | {"from": format_instant(MARCH.end_s - 900)}
        before = Blob.seal_json(march, "claim", salt=bytes(32))
        with pytest.raises(Refused, match=f"a claim .*{FOLLOWS_ANOTHER}"):
            since.before_claim(tx, entry, {"manifest": before})


def test_nothing_of_times_before(followed: House) -> None:
    """Each thing of March is refused, and the very same of April is taken."""
    desk = followed.desk
    register_scheme(desk, shipped("internal"))
    kiln = units.wind("kiln", name="kiln", technology="ccus")
    register_project(desk, units.KEY.scheme, units.KEY.project, kiln)
    things: dict[str, Callable[[Period], object]] = {
        "readings": lambda month: read_at(followed, "roof", month.end_s - 7_200),
        "batch": lambda month: issue(followed, month),
        "record": lambda month: record_of(followed, day_of(month)),
    }
    for what, make in things.items():
        with pytest.raises(Refused, match=FOLLOWS_ANOTHER):
            make(MARCH)
        make(APRIL)
        assert what
    mine = units.pick(f"B{APRIL.start_s}:0-5")
    with pytest.raises(Refused, match=f"a retirement for a use .*{FOLLOWS_ANOTHER}"):
        acting.retire(desk, "mill", mine, units.green(period=day_of(MARCH)))
    retirement, _ = acting.retire(desk, "mill", mine, units.green(period=day_of(APRIL)))
    read_at(followed, "saw", day_of(APRIL).start_s)
    claims.make(desk, ["saw"], day_of(APRIL), retirements=[retirement])
    require_claims_refused(followed)
    followed.audit(no_progress)


def test_lots_of_april_and_none_of_march(followed: House, tmp_path: Path) -> None:
    desk = followed.desk
    for point in ("roof", "saw"):
        read_at(followed, point, APRIL.start_s)
    agreement = Agreement(
        name="roof-to-mill",
        kind="direct-supply",
        seller="farm",
        sources=["roof"],
        consumers={"saw": 0},
        period=APRIL,
    )
    register_contract(desk, agreement)
    run_matching(desk, Period(start_s=MARCH.start_s, end_s=APRIL.end_s))
    months = {row[0] for row in rows(followed, "SELECT month_start_s FROM origins")}
    assert months == {APRIL.start_s}
    followed.audit(no_progress)
    publish(followed, tmp_path / "tiles")
    report, trust = Report(), trust_of([followed.log.log_key.vkey])
    log = verify_log(tmp_path / "tiles", trust, report)
    assert log.state is not None
    assert log.state.predecessor is not None
    assert log.state.predecessor.origin == BEFORE.origin
    explain_log(log, trust, report)
    said = "\n".join(text.render("en") for text in report.established)
    assert f"follows another one, {BEFORE.origin}, as of" in said
    # The same entry with an origin of March is judged by its header alone.
    (data,) = rows(followed, "SELECT data FROM entries WHERE type = 'lot.divide'")[0]
    march = bytes(data).replace(b"/2026-04/0", b"/2026-03/0")
    entry = parse_entry(march)
    with writing(followed.engine) as conn, pytest.raises(Refused, match=FOLLOWS_ANOTHER):
        since.before_division(Tx(conn=conn, log=followed.log, index=99, tick_s=AFTER_S), entry, {})
    query = "SELECT data FROM entries ORDER BY entry_index"
    every = [bytes(one) for (one,) in rows(followed, query)]
    lot_rule.scan(enumerate(every))
    with pytest.raises(Refused, match="is of before 2026-04, when accounts begin"):
        lot_rule.scan(enumerate(march if one == bytes(data) else one for one in every))


@pytest.mark.both_databases
def test_the_database_refuses_it_too(followed: House) -> None:
    connection = raw(followed)
    for table, column in (
        ("blocks", "start_s"),
        ("origins", "month_start_s"),
        ("unit_batches", "start_s"),
        ("retirements", "start_s"),
        ("reductions", "start_s"),
    ):
        insert = f"INSERT INTO {table} (log_id, {column}) VALUES (1, ?)"
        with pytest.raises(Exception, match="takes nothing of times before its accounts begin"):
            connection.execute(insert, APRIL.start_s - 1)
        # Of April it is another rule that such a row breaks.
        with pytest.raises(Exception, match=r"(?i)not.null|revision|imported|once"):
            connection.execute(insert, APRIL.start_s)
    connection.close()


def test_it_comes_back_from_a_backup(followed: House, tmp_path: Path) -> None:
    backup(followed, tmp_path / "backup", no_progress)
    place = empty_place(tmp_path / "place", None, followed)
    restore(settings_in(place), tmp_path / "backup", no_progress)
    assert kept_rows(place)["successions"] == kept_rows(followed.settings.dir)["successions"]
    house = open_house(place, Clock(now_s=AFTER_S))
    with pytest.raises(Refused, match=FOLLOWS_ANOTHER):
        read_at(house, "roof", MARCH.start_s)
    close(house)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"since": "2026-03"}, "2026-04 at the earliest"),
        ({"since": "2026-13"}, "not a month"),
        ({"size": 0}, "an integer from 1"),
        ({"origin": "park.example/other"}, "it should be 'park.example/other'"),
        ({"origin": ORIGIN}, "does not follow itself"),
    ],
)
def test_a_succession_that_is_none(begun: House, changes: dict[str, Any], said: str) -> None:
    entry = _statement(**changes)
    found = parse_entry(signed(entry, operator_key(begun)))
    with writing(begun.engine) as conn, pytest.raises((Refused, InvalidInput), match=said):
        _judge(conn, begun, found)


def _judge(conn: Connection, house: House, entry: Entry) -> None:
    """As its placing would, were it the second entry."""
    type_ = house.desk.types.by_name["log.succeed"]
    type_.check_statement(entry)
    tx = Tx(conn=conn, log=house.log, index=1, tick_s=BEGUN_S)
    type_.signers(tx, entry)
    type_.accept(tx, entry, {})


def _statement(**changes: Any) -> dict[str, Any]:
    members = {
        "origin": BEFORE.origin,
        "log_vkey": BEFORE.log_vkey,
        "size": BEFORE.size,
        "root": BEFORE.root.hex(),
        "since": "2026-04",
    }
    return statement("log.succeed", "operator", BEGUN_S, **{**members, **changes})


def test_it_is_the_second_entry_or_none(begun: House) -> None:
    """Nobody makes an old log one that follows another, and forgets what it had used."""
    late = _statement(since="2027-01") | {"at": "2026-03-01T00:00:00Z"}
    with pytest.raises(Refused, match="succeed is entry 1 only"):
        begun.desk.writer.append(Submission(data=signed(late, operator_key(begun))))


@pytest.mark.parametrize(
    ("begins", "month"),
    [
        ("2026-03-31T15:54:59Z", "2026-04"),
        ("2026-03-31T15:55:00Z", "2026-04"),
        ("2026-03-31T15:55:01Z", "2026-05"),
        ("2026-12-02T00:00:00Z", "2027-01"),
        ("2026-02-28T16:00:00Z", "2026-04"),
    ],
)
def test_the_month_that_accounts_begin_with(begins: str, month: str) -> None:
    """Park time is +08:00; 300 s lie between."""
    assert first_month(parse_instant(begins), 8 * 3600) == month


# The verifier


def forged(change: Callable[[forge.Log], object], **members: Any) -> forge.Log:
    log = forge.Log()
    log.genesis()
    said = {
        "origin": BEFORE.origin,
        "log_vkey": BEFORE.log_vkey,
        "size": 7,
        "root": "ab" * 32,
        "since": "2099-01",
    }
    log.add(log.statement("log.succeed", "operator", **(said | members)), forge.OPERATOR)
    change(log)
    return log


def again(log: forge.Log) -> None:
    log.tick()
    entry = json.loads(log.entries[1].split(b"\n")[0])
    log.add(entry | {"id": "ab" * 16}, forge.OPERATOR)


def nothing(_log: forge.Log) -> None:
    """As it is."""


@pytest.mark.parametrize(
    ("members", "change", "said"),
    [
        ({}, again, "log.succeed is entry 1 and only that"),
        ({"since": "2025-12"}, nothing, "would begin before the log does"),
        ({"since": "2099"}, nothing, "not a month such as"),
        ({"origin": forge.ORIGIN}, nothing, "does not follow itself"),
        ({"origin": "park.example/else"}, nothing, "not park.example/else"),
        ({"size": 0}, nothing, "size"),
    ],
)
def test_the_verifier_refuses(
    tmp_path: Path, members: dict[str, Any], change: Callable[[forge.Log], object], said: str
) -> None:
    trust = trust_of([forge.LOG.vkey])
    assert verify_log(forged(nothing).export(tmp_path / "good"), trust, Report()).state is not None
    with pytest.raises(VerificationError, match=said):
        verify_log(forged(change, **members).export(tmp_path / "bad"), trust, Report())


def test_the_fast_scan_refuses_a_month_before() -> None:
    def entry(kind: str, **members: Any) -> Any:
        text = json.dumps(forge.Log().statement(kind, "operator", **members)) + "\n"
        return parse(forge.note(text.encode(), forge.OPERATOR))

    body = {"root": "cd" * 32, "size": 2, "media": "application/vnd.greenledger.division"}
    divide = {"run": "ab" * 32, "spends": [], "creates": ["ef" * 16], "body": body}
    succession = json.loads(forged(nothing).entries[1].split(b"\n")[0])
    own = {name: succession[name] for name in ("origin", "log_vkey", "size", "root", "since")}
    books = Books(operator="operator")
    books.take(entry("log.succeed", **own), 1)
    assert books.follows == BEFORE.origin
    books.take(entry("lot.divide", **divide, origins=[f"{'11' * 16}/2099-01/0"]), 2)
    with pytest.raises(VerificationError, match="succeed is entry 1 and only that"):
        Books(operator="operator").take(entry("log.succeed", **own), 2)
    with pytest.raises(VerificationError, match="is of before 2099-01"):
        books.take(
            entry("lot.divide", **divide, origins=[f"{'22' * 16}/2098-12/0"]),
            3,
        )


# Beginning anew


def test_a_new_origin_after_a_bad_day(begun: House, tmp_path: Path) -> None:
    """The entries after the backup are lost for good, but what was signed of them is known."""
    settle(begun)
    backup(begun, tmp_path / "backup", no_progress)
    meter(begun, 0)
    publish(begun, tmp_path / "tiles")
    note = (tmp_path / "tiles/checkpoint").read_bytes()
    place = empty_place(tmp_path / "place", None)
    shutil.copytree(begun.settings.high_water, place / "high-water")
    with pytest.raises(Unavailable):
        restore(settings_in(place), tmp_path / "backup", no_progress, Sources(log_only=True))
    with pytest.raises(Refused, match="a name of its own"):
        succeed(settings_in(place), tmp_path / "backup", begun.log.origin, Sources())
    found = succeed(
        settings_in(place), tmp_path / "backup", "park.example/2026b", Sources(), clock_s=Clock()
    )
    size = int(note.split(b"\n")[1])
    assert found.follows.size == size
    assert found.follows.log_vkey == begun.log.log_key.vkey
    assert found.parties == ("mill",)
    assert found.house.log.operator == begun.log.operator
    kinds = [row[0] for row in rows(found.house, "SELECT type FROM entries ORDER BY entry_index")]
    assert kinds == ["log.genesis", "log.succeed"]
    settle(found.house)
    with pytest.raises(Refused, match="follows another one"):
        meter(found.house, 0)
    found.house.audit(no_progress)
    close(found.house)


def test_what_others_have_seen_is_named(begun: House, tmp_path: Path) -> None:
    """On a new machine, without the high-water record: from where it was published, or a pin."""
    backup(begun, tmp_path / "backup", no_progress)
    settle(begun)
    publish(begun, tmp_path / "tiles")
    pin = tmp_path / "pin"
    shutil.copy(tmp_path / "tiles/checkpoint", pin)
    size = int(pin.read_bytes().split(b"\n")[1])
    tiles = str(tmp_path / "tiles")
    for number, sources in enumerate((Sources(tiles=tiles), Sources(pins=[pin]))):
        settings = settings_in(empty_place(tmp_path / f"place{number}", None))
        there = settings.model_copy(update={"publish_dir": tmp_path / "tiles"})
        with pytest.raises(Refused, match="is where the old log is published"):
            succeed(there, tmp_path / "backup", f"park.example/{number}", sources)
        found = succeed(settings, tmp_path / "backup", f"park.example/{number}", sources)
        assert found.follows.size == size
        close(found.house)
    other = open_house(copy_ledger(begun.settings.dir, tmp_path / "other"))
    other.desk.register_party("ring", "Ring", ["enterprise"])
    publish(other, tmp_path / "fork")
    close(other)
    begun.desk.register_party("mine", "Mine", ["enterprise"])
    publish(begun, tmp_path / "mine")
    forked = Sources(tiles=str(tmp_path / "fork"), pins=[tmp_path / "mine/checkpoint"])
    with pytest.raises(Corrupt, match="both signed: two histories"):
        succeed(settings_in(tmp_path / "nowhere"), tmp_path / "backup", "park.example/x", forked)
    none = Sources(pins=[tmp_path / "no-pin"])
    with pytest.raises(NotFound, match="no file"):
        succeed(settings_in(tmp_path / "nowhere"), tmp_path / "backup", "park.example/x", none)
    assert not (tmp_path / "nowhere").exists()
