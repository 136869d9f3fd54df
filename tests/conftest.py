"""What all tests share: the shared data, and how long Hypothesis searches."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests.ledgers import ledger_database
from tests.servers.commands import commands
from tests.servers.postgres import postgresql
from tests.shared_data import shared_dir

__all__ = ["commands", "ledger_database", "postgresql"]

# CI must fail for a reason in the change, not for the day's luck: the same examples each time. At a
# desk each run tries new ones. No deadline, on machines that do other things too.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

# Properties that tests record, and that are printed at the end.
COUNTED = ("crash points", "tampering", "simulation")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run on SQLite and on PostgreSQL; what does not say so has one
    parameter too, so that a ledger made for one test serves the others."""
    if "ledger_database" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker
    if marked("both_databases") and not marked("sqlite_only"):
        metafunc.parametrize("ledger_database", ["sqlite", "postgresql"], indirect=True)
    else:
        metafunc.parametrize(
            "ledger_database", ["sqlite"], ids=[pytest.HIDDEN_PARAM], indirect=True
        )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `../shared`; see shared_data.shared_dir."""
    return shared_dir()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: one that starts last would keep one worker busy and the others idle."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have counted: how many crash points were tried, say, and in which ways."""
    counted = [
        (name, said)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, said in report.user_properties
        if name in COUNTED
    ]
    for name in COUNTED:
        found = Counter(str(said) for one, said in counted if one == name)
        if found:
            each = (said if n == 1 else f"{n} × {said}" for said, n in sorted(found.items()))
            terminalreporter.write_line(f"{name}: {'; '.join(each)}")
