"""The client: one method for each thing that the API does, and proofs that it checks itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import orjson

from ledger.client.results import (
    BatchHead,
    Consistency,
    Event,
    Included,
    JobInfo,
    LogInfo,
    PartyKey,
    PointInfo,
    Receipt,
    Written,
)
from ledger.client.transport import Content, Transport, read, read_object, read_text
from ledger.errors import Corrupt, InvalidInput, NotFound, Unavailable
from ledger.log.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    parse_tlog_proof,
)
from ledger.log.logkeys import LogKey, follow, signing
from ledger.log.merkle import leaf_hash
from ledger.log.notes import VerifyKey, parse_note
from ledger.log.proofs import is_consistent, root_of_path
from ledger.log.service import Submission

PAGE: Final = 200
# Two for each key; a log that has had so many is none of ours.
LOG_KEY_ENTRIES_MAX: Final = 200
# A checkpoint that is signed between two requests makes them speak of different sizes.
_TRIES: Final = 5


class Client:
    """A server's API. Close it, or use it as a context manager; one thread at a time."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.transport.close()

    # The log

    def log(self) -> LogInfo:
        return read(self.transport.send("GET", "/log"), LogInfo)

    def checkpoint(self) -> bytes:
        """The latest checkpoint's note, as it came: nothing is verified."""
        return self.transport.send("GET", "/log/checkpoint").content

    def entry(self, index: int) -> bytes:
        return self.transport.send("GET", f"/log/entries/{index}").content

    def index_of(self, leaf: str) -> int:
        """The index of the entry with that leaf hash (hex). Raises NotFound."""
        found = read_object(self.transport.send("GET", f"/log/leaf/{leaf}"))
        return _integer(found, "index")

    def proof(self, index: int) -> bytes:
        """A tlog-proof of an entry under the latest checkpoint: nothing is verified."""
        return self.transport.send("GET", f"/log/proof/{index}").content

    def consistency(self, size1: int) -> Consistency:
        answer = self.transport.send("GET", "/log/consistency", params={"size1": size1})
        return read(answer, Consistency)

    def verify_inclusion(
        self, index: int, entry: bytes, key: VerifyKey, *, since: Checkpoint | None = None
    ) -> Included:
        """Verify that `entry` stands at `index`, under a checkpoint signed by `key`.

        `since`: a checkpoint that was verified before; the new one must have grown from it.
        Raises NotFound while no checkpoint covers the entry, Corrupt where a proof does not hold.
        """
        for _ in range(_TRIES):
            found = self._check(self.proof(index), index, entry, key)
            if since is None or self._has_grown(since, found.checkpoint):
                return found
        raise Unavailable(f"the log signs faster than its proofs can be fetched; entry {index}")

    def _check(self, proof: bytes, index: int, entry: bytes, key: VerifyKey) -> Included:
        """By `key`, or by a key of the log that it leads to: the log may have changed its keys."""
        try:
            return check_proof(proof, index, entry, key)
        except Corrupt:
            others = self.log_keys(key)
            if not others:
                raise
            return check_proof(proof, index, entry, key, others)

    def log_keys(self, pinned: VerifyKey) -> list[LogKey]:
        """Keys of the log to which `pinned` leads by entries of the log. Raises Corrupt."""
        shown = self.log().log_keys
        places = {0, *(one.entry for one in shown), *(one.ended_by for one in shown)} - {-1}
        if len(places) > LOG_KEY_ENTRIES_MAX:
            raise Unavailable(f"/log: {len(places)} entries on keys of the log are too many")
        try:
            return follow([(place, self.entry(place)) for place in sorted(places)], pinned)
        except InvalidInput as error:
            raise Corrupt(f"the keys of the log: {error}") from error

    def _has_grown(self, since: Checkpoint, now: Checkpoint) -> bool:
        """False where a newer checkpoint came in between. Raises Corrupt where it has not."""
        if now.size < since.size:
            # An answer from a copy that lags behind proves nothing; a log never shrinks for long.
            raise Corrupt(
                f"log {now.origin} shows {now.size} entries; a checkpoint of {since.size} was seen"
                " before"
            )
        if now.size == since.size:
            if now.root != since.root:
                raise Corrupt(f"log {now.origin} has signed two roots at size {now.size}")
            return True
        proof = self.consistency(since.size)
        if proof.size2 != now.size:
            return False
        path = [_hash(each) for each in proof.path]
        if not is_consistent(since.size, since.root, now.size, now.root, path):
            raise Corrupt(
                f"log {now.origin} of {now.size} entries does not begin with the"
                f" {since.size} that were seen before: its history was changed"
            )
        return True

    # Registered parties and points

    def points(self) -> Iterator[PointInfo]:
        for item in self._pages("/points"):
            try:
                yield PointInfo.from_json(item)
            except (InvalidInput, KeyError, TypeError) as error:
                raise Unavailable(f"/points: this client can't read a point: {error}") from error

    def party_keys(self, party: str) -> list[PartyKey]:
        answer = read_object(self.transport.send("GET", f"/parties/{party}/keys"))
        items = answer.get("items")
        if not isinstance(items, list):
            raise Unavailable("/parties/…/keys: the server's answer has no items")
        try:
            return [PartyKey(vkey=str(item["vkey"]), in_force=not item["ended"]) for item in items]
        except (KeyError, TypeError) as error:
            raise Unavailable("/parties/…/keys: this client can't read a key") from error

    # Entries and readings

    def last_batch(self, author: str, source: str) -> BatchHead | None:
        params = {"author": author, "source": source}
        try:
            answer = self.transport.send("GET", "/batches/last", params=params)
        except NotFound:
            return None
        return read(answer, BatchHead)

    def submit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Place signed entries, all or none. The same bytes may be sent again: they are found.

        Raises Refused or InvalidInput where the log takes none of them.
        """
        return self.submit_encoded([encode_submission(one) for one in submissions])

    def submit_encoded(
        self, submissions: Sequence[Mapping[str, Any] | orjson.Fragment]
    ) -> list[Receipt]:
        """`submit`, of submissions as `encode_submission` writes them, or of their JSON."""
        answer = self.transport.send(
            "POST",
            "/entries",
            headers={"Content-Type": "application/json"},
            content=orjson.dumps({"submissions": list(submissions)}),
            repeatable=True,
        )
        found = read(answer, Written).receipts
        if len(found) != len(submissions):
            raise Unavailable(f"/entries: {len(found)} receipts for {len(submissions)} submissions")
        return list(found)

    def post_readings(
        self,
        content: Content,
        media: str,
        idempotency_key: str,
        *,
        params: Mapping[str, str] | None = None,
    ) -> Written:
        """Readings that the server signs; a callable streams them. Its key makes it repeatable."""
        answer = self.transport.send(
            "POST",
            "/readings",
            params=params,
            headers={"Content-Type": media, "Idempotency-Key": idempotency_key},
            content=content,
            repeatable=True,
        )
        return read(answer, Written)

    def series(self, point: str, start: str, end: str) -> dict[str, Any]:
        """The effective readings of a point of that name, as the API shows them."""
        params = {"from": start, "to": end}
        return read_object(self.transport.send("GET", f"/series/{point}", params=params))

    # Jobs

    def jobs(self) -> Iterator[JobInfo]:
        for item in self._pages("/jobs"):
            yield read_text(orjson.dumps(item), JobInfo, "/jobs")

    def job(self, id_: str) -> JobInfo:
        return read(self.transport.send("GET", f"/jobs/{id_}"), JobInfo)

    def ask_job(self, path: str, content: bytes, idempotency_key: str) -> JobInfo:
        """Ask for long work (a JSON body); asked again with the same key, it is the same job."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        answer = self.transport.send(
            "POST", path, headers=headers, content=content, repeatable=True
        )
        return read(answer, JobInfo)

    def cancel_job(self, id_: str) -> JobInfo:
        """Ask that a job stops; it may have ended before."""
        answer = self.transport.send("POST", f"/jobs/{id_}/cancellation", repeatable=True)
        return read(answer, JobInfo)

    @staticmethod
    def read_job(data: str) -> JobInfo:
        """The data of an event of a job. Raises Unavailable."""
        return read_text(data.encode(), JobInfo, "an event of a job")

    def job_events(self, id_: str, *, after: str = "") -> Iterator[Event]:
        """Events of a job as they come; `after`: the id of the last one that was seen."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
        with self.transport.stream(f"/jobs/{id_}/events", headers) as answer:
            yield from parse_events(answer.iter_lines())

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            params: dict[str, str | int] = {"limit": PAGE}
            if cursor:
                params["cursor"] = cursor
            page = read_object(self.transport.send("GET", path, params=params))
            items = page.get("items")
            if not isinstance(items, list):
                raise Unavailable(f"{path}: the server's answer has no items")
            yield from items
            following = page.get("next")
            if not following:
                return
            if following == cursor or not items:
                raise Unavailable(f"{path}: the server's pages go round in a circle")
            cursor = str(following)


def connect(server: str, **options: Any) -> Client:
    """A client of `server`; options as of `Transport`."""
    return Client(Transport(server, **options))


def check_proof(
    data: bytes, index: int, entry: bytes, key: VerifyKey, known: Sequence[LogKey] = ()
) -> Included:
    """A tlog-proof of `entry` at `index` under a checkpoint signed by `key`, or, where `known` are
    the log's keys that one may believe, by one of these in force at its size. Raises Corrupt."""
    try:
        proof = parse_tlog_proof(data)
        size = parse_checkpoint(parse_note(proof.checkpoint).text).size
        keys = signing(known, size) or [key]
        checkpoint = open_checkpoint(proof.checkpoint, keys[0], keys[1:])
        root = root_of_path(leaf_hash(entry), proof.index, checkpoint.size, proof.path)
    except InvalidInput as error:
        raise Corrupt(f"the proof of entry {index} does not hold: {error}") from error
    if proof.index != index:
        raise Corrupt(f"asked for a proof of entry {index}, got one of entry {proof.index}")
    if root != checkpoint.root:
        raise Corrupt(
            f"entry {index} of the log, under its checkpoint of {checkpoint.size}, is another one"
            f" than {hashlib.sha256(entry).hexdigest()[:16]}…"
        )
    return Included(index=index, checkpoint=checkpoint, note=proof.checkpoint)


def encode_submission(submission: Submission) -> dict[str, Any]:
    """A submission as `POST /entries` takes it."""
    return {
        "entry": _base64(submission.data),
        "bodies": {
            member: _base64(body if isinstance(body, bytes) else body.data)
            for member, body in submission.bodies.items()
        },
        "attachments": [_base64(data) for data in submission.attachments],
    }


def parse_events(lines: Iterator[str]) -> Iterator[Event]:
    """Server-sent events (HTML standard §9.2.6); comments keep a connection alive, no more."""
    name, id_, data = "message", "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(name=name, data="\n".join(data), id=id_)
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            id_ = value


def _integer(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int):
        raise Unavailable(f"the server's answer has no integer {name!r}")
    return value


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Corrupt(f"the consistency proof holds {text[:70]!r}, which is no hash") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
