"""Where the shared data and published vectors lie, and what a test does without them."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_dir() -> Path:
    """`../shared`, or what GREENLEDGER_SHARED says.

    Absent, the test is skipped with a reason; but in CI (CI is set) it fails, because a run that
    skipped the published vectors has not shown what CI is there to show.
    """
    folder = Path(os.environ.get("GREENLEDGER_SHARED") or ROOT.parent / "shared").resolve()
    if folder.is_dir():
        return folder
    reason = f"no shared data at {folder} (GREENLEDGER_SHARED can name another folder)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
