"""Prometheus metrics: requests by operation, the log's size, waiting jobs. No label is private."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.anchors import shown
from ledger.db import reading
from ledger.house import House
from ledger.log import publish, store

_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """What one process has counted; the log's figures are asked for when they are read."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "greenledger_http_requests",
            "Requests answered, by operation and status",
            ["operation", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "greenledger_http_request_seconds",
            "Time to answer, by operation",
            ["operation"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._size = Gauge("greenledger_log_size", "Entries of the log", registry=self._registry)
        self._signed = Gauge(
            "greenledger_checkpoint_size",
            "Entries under the latest signed checkpoint",
            registry=self._registry,
        )

        labels = ["kind", "anchor"]
        self._age_s = Gauge(
            "greenledger_anchor_age_seconds",
            "Time since an anchor last vouched for a checkpoint; -1 where it never has",
            labels,
            registry=self._registry,
        )
        self._failures = Gauge(
            "greenledger_anchor_failures",
            "Failures in a row of an anchor",
            labels,
            registry=self._registry,
        )
        self._alarm = Gauge(
            "greenledger_anchor_alarm",
            "1 where a witness has seen of the log what the database does not hold",
            labels,
            registry=self._registry,
        )

    def text(self) -> bytes:
        with reading(self._house.engine) as conn:
            self._size.set(store.load_head(conn, self._house.log.log_id).size)
            checkpoint, _ = publish.latest_checkpoint(conn, self._house.log)
            anchors = shown.standings(conn, self._house.log, self._house.anchors(), checkpoint.size)
        self._signed.set(checkpoint.size)
        for gauge in (self._age_s, self._failures, self._alarm):
            gauge.clear()
        for one in anchors:
            labels = (one["kind"], one["name"])
            age_s = self._house.desk.clock_s() - one["at_s"] if one["received"] else -1
            self._age_s.labels(*labels).set(age_s)
            self._failures.labels(*labels).set(one["failures"])
            self._alarm.labels(*labels).set(bool(one["alarm"]))
        return generate_latest(self._registry)


class Measured:
    """Counts and times each request, by the operation that it came to."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        begin = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            operation = getattr(scope.get("route"), "operation_id", None) or "none"
            self.metrics.requests.labels(operation, status).inc()
            self.metrics.seconds.labels(operation).observe(time.perf_counter() - begin)
