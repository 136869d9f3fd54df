"""Regimes in the log, as last put below a size; the files here are what a log begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from ledger.accounting.regime import REGISTER, Regime
from ledger.accounting.regime_reading import from_json, shipped, shipped_regimes
from ledger.db import reading
from ledger.errors import NotFound
from ledger.log.entry import Entry
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.log.store import LogFacts
from ledger.log.types import Bodies, Tx
from ledger.parties.desk import Desk
from ledger.records import service as records
from ledger.records import store
from ledger.records.entries import content_of
from ledger.records.store import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A regime in force, and the entry that put it there."""

    rules: Regime
    author: str
    entry_index: int
    leaf: bytes

    def use(self) -> dict[str, Any]:
        """What a figure says of its regime's entry."""
        return {
            "regime": self.rules.name,
            "author": self.author,
            "entry": self.entry_index,
            "hash": self.leaf.hex(),
        }


def before_put(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """A regime that is well-formed; whoever puts one may. Raises InvalidInput."""
    if entry.statement["register"] == REGISTER:
        from_json(entry.statement["name"], content_of(tx))


def current(conn: Connection, log: LogFacts, as_of: int | None = None) -> dict[str, Registered]:
    """{name: as last put below a log size}, whoever put it, in order of names."""
    found = store.current(conn, log.log_id, REGISTER, as_of=as_of)
    return {name: _registered(record) for name, record in found.items()}


def find(conn: Connection, log: LogFacts, name: str, as_of: int | None = None) -> Registered:
    """Raises NotFound."""
    try:
        return _registered(store.find(conn, log.log_id, REGISTER, name, as_of=as_of))
    except NotFound as error:
        there = ", ".join(store.current(conn, log.log_id, REGISTER, as_of=as_of)) or "none yet"
        raise NotFound(
            f"regime {name!r} is not in force; in force are: {there}; to put it there: greenledger"
            f" regime register {name}"
        ) from error


def _registered(record: Record) -> Registered:
    return Registered(
        rules=from_json(record.name, record.content),
        author=record.author,
        entry_index=record.entry_index,
        leaf=record.leaf,
    )


def register(
    desk: Desk, rules: Regime, *, author: str = "", key: SigningKey | None = None
) -> Receipt | None:
    """Put a regime in force, or a new version; None where it is in force as it stands.

    `author`: the operator where it is empty. Raises InvalidInput or Refused.
    """
    with reading(desk.engine) as conn:
        known = current(conn, desk.log).get(rules.name)
    if known is not None and known.rules.content == rules.content:
        return None
    who = author or desk.log.operator
    return records.put(desk, REGISTER, rules.name, rules.content, author=who, key=key)


def ensure(desk: Desk, names: Sequence[str] = ()) -> list[str]:
    """Put those that came with the program (all, or the named ones) and were never put here, by
    the operator; returns their names. Raises NotFound, or Refused where another one took a name."""
    fresh = records.never_put(desk, REGISTER, names or shipped_regimes())
    for name in fresh:
        register(desk, shipped(name))
    return fresh
