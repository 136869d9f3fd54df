"""`scheme …` and `project …` as people type them."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.test_commands import answer
from tests.cli.units import held, park, units_template

__all__ = ["park", "units_template"]


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
        ("name = ", "not a TOML file"),
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
