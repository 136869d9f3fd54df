"""What becomes of units: the entry types `unit.move` and `unit.disclose`."""

from __future__ import annotations

import re
from typing import Any, Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.entry import Entry, Member
from ledger.log.types import Bodies, EntryType, Tx
from ledger.parties.entries import author_signs, require_party
from ledger.registry import acts, catalogue, exclusive, lifecycle, rule, store, used
from ledger.registry.acts import Doing, Ended
from ledger.registry.body import UnitsBody
from ledger.registry.issuing import (
    HOLDINGS,
    HOLDINGS_OR_NONE,
    UNITS_KIND,
    owners_in,
    require_new,
    units_body,
)
from ledger.registry.leaves import Act, Use
from ledger.registry.ranges import UNITS_MAX
from ledger.registry.scheme import PURPOSES
from ledger.units import format_instant


def act_in(entry: Entry, body: UnitsBody) -> Act:
    """What a move does. Raises InvalidInput where body and header are of different holdings."""
    statement = entry.statement
    if body.size != len(statement["begins"]) + 1:
        raise InvalidInput(
            f"a move that begins {len(statement['begins'])} holdings has a body of"
            f" {len(statement['begins']) + 1} leaves, not {body.size}"
        )
    found = Act.from_json(statement["act"], body.json(0))
    for member, pieces in (("ends", found.ended), ("begins", found.begun)):
        if [one.holding.hex() for one in pieces] != statement[member]:
            raise InvalidInput(f"the act is about other holdings than the entry {member}")
    return found


def _accept_move(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    statement, body = entry.statement, units_body(bodies)
    name = statement["act"]
    if bool(statement["retirement"]) != (name == lifecycle.RETIRE):
        raise InvalidInput(f"retirement is {statement['retirement']!r}; it goes with act retire")
    act = act_in(entry, body)
    owners = owners_in(entry, body, 1)
    require_new(tx, owners)
    for owner in sorted(set(owners.values())):
        require_party(tx, owner)
    ended = _ended(tx, act)
    schemes = {one.batch.scheme for one in act.ended}
    if len(schemes) != 1:
        raise Refused(f"an act is about one scheme, not {', '.join(sorted(schemes))}")
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, schemes.pop()).rules
    doing = Doing(
        name=name,
        author=entry.author,
        operator=tx.log.operator,
        act=act,
        owners=owners,
        tick_s=tx.tick_s,
        zone_s=tx.log.zone_s,
    )
    acts.check(rules, doing, ended)
    if name == lifecycle.RELEASE:
        frozen = {one.piece.batch for one in ended if one.state == lifecycle.FROZEN}
        exclusive.require_releasable(tx, sorted(frozen))
    state = lifecycle.begins_as(name, ended[0].state)
    _store(tx, doing, state, {one.name: one.moves_max for one in rules.classes.values()})
    if name == lifecycle.RETIRE:
        _retire(tx, entry, rules.scheme, act)


def _ended(tx: Tx, act: Act) -> list[Ended]:
    """The holdings that an act ends. Raises Refused where one never began, or ended before."""
    which = [one.holding for one in act.ended]
    known = store.holdings_by_id(tx.conn, tx.log.log_id, which)
    batches = store.batches_by_id(tx.conn, tx.log.log_id, {row.batch for row in known.values()})
    found = []
    for holding in which:
        if holding not in known:
            raise Refused(f"holding {holding.hex()} never began")
        row = known[holding]
        if not row.live:
            raise Refused(
                f"holding {holding.hex()} ended before, by entry {row.end_index} ({row.ended}): it"
                " can't be used twice"
            )
        batch = batches[row.batch]
        found.append(
            Ended(
                piece=row.piece,
                owner=row.owner,
                state=row.state,
                expires_s=batch.expires_s,
                produced=batch.period,
            )
        )
    return found


def _store(tx: Tx, doing: Doing, state: str, moves_max: dict[str, int]) -> None:
    conn, log_id, act = tx.conn, tx.log.log_id, doing.act
    which = [one.holding for one in act.ended]
    store.end_holdings(conn, log_id, tx.index, which, doing.name, tx.tick_s)
    if act.gone:
        used.save_gone(conn, log_id, tx.index, act.gone, doing.name)
    store.save_holdings(
        conn,
        log_id,
        tx.index,
        # Units that changed hands under rules that allowed more keep that.
        [
            (one, doing.owners[one.holding], max(moves_max[one.class_], one.moves))
            for one in act.begun
        ],
        state,
    )


def _retire(tx: Tx, entry: Entry, scheme: str, act: Act) -> None:
    use = Use.from_json(act.terms)
    require_party(tx, use.beneficiary)
    retirement = bytes.fromhex(entry.statement["retirement"])
    known = used.retirements_by_id(tx.conn, tx.log.log_id, [retirement])
    if known:
        raise Refused(
            f"retirement {retirement.hex()} was made before, by entry"
            f" {known[retirement].entry_index}; take a fresh random id"
        )
    used.save_retirement(
        tx.conn, tx.log.log_id, tx.index, retirement, entry.author, scheme, use, act.gone_units
    )


def disclosure(row: used.RetirementRow) -> dict[str, Any]:
    """What a public entry says of a retirement: the members of `unit.disclose`."""
    return {
        "retirement": row.retirement.hex(),
        "scheme": row.scheme,
        "units": row.units,
        "beneficiary": row.use.beneficiary,
        "purpose": row.use.purpose,
        "from": format_instant(row.use.period.start_s),
        "to": format_instant(row.use.period.end_s),
        "serials": sorted(f"{one.batch.short}:{one.units}" for one in row.gone),
    }


def _accept_disclosure(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    retirement = bytes.fromhex(entry.statement["retirement"])
    found = used.retirements_by_id(tx.conn, tx.log.log_id, [retirement]).get(retirement)
    if found is None:
        raise Refused(f"retirement {retirement.hex()} was never made")
    if found.author != entry.author:
        raise Refused(
            f"retirement {retirement.hex()} is shown by its author {found.author!r} alone"
        )
    if found.disclosed_index is not None:
        raise Refused(
            f"retirement {retirement.hex()} was shown before, by entry {found.disclosed_index}"
        )
    for member, value in disclosure(found).items():
        if entry.statement[member] != value:
            raise Refused(f"{member} is {entry.statement[member]!r}; the retirement says {value!r}")
    used.save_disclosure(tx.conn, tx.log.log_id, tx.index, retirement)


_NUMBER: Final = r"(?:0|[1-9][0-9]{0,15})"
_SERIAL: Final = re.compile(
    rf"[A-Za-z0-9._-]{{1,64}}/(?:0|[1-9][0-9]{{0,5}}):({_NUMBER})-({_NUMBER})", re.ASCII
)


def _is_serial(value: Any) -> bool:
    found = _SERIAL.fullmatch(value) if isinstance(value, str) else None
    return found is not None and int(found[1]) < int(found[2]) <= UNITS_MAX


_SERIALS: Final = Member(
    expected="a sorted array of <code>/<revision>:<first>-<end>, at least one, none twice",
    check=lambda value: (
        isinstance(value, list)
        and len(value) > 0
        and all(map(_is_serial, value))
        and value == sorted(set(value))
    ),
)
_UNITS: Final = Member(
    expected="a number of units, above 0", check=lambda value: e.COUNT.check(value) and value > 0
)

ENTRY_TYPES: Final = (
    EntryType(
        name=rule.MOVE,
        members={
            "act": e.one_of(*lifecycle.MOVES),
            "retirement": e.ID_OR_NONE,
            "ends": HOLDINGS,
            "begins": HOLDINGS_OR_NONE,
            "body": e.TREE,
        },
        bodies={"body": UNITS_KIND},
        signers=author_signs,
        accept=_accept_move,
        irreversible=lambda entry: entry.statement["act"] in lifecycle.DECIDED_FINAL,
    ),
    EntryType(
        name=rule.DISCLOSE,
        members={
            "retirement": e.ID,
            "scheme": e.PARTY,
            "units": _UNITS,
            "beneficiary": e.PARTY,
            "purpose": e.one_of(*PURPOSES),
            "from": e.INSTANT,
            "to": e.INSTANT,
            "serials": _SERIALS,
        },
        signers=author_signs,
        accept=_accept_disclosure,
        irreversible=lambda _entry: True,
    ),
)
