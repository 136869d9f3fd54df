"""Contracts that let generation be matched with consumption: terms, table, entry type.

Rules: the seller owns the sources; self-use stays with one owner (a self-use certificate is not
traded: GEC rules of 2026, art. 25); direct supply comes from the contract's region (guideline
7.1.2). Storage supplies what it discharges; only self-use and direct supply may charge it, since
these are delivered before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    select,
)

from ledger.db import append_only, metadata
from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind, json_media
from ledger.log.entry import Entry
from ledger.log.types import Bodies, EntryType, Tx
from ledger.matching.check import CHARGING_CLASSES, check_shares
from ledger.matching.model import Contract, Share, SupplyClass
from ledger.metering import store as metering
from ledger.metering.entries import blob
from ledger.metering.points import Point
from ledger.metering.storages import charge_of, require_measurable
from ledger.parties.entries import author_signs, require_party
from ledger.units import QUARTER_HOUR_S, Period, format_instant, parse_instant

CONTRACT: Final = "contract.register"
KINDS: Final[Mapping[str, SupplyClass]] = {
    "self-use": SupplyClass.SELF_USE,
    "direct-supply": SupplyClass.DIRECT_SUPPLY,
    "storage": SupplyClass.STORAGE,
    "green-trade": SupplyClass.GREEN_TRADE,
}
# Kinds of points that a class may supply.
_CONSUMING: Final = {
    one: ("consumption", "storage-charge") if one in CHARGING_CLASSES else ("consumption",)
    for one in SupplyClass
}
_ID = re.compile(r"[0-9a-f]{32}")
_PARTY = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MEMBERS: Final = {
    "name": str,
    "kind": str,
    "seller": str,
    "sources": list,
    "consumers": list,
    "from": str,
    "to": str,
    "region": str,
    "limit_wh": int,
}

contracts: Final = append_only(
    Table(
        "contracts",
        metadata,
        Column("log_id", SmallInteger, primary_key=True, autoincrement=False),
        Column("entry_index", BigInteger, primary_key=True, autoincrement=False),
        Column("contract", LargeBinary(16), nullable=False),
        Column("id", String(32), nullable=False),
        Column("replaces", String(32), nullable=False),
        Column("terms", Text, nullable=False),
        UniqueConstraint("log_id", "contract", "replaces"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a contract says (docs/formats.md §4.4); points by id."""

    name: str
    kind: str
    seller: str
    sources: tuple[str, ...]
    consumers: tuple[Share, ...]
    period: Period
    region: str = ""
    limit_wh: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInput(f"contract kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if not _SLUG.fullmatch(self.name):
            raise InvalidInput(f"contract name {self.name!r} is not 1–64 characters of a-z 0-9 -")
        if not _PARTY.fullmatch(self.seller):
            raise InvalidInput(f"seller {self.seller!r} is not a party id")
        if not re.fullmatch(r"[0-9]{0,12}", self.region):
            raise InvalidInput(f"region {self.region!r} is not an administrative code of digits")
        for edge_s in (self.period.start_s, self.period.end_s):
            if edge_s % QUARTER_HOUR_S:
                raise InvalidInput(
                    f"a contract begins and ends with a quarter-hour, not {format_instant(edge_s)}"
                )
        if self.limit_wh < 0:
            raise InvalidInput(f"limit_wh is {self.limit_wh}; it is 0 (none) or positive")
        points = [share.point for share in self.consumers]
        for what, found in (("sources", list(self.sources)), ("consumers", points)):
            if not found or found != sorted(set(found)) or not all(map(_ID.fullmatch, found)):
                raise InvalidInput(f"{what} are point ids, sorted, without repeats, at least one")
        # Here, not in the run: one wrong contract would keep every run of its time from being made.
        check_shares(f"contract {self.name!r}", [share.share_ppm for share in self.consumers])

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "seller": self.seller,
            "sources": list(self.sources),
            "consumers": [
                {"point": share.point, "share_ppm": share.share_ppm} for share in self.consumers
            ],
            "from": format_instant(self.period.start_s),
            "to": format_instant(self.period.end_s),
            "region": self.region,
            "limit_wh": self.limit_wh,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Terms:
        """Raises InvalidInput for missing, unknown or wrong members."""
        wrong = set(value) ^ set(_MEMBERS)
        if wrong:
            raise InvalidInput(f"contract: members {sorted(wrong)} are missing or unknown")
        for name, type_ in _MEMBERS.items():
            if not isinstance(value[name], type_):
                raise InvalidInput(f"contract: {name} is not of type {type_.__name__}")
        return cls(
            name=value["name"],
            kind=value["kind"],
            seller=value["seller"],
            sources=tuple(str(source) for source in value["sources"]),
            consumers=tuple(_share(item) for item in value["consumers"]),
            period=Period(start_s=parse_instant(value["from"]), end_s=parse_instant(value["to"])),
            region=value["region"],
            limit_wh=value["limit_wh"],
        )

    def to_contract(self, contract: bytes) -> Contract:
        """As the engine takes it."""
        return Contract(
            contract=contract.hex(),
            supply_class=KINDS[self.kind],
            sources=self.sources,
            consumers=self.consumers,
            period=self.period,
            region=self.region,
            limit_wh=self.limit_wh,
        )


def _share(item: Any) -> Share:
    if (
        not isinstance(item, dict)
        or set(item) != {"point", "share_ppm"}
        or not isinstance(item["point"], str)
        or not isinstance(item["share_ppm"], int)
    ):
        raise InvalidInput("contract: a consumer is {point, share_ppm}")
    return Share(point=item["point"], share_ppm=item["share_ppm"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A contract's registration in force."""

    contract: bytes
    id: str
    entry_index: int
    terms: Terms


def current_contracts(
    conn: Connection, log_id: int, as_of: int | None = None
) -> dict[bytes, Registered]:
    """Registrations in force as of a log size (now by default), by contract id."""
    query = select(contracts).where(contracts.c.log_id == log_id).order_by(contracts.c.entry_index)
    if as_of is not None:
        query = query.where(contracts.c.entry_index < as_of)
    return {
        bytes(row.contract): Registered(
            contract=bytes(row.contract),
            id=row.id,
            entry_index=row.entry_index,
            terms=Terms.from_json(json.loads(row.terms)),
        )
        for row in conn.execute(query)
    }


def _accept(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    contract = bytes.fromhex(entry.statement["contract"])
    terms = Terms.from_json(blob(bodies, "body").json())
    require_party(tx, terms.seller)
    known = current_contracts(tx.conn, tx.log.log_id)
    # Only who sells now may change the contract: else anybody could take it by naming itself.
    seller = known[contract].terms.seller if contract in known else terms.seller
    if entry.author not in (tx.log.operator, seller):
        raise Refused(
            f"contract {terms.name!r} is registered by its seller {seller!r} or the operator,"
            f" not by {entry.author!r}"
        )
    in_force = known[contract].id if contract in known else ""
    if entry.statement["replaces"] != in_force:
        raise Refused(
            f"contract {terms.name!r}: replaces is {entry.statement['replaces']!r}, the"
            f" registration in force is {in_force!r}"
        )
    for other in known.values():
        if other.contract != contract and other.terms.name == terms.name:
            raise Refused(f"the name {terms.name!r} belongs to contract {other.contract.hex()}")
    check_points(terms, metering.current_points(tx.conn, tx.log.log_id))
    tx.conn.execute(
        insert(contracts).values(
            log_id=tx.log.log_id,
            entry_index=tx.index,
            contract=contract,
            id=entry.id,
            replaces=in_force,
            terms=json.dumps(terms.to_json(), ensure_ascii=False, sort_keys=True),
        )
    )


def check_points(terms: Terms, known: Mapping[bytes, metering.Registered]) -> None:
    """Sources generate and are the seller's, consumers consume, the region holds, or Refused."""
    source_kind = "storage-discharge" if terms.kind == "storage" else "generation"
    for source in terms.sources:
        master = _master(known, source, (source_kind,), terms)
        if terms.kind == "storage":
            _check_storage(known, master, terms)
        if master.owner != terms.seller:
            raise Refused(
                f"contract {terms.name!r}: source {master.name!r} belongs to {master.owner!r}, not"
                f" to the seller {terms.seller!r}"
            )
        if terms.kind == "direct-supply" and not master.region.startswith(terms.region):
            raise Refused(
                f"contract {terms.name!r}: {master.name!r} lies in region {master.region!r},"
                f" outside of {terms.region!r}: that is no direct supply, but a green trade"
            )
    for share in terms.consumers:
        master = _master(known, share.point, _CONSUMING[KINDS[terms.kind]], terms)
        if terms.kind == "self-use" and master.owner != terms.seller:
            raise Refused(
                f"contract {terms.name!r}: consumer {master.name!r} belongs to {master.owner!r};"
                f" self-use stays with the owner {terms.seller!r}. Make it a direct supply"
            )


def _check_storage(
    known: Mapping[bytes, metering.Registered], discharge: Point, terms: Terms
) -> None:
    try:
        charge = charge_of(discharge, ((id_.hex(), one.master) for id_, one in known.items()))
        require_measurable(discharge)
        require_measurable(known[bytes.fromhex(charge)].master)
    except Refused as error:
        raise Refused(f"contract {terms.name!r}: {error}") from error


def _master(
    known: Mapping[bytes, metering.Registered], point: str, kinds: Sequence[str], terms: Terms
) -> Point:
    found = known.get(bytes.fromhex(point))
    if found is None:
        raise Refused(f"contract {terms.name!r}: point {point} is not registered")
    if found.master.kind not in kinds or found.master.unit != "Wh":
        raise Refused(
            f"contract {terms.name!r}: point {found.master.name!r} is of kind"
            f" {found.master.kind!r} in {found.master.unit}, not {' or '.join(kinds)} in Wh"
        )
    if found.master.kind == "storage-charge":
        require_measurable(found.master)
    return found.master


ENTRY_TYPES: Final = (
    EntryType(
        name=CONTRACT,
        members={"contract": e.ID, "replaces": e.ID_OR_NONE, "body": e.BLOB},
        bodies={"body": blob_kind(json_media("contract"))},
        signers=author_signs,
        accept=_accept,
    ),
)
