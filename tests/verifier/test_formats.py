"""Parsers of the C2SP formats against the published cases."""

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.checkpoint import parse_checkpoint, verify_checkpoint
from greenledger_verify.failure import UnusableInput, VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.merkle import verify_consistency
from greenledger_verify.note import COSIGNATURE_V1, open_note, parse_note, parse_vkey
from greenledger_verify.report import Report
from greenledger_verify.tiles import TileName, number_path, parse_tile_path, tile_width
from greenledger_verify.tlogproof import parse_tlog_proof
from greenledger_verify.trust import Trust, trust_of
from tests.verifier import forge


def load(shared: Path, name: str) -> Any:
    return json.loads((shared / "vectors" / name).read_text())


def test_published_notes(shared: Path) -> None:
    for case in load(shared, "signed_note.json")["open_cases"]:
        raw, keys = base64.b64decode(case["msg_b64"]), [parse_vkey(v) for v in case["vkeys"]]
        if case["valid"]:
            verified = open_note(parse_note(raw), keys)
            assert [one.key.name for one in verified] == case["sigs"], case["desc"]
        else:
            with pytest.raises(VerificationError):
                open_note(parse_note(raw), keys)


def test_published_vkeys(shared: Path) -> None:
    published = load(shared, "signed_note.json")
    for case in published["vkey_cases"]:
        if case["valid"]:
            assert parse_vkey(case["vkey"]).vkey == case["vkey"]
        else:
            with pytest.raises(VerificationError):
                parse_vkey(case["vkey"])
    for case in published["cosig_vkeys"]:
        assert parse_vkey(case["vkey"]).kind == case["type"]


def test_published_vkey_mutations(shared: Path) -> None:
    good = load(shared, "signed_note.json")["vkey_cases"][0]["vkey"]
    parts = {good[i:j] for i in range(len(good)) for j in range(i, len(good) + 1)} - {good}
    changed = {good[:i] + chr(ord(good[i]) + 1) + good[i + 1 :] for i in range(len(good))}
    for bad in parts | changed:
        with pytest.raises(VerificationError):
            parse_vkey(bad)


def test_published_signing_case(shared: Path) -> None:
    case = load(shared, "signed_note.json")["sign_case"]
    assert parse_note(case["want"].encode()).text == case["text"].encode()


def test_published_checkpoints(shared: Path) -> None:
    for case in load(shared, "checkpoint_parse.json")["cases"]:
        # The root of the first case has 6 bytes; its note leaves a parser for SHA-256 the choice to
        # refuse it.
        if case["valid"] and "not 32 bytes" not in case["note"]:
            checkpoint = parse_checkpoint(case["text"])
            assert list(checkpoint.extensions) == case["text"].split("\n")[3:-1]
        else:
            with pytest.raises(VerificationError):
                parse_checkpoint(case["text"])


def test_published_tlog_proofs(shared: Path) -> None:
    published = load(shared, "tlog_proof_format.json")
    for case in published["marshal"]:
        proof = parse_tlog_proof(case["want"].encode())
        assert proof.index == case["index"]
        assert [base64.b64encode(h).decode() for h in proof.path] == (case["hashes"] or [])
        assert proof.checkpoint.decode() == case["checkpoint"]
        assert proof.extra == (case["extra"].encode() if case["extra"] else None)
    for case in published["unmarshal_errors"]:
        with pytest.raises(VerificationError):
            parse_tlog_proof(case["text"].encode())


def test_published_tile_paths(shared: Path) -> None:
    published = load(shared, "tile_paths.json")
    for case in published["EntriesPathForLogIndex"]:
        number = case["seq"] // 256
        name = TileName(level=None, number=number, width=tile_width(0, number, case["logSize"]))
        assert name.path == case["wantPath"]
    for case in published["EntriesPath"]:
        name = TileName(level=None, number=case["N"], width=case.get("p") or 256)
        assert name.path == case["wantPath"]
    for case in published["TilePath"]:
        name = TileName(level=case["level"], number=case["index"], width=case.get("p") or 256)
        assert name.path == case["wantPath"]
    assert number_path(1234067) == published["c2sp_examples"]["1234067"]


def test_published_tile_path_parsing(shared: Path) -> None:
    for case in load(shared, "tile_paths.json")["ParseTileLevelIndexPartial"]:
        path = f"tile/{case['pathLevel']}/{case['pathIndex']}"
        if case.get("wantErr"):
            with pytest.raises(VerificationError):
                parse_tile_path(path)
        else:
            wanted = (case["wantLevel"], case["wantIndex"], case["wantP"] or 256)
            name = parse_tile_path(path)
            assert (name.level, name.number, name.width) == wanted
            assert name.path == path


def test_published_tile_counts(shared: Path) -> None:
    for key, levels in load(shared, "tile_paths.json")["c2sp_examples"].items():
        if not key.startswith("tree_"):
            continue
        size = int(key.removeprefix("tree_"))
        for level in range(4):
            widths: list[int] = []
            while width := tile_width(level, len(widths), size):
                widths.append(width)
            wanted = levels.get(f"L{level}", {})
            assert widths.count(256) == wanted.get("full", 0)
            assert sum(w for w in widths if w < 256) == wanted.get("partial", 0)


def test_published_log(shared: Path, tmp_path: Path) -> None:
    """The whole published log at each of its sizes: every tile, every bundle, every checkpoint."""
    published = load(shared, "tessera_testlog.json")
    files = {name: base64.b64decode(raw) for name, raw in published["files_base64"].items()}
    for name, raw in files.items():
        forge.write(tmp_path / name, raw)
    trust = trust_of([published["vkey"]])
    for size in range(16):
        (tmp_path / "checkpoint").write_bytes(files[f"checkpoint.{size}"])
        log = verify_log(tmp_path, trust, Report())
        assert log.signed.checkpoint.size == size
        assert log.state is None
        assert log.older_tiles == 2 * max(0, size - 1)
        assert len(log.files_beyond) == 30 - 2 * size


@pytest.mark.parametrize("seed", range(60))
def test_published_log_flipped(shared: Path, tmp_path: Path, seed: int) -> None:
    published = load(shared, "tessera_testlog.json")
    names = [n for n in published["files_base64"] if not n.startswith("checkpoint.")]
    chance = random.Random(seed)
    victim = chance.choice(names)
    for name in names:
        raw = bytearray(base64.b64decode(published["files_base64"][name]))
        if name == victim:
            raw[chance.randrange(len(raw))] ^= chance.randrange(1, 256)
        forge.write(tmp_path / name, bytes(raw))
    with pytest.raises(
        VerificationError, match="checkpoint" if victim == "checkpoint" else "tile/"
    ):
        verify_log(tmp_path, trust_of([published["vkey"]]), Report())


def test_published_cosignatures(shared: Path) -> None:
    """The log keys of these checkpoints are of other types, so they are opened as notes."""
    for case in load(shared, "cosignature_sunlight.json")["cases"]:
        key = parse_vkey(case["vkey"])
        assert key.kind == COSIGNATURE_V1
        note = parse_note(case["checkpoint"].encode())
        (verified,) = open_note(note, [key])
        assert verified.time_s is not None
        assert 1_700_000_000 < verified.time_s < 1_900_000_000
        with pytest.raises(VerificationError, match="does not fit"):
            open_note(parse_note(case["checkpoint"].replace("\n300\n", "\n301\n").encode()), [key])


# Checkpoints of our own making


def trusted(*vkeys: str) -> Trust:
    return trust_of(vkeys or [forge.LOG.vkey])


def test_witnesses() -> None:
    log = forge.park().log
    cosigned = log.checkpoint() + forge.WITNESS.cosignature_line(log.checkpoint_text(), forge.START)
    vkey = forge.WITNESS.vkey_of(4)
    assert verify_checkpoint(cosigned, trusted()).cosignatures == ()
    (one,) = verify_checkpoint(cosigned, trusted(forge.LOG.vkey, vkey)).cosignatures
    assert (one.key.vkey, one.time_s) == (vkey, forge.START)
    later = forge.WITNESS.cosignature_line(log.checkpoint_text(3), forge.START)
    with pytest.raises(VerificationError, match=r"witness\.example .* does not fit"):
        verify_checkpoint(log.checkpoint() + later, trusted(forge.LOG.vkey, vkey))


def test_a_witness_alone_is_not_the_log() -> None:
    log = forge.park().log
    text = log.checkpoint_text()
    raw = text + b"\n" + forge.WITNESS.cosignature_line(text, forge.START)
    with pytest.raises(VerificationError, match=r"the key of the log .* has not signed"):
        verify_checkpoint(raw, trusted(forge.LOG.vkey, forge.WITNESS.vkey_of(4)))


def test_an_unsigned_log_is_not_trusted() -> None:
    checkpoint = forge.park().log.checkpoint()
    elsewhere = forge.Key("elsewhere", "log").vkey
    with pytest.raises(VerificationError, match=r"of the log park\.example/log; you trust else"):
        verify_checkpoint(checkpoint, trusted(elsewhere))
    impostor = forge.Key(forge.ORIGIN, "not the log").vkey
    with pytest.raises(VerificationError, match="no signature by a key you trust"):
        verify_checkpoint(checkpoint, trusted(impostor))


def test_an_empty_log_has_the_empty_root() -> None:
    text = forge.Log().checkpoint_text()
    verify_checkpoint(forge.note(text, forge.LOG), trusted())
    bad = text.replace(b"47DEQ", b"57DEQ")
    with pytest.raises(VerificationError, match="root is not that of the empty tree"):
        verify_checkpoint(forge.note(bad, forge.LOG), trusted())


GOOD_TRUST = f'[[log]]\norigin = "{forge.ORIGIN}"\nvkey = "{forge.LOG.vkey}"\n'


def test_trust_file() -> None:
    trust = trust_of([], GOOD_TRUST.encode())
    assert [key.vkey for key in trust.keys_of(forge.ORIGIN)] == [forge.LOG.vkey]


@pytest.mark.parametrize(
    "toml",
    [
        b"",
        b"\xff",
        b"log = 1",
        b"log = [1]",
        b"[[log]]\norigin = 'x'",
        b"[[log]]\norigin = 1\nvkey = 2",
        b"[[log]]\norigin = 'x'\nvkey = 'y'",
        b"a = " + b"[" * 100_000,
        b"a = " + b"9" * 100_000,
        GOOD_TRUST.encode() + b"more = 1\n",
        f'[[log]]\norigin = "x"\nvkey = "{forge.WITNESS.vkey_of(4)}"\n'.encode(),
    ],
)
def test_bad_trust_files(toml: bytes) -> None:
    with pytest.raises(UnusableInput):
        trust_of([], toml)


def test_trust_must_be_given() -> None:
    with pytest.raises(UnusableInput, match="no log key"):
        trust_of([forge.WITNESS.vkey_of(4)])
    with pytest.raises(UnusableInput, match="--vkey"):
        trust_of(["nonsense"])


def test_published_conversation_with_a_witness(shared: Path) -> None:
    """Each request judged as a verifier would: who signed, and whether the tree was extended."""
    published = load(shared, "witness_litewitness.json")
    origin = published["log"]["origin"]
    raw = b"\x01" + bytes.fromhex(published["log"]["ed25519_pubkey_hex"])
    key_id = forge.sha256(origin.encode() + b"\n" + raw)[:4]
    trust = trusted(f"{origin}+{key_id.hex()}+{base64.b64encode(raw).decode()}")
    roots: dict[int, bytes] = {}
    judged = []
    for request in published["sequence"]:
        head, _, note = request["body"].partition("\n\n")
        old, *path = head.split("\n")
        try:
            checkpoint = verify_checkpoint(note.encode(), trust).checkpoint
        except VerificationError:
            judged.append(403)
            continue
        old_size = int(old.removeprefix("old "))
        if old_size != max(roots, default=0):
            judged.append(409)
            continue
        try:
            if old_size:
                verify_consistency(
                    size1=old_size,
                    size2=checkpoint.size,
                    root1=roots[old_size],
                    root2=checkpoint.root,
                    path=[base64.b64decode(line) for line in path],
                )
        except VerificationError:
            judged.append(422)
            continue
        roots[checkpoint.size] = checkpoint.root
        judged.append(200)
    assert judged == [request["status"] for request in published["sequence"]]
    assert judged.count(200) == 3
