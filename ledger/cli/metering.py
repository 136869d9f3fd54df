"""greenledger point …, import: metering points and their readings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ledger import db
from ledger.cli import remote
from ledger.cli.claims import say_flags
from ledger.cli.imported import flag_names, say_imported
from ledger.cli.options import Dir, Json, open_house, park_instant, read_key
from ledger.cli.output import Output, park_time, step
from ledger.cli.remote import Server
from ledger.errors import InvalidInput, NotFound
from ledger.metering import service, store
from ledger.metering.effective import effective
from ledger.metering.importers import read_profile
from ledger.metering.importers.profile import ColumnsLayout, Profile
from ledger.metering.importing import import_file
from ledger.metering.points import KINDS, PARK_SYSTEMS, Meter, Point
from ledger.metering.series import Series
from ledger.units import Period, format_instant

point = typer.Typer(help="Metering points and their master data.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(point, name="point")
    app.command("import")(import_readings)


@point.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The point's name in this park: a-z 0-9 -.")],
    kind: Annotated[str, typer.Option(help="One of " + ", ".join(KINDS) + ".")],
    owner: Annotated[str, typer.Option(help="Party id of the owner.")],
    park_system: Annotated[
        str, typer.Option(help="One of " + ", ".join(PARK_SYSTEMS) + ".")
    ] = "energy",
    unit: Annotated[str, typer.Option(help="Base unit of its readings.")] = "Wh",
    measure: Annotated[str, typer.Option(help="additive or gauge.")] = "additive",
    interval: Annotated[int, typer.Option(help="Seconds of its standard interval.")] = 900,
    technology: Annotated[str, typer.Option(help="pv, wind, … or empty.")] = "",
    parent: Annotated[str, typer.Option(help="Name of the parent point.")] = "",
    region: Annotated[str, typer.Option(help="Administrative code (GB/T 2260).")] = "",
    capacity_w: Annotated[int, typer.Option(help="Capacity in W; 0 = not stated.")] = 0,
    meter: Annotated[
        list[str] | None,
        typer.Option(
            help="number=…,from=2026-01-01T00:00:00Z[,to=…][,multiplier=…][,accuracy=…]"
            "[,calibrated=DATE][,calibration_expires=DATE][,opening=…][,closing=…]; oldest first."
        ),
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register a metering point, or replace the master data of the one with that name."""
    house = open_house(directory)
    parent_id = ""
    if parent:
        with db.reading(house.engine) as conn:
            parent_id = service.find_point(conn, house.log.log_id, parent).point.hex()
    master = Point(
        name=name,
        kind=kind,
        owner=owner,
        park_system=park_system,
        unit=unit,
        measure=measure,
        interval_s=interval,
        technology=technology,
        parent=parent_id,
        region=region,
        capacity=capacity_w,
        capacity_unit="W" if capacity_w else "",
        meters=tuple(_meter(text) for text in meter or ()),
    )
    receipt = service.register_point(house.desk, master)
    out = Output(as_json=as_json)
    replaced = bool(receipt.entry.statement["replaces"])
    done = "Replaced the registration of" if replaced else "Registered"
    out.say(f"{done} point {name} as entry {receipt.index}.")
    out.result({"point": receipt.entry.statement["point"], "name": name, "entry": receipt.index})


def _meter(text: str) -> Meter:
    members: dict[str, Any] = {}
    for part in text.split(","):
        key, separator, value = part.partition("=")
        if not separator:
            raise InvalidInput(f"--meter: {part!r} is not of the form key=value")
        members["from_" if key == "from" else key] = value
    known = {field.name for field in dataclasses.fields(Meter)}
    if set(members) - known or not {"number", "from_"} <= set(members):
        raise InvalidInput(
            f"--meter {text!r}: it takes number, from and optionally {sorted(known)}"
        )
    return Meter(**members)


@point.command("list")
def list_points(server: Server = "", directory: Dir = None, as_json: Json = False) -> None:
    """Points in force, with their stored intervals."""
    if server:
        remote.require_none(server, dir=directory)
        remote.list_points(server, Output(as_json=as_json))
        return
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        known = service.points_by_name(conn, house.log.log_id)
        counts = dict(store.interval_counts(conn, house.log.log_id))
    by_id = {found.point.hex(): name for name, found in known.items()}
    out = Output(as_json=as_json)
    out.table(
        "Points",
        ["name", "kind", "system", "owner", "parent", "unit", "seconds", "intervals", "entry"],
        [
            [
                name,
                found.master.kind,
                found.master.park_system,
                found.master.owner,
                by_id.get(found.master.parent, ""),
                found.master.unit,
                found.master.interval_s,
                counts.get(found.point, 0),
                found.entry_index,
            ]
            for name, found in sorted(known.items())
        ],
    )
    out.result(
        {
            "points": [
                {
                    "point": found.point.hex(),
                    "entry": found.entry_index,
                    "intervals": counts.get(found.point, 0),
                    **found.master.to_json(),
                }
                for _, found in sorted(known.items())
            ]
        }
    )


@point.command("bill")
def bill(
    name: Annotated[str, typer.Argument(help="A point of kind billed, under what it bills.")],
    wh: Annotated[int, typer.Option(help="Billed energy of the period, in Wh.")],
    start: Annotated[str, typer.Option("--from", help="First day of the period, park time.")],
    end: Annotated[str, typer.Option("--to", help="Day after the last, park time.")],
    source: Annotated[str, typer.Option(help="Name of this stream of batches.")] = "bills",
    author: Annotated[str, typer.Option(help="Party that signs; the operator by default.")] = "",
    correct: Annotated[str, typer.Option(help="Reason why another value is replaced.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Enter a bill: missing consumption of its period is then estimated from it."""
    house = open_house(directory)
    start_s, end_s = (park_instant(text, house.log.zone) for text in (start, end))
    period = Period(start_s=start_s, end_s=end_s)
    with db.reading(house.engine) as conn:
        found = service.find_point(conn, house.log.log_id, name)
    if found.master.kind != "billed" or not found.master.parent:
        raise InvalidInput(
            f"point {name!r} is of kind {found.master.kind!r}; a bill goes to a point of kind"
            " billed, whose parent is the point that it bills"
        )
    taken = service.take_in(
        house.desk,
        [
            Series(
                point=name,
                length_s=period.length_s,
                start_s=np.array([period.start_s], dtype=np.int64),
                value=np.array([wh], dtype=np.int64),
                quality=np.zeros(1, dtype=np.uint16),
            )
        ],
        service.Origin(source=source, author=author or house.log.operator, reason=correct),
    )
    out = Output(as_json=as_json)
    entries = [receipt.index for receipt in taken.receipts]
    out.say(f"Bill of {wh:,} Wh stored." if entries else "That bill was stored before.")
    out.result({"point": name, "wh": wh, "entries": entries})


@point.command("readings")
def readings(
    name: Annotated[str, typer.Argument(help="The point's name.")],
    start: Annotated[str, typer.Option("--from", help="First time, park time.")],
    end: Annotated[str, typer.Option("--to", help="Time after the last, park time.")],
    as_of: Annotated[int | None, typer.Option(help="As of this log size.")] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The effective readings of a point, with their quality and the entry they stand in."""
    house = open_house(directory)
    start_s, end_s = (park_instant(text, house.log.zone) for text in (start, end))
    with db.reading(house.engine) as conn:
        found = service.find_point(conn, house.log.log_id, name)
        items = effective(
            conn, house.log.log_id, found.point, start_s=start_s, end_s=end_s, as_of=as_of
        )
    rows = [
        (int(at), item.series.length_s, int(value), int(quality), int(entry))
        for item in items
        for at, value, quality, entry in zip(
            item.series.start_s,
            item.series.value,
            item.series.quality,
            item.entry_index,
            strict=True,
        )
    ]
    out = Output(as_json=as_json)
    out.table(
        f"{name}, {found.master.unit}",
        ["start (park time)", "seconds", "value", "quality", ">entry"],
        [
            [park_time(at, house.log.zone), length, value, flag_names(quality), entry]
            for at, length, value, quality, entry in rows
        ],
    )
    names = ("start", "length_s", "value", "quality", "entry")
    out.result(
        {
            "point": name,
            "unit": found.master.unit,
            "readings": [
                dict(zip(names, (format_instant(row[0]), *row[1:]), strict=True)) for row in rows
            ],
        }
    )


def import_readings(
    files: Annotated[list[Path], typer.Argument(help="CSV, XLSX or Parquet files.")],
    profile: Annotated[Path, typer.Option(help="Import profile (TOML); examples ship with us.")],
    point_name: Annotated[
        str, typer.Option("--point", help="Point to use instead of the profile's single one.")
    ] = "",
    source: Annotated[str, typer.Option(help="Name of this stream of batches.")] = "import",
    author: Annotated[str, typer.Option(help="Party that signs; the operator by default.")] = "",
    key: Annotated[
        Path | None, typer.Option(help="Private key file of an author that holds its own key.")
    ] = None,
    accept_partial: Annotated[
        bool, typer.Option(help="Store what is good, and sign the list of rejected rows.")
    ] = False,
    correct: Annotated[
        str, typer.Option(help="Reason why different values replace those in force.")
    ] = "",
    server: Server = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Read metered intervals from files, and store them as signed batches."""
    if not profile.exists():
        raise NotFound(f"no file {profile}")
    text = profile.read_text(encoding="utf-8")
    rules = read_profile(text, where=str(profile))
    out = Output(as_json=as_json)
    if server:
        remote.require_none(server, dir=directory, point=point_name)
        handing = remote.Handing(
            profile_text=text,
            profile=rules,
            source=source,
            author=author,
            accept_partial=accept_partial,
            correct=correct,
            key=read_key(key) if key else None,
        )
        remote.import_files(server, files, handing, out)
        return
    house = open_house(directory)
    if point_name:
        rules = _for_point(rules, point_name)
    results = []
    for path in files:
        with out.progress() as bar:
            found = import_file(
                house.desk,
                path,
                rules,
                profile_text=text,
                source=source,
                author=author or house.log.operator,
                accept_partial=accept_partial,
                reason=correct,
                key=read_key(key) if key else None,
                progress=step(bar, f"{path.name}: reading"),
            )
        results.append(found.to_json())
        say_imported(out, found)
    flags = say_flags(out, house) if correct else []
    out.result({"files": results, "flags": flags} if flags else {"files": results})


def _for_point(profile: Profile, name: str) -> Profile:
    layout = profile.layout
    if not isinstance(layout, ColumnsLayout) or len(layout.points) != 1:
        raise InvalidInput(
            f"--point: {profile.where} does not read exactly one column; name the points in it"
        )
    (column,) = layout.points
    return dataclasses.replace(profile, layout=ColumnsLayout(points={column: name}))
