"""Records and reports in whole logs: each broken rule is refused, and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.verifier import forge
from tests.verifier.forge import FARM, GRID, Key, Log, sha256
from tests.verifier.test_log_rules import refused, verify

SECRET = "d1" * 16
REPORT = "f1" * 16


def _body(name: str) -> dict[str, Any]:
    media = f"application/vnd.greenledger.{name}+json"
    return {"hash": sha256(b"a body").hex(), "size": 40, "media": media}


def _by(signer: Key) -> str:
    return signer.name.rpartition("/")[2]


def _last(log: Log, *of: str) -> str:
    """The id of the last entry that names all of these."""
    for entry in reversed(log.entries):
        said = json.loads(entry.partition(b"\n")[0])
        if set(of) <= {value for value in said.values() if isinstance(value, str)}:
            return str(said["id"])
    return ""


def put(log: Log, signer: Key = FARM, **changes: Any) -> int:
    said = {"register": "factors", "name": "grid", "body": _body("record"), **changes}
    said.setdefault("replaces", _last(log, said["register"], said["name"]))
    return log.add(log.statement("record.put", _by(signer), **said), signer)


def end(log: Log, signer: Key = FARM, **changes: Any) -> int:
    said = {"register": "factors", "name": "grid", "reason": "over", **changes}
    said.setdefault("replaces", _last(log, said["register"], said["name"]))
    return log.add(log.statement("record.end", _by(signer), **said), signer)


def publish(log: Log, signer: Key = FARM, **changes: Any) -> int:
    said = {"kind": "inventory", "report": REPORT, "as_of": 3, "body": _body("report"), **changes}
    said.setdefault("replaces", _last(log, said["report"]))
    return log.add(log.statement("report.publish", _by(signer), **said), signer)


def written() -> Log:
    """Two records, one of which has ended, and a report of two versions."""
    log = forge.registered(Log())
    put(log)
    put(log)
    put(log, name="heat")
    end(log, name="heat")
    put(log, GRID, register="activity", name=SECRET)
    publish(log)
    publish(log, as_of=4)
    return log


def test_a_good_log(tmp_path: Path) -> None:
    log = written()
    put(log, name="heat")
    found = verify(log, tmp_path)
    assert found.state is not None
    assert {name: one.in_force for (_, name), one in found.state.records.items()} == {
        "grid": True,
        "heat": True,
        SECRET: True,
    }
    (report,) = found.state.reports.values()
    assert (report.author, report.number, report.as_of) == ("farm", 1, 4)


ATTACKS: list[tuple[str, Callable[[Log], int], str]] = [
    ("another's name", lambda log: put(log, GRID), "grid is a record of farm, not of grid"),
    ("another's end", lambda log: end(log, GRID), "is a record of farm, not of grid"),
    ("of one that ended", lambda log: put(log, GRID, name="heat"), "is a record of farm"),
    ("on nothing", lambda log: put(log, replaces=""), "replaces is empty, but the last entry of"),
    ("a first on something", lambda log: put(log, name="new", replaces="ab" * 16), "is nothing"),
    ("ended twice", lambda log: end(log, name="heat"), "heat is not in force: nothing ends"),
    ("ended, never there", lambda log: end(log, name="new"), "new is not in force: nothing ends"),
    ("a register of its own", lambda log: put(log, register="prices"), "prices is not one of"),
    (
        "a private name that speaks",
        lambda log: put(log, register="product", name="steel"),
        "the name steel is public; in the register product it is a random id",
    ),
    ("a large body", lambda log: put(log, body={**_body("record"), "size": 2**23}), "size"),
    ("another's report", lambda log: publish(log, GRID, as_of=5), "is inventory of farm, always"),
    (
        "of another kind",
        lambda log: publish(log, kind="balance", as_of=5),
        "is inventory of farm, always; this is balance of farm",
    ),
    ("of no kind", lambda log: publish(log, kind="poem", as_of=5), "poem is not one of"),
    ("knows less", lambda log: publish(log, as_of=3), "knows 4 entries, its later version 3"),
    ("knows what comes", lambda log: publish(log, as_of=99), "as_of is 99, beyond the entries"),
    ("two lines", lambda log: publish(log, as_of=5, replaces=""), "replaces is empty"),
]


@pytest.mark.parametrize(
    ("attack", "why"), [one[1:] for one in ATTACKS], ids=[one[0] for one in ATTACKS]
)
def test_attack(attack: Callable[[Log], int], why: str, tmp_path: Path) -> None:
    log = written()
    index = attack(log)
    log.tick()
    refused(log, tmp_path, index, why)
