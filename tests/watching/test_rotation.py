"""The log's key is changed: who watches follows, awake or asleep, and believes no ended key."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.house import House
from ledger.log.notes import VerifyKey, sign_note
from ledger.parties import log_key_desk
from ledger.watching.monitor import Wanted
from ledger.watching.notes import read_log_keys
from ledger.watching.witness import Witness
from tests.ledgers import begun
from tests.servers.witness_process import make_witness
from tests.watching.operator import Operator
from tests.watching.test_monitor import kinds, visit

__all__ = ["begun"]


class Rotating:
    """A log that is published as it grows."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.folder = folder
        self.first = house.log.log_key

    def publish(self, *parties: str) -> Operator:
        for party in parties:
            self.house.desk.register_party(party, party, ["enterprise"])
        note = self.house.checkpoint()
        operator = Operator.of(self.house)
        operator.publish(self.folder, operator.entries, note)
        return operator

    def register(self) -> VerifyKey:
        return log_key_desk.create(self.house.desk)[0]

    def end(self) -> None:
        log_key_desk.end(self.house.desk, self.first, "its time was over")


@pytest.fixture
def log(begun: House, tmp_path: Path) -> Rotating:
    return Rotating(begun, tmp_path / "published")


def alarms(log: Rotating, state: Path, *keys: VerifyKey) -> list[str]:
    asked = Wanted(keys=read_log_keys([one.vkey for one in keys]))
    return kinds(visit(log.folder, state, asked))


def test_monitors_follow_the_log_to_its_next_key(log: Rotating, tmp_path: Path) -> None:
    awake, asleep = tmp_path / "awake", tmp_path / "asleep"
    log.publish("a")
    assert alarms(log, awake, log.first) == []
    assert alarms(log, asleep, log.first) == []
    second = log.register()
    log.publish("b")
    assert alarms(log, awake, log.first) == []
    log.end()
    operator = log.publish("c")
    for state, key in (
        (awake, log.first),
        (asleep, log.first),
        (tmp_path / "new", log.first),
        (tmp_path / "newer", second),
    ):
        assert alarms(log, state, key) == []
        assert visit(log.folder, state, Wanted(keys=read_log_keys([key.vkey]))).judged == len(
            operator.entries
        )
    # Whoever has the ended key signs nothing that is believed.
    operator.publish(log.folder, operator.grown("d", 3), operator.note(operator.grown("d", 3)))
    for state in (awake, asleep, tmp_path / "new", tmp_path / "newest"):
        assert alarms(log, state, log.first) == ["signature"]


def test_a_key_of_its_own_making_is_not_followed(log: Rotating, tmp_path: Path) -> None:
    """The checkpoint is signed by a key that no entry brought."""
    log.publish("a")
    alarms(log, tmp_path / "state", log.first)
    stranger = log.house.desk.keystore.create(log.house.log.origin)
    operator = Operator.of(log.house)
    entries = operator.grown("b", 3)
    text = operator.note(entries).partition(b"\n\n")[0] + b"\n"
    operator.publish(log.folder, entries, sign_note(text, stranger))
    # Its entries are read for that, and forgotten; what others have is compared all the same.
    (tmp_path / "note").write_bytes(operator.note(operator.parties("other", 3)))
    asked = Wanted(
        keys=read_log_keys([log.first.vkey]), compare=[str(tmp_path / "note")], max_age_s=10**9
    )
    found = visit(log.folder, tmp_path / "state", asked)
    assert kinds(found) == ["fork", "signature"]
    assert (tmp_path / "state" / "entries").stat().st_size == sum(
        2 + len(one) for one in operator.entries
    )


def test_an_auditing_witness_learns_and_a_plain_one_is_told(log: Rotating, tmp_path: Path) -> None:
    audit, plain = (
        Witness(
            make_witness(
                tmp_path / name, [log.first.vkey], url=str(log.folder), audit=name == "audit"
            )
        )
        for name in ("audit", "plain")
    )
    sizes = dict.fromkeys((audit, plain), 0)

    def ask(witness: Witness) -> int:
        note = (log.folder / "checkpoint").read_bytes()
        body = operator.request(operator.entries, sizes[witness], note=note)
        answer = witness.add_checkpoint(body)
        if answer.status == 200:
            sizes[witness] = len(operator.entries)
        return answer.status

    operator = log.publish("a")
    assert (ask(audit), ask(plain)) == (200, 200)
    second = log.register()
    operator = log.publish("b")
    assert (ask(audit), ask(plain)) == (200, 200)
    log.end()
    operator = log.publish("c")
    # The entry that ends it is under this checkpoint for the first time.
    assert (ask(audit), ask(plain)) == (200, 403)
    plain.state.add_log([second.vkey], "", audit=False)
    assert ask(plain) == 200
    known = audit.state.logs()[0].known
    assert (known.learned, known.ended) == ((second.vkey,), (log.first.vkey,))
    assert [key.vkey for key in known.keys] == [second.vkey]
