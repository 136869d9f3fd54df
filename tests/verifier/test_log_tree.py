"""Tile directories: every byte lies under the signed root, or is found."""

import os
import random
import struct
from pathlib import Path

import pytest

from greenledger_verify.failure import UnusableInput, VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier import forge
from tests.verifier.forge import LOG, Log

TRUST = trust_of([LOG.vkey])
FULL_SIZE = 256 * 2 + 7


def long_log() -> Log:
    """More than two bundles, so that there are full tiles and a second level."""
    log = forge.registered(Log())
    while len(log.entries) < FULL_SIZE:
        log.tick(0)
    return log


def test_a_longer_log(tmp_path: Path) -> None:
    log = long_log()
    assert verify_log(log.export(tmp_path), TRUST, Report()).tiles == 4
    assert (tmp_path / "tile/1/000.p/2").is_file()
    log.tick()
    log.export(tmp_path)
    grown = verify_log(tmp_path, TRUST, Report())
    assert grown.older_tiles == 2


def test_a_log_that_has_grown_beyond_the_checkpoint(tmp_path: Path) -> None:
    """Someone copies the tiles after the checkpoint: full tiles may stand for partial ones."""
    log = long_log()
    log.export(tmp_path, size=300)
    for path in ("tile/0/001.p/44", "tile/entries/001.p/44"):
        (tmp_path / path).unlink()
    checkpoint = (tmp_path / "checkpoint").read_bytes()
    log.export(tmp_path)
    (tmp_path / "checkpoint").write_bytes(checkpoint)
    found = verify_log(tmp_path, TRUST, Report())
    assert found.signed.checkpoint.size == 300
    assert "tile/0/001" in found.files_beyond


@pytest.fixture(scope="module")
def long_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    return long_log().export(folder)


@pytest.mark.parametrize("seed", range(250))
def test_any_byte_of_a_directory(seed: int, tmp_path: Path, long_export: Path) -> None:
    """Links to good files, and one bad one: the message names it or its partner."""
    chance = random.Random(seed)
    files = [p for p in sorted(long_export.rglob("*")) if p.is_file()]
    victim = chance.choice(files)
    for path in files:
        target = tmp_path / path.relative_to(long_export)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path != victim:
            os.link(path, target)
    raw = bytearray(victim.read_bytes())
    raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
    forge.write(tmp_path / victim.relative_to(long_export), bytes(raw))
    with pytest.raises(VerificationError) as caught:
        verify_log(tmp_path, TRUST, Report())
    assert caught.value.exit_code == 1
    number = victim.name if victim.parent.name.isdigit() or victim.parent.name == "entries" else ""
    assert ("checkpoint" if victim.name == "checkpoint" else f"/{number}") in str(caught.value)


def test_inner_node_in_place_of_a_leaf(tmp_path: Path) -> None:
    """Two leaf hashes as one entry, in a tree of half the size, under the very root."""
    log = Log()
    for number in range(4):
        log.add_raw(b"entry %d" % number)
    checkpoint_text = log.checkpoint_text().replace(b"\n4\n", b"\n2\n")
    hashes = log.hashes
    fake = Log(entries=[hashes[0] + hashes[1], hashes[2] + hashes[3]])
    fake.export(tmp_path)
    forge.write(tmp_path / "checkpoint", forge.note(checkpoint_text, LOG))
    nodes = forge.node(*hashes[:2]) + forge.node(*hashes[2:])
    forge.write(tmp_path / "tile/0/000.p/2", nodes)
    with pytest.raises(VerificationError, match="hash 0 is not that of entry 0"):
        verify_log(tmp_path, TRUST, Report())


def test_missing_files(tmp_path: Path) -> None:
    log = forge.park().log
    with pytest.raises(UnusableInput, match="is not a directory"):
        verify_log(tmp_path / "nowhere", TRUST, Report())
    with pytest.raises(UnusableInput, match="no file named checkpoint"):
        verify_log(tmp_path, TRUST, Report())
    size = len(log.entries)
    for path in (f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"):
        log.export(tmp_path)
        (tmp_path / path).unlink()
        with pytest.raises(VerificationError, match=f"{path}: the file is missing"):
            verify_log(tmp_path, TRUST, Report())
        os.mkfifo(tmp_path / path)
        with pytest.raises(VerificationError, match=f"{path}: the file is missing"):
            verify_log(tmp_path, TRUST, Report())
        (tmp_path / path).unlink()


def test_truncated_and_longer_files(tmp_path: Path) -> None:
    log = forge.park().log
    size = len(log.entries)
    for path, rule in (
        (f"tile/0/000.p/{size}", "bytes, not 32 for each"),
        (f"tile/entries/000.p/{size}", "ends within its entry|goes on after"),
    ):
        log.export(tmp_path)
        good = (tmp_path / path).read_bytes()
        for bad in (b"", good[:-1], good + b"\0", good + bytes(20_000_000)):
            (tmp_path / path).write_bytes(bad)
            with pytest.raises(VerificationError, match=f"{path}: .*({rule}|larger than)"):
                verify_log(tmp_path, TRUST, Report())


def test_older_partial_tile_of_another_history(tmp_path: Path) -> None:
    log = forge.park().log
    log.export(tmp_path)
    forge.write(tmp_path / "tile/0/000.p/2", bytes(64))
    with pytest.raises(VerificationError, match=r"tile/0/000\.p/2: it is not the beginning of"):
        verify_log(tmp_path, TRUST, Report())
    forge.write(tmp_path / "tile/0/000.p/2", b"".join(log.hashes[:2]))
    forge.write(tmp_path / "tile/entries/000.p/1", struct.pack(">H", 1) + b"x")
    with pytest.raises(VerificationError, match=r"tile/entries/000\.p/1: it is not the beginning"):
        verify_log(tmp_path, TRUST, Report())


def test_another_logs_checkpoint(tmp_path: Path) -> None:
    forge.park().log.export(tmp_path)
    forge.write(tmp_path / "checkpoint", long_log().checkpoint(len(forge.park().log.entries)))
    with pytest.raises(VerificationError, match=r"have the root .* but the checkpoint says"):
        verify_log(tmp_path, TRUST, Report())


def test_a_checkpoint_of_a_size_that_nothing_could_fill(tmp_path: Path) -> None:
    text = f"{forge.ORIGIN}\n{2**63 - 1}\n{'A' * 43}=\n".encode()
    forge.write(tmp_path / "checkpoint", forge.note(text, LOG))
    with pytest.raises(VerificationError, match="tile/entries/000: the file is missing"):
        verify_log(tmp_path, TRUST, Report())
