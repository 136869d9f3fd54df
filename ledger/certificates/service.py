"""Issue of certificates for a plant that is metered here, with the lots that stand behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.certificates.backing import Behind, behind
from ledger.db import reading
from ledger.errors import InvalidInput, Refused
from ledger.log.service import Receipt
from ledger.lots.model import Month
from ledger.parties.desk import Desk
from ledger.registry import catalogue, exclusive
from ledger.registry.ranges import SerialRange
from ledger.registry.service import NewBatch, Share, issue, next_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredIssue:
    """Certificates of a project's month. `units`: {class: how many}, as the registry issued them;
    None: as many as the lots make. `classes`: which there may be then."""

    project: str
    month: Month
    code: str
    classes: tuple[str, ...]
    units: Mapping[str, int] | None = None
    owner: str = ""
    document: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """`units`: {class: how many}. `left_wh`: what is carried to the project's next batch."""

    receipt: Receipt
    units: Mapping[str, int]
    eligible_wh: Mapping[str, int]
    carried_wh: int
    left_wh: int


def issue_metered(desk: Desk, wanted: MeteredIssue, scheme: str = "gec") -> Issued:
    """Issue a month's certificates of a plant that is metered here; they begin with its owner.

    Raises NotFound for an unknown project; InvalidInput where there is no whole unit; Refused where
    the registry's number is not what the lots make.
    """
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, scheme).rules
        master = catalogue.find_project(conn, desk.log.log_id, scheme, wanted.project).master
        found = behind(
            conn,
            desk.log,
            rules,
            wanted.project,
            wanted.classes,
            wanted.month.period.end_s,
        )
        frozen = exclusive.freezer_of(
            conn, desk.log.log_id, scheme, master.plant, wanted.month.period
        )
        first = next_unit(conn, desk.log.log_id, scheme, wanted.code)
    units = dict(sorted((wanted.units or found.shares()).items()))
    _require_whole(wanted, found, units)
    shares = []
    at = first
    for class_, count in units.items():
        span = SerialRange(first=at, end=at + count)
        shares.append(Share(class_=class_, owner=wanted.owner or master.owner, units=span))
        at = span.end
    batch = NewBatch(
        code=wanted.code,
        units=SerialRange(first=first, end=at),
        period=wanted.month.period,
        shares=tuple(shares),
        project=wanted.project,
        spends=found.spends,
        wraps=found.wraps,
        eligible_wh=sum(found.eligible_wh.values()),
    )
    receipts = issue(
        desk, scheme, [batch], document=wanted.document, note=wanted.note, frozen=bool(frozen)
    )
    eligible_wh = sum(found.eligible_wh.values())
    return Issued(
        receipt=receipts[0],
        units=units,
        eligible_wh=found.eligible_wh,
        carried_wh=found.carried_wh,
        left_wh=found.carried_wh + eligible_wh - (at - first) * rules.unit_size,
    )


def _require_whole(wanted: MeteredIssue, found: Behind, units: Mapping[str, int]) -> None:
    count, eligible_wh = sum(units.values()), sum(found.eligible_wh.values())
    if not found.spends and not found.wraps:
        raise InvalidInput(
            f"no lot of project {wanted.project} up to {wanted.month} is free for certificates:"
            " lots are made by: greenledger match"
        )
    if not found.units:
        raise InvalidInput(
            f"project {wanted.project}: {eligible_wh} Wh up to {wanted.month} and"
            f" {found.carried_wh} Wh left before are less than one certificate; they count with"
            " the next month"
        )
    if count != found.units:
        raise Refused(
            f"project {wanted.project}, {wanted.month}: {count} certificates are stated; lots of"
            f" {eligible_wh} Wh and {found.carried_wh} Wh left before make {found.units}"
        )
