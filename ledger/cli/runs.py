"""greenledger run …: matching runs in the log, and how a run is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from ledger import db
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, energy, share, span
from ledger.errors import Corrupt
from ledger.house import House
from ledger.matching import runs as stored_runs
from ledger.matching.evaluate import Evaluation, evaluate
from ledger.matching.missing import Rule
from ledger.metering.provenance import ByProvenance, Provenance
from ledger.units import format_instant

ProvenanceWh = Mapping[str, Mapping[Provenance, int]]

run = typer.Typer(help="Matching runs in the log.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(run, name="run")


@run.command("list")
def list_runs(directory: Dir = None, as_json: Json = False) -> None:
    """Matching runs in the log."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = stored_runs.list_runs(conn, house.log.log_id)
    out = Output(as_json=as_json)
    out.table(
        "Runs",
        ["entry", "policy", "period", ">as of entry"],
        [
            [
                one.entry_index,
                one.policy,
                span(one.start_s, one.end_s, house.log.zone),
                one.as_of,
            ]
            for one in found
        ],
    )
    out.result(
        {
            "runs": [
                {
                    "run": one.entry_index,
                    "policy": one.policy,
                    "from": format_instant(one.start_s),
                    "to": format_instant(one.end_s),
                    "as_of": one.as_of,
                }
                for one in found
            ]
        }
    )


@run.command("show")
def show(
    entry: Annotated[int, typer.Argument(help="The run's entry.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Evaluate a run again, as of its log size, and show it as it was."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        stored = stored_runs.load_run(conn, house.log, entry)
        evaluation = evaluate(conn, house.log, stored.period, stored.as_of, policy=stored.policy)
    if not stored.allocations.same_as(evaluation.lanes):
        raise Corrupt(f"the allocations of run {entry} are not what the log gives: run an audit")
    out = Output(as_json=as_json)
    show_run(out, house, entry, evaluation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A consumer's row: Wh in all, by class, estimated and residual (estimated included).

    `earlier_wh`: covered by lots of earlier runs.
    """

    name: str
    consumption_wh: int
    earlier_wh: int
    by_class_wh: dict[str, int]
    estimated_wh: int
    residual_wh: int


def consumers_of(evaluation: Evaluation) -> list[Consumer]:
    """One row for each consumer, by name."""
    result = evaluation.result
    rows = []
    for point, residual in result.residual_wh.items():
        by_class: dict[str, int] = {}
        for lane in result.lanes:
            if lane.consumer == point:
                class_ = lane.supply_class.name.lower()
                by_class[class_] = by_class.get(class_, 0) + int(lane.wh.sum())
        estimated = evaluation.filled[point].demand.estimated_wh
        residual_wh = int(residual.sum())
        rows.append(
            Consumer(
                name=point,
                consumption_wh=(
                    residual_wh + sum(by_class.values()) + evaluation.earlier_wh[point]
                ),
                earlier_wh=evaluation.earlier_wh[point],
                by_class_wh=by_class,
                estimated_wh=0 if estimated is None else int(estimated.sum()),
                residual_wh=residual_wh,
            )
        )
    return sorted(rows, key=lambda row: row.name)


def provenance_of(house: House, evaluation: Evaluation) -> ProvenanceWh:
    """Measured Wh of the run by who vouches for them."""
    generating = evaluation.result.surplus_wh
    consuming = evaluation.result.residual_wh
    with db.reading(house.engine) as conn:
        by = ByProvenance(conn, house.log, evaluation.as_of)
        return {
            what: by.sums((evaluation.point_ids[name] for name in names), evaluation.grid.period)
            for what, names in (("generation", generating), ("consumption", consuming))
        }


def show_run(
    out: Output, house: House, entry: int, evaluation: Evaluation, lots: int | None = None
) -> None:
    """Print a run for people, or as JSON. `lots`: how many were just made of it."""
    provenance = provenance_of(house, evaluation)
    _say_shares(out, entry, evaluation, house.log.zone)
    _say_consumers(out, evaluation)
    _say_rest(out, evaluation, provenance)
    found = _run_json(entry, evaluation, provenance)
    out.result(found if lots is None else {**found, "lots": lots})


def _say_shares(out: Output, entry: int, evaluation: Evaluation, zone: str) -> None:
    out.table(
        f"Run {entry}: {span(evaluation.grid.start_s, evaluation.grid.end_s, zone)}, as of entry"
        f" {evaluation.as_of}",
        ["matched by the", ">matched", ">share of consumption"],
        [
            [
                one.granularity.replace("_", "-"),
                energy(one.covered_wh),
                share(one.covered_wh, one.consumption_wh),
            ]
            for one in evaluation.matched
        ],
    )


def _say_consumers(out: Output, evaluation: Evaluation) -> None:
    consumers = consumers_of(evaluation)
    classes = sorted({class_ for row in consumers for class_ in row.by_class_wh})
    out.table(
        "By consumer, matched by the quarter-hour",
        [
            "consumer",
            ">consumption",
            *([">earlier lots"] if evaluation.earlier_consumption_wh else []),
            *(f">{name.replace('_', ' ')}" for name in classes),
            ">residual",
        ],
        [
            [
                row.name,
                energy(row.consumption_wh),
                *([energy(row.earlier_wh)] if evaluation.earlier_consumption_wh else []),
                *(energy(row.by_class_wh.get(name, 0)) for name in classes),
                energy(row.residual_wh),
            ]
            for row in consumers
        ],
    )


def _say_rest(out: Output, evaluation: Evaluation, provenance: ProvenanceWh) -> None:
    totals = evaluation.totals()
    earlier_wh = evaluation.earlier_consumption_wh
    if earlier_wh:
        out.say(f"Of what is matched, {energy(earlier_wh)} were lots of earlier runs already.")
    out.say(
        f"Generation {energy(totals.generation_wh)}, consumption {energy(totals.consumption_wh)}"
        f" (of it estimated {energy(totals.estimated_wh)}), surplus {energy(totals.surplus_wh)},"
        f" residual {energy(totals.residual_wh)}."
    )
    for what, wh in evaluation.profiled_wh.items():
        if wh:
            out.say(
                f"Of {what} {energy(wh)} was read by longer intervals and spread evenly: the"
                " quarter-hour figure rests on that."
            )
    for what, found in provenance.items():
        said = ", ".join(f"{each} {energy(wh)}" for each, wh in found.items())
        out.say(f"Measured {what} by who vouches for it: {said or 'none'}.")
    if not evaluation.contracts:
        out.warn(
            "no contract is in force in this period, so nothing is matched;"
            " make one with: greenledger contract add"
        )
    for one in evaluation.left_out:
        out.warn(
            f"contract {one.terms.name!r} is left out: a point of it has another owner, kind or"
            " region now; register the contract again"
        )


def _run_json(entry: int, evaluation: Evaluation, provenance: ProvenanceWh) -> dict[str, Any]:
    totals = evaluation.totals()
    estimated = {
        rule.name.lower(): sum(one.estimated_wh(rule) for one in evaluation.filled.values())
        for rule in Rule
        if rule is not Rule.MEASURED
    }
    return {
        "run": entry,
        "as_of": evaluation.as_of,
        "from": format_instant(evaluation.grid.start_s),
        "to": format_instant(evaluation.grid.end_s),
        "generation_wh": totals.generation_wh,
        "consumption_wh": totals.consumption_wh,
        "estimated_wh": totals.estimated_wh,
        "earlier_wh": evaluation.earlier_consumption_wh,
        "estimated_by_rule_wh": estimated,
        "profiled_wh": evaluation.profiled_wh,
        "surplus_wh": totals.surplus_wh,
        "residual_wh": totals.residual_wh,
        "matched_wh": {one.granularity: one.matched_wh for one in evaluation.matched},
        "by_class_wh": {
            one.granularity: {
                class_.name.lower(): wh for class_, wh in one.by_class_wh.items() if wh
            }
            for one in evaluation.matched
        },
        "provenance_wh": provenance,
        "left_out": [one.terms.name for one in evaluation.left_out],
        "consumers": [asdict(row) for row in consumers_of(evaluation)],
    }
