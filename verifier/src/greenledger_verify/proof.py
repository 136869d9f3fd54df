"""The command ``proof``: a tlog-proof or an opening file, told apart by content."""

from dataclasses import dataclass

from greenledger_verify.checkpoint import verify_checkpoint
from greenledger_verify.entry import parse_entry
from greenledger_verify.explain import explain_checkpoint, explain_opening
from greenledger_verify.failure import UnusableInput, VerificationError, unusable
from greenledger_verify.merkle import leaf_hash, verify_inclusion
from greenledger_verify.opening import parse_opening, verify_opening
from greenledger_verify.pins import explain_pins, require_pins
from greenledger_verify.policy import require_policy
from greenledger_verify.report import Report
from greenledger_verify.tlogproof import HEADER, TlogProof, parse_tlog_proof
from greenledger_verify.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a tlog-proof is about, where the user says so: the entry's bytes or its leaf hash."""

    entry: bytes | None = None
    leaf_hash: bytes | None = None


def verify_proof_file(raw: bytes, subject: Subject, trust: Trust, report: Report) -> None:
    """Judge a proof file and fill the report."""
    if raw.startswith(HEADER[:12]):
        return _verify_tlog_proof(raw, subject, trust, report)
    if raw.lstrip(b" \n\r\t").startswith(b"{"):
        if subject != Subject():
            raise UnusableInput(
                "an opening file holds its entries itself: --entry and --leaf-hash don't go with it"
            )
        opening = verify_opening(parse_opening(raw), trust, report)
        return explain_opening(opening, trust, report)
    raise UnusableInput("the file is neither a tlog-proof nor an opening file")


def _verify_tlog_proof(raw: bytes, subject: Subject, trust: Trust, report: Report) -> None:
    """1. the form, 2. the checkpoint, 3. the entry's leaf hash, 4. its inclusion, 5. the entry's
    own form.
    """
    with unusable("tlog-proof"):
        proof = parse_tlog_proof(raw)
    # A tlog-proof holds no entry that could lead from one key of the log to another.
    with report.step("The checkpoint is signed by the log key that you brought"):
        signed = verify_checkpoint(proof.checkpoint, trust)
    require_pins(signed.checkpoint, trust, report)
    entry, leaf = _subject(proof, subject)
    with report.step("Entry {index} is in that log", index=proof.index):
        verify_inclusion(
            leaf_hash=leaf,
            index=proof.index,
            size=signed.checkpoint.size,
            path=proof.path,
            root=signed.checkpoint.root,
        )
    require_policy(signed.cosignatures, (), trust, report)
    explain_checkpoint(signed, trust, report)
    explain_pins(signed.checkpoint, {}, trust, report)
    report.establish(
        "Entry {index} of that log has the leaf hash {hash}.", index=proof.index, hash=leaf
    )
    if entry is None:
        report.leave_open("What the entry says: only its hash was given.")
        return
    _explain_entry(entry, proof.index, signed.checkpoint.origin, report)


def _subject(proof: TlogProof, subject: Subject) -> tuple[bytes | None, bytes]:
    """The entry (None: unknown) and its leaf hash. What the file and the user say must be the
    same.
    """
    entry = subject.entry if subject.entry is not None else proof.extra
    if entry is None and subject.leaf_hash is None:
        raise UnusableInput(
            "the proof holds no entry: give it with --entry FILE, or its hash with --leaf-hash HEX"
        )
    given = {leaf_hash(raw) for raw in (subject.entry, proof.extra) if raw is not None}
    if subject.leaf_hash is not None:
        given.add(subject.leaf_hash)
    if len(given) != 1:
        raise VerificationError("the entry in the file is not the one that you gave")
    return entry, given.pop()


def _explain_entry(raw: bytes, index: int, origin: str, report: Report) -> None:
    if not raw.startswith(b"{"):
        report.leave_open(
            "What the {size} bytes of the entry mean: they are not an entry of greenledger.",
            size=len(raw),
        )
        return
    with report.step("The entry is well-formed"):
        entry = parse_entry(raw)
        if entry.text("log") != origin:
            raise VerificationError(
                "it is of the log {given}, not of {origin}", given=entry.text("log"), origin=origin
            )
        if (entry.type == "log.genesis") != (index == 0):
            raise VerificationError(
                "log.genesis is entry 0 and only that; this is entry {index}, {type}",
                index=index,
                type=entry.type,
            )
    report.establish(
        "It is {type} and names {author} as its author, dated {at}.",
        type=entry.type,
        author=entry.author,
        at=entry.text("at"),
    )
    report.leave_open(
        "That {author} signed it: which keys are {author}'s stands in other entries (take an "
        "opening, or the whole log).",
        author=entry.author,
    )
    report.leave_open("When it was written: {at} is the author's word.", at=entry.text("at"))
