"""Evidence files (formats.md §9): a claim, followed back to readings, quarter-hour by quarter-hour,
and its certificates and credits, followed back to their import.

``verify_evidence`` judges; ``explain_evidence`` says what that means, and what it does not show.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from greenledger_verify.anchors import Anchors, verify_anchors
from greenledger_verify.balance import Balance
from greenledger_verify.cells import CellsVerifier, OpenedOrigin
from greenledger_verify.chains import Chains
from greenledger_verify.claimtree import ClaimedCells, verify_claim_tree
from greenledger_verify.divisions import Division, verify_division
from greenledger_verify.evidence_file import (
    CellsPart,
    ClaimPart,
    DivisionPart,
    EvidenceFile,
    Head,
    Part,
    UnitsPart,
)
from greenledger_verify.evidence_head import Evidence, verify_head
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.pins import require_pins
from greenledger_verify.report import Report
from greenledger_verify.retirements import Retirements
from greenledger_verify.trust import Trust
from greenledger_verify.units import OpenedUnits, verify_units

_Kind = TypeVar("_Kind", ClaimPart, UnitsPart, DivisionPart, CellsPart)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEvidence:
    """What was verified. ``balance`` is None for the level total."""

    head: Head
    evidence: Evidence
    cells: ClaimedCells
    retirements: Retirements
    balance: Balance | None
    anchors: Anchors


def verify_evidence(file: BinaryIO, trust: Trust, report: Report) -> VerifiedEvidence:
    """Verify a file against the trust roots, step by step; the first steps are those of
    ``verify_head``. Where there are pins, anchors or a policy, their steps follow: see
    ``require_pins``, ``verify_anchors`` and, after everything else, ``require_policy``.

    6. The claim's tree has the total of the manifest, and the opened quarter-hours are those that
       the level asks for.
    7. Where it has retirements: each goes back to imports, range by range.
    8. Where it has any: they are as their schemes, and the manifest, say.
    9. The opened leaves of divisions are what the entries commit to.
    10. In each opened quarter-hour the readings give what the lots are worth.
    11. Each claimed cell is opened, of the right class, holder and kind; supply and cover are
        equal.
    12. Author, owners and senders may say this, as far as the opened bodies show.
    """
    evidence_file = EvidenceFile(file)
    head = evidence_file.head
    evidence = verify_head(head, trust, report)
    require_pins(evidence.signed.checkpoint, trust, report)
    anchors = verify_anchors(head.anchors, evidence, trust, report)
    parts = _Parts(evidence_file)
    with report.step(
        "The claim's tree has the total that is claimed, and opens what the level asks"
    ):
        claim_part = parts.take(ClaimPart)
        if claim_part is None:
            raise VerificationError("the first part of the file is not that of the claim")
        cells = verify_claim_tree(claim_part, head, evidence)
    retirements = _retirements(parts, evidence, report)
    if head.level == "total":
        parts.require_end()
        return VerifiedEvidence(
            head=head,
            evidence=evidence,
            cells=cells,
            retirements=retirements,
            balance=None,
            anchors=anchors,
        )
    with report.step("The opened leaves of divisions are what their entries commit to"):
        divisions = _divisions(parts, evidence)
    balance = Balance(evidence=evidence, cells=cells)
    with report.step(
        "In each opened quarter-hour the lots are worth what the readings give, and no more"
    ):
        _verify_cells(parts, divisions, balance)
    with report.step(
        "Each claimed cell is opened; supply and cover are equal, quarter-hour by quarter-hour and "
        "class by class"
    ):
        balance.finish()
    with report.step("The author may claim this, as far as the opened bodies show"):
        _verify_authority(evidence, balance)
    return VerifiedEvidence(
        head=head,
        evidence=evidence,
        cells=cells,
        retirements=retirements,
        balance=balance,
        anchors=anchors,
    )


class _Parts:
    """The parts of the file, one ahead, so that each step takes those of its kind."""

    def __init__(self, file: EvidenceFile) -> None:
        self._parts: Iterator[Part] = file.parts()
        self._next = next(self._parts, None)

    def take(self, kind: type[_Kind]) -> _Kind | None:
        part = self._next
        if not isinstance(part, kind):
            return None
        self._next = next(self._parts, None)
        return part

    def follows(self, kind: type[_Kind]) -> bool:
        return isinstance(self._next, kind)

    def require_end(self) -> None:
        if self._next is not None:
            raise VerificationError("a part follows where none belongs")


def _retirements(parts: _Parts, evidence: Evidence, report: Report) -> Retirements:
    """The certificates and credits of the claim; of one without any there is nothing to see."""
    units: dict[int, OpenedUnits] = {}
    chains = Chains(evidence=evidence, parts=units)
    retirements = Retirements(chains=chains)
    if not evidence.retirements and not evidence.schemes and not parts.follows(UnitsPart):
        return retirements
    with report.step(
        "Each retirement goes back to the import of its units, number by number and owner by owner"
    ):
        while (part := parts.take(UnitsPart)) is not None:
            if units and part.entry <= max(units):
                raise VerificationError("the units are not in order, each once")
            units[part.entry] = verify_units(part, evidence)
        chains.follow_all()
    with report.step("The certificates and credits are as their schemes and the claim say"):
        retirements.verify()
    return retirements


def _divisions(parts: _Parts, evidence: Evidence) -> dict[int, Division]:
    divisions: dict[int, Division] = {}
    while (part := parts.take(DivisionPart)) is not None:
        if divisions and part.entry <= max(divisions):
            raise VerificationError("the divisions are not in order, each once")
        divisions[part.entry] = verify_division(part, evidence)
    return divisions


def _verify_cells(parts: _Parts, divisions: Mapping[int, Division], balance: Balance) -> None:
    verifier = CellsVerifier(
        evidence=balance.evidence, divisions=divisions, claimed=balance.cells.by_lot
    )
    last = (-1, -1)
    while (part := parts.take(CellsPart)) is not None:
        if (part.entry, part.origin) <= last:
            raise VerificationError("the cells are not in order of entry and origin, each once")
        last = part.entry, part.origin
        _add(balance, verifier.verify(part))
    parts.require_end()
    verifier.finish()
    for division in divisions.values():
        _require_all_used(division, balance.evidence)


def _add(balance: Balance, opened: OpenedOrigin) -> None:
    """What is wrong with a point or a lot's class and holder belongs to the next step: kept till
    then.
    """
    try:
        balance.add(opened)
    except VerificationError as error:
        balance.failure = balance.failure or error


def _require_all_used(division: Division, evidence: Evidence) -> None:
    origins = len(evidence.entries[division.entry].texts("origins"))
    opened = set(division.origins) | {origins + place for place in division.lots}
    for place in sorted(opened - division.used):
        raise VerificationError(
            "leaf {index} of the division of entry {entry} is opened, but nothing asks for it",
            index=place,
            entry=division.entry,
        )


def _verify_authority(evidence: Evidence, balance: Balance) -> None:
    """1. Points whose consumption is claimed are the author's own, and consume.
    2. No opened point of supply is above another one, nor one of cover: each measures for itself.
    3. Batches are by the owner of the point, by the operator, or by a gateway.
    """
    # 1
    claimed = set(evidence.manifest["points"])
    for point, content in balance.points.items():
        with locate("point {point}", point=point):
            if point in claimed and content["owner"] != evidence.claim.author:
                raise VerificationError(
                    "it is owned by {owner}, but the claim is by {author}",
                    owner=content["owner"],
                    author=evidence.claim.author,
                )
            # 2
            parent = balance.points.get(content["parent"])
            if parent is not None and (parent["kind"] == "consumption") == (
                content["kind"] == "consumption"
            ):
                raise VerificationError(
                    "the point {parent} above it is opened too: one kWh would count twice",
                    parent=content["parent"],
                )
    # 3
    for point, batch in sorted(balance.senders):
        _verify_sender(evidence, point, batch)


def _verify_sender(evidence: Evidence, point: str, batch: int) -> None:
    """As far as the file shows whose point it was when the batch was sent."""
    body = evidence.registration(point, batch)
    author = evidence.entries[batch].author
    if body is None or body.content is None:
        return
    if author in (evidence.state.operator, body.content["owner"]):
        return
    sender = evidence.state.parties.get(author)
    if sender is None or "gateway" not in sender.roles:
        raise VerificationError(
            "{author} may not send readings of the point {point}: it is neither its owner, nor the "
            "operator, nor a gateway",
            author=author,
            point=point,
        )
