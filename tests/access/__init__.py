"""Accounts, roles, keys, and who may do what."""
