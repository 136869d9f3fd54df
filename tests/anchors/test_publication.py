"""The public folder: the same files as an export, valid whoever dies when, and never taken back."""

from __future__ import annotations

import base64
import io
import os
import shutil
import stat
from pathlib import Path

import pytest

from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger.anchors import publication
from ledger.errors import Corrupt, LedgerError, Unavailable
from ledger.house import House, now_s
from ledger.log.checkpoint import open_checkpoint
from ledger.log.tiles import read_bundle
from tests.anchors.conftest import grow, listed
from tests.ledgers import add_many, copy_ledger, no_progress, put_back
from tests.servers.tsa import Authority
from tests.servers.witness import Witness
from tests.verifier import forge


class Died(Exception):
    """What a test raises in place of a kill."""


@pytest.fixture
def folder(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(house.settings, "publish_dir", tmp_path / "public/log")
    return tmp_path / "public/log"


def publish(house: House) -> int:
    found = house.publish(no_progress)
    assert found is not None
    return found.files


def shown(folder: Path) -> int:
    """The size that a C2SP client finds there, reading the files that it says, and no others."""
    _, size_line, root = (folder / "checkpoint").read_text().split("\n")[:3]
    size, leaves = int(size_line), []
    for number, begin in enumerate(range(0, size, 256)):
        width = min(256, size - begin)
        name = f"{number:03}" + (f".p/{width}" if width < 256 else "")
        found = list(read_bundle(io.BytesIO((folder / "tile/entries" / name).read_bytes())))
        hashes = [forge.leaf(entry) for entry in found]
        assert (folder / "tile/0" / name).read_bytes() == b"".join(hashes)
        leaves += hashes
    assert (len(leaves), forge.mth(leaves)) == (size, base64.b64decode(root))
    assert size < 256 or (folder / f"tile/1/000.p/{size // 256}").is_file()
    return size


def verified(house: House, folder: Path) -> int:
    """The size that our verifier finds; every entry by all rules."""
    found = verify_log(folder, trust_of([house.log.log_key.vkey]), Report())
    return found.signed.checkpoint.size


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_grows_into_what_an_export_is(house: House, folder: Path, tmp_path: Path) -> None:
    """Over the end of a tile, with each step valid; what is there is not written again."""
    written: list[int] = []
    for number, count in enumerate((1, 250, 3, 1, 260)):
        add_many(house, count, f"p{number}")
        house.checkpoint()
        written.append(publish(house))
        assert publish(house) == 0
        assert shown(folder) == open_checkpoint(house.checkpoint(), house.log.log_key).size
    # Bundle, tile and checkpoint; over the end of a tile those of it, and a tile of level 1.
    assert written == [3, 3, 6, 3, 6]
    house.export_tiles(tmp_path / "export", no_progress)
    assert verified(house, folder) == shown(folder)
    exported, found = files(tmp_path / "export"), files(folder)
    assert {name: found[name] for name in exported} == exported
    # What is more are the beginnings of the last tiles, for who reads an earlier checkpoint.
    more = {name.partition(".p/")[0] for name in found.keys() - exported.keys()}
    assert more == {"tile/1/000"}
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o755 if path.is_dir() else 0o644), path


def test_whoever_dies_leaves_a_valid_folder(
    house: House,
    folder: Path,
    witness: Witness,
    tsa: Authority,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """At every fsync and every rename, of files and folders."""
    listed(house, witness, [tsa])
    add_many(house, 254)
    house.checkpoint()
    assert len(house.anchor().outcomes) == 2
    publish(house)
    before = shown(folder)
    add_many(house, 3, "more")
    house.checkpoint()
    assert len(house.anchor().outcomes) == 2
    start = tmp_path / "start"
    shutil.copytree(folder, start)
    left, real_fsync, real_replace = [0], os.fsync, Path.replace

    def dies() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Died

    def fsync(descriptor: int) -> None:
        dies()
        real_fsync(descriptor)

    def replace(path: Path, to: Path) -> Path:
        dies()
        return real_replace(path, to)

    seen, points = set(), 0
    while True:
        shutil.rmtree(folder)
        shutil.copytree(start, folder)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            patch.setattr(Path, "replace", replace)
            left[0] = points
            try:
                publish(house)
            except Died:
                pass
            else:
                break
        seen.add(shown(folder))
        publish(house)
        assert shown(folder) == before + 4
        assert not (folder / ".new").exists()
        points += 1
    print(points, "points tried")
    assert seen == {before, before + 4}
    assert points > 15
    assert verified(house, folder) == before + 4
    names = set(files(folder))
    sizes = (before, before + 4)
    assert {f"receipts/{size}/tsa-0.tsr" for size in sizes} <= names
    assert {f"checkpoints/{size}" for size in sizes} <= names
    # The partial tiles of before are gone: there is a full one.
    assert "tile/0/000" in names
    assert not [name for name in names if name.startswith("tile/0/000.p")]


def test_a_late_cosignature_is_published(house: House, folder: Path, witness: Witness) -> None:
    listed(house, witness)
    publish(house)
    own = (folder / "checkpoint").read_bytes()
    house.anchor()
    assert publish(house) == 2
    cosigned = (folder / "checkpoint").read_bytes()
    assert cosigned.startswith(own)
    assert (folder / "checkpoints/1").read_bytes() == cosigned > own
    assert verified(house, folder) == 1


def test_an_older_database_publishes_and_signs_nothing(
    house: House, folder: Path, tmp_path: Path
) -> None:
    """The folder is a high-water mark of its own: the record beside the keys may be lost, too."""
    grow(house, "farm")
    house.engine.dispose()
    old = copy_ledger(house.settings.dir, tmp_path / "old")
    grow(house, "mill")
    publish(house)
    published = files(folder)
    house.engine.dispose()
    shutil.rmtree(house.settings.dir / "high-water")
    put_back(old, house.settings.dir)
    for act in (house.checkpoint, lambda: publish(house)):
        with pytest.raises(LedgerError, match=r"5 entries|of 5 was published") as caught:
            act()
        assert isinstance(caught.value, Unavailable | Corrupt)
    with pytest.raises(Unavailable, match=r"published in .*: this is an old copy"):
        House.open(house.settings, clock_s=now_s)
    # Others of the same size are no better.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.settings, "publish_dir", None)
        grow(house, "fork")
    for act in (house.checkpoint, lambda: publish(house)):
        with pytest.raises(Corrupt, match="the publication says"):
            act()
    with pytest.raises(Corrupt, match="the history was changed"):
        House.open(house.settings, clock_s=now_s)
    assert files(folder) == published


BROKEN = {
    "junk": (b"junk", "checkpoint: note has no empty line"),
    "other": (
        b"other.example\n1\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 o AAAAAAAA\n",
        "is of log other",
    ),
    "long": (b"x" * 1_000_001, "has 1000001 bytes"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_else_lies_there(kind: str, house: House, folder: Path) -> None:
    data, words = BROKEN[kind]
    folder.mkdir(parents=True)
    (folder / "checkpoint").write_bytes(data)
    for act in (house.checkpoint, lambda: publish(house)):
        with pytest.raises(Corrupt, match=words):
            act()


def test_a_changed_tile_or_receipt_is_refused(
    house: House, folder: Path, tsa: Authority, tmp_path: Path
) -> None:
    listed(house, None, [tsa])
    house.anchor()
    publish(house)
    shutil.move(folder / "checkpoint", tmp_path / "checkpoint")
    token = folder / "receipts/1/tsa-0.tsr"
    kept = token.read_bytes()
    (folder / "checkpoints/1").unlink()
    token.write_bytes(kept[:-1] + b"\0")
    with pytest.raises(Corrupt, match=r"tsa-0\.tsr is not what the log says"):
        publish(house)
    token.unlink()
    token.symlink_to(tmp_path / "checkpoint")
    with pytest.raises(Corrupt, match="is a link"):
        publish(house)
    token.unlink()
    bundle = folder / "tile/entries/000.p/1"
    bundle.write_bytes(b"\0")
    with pytest.raises(Corrupt, match=r"000.p/1 .*(has \d+ bytes|not what the log says)"):
        publish(house)
    bundle.unlink()
    publish(house)
    assert verified(house, folder) == 1
    assert token.read_bytes() == kept


def test_no_folder_no_publication(house: House) -> None:
    assert house.publish(no_progress) is None
    assert publication.published(house.settings.dir / "nowhere", house.log.origin) is None
