"""Security hygiene: what docs/security.md says that the service does, by example."""
