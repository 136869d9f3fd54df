"""From series to signed batches: cut into blocks, sealed, each naming the one before.

Server custody, the client and the gateway all come through here: what differs is who signs. Pure,
but for fresh ids, salts and secrets.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.log.bodies import Blob
from ledger.log.merkle import leaf_hash
from ledger.log.service import Submission
from ledger.metering.batches import READINGS_MAX, SECRET_BYTES, Block, Readings, blocks_of, cut
from ledger.metering.entries import CORRECTION, CORRECTS_MEDIA, READINGS
from ledger.metering.series import Series
from ledger.parties.desk import Draft, fresh_id, fresh_salt, seal_json

FILE_MEDIA: Final = "application/octet-stream"
Sign = Callable[[Draft], Submission]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a set of readings came from, for the manifest."""

    source: str
    author: str
    file_name: str = ""
    file: bytes | None = None
    profile: str = ""
    repairs: Sequence[Mapping[str, Any]] = ()
    rejections: Sequence[Mapping[str, Any]] = ()
    repeats: int = 0
    reason: str = ""

    def sealed_file(self) -> Blob | None:
        return None if self.file is None else Blob.seal(self.file, FILE_MEDIA, salt=fresh_salt())


def batches_of(points: Mapping[str, bytes], series: Iterable[Series]) -> Iterator[list[Block]]:
    """Blocks in the order of a batch, cut into batches of at most READINGS_MAX.

    `points`: the id of each point that a series names.
    """
    blocks = sorted(
        (
            piece
            for one in series
            for block in blocks_of(points[one.point], one)
            for piece in cut(block, READINGS_MAX)
        ),
        key=lambda block: (block.point, block.start_s),
    )
    batch: list[Block] = []
    count = 0
    for block in blocks:
        if batch and count + block.count > READINGS_MAX:
            yield batch
            batch, count = [], 0
        batch.append(block)
        count += block.count
    if batch:
        yield batch


@dataclass(slots=True, kw_only=True)
class Chain:
    """Batches of one author and source, from `sequence` on.

    `previous`: the leaf hash of the batch before in hex, or "". `log`: the origin of the log that
    they are for. `repeats`: what was left out as the log has it, beside the origin's own.
    """

    log: str
    origin: Origin
    sign: Sign
    sequence: int = 0
    previous: str = ""
    repeats: int = 0
    submissions: list[Submission] = field(default_factory=list)
    _file: Blob | None = field(init=False)

    def __post_init__(self) -> None:
        self._file = self.origin.sealed_file()

    def add(self, blocks: Sequence[Block], corrects: bytes | None = None) -> Submission:
        """Seal and sign the next batch; with `corrects`, a correction of those leaves."""
        id_ = fresh_id()
        secret = secrets.token_bytes(SECRET_BYTES)
        replaced = None
        if corrects is not None:
            replaced = Blob.seal(corrects, CORRECTS_MEDIA, salt=fresh_salt())
        draft = Draft(
            type=READINGS if replaced is None else CORRECTION,
            id=id_,
            author=self.origin.author,
            members={
                "source": self.origin.source,
                "sequence": self.sequence,
                "previous": self.previous,
            },
            bodies={
                "body": Readings.seal(blocks, secret=secret, origin=self.log, id_=id_),
                "manifest": seal_json(self._manifest(), "manifest"),
                **({"corrects": replaced} if replaced else {}),
            },
            attachments=[self._file.data] if self._file else [],
        )
        submission = self.sign(draft)
        self.submissions.append(submission)
        self.sequence += 1
        self.previous = leaf_hash(submission.data).hex()
        return submission

    def _manifest(self) -> dict[str, Any]:
        described = (
            {
                "name": self.origin.file_name,
                "size": len(self._file.content),
                "hash": self._file.key,
            }
            if self._file
            else {}
        )
        return {
            "file": described,
            "profile": self.origin.profile,
            "reason": self.origin.reason,
            "repairs": list(self.origin.repairs),
            "rejections": list(self.origin.rejections),
            "repeats": self.repeats + self.origin.repeats,
        }
