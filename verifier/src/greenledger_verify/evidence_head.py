"""The head of an evidence file (formats.md §9): the log that it is of, its entries, its claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greenledger_verify.authority import verify_registrant
from greenledger_verify.checkpoint import SignedCheckpoint, verify_checkpoint
from greenledger_verify.entry import Entry, parse_entry
from greenledger_verify.evidence_file import Head
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.members import parse_time, parse_zone
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.months import Month, months_between
from greenledger_verify.opened import OpenedBody
from greenledger_verify.opening import registered, verify_bodies
from greenledger_verify.report import Report
from greenledger_verify.rules import apply
from greenledger_verify.sharedpath import verify_shared_path
from greenledger_verify.state import Party, RegisteredKey, State
from greenledger_verify.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the head establishes. ``signers`` are the keys under the entries, ``lots`` all lots of
    the claim in order, ``months`` its period.
    """

    level: str
    signed: SignedCheckpoint
    state: State
    entries: Mapping[int, Entry]
    signers: Mapping[int, RegisteredKey]
    tick_s: int
    index: int
    claim: Entry
    claimant: Party
    manifest: Mapping[str, Any]
    lots: tuple[str, ...]
    months: Mapping[str, Month]
    points: Mapping[str, tuple[OpenedBody, ...]]

    def entry(self, index: int, *types: str) -> Entry:
        """An entry of the file, of one of ``types``."""
        entry = self.entries.get(index)
        if entry is None:
            raise VerificationError("entry {index} is not in the file", index=index)
        if entry.type not in types:
            raise VerificationError(
                "entry {index} is {given}, not {expected}",
                index=index,
                given=entry.type,
                expected=types,
            )
        return entry

    def registration(self, point: str, before: int) -> OpenedBody | None:
        """The last opened registration of ``point`` below entry ``before``."""
        found = [body for body in self.points.get(point, ()) if body.index < before]
        return max(found, key=lambda body: body.index, default=None)


def verify_head(head: Head, trust: Trust, report: Report) -> Evidence:
    """Verify what the head holds, step by step; the steps are those of the report.

    1. The trusted log key signed the checkpoint.
    2. All entries are in that log, at their places, the genesis first.
    3. Each signature is by a key that an earlier entry of the file registered, back to the genesis,
       and no two entries use one lot or origin twice.
    4. Each opened body is what an entry of the file commits to.
    5. The claim is the author's, of whole months; its lots are its own and those of the claims that
       it replaces.
    """
    with report.step("The checkpoint is signed by the log key that you brought"):
        signed = verify_checkpoint(head.checkpoint, trust)
    with report.step(
        "Each of the {count} entries of the file is in that log", count=len(head.indexes)
    ):
        _verify_entries(head, signed)
    with report.step(
        "Each signature is by a key that the log registered before, in a chain that ends in the "
        "genesis; no entry uses what another one has used"
    ):
        state, entries, signers, claimant, tick_s = _replay(head, signed)
    with report.step(
        "Each of the {count} opened bodies is what an entry of the file commits to",
        count=len(head.bodies),
    ):
        bodies = verify_bodies(head.bodies, entries)
        for body in bodies:
            with locate("entry {index}", index=body.index):
                verify_registrant(body, state.operator)
    with report.step("The claim and its manifest fit each other and the claims it replaces"):
        index = state.lots.claims[head.claim].index
        manifest = _manifest(bodies, index)
        months = _verify_manifest(manifest, entries[index], index, state)
        lots = _lots(head.claim, state)
    points: dict[str, tuple[OpenedBody, ...]] = {}
    for body in bodies:
        if body.entry.type == "point.register" and body.content is not None:
            point = body.entry.text("point")
            points[point] = (*points.get(point, ()), body)
    return Evidence(
        level=head.level,
        signed=signed,
        state=state,
        entries=entries,
        signers=signers,
        tick_s=tick_s,
        index=index,
        claim=entries[index],
        claimant=claimant,
        manifest=manifest,
        lots=lots,
        months=months,
        points=points,
    )


def _verify_entries(head: Head, signed: SignedCheckpoint) -> None:
    if head.indexes[0] != 0:
        raise VerificationError(
            "the first entry of the file is entry {index}, not the genesis", index=head.indexes[0]
        )
    verify_shared_path(
        head.indexes,
        [leaf_hash(note) for note in head.notes],
        signed.checkpoint.size,
        head.nodes,
        signed.checkpoint.root,
    )


def _replay(
    head: Head, signed: SignedCheckpoint
) -> tuple[State, dict[int, Entry], dict[int, RegisteredKey], Party, int]:
    """Apply the entries in the order of the log. Returns the state in the end, entries and signers
    by index; the claimant and the last tick as at the claim.
    """
    state = State(origin=signed.checkpoint.origin, log_key=signed.log_key, complete=False)
    entries: dict[int, Entry] = {}
    signers: dict[int, RegisteredKey] = {}
    found: tuple[Party, int] | None = None
    for index, note in zip(head.indexes, head.notes, strict=True):
        with locate("entry {index}", index=index):
            entries[index] = parse_entry(note)
            signers[index] = apply(state, entries[index], index)
            if entries[index].type == "claim.make" and entries[index].text("claim") == head.claim:
                found = registered(state, entries[index].author), state.tick_s
    if found is None:
        raise VerificationError(
            "the file does not hold the claim.make of its claim {claim}", claim=head.claim
        )
    return state, entries, signers, *found


def _manifest(bodies: tuple[OpenedBody, ...], index: int) -> Mapping[str, Any]:
    """The claim's own manifest, and of no other claim."""
    own = None
    for body in bodies:
        if body.index == index and body.content is not None:
            own = body.content
        elif body.entry.type != "point.register":
            raise VerificationError(
                "a body of entry {index} is opened, a {type}: it does not belong here",
                index=body.index,
                type=body.entry.type,
            )
    if own is None:
        raise VerificationError("the manifest of the claim is not opened")
    return own


def _verify_manifest(
    manifest: Mapping[str, Any], claim: Entry, index: int, state: State
) -> Mapping[str, Month]:
    if manifest["consumer"] != claim.author:
        raise VerificationError(
            "the claim is by {author}, but its manifest names the consumer {consumer}",
            author=claim.author,
            consumer=manifest["consumer"],
        )
    if manifest["as_of"] > index:
        raise VerificationError(
            "as_of is {given}, beyond the entries before entry {index}",
            given=manifest["as_of"],
            index=index,
        )
    if bool(manifest["reason"]) != bool(claim.text("replaces")):
        raise VerificationError("a reason stands exactly where a claim replaces another one")
    months = months_between(
        parse_time(manifest["from"]), parse_time(manifest["to"]), parse_zone(state.zone)
    )
    quarters = sum(month.count for month in months.values())
    if claim.reference("body")["size"] != quarters:
        raise VerificationError(
            "the claim has {given} quarter-hours, its period has {expected}",
            given=claim.reference("body")["size"],
            expected=quarters,
        )
    return months


def _lots(claim: str, state: State) -> tuple[str, ...]:
    """What the claim spends, and what those that it replaces did. Claims are in the order of the
    log, and each is replaced once, so that the way back ends.
    """
    lots: list[str] = []
    name, index = claim, state.lots.claims[claim].index + 1
    while name:
        with locate("claim {claim}", claim=name):
            made = state.lots.claims.get(name)
            if made is None:
                raise VerificationError("it is replaced, but its entry is not in the file")
            if made.index >= index:
                raise VerificationError("it is replaced by a claim before it")
        lots += made.spends
        name, index = made.replaces, made.index
    if len(lots) > 2**16:
        raise VerificationError("the claim has {count} lots, more than 65536", count=len(lots))
    return tuple(sorted(lots))
