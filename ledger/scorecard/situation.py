"""What the log holds of a park's period, as values that figures are computed of. Pure.

`loading.load` fills them, as of a log size. All Wh are integers of the period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ledger.scorecard.standard import Texts
from ledger.units import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """A point, and what is read of it in the period.

    `parent`: the id of its parent, or `""`. `meter`: one is registered when the period is judged.
    `due`, `read`: intervals; `signed`: of those read, by endorsed keys of meters or gateways. A
    point of any length of intervals is due 0.
    """

    point: str
    name: str
    kind: str
    owner: str
    unit: str
    park_system: str = "energy"
    parent: str = ""
    capacity_w: int = 0
    meter: bool = True
    due: int = 0
    read: int = 0
    signed: int = 0
    read_wh: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A bill, and what its point's meter reads in its time."""

    point: str
    billed_wh: int
    read_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim in force. `traced_wh`: of the energy of its lots, what a reading stands behind;
    `final`: official statements confirm its certificates."""

    claim: str
    lots_wh: int
    traced_wh: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A settled month of a green trade."""

    contract: str
    month: str
    settled_wh: int
    contract_wh: int
    generation_wh: int
    consumption_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A storage since commissioning. `green_in_wh`, `green_out_wh`: by lots; `certificates`: units
    of schemes for mainland certificates that stand behind what it discharged."""

    name: str
    charged_wh: int
    discharged_wh: int
    green_in_wh: int
    green_out_wh: int
    certificates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the energy of a generation point went. `unknown`: some of it is not metered."""

    name: str
    park_system: str
    generated_wh: int
    gone_wh: int
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Claimed direct supply; `name`: the technology of its plants."""

    name: str
    region: str
    wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A meter and its sub-meters."""

    name: str
    park_system: str
    parent_wh: int
    children_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Certificates or credits of a scheme, all that were ever issued here."""

    scheme: str
    issued: int
    held: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A report in force. `regimes`: those that it goes by, sorted."""

    kind: str
    report: str
    subject: str
    period: str
    regimes: tuple[str, ...]
    author: str
    entry_index: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A confirmed period of a CO2 store."""

    record: str
    stored_g: int
    net_g: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """A figure that accounting knows, with the regime and definition that it goes by.

    Value = numerator / denominator, in `unit`, times 100 where that is %.
    """

    numerator: int
    denominator: int
    unit: str
    regime: str
    definition: Texts
    details: tuple[Mapping[str, Any], ...] = ()

    @property
    def value(self) -> Fraction:
        scale = 100 if self.unit == "%" else 1
        return Fraction(self.numerator * scale, self.denominator)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A park's period as of a log size. `name`: `2026`. `at_s`: when it is judged: at its end, or
    the log's time where that is earlier. `region`: digits of the code that counts as inside.
    `enterprises`: those that own a point of consumption. `accounted`: by figure; what can't be
    computed says why, and so does `no_energy`, where readings do not let energy be summed."""

    name: str
    period: Period
    at_s: int
    region: str
    entries: int
    points: tuple[Metered, ...] = ()
    bills: tuple[Bill, ...] = ()
    claims: tuple[Claim, ...] = ()
    trades: tuple[Trade, ...] = ()
    storages: tuple[Store, ...] = ()
    sources: tuple[Source, ...] = ()
    direct: tuple[Direct, ...] = ()
    consumption_wh: int = 0
    sums: tuple[Sum, ...] = ()
    no_energy: Texts | None = None
    units: tuple[Units, ...] = ()
    reports: tuple[Published, ...] = ()
    enterprises: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    stored: tuple[Stored, ...] = ()
    accounted: Mapping[str, Accounted | Texts] = field(default_factory=dict)
