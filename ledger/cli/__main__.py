"""`python -m ledger.cli` is `greenledger`."""

from ledger.cli.app import main

main()
