"""Metering: points, signed batches of readings, the effective series, importers."""
