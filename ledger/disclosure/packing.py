"""Making a pack: everything is written before the entry that publishes it, and the archive gets
its name last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from ledger.claims import evidence
from ledger.claims.evidence import Level
from ledger.db import reading
from ledger.disclosure.archive import MANIFEST, OPENING, Archive, manifest_bytes
from ledger.disclosure.asked import FILES, Asked
from ledger.disclosure.compute import files_of
from ledger.disclosure.content import CLAIMS, DOCUMENTS, Content, gather
from ledger.disclosure.cover import TITLE, Made, readme_of, report_of
from ledger.disclosure.fonts import find_fonts
from ledger.disclosure.views import tables_of
from ledger.errors import InvalidInput
from ledger.log import publish
from ledger.log.notes import SigningKey
from ledger.log.placed import placed
from ledger.log.service import Receipt
from ledger.log.store import load_head
from ledger.parties.desk import Desk
from ledger.proving import encode, open_entry
from ledger.reports import service as reports
from ledger.reports.entries import Computes
from ledger.reports.model import DISCLOSURE

README: Final = "readme.txt"
PDF: Final = "report.pdf"
XLSX: Final = "tables.xlsx"
# Samples need a seed of who checks: such evidence is made one by one.
LEVELS: Final[tuple[Level, ...]] = ("full", "total")
_CHUNK: Final = 1024 * 1024
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`level`: of the evidence files. `kept`: files of registered documents that go along.
    `font`: of the PDF, where none of the usual ones is installed."""

    asked: Asked
    as_of: int | None = None
    level: Level = "full"
    kept: Sequence[Path] = ()
    font: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """Under whose key, and as a new version of which report; "" for a new one."""

    report: str = ""
    key: SigningKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """`receipt` is None for a draft."""

    made: Made
    content: Content
    files: int
    receipt: Receipt | None


def pack(
    desk: Desk,
    computes: Computes,
    wanted: Wanted,
    file: BinaryIO,
    *,
    checkpoint: Callable[[], bytes],
    vkey: str,
    publishing: Publishing | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Packed:
    """Write a pack to `file`, and publish it where `publishing` is given.

    `checkpoint`: signs the present size of the log. Raises NotFound, InvalidInput, Refused, Erased;
    Unavailable without a font.
    """
    return _Packing(desk, computes, wanted, checkpoint, vkey, publishing, progress).write(file)


@dataclass(slots=True)
class _Packing:
    desk: Desk
    computes: Computes
    wanted: Wanted
    checkpoint: Callable[[], bytes]
    vkey: str
    publishing: Publishing | None
    progress: Progress
    done: int = field(default=0, init=False)
    steps: int = field(default=0, init=False)

    def write(self, file: BinaryIO) -> Packed:
        fonts = find_fonts(self.wanted.font)  # before anything takes time
        self.checkpoint()
        content, made = self._gather()
        claims = [one["id"] for one in content.documents[CLAIMS]["claims"]]
        kept = dict(_kept_files(content, self.wanted.kept))
        self.steps = len(claims) + 3
        # These need much to be read, which nothing else here does.
        from ledger.disclosure.pdf_file import write_pdf
        from ledger.disclosure.xlsx_file import write_xlsx

        tables = tables_of(content)
        with Archive(file=file, at_s=made.at_s) as archive:
            author = [
                archive.add(README, [readme_of(content, made).encode()]),
                archive.add(PDF, [write_pdf(report_of(content, made), fonts)]),
                archive.add(XLSX, [write_xlsx(tables, title=TITLE, at_s=made.at_s)]),
            ]
            self._step()
            log = [archive.add(name, [data]) for name, data in files_of(content).items()]
            self._step()
            for claim in claims:
                lines = evidence.lines(self.desk, bytes.fromhex(claim), self.wanted.level)
                author.append(archive.add(f"evidence/{claim}.evidence.json", lines))
                self._step()
            author += [archive.add(name, _pieces(path)) for name, path in kept.items()]
            about = self.wanted.asked.to_json()
            archive.add(MANIFEST, [manifest_bytes(made.log, made.as_of, about, log, author)])
            receipt = self._publish({**about, FILES: author}, made.as_of)
            if receipt is not None:
                opening = open_entry(self.desk, receipt.index, body=True)
                archive.add(OPENING, [encode(opening)])
        self._step()
        return Packed(made=made, content=content, files=len(archive.named), receipt=receipt)

    def _gather(self) -> tuple[Content, Made]:
        wanted, log = self.wanted, self.desk.log
        with reading(self.desk.engine) as conn:
            size = load_head(conn, log.log_id).size
            as_of = size if wanted.as_of is None else wanted.as_of
            if not 0 < as_of <= size:
                raise InvalidInput(f"as_of is {as_of}; the log has {size} entries")
            content = gather(conn, log, wanted.asked, as_of, self.computes)
            checkpoint, _ = publish.latest_checkpoint(conn, log)
            at_s = placed(conn, log.log_id, as_of - 1).at_s
        made = Made(
            asked=wanted.asked,
            log=log.origin,
            as_of=as_of,
            size=checkpoint.size,
            root=checkpoint.root.hex(),
            vkey=self.vkey,
            level=wanted.level,
            published=self.publishing is not None,
            at_s=at_s,
            evidence=len(content.documents[CLAIMS]["claims"]),
        )
        return content, made

    def _publish(self, about: Mapping[str, Any], as_of: int) -> Receipt | None:
        if self.publishing is None:
            return None
        receipt = reports.publish(
            self.desk,
            self.computes,
            DISCLOSURE,
            about,
            author=self.wanted.asked.organisation,
            as_of=as_of,
            report=self.publishing.report,
            key=self.publishing.key,
        )
        self.checkpoint()
        return receipt

    def _step(self) -> None:
        self.done += 1
        self.progress(self.done, self.steps)


def _kept_files(content: Content, paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """(name in the pack, file) of each; all are documents that the organisation registered."""
    known = {
        one["file"]["sha256"]: one["file"]["name"]
        for one in content.documents[DOCUMENTS]["documents"]
    }
    for path in paths:
        digest = hashlib.sha256()
        for piece in _pieces(path):
            digest.update(piece)
        sha256 = digest.hexdigest()
        if sha256 not in known:
            raise InvalidInput(
                f"{path}: no document of the organisation has the hash {sha256}; register it first"
                " (greenledger document), or leave it out"
            )
        suffix = Path(known[sha256]).suffix.lower()
        plain = suffix.isascii() and suffix[1:].isalnum()
        yield f"documents/{sha256}{suffix if plain else ''}", path


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}") from error
