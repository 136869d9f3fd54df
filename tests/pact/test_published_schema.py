"""Our model beside the schema that WBCSD publishes, which is no part of this project.

GREENLEDGER_PACT_OPENAPI is the path of openapi.yaml of version 3, from the repository
wbcsd/data-exchange-protocol.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger.errors import InvalidInput
from ledger.footprint.pact.events import read_event, write_event
from ledger.footprint.pact.model import VERSION
from ledger.footprint.pact.reading import read
from tests.pact.documents import BROKEN, PANEL, SHEET, STRICTER, changed
from tests.pact.works import Works, event

VARIABLE = "GREENLEDGER_PACT_OPENAPI"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    path = os.environ.get(VARIABLE, "")
    if not path:
        pytest.skip(f"{VARIABLE} names no openapi.yaml of PACT version 3: not ours to ship")
    found: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def schema(published: dict[str, Any]) -> Any:
    return validator(published, "ProductFootprint")


def validator(published: dict[str, Any], name: str) -> Any:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": published["components"]},
        validate_formats=True,
    )


def mended(published: dict[str, Any]) -> dict[str, Any]:
    """The schemas of events as they are meant: published, each refers to another's members by a
    `$ref` that stands where a member would, and to a description; that is no JSON Schema."""
    found = copy.deepcopy(published)
    schemas = found["components"]["schemas"]
    for name in EVENTS:
        members = schemas[name]["properties"]
        members.pop("$ref")
        for member in members["data"].get("properties", {}).values():
            member.pop("description", None)
        schemas[name]["properties"] = {**schemas["BaseEvent"]["properties"], **members}
    return found


def taken(document: Any) -> bool:
    """Our own verdict."""
    try:
        read(json.dumps(document).encode())
    except InvalidInput:
        return False
    return True


def test_it_is_the_version_that_we_write(published: dict[str, Any]) -> None:
    assert published["info"]["version"].rpartition(".")[0] == VERSION.rpartition(".")[0]


@pytest.mark.parametrize("document", [SHEET, PANEL], ids=["sheet", "panel"])
def test_sound_documents_are_sound_by_both(schema: Any, document: dict[str, Any]) -> None:
    assert [one.message for one in schema.iter_errors(document)] == []
    assert taken(document)


def test_each_broken_document_is_refused_by_both(schema: Any) -> None:
    for where, value, _ in BROKEN:
        document = changed(SHEET, where, value)
        assert (schema.is_valid(document), taken(document)) == (False, False), (where, value)


def test_where_its_patterns_have_gaps_ours_are_stricter(schema: Any) -> None:
    for where, value, _ in STRICTER:
        document = changed(SHEET, where, value)
        assert (schema.is_valid(document), taken(document)) == (True, False), (where, value)


def test_every_member_of_theirs_is_one_of_ours(published: dict[str, Any]) -> None:
    """And the other way round: a member that we have misspelt would pass as one of a later
    revision."""
    from ledger.footprint.pact import model

    pairs: dict[str, type[model.Part]] = {
        "ProductFootprint": model.ProductFootprint,
        "CarbonFootprint": model.CarbonFootprint,
        "DataModelExtension": model.Extension,
        "ProductOrSectorSpecificRule": model.Rule,
        "EmissionFactorSource": model.FactorSource,
        "DataQualityIndicators": model.DataQuality,
        "Verification": model.Verification,
    }
    for name, ours in pairs.items():
        theirs = published["components"]["schemas"][name]
        assert {field.alias for field in ours.model_fields.values()} == set(theirs["properties"])
        needed = {field.alias for field in ours.model_fields.values() if field.is_required()}
        assert needed == set(theirs.get("required", [])), name


def test_what_we_publish_is_sound(schema: Any, works: Works) -> None:
    found = works.footprints()
    assert len(found) == 4
    for document in found:
        assert [one.message for one in schema.iter_errors(document)] == []


EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "RequestCreatedEvent": ("created", {"productId": ["urn:a:b"], "geography": ["CN"]}),
    "RequestFulfilledEvent": ("fulfilled", {"requestEventId": "1", "pfs": [SHEET]}),
    "RequestRejectedEvent": (
        "rejected",
        {"requestEventId": "1", "error": {"code": "NotFound", "message": "none"}},
    ),
    "PublishedEvent": ("published", {"pfIds": [SHEET["id"]]}),
}
# (event, what stands in its data instead): no event by either.
NO_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("RequestCreatedEvent", {"productId": "urn:a:b"}),
    ("RequestCreatedEvent", {"productId": ["a:b"]}),
    ("RequestCreatedEvent", {"status": "Draft"}),
    ("RequestCreatedEvent", {"validOn": "today"}),
    ("RequestFulfilledEvent", {"requestEventId": "1", "pfs": []}),
    ("RequestFulfilledEvent", {"requestEventId": "1", "pfs": [{}]}),
    ("RequestFulfilledEvent", {"pfs": [SHEET]}),
    ("RequestRejectedEvent", {"requestEventId": "1"}),
    ("RequestRejectedEvent", {"requestEventId": "1", "error": {"code": "No", "message": ""}}),
    ("PublishedEvent", {"pfIds": ["urn:gtin:4712345060507"]}),
]


def is_event(value: dict[str, Any]) -> bool:
    try:
        read_event(json.dumps(value).encode())
    except InvalidInput:
        return False
    return True


def test_events_get_the_same_verdict(published: dict[str, Any]) -> None:
    for name, (kind, data) in EVENTS.items():
        theirs = validator(mended(published), name)
        sent = json.loads(write_event(read_event(json.dumps(event(kind, data)).encode())))
        assert [one.message for one in theirs.iter_errors(sent)] == []
        for wrong in [data for other, data in NO_EVENTS if other == name]:
            verdicts = theirs.is_valid(event(kind, wrong)), is_event(event(kind, wrong))
            assert verdicts == (False, False), (name, wrong)
