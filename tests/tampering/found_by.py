"""The table of attacks and of those who find them: found_by.txt, which docs/threat-model.md is
written from. `python -m tests.tampering.found_by` makes it anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError
from ledger.log import audit as log_audit
from tests.ledgers import add_many, begin, copy_ledger, fill, open_house, tamper
from tests.log.remembered import Remembered, audit
from tests.tampering import histories, rows
from tests.tampering.watchers import NAMES

FILE: Final = Path(__file__).with_name("found_by.txt")
HEAD: Final = """\
# What an attacker does who owns the server, and who finds it. Each line is a test.
# open: the ledger refuses to start or to sign. audit: `greenledger audit`. restore: of a backup.
# verifier: `greenledger-verify log`; pinned verifier: one that has seen a checkpoint before.
# monitor, witness: they had seen the log before. Of rows: the first of open and audit.
"""


def line(name: str, what: str, found: Mapping[str, str]) -> str:
    """A line of the table, as it should be."""
    return f"{name} | {what} | {who(found)}"


def who(found: Mapping[str, str]) -> str:
    return ", ".join(name for name in NAMES if name in found)


def row_name(table: str) -> str:
    return f"table {table}"


def lines() -> Iterator[str]:
    """The table as it is."""
    yield from (one for one in FILE.read_text(encoding="utf-8").splitlines() if one[:1] != "#")


def line_of(name: str) -> str:
    """The line of an attack; nothing, where it has none."""
    return next((one for one in lines() if one.startswith(f"{name} | ")), "")


def row_found(folder: Path) -> dict[str, str]:
    """Who finds a changed row in a ledger: its opening, or its audit."""
    try:
        open_house(folder).engine.dispose()
    except LedgerError as error:
        return {"open": str(error)}
    said = audit(folder)
    return {"audit": said} if said else {}


def _made(folder: Path) -> Iterator[str]:
    begin(folder / "begun").engine.dispose()
    for name, many in (("filled", False), ("tiled", True)):
        house = open_house(copy_ledger(folder / "begun", folder / name))
        if many:
            add_many(house, 298)
        else:
            fill(house)
        house.checkpoint()
        house.engine.dispose()
    _remember(folder)
    for table, attack in sorted(rows.ATTACKS.items()):
        copied = copy_ledger(folder / rows.ledger_of(table), folder / table)
        tamper(copied, attack.sql)
        yield line(row_name(table), attack.gain, row_found(copied))
    world = histories.build(folder / "begun", folder / "world")
    for name, one in histories.ATTACKS.items():
        yield line(name, one.what, one.run(world.moved(folder / name.replace(" ", "-"))))


def _remember(folder: Path) -> None:
    """A replay is most of an audit, and the same for most changes."""
    memory = Remembered(learning=True)
    log_audit.replay = memory.replay
    for name in ("filled", "tiled"):
        assert audit(folder / name) == ""
    memory.learning = False


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = sorted(_made(Path(folder)))
    FILE.write_text(HEAD + "\n".join(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
