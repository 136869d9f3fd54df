"""Batches that a party signs with its own key, for a server that never sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from ledger.client.client import Client
from ledger.client.results import BatchHead, Receipt
from ledger.log.notes import SigningKey
from ledger.log.service import Submission
from ledger.metering.entries import ENTRY_TYPES
from ledger.metering.sealing import Chain, Origin, batches_of
from ledger.metering.series import Series
from ledger.parties.desk import Draft, sign_draft

_TYPES = {one.name: one for one in ENTRY_TYPES}


def sign_with(key: SigningKey, log: str, at_s: int, draft: Draft) -> Submission:
    """A metering entry of the author that holds `key`, dated `at_s`."""
    return sign_draft(draft, _TYPES[draft.type], log, at_s, key)


def chain_of(log: str, origin: Origin, key: SigningKey, at_s: int, head: BatchHead | None) -> Chain:
    """Where the author's batches of that source go on, after `head`."""
    return Chain(
        log=log,
        origin=origin,
        sign=partial(sign_with, key, log, at_s),
        sequence=head.sequence + 1 if head else 0,
        previous=head.leaf if head else "",
    )


def send_readings(
    client: Client,
    series: Iterable[Series],
    points: Mapping[str, bytes],
    origin: Origin,
    key: SigningKey,
    *,
    log: str,
    at_s: int,
) -> list[Receipt]:
    """Sign readings as batches and hand them in, all or none.

    `points`: the id of each point that a series names. Raises Refused where the log has a reading
    of one of the intervals already.
    """
    head = client.last_batch(origin.author, origin.source)
    chain = chain_of(log, origin, key, at_s, head)
    for blocks in batches_of(points, series):
        chain.add(blocks)
    return client.submit(chain.submissions) if chain.submissions else []
