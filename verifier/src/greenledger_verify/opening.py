"""Opening files (formats.md §5): an entry, a reading or an allocation, shown with all that it rests
on.

``verify_opening`` judges and ``explain_opening`` says what that means; see there for what stays
open.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from greenledger_verify.authority import verify_authority
from greenledger_verify.bodies import verify_body
from greenledger_verify.checkpoint import SignedCheckpoint, verify_checkpoint
from greenledger_verify.encoding import decode_base64, decode_hex
from greenledger_verify.entry import Entry, parse_entry
from greenledger_verify.failure import VerificationError, locate, unusable
from greenledger_verify.leaves import (
    ALLOCATION_SIZE,
    READING_SIZE,
    Allocation,
    Reading,
    parse_allocation,
    parse_reading,
)
from greenledger_verify.logkeys import read_log_keys
from greenledger_verify.members import (
    Check,
    check_members,
    hash_hex,
    integer,
    list_of,
    object_of,
    one_of,
    pattern,
    text,
)
from greenledger_verify.merkle import leaf_hash, verify_inclusion
from greenledger_verify.opened import OpenedBody, Opening
from greenledger_verify.pins import require_pins
from greenledger_verify.policy import require_independent, require_policy
from greenledger_verify.report import Report
from greenledger_verify.rules import apply
from greenledger_verify.state import Party, RegisteredKey, State
from greenledger_verify.strict_json import parse_object
from greenledger_verify.trust import Trust

FORMAT: Final = "greenledger-opening/v1"
_FILE_DEPTH_MAX: Final = 6
_PATH_HASHES_MAX: Final = 63
_ANY = 2**31

_PATH = list_of(hash_hex)
_MEMBERS: Final[dict[str, Check]] = {
    "format": one_of(FORMAT),
    "kind": one_of("entry", "reading", "allocation"),
    "checkpoint": text(1, _ANY),
    "entries": list_of(object_of({"index": integer(0), "note": text(1, _ANY), "path": _PATH})),
    "bodies": list_of(object_of({"hash": hash_hex, "base64": text(0, _ANY)})),
}
_LEAF: Final[Check] = object_of(
    {"bytes": pattern("[0-9a-f]*", "hex"), "index": integer(0), "path": _PATH}
)
_LEAF_OF: Final = {
    "reading": (READING_SIZE, ("readings", "readings.correction")),
    "allocation": (ALLOCATION_SIZE, ("match.run",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenEntry:
    """An entry of the file as it stands there, before anything is verified."""

    index: int
    raw: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerLeaf:
    raw: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningFile:
    """The file taken apart: subject first in ``entries``, ``bodies`` by their hash."""

    kind: str
    checkpoint: bytes
    entries: tuple[ProvenEntry, ...]
    leaf: InnerLeaf | None
    bodies: dict[str, bytes]


def parse_opening(raw: bytes) -> OpeningFile:
    """Take the file apart. Whatever is wrong with its form makes it unusable; nothing is verified
    yet.
    """
    with unusable("opening file"):
        value = parse_object(raw, depth_max=_FILE_DEPTH_MAX)
        _require_one_form(raw, value)
        leaf = {"leaf": _LEAF} if value.get("kind") in ("reading", "allocation") else {}
        check_members(value, {**_MEMBERS, **leaf})
        entries = tuple(_proven_entry(item) for item in _objects(value["entries"]))
        if not entries:
            raise VerificationError("the file holds no entry")
        return OpeningFile(
            kind=str(value["kind"]),
            checkpoint=str(value["checkpoint"]).encode(),
            entries=entries,
            leaf=_inner_leaf(value["leaf"]) if leaf else None,
            bodies=_bodies(value["bodies"]),
        )


def _require_one_form(raw: bytes, value: dict[str, object]) -> None:
    """No blank outside of strings, no escape that is not needed, one line: two files that say the
    same are the same bytes, so that no byte can be changed unseen.
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    if written.encode() != raw:
        raise VerificationError(
            "the file is not written in the one way that JSON of this format is written"
        )


def verify_opening(file: OpeningFile, trust: Trust, report: Report) -> Opening:
    """Verify an opening against the trust roots, step by step; the steps are those of the report.

    1. The trusted log key signed the checkpoint.
    2. Each entry is in that log, at its index.
    3. The last entry (or the subject) is the genesis: entry 0, signed by the log's key and the
       operator's first key.
    4. Each signature is by a key that an earlier entry of the file registered, back to the genesis.
    5. The leaf is in the subject's batch or run.
    6. Each opened body is what an entry of the file commits to.

    Where there are pins, or a policy, steps about these follow 1 and 6.
    """
    with report.step("The checkpoint is signed by the log key that you brought"):
        log_keys = read_log_keys((entry.index, entry.raw) for entry in file.entries)
        signed = verify_checkpoint(file.checkpoint, trust, lambda _size: log_keys)
    require_pins(signed.checkpoint, trust, report)
    with report.step(
        "Each of the {count} entries of the file is in that log", count=len(file.entries)
    ):
        _verify_inclusions(file, signed)
    with report.step("The file ends in the genesis, entry 0 of the log"):
        entries = _parse_entries(file)
        _require_genesis_last(file)
    with report.step(
        "Each signature is by a key that the log registered before, in a chain that ends in the "
        "genesis"
    ):
        signer, party, state = _replay(file, entries, signed)
    subject_index, subject = file.entries[0].index, entries[file.entries[0].index]
    leaf: Reading | Allocation | None = None
    if file.leaf is not None:
        with report.step("The leaf is in the tree that the subject commits to"):
            leaf = _verify_leaf(file.kind, file.leaf, subject)
    with report.step(
        "Each of the {count} opened bodies is what an entry of the file commits to",
        count=len(file.bodies),
    ):
        bodies = verify_bodies(file.bodies, entries)
    opening = Opening(
        kind=file.kind,
        signed=signed,
        index=subject_index,
        subject=subject,
        signer=signer,
        party=party,
        state=state,
        leaf=leaf,
        bodies=bodies,
    )
    with report.step("The author may say this, as far as the opened bodies show"):
        verify_authority(opening)
    require_independent(signed.cosignatures, state.public_keys, report)
    require_policy(signed.cosignatures, (), trust, report)
    return opening


def _objects(value: object) -> Iterable[dict[str, object]]:
    assert isinstance(value, list)
    return value


def _proven_entry(item: dict[str, object]) -> ProvenEntry:
    index, note = item["index"], item["note"]
    assert isinstance(index, int)
    assert isinstance(note, str)
    return ProvenEntry(index=index, raw=note.encode(), path=_path(item["path"]))


def _inner_leaf(value: object) -> InnerLeaf:
    assert isinstance(value, dict)
    raw = decode_hex(value["bytes"], len(value["bytes"]) // 2)
    return InnerLeaf(raw=raw, index=value["index"], path=_path(value["path"]))


def _path(value: object) -> tuple[bytes, ...]:
    assert isinstance(value, list)
    if len(value) > _PATH_HASHES_MAX:
        raise VerificationError(
            "the path has {given} hashes, more than any tree needs", given=len(value)
        )
    return tuple(bytes.fromhex(item) for item in value)


def _bodies(value: object) -> dict[str, bytes]:
    bodies: dict[str, bytes] = {}
    for item in _objects(value):
        if str(item["hash"]) in bodies:
            raise VerificationError("body {hash} stands twice in the file", hash=item["hash"])
        bodies[str(item["hash"])] = decode_base64(str(item["base64"]))
    return bodies


def _verify_inclusions(file: OpeningFile, signed: SignedCheckpoint) -> None:
    for entry in file.entries:
        with locate("entry {index}", index=entry.index):
            verify_inclusion(
                leaf_hash=leaf_hash(entry.raw),
                index=entry.index,
                size=signed.checkpoint.size,
                path=entry.path,
                root=signed.checkpoint.root,
            )


def _parse_entries(file: OpeningFile) -> dict[int, Entry]:
    entries: dict[int, Entry] = {}
    for proven in file.entries:
        with locate("entry {index}", index=proven.index):
            if proven.index in entries:
                raise VerificationError("it stands twice in the file")
            entries[proven.index] = parse_entry(proven.raw)
    return entries


def _require_genesis_last(file: OpeningFile) -> None:
    is_subject = file.kind == "entry" and file.entries[0].index == 0
    if file.entries[-1].index != 0 and not is_subject:
        raise VerificationError(
            "the last entry of the file is entry {index}, not the genesis",
            index=file.entries[-1].index,
        )


def _replay(
    file: OpeningFile, entries: dict[int, Entry], signed: SignedCheckpoint
) -> tuple[RegisteredKey, Party, State]:
    """Apply the entries in the order of the log. Returns the key that signed the subject and the
    author's registration then in force, and the state in the end.
    """
    state = State(origin=signed.checkpoint.origin, complete=False)
    subject_index = file.entries[0].index
    author = entries[subject_index].author
    found: tuple[RegisteredKey, Party] | None = None
    for index in sorted(entries):
        with locate("entry {index}", index=index):
            signer = apply(state, entries[index], index)
            if index == subject_index:
                found = signer, registered(state, author)
    assert found is not None
    return *found, state


def registered(state: State, author: str) -> Party:
    if author not in state.parties:
        raise VerificationError(
            "the file holds no registration of the author {author} before it", author=author
        )
    return state.parties[author]


def _verify_leaf(kind: str, leaf: InnerLeaf, subject: Entry) -> Reading | Allocation:
    """The subject is a batch (or a run), and the leaf is in its inner tree, where it says."""
    size_bytes, types = _LEAF_OF[kind]
    if subject.type not in types:
        raise VerificationError(
            "a {kind} rests on {expected}, not on {given}",
            kind=kind,
            expected=types,
            given=subject.type,
        )
    if len(leaf.raw) != size_bytes:
        raise VerificationError(
            "the leaf has {given} bytes, not {expected}", given=len(leaf.raw), expected=size_bytes
        )
    body = subject.reference("body")
    size, root = body["size"], body["root"]
    assert isinstance(size, int)
    assert isinstance(root, str)
    with locate("leaf"):
        verify_inclusion(
            leaf_hash=leaf_hash(leaf.raw),
            index=leaf.index,
            size=size,
            path=leaf.path,
            root=bytes.fromhex(root),
        )
        return parse_reading(leaf.raw) if kind == "reading" else parse_allocation(leaf.raw)


def verify_bodies(bodies: dict[str, bytes], entries: dict[int, Entry]) -> tuple[OpenedBody, ...]:
    """Each body is what an entry commits to: hash, size and form."""
    references = {}
    for index, entry in entries.items():
        for member in entry.statement.values():
            if isinstance(member, dict) and "hash" in member:
                references[member["hash"]] = (index, member)
    opened = []
    for name, raw in bodies.items():
        with locate("body {hash}", hash=name):
            if hashlib.sha256(raw).hexdigest() != name:
                raise VerificationError("its bytes have another hash")
            if name not in references:
                raise VerificationError("no entry of the file commits to it")
            index, reference = references[name]
            content = verify_body(raw, reference)
            opened.append(OpenedBody(index=index, entry=entries[index], content=content))
    return tuple(opened)
