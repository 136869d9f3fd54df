"""Failures and kills at every write, fsync and commit."""
