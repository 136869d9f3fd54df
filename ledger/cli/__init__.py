"""The command `greenledger`: one module for each group of commands."""

from ledger.cli.app import main

__all__ = ["main"]
