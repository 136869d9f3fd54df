"""greenledger anchor run | status | publish."""

from __future__ import annotations

from typing import Any, Final

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.anchors import shown
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, step
from ledger.errors import Corrupt, InvalidInput, NotFound, Unavailable
from ledger.house import House
from ledger.log.audit import no_progress
from ledger.log.checkpoint import Checkpoint
from ledger.log.publish import latest_checkpoint
from ledger.units import format_instant

anchor = typer.Typer(
    help="Anchors: witnesses and time-stamps that vouch for checkpoints.", no_args_is_help=True
)
_SAID: Final = {
    "token": "time-stamp stored",
    "cosignature": "cosignature stored",
    "ahead": "ALARM: it has seen more of this log than is here",
    "conflict": "ALARM: it has seen another history of this log",
    "failed": "failed",
}


def add_to(app: typer.Typer) -> None:
    app.add_typer(anchor, name="anchor")


@anchor.command("run")
def run(directory: Dir = None, as_json: Json = False) -> None:
    """Sign a checkpoint, ask every anchor about it, and publish what they say.

    Those that failed lately are asked, too. Exit 0 also where one fails: it is asked again later.
    """
    house, out = open_house(directory), Output(as_json=as_json)
    try:
        house.checkpoint()
    except (Corrupt, Unavailable) as error:
        # A witness that stands in alarm is asked again about what was signed before.
        out.warn(f"no new checkpoint: {error}")
    house.publish(no_progress)
    found = house.anchor(patient=False)
    published = house.publish(no_progress)
    out.say(f"Checkpoint of {found.size:,} entries:")
    for one in found.outcomes:
        why = f" – {one.error}" if one.error else ""
        out.say(f"  {one.kind:<9}  {one.name}: {_SAID[one.said]}{why}")
    if not found.outcomes:
        out.say("  nobody was due to be asked")
    out.result({**found.to_json(), "published": None if published is None else published.to_json()})


@anchor.command("status")
def status(directory: Dir = None, as_json: Json = False) -> None:
    """How each anchor stands: its last success, its last failure, and when it is asked again."""
    house, out = open_house(directory), Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        signed = _signed(conn, house)
        standing = standings_of(conn, house, signed)
    quorum = house.anchors().quorum
    witnesses, authorities = shown.vouched(standing)
    out.say(f"Latest checkpoint: {signed.size:,} entries" if signed else "No checkpoint yet")
    out.say(f"  vouched for by {witnesses} witnesses (quorum {quorum}), {authorities} authorities")
    for one in standing:
        out.say(f"  {one['kind']:<9}  {one['name']}: {_line(one)}")
    warn(out, standing)
    out.result(
        {
            "size": signed.size if signed else 0,
            "quorum": quorum,
            "witnesses": witnesses,
            "authorities": authorities,
            "anchors": standing,
        }
    )


@anchor.command("publish")
def publish(directory: Dir = None, as_json: Json = False) -> None:
    """Bring the folder of GREENLEDGER_PUBLISH_DIR up to date with the latest checkpoint."""
    house, out = open_house(directory), Output(as_json=as_json)
    house.checkpoint()
    with out.progress() as bar:
        found = house.publish(step(bar, "publish"))
    if found is None:
        raise InvalidInput("set GREENLEDGER_PUBLISH_DIR to the folder that is to be published")
    out.say(f"{found.size:,} entries under the published checkpoint; {found.files} files written.")
    out.result(found.to_json())


def _signed(conn: Connection, house: House) -> Checkpoint | None:
    try:
        return latest_checkpoint(conn, house.log)[0]
    except NotFound:
        return None


def standings_of(conn: Connection, house: House, signed: Checkpoint | None) -> list[dict[str, Any]]:
    return shown.standings(conn, house.log, house.anchors(), signed.size if signed else 0)


def status_line(standing: list[dict[str, Any]]) -> str:
    """For `greenledger status`."""
    listed = [one for one in standing if one["listed"]]
    if not listed:
        return "none: nobody vouches for the log (docs/anchors.md)"
    witnesses, authorities = shown.vouched(standing)
    failing = sum(one["failures"] > 0 for one in listed)
    return (
        f"{witnesses} witnesses, {authorities} time-stamps for the latest checkpoint;"
        f" {failing} of {len(listed)} fail"
    )


def warn(out: Output, standing: list[dict[str, Any]]) -> None:
    """Of witnesses that have seen what is not here."""
    for one in standing:
        if one["alarm"]:
            out.warn(
                f"witness {one['name']}: {one['last_error']}; nothing is signed before this is"
                " settled (docs/anchors.md)"
                + (
                    ""
                    if one["listed"]
                    else "; it is not listed any more, so its word does not count"
                )
            )


def _line(one: dict[str, Any]) -> str:
    parts = [
        f"last said for {one['size']:,} entries" if one["received"] else "has said nothing yet"
    ]
    if one["last_success_s"]:
        parts.append(f"at {format_instant(one['last_success_s'])}")
    if one["failures"]:
        parts.append(
            f"failed {one['failures']} times, last at {format_instant(one['last_failure_s'])}:"
            f" {one['last_error']}; again at {format_instant(one['next_try_s'])}"
        )
    if not one["listed"]:
        parts.append("not listed any more")
    return "; ".join(parts)
