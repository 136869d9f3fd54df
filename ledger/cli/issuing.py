"""greenledger certificate|credit issue: a batch that an official registry issued comes in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.certificates.service import Issued, MeteredIssue, issue_metered
from ledger.cli.instruments import Document, Note, SchemeName, hash_of, listed, rules_of
from ledger.cli.matching import period_of
from ledger.cli.options import Dir, Json, open_house, park_month
from ledger.cli.output import Output, counted, energy, park_date
from ledger.cli.units import holding_json
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.registry import catalogue, service, store
from ledger.registry.crediting import issue_credits
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import CERTIFICATE, NO_LOTS, RECORD, Scheme
from ledger.registry.service import NewBatch, Share
from ledger.units import Period


def add_to(group: typer.Typer) -> None:
    group.command("issue")(issue)


def issue(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Their code in the official registry.")],
    quantity: Annotated[
        int | None,
        typer.Option(help="How many units; of a plant metered here: as many as its lots make."),
    ] = None,
    owner: Annotated[
        str, typer.Option(help="Party that holds them (default: the project's owner).")
    ] = "",
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", help="CLASS, or several times CLASS=NUMBER, in order of numbers."),
    ] = None,
    month: Annotated[str, typer.Option(help="Month of production, such as 2026-01.")] = "",
    start: Annotated[str, typer.Option("--from", help="First day, instead of a month.")] = "",
    end: Annotated[str, typer.Option("--to", help="Day after the last.")] = "",
    first: Annotated[
        int | None, typer.Option(help="Number of the first unit (default: the next).", min=0)
    ] = None,
    project: Annotated[str, typer.Option(help="Code of their project.")] = "",
    frozen: Annotated[bool, typer.Option("--frozen", help="They begin frozen (124号).")] = False,
    document: Document = None,
    note: Note = "",
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Take in one batch that an official registry issued; for a list of many: import.

    Of a plant that is metered here the lots behind it are found: what nobody was allotted is spent
    for certificates that trade, what consumers hold is bound to those of self-use and green trade.
    """
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rules = rules_of(ctx, conn, house, scheme)
        metered, project_owner = _project(conn, house, rules, project)
    if rules.kind == RECORD:
        raise InvalidInput(
            f"units of {rules.scheme} are issued for a verified record: greenledger credit"
            " issue-record"
        )
    classes = _classes(rules, class_ or [], quantity)
    out = Output(as_json=as_json)
    if metered:
        if not month or start or end or first is not None or frozen:
            raise InvalidInput(
                f"project {project} is metered here: give --month, and neither --from, --to,"
                " --first nor --frozen; what follows from its lots is found"
            )
        _require_class(rules, classes)
        wanted = MeteredIssue(
            project=project,
            month=park_month(month, house.log.zone),
            code=code,
            units={name: units or None for name, units in classes.items()},
            owner=owner,
            document=hash_of(document),
            note=note,
        )
        issued = issue_metered(house.desk, wanted, rules.scheme)
        _say_issued(out, house, rules, {one.batch: one for one in issued})
        return
    period = _period(house, month, start, end)
    shares = _shares(house, rules, code, classes, owner or project_owner, first)
    units = SerialRange(first=shares[0].units.first, end=shares[-1].units.end)
    take_in = service.issue if rules.kind == CERTIFICATE else issue_credits
    receipts = take_in(
        house.desk,
        rules.scheme,
        [NewBatch(code=code, units=units, period=period, shares=shares, project=project)],
        document=hash_of(document),
        note=note,
        frozen=frozen,
    )
    with db.reading(house.engine) as conn:
        rows = store.begun_by(conn, house.log.log_id, receipts[-1].index)
    _say_issued(out, house, rules, dict.fromkeys((row.batch for row in rows), None))


def _project(conn: Connection, house: House, rules: Scheme, project: str) -> tuple[bool, str]:
    """Whether points here meter a project, and whose it is. Raises NotFound."""
    if not project:
        return False, ""
    found = catalogue.find_project(conn, house.log.log_id, rules.scheme, project).master
    return bool(found.points) and rules.unit == "Wh", found.owner


def _classes(rules: Scheme, given: Sequence[str], quantity: int | None) -> dict[str, int]:
    """{class: units}, 0 where the lots say how many. Raises InvalidInput."""
    found: dict[str, int] = {}
    for text in given:
        name, separator, number = text.partition("=")
        if separator and not (number.isascii() and number.isdecimal() and int(number)):
            raise InvalidInput(f"--class {text!r}: units are whole, such as {name}=30")
        if rules.class_of(name).name in found:
            raise InvalidInput(f"--class {name} is given twice")
        found[name] = int(number or 0)
    if quantity is None:
        return found
    if quantity < 1:
        raise InvalidInput(f"--quantity {quantity}: units are whole, from 1 on")
    if not found and len(rules.classes) == 1:
        found = dict.fromkeys(rules.classes, 0)
    if len(found) != 1 or any(found.values()):
        raise InvalidInput(
            "--quantity goes with one --class CLASS; several are CLASS=NUMBER each. Classes of"
            f" {rules.scheme}: {', '.join(sorted(rules.classes))}"
        )
    return dict.fromkeys(found, quantity)


def _require_class(rules: Scheme, classes: Mapping[str, int]) -> None:
    """Several classes may fit a lot: which is the registry's decision. Raises InvalidInput."""
    if not classes:
        fitting = ", ".join(
            name for name, one in sorted(rules.classes.items()) if one.lots != NO_LOTS
        )
        raise InvalidInput(
            f"say of which --class they may be: {fitting}; how many of each, their lots say"
        )


def _shares(
    house: House,
    rules: Scheme,
    code: str,
    classes: Mapping[str, int],
    owner: str,
    first: int | None,
) -> tuple[Share, ...]:
    """Units of each class, one after the other. Raises InvalidInput."""
    if not classes or not all(classes.values()):
        raise InvalidInput(
            "say how many units of which class: --quantity 30 --class CLASS, or --class CLASS=30."
            f" Classes of {rules.scheme}: {', '.join(sorted(rules.classes))}"
        )
    if not owner:
        raise InvalidInput("say whose they are: --owner PARTY")
    if first is None:
        with db.reading(house.engine) as conn:
            rows = store.batches_of_code(conn, house.log.log_id, rules.scheme, code)
        first = max((row.units.end for row in rows), default=0)
    shares, at = [], first
    for name, units in classes.items():
        shares.append(Share(class_=name, owner=owner, units=SerialRange(first=at, end=at + units)))
        at += units
    return tuple(shares)


def _period(house: House, month: str, start: str, end: str) -> Period:
    """Raises InvalidInput unless exactly one of the two ways is used."""
    if bool(month) == bool(start or end):
        raise InvalidInput("say when they were produced: --month 2026-01, or --from and --to")
    if month:
        return park_month(month, house.log.zone).period
    return period_of(start, end, house.log.zone)


def _say_issued(
    out: Output, house: House, rules: Scheme, found: Mapping[BatchId, Issued | None]
) -> None:
    """Each batch with its holdings, and what stands behind it where it is metered here."""
    with db.reading(house.engine) as conn:
        batches = store.batches_by_id(conn, house.log.log_id, found)
        entries = sorted({batches[one].entry_index for one in found})
        begun = [row for index in entries for row in store.begun_by(conn, house.log.log_id, index)]
        lots = {one: len(store.lots_of_batch(conn, house.log.log_id, one)) for one in found}
    rows = sorted((row for row in begun if row.batch in found), key=lambda row: row.units)
    units = sum(len(row.units) for row in rows)
    out.say(
        f"Took in {rules.said(units)} by {'entry' if len(entries) == 1 else 'entries'}"
        f" {listed([str(index) for index in entries])}:"
    )
    for row in rows:
        expires_s = batches[row.batch].expires_s
        until = "never" if expires_s is None else f"on {park_date(expires_s, house.log.zone)}"
        out.say(
            f"  {row.batch.short}:{row.units}  {rules.said(len(row.units))}, {row.class_},"
            f" {row.state}, held by {row.owner}, expire {until}"
        )
        one = found[row.batch]
        if one is not None:
            out.say(
                f"    {counted(lots[row.batch], 'lot')} behind: {energy(one.eligible_wh)}, and"
                f" {energy(one.carried_wh)} left before; {energy(one.left_wh)} are carried on"
            )
    out.result(
        {
            "scheme": rules.scheme,
            "entries": entries,
            "units": units,
            "amount": rules.amount(units),
            "holdings": [holding_json(row, batches[row.batch]) for row in rows],
            "batches": [
                {
                    "batch": str(batch.id),
                    "lots": lots[batch.id],
                    "eligible_wh": batch.eligible_wh,
                    "carried_wh": batch.carried_wh,
                    "left_wh": batch.left_wh,
                }
                for batch in (batches[one] for one in found)
            ],
        }
    )
