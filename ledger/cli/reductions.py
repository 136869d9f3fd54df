"""greenledger credit record, verify, issue-record, reverse, records: the park's own reductions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.cli.instruments import (
    Document,
    KeyFile,
    Reason,
    hash_of,
    listed,
    rules_of,
    serials_of,
    signing_key,
)
from ledger.cli.matching import period_of
from ledger.cli.options import Dir, Json, id_span, one_of_id, open_house, park_instant
from ledger.cli.output import Output, dates, mass
from ledger.credits import service, store
from ledger.credits.ccus import ROLES, Standing
from ledger.credits.record import AT_SOURCE, CREDITED, Record
from ledger.credits.schema import reductions
from ledger.credits.store import ProjectKey, RecordRow
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.log import store as log_store
from ledger.registry import catalogue
from ledger.registry import store as registry
from ledger.units import BASE_UNITS

_MASS: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(g|kg|t)", re.ASCII)

InternalScheme = Annotated[str, typer.Option("--scheme", help="Scheme of internal records.")]
RecordId = Annotated[
    str, typer.Argument(metavar="RECORD", help="The record's id, or enough of its beginning.")
]


def add_to(group: typer.Typer) -> None:
    group.command("record")(record)
    group.command("verify")(verify)
    group.command("issue-record")(issue_record)
    group.command("reverse")(reverse)
    group.command("records")(list_records)


def record(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(help="The project's code.")],
    start: Annotated[str, typer.Option("--from", help="First day of the monitoring period.")],
    end: Annotated[str, typer.Option("--to", help="Day after the last.")],
    metered: Annotated[
        list[str] | None,
        typer.Option(help="ROLE=POINT[,POINT]: summed from the readings; repeatable."),
    ] = None,
    stated: Annotated[
        list[str] | None,
        typer.Option(help="ROLE=MASS, such as used=0t or captured=1200.5t; repeatable."),
    ] = None,
    others_none: Annotated[
        bool, typer.Option("--others-none", help="All other flows were nothing.")
    ] = False,
    tolerance: Annotated[
        str, typer.Option(help="By how much the balance may be off at a stage, such as 2t.")
    ] = "0g",
    biogenic_ppm: Annotated[
        int, typer.Option(help="What part of the CO2 is biogenic or from air, in millionths.")
    ] = 0,
    treatment: Annotated[
        str, typer.Option(help=f"{CREDITED}, or {AT_SOURCE}: subtracted there, never issued.")
    ] = CREDITED,
    author: Annotated[str, typer.Option(help="Party that records it (default: operator).")] = "",
    key: KeyFile = None,
    scheme: InternalScheme = "internal",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Record a monitoring period of captured CO2; its mass balance has to close.

    Roles: captured, used, transported, transport-leakage, recycled, injected, produced,
    surface-leakage, equipment-leakage, energy-emissions, transport-emissions,
    injection-emissions. Each is metered or stated, unless --others-none.
    """
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rules_of(ctx, conn, house, scheme)
    points = {role: text.split(",") for role, text in _pairs("--metered", metered)}
    mass_g = {role: mass_of(text) for role, text in _pairs("--stated", stated)}
    if others_none:
        mass_g |= {role: 0 for role in ROLES if role not in points and role not in mass_g}
    found = service.Monitored(
        key=ProjectKey(scheme=scheme, project=project),
        period=period_of(start, end, house.log.zone),
        points=points,
        mass_g=mass_g,
        tolerance_g=mass_of(tolerance),
        biogenic_ppm=biogenic_ppm,
        treatment=treatment,
    )
    made = service.record_reduction(house.desk, found, author=author, key=signing_key(key))
    out = Output(as_json=as_json)
    _show_balance(out, made.content, points)
    flows = made.content.flows
    out.say(
        f"Record {made.record.hex()} is entry {made.receipt.index}: {mass(flows.stored_g)} stored"
        f" (gross), {mass(flows.net_g)} net, {made.content.treatment}."
    )
    out.say(
        f"Another party verifies it: greenledger credit verify {made.record.hex()[:12]} --verifier"
        " PARTY --finding '…'"
    )
    out.result({"record": made.record.hex(), "entry": made.receipt.index, **made.content.to_json()})


def _pairs(option: str, texts: Sequence[str] | None) -> list[tuple[str, str]]:
    """Raises InvalidInput for a text that is no ROLE=…, an unknown role, or one twice."""
    found: dict[str, str] = {}
    for text in texts or ():
        role, separator, value = text.partition("=")
        if not separator or not value or role not in ROLES:
            raise InvalidInput(f"{option} {text!r} is no ROLE=…; roles are {', '.join(ROLES)}")
        if role in found:
            raise InvalidInput(f"{option} {role} is given twice")
        found[role] = value
    return list(found.items())


def mass_of(text: str) -> int:
    """`1200.5t` → g. Raises InvalidInput for what is no mass, or no whole number of g."""
    found = _MASS.fullmatch(text)
    if not found:
        raise InvalidInput(f"{text!r} is no mass such as 1200.5t, 30kg or 5g")
    mass_g = Decimal(found[1]) * BASE_UNITS[found[2]][1]
    if mass_g != int(mass_g):
        raise InvalidInput(f"{text!r} is no whole number of g")
    return int(mass_g)


def _show_balance(out: Output, content: Record, points: dict[str, list[str]]) -> None:
    flows = content.flows
    rows = [
        [role, mass(mass_g), ", ".join(points[role]) if role in points else "stated"]
        for role, mass_g in flows.by_role().items()
        if mass_g or role in points
    ]
    rows += [
        ["= stored (gross)", mass(flows.stored_g), "injected − produced − leakage"],
        ["− emissions", mass(flows.emissions_g), "energy, transport, injection"],
        ["= net", mass(flows.net_g), ""],
    ]
    out.table("Mass balance", ["flow", ">CO2", "by"], rows)


def verify(
    record_id: RecordId,
    verifier: Annotated[str, typer.Option(help="Party with the role verifier; no owner of it.")],
    finding: Annotated[str, typer.Option(help="What was found, up to 500 characters.")],
    reject: Annotated[bool, typer.Option("--reject", help="It is not confirmed.")] = False,
    document: Document = None,
    key: KeyFile = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Confirm or reject a record, as another party; what it is credited with follows."""
    house = open_house(directory)
    row = _find(house, record_id)
    receipt = service.verify_reduction(
        house.desk,
        row.record,
        verifier,
        finding,
        confirmed=not reject,
        document=hash_of(document),
        key=signing_key(key),
    )
    row = _find(house, row.record.hex())
    assert row.verification is not None
    out = Output(as_json=as_json)
    short = row.record.hex()[:12]
    out.say(f"Record {short} is {row.verification.verdict} by {verifier}, entry {receipt.index}.")
    credited = row.verification.credited
    if credited is not None:
        for class_, part in credited.parts.items():
            out.say(
                f"  {class_}: {mass(part.g)}, and {mass(part.carried_g)} left before, make"
                f" {part.units:,} t; {mass(part.left_g)} are carried on"
            )
        out.say(
            f"  held back: {mass(credited.buffer_g)} as buffer, {mass(credited.debit_g)} for"
            " earlier reversals"
        )
        out.say(f"Issue its units: greenledger credit issue-record {short}")
    out.result(
        {
            "record": row.record.hex(),
            "entry": receipt.index,
            "verifier": verifier,
            **row.verification.to_json(),
        }
    )


def issue_record(
    record_id: RecordId,
    owner: Annotated[
        str, typer.Option(help="Party that gets them (default: the project's owner).")
    ] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Issue the units of a confirmed record: internal ones, of no official programme."""
    house = open_house(directory)
    row = _find(house, record_id)
    receipts = service.issue_record(house.desk, row.record, owner)
    with db.reading(house.engine) as conn:
        rules = catalogue.find_scheme(conn, house.log.log_id, row.key.scheme).rules
        rows = [
            each
            for one in receipts
            for each in registry.begun_by(conn, house.log.log_id, one.index)
        ]
    units = sum(len(each.units) for each in rows)
    serials = serials_of((each.batch, each.units) for each in rows)
    out = Output(as_json=as_json)
    out.say(
        f"Issued {rules.said(units)} of {rules.scheme} to {rows[0].owner}, by entry"
        f" {receipts[-1].index}: {listed(serials)}."
    )
    out.say(f"{rules.name}.")
    out.result(
        {
            "record": row.record.hex(),
            "entry": receipts[-1].index,
            "scheme": rules.scheme,
            "units": units,
            "amount": rules.amount(units),
            "owner": rows[0].owner,
            "serials": serials,
        }
    )


def reverse(
    ctx: typer.Context,
    project: Annotated[str, typer.Argument(help="The project's code.")],
    escaped: Annotated[str, typer.Option("--mass", help="What escaped, such as 12.5t.")],
    at: Annotated[str, typer.Option(help="When; park time where no offset is given.")],
    reason: Reason,
    scheme: InternalScheme = "internal",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Write down that stored CO2 escaped: the buffer meets it, later records make up the rest."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rules_of(ctx, conn, house, scheme)
        catalogue.find_project(conn, house.log.log_id, scheme, project)
    key = ProjectKey(scheme=scheme, project=project)
    receipt = service.reverse(
        house.desk, key, mass_of(escaped), park_instant(at, house.log.zone), reason
    )
    with db.reading(house.engine) as conn:
        met = store.find_reversals(conn, house.log.log_id, key)[-1].met
        standing = store.standing(conn, house.log.log_id, key)
    out = Output(as_json=as_json)
    out.say(
        f"Reversed {mass(mass_of(escaped))} of {key} by entry {receipt.index}:"
        f" {mass(met.buffer_g)} out of the buffer, {mass(met.debit_g)} to be made up by later"
        " records."
    )
    out.say(f"The buffer has {mass(standing.buffer_g)} left; {mass(standing.owed_g)} are owed.")
    out.result(
        {
            "entry": receipt.index,
            "project": str(key),
            "g": mass_of(escaped),
            "buffer_g": met.buffer_g,
            "debit_g": met.debit_g,
            "standing": _standing_json(standing),
        }
    )


def _standing_json(standing: Standing) -> dict[str, int]:
    return {
        "stored_g": standing.stored_g,
        "buffer_g": standing.buffer_g,
        "owed_g": standing.owed_g,
        "avoided_g": standing.avoided_g,
        "removal_g": standing.removal_g,
    }


def list_records(directory: Dir = None, as_json: Json = False) -> None:
    """Records with their states, and where each project stands: stored, buffer, owed."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rows = store.find_records(conn, house.log.log_id)
        keys = sorted({row.key for row in rows}, key=str)
        standings = {key: store.standing(conn, house.log.log_id, key) for key in keys}
        differing = _differing(conn, house)
    out = Output(as_json=as_json)
    out.table(
        "Records",
        ["record", "project", "period", "state", "treatment", ">stored", ">net", ">entry"],
        [
            [
                row.record.hex()[:12],
                str(row.key),
                dates(row.content.period.start_s, row.content.period.end_s, house.log.zone),
                row.state,
                row.content.treatment,
                mass(row.content.flows.stored_g),
                mass(row.content.flows.net_g),
                row.entry_index,
            ]
            for row in rows
        ],
    )
    if not rows:
        out.say("No reduction is recorded yet: greenledger credit record.")
    else:
        out.table(
            "Projects",
            ["project", ">stored", ">buffer", ">owed", ">avoided, left", ">removal, left"],
            [
                [
                    str(key),
                    mass(one.stored_g),
                    mass(one.buffer_g),
                    mass(one.owed_g),
                    mass(one.avoided_g),
                    mass(one.removal_g),
                ]
                for key, one in standings.items()
            ],
        )
    for record, text in differing.items():
        out.warn(f"record {record[:12]}: the meters say something else now: {text}")
    out.result(
        {
            "records": [_record_json(row, differing) for row in rows],
            "projects": {str(key): _standing_json(one) for key, one in standings.items()},
        }
    )


def _differing(conn: Connection, house: House) -> dict[str, str]:
    size = log_store.load_head(conn, house.log.log_id).size
    return {row.record.hex(): text for row, text in service.differing(conn, house.log.log_id, size)}


def _record_json(row: RecordRow, differing: dict[str, str]) -> dict[str, Any]:
    return {
        "record": row.record.hex(),
        "entry": row.entry_index,
        "author": row.author,
        "project": str(row.key),
        "state": row.state,
        "verifier": row.verifier,
        "verified_by": row.verified_index,
        "issued_by": row.issued_index,
        "differs": differing.get(row.record.hex(), ""),
        **row.content.to_json(),
    }


def _find(house: House, text: str) -> RecordRow:
    first, last = id_span(text, "record")
    with db.reading(house.engine) as conn:
        found = store.find_records(conn, house.log.log_id, reductions.c.record.between(first, last))
    return one_of_id(found, text, "record", "greenledger credit records")
