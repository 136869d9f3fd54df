"""Notes, keys, entries, checkpoints, proofs, tiles: ledger and verifier read them, alike."""

from __future__ import annotations

import base64
import hashlib
import io
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from greenledger_verify import checkpoint as their_checkpoint
from greenledger_verify import note as their_note
from greenledger_verify import tlogproof as their_proof
from greenledger_verify.entry import parse_entry as their_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.proof import Subject, verify_proof_file
from greenledger_verify.quick import read_quickly
from greenledger_verify.report import Report
from greenledger_verify.tiles import parse_bundle, parse_tile, parse_tile_path
from greenledger_verify.trust import trust_of
from ledger.errors import InvalidInput
from ledger.log import checkpoint, notes, tiles
from tests.differential import test_entries as entries
from tests.differential.writing import changed, spoiled, write
from tests.fuzz import mutate
from tests.fuzz.engine import Target, require_words
from tests.ledgers import FARM, FARM_NEXT, GRID, signed_text
from tests.verifier import forge

LOG = forge.LOG
TRUST = trust_of([LOG.vkey, forge.WITNESS.vkey_of(4)])
KEYS = (FARM, GRID, FARM_NEXT, entries.LOG)
T = TypeVar("T")


def ours(read: Callable[[], T]) -> T | None:
    """What the ledger reads; None where it refuses."""
    try:
        return read()
    except InvalidInput as error:
        require_words(str(error))
        return None


def theirs(read: Callable[[], T]) -> T | None:
    """What the verifier reads; None where it refuses, which it can say in both languages."""
    try:
        return read()
    except VerificationError as error:
        require_words(error.render("en"))
        require_words(error.render("zh"))
        return None


def text_of(data: bytes) -> str:
    """As a command line gives it: what is not UTF-8 stands as lone surrogates."""
    return data.decode(errors="surrogateescape")


def line(name: str, key_id: bytes, blob: bytes) -> bytes:
    return f"— {name} {base64.b64encode(key_id + blob).decode()}\n".encode()


# Notes and keys


def note_judge(data: bytes) -> bool:
    mine, other = ours(lambda: notes.parse_note(data)), theirs(lambda: their_note.parse_note(data))
    assert (mine is None) == (other is None), f"ledger {mine}, verifier {other}"
    if mine is None or other is None:
        return False
    lines = [(one.name, one.key_id, one.blob) for one in mine.signatures]
    assert mine.text == other.text
    assert lines == [(one.name, one.key_id, one.signature) for one in other.signatures]
    assert mine.text + b"\n" + b"".join(line(*one) for one in lines) == data
    return True


def vkeys() -> list[bytes]:
    found = [key.verify_key.vkey for key in KEYS] + [forge.WITNESS.vkey_of(4), LOG.vkey]
    return [one.encode() for one in found]


def vkey_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Spoiled, and often with the key id that fits the name and the key as they are then."""
    bad = mutate.text(raw, others, chance)
    parts = bad.rsplit(b"+", 2)
    if len(parts) < 3 or chance.random() < 0.3:
        return bad
    name, _, encoded = parts
    try:
        blob = base64.b64decode(encoded)
    except ValueError:
        return bad
    if name.startswith(b"PRIVATE+KEY+") and len(blob) == 33:
        name_ = text_of(name.removeprefix(b"PRIVATE+KEY+")).encode(errors="surrogatepass")
        public = notes.SigningKey.from_seed("any", blob[1:]).verify_key.public_key
        id_ = hashlib.sha256(name_ + b"\n\x01" + public).hexdigest()[:8]
    else:
        name_ = text_of(name).encode(errors="surrogatepass")
        id_ = hashlib.sha256(name_ + b"\n" + blob).hexdigest()[:8]
    return b"+".join((name, id_.encode(), encoded))


def vkey_judge(data: bytes) -> bool:
    text = text_of(data)
    mine, other = ours(lambda: notes.parse_vkey(text)), theirs(lambda: their_note.parse_vkey(text))
    if mine is None and other is not None and other.kind != their_note.ED25519:
        return True
    assert (mine is None) == (other is None), f"ledger {mine}, verifier {other}"
    if mine is None or other is None:
        return False
    assert (mine.name, mine.public_key, mine.key_id) == (other.name, other.public_key, other.key_id)
    assert mine.vkey == text
    # What is no point of the curve verifies nothing, but raises nothing either.
    assert not mine.verify(b"text\n", bytes(64))
    return True


def skeys() -> list[bytes]:
    return [notes.write_skey(key).encode() for key in KEYS]


def skey_judge(data: bytes) -> bool:
    text = text_of(data)
    try:
        key = notes.parse_skey(text)
    except InvalidInput as error:
        require_no_key(text.rpartition("+")[2], str(error))
        return False
    assert notes.parse_skey(notes.write_skey(key)).seed == key.seed
    return True


def require_no_key(encoded: str, said: str) -> None:
    assert len(encoded) < 20 or encoded not in said, "the message shows the key"


# Entries


def entry_inputs() -> list[bytes]:
    return [
        signed_text(write(entries.statement(kind), random.Random(0)).encode() + b"\n", FARM)
        for kind in entries.OWN
    ]


def entry_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Statements changed and signed again, so that the form is what decides; or spoiled notes."""
    way = chance.random()
    if way < 0.15:
        return spoiled(raw, chance)
    if way < 0.4:
        return mutate.text(raw, others, chance)
    value: Any = entries.statement(chance.choice(list(entries.OWN)))
    for _ in range(chance.choice((1, 1, 2, 3))):
        value = changed(value, chance) if way < 0.7 else mutate.value(value, chance)
    text = write(value, chance) if chance.random() < 0.5 else mutate.compact(value).decode()
    line_ = text.encode(errors="surrogatepass") + b"\n"
    # The signature is of another text: the form is judged before it.
    return line_ + raw.partition(b"\n")[2]


def entry_judge(data: bytes) -> bool:
    entries.agree(data)
    quick = read_quickly(data)
    strict = theirs(lambda: their_entry(data))
    if strict is not None and quick is not None:
        assert quick.type == strict.type
        assert all(quick.statement[name] == one for name, one in strict.statement.items())
    return strict is not None


# Checkpoints


def checkpoint_inputs() -> list[bytes]:
    log = forge.park().log
    found = []
    for size in (0, 1, 3, len(log.hashes)):
        root = base64.b64encode(forge.mth(log.hashes[:size])).decode()
        text = f"{forge.ORIGIN}\n{size}\n{root}\n".encode()
        signed = forge.note(text, LOG)
        stranger = forge.MALLORY.line(text)
        found += [signed, signed + forge.WITNESS.cosignature_line(text, forge.START) + stranger]
    return found


def checkpoint_judge(data: bytes) -> bool:
    """Both take exactly what the log signed; signatures by strangers are nobody's business."""
    key = notes.parse_vkey(LOG.vkey)
    mine = ours(lambda: checkpoint.open_checkpoint(data, key))
    alone = theirs(lambda: their_checkpoint.verify_checkpoint(data, trust_of([LOG.vkey])))
    assert (mine is None) == (alone is None), f"ledger {mine}, verifier {alone}"
    if mine is None or alone is None:
        return False
    other = alone.checkpoint
    assert (mine.origin, mine.size, mine.root) == (other.origin, other.size, other.root)
    genuine = {raw.partition(b"\n\n")[0] for raw in CHECKPOINT.inputs}
    assert data.rpartition(b"\n\n")[0] in genuine, "a checkpoint that nobody signed"
    witnessed = theirs(lambda: their_checkpoint.verify_checkpoint(data, TRUST))
    for cosignature in witnessed.cosignatures if witnessed else ():
        assert cosignature.time_s == forge.START, "a cosignature that nobody made"
    return True


# Proofs


def proof_inputs() -> list[bytes]:
    log = forge.park().log
    return [log.tlog_proof(index) for index in range(len(log.entries))]


def proof_judge(data: bytes) -> bool:
    mine = ours(lambda: checkpoint.parse_tlog_proof(data))
    other = theirs(lambda: their_proof.parse_tlog_proof(data))
    assert (mine is None) == (other is None), f"ledger {mine}, verifier {other}"
    if mine is None or other is None:
        return False
    assert (mine.index, mine.path, mine.extra) == (other.index, other.path, other.extra)
    assert mine.checkpoint == other.checkpoint
    assert mine.encode() == data
    if proven := verifies(data):
        good = PROOF.inputs[mine.index]
        assert without_strangers(data) == without_strangers(good), "a proof that nobody made"
    return proven


def verifies(data: bytes) -> bool:
    """A tlog-proof or an opening."""

    def judged() -> bool:
        verify_proof_file(data, Subject(), TRUST, Report())
        return True

    return bool(theirs(judged))


def without_strangers(data: bytes) -> bytes:
    """A file that ends in a checkpoint, without signatures by keys that nobody trusts."""
    head, _, tail = data.rpartition(b"\n\n")
    ours_ = {f"— {key.name} ".encode() for key in (LOG, forge.WITNESS)}
    kept = [one for one in tail.splitlines() if any(map(one.startswith, ours_))]
    return head + b"\n\n" + b"\n".join(dict.fromkeys(kept))


# Tiles


def tile_inputs() -> list[bytes]:
    """A path, a newline, the bytes that lie there."""
    log = forge.park().log
    count = len(log.entries)
    tile = f"tile/0/000.p/{count}\n".encode() + b"".join(log.hashes)
    bundle = f"tile/entries/000.p/{count}\n".encode() + tiles.bundle(log.entries)
    paths = [
        tiles.tile_path(2, 1_234_067),
        tiles.entries_path(999_999),
        tiles.tile_path(63, 5, 255),
    ]
    return [tile, bundle, *(f"{path}\n".encode() for path in paths)]


def tile_judge(data: bytes) -> bool:
    path, _, raw = data.partition(b"\n")
    name = theirs(lambda: parse_tile_path(text_of(path)))
    if name is None:
        return False
    width = 0 if name.width == 256 else name.width
    if name.level is None:
        assert tiles.entries_path(name.number, width) == text_of(path)
        mine = ours(lambda: list(tiles.read_bundle(io.BytesIO(raw))))
        other = theirs(lambda: parse_bundle(raw, name.width))
    else:
        assert tiles.tile_path(name.level, name.number, width) == text_of(path)
        mine = ours(lambda: tiles.split_hashes(raw))
        other = theirs(lambda: parse_tile(raw, name.width))
    fits = mine is not None and len(mine) == name.width
    assert fits == (other is not None), f"ledger {mine}, verifier {other}"
    assert not fits or mine == other
    return fits


def edge_inputs() -> list[bytes]:
    """Its size in 8 bytes, then the edge as the head row keeps it."""
    found = []
    for size in (0, 1, 2, 255, 256, 700):
        edge, _ = tiles.extend(tiles.EMPTY_EDGE, [bytes([n % 256]) * 32 for n in range(size)])
        found.append(size.to_bytes(8, "big") + edge.encode())
    return found


def edge_judge(data: bytes) -> bool:
    size = int.from_bytes(data[:8], "big", signed=True)
    edge = ours(lambda: tiles.Edge.decode(size, data[8:]))
    if edge is None:
        return False
    assert edge.encode() == data[8:]
    return True


NOTE = Target(
    name="note",
    corpus=lambda: entry_inputs()[:6] + checkpoint_inputs(),
    judge=note_judge,
    mutate=lambda raw, others, chance: chance.choice(
        (lambda: spoiled(raw, chance), lambda: mutate.text(raw, others, chance))
    )(),
    share=60,
)
VKEY = Target(name="vkey", corpus=vkeys, judge=vkey_judge, mutate=vkey_mutate, share=50)
SKEY = Target(name="skey", corpus=skeys, judge=skey_judge, mutate=vkey_mutate, share=15)
ENTRY = Target(name="entry", corpus=entry_inputs, judge=entry_judge, mutate=entry_mutate, share=140)
CHECKPOINT = Target(
    name="checkpoint",
    corpus=checkpoint_inputs,
    judge=checkpoint_judge,
    mutate=mutate.text,
    share=60,
)
PROOF = Target(
    name="tlog-proof", corpus=proof_inputs, judge=proof_judge, mutate=mutate.text, share=60
)
TILE = Target(name="tile", corpus=tile_inputs, judge=tile_judge, mutate=mutate.text, share=50)
EDGE = Target(name="edge", corpus=edge_inputs, judge=edge_judge, mutate=mutate.binary, share=15)

TARGETS = (NOTE, VKEY, SKEY, ENTRY, CHECKPOINT, PROOF, TILE, EDGE)
