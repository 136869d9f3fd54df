"""What claims hold that footprints may take: Wh by supply class and technology.

A claim is judged as of its own entry, so that what it holds never changes: a plant that is named
otherwise later moves no energy. What a storage gave back is of the technology `storage`, whatever
was charged: its losses are of the life cycle. Claims that replace each other stand on the same
energy: they are one chain, named by its first claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.accounting import facts
from ledger.accounting.loading.claimed import CLASSES, of_certificates
from ledger.claims import store as claims
from ledger.claims.store import ClaimRow
from ledger.errors import NotFound, Refused
from ledger.log.store import LogFacts
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS
from ledger.matching.model import SupplyClass
from ledger.matching.rounding import split
from ledger.metering import store as metering
from ledger.registry import catalogue, used
from ledger.registry import store as units
from ledger.units import Period, format_instant

Kind = tuple[str, str]  # supply class, technology


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A claim. `held_wh`: {(class, technology): Wh above 0}. `chain`: the first claim of those that
    replaced each other. `entries`: what that rests on."""

    row: ClaimRow
    chain: bytes
    held_wh: dict[Kind, int]
    entries: frozenset[int]

    @property
    def said(self) -> str:
        return f"claim {self.row.claim.hex()}"

    def ended_below(self, as_of: int) -> str:
        """How it had ended at a log size; "" where it was in force."""
        end = self.row.end_index
        return self.row.ended if end is not None and end < as_of else ""


def find(conn: Connection, log: LogFacts, claim: str, *, as_of: int | None = None) -> Held:
    """Raises NotFound for a claim that was not made below a log size."""
    row = claims.find_claim(conn, log.log_id, bytes.fromhex(claim))
    if as_of is not None and row.entry_index >= as_of:
        raise NotFound(f"there is no claim {claim} at log size {as_of}; see: claim list")
    held_wh, entries = _of_lots(conn, log, row)
    certified_wh, more = _of_certificates(conn, log, row)
    for kind, wh in certified_wh.items():
        held_wh[kind] = held_wh.get(kind, 0) + wh
    return Held(
        row=row,
        chain=chain_of(conn, log.log_id, row),
        held_wh=dict(sorted(held_wh.items())),
        entries=frozenset({row.entry_index, *entries, *more}),
    )


def require_usable(held: Held, *, as_of: int, author: str, period: Period) -> None:
    """Raises Refused unless a footprint of a product of `author` may rest on the claim."""
    ended = held.ended_below(as_of)
    if ended:
        raise Refused(f"{held.said} was {ended} by entry {held.row.end_index}: take one in force")
    if held.row.author != author:
        raise Refused(f"{held.said} is of {held.row.author!r}, the product of {author!r}")
    of = Period(start_s=held.row.start_s, end_s=held.row.end_s)
    if not period.contains(of):
        raise Refused(
            f"{held.said} is of {format_instant(of.start_s)} – {format_instant(of.end_s)}, which"
            f" is not within {format_instant(period.start_s)} – {format_instant(period.end_s)}"
        )


def chain_of(conn: Connection, log_id: int, row: ClaimRow) -> bytes:
    """The first claim of those that were replaced one by the other, up to this one."""
    while row.replaces:
        row = claims.find_claim(conn, log_id, row.replaces)
    return row.claim


def _of_lots(conn: Connection, log: LogFacts, row: ClaimRow) -> tuple[dict[Kind, int], set[int]]:
    claimed = claims.claimed_wh(conn, log.log_id, row.claim)
    known = lots.lots_by_id(conn, log.log_id, claimed)
    points = metering.current_points(
        conn, log.log_id, row.entry_index, only={one.point for one in known.values()}
    )
    found: dict[Kind, int] = {}
    entries: set[int] = set()
    for lot, one in known.items():
        point = points[one.point]
        if point.master.kind in SUPPLY_KINDS and claimed[lot]:
            class_ = CLASSES[SupplyClass(one.supply_class)]
            technology = facts.STORAGE if class_ == facts.STORAGE else point.master.technology
            kind = class_, technology
            found[kind] = found.get(kind, 0) + claimed[lot]
            entries.add(point.entry_index)
    return found, entries


def _of_certificates(
    conn: Connection, log: LogFacts, row: ClaimRow
) -> tuple[dict[Kind, int], set[int]]:
    """Certificates that are no other form of lots of the claim, by their projects' technology."""
    counted = [one for one in row.manifest.certificates if one.wh]
    if not counted:
        return {}, set()
    retired = used.retirements_by_id(conn, log.log_id, {one.retirement for one in counted})
    ids = {gone.batch for one in retired.values() for gone in one.gone}
    batches = units.batches_by_id(conn, log.log_id, ids)
    projects = catalogue.current_projects(conn, log.log_id, row.entry_index)
    found: dict[Kind, int] = {}
    entries = {one.entry_index for one in retired.values()}
    for one in counted:
        by_technology: dict[str, int] = {}
        for gone in retired[one.retirement].gone:
            project = projects.get((gone.batch.scheme, batches[gone.batch].project))
            technology = "" if project is None else project.master.technology
            entries |= set() if project is None else {project.entry_index}
            by_technology[technology] = by_technology.get(technology, 0) + len(gone.units)
        for technology, wh in _parts(one.wh, by_technology):
            kind = of_certificates(one.class_), technology
            found[kind] = found.get(kind, 0) + wh
    return found, entries


def _parts(wh: int, units_of: dict[str, int]) -> Iterable[tuple[str, int]]:
    names = sorted(units_of)
    parts = split(wh, [units_of[name] for name in names])
    return [(name, part) for name, part in zip(names, parts, strict=True) if part]
