"""Facts: what an organisation or the park used, made and gave away in a period. Values only.

They are the same under every regime: what counts, and by which factor, the regime says. Each value
names what it rests on (`record`: an id of a claim, a retirement, a record, a point), so that every
line of a result leads back to it.

Arrays `quarter_wh` are int64, one element per quarter-hour of the period, in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import InvalidInput, Refused
from ledger.units import QUARTER_HOUR_S, Period, format_instant

Int64 = NDArray[np.int64]

PARK: Final = "park"

SELF: Final = "self"
DIRECT: Final = "direct"
STORAGE: Final = "storage"
TRADED: Final = "traded"
TIMESTAMPED: Final = "timestamped"
UNBUNDLED: Final = "unbundled"
# In the order in which they cover consumption (domain §8); what none covers is the residual.
SUPPLY_CLASSES: Final = (SELF, DIRECT, STORAGE, TRADED, TIMESTAMPED, UNBUNDLED)

FUEL: Final = "fuel"
PROCESS: Final = "process"
CONVERSION: Final = "conversion"
HEAT: Final = "heat"
REFRIGERANT: Final = "refrigerant"
TRANSPORT: Final = "transport"
SINK: Final = "sink"
MATERIAL: Final = "material"
CATEGORIES: Final = (FUEL, PROCESS, CONVERSION, HEAT, REFRIGERANT, TRANSPORT, SINK, MATERIAL)
IN: Final = "in"
OUT: Final = "out"
DIRECTIONS: Final = (IN, OUT)

CREDIT: Final = "credit"
RECORD: Final = "record"
CREDITED: Final = "credited"
AT_SOURCE: Final = "at-source"


def _require_curve(what: str, curve: Int64, total_wh: int) -> None:
    if curve.dtype != np.int64 or curve.ndim != 1:
        raise InvalidInput(f"{what}: its quarter-hours are not one row of int64")
    if curve.size and int(curve.min()) < 0:
        raise InvalidInput(f"{what}: {int(curve.min())} Wh in a quarter-hour; 0 is the least")
    if int(curve.sum()) != total_wh:
        raise InvalidInput(
            f"{what}: its quarter-hours sum to {int(curve.sum())} Wh, the whole is {total_wh} Wh"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Supply:
    """Claimed energy of one class, technology and region, that covers consumption.

    `technology`: slug as points and projects have it (`wind`, `pv`, `coal`, …; `storage` for what a
    storage gives back of what was charged green). `region`: where it
    was generated (GB/T 2260 digits), "" where nobody said. `quarter_wh`: when, within consumption;
    None where it is known for months or the period only. `month_wh`: Wh by month of park time
    ("2026-01"), where only that is known. `final`: an official statement confirms it. `record`:
    claim, and `retirement` where certificates were retired for it. `counterparty`: the member whose
    plant delivered it, "" where that is the subject itself or nobody here: an internal transfer.
    """

    supply_class: str
    technology: str
    region: str
    wh: int
    quarter_wh: Int64 | None = None
    month_wh: Mapping[str, int] = field(default_factory=dict)
    final: bool = False
    record: str = ""
    retirement: str = ""
    counterparty: str = ""

    def __post_init__(self) -> None:
        if self.supply_class not in SUPPLY_CLASSES:
            known = ", ".join(SUPPLY_CLASSES)
            raise InvalidInput(f"supply class is {self.supply_class!r}; it is one of {known}")
        if self.wh < 0:
            raise InvalidInput(f"supply {self.record}: {self.wh} Wh; it is not negative")
        if self.quarter_wh is not None:
            _require_curve(f"supply {self.record}", self.quarter_wh, self.wh)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Export:
    """Electricity that leaves the subject. `counterparty`: the member who gets it, "" outside."""

    technology: str
    wh: int
    quarter_wh: Int64 | None = None
    counterparty: str = ""
    record: str = ""

    def __post_init__(self) -> None:
        if self.wh < 0:
            raise InvalidInput(f"export {self.record}: {self.wh} Wh; it is not negative")
        if self.quarter_wh is not None:
            _require_curve(f"export {self.record}", self.quarter_wh, self.wh)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Electricity:
    """What the subject's consumption points used, estimates included, and what covers it.

    `region`: of the subject's points, GB/T 2260 digits. `billed_wh`: by invoices, None where there
    are none. `by_system_wh` sums to the consumption. Raises Refused where supplies cover more than
    was consumed (invariant 5).
    """

    consumption_wh: int
    quarter_wh: Int64
    region: str
    estimated_wh: int = 0
    supplies: tuple[Supply, ...] = ()
    exports: tuple[Export, ...] = ()
    by_system_wh: Mapping[str, int] = field(default_factory=dict)
    billed_wh: int | None = None
    losses: tuple[Losses, ...] = ()

    def __post_init__(self) -> None:
        _require_curve("consumption", self.quarter_wh, self.consumption_wh)
        if not 0 <= self.estimated_wh <= self.consumption_wh:
            raise InvalidInput(
                f"{self.estimated_wh} Wh are estimated of {self.consumption_wh} Wh consumed"
            )
        if self.by_system_wh and sum(self.by_system_wh.values()) != self.consumption_wh:
            raise InvalidInput(
                f"park systems used {sum(self.by_system_wh.values())} Wh, all points together"
                f" {self.consumption_wh} Wh: they are the same"
            )
        if self.supplied_wh > self.consumption_wh:
            raise Refused(
                f"supplies cover {self.supplied_wh} Wh, consumed were {self.consumption_wh} Wh:"
                " supply beyond consumption is nobody's"
            )
        covered = self.covered_quarter_wh()
        beyond = np.flatnonzero(covered > self.quarter_wh)
        if beyond.size:
            at = int(beyond[0])
            raise Refused(
                f"quarter-hour {at} of the period: supplies cover {int(covered[at])} Wh, consumed"
                f" were {int(self.quarter_wh[at])} Wh"
            )

    @property
    def supplied_wh(self) -> int:
        return sum(one.wh for one in self.supplies)

    @property
    def residual_wh(self) -> int:
        return self.consumption_wh - self.supplied_wh

    def covered_quarter_wh(self) -> Int64:
        """int64[T]: what supplies with a known time cover."""
        covered = np.zeros_like(self.quarter_wh)
        for one in self.supplies:
            if one.quarter_wh is not None:
                if one.quarter_wh.shape != covered.shape:
                    raise InvalidInput(
                        f"supply {one.record} has {one.quarter_wh.size} quarter-hours, the"
                        f" consumption {covered.size}"
                    )
                covered += one.quarter_wh
        return covered


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityFact:
    """An amount of fuel, heat, gas, … in a time, as a record or a meter says it.

    `item`: the factor's item (`fuel-diesel`, `heat`, `gwp-ch4`, …); of a sink, what is bound.
    `quantity` in `unit`, exact, not negative. `point`: the metering point, "" where none is.
    `counterparty`: the member on the other side: an internal transfer. `within`: the record that
    contains this one: a detail of it, counted there. `biogenic`: its CO2 stands apart. `nonfossil`:
    heat from what is no fossil. `factor`: an own, measured factor with its unit and gas ("" where
    the library's holds), such as {"value": "0.09", "unit": "t/GJ", "gas": "CO2", "source": …}.
    `documents`: names of the records of what shows it.
    """

    record: str
    organisation: str
    category: str
    item: str
    quantity: Fraction
    unit: str
    period: Period
    direction: str = IN
    park_system: str = ""
    point: str = ""
    counterparty: str = ""
    within: str = ""
    biogenic: bool = False
    nonfossil: bool = False
    factor: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    note: str = ""
    entry_index: int = 0

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            known = ", ".join(CATEGORIES)
            raise InvalidInput(
                f"activity {self.record}: category {self.category!r} is none of {known}"
            )
        if self.direction not in DIRECTIONS:
            raise InvalidInput(f"activity {self.record}: direction {self.direction!r} is in or out")
        if self.quantity < 0:
            raise InvalidInput(f"activity {self.record}: quantity {self.quantity} is negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Retired credits or internal records: units of `unit_size_g`. `kind`: credit or record."""

    scheme: str
    kind: str
    units: int
    unit_size_g: int
    retirement: str
    claim: str = ""
    region: str = ""
    purpose: str = ""

    @property
    def g(self) -> int:
        return self.units * self.unit_size_g


@dataclass(frozen=True, slots=True, kw_only=True)
class Ccus:
    """A confirmed monitoring period of a CO2 store. `treatment`: credited or at-source, never both.

    `avoided_g` (fossil: avoided at source) and `removed_g` (biogenic or from air) sum to `net_g`.
    """

    record: str
    project: str
    treatment: str
    stored_g: int
    emissions_g: int
    net_g: int
    avoided_g: int
    removed_g: int
    reversed_g: int = 0

    def __post_init__(self) -> None:
        if self.treatment not in (CREDITED, AT_SOURCE):
            raise InvalidInput(f"CCUS {self.record}: treatment {self.treatment!r} is unknown")
        if self.avoided_g + self.removed_g != self.net_g or self.net_g > max(self.stored_g, 0):
            raise InvalidInput(
                f"CCUS {self.record}: avoided {self.avoided_g} g and removed {self.removed_g} g are"
                f" not the net {self.net_g} g, of {self.stored_g} g stored"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """A meter and its sub-meters: `loss_wh` = parent − Σ children; below 0 where they say more."""

    point: str
    parent_wh: int
    children_wh: int
    region: str = ""

    @property
    def loss_wh(self) -> int:
        return self.parent_wh - self.children_wh


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What one generation point made, and where it went, as far as it is known (invariant 6)."""

    point: str
    technology: str
    region: str
    generated_wh: int
    self_wh: int = 0
    direct_wh: int = 0
    export_wh: int = 0
    curtailed_wh: int = 0
    charged_wh: int = 0
    loss_wh: int = 0
    own_use_wh: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A green direct connection (650号). All Wh of the period; available includes curtailed.

    available = self + export + curtailed + storage losses. `consumption_wh`: of its users.
    """

    name: str
    available_wh: int
    export_wh: int
    curtailed_wh: int
    storage_loss_wh: int
    consumption_wh: int
    region: str = ""

    @property
    def self_wh(self) -> int:
        return self.available_wh - self.export_wh - self.curtailed_wh - self.storage_loss_wh

    def __post_init__(self) -> None:
        if self.self_wh < 0:
            raise InvalidInput(
                f"connection {self.name}: export, curtailed and storage losses are"
                f" {-self.self_wh} Wh more than was available"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkEnergy:
    """Electricity of the park as a whole. `storage_green_loss_wh`: of the storage losses, what had
    been charged green. None: not metered, not billed."""

    generation: tuple[Generation, ...] = ()
    losses: tuple[Losses, ...] = ()
    charged_wh: int = 0
    discharged_wh: int = 0
    storage_loss_wh: int = 0
    storage_green_loss_wh: int = 0
    grid_import_wh: int | None = None
    grid_export_wh: int | None = None
    billed_wh: int | None = None
    own_use_wh: int = 0
    connections: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """All facts of a subject (a party's id, or PARK for what no member has) in a period.

    `zone_s`: park time ahead of UTC. `parents`: {point: its parent}, of all points that activities
    name, up to the top. Raises InvalidInput for a curve that is not of the period.
    """

    subject: str
    period: Period
    zone_s: int
    electricity: Electricity
    activities: tuple[ActivityFact, ...] = ()
    offsets: tuple[Offset, ...] = ()
    ccus: tuple[Ccus, ...] = ()
    park: ParkEnergy | None = None
    parents: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        quarters = self.period.length_s // QUARTER_HOUR_S
        if self.period.length_s % QUARTER_HOUR_S or self.electricity.quarter_wh.size != quarters:
            raise InvalidInput(
                f"{self.subject}: the period {format_instant(self.period.start_s)} –"
                f" {format_instant(self.period.end_s)} has {quarters} quarter-hours, its"
                f" consumption {self.electricity.quarter_wh.size}"
            )
        for one in self.activities:
            if not self.period.contains(one.period):
                raise InvalidInput(
                    f"activity {one.record} is of {format_instant(one.period.start_s)} –"
                    f" {format_instant(one.period.end_s)}, outside the period: split it there"
                )
