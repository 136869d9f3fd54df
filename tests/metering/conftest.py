"""Ledgers for tests of metering."""

from tests.ledgers import begun, begun_template, filled, filled_template

__all__ = ["begun", "begun_template", "filled", "filled_template"]
