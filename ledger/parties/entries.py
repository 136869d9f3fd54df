"""Entry types of parties and keys, and the rule that every other room uses: who is the author.

Rules (docs/formats.md §4.1): the genesis is entry 0 and nothing else; the operator ticks, registers
parties and introduces their first keys; a party rotates its own keys; an ended key signs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import insert

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log import logkeys
from ledger.log import store as log_store
from ledger.log.entry import Entry, Member
from ledger.log.notes import VerifyKey, parse_vkey
from ledger.log.service import GENESIS, TICK
from ledger.log.types import Bodies, EntryType, Tx
from ledger.parties import officer_store, store

ROLES: Final = ("enterprise", "gateway", "generator", "park-operator", "verifier")
ENDORSERS: Final = frozenset({"gateway", "park-operator", "verifier"})


def _is_roles(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(role in ROLES for role in value)
        and value == sorted(set(value))
    )


ROLES_MEMBER: Final = Member(
    expected=f"a sorted array of {', '.join(ROLES)}, at least one, without repeats",
    check=_is_roles,
)


def party_key_name(origin: str, party: str) -> str:
    return f"{origin}/{party}"


def author_key(tx: Tx, entry: Entry) -> store.Key:
    """The author's key that made the first signature. Raises Refused unless it is in force."""
    if not entry.signatures:
        raise InvalidInput("the entry has no signature")
    signature = entry.signatures[0]
    name = party_key_name(tx.log.origin, entry.author)
    found = store.find_keys(tx.conn, tx.log.log_id, name=name, key_id=signature.key_id)
    if signature.name != name or not found:
        raise Refused(
            f"first signature is by {signature.name} ({signature.key_id.hex()}),"
            f" which is no registered key of the author {entry.author!r}"
        )
    key = found[0]
    if key.ended_index is not None:
        raise Refused(
            f"key {signature.key_id.hex()} of {entry.author!r} ended with entry {key.ended_index}"
            f" ({key.end_reason}); sign with one in force"
        )
    return key


def author_signs(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    """The author's signature alone."""
    return [author_key(tx, entry).key]


def operator_signs(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    """The author's signature alone, and the author is the operator."""
    if entry.author != tx.log.operator:
        raise Refused(
            f"{entry.type} is the operator's ({tx.log.operator!r}), not of {entry.author!r}"
        )
    return author_signs(tx, entry)


def require_party(tx: Tx, party: str) -> store.Party:
    """Raises Refused when the party is not registered."""
    found = store.current_party(tx.conn, tx.log.log_id, party)
    if found is None:
        raise Refused(f"party {party!r} is not registered in {tx.log.origin}")
    return found


def require_role(tx: Tx, party: str, roles: frozenset[str]) -> None:
    if not require_party(tx, party).roles & roles:
        raise Refused(f"party {party!r} has none of the roles {', '.join(sorted(roles))}")


def _named_vkey(entry: Entry, member: str, name: str) -> VerifyKey:
    key = parse_vkey(entry.statement[member])
    if key.name != name:
        raise InvalidInput(f"{member} is named {key.name!r}; it should be {name!r}")
    return key


def _genesis_keys(entry: Entry) -> list[VerifyKey]:
    origin = entry.statement["log"]
    keys = [
        _named_vkey(entry, "vkey", party_key_name(origin, entry.author)),
        _named_vkey(entry, "log_vkey", origin),
    ]
    if keys[0].public_key == keys[1].public_key:
        raise InvalidInput("vkey and log_vkey are one public key; the log has a key of its own")
    return keys


def _genesis_signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    if tx.index != 0:
        raise Refused(f"{GENESIS} is entry 0 only; this would be entry {tx.index}")
    return _genesis_keys(entry)


def _accept_genesis(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    key, log_key = _genesis_keys(entry)
    statement = entry.statement
    operator = store.Party(
        party=entry.author,
        id=entry.id,
        entry_index=0,
        name=statement["name"],
        roles=frozenset({"park-operator"}),
    )
    tx.conn.execute(
        insert(log_store.logs).values(
            log_id=tx.log.log_id,
            origin=statement["log"],
            name=statement["name"],
            zone=statement["zone"],
            operator=entry.author,
            log_vkey=statement["log_vkey"],
        )
    )
    logkeys.save(tx.conn, tx.log.log_id, log_key, 0)
    store.save_party(tx.conn, tx.log.log_id, operator, replaces="")
    store.save_key(
        tx.conn,
        tx.log.log_id,
        store.Key(
            key=key,
            party=entry.author,
            custody="operator",
            device="none",
            entry_index=0,
            ended_index=None,
            end_reason="",
        ),
    )


def _accept_tick(_tx: Tx, _entry: Entry, _bodies: Bodies) -> None:
    """Nothing to project: the log keeps its own time."""


def _accept_party(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    statement = entry.statement
    current = store.current_party(tx.conn, tx.log.log_id, statement["party"])
    in_force = current.id if current else ""
    if statement["replaces"] != in_force:
        raise Refused(
            f"party {statement['party']!r}: replaces is {statement['replaces']!r},"
            f" the registration in force is {in_force!r}"
        )
    if ("park-operator" in statement["roles"]) != (statement["party"] == tx.log.operator):
        raise Refused(f"the role park-operator belongs to {tx.log.operator!r} alone")
    party = store.Party(
        party=statement["party"],
        id=entry.id,
        entry_index=tx.index,
        name=statement["name"],
        roles=frozenset(statement["roles"]),
    )
    store.save_party(tx.conn, tx.log.log_id, party, replaces=in_force)


def _key_signers(tx: Tx, entry: Entry) -> Sequence[VerifyKey]:
    statement = entry.statement
    new = _named_vkey(entry, "vkey", party_key_name(tx.log.origin, statement["party"]))
    if entry.author not in (tx.log.operator, statement["party"]):
        raise Refused(
            f"keys of {statement['party']!r} are registered by itself or the operator,"
            f" not by {entry.author!r}"
        )
    author = author_key(tx, entry)
    replaced = statement["replaces"]
    if replaced and entry.author == statement["party"] and author.key.key_id.hex() != replaced:
        raise Refused(f"a rotation is signed by the key that it replaces ({replaced})")
    return [author.key, new]


def _accept_key(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    statement = entry.statement
    require_party(tx, statement["party"])
    new = parse_vkey(statement["vkey"])
    if store.find_keys(tx.conn, tx.log.log_id, name=new.name, key_id=new.key_id):
        raise Refused(f"key {new.key_id.hex()} of {statement['party']!r} is registered already")
    if officer_store.holds_public_key(tx.conn, tx.log.log_id, new.public_key):
        raise Refused(f"the public key of {new.key_id.hex()} is that of an officer")
    require_no_log_key(tx, new)
    if statement["replaces"]:
        old = _key_in_force(tx, new.name, bytes.fromhex(statement["replaces"]))
        store.end_key(tx.conn, tx.log.log_id, old, tx.index, "replaced")
    store.save_key(
        tx.conn,
        tx.log.log_id,
        store.Key(
            key=new,
            party=statement["party"],
            custody=statement["custody"],
            device=statement["device"],
            entry_index=tx.index,
            ended_index=None,
            end_reason="",
        ),
    )
    _require_tick_key(tx, statement["party"])


def require_no_log_key(tx: Tx, key: VerifyKey) -> None:
    """Raises Refused where the log signs its checkpoints with it, or did."""
    if logkeys.holds_public_key(tx.conn, tx.log.log_id, key.public_key):
        raise Refused(f"the public key of {key.key_id.hex()} is one of the log's own")


def _key_in_force(tx: Tx, name: str, key_id: bytes) -> store.Key:
    found = store.find_keys(tx.conn, tx.log.log_id, name=name, key_id=key_id)
    if not found:
        raise Refused(f"{name} has no registered key {key_id.hex()}")
    if found[0].ended_index is not None:
        raise Refused(f"key {key_id.hex()} of {name} ended with entry {found[0].ended_index}")
    return found[0]


def _stated_key(tx: Tx, entry: Entry) -> store.Key:
    name = party_key_name(tx.log.origin, entry.statement["party"])
    return _key_in_force(tx, name, _named_vkey(entry, "vkey", name).key_id)


def _accept_endorsement(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    require_role(tx, entry.author, ENDORSERS)
    store.save_endorsement(
        tx.conn,
        tx.log.log_id,
        tx.index,
        _stated_key(tx, entry),
        entry.author,
        entry.statement["claim"],
    )


def _accept_revocation(tx: Tx, entry: Entry, _bodies: Bodies) -> None:
    if entry.author not in (tx.log.operator, entry.statement["party"]):
        raise Refused(
            f"a key of {entry.statement['party']!r} is revoked by itself or the operator,"
            f" not by {entry.author!r}"
        )
    key = _stated_key(tx, entry)
    store.end_key(tx.conn, tx.log.log_id, key, tx.index, entry.statement["reason"])
    _require_tick_key(tx, key.party)


def _require_tick_key(tx: Tx, party: str) -> None:
    """The operator keeps one that the server holds: each group of entries begins with a tick."""
    if party == tx.log.operator and not any(
        key.ended_index is None and key.custody == "operator"
        for key in store.find_keys(tx.conn, tx.log.log_id, party=party)
    ):
        raise Refused(
            "the operator's last key that the server holds can't be revoked or replaced by one that"
            " it does not hold: nobody could sign ticks any more"
        )


ENTRY_TYPES: Final = (
    EntryType(
        name=GENESIS,
        members={"name": e.NAME, "zone": e.ZONE, "log_vkey": e.VKEY, "vkey": e.VKEY},
        signers=_genesis_signers,
        accept=_accept_genesis,
    ),
    EntryType(name=TICK, members={}, signers=operator_signs, accept=_accept_tick),
    EntryType(
        name="party.register",
        members={
            "party": e.PARTY,
            "name": e.NAME,
            "roles": ROLES_MEMBER,
            "replaces": e.ID_OR_NONE,
        },
        signers=operator_signs,
        accept=_accept_party,
    ),
    EntryType(
        name="key.register",
        members={
            "party": e.PARTY,
            "vkey": e.VKEY,
            "custody": e.one_of("owner", "operator"),
            "device": e.one_of("none", "meter", "gateway"),
            "replaces": e.KEY_ID_OR_NONE,
        },
        signers=_key_signers,
        accept=_accept_key,
    ),
    EntryType(
        name="key.endorse",
        members={"party": e.PARTY, "vkey": e.VKEY, "claim": e.REASON},
        signers=author_signs,
        accept=_accept_endorsement,
    ),
    EntryType(
        name="key.revoke",
        members={"party": e.PARTY, "vkey": e.VKEY, "reason": e.REASON},
        signers=author_signs,
        accept=_accept_revocation,
    ),
)
