"""What verified evidence means, in words: the lines, the claim itself, and what stays open."""

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from greenledger_verify import answer, answer_approval, answer_trust, answer_units
from greenledger_verify.balance import STORAGE_CLASS
from greenledger_verify.checkpoint import SignedCheckpoint
from greenledger_verify.evidence import VerifiedEvidence, verify_evidence
from greenledger_verify.explain import explain_checkpoint
from greenledger_verify.failure import VerificationError
from greenledger_verify.leaves import SUPPLY_CLASSES
from greenledger_verify.pins import explain_pins
from greenledger_verify.policy import auditor_names, require_independent, require_policy
from greenledger_verify.report import Report
from greenledger_verify.scan import Scan, scan_log
from greenledger_verify.text import say
from greenledger_verify.trust import Trust


def judge_evidence(
    file: BinaryIO, log: Path | None, seed: bytes | None, trust: Trust, report: Report
) -> VerifiedEvidence:
    """The command ``evidence``: verify the file, scan the log where one is given, answer.

    A claim that is no longer in force, or short, does not hold, whatever its file shows.
    """
    verified = verify_evidence(file, trust, report)
    if seed is not None and verified.head.level == "sampled":
        with report.step("The samples follow from the seed that you named"):
            if verified.head.seed != seed:
                raise VerificationError(
                    "the file follows the seed {given}, you named {expected}",
                    given=verified.head.seed,
                    expected=seed,
                )
    scan = None if log is None else scan_log(log, verified, trust, report)
    vouching = answer_trust.cosignatures(verified, scan)
    require_independent(vouching, verified.evidence.state.public_keys, report)
    require_policy(vouching, verified.anchors.authorities(), trust, report)
    report.lines |= {
        "integrity": answer.integrity_line(verified),
        "approval": answer_approval.approval_line(verified),
        "provenance": answer.provenance_line(verified, trust),
        "time_bracket": answer_trust.time_line(verified, scan),
        "single_use": answer_trust.single_use_line(verified, scan, trust),
        "witnesses": answer_trust.witnesses_line(verified, scan, trust),
        "authorities": answer_trust.authorities_line(verified),
        "share_opened": answer.share_line(verified, seed),
        "certificates": answer_units.certificates_line(verified),
        "credits": answer_units.credits_line(verified),
        "status": answer.status_line(verified, scan),
    }
    with report.step("As far as the given entries show, the claim is in force and not short"):
        _require_in_force(verified, scan)
    explain_checkpoint(_with_anchor(verified), trust, report)
    explain_pins(
        verified.evidence.signed.checkpoint,
        verified.anchors.roots() | ({} if scan is None else dict(scan.roots)),
        trust,
        report,
    )
    _explain_claim(verified, report)
    _explain_limits(verified, scan, report)
    _explain_words(verified, scan, bool(auditor_names(vouching, trust)), report)
    if seed is not None and verified.head.level != "sampled":
        report.leave_open(
            "Anything by the seed that you named: a file of the level {level} has no samples.",
            level=verified.head.level,
        )
    return verified


def _with_anchor(verified: VerifiedEvidence) -> SignedCheckpoint:
    """The file's checkpoint, with the cosignatures that its anchor has."""
    signed = verified.evidence.signed
    others = [
        one
        for anchor in verified.anchors.all
        if anchor.signed.checkpoint == signed.checkpoint
        for one in anchor.signed.cosignatures
        if one not in signed.cosignatures
    ]
    return replace(signed, cosignatures=(*signed.cosignatures, *others))


def _require_in_force(verified: VerifiedEvidence, scan: Scan | None) -> None:
    claim = answer.known_claim(verified, scan)
    if claim.ended is not None:
        raise VerificationError(
            "the claim {claim} is not in force: {ended}",
            claim=verified.head.claim,
            ended=claim.ended,
        )
    if claim.short:
        raise VerificationError(
            "the claim {claim} is short, as entry {index} says: after a correction its lots are "
            "worth more than the meters show",
            claim=verified.head.claim,
            index=claim.flagged_by,
        )


def _explain_claim(verified: VerifiedEvidence, report: Report) -> None:
    evidence, manifest = verified.evidence, verified.evidence.manifest
    report.establish(
        "{consumer} ({name}) claims {wh} Wh of green power from {start} to {end}, in entry {index} "
        "of that log, claim {claim}.",
        consumer=manifest["consumer"],
        name=evidence.claimant.name,
        wh=f"{manifest['claimed_wh']:,}",
        start=manifest["from"],
        end=manifest["to"],
        index=evidence.index,
        claim=verified.head.claim,
    )
    for item in manifest["by_class"] if verified.head.level == "full" else ():
        report.establish(
            "Claimed as {supply}: {wh} Wh.",
            supply=SUPPLY_CLASSES[item["class"] - 1],
            wh=f"{item['wh']:,}",
        )
    if verified.retirements.certificates:
        report.establish(
            "Beside lots it counts {wh} Wh of certificates; by what the points consumed, the "
            "claimant's word, {residual} Wh are left.",
            wh=f"{manifest['certificate_wh']:,}",
            residual=f"{manifest['residual_wh']:,}",
        )
    if evidence.claim.text("replaces"):
        report.establish(
            "It replaces the claim {claim}, and takes over its lots: {reason}",
            claim=evidence.claim.text("replaces"),
            reason=manifest["reason"],
        )
    if verified.balance is not None:
        report.establish(
            "In each opened quarter-hour, all lots of a source that anybody can show are together "
            "worth what its signed reading gives, and no more."
        )


def _explain_limits(verified: VerifiedEvidence, scan: Scan | None, report: Report) -> None:
    manifest = verified.evidence.manifest
    if scan is not None and scan.follows:
        report.leave_open(
            "That {origin} did not go on as well: take nothing from it of after this log began.",
            origin=scan.follows,
        )
    if verified.balance is None:
        report.leave_open(
            "That any metered energy stands behind the claim, and that {author} owns the points: "
            "the level total only shows what was asserted and committed.",
            author=manifest["consumer"],
        )
    elif verified.cells.opened_wh < manifest["claimed_wh"]:
        report.leave_open("Anything about the quarter-hours that are not opened.")
    if verified.head.level != "full":
        report.leave_open(
            "How the claimed Wh are divided into classes: {classes} is the claimant's word.",
            classes=[
                say(
                    "{supply} {wh} Wh",
                    supply=SUPPLY_CLASSES[item["class"] - 1],
                    wh=f"{item['wh']:,}",
                )
                for item in manifest["by_class"]
            ],
        )
    report.leave_open(
        "What the points consumed in all ({consumption} Wh, of them {estimated} Wh estimated, is "
        "the claimant's word), and that these are all points of {author}.",
        consumption=f"{manifest['consumption_wh']:,}",
        estimated=f"{manifest['estimated_wh']:,}",
        author=manifest["consumer"],
    )
    _explain_unopened_points(verified, report)
    _explain_unit_limits(verified, scan, report)
    if scan is None:
        report.leave_open(
            "That the claim is still in force and not short, and that the points were not "
            "registered anew before it: that needs the public log (--log DIR)."
        )
    report.leave_open(
        "That the energy was not claimed, sold or certified outside of this ledger as well."
    )
    report.leave_open(
        "That the signing keys had not been replaced or revoked before, and that all other rules "
        "of the log are kept: that needs the whole log (greenledger-verify log)."
    )
    report.leave_open(
        "That two officers are two people, and that they had not ended, or were not needed where "
        "they did not sign: the log knows them by random ids, and shows all of them "
        "(greenledger-verify log)."
    )
    report.leave_open(
        "That the matching runs behind the divisions were computed rightly, and that contracts "
        "were as they say."
    )
    report.leave_open(
        "That the readings were in force when they were divided, and that no later correction left "
        "the claim short without the operator flagging it."
    )
    report.leave_open(
        "That no meter stands above another one of the same side whose points are not opened here, "
        "and that no device is registered as two points: one kWh would count twice."
    )
    changed = _registered_again(verified)
    if changed:
        report.leave_open(
            "Of which kind and unit the points {points} were before: an earlier registration of "
            "them is not opened.",
            points=changed,
        )
    if any(item["class"] == STORAGE_CLASS for item in manifest["by_class"]):
        report.leave_open(
            "That the energy which the storage gave back was green when it was stored: its "
            "discharge is metered, no more."
        )
    report.leave_open("That the meters told the truth.")


def _explain_words(
    verified: VerifiedEvidence, scan: Scan | None, audited: bool, report: Report
) -> None:
    """What stands on somebody's word."""
    if scan is None and not audited:
        report.leave_open("single use NOT established: that needs the public log (--log DIR)")
    if scan is None and audited:
        report.leave_open(
            "That the auditing witnesses have checked what they say to have checked: the public "
            "log shows it (--log DIR)."
        )
    if verified.anchors.authorities():
        report.leave_open(
            "That certificates of the time-stamping authorities had not been revoked: no list of "
            "revocation was asked."
        )


def _explain_unopened_points(verified: VerifiedEvidence, report: Report) -> None:
    """Points of the claim of which no quarter-hour is opened; the level total opens none anyway."""
    if verified.balance is None:
        return
    unopened = [
        point
        for point in verified.evidence.manifest["points"]
        if point not in verified.balance.points
    ]
    if unopened:
        report.leave_open(
            "That {author} owns the points {points}: no quarter-hour of them is opened.",
            author=verified.evidence.claim.author,
            points=unopened,
        )


def _explain_unit_limits(verified: VerifiedEvidence, scan: Scan | None, report: Report) -> None:
    made = verified.retirements
    if made.certificates:
        report.leave_open(
            "That certificates which are used in a part of the period are no more than the points "
            "consumed there: what they consumed is the claimant's word."
        )
    if not made.certificates and not made.credits:
        return
    if scan is None:
        report.leave_open(
            "That units were still valid, and that the rules of their schemes were those in force: "
            "that needs the public log (--log DIR)."
        )
    report.leave_open(
        "That the official registries know these units, and that they moved and cancelled them as "
        "this log says."
    )


def _registered_again(verified: VerifiedEvidence) -> list[str]:
    """Names of opened points whose registration replaces another one."""
    found = []
    points = {} if verified.balance is None else verified.balance.points
    for point, content in points.items():
        body = verified.evidence.registration(point, verified.evidence.index)
        if body is not None and body.entry.text("replaces"):
            found.append(str(content["name"]))
    return sorted(found)
