"""The lines of an answer about evidence (formats.md §9), each by itself, in words and values.

“Verified” never stands alone: what one line says, no other line implies.
"""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Final

from greenledger_verify.evidence import VerifiedEvidence
from greenledger_verify.explain import PROVENANCE, endorsers, provenance
from greenledger_verify.lotbook import Claim
from greenledger_verify.report import Line
from greenledger_verify.scan import Scan
from greenledger_verify.text import Text, say
from greenledger_verify.trust import Trust

_FALSE_SHARES: Final = (1, 5, 10)
_PERCENT: Final = Decimal("0.01")
_RANKED: Final = tuple(PROVENANCE)


def integrity_line(verified: VerifiedEvidence) -> Line:
    checkpoint = verified.evidence.signed.checkpoint
    texts = [
        say(
            "the file is whole and unchanged: its {count} entries are in the log {origin} of "
            "{size} entries, and all that it opens is what they commit to",
            count=len(verified.evidence.entries),
            origin=checkpoint.origin,
            size=checkpoint.size,
        )
    ]
    if verified.balance is None:
        texts.append(
            say(
                "level total: asserted, committed; no reading, source or lot is shown, so that "
                "nothing but the claimant's word stands behind the {wh} Wh",
                wh=f"{verified.evidence.manifest['claimed_wh']:,}",
            )
        )
    values: dict[str, object] = {
        "holds": True,
        "level": verified.head.level,
        "log": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "claim": verified.head.claim,
        "entry": verified.evidence.index,
    }
    return line_of("integrity", texts, values)


def provenance_line(verified: VerifiedEvidence, trust: Trust) -> Line:
    """Wh of supply opened by each kind of provenance; where readings of several batches stand
    behind a quarter-hour, the weakest counts.
    """
    supply_wh = dict.fromkeys(_RANKED, 0)
    pinned_wh = 0
    by_endorser: dict[tuple[str, str], int] = {}
    pins = {(pin.party, pin.key.vkey) for pin in trust.endorsers}
    if verified.balance is not None:
        for batches, wh in verified.balance.batches_wh.items():
            supply_wh[_weakest(verified, batches)] += wh
            common = _common_endorsers(verified, batches)
            pinned_wh += wh if common & pins else 0
            for one in common:
                by_endorser[one] = by_endorser.get(one, 0) + wh
    texts = [
        say("{wh} Wh {kind}", wh=f"{wh:,}", kind=PROVENANCE[kind])
        for kind, wh in supply_wh.items()
        if wh
    ] or [say("no reading is opened")]
    for (party, vkey), wh in sorted(by_endorser.items()):
        template = (
            say(
                "{party} vouches for the keys behind {wh} Wh, by a key that you pinned",
                party=party,
                wh=f"{wh:,}",
            )
            if (party, vkey) in pins
            else say(
                "{party} vouches for the keys behind {wh} Wh, by a key that you have not pinned",
                party=party,
                wh=f"{wh:,}",
            )
        )
        texts.append(template)
    values: dict[str, object] = {
        "supply_wh": supply_wh,
        "pinned_wh": pinned_wh,
        "endorsers": [
            {"party": party, "vkey": vkey, "pinned": (party, vkey) in pins, "wh": wh}
            for (party, vkey), wh in sorted(by_endorser.items())
        ],
    }
    return line_of("provenance", texts, values)


def _weakest(verified: VerifiedEvidence, batches: Iterable[int]) -> str:
    state, signers = verified.evidence.state, verified.evidence.signers
    kinds = [provenance(signers[batch], state.endorsements) for batch in batches]
    return max(kinds, key=_RANKED.index)


def _common_endorsers(verified: VerifiedEvidence, batches: Iterable[int]) -> set[tuple[str, str]]:
    """Who vouches for the keys of all of the batches: party and its key."""
    evidence = verified.evidence
    found = [
        {
            (one.endorser, one.endorser_vkey)
            for one in endorsers(evidence.signers[batch], evidence.state.endorsements)
        }
        for batch in batches
    ]
    return set.intersection(*found) if found else set()


def share_line(verified: VerifiedEvidence, seed: bytes | None) -> Line:
    claimed_wh = verified.evidence.manifest["claimed_wh"]
    opened_wh = verified.cells.opened_wh
    texts = [
        say(
            "{opened} of {claimed} Wh ({percent} %), in {count} quarter-hours",
            opened=f"{opened_wh:,}",
            claimed=f"{claimed_wh:,}",
            percent=_percent(Decimal(opened_wh) / claimed_wh if claimed_wh else Decimal(0)),
            count=len(verified.cells.positions),
        )
    ]
    samples = verified.head.samples
    detection = {
        f"{false} %": _percent(1 - (1 - Decimal(false) / 100) ** samples) for false in _FALSE_SHARES
    }
    values: dict[str, object] = {
        "opened_wh": opened_wh,
        "claimed_wh": claimed_wh,
        "quarter_hours": len(verified.cells.positions),
        "samples": samples,
    }
    if samples:
        texts.append(
            say(
                "{samples} samples by Wh: if {shares} of the Wh were false, one would be hit with "
                "a probability of {detection}",
                samples=samples,
                shares=list(detection),
                detection=[f"{percent} %" for percent in detection.values()],
            )
        )
        texts.append(
            say("the seed is the one that you named")
            if seed is not None
            else say(
                "NOT established that the verifier named the seed (--seed): whoever chooses it "
                "can choose what is shown"
            )
        )
        values |= {"detection_percent": detection, "seed_named_by_verifier": seed is not None}
    return line_of("share_opened", texts, values)


def status_line(verified: VerifiedEvidence, scan: Scan | None) -> Line:
    claim = known_claim(verified, scan)
    size = (verified.evidence.signed if scan is None else scan.signed).checkpoint.size
    state = _state(claim)
    if state in ("replaced", "withdrawn"):
        texts = [
            say("NOT in force any more as of {size} entries: {ended}", size=size, ended=claim.ended)
        ]
    elif state == "short":
        texts = [
            say(
                "SHORT as of {size} entries: flagged by entry {index}, it says more than the "
                "meters do now",
                size=size,
                index=claim.flagged_by,
            )
        ]
    elif scan is None:
        state = "not-established"
        texts = [say("not established: that needs the public log (--log DIR)")]
    else:
        texts = [say("in force, not short, as of {size} entries", size=size)]
    values: dict[str, object] = {
        "established": state != "not-established",
        "as_of": size,
        "state": state,
        "by_entry": _by_entry(claim, state),
    }
    return line_of("status", texts, values)


def known_claim(verified: VerifiedEvidence, scan: Scan | None) -> Claim:
    """The claim as the log shows it; without one, as the entries of the file do."""
    if scan is not None:
        return scan.claim
    return verified.evidence.state.lots.claims[verified.head.claim]


def _state(claim: Claim) -> str:
    if claim.ended is not None:
        return claim.ended_how
    return "short" if claim.short else "in-force"


def _by_entry(claim: Claim, state: str) -> int:
    """The entry that made it so; -1: none did."""
    return claim.flagged_by if state == "short" else claim.ended_by


def _percent(share: Decimal) -> str:
    """Rounded down, so that nothing is called certain that is not."""
    return str((share * 100).quantize(_PERCENT, rounding=ROUND_DOWN))


_NAMES: Final = {
    "integrity": say("integrity"),
    "approval": say("approval"),
    "provenance": say("provenance"),
    "time_bracket": say("time bracket"),
    "single_use": say("single use"),
    "witnesses": say("independent witnesses"),
    "authorities": say("time-stamps"),
    "share_opened": say("share of Wh opened"),
    "status": say("status"),
}


def name_of(line: str) -> Text:
    return _NAMES[line]


def line_of(name: str, texts: Iterable[Text], values: dict[str, object]) -> Line:
    return Line(name=_NAMES[name], texts=tuple(texts), values=values)
