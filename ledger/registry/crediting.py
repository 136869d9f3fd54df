"""Taking in credits: what they exclude goes with them (国能综通新能〔2024〕124号).

Certificates of the same plant and time that froze with the project are cancelled, and the lots of
the energy that is metered here are spent, in one step with the import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ledger.db import reading
from ledger.log import store as log_store
from ledger.log.service import Receipt
from ledger.log.types import Tx
from ledger.parties.desk import Desk, Draft
from ledger.registry import catalogue, exclusive, lifecycle
from ledger.registry.acting import move_draft
from ledger.registry.choosing import Chosen
from ledger.registry.project import Project
from ledger.registry.scheme import Scheme
from ledger.registry.service import NewBatch, issue_submissions


def issue_credits(
    desk: Desk,
    name: str,
    found: Sequence[NewBatch],
    *,
    document: str = "",
    note: str = "",
    frozen: bool = False,
) -> list[Receipt]:
    """As `service.issue`, for credits; the receipts of cancellations come first.

    Raises Refused where certificates of the same energy were used, or are not frozen.
    """
    with reading(desk.engine) as conn:
        rules = catalogue.find_scheme(conn, desk.log.log_id, name).rules
        projects = {
            one.project: one.master
            for one in catalogue.current_projects(conn, desk.log.log_id).values()
            if one.scheme == name
        }
        cancels = _cancellations(conn, desk, rules, projects, found)
        spending = _spending(conn, desk, rules, projects, found)
    submissions = [desk.sign(draft) for draft in cancels]
    submissions += issue_submissions(
        desk, name, spending, document=document, note=note, frozen=frozen
    )
    return desk.writer.append_all(submissions)


def _cancellations(
    conn: Connection,
    desk: Desk,
    rules: Scheme,
    projects: Mapping[str, Project],
    found: Sequence[NewBatch],
) -> list[Draft]:
    """Cancel what is frozen of the same plants and times, by owner."""
    by_owner: dict[tuple[str, str], Chosen] = {}
    seen: set[bytes] = set()
    for one in found:
        master = projects.get(one.project)
        for scheme in rules.freezes if master else ():
            assert master is not None
            for batch in exclusive.plant_batches(
                conn, desk.log.log_id, scheme, master.plant, one.period
            ):
                for row in exclusive.live_of(conn, desk.log.log_id, batch):
                    if row.state == lifecycle.FROZEN and row.holding not in seen:
                        seen.add(row.holding)
                        by_owner.setdefault((scheme, row.owner), []).append((row, [row.units]))
    reason = {"reason": f"reductions of the same energy were issued as {rules.scheme} (124号)"}
    return [
        move_draft(desk, lifecycle.CANCEL, desk.log.operator, chosen, terms=reason)
        for _, chosen in sorted(by_owner.items())
    ]


def _spending(
    conn: Connection,
    desk: Desk,
    rules: Scheme,
    projects: Mapping[str, Project],
    found: Sequence[NewBatch],
) -> list[NewBatch]:
    """Each batch with the lots that it spends, each lot once."""
    head = log_store.load_head(conn, desk.log.log_id)
    tx = Tx(conn=conn, log=desk.log, index=head.size, tick_s=head.tick_s)
    taken: set[bytes] = set()
    batches = []
    for one in found:
        master = projects.get(one.project)
        lots = (
            exclusive.lots_to_spend(tx, rules, master, one.period)
            if master and rules.freezes
            else []
        )
        mine = [lot for lot in lots if lot not in taken]
        taken |= set(mine)
        batches.append(replace(one, spends=tuple(mine)))
    return batches
