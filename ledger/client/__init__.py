"""A thin typed client of the HTTP API: for the gateway, for `--server URL`, and for tests."""

from ledger.client.client import Client, check_proof, connect, encode_submission
from ledger.client.results import (
    BatchHead,
    Consistency,
    Event,
    Included,
    JobInfo,
    LogInfo,
    PartyKey,
    PointInfo,
    Problem,
    Receipt,
    Written,
)
from ledger.client.transport import Denied, Retry, Transport, problem_of

__all__ = [
    "BatchHead",
    "Client",
    "Consistency",
    "Denied",
    "Event",
    "Included",
    "JobInfo",
    "LogInfo",
    "PartyKey",
    "PointInfo",
    "Problem",
    "Receipt",
    "Retry",
    "Transport",
    "Written",
    "check_proof",
    "connect",
    "encode_submission",
    "problem_of",
]
