"""What the operator does with the log's keys: brings one, ends one, or does both."""

from __future__ import annotations

from ledger.db import reading
from ledger.errors import Refused
from ledger.log import logkeys
from ledger.log.logkeys import END, REGISTER, LogKey
from ledger.log.notes import ED25519, Signer, VerifyKey
from ledger.log.service import Receipt
from ledger.parties.desk import Desk, Draft


def all_keys(desk: Desk) -> list[LogKey]:
    with reading(desk.engine) as conn:
        return logkeys.load(conn, desk.log)


def keys_in_force(desk: Desk) -> list[VerifyKey]:
    """The keys that sign the next checkpoint, in the order of their signatures."""
    return [one.key for one in all_keys(desk) if one.ended_index is None]


def signing_key(desk: Desk) -> VerifyKey:
    """The oldest Ed25519 key in force: one of those that verifiers are given."""
    with reading(desk.engine) as conn:
        return logkeys.verification_key(conn, desk.log)


def register(desk: Desk, new: Signer) -> Receipt:
    """Bring a key that is at hand: it signs every checkpoint after this entry."""
    also: list[Signer] = [desk.keystore.get(signing_key(desk))]
    if new.verify_key.kind == ED25519:
        also.append(new)
    members = {"log_vkey": new.verify_key.vkey}
    return desk.append(Draft(type=REGISTER, author=desk.log.operator, members=members), also=also)


def create(desk: Desk, *, post_quantum: bool = False) -> tuple[VerifyKey, Receipt]:
    """A fresh key of the log, which the server holds. Raises Refused, Unavailable."""
    name = desk.log.origin
    store = desk.keystore
    key: Signer = store.create_post_quantum(name) if post_quantum else store.create(name)
    return key.verify_key, register(desk, key)


def adopt(desk: Desk, vkey: str) -> tuple[VerifyKey, Receipt]:
    """A key of the log that the external signer holds. Raises Refused, Unavailable."""
    key = desk.keystore.provide(desk.log.origin, vkey)
    return key.verify_key, register(desk, key)


def end(desk: Desk, key: VerifyKey, reason: str) -> Receipt:
    """End a key: it signs no checkpoint after this entry. Another Ed25519 key stays in force.

    Until a checkpoint after this one is signed its private key is kept: a crash may have left a
    root that it has still to sign.
    """
    others = [one for one in keys_in_force(desk) if one.kind == ED25519 and one != key]
    if not others:
        raise Refused(
            f"{key.key_id.hex()} is the last Ed25519 key of the log; bring another one first:"
            " greenledger log-key register"
        )
    members = {"log_vkey": key.vkey, "reason": reason}
    draft = Draft(type=END, author=desk.log.operator, members=members)
    return desk.append(draft, also=[desk.keystore.get(others[0])])
