"""Anchors of an evidence file (formats.md §9.1): checkpoints that others have cosigned or
time-stamped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from greenledger_verify.checkpoint import SignedCheckpoint, verify_checkpoint
from greenledger_verify.evidence_file import AnchorPart
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import NotCounted, VerificationError, locate
from greenledger_verify.merkle import verify_consistency
from greenledger_verify.note import VerifiedSignature
from greenledger_verify.pins import require_root
from greenledger_verify.report import Report
from greenledger_verify.text import Text
from greenledger_verify.timestamp import Timestamp, verify_timestamp
from greenledger_verify.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A checkpoint of the log that leads to the file's. ``holds_claim``: the claim's entry is in
    it. ``timestamps`` are those of trusted authorities.
    """

    signed: SignedCheckpoint
    holds_claim: bool
    timestamps: tuple[Timestamp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """``not_counted`` says of each other token why it does not count."""

    all: tuple[Anchor, ...] = ()
    not_counted: tuple[Text, ...] = ()

    def after(self) -> Iterator[Anchor]:
        """Those that hold the claim."""
        return (anchor for anchor in self.all if anchor.holds_claim)

    def before(self) -> Iterator[Anchor]:
        """Those that do not."""
        return (anchor for anchor in self.all if not anchor.holds_claim)

    def roots(self) -> dict[int, bytes]:
        """By size."""
        return {one.signed.checkpoint.size: one.signed.checkpoint.root for one in self.all}

    def cosignatures(self) -> tuple[VerifiedSignature, ...]:
        """By trusted witnesses, of checkpoints that hold the claim."""
        return tuple(one for anchor in self.after() for one in anchor.signed.cosignatures)

    def authorities(self) -> list[str]:
        """Trusted ones that time-stamped a checkpoint that holds the claim."""
        return sorted({one.authority for anchor in self.after() for one in anchor.timestamps})


def verify_anchors(
    parts: tuple[AnchorPart, ...], evidence: Evidence, trust: Trust, report: Report
) -> Anchors:
    """Verify the anchors of a file, in two steps of the report; of one without any there is nothing
    to see.

    1. The log key signed each, they are in order of size, the file's checkpoint extends each; the
       cosignatures of trusted witnesses hold; one at most does not hold the claim, and two do.
    2. Each time-stamp is of its checkpoint. Those of authorities that nobody trusts do not count.
    """
    if not parts:
        return Anchors()
    newest, index = evidence.signed.checkpoint, evidence.index
    with report.step(
        "Each of the {count} anchored checkpoints is of that log, and its beginning",
        count=len(parts),
    ):
        signed = [_signed(part, evidence, number, trust) for number, part in enumerate(parts, 1)]
        for pin in trust.pins_of(newest.origin):
            for one in signed:
                if one.checkpoint.size == pin.size:
                    require_root(pin, one.checkpoint.root)
        _require_places([one.checkpoint.size for one in signed], newest.size, index)
    anchors, not_counted = [], []
    with report.step(
        "Each of the {count} time-stamps is of its checkpoint",
        count=sum(len(part.tokens) for part in parts),
    ):
        for number, (one, part) in enumerate(zip(signed, parts, strict=True), 1):
            with locate("anchor {number}", number=number):
                timestamps, others = _timestamps(part.tokens, one.text, trust)
            not_counted += others
            anchors.append(
                Anchor(
                    signed=one,
                    holds_claim=one.checkpoint.size > index,
                    timestamps=tuple(timestamps),
                )
            )
    return Anchors(all=tuple(anchors), not_counted=tuple(not_counted))


def _signed(part: AnchorPart, evidence: Evidence, number: int, trust: Trust) -> SignedCheckpoint:
    newest = evidence.signed.checkpoint
    with locate("anchor {number}", number=number):
        signed = verify_checkpoint(part.checkpoint, trust, lambda _size: evidence.state.log_keys)
        checkpoint = signed.checkpoint
        if checkpoint.origin != newest.origin:
            raise VerificationError(
                "it is of the log {given}, not of {origin}",
                given=checkpoint.origin,
                origin=newest.origin,
            )
        verify_consistency(
            size1=checkpoint.size,
            size2=newest.size,
            root1=checkpoint.root,
            root2=newest.root,
            path=part.nodes,
        )
    return signed


def _require_places(sizes: list[int], newest: int, index: int) -> None:
    if any(a >= b for a, b in pairwise(sizes)):
        raise VerificationError("{member} is not in order, each once", member="anchors")
    before = sum(size <= index for size in sizes)
    after = len(sizes) - before
    if before > 1 or after > 2 or (after == 2 and sizes[-1] != newest):
        raise VerificationError(
            "the anchors are more than the last one without the claim, the first one with it, and "
            "that of the checkpoint"
        )


def _timestamps(
    tokens: tuple[bytes, ...], text: bytes, trust: Trust
) -> tuple[list[Timestamp], list[Text]]:
    if len(set(tokens)) != len(tokens):
        raise VerificationError("a time-stamp stands twice")
    found, others = [], []
    for number, token in enumerate(tokens, 1):
        with locate("time-stamp {number}", number=number):
            try:
                found.append(_timestamp(token, text, trust))
            except NotCounted as error:
                others.append(error.reason)
    return found, others


def _timestamp(token: bytes, text: bytes, trust: Trust) -> Timestamp:
    timestamp = verify_timestamp(token, text, trust.authorities)
    if timestamp.imprint != "sha256":
        raise VerificationError("its imprint is {given}, not sha256", given=timestamp.imprint)
    return timestamp
