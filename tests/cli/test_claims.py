"""`claim …` and `lot …` as people type them: tables, --json, bad input, nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Once, Run
from tests.cli.test_commands import PROFILE, answer

HOUR = ("--from", "2026-01-01T00:00", "--to", "2026-01-01T01:00")
YEAR = ("--from", "2026-01-01", "--to", "2027-01-01")
HEADER = "time,kWh\n"
ROOF_KWH = (40, 44, 10, 31)
# Of 30 kWh of use in each quarter-hour: what the roof covers.
CLAIMED_WH = 30_000 + 30_000 + 10_000 + 30_000


def readings(*kwh: int) -> str:
    minutes = range(0, 15 * len(kwh), 15)
    rows = zip(minutes, kwh, strict=True)
    return HEADER + "".join(f"2026-01-01T00:{at:02},{each}\n" for at, each in rows)


def take(run: Run, park: Path, point: str, text: str, *words: str) -> Any:
    (park / f"{point}.csv").write_text(text)
    words = ("--profile", str(park / "p.toml"), "--point", point, *words)
    return run("import", str(park / f"{point}.csv"), *words)


@pytest.fixture
def park(run: Run, once: Once, tmp_path: Path) -> Path:
    """An hour of a roof and a saw, matched."""

    def make() -> None:
        assert run("init", "--origin", "park.example/claims").code == 0
        for party, role in (("mill", "enterprise"), ("fish", "enterprise"), ("farm", "generator")):
            assert run("party", "add", party, "--name", party, "--role", role).code == 0
        for point, kind, owner in (
            ("saw", "consumption", "mill"),
            ("roof", "generation", "farm"),
        ):
            assert run("point", "add", point, "--kind", kind, "--owner", owner).code == 0
        (tmp_path / "p.toml").write_text(PROFILE)
        assert take(run, tmp_path, "roof", readings(*ROOF_KWH)).code == 0
        assert take(run, tmp_path, "saw", readings(30, 30, 30, 30)).code == 0
        words = ("--kind", "direct-supply", "--seller", "farm", "--source", "roof")
        assert run("contract", "add", "c", *words, "--consumer", "saw", *YEAR).code == 0
        assert "4 lots were made, in 1 entry." in run("match").out

    once(make)
    return tmp_path


@pytest.fixture
def claim(run: Run, park: Path) -> str:
    return str(answer(run, "claim", "make", "saw", *HOUR)["claim"])


def entries(run: Run) -> int:
    return int(answer(run, "status")["log_size"])


def test_before_any_claim_or_lot(run: Run) -> None:
    assert run("init", "--origin", "park.example/bare").code == 0
    assert "No claim is made yet: greenledger claim make." in run("claim", "list").out
    assert "No lot is made yet: greenledger match." in run("lot", "list").out
    assert answer(run, "claim", "list") == {"claims": []}
    assert answer(run, "lot", "list") == {"lots": []}
    assert answer(run, "claim", "flag") == {"flags": []}


def test_a_claim_is_made_listed_and_told_in_the_same_numbers(run: Run, park: Path) -> None:
    done = run("claim", "make", "saw", *HOUR)
    assert done.code == 0
    assert "100.000 kWh" in done.out
    assert "83.3333 % of 120.000 kWh consumed, 2 lots" in done.out
    (listed,) = answer(run, "claim", "list")["claims"]
    told = answer(run, "claim", "status", listed["claim"][:6])
    assert listed["claimed_wh"] == told["claimed_wh"] == CLAIMED_WH
    assert told["by_class"] == [{"class": 2, "wh": CLAIMED_WH}]
    assert (told["state"], told["short_since"], told["end_reason"]) == ("in force", None, "")
    assert len(told["lots"]) == 2
    assert f"greenledger claim evidence {listed['claim'][:12]} --out" in done.out
    assert "in force" in run("claim", "status", listed["claim"]).out


def test_what_is_estimated_of_the_consumption_is_said(run: Run, park: Path) -> None:
    done = run("claim", "make", "saw", "--from", "2026-01-01", "--to", "2026-01-01T02:00")
    assert "of 240.000 kWh consumed (of it estimated 120.000 kWh), 2 lots" in done.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("saw", "--from", "2026-02-01", "--to", "2026-03-01"), 4, "no lot of saw in this period"),
        (("pond", *HOUR), 4, "no lot of pond in this period; lots are made by: greenledger match"),
        (("roof", *HOUR), 3, "point 'roof' is of kind generation: consumers claim"),
        (("saw", "roof", *HOUR), 3, "point 'roof' is of kind generation"),
        (("saw", "pond", *HOUR), 3, "'pond' belongs to 'fish': 'mill' can't claim"),
        (("well", *HOUR), 4, "no point 'well' is registered; see: greenledger point list"),
        (("saw", "--from", "2026-01-02", "--to", "2026-01-01"), 2, "is not after --from"),
        (("saw", "--from", "2026-02-30", "--to", "2026-03-01"), 2, "'2026-02-30' is no date"),
        (("saw", "--from", "2026-01", "--to", "2026-02"), 2, "'2026-01' is no date"),
        (("saw", "--from", "2026-01-01T00:15", "--to", "2026-01-02"), 3, "lots are claimed whole"),
        (("saw", *HOUR, "--key", "none.key"), 4, "no file none.key"),
        (("saw", "--from", "2026-01-01"), 2, "Missing option '--to'"),
    ],
)
def test_what_can_not_be_claimed_leaves_nothing(
    run: Run, park: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    assert run("point", "add", "pond", "--kind", "consumption", "--owner", "fish").code == 0
    before = entries(run)
    done = run("claim", "make", *words)
    assert done.code == code
    assert said in done.err
    assert entries(run) == before
    assert answer(run, "claim", "list") == {"claims": []}


def test_a_kwh_is_claimed_once_also_if_named_twice(run: Run, park: Path) -> None:
    first = answer(run, "claim", "make", "saw", "saw", *HOUR)
    assert first["claimed_wh"] == CLAIMED_WH
    again = run("claim", "make", "saw", *YEAR)
    assert again.code == 3
    assert f"the energy of saw in this period was claimed before, by claim {first['claim']}" in (
        again.err
    )


@pytest.mark.parametrize("command", ["status", "trace", "withdraw", "replace", "evidence"])
def test_a_claim_is_found_by_its_beginning_or_not_at_all(
    run: Run, park: Path, claim: str, command: str
) -> None:
    more = {
        "withdraw": ("--reason", "x"),
        "replace": ("--reason", "x"),
        "evidence": ("--out", str(park / "new.json")),
    }.get(command, ())
    for wrong, code, said in (
        ("abc", 2, "too short for a claim: give 4 digits or more"),
        ("zzzz", 4, "no claim begins with 'zzzz'; see: greenledger claim list"),
        (claim + "00", 4, "no claim begins with"),
    ):
        done = run("claim", command, wrong, *more)
        assert (done.code, said in done.err) == (code, True), done.err
    assert not (park / "new.json").exists()
    assert run("claim", command, claim[:8].upper(), *more).code == 0


def test_a_trace_tells_contract_and_readings(run: Run, park: Path, claim: str) -> None:
    found = answer(run, "claim", "trace", claim, "--at", "2026-01-01T00:30")
    assert [(one["side"], one["point"], one["wh"]) for one in found["cells"]] == [
        ("supply", "roof", 10_000),
        ("cover", "saw", 10_000),
    ]
    assert found["cells"][0]["contracts"] == {"c": 10_000}
    assert [one["value_wh"] for one in found["cells"][1]["readings"]] == [30_000]
    first = run("claim", "trace", claim)
    assert first.code == 0
    assert "quarter-hour 2026-01-01 00:00" in first.out
    off = run("claim", "trace", claim, "--at", "2026-01-01T00:10")
    assert (off.code, "is no start of a quarter-hour" in off.err) == (2, True)
    outside = run("claim", "trace", claim, "--at", "2026-01-01T01:00")
    # In park time, as it was asked.
    assert (outside.code, "quarter-hour at 2026-01-01T01:00" in outside.err) == (4, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--level", "all"), 2, "--level 'all': it is one of total, sampled, full"),
        (("--seed", "00" * 32), 2, "--seed belongs to --level sampled"),
        (("--samples", "3"), 2, "--samples belongs to --level sampled"),
        (("--level", "sampled", "--seed", "abcd"), 2, "--seed is 64 hex digits; 'abcd' has 4"),
        (("--level", "sampled", "--seed", "xy" * 32), 2, "--seed is 64 hex digits"),
        (("--level", "sampled", "--seed", "0 " * 32), 2, "--seed is 64 hex digits"),
        (("--level", "sampled", "--samples", "0"), 2, "samples are 1 to 10000, not 0"),
    ],
)
def test_evidence_that_makes_no_sense_is_not_begun(
    run: Run, park: Path, claim: str, words: tuple[str, ...], code: int, said: str
) -> None:
    done = run("claim", "evidence", claim, "--out", str(park / "e.json"), *words)
    assert (done.code, said in done.err) == (code, True), done.err
    assert not (park / "e.json").exists()


def test_evidence_is_never_written_over_a_file(run: Run, park: Path, claim: str) -> None:
    (park / "mine.json").write_text("mine")
    done = run("claim", "evidence", claim, "--out", str(park / "mine.json"))
    assert (done.code, "exists; give a new file" in done.err) == (2, True)
    assert (park / "mine.json").read_text() == "mine"
    done = run("claim", "evidence", claim, "--out", str(park / "no" / "e.json"))
    assert (done.code, "is no folder" in done.err) == (2, True)


def test_evidence_says_how_it_is_verified_and_whose_seed_it_is(
    run: Run, park: Path, claim: str
) -> None:
    file = park / "e.json"
    done = run("claim", "evidence", claim, "--out", str(file))
    vkey = answer(run, "status")["vkey"]
    assert f"greenledger-verify evidence {file} --log TILES --vkey '{vkey}'" in done.out
    assert done.err == ""
    drawn = run("claim", "evidence", claim, "--out", str(park / "d.json"), "--level", "sampled")
    assert "the seed was drawn here" in drawn.err
    words = ("--level", "sampled", "--seed", "Ab" * 32, "--samples", "2")
    named = answer(run, "claim", "evidence", claim, "--out", str(park / "n.json"), *words)
    assert (named["seed"], named["samples"], named["level"]) == ("ab" * 32, 2, "sampled")
    assert named["bytes"] == (park / "n.json").stat().st_size


def test_a_correction_leaves_it_short_and_a_new_claim_puts_it_right(
    run: Run, park: Path, claim: str
) -> None:
    corrected = take(run, park, "roof", readings(20, 44, 10, 31), "--correct", "CT ratio")
    assert corrected.code == 0
    assert f"claim {claim} claims more than the meters say now" in corrected.err
    assert f"replace (or withdraw) {claim[:12]} --reason" in corrected.err
    assert "No flag is owed" in run("claim", "flag").out
    told = answer(run, "claim", "status", claim)
    assert told["state"] == "short"
    assert "short since entry" in run("claim", "list").out
    stale = run("claim", "evidence", claim, "--out", str(park / "stale.json"))
    assert (stale.code, "a verifier who has the log will say so" in stale.err) == (0, True)
    made = answer(run, "claim", "replace", claim, "--reason", "CT ratio corrected")
    assert made["claimed_wh"] == CLAIMED_WH - 10_000
    said = run("claim", "status", made["claim"]).out
    assert claim in said
    assert "CT ratio corrected" in said
    old = answer(run, "claim", "status", claim)
    assert (old["state"], old["ended_by"]) == ("replaced", made["entry"])
    for command in ("replace", "withdraw"):
        done = run("claim", command, claim, "--reason", "again")
        assert (done.code, "is in force no more: replaced by entry" in done.err) == (3, True)


def test_what_is_withdrawn_stays_spent(run: Run, park: Path, claim: str) -> None:
    before = entries(run)
    assert run("claim", "withdraw", claim, "--reason", "").code == 2
    assert run("claim", "withdraw", claim).code == 2
    assert entries(run) == before
    ended = answer(run, "claim", "withdraw", claim, "--reason", "given up")
    told = answer(run, "claim", "status", claim)
    assert (told["state"], told["ended_by"]) == ("withdrawn", ended["entry"])
    assert told["end_reason"] == "given up"
    assert "given up" in run("claim", "status", claim).out
    again = run("claim", "make", "saw", *HOUR)
    assert (again.code, "withdrawn: its lots stay spent" in again.err) == (3, True)


def test_matching_again_makes_no_lot_and_the_rows_add_up(run: Run, park: Path) -> None:
    done = run("match")
    assert "No new lot was made." in done.out
    (row,) = (line for line in done.out.splitlines() if line.startswith("saw"))
    # Consumption, lots of earlier runs, direct supply now, residual.
    assert " ".join(row.split()) == "saw 120.000 kWh 100.000 kWh 0 Wh 20.000 kWh"
    assert answer(run, "match")["lots"] == 0


def test_lots_are_listed_by_point_and_by_whether_they_are_spent(
    run: Run, park: Path, claim: str
) -> None:
    lots = answer(run, "lot", "list")["lots"]
    assert sum(one["wh"] for one in lots if one["point"] == "roof") == 1000 * sum(ROOF_KWH)
    assert {one["spent_by"] is None for one in lots if one["class"]} == {False}
    unspent = answer(run, "lot", "list", "--unspent", "--point", "roof")["lots"]
    assert [(one["point"], one["class"], one["wh"]) for one in unspent] == [("roof", 0, 25_000)]
    assert "left over" in run("lot", "list").out
    unknown = run("lot", "list", "--point", "well")
    assert (unknown.code, "no point 'well'" in unknown.err) == (4, True)


def test_a_form_stands_once_for_a_lot(run: Run, park: Path) -> None:
    lot = next(one["lot"] for one in answer(run, "lot", "list")["lots"] if one["class"])
    words = ("--issuer", "NEA", "--number", "7")
    for wrong, code, said in (
        ((lot[:12], "--form", "gec"), 2, "is no lot id of 32 hex digits"),
        (("ab" * 16, "--form", "gec"), 3, "was never created"),
        ((lot, "--form", "medal"), 2, "--form 'medal' is not one of gec, settlement"),
        ((lot, "--form", "gec", "--document", str(park / "no.pdf")), 4, "no file"),
    ):
        before = entries(run)
        done = run("lot", "wrap", *wrong, *words)
        assert (done.code, said in done.err) == (code, True), done.err
        assert entries(run) == before
    assert (
        "gec 7 stands for 1 lot, by entry"
        in run("lot", "wrap", lot, lot, "--form", "gec", *words).out
    )
    twice = run("lot", "wrap", lot, "--form", "gec", *words)
    assert (twice.code, "is wrapped as gec already, by entry" in twice.err) == (3, True)
    made = answer(
        run, "lot", "wrap", lot, "--form", "stamp", *words, "--document", str(park / "p.toml")
    )
    assert (made["lots"], len(made["document"])) == (1, 64)
    # Nothing is spent by it.
    spent = {one["lot"]: one["spent_by"] for one in answer(run, "lot", "list")["lots"]}
    assert spent[lot] is None
    assert json.loads(run("audit", "--json").out.splitlines()[-1])
