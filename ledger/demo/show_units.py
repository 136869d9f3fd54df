"""What the demo's summary says of certificates and credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ledger.demo.printing import (
    INDENT,
    bullet,
    mwh,
    paragraph,
    percent,
    plain_table,
    verdict,
)
from ledger.demo.texts import Texts

Summary = Mapping[str, Any]
_FINAL: Final = "final"


def show_units(console: Console, texts: Texts, summary: Summary) -> None:
    say, units = texts.say, summary["units"]
    console.print(_issued_table(texts, units))
    for line in _lines(texts, units):
        bullet(console, line)
    console.print()
    console.print(_claims_table(texts, summary["claims"]))
    paragraph(console, say("units.bound"))
    for line in _credit_lines(texts, units):
        bullet(console, line)
    _show_official(console, texts, summary)
    for one in units["refusals"]:
        good = bool(one["why"])
        key = f"refused.{one['key']}"
        verdict(console, say("refused" if good else "not_refused", what=say(key)), good=good)
    paragraph(console, say("units.words"))
    (bought,) = [check for check in summary["checks"] if check["subject"] == "bought"]
    good = bought["as_expected"]
    if good:
        line = bought["lines"]["certificates"]
        said = say("check.bought", units=f"{line['units']:,}", imports=len(line["imports"]))
    else:
        said = say("check.wrong", why=bought["why"])
    verdict(console, f"{said} ({bought['path']})", good=good)


def _issued_table(texts: Texts, units: Summary) -> Padding:
    """Project by project and class: what its lots are worth, what was issued, what is carried."""
    say = texts.say
    table = plain_table()
    table.add_column(say("col.project"), no_wrap=True)
    table.add_column(say("col.class"), no_wrap=True)
    for name in ("lots", "issued", "left"):
        table.add_column(say(f"col.{name}"), justify="right", no_wrap=True)
    for one in units["issued"]:
        for number, (class_, row) in enumerate(one["classes"].items()):
            table.add_row(
                "" if number else one["project"],
                say(f"class.{class_}"),
                f"{row['eligible_wh'] / 1e6:,.3f}",
                f"{row['units']:,}",
                f"{row['left_wh'] / 1e6:,.3f}",
            )
    return Padding(table, (0, 0, 0, INDENT), expand=False)


def _lines(texts: Texts, units: Summary) -> list[str]:
    say, classes = texts.say, units["certificates"]
    sure = [(one["scheme"], say(f"status.{one['status']}")) for one in units["schemes"]]
    status = say("list").join(" ".join(pair) for pair in sure)
    return [
        say("units.rules", status=status),
        say("units.issued"),
        say(
            "units.settled",
            units=f"{units['settled_units']:,}",
            left=f"{classes['green-trade']['issued'] - units['settled_units']:,}",
        ),
        say("units.listed", units=f"{units['listed_units']:,}"),
        say(
            "units.frozen",
            frozen=f"{units['frozen_units']:,}",
            expired=f"{units['expired_units']:,}",
        ),
    ]


def _claims_table(texts: Texts, claims: Sequence[Summary]) -> Padding:
    """One row for each consumption point, of all its claims together."""
    say = texts.say
    table = plain_table()
    table.add_column(say("col.point"), no_wrap=True)
    for name in ("bound", "lots_share", "more", "with_more", "residual"):
        table.add_column(say(f"col.{name}"), justify="right", no_wrap=True)
    table.add_column(say("col.official"), no_wrap=True)
    by_points: dict[str, list[Summary]] = {}
    for one in claims:
        by_points.setdefault(", ".join(one["points"]), []).append(one)
    for points, mine in by_points.items():
        # A later claim of the same time is of what the earlier ones left: one consumption.
        whole_wh = max(one["consumption_wh"] for one in mine)
        lots_wh = sum(one["claimed_wh"] for one in mine)
        more_wh = sum(one["certificate_wh"] for one in mine)
        final = all(one["official"] == _FINAL for one in mine)
        table.add_row(
            points,
            f"{sum(one['bound_units'] for one in mine):,}",
            percent(lots_wh, whole_wh),
            f"{sum(one['certificate_units'] for one in mine):,}",
            Text(percent(lots_wh + more_wh, whole_wh), style="bold"),
            mwh(whole_wh - lots_wh - more_wh),
            say("official.final" if final else "official.pending"),
        )
    return Padding(table, (0, 0, 0, INDENT), expand=False)


def _credit_lines(texts: Texts, units: Summary) -> list[str]:
    say, capture = texts.say, units["capture"]
    return [
        say(
            "units.capture",
            captured=_tonnes(capture["captured_g"]),
            stored=_tonnes(capture["stored_g"]),
            emissions=_tonnes(capture["emissions_g"]),
            net=_tonnes(capture["net_g"]),
            buffer=_tonnes(capture["buffer_g"]),
            verifier=capture["verifier"],
        ),
        say(
            "units.internal",
            avoided=f"{capture['units']['avoided']:,}",
            removal=f"{capture['units']['removal']:,}",
            retired=f"{units['internal']['retired']:,}",
        ),
        say("units.ccer", issued=units["ccer"]["issued"], retired=units["ccer"]["retired"]),
    ]


def _tonnes(mass_g: int) -> str:
    return f"{mass_g / 1e6:,.1f} t"


def _show_official(console: Console, texts: Texts, summary: Summary) -> None:
    say, found = texts.say, summary["units"]["reconciled"]
    bullet(
        console,
        say(
            "units.reconciled",
            agrees=f"{found['units']['agrees']:,}",
            missing=say("list").join(found["missing_here"]),
            conflict=say("list").join(found["conflict"]),
        ),
    )
    shown = summary["units"]["disclosed"]
    bullet(
        console,
        say(
            "units.disclosed",
            party=shown["beneficiary"],
            units=f"{shown['units']:,}",
            entry=shown["entry"],
        ),
    )
