"""Officers, and the rule of four eyes: entry types, and what it asks of all irreversible ones.

A person stands in the log under a random id alone. While a party's rule is `four-eyes`, an entry of
its that can't be undone carries three signatures: the party's, the officer's who prepared it, and
another officer's who approved it (docs/formats.md §4.1). The text does not say who: signatures do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.entry import Entry
from ledger.log.notes import Signature, VerifyKey, parse_vkey
from ledger.log.types import Bodies, EntryType, Tx
from ledger.parties import officer_store, store
from ledger.parties.entries import author_key, author_signs, require_no_log_key, require_party
from ledger.parties.officer_store import FOUR_EYES, NONE, Approval, Officer

REGISTER: Final = "officer.register"
END: Final = "officer.end"
APPROVAL: Final = "party.approval"
OFFICERS_MIN: Final = 2


def under_four_eyes(type_: EntryType) -> EntryType:
    """The type with the signatures that its author's rule of approval asks for, beside its own."""

    def signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
        own = type_.signers(tx, entry)
        if not type_.irreversible(entry):
            return own
        approval = officer_store.approval_of(tx.conn, tx.log.log_id, entry.author)
        if not approval.four_eyes:
            return own
        return [*own, *_officers_of(tx, entry, approval, entry.signatures[len(own) :])]

    return replace(type_, signers=signers)


def _officers_of(
    tx: Tx, entry: Entry, approval: Approval, signatures: Sequence[Signature]
) -> list[VerifyKey]:
    """Who prepared and who approved, by their signatures. Raises Refused."""
    if len(signatures) != OFFICERS_MIN:
        raise Refused(
            f"{entry.author!r} acts with four eyes since entry {approval.entry_index}: a"
            f" {entry.type} that can't be undone is signed by two of its officers as well, who"
            f" prepare and approve it; this one is signed by {len(signatures)}"
        )
    prepared, approved = (_officer_key(tx, entry.author, signature) for signature in signatures)
    if prepared == approved:
        raise Refused("who prepared an act does not approve it: another officer has to")
    return [prepared, approved]


def _officer_key(tx: Tx, party: str, signature: Signature) -> VerifyKey:
    prefix = f"{tx.log.origin}/{party}."
    id_ = signature.name.removeprefix(prefix)
    if not (signature.name.startswith(prefix) and e.ID.check(id_)):
        raise Refused(f"signature by {signature.name}, who is no officer of {party!r}")
    found = require_officer(tx, bytes.fromhex(id_))
    if found.party != party or found.key.key_id != signature.key_id:
        raise Refused(f"key {signature.key_id.hex()} is not that of officer {id_} of {party!r}")
    return found.key


def require_officer(tx: Tx, officer: bytes) -> Officer:
    """An officer in force. Raises Refused."""
    found = officer_store.find_officers(tx.conn, tx.log.log_id, tx.log.origin, officer=officer)
    if not found:
        raise Refused(f"officer {officer.hex()} is not registered in {tx.log.origin}")
    if not found[0].in_force:
        raise Refused(
            f"officer {officer.hex()} ended with entry {found[0].ended_index}"
            f" ({found[0].end_reason})"
        )
    return found[0]


def _named_vkey(tx: Tx, entry: Entry) -> VerifyKey:
    key = parse_vkey(entry.statement["vkey"])
    officer = bytes.fromhex(entry.statement["officer"])
    name = officer_store.officer_key_name(tx.log.origin, entry.author, officer)
    if key.name != name:
        raise InvalidInput(f"vkey is named {key.name!r}; it should be {name!r}")
    return key


def _register_signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    return [author_key(tx, entry).key, _named_vkey(tx, entry)]


def _accept_officer(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    require_party(tx, entry.author)
    key, officer = _named_vkey(tx, entry), bytes.fromhex(entry.statement["officer"])
    if officer_store.find_officers(tx.conn, tx.log.log_id, tx.log.origin, officer=officer):
        raise Refused(f"officer {officer.hex()} is registered already; take a fresh random id")
    store.require_new_public_key(tx.conn, tx.log.log_id, key)
    if officer_store.holds_public_key(tx.conn, tx.log.log_id, key.public_key):
        raise Refused("this public key is an officer's already; each has a key of their own")
    require_no_log_key(tx, key)
    officer_store.save_officer(
        tx.conn,
        tx.log.log_id,
        officer,
        entry.author,
        key,
        entry.statement["custody"],
        tx.index,
    )


def _accept_end(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    found = require_officer(tx, bytes.fromhex(entry.statement["officer"]))
    if entry.author not in (found.party, tx.log.operator):
        raise Refused(
            f"an officer of {found.party!r} is ended by it or the operator, not by {entry.author!r}"
        )
    officer_store.end_officer(
        tx.conn, tx.log.log_id, found.officer, tx.index, entry.statement["reason"]
    )


def _accept_approval(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    party, rule = entry.author, entry.statement["rule"]
    require_party(tx, party)
    before = officer_store.approval_of(tx.conn, tx.log.log_id, party)
    if before.rule == rule:
        raise Refused(f"the rule of approval of {party!r} is {rule} already")
    if rule == FOUR_EYES:
        found = officer_store.find_officers(tx.conn, tx.log.log_id, tx.log.origin, party=party)
        count = sum(one.in_force for one in found)
        if count < OFFICERS_MIN:
            raise Refused(
                f"{party!r} has {count} officers in force; four eyes need {OFFICERS_MIN}:"
                " greenledger officer add"
            )
    officer_store.save_approval(
        tx.conn,
        tx.log.log_id,
        party,
        Approval(rule=rule, number=before.number + 1, entry_index=tx.index),
    )


ENTRY_TYPES: Final = (
    EntryType(
        name=REGISTER,
        members={"officer": e.ID, "vkey": e.VKEY, "custody": e.one_of("owner", "operator")},
        signers=_register_signers,
        accept=_accept_officer,
    ),
    EntryType(
        name=END,
        members={"officer": e.ID, "reason": e.REASON},
        signers=author_signs,
        accept=_accept_end,
    ),
    EntryType(
        name=APPROVAL,
        members={"rule": e.one_of(FOUR_EYES, NONE), "reason": e.REASON},
        signers=author_signs,
        accept=_accept_approval,
        # Only what is in force can be ended, so this one always needs two.
        irreversible=lambda entry: entry.statement["rule"] == NONE,
    ),
)
