"""The command's entry: groups put together, errors mapped to messages and exit codes."""

from __future__ import annotations

import json
import sys
from typing import Final

import typer

from ledger.cli import (
    accounts,
    api_keys,
    certificates,
    claim_status,
    claims,
    demo,
    drafts,
    evidence,
    gateway,
    instruments,
    issuing,
    log,
    lots,
    matching,
    metering,
    moves,
    officers,
    parties,
    periods,
    proving,
    reductions,
    remote,
    runs,
    schemes,
    serving,
    statements,
    traces,
    units,
    working,
)
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

app = typer.Typer(
    name="greenledger",
    help="Green-power traceability and carbon-credit ledger for zero-carbon parks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
log.add_to(app)
parties.add_to(app)
accounts.add_to(app)
api_keys.add_to(accounts.account)
officers.add_to(app)
drafts.add_to(app)
metering.add_to(app)
matching.add_to(app)
runs.add_to(app)
lots.add_to(app)
schemes.add_to(app)
instruments.add_to(app)
for group in instruments.GROUPS:
    units.add_to(group)
    issuing.add_to(group)
    moves.add_to(group)
    traces.add_to(group)
    statements.add_to(group)
certificates.add_to(instruments.certificate)
reductions.add_to(instruments.credit)
claims.add_to(app)
claim_status.add_to(claims.claim)
evidence.add_to(claims.claim)
periods.add_to(app)
proving.add_to(app)
serving.add_to(app)
gateway.add_to(app)
remote.add_to(app)
demo.add_to(app)
working.add_to(app)


def exit_code(error: LedgerError) -> int:
    for class_, code in EXIT_CODES.items():
        if isinstance(error, class_):
            return code
    return 1


def main() -> None:
    """Run the command; an error of ours is one message and an exit code, never a traceback."""
    try:
        remote.check_argv(sys.argv[1:])
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
