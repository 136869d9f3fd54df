"""A file of readings, read here and signed here, for a server elsewhere; or handed to it whole."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import orjson

from ledger.client.batches import send_readings
from ledger.client.client import Client
from ledger.client.results import JobInfo
from ledger.errors import NotFound, Unavailable
from ledger.log.entry import parse_entry
from ledger.log.notes import SigningKey
from ledger.log.service import Receipt
from ledger.metering.importers import Profile, read_bytes
from ledger.metering.importing import ImportedFile, facts_of, repairs_json
from ledger.metering.sealing import Origin
from ledger.metering.service import Taken
from ledger.units import parse_zone


def import_signed(
    client: Client,
    path: Path,
    profile: Profile,
    *,
    profile_text: str,
    source: str,
    key: SigningKey,
    at_s: int,
    accept_partial: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ImportedFile:
    """Read a file with the points that the server knows, and sign what is in it.

    Raises what reading and handing in raise.
    """
    if not path.is_file():
        raise NotFound(f"no file {path}")
    data = path.read_bytes()
    log = client.log()
    known = {one.master.name: one for one in client.points()}
    imported = read_bytes(
        data,
        profile,
        name=path.name,
        points={name: facts_of(one.master) for name, one in known.items()},
        zone=parse_zone(log.zone),
        now_s=at_s,
        accept_partial=accept_partial,
        progress=progress,
    )
    origin = Origin(
        source=source,
        author=key.name.removeprefix(f"{log.origin}/"),
        file_name=path.name,
        file=data,
        profile=profile_text,
        repairs=repairs_json(imported),
        rejections=[asdict(each) for each in imported.rejections],
        repeats=imported.repeats,
    )
    points = {name: bytes.fromhex(one.point) for name, one in known.items()}
    sent = send_readings(client, imported.series, points, origin, key, log=log.origin, at_s=at_s)
    receipts = [
        Receipt(index=one.index, entry=parse_entry(signed.data), repeated=one.repeated)
        for signed, one in zip(sent.submissions, sent.receipts, strict=True)
    ]
    taken = Taken(receipts=receipts, stored=sent.stored, repeats=sent.repeats, corrected=0)
    return ImportedFile(name=path.name, imported=imported, taken=taken, warnings=[])


def import_by_server(
    client: Client,
    path: Path,
    *,
    profile_text: str,
    source: str,
    author: str,
    accept_partial: bool,
    reason: str,
    told: Callable[[JobInfo], None],
) -> JobInfo:
    """Hand a file to the server, which signs for its party, and follow the job to its end.

    `told`: called whenever the job has moved.
    """
    if not path.is_file():
        raise NotFound(f"no file {path}")
    data = path.read_bytes()
    content = orjson.dumps(
        {
            "file_name": path.name,
            "file": base64.b64encode(data).decode(),
            "profile": profile_text,
            "source": source,
            "author": author,
            "accept_partial": accept_partial,
            "reason": reason,
        }
    )
    # Sent again because an answer was lost, it is the same job. Not the next time that somebody
    # hands the file in: the job may have failed for something that was put right meanwhile.
    job = client.ask_job("/readings/files", content, secrets.token_hex(16))
    return follow(client, job, told)


def follow(client: Client, job: JobInfo, told: Callable[[JobInfo], None]) -> JobInfo:
    """A job, followed by its events to its end; asked for anew where the connection breaks."""
    broken = 0
    while job.state in ("waiting", "running"):
        try:
            for event in client.job_events(job.id):
                job = client.read_job(event.data)
                told(job)
            broken += job.state in ("waiting", "running")
        except Unavailable:
            broken += 1
        if broken > 5:
            raise Unavailable(f"the server does not say how job {job.id} goes on; ask later")
        job = client.job(job.id)
    return job
