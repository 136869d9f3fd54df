"""`./dev bench`: a table, each row beside its floor of the same run, and a JSON file of it.

Everything runs on one core of this machine, in this process, except the import of a file, whose
memory is measured in a process of its own, and the service, which has all cores for its processes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import accounting, footprint, ledger, lots, matching, registry, service
from bench.rows import Row

RESULTS = Path(__file__).parent / "results"
_IMPORT = "from bench import ledger; print(ledger.import_a_year())"


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="times each; the best counts")
    parser.add_argument(
        "--only",
        default="",
        help=(
            "a group: ingest, tree, matching, commit, lots, units, accounting, footprints, audit,"
            " service"
        ),
    )
    options = parser.parse_args()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    groups: dict[str, Callable[[], list[Row]]] = {
        "ingest": lambda: ledger.ingest_rows(options.repeat),
        "tree": lambda: ledger.tree_rows(options.repeat),
        "matching": lambda: matching.run(repeat=options.repeat),
        "commit": lambda: ledger.commitment_rows(options.repeat),
        "lots": lambda: lots.run(options.repeat),
        "units": lambda: registry.run(options.repeat),
        "accounting": lambda: accounting.run(options.repeat),
        "footprints": footprint.footprint_rows,
        "audit": ledger.audit_rows,
        "service": service.run,
    }
    errors = Console(stderr=True)
    rows: list[Row] = []
    for name, run in groups.items():
        if options.only in ("", name):
            errors.print(f"bench: {name} …")
            if name == "service":
                os.sched_setaffinity(0, cores)
            rows += run()
    imported = _import_a_year() if options.only in ("", "ingest") else {}
    _show(rows, imported)
    path = _save(rows, imported)
    Console().print(f"Written: {path}")


def _import_a_year() -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _show(rows: list[Row], imported: dict[str, float]) -> None:
    console = Console(width=max(Console().width, 130))
    table = Table(title="One core, best of the run; the floor is of the same run")
    for column in ("what", "per second", "each", "floor", "floor per second", "x floor"):
        table.add_column(column, justify="left" if column in ("what", "floor") else "right")
    for row in rows:
        each_us = row.seconds / row.amount * 1e6
        table.add_row(
            row.name,
            f"{row.amount / row.seconds:,.0f} {row.unit}s",
            f"{each_us:,.3f} µs",
            row.floor_name,
            f"{row.amount / row.floor_seconds:,.0f}",
            f"{row.seconds / row.floor_seconds:.2f}",
        )
    console.print(table)
    if imported:
        console.print(
            f"Import of a CSV file of {ledger.POINTS * ledger.INTERVALS:,} intervals, whole:"
            f" {imported['seconds']:.2f} s, peak memory of the process"
            f" {imported['peak_memory_mb']:.0f} MB"
        )


def _save(rows: list[Row], imported: dict[str, float]) -> Path:
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    record = {
        "at": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "import_of_a_year": imported,
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
