"""Disclosure packs: what is accepted is within bounds and as its manifest says; what is not, is
refused with words, by the verifier and by the ledger."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from greenledger_verify.pack import judge_pack
from greenledger_verify.report import Report
from ledger.disclosure.archive import manifest_bytes, read_pack
from tests.fuzz import mutate
from tests.fuzz.engine import Target
from tests.fuzz.shown import plain_evidence
from tests.fuzz.signed import TRUST, ours, theirs
from tests.verifier.forge_attacks import claimed
from tests.verifier.forge_certified import simple

ABOUT: Final = {"organisation": "mill", "year": "2026"}
NAMES: Final = (
    "../out",
    "/abs",
    "a\\b",
    "manifest.json",
    "opening.json",
    "evidence/x",
    "B",
    "a//b",
)


def scratch() -> Path:
    """The verifier reads files; a run may be shared by several processes."""
    return Path(tempfile.gettempdir()) / f"greenledger-fuzz-{os.getpid()}.zip"


def archive(files: Sequence[tuple[str, bytes]]) -> bytes:
    made = io.BytesIO()
    # A name twice is what is wanted.
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as found,
    ):
        for name, data in files:
            found.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def pack(files: Sequence[tuple[str, bytes]]) -> bytes:
    """With a manifest that names them as they are."""
    named = [
        {"id": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in files
    ]
    return archive(
        [*files, ("manifest.json", manifest_bytes("park", 3, ABOUT, named[:1], named[1:]))]
    )


def inputs() -> list[bytes]:
    plain = [("claims.json", b"{}\n"), ("csv/claims.csv", b"\xef\xbb\xbfa,b\r\n")]
    return [
        pack(plain),
        pack([*plain, ("evidence/a.evidence.json", claimed().evidence("total").raw())]),
        pack([*plain, ("evidence/b.evidence.json", simple().evidence("total").raw())]),
    ]


def spoil(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A file's name or bytes changed, with or without its line in the manifest; the manifest's
    values; one file more or twice; or bytes of the archive."""
    way = chance.random()
    if way < 0.4:
        return mutate.binary(raw, others, chance)
    with zipfile.ZipFile(io.BytesIO(raw)) as found:
        files = [(name, found.read(name)) for name in found.namelist()]
    at = chance.randrange(len(files))
    name, data = files[at]
    if way < 0.5:
        files[at] = chance.choice(NAMES), data
    elif way < 0.6:
        files.insert(at, (chance.choice((name + "x", *NAMES)), data))
    elif way < 0.8:
        at = next(place for place, one in enumerate(files) if one[0] == "manifest.json")
        value = mutate.value(json.loads(files[at][1]), chance)
        files[at] = "manifest.json", mutate.compact(value) + b"\n"
    else:
        files[at] = name, mutate.binary(data, [one for _, one in files], chance)
        if way < 0.9:
            return pack([one for one in files if one[0] != "manifest.json"])
    return archive(files)


@cache
def wanted() -> frozenset[str]:
    made = (claimed().evidence("total"), simple().evidence("total"))
    return frozenset(plain_evidence(one.raw()) for one in made)


def judge(data: bytes) -> bool:
    path = scratch()
    path.write_bytes(data)
    try:
        ours(lambda: read_pack(path))

        def judged() -> bool:
            judge_pack(path, None, TRUST, Report())
            return True

        if not theirs(judged):
            return False
    finally:
        path.unlink()
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        files = {name: found.read(name) for name in found.namelist()}
    said = json.loads(files.pop("manifest.json"))
    assert {one["file"]: one["sha256"] for one in said["files"]} == {
        name: hashlib.sha256(one).hexdigest() for name, one in files.items()
    }, "files that the manifest does not name"
    for name, one in files.items():
        assert not name.startswith(("/", ".")), name
        assert ".." not in name.split("/"), name
        if name.startswith("evidence/"):
            assert plain_evidence(one) in wanted(), "evidence that nobody made"
    return True


TARGETS: Final = (Target(name="pack", corpus=inputs, judge=judge, mutate=spoil, share=25),)
