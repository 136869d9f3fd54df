"""What a verified opening means, in words: what was established, and what was not."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from greenledger_verify.checkpoint import SignedCheckpoint
from greenledger_verify.leaves import Allocation, Reading
from greenledger_verify.members import parse_zone
from greenledger_verify.opened import Opening
from greenledger_verify.pins import explain_pins
from greenledger_verify.report import Report
from greenledger_verify.state import Endorsement, RegisteredKey
from greenledger_verify.text import Text, say
from greenledger_verify.trust import Trust

WORDS: Final = {
    "generation": say("generation"),
    "consumption": say("consumption"),
    "grid-import": say("grid import"),
    "grid-export": say("grid export"),
    "storage-charge": say("storage charge"),
    "storage-discharge": say("storage discharge"),
    "billed": say("billed quantity"),
    "other": say("other"),
    "energy": say("energy"),
    "transport": say("transport"),
    "buildings": say("buildings"),
    "infrastructure": say("infrastructure"),
    "production": say("production"),
    "ecology": say("ecology"),
}
UNITS: Final = {"ml": "mL", "ug/m3": "µg/m³"}


def explain_checkpoint(signed: SignedCheckpoint, trust: Trust, report: Report) -> None:
    """The log, its size, and which of the trusted witnesses saw it."""
    checkpoint = signed.checkpoint
    report.establish(
        "The log {origin} had {size} entries under the root {root}, signed by its key {vkey}.",
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        vkey=signed.log_key.vkey,
    )
    others = signed.log_keys[1:]
    if others:
        report.establish(
            "Other keys of the log signed it too: {keys}.",
            keys=[f"{key.name}+{key.key_id.hex()}" for key in others],
        )
    if signed.log_key not in trust.keys_of(checkpoint.origin):
        report.establish(
            "That key is not the one that you brought: entries of the log, signed by that one or "
            "by one that it leads to, registered it."
        )
    for key in signed.second_keys:
        report.establish(
            "The second key of the log (ML-DSA-44, {id}) has signed it too.", id=key.key_id
        )
    for cosignature in signed.cosignatures:
        if cosignature.time_s is None:
            report.establish(
                "The witness {name} cosigned this checkpoint, and says no time.",
                name=cosignature.key.name,
            )
        else:
            report.establish(
                "The witness {name} cosigned this checkpoint at {time}.",
                name=cosignature.key.name,
                time=utc(cosignature.time_s),
            )
    seen = {cosignature.key.name for cosignature in signed.cosignatures}
    _explain_absent(signed, seen, trust, report)
    if not seen:
        report.leave_open(
            "That others are shown the same log: no independent witness cosigned this checkpoint."
        )


def _explain_absent(signed: SignedCheckpoint, seen: set[str], trust: Trust, report: Report) -> None:
    """Keys that the user brought, but whose line is not there, or can't be checked here."""
    for key in signed.unchecked:
        report.leave_open(
            "Whether the ML-DSA-44 signature by {name} holds: the cryptography library installed "
            "here has no ML-DSA. It counts as absent.",
            name=key.name,
        )
    for key in trust.second_keys_of(signed.checkpoint.origin):
        if key not in (*signed.second_keys, *signed.unchecked):
            report.leave_open(
                "That the second key of the log (ML-DSA-44, {id}) has signed it: its line is not "
                "there.",
                id=key.key_id,
            )
    for name in sorted({one.key.name for one in trust.witnesses} - seen):
        report.leave_open(
            "That the witness {name} has seen this checkpoint: its cosignature is not there.",
            name=name,
        )


def explain_opening(opening: Opening, trust: Trust, report: Report) -> None:
    explain_checkpoint(opening.signed, trust, report)
    explain_pins(opening.signed.checkpoint, {}, trust, report)
    _explain_subject(opening, report)
    if isinstance(opening.leaf, Reading):
        _explain_reading(opening, opening.leaf, report)
    if isinstance(opening.leaf, Allocation):
        _explain_allocation(opening, opening.leaf, report)
    _explain_endorsements(opening, report)
    _explain_limits(opening, report)


PROVENANCE: Final = {
    "meter": say("meter-signed: the key was registered as a meter's, and endorsed"),
    "gateway": say("gateway-signed: the key was registered as a gateway's, and endorsed"),
    "party": say("party import: the party holds the key itself"),
    "operator": say("operator custody: the park operator's server holds the key for the party"),
}


def provenance(signer: RegisteredKey, endorsements: Iterable[Endorsement]) -> str:
    """formats.md §4.1: what the signing key says about where a reading comes from, a key of
    ``PROVENANCE``. Anybody can call its key a meter's, so that counts only where somebody else
    endorsed it.
    """
    if signer.device in ("meter", "gateway") and endorsers(signer, endorsements):
        return signer.device
    return "party" if signer.custody == "owner" else "operator"


def endorsers(signer: RegisteredKey, endorsements: Iterable[Endorsement]) -> list[Endorsement]:
    """The endorsements of a key by others than its party."""
    return [
        one for one in endorsements if one.vkey == signer.key.vkey and one.endorser != signer.party
    ]


def utc(time_s: int) -> str:
    """Unix seconds as ISO 8601 in UTC; what no calendar holds stays a number."""
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(time_s)


def interval(start_s: int, length_s: int, zone: str) -> Text:
    """From and to (exclusive), in UTC and in park time."""
    park = timezone(timedelta(seconds=parse_zone(zone)))
    ends = [datetime.fromtimestamp(time_s, UTC) for time_s in (start_s, start_s + length_s)]
    try:
        local = [end.astimezone(park).strftime("%Y-%m-%d %H:%M:%S") for end in ends]
    except OverflowError:
        local = ["?", "?"]
    return say(
        "{from_utc} to {to_utc} (park time, UTC{zone}: {from_park} to {to_park})",
        from_utc=utc(start_s),
        to_utc=utc(start_s + length_s),
        zone=zone,
        from_park=local[0],
        to_park=local[1],
    )


def _explain_subject(opening: Opening, report: Report) -> None:
    report.establish(
        "Entry {index} of that log is {type} by {author} ({name}), who dates it {at}.",
        index=opening.index,
        type=opening.subject.type,
        author=opening.subject.author,
        name=opening.party.name,
        at=opening.subject.text("at"),
    )
    report.establish(
        "It is signed by the key {id} of {author}, registered in entry {index}, in a chain that "
        "ends in the genesis.",
        id=opening.signer.key.key_id,
        author=opening.subject.author,
        index=opening.signer.index,
    )


def _explain_reading(opening: Opening, reading: Reading, report: Report) -> None:
    unit = _explain_point(opening, reading.point, report)
    report.establish(
        "Interval: {interval}.",
        interval=interval(reading.start_s, reading.length_s, opening.state.zone),
    )
    report.establish("Value: {value} {unit}.", value=f"{reading.value:,}", unit=unit)
    for flag in reading.quality or (say("measured, no flag"),):
        report.establish("Quality: {flag}.", flag=flag)
    report.establish(
        "Provenance: {provenance}.",
        provenance=PROVENANCE[provenance(opening.signer, opening.state.endorsements)],
    )


def _explain_point(opening: Opening, identity: str, report: Report) -> object:
    """Say which point it is, and return the unit of its values."""
    body = opening.registration("point", identity)
    if body is None or body.content is None:
        report.establish("The reading is of the point {point}.", point=identity)
        report.leave_open(
            "What the point {point} measures, and in which unit: its master data are not opened.",
            point=identity,
        )
        report.leave_open(
            "That {author} may send readings of this point.", author=opening.subject.author
        )
        return say("base units of the point (its master data are not opened)")
    point = body.content
    report.establish(
        "The reading is of the point {name} ({point}): {kind}, technology {technology}, park "
        "system {system}, owned by {owner}; master data of entry {index}.",
        name=point["name"],
        point=identity,
        kind=WORDS[str(point["kind"])],
        technology=point["technology"] or "–",
        system=WORDS[str(point["park_system"])],
        owner=point["owner"],
        index=body.index,
    )
    if body.index > opening.index:
        report.leave_open(
            "Which master data the point had at the reading: those of the file were registered "
            "after it."
        )
        report.leave_open(
            "That {author} may send readings of this point.", author=opening.subject.author
        )
    return UNITS.get(str(point["unit"]), point["unit"])


def _explain_allocation(opening: Opening, allocation: Allocation, report: Report) -> None:
    report.establish(
        "Matching by {policy} gave {energy} Wh of the point {source} to the point {consumer}, as "
        "{supply}, under contract {contract}.",
        policy=opening.subject.text("policy"),
        energy=f"{allocation.energy_wh:,}",
        source=_point_name(opening, allocation.source),
        consumer=_point_name(opening, allocation.consumer),
        supply=allocation.supply_class,
        contract=allocation.contract,
    )
    report.establish(
        "Interval: {interval}.",
        interval=interval(allocation.start_s, allocation.length_s, opening.state.zone),
    )
    contract = opening.registration("contract", allocation.contract)
    if contract is None or contract.content is None:
        report.leave_open(
            "What the contract {contract} says: it is not opened.", contract=allocation.contract
        )
    else:
        report.establish(
            "The contract is {name}, seller {seller} (entry {index}).",
            name=contract.content["name"],
            seller=contract.content["seller"],
            index=contract.index,
        )
    report.leave_open(
        "That the run was computed as its policy says, from the readings of the log: recompute it "
        "to know."
    )
    report.leave_open("That the allocated energy was used for nothing else.")


def _point_name(opening: Opening, point: str) -> object:
    body = opening.registration("point", point)
    return point if body is None or body.content is None else body.content["name"]


def _explain_endorsements(opening: Opening, report: Report) -> None:
    found = [e for e in opening.state.endorsements if e.vkey == opening.signer.key.vkey]
    for endorsement in found:
        report.establish(
            "{endorser} vouches for the signing key (entry {index}): {claim}",
            endorser=endorsement.endorser,
            index=endorsement.index,
            claim=endorsement.claim,
        )
    if not found and opening.kind == "reading":
        report.leave_open(
            "That anyone but the operator vouches for the signing key: no endorsement is in the "
            "file."
        )


def _explain_limits(opening: Opening, report: Report) -> None:
    report.leave_open(
        "That the signing key had not been replaced or revoked before: that needs the whole log "
        "(greenledger-verify log)."
    )
    report.leave_open(
        "When it was written: {at} is the author's word.", at=opening.subject.text("at")
    )
    if isinstance(opening.leaf, Reading):
        report.leave_open("That no later entry corrects this reading.")
        report.leave_open("That the meter told the truth.")
