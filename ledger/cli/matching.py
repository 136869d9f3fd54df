"""greenledger contract …, match: who supplies whom, and what was matched when."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ledger import db
from ledger.claims import shortfall
from ledger.cli.options import Dir, Json, open_house, park_instant
from ledger.cli.output import Output, span
from ledger.cli.runs import show_run
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.matching import service
from ledger.matching.contracts import KINDS, current_contracts
from ledger.matching.model import POLICIES
from ledger.metering import store as metering
from ledger.units import Period

_POLICIES: Final = {policy.split("/")[0]: policy for policy in POLICIES}

contract = typer.Typer(help="Contracts that let supply be matched.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(contract, name="contract")
    app.command("match")(match)


def period_of(start: str, end: str, zone: str) -> Period:
    """Dates of park time, half-open. Raises InvalidInput."""
    start_s, end_s = park_instant(start, zone), park_instant(end, zone)
    if end_s <= start_s:
        raise InvalidInput(f"--to {end} is not after --from {start}: it is the day after the last")
    return Period(start_s=start_s, end_s=end_s)


@contract.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The contract's name: a-z 0-9 -.")],
    kind: Annotated[str, typer.Option(help="One of " + ", ".join(KINDS) + ".")],
    seller: Annotated[str, typer.Option(help="Party id of the seller, who owns the sources.")],
    source: Annotated[
        list[str], typer.Option(help="Generation (storage: discharge) point; repeatable.")
    ],
    consumer: Annotated[
        list[str],
        typer.Option(
            help="Consumption point, or POINT=PPM for a fixed share; repeatable. Self-use and"
            " direct supply: a storage-charge point too."
        ),
    ],
    start: Annotated[str, typer.Option("--from", help="First day, park time.")],
    end: Annotated[str, typer.Option("--to", help="Day after the last, park time.")],
    region: Annotated[str, typer.Option(help="Administrative code prefix (direct supply).")] = "",
    limit_wh: Annotated[int, typer.Option(help="Most that it delivers; 0 = no limit.")] = 0,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register a contract, or replace the one with that name.

    A storage is one storage-charge and one storage-discharge point with one parent of kind other.
    Self-use or direct supply fills it, with the charge point as consumer; a contract of kind
    storage, with the discharge point as source, hands on what was green of it, less losses.
    """
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
        ["name", "kind", "seller", "sources", "consumers", "period"],
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
                span(one.terms.period.start_s, one.terms.period.end_s, house.log.zone),
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
    policy: Annotated[
        str, typer.Option(help="How contracts that compete share: " + ", ".join(_POLICIES) + ".")
    ] = "pro-rata",
    figures_only: Annotated[
        bool, typer.Option(help="Append the figures alone: no lots, nothing can be claimed of it.")
    ] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Match generation with consumption by the contracts; append the run, and make lots of it.

    Without --from and --to: everything that is stored. What earlier runs made lots of is not
    matched again; what they left over is. Policy pro-rata splits in proportion, contract by
    contract; maximal then raises the total as far as the contracts allow.
    """
    if policy not in _POLICIES:
        raise InvalidInput(f"policy {policy!r} is not one of {', '.join(_POLICIES)}")
    house = open_house(directory)
    if bool(start) != bool(end):
        raise InvalidInput("give both --from and --to, or neither")
    period = period_of(start, end, house.log.zone) if start else service.data_period(house.desk)
    out = Output(as_json=as_json)
    with out.progress() as bar:
        bar.add_task("matching", total=None)
        report = service.run_matching(
            house.desk, period, policy=_POLICIES[policy], into_lots=not figures_only
        )
    made = sum(len(one.entry.statement["creates"]) for one in report.divisions)
    if made:
        entries = len(report.divisions)
        out.say(
            f"{made} lots were made, in {entries} {'entry' if entries == 1 else 'entries'}. Claim"
            " them: greenledger claim make."
        )
    elif not figures_only:
        out.say("No new lot was made.")
    show_run(out, house, report.receipt.index, report.evaluation, lots=made)
    _warn_of_corrections(out, house, period)


def _warn_of_corrections(out: Output, house: House, period: Period) -> None:
    with db.reading(house.engine) as conn:
        rows = shortfall.rows_of(conn, house.log.log_id)
    cut = [row for row in rows if period.start_s <= row.start_s < period.end_s]
    if cut:
        out.warn(
            f"{len(cut)} quarter-hours were corrected downward after lots were made of them; what"
            " is matched counts these lots in full. What holds: greenledger claim list"
        )
