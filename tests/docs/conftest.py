"""The ledgers of tests/ledgers.py as fixtures."""

from tests.ledgers import begun_template, filled, filled_template

__all__ = ["begun_template", "filled", "filled_template"]
