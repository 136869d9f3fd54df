"""Officers, drafts and periods by commands alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.test_commands import answer


@pytest.fixture
def office(run: Run) -> list[str]:
    """A mill with two officers and four eyes, and certificates; ids of the officers."""
    run("init", "--origin", "park.example/cli")
    run("party", "add", "mill", "--name", "Mill", "--role", "enterprise")
    ids = [
        answer(run, "officer", "add", "mill", "--label", name)["officer"] for name in ("Ann", "Bob")
    ]
    assert answer(run, "four-eyes", "on", "mill")["rule"] == "four-eyes"
    return ids


def prepared(run: Run, *words: str) -> str:
    found = answer(run, *words)
    assert (found["draft"]["state"], set(found)) == ("prepared", {"draft"})
    return str(found["draft"]["draft"])


def failure(run: Run, code: int, *words: str) -> str:
    done = run(*words, "--json")
    assert done.code == code, done
    return str(json.loads(done.out)["message"])


def close(run: Run, party: str = "mill") -> None:
    for state in ("provisional", "submitted", "approved"):
        answer(run, "period", "advance", party, "2026-01", state)


def test_a_period_is_closed_by_two(run: Run, office: list[str]) -> None:
    ann, bob = office
    close(run)
    words = ("period", "advance", "mill", "2026-01", "closed")
    assert "--as OFFICER" in failure(run, 3, *words)
    draft = prepared(run, *words, "--as", "Ann")
    said = run("draft", "show", draft[:12])
    assert '"state": "closed"' in said.out
    assert '"approval": "four-eyes"' in said.out
    assert "prepared by you" in failure(run, 3, "draft", "approve", draft, "--as", ann[:8])
    listed = answer(run, "draft", "list", "--state", "prepared")["drafts"]
    assert [(one["draft"], one["preparer"]) for one in listed] == [(draft, ann)]
    assert answer(run, "status")["drafts_waiting"] == 1
    assert "four eyes          on for mill; off for 1 parties" in run("status").out
    back = answer(run, "draft", "reject", draft, "--as", bob, "--reason", "one more bill")
    assert (back["state"], back["reason"], back["decider"]) == ("rejected", "one more bill", bob)
    again = prepared(run, *words, "--as", ann)
    done = answer(run, "draft", "approve", again[:12], "--as", "Bob")
    assert (done["period"], done["state"]) == ("2026-01", "approved")
    shown = answer(run, "period", "show", "mill", "2026-01")
    assert (shown["state"], shown["revision"], shown["blocking"]) == ("closed", 0, [])
    assert shown["steps"][-1]["four_eyes"] is True
    restating = ("period", "restate", "mill", "2026-01", "--reason", "late data", "--as", bob)
    answer(run, "draft", "approve", prepared(run, *restating), "--as", ann)
    found = answer(run, "period", "list", "--party", "mill")["periods"]
    assert [(one["state"], one["revision"]) for one in found] == [("provisional", 1)]
    assert answer(run, "audit")["ok"]


def test_certificates_are_retired_by_two(run: Run, office: list[str]) -> None:
    ann, bob = office
    answer(run, "scheme", "register", "gec")
    issued = run(*_ISSUE)
    assert issued.code == 0, issued
    retire = (
        *("certificate", "retire", "--owner", "mill", "--count", "2", "--beneficiary", "mill"),
        *("--purpose", "green-power", "--from", "2026-01-01", "--to", "2026-02-01"),
    )
    assert "acts with four eyes" in failure(run, 3, *retire)
    draft = prepared(run, *retire, "--as", ann)
    shown = answer(run, "draft", "show", draft)
    assert shown["summary"]["beneficiary"] == "mill"
    (one,) = shown["contents"]
    assert one["bodies"]["body"][0]["terms"]["units"] == 2
    done = answer(run, "draft", "approve", draft, "--as", bob)
    disclosing = ("certificate", "disclose", done["retirement"], "--as", bob)
    answer(run, "draft", "approve", prepared(run, *disclosing), "--as", ann)
    cancel = ("certificate", "withdraw", "--owner", "mill", "--reason", "x", "--count", "1")
    # The operator's act: it has no four eyes.
    assert run(*cancel).code == 0
    off = ("four-eyes", "off", "mill", "--reason", "few of us")
    assert "acts with four eyes" in failure(run, 3, *off)
    answer(run, "draft", "approve", prepared(run, *off, "--as", ann), "--as", bob)
    assert run(*retire).code == 0
    assert answer(run, "audit")["ok"]


_ISSUE = (
    *("certificate", "issue", "GD-1", "--quantity", "9", "--owner", "mill", "--month", "2026-01"),
    *("--class", "ordinary"),
)


def test_an_officer_holds_their_own_key(run: Run, office: list[str], tmp_path: Path) -> None:
    ann, bob = office
    file = tmp_path / "cleo.key"
    words = ("officer", "make-key", "mill", "--file", str(file), "--origin", "park.example/cli")
    made = answer(run, *words)
    assert file.stat().st_mode & 0o777 == 0o600
    added = answer(run, "officer", "add", "mill", "--own", str(file))
    assert (added["officer"], added["vkey"]) == (made["officer"], made["vkey"])
    answer(run, "officer", "end", bob, "--reason", "left")
    close(run)
    words = ("period", "advance", "mill", "2026-01", "closed", "--as", ann)
    draft = prepared(run, *words)
    approve = ("draft", "approve", draft, "--as", made["officer"])
    assert "does not hold key" in failure(run, 4, *approve)
    assert "ended with entry" in failure(run, 3, "draft", "approve", draft, "--as", bob)
    answer(run, *approve, "--officer-key", str(file))
    found: dict[str, Any] = answer(run, "officer", "list")
    assert found["four_eyes"] == ["mill"]
    assert [(one["custody"], one["ended_by"] is None) for one in found["officers"]] == [
        ("operator", True),
        ("operator", False),
        ("owner", True),
    ]
    seed = file.read_text().strip()
    stored = [path for path in (tmp_path / "ledger").rglob("*") if path.is_file()]
    assert not any(seed.encode() in path.read_bytes() for path in stored)


BAD_WORDS = (
    (3, "has 0 officers in force", ("four-eyes", "on", "operator")),
    (2, "too short for an officer", ("officer", "end", "ab", "--reason", "x")),
    (4, "no officer begins with", ("officer", "end", "abcd", "--reason", "x")),
    (2, "no id of a draft", ("draft", "show", "xyz")),
    (4, "no draft begins with", ("draft", "approve", "abcd", "--as", "Ann")),
    (2, "not a month 2026-03", ("period", "show", "mill", "2026-14")),
    (3, "next it is provisional", ("period", "advance", "mill", "2026-01", "closed")),
    (3, "is open: what is closed", ("period", "restate", "mill", "2026-01", "--reason", "x")),
    (3, "has no key in force", ("officer", "add", "nobody")),
)


def test_bad_words(run: Run, office: list[str]) -> None:
    before = answer(run, "status")["log_size"]
    for code, why, words in BAD_WORDS:
        given = (*words, "--as", "Ann") if words[1] == "restate" else words
        assert why in failure(run, code, *given)
    assert answer(run, "status")["log_size"] == before
    assert answer(run, "draft", "list")["drafts"] == []
