"""`certificate …` and `credit …` as people type them: in both forms, and every kind of refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.log.checkpoint import parse_tlog_proof
from ledger.log.merkle import leaf_hash
from ledger.log.notes import write_skey
from ledger.registry import service
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import NewBatch, Share
from ledger.units import Period, parse_instant
from tests.cli.conftest import Run
from tests.cli.test_commands import answer
from tests.ledgers import NOW_S, Clock, begin, copy_ledger, held_key, introduce

SHOP = held_key("shop")
JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")
USE = ("--beneficiary", "mill", "--purpose", "green-power", *JANUARY)


def month(start: str, end: str) -> Period:
    """Park time is UTC+8: a month begins eight hours early."""
    return Period(start_s=parse_instant(start), end_s=parse_instant(end))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 certificates of farm, 100 of mill's of December; 5 of mill's, valid until 2026; 500 t
    of farm's. Shop holds its own key."""
    folder = tmp_path_factory.mktemp("units") / "ledger"
    clock = Clock(parse_instant("2025-06-01T00:00:00Z"))
    house = begin(folder, clock)
    desk = house.desk
    for party in ("farm", "mill", "shop"):
        desk.register_party(party, f"{party} Ltd", ["enterprise"])
    for party in ("farm", "mill"):
        desk.create_key(party)
    introduce(house, "shop", SHOP)
    for scheme in ("gec", "ccer"):
        service.register_scheme(desk, shipped(scheme))
    wind = Project(name="Hill wind farm", owner="farm", plant="hill", technology="wind")
    service.register_project(desk, "gec", "P-1", wind)
    old = month("2023-12-31T16:00:00Z", "2024-01-31T16:00:00Z")
    take_in(desk, "gec", "OLD", old, "ordinary", "mill", 5)
    clock.now_s = NOW_S
    january = month("2025-12-31T16:00:00Z", "2026-01-31T16:00:00Z")
    december = month("2025-11-30T16:00:00Z", "2025-12-31T16:00:00Z")
    take_in(desk, "gec", "GEC-01", january, "ordinary", "farm", 1000, "P-1")
    take_in(desk, "gec", "GEC-12", december, "self-use", "mill", 100)
    year = month("2024-12-31T16:00:00Z", "2025-12-31T16:00:00Z")
    take_in(desk, "ccer", "CCER-", year, "other", "farm", 500)
    house.checkpoint()
    house.engine.dispose()
    return folder


def take_in(
    desk: Any, scheme: str, code: str, period: Period, class_: str, owner: str, count: int,
    project: str = "",
) -> None:  # fmt: skip
    units = SerialRange(first=0, end=count)
    share = Share(class_=class_, owner=owner, units=units)
    batch = NewBatch(code=code, units=units, period=period, shares=(share,), project=project)
    service.issue(desk, scheme, [batch])


@pytest.fixture
def park(run: Run, template: Path, tmp_path: Path) -> Path:
    copy_ledger(template, tmp_path / "ledger")
    return tmp_path


def size(run: Run) -> int:
    return int(answer(run, "status")["log_size"])


def held(run: Run, owner: str, group: str = "certificate") -> dict[str, int]:
    """{state: units} of an owner."""
    found: dict[str, int] = {}
    for one in answer(run, group, "list", "--owner", owner)["sums"]:
        found[one["state"]] = found.get(one["state"], 0) + one["units"]
    return found


def retire(run: Run, *words: str) -> dict[str, Any]:
    return answer(run, "certificate", "retire", "--owner", "farm", *USE, *words)


def test_what_is_held_is_told_in_sums_and_ranges(run: Run, park: Path) -> None:
    done = run("certificate", "list")
    assert done.code == 0
    assert "Green electricity certificate" in done.out
    (row,) = (line.split() for line in done.out.splitlines() if "GEC-01/0" in line)
    assert row == ["farm", "ordinary", "active", "GEC-01/0", "0-1000", *["1,000", "2026-01"],
                   "2028-01-01"]  # fmt: skip
    assert "1,000 MWh" in done.out
    assert "5 certificates (5 MWh) of gec are valid no more: greenledger certificate expire" in (
        done.err
    )
    found = answer(run, "certificate", "list", "--class", "self-use")
    (holding,) = found["holdings"]
    assert (holding["owner"], holding["batch"], holding["units"], holding["expires"]) == (
        "mill",
        "gec/GEC-12/0",
        100,
        "2027-11-30T16:00:00Z",
    )
    assert "500 t" in run("credit", "list").out


def test_a_transfer_moves_the_named_units(run: Run, park: Path) -> None:
    words = ("certificate", "transfer", "--owner", "farm", "--to", "mill")
    done = run(*words, "GEC-01:100-300", "--note", "for January")
    assert done.code == 0
    assert "Handed over 200 certificates (200 MWh) from farm to mill" in done.out
    assert "GEC-01/0:100-300" in done.out
    moved = answer(run, *words, "--count", "7", "--class", "ordinary")
    assert (moved["units"], moved["amount"], moved["serials"]) == (7, "7 MWh", ["GEC-01/0:0-7"])
    assert held(run, "farm") == {"active": 793}
    assert held(run, "mill") == {"active": 5 + 100 + 200 + 7}


def test_credits_are_moved_by_the_same_words_in_tonnes(run: Run, park: Path) -> None:
    words = ("credit", "transfer", "--owner", "farm", "--to", "mill", "--count", "30")
    assert "Handed over 30 t from farm to mill" in run(*words).out
    use = ("--beneficiary", "mill", "--purpose", "voluntary", *JANUARY)
    gone = answer(run, "credit", "retire", "--owner", "mill", *use, "CCER-7")
    assert (gone["units"], gone["amount"], gone["serials"]) == (1, "1 t", ["CCER-/0:7-8"])
    assert held(run, "mill", "credit") == {"active": 29}


def test_states_come_and_go(run: Run, park: Path) -> None:
    def act(name: str, *words: str) -> dict[str, Any]:
        return answer(run, "certificate", name, *words, "--reason", "why")

    assert act("reserve", "--owner", "farm", "--count", "30")["units"] == 30
    assert act("lock", "--owner", "farm", "GEC-01:100-110")["serials"] == ["GEC-01/0:100-110"]
    assert act("freeze", "GEC-01:200-205")["units"] == 5
    assert held(run, "farm") == {"active": 955, "reserved": 30, "locked": 10, "frozen": 5}
    frozen = answer(run, "certificate", "list", "--state", "frozen")["holdings"]
    assert [(one["first"], one["end"]) for one in frozen] == [(200, 205)]
    act("release", "--owner", "farm", "GEC-01:200-203")
    act("release", "--owner", "farm", "GEC-01:0-30")
    assert held(run, "farm") == {"active": 988, "locked": 10, "frozen": 2}
    done = run("certificate", "reserve", "--owner", "farm", "--count", "1", "--reason", "x")
    assert "Reserved: 1 certificate (1 MWh)" in done.out


def test_holdings_are_cut_and_joined(run: Run, park: Path) -> None:
    cut = run("certificate", "split", "--owner", "farm", "GEC-01:400-500")
    assert "Split into 3 holdings of 1,000 certificates (1,000 MWh) in all" in cut.out
    joined = answer(run, "certificate", "merge", "--owner", "farm")
    assert (joined["units"], joined["serials"]) == (1000, ["GEC-01/0:0-1000"])
    again = run("certificate", "merge", "--owner", "farm")
    assert (again.code, "no two of these holdings adjoin" in again.err) == (4, True)


def test_units_leave_for_good_and_say_why(run: Run, park: Path) -> None:
    def leave(act: str, *words: str) -> Any:
        return run("certificate", act, "--reason", "the registry says so", *words)

    assert "Exported: 3 certificates" in leave("export", "--owner", "farm", "--count", "3").out
    assert "Withdrawn: 2 certificates" in leave("withdraw", "GEC-01:10-12").out
    assert "Cancelled: 4 certificates" in leave("cancel", "--owner", "mill", "GEC-12:0-4").out
    assert "Expired: 5 certificates (5 MWh): OLD/0:0-5" in run("certificate", "expire").out
    assert "Nothing is due" in run("certificate", "expire").out
    assert answer(run, "credit", "expire") == {"expired": []}
    retire(run, "GEC-01:20-30")
    gone = answer(run, "certificate", "list", "--gone")["gone"]
    assert {one["act"]: one["units"] for one in gone} == {
        "export": 3,
        "withdraw": 2,
        "cancel": 4,
        "expire": 5,
        "retire": 10,
    }
    said = run("certificate", "list", "--gone", "--owner", "farm").out
    assert "mill: green-power, 2026-01" in said
    assert "15 certificates (15 MWh) are gone" in said
    (gec,) = (one for one in answer(run, "status")["schemes"] if one["scheme"] == "gec")
    assert (gec["imported"], gec["held"], gec["retired"]) == (1105, 1081, 10)
    assert "1,081 certificates (1,081 MWh) held, 10 retired, 14 gone otherwise" in run("status").out


REFUSED: dict[str, tuple[list[str], int, str]] = {
    "not the owner": (
        ["transfer", "--owner", "mill", "--to", "shop", "GEC-01:0-10"],
        4,
        "mill holds no unit GEC-01:0-10 of scheme gec",
    ),
    "more than there are": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1001"],
        3,
        "1000 such units",
    ),
    "a fraction": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1.5"],
        2,
        "valid integer",
    ),
    "none at all": (["transfer", "--owner", "farm", "--to", "mill", "--count", "0"], 2, "are none"),
    "nothing named": (["transfer", "--owner", "farm", "--to", "mill"], 2, "say how many"),
    "no range": (["transfer", "--owner", "farm", "--to", "mill", "GEC-01:9-3"], 2, "no range"),
    "no serial": (["transfer", "--owner", "farm", "--to", "mill", "GEC 01"], 2, "not of the form"),
    "unknown class": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1", "--class", "gold"],
        2,
        "has no class 'gold'; it has green-trade",
    ),
    "to nobody": (["transfer", "--owner", "farm", "--to", "nobody", "--count", "1"], 3, "nobody"),
    "key elsewhere": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1", "--key", "no.key"],
        4,
        "no file no.key",
    ),
    "expired": (["retire", "--owner", "mill", *USE, "OLD:0-5"], 3, "valid no more"),
    "another year": (["retire", "--owner", "mill", *USE, "GEC-12:0-5"], 3, "same calendar year"),
    "no such purpose": (
        [
            "retire",
            "--owner",
            "farm",
            "--beneficiary",
            "farm",
            "--purpose",
            "show",
            *JANUARY,
            "--count",
            "1",
        ],
        2,
        "member 'purpose' is 'show', not one of consumption-obligation",
    ),
    "obligation of green power": (
        ["retire", "--owner", "farm", *USE, "--count", "1", "--obligation", "9"],
        2,
        "an obligation stands exactly with",
    ),
    "wrong way round": (
        [
            "retire",
            "--owner",
            "farm",
            "--beneficiary",
            "farm",
            "--purpose",
            "green-power",
            "--from",
            "2026-02-01",
            "--to",
            "2026-01-01",
            "--count",
            "1",
        ],
        2,
        "is not after --from",
    ),
    "whose to reserve": (
        ["reserve", "--reason", "x", "GEC-01:0-5"],
        2,
        "say whose units to reserve: --owner PARTY",
    ),
    "which to freeze": (["freeze", "--reason", "x", "--count", "5"], 2, "or name them by serial"),
    "without a reason": (["freeze", "GEC-01:0-5"], 2, "--reason"),
    "not here": (
        ["cancel", "--reason", "x", "GEC-99:0-5"],
        4,
        "nobody holds a unit GEC-99:0-5 of scheme gec",
    ),
    "no paper": (
        [
            "issue",
            "X",
            "--quantity",
            "1",
            "--owner",
            "mill",
            "--month",
            "2026-01",
            "--class",
            "ordinary",
            "--document",
            "no.pdf",
        ],
        4,
        "no file no.pdf",
    ),
    "here already": (
        [
            "issue",
            "GEC-01",
            "--quantity",
            "5",
            "--first",
            "999",
            "--owner",
            "mill",
            "--month",
            "2026-01",
            "--class",
            "ordinary",
        ],
        3,
        "a unit exists once",
    ),
    "a month to come": (
        [
            "issue",
            "X",
            "--quantity",
            "5",
            "--owner",
            "mill",
            "--month",
            "2099-01",
            "--class",
            "ordinary",
        ],
        3,
        "is not over",
    ),
    "no month": (
        ["issue", "X", "--quantity", "5", "--owner", "mill", "--class", "ordinary"],
        2,
        "say when they were produced",
    ),
    "no calendar month": (
        [
            "issue",
            "X",
            "--quantity",
            "5",
            "--owner",
            "mill",
            "--month",
            "2026-13",
            "--class",
            "ordinary",
        ],
        2,
        "'2026-13' is no month such as 2026-01",
    ),
    "no class": (
        ["issue", "X", "--quantity", "5", "--owner", "mill", "--month", "2026-01"],
        2,
        "--quantity goes with one --class",
    ),
    "no quantity": (
        ["issue", "X", "--class", "ordinary", "--owner", "mill", "--month", "2026-01"],
        2,
        "say how many units of which class",
    ),
    "half a class": (
        ["issue", "X", "--class", "ordinary=2.5", "--owner", "mill", "--month", "2026-01"],
        2,
        "units are whole, such as ordinary=30",
    ),
    "nobody's": (
        ["issue", "X", "--class", "ordinary=2", "--month", "2026-01"],
        2,
        "say whose they are: --owner PARTY",
    ),
    "no such project": (
        ["issue", "X", "--class", "ordinary=2", "--month", "2026-01", "--project", "P-9"],
        4,
        "has no project 'P-9'; it has: P-1",
    ),
    "credits among certificates": (
        ["list", "--scheme", "ccer"],
        2,
        "scheme ccer is of kind credit: greenledger credit list --scheme ccer",
    ),
    "no such scheme": (["list", "--scheme", "gold"], 4, "scheme 'gold' is not registered"),
    "no such state": (["list", "--state", "lost"], 2, "--state 'lost' is not one of active"),
    "never here": (["trace", "GEC-01:990-1002"], 4, "only 10 were ever here"),
    "no such retirement": (["disclose", "abcd"], 4, "no retirement begins with 'abcd'"),
    "no id": (["disclose", "zz"], 2, "32 hex digits, or 4 and more"),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_is_refused_is_explained_and_changes_nothing(run: Run, park: Path, what: str) -> None:
    words, code, said = REFUSED[what]
    before = size(run)
    done = run("certificate", *words)
    assert (done.code, said in done.err) == (code, True), done
    assert "Traceback" not in done.err
    assert size(run) == before


def test_frozen_units_are_not_retired(run: Run, park: Path) -> None:
    run("certificate", "freeze", "GEC-01:5-15", "--reason", "124")
    done = run("certificate", "retire", "--owner", "farm", *USE, "GEC-01:0-10")
    assert (done.code, "are frozen; possible are those that are active" in done.err) == (3, True)


def test_a_batch_comes_in_by_hand(run: Run, park: Path) -> None:
    (park / "paper.pdf").write_text("official")
    words = ("certificate", "issue", "GEC-02", "--month", "2026-02", "--project", "P-1")
    done = run(*words, "--class", "ordinary=40", "--class", "self-use=2", "--document",
               str(park / "paper.pdf"))  # fmt: skip
    assert done.code == 0
    assert "Took in 42 certificates (42 MWh) by entry" in done.out
    assert "GEC-02/0:40-42  2 certificates (2 MWh), self-use, active, held by farm" in done.out
    assert "expire on 2028-02-01" in done.out
    more = answer(run, *words, "--class", "ordinary", "--quantity", "8", "--frozen")
    (holding,) = more["holdings"]
    assert (holding["batch"], holding["first"], holding["end"]) == ("gec/GEC-02/1", 42, 50)
    assert holding["state"] == "frozen"


def test_an_owner_signs_with_its_own_key(run: Run, park: Path) -> None:
    run("certificate", "transfer", "--owner", "farm", "--to", "shop", "--count", "9")
    give = ("certificate", "transfer", "--owner", "shop", "--to", "mill", "--count", "4")
    without = run(*give)
    assert (without.code, "the server holds no key of 'shop'" in without.err) == (4, True)
    (park / "shop.key").write_text(write_skey(SHOP) + "\n")
    assert run(*give, "--key", str(park / "shop.key")).code == 0
    assert held(run, "shop") == {"active": 5}


# A unit's life


def story(run: Run) -> str:
    """GEC-01:20: handed over, its neighbours retired, itself retired and shown."""
    run("certificate", "transfer", "--owner", "farm", "--to", "mill", "GEC-01:0-50")
    words = ("certificate", "retire", "--owner", "mill", *USE)
    run(*words, "GEC-01:0-10")
    return str(answer(run, *words, "GEC-01:15-25", "--note", "first quarter")["retirement"])


def test_a_trace_tells_a_whole_life(run: Run, park: Path) -> None:
    retirement = story(run)
    private = run("certificate", "trace", "GEC-01:20")
    assert f"Retirement {retirement[:12]} is private" in private.out
    assert run("certificate", "disclose", retirement[:8]).code == 0
    done = run("certificate", "trace", "GEC-01:20")
    for said in ("1 certificate (1 MWh)", "1,000 certificates (1,000 MWh) as 0-1000", "P-1"):
        assert said in done.out
    assert "no statement speaks of it yet" in done.out
    assert "farm → mill" in done.out
    assert "is private" not in done.out
    found = answer(run, "certificate", "trace", "GEC-01:20")
    assert [(one["act"], one["from"], one["to"], one["state"]) for one in found["steps"]] == [
        ("issue", "", "farm", "active"),
        ("transfer", "farm", "mill", "active"),
        ("kept", "mill", "mill", "active"),
        ("retire", "mill", "", ""),
        ("disclose", "mill", "", ""),
    ]
    assert [one["serial"] for one in found["steps"]] == ["gec/GEC-01/0:20-21"] * 5
    assert found["steps"][3]["terms"]["note"] == "first quarter"
    assert (found["units"], found["status"], found["official"][0]["official_status"]) == (
        1,
        "secondary",
        "",
    )
    entries = [one["entry"] for one in found["steps"]]
    assert entries == sorted(set(entries))


def test_each_step_comes_with_its_proof(run: Run, park: Path) -> None:
    story(run)
    early = run("certificate", "trace", "GEC-01:20", "--json")
    assert "have no proof, until they are under a checkpoint" in early.err
    assert [bool(one["proof"]) for one in json.loads(early.out)["steps"]] == [True] + [False] * 3
    run("checkpoint")
    done = run("certificate", "trace", "GEC-01:20", "--json")
    assert done.err == ""
    for step in json.loads(done.out)["steps"]:
        proof = parse_tlog_proof(step["proof"].encode())
        assert proof.index == step["entry"]
        assert proof.extra is not None
        assert leaf_hash(proof.extra).hex() == step["leaf"]


def test_several_units_are_traced_together(run: Run, park: Path) -> None:
    story(run)
    found = answer(run, "certificate", "trace", "GEC-01:5-30")
    retired = [one["serial"] for one in found["steps"] if one["act"] == "retire"]
    assert retired == ["gec/GEC-01/0:5-10", "gec/GEC-01/0:15-25"]
    assert "5-10" in run("certificate", "trace", "GEC-01:5-30").out
    assert answer(run, "certificate", "trace", "GEC-01")["units"] == 1000
    # A serial number in one piece, as registries print it.
    assert answer(run, "credit", "trace", "CCER-0042")["origins"][0]["first"] == 42


def test_a_retirement_is_shown_by_choice_with_a_page(run: Run, park: Path) -> None:
    retirement = story(run)
    assert answer(run, "certificate", "retirements", "--public") == {"pages": []}
    assert "No retirement is shown yet" in run("certificate", "retirements", "--public").out
    page = answer(run, "certificate", "disclose", retirement)
    assert (page["format"], page["retirement"], page["scheme_status"]) == (
        "greenledger-retirement/v1",
        retirement,
        "secondary",
    )
    assert (page["beneficiary"], page["beneficiary_name"]) == ("mill", "mill Ltd")
    assert (page["purpose"], page["units"], page["amount"]) == ("green-power", 10, "10 MWh")
    assert page["serials"] == ["GEC-01/0:15-25"]
    for part, kind in (("retired", "unit.move"), ("shown", "unit.disclose")):
        proof = parse_tlog_proof(page[part]["proof"].encode())
        assert proof.extra is not None
        assert json.loads(proof.extra.split(b"\n")[0])["type"] == kind
    # Notes stay private.
    assert "first quarter" not in json.dumps(page)
    before = size(run)
    again = run("certificate", "disclose", retirement)
    assert (again.code, "Everybody sees already, by entry" in again.out) == (0, True)
    assert size(run) == before
    assert answer(run, "certificate", "retirements", "--public") == {"pages": [page]}
    listed = answer(run, "certificate", "retirements", "--beneficiary", "mill")["retirements"]
    assert [(one["units"], one["shown_by"] is not None) for one in listed] == [
        (10, False),
        (10, True),
    ]
    assert retirement[:12] in run("certificate", "retirements").out


def test_of_a_credit_only_credits_tell(run: Run, park: Path) -> None:
    retirement = story(run)
    done = run("credit", "disclose", retirement)
    assert (done.code, "greenledger certificate disclose" in done.err) == (2, True)
    assert answer(run, "credit", "retirements") == {"retirements": []}


# Schemes and projects


def test_schemes_tell_their_source_and_how_sure_it_is(run: Run, park: Path) -> None:
    done = run("scheme", "list")
    assert "irec: I-REC(E). Unverified source: General knowledge" in done.out
    found = {one["scheme"]: one for one in answer(run, "scheme", "list")["schemes"]}
    assert found["gec"]["entry"] is not None
    assert found["irec"]["entry"] is None
    assert {one["status"] for one in found.values()} <= {"official", "secondary", "unverified"}
    assert all(one["source"] for one in found.values())
    shown = run("scheme", "show", "irec").out
    assert "Not in force yet: greenledger scheme register irec" in shown
    assert "unverified" in shown
    assert answer(run, "scheme", "show", "gec")["validity_months"] == 24


def test_rules_are_replaced_from_a_file(run: Run, park: Path) -> None:
    same = answer(run, "scheme", "register", "gec")
    assert same["repeated"] is True
    own = (Path("ledger/registry/schemes/gec.toml")).read_text()
    (park / "own.toml").write_text(own.replace("validity_months = 24", "validity_months = 12"))
    done = run("scheme", "register", "gec", "--file", str(park / "own.toml"))
    assert "Replaced the rules of scheme gec" in done.out
    assert "Compare them with what holds for you" in done.out
    assert answer(run, "scheme", "show", "gec")["validity_months"] == 12
    assert "12 months" in run("scheme", "show", "gec").out
    for text, said in (
        ("name = ", "is not TOML"),
        (own.replace('kind = "certificate"', 'kind = "coin"'), "kind"),
        (own.replace("unit_size = 1_000_000", "unit_size = 1_000"), "another one is another"),
    ):
        (park / "bad.toml").write_text(text)
        bad = run("scheme", "register", "gec", "--file", str(park / "bad.toml"))
        assert (bad.code in (2, 3), said in bad.err) == (True, True), bad.err
    assert run("scheme", "register", "gec", "--file", "no.toml").code == 4
    assert run("scheme", "show", "gold").code == 4


def test_a_project_goes_on_from_what_it_was(run: Run, park: Path) -> None:
    new = ("project", "register", "ccer", "C-1", "--name", "Forest", "--owner", "farm")
    done = run(*new, "--plant", "forest")
    assert (done.code, "project C-1 is new: give --technology too" in done.err) == (2, True)
    words = (*new, "--plant", "forest", "--technology", "forestry", "--state", "announced")
    assert run(*words, "--inside-ets", "--old-generation").code == 0
    crediting = ("--from", "2025-01-01", "--to", "2035-01-01")
    next_ = answer(run, "project", "register", "ccer", "C-1", "--state", "validated", *crediting)
    assert (next_["name"], next_["inside_ets"], next_["generation"]) == ("Forest", 1, 1)
    assert next_["from"] == "2024-12-31T16:00:00Z"
    back = run("project", "register", "ccer", "C-1", "--state", "announced")
    assert (back.code, "it can't become announced" in back.err) == (3, True)
    half = run("project", "register", "ccer", "C-1", "--from", "2025-01-01")
    assert (half.code, "both --from and --to" in half.err) == (2, True)
    assert "ccer/C-1" in run("project", "list").out
    listed = answer(run, "project", "list", "--scheme", "gec")["projects"]
    assert [one["project"] for one in listed] == ["P-1"]
    assert run("project", "list", "--scheme", "gold").code == 4


def test_a_registered_reduction_project_freezes_what_was_not_traded(run: Run, park: Path) -> None:
    run("certificate", "transfer", "--owner", "farm", "--to", "mill", "GEC-01:0-100")
    words = (
        "--name",
        "Hill",
        "--owner",
        "farm",
        "--plant",
        "hill",
        "--technology",
        "offshore-wind",
    )
    done = run("project", "register", "ccer", "W-1", *words, "--from", "2026-01-01", "--to",
               "2030-01-01")  # fmt: skip
    assert done.code == 0, done.err
    assert "900 certificates (900 MWh) of plant hill are frozen with it, by entry" in done.out
    assert held(run, "farm") == {"frozen": 900}
    barred = run("project", "register", "ccer", "W-2", *words[:-1], "wind")
    assert (barred.code in (0, 3), "Traceback" in barred.err) == (True, False)
    # What was traded is live: reductions of the same energy would be a second use.
    issue = ("credit", "issue", "CW-", "--class", "other=10", "--month", "2026-01", "--project",
             "W-1")  # fmt: skip
    refused = run(*issue)
    assert (refused.code, "to be cancelled first (124号)" in refused.err) == (3, True)
    assert held(run, "farm") == {"frozen": 900}
    run("certificate", "cancel", "GEC-01:0-100", "--owner", "mill", "--reason", "124号")
    taken = answer(run, *issue)
    assert (taken["units"], taken["amount"]) == (10, "10 t")
    assert held(run, "farm") == {}
    gone = answer(run, "certificate", "list", "--gone")["gone"]
    assert {one["act"] for one in gone} == {"cancel"}
    assert answer(run, "audit")["ok"]
