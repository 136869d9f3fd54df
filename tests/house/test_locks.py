"""The locks pin, by hash, all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def logical_lines(lock: Path) -> list[str]:
    """The lock's requirements, each with its hashes, as one line each."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pinned(lock: Path) -> list[Requirement]:
    return [Requirement(line.split(" --hash=")[0]) for line in logical_lines(lock)]


def declared() -> list[Requirement]:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    verifier = tomllib.loads((ROOT / "verifier/pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        ours["dependencies"],
        *ours.get("optional-dependencies", {}).values(),
        verifier["project"]["dependencies"],
    ]
    return [Requirement(text) for group in groups for text in group]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_one_version_with_hashes(lock: Path) -> None:
    for line in logical_lines(lock):
        assert re.search(r" --hash=sha256:[0-9a-f]{64}", line), line
        assert re.match(r"\S+==[\w.!+-]+ ", line), line


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_says_where_a_package_comes_from(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    for word in ["://", "index-url", "find-links", " @ ", "file:"]:
        assert word not in text, word


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_the_lock_satisfies_every_declared_dependency(requirement: Requirement) -> None:
    versions = [
        pin.specifier
        for pin in pinned(ROOT / "requirements.lock")
        if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
    ]
    assert versions, f"{requirement} is not in requirements.lock: run ./dev lock"
    for version in versions:
        assert requirement.specifier.contains(str(version).removeprefix("=="), prereleases=True), (
            f"{requirement.name}{version} does not satisfy {requirement}: run ./dev lock"
        )
