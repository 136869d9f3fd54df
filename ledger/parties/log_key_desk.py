"""What the operator does with the log's keys: brings one, ends one, or does both."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.db import reading
from ledger.errors import Refused
from ledger.log import logkeys
from ledger.log.logkeys import LogKey
from ledger.log.notes import ED25519, Signer, VerifyKey
from ledger.log.service import Receipt
from ledger.parties.desk import Desk, Draft
from ledger.parties.log_keys import END, REGISTER


def all_keys(desk: Desk) -> list[LogKey]:
    with reading(desk.engine) as conn:
        return logkeys.load(conn, desk.log)


def keys_in_force(desk: Desk) -> list[VerifyKey]:
    """The keys that sign the next checkpoint, in the order of their signatures."""
    return [one.key for one in all_keys(desk) if one.ended_index is None]


def signing_key(desk: Desk) -> VerifyKey:
    """The oldest Ed25519 key in force: one of those that verifiers are given."""
    return _oldest(all_keys(desk))


def register(desk: Desk, new: Signer) -> Receipt:
    """Bring a key that is at hand: it signs every checkpoint after this entry."""
    also = [_signer(desk, _oldest(all_keys(desk)))]
    if new.verify_key.kind == ED25519:
        also.append(new)
    members = {"log_vkey": new.verify_key.vkey}
    return desk.append(Draft(type=REGISTER, author=desk.log.operator, members=members), also=also)


def create(desk: Desk, *, post_quantum: bool = False) -> tuple[VerifyKey, Receipt]:
    """A fresh key of the log, which the server holds. Raises Refused, Unavailable."""
    name = desk.log.origin
    make = desk.keystore.create_post_quantum if post_quantum else desk.keystore.create
    key = make(name)
    return key.verify_key, register(desk, key)


def end(desk: Desk, key: VerifyKey, reason: str) -> Receipt:
    """End a key: it signs no checkpoint after this entry. Another Ed25519 key stays in force.

    Until a checkpoint after this one is signed its private key is kept: a crash may have left a
    root that it has still to sign.
    """
    oldest = logkeys.oldest(all_keys(desk), _ANY_SIZE, key)
    if oldest is None:
        raise Refused(
            f"{key.key_id.hex()} is the last Ed25519 key of the log; bring another one first:"
            " greenledger log-key register"
        )
    members = {"log_vkey": key.vkey, "reason": reason}
    draft = Draft(type=END, author=desk.log.operator, members=members)
    return desk.append(draft, also=[_signer(desk, oldest)])


# Beyond every entry: the keys in force now.
_ANY_SIZE = 2**63 - 1


def _oldest(keys: Sequence[LogKey]) -> VerifyKey:
    found = logkeys.oldest(keys, _ANY_SIZE)
    assert found is not None, "one Ed25519 key of the log stays in force, always"
    return found


def _signer(desk: Desk, key: VerifyKey) -> Signer:
    return desk.keystore.get(key)
