"""What the log asks of a record of the register `factors` before it stores it."""

from __future__ import annotations

from ledger.accounting.factors.model import REGISTER, FactorSet
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.records.entries import content_of


def before_put(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """A set that is well-formed; whoever puts one may. Raises InvalidInput."""
    if entry.statement["register"] == REGISTER:
        FactorSet.from_json(content_of(tx))
