"""From the outbox to the log: seal, send, verify inclusion, and only then let go.

Rules of the room:

- Nothing is signed that is not stored first, and what is sent again is the same bytes: a lost
  answer makes a repeat, never a double.
- A refusal is looked into before anything is set aside. The gateway's clock, its key, or its place
  in the chain may be at fault: then readings wait. Only readings are set aside, and only those that
  the log refuses by themselves: a refused batch is taken apart until they are found.
- A receipt is a promise. A batch goes when the log's checkpoint, signed by the pinned key and grown
  from the one verified before, covers it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import orjson
import structlog

from ledger.client import BatchHead, Client, encode_submission
from ledger.client.batches import chain_of
from ledger.errors import Corrupt, InvalidInput, NotFound, Refused
from ledger.files import make_private_folder, write_private
from ledger.gateway.collector import Reading
from ledger.gateway.outbox import Outbox, Sealed
from ledger.log.checkpoint import Checkpoint, parse_checkpoint
from ledger.log.notes import Signer, VerifyKey, parse_note
from ledger.metering.batches import READINGS_MAX
from ledger.metering.sealing import Origin, batches_of
from ledger.metering.series import Series
from ledger.units import format_instant

BATCH_MOST: Final = 50_000
CLOCK_OFF_S: Final = 120
_log = structlog.get_logger("greenledger.gateway")
assert BATCH_MOST <= READINGS_MAX
Outcome = Literal["nothing", "accepted", "refused", "held"]


@dataclass(slots=True, kw_only=True)
class Sender:
    """`key`: the gateway's own. `log_key`: the log's, pinned: it also names the log."""

    outbox: Outbox
    client: Client
    key: Signer
    log_key: VerifyKey
    clock_s: Callable[[], int]
    batch_most: int = BATCH_MOST

    @property
    def author(self) -> str:
        return self.key.name.removeprefix(f"{self.log_key.name}/")

    @property
    def quarantine(self) -> Path:
        return self.outbox.folder / "quarantine"

    def step(self) -> None:
        """Send what is due, then verify what was accepted. Raises Unavailable and Corrupt."""
        for source in self.outbox.sources():
            while self._send_one(source) in ("accepted", "refused"):
                pass
        self.verify()

    def _send_one(self, source: str) -> Outcome:
        sealed = self.outbox.unsent(source)
        if sealed is None:
            due = self.outbox.due(source, self.clock_s(), self.batch_most)
            if not due:
                return "nothing"
            if self._clock_is_off():
                return "held"
            sealed = self._seal(source, due)
        try:
            (receipt,) = self.client.submit_encoded([orjson.Fragment(sealed.submission)])
        except (Refused, InvalidInput) as error:
            return self._refused(sealed, str(error))
        if receipt.leaf != sealed.leaf:
            raise Corrupt(
                f"the receipt of batch {sealed.sequence} of {source!r} is of another entry"
            )
        self.outbox.accept(sealed, receipt.index)
        _log.info(
            "batch accepted",
            source=source,
            sequence=sealed.sequence,
            entry=receipt.index,
            repeated=receipt.repeated,
        )
        return "accepted"

    def _clock_is_off(self) -> bool:
        """Whether the server's clock and ours are too far apart to date an entry."""
        if self.client.transport.ahead_s is None:
            self.client.log()
        ahead_s = self.client.transport.ahead_s or 0.0
        if abs(ahead_s) <= CLOCK_OFF_S:
            return False
        _log.error("the gateway's clock is far off: nothing is signed", ahead_s=round(ahead_s))
        self.client.transport.ahead_s = None  # asked again next time
        return True

    def _seal(self, source: str, readings: Sequence[Reading]) -> Sealed:
        head = self.outbox.head(source)
        if head is None:
            head = self.client.last_batch(self.author, source)
        origin = Origin(source=source, author=self.author)
        chain = chain_of(self.log_key.name, origin, self.key, self.clock_s(), head)
        points = {one.point.hex(): one.point for one in readings}
        (blocks,) = batches_of(points, series_of(readings))
        sequence, previous = chain.sequence, chain.previous
        submission = chain.add(blocks)
        return self.outbox.seal(
            Sealed(
                batch=0,
                source=source,
                sequence=sequence,
                previous=previous,
                leaf=chain.previous,
                entry=submission.data,
                submission=orjson.dumps(encode_submission(submission)),
                index=None,
            ),
            readings,
        )

    def _refused(self, sealed: Sealed, reason: str) -> Outcome:
        """What is to be done with a batch that the log does not take. Its number is still free."""
        if self._clock_is_off() or not self._key_is_in_force():
            return "held"
        head = self.client.last_batch(self.author, sealed.source)
        if head is not None and head.leaf == sealed.leaf:
            return "refused"  # an earlier try was placed after all: the next one is a repeat
        if _expected(head) != (sealed.sequence, sealed.previous):
            self.outbox.adopt(sealed.source, head)
            self.outbox.unseal(sealed)
            _log.warning("the source goes on after another batch", source=sealed.source)
            return "refused"
        if parse_note(sealed.entry).signatures[0].key_id != self.key.verify_key.key_id:
            self.outbox.unseal(sealed)  # by a key that has been replaced: signed anew
            return "refused"
        readings = self.outbox.readings_of(sealed)
        if len(readings) > 1:
            self.outbox.unseal(sealed, _apart(readings))
            return "refused"
        self._set_aside(sealed, readings, reason)
        return "refused"

    def _key_is_in_force(self) -> bool:
        vkey = self.key.verify_key.vkey
        try:
            keys = self.client.party_keys(self.author)
        except NotFound:
            keys = []
        if any(one.vkey == vkey and one.in_force for one in keys):
            return True
        _log.error(
            "the log knows no key of the gateway that is in force: readings wait",
            party=self.author,
            key=self.key.verify_key.key_id.hex(),
        )
        return False

    def _set_aside(self, sealed: Sealed, readings: Sequence[Reading], reason: str) -> None:
        make_private_folder(self.quarantine)
        content = {
            "at": format_instant(self.clock_s()),
            "reason": reason,
            "author": self.author,
            "source": sealed.source,
            "sequence": sealed.sequence,
            "readings": [
                {
                    "point": one.point.hex(),
                    "start": format_instant(one.start_s),
                    "length_s": one.length_s,
                    "value": one.value,
                    "quality": one.quality,
                }
                for one in readings
            ],
            "submission": orjson.loads(sealed.submission),
        }
        path = self.quarantine / f"{sealed.source}-{sealed.leaf[:16]}.json"
        if not path.exists():  # there already where a crash came before the next line
            write_private(path, json.dumps(content, ensure_ascii=False, indent=1).encode())
        self.outbox.set_aside(sealed)
        _log.error("readings set aside", source=sealed.source, file=path.name, count=len(readings))

    def verify(self) -> None:
        """Let go what stands under a verified checkpoint. Raises Corrupt where a proof fails."""
        since = self._checkpoint()
        for sealed in self.outbox.accepted():
            assert sealed.index is not None
            try:
                found = self.client.verify_inclusion(
                    sealed.index, sealed.entry, self.log_key, since=since
                )
            except NotFound:
                continue  # no checkpoint covers it yet
            self.outbox.prove(sealed, found.note)
            since = found.checkpoint

    def _checkpoint(self) -> Checkpoint | None:
        note = self.outbox.fact("checkpoint")
        # It was verified before it was kept, by the key that was the log's then.
        return None if note is None else parse_checkpoint(parse_note(note).text)


def _expected(head: BatchHead | None) -> tuple[int, str]:
    return (head.sequence + 1, head.leaf) if head else (0, "")


def _apart(readings: Sequence[Reading]) -> list[Sequence[Reading]]:
    """The readings of each point; of a single point, its halves."""
    by_point = [list(group) for _, group in itertools.groupby(readings, key=lambda one: one.point)]
    if len(by_point) > 1:
        return list(by_point)
    half = len(readings) // 2
    return [readings[:half], readings[half:]]


def series_of(readings: Sequence[Reading]) -> list[Series]:
    """One series for each point and length; the point is named by its id in hex."""
    ordered = sorted(readings, key=lambda one: (one.point, one.length_s, one.start_s))
    return [
        _series(point.hex(), length_s, list(group))
        for (point, length_s), group in itertools.groupby(
            ordered, key=lambda one: (one.point, one.length_s)
        )
    ]


def _series(point: str, length_s: int, readings: Sequence[Reading]) -> Series:
    return Series(
        point=point,
        length_s=length_s,
        start_s=np.array([one.start_s for one in readings], dtype=np.int64),
        value=np.array([one.value for one in readings], dtype=np.int64),
        quality=np.array([one.quality for one in readings], dtype=np.uint16),
    )
