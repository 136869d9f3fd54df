"""Where entries are written and signed for parties whose keys the server holds, and handed in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Engine

from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log.bodies import SALT_BYTES, Blob, Body, reference
from ledger.log.entry import write_statement
from ledger.log.notes import Signer, VerifyKey, sign_note
from ledger.log.service import Also, Appender, AppendingAlso, Receipt, Submission
from ledger.log.store import LogFacts
from ledger.log.types import EntryType, EntryTypes
from ledger.parties import store
from ledger.parties.entries import party_key_name
from ledger.parties.keystore import Keystore
from ledger.units import format_instant


def fresh_id() -> str:
    return secrets.token_hex(16)


def fresh_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry before it is signed. `bodies` become references in the statement."""

    type: str
    author: str
    members: Mapping[str, Any] = field(default_factory=dict)
    bodies: Mapping[str, Body] = field(default_factory=dict)
    attachments: Sequence[bytes] = ()
    id: str = field(default_factory=fresh_id)


def sign_draft(draft: Draft, type_: EntryType, origin: str, at_s: int, *keys: Signer) -> Submission:
    """The entry for the log `origin`, dated `at_s`, signed by `keys` in order."""
    statement = {
        "type": draft.type,
        "id": draft.id,
        "log": origin,
        "author": draft.author,
        "at": format_instant(at_s),
        **draft.members,
        **{
            member: reference(body, type_.bodies[member].reference)
            for member, body in draft.bodies.items()
        },
    }
    data = sign_note(write_statement(statement), *keys)
    return Submission(data=data, bodies=draft.bodies, attachments=draft.attachments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Reads and extends one log on behalf of parties."""

    engine: Engine
    types: EntryTypes
    log: LogFacts
    keystore: Keystore
    writer: Appender
    clock_s: Callable[[], int]

    def also(self, also: Also) -> Desk:
        """This desk, where every append stores something of the service's own with it."""
        return replace(self, writer=AppendingAlso(writer=self.writer, also=also))

    def sign(
        self, draft: Draft, *, key: Signer | None = None, also: Sequence[Signer] = ()
    ) -> Submission:
        """Signed by the author's key (`key`, or the one that the server holds), then by `also`."""
        if key is None:
            with reading(self.engine) as conn:
                key = custodial_key(conn, self.keystore, self.log, draft.author)
        type_ = self.types.by_name[draft.type]
        return sign_draft(draft, type_, self.log.origin, self.clock_s(), key, *also)

    def append(self, draft: Draft, *, also: Sequence[Signer] = ()) -> Receipt:
        """Sign with the key that the server holds, and append."""
        return self.writer.append(self.sign(draft, also=also))

    def register_party(self, party: str, name: str, roles: Sequence[str]) -> Receipt:
        """Register an organisation, or replace its registration."""
        with reading(self.engine) as conn:
            current = store.current_party(conn, self.log.log_id, party)
        members = {
            "party": party,
            "name": name,
            "roles": sorted(set(roles)),
            "replaces": current.id if current else "",
        }
        return self.append(Draft(type="party.register", author=self.log.operator, members=members))

    def create_key(self, party: str, *, device: str = "none") -> tuple[VerifyKey, Receipt]:
        """A fresh key for `party`, held by the server, introduced by the operator."""
        key = self.keystore.create(party_key_name(self.log.origin, party))
        return key.verify_key, self.append(
            self._key_draft(self.log.operator, key.verify_key, party, "operator", device, ""),
            also=[key],
        )

    def adopt_key(
        self, party: str, vkey: str, *, device: str = "none"
    ) -> tuple[VerifyKey, Receipt]:
        """A key for `party` that the external signer holds, introduced by the operator."""
        key = self.keystore.provide(party_key_name(self.log.origin, party), vkey)
        draft = self._key_draft(
            self.log.operator, key.verify_key, party, "operator", device, replaces=""
        )
        return key.verify_key, self.append(draft, also=[key])

    def introduce_key(self, party: str, key: Signer, *, device: str = "none") -> Receipt:
        """The operator introduces a key that its owner holds; `key` proves possession only."""
        draft = self._key_draft(self.log.operator, key.verify_key, party, "owner", device, "")
        return self.append(draft, also=[key])

    def rotate_key(self, party: str) -> tuple[VerifyKey, Receipt]:
        """Replace the key that the server holds for `party` by a fresh one."""
        with reading(self.engine) as conn:
            old = custodial_key(conn, self.keystore, self.log, party)
            device = store.find_keys(
                conn, self.log.log_id, name=old.name, key_id=old.verify_key.key_id
            )[0].device
        key = self.keystore.create(old.name)
        replaces = old.verify_key.key_id.hex()
        draft = self._key_draft(party, key.verify_key, party, "operator", device, replaces)
        return key.verify_key, self.writer.append(self.sign(draft, key=old, also=[key]))

    def revoke_key(self, key: store.Key, reason: str) -> Receipt:
        """Revoke a key, as the operator."""
        members = {"party": key.party, "vkey": key.key.vkey, "reason": reason}
        return self.append(Draft(type="key.revoke", author=self.log.operator, members=members))

    def endorse_key(self, key: store.Key, endorser: str, claim: str) -> Receipt:
        """Vouch for a key, as `endorser`."""
        members = {"party": key.party, "vkey": key.key.vkey, "claim": claim}
        return self.append(Draft(type="key.endorse", author=endorser, members=members))

    @staticmethod
    def _key_draft(
        author: str, key: VerifyKey, party: str, custody: str, device: str, replaces: str
    ) -> Draft:
        return Draft(
            type="key.register",
            author=author,
            members={
                "party": party,
                "vkey": key.vkey,
                "custody": custody,
                "device": device,
                "replaces": replaces,
            },
        )


def custodial_key(conn: Connection, keystore: Keystore, log: LogFacts, party: str) -> Signer:
    """The newest key in force that the server holds for `party`. Raises NotFound or Refused."""
    found = [
        key.key for key in store.find_keys(conn, log.log_id, party=party) if key.ended_index is None
    ]
    if not found:
        raise Refused(f"party {party!r} has no key in force in {log.origin}")
    held = [key for key in found if keystore.holds(key)]
    if not held:
        raise NotFound(f"the server holds no key of {party!r}: it signs its own entries")
    return keystore.get(held[-1])


def seal_json(content: Mapping[str, Any], name: str) -> Blob:
    """A JSON body with a fresh salt."""
    return Blob.seal_json(content, name, salt=fresh_salt())
