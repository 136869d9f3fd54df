"""Metering: points and their master data, signed batches of readings, the effective series, importers."""
