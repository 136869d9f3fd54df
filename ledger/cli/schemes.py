"""greenledger scheme …, project …: the rules that units live by, and what they are issued for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.cli.approving import As, OfficerKey, carried
from ledger.cli.matching import period_of
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, park_date, span
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.log.service import Receipt
from ledger.metering import store as metering
from ledger.metering.service import find_points
from ledger.registry import catalogue, project, service, store
from ledger.registry.project import Project
from ledger.registry.scheme import Scheme, UnitClass, parse_toml, shipped, shipped_schemes
from ledger.units import Period

scheme = typer.Typer(
    help="Schemes: the rules of certificates and credits, each with its source.",
    no_args_is_help=True,
)
projects = typer.Typer(help="Projects that units are issued for.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(scheme, name="scheme")
    app.add_typer(projects, name="project")


# Schemes


@scheme.command("list")
def list_schemes(directory: Dir = None, as_json: Json = False) -> None:
    """Schemes that are registered, and those that come with the program."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        registered = catalogue.current_schemes(conn, house.log.log_id)
    entries = {name: one.entry_index for name, one in registered.items()}
    known = {name: shipped(name) for name in shipped_schemes()}
    known |= {name: one.rules for name, one in registered.items()}
    out = Output(as_json=as_json)
    out.table(
        "Schemes",
        ["scheme", "kind", "a unit is", "valid", "classes", "status", ">entry"],
        [
            [
                name,
                rules.kind,
                rules.amount(1),
                _validity(rules),
                ", ".join(sorted(rules.classes)),
                rules.status,
                str(entries.get(name, "not yet")),
            ]
            for name, rules in sorted(known.items())
        ],
    )
    for name, rules in sorted(known.items()):
        out.say(f"{name}: {rules.name}. {rules.status.capitalize()} source: {rules.source}")
    out.say()
    out.say("All rules of one: greenledger scheme show NAME. They count from their entry on.")
    out.result(
        {"schemes": [_scheme_json(rules, entries.get(name)) for name, rules in known.items()]}
    )


@scheme.command("show")
def show_scheme(
    name: Annotated[str, typer.Argument(help="The scheme, such as gec or ccer.")],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The rules of a scheme in force; those that come with the program where none are."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        known = catalogue.current_schemes(conn, house.log.log_id).get(name)
    rules = known.rules if known else shipped(name)
    out = Output(as_json=as_json)
    out.table(f"Scheme {name}", ["what", "is"], _rules_rows(rules, house.log.zone))
    out.table(
        "Classes of units",
        ["class", "changes hands", "by", "lots behind it, where metered here"],
        [[one.name, _moves(one), one.moved_by, _lots(one)] for _, one in _classes(rules)],
    )
    if known:
        out.say(f"In force since entry {known.entry_index}.")
    else:
        out.say(f"Not in force yet: greenledger scheme register {name}")
    out.result(_scheme_json(rules, known.entry_index if known else None))


@scheme.command("register")
def register_scheme(
    name: Annotated[str, typer.Argument(help="The scheme's id: a-z 0-9 -, for good.")],
    file: Annotated[
        Path | None, typer.Option(help="Its rules (TOML); without: those that come with us.")
    ] = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put the rules of a scheme in force, or replace them from now on."""
    house = open_house(directory)
    rules = _rules_of_file(name, file) if file else shipped(name)
    with db.reading(house.engine) as conn:
        known = catalogue.current_schemes(conn, house.log.log_id).get(name)
    out = Output(as_json=as_json)
    if known is not None and known.rules == rules:
        out.say(f"These rules of {name} are in force already, since entry {known.entry_index}.")
        out.result({**_scheme_json(rules, known.entry_index), "repeated": True})
        return
    receipt = carried(
        out,
        house,
        lambda desk: service.register_scheme(desk, rules),
        officer=officer,
        officer_key=officer_key,
        summary={"scheme": name, "file": file.name if file else ""},
    )
    if receipt is None:
        return
    done = "Replaced the rules of" if known else "Registered"
    out.say(f"{done} scheme {name}, {rules.name}, by entry {receipt.index}.")
    out.say(f"{rules.status.capitalize()} source: {rules.source}")
    if rules.status != "official":
        out.say(f"Compare them with what holds for you: greenledger scheme show {name}")
    out.result({**_scheme_json(rules, receipt.index), "repeated": False})


def _rules_of_file(name: str, file: Path) -> Scheme:
    if not file.is_file():
        raise NotFound(f"no file {file}")
    return parse_toml(name, file.read_text(encoding="utf-8"), str(file))


def _classes(rules: Scheme) -> list[tuple[str, UnitClass]]:
    return sorted(rules.classes.items())


def _validity(rules: Scheme) -> str:
    return f"{rules.validity_months} months" if rules.validity_months else "for good"


def _moves(one: UnitClass) -> str:
    if one.moves_max > 999:
        return "freely"
    return {0: "never", 1: "once"}.get(one.moves_max, f"{one.moves_max} times at most")


def _lots(one: UnitClass) -> str:
    if not one.lot_classes:
        return "none"
    names = {0: "left over", 1: "self-use", 2: "direct", 3: "storage", 4: "green trade", 5: "stamp"}
    return f"{', '.join(names[each] for each in one.lot_classes)}: {one.lots}"


def _rules_rows(rules: Scheme, zone: str) -> list[list[str]]:
    vintages = [f"from {park_date(at_s, zone)}: {policy}" for at_s, policy in rules.vintages]
    barred = [
        f"{technology} from {park_date(from_s, zone)}"
        + (f" to {park_date(to_s, zone)}" if to_s is not None else "")
        for technology, from_s, to_s in rules.barred
    ]
    return [
        ["name", rules.name],
        ["kind", rules.kind],
        ["a unit is", rules.amount(1)],
        [
            "valid",
            f"{_validity(rules)}{', that of production included' * bool(rules.validity_months)}",
        ],
        ["purposes", ", ".join(rules.purposes)],
        *([["vintages", "; ".join(vintages)]] if vintages else []),
        *(
            [["of an obligation", f"{_percent(rules.cap_ppm)} at most"]]
            * (rules.kind != "certificate")
        ),
        *([["not registered", "; ".join(barred)]] if barred else []),
        *([["freezes", ", ".join(rules.freezes)]] if rules.freezes else []),
        *([["buffer", _percent(rules.buffer_ppm)]] if rules.buffer_ppm else []),
        ["source", rules.source],
        ["status", rules.status],
    ]


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:g} %"


def _scheme_json(rules: Scheme, entry: int | None) -> dict[str, Any]:
    return {"scheme": rules.scheme, "entry": entry, **rules.to_json()}


# Projects


@projects.command("register")
def register_project(
    of: Annotated[str, typer.Argument(metavar="SCHEME", help="The scheme, such as gec or ccer.")],
    code: Annotated[str, typer.Argument(help="The project's code in its registry.")],
    name: Annotated[str, typer.Option(help="The project's name.")] = "",
    owner: Annotated[str, typer.Option(help="Party that owns it.")] = "",
    plant: Annotated[
        str, typer.Option(help="The plant, a-z 0-9 -: projects of all schemes at it name it so.")
    ] = "",
    technology: Annotated[str, typer.Option(help="wind, pv, ccus, …")] = "",
    point: Annotated[
        list[str] | None,
        typer.Option(help="Point here that meters it; repeatable. `none`: it has none any more."),
    ] = None,
    state: Annotated[
        str,
        typer.Option(help=f"One of {', '.join(project.STATES)} (default: {project.REGISTERED})."),
    ] = "",
    start: Annotated[str, typer.Option("--from", help="First day of its crediting period.")] = "",
    end: Annotated[str, typer.Option("--to", help="Day after the last.")] = "",
    inside_ets: Annotated[
        bool | None,
        typer.Option(
            "--inside-ets/--outside-ets", help="Whether its emissions are surrendered for."
        ),
    ] = None,
    old_generation: Annotated[
        bool | None,
        typer.Option(
            "--old-generation/--new-generation", help="Whether its credits are of the old kind."
        ),
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Register a project, or its next state; what is not given stays as it is.

    Where the scheme says so (124号), certificates of the same plant that were never traded freeze
    with the registration, and are cancelled before its reductions are issued.
    """
    house = open_house(directory)
    if bool(start) != bool(end):
        raise InvalidInput("give both --from and --to, or neither")
    with db.reading(house.engine) as conn:
        before = _master(conn, house, of, code)
        points = None if point is None else _points(conn, house, point)
    given: dict[str, Any] = {
        "name": name,
        "owner": owner,
        "plant": plant,
        "technology": technology,
        "points": points,
        "state": state,
        "crediting": period_of(start, end, house.log.zone) if start else None,
        "inside_ets": inside_ets,
        "old": old_generation,
    }
    master = _merged(code, before, given)
    receipts = service.register_project(house.desk, of, code, master)
    _say_registered(Output(as_json=as_json), house, of, code, master, receipts)


def _master(conn: Connection, house: House, of: str, code: str) -> Project | None:
    catalogue.find_scheme(conn, house.log.log_id, of)
    known = catalogue.current_projects(conn, house.log.log_id).get((of, code))
    return known.master if known else None


def _points(conn: Connection, house: House, names: list[str]) -> tuple[bytes, ...]:
    if names == ["none"]:
        return ()
    return tuple(sorted({one.point for one in find_points(conn, house.log.log_id, names)}))


def _merged(code: str, before: Project | None, given: dict[str, Any]) -> Project:
    """What was registered, with what is given in its place. Raises InvalidInput where a new
    project lacks something."""
    said = {key: value for key, value in given.items() if value not in (None, "")}
    if before is None:
        missing = [key for key in ("name", "owner", "plant", "technology") if key not in said]
        if missing:
            options = ", ".join(f"--{key}" for key in missing)
            raise InvalidInput(f"project {code} is new: give {options} too")
        return Project.from_json(Project(**said).to_json())
    changed = {key: getattr(before, key) for key in given} | said
    return Project.from_json(Project(**changed).to_json())


def _say_registered(
    out: Output, house: House, of: str, code: str, master: Project, receipts: list[Receipt]
) -> None:
    receipt, frozen = receipts[-1], receipts[:-1]
    with db.reading(house.engine) as conn:
        rows = [row for one in frozen for row in store.begun_by(conn, house.log.log_id, one.index)]
        schemes = catalogue.current_schemes(conn, house.log.log_id)
    replaced = bool(receipt.entry.statement["replaces"])
    done = "Registered anew" if replaced else "Registered"
    out.say(
        f"{done}: project {of}/{code}, {master.name}, {master.state}, by entry {receipt.index}."
    )
    for name in sorted({row.batch.scheme for row in rows}):
        units = sum(len(row.units) for row in rows if row.batch.scheme == name)
        out.say(
            f"{schemes[name].rules.said(units)} of plant {master.plant} are frozen with it, by"
            f" {'entry' if len(frozen) == 1 else 'entries'}"
            f" {', '.join(str(one.index) for one in frozen)}: they were never traded (124号)."
        )
    out.result(
        {
            "scheme": of,
            "project": code,
            "entry": receipt.index,
            "frozen": [
                {"serial": f"{row.batch}:{row.units}", "owner": row.owner, "entry": row.entry_index}
                for row in rows
            ],
            **master.to_json(),
        }
    )


@projects.command("list")
def list_projects(
    of: Annotated[str, typer.Option("--scheme", help="Of this scheme alone.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Projects as last registered."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        if of:
            catalogue.find_scheme(conn, house.log.log_id, of)
        found = [
            one
            for _, one in sorted(catalogue.current_projects(conn, house.log.log_id).items())
            if of in ("", one.scheme)
        ]
        points = metering.current_points(conn, house.log.log_id)
    out = Output(as_json=as_json)
    out.table(
        "Projects",
        [
            "project",
            "name",
            "owner",
            "plant",
            "technology",
            "points",
            "state",
            "crediting",
            ">entry",
        ],
        [
            [
                f"{one.scheme}/{one.project}",
                one.master.name,
                one.master.owner,
                one.master.plant,
                one.master.technology,
                ", ".join(points[each].master.name for each in one.master.points) or "–",
                one.master.state + _flags(one.master),
                _crediting(one.master.crediting, house.log.zone),
                one.entry_index,
            ]
            for one in found
        ],
    )
    if not found:
        out.say("No project is registered yet: greenledger project register.")
    out.result(
        {
            "projects": [
                {
                    "scheme": one.scheme,
                    "project": one.project,
                    "entry": one.entry_index,
                    **one.master.to_json(),
                }
                for one in found
            ]
        }
    )


def _flags(master: Project) -> str:
    flags = [(master.inside_ets, "inside ETS"), (master.old, "old generation")]
    said = ", ".join(text for is_so, text in flags if is_so)
    return f" ({said})" if said else ""


def _crediting(period: Period | None, zone: str) -> str:
    return span(period.start_s, period.end_s, zone) if period else "–"
