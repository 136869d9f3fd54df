"""greenledger contract …, match: who supplies whom, and what was matched when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from ledger import db
from ledger.cli.options import Dir, Json, open_house, park_instant
from ledger.cli.output import Output, energy, share
from ledger.errors import Corrupt, InvalidInput
from ledger.matching import service
from ledger.matching.contracts import KINDS, current_contracts
from ledger.matching.evaluate import Evaluation, evaluate
from ledger.matching.missing import Rule
from ledger.metering import store as metering
from ledger.units import Period, format_instant

run = typer.Typer(help="Matching runs in the log.", no_args_is_help=True)
contract = typer.Typer(help="Contracts that let supply be matched.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(contract, name="contract")
    app.command("match")(match)
    app.add_typer(run, name="run")


def period_of(start: str, end: str, zone: str) -> Period:
    """Dates of park time, half-open. Raises InvalidInput."""
    return Period(start_s=park_instant(start, zone), end_s=park_instant(end, zone))


@contract.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The contract's name: a-z 0-9 -.")],
    kind: Annotated[str, typer.Option(help="One of " + ", ".join(KINDS) + ".")],
    seller: Annotated[str, typer.Option(help="Party id of the seller, who owns the sources.")],
    source: Annotated[list[str], typer.Option(help="Generation point; repeatable.")],
    consumer: Annotated[
        list[str],
        typer.Option(help="Consumption point, or POINT=PPM for a fixed share; repeatable."),
    ],
    start: Annotated[str, typer.Option("--from", help="First day, park time.")],
    end: Annotated[str, typer.Option("--to", help="Day after the last, park time.")],
    region: Annotated[str, typer.Option(help="Administrative code prefix (direct supply).")] = "",
    limit_wh: Annotated[int, typer.Option(help="Most that it delivers; 0 = no limit.")] = 0,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register a contract, or replace the one with that name."""
    house = open_house(directory)
    agreement = service.Agreement(
        name=name,
        kind=kind,
        seller=seller,
        sources=source,
        consumers=dict(_consumer(text) for text in consumer),
        period=period_of(start, end, house.log.zone),
        region=region,
        limit_wh=limit_wh,
    )
    receipt = service.register_contract(house.desk, agreement)
    out = Output(as_json=as_json)
    out.say(f"Registered contract {name} as entry {receipt.index}.")
    out.result(
        {"contract": receipt.entry.statement["contract"], "name": name, "entry": receipt.index}
    )


def _consumer(text: str) -> tuple[str, int]:
    name, separator, ppm = text.partition("=")
    if separator and not ppm.isdecimal():
        raise InvalidInput(f"--consumer {text!r}: a share is in millionths, such as {name}=250000")
    return name, int(ppm or 0)


@contract.command("list")
def list_contracts(directory: Dir = None, as_json: Json = False) -> None:
    """Contracts in force."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = current_contracts(conn, house.log.log_id)
        points = metering.current_points(conn, house.log.log_id)
    names = {point.hex(): one.master.name for point, one in points.items()}
    ordered = sorted(found.values(), key=lambda one: one.terms.name)
    out = Output(as_json=as_json)
    out.table(
        "Contracts",
        ["name", "kind", "seller", "sources", "consumers", "from", "to", "entry"],
        [
            [
                one.terms.name,
                one.terms.kind,
                one.terms.seller,
                ", ".join(names[source] for source in one.terms.sources),
                ", ".join(
                    names[each.point]
                    + (f" {each.share_ppm / 10_000:g} %" if each.share_ppm else "")
                    for each in one.terms.consumers
                ),
                format_instant(one.terms.period.start_s),
                format_instant(one.terms.period.end_s),
                one.entry_index,
            ]
            for one in ordered
        ],
    )
    out.result(
        {
            "contracts": [
                {
                    "contract": one.contract.hex(),
                    "entry": one.entry_index,
                    **one.terms.to_json(),
                }
                for one in ordered
            ]
        }
    )


def match(
    start: Annotated[str, typer.Option("--from", help="First day, park time.")] = "",
    end: Annotated[str, typer.Option("--to", help="Day after the last, park time.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Match generation with consumption by the contracts, and append the run.

    Without --from and --to: everything that is stored.
    """
    house = open_house(directory)
    if bool(start) != bool(end):
        raise InvalidInput("give both --from and --to, or neither")
    period = period_of(start, end, house.log.zone) if start else service.data_period(house.desk)
    out = Output(as_json=as_json)
    with out.progress() as bar:
        bar.add_task("matching", total=None)
        report = service.run_matching(house.desk, period)
    show_run(out, report.receipt.index, report.evaluation)
    out.result(run_json(report.receipt.index, report.evaluation))


@run.command("list")
def list_runs(directory: Dir = None, as_json: Json = False) -> None:
    """Matching runs in the log."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = service.list_runs(conn, house.log.log_id)
    out = Output(as_json=as_json)
    out.table(
        "Runs",
        ["entry", "policy", "from (UTC)", "to", "as of entry"],
        [
            [
                one.entry_index,
                one.policy,
                format_instant(one.start_s),
                format_instant(one.end_s),
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
        stored = service.load_run(conn, house.log, entry)
        evaluation = evaluate(conn, house.log, stored.period, stored.as_of)
    if not stored.allocations.same_as(evaluation.lanes):
        raise Corrupt(f"the allocations of run {entry} are not what the log gives: run an audit")
    out = Output(as_json=as_json)
    show_run(out, entry, evaluation)
    out.result(run_json(entry, evaluation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A consumer's row: Wh in all, by class, estimated and residual (estimated included)."""

    name: str
    consumption_wh: int
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
                consumption_wh=residual_wh + sum(by_class.values()),
                by_class_wh=by_class,
                estimated_wh=0 if estimated is None else int(estimated.sum()),
                residual_wh=residual_wh,
            )
        )
    return sorted(rows, key=lambda row: row.name)


def show_run(out: Output, entry: int, evaluation: Evaluation) -> None:
    """The shares side by side, consumer by consumer, and what was estimated."""
    totals = evaluation.result.totals()
    out.table(
        f"Run {entry}: {format_instant(evaluation.grid.start_s)} –"
        f" {format_instant(evaluation.grid.end_s)}, as of entry {evaluation.as_of}",
        ["matched by the", "matched", "share of consumption"],
        [
            [
                one.granularity.replace("_", "-"),
                energy(one.matched_wh),
                share(one.matched_wh, one.consumption_wh),
            ]
            for one in evaluation.matched
        ],
    )
    consumers = consumers_of(evaluation)
    classes = sorted({class_ for row in consumers for class_ in row.by_class_wh})
    out.table(
        "By consumer, matched by the quarter-hour",
        ["consumer", "consumption", *(name.replace("_", " ") for name in classes), "residual"],
        [
            [
                row.name,
                energy(row.consumption_wh),
                *(energy(row.by_class_wh.get(name, 0)) for name in classes),
                energy(row.residual_wh),
            ]
            for row in consumers
        ],
    )
    out.say(
        f"Generation {energy(totals.generation_wh)}, consumption {energy(totals.consumption_wh)}"
        f" (of it estimated {energy(totals.estimated_wh)}), surplus {energy(totals.surplus_wh)},"
        f" residual {energy(totals.residual_wh)}."
    )
    for what, found in evaluation.provenance_wh.items():
        said = ", ".join(f"{each} {energy(wh)}" for each, wh in found.items())
        out.say(f"Measured {what} by who vouches for it: {said or 'none'}.")


def run_json(entry: int, evaluation: Evaluation) -> dict[str, Any]:
    """The run for programs."""
    totals = evaluation.result.totals()
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
        "estimated_by_rule_wh": estimated,
        "surplus_wh": totals.surplus_wh,
        "residual_wh": totals.residual_wh,
        "matched_wh": {one.granularity: one.matched_wh for one in evaluation.matched},
        "by_class_wh": {
            one.granularity: {
                class_.name.lower(): wh for class_, wh in one.by_class_wh.items() if wh
            }
            for one in evaluation.matched
        },
        "provenance_wh": evaluation.provenance_wh,
        "consumers": [asdict(row) for row in consumers_of(evaluation)],
    }
