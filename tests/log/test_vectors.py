"""Published vectors against the prover's side: what we make is byte for byte what others made.

What does not apply to a prover is listed in NOT_OURS, with the reason.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import InvalidInput
from ledger.log import checkpoint as cp
from ledger.log import merkle, notes, tiles

NOT_OURS = {
    "merkle_inclusion.json: cases that want an error": "they judge a verifier; a prover can't err",
    "merkle_consistency.json: cases that want an error": "the same",
    "rfc6962_constants.json: covering": "no proof of ours spans a subtree that is not the tree",
    "rfc6962_constants.json: consistency of subtrees": "the same; test_merkle has whole trees",
    "tile_paths.json: ParseTileLevelIndexPartial": "the ledger writes tile paths, it reads none",
    "cosignature_sunlight.json": "witnesses come with the next issue; the verifier has them",
    "witness_litewitness.json": "the witness answers it, in tests/watching",
    "rfc3161_fixtures.json": "time-stamps come with the next issue",
}
# `root is not 32 bytes`: transparency-dev/formats accepts it, our parser is for SHA-256 only.
STRICTER_ON_CHECKPOINTS = {"valid one"}


def load(shared: Path, name: str) -> Any:
    return json.loads((shared / "vectors" / name).read_text())


def refuses(parse: Callable[[Any], object], value: Any) -> bool:
    try:
        parse(value)
    except InvalidInput:
        return True
    return False


def constant_leaves(shared: Path) -> list[bytes]:
    inputs = load(shared, "rfc6962_constants.json")["leaf_inputs_hex"]
    return merkle.leaf_hashes(bytes.fromhex(raw) for raw in inputs)


def fetched(leaves: list[bytes]) -> tiles.TileNodes:
    """Nodes as the ledger has them: from tiles, when it asks."""
    edge, full = tiles.extend(tiles.EMPTY_EDGE, leaves)
    stored = {(tile.level, tile.number): tile.hashes for tile in full}
    return tiles.TileNodes(edge, lambda level, number: stored[level, number])


def test_every_vector_file_is_used_or_named(shared: Path) -> None:
    source = Path(__file__).read_text()
    files = sorted(path.name for path in (shared / "vectors").glob("*.json"))
    assert len(files) == 11
    assert [name for name in files if name not in source] == []


def test_rfc6962_constants(shared: Path) -> None:
    published = load(shared, "rfc6962_constants.json")
    leaves = constant_leaves(shared)
    assert merkle.EMPTY_ROOT.hex() == merkle.root([]).hex() == published["empty_root"]
    assert len(published["roots_by_size_1_to_8"]) == len(leaves) == 8
    growing = merkle.CompactRange()
    for size, root in enumerate(published["roots_by_size_1_to_8"], 1):
        growing.append(leaves[size - 1])
        assert merkle.root(leaves[:size]).hex() == growing.root().hex() == root
    nodes = fetched(leaves)
    for level, row in enumerate(published["node_hashes_by_level"]):
        assert [nodes(level, index).hex() for index in range(len(row))] == row


def test_rfc6962_hasher(shared: Path) -> None:
    seen = 0
    for case in load(shared, "rfc6962_constants.json")["hasher"]:
        if "leaf_ascii" in case:
            assert merkle.leaf_hash(case["leaf_ascii"].encode()).hex() == case["want"]
        elif "left_ascii" in case:
            left, right = case["left_ascii"].encode(), case["right_ascii"].encode()
            assert merkle.node_hash(left, right).hex() == case["want"]
        else:
            assert merkle.EMPTY_ROOT.hex() == case["want"]
        seen += 1
    assert seen == 4


def subtrees(size: int) -> Iterator[tuple[int, int]]:
    """(start, end) of every valid subtree, in the order of the vectors."""
    for end in range(size + 1):
        for start in range(end + 1):
            ceiling = 1
            while ceiling < end - start:
                ceiling *= 2
            if end == start or start % ceiling == 0:
                yield start, end


def test_accumulated_subtrees(shared: Path) -> None:
    """Every subtree of 130 leaves: roots through tiles, paths through the prover."""
    published = load(shared, "rfc6962_constants.json")["accumulated_subtree_vectors"]
    leaves = merkle.leaf_hashes(bytes([i]) for i in range(130))
    whole = fetched(leaves)
    roots, paths = hashlib.sha256(), hashlib.sha256()
    for start, end in subtrees(130):
        size = end - start
        root = merkle.range_root(start, size, whole) if size else merkle.EMPTY_ROOT
        roots.update(f"[{start}, {end}) {root.hex()}\n".encode())
        part = fetched(leaves[start:end])
        for index in range(size):
            path = merkle.inclusion_path(index, size, part)
            words = [f"{start + index} [{start}, {end})", *(hash_.hex() for hash_ in path)]
            paths.update(" ".join(words).encode() + b"\n")
    assert roots.hexdigest() == published["sha256_of_all_lines"]["hash"]
    assert paths.hexdigest() == published["sha256_of_all_lines"]["inclusion"]


def test_published_inclusion_proofs_are_the_ones_we_make(shared: Path) -> None:
    leaves = constant_leaves(shared)
    cases = [c for c in load(shared, "merkle_inclusion.json")["cases"] if not c["wantErr"]]
    assert len(cases) == 6
    for case in cases:
        size, index = case["treeSize"], case["leafIdx"]
        # Two trees of one leaf have a leaf of their own.
        part = [base64.b64decode(case["leafHash"])] if size == 1 else leaves[:size]
        made = merkle.inclusion_path(index, size, fetched(part))
        assert base64.b64encode(part[index]).decode() == case["leafHash"]
        assert [base64.b64encode(hash_).decode() for hash_ in made] == (case["proof"] or [])
        assert base64.b64encode(merkle.root(part)).decode() == case["root"]


def test_published_consistency_proofs_are_the_ones_we_make(shared: Path) -> None:
    leaves = constant_leaves(shared)
    cases = [c for c in load(shared, "merkle_consistency.json")["cases"] if not c["wantErr"]]
    assert len(cases) == 6
    compared = 0
    for case in cases:
        old, new = case["size1"], case["size2"]
        made = merkle.consistency_path(old, new, fetched(leaves[:new]))
        assert [base64.b64encode(hash_).decode() for hash_ in made] == (case["proof"] or [])
        if len(base64.b64decode(case["root1"])) != 32:
            assert base64.b64decode(case["root1"]).startswith(b"don't care")
            continue
        assert base64.b64encode(merkle.root(leaves[:old])).decode() == case["root1"]
        assert base64.b64encode(merkle.root(leaves[:new])).decode() == case["root2"]
        compared += 1
    assert compared == 5


def opened_by(message: bytes, vkeys: list[str]) -> list[str]:
    """Names of the known keys that signed; InvalidInput where one of them did not."""
    note = notes.parse_note(message)
    known = {(key.name, key.key_id): key for key in map(notes.parse_vkey, vkeys)}
    names = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            if not key.verify(note.text, signature.blob):
                raise InvalidInput(f"{key.name} did not sign")
            names.append(key.name)
    if not names:
        raise InvalidInput("nobody known signed")
    return names


def test_signed_notes(shared: Path) -> None:
    cases = load(shared, "signed_note.json")["open_cases"]
    assert len(cases) == 16
    for case in cases:
        message = base64.b64decode(case["msg_b64"])
        if case["valid"]:
            assert opened_by(message, case["vkeys"]) == case["sigs"], case["desc"]
        else:
            with pytest.raises(InvalidInput):
                opened_by(message, case["vkeys"])


def skey(text: str) -> notes.SigningKey:
    """Go's `PRIVATE+KEY+name+id+base64(0x01 ‖ seed)`."""
    name, key_id, blob = text.removeprefix("PRIVATE+KEY+").split("+", 2)
    key = notes.SigningKey.from_seed(name, base64.b64decode(blob)[1:])
    assert key.verify_key.key_id.hex() == key_id
    return key


def test_signing_is_byte_for_byte(shared: Path) -> None:
    case = load(shared, "signed_note.json")["sign_case"]
    assert notes.sign_note(case["text"].encode(), skey(case["skey"])) == case["want"].encode()


def test_vkeys(shared: Path) -> None:
    published = load(shared, "signed_note.json")
    for case in published["vkey_cases"]:
        assert refuses(notes.parse_vkey, case["vkey"]) is not case["valid"], case
    peter = published["vkey_cases"][0]["vkey"]
    assert notes.parse_vkey(peter).vkey == peter
    mutations = [peter[:end] for end in range(len(peter))]
    mutations += [peter[begin:] for begin in range(1, len(peter))]
    mutations += [
        peter[:at] + chr(ord(peter[at]) + 1) + peter[at + 1 :] for at in range(len(peter))
    ]
    accepted = [vkey for vkey in mutations if not refuses(notes.parse_vkey, vkey)]
    assert accepted == []


def test_only_plain_ed25519_keys_are_ours(shared: Path) -> None:
    for case in load(shared, "signed_note.json")["cosig_vkeys"]:
        assert refuses(notes.parse_vkey, case["vkey"]) is (case["type"] != 1), case


def test_checkpoints(shared: Path) -> None:
    cases = load(shared, "checkpoint_parse.json")["cases"]
    assert len(cases) == 12
    stricter = set()
    for case in cases:
        refused = refuses(lambda text: cp.parse_checkpoint(text.encode()), case["text"])
        if case["valid"] and refused:
            stricter.add(case["desc"])
        else:
            assert refused is not case["valid"], case["desc"]
    assert stricter == STRICTER_ON_CHECKPOINTS


def test_tlog_proofs_are_written_as_published(shared: Path) -> None:
    cases = load(shared, "tlog_proof_format.json")["marshal"]
    assert len(cases) == 3
    for case in cases:
        proof = cp.TlogProof(
            index=case["index"],
            path=tuple(base64.b64decode(hash_) for hash_ in case["hashes"]),
            checkpoint=case["checkpoint"].encode(),
            extra=None if case["extra"] is None else case["extra"].encode(),
        )
        assert proof.encode() == case["want"].encode()
        assert cp.parse_tlog_proof(case["want"].encode()) == proof


def test_broken_tlog_proofs_are_refused(shared: Path) -> None:
    cases = load(shared, "tlog_proof_format.json")["unmarshal_errors"]
    assert len(cases) == 8
    for case in cases:
        assert refuses(cp.parse_tlog_proof, case["text"].encode()), case["why"]


def test_tile_paths(shared: Path) -> None:
    published = load(shared, "tile_paths.json")
    for case in published["EntriesPathForLogIndex"]:
        number = case["seq"] // 256
        width = min(case["logSize"] - number * 256, 256) % 256
        assert tiles.entries_path(number, width) == case["wantPath"]
    for case in published["EntriesPath"]:
        assert tiles.entries_path(case["N"], case.get("p", 0)) == case["wantPath"]
    for case in published["TilePath"]:
        path = tiles.tile_path(case["level"], case["index"], case.get("p", 0))
        assert path == case["wantPath"]
    for case in published["NWithSuffix"]:
        assert tiles.number_path(case["index"], case.get("p", 0)) == case["wantPath"]


@pytest.mark.parametrize("size", [256, 70_000])
def test_the_tiles_of_a_tree(shared: Path, size: int) -> None:
    wanted = load(shared, "tile_paths.json")["c2sp_examples"][f"tree_{size}"]
    leaf = merkle.leaf_hash(b"")
    edge, full = tiles.extend(tiles.EMPTY_EDGE, [leaf] * size)
    for level, counts in wanted.items():
        number = int(level.removeprefix("L"))
        assert len([tile for tile in full if tile.level == number]) == counts.get("full", 0)
        partial = edge.pending[number] if number < len(edge.pending) else ()
        assert len(partial) == counts.get("partial", 0)


def test_tessera_log_is_rebuilt_byte_for_byte(shared: Path) -> None:
    """Its 15 entries and its key give each of its 47 files: checkpoints, tiles, bundles."""
    published = load(shared, "tessera_testlog.json")
    key = skey(published["skey_test_only"])
    assert key.verify_key.vkey == published["vkey"]
    entries = [text.encode() for text in published["entries"]]
    files: dict[str, bytes] = {}
    edge = tiles.EMPTY_EDGE
    for size in range(len(entries) + 1):
        if size:
            edge, full = tiles.extend(edge, [merkle.leaf_hash(entries[size - 1])])
            assert full == []
            files[tiles.tile_path(0, 0, size)] = b"".join(edge.pending[0])
            files[tiles.entries_path(0, size)] = tiles.bundle(entries[:size])
        root = merkle.tree_root(size, tiles.TileNodes(edge, lambda _level, _number: b""))
        signed = cp.Checkpoint(origin=published["origin"], size=size, root=root)
        files[f"checkpoint.{size}"] = notes.sign_note(signed.text, key)
        assert cp.open_checkpoint(files[f"checkpoint.{size}"], key.verify_key) == signed
    files["checkpoint"] = files[f"checkpoint.{len(entries)}"]
    wanted = {name: base64.b64decode(data) for name, data in published["files_base64"].items()}
    assert len(wanted) == 47
    assert sorted(files) == sorted(wanted)
    for name, data in wanted.items():
        assert files[name] == data, name
