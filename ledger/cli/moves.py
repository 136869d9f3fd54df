"""greenledger certificate|credit …: what becomes of units (transfer, retire, freeze, …)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.cli.approving import As, OfficerKey, carried
from ledger.cli.instruments import (
    Class,
    Count,
    Document,
    KeyFile,
    Note,
    Owner,
    Reason,
    SchemeName,
    Serials,
    Whose,
    group_of,
    hash_of,
    listed,
    rules_of,
    selection,
    serials_of,
    signing_key,
)
from ledger.cli.matching import period_of
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, counted, dates
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.log.service import Receipt
from ledger.registry import acting, catalogue, lifecycle, store, used
from ledger.registry.leaves import BatchId, Use
from ledger.registry.ranges import SerialRange
from ledger.registry.schema import gone_units
from ledger.registry.scheme import PURPOSES, Scheme

_MARKS: Final = {
    lifecycle.RESERVE: "Set units aside for a deal; they can still be handed over or retired.",
    lifecycle.LOCK: "Lock units: they can be retired or settled, not handed over.",
    lifecycle.FREEZE: "Freeze units, as the operator: nothing becomes of them until released.",
    lifecycle.RELEASE: "Make reserved, locked or (as the operator) frozen units active again.",
}
_FINALS: Final = {
    lifecycle.EXPORT: "Take units out to another registry: they are of no use here any more.",
    lifecycle.WITHDRAW: "Take units out that their registry withdrew, as the operator.",
    lifecycle.CANCEL: "Cancel units without any use, as the operator.",
}
# Whose units they are may follow from their serials where the operator acts.
_BY_OPERATOR: Final = (lifecycle.FREEZE, lifecycle.WITHDRAW, lifecycle.CANCEL)
_PAST: Final = {
    lifecycle.RESERVE: "Reserved",
    lifecycle.LOCK: "Locked",
    lifecycle.FREEZE: "Frozen",
    lifecycle.RELEASE: "Released",
    lifecycle.EXPORT: "Exported",
    lifecycle.WITHDRAW: "Withdrawn",
    lifecycle.CANCEL: "Cancelled",
    lifecycle.EXPIRE: "Expired",
    lifecycle.SPLIT: "Split",
    lifecycle.MERGE: "Merged",
}
_Moved = list[tuple[BatchId, SerialRange]]


def add_to(group: typer.Typer) -> None:
    group.command("transfer")(transfer)
    group.command("retire")(retire)
    for act, text in _MARKS.items():
        group.command(act, help=text)(_marking(act))
    group.command("split")(split)
    group.command("merge")(merge)
    for act, text in _FINALS.items():
        group.command(act, help=text)(_finishing(act))
    group.command("expire")(expire)


def transfer(
    ctx: typer.Context,
    owner: Owner,
    to: Annotated[str, typer.Option(help="Party that gets them.")],
    serials: Serials = None,
    count: Count = None,
    class_: Class = "",
    document: Document = None,
    note: Note = "",
    key: KeyFile = None,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Hand units over to another party."""
    house = open_house(directory)
    rules = _rules(ctx, house, scheme)
    receipt = acting.transfer(
        house.desk,
        owner,
        to,
        selection(rules, serials, count, class_),
        document=hash_of(document),
        note=note,
        key=signing_key(key),
    )
    with db.reading(house.engine) as conn:
        rows = store.begun_by(conn, house.log.log_id, receipt.index)
    moved = [(row.batch, row.units) for row in rows if row.owner == to]
    out = Output(as_json=as_json)
    out.say(
        f"Handed over {_said(rules, moved)} from {owner} to {to}, by entry {receipt.index}:"
        f" {listed(serials_of(moved))}."
    )
    out.result({**_result(rules, moved, [receipt]), "owner": owner, "to": to})


def retire(
    ctx: typer.Context,
    owner: Owner,
    beneficiary: Annotated[str, typer.Option(help="Party that uses them.")],
    purpose: Annotated[str, typer.Option(help="One of " + ", ".join(PURPOSES) + ".")],
    start: Annotated[str, typer.Option("--from", help="First day of what they are used for.")],
    end: Annotated[str, typer.Option("--to", help="Day after the last.")],
    serials: Serials = None,
    count: Count = None,
    class_: Class = "",
    obligation: Annotated[
        int,
        typer.Option(help="For ets-compliance: units that the beneficiary owes in all.", min=0),
    ] = 0,
    note: Note = "",
    key: KeyFile = None,
    officer: As = "",
    officer_key: OfficerKey = None,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Use units up, for one beneficiary and one purpose, for good."""
    house = open_house(directory)
    rules = _rules(ctx, house, scheme)
    use = Use(
        beneficiary=beneficiary,
        purpose=purpose,
        period=period_of(start, end, house.log.zone),
        obligation=obligation,
        note=note,
    )
    chosen, signing = selection(rules, serials, count, class_), signing_key(key)
    out = Output(as_json=as_json)
    done = carried(
        out,
        house,
        lambda desk: acting.retire(desk, owner, chosen, use, key=signing),
        officer=officer,
        officer_key=officer_key,
        summary={"owner": owner, "serials": serials or [], **use.to_json(count or 0)},
    )
    if done is None:
        return
    retirement, receipt = done
    with db.reading(house.engine) as conn:
        moved = _gone(conn, house, [receipt])
    out.say(
        f"Retired {_said(rules, moved)} for {beneficiary}, {purpose}, used"
        f" {dates(use.period.start_s, use.period.end_s, house.log.zone)}, by entry"
        f" {receipt.index}: {listed(serials_of(moved))}."
    )
    short = retirement.hex()[:12]
    out.say(f"Retirement {retirement.hex()}. Use it in a claim, or show it to everybody:")
    out.say(f"  greenledger claim make POINT --from … --to … --retirement {short}")
    out.say(f"  greenledger {group_of(ctx)} disclose {short}")
    out.result(
        {
            **_result(rules, moved, [receipt]),
            "retirement": retirement.hex(),
            "owner": owner,
            **use.to_json(_units(moved)),
        }
    )


def _marking(act: str) -> Callable[..., None]:
    def command(
        ctx: typer.Context,
        reason: Reason,
        owner: Whose = "",
        serials: Serials = None,
        count: Count = None,
        class_: Class = "",
        key: KeyFile = None,
        scheme: SchemeName = "",
        directory: Dir = None,
        as_json: Json = False,
    ) -> None:
        house = open_house(directory)
        rules = _rules(ctx, house, scheme)
        _require_owner(act, owner, serials)
        receipts = acting.mark(
            house.desk,
            act,
            owner,
            selection(rules, serials, count, class_),
            reason,
            key=signing_key(key),
        )
        with db.reading(house.engine) as conn:
            moved = _begun(conn, house, receipts[-1:])
        _say(Output(as_json=as_json), act, rules, moved, receipts)

    return command


def _finishing(act: str) -> Callable[..., None]:
    def command(
        ctx: typer.Context,
        reason: Reason,
        owner: Whose = "",
        serials: Serials = None,
        count: Count = None,
        class_: Class = "",
        key: KeyFile = None,
        officer: As = "",
        officer_key: OfficerKey = None,
        scheme: SchemeName = "",
        directory: Dir = None,
        as_json: Json = False,
    ) -> None:
        house = open_house(directory)
        rules = _rules(ctx, house, scheme)
        _require_owner(act, owner, serials)
        chosen = selection(rules, serials, count, class_)
        out, signing = Output(as_json=as_json), signing_key(key)
        receipts = carried(
            out,
            house,
            lambda desk: acting.finish(desk, act, owner, chosen, reason, key=signing),
            officer=officer,
            officer_key=officer_key,
            summary={"act": act, "owner": owner, "serials": serials or [], "reason": reason},
        )
        if receipts is None:
            return
        with db.reading(house.engine) as conn:
            moved = _gone(conn, house, receipts)
        _say(out, act, rules, moved, receipts)

    return command


def split(
    ctx: typer.Context,
    owner: Owner,
    serials: Serials = None,
    count: Count = None,
    class_: Class = "",
    key: KeyFile = None,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Cut holdings, so that these units are holdings of their own."""
    house = open_house(directory)
    rules = _rules(ctx, house, scheme)
    chosen = selection(rules, serials, count, class_)
    receipts = acting.split(house.desk, owner, chosen, key=signing_key(key))
    _say_cut(Output(as_json=as_json), house, lifecycle.SPLIT, rules, receipts)


def merge(
    ctx: typer.Context,
    owner: Owner,
    serials: Serials = None,
    count: Count = None,
    class_: Class = "",
    key: KeyFile = None,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Join holdings of adjoining units; without serials all of them that are active."""
    house = open_house(directory)
    rules = _rules(ctx, house, scheme)
    if not serials and count is None:
        with db.reading(house.engine) as conn:
            rows = store.live_of(conn, house.log.log_id, rules.scheme, owner)
        serials = sorted({row.batch.short for row in rows if row.state == lifecycle.ACTIVE})
    chosen = selection(rules, serials, count, class_)
    receipts = acting.merge(house.desk, owner, chosen, key=signing_key(key))
    _say_cut(Output(as_json=as_json), house, lifecycle.MERGE, rules, receipts)


def expire(directory: Dir = None, as_json: Json = False) -> None:
    """Take all units out whose validity is over, of every scheme."""
    house = open_house(directory)
    receipts = acting.expire_due(house.desk)
    out = Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        schemes = catalogue.current_schemes(conn, house.log.log_id)
        moved = _gone(conn, house, receipts)
    found = []
    for name in sorted({batch.scheme for batch, _ in moved}):
        mine = [one for one in moved if one[0].scheme == name]
        found.append({"scheme": name, **_result(schemes[name].rules, mine, receipts)})
        out.say(f"Expired: {_said(schemes[name].rules, mine)}: {listed(serials_of(mine))}.")
    if not moved:
        out.say("Nothing is due: all units that are held are valid.")
    out.result({"expired": found})


def _rules(ctx: typer.Context, house: House, scheme: str) -> Scheme:
    with db.reading(house.engine) as conn:
        return rules_of(ctx, conn, house, scheme)


def _require_owner(act: str, owner: str, serials: Sequence[str] | None) -> None:
    if not owner and (act not in _BY_OPERATOR or not serials):
        raise InvalidInput(
            f"say whose units to {act}: --owner PARTY"
            + (", or name them by serial" if act in _BY_OPERATOR else "")
        )


def _begun(conn: Connection, house: House, receipts: Sequence[Receipt]) -> _Moved:
    rows = [row for one in receipts for row in store.begun_by(conn, house.log.log_id, one.index)]
    return [(row.batch, row.units) for row in rows]


def _gone(conn: Connection, house: House, receipts: Sequence[Receipt]) -> _Moved:
    indexes = [one.index for one in receipts]
    rows = used.find_gone(conn, house.log.log_id, gone_units.c.entry_index.in_(indexes))
    return [(row.batch, row.units) for row in rows]


def _units(moved: _Moved) -> int:
    return sum(len(units) for _, units in moved)


def _said(rules: Scheme, moved: _Moved) -> str:
    return rules.said(_units(moved))


def _entries(receipts: Sequence[Receipt]) -> str:
    if len(receipts) == 1:
        return f"entry {receipts[0].index}"
    return f"entries {listed([str(one.index) for one in receipts])}"


def _result(rules: Scheme, moved: _Moved, receipts: Sequence[Receipt]) -> dict[str, Any]:
    return {
        "entry": receipts[-1].index,
        "entries": [one.index for one in receipts],
        "scheme": rules.scheme,
        "units": _units(moved),
        "amount": rules.amount(_units(moved)),
        "serials": serials_of(moved),
    }


def _say(out: Output, act: str, rules: Scheme, moved: _Moved, receipts: Sequence[Receipt]) -> None:
    out.say(
        f"{_PAST[act]}: {_said(rules, moved)}, by {_entries(receipts)}:"
        f" {listed(serials_of(moved))}."
    )
    out.result({"act": act, **_result(rules, moved, receipts)})


def _say_cut(
    out: Output, house: House, act: str, rules: Scheme, receipts: Sequence[Receipt]
) -> None:
    with db.reading(house.engine) as conn:
        rows = [
            row for one in receipts for row in store.begun_by(conn, house.log.log_id, one.index)
        ]
    holdings = [f"{row.batch.short}:{row.units}" for row in rows]
    moved = [(row.batch, row.units) for row in rows]
    out.say(
        f"{_PAST[act]} into {counted(len(rows), 'holding')} of {_said(rules, moved)} in all, by"
        f" {_entries(receipts)}: {listed(holdings)}."
    )
    out.result({"act": act, **_result(rules, moved, receipts), "serials": holdings})
