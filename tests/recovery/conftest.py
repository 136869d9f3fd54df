"""Ledgers on either database, and where a backup and a restored ledger of them lie."""

from tests.ledgers import begun, begun_template, filled, filled_template

__all__ = ["begun", "begun_template", "filled", "filled_template"]
