"""Whether a pack is what this ledger holds: its files are computed once more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from ledger.db import reading
from ledger.disclosure.archive import OPENING, Pack, read_pack
from ledger.disclosure.asked import FILES, Asked
from ledger.disclosure.compute import files_of, named
from ledger.disclosure.content import gather
from ledger.errors import InvalidInput
from ledger.log import store
from ledger.log.entry import parse_entry, parse_json
from ledger.log.store import LogFacts
from ledger.parties.desk import Desk
from ledger.reports import store as reports
from ledger.reports.entries import Computes
from ledger.reports.model import DISCLOSURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`wrong`: (file, what of it) that does not hold, by file. `entry`: that publishes the pack,
    -1 for a draft. `recomputed`: files that the ledger computed again."""

    organisation: str
    year: str
    as_of: int
    files: int
    recomputed: int
    entry: int
    wrong: tuple[tuple[str, str], ...]


def check(desk: Desk, computes: Computes, path: Path) -> Checked:
    """Raises InvalidInput for what is no pack of this log."""
    found = read_pack(path)
    manifest = found.manifest
    log, as_of = manifest.get("log"), manifest.get("as_of")
    if log != desk.log.origin:
        raise InvalidInput(f"{path} is of the log {log!r}, not of {desk.log.origin}")
    asked = Asked.from_json(manifest["about"])
    with reading(desk.engine, long=True) as conn:
        size = store.load_head(conn, desk.log.log_id).size
        if not isinstance(as_of, int) or not 0 < as_of <= size:
            raise InvalidInput(f"{path} is as of {as_of!r} entries; the log has {size}")
        content = gather(conn, desk.log, asked, as_of, computes)
        entry = _entry_of(conn, desk.log, found, size)
    ours = {name: named(name, data) for name, data in files_of(content).items()}
    return Checked(
        organisation=asked.organisation,
        year=asked.year,
        as_of=as_of,
        files=len(found.found),
        recomputed=len(ours),
        entry=entry,
        wrong=tuple(sorted(_wrong(found, ours))),
    )


def _entry_of(conn: Connection, log: LogFacts, found: Pack, size: int) -> int:
    """The entry of this log that publishes just these files; -1 for a draft. Raises InvalidInput,
    where it says so and is another one."""
    if not found.opening:
        return -1
    index, note = _subject(found)
    if not 0 <= index < size or store.entry_data(conn, log.log_id, index) != note:
        raise InvalidInput(f"entry {index} of this log is not the one of the pack")
    version = next(
        (
            one
            for one in reports.versions(conn, log.log_id, parse_entry(note).statement["report"])
            if one.entry_index == index
        ),
        None,
    )
    if version is None or version.kind != DISCLOSURE:
        raise InvalidInput(f"entry {index} of this log publishes no disclosure")
    said = reports.load(conn, log, version)
    files = [*said["result"][FILES], *said["about"][FILES]]
    published = {(one["id"], one["sha256"]) for one in files}
    if published != {(one["file"], one["sha256"]) for one in found.manifest["files"]}:
        raise InvalidInput(f"entry {index} publishes other files than the pack has")
    return index


def _wrong(found: Pack, ours: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    said = {one["file"]: one for one in found.manifest["files"]}
    wrong = [(name, "missing") for name in sorted(said.keys() - found.found.keys())]
    wrong += [(name, "not in the manifest") for name in sorted(found.found.keys() - said.keys())]
    for name in sorted(said.keys() & found.found.keys()):
        if said[name]["sha256"] != found.found[name]:
            wrong.append((name, "changed since the pack was made"))
    for name, one in ours.items():
        if name not in said or said[name]["by"] != "log":
            wrong.append((name, "not in the pack, but computed from the log"))
        elif said[name]["sha256"] != one["sha256"]:
            wrong.append((name, "the log computes another one"))
    wrong += [
        (name, "the log does not compute it")
        for name, one in sorted(said.items())
        if one["by"] == "log" and name not in ours
    ]
    return wrong


def _subject(found: Pack) -> tuple[int, bytes]:
    """The entry that the opening is of: its place in the log, and its bytes."""
    try:
        value: Any = parse_json(found.opening.decode(), nesting_max=8)
        subject = value["entries"][0]
        return int(subject["index"]), str(subject["note"]).encode()
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InvalidInput(f"{OPENING} is no opening of an entry") from error
