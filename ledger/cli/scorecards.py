"""greenledger scorecard …: how the park stands against a standard, clause by clause."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db
from ledger.cli import scorecards_shown as shown
from ledger.cli.object_file import read_object
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output
from ledger.cli.reports import find
from ledger.errors import InvalidInput, NotFound
from ledger.house import COMPUTES, House
from ledger.records import store as records
from ledger.reports.model import BALANCE
from ledger.reports.store import load
from ledger.scorecard import catalogue, service
from ledger.scorecard.asked import EMISSIONS, SHARE
from ledger.scorecard.standard import REGISTER, Standard
from ledger.scorecard.statement import statement_of

DEFAULT = "zero-carbon-park-guideline"
scorecard = typer.Typer(
    help="How the park stands against each clause of a standard.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="STANDARD", help="See: scorecard standards.")]
Period = Annotated[str, typer.Option(help="A year 2026 or a month 2026-03, of park time.")]
AsOf = Annotated[int | None, typer.Option(help="A log size; without: the present one.")]
Region = Annotated[
    str, typer.Option(help="GB/T 2260 digits of the park, where its points do not say them.")
]
DirectRegion = Annotated[
    str,
    typer.Option(help="Prefix of the regions whose plants supply directly; without: the province."),
]
ShareRegime = Annotated[
    str, typer.Option(help="By which regime the renewable share is computed; else the guideline's.")
]
EmissionsRegime = Annotated[
    str, typer.Option(help="By which regime emissions per energy are computed; else ndrc-910.")
]
About = Annotated[
    Path | None,
    typer.Option(help="All that is asked (sets, substitutions …), as TOML or JSON; options add."),
]
Language = Annotated[str, typer.Option(help="zh, en, or both.")]
Author = Annotated[str, typer.Option(help="Who signs; without: the operator.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(scorecard, name="scorecard")


@scorecard.command("show")
def show(
    standard: Name = DEFAULT,
    period: Period = "",
    as_of: AsOf = None,
    region: Region = "",
    direct_region: DirectRegion = "",
    share_regime: ShareRegime = "",
    emissions_regime: EmissionsRegime = "",
    about: About = None,
    publish: Annotated[bool, typer.Option("--publish", help="Put it in the log.")] = False,
    author: Author = "",
    key: HeldKey = None,
    language: Language = "both",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Each clause: met, partly, not met, a gap or not applicable; by what, and against what."""
    house, out = open_house(directory), Output(as_json=as_json)
    shown.require_language(language)
    asked = _asked(about, standard, period, region, direct_region, share_regime, emissions_regime)
    if not publish:
        with db.reading(house.engine) as conn:
            content = service.look(conn, house.log, asked, as_of)
        shown.show(out, content, house.log.zone, language)
        out.say("A draft; to put it in the log: --publish")
        out.result({"published": False, **content})
        return
    content, entry = _published(house, asked, author, as_of, key)
    shown.show(out, content, house.log.zone, language)
    out.say(f"Published, entry {entry}.")
    out.result({"published": True, "entry": entry, **content})


def _published(
    house: House, asked: dict[str, Any], author: str, as_of: int | None, key: Path | None
) -> tuple[dict[str, Any], int]:
    # What is published goes by the log, so the standard has to be there first.
    service.ensure(house.desk, asked["standard"])
    receipt = service.publish(
        house.desk,
        COMPUTES,
        asked,
        author=author,
        as_of=as_of,
        key=read_key(key) if key else None,
    )
    size = receipt.entry.statement["as_of"]
    with db.reading(house.engine) as conn:
        return service.look(conn, house.log, asked, size), receipt.index


@scorecard.command("gaps")
def gaps(
    standard: Name = DEFAULT,
    period: Period = "",
    as_of: AsOf = None,
    region: Region = "",
    direct_region: DirectRegion = "",
    share_regime: ShareRegime = "",
    emissions_regime: EmissionsRegime = "",
    about: About = None,
    language: Language = "both",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """What is not met yet, what has to be first, and what would close it."""
    house, out = open_house(directory), Output(as_json=as_json)
    shown.require_language(language)
    asked = _asked(about, standard, period, region, direct_region, share_regime, emissions_regime)
    with db.reading(house.engine) as conn:
        content = service.look(conn, house.log, asked, as_of)
    found = shown.show_gaps(out, content, house.log.zone, language)
    out.result({"as_of": content["as_of"], "about": content["about"], "gaps": found})


def _asked(
    about: Path | None,
    standard: str,
    period: str,
    region: str,
    direct_region: str,
    share_regime: str,
    emissions_regime: str,
) -> dict[str, Any]:
    found = {**(read_object(about) if about else {}), "standard": standard}
    given = {"period": period, "region": region, "direct_region": direct_region}
    found |= {name: value for name, value in given.items() if value}
    by_role = {SHARE: share_regime, EMISSIONS: emissions_regime}
    named = {role: name for role, name in by_role.items() if name}
    if named:
        found["regimes"] = {**found.get("regimes", {}), **named}
    if "period" not in found:
        raise InvalidInput("no period is given: --period 2026")
    return found


@scorecard.command("statement")
def statement(
    report: Annotated[str, typer.Argument(help="A published inventory or balance.")],
    regime: Annotated[str, typer.Option(help="Under which regime; one that the report has.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """What may be printed of who calls itself zero-carbon (clause 3.1): with regime, boundary,
    period and gases, offsets apart; or nothing."""
    house, out = open_house(directory), Output(as_json=as_json)
    found = find(house, report)
    with db.reading(house.engine) as conn:
        content = load(conn, house.log, found)
    result = content["result"]
    whole = " with all members of the park" if content["kind"] == BALANCE else ""
    said = statement_of(content, regime, f"{result.get('name', '')}{whole}")
    out.say(said.zh)
    out.say(said.en)
    out.say(f"Published as report {found.report}, entry {found.entry_index}.")
    out.result({"report": found.report, "entry": found.entry_index, **said.to_json()})


@scorecard.command("standards")
def standards(directory: Dir = None, as_json: Json = False) -> None:
    """Standards that the log has in force, and those that come with the program."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        in_force = records.current(conn, house.log.log_id, REGISTER)
    found: list[tuple[str, Standard, int | None]] = [
        (name, Standard.from_json(one.content), one.entry_index) for name, one in in_force.items()
    ]
    found += [
        (name, catalogue.shipped(name), None)
        for name in catalogue.shipped_standards()
        if name not in in_force
    ]
    shown.show_standards(out, found)
    out.result(
        {
            "standards": [
                {
                    "name": name,
                    "title": one.title.to_json(),
                    "source": one.source,
                    "status": one.status,
                    "clauses": len(one.clauses),
                    "entry": entry,
                }
                for name, one, entry in found
            ]
        }
    )


@scorecard.command("register")
def register(
    name: Annotated[str, typer.Argument(help="Its name: 1–64 characters of a-z 0-9 -.")],
    file: Annotated[
        Path | None, typer.Option(help="A TOML file; without: the one that came with the program.")
    ] = None,
    author: Author = "",
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put a standard in force, or a new version of it: data, with source and status."""
    house, out = open_house(directory), Output(as_json=as_json)
    if file is None:
        standard = catalogue.shipped(name)
    elif file.is_file():
        standard = catalogue.parse_toml(file.read_text(encoding="utf-8"), file.name)
    else:
        raise NotFound(f"no file {file}")
    receipt = service.register(
        house.desk, name, standard, author=author, key=read_key(key) if key else None
    )
    out.say(
        f"Standard {name}: {len(standard.clauses)} lines, {standard.source}"
        f" ({standard.status}); entry {receipt.index}."
    )
    out.result({"name": name, "clauses": len(standard.clauses), "entry": receipt.index})
