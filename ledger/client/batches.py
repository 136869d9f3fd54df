"""Batches that a party signs with its own key, for a server that never sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from ledger.client.client import Client
from ledger.client.results import BatchHead, Receipt
from ledger.errors import Unavailable
from ledger.log.notes import Signer
from ledger.log.service import Submission
from ledger.metering.entries import ENTRY_TYPES
from ledger.metering.sealing import Chain, Origin, batches_of
from ledger.metering.series import Series
from ledger.metering.sorting import Sorted
from ledger.parties.desk import Draft, sign_draft
from ledger.units import DAY_S, format_instant, parse_instant

_TYPES = {one.name: one for one in ENTRY_TYPES}
_SPAN_S: Final = 366 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of readings. `receipts`: of `submissions`, in order."""

    submissions: Sequence[Submission]
    receipts: Sequence[Receipt]
    stored: int
    repeats: int


def sign_with(key: Signer, log: str, at_s: int, draft: Draft) -> Submission:
    """A metering entry of the author that holds `key`, dated `at_s`."""
    return sign_draft(draft, _TYPES[draft.type], log, at_s, key)


def chain_of(log: str, origin: Origin, key: Signer, at_s: int, head: BatchHead | None) -> Chain:
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
    key: Signer,
    *,
    log: str,
    at_s: int,
) -> Sent:
    """Sign readings as batches and hand them in, all or none; what the log has is left out.

    `points`: the id of each point that a series names. Raises Refused where the log has another
    value of one of the intervals: a correction needs the hashes that the log has in force.
    """
    found = Sorted()
    for one in series:
        found.add(one, held_of(client, one))
    chain = chain_of(log, origin, key, at_s, client.last_batch(origin.author, origin.source))
    chain.repeats = found.repeats
    for blocks in batches_of(points, found.fresh):
        chain.add(blocks)
    return Sent(
        submissions=chain.submissions,
        receipts=client.submit(chain.submissions) if chain.submissions else [],
        stored=sum(len(one) for one in found.fresh),
        repeats=found.repeats + origin.repeats,
    )


def held_of(client: Client, one: Series) -> Series | None:
    """What the server has in force in the time of a series, in intervals of its length."""
    runs = [run for run in _runs(client, one) if run["length_s"] == one.length_s]
    if not runs:
        return None
    try:
        return Series(
            point=one.point,
            length_s=one.length_s,
            start_s=np.concatenate(
                [
                    parse_instant(run["start"])
                    + one.length_s * np.arange(len(run["values"]), dtype=np.int64)
                    for run in runs
                ]
            ),
            value=np.concatenate([np.array(run["values"], dtype=np.int64) for run in runs]),
            quality=np.concatenate([np.array(run["quality"], dtype=np.uint16) for run in runs]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable(f"/series: this client can't read the server's runs: {error}") from error


def _runs(client: Client, one: Series) -> Iterator[dict[str, Any]]:
    if len(one) == 0:
        return
    begin_s, end_s = int(one.start_s[0]), int(one.start_s[-1]) + one.length_s
    for start_s in range(begin_s, end_s, _SPAN_S):
        until_s = min(start_s + _SPAN_S, end_s)
        found = client.series(one.point, format_instant(start_s), format_instant(until_s))
        yield from found.get("runs", [])
