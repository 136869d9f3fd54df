"""What migrations make in SQLite and in PostgreSQL, each in its own words.

Migrations use this and none of the live code: what was made once must not change when that does.
What is here, then, changes no more once it is released; another way gets another name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alembic import op
from sqlalchemy.schema import SchemaItem

# Tables that grow with use are cut by log in so many parts.
PARTITIONS: Final = 4
_FUNCTION: Final = (
    "RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $rule$\n{}$rule$"
)
_ERROR: Final = "USING ERRCODE = 'integrity_constraint_violation'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Refuses to insert a row where `forbids`, a condition on NEW, is true, and says why."""

    name: str
    table: str
    forbids: str
    says: str


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def prepare() -> None:
    """Before the first table."""
    if _on_postgresql():
        refuse = f"BEGIN\nRAISE EXCEPTION '% is append-only', TG_ARGV[0] {_ERROR};\nEND\n"
        op.execute(f"CREATE FUNCTION refuse_change() {_FUNCTION.format(refuse)}")


def forget() -> None:
    """After the last table."""
    if _on_postgresql():
        op.execute("DROP FUNCTION refuse_change()")


def create_growing_table(name: str, *columns: SchemaItem) -> None:
    """A table that grows with use. PostgreSQL keeps it in partitions, by the hash of `log_id`."""
    op.create_table(name, *columns, postgresql_partition_by="HASH (log_id)")
    if _on_postgresql():
        for number in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE {name}_p{number} PARTITION OF {name}"
                f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
            )


def keep_rows(tables: Iterable[str]) -> None:
    """Rows of these are never changed or deleted."""
    for table in tables:
        if _on_postgresql():
            _keep_rows_on_postgresql(table)
        else:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )


def _keep_rows_on_postgresql(table: str) -> None:
    call = f"EXECUTE FUNCTION refuse_change('{table}')"
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {call}"
    )
    # Partitions get the triggers of rows from their table, those of statements they do not.
    partitions = op.get_bind().exec_driver_sql(
        f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass"  # noqa: S608  (names of the migration)
    )
    for one in (table, *sorted(partitions.scalars())):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {one} FOR EACH STATEMENT {call}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class But:
    """Rows of an append-only table are never changed or deleted, but by `verb` where `allowed`."""

    table: str
    verb: str
    allowed: str


def keep_rows_but(exceptions: Iterable[But]) -> None:
    """Rows of these, which `keep_rows` keeps, may from now on change in one way."""
    for one in exceptions:
        table, verb = one.table, one.verb
        if _on_postgresql():
            row = "NEW" if verb == "UPDATE" else "OLD"
            body = (
                f"\nBEGIN\nIF TG_OP = '{verb}' THEN\nIF {one.allowed}\nTHEN RETURN {row};\n"
                f"END IF;\nEND IF;\nRAISE EXCEPTION '{table} is append-only' {_ERROR};\nEND\n"
            )
            op.execute(f"CREATE FUNCTION {table}_but_erased() {_FUNCTION.format(body)}")
            op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
            op.execute(
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION {table}_but_erased()"
            )
        else:
            name = f"{table}_no_{verb.lower()}"
            op.execute(f"DROP TRIGGER {name}")
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN NOT ({one.allowed}) "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def keep_rows_again(exceptions: Iterable[But]) -> None:
    """As before `keep_rows_but`."""
    for one in exceptions:
        table, verb = one.table, one.verb
        if _on_postgresql():
            op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
            op.execute(
                f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION refuse_change('{table}')"
            )
            op.execute(f"DROP FUNCTION {table}_but_erased()")
        else:
            name = f"{table}_no_{verb.lower()}"
            op.execute(f"DROP TRIGGER {name}")
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def make(rules: Iterable[Rule]) -> None:
    """The triggers of these rules. `LEAST` in a condition is SQLite's `MIN` of two."""
    for rule in rules:
        if _on_postgresql():
            body = (
                f"\nBEGIN\nIF {rule.forbids}\nTHEN RAISE EXCEPTION '{rule.says}' {_ERROR};\n"
                "END IF;\nRETURN NEW;\nEND\n"
            )
            op.execute(f"CREATE FUNCTION {rule.name}() {_FUNCTION.format(body)}")
            op.execute(
                f"CREATE TRIGGER {rule.name} BEFORE INSERT ON {rule.table}"
                f" FOR EACH ROW EXECUTE FUNCTION {rule.name}()"
            )
        else:
            condition = rule.forbids.replace("LEAST(", "MIN(")
            op.execute(
                f"CREATE TRIGGER {rule.name} BEFORE INSERT ON {rule.table}\nWHEN {condition}\n"
                f"BEGIN SELECT RAISE(ABORT, '{rule.says}'); END"
            )


def drop(rules: Iterable[Rule]) -> None:
    for rule in rules:
        if _on_postgresql():
            op.execute(f"DROP FUNCTION {rule.name}() CASCADE")
        else:
            op.execute(f"DROP TRIGGER {rule.name}")
