"""All figures that this program computes: a standard's clauses name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.scorecard.figures import carbon, energy, metering
from ledger.scorecard.figures.model import Known, accounted

FIGURES: Final[Mapping[str, Known]] = {
    "renewable-share": Known(unit="%", compute=accounted("renewable-share")),
    "clean-share": Known(unit="%", compute=accounted("clean-share")),
    "emissions-per-energy": Known(unit="tCO2/tce", compute=accounted("emissions-per-energy")),
    "energy-use": Known(unit="tce", compute=accounted("energy-use")),
    "hourly-matched": Known(unit="%", compute=accounted("hourly-matched")),
    "hourly-factor": Known(unit="%", compute=accounted("hourly-factor")),
    "direct-supply-share": Known(unit="%", compute=energy.direct_supply_share),
    "generation-closure": Known(unit="%", compute=energy.generation_closure),
    "generation-closure-buildings": Known(unit="%", compute=energy.generation_closure_buildings),
    "green-trade-bounds": Known(unit="%", compute=energy.green_trade_bounds),
    "storage-ledger": Known(unit="%", compute=energy.storage_ledger),
    "interval-trace": Known(unit="%", compute=energy.interval_trace),
    "certificate-trace": Known(unit="%", compute=energy.certificate_trace),
    "points-metered": Known(unit="%", compute=metering.points_metered),
    "device-signed-points": Known(unit="%", compute=metering.device_signed_points),
    "points-read": Known(unit="%", compute=metering.points_read),
    "metering-levels": Known(unit="%", compute=metering.metering_levels),
    "large-equipment-metered": Known(unit="%", compute=metering.large_equipment_metered),
    "transport-points": Known(unit="points", compute=metering.transport_points),
    "metering-completeness": Known(unit="%", compute=metering.metering_completeness),
    "bill-deviation": Known(unit="%", compute=metering.bill_deviation),
    "buildings-sum": Known(unit="%", compute=metering.buildings_sum),
    "enterprises-accounted": Known(unit="%", compute=carbon.enterprises_accounted),
    "enterprises-disclosed": Known(unit="%", compute=carbon.enterprises_disclosed),
    "balance-published": Known(unit="reports", compute=carbon.balance_published),
    "same-method": Known(unit="%", compute=carbon.same_method),
    "products-footprinted": Known(unit="%", compute=carbon.products_footprinted),
    "co2-net-within-stored": Known(unit="%", compute=carbon.co2_net_within_stored),
    "units-conserved": Known(unit="%", compute=carbon.units_conserved),
    "audit-trail": Known(unit="entries", compute=carbon.audit_trail),
}
