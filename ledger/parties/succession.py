"""The entry by which a log says which one it follows: the second one of a log, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log import succession
from ledger.log.entry import Entry, Member
from ledger.log.notes import VerifyKey, parse_vkey
from ledger.log.succession import INDEX, SUCCEED, Succession
from ledger.log.types import FUTURE_S_MAX, Bodies, EntryType, Tx
from ledger.parties.entries import operator_signs
from ledger.units import format_instant

_SIZE: Final = Member(
    expected="an integer from 1 to 2^53-1",
    check=lambda value: e.COUNT.check(value) and value > 0,
)


def _signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    if tx.index != INDEX:
        raise Refused(f"{SUCCEED} is entry {INDEX} only; this would be entry {tx.index}")
    return operator_signs(tx, entry)


def _accept(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    said = entry.statement
    if said["origin"] == tx.log.origin:
        raise Refused(f"a log does not follow itself: {tx.log.origin} takes another name")
    name = parse_vkey(said["log_vkey"]).name
    if name != said["origin"]:
        raise InvalidInput(f"log_vkey is named {name!r}; it should be {said['origin']!r}")
    start_s = succession.month_start_s(said["since"], tx.log.zone_s)
    if start_s < tx.tick_s + FUTURE_S_MAX:
        first = succession.first_month(tx.tick_s, tx.log.zone_s)
        raise Refused(
            f"accounts since {said['since']}: this log begins {format_instant(tx.tick_s)}, its"
            f" accounts with a month that is wholly after, {first} at the earliest"
        )
    found = Succession(
        origin=said["origin"],
        log_vkey=said["log_vkey"],
        size=said["size"],
        root=bytes.fromhex(said["root"]),
    )
    succession.save(tx.conn, tx.log.log_id, tx.index, found, start_s)


def members(found: Succession, since: str) -> Mapping[str, Any]:
    """What a statement says beside the common members."""
    return {
        "origin": found.origin,
        "log_vkey": found.log_vkey,
        "size": found.size,
        "root": found.root.hex(),
        "since": since,
    }


ENTRY_TYPES: Final = (
    EntryType(
        name=SUCCEED,
        members={
            "origin": e.ORIGIN,
            "log_vkey": e.VKEY,
            "size": _SIZE,
            "root": e.HASH,
            "since": succession.MONTH,
        },
        signers=_signers,
        accept=_accept,
    ),
)
