"""Ledgers for tests of lots."""

from tests.ledgers import begun, begun_template, filled, filled_template

__all__ = ["begun", "begun_template", "filled", "filled_template"]
