"""What is done by the clock, and the sweep that finds what nobody has told a worker of.

A job of the schedule has the time that it is for as its key: asked for twice, by two clocks or
after a restart, it is one job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from ledger.anchors.config import NOBODY
from ledger.anchors.service import earliest_retry_s
from ledger.db import reading, writing
from ledger.errors import NotFound
from ledger.footprint.pact import exchange
from ledger.house import House
from ledger.jobs import kinds, service, store
from ledger.jobs.model import PARK, Job
from ledger.log import publish
from ledger.log import store as log_store

log: Final = structlog.get_logger(__name__)
CLOCK: Final = ""  # the account that the schedule asks as
PACT_EVERY_S: Final = 10


def due(house: House) -> list[Job]:
    """Ask for what the clock asks for now; what was asked for before is not asked again.

    Days and weeks begin at midnight of park time, weeks with Thursday, as the epoch did.
    """
    settings = house.settings
    found = []
    for kind, every_s in (
        (kinds.CHECKPOINT, settings.checkpoint_every_s),
        (kinds.EXPIRY, settings.expiry_every_s),
        (kinds.AUDIT, settings.audit_every_s),
        (kinds.BACKUP, settings.backup_every_s if settings.backup_dir else 0),
    ):
        if not every_s or (kind == kinds.CHECKPOINT and not _has_grown(house)):
            continue
        number = (house.desk.clock_s() + house.log.zone_s) // every_s
        key = f"{kind} {every_s} {number}"
        with reading(house.engine) as conn:
            if store.find_key(conn, CLOCK, key) is not None:
                continue
        found.append(service.submit(house, kind, {}, party=PARK, account=CLOCK, key=key))
    return [*found, *_due_anchor(house), *_due_pact(house)]


def _due_anchor(house: House) -> list[Job]:
    """Anchors are asked by the clock, and when one that failed is to be asked again."""
    every_s, now_s = house.settings.anchor_every_s, house.desk.clock_s()
    anchors = house.anchors() if every_s else NOBODY
    if not anchors.everybody:
        return []
    key = f"{kinds.ANCHOR} {every_s} {now_s // every_s}"
    with reading(house.engine) as conn:
        retry_s = earliest_retry_s(conn, house.log.log_id, anchors)
        if store.find_key(conn, CLOCK, key) is not None:
            if retry_s is None or retry_s > now_s:
                return []
            key = f"{kinds.ANCHOR} again {retry_s}"
            if store.find_key(conn, CLOCK, key) is not None:
                return []
    return [service.submit(house, kinds.ANCHOR, {}, party=PARK, account=CLOCK, key=key)]


def _due_pact(house: House) -> list[Job]:
    """Partners are answered, told and sent to when there is something to say."""
    now_s = house.desk.clock_s()
    key = f"{kinds.PACT} {now_s // PACT_EVERY_S}"
    with reading(house.engine) as conn:
        tells = bool(house.settings.pact_url)
        if not exchange.has_work(conn, house.log.log_id, now_s, tells=tells):
            return []
        if store.find_key(conn, CLOCK, key) is not None:
            return []
    return [service.submit(house, kinds.PACT, {}, party=PARK, account=CLOCK, key=key)]


def _has_grown(house: House) -> bool:
    """Whether there are entries that no checkpoint covers."""
    with reading(house.engine) as conn:
        size = log_store.load_head(conn, house.log.log_id).size
        try:
            return publish.latest_checkpoint(conn, house.log)[0].size < size
        except NotFound:
            return True


def sweep(house: House, nudge: Callable[[str], None]) -> list[str]:
    """Ask for what is due, forget what ended long ago, and nudge for all that can be done now."""
    due(house)
    now_s = house.desk.clock_s()
    with reading(house.engine) as conn:
        found = service.pending(conn, now_s)
        old = store.has_old(conn, now_s - house.settings.job_keep_s)
    if old:
        with writing(house.engine) as conn:
            store.purge(conn, now_s - house.settings.job_keep_s)
    for id_ in found:
        nudge(id_)
    return found
