"""What witnesses are sent and monitors keep: requests, cosignatures, keys, evidence of a fork."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from typing import Final

from greenledger_verify.note import parse_note, parse_vkey
from ledger.errors import InvalidInput, LedgerError
from ledger.watching.conflict import FORMAT, read_conflict
from ledger.watching.cosigner import Cosigner, parse_cosigner
from ledger.watching.notes import cosignatures
from ledger.watching.request import parse_add_checkpoint
from tests.fuzz import mutate
from tests.fuzz.engine import Target, require_words
from tests.fuzz.signed import (
    CHECKPOINT,
    LOG,
    checkpoint_inputs,
    require_no_key,
    text_of,
    theirs,
    vkey_mutate,
)
from tests.verifier import forge

LOG_KEYS: Final = [parse_vkey(LOG.vkey)]
WITNESSES: Final = [parse_vkey(forge.WITNESS.vkey_of(4))]


def request_inputs() -> list[bytes]:
    """The old size, a proof of consistency, a checkpoint."""
    log = forge.park().log
    size = len(log.hashes)
    found = []
    for note, old in zip(checkpoint_inputs()[-2:], (3, size), strict=True):
        proof = forge.consistency(old, log.hashes) if old < size else []
        lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof)]
        found.append("\n".join(lines).encode() + b"\n\n" + note)
    return found


def request_judge(data: bytes) -> bool:
    """Written back it is the same; no signature by a witness holds but those that it made."""
    try:
        found = parse_add_checkpoint(data)
    except InvalidInput as error:
        require_words(str(error))
        return False
    lines = [f"old {found.old_size}", *(base64.b64encode(one).decode() for one in found.proof)]
    assert "\n".join(lines).encode() + b"\n\n" + found.raw == data
    note = theirs(lambda: parse_note(found.raw))
    for one in cosignatures(note, WITNESSES, forge.START) if note else ():
        assert one.time_s == forge.START, "a cosignature that nobody made"
        texts = {raw.partition(b"\n\n")[0] + b"\n" for raw in CHECKPOINT.inputs}
        assert note is not None
        assert note.text in texts, "a cosignature of another checkpoint"
    return True


def cosigner_inputs() -> list[bytes]:
    seed = bytes(range(32))
    made = [Cosigner.from_seed("witness.example/1", kind, seed) for kind in (4, 6)]
    return [
        f"PRIVATE+KEY+{one.name}+{one.key_id.hex()}+".encode()
        + base64.b64encode(bytes([one.kind]) + one.seed)
        for one in made
    ]


def cosigner_judge(data: bytes) -> bool:
    text = text_of(data)
    try:
        parse_cosigner(text)
    except InvalidInput as error:
        require_words(str(error))
        require_no_key(text.rpartition("+")[2], str(error))
        return False
    return True


def conflict_inputs() -> list[bytes]:
    """Two checkpoints of the log that are of one size, and have two roots."""
    good = checkpoint_inputs()[4]
    lines = good.partition(b"\n\n")[0].decode().split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    bad = forge.note(("\n".join(lines) + "\n").encode(), LOG)
    members = {
        "format": FORMAT,
        "old": good.decode(),
        "new": bad.decode(),
        "root": lines[2],
        "path": [],
    }
    return [mutate.compact(members)]


def conflict_judge(data: bytes) -> bool:
    """Whoever shows a fork shows two checkpoints that the log has signed."""
    try:
        found = read_conflict(data, LOG_KEYS)
    except LedgerError as error:
        require_words(str(error))
        return False
    genuine = {one.partition(b"\n\n")[0] for one in CHECKPOINT.inputs}
    assert found.old.note.partition(b"\n\n")[0] in genuine
    return True


def conflict_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    if chance.random() < 0.02:
        return chance.choice((b"[", b'{"a":')) * 20_000
    return mutate.json_values(raw, others, chance)


TARGETS = (
    Target(
        name="add-checkpoint",
        corpus=request_inputs,
        judge=request_judge,
        mutate=mutate.text,
        share=40,
    ),
    Target(
        name="cosigner", corpus=cosigner_inputs, judge=cosigner_judge, mutate=vkey_mutate, share=15
    ),
    Target(
        name="conflict",
        corpus=conflict_inputs,
        judge=conflict_judge,
        mutate=conflict_mutate,
        share=20,
    ),
)
