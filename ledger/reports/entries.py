"""The entry type of reports (docs/formats.md §4.16).

A report is taken only as the log itself computes it, at the log size that it names, byte for byte.
It is computed under the lock: an audit sees exactly what stands below its entry, and so does this.
A published report stays; a new version stands beside it and says what changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.errors import Erased, InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind
from ledger.log.entry import Entry, check_members
from ledger.log.types import Bodies, EntryType, Tx, blob
from ledger.parties.entries import author_signs
from ledger.reports import store
from ledger.reports.changes import NONE, changes
from ledger.reports.inputs import require_inputs
from ledger.reports.model import (
    BODY_BYTES_MAX,
    CONTENT,
    KINDS,
    MEDIA,
    OF_PARK,
    Compute,
    encode,
    plain,
)
from ledger.reports.store import Version

PUBLISH: Final = "report.publish"
Computes = Mapping[str, Compute]


def compute_of(computes: Computes, kind: str) -> Compute:
    """Raises InvalidInput."""
    if kind not in computes:
        known = ", ".join(one for one in KINDS if one in computes) or "none"
        raise InvalidInput(f"there are no reports of kind {kind!r}; this program computes {known}")
    return computes[kind]


def subjects_of(about: Mapping[str, Any]) -> set[str]:
    """The organisations that a report asks for by name; none where it asks for the park."""
    found = {about[name] for name in ("subject", "organisation") if name in about}
    return {one for one in found if isinstance(one, str)}


def require_subject(kind: str, about: Mapping[str, Any], author: str, operator: str) -> None:
    """Raises Refused where a report is about somebody else: results come of private bodies, and a
    refusal says what the log computes instead."""
    if kind in OF_PARK and author != operator:
        raise Refused(f"a {kind} is of the whole park: the operator publishes it, not {author!r}")
    others = sorted(subjects_of(about) - {author})
    if others and author != operator:
        raise Refused(
            f"a report about {others[0]!r} is published by it or the operator, not by {author!r}"
        )


def in_force(tx: Tx, entry: Entry) -> Version | None:
    """The version that the entry replaces. Raises Refused."""
    said = entry.statement
    found = store.versions(tx.conn, tx.log.log_id, said["report"])
    before = found[-1] if found else None
    there = before.id if before else ""
    if said["replaces"] != there:
        raise Refused(
            f"report {said['report']}: replaces is {said['replaces']!r}, the version in force is"
            f" {there!r}"
        )
    if before and (before.author, before.kind) != (entry.author, said["kind"]):
        raise Refused(
            f"report {said['report']} is {before.kind} of {before.author!r}, always; this entry is"
            f" {said['kind']} of {entry.author!r}"
        )
    if before and said["as_of"] < before.as_of:
        raise Refused(
            f"report {said['report']} knows log size {before.as_of}; a later version, of"
            f" {said['as_of']}, knows no less"
        )
    return before


def _accept(computes: Computes, tx: Tx, entry: Entry, bodies: Bodies) -> None:
    said = entry.statement
    compute = compute_of(computes, said["kind"])
    if not 0 < said["as_of"] <= tx.index:
        raise InvalidInput(
            f"as_of is {said['as_of']}; before this entry stand {tx.index}, and it knows one"
        )
    before = in_force(tx, entry)
    body = blob(bodies, "body")
    content = body.json()
    check_members(content, CONTENT)
    for name in ("kind", "as_of"):
        if content[name] != said[name]:
            raise InvalidInput(f"{name} of the body is {content[name]}, of its entry {said[name]}")
    if body.content != encode(content):
        raise InvalidInput("a report is written as JSON with sorted members and without blanks")
    require_subject(said["kind"], content["about"], entry.author, tx.log.operator)
    require_inputs(tx, content["result"], said["as_of"])
    _require_changes(tx, before, content)
    _require_result(tx, compute, content)
    after = Version(
        report=said["report"],
        number=0 if before is None else before.number + 1,
        entry_index=tx.index,
        id=entry.id,
        author=entry.author,
        kind=said["kind"],
        as_of=said["as_of"],
        body=body.key,
        replaces=said["replaces"],
    )
    store.save(tx.conn, tx.log.log_id, before, after)


def _require_changes(tx: Tx, before: Version | None, content: Mapping[str, Any]) -> None:
    wanted = NONE if before is None else changes(store.load(tx.conn, tx.log, before), content)
    if content["changes"] != wanted:
        raise Refused("changes are not what differs from the version that it replaces")


def _require_result(tx: Tx, compute: Compute, content: Mapping[str, Any]) -> None:
    try:
        found = plain(compute(tx.conn, tx.log, content["about"], content["as_of"]))
    except Erased as error:
        tx.attest(error)
        return
    if found == content["result"]:
        return
    differs = changes({"result": content["result"]}, {"result": found})["lines"]
    first = differs[0] if differs else {"path": "/result/inputs", "before": "", "after": ""}
    raise Refused(
        f"the log computes another result at size {content['as_of']}: {first['path']} is"
        f" {str(first['after'])[:80]!r}, not {str(first['before'])[:80]!r}"
    )


def entry_types(computes: Computes) -> tuple[EntryType, ...]:
    """`computes`: how each kind of report is computed; one without is refused."""
    return (
        EntryType(
            name=PUBLISH,
            members={
                "kind": e.one_of(*KINDS),
                "report": e.ID,
                "replaces": e.ID_OR_NONE,
                "as_of": e.COUNT,
                "body": e.blob_up_to(BODY_BYTES_MAX),
            },
            bodies={"body": blob_kind(MEDIA)},
            signers=author_signs,
            accept=lambda tx, entry, bodies: _accept(computes, tx, entry, bodies),
        ),
    )
