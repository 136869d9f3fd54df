"""Makes the hand-broken evidence files of ``broken_evidence/`` and the table of what must be said.

    python -m tests.verifier.break_evidence

Each case is one wrong thing. A test checks that the committed files are what this script makes, and
that the verifier answers each as the table says.
"""

import json
from pathlib import Path

from tests.verifier.break_files import FILE_CASES
from tests.verifier.break_lots import LOT_CASES
from tests.verifier.break_unit_rules import RULE_CASES
from tests.verifier.break_units import CHAIN_CASES

FOLDER = Path(__file__).parent / "broken_evidence"
TABLE = FOLDER / "table.json"

CASES = LOT_CASES | FILE_CASES | CHAIN_CASES | RULE_CASES


def table() -> str:
    rows = {
        name: {"exit": case.exit_code, "step": case.step, "message": case.message}
        for name, case in CASES.items()
    }
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.evidence.json"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, case in CASES.items():
        file_of(name).write_bytes(case.raw)
    TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
