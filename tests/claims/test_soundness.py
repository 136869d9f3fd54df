"""An attacker with the database and all keys of the server: who finds what he does, and says what.

Each attack is made with the ledger's own modules, their rules taken out of the way, and once more
by an honest operator, for whom all answers are good. `-` is a tool that can't see it, and must say
that all is well: the file alone does not know the rest of the log, the log alone knows no Wh.

| attack | evidence FILE | --log DIR | log DIR | rule.scan | audit |
|---|---|---|---|---|---|
| the same Wh in two lots; consumption covered twice | x | x | - | - | x |
| a lot wider than its interval's reading | x | x | - | - | x |
| a remainder hidden | x | x | - | - | x |
| a sum that overflows | x | x | - | - | x |
| a leaf order that is chosen | x | x | - | - | x |
| a second division that forgets what the first gave | x | x | - | - | x |
| another's lot claimed; more than a lot has; cover of another time | x | x | - | - | x |
| an inner node as a leaf: of a lot, a division, the claim | x | x | - | - | - |
| two runs over one origin | - | x | x | x | x |
| a lot spent twice; claimed after a withdrawal | - | x | x | x | x |
| one claim replaced by two | - | x | x | x | x |
| a division's body swapped after it was signed | x | x | - | - | x |
| another log's proof | x | x | - | - | - |
| another history of the same log | - | x | - | - | - |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.claims import attacks
from tests.claims.attacker import Attacker, audited, scanned
from tests.claims.parks import answer, park_template
from tests.ledgers import begun_template, copy_ledger, no_progress

__all__ = ["begun_template", "park_template"]

QUARTERS = "In each opened quarter-hour the lots are worth"
BALANCE = "Each claimed cell is opened"
WHOLE_LOG = "In the whole log no origin is divided twice"
CHECKPOINT = "The checkpoint is signed"
SAME_LOG = "is the beginning of that in the directory"
DIVISIONS = "The opened leaves of divisions"
TREE = "The claim's tree has the total"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """`file`: (step, message) of `evidence FILE`, found with and without `--log`; `with_log`: what
    only `--log` finds; the others are messages. Empty: not to be seen there."""

    make: Callable[[Attacker], attacks.Made]
    file: tuple[str, str] = ("", "")
    with_log: tuple[str, str] = ("", "")
    log: str = ""
    scan: str = ""
    audit: str = ""


NOT_FOLLOWING = "its lots do not follow from run, readings and divisions"
RUN_NOT_FOLLOWING = "the run's manifest does not follow from the log as of"
ATTACKS = {
    "the same Wh in two lots": Attack(
        make=attacks.same_wh_in_two_lots,
        file=(QUARTERS, "the lots have more than their reading gives: 1139 Wh of 1000"),
        audit="quarter-hour [0-9]+ are 1139 Wh, there are 1000 Wh to divide",
    ),
    "consumption covered twice": Attack(
        make=attacks.consumption_covered_twice,
        file=(QUARTERS, "the lots have more than their reading gives: 1130 Wh of 630"),
        audit="quarter-hour [0-9]+ are 1130 Wh, there are 630 Wh to divide",
    ),
    "a lot wider than its reading": Attack(
        make=attacks.wider_than_its_reading,
        file=(QUARTERS, "the lots have more than their reading gives: 1139 Wh of 1000"),
        audit=NOT_FOLLOWING,
    ),
    "a remainder hidden": Attack(
        make=attacks.hidden_remainder,
        file=(QUARTERS, "a remainder is hidden: the reading gives 1900 Wh, divided were 1312"),
        audit="quarter-hour [0-9]+ are 1312 Wh, there are 1900 Wh to divide",
    ),
    "a sum that overflows": Attack(
        make=attacks.overflowing_sum,
        file=(QUARTERS, "the sum tree overflows: a node has"),
        audit="the lots of a quarter-hour overflow",
    ),
    "a leaf order that is chosen": Attack(
        make=attacks.chosen_order,
        file=(QUARTERS, "the sides of the path are not those of the leaf's hash: the order of"),
        audit="body: the body's root is [0-9a-f]{64}, the entry commits to",
    ),
    "a revision that forgets the first": Attack(
        make=attacks.forgetful_revision,
        file=(QUARTERS, "base is 0 Wh, but the revision before makes it (1000|600) Wh"),
        audit=RUN_NOT_FOLLOWING,
    ),
    "another's lot": Attack(
        make=attacks.anothers_lot,
        file=(BALANCE, "its holder [0-9a-f]{32} is not a point of the claim"),
        audit="is held by no point of the claim",
    ),
    "more than its lot has": Attack(
        make=lambda it: attacks.with_cells(it, {0: 100}, {0: 100}),
        file=(BALANCE, "the claim has 561 Wh of it, but it has only 461"),
        audit="561 Wh are claimed in quarter-hour 0, it has 461 Wh",
    ),
    "cover of another time": Attack(
        make=lambda it: attacks.with_cells(it, {0: -100}, {1: -100}),
        file=(BALANCE, "quarter-hour [01], class 2: supply and cover differ by -?100 Wh"),
        audit="what the claim supplies is not what it covers",
    ),
    "a body swapped after it was signed": Attack(
        make=attacks.swapped_body,
        file=(QUARTERS, "outer tree: the leaves and their shared path lead to the root"),
        audit="body: the body's root is [0-9a-f]{64}, the entry commits to",
    ),
    "two runs over one origin": Attack(
        make=attacks.two_runs,
        with_log=(WHOLE_LOG, "/2026-02/0 was divided before, by entry"),
        log="/2026-02/0 was divided before, by entry",
        scan="/2026-02/0 was divided before, by entry",
        audit=RUN_NOT_FOLLOWING,
    ),
    "a lot spent twice": Attack(
        make=attacks.spent_twice,
        with_log=(WHOLE_LOG, "was spent before, by entry"),
        log="was spent before, by entry",
        scan="was spent before, by entry",
        audit="was spent before, by entry",
    ),
    "a lot claimed after a withdrawal": Attack(
        make=attacks.claimed_after_a_withdrawal,
        with_log=(WHOLE_LOG, "was spent before, by entry"),
        log="was spent before, by entry",
        scan="was spent before, by entry",
        audit="was spent before, by entry",
    ),
    "one claim replaced by two": Attack(
        make=attacks.replaced_by_two,
        with_log=(WHOLE_LOG, "is not in force: replaced by entry"),
        log="is not in force: replaced by entry",
        scan="is in force no more, since entry",
        audit="is in force no more: replaced by entry",
    ),
    "an inner node as a lot": Attack(
        make=lambda it: attacks.altered(it, attacks.node_as_lot),
        file=(QUARTERS, "the sides of the path|outer tree: the leaves|the sibling of the leaf"),
    ),
    "an inner node as a leaf of a division": Attack(
        make=lambda it: attacks.altered(it, attacks.node_as_division_leaf),
        file=(TREE, "member bytes: .* does not have the form hex"),
    ),
    "an inner node as a leaf of the claim": Attack(
        make=lambda it: attacks.altered(it, attacks.node_as_claim_leaf),
        file=(TREE, "shared path"),
    ),
    "another log's proof": Attack(make=attacks.another_log, file=(CHECKPOINT, "no signature by")),
    "another history of the log": Attack(
        make=attacks.another_history, with_log=(SAME_LOG, "entries have the root")
    ),
}


# All that an honest operator does in the others is among these.
TWINS = ["the same Wh in two lots", "two runs over one origin", "one claim replaced by two"]
TWINS += ["another's lot", "an inner node as a lot"]


def verdicts(it: Attacker, made: attacks.Made, folder: Path) -> dict[str, Any]:
    """What each tool says is wrong: a message, and for files the step before it."""
    house = it.leave()
    vkey = house.log.log_key.vkey
    house.export_tiles(folder / "tiles", no_progress)
    found: dict[str, Any] = {}
    for number, raw in enumerate(made):
        path = folder / f"{number}.evidence.json"
        path.write_bytes(raw)
        last = number == len(made) - 1
        for name, more_words in (("file", []), ("with_log", ["--log", str(folder / "tiles")])):
            said = answer(vkey, "evidence", str(path), *more_words)
            if last:
                found[name] = (said["steps"][-1]["text"], said["why"]) if said["why"] else ("", "")
            elif name == "file":
                assert said["ok"], "by itself it is a good file"
            if name == "file" and said["ok"]:
                open_ = " ".join(said["not_established"])
                assert "single use NOT established" in open_
    found["log"] = answer(vkey, "log", str(folder / "tiles"))["why"]
    found["scan"] = scanned(house)
    found["audit"] = audited(house)
    house.engine.dispose()
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_is_found_where_it_can_be(
    name: str, park_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = ATTACKS[name]
    it = Attacker(copy_ledger(park_template, tmp_path / "park"), monkeypatch, honest=False)
    found = verdicts(it, attack.make(it), tmp_path)
    with_log = attack.with_log if attack.with_log[0] else attack.file
    for tool, (step, message) in (("file", attack.file), ("with_log", with_log)):
        said_step, said = found[tool]
        assert step in said_step, f"{tool}: {found}"
        assert re.search(message, said) if message else not said, f"{tool}: {found}"
    for tool, message in (("log", attack.log), ("scan", attack.scan), ("audit", attack.audit)):
        said = found[tool]
        assert re.search(message, said) if message else not said, f"{tool}: {found}"


@pytest.mark.parametrize("name", TWINS)
def test_the_undoctored_twin_passes(
    name: str, park_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = Attacker(copy_ledger(park_template, tmp_path / "park"), monkeypatch, honest=True)
    found = verdicts(it, ATTACKS[name].make(it), tmp_path)
    assert found == {"file": ("", ""), "with_log": ("", ""), "log": "", "scan": "", "audit": ""}
