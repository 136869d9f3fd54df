"""No committed file names a registry host or a machine's path."""

from pathlib import Path

import pytest

from tests.house.committed import committed_files, findings


def test_no_committed_file_names_a_registry_or_a_machine() -> None:
    assert list(findings(committed_files())) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://py" + "pi.org/simple", True),
        ("deb http://deb.deb" + "ian.org/debian bookworm main", True),
        ("open('/wo" + "rk/main/x')", True),
        ("PATH=/ro" + "ot/.pyenv/shims", True),
        ("docs/work/plan.md", False),
        ("../work/plan.md", False),
        ("{base}/root/{tile}", False),
        ("https://example.org/root/1", False),
    ],
)
def test_what_counts_as_a_registry_or_a_machines_path(
    tmp_path: Path, text: str, found: bool
) -> None:
    file = tmp_path / "file.txt"
    file.write_text(f"first line\n{text}\n", encoding="utf-8")
    assert [finding.split(":")[1] for finding in findings([file])] == (["2"] if found else [])


def test_without_git_the_files_are_found_too(tmp_path: Path) -> None:
    for name in [
        "ledger/a.py",
        "ledger/__pycache__/a.pyc",
        ".venv/b.py",
        ".mypy_cache/c.json",
        "README.md",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert committed_files(tmp_path) == [tmp_path / "README.md", tmp_path / "ledger/a.py"]
