"""Our model beside the schema that WBCSD publishes, which is no part of this project.

GREENLEDGER_PACT_OPENAPI is the path of openapi.yaml of version 3, from the repository
wbcsd/data-exchange-protocol.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger.errors import InvalidInput
from ledger.footprint.pact.model import VERSION
from ledger.footprint.pact.reading import read
from tests.pact.documents import BROKEN, PANEL, SHEET, STRICTER, changed

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
