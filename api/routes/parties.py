"""Organisations and their keys: public in the log, so whoever is signed in may read them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field
from sqlalchemy import Connection

from api.acting import ActOf
from api.callers import router_of
from api.media import PARTY, Cursor, Limit, Model, Page, PartyId, Receipts, Words, page_of
from api.problems import documented
from api.service import Service, ServiceOf
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound
from ledger.log import store as log_store
from ledger.parties import store
from ledger.parties.entries import ROLES

router = router_of(prefix="/parties", tags=["parties"])
PartyPath = Annotated[str, Path(pattern=PARTY)]
# The operator has its role from the genesis on; nobody else gets it.
_ROLES = tuple(role for role in ROLES if role != "park-operator")
KeyPath = Annotated[str, Path(pattern="^[0-9a-f]{8}$", description="The key's id, 8 hex digits")]


class PartyShown(Model):
    """An organisation as last registered; `id` names that registration."""

    party: str
    name: str
    roles: list[str]
    id: str
    entry: int


class KeyShown(Model):
    """A key. `ended`: the entry that replaced or revoked it; 0 while it is in force."""

    vkey: str
    key_id: str
    custody: str
    device: str
    entry: int
    ended: int
    end_reason: str
    endorsers: list[str]


class NewParty(Model):
    """An organisation to register, or to register anew."""

    party: PartyId
    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Mill Ltd 磨坊"])]
    roles: Annotated[list[Literal[_ROLES]], Field(min_length=1)]  # type: ignore[valid-type]


@router.get("", operation_id="parties_list")
def list_parties(service: ServiceOf, cursor: Cursor = "", limit: Limit = 100) -> Page[PartyShown]:
    """Organisations of the park."""
    with reading(service.desk.engine) as conn:
        found = store.all_parties(conn, service.log.log_id)
    return page_of(found, _shown, key=lambda one: one.party, cursor=cursor, limit=limit)


def _shown(one: store.Party) -> PartyShown:
    return PartyShown(
        party=one.party, name=one.name, roles=sorted(one.roles), id=one.id, entry=one.entry_index
    )


@router.post("", operation_id="party_register", status_code=201, responses=documented(409))
def register(body: NewParty, act: ActOf) -> Receipts:
    """Register an organisation, or replace its registration."""
    return act.write(lambda desk: desk.register_party(body.party, body.name, body.roles))


@router.get("/{party}/keys", operation_id="party_key_list", responses=documented(404))
def list_keys(service: ServiceOf, party: PartyPath) -> Page[KeyShown]:
    """All keys of an organisation, the ended ones too."""
    with reading(service.desk.engine) as conn:
        _require_party(conn, service, party)
        size = log_store.load_head(conn, service.log.log_id).size
        return Page(
            items=[
                KeyShown(
                    vkey=one.key.vkey,
                    key_id=one.key.key_id.hex(),
                    custody=one.custody,
                    device=one.device,
                    entry=one.entry_index,
                    ended=one.ended_index or 0,
                    end_reason=one.end_reason,
                    endorsers=store.endorsers_of(conn, service.log.log_id, one, size),
                )
                for one in store.find_keys(conn, service.log.log_id, party=party)
            ]
        )


def _require_party(conn: Connection, service: Service, party: str) -> None:
    if store.current_party(conn, service.log.log_id, party) is None:
        raise NotFound(f"no party {party!r} is registered")


class NewKey(Model):
    """A key that the server is to hold for a party."""

    device: Literal["none", "meter", "gateway"] = "none"


@router.post(
    "/{party}/keys",
    operation_id="party_key_create",
    status_code=201,
    responses=documented(404, 409),
)
def create_key(party: PartyPath, body: NewKey, act: ActOf) -> Receipts:
    """A fresh key, held by the server (custody: operator).

    A key that its owner holds is introduced by an entry that both sign: `POST /entries`.
    """
    act.for_party(party)
    return act.write(lambda desk: desk.create_key(party, device=body.device))


@router.post(
    "/{party}/keys/rotation",
    operation_id="party_key_rotate",
    status_code=201,
    responses=documented(404, 409),
)
def rotate_key(party: PartyPath, act: ActOf) -> Receipts:
    """Replace the key that the server holds by a fresh one."""
    act.for_party(party)
    return act.write(lambda desk: desk.rotate_key(party))


class Revocation(Model):
    """Why a key ends; public."""

    reason: Annotated[Words, Field(min_length=1)]


@router.post(
    "/{party}/keys/{key_id}/revocation",
    operation_id="party_key_revoke",
    status_code=201,
    responses=documented(404, 409),
)
def revoke_key(party: PartyPath, key_id: KeyPath, body: Revocation, act: ActOf) -> Receipts:
    """End a key: it signs nothing after that entry."""
    act.for_party(party)
    with reading(act.service.desk.engine) as conn:
        keys = store.find_keys(conn, act.service.log.log_id, party=party)
    found = [one for one in keys if one.key.key_id.hex() == key_id]
    if not found:
        raise NotFound(f"{party} has no key {key_id}")
    if len(found) > 1:
        raise InvalidInput(f"{party} has {len(found)} keys {key_id}")
    return act.write(lambda desk: desk.revoke_key(found[0], body.reason))
