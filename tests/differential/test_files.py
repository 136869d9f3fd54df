"""Notes, checkpoints, proofs, tiles, bundles and keys: both readers take the same files."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify import checkpoint as verifier_checkpoint
from greenledger_verify import note as verifier_note
from greenledger_verify import tiles as verifier_tiles
from greenledger_verify import tlogproof as verifier_tlogproof
from greenledger_verify.failure import VerificationError
from greenledger_verify.trust import trust_of
from ledger.errors import InvalidInput
from ledger.log import checkpoint, notes, tiles
from tests.differential.writing import spoiled
from tests.ledgers import GRID, ORIGIN, signed_text

LOG = notes.SigningKey.from_seed(ORIGIN, b"log key of the differential test")
TRUST = trust_of([LOG.verify_key.vkey])
CHECKPOINT = checkpoint.Checkpoint(origin=ORIGIN, size=1_234_567, root=bytes(range(32)))

SIZES = [
    "0",
    "00",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1e3",
    "\u0661",
    str(2**63 - 1),
    str(2**63),
    str(10**19),
]
ROOTS = [
    "", "=", "AAAA", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(),
    base64.b64encode(bytes(32)).decode()[:-1], base64.b64encode(bytes(32)).decode() + "\n",
    base64.b64encode(bytes(32)).decode().replace("A=", "B="),
    base64.urlsafe_b64encode(b"\xff" * 32).decode(), "\uff21" * 44,
]  # fmt: skip


def verdict(read: Callable[[bytes], object], data: bytes) -> str:
    try:
        read(data)
    except (InvalidInput, VerificationError) as error:
        return str(error) or "?"
    return ""


def agree(
    ledger: Callable[[bytes], object], verifier: Callable[[bytes], object], data: bytes
) -> None:
    first, second = verdict(ledger, data), verdict(verifier, data)
    assert bool(first) == bool(second), f"{data!r}: ledger {first!r}, verifier {second!r}"


def agree_on_checkpoint(data: bytes) -> None:
    agree(
        lambda raw: checkpoint.open_checkpoint(raw, LOG.verify_key),
        lambda raw: verifier_checkpoint.verify_checkpoint(raw, TRUST),
        data,
    )


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32))
def test_notes(seed: int) -> None:
    data = signed_text(CHECKPOINT.text, LOG, GRID)
    agree(notes.parse_note, verifier_note.parse_note, spoiled(data, random.Random(seed)))


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), keys=st.sampled_from([(LOG,), (LOG, GRID), (GRID,), (LOG, LOG)]))
def test_checkpoints(seed: int, keys: tuple[notes.SigningKey, ...]) -> None:
    agree_on_checkpoint(spoiled(signed_text(CHECKPOINT.text, *keys), random.Random(seed)))


@pytest.mark.parametrize("size", SIZES)
def test_sizes(size: str) -> None:
    agree_on_checkpoint(signed_text(CHECKPOINT.text.replace(b"1234567", size.encode()), LOG))
    proof = tlog_proof().replace(b"index 3\n", f"index {size}\n".encode())
    agree(checkpoint.parse_tlog_proof, verifier_tlogproof.parse_tlog_proof, proof)


@pytest.mark.parametrize("root", ROOTS)
def test_roots(root: str) -> None:
    good = base64.b64encode(CHECKPOINT.root)
    agree_on_checkpoint(signed_text(CHECKPOINT.text.replace(good, root.encode()), LOG))


@pytest.mark.parametrize("more", ["x\n", "\n", "x", " \n", "x\ny\n", "\u2028\n", "x\n\n"])
def test_extension_lines(more: str) -> None:
    agree_on_checkpoint(signed_text(CHECKPOINT.text + more.encode(), LOG))


def test_an_origin_that_is_not_the_keys() -> None:
    """The log's key is named as the origin is, so that a checkpoint of another log is none."""
    other = checkpoint.Checkpoint(origin="park.example/other", size=1, root=bytes(32))
    agree_on_checkpoint(signed_text(other.text, LOG))


def test_an_empty_log_has_the_empty_root() -> None:
    empty = checkpoint.Checkpoint(origin=ORIGIN, size=0, root=bytes(32))
    agree_on_checkpoint(signed_text(empty.text, LOG))


def tlog_proof() -> bytes:
    return checkpoint.TlogProof(
        index=3,
        path=tuple(bytes([n]) * 32 for n in range(4)),
        checkpoint=signed_text(CHECKPOINT.text, LOG),
        extra=b'{"some":"entry"}\n',
    ).encode()


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32))
def test_tlog_proofs(seed: int) -> None:
    data = spoiled(tlog_proof(), random.Random(seed))
    agree(checkpoint.parse_tlog_proof, verifier_tlogproof.parse_tlog_proof, data)


@settings(max_examples=200)
@given(entries=st.lists(st.binary(max_size=40), min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_bundles(entries: list[bytes], seed: int) -> None:
    """Where a bundle holds as many entries as it should, both find the same ones."""
    data = spoiled(tiles.bundle(entries), random.Random(seed))
    try:
        found = list(tiles.read_bundle(io.BytesIO(data)))
    except InvalidInput:
        for width in range(1, 8):
            with pytest.raises(VerificationError):
                verifier_tiles.parse_bundle(data, width)
        return
    assert verifier_tiles.parse_bundle(data, len(found)) == found


@given(number=st.integers(0, 10**12), width=st.integers(0, 255), level=st.integers(0, 7))
def test_paths_of_tiles(number: int, width: int, level: int) -> None:
    for path in (tiles.tile_path(level, number, width), tiles.entries_path(number, width)):
        name = verifier_tiles.parse_tile_path(path)
        assert (name.path, name.number, name.width) == (path, number, width or 256)


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), times=st.integers(1, 2))
def test_vkeys(seed: int, times: int) -> None:
    chance = random.Random(seed)
    data = LOG.verify_key.vkey.encode() + b"\n"
    for _ in range(times):
        data = spoiled(data, chance) or b"+"
    text = data.removesuffix(b"\n").decode(errors="replace")
    agree(
        lambda raw: notes.parse_vkey(raw.decode()),
        lambda raw: verifier_note.parse_vkey(raw.decode()),
        text.encode(),
    )
