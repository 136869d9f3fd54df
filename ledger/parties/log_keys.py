"""Entry types that bring and end the keys with which the log signs its checkpoints.

Rules (docs/formats.md §4.1): both are the operator's, and signed by the oldest Ed25519 key of the
log as well, so that who trusts that one can follow; a new Ed25519 key signs its own registration.
One Ed25519 key stays in force, always; beside it there is one ML-DSA-44 key at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log import logkeys
from ledger.log.entry import Entry
from ledger.log.logkeys import END, REGISTER
from ledger.log.notes import ED25519, VerifyKey
from ledger.log.types import Bodies, EntryType, Tx
from ledger.parties import officer_store, store
from ledger.parties.entries import operator_signs


def _named(tx: Tx, entry: Entry) -> VerifyKey:
    key = logkeys.parse(entry.statement["log_vkey"])
    if key.name != tx.log.origin:
        raise InvalidInput(f"log_vkey is named {key.name!r}; it should be {tx.log.origin!r}")
    return key


def _oldest(tx: Tx, *, but: VerifyKey | None = None) -> VerifyKey:
    """Who signs for the log. Raises Refused where no Ed25519 key is left."""
    found = logkeys.oldest(logkeys.load(tx.conn, tx.log), tx.index, but)
    if found is None:
        raise Refused(
            "it is the last Ed25519 key of the log: register another one before this one ends"
        )
    return found


def _register_signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    signers = [*operator_signs(tx, entry), _oldest(tx)]
    new = _named(tx, entry)
    return [*signers, new] if new.kind == ED25519 else signers


def _end_signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    return [*operator_signs(tx, entry), _oldest(tx, but=_named(tx, entry))]


def _accept_register(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    new = _named(tx, entry)
    keys = logkeys.load(tx.conn, tx.log)
    if any(one.key.key_id == new.key_id for one in keys):
        raise Refused(f"key {new.key_id.hex()} is or was one of the log's; register a fresh one")
    in_force = [key for key in logkeys.signing(keys, tx.index) if key.kind == new.kind]
    if new.kind == ED25519:
        _require_new(tx, new)
        if len(in_force) >= logkeys.IN_FORCE_MAX:
            raise Refused(
                f"the log has {len(in_force)} Ed25519 keys in force, which is the most:"
                " each signs every checkpoint; end one first"
            )
    elif in_force:
        raise Refused(
            f"the log has the ML-DSA-44 key {in_force[0].key_id.hex()} in force; end it first"
        )
    logkeys.save(tx.conn, tx.log.log_id, new, tx.index)


def _require_new(tx: Tx, key: VerifyKey) -> None:
    store.require_new_public_key(tx.conn, tx.log.log_id, key)
    if officer_store.holds_public_key(tx.conn, tx.log.log_id, key.public_key):
        raise Refused(f"the public key of {key.key_id.hex()} is that of an officer")
    if logkeys.holds_public_key(tx.conn, tx.log.log_id, key.public_key):
        raise Refused(f"the public key of {key.key_id.hex()} is or was one of the log's")


def _accept_end(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    ending = _named(tx, entry)
    found = [one for one in logkeys.load(tx.conn, tx.log) if one.key == ending]
    if not found:
        raise Refused(f"the log has no key {ending.key_id.hex()}")
    if found[0].ended_index is not None:
        raise Refused(
            f"the log's key {ending.key_id.hex()} ended with entry {found[0].ended_index}"
            f" ({found[0].end_reason})"
        )
    _oldest(tx, but=ending)
    logkeys.end(tx.conn, tx.log.log_id, ending, tx.index, entry.statement["reason"])


ENTRY_TYPES: Final = (
    EntryType(
        name=REGISTER,
        members={"log_vkey": e.LOG_VKEY},
        signers=_register_signers,
        accept=_accept_register,
    ),
    EntryType(
        name=END,
        members={"log_vkey": e.LOG_VKEY, "reason": e.REASON},
        signers=_end_signers,
        accept=_accept_end,
    ),
)
