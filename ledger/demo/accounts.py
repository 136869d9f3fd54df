"""What the demo has to say of certificates and credits: read back from the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger import db
from ledger.claims import store as claim_store
from ledger.claims.official import official
from ledger.credits import store as credit_store
from ledger.demo.attempts import Refusal
from ledger.demo.certificates import CCER, GEC, INTERNAL, ORDINARY, UNIT_WH, Held
from ledger.demo.clock import BEGINS, ENDS
from ledger.demo.official import Compared, findings
from ledger.demo.reductions import Reductions
from ledger.demo.refusals import Tried
from ledger.house import House
from ledger.parties.desk import Desk
from ledger.registry import acting, catalogue, store, used
from ledger.registry.schema import batches, gone_units, holdings
from ledger.statements.compare import AGREES, CONFLICT, MISSING_HERE, MISSING_THERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What the steps about certificates and credits brought about. `disclosed`: a retirement."""

    held: Held
    reductions: Reductions
    refusals: Sequence[Refusal]
    tried: Tried
    compared: Compared
    disclosed: bytes


def disclose_one(desk: Desk, claim: bytes) -> bytes:
    """The owner shows the first retirement of ordinary certificates of a claim to everybody."""
    with db.reading(desk.engine) as conn:
        row = claim_store.find_claim(conn, desk.log.log_id, claim)
    which = [one for one in row.manifest.certificates if one.class_ == ORDINARY]
    retirement = min(which, key=lambda one: one.period.start_s).retirement
    acting.disclose(desk, retirement)
    return retirement


def summarise_units(conn: Connection, house: House, found: Instruments) -> dict[str, Any]:
    """Certificates, credits, what was refused and what statements say."""
    log_id = house.log.log_id
    schemes = catalogue.current_schemes(conn, log_id)
    return {
        "clock": {"from": BEGINS, "to": ENDS},
        "schemes": [
            {
                "scheme": name,
                "status": one.rules.status,
                "source": one.rules.source,
                "entry": one.entry_index,
            }
            for name, one in sorted(schemes.items())
        ],
        "issued": [_issued(project, some) for project, some in found.held.issued.items()],
        "certificates": _by_class(conn, log_id),
        "settled_units": found.held.settled_units,
        "listed_units": found.held.listed_units,
        "frozen_units": found.tried.frozen,
        "expired_units": found.tried.expired,
        "capture": _capture(conn, log_id, found.reductions),
        "ccer": _sums(conn, log_id, CCER),
        "internal": _sums(conn, log_id, INTERNAL),
        "disclosed": _disclosed(conn, log_id, found.disclosed),
        "reconciled": {
            "counts": found.compared.first.counts,
            "units": {
                kind: sum(one.units for one in found.compared.first.findings if one.kind == kind)
                for kind in (AGREES, MISSING_HERE, MISSING_THERE, CONFLICT)
            },
            "missing_here": list(findings(found.compared.first, MISSING_HERE)),
            "conflict": list(findings(found.compared.first, CONFLICT)),
            "blocks_closing": found.compared.first.blocks_closing,
            "repeated": found.compared.repeated,
        },
        "refusals": [{"key": one.key, "why": one.why} for one in found.refusals],
    }


def _issued(project: str, some: Sequence[Any]) -> dict[str, Any]:
    """Of a project's year: eligible = issued + left, class by class."""
    classes: dict[str, dict[str, int]] = {}
    for one in some:
        row = classes.setdefault(one.class_, {"eligible_wh": 0, "units": 0, "left_wh": 0})
        row["eligible_wh"] += one.eligible_wh
        row["units"] += len(one.units)
        row["left_wh"] = one.left_wh
    return {"project": project, "classes": classes, "months": len(some) // max(1, len(classes))}


def _by_class(conn: Connection, log_id: int) -> dict[str, dict[str, int]]:
    """{class: {issued, and what became of it: units}}."""
    found: dict[str, Counter[str]] = {}
    for row in store.find_holdings(conn, log_id, holdings.c.scheme == GEC, live=True):
        found.setdefault(row.class_, Counter())["held"] += len(row.units)
    for gone in used.find_gone(conn, log_id, gone_units.c.scheme == GEC):
        found.setdefault(gone.class_, Counter())[gone.act] += len(gone.units)
    for counts in found.values():
        counts["issued"] = sum(counts.values())
    return {class_: dict(sorted(counts.items())) for class_, counts in sorted(found.items())}


def _sums(conn: Connection, log_id: int, scheme: str) -> dict[str, int]:
    issued = store.find_batches(conn, log_id, batches.c.scheme == scheme)
    gone = used.find_gone(conn, log_id, gone_units.c.scheme == scheme)
    return {
        "issued": sum(len(one.units) for one in issued),
        "retired": sum(len(one.units) for one in gone),
    }


def _capture(conn: Connection, log_id: int, found: Reductions) -> dict[str, Any]:
    row = credit_store.find_record(conn, log_id, found.record.record)
    assert row.verification is not None
    assert row.verification.credited is not None
    flows, credited = row.content.flows, row.verification.credited
    return {
        "record": row.record.hex(),
        "verifier": row.verifier,
        "captured_g": flows.captured_g,
        "stored_g": flows.stored_g,
        "emissions_g": flows.emissions_g,
        "net_g": flows.net_g,
        "buffer_g": credited.buffer_g,
        "units": {class_: part.units for class_, part in credited.parts.items()},
        "left_g": {class_: part.left_g for class_, part in credited.parts.items()},
    }


def _disclosed(conn: Connection, log_id: int, retirement: bytes) -> dict[str, Any]:
    row = used.find_retirement(conn, log_id, retirement)
    assert row.disclosed_index is not None
    return {
        "retirement": retirement.hex(),
        "entry": row.disclosed_index,
        "beneficiary": row.use.beneficiary,
        "units": row.units,
        "serials": sorted(f"{one.batch.short}:{one.units}" for one in row.gone),
    }


def of_claim(conn: Connection, house: House, row: claim_store.ClaimRow) -> Mapping[str, Any]:
    """What retirements give a claim, and whether it is final."""
    manifest = row.manifest
    stands = official(conn, house.log, row)
    bound = sum(one.units for one in manifest.certificates if not one.wh)
    return {
        "certificate_wh": manifest.certificate_wh,
        "certificate_units": sum(one.units for one in manifest.certificates) - bound,
        "bound_units": bound,
        "residual_wh": manifest.residual_wh,
        "credits": [{"scheme": one.scheme, "units": one.units} for one in manifest.credits],
        "official": stands.status,
        "confirmed_units": stands.confirmed,
    }


def holds(units: Mapping[str, Any]) -> bool:
    """Whether all of it came out as it has to (domain invariant 1, and that all was refused)."""
    even = all(
        row["units"] * UNIT_WH + row["left_wh"] == row["eligible_wh"] and row["left_wh"] < UNIT_WH
        for one in units["issued"]
        for row in one["classes"].values()
    )
    reconciled = units["reconciled"]
    return (
        even
        and all(one["why"] for one in units["refusals"])
        and units["frozen_units"] > 0
        and reconciled["counts"]["missing_here"] == reconciled["counts"]["conflict"] == 1
        and reconciled["repeated"]
    )
