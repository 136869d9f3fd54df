"""PACT: documents, the exchange over HTTP, what partners send."""
