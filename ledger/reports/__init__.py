"""Reports: results that the log recomputes before it takes them, version after version."""
