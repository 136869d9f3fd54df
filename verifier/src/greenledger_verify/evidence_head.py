"""The head of an evidence file (formats.md §9): the log that it is of, its entries, its claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greenledger_verify.authority import verify_registrant
from greenledger_verify.checkpoint import SignedCheckpoint, verify_checkpoint
from greenledger_verify.entry import Entry, parse_entry
from greenledger_verify.evidence_file import Head
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.logkeys import read_log_keys
from greenledger_verify.members import parse_time, parse_zone
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.months import QUARTER_S, Month, months_touched
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
    the claim in order, ``months`` those that its period touches. ``retirements`` are all of the
    claim, in order, with the entry of the claim that had each first; ``ticks`` hold, for each entry
    on units, the last tick before it in the file: entry and Unix time.
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
    retirements: Mapping[str, int]
    months: Mapping[str, Month]
    points: Mapping[str, tuple[OpenedBody, ...]]
    schemes: Mapping[str, tuple[OpenedBody, ...]]
    ticks: Mapping[int, tuple[int, int]]

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
        return _last(self.points.get(point, ()), before)

    def scheme(self, scheme: str, before: int) -> OpenedBody | None:
        """The last opened registration of ``scheme`` below entry ``before``."""
        return _last(self.schemes.get(scheme, ()), before)


def verify_head(head: Head, trust: Trust, report: Report) -> Evidence:
    """Verify what the head holds, step by step; the steps are those of the report.

    1. The trusted log key signed the checkpoint.
    2. All entries are in that log, at their places, the genesis first.
    3. Each signature is by a key that an earlier entry of the file registered, back to the genesis,
       and no two entries use one lot or origin twice.
    4. Each opened body is what an entry of the file commits to.
    5. The claim is the author's, of whole quarter-hours; its lots are its own, and those of claims
       that it replaces.
    """
    with report.step("The checkpoint is signed by the log key that you brought"):
        log_keys = read_log_keys(zip(head.indexes, head.notes, strict=True))
        signed = verify_checkpoint(head.checkpoint, trust, lambda _size: log_keys)
    with report.step(
        "Each of the {count} entries of the file is in that log", count=len(head.indexes)
    ):
        _verify_entries(head, signed)
    with report.step(
        "Each signature is by a key that the log registered before, in a chain that ends in the "
        "genesis; no entry uses what another one has used"
    ):
        replayed = _replay(head, signed)
        state, entries = replayed.state, replayed.entries
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
        lots, retirements = _taken_over(head.claim, state)
        _require_retirements(manifest, retirements)
    return Evidence(
        level=head.level,
        signed=signed,
        state=state,
        entries=entries,
        signers=replayed.signers,
        tick_s=replayed.tick_s,
        index=index,
        claim=entries[index],
        claimant=replayed.claimant,
        manifest=manifest,
        lots=lots,
        retirements=retirements,
        months=months,
        points=_by_name(bodies, "point"),
        schemes=_by_name(bodies, "scheme"),
        ticks=replayed.ticks,
    )


def _by_name(bodies: tuple[OpenedBody, ...], kind: str) -> dict[str, tuple[OpenedBody, ...]]:
    """Opened registrations of points, or of schemes."""
    found: dict[str, tuple[OpenedBody, ...]] = {}
    for body in bodies:
        if body.entry.type == f"{kind}.register" and body.content is not None:
            name = body.entry.text(kind)
            found[name] = (*found.get(name, ()), body)
    return found


def _last(bodies: tuple[OpenedBody, ...], before: int) -> OpenedBody | None:
    found = [body for body in bodies if body.index < before]
    return max(found, key=lambda body: body.index, default=None)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replayed:
    """The state in the end, entries and signers by index; the claimant and the last tick as at the
    claim, and the ticks before entries on units.
    """

    state: State
    entries: dict[int, Entry]
    signers: dict[int, RegisteredKey]
    ticks: dict[int, tuple[int, int]]
    claimant: Party
    tick_s: int


def _replay(head: Head, signed: SignedCheckpoint) -> _Replayed:
    """Apply the entries in the order of the log."""
    state = State(origin=signed.checkpoint.origin, complete=False)
    entries: dict[int, Entry] = {}
    signers: dict[int, RegisteredKey] = {}
    ticks: dict[int, tuple[int, int]] = {}
    found: tuple[Party, int] | None = None
    for index, note in zip(head.indexes, head.notes, strict=True):
        with locate("entry {index}", index=index):
            entry = entries[index] = parse_entry(note)
            signers[index] = apply(state, entry, index)
            if entry.type.startswith("unit."):
                ticks[index] = state.tick_index, state.tick_s
            if entry.type == "claim.make" and entry.text("claim") == head.claim:
                found = registered(state, entry.author), state.tick_s
    if found is None:
        raise VerificationError(
            "the file does not hold the claim.make of its claim {claim}", claim=head.claim
        )
    return _Replayed(
        state=state,
        entries=entries,
        signers=signers,
        ticks=ticks,
        claimant=found[0],
        tick_s=found[1],
    )


def _manifest(bodies: tuple[OpenedBody, ...], index: int) -> Mapping[str, Any]:
    """The claim's own manifest, and of no other claim."""
    own = None
    for body in bodies:
        if body.index == index and body.content is not None:
            own = body.content
        elif body.entry.type not in ("point.register", "scheme.register"):
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
    from_s, to_s = parse_time(manifest["from"]), parse_time(manifest["to"])
    months = months_touched(from_s, to_s, parse_zone(state.zone))
    quarters = (to_s - from_s) // QUARTER_S
    if claim.reference("body")["size"] != quarters:
        raise VerificationError(
            "the claim has {given} quarter-hours, its period has {expected}",
            given=claim.reference("body")["size"],
            expected=quarters,
        )
    return months


def _taken_over(claim: str, state: State) -> tuple[tuple[str, ...], dict[str, int]]:
    """Lots and retirements of the claim: its own, and those of the claims that it replaces. Claims
    are in the order of the log, and each is replaced once, so that the way back ends.
    """
    lots: list[str] = []
    retirements: dict[str, int] = {}
    name, index = claim, state.lots.claims[claim].index + 1
    while name:
        with locate("claim {claim}", claim=name):
            made = state.lots.claims.get(name)
            if made is None:
                raise VerificationError("it is replaced, but its entry is not in the file")
            if made.index >= index:
                raise VerificationError("it is replaced by a claim before it")
        lots += made.spends
        retirements |= dict.fromkeys(made.retires, made.index)
        name, index = made.replaces, made.index
    if len(lots) > 2**16:
        raise VerificationError("the claim has {count} lots, more than 65536", count=len(lots))
    return tuple(sorted(lots)), dict(sorted(retirements.items()))


def _require_retirements(manifest: Mapping[str, Any], retirements: Mapping[str, int]) -> None:
    """The manifest names each retirement of the claim once, and no other."""
    named = [one["retirement"] for name in ("certificates", "credits") for one in manifest[name]]
    if sorted(named) != list(retirements):
        raise VerificationError(
            "the manifest names the retirements {given}, but the claim has {expected}",
            given=sorted(named),
            expected=list(retirements),
        )
