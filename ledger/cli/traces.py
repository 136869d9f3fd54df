"""greenledger certificate|credit trace, retirements, disclose: a unit's life, and what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.claims.life import CLAIM, WITHDRAWN, unit_life
from ledger.cli.approving import As, OfficerKey, carried
from ledger.cli.instruments import (
    KeyFile,
    SchemeName,
    find_retirement,
    group_of,
    rules_of,
    schemes_of,
    signing_key,
)
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, counted, dates, park_date, park_time, warn_unproven
from ledger.house import House
from ledger.log.placed import prove
from ledger.registry import acting, lifecycle, used
from ledger.registry.page import page, pages
from ledger.registry.schema import retirements as retirement_table
from ledger.registry.scheme import RECORD, Scheme
from ledger.registry.trace import DISCLOSE, ISSUE, KEPT, Life, Origin, Step
from ledger.registry.used import RetirementRow
from ledger.statements.official import OfficialPart
from ledger.statements.service import official_status
from ledger.units import parse_instant

_LEAF_DIGITS: Final = 12
# More rows than a person reads; --json has all of them.
_ROWS_MAX: Final = 100
_WORDS: Final = {
    ISSUE: "imported",
    KEPT: "kept",
    DISCLOSE: "shown to all",
    CLAIM: "claimed",
    WITHDRAWN: "withdrawn",
    lifecycle.TRANSFER: "handed over",
    lifecycle.SETTLE: "settled",
    lifecycle.MERGE: "merged",
    lifecycle.RESERVE: "reserved",
    lifecycle.LOCK: "locked",
    lifecycle.FREEZE: "frozen",
    lifecycle.RELEASE: "released",
    lifecycle.RETIRE: "retired",
    lifecycle.EXPORT: "exported",
    lifecycle.EXPIRE: "expired",
    lifecycle.WITHDRAW: "withdrawn",
    lifecycle.CANCEL: "cancelled",
}


def add_to(group: typer.Typer) -> None:
    group.command("trace")(trace_units)
    group.command("retirements")(list_retirements)
    group.command("disclose")(disclose)


def trace_units(
    ctx: typer.Context,
    serial: Annotated[
        str, typer.Argument(help="CODE:NUMBER; CODE:FIRST-END or CODE for several at once.")
    ],
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """A unit's whole life, from its import to the claim that it is used in, entry by entry.

    With --json also the proof of each entry under the latest checkpoint (tlog-proof).
    """
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        rules = rules_of(ctx, conn, house, scheme)
        found = unit_life(conn, house.log, rules.scheme, serial)
        proofs = prove(conn, house.log, found.entries) if as_json else {}
        known = {one.batch.id: _official(conn, house, one) for one in found.origins}
    out = Output(as_json=as_json)
    for one in found.origins:
        _show_origin(out, house, rules, one, known[one.batch.id])
    _show_steps(out, house, found)
    for row in found.retirements:
        if row.disclosed_index is None:
            out.say(
                f"Retirement {row.retirement.hex()[:12]} is private; to show it: greenledger"
                f" {group_of(ctx)} disclose {row.retirement.hex()[:12]}"
            )
    out.say(f"Proof of an entry: greenledger prove {found.entries[-1]}; of all: --json")
    warn_unproven(out, found.entries, proofs, as_json=as_json)
    out.result(
        {
            **found.to_json(proofs),
            "official": [
                {"batch": str(batch), **part.to_json()}
                for batch, parts in known.items()
                for part in parts
            ],
            "vkey": house.verification_key.vkey,
        }
    )


def _official(conn: Connection, house: House, one: Origin) -> list[OfficialPart]:
    """What the latest official statements say of traced units."""
    batch, units = one.batch.id, one.units
    return official_status(conn, house.log.log_id, batch.scheme, batch.code, units.first, units.end)


def _official_lines(parts: Sequence[OfficialPart]) -> list[list[str]]:
    return [
        [
            "officially" if number == 0 else "",
            f"{part.first}-{part.end} " * (len(parts) > 1)
            + (
                f"{part.status}{f' ({part.party})' * bool(part.party)} as of {part.as_of}, by"
                f" statement of entry {part.entry_index}, document {part.document[:12]}"
                if part.status
                else "no statement speaks of it yet"
            ),
        ]
        for number, part in enumerate(parts)
    ]


def _show_origin(
    out: Output, house: House, rules: Scheme, one: Origin, official: Sequence[OfficialPart]
) -> None:
    row, zone = one.batch, house.log.zone
    behind = counted(len(one.lots), "lot") if one.lots else "no lot: nothing of it is metered here"
    out.table(
        f"{rules.name}, {row.id.short}:{one.units}",
        ["what", "is"],
        [
            ["units", rules.said(len(one.units))],
            [
                "imported",
                f"{rules.said(len(row.units))} as {row.units}, by entry {row.entry_index}",
            ],
            ["produced", dates(row.period.start_s, row.period.end_s, zone)],
            ["expires", "never" if row.expires_s is None else park_date(row.expires_s, zone)],
            ["project", row.project or "–"],
            *([["record", row.record.hex()]] if row.record else []),
            ["behind it", behind],
            *(
                [["  of these", f"{row.eligible_wh:,} Wh, {row.carried_wh:,} Wh left from before"]]
                if row.metered
                else []
            ),
            *_official_lines(official),
            ["rules", f"{rules.status}: {rules.source}"],
        ],
    )


def _show_steps(out: Output, house: House, found: Life) -> None:
    several = ["units"] if found.units > 1 else []
    is_record = found.scheme.rules.kind == RECORD
    out.table(
        "Life",
        [">entry", ">log's time", *several, "what", "whose", "state", "why", "leaf hash"],
        [
            [
                str(step.placed.index),
                park_time(step.placed.at_s, house.log.zone),
                *([_units(found, step)] if several else []),
                "issued" if step.act == ISSUE and is_record else _WORDS.get(step.act, step.act),
                _whose(step),
                step.state or "gone",
                _why(step, house.log.zone),
                step.placed.leaf.hex()[:_LEAF_DIGITS],
            ]
            for step in found.steps[:_ROWS_MAX]
        ],
    )
    if len(found.steps) > _ROWS_MAX:
        out.say(f"… and {len(found.steps) - _ROWS_MAX:,} more rows: name fewer units, or --json")


def _units(found: Life, step: Step) -> str:
    return str(step.units) if len(found.origins) == 1 else f"{step.batch.revision}:{step.units}"


def _whose(step: Step) -> str:
    if step.owner and step.to and step.owner != step.to:
        return f"{step.owner} → {step.to}"
    return step.to or step.owner


def _why(step: Step, zone: str) -> str:
    """What the entry says beside who and what, for people."""
    terms = step.terms
    if step.act == KEPT:
        return "another part of its holding went"
    if step.act in (CLAIM, WITHDRAWN):
        reason = f": {terms['reason']}" if "reason" in terms else ""
        return f"claim {terms['claim'][:12]}{reason}"
    if step.act == DISCLOSE:
        return f"retirement {terms['retirement'][:12]}"
    if step.act == lifecycle.RETIRE and terms:
        period = dates(parse_instant(terms["from"]), parse_instant(terms["to"]), zone)
        said = f"{terms['beneficiary']}: {terms['purpose']}, {period}"
        return f"{said}; {terms['note']}" if terms["note"] else said
    if step.act == lifecycle.SETTLE and terms:
        return f"month {terms['month']}, contract {terms['contract'][:12]}"
    document = f"document {terms['document'][:12]}" if terms.get("document") else ""
    texts = [terms.get("reason", ""), terms.get("note", ""), document]
    return "; ".join(text for text in texts if text) or "–"


def list_retirements(
    ctx: typer.Context,
    beneficiary: Annotated[str, typer.Option(help="For this party alone.")] = "",
    public: Annotated[
        bool, typer.Option("--public", help="Those that their owners show; --json has the pages.")
    ] = False,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Units that were used up: by whom, for what, and whether that is shown."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        schemes = schemes_of(ctx, conn, house, scheme)
        if not schemes:
            rules_of(ctx, conn, house, scheme)
        rows = [
            row
            for row in used.find_retirements(
                conn, house.log.log_id, retirement_table.c.scheme.in_(sorted(schemes))
            )
            if beneficiary in ("", row.use.beneficiary)
            and (not public or row.disclosed_index is not None)
        ]
        shown = pages(conn, house.log, rows) if public and as_json else []
    out = Output(as_json=as_json)
    out.table(
        "Retirements",
        [
            "retirement",
            "scheme",
            "by",
            "for",
            "purpose",
            "used",
            ">units",
            ">worth",
            "shown",
            ">entry",
        ],
        [
            [
                row.retirement.hex()[:12],
                row.scheme,
                row.author,
                row.use.beneficiary,
                row.use.purpose,
                dates(row.use.period.start_s, row.use.period.end_s, house.log.zone),
                row.units,
                schemes[row.scheme].amount(row.units),
                "no" if row.disclosed_index is None else f"entry {row.disclosed_index}",
                row.entry_index,
            ]
            for row in rows
        ],
    )
    if not rows:
        out.say("No retirement is shown yet." if public else "Nothing was retired yet.")
    out.result(
        {"pages": shown}
        if public
        else {"retirements": [_retirement_json(row, schemes[row.scheme]) for row in rows]}
    )


def _retirement_json(row: RetirementRow, rules: Scheme) -> dict[str, Any]:
    return {
        "retirement": row.retirement.hex(),
        "scheme": row.scheme,
        "class": row.class_,
        "author": row.author,
        "amount": rules.amount(row.units),
        "serials": [f"{one.batch.short}:{one.units}" for one in row.gone],
        "entry": row.entry_index,
        "shown_by": row.disclosed_index,
        **row.use.to_json(row.units),
    }


def disclose(
    ctx: typer.Context,
    retirement: Annotated[
        str, typer.Argument(help="The retirement's id, or enough of its beginning.")
    ],
    key: KeyFile = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Show a retirement to everybody, by its owner's choice; nothing takes that back.

    Signs a checkpoint, so that what --json prints is ready for a page, with proofs. Where the
    retirement is shown already, its page is printed again.
    """
    house = open_house(directory)
    found = find_retirement(house, retirement)
    with db.reading(house.engine) as conn:
        rules_of(ctx, conn, house, found.scheme)
    out = Output(as_json=as_json)
    if found.disclosed_index is None:
        signing = signing_key(key)
        receipt = carried(
            out,
            house,
            lambda desk: acting.disclose(desk, found.retirement, key=signing),
            officer=officer,
            officer_key=officer_key,
            summary={"retirement": found.retirement.hex()},
        )
        if receipt is None:
            return
        done = f"Everybody sees by entry {receipt.index}"
    else:
        done = f"Everybody sees already, by entry {found.disclosed_index}"
    house.checkpoint()
    with db.reading(house.engine) as conn:
        row = used.find_retirement(conn, house.log.log_id, found.retirement)
        shown = page(conn, house.log, row)
        rules = rules_of(ctx, conn, house, row.scheme)
    period = dates(row.use.period.start_s, row.use.period.end_s, house.log.zone)
    out.say(
        f"{done}: {row.use.beneficiary} used {rules.said(row.units)}, {row.scheme}, for"
        f" {row.use.purpose}, {period}: {', '.join(shown['serials'])}."
    )
    out.say("Its page, with proofs, is what --json prints.")
    out.result(shown)
