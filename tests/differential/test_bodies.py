"""Bodies: what the ledger stores, an opening can show; and what it refuses, no opening shows."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify.bodies import verify_body
from greenledger_verify.failure import VerificationError
from greenledger_verify.leaves import parse_allocation, parse_reading
from ledger.claims.manifest import Manifest
from ledger.errors import InvalidInput
from ledger.log.bodies import Blob, json_media
from ledger.lots.entries import _check_form
from ledger.matching.allocations import Allocations
from ledger.matching.allocations import _leaf_chunks as allocation_chunks
from ledger.matching.contracts import Terms
from ledger.metering.batches import Readings, leaf_rows, nonces
from ledger.metering.points import Point
from tests.differential.writing import changed, write
from tests.ledgers import ORIGIN

SALT: Final = bytes(32)
ID: Final = "00" * 16
START_S: Final = 1_772_323_200

POINT: Final[dict[str, Any]] = {
    "name": "pv-roof-1",
    "kind": "generation",
    "technology": "pv",
    "park_system": "energy",
    "owner": "farm",
    "parent": "",
    "region": "320500",
    "capacity": 5_000_000,
    "capacity_unit": "W",
    "unit": "Wh",
    "measure": "additive",
    "interval_s": 900,
    "meters": [
        {
            "number": "M-1",
            "from": "2026-01-01T00:00:00Z",
            "to": "2026-02-01T00:00:00Z",
            "multiplier": "80",
            "accuracy": "0.2S",
            "calibrated": "2025-12-01",
            "calibration_expires": "",
            "opening": "12.5",
            "closing": "13",
        },
        {
            "number": "M-2",
            "from": "2026-02-01T00:00:00Z",
            "to": "",
            "multiplier": "0.5",
            "accuracy": "",
            "calibrated": "",
            "calibration_expires": "2030-12-01",
            "opening": "",
            "closing": "",
        },
    ],
}
CONTRACT: Final[dict[str, Any]] = {
    "name": "roof-to-mill",
    "kind": "direct-supply",
    "seller": "farm",
    "sources": ["11" * 16, "22" * 16],
    "consumers": [
        {"point": "33" * 16, "share_ppm": 400_000},
        {"point": "44" * 16, "share_ppm": 600_000},
    ],
    "from": "2026-01-01T00:00:00Z",
    "to": "2027-01-01T00:00:00Z",
    "region": "3205",
    "limit_wh": 0,
}
STORAGE: Final = {**CONTRACT, "kind": "storage", "region": ""}
CLAIM: Final[dict[str, Any]] = {
    "consumer": "mill",
    "points": ["33" * 16, "44" * 16],
    "from": "2026-01-31T16:00:00Z",
    "to": "2026-02-28T16:00:00Z",
    "as_of": 40,
    "claimed_wh": 900,
    "by_class": [{"class": 1, "wh": 600}, {"class": 3, "wh": 300}],
    "certificates": [
        {
            "retirement": "a1" * 16,
            "scheme": "gec",
            "class": "ordinary",
            "from": "2026-01-31T16:00:00Z",
            "to": "2026-02-28T16:00:00Z",
            "units": 1,
            "wh": 60,
        },
        {
            "retirement": "a2" * 16,
            "scheme": "gec",
            "class": "self-use",
            "from": "2026-02-01T16:00:00Z",
            "to": "2026-02-02T16:00:00Z",
            "units": 3,
            "wh": 0,
        },
    ],
    "certificate_wh": 60,
    "credits": [
        {"retirement": "a0" * 16, "scheme": "ccer", "units": 2, "unit_size": 1_000_000},
        {"retirement": "a3" * 16, "scheme": "internal", "units": 1, "unit_size": 1_000_000},
    ],
    "consumption_wh": 1_000,
    "estimated_wh": 100,
    "residual_wh": 40,
    "reason": "The roof was corrected 更正",
}
FORM: Final[dict[str, Any]] = {"issuer": "绿证", "number": "GEC-1/2026", "document": "ab" * 32}
GOOD: Final = {
    "point": (POINT,),
    "contract": (CONTRACT, STORAGE),
    "claim": (CLAIM,),
    "form": (FORM, FORM | {"document": ""}),
}
READERS: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "point": Point.from_json,
    "contract": Terms.from_json,
    "claim": Manifest.from_json,
    "form": _check_form,
}


def ledger_reads(name: str, raw: bytes) -> str:
    try:
        READERS[name](Blob.open(raw, json_media(name)).json())
    except InvalidInput as error:
        return str(error) or "?"
    return ""


def verifier_reads(name: str, raw: bytes) -> str:
    try:
        verify_body(raw, {"size": len(raw), "media": json_media(name)})
    except VerificationError as error:
        return str(error) or "?"
    return ""


def agree(name: str, text: str) -> None:
    raw = SALT + text.encode(errors="surrogatepass")
    ledger, verifier = ledger_reads(name, raw), verifier_reads(name, raw)
    assert bool(ledger) == bool(verifier), f"{text}: ledger {ledger!r}, verifier {verifier!r}"


def test_the_good_ones_are_taken() -> None:
    for name, contents in GOOD.items():
        for content in contents:
            raw = SALT + write(content, random.Random(0)).encode()
            assert ledger_reads(name, raw) == verifier_reads(name, raw) == ""


@settings(max_examples=900)
@given(
    name=st.sampled_from(sorted(GOOD)),
    seed=st.integers(0, 2**32),
    changes=st.integers(0, 2),
)
def test_json_bodies(name: str, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    value: Any = chance.choice(GOOD[name])
    for _ in range(changes):
        value = changed(value, chance)
    agree(name, write(value, chance))


@given(
    kind=st.sampled_from(["generation", "consumption", "billed", "other", "grid-import"]),
    unit=st.sampled_from(["Wh", "J", "mK"]),
    measure=st.sampled_from(["additive", "gauge"]),
    interval_s=st.sampled_from([0, 1, 7, 60, 300, 600, 900, 1800, 3600, 86_400, 366 * 86_400 + 1]),
)
def test_members_that_depend_on_each_other(
    kind: str, unit: str, measure: str, interval_s: int
) -> None:
    change = {"kind": kind, "unit": unit, "measure": measure, "interval_s": interval_s}
    agree("point", write(POINT | change, random.Random(0)))


@given(shares=st.lists(st.sampled_from([0, 1, 500_000, 1_000_000, 1_000_001, -1]), max_size=3))
def test_shares(shares: list[int]) -> None:
    points = [f"{number:032x}" for number in range(3)]
    consumers = [
        {"point": point, "share_ppm": share} for point, share in zip(points, shares, strict=False)
    ]
    agree("contract", write(CONTRACT | {"consumers": consumers}, random.Random(0)))


KINDS: Final = ("self-use", "direct-supply", "storage", "green-trade", "certificate", "Storage", "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("region", ["", "3205", "1234567890123"])
def test_kinds_of_contracts(kind: str, region: str) -> None:
    agree("contract", write(CONTRACT | {"kind": kind, "region": region}, random.Random(0)))


AMOUNTS: Final = st.sampled_from([-1, 0, 1, 60, 61, 99, 160, 161, 2**53 - 1, 2**53])


@settings(max_examples=300)
@given(
    classes=st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0, 1, 99])), max_size=3),
    off_wh=st.sampled_from([0, 0, 1, -1]),
    consumption_wh=AMOUNTS,
    estimated_wh=AMOUNTS,
    residual_off_wh=st.sampled_from([0, 0, 0, 1]),
)
def test_figures_of_claims(
    classes: list[tuple[int, int]],
    off_wh: int,
    consumption_wh: int,
    estimated_wh: int,
    residual_off_wh: int,
) -> None:
    claimed_wh = sum(wh for _, wh in classes) + off_wh
    figures = {
        "by_class": [{"class": class_, "wh": wh} for class_, wh in classes],
        "claimed_wh": claimed_wh,
        "consumption_wh": consumption_wh,
        "estimated_wh": estimated_wh,
        "residual_wh": consumption_wh - claimed_wh - CLAIM["certificate_wh"] + residual_off_wh,
    }
    agree("claim", write(CLAIM | figures, random.Random(0)))


@pytest.mark.parametrize("reason", ["", "x", "x" * 500, "x" * 501, "\x7f", "\x00", "\u2028", "阳"])
def test_texts_of_claims_and_forms(reason: str) -> None:
    agree("claim", write(CLAIM | {"reason": reason}, random.Random(0)))
    for text in (reason, reason[:200], reason[:201]):
        agree("form", write(FORM | {"issuer": text}, random.Random(0)))
        agree("form", write(FORM | {"number": text}, random.Random(0)))


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        ("1969-12-31T23:45:00Z", "1970-01-02T00:00:00Z"),
        ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:14:59Z"),
        ("2026-01-01T00:01:00Z", "2026-01-01T00:15:00Z"),
        ("0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "9999-12-31T23:45:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:15:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_periods(from_: str, to: str) -> None:
    """Terms that the ledger took, it can write and read again."""
    contract = write(CONTRACT | {"from": from_, "to": to}, random.Random(0))
    agree("contract", contract)
    agree("claim", write(CLAIM | {"from": from_, "to": to}, random.Random(0)))
    meter = POINT["meters"][0] | {"from": from_, "to": to}
    agree("point", write(POINT | {"meters": [meter]}, random.Random(0)))
    if not ledger_reads("contract", SALT + contract.encode()):
        terms = Terms.from_json(CONTRACT | {"from": from_, "to": to})
        assert Terms.from_json(terms.to_json()) == terms


@pytest.mark.parametrize(
    "change",
    [
        {"from": "1969-12-31T23:45:00Z"},
        {"from": "2026-01-31T16:01:00Z"},
        {"to": "2026-02-28T15:59:59Z"},
        {"consumption_wh": 959, "residual_wh": -1},
        {"certificate_wh": 61, "residual_wh": 39},
        {"certificates": CLAIM["certificates"][::-1]},
        {"certificates": [CLAIM["certificates"][0]] * 2, "certificate_wh": 120, "residual_wh": 0},
        {"certificates": [CLAIM["certificates"][0] | {"units": 0}]},
        {"certificates": [CLAIM["certificates"][0] | {"to": "2026-02-28T16:00:01Z"}]},
        {"certificates": [CLAIM["certificates"][0] | {"from": "2026-02-28T16:00:00Z"}]},
        {"credits": CLAIM["credits"][::-1]},
        {"credits": [CLAIM["credits"][0] | {"units": 0}]},
        {"credits": [CLAIM["credits"][0] | {"unit_size": 0}]},
        {"estimated_wh": 1_001},
        {"as_of": 0},
    ],
)
def test_claims_that_both_refuse(change: dict[str, Any]) -> None:
    """What one of them, or both, once took."""
    raw = SALT + write(CLAIM | change, random.Random(0)).encode()
    assert ledger_reads("claim", raw)
    assert verifier_reads("claim", raw)


INTERVALS: Final = st.tuples(
    st.sampled_from([0, 900, START_S, 253_402_300_800 - 900, 2**40 - 900, 2**63 - 1, 2**64 - 1]),
    st.sampled_from([0, 1, 899, 900, 3600, 2**32 - 1]),
)
NUMBERS: Final = st.sampled_from([0, 1, -1, 2**52, 2**63 - 1, -(2**63)])


@settings(max_examples=200)
@given(interval=INTERVALS, value=NUMBERS, quality=st.sampled_from([0, 1, 1023, 1024, 65_535]))
def test_leaves_of_readings(interval: tuple[int, int], value: int, quality: int) -> None:
    start_s, length_s = interval
    data = b"GLR1" + SALT + struct.pack(">I16sQIIqH", 1, b"p" * 16, *interval, 1, value, quality)
    leaf = bytes(16) + struct.pack(">16sQIqH", b"p" * 16, start_s, length_s, value, quality)
    try:
        found = Readings.open(data, origin=ORIGIN, id_=ID)
    except InvalidInput:
        with pytest.raises(VerificationError):
            parse_reading(leaf)
        return
    (row,) = leaf_rows(found.blocks, nonces(SALT, ORIGIN, ID, 1))
    assert row[16:] == leaf[16:]
    assert parse_reading(row).value == value


@settings(max_examples=200)
@given(interval=INTERVALS, wh=NUMBERS, supply_class=st.integers(0, 6))
def test_leaves_of_allocations(interval: tuple[int, int], wh: int, supply_class: int) -> None:
    ids = b"c" * 16 + b"s" * 16 + b"d" * 16
    head = struct.pack(">BQII", supply_class, *interval, 1)
    data = b"GLA1" + SALT + struct.pack(">I", 1) + ids + head + struct.pack(">q", wh)
    leaf = bytes(16) + ids + struct.pack(">QIqBQ", *interval, wh, supply_class, 0)
    try:
        found = Allocations.open(data, origin=ORIGIN, id_=ID)
    except InvalidInput:
        with pytest.raises(VerificationError):
            parse_allocation(leaf)
        return
    rows = [row for chunk in allocation_chunks(found.lanes, bytes(16)) for row in chunk]
    assert len(rows) == (wh > 0)
    if rows:
        assert rows[0][16:] == leaf[16:]
        assert parse_allocation(rows[0]).energy_wh == wh
    assert found.data == data


@pytest.mark.parametrize("magic", [b"GLR1", b"GLA1"])
@settings(max_examples=150)
@given(data=st.data())
def test_no_bytes_crash_the_readers(magic: bytes, data: st.DataObject) -> None:
    """Counts that promise more than the bytes hold cost nothing."""
    count = data.draw(st.sampled_from([0, 1, 2, 500_000, 2**32 - 1]))
    rest = data.draw(st.binary(max_size=200))
    raw = magic + SALT + struct.pack(">I", count) + rest
    reader = Readings if magic == b"GLR1" else Allocations
    try:
        found = reader.open(raw, origin=ORIGIN, id_=ID)
    except InvalidInput:
        return
    assert found.data == raw
