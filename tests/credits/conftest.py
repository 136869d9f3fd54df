"""Ledgers for tests of credits: a kiln whose CO2 is metered, nothing recorded yet."""

from tests.credits.parks import kiln, kiln_template
from tests.ledgers import begun, begun_template

__all__ = ["begun", "begun_template", "kiln", "kiln_template"]
