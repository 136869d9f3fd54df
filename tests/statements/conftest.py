"""Ledgers for tests of statements."""

from tests.ledgers import begun, begun_template
from tests.statements.held import park

__all__ = ["begun", "begun_template", "park"]
