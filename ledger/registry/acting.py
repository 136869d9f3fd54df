"""Drafts of entries about units, and what becomes of units: services of `unit.move`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.metering.batches import SECRET_BYTES
from ledger.parties.desk import Desk, Draft, fresh_id
from ledger.registry import catalogue, lifecycle, moving, rule, store, used
from ledger.registry.body import UnitsBody
from ledger.registry.choosing import Chosen, Selection, choose, codes_of
from ledger.registry.leaves import Act, Gone, Piece, Use, in_order, owner_leaf
from ledger.registry.ranges import SerialRange, joined

# An entry has 65,535 bytes: what its lists may take of them.
LISTS_BYTES_MAX: Final = 60_000
ID_BYTES: Final = 35


def units_draft(
    desk: Desk,
    kind: str,
    author: str,
    members: Mapping[str, Any],
    leaves: Sequence[Mapping[str, Any]],
) -> Draft:
    id_ = fresh_id()
    body = UnitsBody.seal(
        leaves, secret=secrets.token_bytes(SECRET_BYTES), origin=desk.log.origin, id_=id_
    )
    return Draft(type=kind, author=author, id=id_, members=members, bodies={"body": body})


def move_draft(
    desk: Desk,
    name: str,
    author: str,
    chosen: Chosen,
    *,
    terms: Mapping[str, Any],
    to: str = "",
    retirement: str = "",
) -> Draft:
    """An act on what was chosen: the rest of a holding is begun anew."""
    begun: list[tuple[Piece, str]] = []
    gone: list[Gone] = []
    for row, taken in chosen:
        for units in joined(taken):
            if name in lifecycle.FINAL:
                gone.append(Gone(batch=row.batch, units=units, class_=row.class_))
            elif name in lifecycle.GIVING:
                begun.append((_piece(row, units, row.moves + 1), to))
            else:
                begun.append((_piece(row, units, row.moves), row.owner))
        begun += [
            (_piece(row, units, row.moves), row.owner) for units in row.units.without(joined(taken))
        ]
    return act_draft(desk, name, author, [row for row, _ in chosen], begun, gone, terms, retirement)


def _piece(row: store.HoldingRow, units: SerialRange, moves: int) -> Piece:
    return Piece(
        holding=bytes.fromhex(fresh_id()),
        batch=row.batch,
        class_=row.class_,
        moves=moves,
        units=units,
    )


def act_draft(
    desk: Desk,
    name: str,
    author: str,
    rows: Sequence[store.HoldingRow],
    begun: Sequence[tuple[Piece, str]],
    gone: Sequence[Gone],
    terms: Mapping[str, Any],
    retirement: str = "",
) -> Draft:
    """`begun`: each with its owner."""
    pieces = sorted(begun, key=lambda one: one[0].holding)
    act = Act(
        ended=tuple(sorted((row.piece for row in rows), key=lambda one: one.holding)),
        begun=tuple(piece for piece, _ in pieces),
        gone=tuple(in_order(gone)),
        terms=terms,
    )
    leaves = [act.to_json(), *(owner_leaf(piece.holding, owner) for piece, owner in pieces)]
    members = {
        "act": name,
        "retirement": retirement,
        "ends": [piece.holding.hex() for piece in act.ended],
        "begins": [piece.holding.hex() for piece, _ in pieces],
    }
    return units_draft(desk, rule.MOVE, author, members, leaves)


def chosen_of(
    desk: Desk, owner: str, selection: Selection, act: str, *, some: bool = False
) -> Chosen:
    """What a selection takes of an owner's holdings for an act; `some`: not all of its serials need
    be the owner's. By number alone it takes none whose validity is over, where the act would be
    refused. Raises NotFound or Refused."""
    with reading(desk.engine) as conn:
        catalogue.find_scheme(conn, desk.log.log_id, selection.scheme)
        rows = store.live_of(
            conn, desk.log.log_id, selection.scheme, owner, codes_of(selection.serials)
        )
        batches = store.batches_by_id(conn, desk.log.log_id, {row.batch for row in rows})
    if act in lifecycle.TIMED and not selection.serials:
        now_s = desk.clock_s()
        rows = [row for row in rows if not batches[row.batch].is_over(now_s)]
    if not rows:
        named = f" {', '.join(selection.serials[:3])}" if selection.serials else ""
        holds = f"{owner} holds no unit" if owner else "nobody holds a unit"
        raise NotFound(f"{holds}{named} of scheme {selection.scheme}")
    return choose(selection, rows, batches, lifecycle.MOVES[act].ends, some=some)


def transfer(
    desk: Desk,
    owner: str,
    to: str,
    selection: Selection,
    *,
    document: str = "",
    note: str = "",
    key: SigningKey | None = None,
) -> Receipt:
    """Hand units over. `key` signs where the owner holds its own."""
    chosen = chosen_of(desk, owner, selection, lifecycle.TRANSFER)
    drafts, chosen = _cut_out(desk, owner, chosen, of_active=False)
    terms = {"document": document, "note": note}
    drafts.append(move_draft(desk, lifecycle.TRANSFER, owner, chosen, terms=terms, to=to))
    return _append(desk, drafts, key)[-1]


def retire(
    desk: Desk, owner: str, selection: Selection, use: Use, *, key: SigningKey | None = None
) -> tuple[bytes, Receipt]:
    """Use units up, for one beneficiary and purpose. Returns the retirement's id."""
    chosen = chosen_of(desk, owner, selection, lifecycle.RETIRE)
    drafts, chosen = _cut_out(desk, owner, chosen, of_active=False)
    drafts.append(retire_draft(desk, owner, chosen, use))
    receipt = _append(desk, drafts, key)[-1]
    return bytes.fromhex(receipt.entry.statement["retirement"]), receipt


def retire_draft(desk: Desk, owner: str, chosen: Chosen, use: Use) -> Draft:
    units = sum(len(units) for _, taken in chosen for units in taken)
    return move_draft(
        desk,
        lifecycle.RETIRE,
        owner,
        chosen,
        terms=use.to_json(units),
        retirement=fresh_id(),
    )


def mark(
    desk: Desk,
    act: str,
    owner: str,
    selection: Selection,
    reason: str,
    *,
    key: SigningKey | None = None,
    for_operator: bool = True,
) -> list[Receipt]:
    """Reserve, lock, freeze or release units; holdings of which they are a part are split first.

    `owner`: whose units; who signs follows from act and state. `for_operator`: whether who asks
    acts for the operator, who alone releases what is frozen. Raises Refused where not.
    """
    chosen = chosen_of(desk, owner, selection, act)
    by_operator = any(lifecycle.by_whom(act, row.state) == lifecycle.OPERATOR for row, _ in chosen)
    if by_operator and not for_operator:
        raise Refused("frozen units are released by the operator, who froze them")
    author = desk.log.operator if by_operator else owner
    drafts, whole = _cut_out(desk, author, chosen)
    drafts.append(move_draft(desk, act, author, whole, terms={"reason": reason}))
    return _append(desk, drafts, key if author == owner else None)


def _append(desk: Desk, drafts: Sequence[Draft], key: SigningKey | None) -> list[Receipt]:
    return desk.writer.append_all([desk.sign(draft, key=key) for draft in drafts])


def _cut_out(
    desk: Desk, author: str, chosen: Chosen, *, of_active: bool = True
) -> tuple[list[Draft], Chosen]:
    """Splits, so that what was chosen are whole holdings, and these. `of_active`: of active
    holdings too, of which an act could leave a part."""
    drafts, whole = [], Chosen()
    for row, taken in chosen:
        parts = joined(taken)
        if parts == [row.units] or (row.state == lifecycle.ACTIVE and not of_active):
            whole.append((row, parts))
            continue
        begun = [(_piece(row, units, row.moves), row.owner) for units in parts]
        rest = [(_piece(row, units, row.moves), row.owner) for units in row.units.without(parts)]
        drafts.append(
            act_draft(desk, lifecycle.SPLIT, author, [row], [*begun, *rest], [], {"note": ""})
        )
        whole += [
            (replace(row, holding=piece.holding, units=piece.units), [piece.units])
            for piece, _ in begun
        ]
    return drafts, whole


def split(
    desk: Desk, owner: str, selection: Selection, *, key: SigningKey | None = None
) -> list[Receipt]:
    """Cut holdings so that the units chosen are holdings of their own."""
    drafts, _ = _cut_out(desk, owner, chosen_of(desk, owner, selection, lifecycle.SPLIT))
    if not drafts:
        raise InvalidInput("these units are holdings of their own already")
    return _append(desk, drafts, key)


def merge(
    desk: Desk, owner: str, selection: Selection, *, key: SigningKey | None = None
) -> list[Receipt]:
    """Join holdings of adjoining units of one batch and class. Raises NotFound where none do."""
    chosen = chosen_of(desk, owner, selection, lifecycle.MERGE)
    runs: list[list[store.HoldingRow]] = []
    for row in sorted(
        (row for row, _ in chosen), key=lambda row: (row.batch, row.class_, row.units)
    ):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and (last.batch, last.class_, last.moves) == (row.batch, row.class_, row.moves)
            and last.units.end == row.units.first
        ):
            runs[-1].append(row)
        else:
            runs.append([row])
    drafts = []
    for rows in runs:
        if len(rows) > 1:
            whole = SerialRange(first=rows[0].units.first, end=rows[-1].units.end)
            begun = [(_piece(rows[0], whole, rows[0].moves), owner)]
            drafts.append(act_draft(desk, lifecycle.MERGE, owner, rows, begun, [], {"note": ""}))
    if not drafts:
        raise NotFound("no two of these holdings adjoin in one batch and class")
    return _append(desk, drafts, key)


def finish(
    desk: Desk,
    act: str,
    owner: str,
    selection: Selection,
    reason: str,
    *,
    key: SigningKey | None = None,
) -> list[Receipt]:
    """Export, withdraw or cancel units; `owner` whose, `""` for anybody's (by the operator)."""
    chosen = chosen_of(desk, owner, selection, act)
    author = owner if lifecycle.MOVES[act].by == lifecycle.OWNER else desk.log.operator
    drafts, chosen = _cut_out(desk, author, chosen, of_active=False)
    drafts += [
        move_draft(desk, act, author, part, terms={"reason": reason}) for part in _by_owner(chosen)
    ]
    return _append(desk, drafts, key)


def _by_owner(chosen: Chosen) -> list[Chosen]:
    found: dict[str, Chosen] = {}
    for one in chosen:
        found.setdefault(one[0].owner, []).append(one)
    return [found[owner] for owner in sorted(found)]


def expire_due(desk: Desk) -> list[Receipt]:
    """Take units out whose validity is over; none where there are none."""
    with reading(desk.engine) as conn:
        rows = store.live_due(conn, desk.log.log_id, desk.clock_s())
    parts: dict[tuple[str, str], Chosen] = {}
    for row in rows:
        parts.setdefault((row.batch.scheme, row.owner), []).append((row, [row.units]))
    drafts = [
        move_draft(
            desk,
            lifecycle.EXPIRE,
            desk.log.operator,
            part,
            terms={"reason": "validity is over"},
        )
        for _, whole in sorted(parts.items())
        for part in _of_size(whole)
    ]
    return _append(desk, drafts, None) if drafts else []


def _of_size(chosen: Chosen) -> Iterator[Chosen]:
    at_once = LISTS_BYTES_MAX // (2 * ID_BYTES)
    for begin in range(0, len(chosen), at_once):
        yield chosen[begin : begin + at_once]


def disclose(desk: Desk, retirement: bytes, *, key: SigningKey | None = None) -> Receipt:
    """Show a retirement to everybody, by its owner's choice."""
    with reading(desk.engine) as conn:
        row = used.find_retirement(conn, desk.log.log_id, retirement)
    draft = Draft(type=rule.DISCLOSE, author=row.author, members=moving.disclosure(row))
    return desk.writer.append(desk.sign(draft, key=key))
