"""Organisations, their roles and keys: who may sign what, and since when."""
