"""greenledger product …: what footprints are of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db
from ledger.cli.object_file import read_object
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output
from ledger.errors import InvalidInput, NotFound
from ledger.footprint import service
from ledger.footprint.product import REGISTER, Product, completed
from ledger.house import House
from ledger.records import store
from ledger.records.store import Record

product = typer.Typer(
    help="Products: declared unit, bill of activities, what was made, how it is shared.",
    no_args_is_help=True,
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(product, name="product")


def one_product(house: House, text: str) -> Record:
    """By the beginning of its name, or by its name in a language. Raises NotFound, InvalidInput."""
    with db.reading(house.engine) as conn:
        rows = store.current(conn, house.log.log_id, REGISTER)
    found = [
        row
        for name, row in rows.items()
        if name.startswith(text) or text in row.content["name"].values()
    ]
    if not found:
        raise NotFound(f"no product {text!r}; see: greenledger product list")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} products are {text!r}: give more of the id")
    return found[0]


def _json(row: Record) -> dict[str, Any]:
    return {
        "product": row.name,
        "party": row.author,
        "entry": row.entry_index,
        "name": row.content["name"],
        "unit": row.content["unit"],
        "amount": row.content["amount"],
        "boundary": row.content["boundary"],
        "periods": [one["period"] for one in row.content["production"]],
    }


@product.command("register")
def register(
    file: Annotated[Path, typer.Argument(help="The product as TOML or JSON.")],
    party: Annotated[str, typer.Option(help="Whose product it is.")],
    name: Annotated[str, typer.Option(help="Id of the one that it replaces, 32 hex digits.")] = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register a product, or a new version of it; what may be left out, is."""
    house, out = open_house(directory), Output(as_json=as_json)
    signing = read_key(key) if key else None
    content = completed(read_object(file))
    found, receipt = service.register(house.desk, content, author=party, name=name, key=signing)
    out.say(f"Entry {receipt.index}: product {found} of {party}, {content['name']['en']}.")
    out.result({"product": found, "party": party, "entry": receipt.index})


@product.command("list")
def list_products(directory: Dir = None, as_json: Json = False) -> None:
    """Products in force."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        rows = list(store.current(conn, house.log.log_id, REGISTER).values())
    out.table(
        "Products",
        ["product", "party", "name", "declared unit", "boundary", "periods"],
        [
            [
                row.name[:12],
                row.author,
                f"{row.content['name']['zh']} {row.content['name']['en']}",
                f"{row.content['amount']} {row.content['unit']}",
                row.content["boundary"],
                ", ".join(one["period"] for one in row.content["production"]),
            ]
            for row in rows
        ],
    )
    out.result({"products": [_json(row) for row in rows]})


@product.command("show")
def show(
    which: Annotated[str, typer.Argument(help="Its id, the beginning of it, or its name.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """A product with its bill of activities."""
    house, out = open_house(directory), Output(as_json=as_json)
    row = one_product(house, which)
    found = Product.from_json(row.content)
    name = row.content["name"]
    out.say(f"{name['zh']} {name['en']}: product {row.name} of {row.author}, {found.boundary}")
    out.say(f"Declared unit: {found.amount} {found.unit}, {row.content['mass_kg']} kg")
    out.table(
        "Bill of activities",
        ["activity", "stage", ">quantity", "unit", "per", "of", "shared by", "data"],
        [
            [
                one.id,
                one.stage,
                one.quantity,
                one.unit,
                one.per or "declared unit",
                one.item or one.gas or "supplier's footprint",
                one.group or "–",
                one.kind,
            ]
            for one in found.activities
        ],
    )
    out.result({**_json(row), "content": dict(row.content)})
