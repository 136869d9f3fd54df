"""States that a job may go through, and requests that no kind takes. Without a database."""

from typing import Any

import pytest

from ledger.errors import InvalidInput, Refused
from ledger.jobs import kinds
from ledger.jobs.model import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    STATES,
    WAITING,
    State,
    check_key,
    check_step,
)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_only_forward(before: State, after: State) -> None:
    allowed = {
        (WAITING, RUNNING),
        (WAITING, CANCELLED),
        (RUNNING, DONE),
        (RUNNING, FAILED),
        (RUNNING, CANCELLED),
    }
    if (before, after) in allowed:
        check_step(before, after)
    else:
        with pytest.raises(Refused, match=f"{before} can't become {after}"):
            check_step(before, after)


@pytest.mark.parametrize(
    ("kind", "params", "why"),
    [
        ("dance", {}, "there is no job 'dance'; there are .*backup, checkpoint"),
        ("match", {"from": "2026-01-01T00:00:00Z"}, "to is missing"),
        ("audit", {"fast": True}, "fast is unknown"),
        ("evidence", {"claim": "00" * 16, "level": 3}, "level of a job 'evidence' is a str"),
        ("evidence", {"claim": "xyz", "level": "full"}, "claim is 32 hex digits"),
        ("evidence", {"claim": "00" * 16, "level": "most"}, "level is one of total"),
        ("match", {"from": "yesterday", "to": "2026-01-01T00:00:00Z"}, "yesterday"),
        (
            "match",
            {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "policy": "best"},
            "policy is one of",
        ),
        (
            "statement",
            {"profile": "kind = 1", "file_name": "a", "as_of": "2026-01-31"},
            "come file",
        ),
    ],
)
def test_what_no_kind_takes(kind: str, params: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        kinds.check(kind, params, {})


@pytest.mark.parametrize("key", ["k" * 129, "two\nlines"])
def test_keys(key: str) -> None:
    with pytest.raises(InvalidInput, match="at most 128 printable"):
        check_key(key)
