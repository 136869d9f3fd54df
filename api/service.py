"""What every route works with: the house, its settings and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ledger.access.passwords import Passwords
from ledger.house import House
from ledger.log.store import LogFacts
from ledger.parties.desk import Desk
from ledger.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process of the API. `nudge` tells a worker of a job; forgotten ones are found anyway."""

    house: House
    nudge: Callable[[str], None]
    passwords: Passwords

    @property
    def settings(self) -> Settings:
        return self.house.settings

    @property
    def desk(self) -> Desk:
        return self.house.desk

    @property
    def log(self) -> LogFacts:
        return self.house.log

    def now_s(self) -> int:
        return self.house.desk.clock_s()


async def service_of(request: Request) -> Service:
    """Not in a thread: it only looks."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


ServiceOf = Annotated[Service, Depends(service_of)]
