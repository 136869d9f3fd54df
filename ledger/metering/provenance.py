"""Who vouches for a reading, by the key that signed its batch (docs/formats.md §4.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import numpy as np
from sqlalchemy import Connection

from ledger.log.store import LogFacts
from ledger.metering import store
from ledger.metering.effective import effective
from ledger.metering.quality import Quality
from ledger.parties.entries import party_key_name
from ledger.parties.store import Key, endorsers_of, find_keys
from ledger.units import Period


class Provenance(StrEnum):
    """From the strongest word to the weakest."""

    METER = "meter-signed"
    GATEWAY = "gateway-signed"
    PARTY = "party-import"
    OPERATOR = "operator"


def provenance_of(key: Key, endorsers: Iterable[str]) -> Provenance:
    """What a signature by `key` says of a reading.

    That it is a meter's or a gateway's key counts only if somebody else has endorsed it.
    """
    if any(endorser != key.party for endorser in endorsers):
        if key.device == "meter":
            return Provenance.METER
        if key.device == "gateway":
            return Provenance.GATEWAY
    return Provenance.PARTY if key.custody == "owner" else Provenance.OPERATOR


class ByProvenance:
    """Sums measured values by who vouches for them, as of a log size."""

    def __init__(self, conn: Connection, log: LogFacts, as_of: int) -> None:
        self._conn = conn
        self._log = log
        self._as_of = as_of
        self._of_entry: dict[int, Provenance] = {}

    def sums(self, points: Iterable[bytes], period: Period) -> dict[Provenance, int]:
        """Σ of measured values in `period`, in the points' base unit; estimates are left out."""
        found: Counter[Provenance] = Counter()
        for point in points:
            for item in effective(
                self._conn,
                self._log.log_id,
                point,
                start_s=period.start_s,
                end_s=period.end_s,
                as_of=self._as_of,
            ):
                measured = (item.series.quality & np.uint16(Quality.ESTIMATED)) == 0
                for index in np.unique(item.entry_index).tolist():
                    chosen = measured & (item.entry_index == index)
                    found[self.of_batch(index)] += int(item.series.value[chosen].sum())
        return dict(sorted(found.items()))

    def of_batch(self, index: int) -> Provenance:
        """Who vouches for the readings of a batch."""
        if index not in self._of_entry:
            batch = store.load_batch(self._conn, self._log.log_id, index)
            assert batch is not None
            name = party_key_name(self._log.origin, batch.author)
            (key,) = find_keys(self._conn, self._log.log_id, name=name, key_id=batch.key_id)
            endorsers = endorsers_of(self._conn, self._log.log_id, key, self._as_of)
            self._of_entry[index] = provenance_of(key, endorsers)
        return self._of_entry[index]
