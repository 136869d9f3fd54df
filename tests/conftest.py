"""What all tests share: the shared data, and how long Hypothesis searches."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.shared_data import shared_dir

# CI must fail for a reason in the change, not for the day's luck: the same examples each time. At a
# desk each run tries new ones. No deadline, on machines that do other things too.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared`; see shared_data.shared_dir."""
    return shared_dir()
