"""Whoever owns the tables can change the rules; an audit judges them before it reads a row."""

from __future__ import annotations

import pytest

from ledger import db
from ledger.db.soundness import check_database
from ledger.errors import Corrupt
from ledger.house import House
from tests.ledgers import no_progress, server_of
from tests.servers.postgres import PostgreSQL

TAME = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
CHANGES = {
    "DROP TRIGGER entries_no_change ON entries": "entries_no_change of table entries is missing",
    "DROP TRIGGER tiles_no_truncate ON tiles_p1": "tiles_no_truncate of table tiles_p1 is missing",
    "DROP TRIGGER blocks_no_overlap ON blocks": "blocks_no_overlap of table blocks is missing",
    "ALTER TABLE claims DISABLE TRIGGER claims_no_change": "claims_no_change .* is disabled",
    # Foreign keys are kept by triggers too.
    "ALTER TABLE lot_spends_p2 DISABLE TRIGGER ALL": "of table lot_spends_p2 is disabled",
    f"CREATE OR REPLACE FUNCTION holdings_apart() {TAME}": "holdings_apart is not as the schema",
    f"CREATE OR REPLACE FUNCTION refuse_change() {TAME}": "refuse_change is not as the schema says",
    "ALTER FUNCTION holdings_apart() RESET search_path": "holdings_apart is not as the schema says",
    (
        f"CREATE FUNCTION more() {TAME}; CREATE TRIGGER helpful BEFORE INSERT ON blocks"
        " FOR EACH ROW EXECUTE FUNCTION more()"
    ): "trigger helpful of table blocks is none of the ledger's",
    "CREATE RULE quiet AS ON INSERT TO lot_spends DO INSTEAD NOTHING": "lot_spends .* rules",
    "ALTER TABLE parties ENABLE ROW LEVEL SECURITY": "parties shows and takes other rows",
    (
        "ALTER TABLE meter_logs RENAME TO hidden; CREATE VIEW meter_logs AS SELECT * FROM hidden"
    ): "table meter_logs is no table",
    "CREATE TABLE more () INHERITS (keys)": "table more adds rows to keys",
    "ALTER TABLE points SET UNLOGGED": "table points is not kept through a crash",
    "ALTER TABLE keys ALTER custody TYPE varchar(9)": r"keys: custody is character varying\(9\)",
    'ALTER TABLE keys ALTER name TYPE varchar(170) COLLATE "de-x-icu"': "name has the collation",
    "ALTER TABLE keys ADD more integer": "keys: column more is none of the ledger's",
    "ALTER TABLE runs ALTER policy DROP NOT NULL": "runs: policy is not as the schema says",
    "ALTER TABLE lots DROP CONSTRAINT ck_lots_wh": "lots: constraint ck_lots_wh is missing",
    "ALTER TABLE entries DETACH PARTITION entries_p3": "entries_p3 is none of the ledger's",
    "DROP TABLE endorsements": "table endorsements is missing",
}


@pytest.mark.parametrize("sql", CHANGES)
def test_what_is_not_as_the_schema_says(postgresql: PostgreSQL, empty: str, sql: str) -> None:
    engine = db.open_engine(postgresql.url(empty))
    with db.reading(engine) as conn:
        check_database(conn)
    with postgresql.connect(empty) as connection:
        for command in sql.split("; ") if "FUNCTION" not in sql else [sql]:
            connection.execute(command.encode())
    with pytest.raises(Corrupt, match=CHANGES[sql]), db.reading(engine) as conn:
        check_database(conn)
    engine.dispose()


def test_it_is_part_of_the_audit(begun: House) -> None:
    there = server_of(begun.settings.dir)
    assert there is not None
    server, name = there
    begun.audit(no_progress)
    with server.connect(name) as connection:
        connection.execute("ALTER TABLE entries DISABLE TRIGGER USER")
    with pytest.raises(Corrupt, match=r"trigger entries_no_change .* is disabled"):
        begun.audit(no_progress)
