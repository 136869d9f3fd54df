"""greenledger activity …: how much fuel, heat, gas, … somebody used, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db
from ledger.accounting.factors import units
from ledger.accounting.facts import CATEGORIES, DIRECTIONS, IN
from ledger.accounting.registers import importing
from ledger.accounting.registers.activity import REGISTER, Activity
from ledger.cli.options import Dir, HeldKey, Json, open_house, park_instant, read_key
from ledger.cli.output import Output, counted, dates
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.lots.model import span_of
from ledger.metering import store as metering
from ledger.metering.points import PARK_SYSTEMS
from ledger.metering.service import find_point
from ledger.parties.desk import fresh_id
from ledger.records import service, store
from ledger.units import Period, parse_zone, zone_offset_s

activity = typer.Typer(
    help="Activity data: fuel, heat, process, refrigerants, transport, … by period.",
    no_args_is_help=True,
)
Party = Annotated[str, typer.Option("--party", help="Whose it is; without: the park's as a whole.")]
Name = Annotated[str, typer.Argument(help="The record: 32 hex digits, or their beginning.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(activity, name="activity")


def times_of(zone: str) -> importing.Times:
    """How periods, dates and times are read: in park time."""
    offset_s = zone_offset_s(parse_zone(zone))
    return (lambda text: span_of(text, offset_s)), (lambda text: park_instant(text, zone))


@activity.command("add")
def add(
    category: Annotated[str, typer.Argument(help="One of " + ", ".join(CATEGORIES) + ".")],
    item: Annotated[str, typer.Argument(help="What factors go by: fuel-diesel, heat, gwp-ch4, …")],
    period: Annotated[str, typer.Argument(help="2026, 2026-03, or FROM/TO in park time.")],
    quantity: Annotated[
        str, typer.Argument(help="Such as 12.5; without: as --point meters it.")
    ] = "",
    unit: Annotated[str, typer.Option(help="t, kg, Nm3, '10^4 Nm3', GJ, kWh, 't km', …")] = "",
    party: Party = "",
    direction: Annotated[str, typer.Option(help="One of " + ", ".join(DIRECTIONS) + ".")] = IN,
    park_system: Annotated[
        str, typer.Option(help="One of " + ", ".join(PARK_SYSTEMS) + ", or none.")
    ] = "",
    point: Annotated[str, typer.Option(help="Name of the metering point, if there is one.")] = "",
    counterparty: Annotated[
        str, typer.Option(help="The member on the other side: an internal transfer.")
    ] = "",
    within: Annotated[str, typer.Option(help="The record that contains this one.")] = "",
    biogenic: Annotated[bool, typer.Option("--biogenic", help="Its CO2 is biogenic.")] = False,
    nonfossil: Annotated[
        bool, typer.Option("--nonfossil", help="Heat that is made of nothing fossil.")
    ] = False,
    factor: Annotated[
        str, typer.Option(help="An own, measured factor: 'VALUE UNIT GAS SOURCE…'.")
    ] = "",
    document: Annotated[
        list[str] | None, typer.Option("--document", help="A record of a document that shows it.")
    ] = None,
    note: Annotated[str, typer.Option(help="Up to 500 characters.")] = "",
    replace: Annotated[str, typer.Option(help="The record that this is a new version of.")] = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put an amount of a period in the log, or a new version of it."""
    house, out = open_house(directory), Output(as_json=as_json)
    author = party or house.log.operator
    members: dict[str, Any] = {
        "category": category,
        "item": item,
        "direction": direction,
        "quantity": quantity,
        "unit": units.parse(unit).name if unit else "",
        "park_system": park_system,
        "point": _point_id(house, point),
        "counterparty": counterparty,
        "within": _full(house, within, author) if within else "",
        "biogenic": int(biogenic),
        "nonfossil": int(nonfossil),
        "factor": _factor(factor),
        "documents": sorted(document or ()),
        "note": note,
    }
    content = Activity.of(
        organisation=party, period=_period(period, house.log.zone), members=members
    )
    name = _full(house, replace, author) if replace else fresh_id()
    receipt = service.put(
        house.desk,
        REGISTER,
        name,
        content.to_json(),
        author=author,
        key=read_key(key) if key else None,
    )
    out.say(f"Activity {name} is in the log, entry {receipt.index}: {_said(content)}.")
    out.result({"name": name, "entry": receipt.index, **content.to_json()})


@activity.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8, one activity in a row.")],
    party: Party = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put all activities of a file, or none: a wrong cell is named by row and column.

    Columns: category, item, unit, and period or from and to; quantity or point; and, where
    wanted, direction, park_system, counterparty, within, biogenic, nonfossil, factor, factor_unit,
    factor_gas, factor_source, documents, note.
    """
    house, out = open_house(directory), Output(as_json=as_json)
    if not file.is_file():
        raise NotFound(f"no file {file}")
    found = importing.import_activities(
        house.desk,
        file.read_bytes(),
        file.name,
        organisation=party,
        times=times_of(house.log.zone),
        key=read_key(key) if key else None,
    )
    entries = [one.index for one in found.receipts]
    where = f", entries {entries[0]} to {entries[-1]}" if entries else ""
    again = f"; {counted(found.repeats, 'row')} there already" if found.repeats else ""
    out.say(f"{file.name}: {counted(len(entries), 'record')} put{where}{again}.")
    out.result({"names": list(found.names), "entries": entries, "repeats": found.repeats})


@activity.command("list")
def list_activities(
    party: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    as_of: Annotated[int | None, typer.Option(help="A log size; without: the present one.")] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Activities in force."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        found = store.current(conn, house.log.log_id, REGISTER, as_of=as_of, author=party or None)
        names = {
            point.hex(): one.master.name
            for point, one in metering.current_points(conn, house.log.log_id, as_of).items()
        }
    rows = sorted(found.values(), key=lambda one: one.entry_index)
    known = [(row, Activity.from_json(row.content)) for row in rows]
    zone = house.log.zone
    out.table(
        "Activities",
        ["record", "of", "category", "item", "", ">quantity", "unit", "period", "more", ">entry"],
        [
            [
                row.name[:12],
                one.organisation or "the park",
                one.category,
                one.item,
                one.direction,
                one.quantity or f"as {names.get(one.point, '?')} meters",
                one.unit,
                dates(one.period.start_s, one.period.end_s, zone),
                _more(one),
                str(row.entry_index),
            ]
            for row, one in known
        ],
    )
    out.result(
        {
            "activities": [
                {"name": row.name, "entry": row.entry_index, **one.to_json()} for row, one in known
            ]
        }
    )


@activity.command("end")
def end(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; it stands in the public log.")],
    party: Party = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Take an activity out of force; figures that were published with it stay."""
    house, out = open_house(directory), Output(as_json=as_json)
    author = party or house.log.operator
    full = _full(house, name, author)
    signing = read_key(key) if key else None
    receipt = service.end(house.desk, REGISTER, full, reason, author=author, key=signing)
    out.say(f"Activity {full} is out of force since entry {receipt.index}.")
    out.result({"name": full, "entry": receipt.index})


def _said(one: Activity) -> str:
    amount = f"{one.quantity} {one.unit}" if one.quantity else f"in {one.unit}, as its point meters"
    return f"{one.category} {one.item} {one.direction}, {amount}"


def _more(one: Activity) -> str:
    found = [
        f"with {one.counterparty}" if one.counterparty else "",
        f"within {one.within[:12]}" if one.within else "",
        "biogenic" if one.biogenic else "",
        "non-fossil" if one.nonfossil else "",
        "own factor" if one.factor else "",
    ]
    return ", ".join(text for text in found if text)


def _period(text: str, zone: str) -> Period:
    of_name, of_instant = times_of(zone)
    if "/" not in text:
        return of_name(text)
    first, _, last = text.partition("/")
    return Period(start_s=of_instant(first), end_s=of_instant(last))


def _factor(text: str) -> dict[str, str]:
    if not text:
        return {}
    parts = text.split(maxsplit=3)
    if len(parts) != 4:
        raise InvalidInput(
            f"--factor {text!r}: it is a value, a unit, a gas and a source, such as"
            " '0.102 t/GJ CO2 measured by the supplier'"
        )
    return dict(zip(("value", "unit", "gas", "source"), parts, strict=True))


def _point_id(house: House, name: str) -> str:
    if not name:
        return ""
    with db.reading(house.engine) as conn:
        return find_point(conn, house.log.log_id, name).point.hex()


def _full(house: House, beginning: str, author: str) -> str:
    """The name of an activity in force that begins so. Raises NotFound or InvalidInput."""
    with db.reading(house.engine) as conn:
        known = store.current(conn, house.log.log_id, REGISTER, author=author)
    found = [name for name in known if name.startswith(beginning.lower())]
    if not found:
        raise NotFound(
            f"{author!r} has no activity {beginning} in force; see: greenledger activity list"
        )
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} activities begin with {beginning}: give more of the name")
    return found[0]
