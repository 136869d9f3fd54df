"""What a PACT document may say, and that nothing of it is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.errors import InvalidInput
from ledger.footprint.pact.reading import DOCUMENT_BYTES_MAX, read, write
from tests.pact.documents import BROKEN, PANEL, SHEET, STRICTER, changed


def packed(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


@pytest.mark.parametrize("document", [SHEET, PANEL], ids=["sheet", "panel"])
def test_out_in_out_is_identical(document: dict[str, Any]) -> None:
    once = write(read(packed(document)).footprint)
    assert json.loads(once) == document
    assert write(read(once).footprint) == once


def test_an_error_names_the_place() -> None:
    for where, value, place in [*BROKEN, *STRICTER]:
        with pytest.raises(InvalidInput) as error:
            read(packed(changed(SHEET, where, value)))
        assert f"{place}: " in str(error.value), (where, value, str(error.value))


def test_many_errors_are_counted_not_listed() -> None:
    with pytest.raises(InvalidInput, match=r"and 5 more$"):
        read(b"{}")


def test_an_answer_of_get_footprint_is_taken_too() -> None:
    assert read(packed({"data": SHEET})).footprint == read(packed(SHEET)).footprint


def test_what_is_null_is_not_there() -> None:
    """So the specification says in words, where its schema says text."""
    found = read(packed({**SHEET, "comment": None, "extensions": None}))
    assert found.footprint.comment is None
    assert found.remarks == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JSON text"),
        (b"\xff", "JSON text"),
        (b"[]", r"\$: "),
        (b'{"id": 1, "id": 2}', "twice"),
        (b'{"id": NaN}', "no number"),
        (b'{"id": 1e999}', "too large"),
        (b'{"id": "\\ud800"}', "JSON text"),
        (b'{"id": ' + b"9" * 5000 + b"}", "JSON text"),
        (b"[" * 100_000, "deep"),
        (b" " * (DOCUMENT_BYTES_MAX + 1), "at most"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_such_json_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read(data)


def test_sound_documents_leave_nothing_to_remark() -> None:
    assert read(packed(SHEET)).remarks == []
    assert read(packed(PANEL)).remarks == []


REMARKED: list[tuple[dict[str, Any], str, Any, str]] = [
    (SHEET, "validityPeriodStart", "2025-12-31T23:59:59Z", "$.validityPeriodStart"),
    (SHEET, "validityPeriodEnd", "2029-01-01T00:00:01Z", "$.validityPeriodEnd"),
    (SHEET, "validityPeriodEnd", "2026-01-01T00:00:00Z", "$.validityPeriodEnd"),
    (SHEET, "precedingPfIds", [SHEET["id"].upper()], "$.precedingPfIds"),
    (SHEET, "extensions", [], "$.extensions"),
    (SHEET, "pcf.referencePeriodStart", "2026-01-01T00:00:00Z", "$.pcf.referencePeriodEnd"),
    (SHEET, "pcf.productMassPerDeclaredUnit", "0", "$.pcf.productMassPerDeclaredUnit"),
    (SHEET, "pcf.declaredUnitAmount", "2", "$.pcf.productMassPerDeclaredUnit"),
    (SHEET, "pcf.declaredUnitOfMeasurement", "hour", "$.pcf.productMassPerDeclaredUnit"),
    (SHEET, "pcf.exemptedEmissionsPercent", "100.5", "$.pcf.exemptedEmissionsPercent"),
    (PANEL, "pcf.primaryDataShare", "-1", "$.pcf.primaryDataShare"),
    (PANEL, "pcf.dqi.temporalDQR", "5.1", "$.pcf.dqi.temporalDQR"),
    (PANEL, "pcf.packagingEmissionsIncluded", False, "$.pcf.packagingGhgEmissions"),
    (
        PANEL,
        "pcf.ccsTechnologicalCO2CaptureIncluded",
        False,
        "$.pcf.ccsTechnologicalCO2Capture",
    ),
    (
        PANEL,
        "pcf.productOrSectorSpecificRules.0.operator",
        "PEF",
        "$.pcf.productOrSectorSpecificRules[0].otherOperatorName",
    ),
    (SHEET, "pcf.fossilGhgEmissions", "2.0", "$.pcf.pcfExcludingBiogenicUptake"),
    (PANEL, "pcf.biogenicNonCO2Emissions", "0.71", "$.pcf.pcfExcludingBiogenicUptake"),
    (PANEL, "pcf.biogenicCO2Uptake", "-18.1", "$.pcf.pcfIncludingBiogenicUptake"),
]


def test_what_only_words_forbid_is_remarked() -> None:
    for document, where, value, place in REMARKED:
        found = read(packed(changed(document, where, value))).remarks
        assert [one.partition(": ")[0] for one in found][:1] == [place], (where, found)


def test_figures_are_texts_with_the_validity_worked_out() -> None:
    """Three years from the end of the reference period, where nothing else is said; 29 February
    has no third year after it."""
    figures = read(packed(SHEET)).figures()
    assert (figures["valid_from"], figures["valid_until"]) == (
        "2026-01-01T00:00:00Z",
        "2029-01-01T00:00:00Z",
    )
    leap = changed(SHEET, "pcf.referencePeriodEnd", "2024-02-29T00:00:00Z")
    leap = changed(leap, "pcf.referencePeriodStart", "2024-01-01T00:00:00Z")
    assert read(packed(leap)).figures()["valid_until"] == "2027-03-01T00:00:00Z"
    assert all(type(value) is str for value in figures.values())
    assert read(packed(PANEL)).figures()["dqr_temporal"] == "3.5"
