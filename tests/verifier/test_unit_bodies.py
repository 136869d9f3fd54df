"""Opened bodies of schemes, projects, reductions and statements: good ones pass, broken ones are
refused, whoever signed them.
"""

from typing import Any

import pytest

from greenledger_verify.bodies import verify_body
from greenledger_verify.failure import VerificationError
from tests.verifier.forge import json_body, reference
from tests.verifier.forge_lots import Value
from tests.verifier.forge_units import CREDIT, GEC, unit_class

POINT = "a" * 32
PROJECT: Value = {
    "name": "Injection well",
    "owner": "farm",
    "plant": "well-1",
    "technology": "ccus",
    "points": [],
    "state": "registered",
    "from": "2026-01-01T00:00:00Z",
    "to": "2036-01-01T00:00:00Z",
    "inside_ets": 0,
    "generation": 0,
}
GRAMS = {
    "captured": 10_000_000,
    "used": 1_000_000,
    "transported": 8_900_000,
    "transport-leakage": 100_000,
    "recycled": 200_000,
    "injected": 8_950_000,
    "produced": 400_000,
    "surface-leakage": 30_000,
    "equipment-leakage": 20_000,
    "energy-emissions": 600_000,
    "transport-emissions": 200_000,
    "injection-emissions": 100_000,
}
"""Of 10 t captured 1 t is used, 8.9 t arrive: 0.1 t less than sent, within the tolerance. 0.2 t
come back and 0.1 t escape, so that 9.0 t could be injected; 8.95 t were. Stored are 8.95 − 0.4 −
0.03 − 0.02 = 8.5 t, for 0.9 t of emissions: net 7.6 t.
"""


def flows(**changes: int) -> list[Value]:
    grams = GRAMS | {role.replace("_", "-"): g for role, g in changes.items()}
    return [{"role": role, "points": [], "g": g} for role, g in grams.items()]


REDUCTION: Value = {
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-02-01T00:00:00Z",
    "as_of": 20,
    "treatment": "credited",
    "flows": flows(),
    "tolerance_g": 100_000,
    "biogenic_ppm": 250_000,
    "stored_g": 8_500_000,
    "emissions_g": 900_000,
    "net_g": 7_600_000,
}
PARTS: list[Value] = [
    {"class": "avoided", "carried_g": 700_000, "g": 5_400_000, "units": 6, "left_g": 100_000},
    {"class": "removal", "carried_g": 0, "g": 1_800_000, "units": 1, "left_g": 800_000},
]
VERIFICATION: Value = {
    "verdict": "confirmed",
    "finding": "as metered",
    "document": "",
    "debit_g": 20_000,
    "buffer_g": 380_000,
    "parts": PARTS,
}
REVERSAL: Value = {"g": 1, "at": "2026-02-01T00:00:00Z", "reason": "a leak"}
ROW: Value = {
    "row": 2,
    "code": "W-2602",
    "month": "2026-02",
    "project": "plant-1",
    "class": "tradable",
    "first": 0,
    "end": 5,
    "status": "held",
    "party": "mill",
    "wh": 0,
    "note": "",
}
STATEMENT: Value = {
    "scheme": "gec",
    "issuer": "Registry",
    "as_of": "2026-03-05",
    "file": {"name": "list.csv", "size": 100, "hash": "b" * 64},
    "profile": "[columns]\ncode = 1",
    "rows": [ROW],
}
GOOD: dict[str, Value] = {
    "scheme": GEC,
    "project": PROJECT,
    "reduction": REDUCTION,
    "verification": VERIFICATION,
    "reversal": REVERSAL,
    "statement": STATEMENT,
}


def verify(name: str, content: Value) -> None:
    raw = json_body(content, name)
    assert verify_body(raw, reference(raw, name + "+json")) == content


def row(**changes: Any) -> Value:
    return {"rows": [ROW | changes]}


def part(number: int, **changes: int) -> Value:
    parts = list(PARTS)
    parts[number] = parts[number] | changes
    return {"parts": parts}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    verify(name, GOOD[name])
    for member in GOOD[name]:
        without = {key: value for key, value in GOOD[name].items() if key != member}
        with pytest.raises(VerificationError, match=f"member {member} is missing"):
            verify(name, without)
    with pytest.raises(VerificationError, match="unknown member more"):
        verify(name, GOOD[name] | {"more": 1})


ALSO_GOOD: list[tuple[str, Value]] = [
    ("scheme", CREDIT),
    ("scheme", {"barred": [{"technology": "pv", "from": "2026-01-01T00:00:00Z", "to": ""}]}),
    ("scheme", {"freezes": ["gec", "irec"], "vintages": []}),
    ("project", {"from": "", "to": "", "points": [POINT], "inside_ets": 1, "generation": 1}),
    ("reduction", {"treatment": "at-source", "tolerance_g": 500_000}),
    (
        "reduction",
        {
            "flows": flows(energy_emissions=8_600_000),
            "emissions_g": 8_900_000,
            "net_g": 0,
        },
    ),
    ("verification", {"verdict": "rejected", "debit_g": 0, "buffer_g": 0, "parts": []}),
    ("verification", {"debit_g": 0, "buffer_g": 0, "parts": []}),
    ("statement", row(code="", project="", month="", party="", **{"class": ""})),
    ("statement", row(code="", end=0, wh=5)),
    ("statement", {"rows": [ROW, ROW | {"first": 5, "end": 6}]}),
]


@pytest.mark.parametrize(("name", "change"), ALSO_GOOD, ids=[str(g[1])[:60] for g in ALSO_GOOD])
def test_also_good(name: str, change: Value) -> None:
    verify(name, GOOD[name] | change)


BAD: list[tuple[str, Value, str]] = [
    ("scheme", {"kind": "offset"}, "offset is not one of"),
    ("scheme", {"unit": "J"}, "J is not one of"),
    ("scheme", {"unit": "g"}, "a unit of a certificate is not worth g"),
    ("scheme", {"kind": "record"}, "a unit of a record is not worth Wh"),
    ("scheme", {"validity_months": 1201}, "1201 is not an integer from 0 to 1200"),
    ("scheme", {"purposes": []}, "hold 1 at least"),
    ("scheme", {"source": ""}, "1 to 500 characters"),
    ("scheme", {"classes": [unit_class("a", lot_classes=[1])]}, "class a: lots are none exactly"),
    ("scheme", {"classes": [unit_class("a", lots="spent")]}, "class a: lots are none exactly"),
    ("scheme", {"unit_size": 0}, "0 is not an integer from 1"),
    ("scheme", {"validity_months": -1}, "-1 is not an integer from 0"),
    ("scheme", {"classes": []}, "at least one class"),
    ("scheme", {"classes": [unit_class("b"), unit_class("a")]}, "classes is not in order"),
    ("scheme", {"classes": [unit_class("a"), unit_class("a")]}, "classes is not in order"),
    ("scheme", {"classes": [unit_class("a", lots="used")]}, "used is not one of"),
    ("scheme", {"classes": [unit_class("a", lot_classes=[6])]}, "6 is not an integer from 0 to 5"),
    ("scheme", {"classes": [unit_class("a", lot_classes=[2, 1])]}, "lot_classes is not in order"),
    ("scheme", {"classes": [unit_class("a", moved_by="retire")]}, "retire is not one of"),
    ("scheme", {"purposes": ["voluntary", "green-power"]}, "it must be sorted"),
    ("scheme", {"purposes": ["resale"]}, "resale is not one of"),
    ("scheme", {"cap_ppm": 1_000_001}, "1000001 is not an integer from 0 to 1000000"),
    ("scheme", {"status": "rumour"}, "rumour is not one of"),
    (
        "scheme",
        {"vintages": [{"from": "2026-01-01T00:00:00Z", "policy": "validity"}] * 2},
        "vintages is not in order",
    ),
    (
        "scheme",
        {
            "barred": [
                {"technology": "pv", "from": "2026-01-01T00:00:00Z", "to": "2025-01-01T00:00:00Z"}
            ]
        },
        "is empty",
    ),
    ("project", {"state": "closed"}, "closed is not one of"),
    ("project", {"to": ""}, "both ends, or none"),
    ("project", {"to": "2026-01-01T00:00:00Z"}, "is empty"),
    ("project", {"inside_ets": 2}, "2 is not an integer from 0 to 1"),
    ("project", {"plant": "Well 1"}, "Well 1 does not have the form"),
    ("project", {"points": [POINT, POINT]}, "none twice"),
    ("reduction", {"to": "2026-02-01T00:00:01Z"}, "whole quarter-hours"),
    ("reduction", {"flows": flows()[1:]}, "not one for each role"),
    ("reduction", {"flows": flows()[::-1]}, "not one for each role, in order"),
    ("reduction", {"flows": flows(captured=-1)}, "-1 is not an integer from 0"),
    (
        "reduction",
        {"flows": [flow | {"points": [POINT]} for flow in flows()]},
        "a point stands in two roles",
    ),
    ("reduction", {"tolerance_g": 500_001}, "more than a twentieth"),
    ("reduction", {"tolerance_g": 99_999}, "balance of transport is open by 100000 g, 99999 g are"),
    (
        "reduction",
        {"flows": flows(used=800_000)},
        "balance of transport is open by 300000 g, 100000 g are allowed",
    ),
    (
        "reduction",
        {"flows": flows(transport_leakage=0, injected=8_999_999)},
        "balance of injection is open by 100001 g",
    ),
    (
        "reduction",
        {"flows": flows(recycled=400_001)},
        "more is recycled than was produced",
    ),
    ("reduction", {"stored_g": 8_500_001}, "stored_g is 8500001, but the flows make it 8500000"),
    ("reduction", {"emissions_g": 0}, "emissions_g is 0, but the flows make it 900000"),
    ("reduction", {"net_g": 8_500_000}, "net_g is 8500000, but the flows make it 7600000"),
    ("reduction", {"treatment": "sold"}, "sold is not one of"),
    ("verification", {"verdict": "maybe"}, "maybe is not one of"),
    ("verification", {"finding": ""}, "1 to 500 characters"),
    ("verification", {"verdict": "rejected"}, "it is rejected, but has parts"),
    ("verification", {"parts": []}, "it has no parts, but holds mass back"),
    ("verification", {"parts": PARTS[:1]}, "parts are not avoided, then removal"),
    ("verification", {"parts": PARTS[::-1]}, "parts are not avoided, then removal"),
    ("verification", part(1, units=2), "removal: 2 units and 800000 g left over are not 1800000 g"),
    ("verification", part(0, units=5, left_g=1_100_000), "1100000 is not an integer from 0"),
    ("reversal", {"g": 0}, "0 is not an integer from 1"),
    ("statement", {"rows": []}, "rows are none"),
    ("statement", {"rows": [ROW | {"row": 3, "code": "X"}, ROW]}, "not in the order of the file"),
    ("statement", {"rows": [ROW, ROW]}, "the units 0-5 and 0-5 of the batch W-2602 overlap"),
    ("statement", {"file": {}}, "member name is missing"),
    ("statement", {"as_of": "2026-02-30"}, "is not a time"),
    ("statement", row(month="2026-03"), "the month 2026-03 was not over"),
    ("statement", row(month="2026-13"), "2026-13 does not have the form"),
    ("statement", row(end=0), "it speaks of no units"),
    ("statement", row(code="", end=0), "it speaks of no units"),
    ("statement", row(code="", first=1), "a row without a code begins at 0"),
    ("statement", row(row=0), "0 is not an integer from 1"),
    ("statement", row(status="lost"), "lost is not one of"),
    ("statement", row(note="n" * 501), "0 to 500 characters"),
]


@pytest.mark.parametrize(("name", "change", "rule"), BAD, ids=[f"{b[0]}: {b[2]}"[:60] for b in BAD])
def test_bad(name: str, change: Value, rule: str) -> None:
    with pytest.raises(VerificationError, match=rule) as caught:
        verify(name, GOOD[name] | change)
    assert caught.value.render("zh") != str(caught.value)
