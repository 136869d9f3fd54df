"""What the code is held to: linting of insecure calls, comparisons in constant time, packages that
are used, and a lock that names all of them.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.shared_data import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What runs for users; tests and benchmarks call what they like.
RUNNING = ("api", "ledger", "migrations", "verifier", "workers")
SOURCES = sorted(
    file
    for folder in RUNNING
    for file in (ROOT / folder).rglob("*.py")
    if "build" not in file.parts
)
# Where a rule on security (ruff's S) is not followed: file, rule, how often. Each says why.
EXCEPTIONS = {
    ("ledger/cli/remote.py", "S105"): 1,
    ("ledger/db/engine.py", "S608"): 1,
    ("ledger/db/soundness.py", "S608"): 2,
    ("ledger/demo/checks.py", "S603"): 1,
    ("ledger/gateway/outbox.py", "S608"): 1,
    ("ledger/log/logkeys.py", "S608"): 1,
    ("ledger/log/succession.py", "S608"): 1,
    ("ledger/parties/signer.py", "S603"): 1,
    ("ledger/registry/schema.py", "S608"): 1,
    ("migrations/rules.py", "S608"): 1,
    ("migrations/versions/0010_log_keys.py", "S608"): 1,
    ("migrations/versions/0012_successions.py", "S608"): 1,
}
_NOQA = re.compile(r"# noqa:\s*((?:[A-Z]+[0-9]+[, ]*)+)(.*)")


def test_rules_on_security_are_on() -> None:
    lint = PYPROJECT["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    # assert marks our own bugs; see pyproject.toml.
    assert [rule for rule in lint["ignore"] if rule.startswith("S")] == ["S101"]
    assert [
        folder
        for folder, rules in lint["per-file-ignores"].items()
        if any(r[0] == "S" for r in rules)
    ] == ["tests/**", "bench/**", "docs/examples/**"]


def test_each_exception_is_listed_and_has_a_reason() -> None:
    found: dict[tuple[str, str], int] = {}
    for file in SOURCES:
        for line in file.read_text(encoding="utf-8").splitlines():
            noted = _NOQA.search(line)
            for rule in re.findall(r"\bS[0-9]{3}\b", noted[1]) if noted else []:
                key = (str(file.relative_to(ROOT)), rule)
                found[key] = found.get(key, 0) + 1
                assert noted is not None
                assert len(noted[2].strip(" -(#")) > 5, f"{key}: why? {line.strip()}"
    assert found == EXCEPTIONS


# Secrets are compared in constant time, or looked up by their hash

_SECRET = re.compile(
    r"(^|_)(token|secret|password|passwd|code|csrf|state|mac|hashed|digest|kek|nonce|cookie)s?($|_)"
)
# Of these names, what is no secret: states of things, codes of batches, a protocol's words.
_NO_SECRETS = {
    *("state", "code", "states", "codes", "exit_code", "status_code", "error_code", "digest"),
    *("kek_bytes", "sqlstate", "sqlite_errorcode", "state_text", "secret_folder", "secrets_dir"),
}
_ROOMS = ("api", "ledger/access", "ledger/gateway", "ledger/parties", "ledger/client")


def comparisons(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of each `==` and `!=` with a name of a secret on a side, in Python code; what
    SQLAlchemy compares (columns `.c.…`) is a look-up in an index of hashes."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(".c." in ast.unparse(side) for side in sides):
            continue
        # Against a word of the program's own there is nothing to find out.
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        for side in sides:
            name = _name(side)
            if name not in _NO_SECRETS and _SECRET.search(name):
                yield node.lineno, name


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr.lower()
    if isinstance(node, ast.Name):
        return node.id.lower()
    if isinstance(node, ast.Call):
        return _name(node.func)
    return ""


def test_secrets_are_compared_in_constant_time() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {name}"
        for file in SOURCES
        if str(file.relative_to(ROOT)).startswith(_ROOMS)
        for line, name in comparisons(tree_of(file))
    ]
    # Where there are two hashes of Argon2, both are the database's own.
    assert [one for one in found if "stored_password" not in one] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("row.token == given", ["token"]),
        ("given != session_token", ["session_token"]),
        ("digest(a) == mac(b)", ["mac"]),
        ("hmac.compare_digest(row.token, given)", []),
        ("select(t).where(t.c.token == digest)", []),
        ("kind == API_KEY", []),
        ('token == ""', []),
        ("answer.status_code == 200", []),
    ],
)
def test_the_search_for_comparisons(code: str, found: list[str]) -> None:
    assert [name for _, name in comparisons(ast.parse(code))] == found


# Packages


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(files: list[Path]) -> set[str]:
    """Top-level modules that the code imports, anywhere in it."""
    found = set()
    for file in files:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Import):
                found |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


# What is not imported by name: what another package finds by itself, and data.
FOUND_OTHERWISE = {
    "httptools": "uvicorn's parser of HTTP",
    "uvloop": "uvicorn's loop",
    "tzdata": "zones for zoneinfo, where the system has none",
    "pandas": "stands on the design card; the benchmarks compare with it",
}


def test_each_package_that_we_ask_for_is_used() -> None:
    ours = imported(SOURCES)
    provided = packages_distributions()
    used = {canonicalize_name(name) for module in ours for name in provided.get(module, [])}
    wanted = {
        canonicalize_name(Requirement(text).name) for text in PYPROJECT["project"]["dependencies"]
    }
    assert wanted - used <= set(FOUND_OTHERWISE)
    third = {module for module in ours if module in provided}
    undeclared = {
        name
        for module in third
        for name in map(canonicalize_name, provided[module])
        if name not in wanted and not name.startswith("greenledger")
    }
    # These come with a package that we ask for, and are its public other half.
    assert undeclared <= {"argon2-cffi-bindings", "kombu", "pydantic", "redis", "starlette"}, (
        undeclared
    )


_RUN_TEXT = {"eval", "exec", "os.system", "os.popen", "subprocess.getoutput"}


def test_no_source_asks_for_what_runs_text_as_code() -> None:
    """eval, exec, pickle, marshal, shelve, yaml.load, and a shell: nowhere."""
    for file in SOURCES:
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in _RUN_TEXT, file
                assert not any(word.arg == "shell" for word in node.keywords), file
    assert not imported(SOURCES) & {"pickle", "marshal", "shelve", "dill", "yaml", "telnetlib"}
