"""Where the park's energy comes from, and what its claims rest on, as of a log size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from sqlalchemy import select

from ledger.accounting.facts import DIRECT, Electricity
from ledger.accounting.loading.park import energy
from ledger.accounting.loading.subject import organisation
from ledger.accounting.loading.view import View
from ledger.certificates.schema import settlements
from ledger.claims import store as claims
from ledger.claims.official import FINAL
from ledger.claims.store import ClaimRow
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, month_of
from ledger.lots.sumtree import EMPTY
from ledger.matching.contracts import current_contracts
from ledger.scorecard.situation import Claim, Direct, Source, Sum, Trade

_PROVINCE_DIGITS: Final = 2


def electricity_of(view: View, region: str) -> list[Electricity]:
    """Of everybody who consumes or claims. `region`: see accounting.computing. Raises as that."""
    members = {view.reader.points[name].master.owner for name in view.consumption}
    members |= {row.author for row in view.claims}
    return [
        organisation(view, name, (), region=region).facts.electricity for name in sorted(members)
    ]


def direct_of(found: list[Electricity]) -> list[Direct]:
    """Claimed direct supply, by technology and region of the plant."""
    wh: dict[tuple[str, str], int] = {}
    for each in found:
        for one in each.supplies:
            if one.supply_class == DIRECT:
                key = one.technology, one.region
                wh[key] = wh.get(key, 0) + one.wh
    return [
        Direct(name=technology or "?", region=region, wh=one)
        for (technology, region), one in sorted(wh.items())
    ]


def province_of(view: View) -> str:
    """The province that all points of consumption lie in, or `""`."""
    leaves = view.reader.leaves("consumption")
    found = {view.reader.points[name].master.region for name in leaves} - {""}
    provinces = {one[:_PROVINCE_DIGITS] for one in found}
    return provinces.pop() if len(provinces) == 1 else ""


def sources_and_sums(view: View) -> tuple[list[Source], list[Sum]]:
    """Plants with where their energy went, and meters with their sub-meters."""
    park = energy(view)
    sources = []
    for one in park.generation:
        master = view.points[bytes.fromhex(one.point)].master
        gone = (one.self_wh, one.direct_wh, one.export_wh, one.charged_wh, one.loss_wh)
        sources.append(
            Source(
                name=master.name,
                park_system=master.park_system,
                generated_wh=one.generated_wh,
                gone_wh=sum(gone) + one.own_use_wh,
                unknown=bool(one.generated_wh) and not any(gone),
            )
        )
    sums = []
    for loss in park.losses:
        master = view.points[bytes.fromhex(loss.point)].master
        sums.append(
            Sum(
                name=master.name,
                park_system=master.park_system,
                parent_wh=loss.parent_wh,
                children_wh=loss.children_wh,
            )
        )
    return sources, sums


class Tracer:
    """Follows claimed energy to the readings that it was divided from."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._divisions = lots.Divisions(view.conn, view.log)

    def claims(self) -> Iterator[Claim]:
        for row in self._view.claims:
            self._view.use(row.entry_index)
            lots_wh, traced_wh = self._traced(row)
            yield Claim(
                claim=row.claim.hex(),
                lots_wh=lots_wh,
                traced_wh=traced_wh,
                final=self._view.official(row).status == FINAL,
            )

    def _traced(self, row: ClaimRow) -> tuple[int, int]:
        """Σ of supply, and of it what lies within its lot where a reading covers it."""
        view = self._view
        start_s, found = claims.load_claimed(view.conn, view.log.log_id, row.root)
        known = lots.lots_by_id(view.conn, view.log.log_id, found)
        whole = traced = 0
        for lot, claimed in found.items():
            made = known[lot]
            if view.points[made.point].master.kind not in SUPPLY_KINDS:
                continue
            wh = claims.on_month(claimed, start_s, month_of(made.month_start_s, view.log.zone_s))
            whole += int(claimed.wh.sum())
            division = self._divisions.at(made.entry_index)
            place, lot_wh = division.lot_of(made.number)
            readings = division.origins[place].readings
            read = readings != np.void(EMPTY)
            traced += int(np.minimum(wh, lot_wh.wh)[read].sum())
            view.use(made.entry_index)
        return whole, traced


def trades_of(view: View) -> Iterator[Trade]:
    """Months of the period that green trades settled."""
    contracts = current_contracts(view.conn, view.log.log_id, view.as_of)
    query = (
        select(settlements)
        .where(
            settlements.c.log_id == view.log.log_id,
            settlements.c.entry_index < view.as_of,
            settlements.c.month_start_s >= view.period.start_s,
            settlements.c.month_start_s < view.period.end_s,
        )
        .order_by(settlements.c.entry_index)
    )
    for row in view.conn.execute(query):
        view.use(row.entry_index)
        yield Trade(
            contract=contracts[bytes(row.contract)].terms.name,
            month=str(month_of(row.month_start_s, view.log.zone_s)),
            settled_wh=row.settled_wh,
            contract_wh=row.contract_wh,
            generation_wh=row.generation_wh,
            consumption_wh=row.consumption_wh,
        )
