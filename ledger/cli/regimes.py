"""greenledger regime …: under which rules figures stand, and how each supply counts there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ledger import db
from ledger.accounting import regimes, titles
from ledger.accounting.regime import (
    HOUR,
    INTERVAL,
    LINE,
    OWN,
    TECHNOLOGY,
    ZERO,
    ElectricityRule,
    FactorRule,
    Regime,
)
from ledger.accounting.regime_reading import parse_toml, shipped, shipped_regimes
from ledger.accounting.regimes import Registered
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output
from ledger.errors import NotFound

regime = typer.Typer(
    help="Regimes: how each supply counts in a figure, by which source.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="The regime, such as ndrc-910 or ghg-market.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(regime, name="regime")


@regime.command("list")
def list_regimes(directory: Dir = None, as_json: Json = False) -> None:
    """Regimes that are in force, and those that come with the program."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = regimes.current(conn, house.log)
    known = {name: shipped(name) for name in shipped_regimes()}
    known |= {name: one.rules for name, one in found.items()}
    out = Output(as_json=as_json)
    out.table(
        "Regimes",
        ["regime", "title", "figure", "offsets", "status", ">entry"],
        [
            [
                name,
                f"{rules.title['zh']} | {rules.title['en']}",
                rules.figure,
                rules.offsets.mode,
                rules.status,
                str(found[name].entry_index) if name in found else "not yet",
            ]
            for name, rules in sorted(known.items())
        ],
    )
    out.say("How each supply counts in one: greenledger regime show NAME.")
    out.result(
        {"regimes": [_regime_json(rules, found.get(name)) for name, rules in sorted(known.items())]}
    )


@regime.command("show")
def show_regime(name: Name, directory: Dir = None, as_json: Json = False) -> None:
    """A regime: how each supply class counts, terms, offsets, tests, source and status."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        known = regimes.current(conn, house.log).get(name)
    rules = known.rules if known else shipped(name)
    out = Output(as_json=as_json)
    out.table(f"Regime {name}", ["what", "is"], _about(rules))
    if rules.electricity is not None:
        out.table("Electricity", ["supply", "counts"], _supply(rules.electricity))
    else:
        out.say("Electricity: no term.")
    if rules.terms:
        out.table(
            "Other terms",
            ["term", "scope", "directions", "counts"],
            [
                [
                    _said(titles.CATEGORIES[one.category]),
                    str(one.scope or "–"),
                    ", ".join(one.directions),
                    "on a line of its own" if one.counts == LINE else "in the total",
                ]
                for one in rules.terms.values()
            ],
        )
    for one in rules.tests:
        out.say(f"Test: {_said(one.title)}. {one.status.capitalize()} source: {one.source}")
    for note in rules.notes:
        out.say(_said(note))
    if known:
        out.say(f"In force since entry {known.entry_index}, put by {known.author}.")
    else:
        out.say(f"Not in force yet: greenledger regime register {name}")
    out.result(_regime_json(rules, known))


@regime.command("register")
def register_regime(
    name: Name,
    file: Annotated[
        Path | None, typer.Option(help="Its rules (TOML); without: those that come with us.")
    ] = None,
    party: Annotated[str, typer.Option(help="Who puts it; without: the operator.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Put a regime in force, or replace it from now on; what was published stays as it is."""
    house = open_house(directory)
    if file is not None and not file.is_file():
        raise NotFound(f"no file {file}")
    rules = (
        shipped(name)
        if file is None
        else parse_toml(name, file.read_text(encoding="utf-8"), str(file))
    )
    receipt = regimes.register(house.desk, rules, author=party)
    out = Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        known = regimes.find(conn, house.log, name)
    if receipt is None:
        out.say(f"Regime {name} is in force as it stands, since entry {known.entry_index}.")
    else:
        out.say(f"Regime {name}, {_said(rules.title)}, is in force by entry {receipt.index}.")
        out.say(f"{rules.status.capitalize()} source: {rules.source}")
    out.result({**_regime_json(rules, known), "repeated": receipt is None})


@regime.command("register-shipped")
def register_shipped(directory: Dir = None, as_json: Json = False) -> None:
    """Put all regimes in force that came with the program and were never put here."""
    house, out = open_house(directory), Output(as_json=as_json)
    found = regimes.ensure(house.desk)
    out.say(f"Registered: {', '.join(found)}." if found else "All of them were put here before.")
    out.say("Compare them with what holds for you: greenledger regime list")
    out.result({"regimes": found})


def _said(title: Any) -> str:
    return f"{title['zh']} | {title['en']}"


def _about(rules: Regime) -> list[list[str]]:
    offsets = rules.offsets
    said = {
        "none": "no term: they change no figure, and stand apart",
        "line": "on a line of their own, subtracted from nothing",
        "capped": f"{', '.join(offsets.schemes)} for {offsets.purpose}, at most"
        f" {_percent(offsets.cap_ppm)}"
        + (
            f", of it at least {_percent(offsets.local_ppm)} {offsets.local_scheme}"
            if offsets.local_ppm
            else ""
        )
        + f" ({offsets.status}: {offsets.source})",
    }[offsets.mode]
    return [
        ["title", _said(rules.title)],
        ["figure", rules.figure],
        ["gases", ", ".join(rules.gases) or "none"],
        *([["potentials", rules.gwp]] if rules.gwp else []),
        ["offsets", said],
        *(
            [["share", f"{rules.share.set}: {_said(rules.share.definition)}"]]
            if rules.share
            else []
        ),
        *([f"set {name}", ", ".join(sorted(found))] for name, found in rules.sets.items()),
        ["source", rules.source],
        ["status", rules.status],
    ]


def _supply(electricity: ElectricityRule) -> list[list[str]]:
    rows = [
        [_said(titles.CLASSES[name]), _counts(electricity, how)]
        for name, how in electricity.classes.items()
    ]
    if electricity.export_factor:
        zero = electricity.export_zero_set
        sold = _factor(electricity.factors[electricity.export_factor])
        rows.append(
            [
                _said(titles.CLASSES["export"]),
                f"{zero}: 0; else less {sold}" if zero else f"less {sold}",
            ]
        )
    if electricity.matched == INTERVAL or electricity.resolution == HOUR:
        rows.append(["", "only what is matched in its own quarter-hour; else residual"])
    return rows


def _counts(electricity: ElectricityRule, how: str) -> str:
    if how == ZERO:
        return "0"
    if how not in (TECHNOLOGY, OWN):
        hourly = ", hour by hour" * (electricity.resolution == HOUR)
        return f"{_factor(electricity.factors[how])}{hourly}"
    parts = [
        f"{technology}: {electricity.factors[name].item}"
        for technology, name in electricity.technologies.items()
    ]
    if electricity.zero_set:
        parts.append(f"{electricity.zero_set}: 0")
    if how == OWN:
        parts.append("own fuel: counts as fuel")
    elif electricity.other:
        parts.append(f"else {_factor(electricity.factors[electricity.other])}")
    return "; ".join(parts)


def _factor(rule: FactorRule) -> str:
    where = f", {rule.level}" if rule.level else ""
    return f"{rule.item}{where}, {rule.year or 'year of the period'}"


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:g} %"


def _regime_json(rules: Regime, known: Registered | None) -> dict[str, Any]:
    return {
        "regime": rules.name,
        "entry": known.entry_index if known else None,
        "author": known.author if known else None,
        **rules.content,
    }
