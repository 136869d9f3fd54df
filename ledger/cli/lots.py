"""greenledger lot …: the lots that runs have made, and the forms that they are given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.claims.life import LotLife, lot_life
from ledger.cli.options import Dir, Json, id_span, one_of_id, open_house
from ledger.cli.output import Output, energy, park_time, warn_unproven
from ledger.errors import InvalidInput, NotFound
from ledger.log.placed import Placed, prove
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


@lot.command("trace")
def trace_lot(
    lot_id: Annotated[str, typer.Argument(help="The lot's id, or enough of its beginning.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """A lot's whole life: its meter's batches, run and division, its holder, forms and use.

    With --json also the proof of each entry under the latest checkpoint (tlog-proof).
    """
    house = open_house(directory)
    first, last = id_span(lot_id, "lot")
    with db.reading(house.engine) as conn:
        known = store.lots_between(conn, house.log.log_id, first, last)
        row = one_of_id(known, lot_id, "lot", "greenledger lot list")
        found = lot_life(conn, house.log, row.lot)
        proofs = prove(conn, house.log, found.entries) if as_json else {}
    out = Output(as_json=as_json)
    out.table(f"Lot {row.lot.hex()}", ["what", "is"], _facts(found))
    zone = house.log.zone
    out.table(
        "Life",
        [">entry", ">log's time", "what", "by", "which", "leaf hash"],
        [
            [
                str(where.index),
                park_time(where.at_s, zone),
                what,
                where.entry.author,
                which,
                where.leaf.hex()[:12],
            ]
            for where, what, which in _events(found)
        ],
    )
    out.say(f"Proof of an entry: greenledger prove {found.division.index}; of all: --json")
    warn_unproven(out, found.entries, proofs, as_json=as_json)
    out.result({**found.to_json(proofs), "vkey": house.verification_key.vkey})


def _facts(found: LotLife) -> list[list[str]]:
    row = found.row
    contracts = (f"{name} {energy(wh)}" for name, wh in found.contracts.items())
    return [
        ["energy", f"{energy(row.wh)} ({row.wh:,} Wh) of {found.side}"],
        ["origin", f"{found.point}, {found.origin.month}, division {row.revision}"],
        ["class", class_name(row.supply_class)],
        ["held by", found.holder or "nobody: it is what was left over"],
        *([["by contract", ", ".join(contracts)]] if found.contracts else []),
        ["certificates", ", ".join(map(str, found.batches)) or "none stands for it"],
        ["spent", _spent(found)],
    ]


def _spent(found: LotLife) -> str:
    if found.spent is None:
        return "not yet"
    by = found.spent_by
    if "claim" in by:
        return f"by claim {by['claim'][:12]}"
    return f"for {', '.join(by['batches'])}" if "batches" in by else "divided anew"


def _events(found: LotLife) -> list[tuple[Placed, str, str]]:
    """(entry, what it is, which one), in log order."""
    events = [
        (
            one.placed,
            one.placed.entry.type,
            f"{one.readings:,} readings, {energy(one.wh)}, {one.provenance}",
        )
        for one in found.metered
    ]
    events.append((found.run, found.run.entry.type, found.run.entry.statement["policy"]))
    events.append((found.division, found.division.entry.type, str(found.origin.month)))
    for form in found.wraps:
        said = form.instrument
        which = ", ".join(said["batches"]) if "batches" in said else f"{said.get('number', '')}"
        events.append((form.placed, f"{form.placed.entry.type}: {form.form}", which))
    if found.spent is not None and found.spent.index not in {one[0].index for one in events}:
        events.append((found.spent, found.spent.entry.type, _spent(found)))
    return sorted(events, key=lambda one: one[0].index)


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
        list(dict.fromkeys(whole_lot_id(text) for text in lots)),
        form,
        service.Form(issuer=issuer, number=number, document=hash_),
    )
    out = Output(as_json=as_json)
    count = len(receipt.entry.statement["wraps"])
    lots_ = "1 lot" if count == 1 else f"{count} lots"
    out.say(f"{form} {number} stands for {lots_}, by entry {receipt.index}.")
    out.result({"entry": receipt.index, "form": form, "lots": count, "document": hash_})


def whole_lot_id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != LOT_BYTES:
        raise InvalidInput(
            f"{text!r} is no lot id of 32 hex digits; see: greenledger lot list --json"
        )
    return found
