"""Figures that a clause can ask for: pure functions of what the log holds of a period."""
