"""The summary for people, from the stored object alone: the second start shows the same."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ledger.demo.printing import (
    INDENT,
    bullet,
    count,
    energy,
    hanging,
    heading,
    mwh,
    paragraph,
    percent,
    plain_table,
    verdict,
)
from ledger.demo.show_figures import show_figures
from ledger.demo.show_units import show_units
from ledger.demo.texts import Texts
from ledger.metering.quality import Quality

Summary = Mapping[str, Any]

_GROUPS: Final = (
    ("generation",),
    ("consumption",),
    ("storage-charge", "storage-discharge"),
    ("grid-import", "grid-export"),
)
_CLASSES: Final = (("self", "self_use"), ("direct", "direct_supply"), ("trade", "green_trade"))
# Checks that are shown with the claims, in their order; kinds of provenance as evidence names them.
_OF_CLAIMS: Final = ("evidence", "sampled", "forged-evidence")
# Shown with certificates, and with figures.
_ELSEWHERE: Final = ("bought", "pack")
_PROVENANCE: Final = {
    "meter": "meter-signed",
    "gateway": "gateway-signed",
    "party": "party-import",
    "operator": "operator",
}
_BAR: Final = 16


def show(console: Console, texts: Texts, summary: Summary, folder: Path) -> None:
    """Print it all; readable from 80 columns on."""
    say = texts.say
    console.print(Rule(say("title", year=summary["year"]), style="green"))
    console.print(Text(say("label", seed=summary["seed"]), style="bold yellow"), justify="center")
    clock = summary["units"]["clock"]
    console.print(
        Text(say("clock", begins=clock["from"], ends=clock["to"]), style="dim"), justify="center"
    )
    heading(console, say("energy"))
    console.print(_energy_table(texts, summary["points"]))
    heading(console, say("shares"))
    console.print(_shares_table(texts, summary))
    for line in _share_lines(texts, summary):
        paragraph(console, line)
    heading(console, say("quality"))
    for line in _quality_lines(texts, summary):
        bullet(console, line)
    heading(console, say("claims"))
    _show_claims(console, texts, summary)
    heading(console, say("units"))
    show_units(console, texts, summary)
    heading(console, say("figures"))
    show_figures(console, texts, summary)
    heading(console, say("evidence"))
    _show_evidence(console, texts, summary, folder)
    heading(console, say("next"))
    for key, command in _commands(folder, summary):
        console.print(f"  [dim]# {say(f'next.{key}')}[/]")
        # One line however long, so that it can be copied.
        console.print(Text(f"  {command}"), soft_wrap=True)
    console.print()
    console.print(
        Text(say("seconds", seconds=summary["seconds"], dir=_short(folder)), style="dim"),
        soft_wrap=True,
    )


# Tables


def _energy_table(texts: Texts, points: Sequence[Summary]) -> Padding:
    say = texts.say
    table = plain_table()
    table.add_column(say("col.point"), no_wrap=True)
    table.add_column(say("col.system"), no_wrap=True)
    for name in ("energy", "matched", "missing"):
        table.add_column(say(f"col.{name}"), justify="right", no_wrap=True)
    table.add_column(say("col.repairs"))
    for kinds in _GROUPS:
        rows = [point for point in points if point["kind"] in kinds]
        counted = [point for point in rows if point["counted"]]
        summed = kinds[0] in ("generation", "consumption")
        table.add_row(
            Text(say(f"kind.{kinds[0]}"), style="bold"),
            "",
            *(_sums(counted) if summed else ("", "")),
            style="bold",
        )
        for point in rows:
            table.add_row(*_point_row(texts, point, matched=summed))
    return Padding(table, (0, 0, 0, INDENT), expand=False)


def _sums(points: Sequence[Summary]) -> tuple[str, str]:
    wh = sum(point["wh"] + point["estimated_wh"] for point in points)
    return mwh(wh), percent(sum(point["matched_wh"] for point in points), wh)


def _point_row(texts: Texts, point: Summary, *, matched: bool) -> list[str]:
    say = texts.say
    wh = point["wh"] + point["estimated_wh"]
    marks = [f"{count:,} {say(f'flag.{flag}')}" for flag, count in point["flags"].items()]
    if not point["counted"]:
        marks = [say("kind.parent")]
    return [
        point["name"],
        say(f"system.{point['park_system']}"),
        mwh(wh),
        percent(point["matched_wh"], wh) if matched and point["counted"] else "",
        count(point["missing"]),
        say("list").join(marks),
    ]


def _shares_table(texts: Texts, summary: Summary) -> Padding:
    say = texts.say
    table = plain_table()
    table.add_column(say("col.by"), no_wrap=True)
    for name in ("matched_mwh", "share", "self", "direct", "trade"):
        table.add_column(say(f"col.{name}"), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    consumption_wh = summary["consumption_wh"]
    for granularity, matched_wh in summary["matched_wh"].items():
        by_class = summary["by_class_wh"][granularity]
        filled = round(_BAR * matched_wh / consumption_wh)
        table.add_row(
            say(f"by.{granularity}"),
            f"{matched_wh / 1e9:,.2f}",
            Text(percent(matched_wh, consumption_wh), style="bold"),
            *(percent(by_class.get(class_, 0), consumption_wh) for _, class_ in _CLASSES),
            Text("█" * filled, style="green").append("░" * (_BAR - filled), style="dim"),
        )
    return Padding(table, (0, 0, 0, INDENT), expand=False)


# Sentences


def _share_lines(texts: Texts, summary: Summary) -> list[str]:
    say = texts.say
    whole, matched = summary["consumption_wh"], summary["matched_wh"]
    apart_wh = matched["year"] - matched["quarter_hour"]
    points = summary["points"]
    counted = [one for one in points if one["kind"] == "consumption" and one["counted"]]
    of_point = {one["name"]: one["wh"] for one in points}
    profiled_wh = sum(one["wh"] for one in counted if one["flags"].get("profiled"))
    return [
        say(
            "shares.flatters",
            year=percent(matched["year"], whole),
            quarter=percent(matched["quarter_hour"], whole),
            points=f"{apart_wh * 100 / whole:.1f}",
            wh=energy(apart_wh),
        ),
        say(
            "shares.definition",
            count=len(counted),
            limit=energy(summary["trade_limit_wh"]),
        ),
        say("shares.profiled", wh=energy(profiled_wh)),
        say(
            "shares.storage",
            discharge=energy(of_point["battery-discharge"]),
            charge=energy(of_point["battery-charge"]),
        ),
    ]


def _quality_lines(texts: Texts, summary: Summary) -> list[str]:
    say = texts.say
    lines = [
        say("quality.generation", point=one["name"], count=one["missing"])
        for one in summary["points"]
        if one["kind"] == "generation" and one["missing"]
    ]
    lines += [
        say(
            "quality.consumption",
            point=one["point"],
            count=one["intervals"],
            wh=energy(one["wh"]),
            rule=say(f"rule.{one['rule']}"),
        )
        for one in summary["estimated"]
    ]
    for one in summary["imports"]:
        name = one["file"].partition("/")[2]
        if one["repeats"]:
            lines.append(say("quality.repeats", file=name, count=one["repeats"]))
        if one["corrected"]:
            lines.append(
                say("quality.correction", file=name, count=one["corrected"], reason=one["reason"])
            )
        lines += [
            say(
                "quality.repair",
                file=name,
                what=say(f"repair.{Quality(repair['flag']).name}".lower()),
                count=f"{repair['count']:,}",
            )
            for repair in one["repairs"]
            if repair["flag"]
        ]
    return lines


def _show_evidence(console: Console, texts: Texts, summary: Summary, folder: Path) -> None:
    say = texts.say
    paragraph(
        console,
        say(
            "evidence.log",
            log=summary["log"],
            size=summary["log_size"],
            intervals=f"{summary['intervals']:,}",
        ),
    )
    facts = Table.grid(padding=(0, 1))
    types = ", ".join(f"{count}×{name}" for name, count in summary["entry_types"].items())
    facts.add_row(say("evidence.types"), Text(types))
    for kind in ("generation", "consumption"):
        signed = say("list").join(
            say(f"signed.{by}", wh=energy(wh)) for by, wh in summary["provenance_wh"][kind].items()
        )
        facts.add_row(say(f"evidence.{kind}"), Text(signed))
    console.print(Padding(facts, (0, 0, 0, INDENT), expand=False))
    # On one line however long, so that they can be copied.
    for name, value in (
        ("checkpoint", _short(folder / summary["checkpoint"])),
        ("vkey", summary["vkey"]),
    ):
        said = say(f"evidence.{name}")
        console.print(Text(f"  {said} {value}"), soft_wrap=True)
    for check in summary["checks"]:
        if check["subject"] not in (*_OF_CLAIMS, *_ELSEWHERE):
            _show_check(console, texts, check)
    verdict(console, say("audit.ok", **summary["audit"]), good=True)
    verified = say("verified.yes" if summary["verified"] else "verified.no")
    paragraph(console, verified, "bold green" if summary["verified"] else "bold red")
    paragraph(console, say("evidence.open"))


def _show_check(console: Console, texts: Texts, check: Summary, **values: object) -> None:
    good = check["as_expected"]
    key = f"check.{check['subject']}" if good else "check.wrong"
    said = texts.say(key, **(values if good else {"why": check["why"]}))
    verdict(console, f"{said} ({check['path']})", good=good)


# Claims


def _claims_table(texts: Texts, claims: Sequence[Summary]) -> Padding:
    """One row for each consumption point, of all its claims together."""
    say = texts.say
    table = plain_table()
    table.add_column(say("col.point"), no_wrap=True)
    table.add_column(say("col.by_party"), no_wrap=True)
    for name in ("claimed", "share", "self", "direct", "trade"):
        table.add_column(say(f"col.{name}"), justify="right", no_wrap=True)
    by_points: dict[str, list[Summary]] = {}
    for one in claims:
        by_points.setdefault(", ".join(one["points"]), []).append(one)
    for points, mine in by_points.items():
        # A later claim of the same time is of what the earlier ones left: one consumption.
        consumption_wh = max(one["consumption_wh"] for one in mine)
        wh = sum(one["claimed_wh"] for one in mine)
        table.add_row(
            points,
            mine[0]["consumer"],
            mwh(wh),
            Text(percent(wh, consumption_wh), style="bold"),
            *(
                percent(sum(one["by_class_wh"].get(class_, 0) for one in mine), consumption_wh)
                for _, class_ in _CLASSES
            ),
        )
    return Padding(table, (0, 0, 0, INDENT), expand=False)


def _show_claims(console: Console, texts: Texts, summary: Summary) -> None:
    say = texts.say
    console.print(_claims_table(texts, summary["claims"]))
    claimed_wh, matched_wh = summary["claimed_wh"], summary["matched_wh"]["quarter_hour"]
    equal = claimed_wh == matched_wh
    said = say(
        "claims.equal" if equal else "claims.unequal",
        claimed=f"{claimed_wh:,}",
        matched=f"{matched_wh:,}",
        count=len(summary["claims"]),
    )
    verdict(console, said, good=equal)
    refused = summary["claimed_again"]
    key = "claims.refused" if refused["why"] else "claims.not_refused"
    verdict(console, say(key, **refused), good=bool(refused["why"]))
    _show_evidence_files(console, texts, summary)
    single = summary["single_use"]
    key = "claims.single_use" if single else "claims.no_single_use"
    verdict(console, say(key, size=f"{summary['log_size']:,}"), good=single)


def _show_evidence_files(console: Console, texts: Texts, summary: Summary) -> None:
    say = texts.say
    full, sampled, forged = (
        next(check for check in summary["checks"] if check["subject"] == subject)
        for subject in _OF_CLAIMS
    )
    month = summary["claimed_again"]["month"]
    if full["as_expected"]:
        share = full["lines"]["share_opened"]
        opened = f"{share['opened_wh'] * 100 / share['claimed_wh']:.0f}"
        _show_check(
            console, texts, full, month=month, opened=opened, claimed=energy(share["claimed_wh"])
        )
        signed = say("list").join(
            say(f"signed.{_PROVENANCE[by]}", wh=energy(wh))
            for by, wh in full["lines"]["provenance"]["supply_wh"].items()
            if wh
        )
        hanging(console, Text("    "), say("claims.provenance", signed=signed))
    else:
        _show_check(console, texts, full)
    if sampled["as_expected"]:
        share = sampled["lines"]["share_opened"]
        _show_check(
            console,
            texts,
            sampled,
            claimed=energy(share["claimed_wh"]),
            count=share["quarter_hours"],
            detection=share["detection_percent"]["5 %"],
        )
        console.print(Text(f"    {say('claims.seed')} {summary['seed_of_samples']}"))
    else:
        _show_check(console, texts, sampled)
    step, why = forged["failed"].get(texts.language, ("", ""))
    _show_check(console, texts, forged, step=step, why=why)


# Commands


def _commands(folder: Path, summary: Summary) -> list[tuple[str, str]]:
    """Key of the text → a command that works as it stands, from the current directory."""
    ledger, verifier = _program("greenledger"), _program("greenledger-verify")

    def at(name: str) -> str:
        return shlex.quote(_short(folder / name))

    trust = f"--trust {at(summary['trust'])}"
    log = f"--log {at(summary['tiles'])} {trust}"
    claim = summary["claims"][0]["claim"][:12]
    data = f"--dir {at('ledger')}"
    pack = summary["figures"]["pack"]
    return [
        ("log", f"{verifier} log {at('tiles')} {trust}"),
        ("allocation", f"{verifier} proof {at('proofs/allocation.json')} {trust}"),
        ("forged", f"{verifier} proof {at('proofs/reading-forged.json')} {trust}"),
        ("evidence", f"{verifier} evidence {at(summary['evidence'])} {log}"),
        ("bought", f"{verifier} evidence {at(summary['evidence_bought'])} {log}"),
        ("forged-evidence", f"{verifier} evidence {at(summary['evidence_forged'])} {log}"),
        *([("pack", f"{verifier} pack {at(pack)} {log}")] if pack else []),
        (
            "inventory",
            f"{ledger} report show {summary['figures']['report'][:12]} --lines {data}",
        ),
        ("trace", f"{ledger} claim trace {claim} --at 2025-07-15T12:00 {data}"),
        ("status", f"{ledger} claim status {claim} {data}"),
        ("match", f"{ledger} match --from 2025-07-01 --to 2025-08-01 {data}"),
        (
            "again",
            (
                f"{ledger} import {at('files/park/offices_15min.csv')}"
                f" --profile {at('profiles/energy-15min.toml')} --source park-files {data}"
            ),
        ),
        (
            "prove",
            (
                f"{ledger} prove --reading works-press --at 2025-12-01T08:00"
                f" --out {at('proofs/mine.json')} {data}"
            ),
        ),
        ("parquet", f"{ledger} export parquet {at('readings.parquet')} {data}"),
        ("audit", f"{ledger} audit {data}"),
    ]


def _program(name: str) -> str:
    """By name where the shell finds it, else by its path."""
    own = Path(sys.executable).parent / name
    activated = os.environ.get("VIRTUAL_ENV", "")
    if activated and Path(activated) == Path(sys.prefix):
        return name
    if own.exists():
        return shlex.quote(_short(own))
    return name if shutil.which(name) else f"{shlex.quote(sys.executable)} -m {_MODULES[name]}"


_MODULES: Final = {"greenledger": "ledger.cli", "greenledger-verify": "greenledger_verify"}


def _short(path: Path) -> str:
    """Relative to the current directory where it lies inside, else in full."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
