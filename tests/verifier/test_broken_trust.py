"""The hand-broken proofs of ``broken_trust``: each refused at the step, and with the message, of
the table; the good ones beside them pass with the same trust roots.
"""

import json
from typing import Any

import pytest

from greenledger_verify import cli
from tests.verifier.break_trust import CASES, FOLDER, TABLE, file_of, files

ROWS: dict[str, dict[str, str]] = json.loads(TABLE.read_text(encoding="utf-8"))
ISSUE = {
    "wrong tree size": "wrong-size",
    "truncated": "truncated",
    "padded": "padded",
    "proof for another index": "another-index",
    "evidence whose own keys vouch for itself": "own-key-evidence",
    "token for another checkpoint": "stamp-of-another-checkpoint",
    "token of an untrusted authority": "stamp-of-a-stranger",
    "token of an expired authority": "stamp-by-an-expired-certificate",
    "too few witnesses": "too-few-witnesses",
    "a replayed old checkpoint when a newer one is pinned": "replayed",
}


def judged(name: str, capsys: pytest.CaptureFixture[str], language: str) -> tuple[int, Any]:
    command = "evidence" if name.endswith(".evidence.json") else "proof"
    arguments = [command, str(FOLDER / name), "--trust", str(FOLDER / ROWS[name]["trust"])]
    code = cli.main([*arguments, "--json", "--lang", language])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ROWS)
def test_judged(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = ROWS[name]
    code, answer = judged(name, capsys, "en")
    if not row["step"]:
        assert (code, answer["ok"]) == (0, True), answer["why"]
        return
    *held, refused = answer["steps"]
    assert code == 1
    assert row["step"] in refused["text"]
    assert row["message"] in refused["why"]
    assert not refused["ok"]
    assert all(step["ok"] for step in held)
    assert answer["established"] == []
    assert "lines" not in answer
    code, chinese = judged(name, capsys, "zh")
    assert code == 1
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese["steps"][-1]["why"])


def test_what_the_issue_lists() -> None:
    for name in ISSUE.values():
        assert CASES[name].step


def test_the_files_are_what_the_script_makes() -> None:
    made = files()
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, raw in made.items():
        assert (FOLDER / name).read_bytes() == raw, name
    assert len(CASES) == len({file_of(name).name for name in CASES})
