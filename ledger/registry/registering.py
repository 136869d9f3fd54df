"""Entry types that register schemes and projects (docs/formats.md §4.9, §4.10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import blob_kind, json_media
from ledger.log.entry import Entry, Member
from ledger.log.types import Bodies, EntryType, Tx
from ledger.metering import store as metering
from ledger.metering.entries import blob
from ledger.parties.entries import operator_signs, require_party
from ledger.registry import catalogue, exclusive, project, rule, scheme
from ledger.registry.leaves import CODE
from ledger.registry.project import Project
from ledger.registry.scheme import Scheme
from ledger.units import format_instant

# Supply class of what a storage discharges, of what had entered it as green.
STORAGE: Final = 3

PROJECT_CODE: Final = Member(
    expected="1–64 characters of A-Z a-z 0-9 . _ -",
    check=lambda value: isinstance(value, str) and CODE.fullmatch(value) is not None,
)


def _accept_scheme(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    name = entry.statement["scheme"]
    rules = Scheme.from_json(name, blob(bodies, "body").json())
    known = catalogue.current_schemes(tx.conn, tx.log.log_id).get(name)
    _require_replaces(f"scheme {name}", entry, known.id if known else "")
    if known is not None:
        _require_same(name, known.rules, rules)
    catalogue.save_scheme(
        tx.conn, tx.log.log_id, tx.index, entry.id, rules, entry.statement["replaces"]
    )


def _require_same(name: str, before: Scheme, after: Scheme) -> None:
    """What units that are here already are worth does not change. Raises Refused."""
    for member in ("kind", "unit", "unit_size"):
        if getattr(before, member) != getattr(after, member):
            raise Refused(
                f"scheme {name}: {member} is {getattr(before, member)!r} for the units that are"
                f" here; another one is another scheme"
            )
    for class_ in sorted({*before.classes} & {*after.classes}):
        if before.classes[class_].lots != after.classes[class_].lots:
            raise Refused(
                f"scheme {name}: lots of class {class_} stay {before.classes[class_].lots}"
            )
        _require_as_bound(name, before.classes[class_], after.classes[class_])
    thawed = sorted({*before.freezes} - {*after.freezes})
    if thawed:
        raise Refused(
            f"scheme {name}: {thawed[0]} stays among those that it freezes: its reductions are of"
            " energy that has no certificate"
        )
    gone = sorted({*before.classes} - {*after.classes})
    if gone:
        raise Refused(f"scheme {name}: class {gone[0]} has to stay, for units that are here")


def _require_as_bound(name: str, before: scheme.UnitClass, after: scheme.UnitClass) -> None:
    """Certificates that are one energy with lots never trade again (invariant 8). Raises Refused"""
    moved = (before.moved_by, before.moves_max) != (after.moved_by, after.moves_max)
    if before.lots == scheme.WRAPPED and moved and after.moves_max >= before.moves_max:
        raise Refused(
            f"scheme {name}: units of class {before.name} change hands {before.moves_max} times at"
            f" most, by {before.moved_by}: what is one energy with lots never trades more"
        )


def _require_replaces(what: str, entry: Entry, in_force: str) -> None:
    if entry.statement["replaces"] != in_force:
        raise Refused(
            f"{what}: replaces is {entry.statement['replaces']!r}, the registration in force is"
            f" {in_force!r}"
        )


def _accept_project(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    of, name = entry.statement["scheme"], entry.statement["project"]
    master = Project.from_json(blob(bodies, "body").json())
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, of).rules
    require_party(tx, master.owner)
    known = catalogue.current_projects(tx.conn, tx.log.log_id)
    before = known.get((of, name))
    _require_replaces(f"project {of}/{name}", entry, before.id if before else "")
    if before is not None:
        project.require_next(name, before.master.state, master.state)
        if before.master.plant != master.plant:
            raise Refused(f"project {name} is of plant {before.master.plant}, always")
        dropped = sorted({*before.master.points} - {*master.points})
        if dropped and before.master.state not in (project.ANNOUNCED, project.VALIDATED):
            raise Refused(
                f"project {name} was registered with point {dropped[0].hex()}, and keeps it: what"
                " was issued is of its energy; it may get more points"
            )
    # What was taken in before the bar goes on, and may be frozen or revoked.
    if before is None and rules.bars(master.technology, tx.tick_s):
        raise Refused(
            f"scheme {of}: projects of {master.technology} can't be registered at"
            f" {format_instant(tx.tick_s)} ({rules.source})"
        )
    _check_points(tx, rules, master)
    _require_own_points(of, name, master, list(known.values()))
    exclusive.require_frozen(tx, rules, name, master)
    catalogue.save_project(
        tx.conn,
        tx.log.log_id,
        catalogue.RegisteredProject(
            entry_index=tx.index, id=entry.id, scheme=of, project=name, master=master
        ),
        entry.statement["replaces"],
    )
    exclusive.bar_late(tx, of, master)


def _check_points(tx: Tx, rules: Scheme, master: Project) -> None:
    known = metering.current_points(tx.conn, tx.log.log_id, only=master.points)
    for point in master.points:
        if point not in known:
            raise Refused(f"point {point.hex()} is not registered")
        one = known[point].master
        allowed = one.unit == "g" if rules.kind == scheme.RECORD else one.unit in ("Wh", "g")
        if rules.kind == scheme.CERTIFICATE:
            # Of what a storage discharges no certificate is issued but by schemes that say so.
            kinds = {"generation"}
            if any(STORAGE in found.lot_classes for found in rules.classes.values()):
                kinds.add("storage-discharge")
            allowed = one.unit == "Wh" and one.kind in kinds
        if not allowed:
            raise Refused(
                f"point {one.name!r} is of kind {one.kind}, in {one.unit}: scheme {rules.scheme}"
                " issues nothing for it"
            )


def _require_own_points(
    of: str, name: str, master: Project, others: Sequence[catalogue.RegisteredProject]
) -> None:
    """A point is in one project of a scheme, and of one plant in all. Raises Refused."""
    for other in others:
        shared = {*master.points} & {*other.master.points}
        if shared and other.master.plant != master.plant:
            raise Refused(
                f"point {min(shared).hex()} is of plant {other.master.plant}, by project"
                f" {other.project} of scheme {other.scheme}, not of {master.plant}: what one meter"
                " shows is of one plant"
            )
        if other.scheme == of and other.project != name and shared:
            raise Refused(
                f"point {min(shared).hex()} is of project {other.project} of scheme {of} already"
            )
    if list(master.points) != sorted(set(master.points)):
        raise InvalidInput("the points of a project are sorted, none twice")


ENTRY_TYPES: Final = (
    EntryType(
        name=rule.SCHEME,
        members={"scheme": e.PARTY, "replaces": e.ID_OR_NONE, "body": e.BLOB},
        bodies={"body": blob_kind(json_media(scheme.NAME))},
        signers=operator_signs,
        accept=_accept_scheme,
        # A first registration changes nothing that is.
        irreversible=lambda entry: bool(entry.statement["replaces"]),
    ),
    EntryType(
        name=rule.PROJECT,
        members={
            "scheme": e.PARTY,
            "project": PROJECT_CODE,
            "replaces": e.ID_OR_NONE,
            "body": e.BLOB,
        },
        bodies={"body": blob_kind(json_media(project.NAME))},
        signers=operator_signs,
        accept=_accept_project,
    ),
)
