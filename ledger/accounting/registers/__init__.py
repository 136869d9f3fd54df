"""Registers of accounting: activities and documents as parties put them in the log."""
