"""`certificate …` and `credit …` as people type them, in both forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ledger.log.checkpoint import parse_tlog_proof
from ledger.log.merkle import leaf_hash
from ledger.log.notes import write_skey
from tests.cli.conftest import Run
from tests.cli.test_commands import answer
from tests.cli.units import JANUARY, SHOP, USE, held, park, size, units_template

__all__ = ["park", "units_template"]


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
