"""CCUS as facts: confirmed reduction records of a period, and what escaped in it."""

from __future__ import annotations

from ledger.accounting.facts import AT_SOURCE, CREDITED, Ccus
from ledger.accounting.loading.view import Cut, View
from ledger.credits import record as reduction
from ledger.credits.ccus import PPM
from ledger.credits.store import ProjectKey, RecordRow


def ccus_of(view: View, owner: str = "") -> list[Ccus]:
    """Of the projects of an owner, or of all: records by entry, then reversals, each by itself.

    Only what another party confirmed counts, once its period is over: a longer record is cut.
    """
    found = []
    for row in view.reductions:
        verification = row.verification
        if owner and _owner(view, row.key) != owner:
            continue
        if verification is None or verification.verdict != reduction.CONFIRMED:
            continue
        if not view.period.overlaps(row.content.period):
            continue
        if not view.period.contains(row.content.period):
            why = "its monitoring period reaches beyond the report's"
            view.cut(Cut(what="reduction", id=row.record.hex(), wh=0, why=why))
            continue
        view.use(row.entry_index, *([row.verified_index] if row.verified_index else []))
        found.append(_ccus(row))
    for one in view.reversals:
        inside = view.period.start_s <= one.content.at_s < view.period.end_s
        if inside and (not owner or _owner(view, one.key) == owner):
            view.use(one.entry_index)
            found.append(
                Ccus(
                    record=f"reversal-{one.entry_index}",
                    project=str(one.key),
                    treatment=CREDITED,
                    stored_g=0,
                    emissions_g=0,
                    net_g=0,
                    avoided_g=0,
                    removed_g=0,
                    reversed_g=one.content.g,
                )
            )
    return found


def _owner(view: View, key: ProjectKey) -> str:
    project = view.projects.get((key.scheme, key.project))
    return project.master.owner if project else ""


def _ccus(row: RecordRow) -> Ccus:
    flows = row.content.flows
    removed_g = flows.net_g * row.content.biogenic_ppm // PPM
    return Ccus(
        record=row.record.hex(),
        project=str(row.key),
        treatment=AT_SOURCE if row.content.treatment == reduction.AT_SOURCE else CREDITED,
        stored_g=flows.stored_g,
        emissions_g=flows.emissions_g,
        net_g=flows.net_g,
        avoided_g=flows.net_g - removed_g,
        removed_g=removed_g,
    )
