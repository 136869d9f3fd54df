"""The house put together: settings → engine, log, keys, writer. Commands and services start here."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect

import migrations
from ledger import db
from ledger.errors import NotFound, Refused, Unavailable
from ledger.log import publish, store
from ledger.log.bodies import Body, reference
from ledger.log.checkpoint import TlogProof
from ledger.log.entry import ORIGIN, PARTY, write_statement
from ledger.log.notes import SigningKey, VerifyKey, sign_note
from ledger.log.service import GENESIS, Receipt, Submission, Writer, bootstrap
from ledger.log.types import EntryTypes
from ledger.metering import entries as metering_entries
from ledger.parties import entries as party_entries
from ledger.parties import store as party_store
from ledger.parties.keystore import Keystore
from ledger.settings import Settings
from ledger.units import format_instant, parse_zone

ENTRY_TYPES: Final = EntryTypes.of((*party_entries.ENTRY_TYPES, *metering_entries.ENTRY_TYPES))
LOG_ID: Final = 1


def now_s() -> int:
    return int(time.time())


def migrate(url: str) -> None:
    """Bring the database to the newest schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = url
    command.upgrade(config, "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One log with what is needed to read and extend it."""

    settings: Settings
    engine: Engine
    log: store.LogFacts
    keystore: Keystore
    writer: Writer
    clock_s: Callable[[], int]

    @classmethod
    def open(cls, settings: Settings, *, clock_s: Callable[[], int] = now_s) -> House:
        """Raises Unavailable where there is no ledger, or its database is an old copy."""
        if not settings.database_url and not (settings.dir / "ledger.sqlite3").exists():
            raise Unavailable(
                f"{settings.dir} holds no ledger; make one with: greenledger init --origin NAME"
            )
        engine = db.open_engine(settings.url)
        if not inspect(engine).has_table("logs"):
            raise Unavailable(f"the database of {settings.dir} has no ledger's tables")
        with db.reading(engine) as conn:
            log = store.load_log(conn, LOG_ID)
            publish.check_high_water(conn, log, cls._high_water_of(settings, log).read())
        return cls._assemble(settings, engine, log, clock_s)

    @classmethod
    def init(
        cls,
        settings: Settings,
        *,
        origin: str,
        name: str,
        zone: str = "+08:00",
        operator: str = "operator",
        clock_s: Callable[[], int] = now_s,
    ) -> House:
        """A new log: its keys, its tables and its genesis. Raises Refused where there is one."""
        for what, member, value in (("origin", ORIGIN, origin), ("operator", PARTY, operator)):
            if not member.check(value):
                raise Refused(f"{what} is {value!r}, not {member.expected}")
        parse_zone(zone)
        settings.dir.mkdir(parents=True, exist_ok=True)
        migrate(settings.url)
        engine = db.open_engine(settings.url)
        with db.reading(engine) as conn:
            if store.load_head(conn, LOG_ID).size:
                raise Refused(f"{settings.dir} holds a ledger already")
        keystore = cls._keystore_of(settings)
        operator_key = keystore.create(party_entries.party_key_name(origin, operator))
        log_key = keystore.create(origin)
        statement = {
            "type": GENESIS,
            "id": secrets.token_hex(16),
            "log": origin,
            "author": operator,
            "at": format_instant(clock_s()),
            "name": name,
            "zone": zone,
            "log_vkey": log_key.verify_key.vkey,
            "vkey": operator_key.verify_key.vkey,
        }
        genesis = sign_note(write_statement(statement), operator_key, log_key)
        bootstrap(engine, ENTRY_TYPES, LOG_ID, genesis)
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
        keystore = cls._keystore_of(settings)
        writer = Writer(
            engine,
            ENTRY_TYPES,
            LOG_ID,
            tick_key=lambda conn: custodial_key(conn, keystore, log, log.operator),
            clock_s=clock_s,
        )
        return cls(
            settings=settings,
            engine=engine,
            log=log,
            keystore=keystore,
            writer=writer,
            clock_s=clock_s,
        )

    @staticmethod
    def _keystore_of(settings: Settings) -> Keystore:
        kek = settings.kek.get_secret_value() if settings.kek else None
        return Keystore(settings.secrets_dir, kek)

    @staticmethod
    def _high_water_of(settings: Settings, log: store.LogFacts) -> publish.HighWater:
        return publish.HighWater(settings.high_water, log.log_key)

    def statement(self, type_: str, author: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """A statement of `author` with a fresh id, dated now."""
        return {
            "type": type_,
            "id": secrets.token_hex(16),
            "log": self.log.origin,
            "author": author,
            "at": format_instant(self.clock_s()),
            **members,
        }

    def author(
        self,
        statement: Mapping[str, Any],
        *,
        bodies: Mapping[str, Body] | None = None,
        attachments: Sequence[bytes] = (),
        also: Sequence[SigningKey] = (),
        key: SigningKey | None = None,
    ) -> Submission:
        """Sign a statement with the author's key that the server holds (or `key`), then `also`."""
        if key is None:
            with db.reading(self.engine) as conn:
                key = custodial_key(conn, self.keystore, self.log, statement["author"])
        given = bodies or {}
        kinds = ENTRY_TYPES.by_name[statement["type"]].bodies
        references = {
            member: reference(body, kinds[member].reference) for member, body in given.items()
        }
        data = sign_note(write_statement({**statement, **references}), key, *also)
        return Submission(data=data, bodies=given, attachments=attachments)

    def append(self, submission: Submission) -> Receipt:
        return self.writer.append(submission)

    def checkpoint(self) -> bytes:
        """Sign the present size, and return the note."""
        key = self.keystore.get(self.log.log_key)
        high_water = self._high_water_of(self.settings, self.log)
        return publish.sign_checkpoint(self.engine, self.log, key, high_water)

    def prove(self, index: int) -> TlogProof:
        """Inclusion of entry `index` under the latest checkpoint."""
        with db.reading(self.engine) as conn:
            return publish.prove_entry(conn, self.log, index)


def custodial_key(
    conn: Connection, keystore: Keystore, log: store.LogFacts, party: str
) -> SigningKey:
    """The newest key in force that the server holds for `party`. Raises NotFound or Refused."""
    found = [
        key.key
        for key in party_store.find_keys(conn, log.log_id, party=party)
        if key.ended_index is None
    ]
    if not found:
        raise Refused(f"party {party!r} has no key in force in {log.origin}")
    held: list[VerifyKey] = [key for key in found if keystore.holds(key)]
    if not held:
        raise NotFound(f"the server holds no key of {party!r}: it signs its own entries")
    return keystore.get(held[-1])
