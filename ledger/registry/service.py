"""Registering schemes and projects, and issuing units."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.db import reading
from ledger.errors import InvalidInput
from ledger.log.service import Receipt, Submission
from ledger.lots.model import month_of
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.registry import catalogue, exclusive, lifecycle, project, rule, scheme, store
from ledger.registry.acting import ID_BYTES, LISTS_BYTES_MAX, move_draft, units_draft
from ledger.registry.choosing import Chosen
from ledger.registry.leaves import (
    Batch,
    BatchId,
    IssuedHolding,
    owner_leaf,
)
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import Scheme
from ledger.units import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Units of a batch of one class, with one owner."""

    class_: str
    owner: str
    units: SerialRange


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """Units to be issued. `shares` fill `units` in order. `spends`, `wraps`: lots behind them."""

    code: str
    units: SerialRange
    period: Period
    shares: tuple[Share, ...]
    project: str = ""
    record: str = ""
    spends: tuple[bytes, ...] = ()
    wraps: tuple[bytes, ...] = ()
    eligible_wh: int = 0


def register_scheme(desk: Desk, rules: Scheme) -> Receipt:
    """Register the rules of a scheme, or replace them from now on."""
    with reading(desk.engine) as conn:
        known = catalogue.current_schemes(conn, desk.log.log_id).get(rules.scheme)
    members = {"scheme": rules.scheme, "replaces": known.id if known else ""}
    return desk.append(
        Draft(
            type=rule.SCHEME,
            author=desk.log.operator,
            members=members,
            bodies={"body": seal_json(rules.to_json(), scheme.NAME)},
        )
    )


def ensure_scheme(desk: Desk, name: str) -> Scheme:
    """The rules in force; those that came with the program where none are. Raises NotFound."""
    with reading(desk.engine) as conn:
        known = catalogue.current_schemes(conn, desk.log.log_id).get(name)
    if known is not None:
        return known.rules
    rules = scheme.shipped(name)
    register_scheme(desk, rules)
    return rules


def register_project(desk: Desk, of: str, name: str, master: Project) -> list[Receipt]:
    """Register a project, or its new state; certificates that it freezes freeze with it (124号).

    The last receipt is the project's. Raises InvalidInput or Refused, and then nothing changes.
    """
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, of).rules
        known = catalogue.current_projects(conn, desk.log.log_id).get((of, name))
        frozen = _to_freeze(conn, desk, rules, master)
    drafts = [_freeze_draft(desk, rows, f"{of} project {name} registered") for rows in frozen]
    drafts.append(
        Draft(
            type=rule.PROJECT,
            author=desk.log.operator,
            members={"scheme": of, "project": name, "replaces": known.id if known else ""},
            bodies={"body": seal_json(master.to_json(), project.NAME)},
        )
    )
    return desk.writer.append_all([desk.sign(draft) for draft in drafts])


def _to_freeze(
    conn: Connection, desk: Desk, rules: Scheme, master: Project
) -> list[list[store.HoldingRow]]:
    rows = exclusive.to_freeze(conn, desk.log.log_id, rules, master)
    by_owner: dict[tuple[str, str], list[store.HoldingRow]] = {}
    for row in rows:
        by_owner.setdefault((row.batch.scheme, row.owner), []).append(row)
    return [found for _, found in sorted(by_owner.items())]


def _freeze_draft(desk: Desk, rows: Sequence[store.HoldingRow], reason: str) -> Draft:
    chosen: Chosen = [(row, [row.units]) for row in rows]
    return move_draft(desk, lifecycle.FREEZE, desk.log.operator, chosen, terms={"reason": reason})


# Issuing


def issue(
    desk: Desk,
    name: str,
    found: Sequence[NewBatch],
    *,
    document: str = "",
    note: str = "",
    frozen: bool = False,
) -> list[Receipt]:
    """Issue batches of a scheme, in as few entries as they fit into; all of them or none.

    Raises InvalidInput or Refused, and then nothing changes.
    """
    return desk.writer.append_all(
        list(issue_submissions(desk, name, found, document=document, note=note, frozen=frozen))
    )


def issue_submissions(
    desk: Desk,
    name: str,
    found: Sequence[NewBatch],
    *,
    document: str = "",
    note: str = "",
    frozen: bool = False,
) -> Iterator[Submission]:
    """The entries of `issue`, signed."""
    if not found:
        raise InvalidInput("there is no batch to issue")
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, name).rules
        batches = _batches(conn, desk, rules, found)
    for part in _by_size(list(zip(batches, found, strict=True))):
        yield desk.sign(_issue_draft(desk, name, part, document, note, frozen))


def _batches(conn: Connection, desk: Desk, rules: Scheme, found: Sequence[NewBatch]) -> list[Batch]:
    zone_s = desk.log.zone_s
    known = store.batches_of_codes(conn, desk.log.log_id, rules.scheme, {one.code for one in found})
    revisions = {code: len(rows) for code, rows in known.items()}
    left_wh: dict[tuple[str, str], int] = {}
    expires_s = functools.cache(lambda start_s: rules.expires_s(start_s, zone_s))
    batches = []
    for one in found:
        revision = revisions.get(one.code, 0)
        revisions[one.code] = revision + 1
        carried_wh = 0
        if one.eligible_wh or one.spends or one.wraps:
            account = one.project, one.shares[0].class_
            carried_wh = left_wh.get(
                account, store.last_left_wh(conn, desk.log.log_id, rules.scheme, *account)
            )
        left = carried_wh + one.eligible_wh - len(one.units) * rules.unit_size
        metered = rules.kind == scheme.CERTIFICATE and bool(one.spends or one.wraps)
        if metered and left < 0:
            raise InvalidInput(
                f"batch {one.code}: {len(one.units)} units are more than the"
                f" {carried_wh + one.eligible_wh} Wh behind them"
            )
        if metered:
            left_wh[one.project, one.shares[0].class_] = left
        batches.append(
            Batch(
                id=BatchId(scheme=rules.scheme, code=one.code, revision=revision),
                units=one.units,
                period=one.period,
                expires_s=expires_s(one.period.start_s),
                holdings=tuple(
                    IssuedHolding(
                        holding=bytes.fromhex(fresh_id()), class_=share.class_, units=share.units
                    )
                    for share in one.shares
                ),
                project=one.project,
                record=one.record,
                lots=tuple(sorted((*one.spends, *one.wraps))),
                eligible_wh=one.eligible_wh if metered else 0,
                carried_wh=carried_wh if metered else 0,
                left_wh=left if metered else 0,
            )
        )
    return batches


def _by_size(
    found: Sequence[tuple[Batch, NewBatch]],
) -> Iterator[list[tuple[Batch, NewBatch]]]:
    """In parts whose lists fit into an entry, each code once in a part, and of each project and
    class one batch with lots: the batches of an entry stand by code, what is left over goes on in
    the order in which they are given."""
    part: list[tuple[Batch, NewBatch]] = []
    size, once = 0, set[str | tuple[str, str]]()
    for one in found:
        batch = one[0]
        mine: set[str | tuple[str, str]] = {batch.id.code}
        if batch.lots:
            mine.add((batch.project, batch.class_))
        need = len(batch.id.short) + 3 + ID_BYTES * (len(batch.holdings) + len(batch.lots))
        if part and (size + need > LISTS_BYTES_MAX or mine & once):
            yield part
            part, size, once = [], 0, set()
        part.append(one)
        size += need
        once |= mine
    yield part


def _issue_draft(
    desk: Desk,
    name: str,
    part: Sequence[tuple[Batch, NewBatch]],
    document: str,
    note: str,
    frozen: bool,
) -> Draft:
    ordered = sorted(part, key=lambda one: one[0].id.short)
    owners = {
        holding.holding: share.owner
        for batch, one in ordered
        for holding, share in zip(batch.holdings, one.shares, strict=True)
    }
    begins = sorted(owners)
    leaves = [batch.to_json() for batch, _ in ordered]
    leaves += [owner_leaf(holding, owners[holding]) for holding in begins]
    leaves.append({"document": document, "note": note})
    members = {
        "scheme": name,
        "state": lifecycle.FROZEN if frozen else lifecycle.ACTIVE,
        "batches": [batch.id.short for batch, _ in ordered],
        "spends": sorted(lot.hex() for _, one in ordered for lot in one.spends),
        "wraps": sorted(lot.hex() for _, one in ordered for lot in one.wraps),
        "begins": [holding.hex() for holding in begins],
    }
    return units_draft(desk, rule.ISSUE, desk.log.operator, members, leaves)


def month_period(desk: Desk, unix_s: int) -> Period:
    """The calendar month of park time."""
    return month_of(unix_s, desk.log.zone_s).period
