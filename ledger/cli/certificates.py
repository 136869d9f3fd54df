"""greenledger certificate settle, stamp, stamps, short: what only certificates have."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger import db
from ledger.certificates import granular, settlement, stamps
from ledger.claims.shortfall import short_batches
from ledger.cli.instruments import Document, SchemeName, hash_of, listed, rules_of, serials_of
from ledger.cli.lots import whole_lot_id
from ledger.cli.options import Dir, Json, open_house, park_month
from ledger.cli.output import Output, counted, energy
from ledger.lots import service as lots
from ledger.registry import store

Lots = Annotated[
    list[str], typer.Argument(help="Lot ids, whole: from greenledger lot list --json.")
]


def add_to(group: typer.Typer) -> None:
    group.command("settle")(settle)
    group.command("issue-granular")(issue_granular)
    group.command("stamp")(stamp)
    group.command("stamps")(list_stamps)
    group.command("short")(list_short)


def settle(
    ctx: typer.Context,
    contract: Annotated[str, typer.Argument(help="The green-trade contract's name.")],
    month: Annotated[str, typer.Option(help="The month that is settled, such as 2026-01.")],
    buyer: Annotated[str, typer.Option(help="Party that bought the power.")],
    contract_wh: Annotated[int, typer.Option(help="What the contract names for it, in Wh.", min=0)],
    generation_wh: Annotated[int, typer.Option(help="What was generated for it.", min=0)],
    consumption_wh: Annotated[int, typer.Option(help="What the buyer consumed.", min=0)],
    document: Document = None,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Settle a month of a green trade: the certificates move with the power, to its buyer.

    Settled is the least of the three figures; certificates are whole, and what is left below one
    counts with the contract's next month. They are never handed over again.
    """
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rules = rules_of(ctx, conn, house, scheme)
        known = settlement.contract_named(conn, house.log.log_id, contract)
    found = settlement.Settlement(
        contract=contract,
        month=park_month(month, house.log.zone),
        buyer=buyer,
        contract_wh=contract_wh,
        generation_wh=generation_wh,
        consumption_wh=consumption_wh,
        document=hash_of(document),
    )
    receipt = settlement.settle(house.desk, found, rules.scheme)
    with db.reading(house.engine) as conn:
        rows = store.begun_by(conn, house.log.log_id, receipt.index)
        left_wh = settlement.left_wh(conn, house.log.log_id, known.contract, buyer)
    moved = [(row.batch, row.units) for row in rows if row.owner == buyer]
    units = sum(len(each) for _, each in moved)
    out = Output(as_json=as_json)
    out.say(
        f"Settled {energy(found.settled_wh)} of {contract} for {month}: {rules.said(units)} moved"
        f" from {known.terms.seller} to {buyer}, by entry {receipt.index}:"
        f" {listed(serials_of(moved))}."
    )
    out.say(f"{energy(left_wh)} are left below a certificate, for the contract's next month.")
    out.result(
        {
            "entry": receipt.index,
            "contract": known.contract.hex(),
            "month": month,
            "buyer": buyer,
            "settled_wh": found.settled_wh,
            "left_wh": left_wh,
            "units": units,
            "amount": rules.amount(units),
            "serials": serials_of(moved),
        }
    )


def issue_granular(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(help="Code of the project whose points made them.")],
    lot: Lots,
    scheme: Annotated[
        str, typer.Option(help="A scheme that lets such certificates stand alone.")
    ] = "granular",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Issue lots as granular certificates that stand alone; a unit is a Wh, in order of time."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rules = rules_of(ctx, conn, house, scheme)
    which = list(dict.fromkeys(whole_lot_id(text) for text in lot))
    receipts = granular.issue_granular(house.desk, project, which, rules.scheme)
    with db.reading(house.engine) as conn:
        rows = [
            row for one in receipts for row in store.begun_by(conn, house.log.log_id, one.index)
        ]
    out = Output(as_json=as_json)
    units = sum(len(row.units) for row in rows)
    out.say(f"Issued {rules.said(units)}, by entry {receipts[-1].index}:")
    for row in rows:
        out.say(f"  {row.batch.short}:{row.units}  {row.class_}, held by {row.owner}")
    out.result(
        {
            "scheme": rules.scheme,
            "entries": [one.index for one in receipts],
            "units": units,
            "amount": rules.amount(units),
            "serials": [f"{row.batch.short}:{row.units}" for row in rows],
        }
    )


def stamp(
    lot: Lots,
    issuer: Annotated[str, typer.Option(help="Who stamps them.")],
    number: Annotated[str, typer.Option(help="The stamp's number.")],
    document: Document = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Stamp the quarter-hours of lots: pending until certificates stand for the same energy."""
    house = open_house(directory)
    which = list(dict.fromkeys(whole_lot_id(text) for text in lot))
    form = lots.Form(issuer=issuer, number=number, document=hash_of(document))
    receipt = lots.wrap(house.desk, which, stamps.STAMP, form)
    with db.reading(house.engine) as conn:
        made = [one for one in stamps.stamps(conn, house.log) if one.entry_index == receipt.index]
    out = Output(as_json=as_json)
    total_wh = sum(one.wh for one in made)
    bound = sum(one.state == stamps.BOUND for one in made)
    out.say(
        f"Stamped {counted(len(made), 'lot')} of {energy(total_wh)} as {number}, by entry"
        f" {receipt.index}: {bound} bound to certificates, {len(made) - bound} pending."
    )
    out.result({"entry": receipt.index, "lots": [one.lot.hex() for one in made], "wh": total_wh})


def list_stamps(directory: Dir = None, as_json: Json = False) -> None:
    """Stamped lots, and the certificates that they are bound to: they end as these do."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = stamps.stamps(conn, house.log)
    out = Output(as_json=as_json)
    out.table(
        "Stamps",
        ["lot", ">energy", "state", "bound to", "its units are", ">entry"],
        [
            [
                one.lot.hex()[:12],
                energy(one.wh),
                one.state,
                ", ".join(map(str, one.batches)) or "–",
                ", ".join(f"{units:,} {state}" for state, units in one.units.items()) or "–",
                one.entry_index,
            ]
            for one in found
        ],
    )
    if not found:
        out.say("No lot is stamped yet: greenledger certificate stamp.")
    out.result(
        {
            "stamps": [
                {
                    "lot": one.lot.hex(),
                    "entry": one.entry_index,
                    "wh": one.wh,
                    "state": one.state,
                    "batches": [str(batch) for batch in one.batches],
                    "units": dict(one.units),
                }
                for one in found
            ]
        }
    )


def list_short(directory: Dir = None, as_json: Json = False) -> None:
    """Certificates that corrections left with too little energy behind them, and what is open.

    The remedy is a new entry: as many are withdrawn or cancelled.
    """
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = short_batches(conn, house.log)
    out = Output(as_json=as_json)
    out.table(
        "Short of energy",
        ["batch", "project", ">short", ">made good", ">open"],
        [
            [
                str(one.batch),
                one.project,
                energy(one.short_wh),
                energy(one.made_good_wh),
                energy(one.open_wh),
            ]
            for one in found
        ],
    )
    if not found:
        out.say("No certificate is short: the meters show what stands behind each.")
    if any(one.open_wh for one in found):
        out.warn("open are certificates without energy: greenledger certificate withdraw or cancel")
    out.result(
        {
            "short": [
                {
                    "batch": str(one.batch),
                    "project": one.project,
                    "short_wh": one.short_wh,
                    "made_good_wh": one.made_good_wh,
                    "open_wh": one.open_wh,
                }
                for one in found
            ]
        }
    )
