"""What a scheme's registration (formats.md §4.9) says of units: until when they are valid, how they
change hands, and what they may be retired for. Pure functions of its members.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from greenledger_verify.chains import HandedOver, Retired
from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import parse_time
from greenledger_verify.unitbodies import CERTIFICATE, PPM, RECORD, SAME_YEAR, SPENT, WRAPPED
from greenledger_verify.unitforms import COMPLIANCE
from greenledger_verify.unitleaves import BatchLeaf

Scheme = Mapping[str, Any]


def check_batch(batch: BatchLeaf, scheme: Scheme, entry: Entry, zone_s: int) -> None:
    """What was issued by ``entry``, by the registration in force then.

    1. It expires when the scheme says, and names a record exactly where they are of reductions.
    2. Its classes are the scheme's.
    3. The lots behind it are all spent, or all wrapped, as its class asks for.
    4. The Wh behind certificates are what they are worth and what is left over, below a unit.
    """
    # 1
    expected = expires_s(scheme["validity_months"], parse_time(batch.members["from"]), zone_s)
    given = batch.members["expires"]
    if (parse_time(given) if given else None) != expected:
        raise VerificationError(
            "it expires {given}, but its scheme says {expected}",
            given=given or "–",
            expected="–" if expected is None else _utc(expected),
        )
    _check_record(batch, scheme)
    # 2
    asked = {class_rule(scheme, held.unit_class)["lots"] for held in batch.holdings}
    # 3
    for lot in batch.lots:
        needed = SPENT if lot in entry.texts("spends") else WRAPPED
        if asked != {needed}:
            raise VerificationError(
                "the lot {lot} behind it is {given}, but its class asks for {expected}",
                lot=lot,
                given=needed,
                expected=sorted(asked),
            )
    # 4
    _check_wh(batch, scheme)


def _check_record(batch: BatchLeaf, scheme: Scheme) -> None:
    """Units of a record are the batch ``<record>/0``, from 0 on."""
    record = batch.members["record"]
    if bool(record) != (scheme["kind"] == RECORD):
        raise VerificationError(
            "its record is {record}, but its scheme is of the kind {kind}",
            record=record or "–",
            kind=scheme["kind"],
        )
    if record and (batch.name.partition("/")[2] != f"{record}/0" or batch.first):
        raise VerificationError(
            "units of the record {record} are the batch {expected} from 0 on, not {given}",
            record=record,
            expected=f"{record}/0",
            given=batch.name,
        )


def _check_wh(batch: BatchLeaf, scheme: Scheme) -> None:
    """Without lots there are none, nor of units that are no certificates."""
    members, unit_size = batch.members, scheme["unit_size"]
    counted = bool(batch.lots) and is_certificate(scheme)
    units_wh = (batch.end - batch.first) * unit_size if counted else 0
    left_wh = members["left_wh"]
    behind_wh = members["eligible_wh"] + members["carried_wh"]
    if units_wh + left_wh != behind_wh or left_wh >= (unit_size if counted else 1):
        raise VerificationError(
            "its units are {units} Wh and {left} Wh are left over, less than a unit, but behind it "
            "are {behind} Wh",
            units=units_wh,
            left=left_wh,
            behind=behind_wh,
        )


def expires_s(validity_months: int, produced_s: int, zone_s: int) -> int | None:
    """The first second, in Unix time, in which a unit is not valid any more; None: it always is.

    The month of production, in park time, is the first of the months.
    """
    if not validity_months:
        return None
    day = datetime.fromtimestamp(produced_s + zone_s, UTC)
    months = 12 * day.year + day.month - 1 + validity_months
    year, month = divmod(months, 12)
    if year > 9998:
        raise VerificationError(
            "its validity of {months} months has no end", months=validity_months
        )
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp()) - zone_s


def class_rule(scheme: Scheme, unit_class: str) -> Mapping[str, Any]:
    for rule in scheme["classes"]:
        if rule["class"] == unit_class:
            found: Mapping[str, Any] = rule
            return found
    raise VerificationError(
        "{given} is not a class of the scheme: it has {expected}",
        given=unit_class,
        expected=[rule["class"] for rule in scheme["classes"]],
    )


def check_handed(handed: HandedOver, scheme: Scheme) -> None:
    """A class changes hands by one act, and not too often."""
    rule = class_rule(scheme, handed.held.unit_class)
    if rule["moved_by"] != handed.act:
        raise VerificationError(
            "units of the class {unit_class} change hands by {expected}, not by {act}",
            unit_class=handed.held.unit_class,
            expected=rule["moved_by"],
            act=handed.act,
        )
    if handed.held.moves > rule["moves_max"]:
        raise VerificationError(
            "units of the class {unit_class} change hands {max} times at most, these have {given} "
            "times",
            unit_class=handed.held.unit_class,
            max=rule["moves_max"],
            given=handed.held.moves,
        )


def check_retired(retired: Retired, scheme: Scheme, zone_s: int) -> None:
    """1. For a purpose of the scheme; for compliance in a calendar year, within its cap.
    2. Produced when the policies of the scheme ask for, as its use begins and as it ends.
    """
    # 1
    terms = retired.terms
    if terms["purpose"] not in scheme["purposes"]:
        raise VerificationError(
            "the scheme is not for {purpose}, but for {expected}",
            purpose=terms["purpose"],
            expected=scheme["purposes"],
        )
    used = parse_time(terms["from"]), parse_time(terms["to"])
    if terms["purpose"] in COMPLIANCE:
        check_cap(terms["units"], terms["obligation"], scheme)
        for batch in retired.batches:
            if not batch.members["project"]:
                raise VerificationError(
                    "the batch {batch} has no project, as compliance asks for", batch=batch.name
                )
        if _year_of(used[0], zone_s) != used:
            raise VerificationError(
                "it is for {purpose} from {start} to {end}, which is no calendar year",
                purpose=terms["purpose"],
                start=terms["from"],
                end=terms["to"],
            )
    # 2
    for used_s, said in ((used[0], terms["from"]), (used[1] - 1, terms["to"])):
        _check_vintage(retired, scheme, used_s, said, zone_s)


def _check_vintage(retired: Retired, scheme: Scheme, used_s: int, said: str, zone_s: int) -> None:
    """For the beginning, or the last second, of a use: ``said`` is its ``from`` or ``to``."""
    policies = [one for one in scheme["vintages"] if parse_time(one["from"]) <= used_s]
    if not policies or policies[-1]["policy"] != SAME_YEAR:
        return
    first, end = _year_of(used_s, zone_s)
    for batch in retired.batches:
        members = batch.members
        if parse_time(members["from"]) < first or end < parse_time(members["to"]):
            raise VerificationError(
                "the batch {batch} was produced from {start} to {end}, but it is used at {used}: "
                "the scheme asks for the same year",
                batch=batch.name,
                start=members["from"],
                end=members["to"],
                used=said,
            )


def check_cap(units: int, obligation: int, scheme: Scheme) -> None:
    """Units that meet an obligation, alone or together with others, are within the cap."""
    most = obligation * scheme["cap_ppm"] // PPM
    if units > most:
        raise VerificationError(
            "{units} units are more than the {most} that may meet an obligation of {obligation}",
            units=units,
            most=most,
            obligation=obligation,
        )


def check_same_kind(scheme: Scheme, later: Scheme) -> None:
    """What stays when a scheme is registered anew."""
    before = {name: scheme[name] for name in ("kind", "unit", "unit_size")}
    after = {name: later[name] for name in before}
    lots = {rule["class"]: rule["lots"] for rule in scheme["classes"]}
    for rule in later["classes"]:
        name = f"lots of {rule['class']}"
        before[name] = lots.get(rule["class"], rule["lots"])
        after[name] = rule["lots"]
    for name, value in after.items():
        if value != before[name]:
            raise VerificationError(
                "{member} of a scheme stays, but was {before} and is {after}",
                member=name,
                before=before[name],
                after=value,
            )


def _year_of(time_s: int, zone_s: int) -> tuple[int, int]:
    """The calendar year of park time in which a second lies: its first, and the next one's."""
    year = datetime.fromtimestamp(time_s + zone_s, UTC).year
    first, end = (
        int(datetime(one, 1, 1, tzinfo=UTC).timestamp()) - zone_s
        for one in (year, min(year + 1, 9999))
    )
    return first, end


def is_certificate(scheme: Scheme) -> bool:
    return bool(scheme["kind"] == CERTIFICATE)


def _utc(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
