"""What entries say of lots: members of their statements, and the entry type of forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind, json_media
from ledger.log.entry import Entry, Member
from ledger.log.types import Bodies, EntryType, Tx
from ledger.lots import rule, store
from ledger.lots.model import NO_LOT, parse_origin
from ledger.metering.entries import blob
from ledger.parties.entries import operator_signs

FORMS: Final = ("gec", "settlement", "stamp", "footprint")


def _is_origin(value: Any) -> bool:
    try:
        parse_origin(value)
    except (InvalidInput, TypeError):
        return False
    return True


def _is_lot(value: Any) -> bool:
    return e.ID.check(value) and value != NO_LOT.hex()


def _sorted_list(check: Callable[[Any], bool], least: int) -> Callable[[Any], bool]:
    def is_list(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) >= least
            and all(map(check, value))
            and value == sorted(set(value))
        )

    return is_list


ORIGINS: Final = Member(
    expected="a sorted array of origins <point>/2026-01/0, at least one, none twice",
    check=_sorted_list(_is_origin, 1),
)
LOTS: Final = Member(
    expected="a sorted array of lot ids (32 hex digits), at least one, none twice",
    check=_sorted_list(_is_lot, 1),
)
LOTS_OR_NONE: Final = Member(
    expected="a sorted array of lot ids (32 hex digits), none twice",
    check=_sorted_list(_is_lot, 0),
)


def lot_ids(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def require_unspent(tx: Tx, which: Sequence[bytes]) -> dict[bytes, store.LotRow]:
    """The lots, by id. Raises Refused where one does not exist, or is spent."""
    known = store.lots_by_id(tx.conn, tx.log.log_id, which)
    for lot in which:
        if lot not in known:
            raise Refused(f"lot {lot.hex()} was never created")
    for lot, index in store.spent(tx.conn, tx.log.log_id, which).items():
        raise Refused(f"lot {lot.hex()} was spent before, by entry {index}: it can't be used twice")
    return known


def _accept_wrap(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    form, which = entry.statement["form"], lot_ids(entry.statement["wraps"])
    known = store.lots_by_id(tx.conn, tx.log.log_id, which)
    for lot in which:
        if lot not in known:
            raise Refused(f"lot {lot.hex()} was never created")
    for lot, index in store.wrapped(tx.conn, tx.log.log_id, form, which).items():
        raise Refused(f"lot {lot.hex()} is wrapped as {form} already, by entry {index}")
    _check_form(blob(bodies, "body").json())
    store.save_wraps(tx.conn, tx.log.log_id, tx.index, form, which)


def _check_form(content: dict[str, Any]) -> None:
    """docs/formats.md §4.8."""
    e.check_members(content, {"issuer": e.NAME, "number": e.NAME, "document": e.HASH_OR_NONE})


ENTRY_TYPES: Final = (
    EntryType(
        name=rule.WRAP,
        members={"form": e.one_of(*FORMS), "wraps": LOTS, "body": e.BLOB},
        bodies={"body": blob_kind(json_media("form"))},
        signers=operator_signs,
        accept=_accept_wrap,
    ),
)
