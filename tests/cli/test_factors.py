"""`factor …` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_commands import answer

OWN = """
source = "Own measurement"
status = "unverified"
title = { zh = "自有因子", en = "Own factors" }
[[groups]]
item = "electricity-average"
region = "44"
unit = "kg/kWh"
gas = "CO2"
by_year = { 2026 = "0.4", 2025 = "0.5" }
"""


@pytest.fixture
def begun(run: Run, tmp_path: Path) -> Path:
    assert run("init", "--origin", "park.example/tests", "--name", "Test park").code == 0
    return tmp_path


def test_sets_are_published_and_show_their_sources(run: Run, begun: Path) -> None:
    assert "No set is in force yet" in run("factor", "list").out
    known = {one["set"]: one["here"] for one in answer(run, "factor", "shipped")["sets"]}
    assert set(known.values()) == {"not yet"}
    assert {"cn-electricity", "cn-fuels", "gwp", "tce"} <= set(known)
    assert answer(run, "factor", "publish", "gwp")["version"] == 1
    assert set(answer(run, "factor", "publish-shipped")["sets"]) == {*known} - {"gwp"}
    assert "All of them were put here before" in run("factor", "publish-shipped").out
    again = answer(run, "factor", "publish", "gwp")
    assert (again["repeated"], again["version"]) == (1, 1)
    assert "in force" in run("factor", "shipped").out
    listed = run("factor", "list", "--region", "440100", "--year", "2023", "--item", "electricity")
    assert "44·广东" in listed.out
    assert "Official, 1 factor: MEE/NBS 公告2025年第47号, table 3." in listed.out
    assert "Unverified, 3 factors: Said to be of the same announcement" in listed.out
    found = answer(run, "factor", "find", "heat", "--region", "44", "--year", "2026")["factors"]
    assert [(one["value"], one["set"], one["status"]) for one in found] == [
        ("0.11", "cn-heat", "secondary")
    ]
    assert "heat, CN, undated is secondary" in run("factor", "find", "heat", "--region", "44").out
    both = run("factor", "find", "gwp-n2o")
    assert (both.code, "name one of 'AR5', 'AR6'" in both.err) == (2, True)


def test_what_there_is_not_is_refused_with_the_substitution_to_state(run: Run, begun: Path) -> None:
    run("factor", "publish", "cn-electricity")
    asked = ("factor", "find", "electricity-fossil", "--region", "CN", "--year", "2018")
    missing = run(*asked)
    assert missing.code == 2
    stated = json.loads(missing.err[missing.err.index("{") :])
    stated["reason"] = "Test park of 2018"
    done = run(*asked, "--substitution", json.dumps(stated))
    assert "electricity-fossil, CN, 2021 stands in for CN, 2018: Test park of 2018" in done.out
    assert run(*asked, "--substitution", "{").code == 2


def test_own_sets_come_from_files_and_versions_are_compared(run: Run, begun: Path) -> None:
    (begun / "own.toml").write_text(OWN)
    first = run("factor", "publish", str(begun / "own.toml"))
    assert "Published set own, version 1, 2 factors, by entry" in first.out
    (begun / "own.toml").write_text(OWN.replace('"0.4"', '"0.45"'))
    second = answer(run, "factor", "publish", str(begun / "own.toml"))
    assert (second["version"], second["reports"]) == (2, [])
    (change,) = second["changes"]
    assert change["members"] == {"value": {"before": "0.4", "after": "0.45"}}
    table = begun / "own.csv"
    table.write_text(
        "item,region,year,unit,gas,value\nelectricity-average,44,2026,kg/kWh,CO2,0.45\n"
    )
    third = run("factor", "publish", str(table), "--name", "own")
    assert "electricity-average, 44, 2025, CO2 gone" in " ".join(third.out.split())
    assert answer(run, "factor", "diff", "own", "--from", "1", "--to", "2")["changes"] == [change]
    shown = answer(run, "factor", "show", "own")
    assert [one["version"] for one in shown["versions"]] == [1, 2, 3]
    assert "自有因子 – Own factors" in run("factor", "show", "own").out
    run("party", "add", "mill", "--name", "Mill", "--role", "enterprise")
    run("factor", "publish", str(begun / "own.toml"), "--name", "mills", "--author", "mill")
    assert "asked where --set names them: mills (of mill)" in run("factor", "list").out
    for words, code, said in (
        (("publish", str(table), "--name", "new"), 2, "say with --source where"),
        (("publish", "nowhere.toml"), 4, "neither a file nor a set that came with the program"),
        (("show", "gold"), 4, "no set of factors 'gold'"),
        (("list", "--set", "gold"), 2, "no set of factors 'gold' is in force"),
        (("diff", "own", "--to", "9"), 4, "has versions 1 to 3, not 9"),
    ):
        done = run("factor", *words)
        assert (done.code, said in done.err) == (code, True), done.err


def test_an_hourly_series_becomes_part_of_a_set(run: Run, begun: Path) -> None:
    file = begun / "grid.csv"
    file.write_text("time,kg\n" + "".join(f"2026-01-01 {h:02}:00,0.{h + 100}\n" for h in range(24)))
    words = ("factor", "series", str(file), "--set", "grid", "--region", "44", "--source", "Centre")
    done = run(*words, "--title", "Hourly")
    assert "to 2026-01-01T16:00:00Z: 24 values." in done.out
    assert "Published set grid, version 1, 1 series" in done.out
    (listed,) = answer(run, "factor", "list")["series"]
    assert (listed["start"], listed["count"], listed["decimals"]) == ("2025-12-31T16:00:00Z", 24, 3)
    file.write_text(file.read_text().replace("0.110", "0.9"))
    again = answer(run, *words)
    assert [(one["how"], one["intervals"]) for one in again["changes"]] == [("changed", 1)]
    assert "every 60 min, in kg/kWh, unverified, set grid: Centre" in run("factor", "list").out
