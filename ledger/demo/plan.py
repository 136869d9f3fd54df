"""Who and what is in the demo park: parties, points, contracts, and who hands in which file.

Names are invented. Region codes are real ones (GB/T 2260): 440115 is Nansha in Guangzhou, 441702
is Jiangcheng in Yangjiang, so the wind farm lies outside of the park's region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.demo import files
from ledger.demo.park import BATTERY_W, GROUND_W, PERIOD, ROOF_W, WIND_W, Park
from ledger.matching.service import Agreement
from ledger.metering.points import Meter, Point

ORIGIN: Final = "demo.greenledger.example/nansha-2025"
NAME: Final = "Nansha demo park (SYNTHETIC DATA, not a real park)"
OPERATOR: Final = "operator"
GATEWAY: Final = "edge-gateway"
ENTERPRISE: Final = "huayue-parts"
VERIFIER: Final = "metrology-lab"
# They have no meter here: certificates and credits of theirs are imported.
NORTH_WIND: Final = "north-wind"
MANGROVE: Final = "mangrove"
ENDORSEMENT: Final = "Gateway key read out on site and compared, seal 0042 (synthetic demo)"
PARK_REGION: Final = "440115"
SEA_REGION: Final = "441702"
CONSUMERS: Final = (
    "works-press",
    "data-centre",
    "cold-store",
    "offices",
    "tenant-tower",
    "ev-charging",
    "water-works",
    "street-lighting",
)
# Scales of the enterprise's capture plant: point → role in its mass balance.
SCALES: Final[Mapping[str, str]] = {
    "co2-captured": "captured",
    "co2-pipeline": "transported",
    "co2-injected": "injected",
}
# What the park has bought of the wind farm for the year.
TRADE_LIMIT_WH: Final = 50_000_000_000
_SINCE: Final = "2023-12-31T16:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An organisation. `key`: "server" (held for it) or "own" (held by itself). `device`: what its
    key sits in."""

    party: str
    name: str
    roles: tuple[str, ...]
    key: str = "server"
    device: str = "none"


MEMBERS: Final = (
    Member(
        party=ENTERPRISE,
        name="Huayue Auto Parts (demo)",
        roles=("enterprise", "generator"),
        key="own",
    ),
    Member(
        party=GATEWAY,
        name="Park edge gateway (demo)",
        roles=("gateway",),
        key="own",
        device="gateway",
    ),
    Member(party=VERIFIER, name="Metrology laboratory (demo)", roles=("verifier",)),
    Member(party="sunfield", name="Sunfield Solar (demo)", roles=("generator",)),
    Member(party="sea-wind", name="Sea Wind Yangjiang (demo)", roles=("generator",)),
    Member(party="cloud-one", name="Cloud One Data Centre (demo)", roles=("enterprise",)),
    Member(party="cold-chain", name="Cold Chain Logistics (demo)", roles=("enterprise",)),
    Member(party=NORTH_WIND, name="Saibei Wind (demo)", roles=("generator",)),
    Member(party=MANGROVE, name="Mangrove Restoration (demo)", roles=("enterprise",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A file, who signs its batch, in which stream, and why where it corrects."""

    file: files.DemoFile
    author: str
    source: str
    reason: str = ""


def handovers() -> list[Handover]:
    authors = {
        "gateway": (GATEWAY, "gateway-1"),
        "wind": ("sea-wind", "scada"),
        "huayue": (ENTERPRISE, "works"),
        "grid": (OPERATOR, "grid-collection"),
        "park": (OPERATOR, "park-files"),
        "capture": (ENTERPRISE, "capture"),
        "corrections": (OPERATOR, "park-files"),
    }
    found = []
    for one in files.FILES:
        folder = one.path.partition("/")[0]
        author, source = authors[folder]
        reason = files.WRONG_REASON if folder == "corrections" else ""
        found.append(Handover(file=one, author=author, source=source, reason=reason))
    return found


def _meter(number: str, accuracy: str = "0.5S") -> Meter:
    return Meter(
        number=number,
        from_=_SINCE,
        accuracy=accuracy,
        calibrated="2023-11-20",
        calibration_expires="2029-11-19",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What most points share, so that a line of the table below says the rest."""

    name: str
    kind: str
    owner: str
    park_system: str
    meter: str
    technology: str = ""
    capacity_w: int = 0
    region: str = PARK_REGION
    accuracy: str = "0.5S"
    meters: tuple[Meter, ...] = ()

    def to_point(self, parent: str) -> Point:
        return Point(
            name=self.name,
            kind=self.kind,
            owner=self.owner,
            park_system=self.park_system,
            technology=self.technology,
            parent=parent,
            region=self.region,
            capacity=self.capacity_w,
            capacity_unit="W" if self.capacity_w else "",
            meters=self.meters or (_meter(self.meter, self.accuracy),),
        )


# Parents first: a child names its parent's id.
PARENTS: Final[Mapping[str, str]] = {
    "cold-store": "feeder-2",
    "offices": "feeder-2",
    "ev-charging": "feeder-2",
}


def _water_meters(park: Park) -> tuple[Meter, ...]:
    """The old meter until the swap, the new one with other transformers after it."""
    closing = files.ckwh(files.registers_of(park).closing_ckwh)
    old = Meter(
        number=files.OLD_METER,
        from_="2019-03-01T00:00:00Z",
        to=files.SWAP_AT,
        multiplier=str(files.OLD_MULTIPLIER),
        accuracy="1.0",
        calibrated="2019-02-12",
        calibration_expires="2025-02-11",
        closing=closing,
    )
    new = Meter(
        number=files.NEW_METER,
        from_=files.SWAP_AT,
        multiplier=str(files.NEW_MULTIPLIER),
        accuracy="0.5S",
        calibrated="2025-07-30",
        calibration_expires="2031-07-29",
        opening=files.ckwh(files.NEW_OPENING_CKWH),
    )
    return old, new


def sites(park: Park) -> list[_Site]:
    """The park's metering points, parents first."""
    m = files.METERS_96
    return [
        _Site(
            name="pv-roof",
            kind="generation",
            owner=ENTERPRISE,
            park_system="energy",
            technology="pv",
            capacity_w=ROOF_W,
            meter="440100250011",
        ),
        _Site(
            name="pv-ground",
            kind="generation",
            owner="sunfield",
            park_system="energy",
            technology="pv",
            capacity_w=GROUND_W,
            meter="440100250012",
        ),
        _Site(
            name="wind-sea",
            kind="generation",
            owner="sea-wind",
            park_system="energy",
            technology="wind",
            capacity_w=WIND_W,
            region=SEA_REGION,
            meter="441700250013",
            accuracy="0.2S",
        ),
        _Site(
            name="battery-charge",
            kind="storage-charge",
            owner=OPERATOR,
            park_system="energy",
            technology="battery",
            capacity_w=BATTERY_W,
            meter="440100250014",
        ),
        _Site(
            name="battery-discharge",
            kind="storage-discharge",
            owner=OPERATOR,
            park_system="energy",
            technology="battery",
            capacity_w=BATTERY_W,
            meter="440100250015",
        ),
        _Site(
            name="grid-import",
            kind="grid-import",
            owner=OPERATOR,
            park_system="energy",
            meter=m["grid-import"],
            accuracy="0.2S",
        ),
        _Site(
            name="grid-export",
            kind="grid-export",
            # Behind the connection only sun is ever left over; the wind farm lies elsewhere.
            technology="pv",
            owner=OPERATOR,
            park_system="energy",
            meter=m["grid-export"],
            accuracy="0.2S",
        ),
        _Site(
            name="feeder-2",
            kind="consumption",
            owner=OPERATOR,
            park_system="infrastructure",
            meter=m["feeder-2"],
        ),
        _Site(
            name="works-press",
            kind="consumption",
            owner=ENTERPRISE,
            park_system="production",
            meter="440100250030",
        ),
        _Site(
            name="data-centre",
            kind="consumption",
            owner="cloud-one",
            park_system="infrastructure",
            meter="440100250031",
        ),
        _Site(
            name="cold-store",
            kind="consumption",
            owner="cold-chain",
            park_system="production",
            meter=m["cold-store"],
        ),
        _Site(
            name="offices",
            kind="consumption",
            owner=OPERATOR,
            park_system="buildings",
            meter="440100250032",
        ),
        _Site(
            name="tenant-tower",
            kind="consumption",
            owner=OPERATOR,
            park_system="buildings",
            meter="440100250033",
            accuracy="1.0",
        ),
        _Site(
            name="ev-charging",
            kind="consumption",
            owner=OPERATOR,
            park_system="transport",
            meter="440100250034",
        ),
        _Site(
            name="water-works",
            kind="consumption",
            owner=OPERATOR,
            park_system="ecology",
            meter=files.NEW_METER,
            meters=_water_meters(park),
        ),
        _Site(
            name="street-lighting",
            kind="consumption",
            owner=OPERATOR,
            park_system="infrastructure",
            meter="440100250035",
            accuracy="1.0",
        ),
    ]


def agreements() -> list[Agreement]:
    """Self-use of the roof, direct supply within the park, and a green trade from the sea.

    One contract for each class, by demand, and the last two for the same consumers: then no total
    depends on the order of ids, which are random, and every demo gives the same totals.
    """
    return [
        Agreement(
            name="roof-self-use",
            kind="self-use",
            seller=ENTERPRISE,
            sources=["pv-roof"],
            consumers={"works-press": 0},
            period=PERIOD,
        ),
        Agreement(
            name="ground-direct",
            kind="direct-supply",
            seller="sunfield",
            sources=["pv-ground"],
            consumers=dict.fromkeys(CONSUMERS, 0),
            period=PERIOD,
            region="4401",
        ),
        Agreement(
            name="sea-wind-trade",
            kind="green-trade",
            seller="sea-wind",
            sources=["wind-sea"],
            consumers=dict.fromkeys(CONSUMERS, 0),
            period=PERIOD,
            limit_wh=TRADE_LIMIT_WH,
        ),
    ]


def scales() -> list[Point]:
    return [
        Point(
            name=name,
            kind="other",
            owner=ENTERPRISE,
            unit="g",
            interval_s=3600,
            park_system="ecology",
            technology="ccus",
            region=PARK_REGION,
            meters=(_meter(f"44010025009{number}", "0.2"),),
        )
        for number, name in enumerate(SCALES)
    ]
