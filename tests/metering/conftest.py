"""Ledgers for tests of metering."""

from tests.ledgers import begun, begun_template, filled, filled_template
from tests.metering.parks import park

__all__ = ["begun", "begun_template", "filled", "filled_template", "park"]
