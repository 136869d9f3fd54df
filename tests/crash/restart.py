"""What has to hold when a ledger is opened again, whatever happened to the process before.

Roots are reckoned from the stored entries by code of the tests (RFC 6962), not by the ledger's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger import db
from ledger.house import House
from ledger.log import audit
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.publish import HighWater
from ledger.log.service import Submission
from tests.crash.scenario import TEMPLATE_SIZE, draw_from
from tests.ledgers import (
    no_progress,
    open_house,
    operator_key,
    party_statement,
    raw,
    rows,
    server_of,
    signed,
)
from tests.log.remembered import RememberedBeginning
from tests.verifier import forge

Said = Sequence[Mapping[str, Any]]


@dataclass
class Restarts:
    """Checks one ledger after the other. States that were audited are known again: an audit says
    the same of the same rows."""

    sound: set[bytes] = field(default_factory=set)
    audits: int = 0
    _roots: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Each audit replays what all ledgers begin with: once is enough.
        audit.replay = RememberedBeginning(TEMPLATE_SIZE).replay

    def check(self, folder: Path, said: Said, scratch: Path) -> None:
        """Raises AssertionError or LedgerError with what does not hold."""
        draw_from("after")
        house = open_house(folder)
        try:
            told = [one for one in said if one["what"] != "failed"]
            case = _state(house) + repr(told).encode()
            if case in self.sound:
                return
            handed_out = _handed_out(house, said)
            self._nothing_lost(house, said)
            self._nothing_contradicted(house, handed_out)
            self._audited(house)
            self._goes_on(house, said, handed_out, scratch)
            self.sound.add(case)
        finally:
            house.engine.dispose()

    def _nothing_lost(self, house: House, said: Said) -> None:
        leaves = self._leaves(house)
        for one in said:
            if one["what"] == "stored":
                assert leaves[one["index"] : one["index"] + 1] == [bytes.fromhex(one["leaf"])], (
                    f"entry {one['index']} was acknowledged, and is not there"
                )

    def _leaves(self, house: House) -> list[bytes]:
        found = rows(house, "SELECT entry_index, data FROM entries ORDER BY entry_index")
        assert [index for index, _ in found] == list(range(len(found)))
        return [forge.leaf(bytes(data)) for _, data in found]

    def _root(self, leaves: Sequence[bytes]) -> bytes:
        key = hashlib.sha256(b"".join(leaves)).digest()
        if key not in self._roots:
            self._roots[key] = forge.mth(leaves)
        return self._roots[key]

    def _nothing_contradicted(self, house: House, handed_out: Sequence[Checkpoint]) -> None:
        """Each checkpoint, stored or handed out, is the tree of the entries that are there."""
        leaves = self._leaves(house)
        stored = [
            open_checkpoint(bytes(note), house.log.log_key)
            for (note,) in rows(house, "SELECT note FROM checkpoint_notes ORDER BY size")
        ]
        for one in (*stored, *handed_out):
            assert one.size <= len(leaves), f"a checkpoint of {one.size}, {len(leaves)} entries"
            assert one.root == self._root(leaves[: one.size]), f"the root at {one.size} is another"
        record = HighWater(house.settings.high_water, house.log.log_key).read()
        most = max(stored + list(handed_out), key=lambda one: one.size)
        assert record is not None
        assert record.size >= most.size, f"the record is at {record.size}, behind {most.size}"
        assert record.root == self._root(leaves[: record.size])

    def _audited(self, house: House) -> None:
        state = _state(house)
        if state in self.sound:
            return
        house.audit(no_progress)
        self.audits += 1
        self.sound.add(state)

    def _goes_on(
        self, house: House, said: Said, handed_out: Sequence[Checkpoint], scratch: Path
    ) -> None:
        """What was interrupted is sent again and is there once; a new entry, a new checkpoint."""
        new = signed(party_statement("after", id="ab" * 16), operator_key(house))
        asked = [base64.b64decode(one["data"]) for one in said if one["what"] == "asks"]
        before = self._leaves(house)
        receipts = house.desk.writer.append_all([Submission(data=one) for one in (*asked, new)])
        for data, receipt in zip((*asked, new), receipts, strict=True):
            assert receipt.repeated == (forge.leaf(data) in before)
        last = open_checkpoint(house.checkpoint(), house.log.log_key)
        assert all(last.size > one.size for one in handed_out)
        assert last.root == self._root(self._leaves(house))
        self._nothing_contradicted(house, handed_out)
        state = _state(house)
        if state not in self.sound:
            self.sound.add(state)
            house.export_tiles(scratch, no_progress)
            verify_log(scratch, trust_of([house.log.log_key.vkey]), Report())


def _handed_out(house: House, said: Said) -> list[Checkpoint]:
    return [
        open_checkpoint(one["note"].encode(), house.log.log_key)
        for one in said
        if one["what"] == "handed out"
    ]


def _state(house: House) -> bytes:
    """A hash of every row and of the high-water record."""
    hash_ = hashlib.sha256()
    folder = house.settings.dir
    for record in sorted(house.settings.high_water.glob("*.json")):
        hash_.update(record.read_bytes())
    names = [table.name for table in db.ledger_tables()]
    connection = raw(folder)
    if server_of(folder) is None:
        for name in names:
            found = connection.execute(f"SELECT * FROM {name}").fetchall()
            hash_.update(repr((name, sorted(found, key=repr))).encode())
    else:  # all in one question: a server answers each of 50 slowly
        each = (
            f"SELECT '{name}', coalesce(md5(string_agg(t::text, ';' ORDER BY t::text)), '')"
            f" FROM {name} AS t"
            for name in names
        )
        found = connection.execute(" UNION ALL ".join(each)).fetchall()
        hash_.update(repr(sorted(found)).encode())
    connection.close()
    return hash_.digest()
