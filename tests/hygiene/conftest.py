"""A ledger that has only begun, served, with people signed in."""

from tests.access.conftest import door
from tests.api.conftest import new_town
from tests.ledgers import begun, begun_template, ledger_database
from tests.servers.postgres import postgresql

__all__ = ["begun", "begun_template", "door", "ledger_database", "new_town", "postgresql"]
