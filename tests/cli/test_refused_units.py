"""What `certificate …` refuses: the reason is said, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.units import JANUARY, USE, park, size, units_template

__all__ = ["park", "units_template"]

REFUSED: dict[str, tuple[list[str], int, str]] = {
    "not the owner": (
        ["transfer", "--owner", "mill", "--to", "shop", "GEC-01:0-10"],
        4,
        "mill holds no unit GEC-01:0-10 of scheme gec",
    ),
    "more than there are": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1001"],
        3,
        "1000 such units",
    ),
    "a fraction": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1.5"],
        2,
        "valid integer",
    ),
    "none at all": (["transfer", "--owner", "farm", "--to", "mill", "--count", "0"], 2, "are none"),
    "nothing named": (["transfer", "--owner", "farm", "--to", "mill"], 2, "say how many"),
    "no range": (["transfer", "--owner", "farm", "--to", "mill", "GEC-01:9-3"], 2, "no range"),
    "no serial": (["transfer", "--owner", "farm", "--to", "mill", "GEC 01"], 2, "not of the form"),
    "unknown class": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1", "--class", "gold"],
        2,
        "has no class 'gold'; it has green-trade",
    ),
    "to nobody": (["transfer", "--owner", "farm", "--to", "nobody", "--count", "1"], 3, "nobody"),
    "key elsewhere": (
        ["transfer", "--owner", "farm", "--to", "mill", "--count", "1", "--key", "no.key"],
        4,
        "no file no.key",
    ),
    "expired": (["retire", "--owner", "mill", *USE, "OLD:0-5"], 3, "valid no more"),
    "another year": (["retire", "--owner", "mill", *USE, "GEC-12:0-5"], 3, "same calendar year"),
    "no such purpose": (
        [
            "retire",
            "--owner",
            "farm",
            "--beneficiary",
            "farm",
            "--purpose",
            "show",
            *JANUARY,
            "--count",
            "1",
        ],
        2,
        "member 'purpose' is 'show', not one of consumption-obligation",
    ),
    "obligation of green power": (
        ["retire", "--owner", "farm", *USE, "--count", "1", "--obligation", "9"],
        2,
        "an obligation stands exactly with",
    ),
    "wrong way round": (
        [
            "retire",
            "--owner",
            "farm",
            "--beneficiary",
            "farm",
            "--purpose",
            "green-power",
            "--from",
            "2026-02-01",
            "--to",
            "2026-01-01",
            "--count",
            "1",
        ],
        2,
        "is not after --from",
    ),
    "whose to reserve": (
        ["reserve", "--reason", "x", "GEC-01:0-5"],
        2,
        "say whose units to reserve: --owner PARTY",
    ),
    "which to freeze": (["freeze", "--reason", "x", "--count", "5"], 2, "or name them by serial"),
    "without a reason": (["freeze", "GEC-01:0-5"], 2, "--reason"),
    "not here": (
        ["cancel", "--reason", "x", "GEC-99:0-5"],
        4,
        "nobody holds a unit GEC-99:0-5 of scheme gec",
    ),
    "no paper": (
        [
            "issue",
            "X",
            "--quantity",
            "1",
            "--owner",
            "mill",
            "--month",
            "2026-01",
            "--class",
            "ordinary",
            "--document",
            "no.pdf",
        ],
        4,
        "no file no.pdf",
    ),
    "here already": (
        [
            "issue",
            "GEC-01",
            "--quantity",
            "5",
            "--first",
            "999",
            "--owner",
            "mill",
            "--month",
            "2026-01",
            "--class",
            "ordinary",
        ],
        3,
        "a unit exists once",
    ),
    "a month to come": (
        [
            "issue",
            "X",
            "--quantity",
            "5",
            "--owner",
            "mill",
            "--month",
            "2099-01",
            "--class",
            "ordinary",
        ],
        3,
        "is not over",
    ),
    "no month": (
        ["issue", "X", "--quantity", "5", "--owner", "mill", "--class", "ordinary"],
        2,
        "say when they were produced",
    ),
    "no calendar month": (
        [
            "issue",
            "X",
            "--quantity",
            "5",
            "--owner",
            "mill",
            "--month",
            "2026-13",
            "--class",
            "ordinary",
        ],
        2,
        "'2026-13' is no month such as 2026-01",
    ),
    "no class": (
        ["issue", "X", "--quantity", "5", "--owner", "mill", "--month", "2026-01"],
        2,
        "--quantity goes with one --class",
    ),
    "no quantity": (
        ["issue", "X", "--class", "ordinary", "--owner", "mill", "--month", "2026-01"],
        2,
        "say how many units of which class",
    ),
    "half a class": (
        ["issue", "X", "--class", "ordinary=2.5", "--owner", "mill", "--month", "2026-01"],
        2,
        "units are whole, such as ordinary=30",
    ),
    "nobody's": (
        ["issue", "X", "--class", "ordinary=2", "--month", "2026-01"],
        2,
        "say whose they are: --owner PARTY",
    ),
    "no such project": (
        ["issue", "X", "--class", "ordinary=2", "--month", "2026-01", "--project", "P-9"],
        4,
        "has no project 'P-9'; it has: P-1",
    ),
    "credits among certificates": (
        ["list", "--scheme", "ccer"],
        2,
        "scheme ccer is of kind credit: greenledger credit list --scheme ccer",
    ),
    "no such scheme": (["list", "--scheme", "gold"], 4, "scheme 'gold' is not registered"),
    "no such state": (["list", "--state", "lost"], 2, "--state 'lost' is not one of active"),
    "never here": (["trace", "GEC-01:990-1002"], 4, "only 10 were ever here"),
    "no such retirement": (["disclose", "abcd"], 4, "no retirement begins with 'abcd'"),
    "no id": (["disclose", "zz"], 2, "32 hex digits, or 4 and more"),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_is_refused_is_explained_and_changes_nothing(run: Run, park: Path, what: str) -> None:
    words, code, said = REFUSED[what]
    before = size(run)
    done = run("certificate", *words)
    assert (done.code, said in done.err) == (code, True), done
    assert "Traceback" not in done.err
    assert size(run) == before


def test_frozen_units_are_not_retired(run: Run, park: Path) -> None:
    run("certificate", "freeze", "GEC-01:5-15", "--reason", "124")
    done = run("certificate", "retire", "--owner", "farm", *USE, "GEC-01:0-10")
    assert (done.code, "are frozen; possible are those that are active" in done.err) == (3, True)
