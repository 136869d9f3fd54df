"""greenledger claim …: claim what was matched, show it to others, follow it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.claims import service, settling, shortfall, store
from ledger.claims.trace import Traced, first_quarter_s, trace
from ledger.cli.approving import As, OfficerKey, carried
from ledger.cli.instruments import find_retirement
from ledger.cli.lots import class_name
from ledger.cli.matching import period_of
from ledger.cli.options import Dir, Json, open_house, park_instant, read_key
from ledger.cli.output import Output, counted, energy, park_time, share, span
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.parties.desk import Desk
from ledger.units import QUARTER_HOUR_S, format_instant

claim = typer.Typer(
    help="Claims: matched energy that a consumer uses for itself, once.", no_args_is_help=True
)
ClaimId = Annotated[str, typer.Argument(help="The claim's id, or enough of its beginning.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="Private key file of an owner that holds its own key.")
]
Retirements = Annotated[
    list[str] | None,
    typer.Option(
        "--retirement", help="A retirement of certificates or credits, or enough of its id."
    ),
]
_PREFIX_MIN = 4


def add_to(app: typer.Typer) -> None:
    app.add_typer(claim, name="claim")


def find(conn: Connection, house: House, text: str) -> store.ClaimRow:
    """A claim by its id or the beginning of it. Raises InvalidInput or NotFound."""
    if len(text) < _PREFIX_MIN:
        raise InvalidInput(f"{text!r} is too short for a claim: give {_PREFIX_MIN} digits or more")
    known = store.find_claims(conn, house.log.log_id)
    found = [row for row in known if row.claim.hex().startswith(text.lower())]
    if not found:
        raise NotFound(f"no claim begins with {text!r}; see: greenledger claim list")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} claims begin with {text!r}: give more of the id")
    return found[0]


@claim.command("make")
def make(
    points: Annotated[list[str], typer.Argument(help="Consumption points of one owner.")],
    start: Annotated[str, typer.Option("--from", help="First day, or time, of park time.")],
    end: Annotated[str, typer.Option("--to", help="Day, or time, after the last.")],
    retirements: Retirements = None,
    settle: Annotated[
        bool,
        typer.Option("--settle", help="Retire certificates that the owner holds for the rest."),
    ] = False,
    scheme: Annotated[str, typer.Option(help="Scheme of certificates to settle with.")] = "gec",
    key: KeyFile = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Claim all that the points hold in a period and have not claimed yet, and retirements.

    Certificates that were retired for it settle, whole, what lots leave of the consumption; credits
    stand on a line of their own, and lessen nothing. With four eyes a draft comes first: with
    --settle that of the retirement, which the claim then names.
    """
    house = open_house(directory)
    period = period_of(start, end, house.log.zone)
    signing = read_key(key) if key else None
    named = _retirements(house, retirements)

    def act(desk: Desk) -> service.ClaimReport:
        which = list(named)
        if settle:
            settled = settling.settle(desk, points, period, scheme=scheme, key=signing)
            which += [one for one in settled if one not in which]
        return service.make(desk, points, period, retirements=which, key=signing)

    out = Output(as_json=as_json)
    summary = {"points": points, "from": start, "to": end, "settle": settle}
    made = carried(out, house, act, officer=officer, officer_key=officer_key, summary=summary)
    if made is not None:
        _say_made(out, house, made)


@claim.command("replace")
def replace(
    claim_id: ClaimId,
    reason: Annotated[str, typer.Option(help="Why, for those who are shown the claim.")],
    retirements: Retirements = None,
    key: KeyFile = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Claim anew what the same lots allow now, and what the points hold since."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        old = find(conn, house, claim_id)
    named, signing = _retirements(house, retirements), read_key(key) if key else None
    out = Output(as_json=as_json)
    made = carried(
        out,
        house,
        lambda desk: service.replace(desk, old.claim, reason, retirements=named, key=signing),
        officer=officer,
        officer_key=officer_key,
        summary={"claim": old.claim.hex(), "reason": reason},
    )
    if made is not None:
        _say_made(out, house, made)


def _retirements(house: House, texts: Sequence[str] | None) -> list[bytes]:
    return list(dict.fromkeys(find_retirement(house, text).retirement for text in texts or ()))


def _say_made(out: Output, house: House, made: service.ClaimReport) -> None:
    manifest = made.manifest
    out.say(
        f"Claim {made.claim.hex()} of {energy(manifest.claimed_wh)} is entry {made.receipt.index}:"
        f" {share(manifest.claimed_wh, manifest.consumption_wh)} of"
        f" {energy(manifest.consumption_wh)} consumed"
        + (f" (of it estimated {energy(manifest.estimated_wh)})" if manifest.estimated_wh else "")
        + (
            f", {energy(manifest.certificate_wh)} of certificates"
            if manifest.certificate_wh
            else ""
        )
        + f", {made.lots} lots,"
        f" {span(manifest.period.start_s, manifest.period.end_s, house.log.zone)}."
    )
    out.say(
        f"Hand it out: greenledger claim evidence {made.claim.hex()[:12]} --out NAME.evidence.json"
    )
    out.result(
        {
            "claim": made.claim.hex(),
            "entry": made.receipt.index,
            "lots": made.lots,
            **manifest.to_json(),
        }
    )


@claim.command("withdraw")
def withdraw(
    claim_id: ClaimId,
    reason: Annotated[str, typer.Option(help="Why; everybody will see it.")],
    key: KeyFile = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Take a claim back for good. Its lots stay spent."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        old = find(conn, house, claim_id)
    out, signing = Output(as_json=as_json), read_key(key) if key else None
    receipt = carried(
        out,
        house,
        lambda desk: service.withdraw(desk, old.claim, reason, key=signing),
        officer=officer,
        officer_key=officer_key,
        summary={"claim": old.claim.hex(), "reason": reason},
    )
    if receipt is None:
        return
    out.say(f"Claim {old.claim.hex()} is withdrawn by entry {receipt.index}.")
    out.result({"claim": old.claim.hex(), "entry": receipt.index})


@claim.command("flag")
def flag(directory: Dir = None, as_json: Json = False) -> None:
    """Tell the log which claims a correction left short, and which are no more (import does)."""
    house = open_house(directory)
    out = Output(as_json=as_json)
    flags = say_flags(out, house)
    if not flags:
        out.say("No flag is owed: what the log says of the claims is so.")
    out.result({"flags": flags})


def say_flags(out: Output, house: House) -> list[dict[str, Any]]:
    """Write the flags that are owed, and say so."""
    found = [receipt.entry.statement for receipt in service.flag(house.desk)]
    for one in found:
        if one["state"] == store.SHORT:
            out.warn(
                f"claim {one['claim']} claims more than the meters say now: greenledger claim"
                f" replace (or withdraw) {one['claim'][:12]} --reason '…'"
            )
        else:
            out.say(f"Claim {one['claim']} is not short any more.")
    with db.reading(house.engine) as conn:
        warn_short(out, shortfall.short_batches(conn, house.log))
    return [{"claim": one["claim"], "state": one["state"]} for one in found]


def warn_short(out: Output, found: Sequence[shortfall.ShortBatch]) -> None:
    """Certificates behind which a correction left too little."""
    batches = [str(one.batch) for one in found if one.open_wh]
    if batches:
        out.warn(
            f"{counted(len(batches), 'batch')} of certificates lack energy behind them, such as"
            f" {batches[0]}: greenledger certificate short"
        )


@claim.command("list")
def list_claims(directory: Dir = None, as_json: Json = False) -> None:
    """All claims, with how they stand."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rows = store.find_claims(conn, house.log.log_id)
        short = shortfall.short_claims(conn, house.log)
    out = Output(as_json=as_json)
    out.table(
        "Claims",
        ["claim", "consumer", ">claimed", ">share", "period", "state", ">entry"],
        [
            [
                row.claim.hex()[:12],
                row.author,
                energy(row.wh),
                share(row.wh, row.manifest.consumption_wh),
                span(row.start_s, row.end_s, house.log.zone),
                state_of(row, short),
                row.entry_index,
            ]
            for row in rows
        ],
    )
    if not rows:
        out.say("No claim is made yet: greenledger claim make.")
    out.result({"claims": [claim_json(row, short) for row in rows]})


def state_of(row: store.ClaimRow, short: dict[bytes, int]) -> str:
    if row.ended:
        return f"{row.ended} by entry {row.end_index}"
    return f"short since entry {short[row.claim]}" if row.claim in short else "in force"


def claim_json(row: store.ClaimRow, short: dict[bytes, int]) -> dict[str, Any]:
    return {
        "claim": row.claim.hex(),
        "entry": row.entry_index,
        "state": row.ended or ("short" if row.claim in short else "in force"),
        "ended_by": row.end_index,
        "end_reason": row.end_reason,
        "short_since": short.get(row.claim),
        "replaces": row.replaces.hex(),
        **row.manifest.to_json(),
    }


@claim.command("trace")
def trace_claim(
    claim_id: ClaimId,
    at: Annotated[
        str, typer.Option(help="Start of the quarter-hour, park time (default: its first).")
    ] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Follow a claimed quarter-hour back to contract, meter and signed batch."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        row = find(conn, house, claim_id)
        at_s = park_instant(at, house.log.zone) if at else first_quarter_s(conn, house.log, row)
        if at_s % QUARTER_HOUR_S:
            raise InvalidInput(f"--at {at} is no start of a quarter-hour: :00, :15, :30 or :45")
        found = trace(conn, house.log, row, at_s)
    out = Output(as_json=as_json)
    out.table(
        f"Claim {row.claim.hex()[:12]}, quarter-hour {park_time(at_s, house.log.zone)}",
        ["lot", "side", "point", ">claimed", "class", "contracts", "division", "run"],
        [
            [
                one.lot.hex()[:12],
                one.side,
                one.point,
                energy(one.wh),
                class_name(one.supply_class),
                ", ".join(f"{name} {energy(wh)}" for name, wh in one.contracts.items()),
                f"entry {one.division_index}",
                f"entry {one.run_index}",
            ]
            for one in found
        ],
    )
    out.table(
        "Readings that it rests on",
        ["point", "meter", "interval (park time)", ">value", "batch", "by", "provenance"],
        [
            [
                each.point,
                each.meter or "–",
                span(each.start_s, each.start_s + each.length_s, house.log.zone),
                energy(each.value_wh),
                f"entry {each.entry_index}, leaf {each.leaf_index}",
                each.author,
                each.provenance,
            ]
            # Lots of one origin rest on the same readings.
            for each in dict.fromkeys(each for one in found for each in one.readings)
        ],
    )
    out.result({"claim": row.claim.hex(), "at": format_instant(at_s), "cells": _cells_json(found)})


def _cells_json(found: Sequence[Traced]) -> list[dict[str, Any]]:
    return [
        {
            "lot": one.lot.hex(),
            "side": one.side,
            "class": int(one.supply_class),
            "point": one.point,
            "wh": one.wh,
            "lot_wh": one.lot_wh,
            "division": one.division_index,
            "run": one.run_index,
            "contracts": one.contracts,
            "readings": [
                {
                    "point": each.point,
                    "meter": each.meter,
                    "start": format_instant(each.start_s),
                    "length_s": each.length_s,
                    "value_wh": each.value_wh,
                    "entry": each.entry_index,
                    "leaf": each.leaf_index,
                    "author": each.author,
                    "provenance": each.provenance,
                }
                for each in one.readings
            ],
        }
        for one in found
    ]
