"""Reporting periods of organisations: open, provisional, submitted, approved, closed."""
