"""A whole log as a C2SP tile directory: is every byte under the signed root, and does every entry
keep the rules?

Two passes over the entry bundles, neither holding more than one: the tree first, so that the rules
judge only what the
checkpoint commits to. The second pass makes sure to read the bytes that the first one hashed.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from greenledger_verify.checkpoint import Checkpoint, SignedCheckpoint, verify_checkpoint
from greenledger_verify.entry import ENTRY_SIZE_MAX, parse_entry
from greenledger_verify.failure import UnusableInput, VerificationError, locate
from greenledger_verify.logkeys import LogKeys, may_tell, read_log_keys
from greenledger_verify.merkle import HASH_SIZE, CompactRange, leaf_hash, tree_root
from greenledger_verify.pins import EarlierRoots, require_pins, require_root
from greenledger_verify.policy import require_independent, require_policy
from greenledger_verify.report import Report
from greenledger_verify.rules import apply
from greenledger_verify.state import State
from greenledger_verify.tiles import (
    TILE_WIDTH,
    TileName,
    parse_bundle,
    parse_tile,
    parse_tile_path,
    tile_width,
)
from greenledger_verify.trust import Trust

_CHECKPOINT_SIZE_MAX: Final = 1_000_000
_TILE_SIZE_MAX: Final = TILE_WIDTH * HASH_SIZE
_BUNDLE_SIZE_MAX: Final = TILE_WIDTH * (2 + ENTRY_SIZE_MAX)


@dataclass(slots=True, kw_only=True)
class TreePass:
    """What the first pass found: a digest of each bundle's bytes, and whether anything looks like
    an entry of ours.
    """

    bundle_digests: list[bytes] = field(default_factory=list)
    holds_statements: bool = False
    tiles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDirectory:
    """What was verified. ``state`` is None for a log that holds no entry of greenledger."""

    signed: SignedCheckpoint
    state: State | None
    tiles: int
    older_tiles: int
    files_beyond: tuple[str, ...]
    roots: Mapping[int, bytes]


def verify_log(directory: Path, trust: Trust, report: Report) -> LogDirectory:
    """Verify a tile directory against the trust roots, step by step; the steps are those of the
    report.

    1. The trusted log key signed the checkpoint.
    2. The hash of each entry, each tile at each level and the root follow from the entry bundles.
    3. Older partial tiles that still lie there are beginnings of the present ones.
    4. Each entry keeps the public rules (see ``rules``), from the genesis on.

    Where there are pins, or a policy, steps about these follow 1, 3 and 4.
    """
    with report.step("The checkpoint is signed by the log key that you brought"):
        signed = verify_checkpoint(
            read_checkpoint(directory), trust, lambda size: log_keys_in(directory, size)
        )
    checkpoint = signed.checkpoint
    require_pins(checkpoint, trust, report)
    with report.step("All tiles and the root follow from the {size} entries", size=checkpoint.size):
        tree = _verify_tree(directory, checkpoint)
    with report.step("Older partial tiles agree with the present ones"):
        older, beyond = _verify_other_files(directory, checkpoint.size)
    roots = _verify_pins(directory, checkpoint, tree, trust, report)
    state = None
    if tree.holds_statements:
        with report.step("Each entry keeps the rules of the ledger, from the genesis on"):
            state = _replay(directory, signed, tree)
    if state is not None:
        require_independent(signed.cosignatures, state.public_keys, report)
    require_policy(signed.cosignatures, (), trust, report)
    return LogDirectory(
        signed=signed,
        state=state,
        tiles=tree.tiles,
        older_tiles=older,
        files_beyond=beyond,
        roots=roots,
    )


# Files


def read_checkpoint(directory: Path) -> bytes:
    if not directory.is_dir():
        raise UnusableInput("{directory} is not a directory", directory=directory)
    if not (directory / "checkpoint").is_file():
        raise UnusableInput(
            "{directory} has no file named checkpoint: it is not a tile directory",
            directory=directory,
        )
    return _read(directory / "checkpoint", _CHECKPOINT_SIZE_MAX)


def _read(path: Path, size_max: int) -> bytes:
    """At most ``size_max`` bytes of a regular file (opening a pipe could wait for ever)."""
    try:
        if not path.is_file():
            raise VerificationError("the file is missing")
        with path.open("rb") as file:
            raw = file.read(size_max + 1)
    except OSError as error:
        raise VerificationError("can't be read: {why}", why=error.strerror) from None
    if len(raw) > size_max:
        raise VerificationError("the file is larger than {max} bytes", max=size_max)
    return raw


def _read_hashes(directory: Path, name: TileName) -> list[bytes]:
    """A tile's hashes. Where the partial tile was cleared away, the full one begins with the same
    (as C2SP allows).
    """
    raw = _read(_present(directory, name), _TILE_SIZE_MAX)
    if not (directory / name.path).is_file():
        return parse_tile(raw, TILE_WIDTH)[: name.width]
    return parse_tile(raw, name.width)


def read_bundle(directory: Path, name: TileName) -> tuple[bytes, list[bytes]]:
    """A bundle's bytes and its entries; as above, a full bundle may stand for a partial one."""
    path = _present(directory, name)
    raw = _read(path, _BUNDLE_SIZE_MAX)
    width = name.width if path == directory / name.path else TILE_WIDTH
    return raw, parse_bundle(raw, width)[: name.width]


def _present(directory: Path, name: TileName) -> Path:
    full = directory / TileName(level=name.level, number=name.number).path
    return (
        full if full.is_file() and not (directory / name.path).is_file() else directory / name.path
    )


# Before all: the keys of the log


def log_keys_in(directory: Path, size: int) -> LogKeys:
    """What the entries say of the log's keys. That they are those under the root, and keep the
    rules, is judged afterwards: a bundle that can't be read is left to that.
    """
    found: list[tuple[int, bytes]] = []
    for name in bundle_names(size):
        # A size that nobody vouches for yet may count bundles without end.
        if not _present(directory, name).is_file():
            break
        try:
            raw, entries = read_bundle(directory, name)
        except VerificationError:
            continue
        if name.number == 0 or may_tell(raw):
            found += enumerate(entries, name.index_start)
    return read_log_keys(found)


# Pass 1: the tree


def _verify_tree(directory: Path, checkpoint: Checkpoint) -> TreePass:
    """Hash every entry, compare every tile from level 0 up, and compare the root."""
    found = TreePass()
    levels: list[list[bytes]] = [[]]
    for name in bundle_names(checkpoint.size):
        with locate("{file}", file=name.path):
            raw, entries = read_bundle(directory, name)
        found.bundle_digests.append(sha256(raw).digest())
        found.holds_statements |= any(entry.startswith(b"{") for entry in entries)
        levels[0] = [leaf_hash(entry) for entry in entries]
        found.tiles += _settle(directory, levels, 0, name.number)
    found.tiles += _settle_right_edge(directory, levels, checkpoint.size)
    _require_root(levels, checkpoint)
    return found


def bundle_names(size: int) -> Iterator[TileName]:
    number = 0
    while width := tile_width(0, number, size):
        yield TileName(level=None, number=number, width=width)
        number += 1


def _settle(directory: Path, levels: list[list[bytes]], level: int, number: int) -> int:
    """Compare a full tile with the file, and pass its root upward. Returns the number of tiles
    compared.
    """
    hashes = levels[level]
    if len(hashes) < TILE_WIDTH:
        return 0
    _compare_tile(directory, TileName(level=level, number=number), hashes)
    if len(levels) == level + 1:
        levels.append([])
    levels[level + 1].append(tree_root(hashes))
    levels[level] = []
    return 1 + _settle(directory, levels, level + 1, number // TILE_WIDTH)


def _settle_right_edge(directory: Path, levels: list[list[bytes]], size: int) -> int:
    """Compare the partial tiles that are left, one at most on each level."""
    compared = 0
    for level, hashes in enumerate(levels):
        if hashes:
            number = size // TILE_WIDTH ** (level + 1)
            _compare_tile(
                directory, TileName(level=level, number=number, width=len(hashes)), hashes
            )
            compared += 1
    return compared


def _compare_tile(directory: Path, name: TileName, computed: list[bytes]) -> None:
    with locate("{file}", file=name.path):
        for position, (given, expected) in enumerate(
            zip(_read_hashes(directory, name), computed, strict=True)
        ):
            if given != expected:
                raise _mismatch(name, position)


def _mismatch(name: TileName, position: int) -> VerificationError:
    if name.level == 0:
        index = name.index_start + position
        bundle = TileName(level=None, number=name.number, width=name.width).path
        return VerificationError(
            "hash {position} is not that of entry {index} in {bundle}: one of the two was changed",
            position=position,
            index=index,
            bundle=bundle,
        )
    return VerificationError(
        "hash {position} does not follow from the tile below it", position=position
    )


def _require_root(levels: list[list[bytes]], checkpoint: Checkpoint) -> None:
    edge = CompactRange()
    for level in reversed(range(len(levels))):
        for subtree_root in levels[level]:
            edge.append(subtree_root, TILE_WIDTH**level)
    if edge.root() != checkpoint.root:
        raise VerificationError(
            "the {size} entries have the root {computed}, but the checkpoint says {root}",
            size=checkpoint.size,
            computed=edge.root(),
            root=checkpoint.root,
        )


# Other files


def _verify_other_files(directory: Path, size: int) -> tuple[int, tuple[str, ...]]:
    """Compare older partial tiles with the present ones. Returns their number, and what the
    checkpoint says nothing about.
    """
    older, beyond = 0, []
    for path in _files_under_tile(directory):
        try:
            name = parse_tile_path(path)
        except VerificationError:
            beyond.append(path)
            continue
        width = tile_width(name.level or 0, name.number, size)
        if name.width < width:
            with locate("{file}", file=path):
                _verify_older_tile(directory, name, width)
            older += 1
        elif name.width > width:
            beyond.append(path)
    return older, tuple(beyond)


def _files_under_tile(directory: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(directory / "tile"):
        folders.sort()
        for file in sorted(files):
            yield (Path(folder) / file).relative_to(directory).as_posix()


def _verify_older_tile(directory: Path, name: TileName, width: int) -> None:
    present = TileName(level=name.level, number=name.number, width=width)
    if name.level is None:
        same = read_bundle(directory, name)[1] == read_bundle(directory, present)[1][: name.width]
    else:
        same = _read_hashes(directory, name) == _read_hashes(directory, present)[: name.width]
    if not same:
        raise VerificationError("it is not the beginning of {present}", present=present.path)


# What was seen before


def _verify_pins(
    directory: Path, checkpoint: Checkpoint, tree: TreePass, trust: Trust, report: Report
) -> dict[int, bytes]:
    """Roots at the sizes of the pins, each as it was seen, in a pass of their own: a step where
    there are any.
    """
    pins = [pin for pin in trust.pins_of(checkpoint.origin) if pin.size < checkpoint.size]
    if not pins:
        return {}
    with report.step("What you saw of the log before is the beginning of it"):
        earlier, edge = EarlierRoots(pin.size for pin in pins), CompactRange()
        for name in bundle_names(max(pin.size for pin in pins)):
            # As wide as the tree has it: an older partial bundle need not lie there.
            present = TileName(
                level=None,
                number=name.number,
                width=tile_width(0, name.number, checkpoint.size),
            )
            with locate("{file}", file=present.path):
                hashes = [leaf_hash(entry) for entry in _unchanged(directory, present, tree)]
            earlier.take(edge, hashes)
            edge.append_all(hashes)
        for pin in pins:
            require_root(pin, earlier.roots[pin.size])
    return earlier.roots


def _unchanged(directory: Path, name: TileName, tree: TreePass) -> list[bytes]:
    """The entries of a bundle that the first pass has hashed."""
    raw, entries = read_bundle(directory, name)
    if sha256(raw).digest() != tree.bundle_digests[name.number]:
        raise VerificationError("the file changed while it was being verified")
    return entries


# Pass 2: the rules


def _replay(directory: Path, signed: SignedCheckpoint, tree: TreePass) -> State:
    """Apply the rules to each entry in order; the first that breaks one is named with its index and
    file.
    """
    state = State(origin=signed.checkpoint.origin, complete=True)
    for name in bundle_names(signed.checkpoint.size):
        with locate("{file}", file=name.path):
            for index, entry in enumerate(_unchanged(directory, name, tree), name.index_start):
                with locate("entry {index}", index=index):
                    apply(state, parse_entry(entry), index)
    return state
