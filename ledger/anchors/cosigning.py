"""Asking a witness for its cosignature (C2SP tlog-witness, add-checkpoint).

The witness is shown that the log has only grown since what it cosigned last. Where that can't be
shown, one of the two has a history that the other has not, and that is no failure but an alarm.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, Literal

from ledger import remote
from ledger.anchors.config import Witness
from ledger.anchors.cosigner import CosignerKey
from ledger.errors import Corrupt, InvalidInput, Unavailable
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.notes import Note, parse_note, parse_signature_line

SIZE_MEDIA: Final = "text/x.tlog.size"
# Between a witness's clock and ours.
SKEW_S_MAX: Final = 300
_TRIES: Final = 3
_WORDS_BYTES: Final = 300
_NOTE_BYTES_MAX: Final = 65_536
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A verified cosignature: its time (Unix seconds), and its line with the newline."""

    at_s: int
    line: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A witness has seen of the log what the database does not hold: more (`ahead`), or something
    else (`conflict`), at `size`. `words`: what it says."""

    kind: Literal["ahead", "conflict"]
    size: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a witness is asked about: the log's own note, and how the log got there.

    `had`: the size that it cosigned last, as far as is known. `path(size)`: consistency path from
    there. `latest()`: the largest size that the log has signed by now. `root(size)`: in hex.
    """

    note: bytes
    had: int
    path: Callable[[int], Sequence[bytes]]
    latest: Callable[[], int]
    root: Callable[[int], str]


def ask(
    witness: Witness, question: Question, now_s: int, *, within_s: float = remote.POST_S
) -> Cosignature | Alarm:
    """Raises Unavailable, or InvalidInput for an answer that is none."""
    note = parse_note(question.note)
    checkpoint = parse_checkpoint(note.text)
    old = question.had if question.had <= checkpoint.size else 0
    for _ in range(_TRIES):
        path = question.path(old) if 0 < old < checkpoint.size else ()
        answer = remote.post(
            f"{witness.url}/add-checkpoint",
            _request(old, path, question.note),
            "application/octet-stream",
            within_s=within_s,
        )
        if answer.status == 200:
            return take(answer.body, note, witness.key, now_s)
        if answer.status == 422 and old:
            return _refused(witness, answer, checkpoint.origin, old, question.root(old), within_s)
        if answer.status != 409:
            raise Unavailable(f"it answers with HTTP status {answer.status}{_words(answer)}")
        told = _told(answer)
        if told is not None and told > checkpoint.size:
            if told > question.latest():
                return Alarm(kind="ahead", size=told)
            raise Unavailable(f"it has a later checkpoint already, of size {told}")
        if old == checkpoint.size and told in (None, old):
            return Alarm(kind="conflict", size=old)
        if told is None or told == old:
            raise InvalidInput("it refuses the size that it has, and names no other")
        old = told
    raise InvalidInput(f"it names another size each time, at last {old}")


def _request(old: int, path: Sequence[bytes], note: bytes) -> bytes:
    lines = [f"old {old}", *(base64.b64encode(hash_).decode() for hash_ in path), "", ""]
    return "\n".join(lines).encode() + note


def _refused(
    witness: Witness, answer: remote.Answer, origin: str, old: int, root: str, within_s: float
) -> Alarm:
    """Our path is right, so a witness that refuses it has another root there. One that audits may
    refuse for a rule that the log broke: what it cosigned last tells the two apart."""
    alarm = Alarm(kind="conflict", size=old, words=_words(answer))
    if not witness.audits:
        return alarm
    refused = f"it refuses the log{alarm.words}"
    name = hashlib.sha256(origin.encode()).hexdigest()
    try:
        with closing(remote.Web(witness.url, read_s=within_s, answer_s=within_s)) as web:
            last = web.read(f"{name}/checkpoint", _NOTE_BYTES_MAX)
    except (Corrupt, Unavailable):
        last = None
    if last is None:
        raise Unavailable(f"{refused}; what it cosigned last it does not show")
    seen = parse_checkpoint(parse_note(last).text)
    if seen.origin != origin or seen.size != old:
        raise Unavailable(f"{refused}; it shows {seen.size} entries of {seen.origin}")
    if seen.root.hex() == root:
        raise Unavailable(refused)
    return alarm


def _words(answer: remote.Answer) -> str:
    """What stands in an answer, for people: short, and without what no terminal should get."""
    text = answer.body[:_WORDS_BYTES].decode(errors="replace")
    shown = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return f": {shown}" if shown else ""


def _told(answer: remote.Answer) -> int | None:
    """The size that a 409 names."""
    found = _SIZE.fullmatch(answer.body)
    return int(found[1]) if found and answer.media == SIZE_MEDIA else None


def take(body: bytes, note: Note, key: CosignerKey, now_s: int) -> Cosignature:
    """The line of the key that is known, out of what a witness answered; the others are left.

    Raises InvalidInput where it is missing, does not verify, or is of another time.
    """
    answered = parse_note(note.text + b"\n" + body)
    if answered.text != note.text:
        raise InvalidInput("it answers with more than signature lines")
    lines = body.splitlines(keepends=True)
    for signature, line in zip(answered.signatures, lines, strict=True):
        if (signature.name, signature.key_id) == (key.name, key.key_id):
            at_s = key.signed_at_s(signature, note.text)
            if abs(at_s - now_s) > SKEW_S_MAX:
                raise InvalidInput(f"its clock is {at_s - now_s} s off ours")
            return Cosignature(at_s=at_s, line=line)
    raise InvalidInput(f"it answers without a cosignature of {key.label}")


def check(line: bytes, note: bytes, key: CosignerKey) -> int:
    """A cosignature that was stored, once more; returns its time. Raises InvalidInput."""
    return key.signed_at_s(parse_signature_line(line), parse_note(note).text)
