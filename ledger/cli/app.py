"""The command's entry: all words of it, errors mapped to messages and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

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
    "grant": (
        "log",
        "Let the role that the service runs as add rows, and change none; after each migration.",
    ),
    "audit": (
        "log",
        "Check every signature, hash, rule and number again, and rebuild every table.",
    ),
    "backup": (
        "recovering",
        "Add what is new to a backup, while the service goes on; the first run begins one.",
    ),
    "restore": (
        "recovering",
        "Replay a backup into an empty database, checking everything again.",
    ),
    "import": ("metering", "Read metered intervals from files, and store them as signed batches."),
    "erase": (
        "erasing",
        "Erase batches of readings for good: values, flags, secrets and files; proofs stay valid.",
    ),
    "match": (
        "matching",
        "Match generation with consumption by the contracts; append the run, and make lots of it.",
    ),
    "prove": (
        "proving",
        "Prove an entry, one reading, one allocation, or that the log has only grown.",
    ),
    "serve": ("serving", "Serve the API under /api/v1 until Ctrl-C."),
    "worker": (
        "working",
        "Do jobs that the server was asked for, until stopped.",
    ),
    "beat": (
        "working",
        "Send workers what is due: checkpoints, expiry, audit, and jobs that were left behind.",
    ),
    "gateway": (
        "gateway",
        "Collect readings from MQTT, and keep them until the log proves that it has them.",
    ),
    "witness": ("witness", "A witness: cosigns checkpoints of logs that only grow."),
    "monitor": (
        "monitor",
        "Follow a log from outside, and raise an alarm where it breaks its word.",
    ),
    "demo": (
        "demo",
        "Generate a park's year, run the whole path, verify it, and say what came out.",
    ),
    "anchor": ("anchors", "Anchors: witnesses and time-stamps that vouch for checkpoints."),
    "export": ("log", "Write static copies: tiles, entries, parquet."),
    "party": ("parties", "Organisations, their roles and keys."),
    "log-key": ("log_keys", "Keys that sign the log's checkpoints."),
    "account": ("account_group", "People and programs that use the service."),
    "officer": (
        "officers",
        "Officers: people who prepare and approve, in the log by a random id alone.",
    ),
    "four-eyes": ("officers", "Four eyes: whether what can't be undone takes two officers."),
    "draft": (
        "drafts",
        "Drafts: what one officer prepared, for another to approve or to send back.",
    ),
    "factor": (
        "factor_group",
        "Factors: sets in force, each value with its source and how sure it is.",
    ),
    "period": ("periods", "Accounting periods: provisional, submitted, approved, closed."),
    "record": (
        "records",
        "Records: factors, regimes, activities, documents, products, under names.",
    ),
    "job": ("remote", "Long work of a server."),
    "point": ("metering", "Metering points and their master data."),
    "contract": ("matching", "Contracts that let supply be matched."),
    "run": ("runs", "Matching runs in the log."),
    "lot": ("lots", "Lots: what runs have made of generation and use."),
    "scheme": ("schemes", "Schemes: the rules of certificates and credits, each with its source."),
    "regime": ("regimes", "Regimes: how each supply counts in a figure, by which source."),
    "project": ("schemes", "Projects that units are issued for."),
    "certificate": (
        "instrument_groups",
        "Certificates: imported, held, handed over, retired, each used once.",
    ),
    "credit": (
        "instrument_groups",
        "Carbon credits and internal reductions: the same acts, in tonnes.",
    ),
    "disclose": (
        "disclosing",
        "Disclosure packs: an organisation's year in one archive that others can check.",
    ),
    "scorecard": ("scorecards", "How the park stands against each clause of a standard."),
    "claim": ("claim_group", "Claims: matched energy that a consumer uses for itself, once."),
    "activity": (
        "activities",
        "Activity data: fuel, heat, process, refrigerants, transport, … by period.",
    ),
    "report": (
        "reports",
        "Reports: inventories and the park's balance, recomputed by the log before it takes them.",
    ),
    "product": (
        "products",
        "Products: declared unit, bill of activities, what was made, how it is shared.",
    ),
    "footprint": (
        "footprints",
        "Footprints: a product's emissions by stage, with claimed electricity counted once.",
    ),
    "document": (
        "documents",
        "Documents: invoices, reports, certificates, … by the hash of their file.",
    ),
    "pact": (
        "pact",
        "PACT: product footprints to customers and from suppliers, as WBCSD's version 3 has them.",
    ),
}

# What works through a server's API, too; all else works on a data directory.
_WITH_SERVER: Final = (("import",), ("point", "list"), ("prove",), ("job",))

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


def check_server(words: Sequence[str]) -> None:
    """Raises InvalidInput where --server is given to a command that does not know it."""
    if not any(word == "--server" or word.startswith("--server=") for word in words):
        return
    if not any(tuple(words[: len(command)]) == command for command in _WITH_SERVER):
        known = ", ".join(" ".join(command) for command in _WITH_SERVER)
        raise InvalidInput(
            f"--server: this command works on a data directory (--dir); with a server work: {known}"
        )


def _fail(error: LedgerError) -> NoReturn:
    if "--json" in sys.argv:
        failure = {"error": type(error).__name__, "message": str(error)}
        sys.stdout.write(json.dumps(failure, ensure_ascii=False) + "\n")
    sys.stderr.write(f"greenledger: {error}\n")
    sys.exit(exit_code(error))


def main() -> None:
    """Run the command; an error of ours, or of the disk, is one message and an exit code, never a
    traceback."""
    try:
        check_server(sys.argv[1:])
        app()
    except LedgerError as error:
        _fail(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(Unavailable(f"{where}{error.strerror or error}"))
    except SystemExit as stop:
        # Typer turns Ctrl-C into this exit code without a word.
        if stop.code == STOPPED:
            sys.stderr.write("greenledger: stopped; what was reported as stored is stored\n")
        raise
