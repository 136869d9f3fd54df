"""greenledger certificate|credit list: what is held here, and what is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.cli.instruments import (
    Class,
    SchemeName,
    group_of,
    listed,
    rules_of,
    schemes_of,
)
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, dates, park_date
from ledger.errors import InvalidInput
from ledger.house import House
from ledger.registry import lifecycle, store, used
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import joined
from ledger.registry.schema import gone_units, holdings
from ledger.registry.scheme import Scheme
from ledger.registry.store import BatchRow, HoldingRow
from ledger.registry.used import GoneRow, RetirementRow
from ledger.units import format_instant

# More rows than a person reads; --json has all of them.
_ROWS_MAX: Final = 100


def add_to(group: typer.Typer) -> None:
    group.command("list")(list_units)


def list_units(
    ctx: typer.Context,
    owner: Annotated[str, typer.Option(help="Of this party alone.")] = "",
    state: Annotated[
        str, typer.Option(help="In this state alone: " + ", ".join(lifecycle.STATES) + ".")
    ] = "",
    class_: Class = "",
    code: Annotated[str, typer.Option(help="Of this code alone.")] = "",
    gone: Annotated[
        bool, typer.Option("--gone", help="Those that are here no more, and why.")
    ] = False,
    scheme: SchemeName = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Units that are held here: by owner, class, state and batch, and their sums."""
    house = open_house(directory)
    if state and state not in lifecycle.STATES:
        raise InvalidInput(f"--state {state!r} is not one of {', '.join(lifecycle.STATES)}")
    out = Output(as_json=as_json)
    with db.reading(house.engine) as conn:
        schemes = schemes_of(ctx, conn, house, scheme)
        if not schemes:
            rules_of(ctx, conn, house, scheme)
        if gone:
            _list_gone(out, conn, house, schemes, (owner, class_, code))
            return
        held = [
            row
            for name in schemes
            for row in store.find_holdings(
                conn,
                house.log.log_id,
                holdings.c.scheme == name,
                *([holdings.c.owner == owner] if owner else []),
                *([holdings.c.state == state] if state else []),
                *([holdings.c["class"] == class_] if class_ else []),
                *([holdings.c.code == code] if code else []),
                live=True,
            )
        ]
        batches = store.batches_by_id(conn, house.log.log_id, {row.batch for row in held})
    for name, rules in schemes.items():
        mine = [row for row in held if row.batch.scheme == name]
        if mine:
            _show_held(out, house, rules, mine, batches)
    if not held:
        out.say(f"None is held here: greenledger {group_of(ctx)} issue or import.")
    _warn_due(out, house, ctx, schemes, held, batches)
    out.result(
        {
            "sums": [_sum_json(schemes[key[0]], key, rows) for key, rows in _sums(held).items()],
            "holdings": [holding_json(row, batches[row.batch]) for row in held],
        }
    )


_Key = tuple[str, str, str, str]  # scheme, owner, class, state


def _sums(held: Sequence[HoldingRow]) -> dict[_Key, list[HoldingRow]]:
    found: dict[_Key, list[HoldingRow]] = {}
    for row in sorted(held, key=lambda row: (row.batch.scheme, row.owner, row.class_, row.state)):
        key = row.batch.scheme, row.owner, row.class_, row.state
        found.setdefault(key, []).append(row)
    return found


def _units(rows: Sequence[HoldingRow]) -> int:
    return sum(len(row.units) for row in rows)


def _show_held(
    out: Output,
    house: House,
    rules: Scheme,
    held: Sequence[HoldingRow],
    batches: Mapping[BatchId, BatchRow],
) -> None:
    sums = _sums(held)
    lines = [
        (key, batches[batch], [row for row in rows if row.batch == batch])
        for key, rows in sums.items()
        for batch in sorted({row.batch for row in rows})
    ]
    zone = house.log.zone
    out.table(
        f"Held: {rules.name}",
        ["owner", "class", "state", "batch", "numbers", ">units", "of", "expires"],
        [
            [
                key[1],
                key[2],
                key[3],
                batch.id.short,
                listed([str(units) for units in joined(row.units for row in rows)]),
                _units(rows),
                dates(batch.period.start_s, batch.period.end_s, zone),
                "never" if batch.expires_s is None else park_date(batch.expires_s, zone),
            ]
            for key, batch, rows in lines[:_ROWS_MAX]
        ],
    )
    if len(lines) > _ROWS_MAX:
        out.say(f"… and {len(lines) - _ROWS_MAX:,} more rows: --owner, --class, --code, or --json")
        out.say()
    out.table(
        "Sums",
        ["owner", "class", *(f">{state}" for state in lifecycle.STATES), ">all", ">worth"],
        _sum_rows(rules, sums),
    )


def _sum_rows(rules: Scheme, sums: Mapping[_Key, Sequence[HoldingRow]]) -> list[list[object]]:
    rows: list[list[object]] = []
    pairs = sorted({(owner, class_) for _, owner, class_, _ in sums})
    totals = dict.fromkeys(lifecycle.STATES, 0)
    for owner, class_ in pairs:
        by_state = {
            state: _units(sums.get((rules.scheme, owner, class_, state), ()))
            for state in lifecycle.STATES
        }
        totals = {state: totals[state] + by_state[state] for state in lifecycle.STATES}
        rows.append([owner, class_, *_sum_cells(rules, by_state)])
    if len(pairs) > 1:
        rows.append(["all", "", *_sum_cells(rules, totals)])
    return rows


def _sum_cells(rules: Scheme, by_state: Mapping[str, int]) -> list[object]:
    units = sum(by_state.values())
    return [*by_state.values(), units, rules.amount(units)]


def _warn_due(
    out: Output,
    house: House,
    ctx: typer.Context,
    schemes: Mapping[str, Scheme],
    held: Sequence[HoldingRow],
    batches: Mapping[BatchId, BatchRow],
) -> None:
    now_s = house.desk.clock_s()
    for name, rules in schemes.items():
        due = 0
        for row in held:
            expires_s = batches[row.batch].expires_s
            if row.batch.scheme == name and expires_s is not None and expires_s <= now_s:
                due += len(row.units)
        if due:
            out.warn(
                f"{rules.said(due)} of {name} are valid no more: greenledger {group_of(ctx)} expire"
            )


def _sum_json(rules: Scheme, key: _Key, rows: Sequence[HoldingRow]) -> dict[str, Any]:
    scheme, owner, class_, state = key
    return {
        "scheme": scheme,
        "owner": owner,
        "class": class_,
        "state": state,
        "units": _units(rows),
        "amount": rules.amount(_units(rows)),
    }


def holding_json(row: HoldingRow, batch: BatchRow) -> dict[str, Any]:
    return {
        "holding": row.holding.hex(),
        "batch": str(row.batch),
        "first": row.units.first,
        "end": row.units.end,
        "units": len(row.units),
        "owner": row.owner,
        "class": row.class_,
        "state": row.state,
        "moves": row.moves,
        "project": batch.project,
        "from": format_instant(batch.period.start_s),
        "to": format_instant(batch.period.end_s),
        "expires": "" if batch.expires_s is None else format_instant(batch.expires_s),
        "entry": row.entry_index,
    }


# What is gone


def _list_gone(
    out: Output,
    conn: Connection,
    house: House,
    schemes: Mapping[str, Scheme],
    wanted: tuple[str, str, str],
) -> None:
    owner, class_, code = wanted
    rows = [
        row
        for name in schemes
        for row in used.find_gone(conn, house.log.log_id, gone_units.c.scheme == name)
        if class_ in ("", row.class_) and code in ("", row.batch.code)
    ]
    retired = {row.entry_index for row in rows if row.act == lifecycle.RETIRE}
    uses = {one.entry_index: one for one in used.retirements_at(conn, house.log.log_id, retired)}
    owners = _owners_of(conn, house, rows)
    rows = [row for row in rows if owner in ("", owners[row.entry_index])]
    out.table(
        "Gone",
        ["batch", "numbers", "class", "was of", "by", ">units", "for", "retirement", ">entry"],
        [
            [
                row.batch.short,
                str(row.units),
                row.class_,
                owners[row.entry_index],
                row.act,
                len(row.units),
                _use(uses.get(row.entry_index), house.log.zone),
                _retirement(uses.get(row.entry_index)),
                row.entry_index,
            ]
            for row in rows[:_ROWS_MAX]
        ],
    )
    if len(rows) > _ROWS_MAX:
        out.say(f"… and {len(rows) - _ROWS_MAX:,} more rows: --owner, --class, --code, or --json")
    for name, rules in schemes.items():
        units = sum(len(row.units) for row in rows if row.batch.scheme == name)
        if units:
            out.say(f"{name}: {rules.said(units)} are gone.")
    if not rows:
        out.say("None is gone: what was imported is held here.")
    out.result(
        {
            "gone": [
                {
                    "batch": str(row.batch),
                    "first": row.units.first,
                    "end": row.units.end,
                    "units": len(row.units),
                    "class": row.class_,
                    "owner": owners[row.entry_index],
                    "act": row.act,
                    "entry": row.entry_index,
                    "retirement": _retirement(uses.get(row.entry_index), whole=True),
                }
                for row in rows
            ]
        }
    )


def _owners_of(conn: Connection, house: House, rows: Sequence[GoneRow]) -> dict[int, str]:
    """{entry: whose units it ended}: an act is about one owner."""
    return {
        index: store.ended_by(conn, house.log.log_id, index)[0].owner
        for index in {row.entry_index for row in rows}
    }


def _use(row: RetirementRow | None, zone: str) -> str:
    if row is None:
        return "–"
    use = row.use
    period = dates(use.period.start_s, use.period.end_s, zone)
    return f"{use.beneficiary}: {use.purpose}, {period}"


def _retirement(row: RetirementRow | None, *, whole: bool = False) -> str:
    if row is None:
        return "" if whole else "–"
    return row.retirement.hex() if whole else row.retirement.hex()[:12]
