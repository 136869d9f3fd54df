"""`--server URL`: the commands that work on another machine's ledger, through its API."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.cli.imported import say_imported
from ledger.cli.options import Json
from ledger.cli.output import Output, step
from ledger.client import Client, JobInfo, connect
from ledger.client.importing import follow, import_by_server, import_signed
from ledger.errors import InvalidInput, Refused
from ledger.house import now_s
from ledger.log.notes import SigningKey
from ledger.metering.importers.profile import Profile

TOKEN: Final = "GREENLEDGER_TOKEN"  # noqa: S105 - the name of the variable
CA_FILE: Final = "GREENLEDGER_CA_FILE"

Server = Annotated[
    str,
    typer.Option(
        "--server",
        help=f"Work through the API of this server; {TOKEN} has the API key, {CA_FILE} the"
        " certificates of its authority where they are its own.",
    ),
]

job = typer.Typer(help="Long work of a server.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(job, name="job")


@contextmanager
def client_of(server: str, *, public: bool = False) -> Iterator[Client]:
    """A client with the key from the environment: what stands in a command is seen by others.

    `public`: what is asked for takes none.
    """
    ca_file = os.environ.get(CA_FILE, "")
    token = os.environ.get(TOKEN, "").strip()
    if not token and not public:
        raise InvalidInput(f"{TOKEN} is not set: it has the API key for --server {server}")
    with connect(server, token=token, ca_file=Path(ca_file) if ca_file else None) as client:
        yield client


def require_none(server: str, **given: object) -> None:
    """Raises InvalidInput where options are given that a server does not take."""
    for name, value in given.items():
        if value:
            option = "--" + name.replace("_", "-")
            raise InvalidInput(f"{option} does not go with --server {server}")


def show_progress(out: Output, told: JobInfo) -> None:
    if told.total and told.state == "running":
        out.warn(f"{told.text or told.kind}: {told.done:,} of {told.total:,}")


def end_of(found: JobInfo) -> JobInfo:
    """A job that is done. Raises Refused for one that failed or was stopped."""
    if found.state != "done":
        raise Refused(f"job {found.id} {found.state}: {found.error or 'no reason was given'}")
    return found


def _json(found: JobInfo) -> dict[str, object]:
    return {
        "id": found.id,
        "kind": found.kind,
        "party": found.party,
        "state": found.state,
        "done": found.done,
        "total": found.total,
        "text": found.text,
        "error": found.error,
        "result": dict(found.result) if found.result is not None else None,
    }


@job.command("list")
def list_jobs(
    server: Server,
    most: Annotated[int, typer.Option(min=1, help="As many at most, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Jobs of your organisations."""
    out = Output(as_json=as_json)
    with client_of(server) as client:
        found = [one for _, one in zip(range(most), client.jobs(), strict=False)]
    out.table(
        "Jobs",
        ["job", "kind", "party", "state", "done", "total"],
        [[one.id, one.kind, one.party, one.state, one.done, one.total] for one in found],
    )
    out.result({"jobs": [_json(one) for one in found]})


@job.command("show")
def show(
    id_: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    server: Server,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has ended.")] = False,
    as_json: Json = False,
) -> None:
    """How far a job is, and what came of it."""
    out = Output(as_json=as_json)
    with client_of(server) as client:
        found = client.job(id_)
        if wait:
            found = follow(client, found, lambda told: show_progress(out, told))
    out.say(f"{found.kind} {found.id}: {found.state}{': ' + found.error if found.error else ''}")
    out.result(_json(found))


@job.command("cancel")
def cancel(
    id_: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    server: Server,
    as_json: Json = False,
) -> None:
    """Stop a job: at its next step, and then nothing of it is stored."""
    out = Output(as_json=as_json)
    with client_of(server) as client:
        found = client.cancel_job(id_)
    out.say(f"{found.kind} {found.id}: {found.state}; it is to stop.")
    out.result(_json(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """How files are handed in; without `key` the server reads them and signs."""

    profile_text: str
    profile: Profile
    source: str
    author: str
    accept_partial: bool
    correct: str
    key: SigningKey | None


def import_files(server: str, files: Sequence[Path], how: Handing, out: Output) -> None:
    """Read and sign here with a key of one's own, or let the server do it."""
    if how.key and how.correct:
        raise InvalidInput(
            "--correct with --key: a correction names the readings in force by their hashes, which"
            " a server does not show; correct where the ledger is, or without --key"
        )
    if not how.key and not how.author:
        raise InvalidInput("--author is missing: the party that the server is to sign for")
    results: list[Mapping[str, object]] = []
    with client_of(server) as client:
        for path in files:
            if how.key is None:
                results.append(_by_server(client, path, how, out))
                continue
            with out.progress() as bar:
                found = import_signed(
                    client,
                    path,
                    how.profile,
                    profile_text=how.profile_text,
                    source=how.source,
                    key=how.key,
                    at_s=now_s(),
                    accept_partial=how.accept_partial,
                    progress=step(bar, f"{path.name}: reading"),
                )
            say_imported(out, found)
            results.append(found.to_json())
    out.result({"files": results})


def _by_server(client: Client, path: Path, how: Handing, out: Output) -> Mapping[str, object]:
    found = end_of(
        import_by_server(
            client,
            path,
            profile_text=how.profile_text,
            source=how.source,
            author=how.author,
            accept_partial=how.accept_partial,
            reason=how.correct,
            told=lambda told: show_progress(out, told),
        )
    )
    result = dict(found.result or {})
    out.say(f"{path.name}: done as job {found.id}.")
    return {"file": path.name, "job": found.id, **result}


def list_points(server: str, out: Output) -> None:
    with client_of(server) as client:
        found = sorted(client.points(), key=lambda one: one.master.name)
    names = {one.point: one.master.name for one in found}
    out.table(
        "Points",
        ["name", "kind", "system", "owner", "parent", "unit", "seconds"],
        [
            [
                one.master.name,
                one.master.kind,
                one.master.park_system,
                one.master.owner,
                names.get(one.master.parent, ""),
                one.master.unit,
                one.master.interval_s,
            ]
            for one in found
        ],
    )
    out.result({"points": [one.to_json() for one in found]})


def prove(server: str, index: int | None, consistency_from: int | None) -> tuple[list[str], str]:
    """The proofs, and the vkey that the server says its log has: pin one of your own."""
    with client_of(server, public=True) as client:
        vkey = client.log().log_vkey
        if index is not None:
            return [client.proof(index).decode()], vkey
        assert consistency_from is not None
        found = asdict(client.consistency(consistency_from))
        return [json.dumps(found) + "\n"], vkey
