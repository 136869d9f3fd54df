"""greenledger factor publish, diff, series: new versions, and what they mean for reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger import db
from ledger.accounting.factors import files, service
from ledger.accounting.factors.comparing import Change
from ledger.accounting.factors.hourly import FILE_BYTES_MAX, SeriesFile, with_series
from ledger.accounting.factors.members import STATUSES
from ledger.accounting.factors.model import REGISTER, FactorSet
from ledger.accounting.factors.service import Redraft
from ledger.accounting.factors.store import published
from ledger.cli.factors import SetName
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output, counted
from ledger.errors import InvalidInput, NotFound
from ledger.house import COMPUTES, House
from ledger.log.service import Receipt
from ledger.records import store as records
from ledger.units import parse_zone, zone_offset_s

_LINES_SHOWN: Final = 20
Author = Annotated[
    str, typer.Option("--author", help="Party that publishes it; without: the operator.")
]
Title = Annotated[str, typer.Option(help="What a new set of a CSV file is called.")]
Source = Annotated[str, typer.Option(help="Where its values come from.")]
Status = Annotated[str, typer.Option(help="How sure that is: " + ", ".join(STATUSES) + ".")]


def add_to(group: typer.Typer) -> None:
    group.command("publish")(publish)
    group.command("publish-shipped")(publish_shipped)
    group.command("diff")(diff)
    group.command("series")(series)


def publish(
    what: Annotated[
        str, typer.Argument(metavar="SET|FILE", help="A shipped set, or a TOML or CSV file.")
    ],
    name: Annotated[str, typer.Option(help="Name of the set; without: as the file's.")] = "",
    title: Title = "",
    source: Source = "",
    status: Status = "unverified",
    author: Author = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put a set in force, or a new version of it; say what that means for published reports."""
    house = open_house(directory)
    if what in files.shipped_sets():
        set_name, content = name or what, files.shipped(what)
    else:
        file = Path(what)
        set_name = name or file.stem
        content = _of_file(house, file, set_name, title, source, status)
    _put(Output(as_json=as_json), house, set_name, content, author, key)


def publish_shipped(directory: Dir = None, as_json: Json = False) -> None:
    """Put all sets in force that came with the program and were never put here."""
    house = open_house(directory)
    found = service.ensure(house.desk)
    out = Output(as_json=as_json)
    out.say(f"Published: {', '.join(found)}." if found else "All of them were put here before.")
    out.say("Compare them with what holds for you: greenledger factor list")
    out.result({"sets": found})


def _of_file(
    house: House, file: Path, name: str, title: str, source: str, status: str
) -> FactorSet:
    data = _read(file)
    if file.suffix.lower() == ".csv":
        before = _in_force(house, name)
        return files.parse_csv(data, file.name, head=_head(before, name, title, source, status))
    try:
        return files.parse_toml(data.decode("utf-8"), file.name)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file.name}: not UTF-8: {error}") from error


def _read(file: Path) -> bytes:
    if not file.is_file():
        known = ", ".join(files.shipped_sets())
        raise NotFound(f"{file} is neither a file nor a set that came with the program ({known})")
    if file.stat().st_size > FILE_BYTES_MAX:
        raise InvalidInput(f"{file}: {FILE_BYTES_MAX:,} bytes are the most")
    return file.read_bytes()


def _in_force(house: House, name: str) -> FactorSet | None:
    with db.reading(house.engine) as conn:
        found = records.current(conn, house.log.log_id, REGISTER).get(name)
    return None if found is None else published(found).content


def _head(
    before: FactorSet | None, name: str, title: str, source: str, status: str
) -> dict[str, Any]:
    """Title, source and status of a set: as given, else as they were."""
    if before is None and not source:
        raise InvalidInput(f"set {name!r} is new: say with --source where its values come from")
    if before is None:
        text = title or name
        return {"title": {"zh": text, "en": text}, "source": source, "status": status}
    return {
        "title": {"zh": title, "en": title} if title else dict(before.title),
        "source": source or before.source,
        "status": status if source else before.status,
        "series": [one.to_json() for one in before.series],
    }


def _put(
    out: Output, house: House, name: str, content: FactorSet, author: str, key: Path | None
) -> None:
    receipt = service.publish(
        house.desk, name, content, author=author, key=read_key(key) if key else None
    )
    with db.reading(house.engine) as conn:
        before, now, changes = service.diff(conn, house.log, name)
        affected = service.affected_reports(conn, house.log, name) if receipt else []
        drafts = [service.redraft(conn, house.log, COMPUTES, one) for one in affected]
    _say_put(out, name, content, receipt, now.number + 1)
    if receipt is not None and before is not None:
        say_changes(out, changes)
    _say_drafts(out, drafts)
    out.result(
        {
            "set": name,
            "entry": now.entry_index,
            "hash": now.leaf.hex(),
            "version": now.number + 1,
            "repeated": int(receipt is None),
            "changes": [one.to_json() for one in changes] if receipt is not None else [],
            "reports": [one.to_json() for one in drafts],
        }
    )


def _say_put(
    out: Output, name: str, content: FactorSet, receipt: Receipt | None, version: int
) -> None:
    if receipt is None:
        out.say(f"Set {name} is in force as it stands, as version {version}.")
        return
    what = [counted(len(content.factors), "factor")] if content.factors else []
    what += [f"{len(content.series)} series"] if content.series else []
    out.say(
        f"Published set {name}, version {version}, {' and '.join(what)}, by entry {receipt.index}."
    )
    out.say(f"{content.status.capitalize()} source: {content.source}")


def say_changes(out: Output, changes: Sequence[Change]) -> None:
    """A table of what differs between two versions."""
    if not changes:
        out.say("No factor differs from the version before.")
        return
    out.table(
        "What changed",
        ["factor", "how", "what", "before", "after"],
        [row for one in changes for row in _change_rows(one)],
    )


def _change_rows(one: Change) -> list[list[str]]:
    rows = [
        [one.said, one.how, name, str(before) or "–", str(after) or "–"]
        for name, (before, after) in one.members.items()
    ]
    if one.intervals:
        rows.append([one.said, one.how, "intervals", "", f"{one.intervals:,}"])
    return rows


def _say_drafts(out: Output, drafts: Sequence[Redraft]) -> None:
    """What new drafts would say; what is published stays."""
    if not drafts:
        return
    out.say(
        f"{counted(len(drafts), 'published report')} made with an earlier version:"
        " what is published stays as it is. A new draft would say:"
    )
    for one in drafts:
        out.say()
        what = f"{one.report.kind} {one.report.report} of {one.report.author}"
        if one.error:
            out.say(f"{what}: there can be no draft now: {one.error}")
            continue
        lines = one.changes["lines"]
        if not lines:
            out.say(f"{what}: the same")
            continue
        out.table(
            what,
            ["what", "published", "draft"],
            [[each["path"], each["before"], each["after"]] for each in lines[:_LINES_SHOWN]],
        )
        if len(lines) > _LINES_SHOWN:
            out.say(f"… and {len(lines) - _LINES_SHOWN} more; all of them with --json")


def diff(
    name: SetName,
    before: Annotated[int, typer.Option("--from", help="Version; 0: the one before --to.")] = 0,
    after: Annotated[int, typer.Option("--to", help="Version; 0: the last one.")] = 0,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """What differs between two versions of a set, and which published reports used old ones."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        old, new, changes = service.diff(conn, house.log, name, before, after)
        affected = service.affected_reports(conn, house.log, name)
    out = Output(as_json=as_json)
    first = 0 if old is None else old.number + 1
    out.say(f"Set {name}, version {first} (0: before the first) to {new.number + 1}:")
    say_changes(out, changes)
    for one in affected:
        out.say(
            f"{one.kind} {one.report} of {one.author} (entry {one.entry_index}) is published with"
            " an earlier version; it stays as it is."
        )
    out.result(
        {
            "set": name,
            "from": first,
            "to": new.number + 1,
            "changes": [one.to_json() for one in changes],
            "reports": [
                {"report": one.report, "kind": one.kind, "author": one.author,
                 "entry": one.entry_index}
                for one in affected
            ],
        }
    )  # fmt: skip


def series(
    file: Annotated[Path, typer.Argument(help="CSV file, one row for each interval.")],
    name: Annotated[str, typer.Option("--set", help="The set that it becomes part of.")],
    region: Annotated[str, typer.Option(help="Where it holds: CN, CN-south, 44, 440100.")],
    source: Annotated[str, typer.Option(help="Where its values come from.")],
    item: Annotated[str, typer.Option(help="The item.")] = "electricity-average",
    unit: Annotated[str, typer.Option(help="The unit of its values.")] = "kg/kWh",
    gas: Annotated[str, typer.Option(help="The gas, or CO2e.")] = "CO2",
    covers: Annotated[
        list[str] | None, typer.Option(help="Of CO2e: a gas that it covers; repeatable.")
    ] = None,
    standard: Annotated[str, typer.Option(help="The standard, where it follows one.")] = "",
    status: Status = "unverified",
    time_column: Annotated[str, typer.Option(help="Needed where there are more than two.")] = "",
    value_column: Annotated[str, typer.Option(help="The same.")] = "",
    time_format: Annotated[
        str, typer.Option("--format", help="Of the times, such as '%d/%m/%Y %H:%M'; ISO without.")
    ] = "",
    ends: Annotated[bool, typer.Option("--ends", help="Times are ends of intervals.")] = False,
    zone: Annotated[str, typer.Option(help="Of the file's clock; park time without.")] = "",
    title: Title = "",
    author: Author = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Import hourly (or 15, 30 min) factors as a series, and publish the set that it belongs to."""
    house = open_house(directory)
    found = SeriesFile(
        item=item,
        region=region,
        unit=unit,
        gas=gas,
        covers=tuple(covers or ([gas] if gas not in ("", "CO2e") else [])),
        standard=standard,
        source=source,
        status=status,
        zone_s=zone_offset_s(parse_zone(zone or house.log.zone)),
        time_column=time_column,
        value_column=value_column,
        format=time_format,
        ends=ends,
    ).read(_read(file), file.name)
    before = _in_force(house, name)
    head = _head(before, name, title, source, status)
    out = Output(as_json=as_json)
    out.say(f"Read {found.said}: {len(found.value):,} values.")
    _put(out, house, name, with_series(before, found, head), author, key)
