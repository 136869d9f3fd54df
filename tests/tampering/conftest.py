from tests.ledgers import begun_template, filled_template, tiled_template

__all__ = ["begun_template", "filled_template", "tiled_template"]
