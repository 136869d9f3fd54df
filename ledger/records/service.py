"""Putting records, and taking them out of force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.parties.desk import Desk, Draft, seal_json
from ledger.records import store
from ledger.records.entries import END, PUT
from ledger.records.model import named


def put(
    desk: Desk,
    register: str,
    name: str,
    content: Mapping[str, Any],
    *,
    author: str,
    key: SigningKey | None = None,
) -> Receipt:
    """A new record, or a new version of it. Raises InvalidInput or Refused."""
    named(register, name, content)
    members = {"register": register, "name": name, "replaces": _last_id(desk, register, name)}
    body = seal_json(content, store.NAME)
    draft = Draft(type=PUT, author=author, members=members, bodies={"body": body})
    return _append(desk, draft, key)


def end(
    desk: Desk,
    register: str,
    name: str,
    reason: str,
    *,
    author: str,
    key: SigningKey | None = None,
) -> Receipt:
    """Take a record out of force; what rested on it stays. Raises NotFound or Refused."""
    last = _last_id(desk, register, name)
    if not last:
        raise NotFound(f"register {register} has no record {name!r}")
    members = {"register": register, "name": name, "replaces": last, "reason": reason}
    return _append(desk, Draft(type=END, author=author, members=members), key)


def never_put(desk: Desk, register: str, names: Iterable[str]) -> list[str]:
    """Those of names that come with the program which nobody has put yet. Raises Refused where
    somebody else than the operator has: what is in force under the name is not what came with it.
    """
    found = []
    with reading(desk.engine) as conn:
        for name in names:
            last = store.last(conn, desk.log.log_id, register, name)
            if last is None:
                found.append(name)
            elif last.author != desk.log.operator:
                raise Refused(
                    f"{register} {name} is a record of {last.author!r}, not the one that comes with"
                    " the program: put that under a name of your own, and ask for it by that"
                )
    return found


def _last_id(desk: Desk, register: str, name: str) -> str:
    with reading(desk.engine) as conn:
        found = store.last(conn, desk.log.log_id, register, name)
    return "" if found is None else found.id


def _append(desk: Desk, draft: Draft, key: SigningKey | None) -> Receipt:
    if key is None:
        return desk.append(draft)
    return desk.writer.append(desk.sign(draft, key=key))
