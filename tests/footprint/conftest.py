"""Fixtures of footprints."""

from tests.footprint.parks import mill, mill_template
from tests.ledgers import begun_template

__all__ = ["begun_template", "mill", "mill_template"]
