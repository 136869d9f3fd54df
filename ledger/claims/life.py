"""The whole life of a lot, and of units as far as claims, for who keeps the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from ledger.claims import store
from ledger.errors import NotFound
from ledger.log import store as log_store
from ledger.log.bodies import Blob, json_media
from ledger.log.placed import Placed, Proofs, placed
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.entries import FORMS
from ledger.lots.model import SUPPLY_KINDS, OriginId, month_of
from ledger.lots.rule import DIVIDE, MAKE, WRAP
from ledger.lots.store import LotRow, OriginRow
from ledger.matching.contracts import current_contracts
from ledger.matching.runs import load_lanes
from ledger.metering import store as metering
from ledger.metering.effective import effective
from ledger.metering.provenance import ByProvenance, Provenance
from ledger.registry import lifecycle, trace
from ledger.registry import store as units
from ledger.registry.leaves import BatchId
from ledger.registry.trace import Life, Step
from ledger.units import Period

CLAIM: Final = "claim"
WITHDRAWN: Final = "claim withdrawn"


# Units


def unit_life(conn: Connection, log: LogFacts, scheme: str, serial: str) -> Life:
    """As `registry.trace.trace`, with the claims that name the units' retirements."""
    found = trace.trace(conn, log, scheme, serial)
    steps = list(found.steps)
    for row in found.retirements:
        ended = [
            step
            for step in found.steps
            if step.placed.index == row.entry_index and step.act == lifecycle.RETIRE and not step.to
        ]
        for claim in _claims_with(conn, log.log_id, row.retirement):
            terms = {"claim": claim.claim.hex(), "retirement": row.retirement.hex()}
            steps += _again(conn, log, ended, CLAIM, claim.entry_index, terms)
            if claim.ended == store.WITHDRAWN and claim.end_index is not None:
                terms = {**terms, "reason": claim.end_reason}
                steps += _again(conn, log, ended, WITHDRAWN, claim.end_index, terms)
    return replace(found, steps=trace.in_order(steps))


def _again(
    conn: Connection,
    log: LogFacts,
    steps: Sequence[Step],
    act: str,
    index: int,
    terms: dict[str, Any],
) -> Iterable[Step]:
    """A later entry about units that are gone by `steps`."""
    where = placed(conn, log.log_id, index)
    return (replace(step, placed=where, act=act, terms=terms) for step in steps)


def _claims_with(conn: Connection, log_id: int, retirement: bytes) -> list[store.ClaimRow]:
    """The claims that have had a retirement, each replaced by the next one, in log order."""
    last = store.claims_of_retirements(conn, log_id, [retirement]).get(retirement)
    if last is None:
        return []
    chain = store.chain_of(conn, log_id, store.find_claim(conn, log_id, last))
    rows = [row for row in chain if retirement in row.manifest.retirements]
    return sorted(rows, key=lambda row: row.entry_index)


# Lots


@dataclass(frozen=True, slots=True, kw_only=True)
class FromBatch:
    """Readings of a lot's point and month that were in force at its division, of one batch."""

    placed: Placed
    readings: int
    wh: int
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A form of a lot: the instrument, or the certificates that stand for it."""

    form: str
    placed: Placed
    instrument: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotLife:
    """`side`: `supply` or `cover`. `contracts`: {name: Wh} of the run, for what was allotted.
    `spent`: the entry that spent it, or None; `spent_by` says what that is."""

    row: LotRow
    origin: OriginId
    point: str
    holder: str
    side: str
    metered: tuple[FromBatch, ...]
    run: Placed
    division: Placed
    contracts: dict[str, int]
    wraps: tuple[Wrapped, ...]
    batches: tuple[BatchId, ...]
    spent: Placed | None
    spent_by: dict[str, Any]

    @property
    def entries(self) -> list[int]:
        found = [self.run, self.division, *(one.placed for one in self.metered)]
        found += [one.placed for one in self.wraps]
        return sorted({one.index for one in [*found, *([self.spent] if self.spent else [])]})

    def to_json(self, proofs: Proofs | None = None) -> dict[str, Any]:
        return {
            "lot": self.row.lot.hex(),
            "origin": str(self.origin),
            "point": self.point,
            "holder": self.holder,
            "side": self.side,
            "class": self.row.supply_class,
            "wh": self.row.wh,
            "contracts": self.contracts,
            "readings": [
                {
                    "readings": one.readings,
                    "wh": one.wh,
                    "provenance": one.provenance,
                    **one.placed.to_json(proofs),
                }
                for one in self.metered
            ],
            "run": self.run.to_json(proofs),
            "division": self.division.to_json(proofs),
            "forms": [
                {"form": one.form, **one.instrument, **one.placed.to_json(proofs)}
                for one in self.wraps
            ],
            "batches": [str(batch) for batch in self.batches],
            "spent": {**self.spent_by, **self.spent.to_json(proofs)} if self.spent else None,
        }


def lot_life(conn: Connection, log: LogFacts, lot: bytes) -> LotLife:
    """From the meter to what became of a lot. Raises NotFound."""
    row = lots.lots_by_id(conn, log.log_id, [lot]).get(lot)
    if row is None:
        raise NotFound(f"there is no lot {lot.hex()}; see: greenledger lot list")
    month = month_of(row.month_start_s, log.zone_s)
    origin = lots.origins_of(conn, log.log_id, row.point, month)[row.revision]
    points = metering.current_points(conn, log.log_id)
    supply = points[row.point].master.kind in SUPPLY_KINDS
    spent = lots.spent(conn, log.log_id, [lot]).get(lot)
    where = placed(conn, log.log_id, spent) if spent is not None else None
    batches = units.batches_of_lots(conn, log.log_id, [lot]).get(lot, [])
    return LotLife(
        row=row,
        origin=OriginId(point=row.point, month=month, revision=row.revision),
        point=points[row.point].master.name,
        holder=points[row.holder].master.name if row.supply_class else "",
        side="supply" if supply else "cover",
        metered=tuple(_metered(conn, log, row, origin, month.period)),
        run=placed(conn, log.log_id, origin.run_index),
        division=placed(conn, log.log_id, origin.entry_index),
        contracts=_contracts(conn, log, row, origin.run_index, month.period, supply=supply),
        wraps=tuple(_wraps(conn, log, lot, batches)),
        batches=tuple(batches),
        spent=where,
        spent_by=_spender(where, batches) if where else {},
    )


def _metered(
    conn: Connection, log: LogFacts, row: LotRow, origin: OriginRow, month: Period
) -> list[FromBatch]:
    """The batches behind a point's month, as its division knew them, by entry; 0 Wh of what is
    erased since."""
    counts: Counter[int] = Counter()
    sums: Counter[int] = Counter()
    for item in effective(
        conn,
        log.log_id,
        row.point,
        start_s=month.start_s,
        end_s=month.end_s,
        as_of=origin.entry_index,
        gone_as_zero=True,
    ):
        for index in np.unique(item.entry_index).tolist():
            chosen = item.entry_index == index
            counts[index] += int(chosen.sum())
            sums[index] += int(item.series.value[chosen].sum())
    provenance = ByProvenance(conn, log, origin.entry_index)
    return [
        FromBatch(
            placed=placed(conn, log.log_id, index),
            readings=counts[index],
            wh=sums[index],
            provenance=provenance.of_batch(index),
        )
        for index in sorted(counts)
    ]


def _contracts(
    conn: Connection, log: LogFacts, row: LotRow, run_index: int, month: Period, *, supply: bool
) -> dict[str, int]:
    """{contract: Wh} that the run allotted to the lot's holder, of its point and month."""
    if not row.supply_class:
        return {}
    known = current_contracts(conn, log.log_id)
    found: Counter[str] = Counter()
    for lane in load_lanes(conn, log, run_index):
        end = lane.source if supply else lane.consumer
        if (end, lane.consumer, lane.supply_class) != (row.point, row.holder, row.supply_class):
            continue
        starts_s = lane.start_s + lane.length_s * np.arange(len(lane.wh))
        inside = (month.start_s <= starts_s) & (starts_s < month.end_s)
        wh = int(np.asarray(lane.wh)[inside].sum())
        if wh:
            found[known[lane.contract].terms.name] += wh
    return dict(sorted(found.items()))


def _wraps(
    conn: Connection, log: LogFacts, lot: bytes, batches: Sequence[BatchId]
) -> list[Wrapped]:
    found = []
    for form in FORMS:
        index = lots.wrapped(conn, log.log_id, form, [lot]).get(lot)
        if index is None:
            continue
        where = placed(conn, log.log_id, index)
        instrument: dict[str, Any] = {"batches": [str(batch) for batch in batches]}
        if where.entry.type == WRAP:
            body = where.entry.statement["body"]
            data = log_store.load_body(conn, log.log_id, body["hash"])
            instrument = Blob.open(data, json_media("form")).json() if data is not None else {}
        found.append(Wrapped(form=form, placed=where, instrument=instrument))
    return sorted(found, key=lambda one: one.placed.index)


def _spender(where: Placed, batches: Sequence[BatchId]) -> dict[str, Any]:
    """What spent a lot: a claim, certificates or a reduction, or the next division."""
    statement = where.entry.statement
    if where.entry.type == MAKE:
        return {"by": CLAIM, "claim": statement["claim"]}
    if where.entry.type == DIVIDE:
        return {"by": "division"}
    return {"by": "units", "batches": [str(batch) for batch in batches]}
