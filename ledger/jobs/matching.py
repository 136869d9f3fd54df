"""Matching as a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.errors import InvalidInput
from ledger.house import House
from ledger.jobs.model import Result
from ledger.jobs.work import Run
from ledger.matching.evaluate import POLICY
from ledger.matching.model import POLICIES
from ledger.units import Period, parse_instant


def period_of(params: Mapping[str, Any]) -> Period:
    return Period(start_s=parse_instant(params["from"]), end_s=parse_instant(params["to"]))


def check(params: Mapping[str, Any]) -> None:
    """Raises InvalidInput."""
    period_of(params)
    policy = params.get("policy", POLICY)
    if policy not in POLICIES:
        raise InvalidInput(f"policy is one of {', '.join(POLICIES)}, not {policy!r}")


def do(run: Run) -> Result:
    raise NotImplementedError


def help_with(house: House, id_: str) -> bool:
    return False
