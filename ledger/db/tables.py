"""The shared table metadata, and what a table is marked as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import MetaData, Table

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def append_only(table: Table) -> Table:
    """Mark a table whose rows never change: migrations and `create_tables` add its triggers."""
    table.info["append_only"] = True
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasable:
    """The one change that rows of an append-only table take: `verb`, where `allowed`, a condition
    on OLD (and NEW), is true. `columns`: those that an UPDATE empties."""

    verb: Literal["UPDATE", "DELETE"]
    allowed: str
    columns: tuple[str, ...] = ()


def append_only_but(erasable: Erasable, table: Table) -> Table:
    """Mark a table whose rows never change, but by what the log erases."""
    table.info["erasable"] = erasable
    return append_only(table)


def emptied(table: Table, *columns: str) -> str:
    """SQL: NEW is OLD, with nothing in these columns."""
    same = [one.name for one in table.columns if one.name not in columns]
    return " AND ".join(
        [*(f"NEW.{name} = OLD.{name}" for name in same), *(f"length(NEW.{c}) = 0" for c in columns)]
    )


def of_service(table: Table) -> Table:
    """Mark a table of the service (accounts, jobs, …): no projection of the log, so that neither
    audit nor restore rebuild it."""
    table.info["of_service"] = True
    return table


def ledger_tables() -> list[Table]:
    """Tables that hold the log and its projections, in the order of their keys."""
    return [table for table in metadata.sorted_tables if not table.info.get("of_service")]
