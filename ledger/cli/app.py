"""The command's entry: all words of it, errors mapped to messages and exit codes."""

from __future__ import annotations

import json
import sys
from typing import Final

from ledger.cli.lazy import LazyGroup
from ledger.errors import (
    Corrupt,
    InvalidInput,
    LedgerError,
    NotFound,
    Refused,
    Unavailable,
)

EXIT_CODES: Final[dict[type[LedgerError], int]] = {
    InvalidInput: 2,
    Refused: 3,
    NotFound: 4,
    Corrupt: 5,
    Unavailable: 6,
}

STOPPED: Final = 130

# Each word: the module beside this one that adds it, and the first sentence of its help.
WORDS: Final = {
    "init": ("log", "Begin a log: its keys, its database, its first entry."),
    "status": ("log", "What the ledger holds."),
    "checkpoint": ("log", "Recompute what is stored, and sign its root."),
    "migrate": (
        "log",
        "Bring the database to the schema that this version needs; a newer program asks for it.",
    ),
    "audit": (
        "log",
        "Check every signature, hash, rule and number again, and rebuild every table.",
    ),
    "restore": ("log", "Replay an export into an empty data directory, checking everything again."),
    "import": ("metering", "Read metered intervals from files, and store them as signed batches."),
    "match": (
        "matching",
        "Match generation with consumption by the contracts; append the run, and make lots of it.",
    ),
    "prove": (
        "proving",
        "Prove an entry, one reading, one allocation, or that the log has only grown.",
    ),
    "demo": (
        "demo",
        "Generate a park's year, run the whole path, verify it, and say what came out.",
    ),
    "export": ("log", "Write static copies: tiles, entries, parquet."),
    "party": ("parties", "Organisations, their roles and keys."),
    "point": ("metering", "Metering points and their master data."),
    "contract": ("matching", "Contracts that let supply be matched."),
    "run": ("runs", "Matching runs in the log."),
    "lot": ("lots", "Lots: what runs have made of generation and use."),
    "scheme": ("schemes", "Schemes: the rules of certificates and credits, each with its source."),
    "project": ("schemes", "Projects that units are issued for."),
    "certificate": (
        "instrument_groups",
        "Certificates: imported, held, handed over, retired, each used once.",
    ),
    "credit": (
        "instrument_groups",
        "Carbon credits and internal reductions: the same acts, in tonnes.",
    ),
    "claim": ("claim_group", "Claims: matched energy that a consumer uses for itself, once."),
}

app = LazyGroup(
    words=WORDS,
    name="greenledger",
    help="Green-power traceability and carbon-credit ledger for zero-carbon parks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def exit_code(error: LedgerError) -> int:
    for class_, code in EXIT_CODES.items():
        if isinstance(error, class_):
            return code
    return 1


def main() -> None:
    """Run the command; an error of ours is one message and an exit code, never a traceback."""
    try:
        app()
    except LedgerError as error:
        code = exit_code(error)
        if "--json" in sys.argv:
            failure = {"error": type(error).__name__, "message": str(error)}
            sys.stdout.write(json.dumps(failure, ensure_ascii=False) + "\n")
        sys.stderr.write(f"greenledger: {error}\n")
        sys.exit(code)
    except SystemExit as stop:
        # Typer turns Ctrl-C into this exit code without a word.
        if stop.code == STOPPED:
            sys.stderr.write("greenledger: stopped; what was reported as stored is stored\n")
        raise
