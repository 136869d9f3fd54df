"""greenledger lot …: the lots that runs have made, and the forms that they are given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, energy, park_time
from ledger.errors import InvalidInput, NotFound
from ledger.lots import service, store
from ledger.lots.entries import FORMS
from ledger.lots.model import LOT_BYTES
from ledger.matching.model import SupplyClass
from ledger.metering import store as metering
from ledger.units import format_instant

lot = typer.Typer(help="Lots: what runs have made of generation and use.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(lot, name="lot")


@lot.command("list")
def list_lots(
    point: Annotated[str, typer.Option(help="Of this point alone.")] = "",
    unspent: Annotated[bool, typer.Option(help="Those that nobody has spent.")] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Lots by month and point: who holds them, how much they are, and which entry spent them."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        names = {
            id_: found.master.name
            for id_, found in metering.current_points(conn, house.log.log_id).items()
        }
        if point and point not in names.values():
            raise NotFound(f"no point {point!r}; see: greenledger point list")
        known = store.all_lots(conn, house.log.log_id)
        gone = store.spent(conn, house.log.log_id, [row.lot for row in known])
    rows = [
        row
        for row in known
        if (not point or point in (names[row.point], names.get(row.holder)))
        and (not unspent or row.lot not in gone)
    ]
    out = Output(as_json=as_json)
    out.table(
        "Lots",
        ["lot", "month", "point", "holder", "class", ">energy", ">made by", ">spent by"],
        [
            [
                row.lot.hex()[:12],
                park_time(row.month_start_s, house.log.zone)[:7],
                names[row.point],
                names.get(row.holder, "–"),
                class_name(row.supply_class),
                energy(row.wh),
                str(row.entry_index),
                str(gone.get(row.lot, "–")),
            ]
            for row in rows
        ],
    )
    if not known:
        out.say("No lot is made yet: greenledger match.")
    out.result(
        {
            "lots": [
                {
                    "lot": row.lot.hex(),
                    "month": format_instant(row.month_start_s),
                    "point": names[row.point],
                    "holder": names.get(row.holder, ""),
                    "class": row.supply_class,
                    "wh": row.wh,
                    "made_by": row.entry_index,
                    "spent_by": gone.get(row.lot),
                }
                for row in rows
            ]
        }
    )


def class_name(supply_class: int) -> str:
    """`direct supply`; class 0 is what was left over."""
    return SupplyClass(supply_class).name.lower().replace("_", " ") if supply_class else "left over"


@lot.command("wrap")
def wrap(
    lots: Annotated[
        list[str], typer.Argument(help="Lot ids, whole: from greenledger lot list --json.")
    ],
    form: Annotated[str, typer.Option(help="One of " + ", ".join(FORMS) + ".")],
    issuer: Annotated[str, typer.Option(help="Who issued the instrument.")],
    number: Annotated[str, typer.Option(help="Its number or batch.")],
    document: Annotated[
        Path | None, typer.Option(help="Its document; only the hash is kept.")
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Say which instrument stands for some lots: once for each form, and nothing is spent."""
    if form not in FORMS:
        raise InvalidInput(f"--form {form!r} is not one of {', '.join(FORMS)}")
    house = open_house(directory)
    if document is not None and not document.is_file():
        raise NotFound(f"no file {document}")
    hash_ = hashlib.sha256(document.read_bytes()).hexdigest() if document else ""
    receipt = service.wrap(
        house.desk,
        list(dict.fromkeys(_lot_id(text) for text in lots)),
        form,
        service.Form(issuer=issuer, number=number, document=hash_),
    )
    out = Output(as_json=as_json)
    count = len(receipt.entry.statement["wraps"])
    lots_ = "1 lot" if count == 1 else f"{count} lots"
    out.say(f"{form} {number} stands for {lots_}, by entry {receipt.index}.")
    out.result({"entry": receipt.index, "form": form, "lots": count, "document": hash_})


def _lot_id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != LOT_BYTES:
        raise InvalidInput(
            f"{text!r} is no lot id of 32 hex digits; see: greenledger lot list --json"
        )
    return found
