"""The demo's folder: what state it is in, and how it is begun, finished and cleared.

Rules: a folder that is neither empty nor marked as ours is never touched. In ours, only what the
demo itself wrote is cleared. The summary is written last and in one step, so a folder with a
summary is finished, and one without was interrupted and is done again from the start.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ledger.errors import Refused

FORMAT: Final = "greenledger-demo/3"
# What of a summary are paths, below the folder.
PATHS: Final = ("checkpoint", "tiles", "evidence", "trust")
_MARKER: Final = "demo.json"
_SUMMARY: Final = "summary.json"
_MADE: Final = ("files", "profiles", "ledger", "keys", "tiles", "proofs", "trust.toml", _SUMMARY)

State = Literal["new", "interrupted", "finished"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where the demo writes. `path` is absolute."""

    path: Path

    @property
    def files(self) -> Path:
        return self.path / "files"

    @property
    def profiles(self) -> Path:
        return self.path / "profiles"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger"

    @property
    def keys(self) -> Path:
        """Keys that parties hold themselves, away from the server's."""
        return self.path / "keys"

    @property
    def tiles(self) -> Path:
        return self.path / "tiles"

    @property
    def proofs(self) -> Path:
        return self.path / "proofs"

    @property
    def trust(self) -> Path:
        return self.path / "trust.toml"

    def state(self) -> State:
        """Raises Refused where the folder belongs to something else."""
        if not self.path.exists():
            return "new"
        if not self.path.is_dir():
            raise Refused(f"{self.path} is a file; --dir takes a folder")
        if not (self.path / _MARKER).exists():
            if any(self.path.iterdir()):
                raise Refused(
                    f"{self.path} is not empty and holds no demo of ours, so nothing is written"
                    " there; give another folder with --dir"
                )
            return "new"
        return "interrupted" if self.summary() is None else "finished"

    def summary(self) -> dict[str, Any] | None:
        """The finished demo's summary; None where it is missing, of another version, not verified,
        or where what it speaks of has gone."""
        try:
            found = json.loads((self.path / _SUMMARY).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            return None
        if found.get("verified") is not True:
            return None
        there = all((self.path / str(found.get(name))).exists() for name in PATHS)
        return found if there and (self.ledger / "ledger.sqlite3").exists() else None

    @contextmanager
    def working(self, label: str) -> Iterator[None]:
        """Mark the folder as ours, clear what an earlier start left, and keep others out."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / _MARKER).open("a+", encoding="utf-8") as marker:
            try:
                fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused(f"another demo is at work in {self.path}") from error
            self._clear()
            marker.truncate(0)
            marker.write(json.dumps({"format": FORMAT, "label": label}) + "\n")
            marker.flush()
            yield

    def _clear(self) -> None:
        for name in _MADE:
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def finish(self, summary: dict[str, Any]) -> None:
        fresh = self.path / f"{_SUMMARY}.new"
        text = json.dumps(summary, ensure_ascii=False, indent=1)
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self.path / _SUMMARY)
