"""The house put together: settings → engine, log, keys, writer. Commands start here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect

from ledger import db, schema
from ledger.access import requests, sealing  # noqa: F401  (requests: its table)
from ledger.access import schema as _accounts  # noqa: F401  (its tables are of this database)
from ledger.accounting import computing, regimes
from ledger.accounting.factors import entries as factor_entries
from ledger.accounting.registers import checks as accounting_checks
from ledger.anchors import alarm, publication, service
from ledger.anchors import audit as anchor_audit
from ledger.anchors.config import Anchors, load
from ledger.anchors.publication import Published
from ledger.anchors.service import Round
from ledger.approvals import schema as _drafts  # noqa: F401  (likewise)
from ledger.certificates import actual_user, settlement
from ledger.claims import entries as claim_entries
from ledger.claims import shortfall
from ledger.credits import effects
from ledger.credits import entries as credit_entries
from ledger.disclosure import compute as disclosing
from ledger.errors import Corrupt, InvalidInput, LedgerError, Refused, Unavailable
from ledger.files import make_private_folder
from ledger.footprint import checks as products
from ledger.footprint import computing as footprints
from ledger.footprint import uses
from ledger.footprint.pact import schema as _partners  # noqa: F401  (likewise)
from ledger.log import archive, audit, export, publish, store
from ledger.log.audit import Audited
from ledger.log.entry import ORIGIN, PARTY, Entry, write_statement
from ledger.log.notes import VerifyKey, sign_note
from ledger.log.service import GENESIS, Writer, bootstrap
from ledger.log.static import Progress
from ledger.log.succession import SUCCEED, Succession, first_month
from ledger.log.types import Bodies, EntryType, EntryTypes, Tx
from ledger.lots import entries as lot_entries
from ledger.lots import rule as lot_rule
from ledger.matching import service as matching
from ledger.metering import entries as metering_entries
from ledger.metering import erasing
from ledger.parties import entries as party_entries
from ledger.parties import log_key_desk, log_keys, officers, succession
from ledger.parties.desk import Desk, custodial_key
from ledger.parties.keystore import Keystore
from ledger.parties.officers import under_four_eyes
from ledger.parties.signer import signer_of
from ledger.periods import entries as period_entries
from ledger.periods import since
from ledger.records import entries as record_entries
from ledger.registry import entries as registry_entries
from ledger.registry import rule
from ledger.reports import entries as report_entries
from ledger.reports.model import DISCLOSURE, FOOTPRINT, Compute
from ledger.scorecard import entries as scorecard_entries
from ledger.scorecard import scoring
from ledger.settings import Settings
from ledger.statements import entries as statement_entries
from ledger.units import format_instant, parse_zone, zone_offset_s

# How each kind of report is computed (docs/formats.md §4.16).
_SHOWN: Final[Mapping[str, Compute]] = {
    computing.INVENTORY: computing.inventory,
    computing.BALANCE: computing.balance,
    scoring.KIND: scoring.scorecard,
    FOOTPRINT: footprints.compute,
}
COMPUTES: Final[Mapping[str, Compute]] = {**_SHOWN, DISCLOSURE: disclosing.disclosure(_SHOWN)}
# What rooms above ask of an entry before a room below stores it, and do with what it has stored.
Also = Callable[[Tx, Entry, Bodies], None]
_PRECEDED: Final[Mapping[str, Sequence[Also]]] = {
    rule.ISSUE: (since.before_issue, effects.before_issue),
    rule.MOVE: (since.before_move, period_entries.before_move),
    rule.RECORD: (since.before_record,),
    lot_rule.DIVIDE: (since.before_division,),
    lot_rule.MAKE: (since.before_claim, period_entries.before_claim),
    lot_rule.WITHDRAW: (period_entries.before_withdrawal,),
    metering_entries.READINGS: (since.before_readings, period_entries.before_readings),
    metering_entries.CORRECTION: (since.before_readings, period_entries.before_readings),
    erasing.ERASE: (shortfall.before_erasure,),
    # Each of these looks at its own registers only.
    record_entries.PUT: (
        factor_entries.before_put,
        regimes.before_put,
        accounting_checks.before_put,
        products.before_put,
        scorecard_entries.before_put,
    ),
    report_entries.PUBLISH: (disclosing.before_publish, uses.before_publish),
}
_FOLLOWED: Final[Mapping[str, Sequence[Also]]] = {
    metering_entries.CORRECTION: (shortfall.after_correction,),
    rule.ISSUE: (shortfall.after_issue,),
    rule.MOVE: (actual_user.after_move, settlement.after_move, effects.after_move),
    report_entries.PUBLISH: (uses.after_publish,),
}
_TYPES: Final = (
    *party_entries.ENTRY_TYPES,
    *succession.ENTRY_TYPES,
    *log_keys.ENTRY_TYPES,
    *officers.ENTRY_TYPES,
    *record_entries.ENTRY_TYPES,
    *report_entries.entry_types(COMPUTES),
    *metering_entries.ENTRY_TYPES,
    *erasing.ENTRY_TYPES,
    *lot_entries.ENTRY_TYPES,
    *matching.ENTRY_TYPES,
    *registry_entries.ENTRY_TYPES,
    *credit_entries.ENTRY_TYPES,
    *statement_entries.ENTRY_TYPES,
    *claim_entries.ENTRY_TYPES,
    *period_entries.ENTRY_TYPES,
)


def _in_house(one: EntryType) -> EntryType:
    for check in reversed(_PRECEDED.get(one.name, ())):
        one = one.preceded_by(check)
    for more in _FOLLOWED.get(one.name, ()):
        one = one.followed_by(more)
    return under_four_eyes(one)


ENTRY_TYPES: Final = EntryTypes.of([_in_house(one) for one in _TYPES])
LOG_ID: Final = 1
# Where nothing is done by the clock: a cosignature that is asked for after so long is a new one.
RENEW_AFTER_S: Final = 1_800


def now_s() -> int:
    return int(time.time())


def _require_database(settings: Settings) -> None:
    if not settings.database_url and not settings.database_file.exists():
        raise Unavailable(
            f"{settings.dir} holds no ledger; make one with: greenledger init --origin NAME"
        )


def _open_engine(settings: Settings) -> Engine:
    limits = db.Limits(
        lock_s=settings.database_lock_s,
        statement_s=settings.database_statement_s,
        idle_in_transaction_s=settings.database_idle_in_transaction_s,
        connections_max=settings.database_connections_max,
    )
    return db.open_engine(settings.url, limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One log with what is needed to read and extend it."""

    settings: Settings
    desk: Desk

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    @property
    def log(self) -> store.LogFacts:
        return self.desk.log

    @property
    def verification_key(self) -> VerifyKey:
        """One that signs the next checkpoint: what a verifier is given."""
        return log_key_desk.signing_key(self.desk)

    @property
    def seal_key(self) -> bytes:
        """What secrets of accounts are encrypted with at rest."""
        return self.desk.keystore.subkey(sealing.PURPOSE)

    @classmethod
    def open(cls, settings: Settings, *, clock_s: Callable[[], int] = now_s) -> House:
        """Raises Unavailable where there is no ledger, or its database is an old copy, or of
        another version."""
        _require_database(settings)
        engine = _open_engine(settings)
        try:
            with db.reading(engine) as conn:
                if not inspect(conn).has_table("logs"):
                    raise Unavailable(f"the database of {settings.dir} has no ledger's tables")
                schema.check(conn)
                log = store.load_log(conn, LOG_ID)
                publish.check_high_water(conn, log, cls.high_water_of(settings, log).read())
                if settings.publish_dir is not None:
                    publication.require_ahead_of(conn, log, settings.publish_dir)
        except LedgerError:
            engine.dispose()
            raise
        return cls._assemble(settings, engine, log, clock_s)

    @classmethod
    def make_database(cls, settings: Settings) -> Engine:
        """The data directory, and a database with the newest schema in it."""
        make_private_folder(settings.dir)
        if not settings.database_url:
            # It holds values and the secrets of batches. SQLite gives its -wal the file's mode.
            settings.database_file.touch(mode=0o600)
        schema.migrate(settings.url)
        return _open_engine(settings)

    @classmethod
    def migrate(cls, settings: Settings) -> str:
        """Bring the database to the schema that this program needs; returns its name."""
        _require_database(settings)
        schema.migrate(settings.url)
        return schema.newest()

    @classmethod
    def grant(cls, settings: Settings, role: str, *, erases: bool = False) -> None:
        """Let a PostgreSQL role append, and change nothing; see db.roles. Raises Unavailable."""
        _require_database(settings)
        engine = _open_engine(settings)
        try:
            with db.reading(engine) as conn:
                schema.check(conn)
            db.grant(engine, role, erases=erases)
        finally:
            engine.dispose()

    @classmethod
    def init(
        cls,
        settings: Settings,
        *,
        origin: str,
        name: str,
        zone: str = "+08:00",
        operator: str = "operator",
        log_vkey: str = "",
        operator_vkey: str = "",
        clock_s: Callable[[], int] = now_s,
        follows: Succession | None = None,
    ) -> House:
        """A new log: its keys, its tables and its genesis. Raises Refused where there is one.

        `follows`: a log that can't go on, which its second entry names.
        `log_vkey`, `operator_vkey`: of keys that the external signer holds; without one, a key is
        made and kept here.
        """
        for what, member, value in (("origin", ORIGIN, origin), ("operator", PARTY, operator)):
            if not member.check(value):
                raise Refused(f"{what} is {value!r}, not {member.expected}")
        parse_zone(zone)
        engine = cls.make_database(settings)
        with db.reading(engine) as conn:
            if store.load_head(conn, LOG_ID).size:
                raise Refused(f"{settings.dir} holds a ledger already")
        # Who is killed from here to the genesis leaves keys that sign nothing, and begins anew.
        keystore = cls.keystore_of(settings)
        operator_name = party_entries.party_key_name(origin, operator)
        operator_key = keystore.provide(operator_name, operator_vkey)
        log_key = keystore.provide(origin, log_vkey)
        at_s = clock_s()

        def statement(kind: str, members: Mapping[str, object]) -> bytes:
            common = {"type": kind, "id": secrets.token_hex(16), "log": origin, "author": operator}
            return write_statement({**common, "at": format_instant(at_s), **members})

        own = {
            "name": name,
            "zone": zone,
            "log_vkey": log_key.verify_key.vkey,
            "vkey": operator_key.verify_key.vkey,
        }
        first = [sign_note(statement(GENESIS, own), operator_key, log_key)]
        if follows is not None:
            month = first_month(at_s, zone_offset_s(parse_zone(zone)))
            members = succession.members(follows, month)
            first.append(sign_note(statement(SUCCEED, members), operator_key))
        bootstrap(engine, ENTRY_TYPES, LOG_ID, *first)
        with db.reading(engine) as conn:
            log = store.load_log(conn, LOG_ID)
        house = cls._assemble(settings, engine, log, clock_s)
        house.checkpoint()
        return house

    @classmethod
    def _assemble(
        cls,
        settings: Settings,
        engine: Engine,
        log: store.LogFacts,
        clock_s: Callable[[], int],
    ) -> House:
        keystore = cls.keystore_of(settings)
        writer = Writer(
            engine,
            ENTRY_TYPES,
            LOG_ID,
            tick_key=lambda conn: custodial_key(conn, keystore, log, log.operator),
            clock_s=clock_s,
        )
        desk = Desk(
            engine=engine,
            types=ENTRY_TYPES,
            log=log,
            keystore=keystore,
            writer=writer,
            clock_s=clock_s,
        )
        return cls(settings=settings, desk=desk)

    @staticmethod
    def keystore_of(settings: Settings) -> Keystore:
        kek = settings.kek.get_secret_value() if settings.kek else None
        signer = signer_of(settings.signer, settings.signer_timeout_s) if settings.signer else None
        return Keystore(settings.secrets_dir, kek, signer)

    @staticmethod
    def high_water_of(settings: Settings, log: store.LogFacts) -> publish.HighWater:
        return publish.HighWater(settings.high_water, log.log_key)

    def checkpoint(self) -> bytes:
        """Sign the present size, and return the note. Raises Unavailable without all keys of the
        log that are in force."""
        high_water = self.high_water_of(self.settings, self.log)
        signer_of = self.desk.keystore.get
        return publish.sign_checkpoint(
            self.engine, self.log, signer_of, high_water, self._require_seen
        )

    def _require_seen(self, conn: Connection) -> None:
        """Raises Unavailable or Corrupt where more was published, or seen by a witness, than the
        database holds, or something else."""
        if self.settings.publish_dir is not None:
            publication.require_ahead_of(conn, self.log, self.settings.publish_dir)
        standing = alarm.standing(conn, self.log.log_id)
        if standing:
            alarm.require_none(conn, self.log, self.anchors(), standing)

    def anchors(self) -> Anchors:
        """Whom the log asks to vouch for it. Raises InvalidInput."""
        return load(self.settings.anchors_file)

    def anchor(self, *, patient: bool = True) -> Round:
        """Ask the anchors that are due about the latest checkpoint; those that failed lately only
        where not `patient`. What they say is in the answer, no error. Raises InvalidInput for a
        broken anchors.toml, NotFound before the first checkpoint."""
        asking = service.Asking(
            engine=self.engine, log=self.log, anchors=self.anchors(), clock_s=self.desk.clock_s
        )
        # Before it is a period old, since a round takes its time.
        renew_after_s = self.settings.anchor_every_s // 2 or RENEW_AFTER_S
        return service.hold_round(asking, renew_after_s=renew_after_s, patient=patient)

    def publish(self, progress: Progress) -> Published | None:
        """Bring the publication up to date; None where there is no folder for it."""
        if self.settings.publish_dir is None:
            return None
        with db.reading(self.engine, long=True) as conn:
            return publication.bring_up_to_date(conn, self.log, self.settings.publish_dir, progress)

    def audit(self, progress: Progress) -> Audited:
        """Raises Corrupt with the first thing that does not hold."""
        record = self.high_water_of(self.settings, self.log).read()
        found = audit.audit(self.engine, self.log, self.desk.types, record, progress)
        # Once more by the rule that outsiders scan for, which knows nothing of the tables.
        with db.reading(self.engine, long=True) as conn:
            try:
                rule.scan(store.entry_range(conn, self.log.log_id, 0, found.entries))
            except (InvalidInput, Refused) as error:
                raise Corrupt(str(error)) from error
            anchored = anchor_audit.check(conn, self.log)
        return replace(found, tokens=anchored.tokens, cosignatures=anchored.cosignatures)

    def export_tiles(self, folder: Path, progress: Progress) -> int:
        """Write the public log; returns its size."""
        self.checkpoint()
        with db.reading(self.engine, long=True) as conn:
            return export.export_tiles(conn, self.log, folder, progress)

    def export_entries(self, folder: Path, progress: Progress) -> int:
        """Write entries, bodies and checkpoints; returns the number of entries."""
        export.require_empty(folder)
        self.checkpoint()
        with archive.alone(folder), db.reading(self.engine, long=True) as conn:
            record = archive.grow(conn, self.log, self.desk.types, folder, progress)
            archive.write_record(folder, record)
        return record.size
