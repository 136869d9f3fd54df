"""The command as a person or a script meets it: a real process, its exit code and its words."""

import base64
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify import cli
from tests.verifier import forge
from tests.verifier.forge import LOG, WITNESS, written

PARK = forge.park()
LEAVES = PARK.log.hashes
SIZE = len(LEAVES)
ROOT = forge.mth(LEAVES)


COMMAND: list[str] = []


@pytest.fixture(autouse=True, scope="module")
def _forked(commands: Path) -> None:
    COMMAND[:] = [str(commands / "greenledger-verify")]


def run(
    *arguments: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own. A traceback is a failure of the test, always."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        timeout=60,
    )
    assert b"Traceback" not in done.stderr + done.stdout
    return done


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The same without a process, for the many."""
    code = cli.main(arguments)
    return code, capsys.readouterr().out


def inclusion_arguments(**changes: str) -> list[str]:
    path = ",".join(h.hex() for h in forge.inclusion(3, LEAVES))
    members = {"leaf-hash": LEAVES[3].hex(), "index": "3", "size": str(SIZE), "root": ROOT.hex()}
    members |= {"path": path} | changes
    return [
        "inclusion",
        *(part for name, value in members.items() for part in (f"--{name}", value)),
    ]


def consistency_arguments(**changes: str) -> list[str]:
    path = ",".join(h.hex() for h in forge.consistency(5, LEAVES))
    members = {"size1": "5", "size2": str(SIZE), "root1": forge.mth(LEAVES[:5]).hex()}
    members |= {"root2": ROOT.hex(), "path": path} | changes
    return [
        "consistency",
        *(part for name, value in members.items() for part in (f"--{name}", value)),
    ]


# inclusion, consistency


def test_inclusion(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = call(capsys, *inclusion_arguments())
    assert code == 0
    assert out.startswith("1. ✓ ")
    assert "NOT established" in out
    assert call(capsys, "inclusion", *inclusion_arguments(index="4")[1:])[0] == 1


def test_consistency(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, *consistency_arguments())[0] == 0
    code, out = call(capsys, *consistency_arguments(size1="6"))
    assert code == 1
    assert "1. ✗ " in out
    assert "Nothing is established" in out
    code, out = call(capsys, *consistency_arguments(size1="0", path=""))
    assert code == 1
    assert "nothing to prove" in out


UNUSABLE_HASHES = [
    {"index": "-1"},
    {"index": "x"},
    {"index": "٣"},
    {"index": "03"},
    {"index": "9" * 10_000},
    {"size": ""},
    {"root": "xyz"},
    {"root": "0"},
    {"leaf-hash": "00 00"},
    {"path": "0,0"},
    {"path": "00;00"},
]


@pytest.mark.parametrize("change", UNUSABLE_HASHES, ids=str)
def test_unusable_hashes(change: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out = call(capsys, *inclusion_arguments(**change), "--json")
    assert code == 2
    answer = json.loads(out)
    assert not answer["ok"]
    assert answer["why"]


def test_missing_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = call(capsys, "inclusion", "--index", "3")
    assert code == 2
    assert "--leaf-hash is missing" in out
    for arguments in (["magic"], [], ["proof"], ["inclusion", "--lang", "xx"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        assert caught.value.code == 2


def test_upper_case_hex_is_fine_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, *inclusion_arguments(root=ROOT.hex().upper()))[0] == 0


def inclusion_member(index: int) -> dict[str, Any]:
    path = [h.hex() for h in forge.inclusion(index, LEAVES)]
    members = {"leaf_hash": LEAVES[index].hex(), "index": index, "size": SIZE}
    return {**members, "root": ROOT.hex(), "path": path}


def batch(*lines: Any) -> bytes:
    return b"".join(x if isinstance(x, bytes) else json.dumps(x).encode() + b"\n" for x in lines)


def test_batch() -> None:
    done = run("inclusion", "--batch", "-", stdin=batch(*map(inclusion_member, range(SIZE))))
    assert done.returncode == 0
    assert done.stdout == b'{"ok": true}\n' * SIZE
    bad = inclusion_member(3) | {"index": 4}
    done = run(
        "inclusion", "--batch", "-", stdin=batch(inclusion_member(0), bad, inclusion_member(1))
    )
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["ok"] for answer in answers] == [True, False, True]
    assert "root" in answers[1]["why"]


def test_batch_with_unusable_lines() -> None:
    """Each gets its answer, and the line after the last of them still counts."""
    good = inclusion_member(0)
    missing = {name: value for name, value in good.items() if name != "root"}
    bad = [
        b"\n",
        b"not JSON\n",
        b"\xff\n",
        b"[]\n",
        b"[" * 100_000 + b"\n",
        b'{"index":' + b"9" * 100_000 + b"}\n",
        b'{"index":0,"index":0}\n',
        missing,
        good | {"more": 1},
        good | {"index": True},
        good | {"index": 0.0},
        good | {"index": None},
        good | {"index": -1},
        good | {"path": "00"},
        good | {"path": [1]},
        good | {"path": None},
        good | {"root": 5},
        good | {"root": "\ud800"},
    ]
    done = run("inclusion", "--batch", "-", stdin=batch(*bad, good))
    assert done.returncode == 2
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["ok"] for answer in answers] == [False] * len(bad) + [True]
    assert all(answer["why"] for answer in answers[:-1])


def test_batch_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "batch"
    members = [
        {
            "size1": size,
            "size2": SIZE,
            "root1": forge.mth(LEAVES[:size]).hex(),
            "root2": ROOT.hex(),
            "path": [h.hex() for h in forge.consistency(size, LEAVES)],
        }
        for size in range(1, SIZE + 1)
    ]
    path.write_bytes(batch(*members))
    done = run("consistency", "--batch", str(path))
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == SIZE
    for missing in (tmp_path / "nowhere", tmp_path):
        assert run("consistency", "--batch", str(missing)).returncode == 2


@pytest.mark.parametrize("command", ["inclusion", "consistency"])
def test_published_cases_as_a_batch(shared: Path, command: str) -> None:
    cases = json.loads((shared / f"vectors/merkle_{command}.json").read_text())["cases"]
    names = {name: name for name in ("size1", "size2", "root1", "root2", "root")}
    names |= {"leafHash": "leaf_hash", "leafIdx": "index", "treeSize": "size", "proof": "path"}
    lines = [
        {name: in_hex(case[old]) for old, name in names.items() if old in case} for case in cases
    ]
    done = run(command, "--batch", "-", stdin=batch(*lines))
    assert done.returncode == 1
    answers = [json.loads(line)["ok"] for line in done.stdout.splitlines()]
    assert answers == [not case["wantErr"] for case in cases]


def in_hex(value: Any) -> Any:
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return base64.b64decode(value).hex()
    return [in_hex(item) for item in value or []]


# proof, log


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "reading.json").write_bytes(written(PARK.reading_opening()))
    (folder / "entry.tlog-proof").write_bytes(PARK.log.tlog_proof(3))
    (folder / "bare.tlog-proof").write_bytes(PARK.log.tlog_proof(3, extra=False))
    (folder / "entry").write_bytes(PARK.log.entries[3])
    trust = f'[[log]]\norigin = "{forge.ORIGIN}"\nvkey = "{LOG.vkey}"\n'
    (folder / "trust.toml").write_text(trust)
    PARK.log.export(folder / "log")
    return folder


def test_proof_and_log(files: Path) -> None:
    vkey = ["--vkey", LOG.vkey]
    for arguments in (
        ["proof", str(files / "reading.json"), *vkey],
        ["proof", str(files / "reading.json"), *vkey, "--vkey", WITNESS.vkey_of(4)],
        ["proof", str(files / "reading.json"), "--trust", str(files / "trust.toml")],
        ["proof", str(files / "entry.tlog-proof"), *vkey],
        ["proof", str(files / "bare.tlog-proof"), *vkey, "--entry", str(files / "entry")],
        ["proof", str(files / "bare.tlog-proof"), *vkey, "--leaf-hash", LEAVES[3].hex()],
        ["log", str(files / "log"), *vkey],
        ["log", str(files / "log"), "--trust", str(files / "trust.toml")],
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stdout.decode()
        assert done.stderr == b""
        assert "✓" in done.stdout.decode()
        assert b"NOT established" in done.stdout
        answer = json.loads(run(*arguments, "--json").stdout)
        assert set(answer) == {"ok", "steps", "established", "not_established", "why", "usable"}
        assert answer["ok"]
        assert all(step["ok"] for step in answer["steps"])
        assert answer["established"]
        assert answer["not_established"]


def test_proof_from_standard_input(files: Path) -> None:
    raw = (files / "reading.json").read_bytes()
    assert run("proof", "-", "--vkey", LOG.vkey, stdin=raw).returncode == 0


def test_unusable_files(files: Path) -> None:
    reading, vkey = str(files / "reading.json"), ["--vkey", LOG.vkey]
    for arguments in (
        ["proof", reading],
        ["proof", reading, "--vkey", "nonsense"],
        ["proof", reading, "--vkey", LOG.vkey + "\udcff"],
        ["proof", reading, "--trust", str(files / "nowhere")],
        ["proof", reading, "--trust", reading],
        ["proof", str(files / "nowhere"), *vkey],
        ["proof", str(files / "now\udcffhere"), *vkey],
        ["proof", str(files), *vkey],
        ["proof", str(files / "bare.tlog-proof"), *vkey],
        ["proof", str(files / "entry"), *vkey, "--leaf-hash", "xyz"],
        ["proof", reading, *vkey, "--entry", str(files / "entry")],
        ["log", str(files / "nowhere"), *vkey],
        ["log", str(files), *vkey],
        ["log", reading, *vkey],
    ):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        assert b"Unusable input: " in done.stdout
        answer = json.loads(run(*arguments, "--json").stdout)
        assert not answer["ok"]
        assert not answer["usable"]
        assert answer["established"] == []


def test_what_does_not_hold(files: Path) -> None:
    stranger = forge.Key(forge.ORIGIN, "not the log").vkey
    for arguments in (["proof", str(files / "reading.json")], ["log", str(files / "log")]):
        done = run(*arguments, "--vkey", stranger)
        assert done.returncode == 1
        out = done.stdout.decode()
        assert "1. ✗ The checkpoint is signed by the log key that you brought" in out
        assert "no signature by a key you trust" in out
        assert "Does NOT hold. Nothing is established." in out
        answer = json.loads(run(*arguments, "--vkey", stranger, "--json").stdout)
        assert answer["steps"][0]["why"] == answer["why"]
        assert answer["established"] == []


def test_chinese(files: Path) -> None:
    arguments = ["proof", str(files / "reading.json"), "--vkey", LOG.vkey]
    out = run(*arguments, "--lang", "zh").stdout.decode()
    for words in ("已证实", "未证实", "数值：1,003 Wh。", "电表签名", "园区时间 UTC+08:00"):
        assert words in out
    assert run(*arguments, LC_ALL="", LC_MESSAGES="", LANG="zh_CN.UTF-8").stdout.decode() == out
    assert "Established" in run(*arguments, "--lang", "en", LANG="zh_CN.UTF-8").stdout.decode()
    bad = run("log", str(files / "log"), "--vkey", forge.Key("x", "x").vkey, "--lang", "zh")
    assert "它属于日志 park.example/log" in bad.stdout.decode()


def test_a_terminal_without_the_characters(files: Path) -> None:
    arguments = ["proof", str(files / "reading.json"), "--vkey", LOG.vkey, "--lang", "zh"]
    done = subprocess.run(
        [sys.executable, "-m", "greenledger_verify", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
    )
    assert done.returncode == 0
    assert b"\\u5df2" in done.stdout


def test_nobody_reads_the_answer() -> None:
    """``… | head -1``: no traceback when the reader goes away."""
    lines = batch(*[inclusion_member(0)] * 50_000)
    command = f"{COMMAND[0]} inclusion --batch - | head -1"
    done = subprocess.run(["sh", "-c", command], input=lines, capture_output=True, timeout=60)
    assert done.stdout == b'{"ok": true}\n'
    assert done.stderr == b""


@pytest.mark.parametrize("seed", range(150))
def test_any_bytes(
    seed: int, files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Noise, and good files with noise in them: words and exit 1 or 2, whatever comes."""
    chance = random.Random(seed)
    names = ("reading.json", "entry.tlog-proof", "trust.toml")
    raw = bytearray((files / names[seed % 3]).read_bytes())
    for _ in range(chance.randrange(1, 20)):
        at = chance.randrange(len(raw))
        raw[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
    path = tmp_path / "file"
    path.write_bytes(chance.randbytes(chance.randrange(500)) if seed % 7 == 0 else bytes(raw))
    code, out = call(capsys, "proof", str(path), "--vkey", LOG.vkey, "--json")
    assert code in (1, 2)
    assert json.loads(out)["why"]
    code, _ = call(capsys, "proof", str(files / "reading.json"), "--trust", str(path))
    assert code in (1, 2)
