"""What a scheme's registration (formats.md §4.9) says of units: until when they are valid, how they
change hands, and what they may be retired for. Pure functions of its members.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from greenledger_verify.chains import HandedOver, Retired
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import parse_time
from greenledger_verify.unitbodies import CERTIFICATE, PPM, SAME_YEAR, SPENT, WRAPPED
from greenledger_verify.unitleaves import BatchLeaf

Scheme = Mapping[str, Any]


def check_batch(batch: BatchLeaf, scheme: Scheme, spends: Sequence[str], zone_s: int) -> None:
    """What was issued, by the registration in force then; ``spends`` are lots that the issue spent.

    1. It expires when the scheme says.
    2. Its classes are the scheme's.
    3. The lots behind it are spent, or wrapped, as its classes ask for.
    4. The Wh behind it are what its units are worth and what is left over.
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
    # 2
    asked = {class_rule(scheme, held.unit_class)["lots"] for held in batch.holdings}
    # 3
    for lot in batch.lots:
        needed = SPENT if lot in spends else WRAPPED
        if needed not in asked:
            raise VerificationError(
                "the lot {lot} behind it is {given}, but its classes ask for {expected}",
                lot=lot,
                given=needed,
                expected=sorted(asked),
            )
    # 4
    units_wh = (batch.end - batch.first) * scheme["unit_size"]
    members = batch.members
    behind_wh = members["eligible_wh"] + members["carried_wh"]
    if batch.lots and units_wh + members["left_wh"] != behind_wh:
        raise VerificationError(
            "its units are {units} Wh and {left} Wh are left over, but behind it are {behind} Wh",
            units=units_wh,
            left=members["left_wh"],
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
    """1. For a purpose of the scheme; of an obligation no more than its cap.
    2. Produced when the policy of the scheme asks for.
    """
    # 1
    terms = retired.terms
    if terms["purpose"] not in scheme["purposes"]:
        raise VerificationError(
            "the scheme is not for {purpose}, but for {expected}",
            purpose=terms["purpose"],
            expected=scheme["purposes"],
        )
    if (
        terms["purpose"] == "ets-compliance"
        and terms["units"] * PPM > terms["obligation"] * scheme["cap_ppm"]
    ):
        raise VerificationError(
            "{units} units are more than {cap} ppm of the obligation of {obligation}",
            units=terms["units"],
            cap=scheme["cap_ppm"],
            obligation=terms["obligation"],
        )
    # 2
    used = parse_time(terms["from"]), parse_time(terms["to"])
    if SAME_YEAR not in _policies(scheme, *used):
        return
    years = _years(*used, zone_s)
    for batch in retired.batches:
        made = parse_time(batch.members["from"]), parse_time(batch.members["to"])
        produced = _years(*made, zone_s)
        if produced | years != years or len(years) > 1:
            raise VerificationError(
                "the batch {batch} was produced in {produced} and is used in {used}: the scheme "
                "asks for the same year",
                batch=batch.name,
                produced=sorted(produced),
                used=sorted(years),
            )


def _policies(scheme: Scheme, from_s: int, to_s: int) -> set[str]:
    """The policies in force while it is used; before the first there is none."""
    vintages = scheme["vintages"]
    found = {one["policy"] for one in vintages[-1:] if parse_time(one["from"]) < to_s}
    for one, following in pairwise(vintages):
        if parse_time(one["from"]) < to_s and parse_time(following["from"]) > from_s:
            found.add(one["policy"])
    return found


def _years(from_s: int, to_s: int, zone_s: int) -> set[int]:
    first, last = (datetime.fromtimestamp(at + zone_s, UTC).year for at in (from_s, to_s - 1))
    return set(range(first, last + 1))


def is_certificate(scheme: Scheme) -> bool:
    return bool(scheme["kind"] == CERTIFICATE)


def _utc(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
