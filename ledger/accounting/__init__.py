"""Accounting: facts of the log, counted as a regime says. A figure without a regime is none."""
