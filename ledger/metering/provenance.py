"""Who vouches for a reading, by the key that signed its batch (docs/formats.md §4.1)."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import numpy as np
from sqlalchemy import Connection

from ledger.log.store import LogFacts
from ledger.metering import store
from ledger.metering.effective import Effective
from ledger.parties.entries import party_key_name
from ledger.parties.store import Key, find_keys


class Provenance(StrEnum):
    """From the strongest word to the weakest."""

    METER = "meter-signed"
    GATEWAY = "gateway-signed"
    PARTY = "party-import"
    OPERATOR = "operator"


def provenance_of(key: Key) -> Provenance:
    """What a signature by `key` says of a reading."""
    if key.device == "meter":
        return Provenance.METER
    if key.device == "gateway":
        return Provenance.GATEWAY
    return Provenance.PARTY if key.custody == "owner" else Provenance.OPERATOR


class ByProvenance:
    """Sums the values of effective readings by who vouches for them."""

    def __init__(self, conn: Connection, log: LogFacts) -> None:
        self._conn = conn
        self._log = log
        self._of_entry: dict[int, Provenance] = {}

    def sums(self, item: Effective) -> Counter[Provenance]:
        """Σ value for each provenance, in the point's base unit."""
        found: Counter[Provenance] = Counter()
        for index in np.unique(item.entry_index).tolist():
            chosen = item.series.value[item.entry_index == index]
            found[self._of(index)] += int(chosen.sum())
        return found

    def _of(self, index: int) -> Provenance:
        if index not in self._of_entry:
            batch = store.load_batch(self._conn, self._log.log_id, index)
            assert batch is not None
            name = party_key_name(self._log.origin, batch.author)
            (key,) = find_keys(self._conn, self._log.log_id, name=name, key_id=batch.key_id)
            self._of_entry[index] = provenance_of(key)
        return self._of_entry[index]
