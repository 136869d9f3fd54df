"""Rules that the database keeps by triggers: each stands here once, in a form for either database.

A rule may look at other rows. Under PostgreSQL that is sound because whoever writes the log holds
the lock of its head row (`log.store.lock_head`): no other transaction can add, meanwhile, the row
that a trigger does not see. SQLite has one writer at a time anyway.

PostgreSQL's functions look for tables in `public` and nowhere else: a temporary table of the same
name must not stand in a rule's way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ledger.db.tables import Erasable, metadata

# Each trigger function of PostgreSQL is set to this.
SEARCH_PATH: Final = "search_path=public, pg_temp"
# What refuses changes of append-only tables; the table's name is its argument.
REFUSE_CHANGE: Final = "refuse_change"
REFUSE_CHANGE_BODY: Final = """
BEGIN
RAISE EXCEPTION '% is append-only', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Refuses to insert a row where `forbids`, a condition on NEW, is true, and says why.

    The condition is SQL that both databases understand; `LEAST` is SQLite's `MIN` of two.
    """

    name: str
    table: str
    forbids: str
    says: str

    @property
    def sqlite(self) -> str:
        """The statement that makes it."""
        condition = self.forbids.replace("LEAST(", "MIN(")
        return (
            f"CREATE TRIGGER {self.name} BEFORE INSERT ON {self.table}\nWHEN {condition}\n"
            f"BEGIN SELECT RAISE(ABORT, '{self.says}'); END"
        )

    @property
    def postgresql_body(self) -> str:
        """The function that PostgreSQL calls, of the same name."""
        return (
            f"\nBEGIN\nIF {self.forbids}\nTHEN RAISE EXCEPTION '{self.says}'"
            " USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\nRETURN NEW;\nEND\n"
        )


def schema_triggers() -> list[Trigger]:
    """The rules that tables have in `info`."""
    return [
        trigger for table in metadata.sorted_tables for trigger in table.info.get("triggers", ())
    ]


def append_only_tables() -> list[str]:
    return [table.name for table in metadata.sorted_tables if table.info.get("append_only")]


def erasable_tables() -> dict[str, Erasable]:
    """What the log may erase of an append-only table, by its name."""
    return {
        table.name: table.info["erasable"]
        for table in metadata.sorted_tables
        if "erasable" in table.info
    }


def sqlite_triggers() -> dict[str, str]:
    """Every trigger of the schema by its name: the statement that makes it in SQLite."""
    erasable = erasable_tables()
    found = {}
    for table in append_only_tables():
        for verb in ("UPDATE", "DELETE"):
            name, but = f"{table}_no_{verb.lower()}", erasable.get(table)
            when = f"WHEN NOT ({but.allowed}) " if but is not None and but.verb == verb else ""
            found[name] = (
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {when}"
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return found | {trigger.name: trigger.sqlite for trigger in schema_triggers()}


def _but_erased_body(table: str, but: Erasable) -> str:
    row = "NEW" if but.verb == "UPDATE" else "OLD"
    return (
        f"\nBEGIN\nIF TG_OP = '{but.verb}' THEN\nIF {but.allowed}\nTHEN RETURN {row};\n"
        f"END IF;\nEND IF;\nRAISE EXCEPTION '{table} is append-only'"
        " USING ERRCODE = 'integrity_constraint_violation';\nEND\n"
    )


def postgresql_functions() -> dict[str, str]:
    """Every trigger function of the schema in PostgreSQL, by its name: its body."""
    found = {trigger.name: trigger.postgresql_body for trigger in schema_triggers()}
    erasing = {
        f"{table}_but_erased": _but_erased_body(table, but)
        for table, but in erasable_tables().items()
    }
    return {REFUSE_CHANGE: REFUSE_CHANGE_BODY} | found | erasing


def postgresql_triggers() -> dict[tuple[str, str], str]:
    """Every trigger of the schema in PostgreSQL by its table and name: its definition, as
    `pg_get_triggerdef` has it. Partitions have those of their table."""
    found = {}
    erasable = erasable_tables()
    for table in append_only_tables():
        call = f"EXECUTE FUNCTION {REFUSE_CHANGE}('{table}')"
        row = f"EXECUTE FUNCTION {table}_but_erased()" if table in erasable else call
        found[table, f"{table}_no_change"] = (
            f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW {row}"
        )
        found[table, f"{table}_no_truncate"] = (
            f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}"
        )
    for rule in schema_triggers():
        found[rule.table, rule.name] = (
            f"BEFORE INSERT ON {rule.table} FOR EACH ROW EXECUTE FUNCTION {rule.name}()"
        )
    return {place: f"CREATE TRIGGER {place[1]} {rest}" for place, rest in found.items()}


def one_line(statement: str) -> str:
    """SQL without its line breaks, to be compared."""
    return re.sub(r"\s+", " ", statement).strip()
