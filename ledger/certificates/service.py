"""Issue of certificates for a plant that is metered here, with the lots that stand behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.certificates.backing import Behind, behind
from ledger.db import reading
from ledger.errors import InvalidInput, Refused
from ledger.lots.model import Month
from ledger.parties.desk import Desk
from ledger.registry import catalogue, exclusive, store
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange
from ledger.registry.service import NewBatch, Share, issue


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredIssue:
    """Certificates of a project's month, under one code. `units`: {class: how many}, as the
    registry issued them; None of a class: as many as its lots make."""

    project: str
    month: Month
    code: str
    units: Mapping[str, int | None]
    owner: str = ""
    document: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Certificates of a class. `left_wh`: carried to the next batch of project and class."""

    class_: str
    batch: BatchId
    units: SerialRange
    eligible_wh: int
    carried_wh: int
    left_wh: int


def issue_metered(desk: Desk, wanted: MeteredIssue, scheme: str = "gec") -> list[Issued]:
    """Issue a month's certificates of a plant that is metered here; they begin with its owner.

    A class that makes no whole unit is left out, and counts with the next month. Raises NotFound
    for an unknown project; InvalidInput where there is no whole unit at all; Refused where the
    registry's number is not what the lots make.
    """
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, scheme).rules
        master = catalogue.find_project(conn, desk.log.log_id, scheme, wanted.project).master
        found = {
            class_: behind(conn, desk.log, rules, wanted.project, class_, wanted.month.period.end_s)
            for class_ in sorted(wanted.units)
        }
        frozen = exclusive.freezer_of(
            conn, desk.log.log_id, scheme, master.plant, wanted.month.period
        )
        known = store.batches_of_code(conn, desk.log.log_id, scheme, wanted.code)
    at = max((row.units.end for row in known), default=0)
    batches: list[NewBatch] = []
    issued: list[Issued] = []
    owner = wanted.owner or master.owner
    for class_, there in found.items():
        _require_number(wanted, class_, there)
        if not there.units:
            continue
        units = SerialRange(first=at, end=at + there.units)
        at = units.end
        batches.append(
            NewBatch(
                code=wanted.code,
                units=units,
                period=wanted.month.period,
                shares=(Share(class_=class_, owner=owner, units=units),),
                project=wanted.project,
                spends=there.spends,
                wraps=there.wraps,
                eligible_wh=there.eligible_wh,
            )
        )
        issued.append(
            Issued(
                class_=class_,
                batch=BatchId(scheme=scheme, code=wanted.code, revision=len(known) + len(issued)),
                units=units,
                eligible_wh=there.eligible_wh,
                carried_wh=there.carried_wh,
                left_wh=there.left_wh,
            )
        )
    if not batches:
        raise _nothing(wanted, found)
    issue(desk, scheme, batches, document=wanted.document, note=wanted.note, frozen=bool(frozen))
    return issued


def _require_number(wanted: MeteredIssue, class_: str, there: Behind) -> None:
    stated = wanted.units[class_]
    if stated is not None and stated != there.units:
        raise Refused(
            f"project {wanted.project}, {wanted.month}: {stated} certificates of class {class_} are"
            f" stated; lots of {there.eligible_wh} Wh and {there.carried_wh} Wh left before"
            f" make {there.units}"
        )


def _nothing(wanted: MeteredIssue, found: Mapping[str, Behind]) -> InvalidInput:
    wh = sum(one.eligible_wh + one.carried_wh for one in found.values())
    if not any(one.spends or one.wraps for one in found.values()):
        return InvalidInput(
            f"no lot of project {wanted.project} up to {wanted.month} is free for certificates of"
            f" class {', '.join(found)}: lots are made by: greenledger match"
        )
    return InvalidInput(
        f"project {wanted.project}: {wh} Wh up to {wanted.month} are less than one certificate of a"
        " class; they count with the next month"
    )
