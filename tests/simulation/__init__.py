"""A seeded simulation of a park's life, with crashes, beside an independent auditor."""
