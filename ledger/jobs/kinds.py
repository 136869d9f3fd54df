"""What jobs there are: one table of kinds, and the functions that do them.

Each may be begun again after a worker was lost, at any place: it reads what is there, does the
rest, and ends with its append (`Run.finishing`), or has nothing to append.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection

from ledger.claims import evidence
from ledger.db import reading
from ledger.disclosure import packing
from ledger.disclosure.asked import Asked
from ledger.disclosure.choosing import choose
from ledger.errors import InvalidInput
from ledger.house import COMPUTES
from ledger.jobs import matching, pact
from ledger.jobs.housekeeping import keep_house
from ledger.jobs.model import Result
from ledger.jobs.work import Kind, Run
from ledger.log.audit import no_progress
from ledger.log.service import Receipt
from ledger.log.store import load_head
from ledger.metering import importing
from ledger.metering.importers import read_profile
from ledger.recovery.backup import backup
from ledger.registry import acting
from ledger.statements import service as statements
from ledger.statements.profile import read_statement_profile

IMPORT: Final = "import"
STATEMENT: Final = "statement"
MATCH: Final = "match"
EVIDENCE: Final = "evidence"
DISCLOSURE: Final = "disclosure"
CHECKPOINT: Final = "checkpoint"
EXPIRY: Final = "expiry"
AUDIT: Final = "audit"
ANCHOR: Final = "anchor"
BACKUP: Final = "backup"
PACT: Final = "pact"

FILE: Final = "file"
EVIDENCE_FILE: Final = "evidence.json"
DISCLOSURE_FILE: Final = "disclosure.zip"
_CHUNK: Final = 1024 * 1024


def _entries(receipts: Sequence[Receipt]) -> list[int]:
    return [receipt.index for receipt in receipts]


def _import(run: Run) -> Result:
    """Readings from a file, by a profile. See `ledger.metering.importing`."""
    params, desk = run.job.params, run.house.desk
    prepared = importing.prepare(
        desk,
        run.file(FILE),
        read_profile(params["profile"], where="the profile"),
        name=params["file_name"],
        profile_text=params["profile"],
        source=params["source"],
        author=params["author"],
        accept_partial=params.get("accept_partial", False),
        reason=params.get("reason", ""),
        progress=lambda done, total: run.progress(done, total, "reading"),
        whose="" if params["author"] == desk.log.operator else params["author"],
    )
    submissions = prepared.taking.submissions
    run.progress(0, len(submissions), "storing")
    if not submissions:
        return prepared.stored([]).to_json()
    return run.finish(lambda _conn, receipts: prepared.stored(receipts).to_json(), submissions)


def _statement(run: Run) -> Result:
    """What an official registry says, from a file. See `ledger.statements.service`."""
    params, desk = run.job.params, run.house.desk
    prepared = statements.prepare(
        desk,
        run.file(FILE),
        _statement_profile(params),
        name=params["file_name"],
        profile_text=params["profile"],
        as_of=_date(params["as_of"]),
    )
    if prepared.draft is None:
        with reading(desk.engine) as conn:
            return prepared.stored(conn, desk.log, None).to_json()
    run.progress(0, 1, "storing")

    def result(conn: Connection, receipts: Sequence[Receipt]) -> Result:
        return prepared.stored(conn, desk.log, receipts[0].index).to_json()

    return run.finish(result, [desk.sign(prepared.draft)])


def _statement_profile(params: Mapping[str, Any]) -> Any:
    return read_statement_profile(params["profile"], where="the profile")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"as_of is {text!r}, not a day such as 2026-01-31") from None


def _evidence(run: Run) -> Result:
    """The evidence file of a claim, under a fresh checkpoint, kept as a file of the job."""
    params = run.job.params
    run.house.checkpoint()
    lines = evidence.lines(
        run.house.desk, bytes.fromhex(params["claim"]), params["level"], _sample(params)
    )
    size = run.save_file(EVIDENCE_FILE, lines)
    return {"claim": params["claim"], "level": params["level"], "bytes": size}


def _sample(params: Mapping[str, Any]) -> evidence.Sample | None:
    if params["level"] != "sampled":
        return None
    return evidence.Sample(
        seed=_hex(params.get("seed", ""), "seed", evidence.SEED_BYTES),
        count=params.get("samples", evidence.SAMPLES),
    )


def _hex(text: str, what: str, size: int) -> bytes:
    if not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text):
        raise InvalidInput(f"{what} is {2 * size} hex digits in lower case")
    return bytes.fromhex(text)


def _check_evidence(params: Mapping[str, Any]) -> None:
    _hex(params["claim"], "claim", 16)
    if params["level"] not in evidence.LEVELS:
        raise InvalidInput(f"level is one of {', '.join(evidence.LEVELS)}")
    _sample(params)


def _disclosure(run: Run) -> Result:
    """An organisation's year as an archive, a draft, kept as a file of the job."""
    params, house = run.job.params, run.house
    with reading(house.engine) as conn:
        size = load_head(conn, house.log.log_id).size
        asked = choose(conn, house.log, params["organisation"], params["year"], size)
    with tempfile.TemporaryFile() as file:
        found = packing.pack(
            house.desk,
            COMPUTES,
            packing.Wanted(
                asked=asked, as_of=size, level=params["level"], font=house.settings.pdf_font
            ),
            file,
            checkpoint=house.checkpoint,
            vkey=house.verification_key.vkey,
            progress=lambda done, total: run.progress(done, total, "packing"),
        )
        file.seek(0)
        length = run.save_file(DISCLOSURE_FILE, iter(lambda: file.read(_CHUNK), b""))
    return {
        "organisation": asked.organisation,
        "year": asked.year,
        "as_of": size,
        "level": params["level"],
        "files": found.files,
        "bytes": length,
    }


def _check_disclosure(params: Mapping[str, Any]) -> None:
    if params["level"] not in packing.LEVELS:
        raise InvalidInput(f"level is one of {', '.join(packing.LEVELS)}")
    Asked.of(params["organisation"], params["year"])


def _checkpoint(run: Run) -> Result:
    """Sign the present size and publish it; the same size again changes nothing."""
    note = run.house.checkpoint().decode()
    run.house.publish(no_progress)
    return {"checkpoint": note}


def _anchor(run: Run) -> Result:
    """Ask those who vouch for the log, and publish what they say. Who fails does not fail it."""
    # What a witness sees was published before: nobody knows of a size that nobody can read.
    run.house.publish(no_progress)
    found = run.house.anchor()
    published = run.house.publish(no_progress)
    return {**found.to_json(), "published": None if published is None else published.to_json()}


def _expiry(run: Run) -> Result:
    """Take out units whose validity is over, and what the service itself keeps no longer."""
    keep_house(run.house)
    desk = run.finishing(lambda _conn, receipts: {"entries": _entries(receipts)})
    return {"entries": _entries(acting.expire_due(desk))}


def _audit(run: Run) -> Result:
    """Replay the whole log and compare; what does not hold is why it fails."""
    found = run.house.audit(lambda done, total: run.progress(done, total, "entries"))
    return {
        "entries": found.entries,
        "bodies": found.bodies,
        "erased": found.erased,
        "attested": list(found.attested),
        "checkpoints": found.checkpoints,
        "tables": found.tables,
        "rows": found.rows,
        "tokens": found.tokens,
        "cosignatures": found.cosignatures,
        "root": found.root.hex(),
    }


def _backup(run: Run) -> Result:
    """Add to the backup where the settings say; again, it goes on from where it is."""
    folder = run.house.settings.backup_dir
    if folder is None:
        raise InvalidInput("where backups go is not set: GREENLEDGER_BACKUP_DIR")
    found = backup(run.house, folder, lambda done, total: run.progress(done, total, "entries"))
    return asdict(found)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        IMPORT: Kind(
            do=_import,
            needs={"profile": str, "file_name": str, "source": str, "author": str},
            takes={"accept_partial": bool, "reason": str},
            files=(FILE,),
            check=lambda params: read_profile(params["profile"], where="the profile"),
        ),
        STATEMENT: Kind(
            do=_statement,
            needs={"profile": str, "file_name": str, "as_of": str},
            files=(FILE,),
            check=lambda params: (_statement_profile(params), _date(params["as_of"])),
        ),
        MATCH: Kind(
            do=matching.do,
            needs={"from": str, "to": str},
            takes={"policy": str, "into_lots": bool},
            check=matching.check,
            help=matching.help_with,
        ),
        EVIDENCE: Kind(
            do=_evidence,
            needs={"claim": str, "level": str},
            takes={"seed": str, "samples": int},
            outputs=(EVIDENCE_FILE,),
            check=_check_evidence,
        ),
        DISCLOSURE: Kind(
            do=_disclosure,
            needs={"organisation": str, "year": str, "level": str},
            outputs=(DISCLOSURE_FILE,),
            check=_check_disclosure,
        ),
        CHECKPOINT: Kind(do=_checkpoint),
        EXPIRY: Kind(do=_expiry),
        AUDIT: Kind(do=_audit),
        ANCHOR: Kind(do=_anchor),
        BACKUP: Kind(do=_backup),
        PACT: Kind(do=pact.do),
    }
)


def check(kind: str, params: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Raises InvalidInput unless there is such a kind, and it takes such params and files."""
    found = KINDS.get(kind)
    if found is None:
        raise InvalidInput(f"there is no job {kind!r}; there are {', '.join(sorted(KINDS))}")
    known = {**found.needs, **found.takes}
    missing = sorted(found.needs.keys() - params.keys())
    unknown = sorted(params.keys() - known.keys())
    if missing or unknown:
        raise InvalidInput(
            f"a job {kind!r} needs {', '.join(found.needs) or 'nothing'}"
            f" and takes {', '.join(found.takes) or 'nothing else'};"
            f" {', '.join(missing) or 'nothing'} is missing,"
            f" {', '.join(unknown) or 'nothing'} is unknown"
        )
    for name, value in params.items():
        if type(value) is not known[name]:
            raise InvalidInput(f"{name} of a job {kind!r} is a {known[name].__name__}")
    if set(files) != set(found.files):
        raise InvalidInput(f"with a job {kind!r} come {', '.join(found.files) or 'no files'}")
    if found.check is not None:
        found.check(params)
