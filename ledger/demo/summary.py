"""What the demo has to say, as one JSON object: read back from the ledger, not from the generator.

Energies are integer Wh, paths are relative to the demo's folder, and nothing here is language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from ledger import db
from ledger.claims import store as claim_store
from ledger.demo.accounts import Instruments, holds, of_claim, summarise_units
from ledger.demo.checks import Check
from ledger.demo.claiming import MONTH_NAME, OPENED_POINT, Claims, EvidenceFiles
from ledger.demo.figures import Figures, summarise_figures
from ledger.demo.folder import FORMAT
from ledger.demo.park import PERIOD, QUARTERS, YEAR, Park
from ledger.demo.plan import Handover
from ledger.house import House
from ledger.log import store as log_store
from ledger.log.entry import parse_entry
from ledger.matching.missing import Rule
from ledger.matching.model import SupplyClass
from ledger.matching.service import RunReport
from ledger.metering import store as metering
from ledger.metering.effective import effective
from ledger.metering.importing import ImportedFile
from ledger.metering.provenance import ByProvenance
from ledger.metering.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """What the steps brought about."""

    house: House
    park: Park
    imported: Sequence[tuple[Handover, ImportedFile]]
    report: RunReport
    checks: Sequence[Check]
    claims: Claims
    evidence: EvidenceFiles
    instruments: Instruments
    figures: Figures
    audited: Mapping[str, Any]
    checkpoint: str
    tiles: str
    trust: str


def summarise(facts: Facts) -> dict[str, Any]:
    """The summary without its times."""
    house, evaluation = facts.house, facts.report.evaluation
    totals = evaluation.result.totals()
    matched_wh = {one.granularity: one.matched_wh for one in evaluation.matched}
    checks = {check.subject: check for check in facts.checks}
    single_use = all(_single_use(checks[subject]) for subject in ("evidence", "sampled", "bought"))
    with db.reading(house.engine) as conn:
        points = _points(conn, facts)
        claims = _claims(conn, house)
        units = summarise_units(conn, house, facts.instruments)
        entry_types = _entry_types(conn, house)
        claimed_wh = sum(one["claimed_wh"] for one in claims)
        stored = sum(count for _, count in metering.interval_counts(conn, house.log.log_id))
    return {
        "format": FORMAT,
        "label": facts.park.label,
        "seed": facts.park.seed,
        "year": YEAR,
        "log": house.log.origin,
        "vkey": house.verification_key.vkey,
        "log_size": sum(entry_types.values()),
        "intervals": stored,
        "generation_wh": totals.generation_wh,
        "consumption_wh": totals.consumption_wh,
        "matched_wh": matched_wh,
        "by_class_wh": {
            one.granularity: {
                class_.name.lower(): wh for class_, wh in one.by_class_wh.items() if wh
            }
            for one in evaluation.matched
        },
        "trade_limit_wh": sum(one.terms.limit_wh for one in evaluation.contracts),
        "estimated_wh": totals.estimated_wh,
        "estimated": _estimated(facts),
        "surplus_wh": totals.surplus_wh,
        "residual_wh": totals.residual_wh,
        "provenance_wh": _provenance(points),
        "points": points,
        "imports": [_import(given, one) for given, one in facts.imported],
        "claims": claims,
        "claimed_wh": claimed_wh,
        "claimed_again": {
            "point": OPENED_POINT,
            "month": MONTH_NAME,
            "why": facts.claims.refused,
        },
        "units": units,
        "figures": summarise_figures(facts.figures),
        "single_use": single_use,
        "entry_types": entry_types,
        "run": facts.report.receipt.index,
        "root": facts.audited["root"],
        "checkpoint": facts.checkpoint,
        "tiles": facts.tiles,
        "trust": facts.trust,
        "evidence": facts.evidence.full,
        "evidence_sampled": facts.evidence.sampled,
        "evidence_forged": facts.evidence.forged,
        "evidence_bought": facts.evidence.bought,
        "seed_of_samples": facts.evidence.seed,
        "checks": [check.to_json() for check in facts.checks],
        "audit": dict(facts.audited),
        "verified": all(check.as_expected for check in facts.checks)
        and single_use
        and bool(facts.claims.refused)
        and claimed_wh == matched_wh["quarter_hour"]
        and holds(units),
    }


def _single_use(check: Check) -> bool:
    """Whether the verifier said so, and of a claim that is in force."""
    return (
        check.as_expected
        and check.lines["single_use"]["established"] is True
        and check.lines["status"]["state"] == "in-force"
    )


def _claims(conn: Connection, house: House) -> list[dict[str, Any]]:
    """Claims in force, in the order of the log."""
    known = metering.current_points(conn, house.log.log_id)
    return [
        {
            "consumer": row.author,
            "points": [known[point].master.name for point in row.manifest.points],
            "from": row.manifest.to_json()["from"],
            "to": row.manifest.to_json()["to"],
            "claimed_wh": row.wh,
            "by_class_wh": {
                SupplyClass(class_).name.lower(): wh
                for class_, wh in row.manifest.by_class_wh.items()
            },
            "consumption_wh": row.manifest.consumption_wh,
            "share_ppm": row.wh * 1_000_000 // row.manifest.consumption_wh,
            "claim": row.claim.hex(),
            "entry": row.entry_index,
            **of_claim(conn, house, row),
        }
        for row in claim_store.find_claims(conn, house.log.log_id)
        if row.in_force
    ]


def _points(conn: Connection, facts: Facts) -> list[dict[str, Any]]:
    """One row for each point of energy, in the order in which they were registered."""
    house, result = facts.house, facts.report.evaluation.result
    covered: Counter[str] = Counter()
    for lane in result.lanes:
        wh = int(lane.wh.sum())
        covered[lane.consumer] += wh
        covered[lane.source] += wh
    known = metering.current_points(conn, house.log.log_id)
    parents = {one.master.parent for one in known.values()}
    provenance = ByProvenance(conn, house.log, facts.report.evaluation.as_of)
    rows = []
    for point, found in sorted(known.items(), key=lambda item: item[1].entry_index):
        if found.master.unit != "Wh":
            continue
        items = effective(conn, house.log.log_id, point, start_s=PERIOD.start_s, end_s=PERIOD.end_s)
        # Imported on one grid, a point has one interval length.
        (item,) = items
        master, series = found.master, item.series
        demand = facts.report.evaluation.filled.get(master.name)
        rows.append(
            {
                "name": master.name,
                "kind": master.kind,
                "owner": master.owner,
                "park_system": master.park_system,
                "counted": point.hex() not in parents,
                "wh": int(series.value.sum()),
                "estimated_wh": sum(demand.estimated_wh(rule) for rule in Rule) if demand else 0,
                "matched_wh": covered[master.name],
                "intervals": len(series),
                "missing": QUARTERS - len(series),
                "flags": {
                    str(flag.name).lower(): int(np.count_nonzero(series.quality & flag))
                    for flag in Quality
                    if np.any(series.quality & flag)
                },
                "provenance_wh": provenance.sums([point], PERIOD),
            }
        )
    return rows


def _provenance(points: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Wh of generation and of consumption, by who signed."""
    sums: dict[str, Counter[str]] = {"generation": Counter(), "consumption": Counter()}
    for point in points:
        if point["kind"] in sums and point["counted"]:
            sums[point["kind"]].update(point["provenance_wh"])
    return {kind: dict(sorted(found.items())) for kind, found in sums.items()}


def _estimated(facts: Facts) -> list[dict[str, Any]]:
    """Consumption that was not measured: how much of which point, by which rule."""
    return [
        {
            "point": point,
            "rule": rule.name.lower(),
            "intervals": int((filled.rule == rule).sum()),
            "wh": filled.estimated_wh(rule),
        }
        for point, filled in facts.report.evaluation.filled.items()
        for rule in Rule
        if rule is not Rule.MEASURED and (filled.rule == rule).any()
    ]


def _import(given: Handover, one: ImportedFile) -> dict[str, Any]:
    found = one.to_json()
    # The full lists of rows are in the signed manifests; here they would drown the rest.
    repairs = [
        {name: repair[name] for name in ("flag", "count", "rule")} for repair in found["repairs"]
    ]
    return {
        **found,
        "file": f"files/{given.file.path}",
        "author": given.author,
        "reason": given.reason,
        "repairs": repairs,
    }


def _entry_types(conn: Connection, house: House) -> dict[str, int]:
    size = log_store.load_head(conn, house.log.log_id).size
    entries = log_store.entry_range(conn, house.log.log_id, 0, size)
    return dict(sorted(Counter(parse_entry(data).type for _, data in entries).items()))
