"""Schemes and projects in the database: as last registered."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from ledger.errors import NotFound
from ledger.registry.project import Project
from ledger.registry.schema import projects, schemes
from ledger.registry.scheme import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredScheme:
    """A scheme, its entry, and the statement's id that a later registration replaces."""

    entry_index: int
    id: str
    rules: Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredProject:
    """A project of a scheme, as last registered."""

    entry_index: int
    id: str
    scheme: str
    project: str
    master: Project


def current_schemes(
    conn: Connection, log_id: int, as_of: int | None = None
) -> dict[str, RegisteredScheme]:
    """Schemes by id, as last registered below a log size."""
    query = select(schemes).where(schemes.c.log_id == log_id).order_by(schemes.c.entry_index)
    if as_of is not None:
        query = query.where(schemes.c.entry_index < as_of)
    return {
        row.scheme: RegisteredScheme(
            entry_index=row.entry_index,
            id=row.id,
            rules=Scheme.from_json(row.scheme, json.loads(row.rules)),
        )
        for row in conn.execute(query)
    }


def find_scheme(
    conn: Connection, log_id: int, scheme: str, as_of: int | None = None
) -> RegisteredScheme:
    """Raises NotFound."""
    found = current_schemes(conn, log_id, as_of)
    if scheme not in found:
        known = ", ".join(sorted(found)) or "none yet"
        raise NotFound(
            f"scheme {scheme!r} is not registered; registered are: {known}; to register it:"
            f" greenledger scheme register {scheme}"
        )
    return found[scheme]


def current_projects(
    conn: Connection, log_id: int, as_of: int | None = None
) -> dict[tuple[str, str], RegisteredProject]:
    """{(scheme, project): as last registered}."""
    query = select(projects).where(projects.c.log_id == log_id).order_by(projects.c.entry_index)
    if as_of is not None:
        query = query.where(projects.c.entry_index < as_of)
    return {
        (row.scheme, row.project): RegisteredProject(
            entry_index=row.entry_index,
            id=row.id,
            scheme=row.scheme,
            project=row.project,
            master=Project.from_json(json.loads(row.master)),
        )
        for row in conn.execute(query)
    }


def find_project(conn: Connection, log_id: int, scheme: str, project: str) -> RegisteredProject:
    """Raises NotFound."""
    found = current_projects(conn, log_id)
    if (scheme, project) not in found:
        known = ", ".join(sorted(name for of, name in found if of == scheme)) or "none"
        raise NotFound(f"scheme {scheme} has no project {project!r}; it has: {known}")
    return found[scheme, project]


def owners_ever(conn: Connection, log_id: int, scheme: str, project: str) -> set[str]:
    """Whoever owned a project, by any of its registrations."""
    query = select(projects.c.master).where(
        projects.c.log_id == log_id,
        projects.c.scheme == scheme,
        projects.c.project == project,
    )
    return {json.loads(text)["owner"] for text in conn.execute(query).scalars()}


def save_scheme(
    conn: Connection, log_id: int, entry_index: int, id_: str, rules: Scheme, replaces: str
) -> None:
    conn.execute(
        insert(schemes).values(
            log_id=log_id,
            entry_index=entry_index,
            scheme=rules.scheme,
            id=id_,
            replaces=replaces,
            rules=json.dumps(rules.to_json(), ensure_ascii=False, sort_keys=True),
        )
    )


def save_project(conn: Connection, log_id: int, found: RegisteredProject, replaces: str) -> None:
    conn.execute(
        insert(projects).values(
            log_id=log_id,
            entry_index=found.entry_index,
            scheme=found.scheme,
            project=found.project,
            id=found.id,
            replaces=replaces,
            master=json.dumps(found.master.to_json(), ensure_ascii=False, sort_keys=True),
        )
    )
