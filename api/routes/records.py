"""Records of parties, in typed registers: put, replaced, ended; all versions stay."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from api.acting import ActOf
from api.callers import CallerOf, own, router_of, visible
from api.media import (
    NAME,
    Cursor,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    Receipts,
    Words,
    page_of,
)
from api.problems import documented
from api.service import ServiceOf
from ledger.db import reading
from ledger.errors import NotFound
from ledger.records import service, store
from ledger.records.model import PUBLIC
from ledger.records.store import Record

router = router_of(prefix="/records", tags=["records"])
Register = Literal["factors", "regime", "standard", "activity", "document", "product"]
Name = Annotated[str, Path(pattern=NAME, description="A record's name")]


class RecordShown(Model):
    """A version of a record; `content` is empty where `act` is `end`."""

    register_: Annotated[str, Field(serialization_alias="register")]
    name: str
    author: str
    entry: int
    hash: str
    act: Literal["put", "end"]
    reason: str
    content: JsonObject


class RecordDetail(Model):
    """All versions of a name, the last one last: it is in force where it is a put."""

    versions: list[RecordShown]


class RecordIn(Model):
    """What a record says: integers, texts, arrays, objects; decimals as texts. `author`: the party
    that puts it, where you act for more than one."""

    author: PartyId | Literal[""] = ""
    content: JsonObject


class RecordEndIn(Model):
    """Why a record is in force no more; the reason is public."""

    author: PartyId | Literal[""] = ""
    reason: Annotated[Words, Field(min_length=1)]


def _shown(one: Record) -> RecordShown:
    return RecordShown(
        register_=one.register,
        name=one.name,
        author=one.author,
        entry=one.entry_index,
        hash=one.leaf.hex(),
        act="put" if one.act == store.PUT else "end",
        reason=one.reason,
        content=dict(one.content),
    )


@router.get("/{register}", operation_id="records_list")
def list_records(
    service_: ServiceOf,
    caller: CallerOf,
    register: Register,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Page[RecordShown]:
    """Records in force: of factors, regimes and standards all, else those of your organisations."""
    with reading(service_.desk.engine) as conn:
        found = list(store.current(conn, service_.log.log_id, register).values())
    if register not in PUBLIC:
        found = visible(caller, "records_list", found, lambda one: one.author)
    return page_of(found, _shown, key=lambda one: one.name, cursor=cursor, limit=limit)


@router.get("/{register}/{name}", operation_id="record_show", responses=documented(404))
def show(service_: ServiceOf, caller: CallerOf, register: Register, name: Name) -> RecordDetail:
    """A record, with all its versions."""
    with reading(service_.desk.engine) as conn:
        found = store.history(conn, service_.log.log_id, register, name)
    none = f"register {register} has no record {name!r} of yours"
    if not found:
        raise NotFound(none)
    if register not in PUBLIC:
        own(caller, "record_show", found[0].author, none)
    return RecordDetail(versions=[_shown(one) for one in found])


@router.put(
    "/{register}/{name}",
    operation_id="record_put",
    status_code=201,
    responses=documented(404, 409),
)
def put(register: Register, name: Name, body: RecordIn, act: ActOf) -> Receipts:
    """Put a record, or a new version of it. Names of private registers are 32 random hex digits."""
    author = act.own_party(body.author)
    return act.write(lambda desk: service.put(desk, register, name, body.content, author=author))


@router.post(
    "/{register}/{name}/end",
    operation_id="record_end",
    status_code=201,
    responses=documented(404, 409),
)
def end(register: Register, name: Name, body: RecordEndIn, act: ActOf) -> Receipts:
    """Take a record out of force; it may be put again."""
    author = act.own_party(body.author)
    return act.write(lambda desk: service.end(desk, register, name, body.reason, author=author))
