"""Disclosure packs: what an organisation shows of a year, in one archive that others can check."""
