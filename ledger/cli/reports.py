"""greenledger report …: inventories and the park's balance, drafted, published, compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ledger import db
from ledger.accounting.computing import BALANCE, INVENTORY
from ledger.cli import reports_shown as shown
from ledger.cli.object_file import object_of, read_object
from ledger.cli.options import Dir, HeldKey, Json, one_of_id, open_house, read_key
from ledger.cli.output import Output
from ledger.errors import InvalidInput
from ledger.house import COMPUTES, House
from ledger.metering import store as metering
from ledger.reports import service, store
from ledger.reports.changes import changes
from ledger.reports.store import Version

# Kinds that have a command of their own to show them.
_ELSEWHERE: Final = {"footprint": "greenledger footprint show"}

report = typer.Typer(
    help="Reports: inventories and the park's balance, recomputed by the log before it takes them.",
    no_args_is_help=True,
)
Period = Annotated[str, typer.Argument(help="A year 2026 or a month 2026-03, of park time.")]
Regimes = Annotated[
    list[str] | None,
    typer.Option("--regime", help="Such as ndrc-910; again for more; without: all in force."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="A set of factors; the first that has one wins; without: all."),
]
Substitutes = Annotated[
    list[str] | None,
    typer.Option(
        "--substitute",
        help="'ITEM REGION YEAR USE_REGION USE_YEAR REASON…': the factor of another region or year"
        " stands in; a region that is none is -. Or the JSON that a message shows.",
    ),
]
Standards = Annotated[
    list[str] | None,
    typer.Option("--standard", help="ITEM=STANDARD, where factors differ by it."),
]
Region = Annotated[str, typer.Option(help="GB/T 2260 digits, where the points do not say them.")]
DirectRegion = Annotated[
    str, typer.Option(help="Prefix of the regions whose plants supply directly; without: any.")
]
About = Annotated[
    Path | None, typer.Option(help="All that is asked, as TOML or JSON; options add to it.")
]
AsOf = Annotated[int | None, typer.Option(help="A log size; without: the present one.")]
Publish = Annotated[bool, typer.Option("--publish", help="Put it in the log.")]
Author = Annotated[str, typer.Option(help="Who publishes; without: whose report it is.")]
Separate = Annotated[
    bool, typer.Option("--separate", help="Begin another report, where there is one already.")
]
Lines = Annotated[bool, typer.Option("--lines", help="Every line of every regime.")]
ReportId = Annotated[str, typer.Argument(help="The report: 32 hex digits, or their beginning.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(report, name="report")


@report.command("inventory")
def inventory(
    party: Annotated[str, typer.Argument(help="Whose.")],
    period: Period,
    regime: Regimes = None,
    sets: Sets = None,
    substitute: Substitutes = None,
    standard: Standards = None,
    region: Region = "",
    direct_region: DirectRegion = "",
    about: About = None,
    as_of: AsOf = None,
    publish: Publish = False,
    author: Author = "",
    separate: Separate = False,
    lines: Lines = False,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """An organisation's emissions and shares under each regime; what is claimed is used."""
    asked = {
        **_asked(about, regime, sets, substitute, standard, region, direct_region),
        "subject": party,
        "period": period,
    }
    _run(
        INVENTORY, asked, author or party, as_of, publish, separate, lines, key, directory, as_json
    )


@report.command("balance")
def balance(
    period: Period,
    regime: Regimes = None,
    sets: Sets = None,
    substitute: Substitutes = None,
    standard: Standards = None,
    region: Region = "",
    direct_region: DirectRegion = "",
    about: About = None,
    as_of: AsOf = None,
    publish: Publish = False,
    author: Author = "",
    separate: Separate = False,
    lines: Lines = False,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The park under each regime: its members less what they gave each other, losses, energy."""
    asked = {
        **_asked(about, regime, sets, substitute, standard, region, direct_region),
        "period": period,
    }
    _run(BALANCE, asked, author, as_of, publish, separate, lines, key, directory, as_json)


def _asked(
    about: Path | None,
    regimes: list[str] | None,
    sets: list[str] | None,
    substitutes: list[str] | None,
    standards: list[str] | None,
    region: str,
    direct_region: str,
) -> dict[str, Any]:
    """Only what is asked: the rest is as the kind of report has it."""
    found = read_object(about) if about else {}
    if regimes:
        found["regimes"] = regimes
    if sets:
        found["sets"] = sets
    if substitutes:
        stated = [substitution(one) for one in substitutes]
        found["substitutions"] = [*found.get("substitutions", ()), *stated]
    for text in standards or ():
        item, separator, name = text.partition("=")
        if not separator:
            raise InvalidInput(f"--standard {text!r}: it is ITEM=STANDARD")
        found.setdefault("standards", {})[item] = name
    if region:
        found["region"] = region
    if direct_region:
        found["direct_region"] = direct_region
    return found


def substitution(text: str) -> dict[str, Any]:
    """Six words, or the JSON object that a message shows where a factor is missing."""
    if text.lstrip().startswith("{"):
        return object_of(text, "--substitute")
    parts = text.split(maxsplit=5)
    if len(parts) != 6 or not (parts[2].isdecimal() and parts[4].isdecimal()):
        raise InvalidInput(
            f"--substitute {text!r}: it is 'ITEM REGION YEAR USE_REGION USE_YEAR REASON…', such as"
            " 'electricity-average 44 2018 44 2021 no factor of 2018 is published'"
        )
    item, region, year, use_region, use_year, reason = parts
    return {
        "item": item,
        "region": region.replace("-", "") if region == "-" else region,
        "year": int(year),
        "use_region": use_region.replace("-", "") if use_region == "-" else use_region,
        "use_year": int(use_year),
        "reason": reason,
    }


def _run(
    kind: str,
    asked: dict[str, Any],
    author: str,
    as_of: int | None,
    publish: bool,
    separate: bool,
    lines: bool,
    key: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    house, out = open_house(directory), Output(as_json=as_json)
    by = author or house.log.operator
    before = None if separate else _same(house, kind, by, asked)
    series = before.report if before else ""
    if publish:
        receipt = service.publish(
            house.desk,
            COMPUTES,
            kind,
            asked,
            author=by,
            as_of=as_of,
            report=series,
            key=read_key(key) if key else None,
        )
        with db.reading(house.engine) as conn:
            series = receipt.entry.statement["report"]
            found = store.find_report(conn, house.log.log_id, series)
            content = store.load(conn, house.log, found)
    else:
        with db.reading(house.engine) as conn:
            content = service.draft(
                conn, house.log, COMPUTES, kind, asked, as_of=as_of, report=series
            )
    shown.show(out, content, house.log.zone, names=_names(house), lines=lines)
    if before:
        out.say()
        out.say(f"Compared with version {before.number + 1} of report {series[:12]}:")
        shown.show_changes(out, content["changes"])
    if publish:
        out.say(f"Published as report {series}, entry {receipt.index}.")
    else:
        out.say("A draft; to put it in the log: --publish")
    out.result(
        {
            "report": series,
            **({"entry": receipt.index} if publish else {}),
            "published": publish,
            **content,
        }
    )


def _names(house: House) -> dict[str, str]:
    with db.reading(house.engine) as conn:
        known = metering.current_points(conn, house.log.log_id)
    return {point.hex(): one.master.name for point, one in known.items()}


def _same(house: House, kind: str, author: str, asked: dict[str, Any]) -> Version | None:
    """The author's last report of the same subject and period."""
    with db.reading(house.engine) as conn:
        mine = store.list_reports(conn, house.log.log_id, kind=kind, author=author)
        for one in reversed(mine):
            about = store.load(conn, house.log, one)["about"]
            if all(about.get(name) == asked.get(name) for name in ("subject", "period")):
                return one
    return None


@report.command("list")
def list_reports(
    kind: Annotated[str, typer.Option(help="Of this kind alone.")] = "",
    author: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Published reports, as they are in force."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        found = store.list_reports(conn, house.log.log_id, kind=kind or None, author=author or None)
        about = [store.load(conn, house.log, one)["about"] for one in found]
    out.table(
        "Reports",
        ["report", "kind", "of", "period", "by", ">version", ">log size", ">entry"],
        [
            [
                one.report[:12],
                one.kind,
                _of(asked),
                asked.get("period", asked.get("year", "–")),
                one.author,
                str(one.number + 1),
                str(one.as_of),
                str(one.entry_index),
            ]
            for one, asked in zip(found, about, strict=True)
        ],
    )
    out.result(
        {
            "reports": [
                {**_version_json(one), "about": asked}
                for one, asked in zip(found, about, strict=True)
            ]
        }
    )


def _of(asked: Mapping[str, Any]) -> str:
    """Whose, or of what: what a report was asked names it."""
    names = (asked[name] for name in ("subject", "organisation") if name in asked)
    product = f"product {asked['product'][:12]}" if "product" in asked else "the park"
    return next(names, product)


def _version_json(one: Version) -> dict[str, Any]:
    return {
        "report": one.report,
        "version": one.number + 1,
        "kind": one.kind,
        "author": one.author,
        "as_of": one.as_of,
        "entry": one.entry_index,
        "body": one.body,
    }


def find(house: House, beginning: str) -> Version:
    """A report by the beginning of its id. Raises NotFound or InvalidInput."""
    with db.reading(house.engine) as conn:
        known = store.list_reports(conn, house.log.log_id)
    found = [one for one in known if one.report.startswith(beginning.lower())]
    return one_of_id(found, beginning, "report", "greenledger report list")


@report.command("show")
def show(
    report_id: ReportId,
    version: Annotated[int, typer.Option(help="From 1 on; without: the one in force.")] = 0,
    lines: Lines = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """What a published report says, and what changed since its version before."""
    house, out = open_house(directory), Output(as_json=as_json)
    series = find(house, report_id).report
    with db.reading(house.engine) as conn:
        found = store.find_report(
            conn, house.log.log_id, series, number=version - 1 if version else None
        )
        content = store.load(conn, house.log, found)
    if found.kind in shown.KINDS:
        shown.show(out, content, house.log.zone, names=_names(house), lines=lines)
    else:
        other = _ELSEWHERE.get(found.kind, "")
        out.say(
            f"Report {series} is a {found.kind}: what it says stands in --json"
            + (f", and for people: {other} {series[:12]}" if other else "")
        )
    if found.number:
        shown.show_changes(out, content["changes"])
    out.say(
        f"Version {found.number + 1}, by {found.author}, entry {found.entry_index}; it rests on"
        f" {len(content['result']['inputs'])} entries, all named in --json."
    )
    out.result({**_version_json(found), **content})


@report.command("diff")
def diff(
    report_id: ReportId,
    before: Annotated[int, typer.Option(help="A version; without: the one in force.")] = 0,
    after: Annotated[
        int, typer.Option(help="A version; without: what it would say of the log as it is now.")
    ] = 0,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """What differs between two versions, or between the published one and the log as it is now."""
    house, out = open_house(directory), Output(as_json=as_json)
    series = find(house, report_id).report
    with db.reading(house.engine) as conn:
        log_id = house.log.log_id
        old = store.find_report(conn, log_id, series, number=before - 1 if before else None)
        was = store.load(conn, house.log, old)
        if after:
            new = store.find_report(conn, log_id, series, number=after - 1)
            now = store.load(conn, house.log, new)
        else:
            now = service.draft(conn, house.log, COMPUTES, old.kind, was["about"])
    found = changes(was, now)
    out.say(
        f"Report {series[:12]}, version {old.number + 1} (log size {was['as_of']}) and"
        f" {f'version {after}' if after else 'a new draft'} (log size {now['as_of']}):"
        + ("" if found["lines"] else " the figures are the same")
    )
    shown.show_changes(out, found)
    out.result({"report": series, "before": old.number + 1, "after": after, **found})
