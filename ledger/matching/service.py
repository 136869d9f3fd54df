"""Contracts and runs: written, accepted, found again.

A run is an entry that commits its allocations. The log accepts it only if an evaluation of its own,
as of the size that the run names, gives exactly the same lanes and totals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert

from ledger.db import reading
from ledger.errors import Erased, InvalidInput, NotFound, Refused
from ledger.log import entry as e
from ledger.log import store as log_store
from ledger.log.bodies import SALT_BYTES, Blob, blob_kind, json_media, tree_kind
from ledger.log.entry import Entry
from ledger.log.erasing import erased_since
from ledger.log.merkle import leaf_hash
from ledger.log.service import Receipt, Submission
from ledger.log.types import Beside, Bodies, EntryType, Tx
from ledger.lots.division import Division
from ledger.matching import accepting, dividing
from ledger.matching import allocations as a
from ledger.matching import contracts as c
from ledger.matching.drawing import Draws
from ledger.matching.evaluate import POLICY, Evaluation, evaluate
from ledger.matching.model import POLICIES, Share
from ledger.matching.runs import runs
from ledger.metering import store as metering
from ledger.metering.batches import SECRET_BYTES
from ledger.metering.entries import blob
from ledger.metering.service import find_points
from ledger.parties.desk import Desk, Draft, fresh_id, seal_json
from ledger.parties.entries import operator_signs
from ledger.units import Period, parse_instant

RUN: Final = "match.run"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunReport:
    """A run just made: where it stands, what it says, and the divisions that it ended in."""

    receipt: Receipt
    evaluation: Evaluation
    divisions: Sequence[Receipt] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A contract as a person writes it: points by name, `share_ppm` 0 = by demand."""

    name: str
    kind: str
    seller: str
    sources: Sequence[str]
    consumers: Mapping[str, int]
    period: Period
    region: str = ""
    limit_wh: int = 0


def register_contract(
    desk: Desk,
    agreement: Agreement,
    *,
    author: str | None = None,
    may_replace: Callable[[str], bool] | None = None,
) -> Receipt:
    """Register a contract, or replace the one with that name. Raises InvalidInput or Refused.

    `may_replace(seller)`: whether a contract that this party sells by now may be replaced.
    """
    log_id = desk.log.log_id
    with reading(desk.engine) as conn:
        sources = sorted(one.point.hex() for one in find_points(conn, log_id, agreement.sources))
        buyers = find_points(conn, log_id, agreement.consumers)
        consumers = sorted(
            (
                Share(point=one.point.hex(), share_ppm=share_ppm)
                for one, share_ppm in zip(buyers, agreement.consumers.values(), strict=True)
            ),
            key=lambda share: share.point,
        )
        found = [
            one
            for one in c.current_contracts(conn, log_id).values()
            if one.terms.name == agreement.name
        ]
    if found and may_replace is not None and not may_replace(found[0].terms.seller):
        raise Refused(f"the name {agreement.name!r} is taken by another contract; choose another")
    terms = c.Terms(
        name=agreement.name,
        kind=agreement.kind,
        seller=agreement.seller,
        sources=tuple(sources),
        consumers=tuple(consumers),
        period=agreement.period,
        region=agreement.region,
        limit_wh=agreement.limit_wh,
    )
    members = {
        "contract": found[0].contract.hex() if found else fresh_id(),
        "replaces": found[0].id if found else "",
    }
    bodies = {"body": seal_json(terms.to_json(), "contract")}
    return desk.append(
        Draft(type=c.CONTRACT, author=author or desk.log.operator, members=members, bodies=bodies)
    )


def data_period(desk: Desk) -> Period:
    """From the first to the last reading of generation and consumption. Raises NotFound."""
    with reading(desk.engine) as conn:
        spans = [
            metering.span_of(conn, desk.log.log_id, found.point)
            for found in metering.current_points(conn, desk.log.log_id).values()
            if found.master.kind in ("generation", "consumption")
        ]
    found_spans = [span for span in spans if span is not None]
    if not found_spans:
        raise NotFound("no reading of generation or consumption is stored yet")
    return Period(
        start_s=min(start for start, _ in found_spans), end_s=max(end for _, end in found_spans)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedRun:
    """A run as it will be signed, and the origins that it divides, by entry."""

    draws: Draws
    as_of: int
    evaluation: Evaluation
    draft: Draft
    plans: Sequence[Sequence[dividing.Plan]]

    def numbered(self, origin: str) -> list[dividing.Numbered]:
        return [dividing.number(group, origin=origin, draws=self.draws) for group in self.plans]


def prepare_run(
    desk: Desk,
    period: Period,
    *,
    policy: str = POLICY,
    into_lots: bool = True,
    draws: Draws,
    readings: bool = True,
) -> PreparedRun:
    """Match a period as of the present size. All that is random comes from `draws`.

    Without `readings` the plans lack the hashes of readings. Raises as `evaluate` does.
    """
    with reading(desk.engine) as conn:
        as_of = log_store.load_head(conn, desk.log.log_id).size
        evaluation = evaluate(conn, desk.log, period, as_of, policy=policy)
        plans = (
            list(dividing.plan_run(conn, desk.log, evaluation.lanes, period, readings=readings))
            if into_lots
            else []
        )
    id_ = draws.id("run")
    secret = draws.draw("run secret", SECRET_BYTES)
    body = a.Allocations.seal(evaluation.lanes, secret=secret, origin=desk.log.origin, id_=id_)
    manifest = Blob.seal_json(
        evaluation.manifest(), "run", salt=draws.draw("run manifest", SALT_BYTES)
    )
    draft = Draft(
        type=RUN,
        id=id_,
        author=desk.log.operator,
        members={"policy": policy, "as_of": as_of},
        bodies={"body": body, "manifest": manifest},
    )
    return PreparedRun(draws=draws, as_of=as_of, evaluation=evaluation, draft=draft, plans=plans)


def sign_run(
    desk: Desk, prepared: PreparedRun, divisions: Sequence[tuple[dividing.Numbered, Division]]
) -> list[Submission]:
    """The entries of a run: itself, then its divisions."""
    run = desk.sign(prepared.draft)
    leaf, operator = leaf_hash(run.data), desk.log.operator
    return [
        run,
        *(
            desk.sign(numbered.draft(body, run=leaf, operator=operator))
            for numbered, body in divisions
        ),
    ]


def run_matching(
    desk: Desk,
    period: Period,
    *,
    policy: str = POLICY,
    into_lots: bool = True,
    draws: Draws | None = None,
) -> RunReport:
    """Match a period as of the present size; append the run, and the divisions that make lots of
    it, all or nothing. Without `into_lots` the figures stand alone, and bind nothing.

    Raises as `evaluate` does.
    """
    prepared = prepare_run(
        desk, period, policy=policy, into_lots=into_lots, draws=draws or Draws.fresh()
    )
    divisions = [(one, one.seal()) for one in prepared.numbered(desk.log.origin)]
    receipt, *others = desk.writer.append_all(sign_run(desk, prepared, divisions))
    return RunReport(receipt=receipt, evaluation=prepared.evaluation, divisions=others)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """The period of a run that is what the log below its `as_of` gives, and it alone; as long as
    no entry from `size` on erases readings."""

    period: Period
    size: int


def _check_run(tx: Tx, entry: Entry, bodies: Bodies, _beside: Beside) -> _Checked | None:
    """Before the lock: nothing that comes later changes what stands below `as_of`."""
    if entry.statement["as_of"] > tx.index:
        return None
    return _evaluated(tx, entry, bodies)


def _evaluated(tx: Tx, entry: Entry, bodies: Bodies) -> _Checked:
    """Raises Refused unless the log comes to the same result."""
    as_of = entry.statement["as_of"]
    if not 0 < as_of <= tx.index:
        raise Refused(f"as_of is {as_of}; a run uses entries before itself, so 1 to {tx.index}")
    found = blob(bodies, "manifest").json()
    period = _period_of(found)
    try:
        own = evaluate(tx.conn, tx.log, period, as_of, policy=entry.statement["policy"])
    except Erased as error:
        tx.attest(error)
        return _Checked(period=period, size=tx.index)
    allocated = bodies["body"]
    assert isinstance(allocated, a.Allocations)
    if found != own.manifest():
        wrong = next(
            (name for name, value in own.manifest().items() if found.get(name) != value),
            "an unknown member",
        )
        raise Refused(f"the run's manifest does not follow from the log as of {as_of}: {wrong}")
    if not allocated.same_as(own.lanes):
        raise Refused(f"the run's allocations do not follow from the log as of {as_of}")
    return _Checked(period=period, size=tx.index)


def _accept_run(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    checked = tx.checked
    if not isinstance(checked, _Checked) or erased_since(tx.conn, tx.log.log_id, checked.size):
        checked = _evaluated(tx, entry, bodies)
    period = checked.period
    tx.conn.execute(
        insert(runs).values(
            log_id=tx.log.log_id,
            entry_index=tx.index,
            id=entry.id,
            policy=entry.statement["policy"],
            as_of=entry.statement["as_of"],
            start_s=period.start_s,
            end_s=period.end_s,
            root=bodies["body"].key,
        )
    )


def _period_of(manifest: Mapping[str, Any]) -> Period:
    start, end = manifest.get("from"), manifest.get("to")
    if not isinstance(start, str) or not isinstance(end, str):
        raise InvalidInput("the run's manifest has no 'from' and 'to'")
    return Period(start_s=parse_instant(start), end_s=parse_instant(end))


_MANIFEST: Final = blob_kind(json_media("run"))
_BODY: Final = tree_kind(
    a.MEDIA, lambda data, entry, origin: a.Allocations.open(data, origin=origin, id_=entry.id)
)

ENTRY_TYPES: Final = (
    *c.ENTRY_TYPES,
    *accepting.ENTRY_TYPES,
    EntryType(
        name=RUN,
        members={
            "policy": e.one_of(*POLICIES),
            "as_of": e.COUNT,
            "body": e.TREE,
            "manifest": e.BLOB,
        },
        bodies={"body": _BODY, "manifest": _MANIFEST},
        signers=operator_signs,
        accept=_accept_run,
        check=_check_run,
    ),
)
