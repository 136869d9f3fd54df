"""greenledger period …: accounting periods of a party, and how they stand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ledger import db
from ledger.cli.approving import As, OfficerKey, carried
from ledger.cli.options import Dir, HeldKey, Json, open_house, read_key
from ledger.cli.output import Output, counted, energy, span
from ledger.lots.model import span_of
from ledger.metering import store as metering
from ledger.periods import service, store
from ledger.periods.model import STATES, Standing
from ledger.periods.report import PPM, Report
from ledger.units import format_instant

period = typer.Typer(
    help="Accounting periods: provisional, submitted, approved, closed.", no_args_is_help=True
)
PartyId = Annotated[str, typer.Argument(help="Party id.")]
Name = Annotated[str, typer.Argument(help="A month 2026-03 or a year 2026, of park time.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(period, name="period")


def _json(now: Standing) -> dict[str, Any]:
    return {
        "party": now.party,
        "period": now.period,
        "from": format_instant(now.span.start_s),
        "to": format_instant(now.span.end_s),
        "state": now.state,
        "revision": now.revision,
        "entry": now.entry_index,
    }


@period.command("list")
def list_periods(
    party: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Periods of which anything was said; all others are open."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = store.all_periods(conn, house.log.log_id, party or None)
    out = Output(as_json=as_json)
    out.table(
        "Periods",
        ["party", "period", "state", ">revision", ">entry"],
        [
            [now.party, now.period, now.state, str(now.revision), str(now.entry_index)]
            for now in found
        ],
    )
    out.result({"periods": [_json(now) for now in found]})


@period.command("show")
def show(party: PartyId, name: Name, directory: Dir = None, as_json: Json = False) -> None:
    """Where a period is, how it got there, and what it lacks; what keeps it from being closed."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        found = service.look(conn, house.log, party, name)
        names = {
            point: one.master.name
            for point, one in metering.current_points(conn, house.log.log_id).items()
        }
    out, now, zone = Output(as_json=as_json), found.standing, house.log.zone
    out.say(
        f"{party}, {name} ({span(now.span.start_s, now.span.end_s, zone)}): {now.state},"
        f" revision {now.revision}"
    )
    out.table(
        "Steps",
        [">entry", "state", ">revision", "four eyes", "reason"],
        [
            [
                str(step.standing.entry_index),
                step.standing.state,
                str(step.standing.revision),
                "on" if step.four_eyes else "off",
                step.reason or "–",
            ]
            for step in found.steps
        ],
    )
    _say_report(out, found.report, names, zone)
    out.result(
        {
            **_json(now),
            "steps": [
                {
                    "entry": step.standing.entry_index,
                    "state": step.standing.state,
                    "revision": step.standing.revision,
                    "four_eyes": step.four_eyes,
                    "report": step.report,
                    "reason": step.reason,
                }
                for step in found.steps
            ],
            "report": found.report.to_json(),
            "blocking": found.report.blocking,
        }
    )


def _say_report(out: Output, report: Report, names: dict[bytes, str], zone: str) -> None:
    out.table(
        "Readings",
        ["point", ">due", ">read", ">estimated", ">complete", "first gap"],
        [
            [
                names.get(one.point, one.point.hex()),
                one.due,
                one.read,
                one.estimated,
                f"{one.complete_ppm * 100 / PPM:.2f} %" + ("" if one.complete else ", below 90 %"),
                span(one.gaps[0].start_s, one.gaps[0].end_s, zone) if one.gaps else "–",
            ]
            for one in report.points
        ],
    )
    for bill in report.bills:
        out.say(
            f"Bill {names.get(bill.point, '?')},"
            f" {span(bill.period.start_s, bill.period.end_s, zone)}: {energy(bill.billed_wh)}"
            f" billed, {energy(bill.read_wh)} read"
            + ("" if bill.agrees else ", more than 5 % apart")
        )
    for claim in report.claims:
        out.say(
            f"Claim {claim.claim.hex()[:12]}: "
            + ("short; " if claim.short else "")
            + "; ".join(claim.reasons)
        )
    out.say(f"Four eyes: {'on' if report.approval == 'four-eyes' else 'off: one person closes'}.")
    for reason in report.blocking:
        out.say(f"Keeps it from being closed: {reason}")
    incomplete = sum(not one.complete for one in report.points)
    if incomplete:
        out.say(f"{counted(incomplete, 'point')} below 90 %: listed, and no obstacle.")


@period.command("advance")
def advance(
    party: PartyId,
    name: Name,
    state: Annotated[str, typer.Argument(help="One of " + ", ".join(STATES) + ".")],
    reason: Annotated[str, typer.Option(help="Why it is sent back to provisional.")] = "",
    by_operator: Annotated[
        bool, typer.Option("--by-operator", help="As the operator: approve, or send back.")
    ] = False,
    officer: As = "",
    officer_key: OfficerKey = None,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Take a period to its next state, with a report of how it stands."""
    house, out = open_house(directory), Output(as_json=as_json)
    signing = read_key(key) if key else None
    author = house.log.operator if by_operator else party
    receipt = carried(
        out,
        house,
        lambda desk: service.advance(
            desk, party, name, state, reason=reason, author=author, key=signing
        ),
        officer=officer,
        officer_key=officer_key,
        summary={"party": party, "period": name, "state": state},
    )
    if receipt is None:
        return
    out.say(f"Entry {receipt.index}: {name} of {party} is {state}.")
    out.result({"party": party, "period": name, "state": state, "entry": receipt.index})


@period.command("restate")
def restate(
    party: PartyId,
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; it stands in the public log.")],
    officer: As = "",
    officer_key: OfficerKey = None,
    key: HeldKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Open the next revision of a closed period; the closing before stays in the log."""
    house, out = open_house(directory), Output(as_json=as_json)
    span_of(name, house.log.zone_s)
    signing = read_key(key) if key else None
    receipt = carried(
        out,
        house,
        lambda desk: service.restate(desk, party, name, reason, key=signing),
        officer=officer,
        officer_key=officer_key,
        summary={"party": party, "period": name, "reason": reason},
    )
    if receipt is None:
        return
    revision = receipt.entry.statement["revision"]
    out.say(f"Entry {receipt.index}: {name} of {party} is provisional again, revision {revision}.")
    out.result({"party": party, "period": name, "revision": revision, "entry": receipt.index})
