"""What partners of the PACT exchange send: footprints and events."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ledger.errors import InvalidInput
from ledger.footprint.pact.criteria import of_event
from ledger.footprint.pact.events import read_event, write_event
from ledger.footprint.pact.importing import document_of
from ledger.footprint.pact.reading import read, write
from tests.fuzz import mutate
from tests.fuzz.engine import Target
from tests.pact.documents import PANEL, SHEET
from tests.pact.works import event


def document_inputs() -> Sequence[bytes]:
    return [json.dumps(one).encode() for one in (SHEET, PANEL, {"data": SHEET})]


def document_judge(data: bytes) -> bool:
    """What is taken is written so that it reads the same, and makes a document of the log."""
    try:
        found = read(data)
    except InvalidInput:
        return False
    once = write(found.footprint)
    assert write(read(once).footprint) == once
    assert all(type(one) is str for one in found.figures().values())
    document_of(found, organisation="mill", file_name="f.json").to_json()
    return True


def event_inputs() -> Sequence[bytes]:
    asked = {"productId": ["urn:a:b"], "geography": ["CN"], "validOn": "2026-01-01T00:00:00Z"}
    return [
        json.dumps(one).encode()
        for one in (
            event("created", {**asked, "status": "Active", "comment": "soon"}),
            event("fulfilled", {"requestEventId": "1", "pfs": [SHEET]}),
            event(
                "rejected", {"requestEventId": "1", "error": {"code": "NotFound", "message": ""}}
            ),
            event("published", {"pfIds": [SHEET["id"]]}),
        )
    ]


def event_judge(data: bytes) -> bool:
    """What is taken as a request has criteria, and every event is written so that it is taken."""
    try:
        found = read_event(data)
    except InvalidInput:
        return False
    if found.kind == "created":
        of_event(found.data)
    assert read_event(write_event(found)) == found
    return True


TARGETS = (
    Target(
        name="pact document",
        corpus=document_inputs,
        judge=document_judge,
        mutate=mutate.json_values,
        share=20,
    ),
    Target(
        name="pact event",
        corpus=event_inputs,
        judge=event_judge,
        mutate=mutate.json_values,
        share=20,
    ),
)
