"""A unit's whole life: its import, every move that touched it, its end, and who shows it.

For the eyes of who keeps the database: owners and terms are told, which the public log is silent
about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from ledger.errors import NotFound
from ledger.log import store as log_store
from ledger.log.placed import Placed, Proofs, all_placed
from ledger.log.store import LogFacts
from ledger.registry import catalogue, lifecycle, store, used
from ledger.registry.body import UnitsBody
from ledger.registry.catalogue import RegisteredScheme
from ledger.registry.choosing import codes_of, serials_here
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange
from ledger.registry.schema import gone_units, holdings
from ledger.registry.store import BatchRow, HoldingRow
from ledger.registry.used import GoneRow, RetirementRow
from ledger.units import format_instant

ISSUE: Final = "issue"
# A holding of which an act took another part: what is left of it is begun anew.
KEPT: Final = "kept"
DISCLOSE: Final = "disclose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one entry did with units `units` of a batch. `act`: `issue`, an act of a move, `kept`
    where the act was about other units of their holding, or `disclose`. `owner`, `to`: whose they
    were before and are after it, `""` for nobody's; `state`: theirs after it, `""` when gone."""

    placed: Placed
    act: str
    batch: BatchId
    units: SerialRange
    owner: str
    to: str
    state: str
    holding: bytes
    terms: dict[str, Any]

    def to_json(self, proofs: Proofs | None = None) -> dict[str, Any]:
        return {
            "act": self.act,
            "serial": f"{self.batch}:{self.units}",
            "from": self.owner,
            "to": self.to,
            "state": self.state,
            "holding": self.holding.hex(),
            "terms": self.terms,
            **self.placed.to_json(proofs),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where traced units are from: their batch, which of it is traced, and the lots behind it."""

    batch: BatchRow
    units: SerialRange
    lots: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        row = self.batch
        return {
            "batch": str(row.id),
            "first": self.units.first,
            "end": self.units.end,
            "from": format_instant(row.period.start_s),
            "to": format_instant(row.period.end_s),
            "expires": "" if row.expires_s is None else format_instant(row.expires_s),
            "project": row.project,
            "record": row.record.hex(),
            "entry": row.entry_index,
            "eligible_wh": row.eligible_wh,
            "carried_wh": row.carried_wh,
            "left_wh": row.left_wh,
            "lots": [lot.hex() for lot in self.lots],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The life of units of one code, step by step in log order."""

    scheme: RegisteredScheme
    origins: tuple[Origin, ...]
    steps: tuple[Step, ...]
    retirements: tuple[RetirementRow, ...]

    @property
    def units(self) -> int:
        return sum(len(one.units) for one in self.origins)

    @property
    def entries(self) -> list[int]:
        return sorted({step.placed.index for step in self.steps})

    def to_json(self, proofs: Proofs | None = None) -> dict[str, Any]:
        rules = self.scheme.rules
        return {
            "scheme": rules.scheme,
            "kind": rules.kind,
            "status": rules.status,
            "source": rules.source,
            "units": self.units,
            "amount": rules.amount(self.units),
            "origins": [one.to_json() for one in self.origins],
            "steps": [step.to_json(proofs) for step in self.steps],
        }


def trace(conn: Connection, log: LogFacts, scheme: str, serial: str) -> Life:
    """The life of a unit `CODE:NUMBER`, of several, `CODE:FIRST-END`, or of all of a code.

    Raises InvalidInput or NotFound.
    """
    rules = catalogue.find_scheme(conn, log.log_id, scheme)
    known = store.batches_of_codes(conn, log.log_id, scheme, codes_of([serial]))
    wanted = serials_here(serial, known)
    origins = []
    for row in known.get(wanted.code, ()):
        units = row.units if wanted.units is None else row.units.common(wanted.units)
        if units is not None and wanted.revision in (None, row.id.revision):
            lots = tuple(store.lots_of_batch(conn, log.log_id, row.id))
            origins.append(Origin(batch=row, units=units, lots=lots))
    found = sum(len(one.units) for one in origins)
    if not found or (wanted.units is not None and found < len(wanted.units)):
        some = f"only {found}" if found else "none"
        raise NotFound(
            f"of units {scheme}/{serial} {some} were ever here; see: greenledger"
            f" {'certificate' if rules.rules.unit == 'Wh' else 'credit'} list --scheme {scheme}"
        )
    return _Tracer(conn, log).life(rules, origins)


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda one: (one.placed.index, one.batch, one.units)))


class _Tracer:
    def __init__(self, conn: Connection, log: LogFacts) -> None:
        self._conn = conn
        self._log = log
        self._placed: dict[int, Placed] = {}
        self._terms: dict[int, dict[str, Any]] = {}

    def life(self, rules: RegisteredScheme, origins: Sequence[Origin]) -> Life:
        steps: list[Step] = []
        for one in origins:
            held, gone = self._held(one), self._gone(one)
            self._place({row.entry_index for row in held} | {row.entry_index for row in gone})
            by_end: dict[int, list[HoldingRow]] = {}
            for row in held:
                if row.end_index is not None:
                    by_end.setdefault(row.end_index, []).append(row)
            steps += [self._began(one, row, by_end.get(row.entry_index, ())) for row in held]
            steps += [self._went(one, row, by_end[row.entry_index]) for row in gone]
        ends = {step.placed.index for step in steps if step.act == lifecycle.RETIRE and not step.to}
        retirements = used.retirements_at(self._conn, self._log.log_id, ends)
        steps += self._disclosures(steps, retirements)
        return Life(
            scheme=rules,
            origins=tuple(origins),
            steps=in_order(steps),
            retirements=tuple(retirements),
        )

    def _held(self, one: Origin) -> list[HoldingRow]:
        return store.find_holdings(
            self._conn,
            self._log.log_id,
            holdings.c.scheme == one.batch.id.scheme,
            holdings.c.code == one.batch.id.code,
            holdings.c.first_unit < one.units.end,
            holdings.c.end_unit > one.units.first,
        )

    def _gone(self, one: Origin) -> list[GoneRow]:
        return used.find_gone(
            self._conn,
            self._log.log_id,
            gone_units.c.scheme == one.batch.id.scheme,
            gone_units.c.code == one.batch.id.code,
            gone_units.c.first_unit < one.units.end,
            gone_units.c.end_unit > one.units.first,
        )

    def _place(self, indexes: set[int]) -> None:
        missing = indexes - self._placed.keys()
        self._placed.update(all_placed(self._conn, self._log.log_id, missing))

    def _began(self, one: Origin, row: HoldingRow, ended: Sequence[HoldingRow]) -> Step:
        """What began a holding; `ended`: what the same entry ended of the traced units."""
        units = row.units.common(one.units)
        assert units is not None
        act, owner = ISSUE, ""
        if row.entry_index != one.batch.entry_index:
            before = next(each for each in ended if each.units.overlaps(units))
            act, owner = before.ended, before.owner
            untouched = (owner, before.moves) == (row.owner, row.moves)
            if untouched and act in lifecycle.GIVING | lifecycle.FINAL:
                act = KEPT
        return Step(
            placed=self._placed[row.entry_index],
            act=act,
            batch=row.batch,
            units=units,
            owner=owner,
            to=row.owner,
            state=row.state,
            holding=row.holding,
            terms={} if act == KEPT else self._terms_of(row.entry_index),
        )

    def _went(self, one: Origin, row: GoneRow, ended: Sequence[HoldingRow]) -> Step:
        units = row.units.common(one.units)
        assert units is not None
        before = next(each for each in ended if each.units.overlaps(units))
        return Step(
            placed=self._placed[row.entry_index],
            act=row.act,
            batch=row.batch,
            units=units,
            owner=before.owner,
            to="",
            state="",
            holding=before.holding,
            terms=self._terms_of(row.entry_index),
        )

    def _disclosures(
        self, steps: Sequence[Step], retirements: Sequence[RetirementRow]
    ) -> list[Step]:
        found = []
        for row in retirements:
            if row.disclosed_index is None:
                continue
            self._place({row.disclosed_index})
            found += [
                replace(
                    step,
                    placed=self._placed[row.disclosed_index],
                    act=DISCLOSE,
                    terms={"retirement": row.retirement.hex()},
                )
                for step in steps
                if step.placed.index == row.entry_index and not step.to
            ]
        return found

    def _terms_of(self, index: int) -> dict[str, Any]:
        """What the entry's body says of why; nothing where the body is not here."""
        if index not in self._terms:
            self._terms[index] = self._read_terms(index)
        return self._terms[index]

    def _read_terms(self, index: int) -> dict[str, Any]:
        entry = self._placed[index].entry
        data = log_store.load_body(self._conn, self._log.log_id, entry.statement["body"]["root"])
        if data is None:
            return {}
        body = UnitsBody.open(data, origin=self._log.origin, id_=entry.id)
        if "act" not in entry.statement:
            return body.json(body.size - 1)
        terms = dict(body.json(0)["terms"])
        retirement = entry.statement["retirement"]
        return {**terms, "retirement": retirement} if retirement else terms
