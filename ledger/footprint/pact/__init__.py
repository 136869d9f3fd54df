"""Exchange of product footprints: PACT (WBCSD) technical specification, version 3."""
