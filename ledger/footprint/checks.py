"""What a record of the register `product` has to be before the log takes it."""

from __future__ import annotations

from ledger.errors import InvalidInput
from ledger.footprint.product import REGISTER, Product
from ledger.log.entry import Entry
from ledger.log.types import Bodies, Tx
from ledger.records.entries import content_of


def before_put(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    """Raises InvalidInput with the place of what is wrong."""
    if entry.statement["register"] != REGISTER:
        return
    try:
        Product.from_json(content_of(tx))
    except InvalidInput as error:
        raise InvalidInput(f"product {entry.statement['name']}: {error}") from error
