"""The verifier stands alone: standard library and cryptography, nothing else.

import-linter forbids by name; this test allows by name, so that a new dependency can't slip past
a list.
"""

import ast
import sys
from pathlib import Path

import pytest

VERIFIER = Path(__file__).resolve().parents[2] / "verifier/src/greenledger_verify"
ALLOWED = {*sys.stdlib_module_names, "cryptography", "greenledger_verify"}


def imported_packages(source: str) -> set[str]:
    """Top-level names of all that is imported, also inside functions; relative imports are ours."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("file", sorted(VERIFIER.rglob("*.py")), ids=lambda file: file.name)
def test_the_verifier_needs_only_the_standard_library_and_cryptography(file: Path) -> None:
    assert imported_packages(file.read_text(encoding="utf-8")) <= ALLOWED


def test_an_import_inside_a_function_is_seen() -> None:
    source = "import os\ndef f():\n    from numpy.linalg import det\n    import ledger.units"
    assert imported_packages(source) - ALLOWED == {"numpy", "ledger"}
