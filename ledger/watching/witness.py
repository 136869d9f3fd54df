"""The witness: it cosigns a checkpoint that extends the last one which it cosigned, and no other.

Of an *audited* log it cosigns only what it has read itself: each entry under the checkpoint has
passed the public rules. The first one that does not is remembered for good, and the log is never
cosigned again. What is answered is on disk before (C2SP tlog-witness).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final

import structlog

from greenledger_verify.checkpoint import parse_checkpoint
from greenledger_verify.failure import VerificationError
from greenledger_verify.merkle import verify_consistency
from greenledger_verify.note import Note, open_note, parse_note
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.remote import open_source
from ledger.watching.auditor import Auditor
from ledger.watching.conflict import by_entries, by_tiles, of_one_size
from ledger.watching.mirror import Mirror
from ledger.watching.notes import NotSigned, Seen, open_seen
from ledger.watching.published import PublishedLog
from ledger.watching.request import AddCheckpoint, parse_add_checkpoint
from ledger.watching.witness_state import Broken, Cosigned, KnownLog, LogState, WitnessState

TEXT: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"
# Reading an audited log for one request; the next one goes on from there.
_AUDIT_S: Final = 25.0
_log = structlog.get_logger("witness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered over HTTP."""

    status: int
    body: str
    media: str = TEXT


class _Refuse(Exception):
    """The checkpoint is not cosigned."""

    def __init__(self, status: int, why: str, media: str = TEXT) -> None:
        super().__init__(why)
        self.answer = Answer(status=status, body=why + "\n", media=media)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Follower:
    """What this process knows of an audited log: nothing that its folder does not give again."""

    mirror: Mirror
    auditor: Auditor


class Witness:
    """A witness's answers; threads and processes may share its folder."""

    def __init__(
        self,
        state: WitnessState,
        *,
        clock_s: Callable[[], float] = time.time,
        audit_s: float = _AUDIT_S,
    ) -> None:
        self.state = state
        self._clock_s = clock_s
        self._audit_s = audit_s
        self._followers: dict[str, _Follower] = {}
        self._lock = Lock()

    def _now_s(self) -> int:
        return int(self._clock_s())

    def warm_up(self) -> None:
        """Judge again what is mirrored already, so that the first request need not wait for it.
        One that is damaged is said to be; the other logs are cosigned all the same."""
        for log in self.state.logs():
            if log.known.audit:
                follower = self._follower(log)
                try:
                    with follower.mirror.locked():
                        follower.auditor.take(follower.mirror.entries(follower.auditor.at))
                except Corrupt as error:
                    _log.error("the mirror is damaged", log=log.known.origin, why=str(error))

    def add_checkpoint(self, body: bytes) -> Answer:
        try:
            return self._add(body)
        except _Refuse as refused:
            answer = refused.answer
        except InvalidInput as error:
            answer = Answer(status=400, body=f"{error}\n")
        except Unavailable as error:
            answer = Answer(status=503, body=f"{error}\n")
        except Corrupt as error:
            # Where its files are is nobody's business outside.
            _log.error("the state is damaged", why=str(error))
            answer = Answer(status=500, body="the state of the witness is damaged\n")
        except OSError as error:
            # A full disk, say. Whatever was not written was not said either.
            _log.error("the disk fails", path=str(error.filename), why=error.strerror)
            answer = Answer(status=503, body="the disk of the witness fails; nothing is cosigned\n")
        if answer.media != SIZE:
            _log.info("not cosigned", status=answer.status, why=answer.body.strip())
        return answer

    def _add(self, body: bytes) -> Answer:
        request = parse_add_checkpoint(body)
        log = self.state.log(request.checkpoint.origin)
        if log is None:
            raise _Refuse(404, f"unknown log {request.checkpoint.origin}")
        seen = self._open(request, log.known)
        if request.old_size > seen.size:
            raise _Refuse(400, f"old size {request.old_size} is above {seen.size}")
        _require_unbroken(log)
        with log.locked():
            self._compare(request, seen, log)
        if log.known.audit:
            # It takes its time, so others are not kept from asking; the state is compared again.
            self._audit(seen, log)
        with log.locked():
            last = self._compare(request, seen, log)
            _require_unbroken(log)
            lines = self._cosign(request, seen, log, last)
        return Answer(status=200, body=lines)

    def _open(self, request: AddCheckpoint, known: KnownLog) -> Seen:
        try:
            return open_seen(request.raw, known.keys, self._now_s())
        except NotSigned as error:
            raise _Refuse(403, f"invalid signature: {error}") from error
        except Corrupt as error:
            raise _Refuse(422, str(error)) from error

    def _compare(self, request: AddCheckpoint, seen: Seen, log: LogState) -> Cosigned:
        """With the lock: it extends what was cosigned last. Returns that."""
        last = log.cosigned
        if request.old_size != last.size:
            raise _Refuse(409, str(last.size), SIZE)
        if last.size == 0:
            if request.proof:
                raise _Refuse(422, "the consistency proof from size 0 must be empty")
            return last
        if last.size == seen.size and last.root != seen.root:
            _keep_conflict(log, last, seen)
        try:
            verify_consistency(
                size1=last.size,
                size2=seen.size,
                root1=last.root,
                root2=seen.root,
                path=request.proof,
            )
        except VerificationError as error:
            raise _Refuse(422, f"consistency proof: {error}") from error
        return last

    def _cosign(self, request: AddCheckpoint, seen: Seen, log: LogState, last: Cosigned) -> str:
        """With the lock: sign, and let the disk have it before anybody else does."""
        time_s = max(self._now_s(), last.time_s)
        signed = parse_note(request.raw)
        lines = "".join(one.cosign(signed.text, time_s) for one in self.state.cosigners)
        note = signed.text.decode() + "\n" + _own_lines(signed, seen) + lines
        log.save_cosigned(Cosigned(size=seen.size, root=seen.root, time_s=time_s, note=note))
        return lines

    # Audited logs

    def _follower(self, log: LogState) -> _Follower:
        origin = log.known.origin
        with self._lock:
            if origin not in self._followers:
                mirror = Mirror(log.folder / "mirror", origin)
                self._followers[origin] = _Follower(mirror=mirror, auditor=Auditor(origin))
            return self._followers[origin]

    def _audit(self, seen: Seen, log: LogState) -> None:
        """Read the log up to that very checkpoint, and judge each entry."""
        follower, known = self._follower(log), log.known
        end_s = time.monotonic() + self._audit_s

        def time_left() -> bool:
            return time.monotonic() < end_s

        with follower.mirror.locked():
            _require_unbroken(log)
            try:
                self._mirror(follower.mirror, seen, log, time_left)
            except Corrupt as error:
                # What is published may be wrong by accident: it says nothing of the checkpoint.
                raise Unavailable(f"the published log does not hold: {error}") from error
            auditor = follower.auditor
            done = auditor.take(follower.mirror.entries(auditor.at), time_left)
        if auditor.violation:
            broken = Broken(
                index=auditor.violation.index,
                reason=auditor.violation.reason,
                size=seen.size,
                note=seen.note.decode(),
                found_s=self._now_s(),
            )
            log.save_broken(broken)
            _log.error("a rule is broken", log=known.origin, entry=broken.index, why=broken.reason)
            _require_unbroken(log)
        if not done:
            raise Unavailable(
                f"{auditor.size} of {seen.size} entries are judged; the rest comes next time"
            )
        self._learn(auditor, seen, log)

    def _mirror(
        self, mirror: Mirror, seen: Seen, log: LogState, time_left: Callable[[], bool]
    ) -> None:
        state = mirror.state
        if seen.size <= state.size:
            if mirror.root_at(seen.size) != seen.root:
                assert state.verified is not None
                log.save_conflict(by_entries(mirror.leaf_hashes(), seen, state.verified))
                raise _Refuse(422, f"at size {seen.size} another root was read before")
            return
        with closing(PublishedLog(open_source(log.known.url))) as published:
            _pull(published, mirror, seen, log, time_left)

    def _learn(self, auditor: Auditor, seen: Seen, log: LogState) -> None:
        """Keys that the log's own entries registered and ended; one in force must have signed."""
        if auditor.size == seen.size:
            try:
                open_note(parse_note(seen.note), auditor.log_keys)
            except VerificationError as error:
                raise _Refuse(
                    403, f"invalid signature: by the log's own entries another key signs: {error}"
                ) from error
        with log.locked():
            known = log.known
            vkeys = [key.vkey for key in auditor.log_keys]
            learned = tuple(one for one in vkeys if one not in known.vkeys)
            fresh = replace(known, learned=learned, ended=tuple(sorted(auditor.ended)))
            if fresh != known:
                log.save_known(fresh)


def _pull(
    published: PublishedLog,
    mirror: Mirror,
    seen: Seen,
    log: LogState,
    time_left: Callable[[], bool],
) -> None:
    """The mirror up to `seen`. Raises Corrupt where the entries do not give its root; what shows
    that the log forked is kept, and refused."""
    before = mirror.state.verified
    pulled = mirror.pull(published, [seen], time_left=time_left)
    if not pulled.unresolved:
        mirror.commit(pulled)
        return
    mirror.discard()
    if before:
        try:
            log.save_conflict(by_tiles(published, before, seen))
        except (Corrupt, Unavailable) as error:
            _log.warning("no evidence of a fork", log=before.checkpoint.origin, why=str(error))
        else:
            raise _Refuse(422, f"it does not extend the {before.size} entries that were read")
    raise Corrupt(f"its {seen.size} entries do not give the root of the checkpoint")


def _require_unbroken(log: LogState) -> None:
    broken = log.broken
    if broken:
        raise _Refuse(
            422,
            f"this log broke its rules and is not cosigned any more: entry {broken.index}:"
            f" {broken.reason}",
        )


def _keep_conflict(log: LogState, last: Cosigned, seen: Seen) -> None:
    """Two roots for one size convict the log; the proof of a request may just be wrong."""
    raw = last.note.encode()
    checkpoint = parse_checkpoint(parse_note(raw).text.decode())
    old = Seen(note=raw, checkpoint=checkpoint, keys=(), seen_s=last.time_s)
    log.save_conflict(of_one_size(old, seen))
    _log.error("two roots for one size", log=checkpoint.origin, size=seen.size)


def _own_lines(note: Note, seen: Seen) -> str:
    """The signature lines of the log's keys that were verified."""
    own = {(key.name, key.key_id) for key in seen.keys}
    return "".join(
        f"— {one.name} {base64.b64encode(one.key_id + one.signature).decode()}\n"
        for one in note.signatures
        if (one.name, one.key_id) in own
    )
