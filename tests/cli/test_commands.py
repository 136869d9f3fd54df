"""A ledger made by commands alone, and every kind of bad input: a clear error, nothing changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.app import WORDS, app
from ledger.cli.lazy import LazyGroup
from tests.cli.conftest import Once, Run

PROFILE = """
title = "Test"
[file]
format = "csv"
[time]
columns = ["time"]
format = "%Y-%m-%dT%H:%M"
interval = "15min"
label = "start"
zone = "park"
[value]
quantity = "energy"
unit = "kWh"
[[points]]
column = "kWh"
point = "saw"
"""
GOOD = "time,kWh\n2026-01-01T00:00,1.5\n2026-01-01T00:15,2\n2026-01-01T00:30,0.25\n"


def answer(run: Run, *words: str) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.fixture
def park(run: Run, once: Once, tmp_path: Path) -> Path:
    """A ledger with a consumer and a plant, and a profile beside it."""

    def make() -> None:
        assert run("init", "--origin", "park.example/cli").code == 0
        for party, role in (("mill", "enterprise"), ("farm", "generator")):
            assert run("party", "add", party, "--name", party, "--role", role).code == 0
        assert run("point", "add", "saw", "--kind", "consumption", "--owner", "mill").code == 0
        assert (
            run(
                "point",
                "add",
                "roof",
                "--kind",
                "generation",
                "--owner",
                "farm",
                "--region",
                "4401",
            ).code
            == 0
        )
        (tmp_path / "p.toml").write_text(PROFILE)
        (tmp_path / "good.csv").write_text(GOOD)

    once(make)
    return tmp_path


def take(run: Run, park: Path, name: str = "good.csv", *words: str) -> Any:
    return run("import", str(park / name), "--profile", str(park / "p.toml"), *words)


def test_from_nothing_to_a_verified_match(run: Run, park: Path) -> None:
    assert take(run, park).code == 0
    (park / "roof.csv").write_text(GOOD.replace("1.5", "1"))
    assert take(run, park, "roof.csv", "--point", "roof").code == 0
    words = ["--kind", "direct-supply", "--seller", "farm", "--source", "roof"]
    period = ["--from", "2026-01-01", "--to", "2027-01-01", "--region", "44"]
    assert run("contract", "add", "c", *words, "--consumer", "saw", *period).code == 0
    matched = answer(run, "match")
    assert matched["matched_wh"]["quarter_hour"] == 1000 + 2000 + 250
    assert matched["consumption_wh"] == 3750
    run("checkpoint")
    proof = answer(run, "prove", "--allocation", "saw", "--at", "2026-01-01T00:15")
    assert len(proof["proofs"]) == 1
    assert json.loads(proof["proofs"][0])["kind"] == "allocation"
    assert answer(run, "prove", "--reading", "roof", "--at", "2026-01-01")["proofs"]
    assert answer(run, "prove", "3")["proofs"][0].startswith("c2sp.org/tlog-proof@v1\n")
    consistency = json.loads(answer(run, "prove", "--consistency-from", "5")["proofs"][0])
    assert consistency["size1"] == 5
    assert answer(run, "audit")["ok"]
    listed = answer(run, "contract", "list")["contracts"]
    assert [one["name"] for one in listed] == ["c"]
    rows = answer(run, "point", "readings", "saw", "--from", "2026-01-01", "--to", "2026-01-02")
    assert [row["value"] for row in rows["readings"]] == [1500, 2000, 250]


def test_export_and_restore(run: Run, park: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(run, park)
    assert answer(run, "export", "tiles", str(park / "tiles"))["log_size"] > 5
    exported = answer(run, "export", "entries", str(park / "entries"))
    assert answer(run, "export", "parquet", str(park / "r.parquet"))["rows"] == 3
    root = answer(run, "audit")["root"]
    monkeypatch.setenv("GREENLEDGER_DIR", str(park / "restored"))
    restored = answer(run, "restore", str(park / "entries"))
    assert (restored["log_size"], restored["root"]) == (exported["log_size"], root)
    shutil.copytree(park / "ledger" / "secrets", park / "restored" / "secrets")
    assert answer(run, "audit")["root"] == root
    assert run("point", "add", "x", "--kind", "other", "--owner", "mill").code == 0


def test_an_owner_signs_with_its_own_key(run: Run, park: Path) -> None:
    key = park / "mill.key"
    made = answer(
        run, "party", "make-key", "mill", "--file", str(key), "--origin", "park.example/cli"
    )
    assert key.stat().st_mode & 0o777 == 0o600
    assert answer(run, "party", "add-key", "mill", "--key", str(key))["vkey"] == made["vkey"]
    assert take(run, park, "good.csv", "--author", "mill", "--key", str(key)).code == 0
    assert not any(
        made["vkey"] in file.read_text() for file in (park / "ledger" / "secrets").rglob("*.json")
    )


BAD_FILES = {
    "unknown point": (GOOD, PROFILE.replace('"saw"', '"sawmill"'), "sawmill"),
    "unknown unit": (GOOD, PROFILE.replace('"kWh"\n[[', '"kilowatt"\n[['), "kilowatt"),
    "wrong column": (GOOD.replace("kWh", "energy"), PROFILE, "kWh"),
    "not a number": (GOOD.replace("2\n", "NaN\n", 1), PROFILE, "row 3"),
    "negative": (GOOD.replace("0.25", "-0.25"), PROFILE, "row 4"),
    "contradiction": (GOOD + "2026-01-01T00:15,7\n", PROFILE, "row"),
    "future": (GOOD + "2099-01-01T00:00,7\n", PROFILE, "row 5"),
    "empty": ("", PROFILE, "empty"),
    "truncated": (GOOD[:-3], PROFILE, "line break"),
    "unknown key": (GOOD, PROFILE + "colour = 1\n", "colour"),
    "time of another form": (GOOD.replace("T00:30", " 00:30"), PROFILE, "row 4"),
}


@pytest.mark.parametrize("what", sorted(BAD_FILES))
def test_a_bad_file_is_explained_and_nothing_changes(run: Run, park: Path, what: str) -> None:
    content, profile, named = BAD_FILES[what]
    (park / "bad.csv").write_text(content)
    (park / "p.toml").write_text(profile)
    before = answer(run, "status")
    done = take(run, park, "bad.csv")
    assert done.code in (2, 3, 4), done
    assert named in done.err
    assert "Traceback" not in done.err
    assert answer(run, "status") == before
    as_json = json.loads(take(run, park, "bad.csv", "--json").out)
    assert named in as_json["message"]


def test_what_is_good_can_be_stored_with_a_list_of_the_rest(run: Run, park: Path) -> None:
    (park / "bad.csv").write_text(GOOD.replace("2\n", "NaN\n", 1))
    found = answer(
        run,
        *("import", str(park / "bad.csv"), "--profile", str(park / "p.toml"), "--accept-partial"),
    )
    (file,) = found["files"]
    assert file["stored"] == 2
    assert [each["row"] for each in file["rejections"]] == [3]


def test_the_same_file_twice_changes_nothing(run: Run, park: Path) -> None:
    take(run, park)
    before = answer(run, "status")
    done = take(run, park)
    assert done.code == 0
    assert "3 repeats dropped" in done.out
    assert answer(run, "status") == before


def test_other_values_need_a_reason(run: Run, park: Path) -> None:
    take(run, park)
    (park / "other.csv").write_text(GOOD.replace("0.25", "0.75"))
    before = answer(run, "status")
    refused = take(run, park, "other.csv")
    assert refused.code == 3
    assert "250 is in force, the new value is 750" in refused.err
    assert answer(run, "status") == before
    assert take(run, park, "other.csv", "--correct", "the meter was read again").code == 0
    size = before["log_size"]
    for as_of, value in (([], 750), (["--as-of", str(size)], 250)):
        span = ["--from", "2026-01-01T00:30", "--to", "2026-01-01T00:45"]
        (row,) = answer(run, "point", "readings", "saw", *span, *as_of)["readings"]
        assert row["value"] == value


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["init", "--origin", "park.example/cli"], 3, "holds a ledger already"),
        (["party", "add", "Mill!", "--name", "x", "--role", "enterprise"], 2, "'party' is 'Mill!'"),
        (["party", "add", "x", "--name", "x", "--role", "king"], 2, "roles"),
        (["point", "add", "x", "--kind", "windmill", "--owner", "mill"], 2, "one of generation"),
        (["point", "add", "x", "--kind", "other", "--owner", "nobody"], 3, "not registered"),
        (["party", "rotate-key", "nobody"], 3, "no key in force"),
        (["party", "revoke-key", "mill", "00000000", "--reason", "x"], 4, "has no key 00000000"),
        (["prove", "999"], 4, "not under the latest checkpoint"),
        (["prove"], 2, "give one of"),
        (["prove", "--reading", "saw", "--at", "noon"], 2, "no date or time"),
        (["prove", "--reading", "saw", "--at", "2026-01-01"], 4, "no reading that starts"),
        (["prove", "--allocation", "saw", "--at", "2026-01-01"], 4, "no matching run"),
        (["match"], 4, "no reading of generation or consumption"),
        (["match", "--from", "2026-01-01"], 2, "both --from and --to"),
        (["import", "nothing.csv", "--profile", "nothing.toml"], 4, "no file nothing.toml"),
        (["restore", "nowhere"], 2, "no file"),
    ],
)
def test_wrong_words_are_explained(
    run: Run, park: Path, words: list[str], code: int, message: str
) -> None:
    assert park.exists()
    done = run(*words)
    assert (done.code, message in done.err) == (code, True), done


def test_without_a_ledger_the_way_to_one_is_shown(run: Run) -> None:
    done = run("status")
    assert done.code == 6
    assert "greenledger init --origin NAME" in done.err


def words_without_json(command: Any, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Commands below `command` without --json; typer's own copy of click has no types."""
    children = getattr(command, "commands", None)
    if children is None:
        options = {option for parameter in command.params for option in parameter.opts}
        return [] if "--json" in options else [words]
    return [
        leaf
        for name, child in children.items()
        for leaf in words_without_json(child, (*words, name))
    ]


def test_every_command_takes_json() -> None:
    assert [leaf for word in WORDS for leaf in words_without_json(app.load(word), (word,))] == []


@pytest.mark.parametrize("width", [30, 45, 300])
def test_what_is_listed_is_what_the_commands_say(width: int) -> None:
    """The list of all words is told without importing them, so it is told twice."""
    loaded = LazyGroup(words=WORDS)
    listed = {word: command.get_short_help_str(width) for word, command in loaded.commands.items()}
    assert {word: loaded.load(word).get_short_help_str(width) for word in WORDS} == listed
    assert list(loaded.commands) == list(WORDS)


def test_a_run_is_shown_again_as_it_was(run: Run, park: Path) -> None:
    take(run, park)
    (park / "roof.csv").write_text(GOOD.replace("1.5", "1"))
    take(run, park, "roof.csv", "--point", "roof")
    words = ["--kind", "green-trade", "--seller", "farm", "--source", "roof", "--consumer", "saw"]
    run("contract", "add", "c", *words, "--from", "2026-01-01", "--to", "2027-01-01")
    first = answer(run, "match", "--figures-only")
    assert first.pop("lots") == 0
    (consumer,) = first["consumers"]
    assert consumer == {
        "name": "saw",
        "consumption_wh": 3750,
        "earlier_wh": 0,
        "by_class_wh": {"green_trade": 3250},
        "estimated_wh": 0,
        "residual_wh": 500,
    }
    (park / "none.csv").write_text(GOOD.replace("1.5", "0"))
    take(run, park, "none.csv", "--point", "roof", "--correct", "another roof's meter")
    assert answer(run, "run", "show", str(first["run"])) == first
    second = answer(run, "match")
    assert second["matched_wh"]["quarter_hour"] == 2250
    assert second["lots"] == 3
    listed = answer(run, "run", "list")["runs"]
    assert [one["run"] for one in listed] == [first["run"], second["run"]]
    assert run("run", "show", "0").code == 4


def test_results_say_who_vouches_for_the_readings(run: Run, park: Path) -> None:
    key = park / "mill.key"
    made = ["mill", "--file", str(key), "--origin", "park.example/cli"]
    assert run("party", "make-key", *made).code == 0
    assert run("party", "add-key", "mill", "--key", str(key)).code == 0
    take(run, park, "good.csv", "--author", "mill", "--key", str(key))
    take(run, park, "good.csv", "--point", "roof")
    found = answer(run, "match")["provenance_wh"]
    assert found == {"generation": {"operator": 3750}, "consumption": {"party-import": 3750}}


def test_a_given_directory_wins_over_a_database_of_the_environment(
    run: Run, park: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENLEDGER_DATABASE_URL", f"sqlite:///{park / 'other.sqlite3'}")
    assert run("status").code != 0
    assert answer(run, "status", "--dir", str(park / "ledger"))["origin"] == "park.example/cli"


def test_a_bill_fills_what_is_missing(run: Run, park: Path) -> None:
    take(run, park)
    (park / "roof.csv").write_text(GOOD + "2026-01-01T00:45,1\n")
    take(run, park, "roof.csv", "--point", "roof")
    bill = ["--kind", "billed", "--owner", "mill", "--parent", "saw", "--interval", "0"]
    assert run("point", "add", "saw-bill", *bill).code == 0
    period = ["--from", "2026-01-01", "--to", "2026-01-01T01:00"]
    found = answer(run, "point", "bill", "saw-bill", "--wh", "5000", *period)
    assert len(found["entries"]) == 1
    matched = answer(run, "match", *period)
    assert (matched["consumption_wh"], matched["estimated_by_rule_wh"]["billed"]) == (5000, 1250)
    assert run("point", "bill", "saw", "--wh", "5000", *period).code == 2
    other = run("point", "bill", "saw-bill", "--wh", "6000", *period)
    assert (other.code, "5000 is in force" in other.err) == (3, True)
