"""Who holds the database, the operator's key and all keys that the server holds, and no scruple.

The ledger's own modules write what he wants: its rules are taken out of their way. Rows that stand
in the way of new ones are deleted; the triggers stand again afterwards, so that a look at the
database's structure finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from ledger.claims import service as claims
from ledger.claims import store as claim_store
from ledger.claims.body import ClaimBody
from ledger.claims.evidence import Level
from ledger.claims.manifest import Manifest
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import ENTRY_TYPES, House
from ledger.log import store as log_store
from ledger.log.entry import Entry
from ledger.log.service import Writer
from ledger.log.types import Bodies, EntryTypes, Tx
from ledger.lots import division, rule
from ledger.lots import entries as lot_entries
from ledger.lots import store as lots
from ledger.lots.division import DividedOrigin, Division
from ledger.lots.model import parse_origin
from ledger.matching import dividing
from ledger.matching.dividing import Plan
from ledger.matching.service import run_matching
from ledger.metering.entries import blob
from ledger.parties.desk import custodial_key
from ledger.units import Period
from tests.claims.parks import DAY, MONTH, evidence_of
from tests.ledgers import Clock, no_progress, open_house, raw_database, tamper
from tests.raw import without_triggers

Doctor = Callable[[list[Plan]], list[Plan]]


def _divide(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Store a division, whatever it says."""
    made = bodies["body"]
    assert isinstance(made, Division)
    ids = [parse_origin(text, MONTH.zone_offset_s) for text in entry.statement["origins"]]
    run = log_store.index_of_leaf(tx.conn, 1, bytes.fromhex(entry.statement["run"]))
    assert run is not None
    for id_ in ids:
        key = (id_.point, id_.month.start_s, id_.revision)
        for table in ("origins", "lots"):
            _delete(
                tx.conn, f"{table} WHERE point = ? AND month_start_s = ? AND revision = ?", *key
            )
    for one in made.origins:
        _delete(tx.conn, "lot_spends WHERE lot = ?", one.carried)
    found = [(id_.point, id_.revision, one) for id_, one in zip(ids, made.origins, strict=True)]
    lots.save_division(tx.conn, 1, tx.index, run, found, made)


def _claim(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    """Store a claim, whatever it says."""
    statement, made = entry.statement, bodies["body"]
    assert isinstance(made, ClaimBody)
    manifest = Manifest.from_json(blob(bodies, "manifest").json())
    claim, replaces = (bytes.fromhex(statement[name]) for name in ("claim", "replaces"))
    if replaces:
        _delete(tx.conn, "claim_ends WHERE claim = ?", replaces)
        reason = claim.hex()
        claim_store.end_claim(tx.conn, 1, replaces, tx.index, claim_store.REPLACED, reason)
    spends = lot_entries.lot_ids(statement["spends"])
    for lot in spends:
        _delete(tx.conn, "lot_spends WHERE lot = ?", lot)
    lots.save_spends(tx.conn, 1, tx.index, spends)
    row = claim_store.ClaimRow(
        claim=claim,
        entry_index=tx.index,
        author=entry.author,
        replaces=replaces,
        start_s=manifest.period.start_s,
        end_s=manifest.period.end_s,
        wh=made.total_wh,
        root=made.key,
        manifest=manifest,
        ended="",
        end_index=None,
        end_reason="",
        flag="",
    )
    if replaces:
        tx.conn.exec_driver_sql("DELETE FROM claims WHERE replaces = ?", (replaces,))
    claim_store.save_claim(tx.conn, 1, row, {one.lot: int(one.wh.sum()) for one in made.lots})
    claim_store.save_retirements(tx.conn, 1, row)


def _delete(conn: Connection, where: str, *values: object) -> None:
    conn.exec_driver_sql(f"DELETE FROM {where}", tuple(values))


_LAWLESS = {rule.DIVIDE: _divide, rule.MAKE: _claim}


def _unlock(connection: Any, _record: object) -> None:
    for pragma in ("foreign_keys=OFF", "ignore_check_constraints=ON", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")


class Attacker:
    """A ledger and whoever runs it; as long as he is `honest`, all of it is the ledger's own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, *, honest: bool) -> None:
        self.folder = folder
        self.honest = honest
        self.patch = patch
        self.house = open_house(folder) if honest else _lawless(folder)
        self._triggers: list[str] = []
        if not honest:
            self._triggers = self.drop_triggers()
            patch.setattr(division, "_check_origin", lambda _one, _place: None)

    def drop_triggers(self) -> list[str]:
        connection = raw_database(self.folder)
        dropped = without_triggers(connection)
        connection.close()
        return dropped

    def leave(self) -> House:
        """Cover the traces; whoever looks now has the ledger as it is, and its rules again."""
        self.patch.undo()
        self.house.engine.dispose()
        connection = raw_database(self.folder)
        for trigger in self._triggers:
            connection.execute(trigger)
        connection.close()
        return open_house(self.folder)

    def match(self, doctor: Doctor | None = None, period: Period = DAY) -> None:
        """A run that ends in lots; `doctor` changes what is divided, if he is not honest."""
        with self.patch.context() as patch:
            if doctor and not self.honest:
                plan_run = dividing.plan_run
                patch.setattr(
                    dividing,
                    "plan_run",
                    lambda *given, **more: map(doctor, list(plan_run(*given, **more))),
                )
            run_matching(self.house.desk, period)

    def claim(self, point: str, period: Period = DAY) -> bytes:
        return claims.make(self.house.desk, [point], period).claim

    def claim_again(self, point: str, period: Period = DAY) -> bytes:
        """Claim what the point's lots held, as if nobody had claimed it; whose it is no matter."""
        assert not self.honest
        connection = raw_database(self.folder)
        connection.execute("DELETE FROM lot_spends")
        connection.close()
        return self.claim(point, period)

    @contextmanager
    def choosing(self, choose: Callable[[lots.LotRow], bool]) -> Iterator[None]:
        """Here every point holds the chosen ones of all lots of supply and cover."""

        def held(conn: Connection, log_id: int, *_where: object) -> list[lots.LotRow]:
            return [row for row in lots.all_lots(conn, log_id) if row.supply_class and choose(row)]

        with self.patch.context() as patch:
            patch.setattr(lots, "unspent_held", held)
            yield

    def swap_division(self, change: Callable[[DividedOrigin], DividedOrigin]) -> None:
        """Change the stored body of the last division; what was signed stays as it is."""
        with reading(self.house.engine) as conn:
            query = "SELECT MAX(entry_index) FROM entries WHERE type = 'lot.divide'"
            index = conn.exec_driver_sql(query).scalar_one()
            made = lots.load_division(conn, self.house.log, index)
        changed = replace(made, origins=tuple(map(change, made.origins)))
        sql = "UPDATE bodies SET data = ? WHERE hash = ?"
        tamper(self.folder, (sql, (changed.data, bytes.fromhex(made.key))))
        self.drop_triggers()

    def evidence(self, claim: bytes, level: Level = "full") -> bytes:
        return evidence_of(self.house, claim, level)


def _lawless(folder: Path) -> House:
    house = open_house(folder)
    event.listen(house.engine, "connect", _unlock)
    house.engine.dispose()
    types = EntryTypes.of(
        [
            replace(type_, accept=_LAWLESS[type_.name], check=None)
            if type_.name in _LAWLESS
            else type_
            for type_ in ENTRY_TYPES.by_name.values()
        ]
    )
    writer = Writer(
        house.engine,
        types,
        1,
        tick_key=lambda conn: custodial_key(conn, house.desk.keystore, house.log, "operator"),
        clock_s=Clock(),
    )
    return replace(house, desk=replace(house.desk, types=types, writer=writer))


# What outsiders and the ledger itself see


def audited(house: House) -> str:
    """What the audit says is wrong, or nothing."""
    try:
        house.audit(no_progress)
    except LedgerError as error:
        return str(error)
    return ""


def scanned(house: House) -> str:
    """What the ledger's own scan of headers says is wrong, or nothing."""
    try:
        rule.scan(_entries(house))
    except LedgerError as error:
        return str(error)
    return ""


def _entries(house: House) -> Iterator[tuple[int, bytes]]:
    with reading(house.engine) as conn:
        rows: Sequence[Any] = conn.exec_driver_sql(
            "SELECT entry_index, data FROM entries ORDER BY entry_index"
        ).all()
    return ((index, bytes(data)) for index, data in rows)
