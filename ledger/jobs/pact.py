"""The job that answers partners, tells them of what is new, and sends what is on its way."""

from __future__ import annotations

from ledger.footprint.pact.exchange import Exchange
from ledger.jobs.model import Result
from ledger.jobs.work import Run


def do(run: Run) -> Result:
    """Again, it does what is left."""
    house = run.house
    found = Exchange(
        engine=house.engine,
        log=house.log,
        seal_key=house.seal_key,
        clock_s=house.desk.clock_s,
        base_url=house.settings.pact_url.rstrip("/"),
        progress=lambda done, total: run.progress(done, total, "partners"),
    )
    return found.run()
