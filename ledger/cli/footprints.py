"""greenledger footprint …: footprints of products, made, published, and reported."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db
from ledger.accounting.factors.used import labels, read_substitutions
from ledger.cli.options import Dir, HeldKey, Json, one_of_id, open_house, read_key
from ledger.cli.output import Output
from ledger.cli.products import one_product
from ledger.cli.reports import substitution
from ledger.errors import InvalidInput
from ledger.footprint import report as texts
from ledger.footprint import service, uses
from ledger.footprint.asked import REGIME
from ledger.footprint.calculating import kg_of
from ledger.footprint.members import STAGES
from ledger.footprint.product import REGISTER
from ledger.footprint.service import Made, Terms, Wish
from ledger.house import House
from ledger.records import store as records
from ledger.reports import store
from ledger.reports.model import FOOTPRINT
from ledger.reports.store import Version

footprint = typer.Typer(
    help="Footprints: a product's emissions by stage, with claimed electricity counted once.",
    no_args_is_help=True,
)
ReportId = Annotated[str, typer.Argument(help="The report: 32 hex digits, or their beginning.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(footprint, name="footprint")


def wish(text: str) -> Wish:
    """`CLAIM` or `CLAIM:WH`. Raises InvalidInput."""
    found = re.fullmatch(r"([0-9a-f]{32})(?::([0-9]{1,15}))?", text, re.ASCII)
    if not found:
        raise InvalidInput(f"--claim {text!r}: it is CLAIM or CLAIM:WH, the id of 32 hex digits")
    return Wish(claim=found[1], wh=int(found[2]) if found[2] else None)


@footprint.command("make")
def make(
    names: Annotated[
        list[str], typer.Argument(help="PRODUCT… PERIOD; with --all the PERIOD alone.")
    ],
    claim: Annotated[
        list[str] | None,
        typer.Option(help="CLAIM or CLAIM:WH: take its energy; again for more."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All products made in the period.")] = False,
    party: Annotated[str, typer.Option(help="With --all: of this party alone.")] = "",
    regime: Annotated[str, typer.Option(help="The rules.")] = REGIME,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", help="A set of factors; the first that has one wins; without: all."),
    ] = None,
    substitute: Annotated[
        list[str] | None,
        typer.Option(
            "--substitute",
            help="'ITEM REGION YEAR USE_REGION USE_YEAR REASON…': the factor of another region or"
            " year stands in.",
        ),
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Put it in the log.")] = False,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Compute footprints of a period; a product that has one gets a new version."""
    house, out = open_house(directory), Output(as_json=as_json)
    *given, period = names
    if bool(given) == every:
        raise InvalidInput("name products and a period, or --all and a period")
    terms = Terms(
        period=period,
        wishes=tuple(wish(one) for one in claim or ()),
        regime=regime,
        sets=tuple(sets or ()),
        substitutions=read_substitutions([substitution(one) for one in substitute or ()]),
    )
    products = _all(house, period, party) if every else [one_product(house, n).name for n in given]
    made = _make(house, out, products, terms, publish, read_key(key) if key else None)
    out.table(
        f"Footprints, {period}",
        ["product", "report", ">version", ">kg CO2e", "declared unit", ">claimed", ">entry"],
        [_cells(one) for one in made],
    )
    if len(made) == 1:
        _say(out, made[0].content)
    out.result({"footprints": [_json(one) for one in made]})


def _all(house: House, period: str, party: str) -> list[str]:
    with db.reading(house.engine) as conn:
        rows = records.current(conn, house.log.log_id, REGISTER, author=party or None)
    return [
        name
        for name, row in rows.items()
        if any(one["period"] == period for one in row.content["production"])
    ]


def _make(
    house: House, out: Output, products: list[str], terms: Terms, publish: bool, key: Any
) -> list[Made]:
    made: list[Made] = []
    with out.progress() as bar:
        task = bar.add_task("Compute", total=len(products))
        with db.reading(house.engine) as conn:
            for one in service.draft(conn, house.log, products, terms):
                made.append(one)
                bar.advance(task)
        if not publish:
            return made
        task = bar.add_task("Publish", total=len(made))
        done: list[Made] = []
        for group in service.publish(house.desk, made, key=key):
            done += group
            bar.advance(task, len(group))
    return done


def _cells(one: Made) -> list[str]:
    result = one.content["result"]
    of = result["product"]
    return [
        of["name"]["en"],
        one.report[:12] if one.receipt else "draft",
        str(one.number + 1),
        result["totals"]["including_uptake_kg"],
        f"{of['amount']} {of['unit']}",
        texts.kwh_of(sum(part.wh for part in one.asked.parts)),
        str(one.receipt.index) if one.receipt else "–",
    ]


def _json(one: Made) -> dict[str, Any]:
    return {
        "product": one.asked.product,
        "report": one.report if one.receipt else "",
        "version": one.number + 1,
        "entry": one.receipt.index if one.receipt else "",
        "kg_co2e": one.content["result"]["totals"]["including_uptake_kg"],
        "content": dict(one.content),
    }


def _say(out: Output, content: Any) -> None:
    result = content["result"]
    out.table(
        "By stage",
        ["stage", ">kg CO2e", ">share"],
        [
            [
                f"{STAGES[one['id']]['zh']} {STAGES[one['id']]['en']}",
                kg_of(one["co2e_mg"]),
                texts.percent(one["share_ppm"]),
            ]
            for one in result["stages"]
        ],
    )
    out.say(f"Primary data: {texts.percent(result['primary_ppm'])}")
    out.say(f"Cut off: {texts.percent(result['product']['cut_off']['share_ppm'])}")
    for label in labels([use for line in result["lines"] for use in line["factors"]]):
        out.say(f"Factor: {label}")
    for one in result["claims"]:
        out.say(f"Claim {one['id']}: {one['status']}")


@footprint.command("list")
def list_footprints(directory: Dir = None, as_json: Json = False) -> None:
    """Footprints in force; those that rest on a claim which has ended say so."""
    house, out = open_house(directory), Output(as_json=as_json)
    rows: list[dict[str, Any]] = []
    with db.reading(house.engine) as conn:
        ended = uses.ended_under(conn, house.log.log_id)
        for one in store.list_reports(conn, house.log.log_id, kind=FOOTPRINT):
            result = store.load(conn, house.log, one)["result"]
            rows.append(
                {
                    "report": one.report,
                    "version": one.number + 1,
                    "entry": one.entry_index,
                    "product": result["record"]["name"],
                    "name": result["product"]["name"],
                    "period": result["period"]["name"],
                    "kg_co2e": result["totals"]["including_uptake_kg"],
                    "notes": [two.said for two in ended.get((one.report, one.number), ())],
                }
            )
    out.table(
        "Footprints",
        ["report", "product", "period", ">version", ">kg CO2e", ">entry", "note"],
        [
            [
                row["report"][:12],
                row["name"]["en"],
                row["period"],
                str(row["version"]),
                row["kg_co2e"],
                str(row["entry"]),
                "; ".join(row["notes"]) or "–",
            ]
            for row in rows
        ],
    )
    out.result({"footprints": rows})


def _find(house: House, text: str) -> tuple[Version, dict[str, Any], list[str]]:
    with db.reading(house.engine) as conn:
        known = store.list_reports(conn, house.log.log_id, kind=FOOTPRINT)
        some = [one for one in known if one.report.startswith(text)]
        one = one_of_id(some, text, "footprint", "greenledger footprint list")
        content = store.load(conn, house.log, one)
        place = one.report, one.number
        ended = uses.ended_under(conn, house.log.log_id, {place}).get(place, [])
    return one, content, [two.said for two in ended]


@footprint.command("show")
def show(which: ReportId, directory: Dir = None, as_json: Json = False) -> None:
    """A footprint by stage, with its factors and claims."""
    house, out = open_house(directory), Output(as_json=as_json)
    one, content, notes = _find(house, which)
    result = content["result"]
    name = result["product"]["name"]
    out.say(f"{name['zh']} {name['en']}, {result['period']['name']}, version {one.number + 1}")
    totals = result["totals"]
    of = result["product"]
    out.say(f"{totals['including_uptake_kg']} kg CO2e for {of['amount']} {of['unit']}")
    _say(out, content)
    for note in notes:
        out.say(f"Note: it {note}")
    out.say(f"Entries that it rests on: {len(result['inputs'])}.")
    out.result({"report": one.report, "version": one.number + 1, "notes": notes, **content})


@footprint.command("report")
def report(
    which: ReportId,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    to: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The report after GB/T 24067-2024, as Markdown."""
    house, out = open_house(directory), Output(as_json=as_json)
    if language not in texts.LANGUAGES:
        raise InvalidInput(f"--language {language!r}: it is zh or en")
    _, content, notes = _find(house, which)
    written = texts.markdown(content, "zh" if language == "zh" else "en", ended=notes)
    if to is not None:
        to.write_text(written, encoding="utf-8", newline="\n")
        out.say(f"Written to {to}.")
    else:
        out.say(written)
    out.result({"markdown": written, "file": str(to or "")})
