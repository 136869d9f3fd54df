"""Our data model extension: where in the public log a footprint stands. Pure.

A recipient can check offline that an entry of this hash is in the log, at that place, under a
witnessed checkpoint; the entry commits to the report that the document was written from. That the
report says the document's figures shows only who is given the report itself, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

VERSION: Final = "1.0.0"
# Of the specification of data model extensions, not of ours.
_SPEC_VERSION: Final = "2.0.0"
SCHEMA_PATH: Final = f"/pact/evidence/{VERSION}/data-model.json"
DOCUMENTATION_PATH: Final = f"/pact/evidence/{VERSION}/"
DOCUMENTATION: Final = f"""greenledger evidence {VERSION}, an extension of the PACT data model

Says where in a public log (C2SP tlog-tiles) the report stands that a product footprint was written
from: origin and key of the log, place and leaf hash of the entry, the hash that the entry commits
to, and the log size that the report was computed at. The schema is data-model.json, beside this.

To check: take the proof at proofUrl and run `greenledger-verify proof FILE --vkey KEY`, with a key
that you have from somebody you trust. It shows that the entry is in the log, unchanged since. That
the report says this document's figures shows the data owner, by giving you the report.
"""
_HASH: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that shows what a figure rests on: SHA-256 in hex, and where it is, if anywhere."""

    name: str
    sha256: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """`vkey`: of the key that the log began with (C2SP signed notes); `leaf`: RFC 6962 leaf hash of
    the entry; `body`: what the entry commits to; `as_of`: the log size that the report was computed
    at. None of it changes later: a document never does."""

    origin: str
    vkey: str
    entry: int
    leaf: str
    body: str
    as_of: int
    files: Sequence[File] = ()


def extension(evidence: Evidence, base_url: str) -> dict[str, Any]:
    """As a document carries it; `base_url` is where this service is reached."""
    log = f"{base_url}/api/v1/log"
    data: dict[str, Any] = {
        "logOrigin": evidence.origin,
        "logVkey": evidence.vkey,
        "entryIndex": evidence.entry,
        "entryLeafHash": evidence.leaf,
        "entryUrl": f"{log}/entries/{evidence.entry}",
        "proofUrl": f"{log}/proof/{evidence.entry}",
        "reportBody": evidence.body,
        "reportAsOf": evidence.as_of,
    }
    if evidence.files:
        data["files"] = [
            {"name": one.name, "sha256": one.sha256, **({"url": one.url} if one.url else {})}
            for one in evidence.files
        ]
    return {
        "specVersion": _SPEC_VERSION,
        "dataSchema": base_url + SCHEMA_PATH,
        "documentation": base_url + DOCUMENTATION_PATH,
        "data": data,
    }


def schema(base_url: str) -> Mapping[str, Any]:
    """JSON Schema (draft 2020-12) of the extension's `data`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": base_url + SCHEMA_PATH,
        "title": "greenledger evidence",
        "description": "Where in a public log (C2SP tlog-tiles) the footprint's report stands.",
        "type": "object",
        "required": [
            "logOrigin",
            "logVkey",
            "entryIndex",
            "entryLeafHash",
            "reportBody",
            "reportAsOf",
        ],
        "additionalProperties": False,
        "properties": {
            "logOrigin": _text("The log's origin, the first line of its checkpoints."),
            "logVkey": _text(
                "The key that the log began with (C2SP signed-note verifier key); later ones stand"
                " in the log. Whether it is the log's, ask somebody whom you trust."
            ),
            "entryIndex": _count("The entry's place in the log, from 0."),
            "entryLeafHash": _hash("Leaf hash of the entry (RFC 6962, SHA-256), in hex."),
            "entryUrl": _url("The entry, a C2SP signed note."),
            "proofUrl": _url("Its inclusion proof (C2SP tlog-proof) under a signed checkpoint."),
            "reportBody": _hash("What the entry commits to: the salted report's hash, in hex."),
            "reportAsOf": _count("The log size that the report was computed at."),
            "files": {
                "description": "Files that figures rest on.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "sha256"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string"},
                        "sha256": _HASH,
                        "url": {"type": "string", "format": "uri"},
                    },
                },
            },
        },
    }


def _text(said: str) -> Mapping[str, Any]:
    return {"description": said, "type": "string"}


def _count(said: str) -> Mapping[str, Any]:
    return {"description": said, "type": "integer", "minimum": 0}


def _hash(said: str) -> Mapping[str, Any]:
    return {"description": said, **_HASH}


def _url(said: str) -> Mapping[str, Any]:
    return {"description": said, "type": "string", "format": "uri"}
