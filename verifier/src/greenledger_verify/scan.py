"""The fast scan of a log directory: was anything that the evidence rests on used a second time?

One pass over the entry bundles. The root of all entries must be that of the directory's checkpoint,
and the root of the first ones that of the evidence: the log is the very same, grown. Then the
entries on lots, claims and units go through the books, whoever signed them: an entry with a bad
signature counts too, since nothing may depend on which of two verifiers sees it. Whether all other
rules are kept, ``greenledger-verify log`` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from greenledger_verify.checkpoint import SignedCheckpoint, verify_checkpoint
from greenledger_verify.entry import parse_entry
from greenledger_verify.evidence import VerifiedEvidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.logdir import bundle_names, log_keys_in, read_bundle, read_checkpoint
from greenledger_verify.lotbook import Claim
from greenledger_verify.merkle import CompactRange, leaf_hash, tree_root
from greenledger_verify.pins import EarlierRoots, require_root
from greenledger_verify.quick import read_quickly
from greenledger_verify.report import Report
from greenledger_verify.scanbooks import AnyEntry, Books
from greenledger_verify.scanchains import Gaps, require_chains
from greenledger_verify.tiles import TILE_WIDTH
from greenledger_verify.trust import Trust

# A type can only be one of these if its name stands there, or an escape of JSON that hides it.
_RELEVANT: Final = (
    b'"log.succeed"',
    b'"lot.',
    b'"claim.',
    b'"unit.',
    b'"point.register"',
    b'"scheme.register"',
    b'"project.register"',
    b'"reduction.',
    b"\\",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The log as of ``signed``, and the claim's place in it; ``roots`` of earlier sizes that were
    asked for; ``follows``: the log before.
    """

    signed: SignedCheckpoint
    claim: Claim
    roots: Mapping[int, bytes]
    follows: str = ""


@dataclass(slots=True, kw_only=True)
class _Pass:
    """What one pass over the bundles found; ``failure`` is the first rule that is broken."""

    origin: str
    operator: str
    claim_index: int
    gaps: Gaps = field(default_factory=lambda: Gaps(ranges=[]))
    books: Books = field(init=False)
    root: bytes = b""
    earlier: EarlierRoots = field(default_factory=lambda: EarlierRoots([]))
    registrations: dict[str, int] = field(default_factory=dict)
    failure: VerificationError | None = None

    def __post_init__(self) -> None:
        self.books = Books(operator=self.operator)


def scan_log(directory: Path, verified: VerifiedEvidence, trust: Trust, report: Report) -> Scan:
    """Scan a tile directory for other uses, step by step; the steps are those of the report.

    1. The trusted log key signed the directory's checkpoint, of the same log, not older.
    2. Both roots follow from the entries: the evidence's log is the beginning of the directory's.
    3. No origin is divided twice, no lot created, spent or wrapped twice, no claim replaced or made
       twice; no holding begins or ends twice, no retirement is in two claims; the opened points and
       schemes were registered so, and units were valid, when it mattered.
    """
    earlier = verified.evidence.signed.checkpoint
    with report.step(
        "The checkpoint of the log directory is signed by the log key that you brought"
    ):
        signed = verify_checkpoint(
            read_checkpoint(directory), trust, lambda size: log_keys_in(directory, size)
        )
        checkpoint = signed.checkpoint
        if checkpoint.origin != earlier.origin:
            raise VerificationError(
                "it is of the log {given}, not of {origin}",
                given=checkpoint.origin,
                origin=earlier.origin,
            )
        if checkpoint.size < earlier.size:
            raise VerificationError(
                "the directory has {size} entries, the evidence is of {needed}: bring a newer one",
                size=checkpoint.size,
                needed=earlier.size,
            )
    with report.step(
        "The log of the evidence ({earlier} entries) is the beginning of that in the directory "
        "({size} entries)",
        earlier=earlier.size,
        size=checkpoint.size,
    ):
        pins = [pin for pin in trust.pins_of(earlier.origin) if pin.size <= checkpoint.size]
        sizes = [earlier.size, *(pin.size for pin in pins)]
        found = _read(directory, checkpoint.size, sizes, verified)
        roots = found.earlier.roots
        _require_root(checkpoint.size, found.root, checkpoint.root)
        _require_root(earlier.size, roots[earlier.size], earlier.root)
        for pin in pins:
            require_root(pin, roots[pin.size])
    with report.step(
        "In the whole log no origin is divided twice, no lot is created, spent or wrapped twice, "
        "and no unit moved or retired twice"
    ):
        if found.failure is not None:
            raise found.failure
        _require_registrations(found, verified)
        require_chains(verified.retirements, found.books, found.gaps)
    claim = found.books.lots.claims[verified.head.claim]
    return Scan(signed=signed, claim=claim, roots=roots, follows=found.books.follows)


def _read(directory: Path, size: int, earlier: list[int], verified: VerifiedEvidence) -> _Pass:
    found = _Pass(
        origin=verified.evidence.state.origin,
        operator=verified.evidence.state.operator,
        claim_index=verified.evidence.index,
        gaps=Gaps.between(verified.retirements.ticks),
        earlier=EarlierRoots(earlier),
    )
    edge = CompactRange()
    for name in bundle_names(size):
        with locate("{file}", file=name.path):
            entries = read_bundle(directory, name)[1]
        hashes = [leaf_hash(entry) for entry in entries]
        found.earlier.take(edge, hashes)
        if len(hashes) == TILE_WIDTH:
            edge.append(tree_root(hashes), TILE_WIDTH)
            found.root = b""
        else:
            found.root = _root(edge, hashes)
        for place, raw in enumerate(entries):
            if any(word in raw for word in _RELEVANT) and raw.startswith(b"{"):
                _take(found, raw, name.index_start + place)
            found.gaps.look_at(raw, name.index_start + place)
    found.root = found.root or edge.root()
    return found


def _root(edge: CompactRange, hashes: list[bytes]) -> bytes:
    """The root where ``hashes`` follow what ``edge`` holds, which stays as it is."""
    longer = edge.copy()
    for one in hashes:
        longer.append(one)
    return longer.root()


def _require_root(size: int, computed: bytes, root: bytes) -> None:
    if computed != root:
        raise VerificationError(
            "the {size} entries have the root {computed}, but the checkpoint says {root}",
            size=size,
            computed=computed,
            root=root,
        )


def _take(found: _Pass, raw: bytes, index: int) -> None:
    """Judge an entry and take it in; the first failure is kept until the tree is known to hold."""
    if found.failure is not None:
        return
    try:
        with locate("entry {index}", index=index):
            _apply(found, read_quickly(raw) or parse_entry(raw), index)
    except VerificationError as error:
        found.failure = error


def _apply(found: _Pass, entry: AnyEntry, index: int) -> None:
    if entry.text("log") != found.origin:
        raise VerificationError(
            "it is of the log {given}, not of {origin}",
            given=entry.text("log"),
            origin=found.origin,
        )
    if entry.type != "point.register":
        found.books.take(entry, index)
    elif index < found.claim_index:
        found.registrations[entry.text("point")] = index


def _require_registrations(found: _Pass, verified: VerifiedEvidence) -> None:
    """The master data of the file are those that were in force at the claim."""
    if verified.balance is None:
        return
    for point in verified.balance.points:
        body = verified.evidence.registration(point, verified.evidence.index)
        assert body is not None
        if found.registrations.get(point) != body.index:
            raise VerificationError(
                "the point {point} was registered anew before the claim, by entry {index}; the "
                "file opens entry {given}",
                point=point,
                index=found.registrations.get(point, "?"),
                given=body.index,
            )
