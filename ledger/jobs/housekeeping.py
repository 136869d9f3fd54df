"""What the service keeps of its own and needs no more: closed or forgotten, once a day.

Nothing of it is in the log. Ended jobs are forgotten by the sweep, since their files are large.
"""

from __future__ import annotations

from ledger.access import requests
from ledger.access import service as access
from ledger.approvals import service as approvals
from ledger.db import writing
from ledger.footprint.pact import clients, mailbox
from ledger.house import House


def keep_house(house: House) -> None:
    """Close drafts that nobody decided in time; forget sessions, tokens, delays and logins that are
    over, and keyed requests and events as old as the oldest jobs that are kept. Again, it changes
    nothing."""
    now_s = house.desk.clock_s()
    approvals.expire_due(house.desk)
    with writing(house.engine) as conn:
        access.sweep(conn, now_s)
        clients.sweep(conn, now_s)
        for each in (requests, mailbox):
            each.forget_before(conn, now_s - house.settings.job_keep_s)
