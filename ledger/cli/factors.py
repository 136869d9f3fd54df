"""greenledger factor …: which factors are in force, whence they come, and what came with us."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.accounting.factors import files, regions, service, store
from ledger.accounting.factors.library import FactorLibrary
from ledger.accounting.factors.model import REGISTER, Factor, FactorSeries
from ledger.accounting.factors.used import Found, Published, Substitution, labels
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, counted
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.log import store as log_store
from ledger.records import store as records
from ledger.records.store import PUT, Record
from ledger.units import format_instant

factor = typer.Typer(
    help="Factors: sets in force, each value with its source and how sure it is.",
    no_args_is_help=True,
)
SetName = Annotated[str, typer.Argument(metavar="SET", help="Name of the set.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="Look in this set; repeatable, the first that has one wins."),
]
_COLUMNS = ["item", "region", "year", ">value", "unit", "gas", "standard", "status", "set"]


def add_to(app: typer.Typer) -> None:
    app.add_typer(factor, name="factor")


def library(conn: Connection, house: House, sets: Sequence[str] | None) -> FactorLibrary:
    """The sets in force now."""
    size = log_store.load_head(conn, house.log.log_id).size
    return FactorLibrary.at(conn, house.log, size, sets=sets or ())


@factor.command("list")
def list_factors(
    item: Annotated[str, typer.Option(help="Items that begin so, such as electricity.")] = "",
    region: Annotated[
        str, typer.Option(help="Of this place, and of what contains it: CN, CN-south, 44, 440100.")
    ] = "",
    year: Annotated[int, typer.Option(help="Of this year, and of none.")] = 0,
    sets: Sets = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Factors in force, with their source and status."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = library(conn, house, sets)
        known = records.current(conn, house.log.log_id, REGISTER)
    others = [f"{name} (of {one.author})" for name, one in known.items() if name not in found.names]
    around = regions.chain(region) if region else ()
    rows = [
        (by, one)
        for by in found.sets
        for one in by.content.factors
        if one.item.startswith(item)
        and (not region or one.region in around)
        and (not year or one.year in (0, year))
    ]
    series = [
        (by, one) for by in found.sets for one in by.content.series if one.item.startswith(item)
    ]
    out = Output(as_json=as_json)
    out.table("Factors", _COLUMNS, [[*_row(one), by.name] for by, one in rows])
    _say_sources(out, rows)
    _say_series(out, series)
    if not found.sets:
        out.say("No set is in force yet: greenledger factor shipped says what can be published.")
    if others:
        out.say(f"In force too, and asked where --set names them: {', '.join(others)}")
    out.result(
        {
            "factors": [{**by.use(), **one.to_json()} for by, one in rows],
            "series": [{**by.use(), **series_json(one)} for by, one in series],
            "others": [name for name in known if name not in found.names],
        }
    )


def _row(one: Factor) -> list[str]:
    region = (
        f"{one.region}·{regions.name(one.region).split()[0]}" if one.region[:1].isdigit() else ""
    )
    return [
        one.item,
        region or one.region or "anywhere",
        str(one.year or "–"),
        one.value,
        one.unit,
        _gas(one.gas, one.covers),
        one.standard or "–",
        one.status,
    ]


def _gas(gas: str, covers: Sequence[str]) -> str:
    return f"CO2e ({', '.join(covers)})" if gas == "CO2e" else gas or "–"


def _say_sources(out: Output, rows: Sequence[tuple[Published, Factor]]) -> None:
    sources: dict[tuple[str, str], int] = {}
    for _, one in rows:
        sources[one.status, one.source] = sources.get((one.status, one.source), 0) + 1
    for (status, source), count in sorted(sources.items()):
        out.say(f"{status.capitalize()}, {counted(count, 'factor')}: {source}")


def _say_series(out: Output, rows: Sequence[tuple[Published, FactorSeries]]) -> None:
    for by, one in rows:
        out.say(
            f"Series {one.said}, every {one.interval_s // 60} min, in {one.unit}, {one.status}, set"
            f" {by.name}: {one.source}"
        )


def series_json(one: FactorSeries) -> dict[str, Any]:
    """A series without its values."""
    whole = {**one.to_json(), "end": format_instant(one.end_s), "count": len(one.value)}
    del whole["values"]
    return whole


@factor.command("shipped")
def shipped(directory: Dir = None, as_json: Json = False) -> None:
    """Sets that came with the program, and whether they are in force here."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        size = log_store.load_head(conn, house.log.log_id).size
        there = {one.name: one for one in store.in_force(conn, house.log, size)}
    known = {name: files.shipped(name) for name in files.shipped_sets()}
    states = {
        name: "not yet"
        if name not in there
        else "in force"
        if there[name].content == content
        else "another version"
        for name, content in known.items()
    }
    out = Output(as_json=as_json)
    out.table(
        "Sets that came with the program",
        ["set", "title", ">factors", "status", "here"],
        [
            [name, f"{one.title['zh']} {one.title['en']}", len(one.factors), _statuses(one.factors),
             states[name]]
            for name, one in known.items()
        ],
    )  # fmt: skip
    out.say("They are data to begin with, not advice: compare each with what holds for you.")
    out.say("To put one in force: greenledger factor publish SET")
    out.result(
        {
            "sets": [
                {"set": name, "here": states[name], "title": dict(one.title), "source": one.source,
                 "status": one.status, "factors": len(one.factors)}
                for name, one in known.items()
            ]
        }
    )  # fmt: skip


def _statuses(factors: Sequence[Factor]) -> str:
    counts: dict[str, int] = {}
    for one in factors:
        counts[one.status] = counts.get(one.status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


@factor.command("show")
def show(name: SetName, directory: Dir = None, as_json: Json = False) -> None:
    """A set: its factors as they are in force, and all its versions."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        versions = service.history(conn, house.log, name)
    last = versions[-1]
    out = Output(as_json=as_json)
    if last.act == PUT:
        _show_in_force(out, store.published(last))
    out.table(
        f"Versions of {name}",
        [">version", "what", ">entry", "by", "reason"],
        [
            [one.number + 1, "put" if one.act == PUT else "ended", one.entry_index, one.author,
             one.reason or "–"]
            for one in versions
        ],
    )  # fmt: skip
    out.result({"set": name, "in_force": int(last.act == PUT), "versions": _versions(versions)})


def _show_in_force(out: Output, by: Published) -> None:
    content = by.content
    out.say(f"{content.title['zh']} – {content.title['en']}. Source: {content.source}")
    out.table(f"Set {by.name}", _COLUMNS[:-1], [_row(one) for one in content.factors])
    _say_sources(out, [(by, one) for one in content.factors])
    _say_series(out, [(by, one) for one in content.series])


def _versions(versions: Sequence[Record]) -> list[dict[str, Any]]:
    return [
        {
            "version": one.number + 1,
            "entry": one.entry_index,
            "hash": one.leaf.hex(),
            "author": one.author,
            "act": one.act,
            "reason": one.reason,
            "content": dict(one.content),
        }
        for one in versions
    ]


@factor.command("find")
def find(
    item: Annotated[str, typer.Argument(help="The item, such as electricity-average.")],
    region: Annotated[str, typer.Option(help="CN, CN-south, 44 or 440100; empty: anywhere.")] = "",
    year: Annotated[int, typer.Option(help="The year; 0: of none.")] = 0,
    standard: Annotated[str, typer.Option(help="Where factors differ by it, such as AR6.")] = "",
    substitution: Annotated[
        str, typer.Option(help="JSON, as the message says that names what is missing.")
    ] = "",
    sets: Sets = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The factor that a figure of this place and year would be made with."""
    house = open_house(directory)
    stated = [_substitution(substitution)] if substitution else []
    with db.reading(house.engine) as conn:
        found = library(conn, house, sets).find_gases(
            item, region=region, year=year, standard=standard or None, substitutions=stated
        )
    out = Output(as_json=as_json)
    _say_found(out, found)
    out.result({"factors": [one.use() for one in found]})


def _substitution(text: str) -> Substitution:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"--substitution {text[:60]!r} is not JSON: {error}") from error
    return Substitution.from_json(value)


def _say_found(out: Output, found: Sequence[Found]) -> None:
    out.table(
        "Found",
        [*_COLUMNS, ">version", ">entry"],
        [[*_row(one.factor), one.by.name, one.by.version, one.by.entry] for one in found],
    )
    uses: list[Mapping[str, Any]] = [one.use() for one in found]
    for label in labels(uses):
        out.say(f"Note: {label}")
