"""Officers, four eyes and periods in whole logs: each broken rule is refused, and named.

The act that takes two officers is to end four eyes: a log needs nothing else for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verifier import forge
from tests.verifier.forge import FARM, GRID, OPERATOR, ORIGIN, Key, Log, reference, sha256
from tests.verifier.test_log_rules import refused, verify


def officer(number: int, party: str = "farm", *, seed: str = "") -> Key:
    id_ = sha256(f"officer {number}".encode())[:16].hex()
    return Key(f"{ORIGIN}/{party}.{id_}", seed or f"officer {number} of {party}")


ANN, BOB, CLEO, GUS = officer(1), officer(2), officer(3), officer(4, "grid")


def register(log: Log, key: Key, signer: Key = FARM, *also: Key, custody: str = "owner") -> int:
    party = key.name.rpartition("/")[2].partition(".")[0]
    said = log.statement(
        "officer.register",
        signer.name.rpartition("/")[2] if signer is not OPERATOR else party,
        officer=key.name[-32:],
        vkey=key.vkey,
        custody=custody,
    )
    return log.add(said, signer, *(also or (key,)))


def end(log: Log, key: Key, signer: Key = FARM) -> int:
    author = signer.name.rpartition("/")[2]
    said = log.statement("officer.end", author, officer=key.name[-32:], reason="left")
    return log.add(said, signer)


def rule(log: Log, which: str, *signers: Key) -> int:
    author = signers[0].name.rpartition("/")[2].partition(".")[0]
    said = log.statement("party.approval", author, rule=which, reason="because")
    return log.add(said, *signers)


def office() -> Log:
    """The farm has two officers and four eyes, the grid company one officer."""
    log = forge.registered(Log())
    register(log, ANN)
    register(log, BOB)
    register(log, GUS, GRID)
    rule(log, "four-eyes", FARM)
    return log


def test_a_good_log(tmp_path: Path) -> None:
    log = office()
    register(log, CLEO)
    end(log, ANN, OPERATOR)
    rule(log, "none", FARM, CLEO, BOB)
    rule(log, "four-eyes", FARM)
    rule(log, "none", FARM, BOB, CLEO)
    found = verify(log, tmp_path)
    assert found.state is not None
    assert found.state.approvals == {"farm": "none"}


def _ended(log: Log) -> int:
    end(log, BOB)
    return rule(log, "none", FARM, ANN, BOB)


def _one_left(log: Log) -> int:
    end(log, ANN)
    rule(log, "none", FARM, BOB, CLEO)
    return len(log.entries) - 1


def _on_with_one(log: Log) -> int:
    return rule(log, "four-eyes", GRID)


ATTACKS: list[tuple[str, Callable[[Log], int], str]] = [
    ("alone", lambda log: rule(log, "none", FARM), "has 1 signatures; party.approval requires 3"),
    ("one officer", lambda log: rule(log, "none", FARM, ANN), "has 2 signatures"),
    ("three officers", lambda log: rule(log, "none", FARM, ANN, BOB, ANN), "has 4 signatures"),
    ("the same twice", lambda log: rule(log, "none", FARM, ANN, ANN), "both prepared and approved"),
    ("party twice", lambda log: rule(log, "none", FARM, FARM, ANN), "is no officer"),
    ("unregistered", lambda log: rule(log, "none", FARM, ANN, CLEO), "is no officer"),
    ("another's", lambda log: rule(log, "none", FARM, ANN, GUS), "is an officer of grid"),
    (
        "another key under its name",
        lambda log: rule(log, "none", FARM, ANN, Key(BOB.name, "other")),
        "is no officer",
    ),
    ("officers first", lambda log: rule(log, "none", ANN, BOB, FARM), "not by the author"),
    ("ended", _ended, "may not sign any more: ended by entry"),
    ("one left", _one_left, "may not|is no officer"),
    ("the rule it has", lambda log: rule(log, "four-eyes", FARM), "is four-eyes already"),
    ("off that is off", lambda log: rule(log, "none", GRID), "is none already"),
    ("on with one officer", _on_with_one, "has 1 officers; four eyes need two"),
    ("id twice", lambda log: register(log, ANN), "was registered before"),
    (
        "key twice",
        lambda log: register(log, Key(CLEO.name, BOB.seed)),
        "public key of .* was registered before",
    ),
    (
        "a party's key",
        lambda log: register(log, Key(CLEO.name, GRID.seed)),
        "public key of .* was registered before",
    ),
    ("no possession", lambda log: register(log, CLEO, FARM, BOB), "where .* must sign"),
    ("by the operator", lambda log: register(log, CLEO, OPERATOR), "not by the author"),
    ("named for another", lambda log: register(log, officer(5, "grid"), FARM), "is named"),
    ("ended by a stranger", lambda log: end(log, ANN, GRID), "is neither farm nor the operator"),
    ("ended, never there", lambda log: end(log, CLEO), "was never registered"),
    ("a party's with an officer's key", lambda log: log.key(Key(f"{ORIGIN}/farm", ANN.seed)),
     "public key of .* was registered before"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attack", "why"), [one[1:] for one in ATTACKS], ids=[a[0] for a in ATTACKS]
)
def test_attack(attack: Callable[[Log], int], why: str, tmp_path: Path) -> None:
    log = office()
    index = attack(log)
    log.tick()
    refused(log, tmp_path, index, why)


# Periods


def step(
    log: Log,
    state: str,
    *,
    signer: Key = FARM,
    period: str = "2025-12",
    revision: int = 0,
    reason: str = "",
    officers: tuple[Key, ...] = (),
) -> int:
    said = log.statement(
        "period.state",
        signer.name.rpartition("/")[2],
        party="farm",
        period=period,
        revision=revision,
        state=state,
        reason=reason,
        body=reference(b"x" * 40, "period+json"),
    )
    return log.add(said, signer, *officers)


def restate(log: Log, revision: int = 1, *signers: Key) -> int:
    signer = signers[0] if signers else FARM
    said = log.statement(
        "period.restate",
        signer.name.rpartition("/")[2],
        party="farm",
        period="2025-12",
        revision=revision,
        reason="late",
    )
    return log.add(said, *(signers or (FARM,)))


def closed() -> Log:
    """December of the farm, closed."""
    log = forge.registered(Log())
    for state in ("provisional", "submitted", "approved", "closed"):
        step(log, state)
    return log


def test_good_periods(tmp_path: Path) -> None:
    log = closed()
    restate(log)
    for revision in (1, 2):
        step(log, "submitted", revision=revision)
        step(log, "provisional", revision=revision, reason="no", signer=OPERATOR)
        step(log, "submitted", revision=revision)
        step(log, "approved", revision=revision, signer=OPERATOR)
        step(log, "closed", revision=revision)
        restate(log, revision + 1)
    step(log, "provisional", period="2025")
    found = verify(log, tmp_path)
    assert found.state is not None
    assert found.state.periods == {
        ("farm", "2025-12"): ("provisional", 3),
        ("farm", "2025"): ("provisional", 0),
    }


def _closed_alone(log: Log) -> int:
    register(log, ANN)
    register(log, BOB)
    rule(log, "four-eyes", FARM)
    for state in ("provisional", "submitted", "approved"):
        step(log, state, period="2025-11")
    return step(log, "closed", period="2025-11")


def _not_ended(log: Log) -> int:
    step(log, "provisional", period="2026-01")
    return step(log, "submitted", period="2026-01")


PERIOD_ATTACKS: list[tuple[str, Callable[[Log], int], str]] = [
    ("closed goes back", lambda log: step(log, "provisional", reason="x"), "goes from closed to"),
    ("closed twice", lambda log: step(log, "closed"), "goes from closed to closed"),
    ("open to closed", lambda log: step(log, "closed", period="2025"), "goes from open to closed"),
    ("by the operator", lambda log: step(log, "provisional", period="2025", signer=OPERATOR),
     "may not take this step"),
    ("by a stranger", lambda log: step(log, "provisional", period="2025", signer=GRID),
     "may not take this step"),
    ("a reason too many", lambda log: step(log, "provisional", period="2025", reason="x"),
     "a reason stands exactly"),
    ("a revision too many", lambda log: step(log, "provisional", period="2025", revision=1),
     "the revision is 1, not 0"),
    ("not ended", _not_ended, "has not ended yet"),
    ("closed alone", _closed_alone, "has 1 signatures; period.state requires 3"),
    ("restated by the operator", lambda log: restate(log, 1, OPERATOR), "may not take this step"),
    ("a revision left out", lambda log: restate(log, 2), "the revision is 2, not 1"),
    ("restated twice", lambda log: (restate(log), restate(log, 2))[1], "from provisional to"),
    ("no month", lambda log: step(log, "provisional", period="2025-13"), "is not a month"),
    ("no year", lambda log: step(log, "provisional", period="1970"), "is not a month"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attack", "why"), [one[1:] for one in PERIOD_ATTACKS], ids=[one[0] for one in PERIOD_ATTACKS]
)
def test_attack_on_periods(attack: Callable[[Log], int], why: str, tmp_path: Path) -> None:
    log = closed()
    index = attack(log)
    log.tick()
    refused(log, tmp_path, index, why)
