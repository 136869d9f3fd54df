"""The lines of an answer about what others vouch for: time, single use, witnesses, authorities."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from greenledger_verify.anchors import Anchor
from greenledger_verify.answer import line_of
from greenledger_verify.checkpoint import SignedCheckpoint
from greenledger_verify.evidence import VerifiedEvidence
from greenledger_verify.explain import utc
from greenledger_verify.note import VerifiedSignature
from greenledger_verify.policy import auditor_names, witness_names
from greenledger_verify.report import Line
from greenledger_verify.scan import Scan
from greenledger_verify.text import Text, say
from greenledger_verify.trust import Trust

_WITNESS: Final = "witness"
_AUTHORITY: Final = "authority"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Word:
    """Who saw a checkpoint, and when, in Unix seconds."""

    time_s: int
    kind: str
    name: str


def checkpoints(verified: VerifiedEvidence, scan: Scan | None) -> list[SignedCheckpoint]:
    """Those that hold the claim: of the file, of its anchors, and of the log directory."""
    return [
        verified.evidence.signed,
        *(anchor.signed for anchor in verified.anchors.after()),
        *([] if scan is None else [scan.signed]),
    ]


def cosignatures(verified: VerifiedEvidence, scan: Scan | None) -> tuple[VerifiedSignature, ...]:
    """By trusted witnesses, of checkpoints that hold the claim."""
    return tuple(one for signed in checkpoints(verified, scan) for one in signed.cosignatures)


def time_line(verified: VerifiedEvidence, scan: Scan | None) -> Line:
    """The tick before the claim; the earliest cosignature and time-stamp of a log that holds it;
    and before these the latest of a log that did not.
    """
    tick_s = verified.evidence.tick_s
    texts = [
        say("not before {time}: the tick before the claim, the operator's word", time=utc(tick_s))
    ]
    after = sorted(
        [
            *_by_witnesses(checkpoints(verified, scan)),
            *_by_authorities(verified.anchors.after(), latest=True),
        ]
    )
    first = after[0] if after else None
    before = [
        word
        for word in (
            *_by_witnesses(anchor.signed for anchor in verified.anchors.before()),
            *_by_authorities(verified.anchors.before(), latest=False),
        )
        if first is None or word.time_s < first.time_s
    ]
    last = max(before, default=None)
    if last is not None:
        texts.append(
            say(
                "at {time} the log, as then shown, did not hold the claim yet, says {name}",
                time=utc(last.time_s),
                name=last.name,
            )
        )
    texts += _not_after(after)
    if first is not None and first.time_s < tick_s:
        texts.append(
            say("these times contradict each other: the operator's clock, or a witness, is wrong")
        )
    values: dict[str, object] = {
        "not_before": utc(tick_s),
        "not_before_by": "operator",
        "not_yet_at": "" if last is None else utc(last.time_s),
        "not_yet_by": "" if last is None else last.name,
        "not_after": "" if first is None else utc(first.time_s),
        "not_after_by": "" if first is None else first.name,
    }
    return line_of("time_bracket", texts, values)


def _not_after(words: list[_Word]) -> list[Text]:
    """The earliest word of each kind."""
    texts = []
    witness = next((word for word in words if word.kind == _WITNESS), None)
    authority = next((word for word in words if word.kind == _AUTHORITY), None)
    if witness is not None:
        texts.append(
            say(
                "not after {time}: the witness {name} cosigned a log that holds the claim",
                time=utc(witness.time_s),
                name=witness.name,
            )
        )
    if authority is not None:
        texts.append(
            say(
                "not after {time}: {name} time-stamped a log that holds the claim",
                time=utc(authority.time_s),
                name=authority.name,
            )
        )
    return texts or [say("no time-stamp and no witness brackets it")]


def _by_witnesses(signed: Iterable[SignedCheckpoint]) -> list[_Word]:
    return [
        _Word(time_s=cosignature.time_s, kind=_WITNESS, name=cosignature.key.name)
        for one in signed
        for cosignature in one.cosignatures
        if cosignature.time_s is not None
    ]


def _by_authorities(anchors: Iterable[Anchor], *, latest: bool) -> list[_Word]:
    """The latest, or the earliest, time that each time-stamp allows."""
    return [
        _Word(
            time_s=one.not_after_s if latest else one.not_before_s,
            kind=_AUTHORITY,
            name=one.authority,
        )
        for anchor in anchors
        for one in anchor.timestamps
    ]


def single_use_line(verified: VerifiedEvidence, scan: Scan | None, trust: Trust) -> Line:
    """By the scan; else by the word of auditing witnesses; else not at all."""
    auditors = auditor_names(cosignatures(verified, scan), trust)
    texts = []
    as_of = 0
    if scan is not None:
        as_of = scan.signed.checkpoint.size
        texts.append(
            say(
                "single use established in this log, as of {size} entries: no origin, lot, unit or "
                "claim is used twice",
                size=as_of,
            )
        )
    audited = max(
        (
            signed.checkpoint.size
            for signed in checkpoints(verified, scan)
            if auditor_names(signed.cosignatures, trust)
        ),
        default=0,
    )
    if auditors:
        texts.append(
            say(
                "by the word of {names}: the single-use rule was checked on each entry up to "
                "{size}, and is kept",
                names=auditors,
                size=audited,
            )
        )
    if not texts:
        texts.append(say("single use NOT established: that needs the public log (--log DIR)"))
    texts.append(say("use outside of this ledger can never be excluded"))
    by = "log" if scan is not None else "witnesses" if auditors else ""
    values: dict[str, object] = {
        "established": bool(by),
        "by": by,
        "as_of": as_of or audited,
        "auditing_witnesses": auditors,
        "outside_excluded": False,
    }
    return line_of("single_use", texts, values)


def witnesses_line(verified: VerifiedEvidence, scan: Scan | None, trust: Trust) -> Line:
    found = cosignatures(verified, scan)
    names, auditors = witness_names(found), auditor_names(found, trust)
    texts = [
        say("{count} independent witnesses: {names}", count=len(names), names=names)
        if names
        else say("0 independent witnesses")
    ]
    if auditors:
        texts.append(say("of them auditing: {names}", names=auditors))
    values: dict[str, object] = {"count": len(names), "names": names, "auditing": auditors}
    return line_of("witnesses", texts, values)


def authorities_line(verified: VerifiedEvidence) -> Line:
    """Trusted authorities that time-stamped a checkpoint that holds the claim, and time-stamps that
    do not count.
    """
    names = verified.anchors.authorities()
    stamps = [
        (anchor.signed.checkpoint.size, one)
        for anchor in verified.anchors.after()
        for one in anchor.timestamps
    ]
    texts = [
        say(
            "{name} time-stamped {size} entries at {time}",
            name=one.authority,
            size=size,
            time=utc(one.time_us // 1_000_000),
        )
        for size, one in stamps
    ] or [say("0 time-stamps by an authority that you trust")]
    not_counted = verified.anchors.not_counted
    if not_counted:
        reasons = list({why.render(): why for why in not_counted}.values())
        texts.append(
            say(
                "{count} time-stamps are not counted: {why}",
                count=len(not_counted),
                why=reasons,
            )
        )
    values: dict[str, object] = {
        "count": len(names),
        "names": names,
        "stamps": [
            {
                "authority": one.authority,
                "size": size,
                "time": utc(one.time_us // 1_000_000),
                "accuracy_us": one.accuracy_us,
            }
            for size, one in stamps
        ],
        "not_counted": len(not_counted),
    }
    return line_of("authorities", texts, values)
